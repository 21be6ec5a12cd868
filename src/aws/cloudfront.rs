//! Telling CloudFront what to forget. Two calls of an API of hundreds, so they are signed here instead of by a client of
//! the SDK, which is larger than ECS's (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::error::{Call, from_answer};
use super::patience::EXPIRED_CODES;
use super::plain::{Body, Http, Request};
use crate::error::{Error, Kind};
use crate::random;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// The API's version, first part of every path.
const VERSION: &str = "2020-05-31";
const MAX_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// CloudFront, with the credentials of one account. Distributions have no region.
#[derive(Clone)]
pub struct CloudFront {
    http: Http,
    credentials: Renewing,
    endpoint: String,
    /// Of signatures.
    region: &'static str,
}

/// How far an invalidation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalidation {
    InProgress,
    Completed,
}

impl CloudFront {
    pub(super) fn new(http: Http, credentials: Renewing, endpoint_url: Option<&str>, region: &str) -> CloudFront {
        let (endpoint, region) = match region.starts_with("cn-") {
            true => ("https://cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
            false => ("https://cloudfront.amazonaws.com", "us-east-1"),
        };
        let endpoint = endpoint_url.unwrap_or(endpoint).trim_end_matches('/').to_owned();
        CloudFront { http, credentials, endpoint, region }
    }

    /// Makes a distribution forget these paths (`/index.html`, `/img/*`). Gives the invalidation's id.
    pub async fn invalidate(&self, distribution: &str, paths: &[String]) -> Result<String> {
        let what = format!("make distribution {distribution} forget {} paths", paths.len());
        let call = || Call::new("cloudfront", "CreateInvalidation", &what);
        // The same reference twice is the same invalidation: a lost answer costs nothing.
        let body = batch(paths, &random::uuid());
        let path = format!("/{VERSION}/distribution/{distribution}/invalidation");
        let answer = self.call("POST", &path, body, call).await?;
        element(&answer, "Id").map(str::to_owned).ok_or_else(|| unreadable(&call()))
    }

    /// How far it is; it takes a minute or so.
    pub async fn invalidation(&self, distribution: &str, id: &str) -> Result<Invalidation> {
        let call = || Call::new("cloudfront", "GetInvalidation", format!("look at the invalidation {id}"));
        let path = format!("/{VERSION}/distribution/{distribution}/invalidation/{id}");
        let answer = self.call("GET", &path, String::new(), call).await?;
        match element(&answer, "Status") {
            Some("Completed") => Ok(Invalidation::Completed),
            Some(_) => Ok(Invalidation::InProgress),
            None => Err(unreadable(&call())),
        }
    }

    /// The text of an answer that says yes; calls that AWS refuses for now are made again.
    async fn call(&self, method: &'static str, path: &str, body: String, call: impl Fn() -> Call) -> Result<String> {
        let mut attempt = 1;
        loop {
            let (error, again) = match self.once(method, path, &body, &call).await? {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            if !again || attempt >= MAX_ATTEMPTS {
                return Err(error);
            }
            sleep((FIRST_PAUSE * 2_u32.pow(attempt - 1)).mul_f64(0.8 + 0.4 * random::fraction())).await;
            attempt += 1;
        }
    }

    /// One attempt: the answer, or an error and whether another attempt may help.
    async fn once(
        &self,
        method: &'static str,
        path: &str,
        body: &str,
        call: &impl Fn() -> Call,
    ) -> Result<std::result::Result<String, (Error, bool)>> {
        let (request, key) = self.signed(method, path, body).await?;
        let answer = match self.http.send(request).await {
            Ok(answer) => answer,
            Err(broken) => {
                let error = Error::new(Kind::Unreachable, format!("no answer from {}", broken.endpoint))
                    .detail(format!("tried to {}: {}", call().what, broken.reason));
                return Ok(Err((error.caused_by(broken), true)));
            }
        };
        let (status, request_id) = (answer.status, answer.header("x-amzn-requestid").map(str::to_owned));
        let bytes = answer.into_bytes(MAX_ANSWER_BYTES).await;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(Ok(text));
        }
        let code = element(&text, "Code").unwrap_or_default().to_owned();
        let message = element(&text, "Message").unwrap_or_default().to_owned();
        let expired = EXPIRED_CODES.contains(&code.as_str());
        if expired {
            self.credentials.refuse(&key);
        }
        let throttled = matches!(code.as_str(), "Throttling" | "TooManyInvalidationsInProgress");
        let code = if code.is_empty() { format!("HTTP {status}") } else { code };
        let again = expired || throttled || matches!(status, 429 | 500 | 502 | 503 | 504);
        Ok(Err((from_answer(call().failure(code, message, request_id), &call()), again)))
    }

    /// The request with its signature, and whose it is.
    async fn signed(&self, method: &'static str, path: &str, body: &str) -> Result<(Request, String)> {
        let credentials = self.credentials.provide_credentials().await.map_err(super::error::from_credentials)?;
        let key = credentials.access_key_id().to_owned();
        let url = format!("{}{path}", self.endpoint);
        let unsigned = |error: &dyn std::fmt::Display| {
            Error::new(Kind::Other, "a request to CloudFront could not be signed").detail(error.to_string())
        };
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("cloudfront")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let signable = SignableRequest::new(method, &url, std::iter::empty(), SignableBody::Bytes(body.as_bytes()))
            .map_err(|error| unsigned(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| unsigned(&error))?.into_parts();
        let mut request = Request::new(method, &url).header("content-type", "application/xml");
        for (name, value) in instructions.headers() {
            request.headers.push((known(name), value.to_owned()));
        }
        request.body = if body.is_empty() { Body::Empty } else { Body::Bytes(body.to_owned().into()) };
        Ok((request, key))
    }
}

/// The headers that a signature consists of.
fn known(name: &str) -> &'static str {
    match name {
        "authorization" => "authorization",
        "x-amz-date" => "x-amz-date",
        "x-amz-security-token" => "x-amz-security-token",
        _ => "x-amz-content-sha256",
    }
}

fn batch(paths: &[String], reference: &str) -> String {
    let items: String = paths.iter().map(|path| format!("<Path>{}</Path>", escaped(path))).collect();
    format!(
        "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/{VERSION}/\"><Paths><Quantity>{}</Quantity>\
         <Items>{items}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>",
        paths.len()
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text of the first element of this name: enough for answers that hold each name once where it matters.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}

fn unreadable(call: &Call) -> Error {
    Error::new(Kind::Aws, format!("could not {}: CloudFront's answer cannot be read", call.what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_as_the_api_reference_has_it() {
        let paths = ["/index.html".to_owned(), "/a&b/*".to_owned()];
        insta::assert_snapshot!(batch(&paths, "r-1"), @r#"<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>2</Quantity><Items><Path>/index.html</Path><Path>/a&amp;b/*</Path></Items></Paths><CallerReference>r-1</CallerReference></InvalidationBatch>"#);
    }

    #[test]
    fn answers() {
        // As the API reference prints it.
        let answer = "<?xml version=\"1.0\"?><Invalidation xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
            <CreateTime>2026-01-01T00:00:00Z</CreateTime><Id>IDFDVBD632BHDS5</Id><Status>InProgress</Status></Invalidation>";
        assert_eq!(element(answer, "Id"), Some("IDFDVBD632BHDS5"));
        assert_eq!(element(answer, "Status"), Some("InProgress"));
        assert_eq!(element(answer, "Code"), None);
    }
}

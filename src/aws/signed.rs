//! Signed requests to those APIs of which infra needs a call or two: a client of the SDK for each would be larger than
//! ECS's (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::endpoint::Endpoint;
use super::error::{Call, from_answer};
use super::patience::EXPIRED_CODES;
use super::plain::{Body, Http, Request};
use crate::error::{Error, Kind};
use crate::random;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value as Json;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

const MAX_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// One service's endpoint, with the credentials of one account.
#[derive(Clone)]
pub(super) struct Signed {
    http: Http,
    credentials: Renewing,
    endpoint: String,
    /// The service's name in signatures.
    service: &'static str,
    /// The region in signatures.
    region: String,
}

/// What is sent.
pub(super) struct Message<'m> {
    pub method: &'static str,
    pub path: &'m str,
    pub content_type: &'static str,
    pub body: &'m str,
}

impl Signed {
    pub fn new((http, credentials): (Http, Renewing), endpoint: Endpoint, service: &'static str) -> Signed {
        let Endpoint { url, region } = endpoint;
        Signed { http, credentials, endpoint: url.trim_end_matches('/').to_owned(), service, region }
    }

    /// The text of an answer that says yes; calls that AWS refuses for now are made again.
    pub async fn call(&self, message: &Message<'_>, call: impl Fn() -> Call) -> Result<String> {
        self.answered(message, None, call).await
    }

    /// The same for a service that takes and gives JSON. `target`: `AmazonSSM.GetParameters`.
    pub async fn json(&self, target: &'static str, input: &Json, call: impl Fn() -> Call) -> Result<Json> {
        let body = input.to_string();
        let message = Message { method: "POST", path: "/", content_type: "application/x-amz-json-1.1", body: &body };
        let answer = self.answered(&message, Some(target), &call).await?;
        serde_json::from_str(&answer).map_err(|error| {
            Error::new(Kind::Aws, format!("{} gave an answer that is no JSON", self.service))
                .detail(format!("tried to {}", call().what))
                .caused_by(error)
        })
    }

    async fn answered(
        &self,
        message: &Message<'_>,
        target: Option<&'static str>,
        call: impl Fn() -> Call,
    ) -> Result<String> {
        let mut attempt = 1;
        loop {
            let (error, again) = match self.once(message, target, &call).await? {
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
        message: &Message<'_>,
        target: Option<&'static str>,
        call: &impl Fn() -> Call,
    ) -> Result<std::result::Result<String, (Error, bool)>> {
        let (request, key) = self.signed(message, target).await?;
        let answer = match self.http.send(request).await {
            Ok(answer) => answer,
            Err(broken) => {
                let error = Error::new(Kind::Unreachable, format!("no answer from {}", broken.endpoint))
                    .detail(format!("tried to {}: {}", call().what, broken.reason));
                let (error, again) = match broken.hint() {
                    Some(hint) => (error.hint(hint), false),
                    None => (error, true),
                };
                return Ok(Err((error.caused_by(broken), again)));
            }
        };
        let (status, request_id) = (answer.status, answer.header("x-amzn-requestid").map(str::to_owned));
        let bytes = answer.into_bytes(MAX_ANSWER_BYTES).await;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(Ok(text));
        }
        let (code, message) = refusal(&text);
        let expired = EXPIRED_CODES.contains(&code.as_str());
        if expired {
            self.credentials.refuse(&key);
        }
        let throttled =
            matches!(code.as_str(), "Throttling" | "ThrottlingException" | "TooManyInvalidationsInProgress");
        let code = if code.is_empty() { format!("HTTP {status}") } else { code };
        let again = expired || throttled || matches!(status, 429 | 500 | 502 | 503 | 504);
        Ok(Err((from_answer(call().failure(code, message, request_id), &call()), again)))
    }

    /// The request with its signature, and whose it is.
    async fn signed(&self, message: &Message<'_>, target: Option<&'static str>) -> Result<(Request, String)> {
        let Message { method, path, content_type, body } = *message;
        let credentials = self.credentials.provide_credentials().await.map_err(super::error::from_credentials)?;
        let key = credentials.access_key_id().to_owned();
        let url = format!("{}{path}", self.endpoint);
        let unsigned = |error: &dyn std::fmt::Display| {
            Error::new(Kind::Other, format!("a request to {} could not be signed", self.service))
                .detail(error.to_string())
        };
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let headers = target.iter().map(|target| ("x-amz-target", *target));
        let signable = SignableRequest::new(method, &url, headers, SignableBody::Bytes(body.as_bytes()))
            .map_err(|error| unsigned(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| unsigned(&error))?.into_parts();
        let mut request = Request::new(method, &url).header("content-type", content_type);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        for (name, value) in instructions.headers() {
            request.headers.push((known(name), value.to_owned()));
        }
        request.body = if body.is_empty() { Body::Empty } else { Body::Bytes(body.to_owned().into()) };
        Ok((request, key))
    }
}

/// Code and message of an answer that says no, in XML or in JSON.
fn refusal(text: &str) -> (String, String) {
    let part = |name: &str| element(text, name).unwrap_or_default().to_owned();
    let Ok(json) = serde_json::from_str::<Json>(text) else { return (part("Code"), part("Message")) };
    let member = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str()).unwrap_or_default().to_owned();
    // The code may have a namespace before it.
    let code = member(["__type", "code"]);
    (code.rsplit('#').next().unwrap_or_default().to_owned(), member(["message", "Message"]))
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

/// The text of the first element of this name: enough for answers that hold each name once where it matters.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn refusals_in_both_forms() {
        let pair = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        let json = r#"{"__type":"com.amazonaws.ssm#ValidationException","message":"too many"}"#;
        assert_eq!(refusal(json), pair("ValidationException", "too many"));
        let xml = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(refusal(xml), pair("AccessDenied", "no"));
        assert_eq!(refusal("<html>"), pair("", ""));
    }
}

//! Telling CloudFront what to forget. Two calls of an API of hundreds, so they are signed here instead of by a client of
//! the SDK, which is larger than ECS's (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::endpoint::Endpoint;
use super::error::Call;
use super::plain::Http;
use super::signed::{Message, Signed, element};
use crate::error::{Error, Kind};
use crate::random;

/// The API's version, first part of every path.
const VERSION: &str = "2020-05-31";

/// CloudFront, with the credentials of one account. Distributions have no region.
#[derive(Clone)]
pub struct CloudFront {
    signed: Signed,
}

/// How far an invalidation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalidation {
    InProgress,
    Completed,
}

impl CloudFront {
    pub(super) fn new(way: (Http, Renewing), endpoint: Endpoint) -> CloudFront {
        CloudFront { signed: Signed::new(way, endpoint, "cloudfront") }
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

    async fn call(&self, method: &'static str, path: &str, body: String, call: impl Fn() -> Call) -> Result<String> {
        self.signed.call(&Message { method, path, content_type: "application/xml", body: &body }, call).await
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

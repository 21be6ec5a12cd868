//! Templates and policies as requests bring them: in the request, or as an object in S3.

use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use bytes::Bytes;
use cloudformation::partition::without_dns_suffix;
use cloudformation::validate::{INLINE_BYTES, LARGEST_BYTES};
use std::sync::Arc;

/// The template that a request brings.
///
/// # Errors
/// `ValidationError` if there is none or two, it is too long, or its URL leads to nothing.
pub(super) async fn template(
    world: &Arc<World>,
    place: &Place,
    body: Option<String>,
    url: Option<&str>,
) -> Result<String, Fault> {
    check(body.as_deref(), url)?;
    match (body, url) {
        (Some(body), _) => Ok(body),
        (None, Some(url)) => {
            let object = Object::at(url).ok_or_else(|| unsupported(url))?;
            let text = object.read(world, place).await?;
            if text.len() > LARGEST_BYTES {
                return Err(Fault::validation(format!("Template may not exceed {LARGEST_BYTES} bytes in size.")));
            }
            Ok(text)
        }
        (None, None) => Err(Fault::validation(NEITHER)),
    }
}

/// What is said of a request that brings no template.
const NEITHER: &str = "Either Template URL or Template Body must be specified.";

/// Whether a request brings one template, and one that is not too long to be in it.
///
/// # Errors
/// `ValidationError` if it does not.
pub(super) fn check(body: Option<&str>, url: Option<&str>) -> Result<(), Fault> {
    match (body, url) {
        (Some(_), Some(_)) => Err(Fault::validation("You cannot specify both TemplateBody and TemplateURL")),
        (None, None) => Err(Fault::validation(NEITHER)),
        (Some(body), None) if body.len() > INLINE_BYTES => Err(Fault::validation(format!(
            "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must \
             have length less than or equal to {INLINE_BYTES}"
        ))),
        _ => Ok(()),
    }
}

/// What is said of an URL that names no object of S3.
fn unsupported(url: &str) -> Fault {
    let uri: Option<http::Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let is_aws = without_dns_suffix(host).is_some();
    match is_aws && bucket_of(host).is_none() || url.starts_with("s3://") {
        true => Fault::validation(format!("S3 error: Domain name specified in {host} is not a valid S3 domain")),
        false => Fault::validation("TemplateURL must be a supported URL."),
    }
}

/// An object in S3.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    bucket: String,
    /// As it is in the URL: percent-encoded.
    key: String,
    /// As `?versionId=…` names it.
    version: Option<String>,
}

impl Object {
    /// The object that an URL names, by host (`https://bucket.s3.region.amazonaws.com/key`) or by path
    /// (`https://s3.region.amazonaws.com/bucket/key`; so does the port that this world is served on).
    pub fn at(url: &str) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        let (host, path) = (uri.host()?, uri.path().trim_start_matches('/'));
        let (bucket, key) = match bucket_of(host)? {
            "" => path.split_once('/')?,
            bucket => (bucket, path),
        };
        (!bucket.is_empty() && !key.is_empty()).then(|| Object {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version(&uri),
        })
    }

    /// Its text.
    ///
    /// # Errors
    /// `ValidationError` if there is no such object, or no text in it.
    pub async fn read(&self, world: &Arc<World>, place: &Place) -> Result<String, Fault> {
        let missing = || Fault::validation(MISSING);
        let version = self.version.as_ref().map_or_else(String::new, |version| format!("?versionId={version}"));
        let request = http::Request::get(format!("/{}/{}{version}", self.bucket, self.key));
        let request = request.body(Bytes::new()).map_err(|_| missing())?;
        let response = world.services.call(place, "s3", request).await.ok_or_else(missing)?;
        if !response.status().is_success() {
            return Err(missing());
        }
        String::from_utf8(response.into_body().to_vec())
            .map_err(|_| Fault::validation("Template format error: not valid UTF-8"))
    }
}

fn version(uri: &http::Uri) -> Option<String> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("versionId=")).map(str::to_owned)
}

/// What CloudFormation says of an object that is not there.
const MISSING: &str = "S3 error: The specified key does not exist.\nFor more information check \
                       http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html";

/// The bucket that a host of S3 names; empty if the path does.
fn bucket_of(host: &str) -> Option<&str> {
    if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Some("");
    }
    let host = without_dns_suffix(host)?;
    let is_s3 = |label: &str| label == "s3" || label.starts_with("s3-");
    let labels: Vec<&str> = host.split('.').collect();
    // Behind `s3` stands at most `dualstack` and the region.
    let at = labels.iter().rposition(|label| is_s3(label)).filter(|at| labels.len() - at <= 3)?;
    let before: usize = labels[..at].iter().map(|label| label.len() + 1).sum();
    Some(&host[..before.saturating_sub(1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_no_s3_are_named() {
        let told = |host: &str| format!("S3 error: Domain name specified in {host} is not a valid S3 domain");
        let not_supported = "TemplateURL must be a supported URL.".to_owned();
        for (url, message) in [
            ("s3://bucket/key.yaml", told("bucket")),
            ("https://ec2.eu-west-1.amazonaws.com/bucket/key.yaml", told("ec2.eu-west-1.amazonaws.com")),
            ("https://example.com/dummy.yml", not_supported.clone()),
            ("https://s3.amazonaws.com/bucket", not_supported.clone()),
            ("not an url", not_supported),
        ] {
            assert_eq!(unsupported(url).message, message, "{url}");
        }
    }

    #[test]
    fn objects_are_named_by_host_or_by_path() {
        let named = |url: &str| Object::at(url).map(|object| (object.bucket, object.key));
        let expected = Some(("my.bucket".to_owned(), "a/b%20c.yaml".to_owned()));
        for url in [
            "https://my.bucket.s3.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3.eu-west-1.amazonaws.com/a/b%20c.yaml?versionId=1",
            "https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3-eu-west-1.amazonaws.com/a/b%20c.yaml",
            "https://s3.amazonaws.com/my.bucket/a/b%20c.yaml",
            "https://s3.cn-north-1.amazonaws.com.cn/my.bucket/a/b%20c.yaml",
            "https://my.bucket.s3-fips.dualstack.us-east-1.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3.us-iso-east-1.c2s.ic.gov/a/b%20c.yaml",
            "http://127.0.0.1:4566/my.bucket/a/b%20c.yaml",
        ] {
            assert_eq!(named(url), expected, "{url}");
        }
        for url in ["https://example.com/dummy.yml", "not an url", "https://s3.amazonaws.com/bucket", "s3://b/k"] {
            assert_eq!(named(url), None, "{url}");
        }
    }
}

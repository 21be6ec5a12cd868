//! Templates of nested stacks, read where CloudFormation reads them: objects in S3 that URLs name.

use super::Result;
use super::error::{Call, Explain};
use crate::error::{Error, Kind};
use aws_sdk_s3::Client;

/// S3 of one region, with the credentials of one account.
#[derive(Clone)]
pub struct NestedTemplates {
    client: Client,
}

impl NestedTemplates {
    pub(super) fn new(client: Client) -> NestedTemplates {
        NestedTemplates { client }
    }

    /// The text of the object that a `TemplateURL` names.
    ///
    /// # Errors
    /// A URL that names no object in S3, and those of GetObject.
    pub async fn read(&self, url: &str) -> Result<String> {
        let place =
            Place::of(url).ok_or_else(|| Error::new(Kind::Configuration, format!("`{url}` names no object in S3")))?;
        let call = || Call::new("s3", "GetObject", format!("read s3://{}/{}", place.bucket, place.key));
        let request =
            self.client.get_object().bucket(&place.bucket).key(&place.key).set_version_id(place.version.clone());
        let answer = request.send().await.explain(call)?;
        let unread = |reason: String| Error::new(Kind::Other, format!("cannot read {url}")).detail(reason);
        let bytes = answer.body.collect().await.map_err(|error| unread(error.to_string()))?.into_bytes();
        String::from_utf8(bytes.to_vec()).map_err(|error| unread(error.to_string()))
    }
}

/// An object in S3.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Place {
    /// By host (`https://bucket.s3.region.amazonaws.com/key`) or by path (`https://s3.region.amazonaws.com/bucket/key`); other
    /// hosts are endpoints that stand in for S3.
    fn of(url: &str) -> Option<Place> {
        let (_, rest) = url.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_once('/')?;
        let (bucket, key) = match bucket_of(host) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/')?,
        };
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|it| it.into_owned());
        let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId=")).and_then(decoded);
        (!bucket.is_empty() && !key.is_empty())
            .then(|| Some(Place { bucket: bucket.to_owned(), key: decoded(key)?, version }))?
    }
}

/// The bucket that stands before `.s3` in a host name.
fn bucket_of(host: &str) -> Option<&str> {
    let labels: Vec<&str> = host.split('.').collect();
    let amazon = labels.iter().rposition(|label| *label == "amazonaws")?;
    let is_s3 = |label: &&str| *label == "s3" || label.starts_with("s3-");
    // Behind `s3` stand at most `dualstack` and the region.
    let at = labels[..amazon].iter().rposition(is_s3).filter(|at| amazon - at <= 3)?;
    let before: usize = labels[..at].iter().map(|label| label.len() + 1).sum();
    (at > 0).then(|| &host[..before - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_by_host_or_by_path() {
        let named = |url: &str| Place::of(url).map(|place| (place.bucket, place.key, place.version));
        let object = |bucket: &str, key: &str| Some((bucket.to_owned(), key.to_owned(), None));
        for url in [
            "https://my.bucket.s3.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3.eu-west-1.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3-eu-west-1.amazonaws.com/a/b%20c.yaml",
            "https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/a/b%20c.yaml",
            "https://s3.amazonaws.com/my.bucket/a/b%20c.yaml",
            "https://s3.cn-north-1.amazonaws.com.cn/my.bucket/a/b%20c.yaml",
            "http://127.0.0.1:4566/my.bucket/a/b%20c.yaml",
        ] {
            assert_eq!(named(url), object("my.bucket", "a/b c.yaml"), "{url}");
        }
        assert_eq!(
            named("https://s3.amazonaws.com/b/k?versionId=v1"),
            Some(("b".to_owned(), "k".to_owned(), Some("v1".to_owned())))
        );
        for url in ["not an url", "https://s3.amazonaws.com/bucket", "https://s3.amazonaws.com/"] {
            assert_eq!(named(url), None, "{url}");
        }
    }
}

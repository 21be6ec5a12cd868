//! Whose a bucket is, and how requests name one.

use crate::place::Place;
use cloudformation::partition::without_dns_suffix;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All buckets of a world by their names.
#[derive(Default)]
pub(in crate::services) struct Buckets(Mutex<BTreeMap<String, Bucket>>);

/// Whose it is, and since when.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::services) struct Bucket {
    pub place: Place,
    pub created: Timestamp,
}

impl Buckets {
    pub fn owner(&self, bucket: &str) -> Option<Place> {
        self.lock().get(bucket).map(|bucket| bucket.place.clone())
    }

    /// Takes a name; gives whose it is where it was taken already.
    pub fn claim(&self, bucket: &str, owner: &Place, now: Timestamp) -> Option<Place> {
        let mut buckets = self.lock();
        match buckets.get(bucket) {
            Some(before) => Some(before.place.clone()),
            None => {
                buckets.insert(bucket.to_owned(), Bucket { place: owner.clone(), created: now });
                None
            }
        }
    }

    pub fn remove(&self, bucket: &str) {
        self.lock().remove(bucket);
    }

    /// An account's buckets by name, in order.
    pub fn of(&self, account: &str) -> Vec<(String, Bucket)> {
        let buckets = self.lock();
        let own = buckets.iter().filter(|(_, bucket)| bucket.place.account == account);
        own.map(|(name, bucket)| (name.clone(), bucket.clone())).collect()
    }

    /// Enters the buckets that a snapshot of S3 speaks of.
    pub fn restore(&self, place: &Place, snapshot: &serde_json::Value) {
        let held = snapshot["buckets"].as_object();
        for (name, bucket) in held.into_iter().flatten() {
            let created = bucket["creation_date"].as_str().and_then(|date| date.parse().ok());
            let created = created.unwrap_or(Timestamp::UNIX_EPOCH);
            self.lock().insert(name.clone(), Bucket { place: place.clone(), created });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a bucket may have this name:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn is_valid(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

/// The region of a new bucket that is asked for in a place; `None` if that place may not make it.
pub(super) fn region_of(place: &Place, body: &[u8]) -> Option<String> {
    let anywhere = place.region.is_empty() || place.region == "us-east-1";
    match location_constraint(body).as_deref() {
        Some("EU") => Some("eu-west-1".to_owned()),
        Some(region) => (anywhere || region == place.region).then(|| region.to_owned()),
        None => anywhere.then(|| "us-east-1".to_owned()),
    }
}

/// The region that the body of a `CreateBucket` asks for.
pub(super) fn location_constraint(body: &[u8]) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once("<LocationConstraint>")?;
    let (region, _) = rest.split_once("</LocationConstraint>")?;
    Some(region.trim().to_owned()).filter(|region| !region.is_empty())
}

/// The bucket of a virtual-hosted request: `b.s3.eu-west-1.amazonaws.com`, `b.s3.localhost`, `b.localhost`.
pub(super) fn of_host(host: &str) -> Option<&str> {
    let is_aws = without_dns_suffix(host).is_some();
    if let Some(at) = host.rfind(".s3").filter(|at| is_aws && host[at + 3..].starts_with(['.', '-'])) {
        return Some(&host[..at]);
    }
    if is_aws || host.starts_with("s3.") {
        return None;
    }
    let before = host.strip_suffix(".localhost")?;
    Some(before.strip_suffix(".s3").unwrap_or(before)).filter(|bucket| *bucket != "s3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_found_in_hosts() {
        for (host, bucket) in [
            ("b.s3.eu-west-1.amazonaws.com", Some("b")),
            ("b.c.s3.amazonaws.com", Some("b.c")),
            ("b.s3.dualstack.eu-west-1.amazonaws.com", Some("b")),
            ("b.s3-eu-west-1.amazonaws.com", Some("b")),
            ("b.s3-fips.us-east-1.amazonaws.com", Some("b")),
            ("b.s3.eusc-de-east-1.amazonaws.eu", Some("b")),
            ("s3.eu-west-1.amazonaws.com", None),
            ("b.localhost", Some("b")),
            ("b.s3.localhost", Some("b")),
            ("s3.localhost", None),
            ("localhost", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(of_host(host), bucket, "{host}");
        }
    }

    #[test]
    fn names_follow_the_rules() {
        for name in ["abc", "a.b-c", "0aa", &"a".repeat(63)] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["ab", "Abc", "a_c", "-ab", "ab.", "a..b", "10.0.0.1", &"a".repeat(64), "a/b"] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn regions_are_found_in_bodies() {
        let body = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        assert_eq!(location_constraint(body).as_deref(), Some("eu-west-1"));
        assert_eq!(location_constraint(b""), None);
    }
}

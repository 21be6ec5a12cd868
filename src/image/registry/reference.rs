//! `host[:port]/repository[:tag][@sha256:…]`: what names an image in a registry.

use crate::error::{Error, Kind};
use crate::image::Digest;
use std::fmt;
use std::str::FromStr;

/// Longest name of a repository (OCI distribution specification, "Pulling manifests").
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// An image in a registry. The host is always written out: no registry is meant if none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// With the port, if it has one.
    pub host: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl Reference {
    /// `host/repository`, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Reference, Error> {
        let wrong = |why: String| {
            Error::new(Kind::Usage, format!("`{text}` names no image: {why}"))
                .hint("write host/repository, host/repository:tag or host/repository@sha256:…")
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|error| wrong(error.to_string()))?)),
            None => (text, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| wrong("it has no registry".to_owned()))?;
        if !(host.contains(['.', ':']) || host == "localhost") {
            return Err(wrong(format!("`{host}` is no host")));
        }
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(wrong(format!("`{repository}` is no name of a repository")));
        }
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
            return Err(wrong(format!("`{tag}` is no tag")));
        }
        Ok(Reference { host: host.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

/// Parts of lower-case letters and digits with single separators in between, joined by slashes.
pub fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        ends(part.bytes().next())
            && ends(part.bytes().last())
            && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    };
    text.len() <= MAX_NAME && text.split('/').all(part)
}

/// Letters, digits, `_`, `.` and `-`; the first is no `.` or `-`.
pub fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_as_it_prints() {
        let digest = Digest::of("x").to_string();
        for text in [
            "111122223333.dkr.ecr.us-east-1.amazonaws.com/storefront/dev/fastapi-a".to_owned(),
            "localhost:5000/api:v1.2".to_owned(),
            format!("127.0.0.1:5000/a/b@{digest}"),
            format!("ghcr.io/a/b:t@{digest}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        let read: Reference = "localhost:5000/api".parse().unwrap();
        assert_eq!((read.host.as_str(), read.repository.as_str(), read.tag), ("localhost:5000", "api", None));
    }

    #[test]
    fn what_names_no_image() {
        for text in
            ["", "api", "library/api", "a.b/", "a.b/Api", "a.b/../x", "a.b/api:", "a.b/api:-x", "a.b/api@sha256:1"]
        {
            let error = text.parse::<Reference>().expect_err(text);
            assert!(error.message.contains("names no image"), "{error}");
        }
    }
}

//! A registry's errors: by their codes (OCI distribution specification, "Error codes"), in words that say what was being
//! done, where, and what to do next.

use crate::aws::Broken;
use crate::error::{Error, Kind};
use serde::Deserialize;
use std::fmt;

/// A request that a registry answered with an error. The source of every [`Error`] that such an answer became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP's.
    pub status: u16,
    /// `BLOB_UNKNOWN`, `DENIED` …; empty where the answer has none.
    pub code: String,
    /// The registry's words.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry answered {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// The registry's answer behind an error, where there was one.
pub fn refusal(error: &Error) -> Option<&Refusal> {
    error.source.as_ref()?.downcast_ref()
}

/// Whether a connection broke, as opposed to an answer that says no.
pub(super) fn is_broken(error: &Error) -> bool {
    error.source.as_ref().is_some_and(|source| source.is::<Broken>())
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl Refusal {
    pub(super) fn read(status: u16, body: &[u8]) -> Refusal {
        let first = serde_json::from_slice::<Errors>(body).ok().and_then(|errors| errors.errors.into_iter().next());
        match first {
            Some(OneError { code, message }) => Refusal { status, code, message: message.unwrap_or_default() },
            None => {
                let text: String = String::from_utf8_lossy(body).trim().chars().take(200).collect();
                Refusal { status, code: String::new(), message: text }
            }
        }
    }

    /// Trying again may help: too many requests, or a fault of the registry's own.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504)
    }

    /// The error for people. `what` completes "could not …".
    pub(super) fn explain(self, what: &str, place: &str) -> Error {
        let error = match self.status {
            401 => Error::new(Kind::Credentials, format!("{place} does not accept these credentials"))
                .detail(format!("they were used to {what}"))
                .detail(self.to_string())
                .hint("for ECR: allow `ecr:GetAuthorizationToken`; elsewhere sign in with `docker login`"),
            403 => Error::new(Kind::AccessDenied, format!("{place} denied permission to {what}"))
                .detail(self.to_string())
                .hint(
                    "for ECR: allow `ecr:BatchCheckLayerAvailability`, `ecr:InitiateLayerUpload`, `ecr:UploadLayerPart`, \
                     `ecr:CompleteLayerUpload`, `ecr:PutImage`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`",
                ),
            404 if self.code == "NAME_UNKNOWN" => {
                Error::new(Kind::Other, format!("could not {what}: {place} has no such repository"))
                    .detail(self.to_string())
                    .hint("create it first: in an environment it is the stack of template `ecr-repository`")
            }
            429 => Error::new(Kind::Other, format!("could not {what}: {place} kept asking for fewer requests"))
                .detail(self.to_string())
                .hint("run the same command again later: what was pushed is not pushed again"),
            500.. => Error::new(Kind::Other, format!("could not {what}: {place} fails"))
                .detail(self.to_string())
                .hint("run the same command again: what was pushed is not pushed again"),
            _ => Error::new(Kind::Other, format!("could not {what}")).detail(format!("{place}: {self}")),
        };
        error.caused_by(self)
    }
}

/// The error of a connection that broke, for people. `what` completes "could not …".
pub(super) fn broken(broken: Broken, what: &str) -> Error {
    Error::new(Kind::Unreachable, format!("could not {what}: no answer from {}", broken.endpoint))
        .detail(broken.reason.clone())
        .hint(broken.hint().unwrap_or("run the same command again: what was pushed is not pushed again"))
        .caused_by(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_registries() {
        // As docker-registry 2.8 and ECR write them.
        let body = br#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid","detail":{}}]}"#;
        let read = Refusal::read(404, body);
        assert_eq!((read.code.as_str(), read.message.as_str()), ("BLOB_UPLOAD_INVALID", "blob upload invalid"));
        let read = Refusal::read(502, b"<html>Bad gateway</html>\n");
        assert!(read.is_passing());
        assert_eq!(read.to_string(), "the registry answered 502: <html>Bad gateway</html>");
        let error = Refusal::read(404, br#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#).explain("start an upload", "r/api");
        assert_eq!(error.message, "could not start an upload: r/api has no such repository");
        assert_eq!(refusal(&error).map(|refusal| refusal.status), Some(404));
    }
}

//! From the SDK's errors to ours: by AWS's codes, in words that say what was being done and what to do next.

use super::Result;
use super::credentials::Expired;
use super::http::{EMBEDDED, NOT_AWS, Undelivered};
use super::patience::EXPIRED_CODES;
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use cloudformation::partition::without_dns_suffix;
use std::fmt;

/// A call that AWS answered with an error. The source of every [`Error`] that such an answer became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The service's IAM prefix: `cloudformation`, `s3` …
    pub service: String,
    /// As the API reference spells it: `CreateChangeSet`.
    pub operation: String,
    pub code: String,
    /// AWS's words.
    pub message: String,
    pub request_id: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} answered {}: {}", self.service, self.operation, self.code, self.message)
    }
}

impl std::error::Error for Failure {}

/// The reason where the caller may not look at something: `s3:ListObjectVersions answered AccessDenied`. Cloud Control has
/// codes of its own for what a resource's handler was denied.
pub fn denied(error: &Error) -> Option<String> {
    const CODES: [&str; 6] = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "GeneralServiceException",
        "HandlerFailureException",
        "InvalidCredentialsException",
    ];
    let failure = failure(error).filter(|failure| CODES.contains(&failure.code.as_str()))?;
    Some(format!("{}:{} answered {}", failure.service, failure.operation, failure.code))
}

/// AWS's answer behind an error, where there was one.
pub fn failure(error: &Error) -> Option<&Failure> {
    error.source.as_ref()?.downcast_ref()
}

/// What was being done when a call failed.
pub(super) struct Call {
    service: &'static str,
    operation: &'static str,
    /// Completes "could not …".
    pub(super) what: String,
}

impl Call {
    pub(super) fn new(service: &'static str, operation: &'static str, what: impl Into<String>) -> Call {
        Call { service, operation, what: what.into() }
    }

    /// What AWS answered to it.
    pub(super) fn failure(&self, code: String, message: String, request_id: Option<String>) -> Failure {
        Failure { service: self.service.to_owned(), operation: self.operation.to_owned(), code, message, request_id }
    }

    /// The permission that the call needs; S3's differ from its operations' names.
    fn permission(&self) -> String {
        let action = match (self.service, self.operation) {
            ("s3", "ListObjectsV2") => "ListBucket",
            ("s3", "ListObjectVersions") => "ListBucketVersions",
            ("s3", "HeadObject") => "GetObject",
            (_, operation) => operation,
        };
        format!("{}:{action}", self.service)
    }
}

/// Turns an SDK result into one of ours.
pub(super) trait Explain<T> {
    fn explain(self, call: impl FnOnce() -> Call) -> Result<T>;
}

impl<T, E> Explain<T> for std::result::Result<T, SdkError<E, HttpResponse>>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn explain(self, call: impl FnOnce() -> Call) -> Result<T> {
        self.map_err(|error| translate(error, call()))
    }
}

/// Where a server is at fault.
fn again(answer: Option<&HttpResponse>) -> String {
    match answer.and_then(|answer| answer.headers().get(NOT_AWS)) {
        None => "run the same command again; if it stays so, look at https://health.aws.amazon.com".to_owned(),
        Some(EMBEDDED) => {
            "the embedded AWS is at fault, not AWS: make sure that the disk with .infra/local has room and can be \
                           written, then run the same command again; if it stays so, report it with these lines"
                .to_owned()
        }
        Some(endpoint) => {
            format!("run the same command again; if it stays so, look into the log of what answers at {endpoint}")
        }
    }
}

fn translate<E>(error: SdkError<E, HttpResponse>, call: Call) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(answer) = error.as_service_error().filter(|answer| answer.code().is_some()) {
        let failure = Failure {
            service: call.service.to_owned(),
            operation: call.operation.to_owned(),
            code: answer.code().unwrap_or_default().to_owned(),
            message: answer.message().unwrap_or("(no message)").trim().to_owned(),
            request_id: error.request_id().map(str::to_owned),
        };
        let is_aws_fault = error.raw_response().is_some_and(|raw| raw.status().is_server_error());
        let answered = from_answer(failure, &call);
        return if is_aws_fault { answered.hint(again(error.raw_response())) } else { answered };
    }
    if let Some(status) = error.raw_response().map(|raw| raw.status().as_u16()) {
        return Error::new(Kind::Aws, format!("could not {}", call.what))
            .detail(format!("{}:{} answered with HTTP status {status}", call.service, call.operation))
            .hint(again(error.raw_response()));
    }
    if let Some(refusal) = find::<Error>(&error) {
        return copy_of(refusal);
    }
    if find::<Expired>(&error).is_some() {
        return expired();
    }
    if let Some(undelivered) = undelivered(&error) {
        return unreachable(undelivered, &call);
    }
    if let Some(cause) = find::<CredentialsError>(&error) {
        return without_credentials(cause);
    }
    let kind = if matches!(error, SdkError::TimeoutError(_)) { Kind::Unreachable } else { Kind::Aws };
    Error::new(kind, format!("could not {}", call.what)).detail(innermost(&error))
}

/// The rules, by code. Codes are those of the services' API references, in all the spellings of their protocols.
pub(super) fn from_answer(failure: Failure, call: &Call) -> Error {
    let error = match failure.code.as_str() {
        code if EXPIRED_CODES.contains(&code) => expired(),
        "SignatureDoesNotMatch" | "InvalidSignatureException" if is_out_of_time(&failure.message) => {
            wrong_clock(&failure)
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => Error::new(Kind::Credentials, "AWS does not accept these credentials")
            .detail(failure.to_string())
            .hint("ask `aws sts get-caller-identity` with the same profile: it fails in the same way")
            .hint("create new access keys, or sign in again, or choose another profile with `--profile NAME`"),
        "RequestTimeTooSkewed" | "RequestInTheFuture" => wrong_clock(&failure),
        code if is_access_denied(code) => {
            Error::new(Kind::AccessDenied, format!("AWS denied permission to {}", call.what))
                .detail(failure.to_string())
                .hint(format!(
                    "allow `{}` to the caller's role or user, and look for a denial in its boundary \
                               or the organization's policies",
                    call.permission()
                ))
        }
        "NoSuchBucket" => {
            Error::new(Kind::NotBootstrapped, format!("could not {}: the bucket does not exist", call.what))
                .detail(failure.to_string())
                .hint("create the state bucket and the lock table with `infra bootstrap`")
        }
        "ResourceNotFoundException" | "TableNotFoundException" if call.service == "dynamodb" => {
            Error::new(Kind::NotBootstrapped, format!("could not {}: the table does not exist", call.what))
                .detail(failure.to_string())
                .hint("create the state bucket and the lock table with `infra bootstrap`")
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            Error::new(Kind::Aws, format!("could not {}: the bucket is in another region", call.what))
                .detail(failure.to_string())
                .hint("say in the environment file where it is: `state: {region: …}`")
        }
        code if is_throttling(code) => {
            Error::new(Kind::Aws, format!("could not {}: AWS kept asking for fewer calls", call.what))
                .detail(failure.to_string())
                .hint(
                    "lower `apply.concurrency` in the environment file, or run it again when the account is less busy",
                )
        }
        _ => Error::new(Kind::Aws, format!("could not {}", call.what)).detail(failure.to_string()),
    };
    let error = match &failure.request_id {
        Some(id) if error.kind == Kind::Aws => error.detail(format!("AWS request {id}")),
        _ => error,
    };
    error.caused_by(failure)
}

/// Services of the query and JSON protocols have one code for all that is wrong with a signature, and say in words that it is
/// its time: `Signature expired: 20260101T000000Z is now earlier than …`, `Signature not yet current: … is still later than …`.
fn is_out_of_time(message: &str) -> bool {
    message.starts_with("Signature expired") || message.starts_with("Signature not yet current")
}

fn wrong_clock(failure: &Failure) -> Error {
    Error::new(Kind::Credentials, "AWS refuses the request because this machine's clock is wrong")
        .detail(failure.to_string())
        .hint("set the clock (for example by `timedatectl set-ntp true`), then run the command again")
}

fn is_access_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "AllAccessDisabled"
    )
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "SlowDown"
    )
}

fn expired() -> Error {
    Error::new(Kind::Credentials, "the AWS credentials have expired")
        .hint("sign in again (`aws sso login`, or however they were made), then run the same command: it carries on")
}

/// For calls that are signed without the SDK.
pub(super) fn from_credentials(error: CredentialsError) -> Error {
    match (find::<Error>(&error), find::<Expired>(&error), undelivered(&error)) {
        (Some(refusal), _, _) => copy_of(refusal),
        (None, Some(_), _) => expired(),
        (None, None, Some(undelivered)) => unreachable(undelivered, &Call::new("sts", "AssumeRole", "get credentials")),
        (None, None, None) => without_credentials(&error),
    }
}

/// The request that got no answer. That of the last place where credentials might be (the instance's) says nothing: most
/// machines are no instances.
fn undelivered<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Undelivered> {
    match find::<CredentialsError>(error) {
        Some(CredentialsError::CredentialsNotLoaded(_)) => None,
        _ => find(error),
    }
}

fn without_credentials(cause: &CredentialsError) -> Error {
    let signing_in = "sign in (`aws sso login --profile NAME`), or set AWS_PROFILE or pass `--profile NAME`";
    match cause {
        CredentialsError::CredentialsNotLoaded(_) => Error::new(Kind::Credentials, "no AWS credentials were found")
            .detail(
                "looked at: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile in ~/.aws/config and \
                 ~/.aws/credentials, a web identity token, the container's and the instance's role",
            )
            .hint(signing_in)
            .hint("for an emulator any will do: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"),
        CredentialsError::ProviderTimedOut(_) => {
            Error::new(Kind::Credentials, "AWS credentials could not be had in time")
                .detail(innermost(cause))
                .hint(signing_in)
        }
        CredentialsError::InvalidConfiguration(_) => {
            Error::new(Kind::Credentials, "the AWS profile cannot be used").detail(innermost(cause)).hint(
                "compare `--profile` or AWS_PROFILE with the sections of ~/.aws/config (`aws configure list-profiles`)",
            )
        }
        _ => {
            Error::new(Kind::Credentials, "AWS credentials could not be had").detail(innermost(cause)).hint(signing_in)
        }
    }
}

fn unreachable(undelivered: &Undelivered, call: &Call) -> Error {
    let Undelivered { endpoint, reason, attempts, is_untrusted, .. } = undelivered;
    let times = if *attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
    let detail = format!("tried {times} to {}: {reason}", call.what);
    if *is_untrusted {
        return Error::new(Kind::Unreachable, format!("the certificate of {endpoint} is not accepted"))
            .detail(detail)
            .hint(super::http::UNTRUSTED);
    }
    let error = Error::new(Kind::Unreachable, format!("no answer from {endpoint}")).detail(detail);
    let host = endpoint.split("://").last().unwrap_or_default();
    if without_dns_suffix(host).is_some() {
        error.hint("look at the network, the proxy (HTTPS_PROXY) and the environment's `region`")
    } else {
        error.hint(format!(
            "is the server at {endpoint} running? It was chosen by `--endpoint-url`, AWS_ENDPOINT_URL or the profile"
        ))
    }
}

/// Errors that come out of a credentials look-up are ours already; the SDK lends them only.
fn copy_of(error: &Error) -> Error {
    Error {
        details: error.details.clone(),
        hints: error.hints.clone(),
        ..Error::new(error.kind, error.message.clone())
    }
}

pub(super) fn find<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map_or_else(String::new, ToString::to_string)
}

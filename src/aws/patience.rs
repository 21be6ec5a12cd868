//! What happens between two attempts of one call: throttling is reported, an unreachable endpoint is not tried for
//! ever, expired credentials are dropped.

use super::credentials::Renewing;
use super::http::Undelivered;
use super::{Notice, Notify};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextMut, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::ErrorKind;
use std::fmt;

/// Attempts at an endpoint that refuses or drops connections: with their pauses at most four seconds or so.
const MAX_BROKEN: u32 = 3;
/// Attempts at an endpoint that says nothing, each of which takes [`super::http::SILENCE_MAX`].
const MAX_SILENT: u32 = 2;

pub(super) struct Patience {
    credentials: Renewing,
    notify: Notify,
}

impl Patience {
    pub(super) fn new(credentials: Renewing, notify: Notify) -> Patience {
        Patience { credentials, notify }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patience")
    }
}

/// Attempts of one call in a row that got no answer.
#[derive(Debug, Default, Clone, Copy)]
struct Unanswered(u32);

impl Storable for Unanswered {
    type Storer = StoreReplace<Self>;
}

/// Whose signature the attempt under way carries: the request itself is gone once it is answered.
#[derive(Debug)]
struct Signer(String);

impl Storable for Signer {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Patience {
    fn name(&self) -> &'static str {
        "Patience"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(id) = access_key_id(context.request()) {
            config.interceptor_state().store_put(Signer(id.to_owned()));
        }
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(connector) = failed_connector(context) {
            let unanswered = config.load::<Unanswered>().copied().unwrap_or_default().0 + 1;
            config.interceptor_state().store_put(Unanswered(unanswered));
            let limit = if connector.is_timeout() { MAX_SILENT } else { MAX_BROKEN };
            let last = std::error::Error::source(connector).and_then(|source| source.downcast_ref::<Undelivered>());
            if let (Some(last), true) = (last, unanswered >= limit) {
                let last = Undelivered { attempts: unanswered, ..last.clone() };
                if let Some(result) = context.output_or_error_mut() {
                    // A connector error of no kind is not tried again.
                    *result = Err(OrchestratorError::connector(ConnectorError::other(last.into(), None)));
                }
            }
            return Ok(());
        }
        config.interceptor_state().store_put(Unanswered(0));
        if is_throttled(context.inner(), components)
            && let Some(metadata) = config.load::<Metadata>()
        {
            let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
            (self.notify)(Notice::Throttled {
                service: metadata.service().to_owned(),
                operation: metadata.name().to_owned(),
                attempt,
            });
        }
        if is_expired(context.response())
            && let Some(Signer(access_key_id)) = config.load::<Signer>()
        {
            self.credentials.refuse(access_key_id);
        }
        Ok(())
    }
}

fn failed_connector<'a>(context: &'a FinalizerInterceptorContextMut<'_>) -> Option<&'a ConnectorError> {
    context.output_or_error()?.err()?.as_connector_error().filter(|error| error.is_timeout() || error.is_io())
}

/// As the retry strategy itself judges: the last classifier with an opinion wins.
fn is_throttled(context: &InterceptorContext, components: &RuntimeComponents) -> bool {
    let judge = |action: RetryAction| match action {
        RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => {
            Some(kind == ErrorKind::ThrottlingError)
        }
        RetryAction::RetryForbidden => Some(false),
        _ => None,
    };
    let opinions = components.retry_classifiers().map(|classifier| classifier.classify_retry(context));
    opinions.filter_map(judge).last().unwrap_or(false)
}

/// Makes a call again whose credentials were called expired; [`Renewing`] finds others or ends the call.
#[derive(Debug)]
pub(super) struct ExpiredToken;

impl ClassifyRetry for ExpiredToken {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = matches!(context.output_or_error(), Some(Err(_)));
        if failed && is_expired(context.response()) {
            RetryAction::retryable_error(ErrorKind::TransientError)
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Expired token"
    }
}

/// Codes that say that a session is over, in the spellings of the services' protocols.
pub(super) const EXPIRED_CODES: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"];

fn is_expired(response: Option<&HttpResponse>) -> bool {
    response.and_then(error_code).is_some_and(|code| EXPIRED_CODES.contains(&code.as_str()))
}

/// The error code of an answer, where the protocols put it: a header, JSON's `__type`, XML's `<Code>`.
fn error_code(response: &HttpResponse) -> Option<String> {
    if response.status().is_success() {
        return None;
    }
    let bare = |code: &str| {
        let code = code.split(':').next().unwrap_or(code);
        code.rsplit('#').next().unwrap_or(code).to_owned()
    };
    if let Some(header) = response.headers().get("x-amzn-errortype") {
        return Some(bare(header));
    }
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        return json.get("__type").or_else(|| json.get("code")).and_then(|code| code.as_str()).map(bare);
    }
    let (_, rest) = body.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.trim().to_owned())
}

/// Whose signature a request carries (Signature Version 4: `Credential=<access key>/<date>/…`).
fn access_key_id(request: &HttpRequest) -> Option<&str> {
    let (_, rest) = request.headers().get("authorization")?.split_once("Credential=")?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn answer(status: u16, body: &str) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
    }

    #[test]
    fn codes_of_all_protocols() {
        let json = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ExpiredTokenException","message":"…"}"#;
        assert_eq!(error_code(&answer(400, json)).as_deref(), Some("ExpiredTokenException"));
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code></Error></ErrorResponse>";
        assert_eq!(error_code(&answer(403, xml)).as_deref(), Some("ExpiredToken"));
        let mut with_header = answer(400, "");
        with_header.headers_mut().insert("x-amzn-errortype", "ThrottlingException:http://internal/");
        assert_eq!(error_code(&with_header).as_deref(), Some("ThrottlingException"));
        assert_eq!(error_code(&answer(200, xml)), None);
        assert_eq!(error_code(&answer(502, "<html>Bad gateway</html>")), None);
    }

    #[test]
    fn signers() {
        let mut request = HttpRequest::empty();
        assert_eq!(access_key_id(&request), None);
        let header = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260101/us-east-1/s3/aws4_request, Signature=0";
        request.headers_mut().insert("authorization", header);
        assert_eq!(access_key_id(&request), Some("ASIAEXAMPLE"));
    }
}

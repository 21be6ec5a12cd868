//! How requests travel: plain or TLS by their address, with an eye on endpoints that do not answer.

use super::{Notice, Notify};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::fmt;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Silence after which a person is told that nobody answers.
pub(super) const SILENCE_TOLD: Duration = Duration::from_secs(5);
/// Silence after which one attempt is given up. Two attempts and the pause between them stay within half a minute.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(13);
/// Large bodies may take longer: so many bytes a second are expected of the slowest line.
const SLOWEST_UPLOAD_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The network. TLS, with its reading of certificates, is set up at the first `https` request and not before.
pub fn network() -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new;
    let plain = builder().build_with_connector_fn(|settings, components| connector(settings, components).build_http());
    let tls = builder().build_with_connector_fn(|settings, components| {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        connector(settings, components).tls_provider(ring).build()
    });
    SharedHttpClient::new(Network { plain, tls })
}

fn connector(
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> aws_smithy_http_client::ConnectorBuilder {
    let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder
}

#[derive(Debug)]
struct Network {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ByScheme {
            plain: self.plain.clone(),
            tls: self.tls.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if request.uri().starts_with("http://") { &self.plain } else { &self.tls };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

/// Stands before any HTTP client: bounds silence, tells of it, and names the endpoint in what goes wrong.
#[derive(Clone)]
pub(super) struct Gate {
    inner: SharedHttpClient,
    notify: Notify,
}

impl Gate {
    pub(super) fn new(inner: SharedHttpClient, notify: Notify) -> Gate {
        Gate { inner, notify }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpClient for Gate {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(GateConnector { inner, notify: self.notify.clone() })
    }
}

struct GateConnector {
    inner: SharedHttpConnector,
    notify: Notify,
}

impl fmt::Debug for GateConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateConnector").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpConnector for GateConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = origin(request.uri()).to_owned();
        let body_bytes = request.body().content_length().unwrap_or(0);
        let patience = SILENCE_MAX + Duration::from_secs(body_bytes / SLOWEST_UPLOAD_BYTES_PER_SECOND);
        let notify = self.notify.clone();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let began = Instant::now();
            let mut answer = pin!(answer);
            let result = match timeout(SILENCE_TOLD, &mut answer).await {
                Ok(result) => result,
                Err(_) => {
                    notify(Notice::NoAnswer { endpoint: endpoint.clone(), seconds: SILENCE_TOLD.as_secs() });
                    match timeout(patience - SILENCE_TOLD, answer).await {
                        Ok(result) => result,
                        Err(_) => {
                            let reason = format!("no answer within {} s", patience.as_secs());
                            let silent = Undelivered { endpoint, reason, attempts: 1, waited: began.elapsed() };
                            return Err(ConnectorError::timeout(silent.into()));
                        }
                    }
                }
            };
            result.map_err(|error| name_endpoint(error, endpoint, began.elapsed()))
        })
    }
}

/// A request that got no answer: to whom, why, and after how many attempts. Sits in the SDK's chain of errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undelivered {
    pub endpoint: String,
    pub reason: String,
    pub attempts: u32,
    /// Of the last attempt.
    pub waited: Duration,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {}: {}", self.endpoint, self.reason)
    }
}

impl std::error::Error for Undelivered {}

/// The same kind of failure, with a source that says where to.
fn name_endpoint(error: ConnectorError, endpoint: String, waited: Duration) -> ConnectorError {
    let undelivered = Undelivered { endpoint, reason: reason(&error), attempts: 1, waited };
    match &error {
        error if error.is_timeout() => ConnectorError::timeout(undelivered.into()),
        error if error.is_io() => ConnectorError::io(undelivered.into()),
        error if error.is_user() => ConnectorError::user(undelivered.into()),
        error => ConnectorError::other(undelivered.into(), error.as_other()),
    }
}

/// A few words for why a connection failed, from the innermost cause that says something.
pub(super) fn reason(error: &ConnectorError) -> String {
    let mut innermost: &dyn std::error::Error = error;
    loop {
        if let Some(io) = innermost.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
                std::io::ErrorKind::ConnectionReset => return "connection reset".to_owned(),
                _ => {}
            }
        }
        let text = innermost.to_string();
        if text.contains("dns error") {
            return "its name could not be resolved".to_owned();
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None if error.is_timeout() => return format!("no connection within the time allowed ({text})"),
            None => return text,
        }
    }
}

/// Scheme, host and port of an address.
pub(super) fn origin(uri: &str) -> &str {
    let host = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[host..].find(['/', '?']).map_or(uri.len(), |at| host + at);
    &uri[..end]
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins() {
        assert_eq!(origin("http://127.0.0.1:4566/bucket/key?x=/y"), "http://127.0.0.1:4566");
        assert_eq!(origin("https://sts.us-east-1.amazonaws.com"), "https://sts.us-east-1.amazonaws.com");
        assert_eq!(origin("https://s3.amazonaws.com?list"), "https://s3.amazonaws.com");
    }
}

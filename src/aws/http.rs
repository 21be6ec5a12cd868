//! How requests travel: plain or TLS by their address, with an eye on endpoints that do not answer.

use super::trust::Trust;
use super::{Notice, Notify};
use crate::error::Error;
use aws_smithy_http_client::{Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use cloudformation::partition::without_dns_suffix;
use rustls::CertificateError;
use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Silence after which a person is told that nobody answers.
pub(super) const SILENCE_TOLD: Duration = Duration::from_secs(5);
/// Silence after which one attempt is given up. Two attempts and the pause between them stay within half a minute.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(13);
/// Large bodies may take longer: so many bytes a second are expected of the slowest line.
const SLOWEST_UPLOAD_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The network, by the certificates that the system trusts.
pub fn network() -> SharedHttpClient {
    network_with(Trust::default())
}

/// The network. TLS, with its reading of certificates, is set up at the first `https` request and not before.
pub(super) fn network_with(trust: Trust) -> SharedHttpClient {
    let trust = Arc::new(trust);
    let (proxied, direct) = (Route::new(ProxyConfig::from_env, &trust), Route::new(ProxyConfig::disabled, &trust));
    SharedHttpClient::new(Network { proxied, direct, trust })
}

/// One way to servers: through the proxies that the environment names, or past them.
#[derive(Debug, Clone)]
struct Route {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
}

impl Route {
    fn new(proxies: fn() -> ProxyConfig, trust: &Arc<Trust>) -> Route {
        let builder = aws_smithy_http_client::Builder::new;
        let plain = builder().build_with_connector_fn(move |settings, components| {
            connector(proxies(), settings, components).build_http()
        });
        let trust = trust.clone();
        let tls = builder().build_with_connector_fn(move |settings, components| {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            let builder = connector(proxies(), settings, components).tls_provider(ring);
            match trust.context() {
                Ok(Some(context)) => builder.tls_context(context).build(),
                // A bundle that cannot be used ends every request before it gets here.
                Ok(None) | Err(_) => builder.build(),
            }
        });
        Route { plain, tls }
    }
}

fn connector(
    proxies: ProxyConfig,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> aws_smithy_http_client::ConnectorBuilder {
    let mut builder = Connector::builder().proxy_config(proxies);
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder
}

#[derive(Debug, Clone)]
struct Network {
    proxied: Route,
    direct: Route,
    trust: Arc<Trust>,
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ByAddress {
            network: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct ByAddress {
    network: Network,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByAddress {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Network { proxied, direct, trust } = &self.network;
        let route = if is_at_hand(request.uri()) { direct } else { proxied };
        let client = if request.uri().starts_with("http://") {
            &route.plain
        } else if let Err(error) = trust.context() {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        } else {
            &route.tls
        };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

/// Whether an address is this machine's own or on its own link (where instances find their credentials): no proxy can reach
/// it, whatever the environment says.
fn is_at_hand(uri: &str) -> bool {
    let origin = origin(uri);
    let authority = origin.split("://").last().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    };
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local() || address.is_unspecified(),
        Ok(IpAddr::V6(address)) => {
            // fd00:ec2::254 is where instances find theirs by IPv6.
            address.is_loopback() || address.is_unicast_link_local() || address.segments()[..2] == [0xfd00, 0xec2]
        }
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// Stands before any HTTP client: bounds silence, tells of it, and names the endpoint in what goes wrong.
#[derive(Clone)]
pub(super) struct Gate {
    inner: SharedHttpClient,
    notify: Notify,
    embedded: bool,
}

/// A header that [`Gate`] writes into answers of a server that is at fault, where that is not AWS: its address, or
/// [`EMBEDDED`]. No server sends it.
pub(super) const NOT_AWS: &str = "x-infra-not-aws";
pub(super) const EMBEDDED: &str = "embedded";

impl Gate {
    pub(super) fn new(inner: SharedHttpClient, notify: Notify, embedded: bool) -> Gate {
        Gate { inner, notify, embedded }
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
        SharedHttpConnector::new(GateConnector { inner, notify: self.notify.clone(), embedded: self.embedded })
    }
}

struct GateConnector {
    inner: SharedHttpConnector,
    notify: Notify,
    embedded: bool,
}

impl fmt::Debug for GateConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateConnector").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpConnector for GateConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = origin(request.uri());
        let body_bytes = request.body().content_length().unwrap_or(0);
        let patience = SILENCE_MAX + Duration::from_secs(body_bytes / SLOWEST_UPLOAD_BYTES_PER_SECOND);
        let (notify, embedded) = (self.notify.clone(), self.embedded);
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
                            let waited = began.elapsed();
                            let silent = Undelivered { endpoint, reason, attempts: 1, waited, is_untrusted: false };
                            return Err(ConnectorError::timeout(silent.into()));
                        }
                    }
                }
            };
            match result {
                Ok(mut answer) => {
                    answer.headers_mut().remove(NOT_AWS);
                    let host = endpoint.split("://").last().unwrap_or_default();
                    if answer.status().is_server_error() && (embedded || without_dns_suffix(host).is_none()) {
                        answer.headers_mut().insert(NOT_AWS, if embedded { EMBEDDED.to_owned() } else { endpoint });
                    }
                    Ok(answer)
                }
                Err(error) => Err(name_endpoint(error, endpoint, began.elapsed())),
            }
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
    /// The server was there, and showed a certificate that is not trusted.
    pub is_untrusted: bool,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {}: {}", self.endpoint, self.reason)
    }
}

impl std::error::Error for Undelivered {}

/// The same kind of failure, with a source that says where to.
fn name_endpoint(error: ConnectorError, endpoint: String, waited: Duration) -> ConnectorError {
    // Ours: nothing was sent.
    if std::error::Error::source(&error).is_some_and(|source| source.is::<Error>()) {
        return error;
    }
    let is_untrusted = refused_certificate(&error).is_some();
    let undelivered = Undelivered { endpoint, reason: reason(&error), attempts: 1, waited, is_untrusted };
    match &error {
        // Another attempt would see the same certificate.
        _ if is_untrusted => ConnectorError::user(undelivered.into()),
        error if error.is_timeout() => ConnectorError::timeout(undelivered.into()),
        error if error.is_io() => ConnectorError::io(undelivered.into()),
        error if error.is_user() => ConnectorError::user(undelivered.into()),
        error => ConnectorError::other(undelivered.into(), error.as_other()),
    }
}

/// A few words for why a connection failed, from the innermost cause that says something.
pub(super) fn reason(error: &ConnectorError) -> String {
    if let Some(certificate) = refused_certificate(error) {
        return certificate_reason(&certificate);
    }
    if let Some(refusal) = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>()) {
        let details = refusal.details.iter().map(|detail| format!("; {detail}"));
        return format!("{}{}", refusal.message, details.collect::<String>());
    }
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

/// What is wrong with the certificate that a server showed, where that is why there is no connection.
pub(super) fn refused_certificate(error: &ConnectorError) -> Option<CertificateError> {
    let chain = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source());
    chain.filter_map(certificate_error).last()
}

fn certificate_error(error: &(dyn std::error::Error + 'static)) -> Option<CertificateError> {
    // An I/O error does not show what it was made of as its source, and may be made of another one.
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return certificate_error(io.get_ref()?);
    }
    let made_of = error.downcast_ref::<rustls::Error>()?;
    match made_of {
        rustls::Error::InvalidCertificate(reason) => Some(reason.clone()),
        _ => None,
    }
}

fn certificate_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "its certificate is signed by nobody who is trusted here".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is made for another name".to_owned()
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// What to do about a certificate that is not trusted.
pub(super) const UNTRUSTED: &str = "where a company's proxy reads TLS, name its certificates: \
     AWS_CA_BUNDLE=/path/to/bundle.pem, or `ca_bundle` in the profile; else look at this machine's clock and the address";

/// Scheme, host and port of an address.
pub(super) fn origin(uri: &str) -> String {
    let host = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[host..].find(['/', '?']).map_or(uri.len(), |at| host + at);
    // What stands before `@` is a user's name and password.
    let own = uri[host..end].rfind('@').map_or(host, |at| host + at + 1);
    format!("{}{}", &uri[..host], &uri[own..end])
}

#[cfg(test)]
mod tests {
    use super::{is_at_hand, origin};

    #[test]
    fn no_proxy_stands_before_what_is_at_hand() {
        for uri in [
            "http://127.0.0.1:4566/x",
            "http://127.8.9.1/",
            "https://localhost:1/",
            "http://LOCALHOST/",
            "http://bucket.localhost:4566",
            "http://[::1]:4566/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.170.2/v2/credentials",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_at_hand(uri), "{uri}");
        }
        for uri in [
            "https://sts.amazonaws.com/",
            "http://127.example.com/",
            "http://localhost.example.com",
            "http://10.0.0.1/",
        ] {
            assert!(!is_at_hand(uri), "{uri}");
        }
    }

    #[test]
    fn origins() {
        assert_eq!(origin("http://127.0.0.1:4566/bucket/key?x=/y"), "http://127.0.0.1:4566");
        assert_eq!(origin("https://sts.us-east-1.amazonaws.com"), "https://sts.us-east-1.amazonaws.com");
        assert_eq!(origin("https://user:p@ss@proxy.test:8080/x"), "https://proxy.test:8080");
        assert_eq!(origin("https://s3.amazonaws.com?list"), "https://s3.amazonaws.com");
    }
}

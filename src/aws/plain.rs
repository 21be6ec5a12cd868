//! Plain HTTP through the same seam as AWS's own calls: for what speaks no protocol of the SDK (container registries,
//! CloudFront's invalidations). Bodies stream both ways, so memory does not grow with what is moved.
//!
//! One request, one attempt: retries and credentials are the caller's. What always holds: a connection on which nothing
//! moves any more is given up.

use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::auth::no_auth::{NO_AUTH_SCHEME_ID, NoAuthScheme};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::identity::no_auth::NoAuthIdentityResolver;
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime::client::retries::strategy::NeverRetryStrategy;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use http_body::{Frame, SizeHint};
use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing moved for so long, in either direction, is given up.
pub const STANDSTILL: Duration = Duration::from_secs(30);

/// Pieces of a body, in order. Whoever reads them holds one piece at a time.
pub type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// What a request carries.
pub enum Body {
    Empty,
    Bytes(Bytes),
    /// Exactly `length_bytes` in pieces.
    Stream {
        length_bytes: u64,
        chunks: Chunks,
    },
}

/// A request as it goes out. Host and content length are added.
pub struct Request {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
    /// How long nothing may move before the attempt is given up.
    pub patience: Duration,
}

/// An answer whose body has yet to be read.
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: ByteStream,
}

/// No answer, or none to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Scheme, host and port.
    pub endpoint: String,
    pub reason: String,
    /// The server was there, and showed a certificate that is not trusted.
    pub is_untrusted: bool,
}

impl Broken {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        self.is_untrusted.then_some(super::http::UNTRUSTED)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {}: {}", self.endpoint, self.reason)
    }
}

impl std::error::Error for Broken {}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: SharedHttpClient,
    components: RuntimeComponents,
}

impl Http {
    /// # Panics
    /// Never: all that the components require is given.
    pub fn new(client: SharedHttpClient) -> Http {
        let components = RuntimeComponents::builder("plain HTTP")
            .with_auth_scheme(NoAuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![NO_AUTH_SCHEME_ID])))
            .with_endpoint_resolver(Some(StaticUriEndpointResolver::uri("http://unused.invalid")))
            .with_identity_cache(Some(IdentityCache::no_cache()))
            .with_identity_resolver(NO_AUTH_SCHEME_ID, NoAuthIdentityResolver::new())
            .with_retry_strategy(Some(NeverRetryStrategy::new()))
            .with_sleep_impl(default_async_sleep())
            .with_time_source(Some(SystemTimeSource::new()))
            .build()
            .expect("every component that is required has been given");
        Http { client, components }
    }

    /// One attempt.
    ///
    /// # Errors
    /// [`Broken`] without an answer: the connection failed, or nothing moved for as long as `patience` says.
    pub async fn send(&self, request: Request) -> Result<Answer, Broken> {
        let endpoint = super::http::origin(&request.url);
        let patience = request.patience;
        let sent = Arc::new(AtomicU64::new(0));
        let refused = |reason: String| Broken { endpoint: endpoint.clone(), reason, is_untrusted: false };
        let request = request.into_sdk(&sent).map_err(&refused)?;
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let mut answer = pin!(self.client.http_connector(&settings, &self.components).call(request));
        let mut before = 0;
        loop {
            match timeout(patience, &mut answer).await {
                Ok(Ok(answer)) => return Ok(Answer::from_sdk(answer)),
                Ok(Err(error)) => {
                    let is_untrusted = super::http::refused_certificate(&error).is_some();
                    return Err(Broken { is_untrusted, ..refused(super::http::reason(&error)) });
                }
                Err(_) => {
                    let now = sent.load(Ordering::Relaxed);
                    if now == before {
                        return Err(refused(format!("nothing moved for {} s", patience.as_secs())));
                    }
                    before = now;
                }
            }
        }
    }
}

impl Request {
    pub fn new(method: &'static str, url: impl Into<String>) -> Request {
        Request { method, url: url.into(), headers: Vec::new(), body: Body::Empty, patience: STANDSTILL }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.push((name, value.into()));
        self
    }

    fn into_sdk(self, sent: &Arc<AtomicU64>) -> Result<orchestrator::HttpRequest, String> {
        let has_body = matches!(self.method, "POST" | "PUT" | "PATCH");
        let (body, length) = match self.body {
            Body::Empty => (SdkBody::empty(), 0),
            Body::Bytes(bytes) => (SdkBody::from(bytes.clone()), bytes.len() as u64),
            Body::Stream { length_bytes, chunks } => {
                let body = Streamed { chunks: Mutex::new(chunks), left: length_bytes, sent: sent.clone() };
                (SdkBody::from_body_1_x(body), length_bytes)
            }
        };
        let mut request = orchestrator::HttpRequest::new(body);
        request.set_method(self.method).map_err(|error| error.to_string())?;
        request.set_uri(self.url).map_err(|error| error.to_string())?;
        if has_body {
            request.headers_mut().insert("content-length", length.to_string());
        }
        for (name, value) in self.headers {
            request.headers_mut().try_append(name, value).map_err(|error| error.to_string())?;
        }
        Ok(request)
    }
}

impl Answer {
    fn from_sdk(mut answer: orchestrator::HttpResponse) -> Answer {
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Answer { status, headers, body: ByteStream::new(answer.take_body()) }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body in pieces. A pause of [`STANDSTILL`] ends it with an error.
    pub fn into_chunks(self) -> Chunks {
        futures::stream::unfold(Some(self.body), |body| async move {
            let mut body = body?;
            match timeout(STANDSTILL, body.next()).await {
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
                Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
                Ok(None) => None,
                Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
            }
        })
        .fuse()
        .boxed()
    }

    /// The whole body.
    ///
    /// # Errors
    /// The connection broke, or the body is longer than `limit_bytes`.
    pub async fn into_bytes(self, limit_bytes: usize) -> io::Result<Bytes> {
        let mut chunks = self.into_chunks();
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            if all.len() + chunk.len() > limit_bytes {
                return Err(io::Error::other(format!("the answer is longer than {limit_bytes} bytes")));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }
}

/// A body of known length that counts what the connection has taken.
struct Streamed {
    /// Never contended: a body is read by one reader. The lock makes it `Sync`, which the SDK asks for.
    chunks: Mutex<Chunks>,
    left: u64,
    sent: Arc<AtomicU64>,
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let chunks = this.chunks.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        match chunks.poll_next_unpin(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) if this.left > 0 => {
                let missing = format!("{} bytes are missing at the end of what is sent", this.left);
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, missing))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Some(Ok(bytes))) => {
                let length = bytes.len() as u64;
                if length > this.left {
                    return Poll::Ready(Some(Err(io::Error::other("there is more to send than was said"))));
                }
                this.left -= length;
                this.sent.fetch_add(length, Ordering::Relaxed);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

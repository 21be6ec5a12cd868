//! The seam between `infra` and AWS, watched: every request is recorded, and a rule may break it.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body::Body;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    None,
    /// An answer that AWS never gave: status, body.
    Answer(u16, String),
    /// The connection breaks before the request has any effect.
    Lost,
    /// The request has its effect, then the connection breaks.
    CutAfterEffect,
    /// Nothing comes, for ever.
    Silent,
    Slow(Duration),
}

impl Fault {
    /// In the form that DynamoDB and the other JSON services use.
    pub fn json(status: u16, code: &str) -> Fault {
        Fault::Answer(status, format!(r#"{{"__type":"com.amazonaws#{code}","message":"{code} made up by a test"}}"#))
    }

    /// In the form of CloudFormation and STS.
    pub fn query(status: u16, code: &str, message: &str) -> Fault {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        Fault::Answer(status, format!("<ErrorResponse>{error}<RequestId>made-up</RequestId></ErrorResponse>"))
    }

    /// In the form of S3.
    pub fn s3(status: u16, code: &str) -> Fault {
        let error = format!("<Error><Code>{code}</Code><Message>{code} made up by a test</Message></Error>");
        Fault::Answer(status, format!(r#"<?xml version="1.0" encoding="UTF-8"?>{error}"#))
    }
}

/// One request that went over the wire.
#[derive(Debug, Clone)]
pub struct Sent {
    /// `cloudformation`, `dynamodb`, `s3`, `sts` …
    pub service: String,
    /// `DescribeStacks`, `PutItem`; for S3 method and path.
    pub operation: String,
    pub began: Instant,
    /// None while it is under way, or given up.
    pub ended: Option<Instant>,
}

type Rule = Box<dyn Fn(&Sent, usize) -> Fault + Send + Sync>;

/// A watched connection; clones watch the same.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Inner>,
}

struct Inner {
    behind: SharedHttpClient,
    sent: Mutex<Vec<Sent>>,
    /// How often each operation was sent.
    counts: Mutex<HashMap<String, usize>>,
    rule: Mutex<Rule>,
    /// The operation whose answers are kept, and the answers.
    tap: Mutex<(Option<String>, Vec<String>)>,
}

impl Wire {
    pub fn new(behind: SharedHttpClient) -> Wire {
        let rule: Rule = Box::new(|_, _| Fault::None);
        Wire {
            inner: Arc::new(Inner {
                behind,
                sent: Mutex::default(),
                counts: Mutex::default(),
                rule: Mutex::new(rule),
                tap: Mutex::default(),
            }),
        }
    }

    pub fn to_network() -> Wire {
        Wire::new(infra::aws::network())
    }

    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// From now on `rule` decides; it gets each request and how many of its operation there were before, plus one.
    pub fn on(&self, rule: impl Fn(&Sent, usize) -> Fault + Send + Sync + 'static) {
        *self.inner.rule.lock().expect("no test panics while it holds this") = Box::new(rule);
    }

    pub fn calls(&self) -> Vec<Sent> {
        self.inner.sent.lock().expect("no test panics while it holds this").clone()
    }

    pub fn count(&self, operation: &str) -> usize {
        self.calls().iter().filter(|sent| sent.operation == operation).count()
    }

    pub fn forget(&self) {
        self.inner.sent.lock().expect("no test panics while it holds this").clear();
        self.inner.counts.lock().expect("no test panics while it holds this").clear();
    }

    /// Keeps the answers to this operation from now on.
    pub fn tap(&self, operation: &str) {
        *self.inner.tap.lock().expect("no test panics while it holds this") = (Some(operation.to_owned()), Vec::new());
    }

    /// The answers that were kept, in their order.
    pub fn tapped(&self) -> Vec<String> {
        self.inner.tap.lock().expect("no test panics while it holds this").1.clone()
    }

    fn keep_answer(&self, operation: &str, answer: &HttpResponse) {
        let mut tap = self.inner.tap.lock().expect("no test panics while it holds this");
        if tap.0.as_deref() == Some(operation) {
            let body = answer.body().bytes().unwrap_or_default();
            tap.1.push(String::from_utf8_lossy(body).into_owned());
        }
    }

    /// The length of the longest chain of calls of which each began after the one before had ended.
    pub fn longest_sequence(&self) -> usize {
        let mut calls = self.calls();
        calls.sort_by_key(|call| call.ended);
        let (mut length, mut end) = (0, None);
        for call in calls {
            if end.is_none_or(|end| call.began >= end) {
                length += 1;
                end = call.ended;
            }
        }
        length
    }

    fn note(&self, request: &HttpRequest) -> (usize, Fault) {
        let (service, operation) = name(request);
        let mut sent = self.inner.sent.lock().expect("no test panics while it holds this");
        let mut counts = self.inner.counts.lock().expect("no test panics while it holds this");
        let nth = counts.entry(operation.clone()).and_modify(|count| *count += 1).or_insert(1);
        let call = Sent { service, operation, began: Instant::now(), ended: None };
        let fault = (self.inner.rule.lock().expect("no test panics while it holds this"))(&call, *nth);
        sent.push(call);
        (sent.len() - 1, fault)
    }
}

/// Reads a request to its end, as a server does that then says nothing: what is not read is an upload that stalls.
async fn take(request: HttpRequest) {
    let mut body = request.into_body();
    while let Some(Ok(_)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {}
}

/// Service (from the signature's scope) and operation (from where the protocol puts it).
fn name(request: &HttpRequest) -> (String, String) {
    let scope = request.headers().get("authorization").and_then(|text| text.split('/').nth(3)).unwrap_or("unsigned");
    let body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let operation = if let Some(target) = request.headers().get("x-amz-target") {
        target.rsplit('.').next().unwrap_or(target).to_owned()
    } else if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        action.to_owned()
    } else {
        let path = request.uri().split('?').next().unwrap_or_default();
        format!("{} /{}", request.method(), path.splitn(4, '/').nth(3).unwrap_or_default())
    };
    (scope.to_owned(), operation)
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let behind = self.inner.behind.http_connector(settings, components);
        SharedHttpConnector::new(WireConnector { wire: self.clone(), behind })
    }
}

#[derive(Debug)]
struct WireConnector {
    wire: Wire,
    behind: SharedHttpConnector,
}

impl HttpConnector for WireConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.wire.clone();
        let behind = self.behind.clone();
        let (index, fault) = wire.note(&request);
        HttpConnectorFuture::new(async move {
            let broken = || ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
            let result = match fault {
                Fault::None => behind.call(request).await,
                Fault::Answer(status, body) => {
                    let status = status.try_into().expect("a status code");
                    Ok(HttpResponse::new(status, SdkBody::from(body)))
                }
                Fault::Lost => Err(broken()),
                Fault::CutAfterEffect => behind.call(request).await.and_then(|_| Err(broken())),
                Fault::Silent => {
                    take(request).await;
                    std::future::pending().await
                }
                Fault::Slow(pause) => {
                    tokio::time::sleep(pause).await;
                    behind.call(request).await
                }
            };
            if let Some(sent) = wire.inner.sent.lock().expect("no test panics while it holds this").get_mut(index) {
                sent.ended = Some(Instant::now());
                if let Ok(answer) = &result {
                    wire.keep_answer(&sent.operation, answer);
                }
            }
            result
        })
    }
}

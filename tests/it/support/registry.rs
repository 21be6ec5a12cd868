//! A container registry in this process, behind the HTTP seam, that misbehaves on command. It answers ECR's
//! GetAuthorizationToken too, so that a whole push runs in virtual time.
//!
//! Written from the OCI distribution specification: uploads by PATCH with ranges, mounts, manifests that need their
//! blobs, digests that are checked.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use infra::image::Digest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    None,
    /// Answered without effect: status, error code, extra header.
    Answer(u16, &'static str, Option<(&'static str, String)>),
    /// Takes so many bytes of the body and keeps them, then the connection breaks.
    CutAfter(usize),
    /// The same, and the upload is forgotten.
    CutAndForget(usize),
    /// The request has its effect, the answer never comes.
    AnswerLost,
    /// Success without effect.
    Pretend,
    /// The answer speaks of another digest.
    OtherDigest,
    /// The body of the answer breaks off after so many bytes.
    BodyCutAfter(usize),
    /// One byte of the body (of the request, else of the answer) is another one.
    Garbled,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// `blob`, `upload`, `manifest`, `tags`, `token`.
    pub kind: &'static str,
    pub path: String,
    /// Counts those of the same method and kind, from 1.
    pub nth: usize,
    /// Of the body, as far as it was taken.
    pub bytes: usize,
    pub range: Option<String>,
    pub status: u16,
}

type Rule = dyn Fn(&Seen) -> Fault + Send + Sync;

#[derive(Clone)]
pub struct Registry {
    inner: Arc<Mutex<Inner>>,
    rule: Arc<Mutex<Arc<Rule>>>,
}

#[derive(Default)]
struct Inner {
    repositories: BTreeMap<String, Stored>,
    uploads: BTreeMap<u64, Vec<u8>>,
    seen: Vec<Seen>,
    counter: u64,
    in_flight: usize,
    most_in_flight: usize,
    /// Tokens handed out; only the newest is good. None: nobody is asked who they are.
    tokens: Option<u64>,
    refuses_ranges: bool,
    immutable_tags: bool,
}

#[derive(Default)]
struct Stored {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    tags: BTreeMap<String, String>,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    fn error(status: u16, code: &str) -> Reply {
        let body = json!({"errors": [{"code": code, "message": "made up by a test"}]}).to_string().into_bytes();
        Reply { body, ..Reply::new(status) }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Reply {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl Registry {
    pub fn new() -> Registry {
        let rule: Arc<Rule> = Arc::new(|_: &Seen| Fault::None);
        Registry { inner: Arc::default(), rule: Arc::new(Mutex::new(rule)) }
    }

    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics while it holds this")
    }

    pub fn on(&self, rule: impl Fn(&Seen) -> Fault + Send + Sync + 'static) {
        *self.rule.lock().expect("no test panics while it holds this") = Arc::new(rule);
    }

    /// From now on only the newest token is good.
    pub fn demand_tokens(&self) {
        self.lock().tokens.get_or_insert(0);
    }

    /// The tokens that were handed out are good no more.
    pub fn expire_tokens(&self) {
        let mut inner = self.lock();
        inner.tokens = inner.tokens.map(|count| count + 1);
    }

    pub fn refuse_ranges(&self) {
        self.lock().refuses_ranges = true;
    }

    pub fn make_tags_immutable(&self) {
        self.lock().immutable_tags = true;
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    pub fn forget_seen(&self) {
        self.lock().seen.clear();
    }

    pub fn count(&self, method: &str, kind: &str) -> usize {
        self.lock().seen.iter().filter(|seen| seen.method == method && seen.kind == kind).count()
    }

    /// Bytes that came in uploads, those of broken ones too.
    pub fn uploaded_bytes(&self) -> usize {
        self.lock().seen.iter().filter(|seen| seen.kind == "upload").map(|seen| seen.bytes).sum()
    }

    pub fn most_in_flight(&self) -> usize {
        self.lock().most_in_flight
    }

    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Vec<u8>> {
        self.lock().repositories.get(repository)?.blobs.get(&digest.to_string()).cloned()
    }

    pub fn manifest(&self, repository: &str, digest: &Digest) -> Option<Vec<u8>> {
        Some(self.lock().repositories.get(repository)?.manifests.get(&digest.to_string())?.1.clone())
    }

    pub fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        self.lock().repositories.get(repository)?.tags.get(tag).cloned()
    }

    /// Digests of a repository's manifests.
    pub fn manifests(&self, repository: &str) -> Vec<String> {
        self.lock()
            .repositories
            .get(repository)
            .map(|found| found.manifests.keys().cloned().collect())
            .unwrap_or_default()
    }

    async fn serve(self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let broken = || ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        let mut seen = self.note(&request);
        let rule = self.rule.lock().expect("no test panics while it holds this").clone();
        let fault = rule(&seen);
        let allowed = self.allowed(&request);
        let mut body = ByteStream::new(request.take_body());
        let mut taken = Vec::new();
        let limit = match &fault {
            Fault::CutAfter(bytes) | Fault::CutAndForget(bytes) => Some(*bytes),
            Fault::Answer(..) => Some(0),
            _ if !allowed => Some(0),
            _ => None,
        };
        while limit.is_none_or(|limit| taken.len() < limit) {
            let Some(piece) = body.next().await else { break };
            taken.extend_from_slice(&piece.map_err(|error| ConnectorError::io(error.into()))?);
            tokio::task::yield_now().await;
        }
        taken.truncate(limit.unwrap_or(usize::MAX));
        seen.bytes = taken.len();
        if let (Fault::Garbled, Some(first)) = (&fault, taken.first_mut()) {
            *first ^= 1;
        }
        let mut reply = match &fault {
            _ if !allowed => {
                Reply::error(401, "UNAUTHORIZED").with("www-authenticate", "Basic realm=\"test\",service=\"ecr\"")
            }
            Fault::Answer(status, code, header) => {
                let reply = Reply::error(*status, code);
                header.clone().into_iter().fold(reply, |reply, (name, value)| reply.with(name, value))
            }
            Fault::Pretend => Reply::new(201),
            _ => self.lock().answer(&request, &seen, taken),
        };
        if let Fault::OtherDigest = fault {
            reply.headers.retain(|(name, _)| *name != "docker-content-digest");
            reply = reply.with("docker-content-digest", Digest::of("something else"));
        }
        let carried_none = seen.bytes == 0;
        if let (Fault::Garbled, true, Some(first)) = (&fault, carried_none, reply.body.first_mut()) {
            *first ^= 1;
        }
        seen.status = reply.status;
        {
            let mut inner = self.lock();
            if let Fault::CutAndForget(_) = fault {
                inner.uploads.clear();
            }
            inner.in_flight -= 1;
            inner.seen.push(seen);
        }
        if matches!(fault, Fault::CutAfter(_) | Fault::CutAndForget(_) | Fault::AnswerLost) {
            return Err(broken());
        }
        let cut = if let Fault::BodyCutAfter(bytes) = fault { Some(bytes) } else { None };
        let mut response = HttpResponse::new(
            reply.status.try_into().expect("a status"),
            SdkBody::from_body_1_x(Pieces::new(&reply.body, cut)),
        );
        for (name, value) in reply.headers {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }

    fn note(&self, request: &HttpRequest) -> Seen {
        let uri = request.uri();
        let path = uri.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        let kind = if request.headers().get("x-amz-target").is_some() {
            "token"
        } else if path.contains("/blobs/uploads/") {
            "upload"
        } else if path.contains("/blobs/") {
            "blob"
        } else if path.contains("/manifests/") {
            "manifest"
        } else {
            "tags"
        };
        let method = request.method().to_owned();
        let range = request.headers().get("content-range").or(request.headers().get("range")).map(str::to_owned);
        let mut inner = self.lock();
        inner.in_flight += 1;
        inner.most_in_flight = inner.most_in_flight.max(inner.in_flight);
        let nth = inner.seen.iter().filter(|seen| seen.method == method && seen.kind == kind).count() + 1;
        Seen { method, kind, path, nth, bytes: 0, range, status: 0 }
    }

    fn allowed(&self, request: &HttpRequest) -> bool {
        let Some(newest) = self.lock().tokens else { return true };
        request.headers().get("x-amz-target").is_some()
            || request.headers().get("authorization") == Some(&format!("Basic token-{newest}"))
    }
}

impl Inner {
    fn answer(&mut self, request: &HttpRequest, seen: &Seen, body: Vec<u8>) -> Reply {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let query: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, value.replace("%2F", "/").replace("%3A", ":")))
            .collect();
        if seen.kind == "token" {
            let count = self.tokens.get_or_insert(0);
            *count += 1;
            let answer = json!({"authorizationData": [{"authorizationToken": format!("token-{count}")}]});
            return Reply { body: answer.to_string().into_bytes(), ..Reply::new(200) };
        }
        let path = path.strip_prefix("v2/").unwrap_or(path);
        match (seen.method.as_str(), seen.kind) {
            (_, "upload") => {
                let (name, id) = path.split_once("/blobs/uploads/").expect("a path of uploads");
                self.upload(name.to_owned(), id, seen, &query, body)
            }
            (method, "blob") => {
                let (name, digest) = path.split_once("/blobs/").expect("a path of blobs");
                let found = self.repositories.get(name).and_then(|found| found.blobs.get(digest)).cloned();
                let Some(bytes) = found else { return Reply::error(404, "BLOB_UNKNOWN") };
                let from = seen.range.as_deref().filter(|_| !self.refuses_ranges);
                let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
                let reply = Reply::new(if from.is_some() { 206 } else { 200 }).with("docker-content-digest", digest);
                match method {
                    "HEAD" => reply.with("content-length", bytes.len()),
                    _ => Reply { body: bytes[from.unwrap_or(0)..].to_vec(), ..reply },
                }
            }
            (method, "manifest") => {
                let (name, reference) = path.split_once("/manifests/").expect("a path of manifests");
                let (name, reference) = (name.to_owned(), reference.to_owned());
                match method {
                    "PUT" => {
                        let media_type = request.headers().get("content-type").unwrap_or_default().to_owned();
                        self.put_manifest(name, &reference, media_type, body)
                    }
                    "DELETE" => {
                        let repository = self.repositories.entry(name).or_default();
                        repository.tags.retain(|_, digest| *digest != reference);
                        Reply::new(if repository.manifests.remove(&reference).is_some() { 202 } else { 404 })
                    }
                    method => self.manifest(&name, &reference, method),
                }
            }
            _ => {
                let name = path.trim_end_matches("/tags/list");
                let tags: Vec<&String> =
                    self.repositories.get(name).map(|r| r.tags.keys().collect()).unwrap_or_default();
                let last = query.get("last").cloned();
                let mut rest = tags.into_iter().filter(|tag| last.as_ref().is_none_or(|last| *tag > last)).peekable();
                let page: Vec<&String> = rest.by_ref().take(2).collect();
                let reply = Reply { body: json!({"name": name, "tags": page}).to_string().into(), ..Reply::new(200) };
                match (rest.peek(), page.last()) {
                    (Some(_), Some(last)) => {
                        reply.with("link", format!("</v2/{name}/tags/list?n=2&last={last}>; rel=\"next\""))
                    }
                    _ => reply,
                }
            }
        }
    }

    fn upload(&mut self, name: String, id: &str, seen: &Seen, query: &BTreeMap<&str, String>, body: Vec<u8>) -> Reply {
        let location = |id| format!("/v2/{name}/blobs/uploads/{id}?state=x");
        if seen.method == "POST" {
            if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from")) {
                let found = self.repositories.get(from).and_then(|from| from.blobs.get(digest)).cloned();
                if let Some(bytes) = found {
                    self.repositories.entry(name).or_default().blobs.insert(digest.clone(), bytes);
                    return Reply::new(201);
                }
            }
            self.counter += 1;
            self.uploads.insert(self.counter, Vec::new());
            return Reply::new(202).with("location", location(self.counter)).with("range", "0-0");
        }
        let id: u64 = id.parse().expect("a number");
        let refuses_ranges = self.refuses_ranges;
        let Some(upload) = self.uploads.get_mut(&id) else { return Reply::error(404, "BLOB_UPLOAD_UNKNOWN") };
        let end = |upload: &Vec<u8>| format!("0-{}", upload.len().saturating_sub(1));
        match seen.method.as_str() {
            "GET" if refuses_ranges => Reply::error(405, "UNSUPPORTED"),
            "GET" => Reply::new(204).with("location", location(id)).with("range", end(upload)),
            "PATCH" => {
                let start: usize = seen.range.as_deref().map_or(0, |range| {
                    range.split('-').next().and_then(|start| start.parse().ok()).expect("a content range")
                });
                if start != upload.len() {
                    return Reply::error(416, "RANGE_INVALID").with("range", end(upload));
                }
                upload.extend_from_slice(&body);
                Reply::new(202).with("location", location(id)).with("range", end(upload))
            }
            "PUT" => {
                let bytes = self.uploads.remove(&id).expect("it was there");
                let digest = Digest::of(&bytes).to_string();
                if query.get("digest") != Some(&digest) {
                    return Reply::error(400, "DIGEST_INVALID");
                }
                self.repositories.entry(name).or_default().blobs.insert(digest.clone(), bytes);
                Reply::new(201).with("docker-content-digest", digest)
            }
            method => panic!("no registry knows {method} of an upload"),
        }
    }

    fn put_manifest(&mut self, name: String, reference: &str, media_type: String, body: Vec<u8>) -> Reply {
        let repository = self.repositories.entry(name).or_default();
        let digest = Digest::of(&body).to_string();
        // Cut or garbled on its way.
        let Ok(read) = serde_json::from_slice::<Value>(&body) else { return Reply::error(400, "MANIFEST_INVALID") };
        let blobs = read["config"]["digest"].as_str().into_iter();
        let blobs = blobs.chain(read["layers"].as_array().into_iter().flatten().filter_map(|l| l["digest"].as_str()));
        if blobs.into_iter().any(|blob| !repository.blobs.contains_key(blob)) {
            return Reply::error(404, "MANIFEST_BLOB_UNKNOWN");
        }
        let mut children = read["manifests"].as_array().into_iter().flatten().filter_map(|m| m["digest"].as_str());
        if children.any(|child| !repository.manifests.contains_key(child)) {
            return Reply::error(404, "MANIFEST_UNKNOWN");
        }
        if reference.starts_with("sha256:") {
            if reference != digest {
                return Reply::error(400, "DIGEST_INVALID");
            }
        } else {
            if self.immutable_tags && repository.tags.get(reference).is_some_and(|known| *known != digest) {
                return Reply::error(400, "TAG_INVALID");
            }
            repository.tags.insert(reference.to_owned(), digest.clone());
        }
        repository.manifests.insert(digest.clone(), (media_type, body));
        Reply::new(201).with("docker-content-digest", digest)
    }

    fn manifest(&self, name: &str, reference: &str, method: &str) -> Reply {
        let Some(repository) = self.repositories.get(name) else { return Reply::error(404, "NAME_UNKNOWN") };
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        let Some((media_type, bytes)) = repository.manifests.get(digest) else {
            return Reply::error(404, "MANIFEST_UNKNOWN");
        };
        let reply = Reply::new(200).with("docker-content-digest", digest).with("content-type", media_type);
        if method == "HEAD" { reply } else { Reply { body: bytes.clone(), ..reply } }
    }
}

/// The body of an answer, in pieces that are smaller than it is.
struct Pieces {
    left: VecDeque<Vec<u8>>,
    cut: bool,
}

impl Pieces {
    fn new(body: &[u8], cut: Option<usize>) -> Pieces {
        let kept = &body[..cut.map_or(body.len(), |cut| cut.min(body.len()))];
        Pieces { left: kept.chunks(10_000).map(<[u8]>::to_vec).collect(), cut: cut.is_some() }
    }
}

impl http_body::Body for Pieces {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        match self.left.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(http_body::Frame::data(piece.into())))),
            None if std::mem::take(&mut self.cut) => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            None => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}

impl HttpClient for Registry {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Registry {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().serve(request))
    }
}

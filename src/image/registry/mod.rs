//! A container registry, spoken to by the OCI distribution API (v1.1) over plain HTTP: manifests, blobs, uploads, tags.
//!
//! What always holds: requests that a registry refuses for now (429, 5xx) or that get no answer are made again after a
//! growing pause, a credential that has ended is fetched anew once, what comes by its digest has that digest, and no
//! blob is ever held in memory.

mod auth;
mod blobs;
pub mod ecr;
mod manifests;
mod reference;
mod refusal;
mod signed_in;
mod upload;

pub use auth::Credentials;
pub(in crate::image) use blobs::Mount;
pub use manifests::{MAX_MANIFEST_BYTES, Stored};
pub use reference::{Reference, is_repository, is_tag};
pub use refusal::{Refusal, refusal};
pub use signed_in::signed_in;
pub use upload::{BlobSource, Sent};

use crate::aws::{Answer, Body, Http, Request, STANDSTILL};
use crate::error::{Error, Kind};
use crate::random;
use auth::Auth;
use refusal::{broken, is_broken};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Longest error that is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Attempts at one request, or at one blob without a byte of progress between them.
const MAX_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(20);
/// Longest chain of redirects (ECR and others keep blobs elsewhere).
const MAX_REDIRECTS: usize = 5;

type Result<T> = std::result::Result<T, Error>;

/// A registry. Cheap to clone; clones share connections and credentials.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    /// Scheme, host and port.
    base: String,
    /// What its images' names begin with; differs from `base` where something stands in for the registry.
    host: String,
    auth: Auth,
}

/// A repository in a registry.
#[derive(Clone)]
pub struct Repository {
    pub registry: Registry,
    pub name: String,
}

impl Registry {
    /// The registry that is called `host`: by HTTPS, but for this machine.
    pub fn new(http: Http, host: &str, credentials: Credentials) -> Registry {
        let scheme = if is_this_machine(host) { "http" } else { "https" };
        Registry::at(http, &format!("{scheme}://{host}"), host, credentials)
    }

    /// The registry that is called `host` and answers at another address.
    pub fn at(http: Http, base: &str, host: &str, credentials: Credentials) -> Registry {
        let base = base.trim_end_matches('/').to_owned();
        Registry { inner: Arc::new(Inner { http, base, host: host.to_owned(), auth: Auth::new(credentials) }) }
    }

    pub fn host(&self) -> &str {
        &self.inner.host
    }

    pub fn repository(&self, name: &str) -> Repository {
        Repository { registry: self.clone(), name: name.to_owned() }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.inner.base).finish()
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({self})")
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry.host(), self.name)
    }
}

/// Docker's rule: this machine's registry is reached without TLS.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == "[::1]" || name.starts_with("127.")
}

/// One thing that is asked, however many requests it takes.
struct Ask<'a> {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    /// Made anew for each attempt.
    body: &'a (dyn Fn() -> Body + Send + Sync),
    patience: Duration,
    /// Attempts where there is no answer or one that may pass; renewing a credential is none.
    attempts: u32,
    /// Completes "could not …".
    what: String,
    /// Another repository that is read from, for a mount.
    also_from: Option<&'a str>,
}

fn no_body() -> Body {
    Body::Empty
}

impl<'a> Ask<'a> {
    fn new(method: &'static str, url: String, what: impl Into<String>) -> Ask<'a> {
        Ask {
            method,
            url,
            headers: Vec::new(),
            body: &no_body,
            patience: STANDSTILL,
            attempts: MAX_ATTEMPTS,
            what: what.into(),
            also_from: None,
        }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask<'a> {
        self.headers.push((name, value.into()));
        self
    }
}

impl Repository {
    /// The address of something below `/v2/<name>/`.
    fn url(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.registry.inner.base, self.name)
    }

    /// An answer to `ask`, whatever its status, once nothing speaks for asking again.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let (error, wait) = match self.attempt(ask).await {
                Ok(answer) if !is_passing(answer.status) || attempt >= ask.attempts => return Ok(answer),
                Ok(answer) => (None, retry_after(&answer)),
                Err(error) if is_broken(&error) => (Some(error), None),
                Err(error) => return Err(error),
            };
            if attempt >= ask.attempts {
                return Err(error.unwrap_or_else(|| Error::new(Kind::Other, format!("could not {}", ask.what))));
            }
            sleep(wait.unwrap_or_else(|| pause(attempt))).await;
            attempt += 1;
        }
    }

    /// As [`Repository::ask`]; an answer that says no becomes an error.
    async fn insist(&self, ask: &Ask<'_>) -> Result<Answer> {
        let answer = self.ask(ask).await?;
        if answer.is_success() { Ok(answer) } else { Err(self.refused(answer, &ask.what).await) }
    }

    async fn refused(&self, answer: Answer, what: &str) -> Error {
        let status = answer.status;
        // An error that cannot be read is still an error.
        let body = answer.into_bytes(MAX_ERROR_BYTES).await.unwrap_or_default();
        Refusal::read(status, &body).explain(what, &self.to_string())
    }

    /// One request, and a second one if its credential had ended.
    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer> {
        let Inner { http, auth, base, .. } = &*self.registry.inner;
        let scope = self.scope(ask.also_from);
        let header = auth.header(&scope).await?;
        let answer = self.send(ask, &header, base).await?;
        let may_have_ended = match answer.status {
            401 => true,
            // ECR says so to a token that has ended.
            403 => header.as_ref().is_some_and(|header| header.starts_with("Basic ")),
            _ => false,
        };
        if !may_have_ended {
            return Ok(answer);
        }
        match auth.renew((http, base), &scope, &header, &answer).await? {
            Some(other) => self.send(ask, &other, base).await,
            None => Ok(answer),
        }
    }

    async fn send(&self, ask: &Ask<'_>, header: &auth::Header, base: &str) -> Result<Answer> {
        let mut url = ask.url.clone();
        for _ in 0..MAX_REDIRECTS {
            // A credential goes to the registry and to nobody that it points to.
            let own = url.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
            let mut headers = ask.headers.clone();
            headers.extend(header.clone().filter(|_| own).map(|header| ("authorization", header)));
            let request =
                Request { method: ask.method, url: url.clone(), headers, body: (ask.body)(), patience: ask.patience };
            let answer = self.registry.inner.http.send(request).await.map_err(|error| broken(error, &ask.what))?;
            let follow = matches!(ask.method, "GET" | "HEAD") && matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            match answer.header("location").filter(|_| follow) {
                Some(location) => url = absolute(&url, location),
                None => return Ok(answer),
            }
        }
        Err(Error::new(Kind::Other, format!("could not {}: {self} redirects in a circle", ask.what)))
    }

    fn scope(&self, also_from: Option<&str>) -> String {
        let from = also_from.map(|from| format!(" repository:{from}:pull"));
        format!("repository:{}:pull,push{}", self.name, from.unwrap_or_default())
    }
}

/// Asking again may help.
fn is_passing(status: u16) -> bool {
    Refusal { status, code: String::new(), message: String::new() }.is_passing()
}

/// How long to wait after so many attempts: half a second, doubled each time, up to a fifth more or less.
fn pause(attempt: u32) -> Duration {
    let doubled = FIRST_PAUSE * 2_u32.pow(attempt.min(10) - 1);
    doubled.min(MAX_PAUSE).mul_f64(0.8 + 0.4 * random::fraction())
}

/// Seconds that the registry asks for, within reason.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_PAUSE))
}

/// A `Location`, which may be relative to the address that answered with it.
fn absolute(url: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let host = url.find("://").map_or(0, |at| at + 3);
    let origin = url[host..].find('/').map_or(url, |at| &url[..host + at]);
    if location.starts_with('/') {
        return format!("{origin}{location}");
    }
    let path = url.split('?').next().unwrap_or(url);
    let folder = path.rfind('/').filter(|at| *at > host).map_or(path, |at| &path[..at]);
    format!("{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        let url = "https://r.test:5000/v2/a/blobs/uploads/?x=/y";
        assert_eq!(absolute(url, "https://other/z"), "https://other/z");
        assert_eq!(absolute(url, "/v2/a/blobs/uploads/1?state=2"), "https://r.test:5000/v2/a/blobs/uploads/1?state=2");
        assert_eq!(absolute(url, "1"), "https://r.test:5000/v2/a/blobs/uploads/1");
    }

    #[test]
    fn this_machine_is_reached_without_tls() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["localhost.example.com", "111122223333.dkr.ecr.us-east-1.amazonaws.com", "10.0.0.1:5000"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        assert!(pause(1) < Duration::from_millis(601));
        assert!(pause(4) > pause(1));
        assert!(pause(60) <= MAX_PAUSE.mul_f64(1.2));
    }
}

//! Who asks: the header that a registry wants to see, fetched when it is first asked for and again when it is refused.
//!
//! Registries answer 401 with a challenge: `Basic` (ECR) takes user and password, `Bearer` (Docker Hub, GHCR and most
//! others) names a place that hands out tokens for a scope. A header that was refused is fetched anew once, by one of the
//! requests that were refused together.

use super::refusal::{Refusal, broken};
use crate::aws::{Answer, Ecr, Http, Request};
use crate::error::{Error, Kind};
use crate::model::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::HashMap;
use tokio::sync::Mutex;

/// Longest answer of a token service.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What a registry is shown.
#[derive(Clone, Default)]
pub enum Credentials {
    #[default]
    Anonymous,
    Basic {
        user: String,
        password: Secret,
    },
    /// ECR's token, which ends after twelve hours and is then fetched anew.
    Ecr(Ecr),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credentials::Anonymous => "Anonymous",
            Credentials::Basic { .. } => "Basic",
            Credentials::Ecr(_) => "Ecr",
        })
    }
}

/// The header for each scope.
pub(super) struct Auth {
    credentials: Credentials,
    known: Mutex<HashMap<String, Header>>,
}

/// An `Authorization` header; none where the registry asks for none.
pub(super) type Header = Option<String>;

/// What a 401 asks for.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Auth {
    pub fn new(credentials: Credentials) -> Auth {
        Auth { credentials, known: Mutex::default() }
    }

    /// What to send with the next request of this scope.
    pub async fn header(&self, scope: &str) -> Result<Header, Error> {
        let mut known = self.known.lock().await;
        if let Some(header) = known.get(scope) {
            return Ok(header.clone());
        }
        // ECR refuses everything without a token: the first request need not find that out.
        let header = match &self.credentials {
            Credentials::Ecr(ecr) => Some(ecr_header(ecr).await?),
            _ => None,
        };
        known.insert(scope.to_owned(), header.clone());
        Ok(header)
    }

    /// Another header after this one was refused; none if there is no other.
    pub async fn renew(
        &self,
        (http, registry): (&Http, &str),
        scope: &str,
        refused: &Header,
        answer: &Answer,
    ) -> Result<Option<Header>, Error> {
        let mut known = self.known.lock().await;
        // Fifty requests that are refused together ask once.
        if let Some(header) = known.get(scope).filter(|header| *header != refused) {
            return Ok(Some(header.clone()));
        }
        let challenge = answer.headers("www-authenticate").find_map(Challenge::parse);
        let header = match (&self.credentials, challenge) {
            (Credentials::Ecr(ecr), _) => Some(ecr_header(ecr).await?),
            (Credentials::Basic { user, password }, Some(Challenge::Basic)) => Some(basic(user, &password.0)),
            (credentials, Some(Challenge::Bearer { realm, service, scope: asked })) => {
                let from_challenge = asked.into_iter().filter(|asked| !scope.split(' ').any(|known| known == asked));
                let scopes = scope.split(' ').map(str::to_owned).chain(from_challenge);
                if let Credentials::Basic { .. } = credentials {
                    may_get_the_password(registry, &realm)?;
                }
                Some(token(http, credentials, &realm, service.as_deref(), scopes).await?)
            }
            (_, Some(Challenge::Basic) | None) => None,
        };
        if header == *refused {
            return Ok(None);
        }
        known.insert(scope.to_owned(), header.clone());
        Ok(header.map(Some))
    }
}

/// Passwords go to the registry's own token service and to nobody else, and never where anybody on the way can read them.
/// `registry`: its address; `realm`: where it says that tokens are handed out.
fn may_get_the_password(registry: &str, realm: &str) -> Result<(), Error> {
    let refused = |why: &str| {
        Error::new(Kind::Credentials, format!("{registry} asks to send its password to {realm}, which {why}"))
            .detail("nothing was sent")
            .hint("ask who runs the registry; a registry that anybody may read is reached without `docker login`")
    };
    let (from, to) = (host(registry), host(realm));
    if !realm.starts_with("https://") && !super::is_this_machine(&to) {
        return Err(refused("is not reached by TLS"));
    }
    let machine = super::is_this_machine(&from) && super::is_this_machine(&to);
    match from == to || machine || own_domain(&from).is_some_and(|domain| own_domain(&to) == Some(domain)) {
        true => Ok(()),
        false => Err(refused("is another domain's")),
    }
}

/// Name and port of an address.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase()
}

/// What one owner has registered: two labels, or three where the last two are both short, as in `example.co.uk`. None for
/// addresses and names of one label.
fn own_domain(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    let labels: Vec<&str> = name.split('.').collect();
    if labels.len() < 2 || name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
        return None;
    }
    let short = |label: &&str| label.len() <= 3;
    let many = if labels.iter().rev().take(2).all(short) { 3 } else { 2 };
    let from = labels.len().checked_sub(many)?;
    let start: usize = labels[..from].iter().map(|label| label.len() + 1).sum();
    name.get(start..)
}

async fn ecr_header(ecr: &Ecr) -> Result<String, Error> {
    let token = ecr.token().await?;
    Ok(format!("Basic {}", token.0))
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Asks a token service (distribution's "Token authentication specification").
async fn token(
    http: &Http,
    credentials: &Credentials,
    realm: &str,
    service: Option<&str>,
    scopes: impl Iterator<Item = String>,
) -> Result<String, Error> {
    let what = "get a token for the registry";
    let service = service.map(|service| ("service", service.to_owned()));
    let query: Vec<String> = service
        .into_iter()
        .chain(scopes.filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope)))
        .map(|(name, value)| format!("{name}={}", percent_encoding::utf8_percent_encode(&value, ENCODED)))
        .collect();
    let joint = if realm.contains('?') { '&' } else { '?' };
    let mut request = Request::new("GET", format!("{realm}{joint}{}", query.join("&")));
    if let Credentials::Basic { user, password } = credentials {
        request = request.header("authorization", basic(user, &password.0));
    }
    let answer = http.send(request).await.map_err(|error| broken(error, what))?;
    let status = answer.status;
    let body = answer.into_bytes(MAX_TOKEN_BYTES).await.map_err(|error| {
        Error::new(Kind::Unreachable, format!("could not {what}: {realm} did not answer to its end")).caused_by(error)
    })?;
    if !(200..300).contains(&status) {
        return Err(Refusal::read(status, &body).explain(what, realm));
    }
    let token: Token = serde_json::from_slice(&body).map_err(|error| unreadable(realm).caused_by(error))?;
    let token = token.token.or(token.access_token).ok_or_else(|| unreadable(realm))?;
    Ok(format!("Bearer {token}"))
}

fn unreadable(realm: &str) -> Error {
    Error::new(Kind::Other, format!("{realm} answered without a token"))
}

/// All but what RFC 3986 calls unreserved.
const ENCODED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Challenge {
    /// `Bearer realm="https://…",service="…",scope="…"` (RFC 9110, section 11.6.1).
    fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let of = |name: &str| parameters.get(name).cloned();
        Some(Challenge::Bearer { realm: of("realm")?, service: of("service"), scope: of("scope") })
    }
}

/// `a="x, y",b=z` → a: `x, y`, b: `z`.
fn parameters(text: &str) -> HashMap<String, String> {
    let mut parameters = HashMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parameters.insert(name, value.trim().to_owned());
        rest = next;
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_with_their_registry() {
        for (registry, realm) in [
            ("https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("https://ghcr.io", "https://ghcr.io/token"),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("https://registry.example.co.uk:5000", "https://login.example.co.uk/token"),
            ("http://localhost:5000", "http://localhost:5001/token"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/token"),
        ] {
            assert!(may_get_the_password(registry, realm).is_ok(), "{registry} → {realm}");
        }
        for (registry, realm, why) in [
            ("https://registry.example.com", "https://evil.test/token", "is another domain's"),
            ("https://registry.example.com", "http://registry.example.com/token", "is not reached by TLS"),
            ("https://registry.example.com", "https://registry.example.com.evil.test/token", "is another domain's"),
            ("https://registry.example.com", "https://registry.example.com@evil.test/token", "is another domain's"),
            ("https://one.co.uk", "https://two.co.uk/token", "is another domain's"),
            ("https://10.0.0.1", "https://10.0.0.2/token", "is another domain's"),
        ] {
            let refused = may_get_the_password(registry, realm).unwrap_err();
            assert!(refused.message.ends_with(why), "{refused}");
        }
    }

    #[test]
    fn challenges() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        assert_eq!(
            Challenge::parse(hub),
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: Some("registry.docker.io".to_owned()),
                scope: Some("repository:a/b:pull,push".to_owned()),
            })
        );
        let ecr = r#"Basic realm="https://111122223333.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(Challenge::parse(ecr), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }
}

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
        http: &Http,
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

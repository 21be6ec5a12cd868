//! What `GetAuthorizationToken` gives and the registry reads: it says whose registry it opens, and until when.

use crate::place::Place;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// As long as ECR's: twelve hours.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

#[derive(Serialize, Deserialize)]
struct Token {
    place: Place,
    /// Seconds since 1970.
    expiration: i64,
}

/// Why a registry does not open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Missing,
    Invalid,
    Expired,
}

/// What belongs after `Basic ` in an authorization header: `AWS:<password>` in base64.
pub(super) fn issue(place: &Place, expires: Timestamp) -> String {
    let token = Token { place: place.clone(), expiration: expires.as_second() };
    let password = STANDARD.encode(serde_json::to_vec(&token).unwrap_or_default());
    STANDARD.encode(format!("AWS:{password}"))
}

/// Whose registry a header opens.
pub(super) fn read(header: Option<&str>, now: Timestamp) -> Result<Place, Refusal> {
    let header = header.ok_or(Refusal::Missing)?;
    let (scheme, credentials) = header.split_once(' ').ok_or(Refusal::Invalid)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::Invalid);
    }
    let decode = |text: &str| STANDARD.decode(text.trim()).map_err(|_| Refusal::Invalid);
    let credentials = decode(credentials)?;
    let password = credentials.strip_prefix(b"AWS:").ok_or(Refusal::Invalid)?;
    let password = decode(&String::from_utf8_lossy(password))?;
    let token: Token = serde_json::from_slice(&password).map_err(|_| Refusal::Invalid)?;
    if token.expiration <= now.as_second() { Err(Refusal::Expired) } else { Ok(token.place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_open_one_registry_for_a_while() {
        let (place, now) = (Place::new("111122223333", "eu-west-1"), Timestamp::UNIX_EPOCH);
        let header = format!("Basic {}", issue(&place, now + LIFETIME));
        assert_eq!(read(Some(&header), now), Ok(place));
        assert_eq!(read(Some(&header), now + LIFETIME), Err(Refusal::Expired));
        assert_eq!(read(None, now), Err(Refusal::Missing));
        for other in ["Bearer x", "Basic ???", "Basic QVdTOng=", "x"] {
            assert_eq!(read(Some(other), now), Err(Refusal::Invalid), "{other}");
        }
    }
}

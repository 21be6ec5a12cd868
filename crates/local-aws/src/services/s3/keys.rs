//! Keys outside ASCII: winterbaume reads each byte of a URL as a character. The order of keys does not suffer, so they
//! stay like that inside, and are put right where bodies name them.

use super::Call;
use bytes::Bytes;
use http::Method;

/// Whether a call's body or its answer's names keys: lists, deletions of many, uploads in parts.
pub(super) fn are_named(call: &Call) -> bool {
    let names = ["list-type", "versions", "uploads", "prefix", "delimiter", "marker", "max-keys"];
    match call.method {
        Method::GET if call.key.is_empty() => {
            !call.has_subresource() || names.iter().any(|name| call.has_parameter(name))
        }
        Method::GET => call.has_parameter("uploadId"),
        Method::POST => call.has_parameter("delete") || call.has_parameter("uploads") || call.has_parameter("uploadId"),
        _ => false,
    }
}

/// The query without a wish to have keys encoded, which winterbaume does not know to fulfil; clients look at the answer.
pub(super) fn query(query: &str) -> String {
    let kept = query.split('&').filter(|pair| !pair.starts_with("encoding-type="));
    kept.collect::<Vec<_>>().join("&")
}

/// Each byte of a text outside ASCII as a character.
pub(super) fn inward(body: &Bytes) -> Bytes {
    if body.is_ascii() || std::str::from_utf8(body).is_err() {
        return body.clone();
    }
    Bytes::from(body.iter().map(|byte| char::from(*byte)).collect::<String>())
}

/// The text whose bytes the characters are; as it is, if they are none.
pub(super) fn outward(body: &Bytes) -> Bytes {
    let text = match std::str::from_utf8(body) {
        Ok(text) if !text.is_ascii() => text,
        _ => return body.clone(),
    };
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.filter(|bytes| std::str::from_utf8(bytes).is_ok()).map_or_else(|| body.clone(), Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for text in ["", "plain", "ü/日本/🦀"] {
            let body = Bytes::from(text);
            assert_eq!(outward(&inward(&body)), body);
        }
    }
}

//! Pages of lists.

use crate::query::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

/// Items on a page if nothing else is asked for, and at most.
const PAGE: usize = 100;

/// The page that a request asks for, and the token of the next one. A token names the last item that was given, so that
/// what comes and goes meanwhile moves nothing else.
pub(super) fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    input: &Json,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match input["MaxResults"].as_u64() {
        Some(size) if size == 0 || size > PAGE as u64 => {
            let message = format!("MaxResults must be between 1 and {PAGE}");
            return Err(Fault::new("ValidationException", message));
        }
        Some(size) => usize::try_from(size).unwrap_or(PAGE),
        None => PAGE,
    };
    let after = match input["NextToken"].as_str() {
        None => None,
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Some(text.ok_or_else(|| Fault::new("ValidationException", "Invalid NextToken"))?)
        }
    };
    let mut items: Vec<T> =
        items.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after)).collect();
    items.sort_by_key(&key);
    let more = items.len() > size;
    items.truncate(size);
    let token = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Ok((items, token))
}

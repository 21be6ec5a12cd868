//! Between a request and winterbaume: URLs as it reads them, and its one account id for the account that is meant.

use super::account::{Backend, PLACEHOLDER};
use crate::door::{Request, Response};
use crate::place::Place;
use bytes::Bytes;
use http::StatusCode;
use winterbaume_core::{MockRequest, MockResponse};

/// Lets a service that speaks JSON answer.
pub(super) async fn answer(backend: &dyn Backend, place: &Place, service: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = replace(&body, &format!(":{}:", place.account), &format!(":{PLACEHOLDER}:"));
    let body = replace(&body, &format!("\"{}\"", place.account), &format!("\"{PLACEHOLDER}\""));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("https://{service}.{}.amazonaws.com{path}", place.region);
    let request = MockRequest { method: parts.method.to_string(), uri, headers: parts.headers, body };
    let mut response = response(backend.handle(request).await);
    let body = replace(response.body(), PLACEHOLDER, &place.account);
    *response.body_mut() = body;
    response
}

/// winterbaume's answer as ours.
pub(super) fn response(answer: MockResponse) -> Response {
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    // An answer to HEAD tells the length of what it leaves out.
    if !response.body().is_empty() {
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
    }
    response
}

/// Replaces a text in bytes; both are of one length, so that nothing that counts bytes changes.
pub(super) fn replace(body: &Bytes, from: &str, to: &str) -> Bytes {
    debug_assert_eq!(from.len(), to.len());
    let places: Vec<usize> = memchr::memmem::find_iter(body, from).collect();
    if places.is_empty() {
        return body.clone();
    }
    let mut replaced = body.to_vec();
    for at in places {
        replaced[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    Bytes::from(replaced)
}

//! Answers to what is not there, in the form that the caller's client reads.

use super::{Request, Response};
use crate::query::Fault;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// Nobody answers for `service`.
pub(super) fn service(service: &str, request: &Request) -> Response {
    let operation = operation(request).map(|operation| format!(" (operation {operation})")).unwrap_or_default();
    let message = format!("The service `{service}`{operation} is not part of this local AWS.");
    refuse(request, "UnknownService", &message)
}

/// The operation that a request names, if its protocol names it.
pub(crate) fn operation(request: &Request) -> Option<String> {
    if let Some(target) = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()) {
        return target.rsplit('.').next().map(str::to_owned);
    }
    if let Some((_, operation)) = request.uri().path().split_once("/operation/") {
        return Some(operation.to_owned());
    }
    crate::query::read_request(request).ok().map(|(action, _)| action)
}

/// An error in XML for Query clients, else in JSON.
fn refuse(request: &Request, code: &str, message: &str) -> Response {
    let is_form = crate::query::read_request(request).is_ok();
    if is_form && !request.headers().contains_key("x-amz-target") {
        return Fault::new(code, message).with_status(501).answer("");
    }
    let body = json!({ "__type": code, "message": message }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    if let Ok(code) = HeaderValue::from_str(code) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

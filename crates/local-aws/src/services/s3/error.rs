//! Errors of S3, which are XML of its own.

use crate::door::Response;
use crate::query::escape;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

/// An error about `resource`, a path.
pub(crate) fn answer(status: StatusCode, code: &str, message: &str, resource: &str) -> Response {
    xml(
        status,
        format!(
            "<Error><Code>{code}</Code><Message>{}</Message><Resource>{}</Resource></Error>",
            escape(message),
            escape(resource)
        ),
    )
}

/// The same error with one more member.
pub(super) fn with_member(mut response: Response, name: &str, text: &str) -> Response {
    let body = String::from_utf8_lossy(response.body());
    let body = body.replace("</Error>", &format!("<{name}>{}</{name}></Error>", escape(text)));
    *response.body_mut() = Bytes::from(body);
    response
}

/// An answer in XML; without a body if `body` is empty.
pub(super) fn xml(status: StatusCode, body: String) -> Response {
    let body = if body.is_empty() { body } else { format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}") };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// Says in which region the bucket is.
pub(super) fn region_header(response: &mut Response, region: &str) {
    if let Ok(region) = HeaderValue::from_str(region) {
        response.headers_mut().insert("x-amz-bucket-region", region);
    }
}

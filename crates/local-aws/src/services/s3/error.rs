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

/// What is said of a bucket or of a configuration that a bucket does not have names the bucket.
pub(super) fn name_bucket(response: Response, bucket: &str) -> Response {
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let body = String::from_utf8_lossy(response.body());
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let is_about_bucket = code.is_some_and(|code| {
        (code.starts_with("NoSuch") && !matches!(code, "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload"))
            || code.ends_with("NotFoundError")
    });
    if !is_about_bucket || body.contains("<BucketName>") {
        return response;
    }
    // S3 ends this sentence without a full stop.
    let body = body.replace("The bucket policy does not exist.", "The bucket policy does not exist");
    let mut named = response.map(|_| Bytes::from(body));
    named.headers_mut().remove(http::header::CONTENT_LENGTH);
    with_member(named, "BucketName", bucket)
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

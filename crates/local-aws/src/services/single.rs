//! Services of which one operation is here: its input and output are JSON, and everything else is refused.

use crate::door::{Request, Response};
use crate::query::Fault;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

/// Answers a request for `operation` with what `work` makes of its input.
pub(super) fn answer<I: DeserializeOwned>(
    request: &Request,
    operation: &str,
    work: impl FnOnce(I) -> Result<Json, Fault>,
) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let asked = target.rsplit('.').next().unwrap_or_default();
    let answered = if asked == operation {
        serde_json::from_slice(request.body())
            .map_err(|error| Fault::new("SerializationException", error.to_string()))
            .and_then(work)
    } else {
        Err(Fault::new("UnknownOperationException", format!("{asked} is not part of this local AWS.")))
    };
    let (status, body) = match answered {
        Ok(output) => (StatusCode::OK, output),
        Err(fault) => (StatusCode::BAD_REQUEST, json!({ "__type": fault.code, "Message": fault.message })),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

//! Errors that the door answers in a service's place, each in the form that the service's clients read.

use super::{Request, Response};
use crate::query::Fault;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

/// Nobody answers for `service`.
pub(super) fn unknown_service(service: &str, operation: &str, request: &Request) -> Response {
    let message = format!("The service `{service}` (operation `{operation}`) is not part of this local AWS.");
    refuse(service, request, StatusCode::NOT_IMPLEMENTED, "UnknownService", &message)
}

/// The service has had too many requests.
pub(super) fn throttled(service: &str, operation: &str, request: &Request) -> Response {
    let (status, code, message) = match service {
        "s3" => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate."),
        "registry" => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "Rate exceeded"),
        "cloudformation" | "sts" => (StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded"),
        "dynamodb" if operation.ends_with("Item") || matches!(operation, "Query" | "Scan") => (
            StatusCode::BAD_REQUEST,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
             provisioning level with the UpdateTable API.",
        ),
        _ => (StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded"),
    };
    refuse(service, request, status, code, message)
}

/// The service has failed.
pub(super) fn failed(service: &str, status: u16, request: &Request) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match (service, status) {
        (_, StatusCode::SERVICE_UNAVAILABLE) => "ServiceUnavailable",
        ("s3", _) => "InternalError",
        ("dynamodb", _) => "InternalServerError",
        _ => "InternalFailure",
    };
    refuse(service, request, status, code, "An internal error occurred. Please try again.")
}

fn refuse(service: &str, request: &Request, status: StatusCode, code: &str, message: &str) -> Response {
    if service == "s3" {
        let mut response = crate::services::s3::error(status, code, message, request.uri().path());
        if request.method() == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        return response;
    }
    let is_form = !request.headers().contains_key("x-amz-target") && crate::query::read_request(request).is_ok();
    if is_form {
        return Fault::new(code, message).with_status(status.as_u16()).answer("");
    }
    let body = match service {
        "registry" => json!({ "errors": [{ "code": code, "message": message }] }),
        _ => json!({ "__type": code, "message": message }),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    if let Ok(code) = HeaderValue::from_str(code) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

//! What is answered in place of a result, and the id that every answer bears.

use crate::door::Response;
use bytes::Bytes;
use http::StatusCode;
use std::future::Future;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Lets `answering` use `id` in all answers that it makes, success or not.
pub async fn with_request_id<T>(id: String, answering: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id, answering).await
}

/// The id of the request that is being answered; zeros where nobody gave one.
pub(crate) fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_else(|_| "00000000-0000-0000-0000-000000000000".to_owned())
}

/// An error of a service, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// What clients match, such as `ValidationError`.
    pub code: String,
    pub message: String,
    /// Whether the request is to blame rather than the service.
    pub sender: bool,
}

impl Fault {
    /// An error of the sender: status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Fault { status: 400, code: code.to_owned(), message: message.into(), sender: true }
    }

    /// `ValidationError`: what CloudFormation answers to nearly everything.
    pub fn validation(message: impl Into<String>) -> Self {
        Fault::new("ValidationError", message)
    }

    /// The same error with another HTTP status.
    pub fn with_status(self, status: u16) -> Self {
        Fault { status, sender: status < 500, ..self }
    }

    /// The answer in XML.
    pub fn answer(&self, namespace: &str) -> Response {
        let mut body = super::write::Xml::new();
        body.open_root("ErrorResponse", namespace);
        body.open("Error");
        body.leaf("Type", if self.sender { "Sender" } else { "Receiver" });
        body.leaf("Code", &self.code);
        body.leaf("Message", &self.message);
        body.close("Error");
        body.leaf("RequestId", &request_id());
        body.close("ErrorResponse");
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        respond(status, body.finish())
    }
}

/// An answer in XML with the request's id in its header.
pub(super) fn respond(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
    if let Ok(id) = http::HeaderValue::from_str(&request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

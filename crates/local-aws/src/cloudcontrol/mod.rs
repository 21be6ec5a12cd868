//! Cloud Control API over the resources of this world: what `aws cloudcontrol` reads and changes is what stacks made.
//!
//! A change has its effect when it is asked for; when AWS would report it done is told by the clock at the moment that
//! somebody asks. So a request needs no task of its own, and is not lost with the process.

mod operations;
mod page;
mod patch;
mod requests;
#[cfg(test)]
mod tests;

pub(crate) use requests::Request as ResourceRequest;

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::Fault;
use crate::resources::Failure;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Lets Cloud Control answer: `awsJson1_0`, the operation in `x-amz-target`.
pub(crate) async fn answer(world: &Arc<World>, place: &Place, request: &Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let input = match request.body().is_empty() {
        true => Ok(json!({})),
        false => serde_json::from_slice::<Json>(request.body()),
    };
    let answer = match input {
        Ok(input) => operate(world, place, operation, &input).await,
        Err(error) => Err(Fault::new("SerializationException", error.to_string())),
    };
    match answer {
        Ok(output) => respond(StatusCode::OK, &output, None),
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = json!({
                "__type": format!("com.amazonaws.cloudapiservice#{}", fault.code),
                "Message": fault.message,
            });
            respond(status, &body, Some(&fault.code))
        }
    }
}

async fn operate(world: &Arc<World>, place: &Place, operation: &str, input: &Json) -> Result<Json, Fault> {
    match operation {
        "GetResource" => operations::get(world, place, input).await,
        "ListResources" => operations::list(world, place, input).await,
        "CreateResource" => operations::create(world, place, input).await,
        "UpdateResource" => operations::update(world, place, input).await,
        "DeleteResource" => operations::delete(world, place, input).await,
        "GetResourceRequestStatus" => requests::status(world, place, input),
        "ListResourceRequests" => requests::list(world, place, input),
        "CancelResourceRequest" => requests::cancel(world, place, input),
        _ => Err(Fault::new("UnknownOperationException", format!("Cloud Control has no operation {operation}"))),
    }
}

fn respond(status: StatusCode, body: &Json, error: Option<&str>) -> Response {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Some(code) = error.and_then(|code| HeaderValue::from_str(code).ok()) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

/// What a handler's error code is called where the request itself is refused.
fn refusal(failure: Failure) -> Fault {
    let code = match failure.code.as_str() {
        "TypeNotFound" => "TypeNotFoundException",
        "NotFound" => "ResourceNotFoundException",
        "AlreadyExists" => "AlreadyExistsException",
        "InvalidRequest" => "ValidationException",
        _ => "GeneralServiceException",
    };
    Fault::new(code, failure.reason)
}

/// A member of a request that must be there.
fn required<'i>(input: &'i Json, name: &str) -> Result<&'i str, Fault> {
    input[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
        let member = name[..1].to_lowercase() + &name[1..];
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        Fault::new("ValidationException", message)
    })
}

//! The ways in: an SDK HTTP connector in process, and a port. Both lead to [`exchange`].

mod blobs;
mod chunked;
mod connector;
mod operation;
mod refusal;
mod route;
mod server;

use crate::faults::RequestFaultKind;
use crate::query;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use connector::Connector;
pub(crate) use operation::{operation, writes};
pub(crate) use route::{Route, host};
pub(crate) use server::serve;

/// A request as it came through a door: the body is whole.
pub type Request = http::Request<Bytes>;
/// What AWS would answer.
pub type Response = http::Response<Bytes>;

/// A fault ended the connection: there is no answer, and nobody can say whether the request was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was reset")
    }
}

impl std::error::Error for Reset {}

/// Lets the service that a request is for answer it, or lets go wrong what the fault plan says.
///
/// # Errors
/// The plan ends the connection.
pub(crate) async fn exchange(world: &Arc<World>, request: Request) -> Result<Response, Reset> {
    let request = match chunked::decode(request) {
        Ok(request) => request,
        Err(problem) => return Ok(plain(StatusCode::BAD_REQUEST, problem)),
    };
    let route = route::find(world, &request);
    let operation = operation(&route.service, &request);
    let id = world.request_ids.uuid();
    let mut response = query::with_request_id(id.clone(), with_faults(world, &route, &operation, request)).await?;
    if let Ok(id) = HeaderValue::from_str(&id) {
        let header = if route.service == "s3" { "x-amz-request-id" } else { "x-amzn-requestid" };
        response.headers_mut().insert(header, id);
    }
    Ok(response)
}

async fn with_faults(world: &Arc<World>, route: &Route, operation: &str, request: Request) -> Result<Response, Reset> {
    let service = route.service.as_str();
    let fault = world.faults.before(service, operation);
    let mut resets_after = false;
    match fault {
        Some(RequestFaultKind::Throttled) => return Ok(refusal::throttled(service, operation, &request)),
        Some(RequestFaultKind::Failed { status }) => return Ok(refusal::failed(service, status, &request)),
        Some(RequestFaultKind::ResetBefore) => return Err(Reset),
        Some(RequestFaultKind::ResetAfter) => resets_after = true,
        Some(RequestFaultKind::Slow { milliseconds }) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Some(RequestFaultKind::Stale { milliseconds }) if !writes(service, operation, &request) => {
            if let Some(response) = world.faults.past(&fingerprint(route, &request), milliseconds) {
                return Ok(response);
            }
        }
        Some(RequestFaultKind::Stale { .. }) | None => {}
    }
    let remembered =
        (world.faults.looks_back() && !writes(service, operation, &request)).then(|| fingerprint(route, &request));
    let keeps = matches!(service, "cloudformation" | "cloudcontrolapi" | "sns") && writes(service, operation, &request);
    let called = (writes(service, operation, &request) && service != "sts").then(|| request.clone());
    let mut response = dispatch(world, route, operation, request).await;
    if let Some(request) = called.filter(|_| response.status().is_success())
        && let Err(error) = crate::services::cloudtrail::note(world, route, operation, &request)
    {
        response = crate::services::unkept(&error);
    }
    if keeps && let Err(error) = world.store.flush(world) {
        response = crate::services::unkept(&error);
    }
    if let Some(fingerprint) = remembered {
        world.faults.remember(&fingerprint, &response);
    }
    if resets_after { Err(Reset) } else { Ok(response) }
}

/// What is large is boxed: every request moves a future with room for the largest of them.
async fn dispatch(world: &Arc<World>, route: &Route, operation: &str, request: Request) -> Response {
    match route.service.as_str() {
        "cloudformation" => crate::cloudformation::api::answer(world, &route.place, &request).await,
        "cloudcontrolapi" => Box::pin(crate::cloudcontrol::answer(world, &route.place, &request)).await,
        "cloudfront" => crate::services::cloudfront::answer(world, &route.place, &request),
        "ec2" => crate::services::ec2::answer(world, &route.place, &request),
        "elasticloadbalancing" if operation != "DescribeTargetHealth" => {
            crate::services::lookups::balancers(world, &route.place, &request)
        }
        "kms" => crate::services::lookups::keys(world, &route.place, &request),
        "route53" if request.uri().path().ends_with("/rrset") => {
            crate::services::route53::answer(world, &route.place, &request)
        }
        "route53" => crate::services::lookups::zones(world, &route.place, &request),
        "sns" => Box::pin(crate::services::sns::answer(world, &route.place, &request)).await,
        "sts" => crate::services::sts::answer(world, route, &request),
        "tagging" => crate::services::tagging::answer(world, &route.place, &request),
        "cloudtrail" => crate::services::cloudtrail::answer(world, &route.place, &request),
        "monitoring" => crate::services::cloudwatch::answer(world, &route.place, operation, &request),
        service => match Box::pin(world.services.call(&route.place, service, request.clone())).await {
            Some(response) => {
                crate::services::views::complete(world, &route.place, service, operation, request.body(), response)
            }
            None => refusal::unknown_service(service, operation, &request),
        },
    }
}

/// What makes two reads the same.
fn fingerprint(route: &Route, request: &Request) -> String {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body = String::from_utf8_lossy(request.body());
    format!("{} {} {} {} {target} {body}", route.service, route.place, request.method(), request.uri())
}

/// An answer in text, for what is no AWS request at all.
fn plain(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Bytes::copy_from_slice(message.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

//! The ways in: an SDK HTTP connector in process, and a port. Both lead to [`exchange`].

mod chunked;
mod connector;
mod route;
mod unknown;

use crate::query;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

pub(crate) use connector::Connector;
pub(crate) use route::{Route, host};
pub(crate) use unknown::operation;

/// A request as it came through a door: the body is whole.
pub type Request = http::Request<Bytes>;
/// What AWS would answer.
pub type Response = http::Response<Bytes>;

/// Finds the service that a request is for and lets it answer.
pub(crate) async fn answer(world: &Arc<World>, request: Request) -> Response {
    let request = match chunked::decode(request) {
        Ok(request) => request,
        Err(problem) => return plain(StatusCode::BAD_REQUEST, problem),
    };
    let route = route::find(world, &request);
    let id = world.request_ids.uuid();
    let mut response = query::with_request_id(id.clone(), dispatch(world, &route, request)).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        let header = if route.service == "s3" { "x-amz-request-id" } else { "x-amzn-requestid" };
        response.headers_mut().entry(header).or_insert(id);
    }
    response
}

async fn dispatch(world: &Arc<World>, route: &Route, request: Request) -> Response {
    match route.service.as_str() {
        "cloudformation" => crate::cloudformation::api::answer(world, &route.place, &request).await,
        "sts" => crate::services::sts::answer(world, route, &request),
        _ => match world.services.call(&route.place, &route.service, request.clone()).await {
            Some(response) => response,
            None => unknown::service(&route.service, &request),
        },
    }
}

/// An answer in text, for what is no AWS request at all.
fn plain(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Bytes::copy_from_slice(message.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

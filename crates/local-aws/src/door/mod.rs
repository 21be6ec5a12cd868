//! The ways in: an SDK HTTP connector in process, and a port. Both lead to [`answer`].

use crate::world::World;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// A request as it came through a door: the body is whole.
pub type Request = http::Request<Bytes>;
/// What AWS would answer.
pub type Response = http::Response<Bytes>;

/// Finds the service that a request is for and lets it answer.
pub(crate) async fn answer(_world: &Arc<World>, _request: Request) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    *response.headers_mut() = HeaderMap::new();
    response
}

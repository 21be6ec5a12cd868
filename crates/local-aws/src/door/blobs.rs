//! Layers of images through the port: gigabytes pass in pieces, so that no more than a piece is in memory.
//!
//! A long upload is carried out as several `PATCH`es, a long download as several requests for a range; that is what the
//! registry's protocol has them for.

use super::{Request, Reset, Response};
use crate::world::World;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What is in memory at once, in bytes.
const PIECE: usize = 4 << 20;

/// Whether a request sends a layer, or a part of one.
pub(super) fn is_upload(parts: &Parts) -> bool {
    matches!(parts.method, Method::PATCH | Method::PUT) && parts.uri.path().contains("/blobs/uploads/")
}

/// Whether a request asks for a whole layer.
pub(super) fn is_download(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let is_blob = path.starts_with("/v2/") && path.contains("/blobs/sha256:");
    parts.method == Method::GET && is_blob && !parts.headers.contains_key(RANGE)
}

/// Sends on all of an upload but its last piece, which it gives back as a request with the first one's method. An
/// answer that is no success ends it.
pub(super) async fn upload(
    world: &Arc<World>,
    mut parts: Parts,
    mut body: Incoming,
) -> Result<Result<Request, Response>, Box<dyn Error + Send + Sync>> {
    let mut piece = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        piece.extend_from_slice(&data);
        if piece.len() < PIECE {
            continue;
        }
        let mut request = Request::new(piece.split().freeze());
        *request.method_mut() = Method::PATCH;
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        let response = super::exchange(world, request).await?;
        if !response.status().is_success() {
            return Ok(Err(response));
        }
        // Where it begins is known from the first piece.
        parts.headers.remove(CONTENT_RANGE);
    }
    Ok(Ok(Request::from_parts(parts, piece.freeze())))
}

/// Answers a request for a layer with a body that asks for its pieces one after the other.
pub(super) async fn download(world: &Arc<World>, parts: Parts) -> Result<http::Response<Pieces>, Reset> {
    let first = super::exchange(world, piece_of(&parts, 0)).await?;
    let total = total(&first).filter(|_| first.status() == StatusCode::PARTIAL_CONTENT);
    let (mut head, bytes) = first.into_parts();
    let Some(total) = total else { return Ok(http::Response::from_parts(head, Pieces::whole(bytes))) };
    head.status = StatusCode::OK;
    head.headers.remove(CONTENT_RANGE);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(total));
    let pieces =
        Pieces { next: Some(bytes), asked: None, given: 0, total, source: Some((Arc::clone(world), Box::new(parts))) };
    Ok(http::Response::from_parts(head, pieces))
}

/// `bytes 0-9/100` → 100
fn total(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_RANGE)?.to_str().ok()?.rsplit('/').next()?.parse().ok()
}

fn piece_of(parts: &Parts, start: u64) -> Request {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={start}-{}", start + PIECE as u64 - 1)) {
        request.headers_mut().insert(RANGE, range);
    }
    request
}

type Asked = Pin<Box<dyn Future<Output = Result<Response, Reset>> + Send>>;

/// A body in pieces; others are a body in one.
pub(super) struct Pieces {
    next: Option<Bytes>,
    asked: Option<Asked>,
    given: u64,
    total: u64,
    source: Option<(Arc<World>, Box<Parts>)>,
}

impl Pieces {
    pub fn whole(body: Bytes) -> Self {
        Pieces { total: body.len() as u64, next: Some(body), asked: None, given: 0, source: None }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            if let Some(piece) = self.next.take() {
                self.given += piece.len() as u64;
                return Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))));
            }
            if self.given >= self.total {
                return Poll::Ready(None);
            }
            if let Some(asked) = &mut self.asked {
                let answer = ready!(asked.as_mut().poll(context));
                self.asked = None;
                match answer {
                    Ok(response) if response.status() == StatusCode::PARTIAL_CONTENT => {
                        self.next = Some(response.into_body());
                    }
                    Ok(response) => {
                        return Poll::Ready(Some(Err(format!("a piece is missing: {}", response.status()).into())));
                    }
                    Err(reset) => return Poll::Ready(Some(Err(reset.into()))),
                }
                continue;
            }
            let Some((world, parts)) = &self.source else { return Poll::Ready(None) };
            let (world, request) = (Arc::clone(world), piece_of(parts, self.given));
            self.asked = Some(Box::pin(async move { super::exchange(&world, request).await }));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none() && self.given >= self.total
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.total - self.given)
    }
}

//! The way in by a port: HTTP/1.1 for any AWS client.

use super::blobs::{self, Pieces};
use super::{Request, Response};
use crate::world::World;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a client may take for the head of a request, and requests for their end once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves a world until `shutdown` is done; then finishes what was begun.
///
/// # Errors
/// The listener fails for good.
pub(crate) async fn serve(
    world: Arc<World>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // One client's failure, or too many open files: the next may do better.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
            // Forgets those that are done.
            Some(_) = connections.join_next() => continue,
        };
        // Small answers at once.
        let _ = stream.set_nodelay(true);
        let world = Arc::clone(&world);
        let answer = service_fn(move |request| answer(Arc::clone(&world), request));
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let mut stopping = stopping.clone();
        connections.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // A connection that breaks is its client's matter.
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = stopping.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        });
    }
    drop(listener);
    drop(stop);
    let finished = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, finished).await;
    Ok(())
}

/// An error ends the connection without an answer, which is what a reset is.
async fn answer(
    world: Arc<World>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Pieces>, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let is_head = parts.method == http::Method::HEAD;
    if blobs::is_download(&parts) {
        return Ok(blobs::download(&world, parts).await?);
    }
    let request = if blobs::is_upload(&parts) {
        match blobs::upload(&world, parts, body).await? {
            Ok(last_piece) => last_piece,
            Err(response) => return Ok(finish(response, is_head)),
        }
    } else {
        Request::from_parts(parts, body.collect().await?.to_bytes())
    };
    Ok(finish(super::exchange(&world, request).await?, is_head))
}

/// A response to `HEAD` keeps the length that it tells of; of others hyper counts it.
fn finish(response: Response, is_head: bool) -> http::Response<Pieces> {
    let (mut parts, body) = response.into_parts();
    if !is_head {
        parts.headers.remove(http::header::CONTENT_LENGTH);
    }
    http::Response::from_parts(parts, Pieces::whole(body))
}

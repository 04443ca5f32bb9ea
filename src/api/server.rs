//! The node's end of the socket: HTTP and JSON for one owner, bounded in every direction.
//!
//! The paths are [`super::route`]'s table. A client can be slow, silent, gone or wrong without holding up the node or
//! another client: heads, bodies and writes have time limits, bodies a size limit, connections a cap, and every stream
//! its own bounded queue whose overflow ends that stream with a line that says so.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Backend;
use super::error::{ApiError, ErrorKind};
use super::next::NextStep;
use stall::Stalling;

mod answer;
mod handlers;
mod stall;
mod streams;

/// Most clients at a time; one more is told to come again.
pub const CONNECTIONS_MAX: usize = 64;
/// Largest request body: a bundle of 1 MiB as hexadecimal digits, and room for what is around it.
pub const BODY_BYTES_MAX: usize = (2 << 20) + (64 << 10);
/// Rows a stream's reader may lag behind.
pub const STREAM_ROWS_MAX: usize = 1_024;
/// How long a client may take for the head of its request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// How long one that is not let in may take to begin.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(1);
/// How long a client may take for the body of its request.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a client may leave an answer unread.
const STALL_TIME_MAX: Duration = Duration::from_secs(60);
/// How long requests under way may take when the node stops.
const GRACE: Duration = Duration::from_secs(2);
/// A pause after a failed accept, which mostly means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers until `shutdown`, then lets requests under way finish for a moment.
pub async fn serve(listener: UnixListener, backend: Arc<dyn Backend>, shutdown: impl Future<Output = ()> + Send) {
    let closing = CancellationToken::new();
    let router = handlers::router(handlers::Shared { backend, closing: closing.clone() });
    let [places, doorstep] = [CONNECTIONS_MAX; 2].map(|max| Arc::new(Semaphore::new(max)));
    let mut clients = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Reaps those who left, so that the set does not grow.
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => match admit(&stream, &places) {
                Ok(place) => drop(clients.spawn(converse(stream, place, router.clone(), closing.clone()))),
                Err(refusal) => match Arc::clone(&doorstep).try_acquire_owned() {
                    Ok(place) => drop(clients.spawn(wait_and_turn_away(stream, place, refusal))),
                    // A crowd of those we turn away may hold no more than a crowd of those we let in.
                    Err(_) => turn_away(&stream, refusal),
                },
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a client");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    let _ = tokio::time::timeout(GRACE, async { while clients.join_next().await.is_some() {} }).await;
}

/// Lets in who is this user or root, while there is room.
fn admit(stream: &UnixStream, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
    let uid = stream
        .peer_cred()
        .map(|cred| cred.uid())
        .map_err(|error| ApiError::refused(format!("the system does not say who is asking: {error}")))?;
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        tracing::warn!(uid, "refused a client of another user");
        return Err(ApiError::refused("this node belongs to another user"));
    }
    let full = |_| ApiError::new(ErrorKind::Busy, "the node is busy with too many clients").next(NextStep::TryAgain);
    Arc::clone(places).try_acquire_owned().map_err(full)
}

/// Waits until the client has begun to ask: an answer before the question is none to it.
async fn wait_and_turn_away(stream: UnixStream, _place: OwnedSemaphorePermit, refusal: ApiError) {
    let _ = tokio::time::timeout(REFUSAL_TIME_MAX, stream.readable()).await;
    turn_away(&stream, refusal);
}

/// Says why, as far as the socket takes it at once, and hangs up.
fn turn_away(stream: &UnixStream, refusal: ApiError) {
    // What is left unread when a socket closes would reset it, and the answer would be lost.
    let _ = stream.try_read(&mut [0; 4096]);
    let _ = stream.try_write(&answer::raw(refusal));
}

async fn converse(stream: UnixStream, _place: OwnedSemaphorePermit, router: axum::Router, closing: CancellationToken) {
    let io = TokioIo::new(Stalling::new(stream, STALL_TIME_MAX));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .keep_alive(false)
        .max_headers(64)
        .serve_connection(io, TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a client's connection ended early");
    }
}

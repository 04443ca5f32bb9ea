//! The node's end of the socket, and of a port where the person opened one: HTTP and JSON, bounded in every direction.
//!
//! The paths are [`super::route`]'s table. A client can be slow, silent, gone or wrong without holding up the node or
//! another client: heads, bodies and writes have time limits, bodies a size limit, connections a cap, and every stream
//! its own bounded queue whose overflow ends that stream with a line that says so. At the socket comes this user alone, and
//! may do everything; at the port stands [`guard`].

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::doors::{turn_away, wait_and_turn_away};
use self::guard::Guard;
use super::Backend;
use super::error::{ApiError, ErrorKind};
use super::next::NextStep;
use crate::brake::Brake;
use crate::tokens::Tokens;
use stall::Stalling;

pub mod accept;
pub mod answer;
mod doors;
pub mod guard;
mod handlers;
mod permit;
mod stall;
mod streams;
mod transfer;

pub use doors::{Client, Door, Ends};
pub use permit::Permit;
pub use transfer::{FileName, Wanted, stretch};

/// Most clients at a time; one more is told to come again.
pub const CONNECTIONS_MAX: usize = 64;
/// Largest request body: a bundle of 1 MiB as hexadecimal digits, and room for what is around it.
pub const BODY_BYTES_MAX: usize = (2 << 20) + (64 << 10);
/// Rows a stream's reader may lag behind.
pub const STREAM_ROWS_MAX: usize = 1_024;
/// How long a client may take for the head of its request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a client may take for the body of its request.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a client may leave an answer unread.
const STALL_TIME_MAX: Duration = Duration::from_secs(60);
/// How long requests under way may take when the node stops.
const GRACE: Duration = Duration::from_secs(2);
/// A pause after a failed accept, which mostly means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers this user's own programs until `shutdown`, then lets requests under way finish for a moment.
pub async fn serve(listener: UnixListener, backend: Arc<dyn Backend>, shutdown: impl Future<Output = ()> + Send) {
    serve_at(listener, backend, |routes| routes, shutdown).await;
}

/// Likewise programs that show a token of this home.
pub async fn serve_programs(
    listener: TcpListener,
    tokens: Arc<Tokens>,
    backend: Arc<dyn Backend>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let at = match listener.local_addr() {
        Ok(at) => at,
        Err(error) => return tracing::error!(%error, "the port for programs is of no use"),
    };
    let guard = Arc::new(Guard::of(tokens, Arc::clone(&backend), at));
    let guarded = |routes: Router| routes.layer(middleware::from_fn_with_state(guard, guard::stand));
    serve_at(listener, backend, guarded, shutdown).await;
}

/// Answers at a door with the routes of the API, and whatever stands before or beside them there.
pub async fn serve_at(
    door: impl Door,
    backend: Arc<dyn Backend>,
    with: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let closing = CancellationToken::new();
    let routes = with(handlers::router(handlers::Shared { backend, closing: closing.clone() }));
    let_in(door, routes, closing, shutdown).await;
}

/// Opens a port of this machine for programs.
pub async fn listen_for_programs(at: SocketAddr) -> Result<TcpListener, ApiError> {
    let cannot = |why: &str| {
        let error = ApiError::failure(format!("cannot listen for programs at {at}: {why}"));
        error.next(NextStep::CheckSetting { key: "api.listen".into() })
    };
    if !at.ip().is_loopback() {
        return Err(cannot("other machines would reach it"));
    }
    TcpListener::bind(at).await.map_err(|error| cannot(&error.to_string()))
}

async fn let_in(
    door: impl Door,
    router: Router,
    closing: CancellationToken,
    shutdown: impl Future<Output = ()> + Send,
) {
    let [places, doorstep] = [CONNECTIONS_MAX; 2].map(|max| Arc::new(Semaphore::new(max)));
    let mut clients = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Reaps those who left, so that the set does not grow.
            Some(_) = clients.join_next() => continue,
            accepted = door.accept() => accepted,
        };
        match accepted {
            Ok(client) => match admit(&client, &places) {
                Ok(place) => drop(clients.spawn(converse(client, place, router.clone(), closing.clone()))),
                Err(refusal) => match Arc::clone(&doorstep).try_acquire_owned() {
                    Ok(place) => drop(clients.spawn(async move {
                        wait_and_turn_away(client, refusal).await;
                        drop(place);
                    })),
                    // A crowd of those we turn away may hold no more than a crowd of those we let in.
                    Err(_) => turn_away(&client, refusal),
                },
            },
            Err(error) => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| tracing::warn!(unsaid, %error, "cannot accept a client"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(door);
    closing.cancel();
    let _ = tokio::time::timeout(GRACE, async { while clients.join_next().await.is_some() {} }).await;
}

/// Lets in whom the door has nothing against, while there is room.
fn admit(client: &impl Client, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
    if let Some(refusal) = client.refusal() {
        return Err(refusal);
    }
    let full = |_| ApiError::new(ErrorKind::Busy, "the node is busy with too many clients").next(NextStep::TryAgain);
    Arc::clone(places).try_acquire_owned().map_err(full)
}

async fn converse(client: impl Client, _place: OwnedSemaphorePermit, router: Router, closing: CancellationToken) {
    let (about, keeps_on) = (client.about(), client.keeps_on());
    let routes = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().extend(about.clone());
        routes.call(request)
    });
    let io = TokioIo::new(Stalling::new(client, STALL_TIME_MAX));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .keep_alive(keeps_on)
        .max_headers(64)
        .serve_connection(io, service);
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

//! Whom a command asks: the running node, or the closed home itself.

use std::path::Path;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::find_home;
use crate::api::client::{Client, RowStream};
use crate::api::model::{Listing, Request, Response, Topic};
use crate::api::{ApiError, Backend, Engine, ErrorKind, NextStep};
use crate::home::{Home, LockError};

/// How long to wait for a home that somebody else holds without answering.
const HELD_PATIENCE: Duration = Duration::from_secs(5);
const HELD_POLL: Duration = Duration::from_millis(25);

/// A way to whoever answers for one home.
pub struct Link<'a> {
    engine: &'a dyn Engine,
    home: Home,
    /// The home, opened because no node runs; stays open to the command's end, so that its steps see one state.
    closed: OnceCell<Box<dyn Backend>>,
}

impl<'a> Link<'a> {
    pub fn to(engine: &'a dyn Engine, home: Option<&Path>) -> Result<Link<'a>, ApiError> {
        Ok(Link::to_home(engine, find_home(home)?))
    }

    pub fn to_home(engine: &'a dyn Engine, home: Home) -> Link<'a> {
        Link { engine, home, closed: OnceCell::new() }
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Asks the node, or the home where none runs and the home can tell.
    pub async fn ask(&self, request: Request) -> Result<Response, ApiError> {
        if let Some(home) = self.closed.get() {
            return home.call(request).await;
        }
        let mut patience = Patience::new();
        loop {
            match self.client().call(&request).await {
                Err(error) if error.kind == ErrorKind::NotRunning => {}
                answer => return answer,
            }
            let error = match request.needs_node() {
                true => self.absent(),
                false => match self.open().await {
                    Ok(home) => return home.call(request).await,
                    Err(error) => error,
                },
            };
            if !patience.hopes(&error).await {
                return Err(self.explained(error));
            }
        }
    }

    /// Gives a home that was opened back, so that a node can have it.
    pub async fn close(self) {
        if let Some(home) = self.closed.into_inner() {
            home.close().await;
        }
    }

    /// Asks anew where the node listens, for it may have moved since.
    fn client(&self) -> Client {
        Client::new(self.home.socket_path())
    }

    /// Why no node answers: none runs, or one does and cannot be reached.
    fn absent(&self) -> ApiError {
        match self.home.is_set_up().then(|| self.home.lock()) {
            Some(Err(error @ LockError::Held { .. })) => error.into(),
            _ => ApiError::not_running(),
        }
    }

    /// Says of a node that runs and does not answer which process it is and how to end it: `dak down` would have to ask.
    pub fn explained(&self, error: ApiError) -> ApiError {
        if error.kind != ErrorKind::InUse {
            return error;
        }
        let Err(LockError::Held { pid }) = self.home.lock() else { return error };
        let socket = self.home.socket_path();
        let message = format!("a node runs on this home and does not answer at {}", socket.display());
        match pid {
            Some(pid) => {
                ApiError::new(ErrorKind::InUse, format!("{message} (process {pid})")).next(NextStep::EndProcess { pid })
            }
            None => ApiError::new(ErrorKind::InUse, message)
                .advise(format!("find its process with `fuser {}`", self.home.lock_path().display())),
        }
    }

    /// Reads a listing of the node, or of the home where none runs.
    pub async fn list(&self, listing: Listing) -> Result<RowStream, ApiError> {
        if let Some(home) = self.closed.get() {
            return Ok(home.list(listing));
        }
        let mut patience = Patience::new();
        loop {
            match self.client().list(&listing).await {
                Err(error) if error.kind == ErrorKind::NotRunning => {}
                answer => return answer,
            }
            match self.open().await {
                Ok(home) => return Ok(home.list(listing)),
                Err(error) if patience.hopes(&error).await => {}
                Err(error) => return Err(self.explained(error)),
            }
        }
    }

    /// Follows the running node.
    pub async fn follow(&self, topic: Topic) -> Result<RowStream, ApiError> {
        self.client().follow(topic).await.map_err(|error| self.unreached(error))
    }

    fn unreached(&self, error: ApiError) -> ApiError {
        if error.kind == ErrorKind::NotRunning { self.explained(self.absent()) } else { error }
    }

    /// Refuses where no node runs.
    pub async fn require_node(&self) -> Result<(), ApiError> {
        if self.is_up().await { Ok(()) } else { Err(self.unreached(ApiError::not_running())) }
    }

    pub async fn is_up(&self) -> bool {
        self.client().is_up().await
    }

    async fn open(&self) -> Result<&dyn Backend, ApiError> {
        if !self.home.is_set_up() {
            return Err(nothing_set_up());
        }
        let home = self.closed.get_or_try_init(|| async { self.engine.offline(&self.home) }).await?;
        Ok(home.as_ref())
    }
}

/// Waits for whoever holds a home without answering: another short command, or a node that is starting.
pub struct Patience {
    began: Instant,
}

impl Patience {
    pub fn new() -> Patience {
        Patience { began: Instant::now() }
    }

    /// Says, after a pause, whether it is worth trying again what failed with `error`.
    pub async fn hopes(&mut self, error: &ApiError) -> bool {
        if error.kind != ErrorKind::InUse || self.began.elapsed() >= HELD_PATIENCE {
            return false;
        }
        tokio::time::sleep(HELD_POLL).await;
        true
    }
}

/// Takes the one variant that answers a request.
macro_rules! take {
    ($response:expr, $variant:ident) => {
        match $response {
            $crate::api::Response::$variant(answer) => Ok(answer),
            _ => Err($crate::cli::link::unexpected()),
        }
    };
}
pub(super) use take;

pub fn nothing_set_up() -> ApiError {
    ApiError::new(ErrorKind::NotRunning, "no node running, and nothing is set up here yet").next(NextStep::StartNode)
}

pub fn unexpected() -> ApiError {
    ApiError::failure("the node answered something else than was asked").next(NextStep::RestartNode)
}

//! Whom a command asks: the running node, or the closed home itself.

use std::path::Path;

use tokio::sync::OnceCell;

use super::{Engine, find_home};
use crate::api::client::{Client, RowStream};
use crate::api::model::{Request, Response, Topic};
use crate::api::{ApiError, Backend, ErrorKind};
use crate::home::Home;

/// A way to whoever answers for one home.
pub struct Link<'a> {
    engine: &'a dyn Engine,
    home: Home,
    client: Client,
    /// The home, opened because no node runs; stays open to the command's end, so that its steps see one state.
    closed: OnceCell<Box<dyn Backend>>,
}

impl<'a> Link<'a> {
    pub fn to(engine: &'a dyn Engine, home: Option<&Path>) -> Result<Link<'a>, ApiError> {
        let home = find_home(home)?;
        let client = Client::new(home.socket_path());
        Ok(Link { engine, home, client, closed: OnceCell::new() })
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Asks the node, or the home where none runs and the home can tell.
    pub async fn ask(&self, request: Request) -> Result<Response, ApiError> {
        if let Some(home) = self.closed.get() {
            return home.call(request).await;
        }
        match self.client.call(&request).await {
            Err(error) if error.kind == ErrorKind::NotRunning && !request.needs_node() => {
                self.open().await?.call(request).await
            }
            answer => answer,
        }
    }

    /// Follows the running node.
    pub async fn follow(&self, topic: Topic) -> Result<RowStream, ApiError> {
        self.client.follow(topic).await
    }

    /// Refuses where no node runs.
    pub async fn require_node(&self) -> Result<(), ApiError> {
        if self.client.is_up().await { Ok(()) } else { Err(ApiError::not_running()) }
    }

    pub async fn is_up(&self) -> bool {
        self.client.is_up().await
    }

    async fn open(&self) -> Result<&dyn Backend, ApiError> {
        if !self.home.is_set_up() {
            return Err(ApiError::new(ErrorKind::NotRunning, "no node running, and nothing is set up here yet")
                .next("start it with `dak up`"));
        }
        let home = self.closed.get_or_try_init(|| async { self.engine.offline(&self.home) }).await?;
        Ok(home.as_ref())
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

pub fn unexpected() -> ApiError {
    ApiError::failure("the node answered something else than was asked")
        .next("it may be of another version; restart it with `dak down` and `dak up`")
}

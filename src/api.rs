//! What a person or a script can ask of a node, and how: one request enum, one response enum, and HTTP over a unix
//! socket between them.
//!
//! The node's driver is the [`Backend`]; so is a closed home, opened for one command while no node runs. The command
//! line speaks to either, and never knows more than this module says:
//!
//! ```text
//! cli ── Request ──> client ══ unix socket, HTTP + JSON ══ server ── Request ──> Backend (the node)
//! cli ── Request ────────────────────────────────────────────────────────────> Backend (a closed home)
//! ```
//!
//! - [`model`]: requests, responses and the rows they are made of. The JSON of a row is a contract: other programs
//!   read it, so fields are added and never change their sense, and every object says its `schema`.
//! - [`error`]: what can go wrong, each kind with its exit code and its HTTP status; [`next`]: what to do about it.
//! - [`route`]: which request is which method and path; `GET /v1/me`, `POST /v1/send` and so on. [`openapi`] is the same
//!   for programs of others and generators of clients.
//! - [`Engine`]: what runs a node, or opens a closed home, for a door that begins.
//! - [`times`]: times as people write them, which queries have at every door.
//! - [`server`], [`client`]: the two ends of the socket; [`socket`] makes it safely.

use std::future::Future;
use std::pin::Pin;

pub use axum::body::Bytes;
use futures::Stream;

pub mod client;
mod engine;
pub mod error;
mod failures;
#[cfg(test)]
pub(crate) mod fake;
pub mod model;
pub mod next;
mod openapi;
pub mod route;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
pub mod server;
pub mod socket;
#[cfg(test)]
mod tests;
pub mod times;

pub use engine::{Engine, News, NewsStream, Ready, Who};
pub use error::{ApiError, ErrorKind};
use model::AppStartRow;
pub use model::{Listing, Request, Response, Row, Topic, UploadedRow};
pub use next::NextStep;

/// Bytes of a file as they come.
pub type Chunks = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// A file that is here, to be read from anywhere.
pub struct Contents {
    pub name: String,
    pub bytes: u64,
    /// No other file has the same.
    pub tag: String,
    /// Reads from one byte until before another.
    pub stretch: Box<dyn FnOnce(u64, u64) -> Result<Chunks, ApiError> + Send>,
}

/// A file of a shared app, unpacked.
pub type AppFile = Result<Option<Vec<u8>>, ApiError>;

/// The answer to a request, on its way.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send + 'a>>;

/// Rows, until whoever makes them stops.
pub type Rows = Pin<Box<dyn Stream<Item = Row> + Send>>;

/// Whoever can answer: a running node, or a home that is opened for one command.
///
/// Names and ids come as the person typed them: a `who` is a contact's name, an address or a peer id; an id is any
/// unique prefix of at least [`model::ID_PREFIX_DIGITS_MIN`] hexadecimal digits.
pub trait Backend: Send + Sync + 'static {
    /// Does what is asked. Dropping the future does not take a request back once it was polled.
    fn call(&self, request: Request) -> Answer<'_>;

    /// Rows of a listing, each made when it is asked for; an error is the last.
    fn list(&self, listing: Listing) -> Rows;

    /// Takes in a file for a message that is written afterwards; dropping it before its end leaves nothing of it.
    fn upload(
        &self,
        _name: String,
        _chunks: Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<UploadedRow, ApiError>> + Send + '_>> {
        Box::pin(async { Err(ApiError::not_running()) })
    }

    /// A file by the id that listings give it.
    fn contents(&self, _id: String) -> Pin<Box<dyn Future<Output = Result<Contents, ApiError>> + Send + '_>> {
        Box::pin(async { Err(ApiError::not_running()) })
    }

    /// The app that is served at a host.
    fn app_at(&self, _host: String) -> Pin<Box<dyn Future<Output = Result<AppStartRow, ApiError>> + Send + '_>> {
        Box::pin(async { Err(ApiError::not_running()) })
    }

    /// A file of the app that is served at a host; none where it has none of this name.
    fn app_file(&self, _host: String, _name: String) -> Pin<Box<dyn Future<Output = AppFile> + Send + '_>> {
        Box::pin(async { Err(ApiError::not_running()) })
    }

    /// Ends what belongs to it alone, so that others can have the home; does nothing to a running node.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    /// Subscribes before it returns: a row made after that is in the stream, unless the reader lags too far behind.
    fn follow(&self, topic: Topic) -> Rows;
}

//! How a door begins: with a node that runs, or with a closed home.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;

use futures::Stream;

use super::model::{AwayRow, CheckRow, MeRow, OutlookRow, When};
use super::{ApiError, Backend};
use crate::config::Flags;
use crate::home::Home;

/// What drives nodes: it runs one, or opens a home for one command.
pub trait Engine: Sync {
    /// Runs a node until `shutdown`, and calls `ready` once when it can be used. Makes identity and store where there
    /// are none.
    fn up(
        &self,
        home: Home,
        flags: Flags,
        ready: Box<dyn FnOnce(Ready) + Send>,
        shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + '_>>;

    /// Opens a home that no node runs on, for one command; holds its lock until dropped.
    fn offline(&self, home: &Home) -> Result<Box<dyn Backend>, ApiError>;

    /// Looks over the files of a home that does not open, while no node runs on it.
    fn examine(&self, home: &Home) -> Result<Vec<CheckRow>, ApiError>;

    /// Repairs the store of a home that no node runs on, where it is damaged; says what was lost.
    fn mend(&self, home: &Home) -> Result<Vec<CheckRow>, ApiError>;

    /// Fills a home that has no identity yet with what a backup holds.
    fn restore(&self, home: &Home, backup: &Path, passphrase: &str) -> Result<(), ApiError>;
}

/// What a node says of itself when it can be used.
pub struct Ready {
    /// Whether messages got away from here before.
    pub outlook: Option<OutlookRow>,
    /// Whether the person is away, and what is said then.
    pub away: Option<AwayRow>,
    pub me: MeRow,
    /// Where programs reach it beside its socket.
    pub api_listen: Option<SocketAddr>,
    /// This start made the identity.
    pub created: bool,
    /// What a person may want to hear while it runs.
    pub news: NewsStream,
}

pub type NewsStream = Pin<Box<dyn Stream<Item = News> + Send>>;

/// Something that happened to a running node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Mail {
        from: Who,
        id: String,
    },
    /// For the first time since the start.
    Met(Who),
    /// What was to go at a time was queued, perhaps later than that.
    Sent {
        /// A name or an address.
        to: String,
        id: String,
        at: Option<When>,
        late: bool,
    },
    /// And this was not: it is a draft again.
    NotSent {
        number: u64,
        why: String,
    },
    /// More came at once than can be told.
    More,
}

/// A node by what there is to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The name this person gave.
    pub name: Option<String>,
    /// What it calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
    pub peer_id: String,
}

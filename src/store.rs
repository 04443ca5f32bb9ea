//! Where what must last is kept: one trait, a memory store for simulations and tests, and redb for real.

pub mod memory;
#[cfg(feature = "node")]
pub mod redb;
#[cfg(feature = "node")]
pub mod writer;

use crate::agent::change::{Change, Durable, Row};
use crate::content::Filed;

/// A place that commits batches of changes whole or not at all.
///
/// After every successful commit, `durable` equals what [`Durable::apply`] makes of all changes so far, also after the
/// process died at any instant.
pub trait Store {
    /// Reads back everything durable but the bodies.
    fn durable(&self) -> Result<Durable, StoreError>;

    /// Commits a batch; when it returns, the batch survives a power cut. An error means that nothing of it happened,
    /// unless the very last sync of the disk failed: then `durable` says whether all of it did.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Returns the encoded bundle at `row`, with the hops it came with.
    fn body(&self, row: Row) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns what a message says that was filed at `row`.
    fn words(&self, row: Row) -> Result<Option<Filed>, StoreError>;
}

/// Why a store cannot do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the disk is full")]
    Full,
    #[error("the store is in use by another process")]
    Locked,
    #[error("the store has format {found}, this dak knows up to {known}")]
    Newer { found: u64, known: u64 },
    #[error("the store is damaged ({0})")]
    Damaged(String),
    #[error("the store failed: {0}")]
    Io(String),
}

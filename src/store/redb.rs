//! The store on disk: a redb file and a journal before it, made so that what was committed survives a power cut.
//!
//! Small commits are appended to the journal (`journal.rs`); others are redb's, in two phases. Both sync the disk before
//! they return. Bodies and facts have a table each, keyed by rows that grow, so that commits append. After a failed commit
//! both are opened anew by themselves, and whoever depends on them reads [`Store::durable`] again.
//!
//! One process opens a store at a time.

mod apply;
mod bodies;
mod body;
mod check;
mod disk;
mod export;
mod failure;
mod format;
mod former;
mod index;
mod journal;
mod load;
mod log;
mod mail;
mod opened;
mod overlay;
mod reader;
mod record;
mod repair;
mod reserve;
mod salvage;
mod shared;
mod side;
mod tables;

pub use body::Body;
pub use check::{Depth, Findings, PROBLEMS_MAX, Problem, check};
pub use disk::{DiskSync, Traffic};
pub use export::{Records, Take, import_records};
pub use mail::{Direction, Entry, Kept, Line, Placed};
pub use opened::Storage;
pub use reader::RedbReader;
pub use repair::{Lost, keep_aside, repair};
pub use shared::Opener;
pub use side::{ADDRESS_NODES_MAX, ADDRESSES_PER_NODE_MAX, Address, Side};

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use redb::WriteTransaction;

use self::apply::Applying;
use self::failure::guarded;
use self::log::Log;
use self::reserve::Reserve;
use self::shared::Shared;
use self::tables::counter;
use super::{Store, StoreError};
use crate::agent::change::{Change, Durable, Held, Row};
use crate::content::Filed;

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// How much of the file is kept in memory.
    pub cache_bytes: usize,
    pub sync: DiskSync,
    /// How much of small commits may wait in the journal for a larger one; nothing where it is zero.
    pub journal_bytes: u64,
}

/// The writer of a store, of which there is one; readers are made by [`RedbStore::reader`].
pub struct RedbStore {
    shared: Arc<Shared>,
    reserve: Option<Reserve>,
    /// Side writes that join the next commit.
    staged: Vec<Side>,
    /// Their tables are damaged: they take nothing more until the store is opened again.
    side_damaged: bool,
    /// What no record needed of the file after it was last compacted.
    unfreed_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions { cache_bytes: 32 << 20, sync: DiskSync::Always, journal_bytes: 1 << 20 }
    }
}

impl RedbStore {
    /// Opens the store at `path`, or makes one with access for its owner alone.
    pub fn open(path: &Path, options: StoreOptions) -> Result<RedbStore, StoreError> {
        let shared = Shared::open_file(path, options)?;
        Ok(RedbStore::over(shared, Some(Reserve::beside(path))))
    }

    /// Opens the store at `path` without changing it: whatever is committed is in memory, and gone with this value.
    pub fn open_to_read(path: &Path, options: StoreOptions) -> Result<RedbStore, StoreError> {
        let path = path.to_owned();
        let options = StoreOptions { journal_bytes: 0, ..options };
        RedbStore::open_with(Box::new(move || shared::both_over_memory(&path)), options)
    }

    /// Opens a store on storage that `open` opens, again after every failure.
    pub fn open_with(open: Opener, options: StoreOptions) -> Result<RedbStore, StoreError> {
        Ok(RedbStore::over(Shared::open(open, None, options)?, None))
    }

    fn over(shared: Shared, reserve: Option<Reserve>) -> RedbStore {
        let mut store =
            RedbStore { shared: Arc::new(shared), reserve, staged: Vec::new(), side_damaged: false, unfreed_bytes: 0 };
        store.refill_reserve();
        store
    }

    /// A reader for other threads; it sees every commit that returned before each call.
    pub fn reader(&self) -> RedbReader {
        RedbReader::new(Arc::clone(&self.shared))
    }

    /// Commits several batches, one after the other, in one transaction: all of them or none.
    pub fn commit_all(&mut self, batches: &[&[Change]]) -> Result<(), StoreError> {
        let mut result = self.try_commit(batches);
        // Addresses and notes are no reason to fail it.
        if matches!(result, Err(StoreError::Damaged(_))) && !self.staged.is_empty() {
            self.staged.clear();
            result = self.try_commit(batches);
            self.side_damaged = result.is_ok();
            tracing::warn!("the address book is damaged and takes nothing more; a check of the home says what else is");
        }
        // What makes room may use the reserve; what takes room must wait until there is some.
        if matches!(result, Err(StoreError::Full)) && frees(batches) && self.release_reserve() {
            // Nor are they worth the last room there is.
            self.staged.clear();
            result = self.try_commit(batches);
        }
        if result.is_ok() {
            self.refill_reserve();
        }
        result
    }

    /// Lets a side write join the next commit. What could not be written for a long time is dropped, oldest first.
    pub fn stage(&mut self, side: Side) {
        if self.side_damaged {
            return;
        }
        if self.staged.len() >= STAGED_MAX && self.flush().is_err() {
            self.staged.remove(0);
        }
        self.staged.push(side);
    }

    /// Commits what was staged and what only the journal has, if there is anything.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.staged.is_empty() && !self.shared.has_journaled() { Ok(()) } else { self.commit_all(&[]) }
    }

    /// Closes the file for good, also where readers are left.
    pub fn end(&self) {
        self.shared.end();
    }

    /// Opens the file anew after a failure, if that has not happened yet.
    pub fn reopen(&mut self) -> Result<(), StoreError> {
        guarded(|| self.shared.ensure_open())
    }

    /// Reads what an agent starts from but the facts of held bundles, which [`RedbStore::each_held`] gives one
    /// by one: at a million bundles they are most of what a restart needs memory for.
    pub fn unfiled_but_held(&self) -> Result<Durable, StoreError> {
        self.shared.read(load::unfiled_but_held)
    }

    /// Reads what an agent starts from.
    pub fn unfiled(&self) -> Result<Durable, StoreError> {
        self.shared.read(|txn| {
            let mut durable = load::unfiled_but_held(txn)?;
            load::each_held(txn, |held| drop(durable.held.insert(held.row, held)))?;
            Ok(durable)
        })
    }

    /// Hands over the facts of every held bundle, in the order of the rows.
    pub fn each_held(&self, mut take: impl FnMut(Held)) -> Result<(), StoreError> {
        self.shared.read_once(|txn| load::each_held(txn, &mut take))
    }

    /// What was asked of the disk since the store was opened.
    pub fn traffic(&self) -> &Traffic {
        self.shared.traffic()
    }

    /// How long the file is. It doubles when it grows; what was never written of it takes no room on the disk.
    pub fn file_bytes(&self) -> u64 {
        self.traffic().len_bytes()
    }

    /// What the file takes on the disk, in bytes.
    pub fn allocated_bytes(&self) -> Result<u64, StoreError> {
        self.shared.allocated_bytes()
    }

    /// About how many bytes the records take, without what pages leave unused.
    pub fn live_bytes(&self) -> Result<u64, StoreError> {
        self.reader().live_bytes()
    }

    /// What the file system has left for the store, in bytes.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        self.shared.free_bytes()
    }

    /// What the store can still take: what the file system has left, and what the file has and does not use.
    pub fn room_bytes(&self) -> Result<u64, StoreError> {
        self.reader().room_bytes()
    }

    /// Gives freed space back to the disk if more than half of 16 MiB or more is unused. Readers wait meanwhile (50,000
    /// bundles: half a second), so this is for idle times. Says whether anything was done.
    pub fn compact_if_idle(&mut self) -> Result<bool, StoreError> {
        let (file, unused) = self.unused_bytes()?;
        // What compacting could not free last time is there again next time, and alone is not worth another one.
        if file < COMPACT_FROM_BYTES || unused < file / 2 || unused < self.unfreed_bytes.saturating_mul(2) {
            return Ok(false);
        }
        let compacted = guarded(|| self.shared.compact());
        match compacted {
            Ok(_) => (_, self.unfreed_bytes) = self.unused_bytes()?,
            Err(_) => drop(guarded(|| self.shared.reopen())),
        }
        compacted
    }

    /// What the file takes on the disk, and how much of that no record needs.
    fn unused_bytes(&self) -> Result<(u64, u64), StoreError> {
        let file = self.allocated_bytes()?;
        Ok((file, file.saturating_sub(self.live_bytes()?)))
    }

    fn try_commit(&mut self, batches: &[&[Change]]) -> Result<(), StoreError> {
        let RedbStore { shared, staged, .. } = self;
        let mut number = None;
        let result = guarded(|| {
            shared.ensure_open()?;
            shared.write(|txn, log| {
                number = Some(apply_all(txn, log, batches.iter().copied().flatten())?);
                // The journal has only what changes say.
                if batches.is_empty() || !staged.is_empty() {
                    log.borrow_mut().stop();
                }
                staged.iter().try_for_each(|side| side::apply(txn, side))
            })
        });
        let result = result.or_else(|error| {
            let error = if self.traffic().take_full() { StoreError::Full } else { error };
            // redb refuses everything after a failed write; opening anew takes it back to the last commit. Where that
            // fails too, the next call tries again.
            drop(guarded(|| self.shared.reopen()));
            if number.is_some_and(|number| self.happened(number)) { Ok(()) } else { Err(error) }
        });
        if result.is_ok() {
            self.staged.clear();
        }
        result
    }

    /// Whether a commit that failed is there all the same, because only its last sync did; then another one makes sure.
    fn happened(&self, number: u64) -> bool {
        let found = self.shared.read(|txn| load::number(txn, counter::COMMITS));
        found == Ok(number) && guarded(|| self.shared.fold()).is_ok()
    }

    fn release_reserve(&mut self) -> bool {
        self.reserve.as_mut().is_some_and(Reserve::release)
    }

    fn refill_reserve(&mut self) {
        if let Some(reserve) = &mut self.reserve
            && reserve.is_missing()
            && self.shared.free_bytes().is_ok_and(|free| free >= reserve::REFILL_FROM_BYTES)
        {
            reserve.refill();
        }
    }
}

impl Store for RedbStore {
    fn durable(&self) -> Result<Durable, StoreError> {
        self.shared.read(|txn| {
            let mut durable = load::durable_but_held(txn)?;
            load::each_held(txn, |held| drop(durable.held.insert(held.row, held)))?;
            Ok(durable)
        })
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.commit_all(&[changes])
    }

    fn body(&self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        self.reader().body(row)
    }

    fn words(&self, row: Row) -> Result<Option<Filed>, StoreError> {
        let body = self.reader().words(&[row])?.pop().flatten();
        Ok(if let Some(Body::Filed(filed)) = body { Some(filed) } else { None })
    }
}

/// Most side writes that wait for a commit.
const STAGED_MAX: usize = 256;
/// Files smaller than this are not worth compacting.
const COMPACT_FROM_BYTES: u64 = 16 << 20;

/// Writes what the changes say; returns the number of this commit.
fn apply_all<'c>(
    txn: &WriteTransaction,
    log: &RefCell<Log>,
    changes: impl Iterator<Item = &'c Change>,
) -> Result<u64, StoreError> {
    let mut applying = Applying::new(txn, log);
    let mut changes = changes.peekable();
    while let Some(change) = changes.next() {
        applying.apply(change, changes.peek().copied())?;
    }
    applying.finish()
}

/// Whether these batches make room: something goes, and no body comes.
fn frees(batches: &[&[Change]]) -> bool {
    let goes =
        |change: &Change| matches!(change, Change::Forget { .. } | Change::Discard { .. } | Change::Unpost { .. });
    let comes = |change: &Change| matches!(change, Change::Hold { .. } | Change::Deliver { .. } | Change::Adopt { .. });
    let mut changes = batches.iter().copied().flatten();
    changes.clone().any(goes) && !changes.any(comes)
}

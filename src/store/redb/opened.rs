//! An open store: redb's file, and the journal before it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{
    CompactionError, Database, Durability, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction,
};

use super::StoreOptions;
use super::disk::{Disk, Traffic};
use super::failure::failed;
use super::format;
use super::journal::Journal;
use super::log::{Log, replay};
use super::shared::build;
use crate::store::StoreError;

/// What is below a store.
pub struct Storage {
    pub pages: Box<dyn StorageBackend>,
    /// None where every commit goes to the pages at once.
    pub journal: Option<Box<dyn StorageBackend>>,
}

/// A store whose tables have all that either file has.
pub struct Open {
    db: Database,
    journal: Mutex<Option<Journal>>,
}

impl Open {
    pub fn of(storage: Storage, options: StoreOptions, traffic: &Arc<Traffic>) -> Result<Open, StoreError> {
        let db = build(storage.pages, options, traffic)?;
        let era = format::era(&db)?;
        let open = Open { db, journal: Mutex::new(None) };
        if let Some(storage) = storage.journal {
            let storage = Box::new(Disk::beside(storage, options.sync, Arc::clone(traffic)));
            let (journal, entries) = Journal::open(storage, options.journal_bytes, era)?;
            // Doing without for want of room is no failure.
            traffic.take_full();
            replay(&open.db, &entries)?;
            *open.journal() = Some(journal);
        }
        if format::is_former(&open.db)? {
            // Entries are of the format that they were written in.
            open.fold_if_any()?;
        }
        format::settle(&open.db, format::STEPS)?;
        if let Some(journal) = open.journal().as_mut().filter(|journal| journal.is_empty()) {
            journal.begin(format::era(&open.db)?);
        }
        Ok(open)
    }

    pub fn snapshot(&self) -> Result<ReadTransaction, StoreError> {
        self.db.begin_read().map_err(failed)
    }

    /// Commits what `work` writes, or nothing: what it logs goes to the journal, if that has room for it.
    pub fn write(
        &self,
        work: impl FnOnce(&WriteTransaction, &RefCell<Log>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut journal = self.journal();
        let mut txn = format::begin(&self.db)?;
        let log = RefCell::<Log>::default();
        work(&txn, &log)?;
        let log = log.into_inner();
        if let Some(journal) = journal.as_mut().filter(|journal| journal.takes(&log)) {
            journal.append(&log)?;
            txn.set_durability(Durability::None).map_err(|error| StoreError::Io(error.to_string()))?;
            return txn.commit().map_err(failed);
        }
        let era = format::begin_era(&txn)?;
        txn.commit().map_err(failed)?;
        if let Some(journal) = &mut *journal {
            journal.begin(era);
        }
        Ok(())
    }

    /// Commits without the journal, and with it everything that so far only the journal has.
    pub fn fold(&self) -> Result<(), StoreError> {
        self.write(|_, log| {
            log.borrow_mut().stop();
            Ok(())
        })
    }

    /// The same, if there is anything.
    pub fn fold_if_any(&self) -> Result<(), StoreError> {
        if self.has_journaled() { self.fold() } else { Ok(()) }
    }

    /// Whether there is anything that only the journal has.
    pub fn has_journaled(&self) -> bool {
        self.journal().as_ref().is_some_and(|journal| !journal.is_empty())
    }

    /// Moves pages to the front of the file and cuts it. Says whether that was possible: not while somebody reads.
    pub fn compact(&mut self) -> Result<bool, StoreError> {
        self.fold_if_any()?;
        match self.db.compact() {
            Ok(_) => {}
            Err(CompactionError::TransactionInProgress) => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
        // Compacting leaves a file that takes seconds to open after a kill; any commit of ours mends that.
        self.fold()?;
        Ok(true)
    }

    // An error ends a commit between two states of the journal, never within one.
    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does to a database that was opened as it is what is left of its journal. An error says that a part of that is lost.
pub fn salvage(db: &Database, journal: &dyn StorageBackend) -> Result<(), StoreError> {
    let (entries, is_whole) = Journal::salvage(journal, format::era(db)?)?;
    replay(db, &entries)?;
    if is_whole { Ok(()) } else { Err(StoreError::Damaged("an entry of it is lost".into())) }
}

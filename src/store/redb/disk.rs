//! The store's file as redb sees it: counted, and honest about why it failed.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::failure::{failed, is_full};
use crate::store::StoreError;

/// When the disk is asked to make sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskSync {
    /// At every commit: what is accepted survives a power cut.
    #[default]
    Always,
    /// Never: survives the process, not the machine. For tests on slow disks.
    Never,
}

/// What was asked of the disk since the store was opened.
#[derive(Debug, Default)]
pub struct Traffic {
    len_bytes: AtomicU64,
    written_bytes: AtomicU64,
    syncs: AtomicU64,
    full: AtomicBool,
}

/// A storage backend that counts what goes through, over any other.
pub struct Disk {
    inner: Box<dyn StorageBackend>,
    sync: DiskSync,
    traffic: Arc<Traffic>,
    /// It is the file that [`Traffic::len_bytes`] tells of.
    is_main: bool,
}

impl Traffic {
    /// How long the file is.
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes.load(Ordering::Relaxed)
    }

    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Relaxed)
    }

    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Whether the disk said "full" since the last time somebody asked.
    pub fn take_full(&self) -> bool {
        self.full.swap(false, Ordering::Relaxed)
    }

    // redb reports the first failure and from then on only that there was one, so the reason is kept here.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(is_full) {
            self.full.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Disk {
    pub fn over(inner: Box<dyn StorageBackend>, sync: DiskSync, traffic: Arc<Traffic>) -> Disk {
        Disk { inner, sync, traffic, is_main: true }
    }

    /// A file beside the store's own.
    pub fn beside(inner: Box<dyn StorageBackend>, sync: DiskSync, traffic: Arc<Traffic>) -> Disk {
        Disk { inner, sync, traffic, is_main: false }
    }

    fn note_len(&self, len: u64) {
        if self.is_main {
            self.traffic.len_bytes.store(len, Ordering::Relaxed);
        }
    }

    pub fn file(file: File) -> Result<Box<dyn StorageBackend>, StoreError> {
        Ok(Box::new(FileBackend::new(file).map_err(failed)?))
    }

    /// Empties a file whose first initialisation was cut short: redb writes its magic number last and syncs it before
    /// the first commit, so a file that starts with zeros never held anything, and redb would refuse it for ever.
    fn restart_initialisation(&self) -> io::Result<()> {
        let len = self.inner.len()?;
        let mut start = [0; 9];
        if len >= start.len() as u64 {
            self.inner.read(0, &mut start)?;
        }
        if len > 0 && start == [0; 9] { self.inner.set_len(0) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let len = self.inner.len()?;
        self.note_len(len);
        Ok(len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.traffic.note(self.inner.set_len(len))?;
        self.note_len(len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.traffic.syncs.fetch_add(1, Ordering::Relaxed);
        match self.sync {
            DiskSync::Always => self.traffic.note(self.inner.sync_data()),
            DiskSync::Never => Ok(()),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.traffic.written_bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.traffic.note(self.inner.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let locked = self.inner.try_lock_range(start, end)?;
        // The range that holds the first byte is the last one taken: from here on the file is ours.
        if locked && matches!(start, Bound::Unbounded | Bound::Included(0)) {
            self.restart_initialisation()?;
        }
        Ok(locked)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("sync", &self.sync).field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

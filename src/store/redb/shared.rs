//! The open file that the writer and its readers share, and can open anew under them.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::backends::FileBackend;
use redb::{Database, ReadTransaction, StorageBackend, TableHandle, WriteTransaction};

use super::StoreOptions;
use super::disk::{Disk, Traffic};
use super::failure::{close, failed, guarded, io_failed};
use super::log::Log;
use super::opened::{self, Open, Storage};
use super::overlay::Overlay;
use super::tables::BODIES;
use crate::store::StoreError;

/// Only the owner reads mail that others wrote for them.
const MODE: u32 = 0o600;

/// Opens the storage below a store, again after every failure.
pub type Opener = Box<dyn Fn() -> Result<Storage, StoreError> + Send + std::marker::Sync>;

pub struct Shared {
    open: Opener,
    /// None where the store is not a file.
    path: Option<PathBuf>,
    options: StoreOptions,
    traffic: Arc<Traffic>,
    /// None after a failure, until the file could be opened again.
    db: RwLock<Option<Open>>,
    /// How many times the file was opened anew.
    reopened: AtomicU64,
    /// It was closed for good, whoever may still have a reader.
    ended: AtomicBool,
}

impl Shared {
    pub fn open_file(path: &Path, options: StoreOptions) -> Result<Shared, StoreError> {
        let is_new = !path.exists() || !journal_path(path).exists();
        let place = path.to_owned();
        let open = move || {
            let pages = Disk::file(open_or_create(&place)?)?;
            // Without a lock of its own: the one on the store is for both.
            let journal = open_or_create(&journal_path(&place))?;
            Ok(Storage { pages, journal: Some(Box::new(FileBackend::new(journal).map_err(failed)?)) })
        };
        let shared = Shared::open(Box::new(open), Some(path.to_owned()), options)?;
        if is_new {
            sync_directory(path)?;
        }
        Ok(shared)
    }

    pub fn open(open: Opener, path: Option<PathBuf>, options: StoreOptions) -> Result<Shared, StoreError> {
        let traffic = Arc::new(Traffic::default());
        let db = open_database(&open, options, &traffic)?;
        Ok(Shared {
            open,
            path,
            options,
            traffic,
            db: RwLock::new(Some(db)),
            reopened: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        })
    }

    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Reads in one snapshot; once more where the file was opened anew meanwhile, or can be after the disk failed, since
    /// redb answers nothing more after a failed read.
    pub fn read<T>(&self, work: impl Fn(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reopened = self.reopened.load(Ordering::Acquire);
        match self.read_once(&work) {
            Err(StoreError::Io(_)) if self.reopen_unless(reopened).is_ok() => self.read_once(&work),
            Err(_) if self.reopened.load(Ordering::Acquire) != reopened => self.read_once(&work),
            result => result,
        }
    }

    /// Reads in one snapshot.
    pub fn read_once<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        guarded(|| work(&self.snapshot()?))
    }

    pub fn snapshot(&self) -> Result<ReadTransaction, StoreError> {
        self.db().as_ref().ok_or_else(closed)?.snapshot()
    }

    /// Commits what `work` writes, or nothing: what it logs goes to the journal, if that has room for it.
    pub fn write(
        &self,
        work: impl FnOnce(&WriteTransaction, &RefCell<Log>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.db().as_ref().ok_or_else(closed)?.write(work)
    }

    /// Commits without the journal, and with it everything that so far only the journal has.
    pub fn fold(&self) -> Result<(), StoreError> {
        self.db().as_ref().ok_or_else(closed)?.fold()
    }

    /// Whether there is anything that only the journal has.
    pub fn has_journaled(&self) -> bool {
        self.db().as_ref().is_some_and(Open::has_journaled)
    }

    /// Opens the file anew: what was not committed is gone, and so is what redb remembered of a failure.
    pub fn reopen(&self) -> Result<(), StoreError> {
        self.reopen_locked(self.db_mut())
    }

    pub fn ensure_open(&self) -> Result<(), StoreError> {
        let is_open = self.db().is_some();
        if is_open { Ok(()) } else { self.reopen() }
    }

    /// Opens the file anew, unless somebody did since it was opened for the `reopened`th time.
    fn reopen_unless(&self, reopened: u64) -> Result<(), StoreError> {
        let db = self.db_mut();
        let is_done = self.reopened.load(Ordering::Acquire) != reopened && db.is_some();
        if is_done { Ok(()) } else { guarded(|| self.reopen_locked(db)) }
    }

    fn reopen_locked(&self, mut db: RwLockWriteGuard<'_, Option<Open>>) -> Result<(), StoreError> {
        // Closes the file and frees its lock first.
        drop(guarded(|| {
            drop(db.take());
            Ok(())
        }));
        if self.ended.load(Ordering::Acquire) {
            return Err(closed());
        }
        *db = Some(open_database(&self.open, self.options, &self.traffic)?);
        self.reopened.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Moves pages to the front of the file and cuts it. Says whether that was possible: not while somebody reads.
    pub fn compact(&self) -> Result<bool, StoreError> {
        self.db_mut().as_mut().ok_or_else(closed)?.compact()
    }

    /// What the file system has left for the store, in bytes.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let Some(path) = &self.path else { return Ok(u64::MAX) };
        let stat = rustix::fs::statvfs(path).map_err(|error| io_failed(&error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// What the file system gave the file, in bytes; less than its length where that was never written.
    pub fn allocated_bytes(&self) -> Result<u64, StoreError> {
        let Some(path) = &self.path else { return Ok(self.traffic.len_bytes()) };
        Ok(fs::metadata(path).map_err(|error| io_failed(&error))?.blocks() * 512)
    }

    // A panic inside redb was caught and followed by opening anew, so a poisoned lock says nothing new.
    fn db(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.db.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn db_mut(&self) -> RwLockWriteGuard<'_, Option<Open>> {
        self.db.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Closes the file for good, also where readers are left: what they ask from here on is refused.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        // Closing writes pages, and damaged ones may make redb panic.
        let open = self.db_mut().take();
        // A store that is closed in peace is all in one file.
        let _ = guarded(|| open.as_ref().map_or(Ok(()), Open::fold_if_any));
        close(open);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end();
    }
}

/// Opens a database that is there and checks neither its format nor its tables.
pub fn open_as_is(path: &Path, options: StoreOptions, traffic: &Arc<Traffic>) -> Result<Database, StoreError> {
    let storage = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Disk::file(file),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => over_memory(path),
        Err(error) => Err(io_failed(&error)),
    };
    guarded(|| build(storage?, options, traffic))
}

/// Does to a database that was opened as it is what is left of its journal. An error says that a part of that is lost.
pub fn salvage_journal(path: &Path, db: &Database) -> Result<(), StoreError> {
    guarded(|| match journal_over_memory(path)? {
        Some(journal) => opened::salvage(db, &*journal),
        None => Ok(()),
    })
}

/// Where the journal of the store at `path` is.
pub fn journal_path(path: &Path) -> PathBuf {
    path.with_extension("journal")
}

/// A file of which nothing is changed, whatever is written to it.
pub fn over_memory(path: &Path) -> Result<Box<dyn StorageBackend>, StoreError> {
    let overlay = File::open(path).and_then(Overlay::over).map_err(|error| io_failed(&error))?;
    Ok(Box::new(overlay))
}

/// The files of a store, of which nothing is changed.
pub fn both_over_memory(path: &Path) -> Result<Storage, StoreError> {
    Ok(Storage { pages: over_memory(path)?, journal: journal_over_memory(path)? })
}

fn journal_over_memory(path: &Path) -> Result<Option<Box<dyn StorageBackend>>, StoreError> {
    let path = journal_path(path);
    if path.exists() { over_memory(&path).map(Some) } else { Ok(None) }
}

/// Opens a database or makes one, and checks neither its format nor its tables.
pub fn create_as_is(path: &Path, options: StoreOptions, traffic: &Arc<Traffic>) -> Result<Database, StoreError> {
    guarded(|| build(Disk::file(open_or_create(path)?)?, options, traffic))
}

fn open_or_create(path: &Path) -> Result<File, StoreError> {
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false).mode(MODE);
    let file = open.open(path).map_err(|error| io_failed(&error))?;
    if file.metadata().is_ok_and(|data| data.permissions().mode() & 0o777 != MODE) {
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(|error| io_failed(&error))?;
    }
    Ok(file)
}

fn open_database(open: &Opener, options: StoreOptions, traffic: &Arc<Traffic>) -> Result<Open, StoreError> {
    guarded(|| Open::of(open()?, options, traffic))
}

pub fn build(
    storage: Box<dyn StorageBackend>,
    options: StoreOptions,
    traffic: &Arc<Traffic>,
) -> Result<Database, StoreError> {
    refuse_beheaded(&*storage)?;
    let disk = Disk::over(storage, options.sync, Arc::clone(traffic));
    Database::builder().set_cache_size(options.cache_bytes).create_with_backend(disk).map_err(failed)
}

/// redb takes a file that begins with zeros for one it was about to make when the power went, and makes it anew. Where a
/// table of ours is in it, it has lost its first sector, and all the rest would go too.
fn refuse_beheaded(storage: &dyn StorageBackend) -> Result<(), StoreError> {
    let len = storage.len().map_err(|error| io_failed(&error))?;
    let read = |at: u64, bytes: u64| {
        let mut read = vec![0; bytes as usize];
        storage.read(at, &mut read).map(|()| read).map_err(|error| io_failed(&error))
    };
    if read(0, len.min(MAGIC_BYTES))?.iter().any(|byte| *byte != 0) {
        return Ok(());
    }
    let name = BODIES.name().as_bytes();
    // Pieces overlap, or a name across two of them would be missed.
    for at in (0..len).step_by(SCAN_BYTES) {
        let piece = read(at, (len - at).min((SCAN_BYTES + name.len()) as u64))?;
        if piece.windows(name.len()).any(|window| window == name) {
            return Err(StoreError::Damaged("it has lost its beginning".into()));
        }
    }
    Ok(())
}

/// What a database of redb begins with.
const MAGIC_BYTES: u64 = 9;
/// How much is looked through at once.
const SCAN_BYTES: usize = 1 << 20;

/// Makes a new name in a directory survive a power cut.
pub fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| io_failed(&error))
}

fn closed() -> StoreError {
    StoreError::Io("it is closed".into())
}

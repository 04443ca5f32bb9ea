//! The lock that keeps two nodes from one store, and beside it where the one that holds it can be asked.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Holds a home until it is dropped. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock {
    /// None on a disk that can only be read and has no such file.
    file: Option<File>,
    is_read_only: bool,
}

/// Why a home could not be locked (exit 7).
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another node runs on this home{}", process(*.pid))]
    Held { pid: Option<u32> },
    #[error("cannot lock this home at {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// Longest record that is read: a number and a path.
const RECORD_BYTES_MAX: u64 = 4_200;

impl HomeLock {
    /// Takes the lock; of a home whose disk can only be read, for reading it.
    pub(super) fn take(path: &Path) -> Result<HomeLock, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let (file, is_read_only) = match options.open(path) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => match File::open(path) {
                Ok(file) => (file, true),
                // A copy of a home, say; nobody can write to it from here.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(HomeLock { file: None, is_read_only: true });
                }
                Err(error) => return Err(failed(error)),
            },
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {
                let lock = HomeLock { file: Some(file), is_read_only };
                lock.record(None);
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held { pid: read(file).0 }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Whether the home is on a disk that takes nothing.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Tells every session of this user where the node listens, whatever its environment says.
    pub fn tell_socket(&self, socket: &Path) {
        self.record(Some(socket));
    }

    /// Only the lock itself counts, whatever a file left behind says; it holds whether or not a full disk takes this.
    fn record(&self, socket: Option<&Path>) {
        let Some(file) = self.file.as_ref().filter(|_| !self.is_read_only) else { return };
        let mut record = format!("{}\n", std::process::id()).into_bytes();
        if let Some(socket) = socket {
            record.extend(socket.as_os_str().as_bytes());
            record.push(b'\n');
        }
        // Written before it is cut: who reads meanwhile never finds it empty.
        let _ = file.write_all_at(&record, 0).and_then(|()| file.set_len(record.len() as u64));
    }
}

/// Where the node that holds the lock, or held it last, said that it listens.
pub(super) fn told_socket(path: &Path) -> Option<PathBuf> {
    read(File::open(path).ok()?).1
}

/// The process, and where it listens.
fn read(file: File) -> (Option<u32>, Option<PathBuf>) {
    let mut record = Vec::new();
    if file.take(RECORD_BYTES_MAX).read_to_end(&mut record).is_err() {
        return (None, None);
    }
    let mut lines = record.split(|byte| *byte == b'\n');
    let pid = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok());
    let socket = lines.next().map(|line| PathBuf::from(std::ffi::OsStr::from_bytes(line)));
    (pid, socket.filter(|socket| socket.is_absolute()))
}

fn process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

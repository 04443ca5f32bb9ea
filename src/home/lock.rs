//! The lock that keeps two nodes from one store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Holds a home until it is dropped. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

/// Why a home could not be locked (exit 7).
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another node runs on this home{}: use it, or stop it with `dak down`", process(*.pid))]
    Held { pid: Option<u32> },
    #[error("cannot lock this home at {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl HomeLock {
    pub(super) fn take(path: &Path) -> Result<HomeLock, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // The lock holds whether or not a full disk takes the number.
                let _ = write_pid(&mut file);
                Ok(HomeLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held { pid: read_pid(&mut file) }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Tells a person who holds the lock; only the lock itself counts, whatever a file left behind says.
fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

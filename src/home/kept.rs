//! Small files that commands change and a running node reads whenever it needs them, so that what a command did counts at
//! once and no node has to run for it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::{private_temporary, sync_directory};

/// Largest file read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file of TOML, readable for its owner only; one that is missing says what the default does.
pub struct KeptFile<T> {
    path: PathBuf,
    /// As it was read last.
    read: Mutex<Option<(Stamp, T)>>,
}

/// Which file was read: a new one takes the place of the old whenever something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
    bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error("{path:?} is not what was written there: {why}")]
    Damaged { path: PathBuf, why: String },
    #[error("cannot use {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl<T: Clone + Default + Serialize + DeserializeOwned> KeptFile<T> {
    pub fn at(path: PathBuf) -> KeptFile<T> {
        KeptFile { path, read: Mutex::new(None) }
    }

    /// What it says now.
    pub fn get(&self) -> Result<T, KeptError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = match fs::metadata(&self.path) {
            Ok(found) => Stamp { inode: found.ino(), changed: (found.mtime(), found.mtime_nsec()), bytes: found.len() },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *read = None;
                return Ok(T::default());
            }
            Err(error) => return Err(self.failed(error)),
        };
        if let Some((known, kept)) = &*read
            && *known == stamp
        {
            return Ok(kept.clone());
        }
        let kept = self.read_now()?;
        *read = Some((stamp, kept.clone()));
        Ok(kept)
    }

    /// Changes it whole or not at all; of two commands at once one comes after the other.
    pub fn change<R, E: From<KeptError>>(&self, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let held = File::open(directory).map_err(|error| self.failed(error))?;
        rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| self.failed(error.into()))?;
        let mut kept = self.read_now()?;
        let changed = change(&mut kept)?;
        let text = toml::to_string(&kept).expect("what is kept is plain data");
        let write = || {
            let mut fresh = private_temporary(&self.path)?;
            fresh.write_all(text.as_bytes())?;
            fresh.as_file().sync_all()?;
            fresh.persist(&self.path).map_err(|failed| failed.error)?;
            sync_directory(directory)
        };
        write().map_err(|error| self.failed(error))?;
        Ok(changed)
    }

    fn read_now(&self) -> Result<T, KeptError> {
        let damaged = |why: String| KeptError::Damaged { path: self.path.clone(), why };
        let text = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
            Ok(found) if found.len() > FILE_BYTES_MAX => return Err(damaged("it is too long".into())),
            _ => fs::read_to_string(&self.path).map_err(|error| self.failed(error))?,
        };
        toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))
    }

    fn failed(&self, source: io::Error) -> KeptError {
        KeptError::Io { path: self.path.clone(), source }
    }
}

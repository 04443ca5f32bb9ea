//! The files of an index, for their owner alone. Whatever reads or writes them does it here.
//!
//! They are not synced one by one: what a power cut leaves of them, their checksums tell when they are next opened, and
//! then the index is made anew from the record. Names are synced, so that what was deleted stays away.

use std::fmt::{self, Debug, Formatter};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};
use tantivy::{HasLen, TantivyError};

/// A directory of its own, of which one process at a time makes use: it holds the lock of the home.
#[derive(Clone, Debug)]
pub struct Files {
    place: PathBuf,
}

impl Files {
    /// Takes a directory, and makes it where it is not there.
    pub fn at(place: &Path) -> io::Result<Files> {
        DirBuilder::new().recursive(true).mode(0o700).create(place)?;
        Ok(Files { place: place.to_owned() })
    }

    /// Takes a directory that may not be there.
    pub fn of(place: &Path) -> Files {
        Files { place: place.to_owned() }
    }

    fn path(&self, name: &Path) -> PathBuf {
        self.place.join(name)
    }
}

/// Deletes an index, whatever is left of it.
pub fn delete(place: &Path) -> io::Result<()> {
    match fs::remove_dir_all(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Something else in its place.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(place),
        result => result,
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

impl Directory for Files {
    fn get_file_handle(&self, name: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let open = || {
            let file = File::open(self.path(name))?;
            let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
            Ok(Arc::new(Reading { file, len }))
        };
        Ok(open().map_err(|error| unread(error, name))?)
    }

    fn delete(&self, name: &Path) -> Result<(), DeleteError> {
        fs::remove_file(self.path(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(name.to_owned()),
            _ => DeleteError::IoError { io_error: Arc::new(error), filepath: name.to_owned() },
        })
    }

    fn exists(&self, name: &Path) -> Result<bool, OpenReadError> {
        self.path(name).try_exists().map_err(|error| unread(error, name))
    }

    fn open_write(&self, name: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = new_file(&self.path(name)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(name.to_owned()),
            _ => OpenWriteError::IoError { io_error: Arc::new(error), filepath: name.to_owned() },
        })?;
        Ok(BufWriter::new(Box::new(Writing(file))))
    }

    fn atomic_read(&self, name: &Path) -> Result<Vec<u8>, OpenReadError> {
        fs::read(self.path(name)).map_err(|error| unread(error, name))
    }

    fn atomic_write(&self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let (path, fresh) = (self.path(name), self.path(&name.with_extension("new")));
        // One that was left there by a process that died.
        let _ = fs::remove_file(&fresh);
        new_file(&fresh)?.write_all(bytes)?;
        fs::rename(fresh, path)
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.place)?.sync_all()
    }

    /// A lock that a killed process leaves behind would lock everybody out; the home has one that does not.
    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> Result<WatchHandle, TantivyError> {
        Ok(WatchHandle::empty())
    }
}

fn unread(error: io::Error, name: &Path) -> OpenReadError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(name.to_owned()),
        _ => OpenReadError::IoError { io_error: Arc::new(error), filepath: name.to_owned() },
    }
}

/// A file that does not change any more.
struct Reading {
    file: File,
    len: usize,
}

impl FileHandle for Reading {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; range.len()];
        self.file.read_exact_at(&mut bytes, range.start as u64)?;
        Ok(OwnedBytes::new(bytes))
    }
}

impl HasLen for Reading {
    fn len(&self) -> usize {
        self.len
    }
}

impl Debug for Reading {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "a file of {} bytes", self.len)
    }
}

struct Writing(File);

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Writing {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}

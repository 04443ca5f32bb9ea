//! Directories and files for one user alone.

use std::fs::{DirBuilder, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::process::geteuid;

use super::HomeError;

/// Who may look into a directory; nobody else ever writes there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Openness {
    /// Nobody but the owner.
    Closed,
    /// Others may read.
    Readable,
}

impl Openness {
    /// The permission bits that must not be set.
    fn forbidden(self) -> u32 {
        match self {
            Openness::Closed => 0o077,
            Openness::Readable => 0o022,
        }
    }
}

/// Makes a directory and its parents with mode 0700, or checks the one that exists.
pub(super) fn make_directory(path: &Path, openness: Openness) -> Result<(), HomeError> {
    let is_new = path.symlink_metadata().is_err();
    if is_new {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| io_error(path, source))?;
    }
    // `mkdir` made it a moment ago, with the modes of everybody's directories.
    let is_ours = openness == Openness::Closed && is_own_and_empty(path).map_err(|source| io_error(path, source))?;
    if is_ours && is_loose(path, openness)? {
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|error| not_closed(path, error))?;
        if is_loose(path, openness)? {
            return Err(HomeError::NoModes { path: path.to_owned() });
        }
    }
    check_directory(path, openness)
}

/// The file systems of cameras and sticks know no modes: some say so, others take any and keep none.
fn not_closed(path: &Path, error: io::Error) -> HomeError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => HomeError::NoModes { path: path.to_owned() },
        _ => io_error(path, error),
    }
}

fn is_loose(path: &Path, openness: Openness) -> Result<bool, HomeError> {
    Ok(path.metadata().map_err(|source| io_error(path, source))?.mode() & openness.forbidden() != 0)
}

/// Checks that a directory is this user's and as closed as it must be.
pub(super) fn check_directory(path: &Path, openness: Openness) -> Result<(), HomeError> {
    let found = path.metadata().map_err(|source| io_error(path, source))?;
    if !found.is_dir() {
        return Err(HomeError::NotADirectory { path: path.to_owned() });
    }
    if !is_own(&found) {
        return Err(HomeError::Foreign { path: path.to_owned(), owner: found.uid() });
    }
    match found.mode() & 0o777 {
        mode if mode & openness.forbidden() != 0 => Err(HomeError::Loose { path: path.to_owned(), mode }),
        _ => Ok(()),
    }
}

/// Writes a file that only its owner can read, whole or not at all, and never over an existing one.
///
/// The bytes are on the disk under the final name when this returns: file and directory are synced. A file already
/// there gives [`io::ErrorKind::AlreadyExists`].
pub fn create_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A full disk has no room for what would not be kept anyway.
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut temporary = private_temporary(path)?;
    temporary.write_all(bytes)?;
    publish(temporary, path)
}

/// Opens a temporary file (0600 from its first moment) in the directory where `path` will be.
pub(crate) fn private_temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(".dak-").suffix(".new").tempfile_in(directory_of(path))
}

/// Syncs a finished temporary file and gives it its name, unless that name is taken.
pub(crate) fn publish(temporary: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|failed| failed.error)?;
    sync_directory(directory_of(path))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Says whether a file or directory belongs to the user of this process.
pub(crate) fn is_own(found: &Metadata) -> bool {
    found.uid() == geteuid().as_raw()
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_own_and_empty(path: &Path) -> io::Result<bool> {
    let found = path.symlink_metadata()?;
    Ok(found.is_dir() && is_own(&found) && std::fs::read_dir(path)?.next().is_none())
}

fn io_error(path: &Path, source: io::Error) -> HomeError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotADirectory => HomeError::NotADirectory { path },
        io::ErrorKind::ReadOnlyFilesystem => HomeError::ReadOnly { path },
        _ => HomeError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_disk_without_modes_is_told_from_one_that_is_read_only_or_broken() {
        let said = |errno: Errno| not_closed(Path::new("/stick/home"), errno.into());
        for errno in [Errno::PERM, Errno::NOSYS, Errno::OPNOTSUPP] {
            let error = said(errno);
            assert!(matches!(error, HomeError::NoModes { .. }), "{errno:?}: {error}");
            assert!(error.to_string().contains("keeps no permissions"), "{error}");
        }
        assert!(matches!(said(Errno::ROFS), HomeError::ReadOnly { .. }));
        assert!(matches!(said(Errno::IO), HomeError::Io { .. }));
    }
}

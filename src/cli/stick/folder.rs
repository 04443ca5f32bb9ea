//! A folder on a stick: what lies there, read without being led astray, and what is added, without touching the rest.
//!
//! Anybody may have had the stick. So its names are looked up in the folder that was opened and nowhere else, no link is
//! followed, nothing that is no file is opened for long, and nothing is removed or replaced. A new file gets its name once
//! its bytes are on the stick; a stick that is torn out keeps hidden beginnings at most.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::parts::Parts;
use crate::api::model::{LeavingRow, When};
use crate::bundle::Unverified;
use crate::id::BundleId;

/// What the names of files that are written here end with.
const ENDING: &str = ".bundle";
/// Of the id, as many digits as tell it from others and keep a name short: a folder of FAT holds 65,536 entries, and a
/// name takes one for every 13 characters.
const DIGITS: usize = 16;
/// Most files of a folder that are looked at.
const FILES_MAX: usize = 100_000;
/// Larger files are not read: whatever holds so many bundles can be named alone.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Files that are synced each by itself: to sync all of a disk costs more.
const FEW: usize = 4;

/// An open folder.
pub struct Folder {
    dir: OwnedFd,
}

/// A name in it, and how to tell whether it is as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub name: OsString,
    pub bytes: u64,
    pub changed: (i128, i128),
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    File,
    Folder,
    Link,
    Other,
}

impl Folder {
    pub fn open(path: &Path) -> io::Result<Folder> {
        let dir = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Folder { dir })
    }

    /// What lies there and is meant to be seen, by name; whether there is more than is looked at.
    pub fn names(&self) -> io::Result<(Vec<Name>, bool)> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.dir)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            if names.len() == FILES_MAX {
                return Ok((names, true));
            }
            // It may be gone by now.
            let Ok(stat) = rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            };
            let (bytes, changed) = (stat.st_size as u64, (i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)));
            names.push(Name { name: name.to_owned(), bytes, changed, kind });
        }
        names.sort_unstable();
        Ok((names, false))
    }

    /// Opens a file to be read; the error is for people.
    pub fn read(&self, name: &Name) -> Result<Parts<impl Read>, String> {
        match name.kind {
            Kind::File if name.bytes > FILE_BYTES_MAX => return Err("it is larger than any that is looked at".into()),
            Kind::File => {}
            Kind::Folder => return Err("it is a folder".into()),
            Kind::Link => return Err("it is a link, and none is followed".into()),
            Kind::Other => return Err("it is no file".into()),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.dir, &name.name, flags, Mode::empty());
        let file = File::from(opened.map_err(|error| format!("cannot open it: {}", io::Error::from(error)))?);
        // Something else may have come to stand there.
        match file.metadata() {
            Ok(meta) if meta.is_file() => Ok(Parts::of(file.take(FILE_BYTES_MAX), written_at(&name.name))),
            Ok(_) => Err("it is no file".into()),
            Err(error) => Err(format!("cannot read it: {error}")),
        }
    }

    /// The ids of bundles in one file, as far as they can be read; whether their sources signed them is not asked.
    pub fn ids(&self, name: &Name) -> BTreeSet<BundleId> {
        let mut ids = BTreeSet::new();
        let Ok(mut parts) = self.read(name) else { return ids };
        while let Ok(Some(bundle)) = parts.next() {
            ids.extend(Unverified::parse(bundle.bytes).map(|bundle| bundle.id()));
        }
        ids
    }

    /// Adds a file for each bundle: all of them, or else none that is not there already.
    pub fn add(&self, bundles: &[LeavingRow]) -> io::Result<()> {
        let mut fresh = Fresh { folder: self, names: Vec::new() };
        for bundle in bundles {
            let name = name_of(bundle);
            let hidden = format!(".{name}.{}", std::process::id());
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(rustix::fs::openat(&self.dir, &hidden, flags, Mode::from_raw_mode(0o644))?);
            fresh.names.push((hidden, name));
            file.write_all(&bundle.bytes)?;
            if bundles.len() <= FEW {
                file.sync_all()?;
            }
        }
        if bundles.len() > FEW {
            self.sync_files(&fresh)?;
        }
        while let Some((hidden, name)) = fresh.names.last() {
            match rename_anew(&self.dir, hidden, &name.clone()) {
                // Another export was as fast.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fresh.give_up_last(),
                done => done?,
            }
            fresh.names.pop();
        }
        rustix::fs::fsync(&self.dir)?;
        Ok(())
    }

    /// Names a file that has a hidden name, and sees to it that it stays so.
    pub fn name_anew(&self, hidden: &str, name: &str) -> io::Result<()> {
        rename_anew(&self.dir, hidden, name)?;
        Ok(rustix::fs::fsync(&self.dir)?)
    }

    #[cfg(target_os = "linux")]
    fn sync_files(&self, _fresh: &Fresh) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.dir)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_files(&self, fresh: &Fresh) -> io::Result<()> {
        for (hidden, _) in &fresh.names {
            let file = rustix::fs::openat(&self.dir, hidden, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            rustix::fs::fsync(file)?;
        }
        Ok(())
    }
}

impl Name {
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// Files that have no name yet, each hidden under one that it is to lose; what is left of them goes again.
struct Fresh<'a> {
    folder: &'a Folder,
    names: Vec<(String, String)>,
}

impl Fresh<'_> {
    fn give_up_last(&self) {
        if let Some((hidden, _)) = self.names.last() {
            let _ = rustix::fs::unlinkat(&self.folder.dir, hidden, AtFlags::empty());
        }
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        for (hidden, _) in &self.names {
            let _ = rustix::fs::unlinkat(&self.folder.dir, hidden, AtFlags::empty());
        }
    }
}

/// Gives a file a name that nothing has.
fn rename_anew(dir: impl AsFd, from: impl rustix::path::Arg, to: &str) -> io::Result<()> {
    let dir = dir.as_fd();
    let from = from.into_c_str()?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::RenameFlags;
        use rustix::io::Errno;
        match rustix::fs::renameat_with(dir, &*from, dir, to, RenameFlags::NOREPLACE) {
            // Not every file system can do that in one step.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            done => return Ok(done?),
        }
    }
    if rustix::fs::statat(dir, to, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    Ok(rustix::fs::renameat(dir, &*from, dir, to)?)
}

/// The beginning of the id, and when it was written in seconds: `3f2a91c0de12ab34-1796000000.bundle`.
fn name_of(bundle: &LeavingRow) -> String {
    let id: String = bundle.id.chars().take(DIGITS).collect();
    match bundle.at {
        Some(at) => format!("{id}-{}{ENDING}", at.0 / 1_000),
        None => format!("{id}{ENDING}"),
    }
}

/// When a file says that it was written, by a name as [`name_of`] makes it.
fn written_at(name: &OsStr) -> Option<When> {
    let (_, seconds) = name.to_str()?.strip_suffix(ENDING)?.rsplit_once('-')?;
    Some(When(seconds.parse::<i64>().ok()?.checked_mul(1_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::Schema;

    fn bundle(at: Option<When>) -> LeavingRow {
        LeavingRow { schema: Schema, id: "3f2a91c0de".repeat(7), at, bytes: vec![0x9f, 0, 0xff] }
    }

    #[test]
    fn a_name_tells_when_it_was_written_and_nonsense_tells_nothing() {
        let name = name_of(&bundle(Some(When(1_796_000_000_999))));
        assert_eq!(name, "3f2a91c0de3f2a91-1796000000.bundle");
        assert_eq!(written_at(name.as_ref()), Some(When(1_796_000_000_000)));
        assert_eq!(name_of(&bundle(None)), "3f2a91c0de3f2a91.bundle");
        for name in ["3f2a91c0de3f2a91.bundle", "a-b.bundle", "1-2", "x-99999999999999999999.bundle", "-.bundle", ""] {
            assert_eq!(written_at(name.as_ref()), None, "{name}");
        }
    }

    #[test]
    fn what_is_added_lies_there_once_and_nothing_else_is_touched() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let name = name_of(&bundle(None));
        std::fs::write(place.path().join(&name), b"mine").unwrap();
        folder.add(&[bundle(None), bundle(Some(When(5_000)))]).unwrap();
        assert_eq!(std::fs::read(place.path().join(&name)).unwrap(), b"mine");
        let names: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(std::fs::read(place.path().join("3f2a91c0de3f2a91-5.bundle")).unwrap(), [0x9f, 0, 0xff]);
    }
}

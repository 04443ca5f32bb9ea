//! A folder on a stick: what lies there, read without being led astray, and what is added, without touching the rest.
//!
//! Anybody may have had the stick. So its names are looked up in the folder that was opened and nowhere else, no link is
//! followed, nothing that is no file is opened for long, and nothing is removed or replaced. A new file gets its name once
//! its bytes are on the stick; a stick that is torn out keeps hidden beginnings at most, and they alone are removed, by the
//! next one that writes there. Who writes has a lock on the folder for that long, shared with others who write, so nobody's
//! beginnings go while they grow.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::ToWrite;
use super::parts::Parts;
use crate::bundle::Bundle;
use crate::id::BundleId;
use crate::time::DtnTime;

/// What the names of files that are written here end with.
const ENDING: &str = ".bundle";
/// Of the id, as many digits as tell it from others and keep a name short: a folder of FAT holds 65,536 entries, and a
/// name takes one for every 13 characters.
const DIGITS: usize = 16;
/// Most files of a folder that are looked at.
const FILES_MAX: usize = 100_000;
/// Larger files are not read: whatever holds so many bundles can be named alone.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Names that are tried for one bundle.
const NAMES_TRIED: u32 = 8;
/// Files that are synced each by itself: to sync all of a disk costs more.
const FEW: usize = 4;
/// Who sweeps is waited for so often and so long; whoever keeps all others out keeps nobody from writing.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// What one file may take beside its bytes: an entry in the folder, and a block that the folder grows by.
const FILE_BYTES_BESIDE: u64 = 512;

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

    /// Opens a folder to write there. What an export left there that was torn out or killed goes first, where nobody else
    /// writes; `is_left` tells its names.
    pub fn open_to_write(path: &Path, is_left: impl Fn(&str) -> bool) -> io::Result<Folder> {
        let folder = Folder::open(path)?;
        // Not every file system has locks; there beginnings stay.
        if rustix::fs::flock(&folder.dir, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = folder.sweep(is_left);
        }
        for _ in 0..LOCK_TRIES {
            match rustix::fs::flock(&folder.dir, FlockOperation::NonBlockingLockShared) {
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                _ => break,
            }
        }
        Ok(folder)
    }

    /// Fails where a folder cannot be looked at any more.
    pub fn check(path: &Path) -> io::Result<()> {
        let folder = Folder::open(path)?;
        Dir::read_from(&folder.dir)?.next().transpose()?;
        Ok(())
    }

    fn sweep(&self, is_left: impl Fn(&str) -> bool) -> io::Result<()> {
        let mut left = Vec::new();
        for entry in Dir::read_from(&self.dir)?.take(FILES_MAX) {
            let entry = entry?;
            if entry.file_name().to_str().is_ok_and(&is_left) {
                left.push(entry.file_name().to_owned());
            }
        }
        for name in left {
            let stat = rustix::fs::statat(&self.dir, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                rustix::fs::unlinkat(&self.dir, &name, AtFlags::empty())?;
            }
        }
        Ok(())
    }

    /// Whether a file system is mounted on it.
    pub fn is_mount(&self) -> bool {
        let above = rustix::fs::statat(&self.dir, "..", AtFlags::empty());
        matches!((rustix::fs::fstat(&self.dir), above), (Ok(own), Ok(above)) if own.st_dev != above.st_dev)
    }

    /// Which file system it is of.
    pub fn file_system(&self) -> io::Result<u64> {
        Ok(rustix::fs::fstat(&self.dir)?.st_dev)
    }

    /// How many of files of these sizes fit, one behind the other, by what the file system says to have free.
    pub fn fit(&self, sizes: impl Iterator<Item = u64>) -> io::Result<Vec<bool>> {
        rustix::fs::accessat(&self.dir, ".", Access::WRITE_OK, AtFlags::empty())?;
        let system = rustix::fs::fstatvfs(&self.dir)?;
        // One that has no blocks, as some over a network, does not say.
        let mut free = if system.f_blocks == 0 { u64::MAX } else { system.f_bavail.saturating_mul(system.f_frsize) };
        let block = system.f_frsize.max(1);
        let fits = sizes.map(|bytes| {
            let takes = bytes.saturating_add(FILE_BYTES_BESIDE).div_ceil(block).saturating_mul(block);
            let fits = takes <= free;
            free = free.saturating_sub(if fits { takes } else { 0 });
            fits
        });
        Ok(fits.collect())
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

    /// Opens a file to be read.
    pub fn read(&self, name: &Name) -> Result<Parts<impl Read>, Unread> {
        match name.kind {
            Kind::File if name.bytes > FILE_BYTES_MAX => return Err(Unread::Large),
            Kind::File => {}
            Kind::Folder => return Err(Unread::Folder),
            Kind::Link => return Err(Unread::Link),
            Kind::Other => return Err(Unread::Other),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.dir, &name.name, flags, Mode::empty());
        let file = File::from(opened.map_err(|error| Unread::Unopened(error.into()))?);
        // Something else may have come to stand there.
        match file.metadata() {
            Ok(meta) if meta.is_file() => Ok(Parts::of(file.take(FILE_BYTES_MAX), written(&name.name))),
            Ok(_) => Err(Unread::Other),
            Err(error) => Err(Unread::Unopened(error)),
        }
    }

    /// The ids of bundles in one file, as far as they verify: one that does not would keep out the genuine one.
    pub fn ids(&self, name: &Name) -> BTreeSet<BundleId> {
        let mut ids = BTreeSet::new();
        let Ok(mut parts) = self.read(name) else { return ids };
        while let Ok(Some(bundle)) = parts.read_next() {
            ids.extend(Bundle::decode(&bundle.bytes).map(|(bundle, _)| bundle.id));
        }
        ids
    }

    /// Adds a file for each bundle. Where that fails, some of them may be there, each of them whole.
    pub fn add(&self, bundles: &[ToWrite]) -> io::Result<()> {
        let mut fresh = Fresh { folder: self, names: Vec::new() };
        for bundle in bundles {
            let (hidden, mut file) = self.hide_one(bundle)?;
            fresh.names.push((hidden, bundle));
            file.write_all(&bundle.bytes)?;
            if bundles.len() <= FEW {
                file.sync_all()?;
            }
        }
        if bundles.len() > FEW {
            self.sync_files(&fresh)?;
        }
        while let Some((hidden, bundle)) = fresh.names.last() {
            self.name_one(hidden, bundle)?;
            fresh.names.pop();
        }
        self.sync_names()
    }

    /// Begins a file under a name that nobody looks at. One of a killed process may have it already, and stays.
    fn hide_one(&self, bundle: &ToWrite) -> io::Result<(String, File)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for nth in 0..NAMES_TRIED {
            let hidden = format!(".{}.{}", name_of(bundle, nth), std::process::id());
            match rustix::fs::openat(&self.dir, &hidden, flags, Mode::from_raw_mode(0o644)) {
                Err(Errno::EXIST) => {}
                opened => return Ok((hidden, File::from(opened?))),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives a file its name; what has that already may be anything, and stays.
    fn name_one(&self, hidden: &str, bundle: &ToWrite) -> io::Result<()> {
        for nth in 0..NAMES_TRIED {
            match rename_anew(&self.dir, hidden, &name_of(bundle, nth)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => return done,
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Names a file that has a hidden name, and sees to it that it stays so.
    pub fn name_anew(&self, hidden: &str, name: &str) -> io::Result<()> {
        rename_anew(&self.dir, hidden, name)?;
        self.sync_names()
    }

    fn sync_names(&self) -> io::Result<()> {
        match rustix::fs::fsync(&self.dir) {
            // Some file systems sync no folders.
            Ok(()) | Err(Errno::INVAL | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
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

/// What a file system says that is full.
pub fn no_room() -> io::Error {
    Errno::NOSPC.into()
}

/// Why nothing of a file is read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error("it is larger than any that is looked at")]
    Large,
    #[error("it is a folder")]
    Folder,
    #[error("it is a link, and none is followed")]
    Link,
    #[error("it is no file")]
    Other,
    /// Another time it may be.
    #[error("cannot open it: {0}")]
    Unopened(io::Error),
}

impl Name {
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// Files that have no name yet, each hidden under one that it is to lose; what is left of them goes again.
struct Fresh<'a> {
    folder: &'a Folder,
    names: Vec<(String, &'a ToWrite)>,
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

/// The beginning of the id, and when it was written in seconds: `3f2a91c0de12ab34-1796000000.bundle`; a number stands between
/// where the name is taken.
fn name_of(bundle: &ToWrite, nth: u32) -> String {
    let mut id: String = bundle.id.full().chars().take(DIGITS).collect();
    if nth > 0 {
        id += &format!(".{nth}");
    }
    match bundle.at {
        Some(at) => format!("{id}-{}{ENDING}", at.unix_ms() / 1_000),
        None => format!("{id}{ENDING}"),
    }
}

/// Whether a name is one that a file has here before it has its own: `.NAME.PID`, as [`name_of`] makes names.
pub fn is_begun(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.strip_prefix('.').and_then(|rest| rest.rsplit_once('.'));
    let Some((stem, pid)) = parts.and_then(|(named, pid)| Some((named.strip_suffix(ENDING)?, pid))) else {
        return false;
    };
    let (id, rest) = stem.split_at_checked(DIGITS).unwrap_or_default();
    let (nth, seconds) = rest.split_once('-').map_or((rest, None), |(nth, seconds)| (nth, Some(seconds)));
    is_number(pid)
        && id.len() == DIGITS
        && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && (nth.is_empty() || nth.strip_prefix('.').is_some_and(is_number))
        && seconds.is_none_or(is_number)
}

/// When a file says that it was written, by a name as [`name_of`] makes it.
fn written(name: &OsStr) -> Option<DtnTime> {
    let (_, seconds) = name.to_str()?.strip_suffix(ENDING)?.rsplit_once('-')?;
    Some(DtnTime::from_unix_ms(seconds.parse::<u64>().ok()?.checked_mul(1_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(at: Option<DtnTime>) -> ToWrite {
        ToWrite { id: BundleId([0x3f; 32]), at, bytes: vec![0x9f, 0, 0xff] }
    }

    #[test]
    fn a_name_tells_when_it_was_written_and_nonsense_tells_nothing() {
        let second = DtnTime::from_unix_ms(1_796_000_000_000);
        let name = name_of(&bundle(Some(DtnTime(second.0 + 999))), 0);
        assert_eq!(name, "3f3f3f3f3f3f3f3f-1796000000.bundle");
        assert_eq!(written(name.as_ref()), Some(second));
        assert_eq!(name_of(&bundle(None), 0), "3f3f3f3f3f3f3f3f.bundle");
        for name in ["3f2a91c0de3f2a91.bundle", "a-b.bundle", "1-2", "x-99999999999999999999.bundle", "-.bundle", ""] {
            assert_eq!(written(name.as_ref()), None, "{name}");
        }
    }

    #[test]
    fn what_is_added_takes_no_name_from_anything() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let name = name_of(&bundle(None), 0);
        std::fs::write(place.path().join(&name), b"mine").unwrap();
        let stamped = bundle(Some(DtnTime::from_unix_ms(1_796_000_000_000)));
        folder.add(&[bundle(None), stamped.clone()]).unwrap();
        assert_eq!(std::fs::read(place.path().join(&name)).unwrap(), b"mine");
        let names: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        let other = place.path().join("3f3f3f3f3f3f3f3f.1.bundle");
        assert_eq!(std::fs::read(other).unwrap(), [0x9f, 0, 0xff]);
        assert_eq!(std::fs::read(place.path().join(name_of(&stamped, 0))).unwrap(), [0x9f, 0, 0xff]);
    }

    #[test]
    fn beginnings_go_with_the_next_one_who_writes_unless_somebody_writes_now() {
        let place = tempfile::tempdir().unwrap();
        let stamped = bundle(Some(DtnTime::from_unix_ms(1_796_000_000_000)));
        let begun: Vec<String> =
            [bundle(None), stamped].iter().flat_map(|b| [0, 1].map(|nth| name_of(b, nth))).collect();
        let begun: Vec<String> = begun.iter().map(|name| format!(".{name}.4711")).collect();
        let of_others = [
            ".hidden",
            ".3f3f3f3f3f3f3f3f.bundle",
            ".3f3f.bundle.4711",
            ".3F3F3F3F3F3F3F3F.bundle.4711",
            ".3f3f3f3f3f3f3f3f-noon.bundle.4711",
            ".3f3f3f3f3f3f3f3f.bundle.4711.txt",
            ".3f3f3f3f3f3f3f3f.bundle.",
            ".é3f3f3f3f3f3f3f3f.bundle.1",
        ];
        begun.iter().map(String::as_str).chain(of_others).for_each(|name| {
            std::fs::write(place.path().join(name), b"begun").unwrap();
        });
        let link = place.path().join(".1111111111111111.bundle.1");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        let count = || std::fs::read_dir(place.path()).unwrap().count();
        let writes = Folder::open_to_write(place.path(), |_| false).unwrap();
        drop(Folder::open_to_write(place.path(), is_begun).unwrap());
        assert_eq!(count(), begun.len() + of_others.len() + 1, "somebody writes there");
        drop(writes);
        Folder::open_to_write(place.path(), is_begun).unwrap();
        assert_eq!(count(), of_others.len() + 1);
        of_others.iter().for_each(|name| assert!(place.path().join(name).exists(), "{name}"));
        assert!(link.symlink_metadata().is_ok(), "no link is ours");
    }

    #[test]
    fn what_does_not_fit_leaves_its_room_to_what_is_smaller() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let fits = folder.fit([1, u64::MAX, 2, u64::MAX / 2].into_iter()).unwrap();
        assert_eq!(fits, [true, false, true, false]);
    }

    /// More than few are synced together.
    #[test]
    fn many_are_added_as_few_are() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let many: Vec<ToWrite> =
            (0..=FEW as u8).map(|n| ToWrite { id: BundleId([n; 32]), at: None, bytes: vec![0x9f, n, 0xff] }).collect();
        folder.add(&many).unwrap();
        let (names, is_more) = folder.names().unwrap();
        assert_eq!((names.len(), is_more), (FEW + 1, false));
        for (n, name) in (0..).zip(&names) {
            assert_eq!(folder.read(name).unwrap().read_next().unwrap().unwrap().bytes, [0x9f, n, 0xff]);
        }
    }
}

//! How a file lies in its directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use crate::content::{FILE_BYTES_MAX, parts_of};
use crate::id::unhex;
use crate::mail::files::Parts;

pub(super) const DATA: &str = "data";
pub(super) const HAVE: &str = "have";
pub(super) const NODES: &str = "nodes";
pub(super) const PLAIN: &str = "plain";

pub(super) fn read_have(place: &Path) -> Option<(u64, Parts)> {
    let bytes = fs::read(place.join(HAVE)).ok()?;
    let (size, bits) = bytes.split_first_chunk()?;
    let size = u64::from_be_bytes(*size);
    (size > 0 && size <= FILE_BYTES_MAX).then(|| (size, Parts::read(parts_of(size), bits)))
}

/// Bits are only ever added where they are, so whatever part of this reaches the disk is true.
pub(super) fn write_have(place: &Path, size: u64, have: &Parts) -> io::Result<()> {
    let file = options().write(true).create(true).truncate(false).open(place.join(HAVE))?;
    file.write_all_at(&[&size.to_be_bytes()[..], &have.write()].concat(), 0)?;
    file.sync_data()
}

pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(path),
        removed => removed,
    }
}

/// Hands over every file of all files, by its place in their directory and how long it is, for a backup: the bits before the
/// bytes that they speak of.
pub fn each_file(dir: &Path, take: &mut dyn FnMut(&str, u64, File) -> io::Result<()>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(root) = name.to_str().filter(|name| is_root(name)) else { continue };
        for part in [HAVE, PLAIN, NODES, DATA] {
            match File::open(dir.join(root).join(part)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                file => {
                    let file = file?;
                    take(&format!("{root}/{part}"), file.metadata()?.len(), file)?;
                }
            }
        }
    }
    Ok(())
}

/// Puts back what [`each_file`] handed over; names that it never gives are passed over.
pub fn put_back(dir: &Path, name: &str, bytes: &mut dyn Read) -> io::Result<()> {
    let Some((root, part)) = name.split_once('/') else { return Ok(()) };
    if !is_root(root) || ![HAVE, PLAIN, NODES, DATA].contains(&part) {
        return Ok(());
    }
    make_directory(dir)?;
    make_directory(&dir.join(root))?;
    let mut file = options().write(true).create_new(true).open(dir.join(root).join(part))?;
    io::copy(bytes, &mut file)?;
    file.sync_data()
}

fn is_root(name: &str) -> bool {
    unhex(name).is_some_and(|root| root.len() == 32)
}

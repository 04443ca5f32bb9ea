//! A folder as one file, and back, without what leads out of where it is put.
//!
//! ```text
//! "dak-folder-1\n"                                          14 bytes less one
//! each   1 a folder, 2 a file; length of its path (2 bytes), path, length (8 bytes), bytes
//! end    0
//! ```
//! A path is relative, its names parted by `/`; a folder comes before what is in it, and names in their order, so the same folder
//! is always the same file. Times, owners and modes are left out, links and devices are passed over. Numbers are big-endian.
//!
//! Whoever reads one believes none of its names: each is made harmless ([`harmless_name`]), everything is made anew, and
//! nothing is written over.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::safe_text::is_unsafe;

/// Most files and folders in a folder.
pub const ENTRIES_MAX: usize = 1 << 20;
/// So deep folders lie in each other.
pub const DEPTH_MAX: usize = 64;
/// Longest name of a saved file, in characters; any file system takes it.
const FILE_NAME_CHARS_MAX: usize = 60;
/// Names that are taken are tried with so many numbers.
const TRIES_MAX: usize = 1_000;

const MAGIC: &[u8] = b"dak-folder-1\n";
const END: u8 = 0;
const FOLDER: u8 = 1;
const FILE: u8 = 2;

/// Packs a folder; returns how many links and the like were passed over.
pub fn pack(folder: &Path, out: &mut dyn Write) -> io::Result<usize> {
    out.write_all(MAGIC)?;
    let (mut entries, mut passed_over) = (0, 0);
    pack_into(folder, "", 0, &mut entries, &mut passed_over, out)?;
    out.write_all(&[END])?;
    Ok(passed_over)
}

fn pack_into(
    folder: &Path,
    above: &str,
    depth: usize,
    entries: &mut usize,
    passed_over: &mut usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let failed = |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if depth > DEPTH_MAX {
        return Err(failed(folder, unfit("folders lie too deep in each other")));
    }
    let mut names = fs::read_dir(folder)
        .and_then(|all| all.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>())
        .map_err(|error| failed(folder, error))?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let name = name.to_str().ok_or_else(|| failed(&path, unfit("its name is no text")))?;
        let inside = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        let length = u16::try_from(inside.len()).map_err(|_| failed(&path, unfit("its path is too long")))?;
        let kind = fs::symlink_metadata(&path).map_err(|error| failed(&path, error))?;
        if !kind.is_dir() && !kind.is_file() {
            *passed_over += 1;
            continue;
        }
        *entries += 1;
        if *entries > ENTRIES_MAX {
            return Err(failed(folder, unfit("there is too much in it")));
        }
        out.write_all(&[if kind.is_dir() { FOLDER } else { FILE }])?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(inside.as_bytes())?;
        if kind.is_dir() {
            out.write_all(&0u64.to_be_bytes())?;
            pack_into(&path, &inside, depth + 1, entries, passed_over, out)?;
            continue;
        }
        let file = File::open(&path).map_err(|error| failed(&path, error))?;
        let length = file.metadata()?.len();
        out.write_all(&length.to_be_bytes())?;
        let copied = io::copy(&mut file.take(length), out).map_err(|error| failed(&path, error))?;
        if copied != length {
            return Err(failed(&path, io::Error::other("it became shorter while it was read")));
        }
    }
    Ok(())
}

/// What cannot be packed as it is.
fn unfit(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Unpacks into a folder of this name in a directory, or of that name with a number before it; returns which.
pub fn unpack(from: &mut dyn Read, directory: &Path, name: &str) -> io::Result<PathBuf> {
    let top = fresh(directory, name, |path| DirBuilder::new().mode(0o700).create(path))?.0;
    match unpack_into(from, &top) {
        Ok(()) => Ok(top),
        Err(error) => {
            // All that is in it was made here, and half a folder is none.
            let _ = fs::remove_dir_all(&top);
            Err(of_packer(error))
        }
    }
}

/// Nothing but what was packed is in a folder made here, so names that cannot be, or stand in each other's way, and an end that
/// comes too early are its packer's fault, and not the disk's.
fn of_packer(error: io::Error) -> io::Error {
    use io::ErrorKind as K;
    match error.kind() {
        K::UnexpectedEof
        | K::NotADirectory
        | K::IsADirectory
        | K::InvalidFilename
        | K::InvalidInput
        | K::AlreadyExists => io::ErrorKind::InvalidData.into(),
        _ => error,
    }
}

fn unpack_into(from: &mut dyn Read, top: &Path) -> io::Result<()> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "what came is no packed folder");
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(malformed());
    }
    for _ in 0..ENTRIES_MAX {
        let [kind] = number(from)?;
        if kind == END {
            return Ok(());
        }
        let mut path = vec![0; usize::from(u16::from_be_bytes(number(from)?))];
        from.read_exact(&mut path)?;
        let path = String::from_utf8(path).map_err(|_| malformed())?;
        let length = u64::from_be_bytes(number(from)?);
        let mut names: Vec<String> = path.split('/').map(harmless_name).collect();
        if names.len() > DEPTH_MAX + 1 {
            return Err(malformed());
        }
        let last = names.pop().ok_or_else(malformed)?;
        // Only folders made here are gone into: there is no link among them.
        let folder = names.iter().fold(top.to_owned(), |folder, name| folder.join(name));
        let make = |folder: &Path| DirBuilder::new().mode(0o700).recursive(true).create(folder);
        make(&folder)?;
        match kind {
            FOLDER if length == 0 => make(&folder.join(last))?,
            FILE => {
                let (_, mut file) = create(&folder, &last)?;
                if io::copy(&mut from.take(length), &mut file)? != length {
                    return Err(malformed());
                }
            }
            _ => return Err(malformed()),
        }
    }
    Err(malformed())
}

fn number<const N: usize>(from: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Makes a file of this harmless name, or of that with a number before it: never over one that is there.
pub fn create(directory: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    fresh(directory, name, |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))
}

fn fresh<T>(directory: &Path, name: &str, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(PathBuf, T)> {
    for n in 0..TRIES_MAX {
        let path = directory.join(if n == 0 { name.to_owned() } else { format!("{n}-{name}") });
        match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (path, made)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("there are too many files called {name} already")))
}

/// The last part of a path that a peer made up, without what hides, acts or leads elsewhere.
pub fn harmless_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .map(|c| if is_unsafe(c) || "<>:\"|?*".contains(c) { '_' } else { c })
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    match plain.trim_matches(['.', ' ']) {
        "" => "attachment".into(),
        // Programs would take it for an option.
        plain if plain.starts_with('-') => format!("_{}", &plain[1..]),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(entries: &[(u8, &str, &[u8])]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (kind, path, bytes) in entries {
            out.push(*kind);
            out.extend((path.len() as u16).to_be_bytes());
            out.extend(path.as_bytes());
            out.extend((bytes.len() as u64).to_be_bytes());
            out.extend(*bytes);
        }
        out.push(END);
        out
    }

    #[test]
    fn a_folder_comes_back_as_it_was_and_is_always_the_same_bytes() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("survey");
        fs::create_dir_all(folder.join("a/deep")).unwrap();
        fs::create_dir(folder.join("empty")).unwrap();
        fs::write(folder.join("a/deep/x.txt"), "x").unwrap();
        fs::write(folder.join("b"), vec![7; 100_000]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        assert_eq!(pack(&folder, &mut once).unwrap(), 1, "a link is passed over");
        pack(&folder, &mut twice).unwrap();
        assert!(once == twice);
        let made = unpack(&mut &once[..], place.path(), "survey").unwrap();
        assert_eq!(made, place.path().join("1-survey"), "what was there stays");
        assert_eq!(fs::read(made.join("a/deep/x.txt")).unwrap(), b"x");
        assert_eq!(fs::read(made.join("b")).unwrap(), vec![7; 100_000]);
        assert!(made.join("empty").is_dir() && !made.join("link").exists());
    }

    #[test]
    fn nothing_leaves_the_folder_it_is_put_into() {
        let place = tempfile::tempdir().unwrap();
        let inner = place.path().join("in");
        fs::create_dir(&inner).unwrap();
        let bytes = packed(&[
            (FILE, "../out", b"1"),
            (FILE, "/etc/out", b"2"),
            (FILE, "a/../../out", b"3"),
            (FOLDER, "..", b""),
            (FILE, "x", b"4"),
            (FILE, "x", b"5"),
            (FILE, "\u{1b}[2J\\..\\out", b"6"),
        ]);
        let made = unpack(&mut &bytes[..], &inner, "got").unwrap();
        let above: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((above, fs::read_dir(&inner).unwrap().count()), (vec!["in".into()], 1));
        assert_eq!(
            (fs::read(made.join("x")).unwrap(), fs::read(made.join("1-x")).unwrap()),
            (b"4".into(), b"5".into())
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_unpacked_inside_or_refused(noise in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..90) {
            let place = tempfile::tempdir().unwrap();
            let inner = place.path().join("in");
            fs::create_dir(&inner).unwrap();
            let whole = packed(&[(FOLDER, "a", b""), (FILE, "a/b", b"bytes"), (FILE, "a/b/c", b"more")]);
            let cut = &whole[..cut.min(whole.len())];
            for bytes in [[MAGIC, &noise].concat(), noise, cut.to_vec()] {
                let _ = unpack(&mut &bytes[..], &inner, "got");
            }
            prop_assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        }
    }
}

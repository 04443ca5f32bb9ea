//! Containers of shared apps, as webxdc.org defines them: a zip with `index.html`, perhaps with `manifest.toml` and an icon.
//!
//! Somebody else made them, so everything about one is doubted before a byte of it is given: how many files it has and what
//! they come to, as it says and as they are; names that lead elsewhere, or that two files have; links, encryption, and ways to
//! compress that no app needs. Nothing is ever unpacked to a disk, and one file at a time to memory.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

/// Longest container in bytes.
pub const XDC_BYTES_MAX: u64 = 16 << 20;
/// Most files and folders of one.
pub const ENTRIES_MAX: usize = 2_048;
/// Longest file of one, unpacked, in bytes.
pub const ENTRY_BYTES_MAX: u64 = 16 << 20;
/// What all of them come to, unpacked, in bytes.
pub const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// Longest name of a file in bytes.
pub const ENTRY_NAME_BYTES_MAX: usize = 512;
/// Longest manifest in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;

const INDEX: &str = "index.html";
const MANIFEST: &str = "manifest.toml";
const ICONS: [&str; 2] = ["icon.png", "icon.jpg"];

/// Why a container is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum XdcError {
    #[error("it is no zip: {0}")]
    NoZip(String),
    #[error("it has {0} bytes, and the limit is {XDC_BYTES_MAX}")]
    TooLong(u64),
    #[error("it has more than {ENTRIES_MAX} files")]
    TooMany,
    #[error("two of its files have one name, or lie one in the other")]
    Twice,
    #[error("a file of it has a name that leads elsewhere")]
    Name,
    #[error("a file of it is no file of an app: a link, encrypted, or packed in a way that apps are not")]
    Odd,
    #[error("its files come to more than {UNPACKED_BYTES_MAX} bytes")]
    TooMuch,
    #[error("a file of it is damaged, or longer than it says")]
    Damaged,
    #[error("it has no index.html")]
    NoIndex,
}

/// A container whose directory was looked through.
pub struct Container {
    zip: ZipArchive<Cursor<Arc<[u8]>>>,
    /// Where each file stands in it, and how long it says to be.
    files: BTreeMap<String, (usize, u64)>,
    name: Option<String>,
    source_code_url: Option<String>,
    hash: [u8; 32],
}

impl Container {
    pub fn open(bytes: Vec<u8>) -> Result<Container, XdcError> {
        if bytes.len() as u64 > XDC_BYTES_MAX {
            return Err(XdcError::TooLong(bytes.len() as u64));
        }
        // Read without a word about its size, a directory of a million files would be in memory before it is refused.
        let end = End::read(&bytes).ok_or_else(|| XdcError::NoZip("its end is missing".into()))?;
        if end.entries_max > ENTRIES_MAX {
            return Err(XdcError::TooMany);
        }
        let hash = *blake3::hash(&bytes).as_bytes();
        let bytes: Arc<[u8]> = bytes.into();
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| XdcError::NoZip(error.to_string()))?;
        // What a reader elsewhere shows is to be what is shown here.
        if zip.comment().len() != end.comment_bytes {
            return Err(XdcError::NoZip("it has more than one end".into()));
        }
        // Of two with one name the reader keeps the last.
        if zip.len() != end.entries {
            return Err(XdcError::Twice);
        }
        if zip.has_overlapping_files().map_err(|error| XdcError::NoZip(error.to_string()))? {
            return Err(XdcError::Twice);
        }
        let (mut files, mut unpacked) = (BTreeMap::new(), 0u64);
        for at in 0..zip.len() {
            let entry = zip.by_index_raw(at).map_err(|error| XdcError::NoZip(error.to_string()))?;
            // Names are UTF-8 whether they say so or not; what is not is of a program that knew its code page alone.
            let name = match std::str::from_utf8(entry.name_raw()) {
                Ok(name) => name.to_owned(),
                Err(_) => entry.name().map_err(|_| XdcError::Name)?.into_owned(),
            };
            let name = name.replace('\\', "/");
            let name = name.strip_prefix("./").unwrap_or(&name);
            let is_folder = name.is_empty() || name.ends_with('/');
            let name = name.strip_suffix('/').unwrap_or(name).to_owned();
            let is_root = name.is_empty() && is_folder;
            if !is_root && !is_plain(&name) {
                return Err(XdcError::Name);
            }
            if entry.is_symlink() || entry.encrypted() || !is_packed_plainly(entry.compression()) {
                return Err(XdcError::Odd);
            }
            if is_folder {
                continue;
            }
            if entry.size() > ENTRY_BYTES_MAX {
                return Err(XdcError::TooMuch);
            }
            unpacked = unpacked.saturating_add(entry.size());
            if unpacked > UNPACKED_BYTES_MAX {
                return Err(XdcError::TooMuch);
            }
            let size = entry.size();
            if files.insert(name, (at, size)).is_some() {
                return Err(XdcError::Twice);
            }
        }
        if !files.contains_key(INDEX) {
            return Err(XdcError::NoIndex);
        }
        let mut container = Container { zip, files, name: None, source_code_url: None, hash };
        container.read_manifest()?;
        Ok(container)
    }

    /// As it calls itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where its source is, as it says.
    pub fn source_code_url(&self) -> Option<&str> {
        self.source_code_url.as_deref()
    }

    /// Of all its bytes.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The name of its icon's file.
    pub fn icon(&self) -> Option<&'static str> {
        ICONS.into_iter().find(|icon| self.files.contains_key(*icon))
    }

    /// The names of its files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A file of it, unpacked; none where it has none of this name.
    pub fn file(&self, name: &str) -> Result<Option<Vec<u8>>, XdcError> {
        let Some((at, size)) = self.files.get(name) else { return Ok(None) };
        let mut zip = self.zip.clone();
        let entry = zip.by_index(*at).map_err(|_| XdcError::Damaged)?;
        let mut bytes = Vec::new();
        // One byte more than it says is enough to know that it lies; the check of its sum comes with its end.
        entry.take(size + 1).read_to_end(&mut bytes).map_err(|_| XdcError::Damaged)?;
        if bytes.len() as u64 == *size { Ok(Some(bytes)) } else { Err(XdcError::Damaged) }
    }

    /// A manifest that cannot be read says nothing.
    fn read_manifest(&mut self) -> Result<(), XdcError> {
        if self.files.get(MANIFEST).is_none_or(|(_, size)| *size > MANIFEST_BYTES_MAX) {
            return Ok(());
        }
        let bytes = self.file(MANIFEST)?.unwrap_or_default();
        let Some(table) = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<toml::Table>().ok()) else {
            return Ok(());
        };
        let text = |key: &str| {
            let text = table.get(key)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        (self.name, self.source_code_url) = (text("name"), text("source_code_url"));
        Ok(())
    }
}

/// Whether a name, with `/` between its parts, stays within the container, whatever reads it.
fn is_plain(name: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    let is_of_a_drive = name.as_bytes().get(1) == Some(&b':');
    name.len() <= ENTRY_NAME_BYTES_MAX
        && !is_of_a_drive
        && !name.contains(char::is_control)
        && name.split('/').all(is_part)
}

fn is_packed_plainly(how: CompressionMethod) -> bool {
    matches!(how, CompressionMethod::Stored | CompressionMethod::Deflated)
}

/// What stands at the end of a zip.
struct End {
    /// How many entries its last record says that there are.
    entries: usize,
    /// The most that any record says which a reader could take for the last.
    entries_max: usize,
    comment_bytes: usize,
}

impl End {
    /// Reads the records that end a zip (APPNOTE 4.3.16), and where such a one has a larger record before it, as some programs
    /// write it always, that too (4.3.14, 4.3.15). Behind the last there is its comment and nothing else.
    fn read(bytes: &[u8]) -> Option<End> {
        const END: [u8; 4] = *b"PK\x05\x06";
        const END_BYTES: usize = 22;
        const COMMENT_BYTES_MAX: usize = 65_535;
        let last = bytes.len().checked_sub(END_BYTES)?;
        let first = last.saturating_sub(COMMENT_BYTES_MAX + 1);
        let ends = || (first..=last).rev().filter(|at| bytes[*at..].starts_with(&END));
        let at = ends().next()?;
        let comment_bytes = usize::from(short(bytes, at + 20)?);
        if at + END_BYTES + comment_bytes != bytes.len() {
            return None;
        }
        let large = large_ends(bytes, ends().filter_map(|at| locator_of(bytes, at)));
        let entries = |at: usize| {
            let entries = usize::from(short(bytes, at + 8)?.max(short(bytes, at + 10)?));
            let large = locator_of(bytes, at).and_then(|locator| large.get(&locator)).copied().flatten();
            Some(match large {
                Some(large) if entries == usize::from(u16::MAX) => large,
                // Whichever of the two a reader believes.
                large => large.unwrap_or(0).max(entries),
            })
        };
        // A reader that finds fault with the last takes one before it.
        let entries_max = ends().filter_map(entries).max()?;
        Some(End { entries: entries(at)?, entries_max, comment_bytes })
    }
}

/// Where it is said of a record that there is a larger one before it.
fn locator_of(bytes: &[u8], at: usize) -> Option<usize> {
    const LOCATOR: [u8; 4] = *b"PK\x06\x07";
    const LOCATOR_BYTES: usize = 20;
    at.checked_sub(LOCATOR_BYTES).filter(|locator| bytes[*locator..].starts_with(&LOCATOR))
}

/// The most entries that a larger record says which ends where its locator begins, for each of these. Where a locator says that
/// it stands is not where it is once something was put before the zip, so readers look for it.
fn large_ends(bytes: &[u8], locators: impl Iterator<Item = usize>) -> BTreeMap<usize, Option<usize>> {
    const LARGE_END: [u8; 4] = *b"PK\x06\x06";
    const SIZE_END: u64 = 12;
    let mut large: BTreeMap<usize, Option<usize>> = locators.map(|locator| (locator, None)).collect();
    let last = large.last_key_value().map_or(0, |(locator, _)| *locator);
    for at in (0..last).filter(|at| bytes[*at..].starts_with(&LARGE_END)) {
        let end = long(bytes, at + 4).and_then(|size| size.checked_add(SIZE_END + at as u64));
        let most = end.and_then(|end| large.get_mut(&usize::try_from(end).ok()?));
        let entries = (|| Some(long(bytes, at + 24)?.max(long(bytes, at + 32)?)))();
        if let (Some(most), Some(entries)) = (most, entries) {
            *most = (*most).max(Some(usize::try_from(entries).unwrap_or(usize::MAX)));
        }
    }
    large
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;

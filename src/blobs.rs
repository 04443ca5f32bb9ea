//! Files in parts, beside the store: encrypted, each in a directory named by its root.
//!
//! ```text
//! files/<root>/data    the encrypted bytes, each part at its place
//! files/<root>/have    how long it is (8 bytes), and a bit for each part that is here
//! files/<root>/nodes   the nodes of the parts, for what was taken in here: what proves them
//! files/<root>/plain   the hash of the file as it was and its key, for what was taken in here: it is taken in once
//! ```
//! A part is written when its message is delivered, and [`Blobs::sync`] runs before the commit that says so: first the bytes,
//! then the bits. A bit that is set speaks of bytes that are there; of bytes without a bit nothing was promised. Nothing here
//! is ever whole in memory.
//!
//! What no message names is swept when the node starts ([`Blobs::keep_only`]). Which files are wanted, and how much comes
//! unasked, is decided here too, for it must be known before a part is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

use crate::content::{
    Enclosed, FILE_BYTES_MAX, FileKey, PART_BYTES, PART_LOG, Part, PartTree, Root, part_len, part_node, parts_of,
};
use crate::id::{NodeId, hex, unhex};
use crate::mail::files::Parts;

/// Files up to this size come without being asked for, in bytes.
pub const PUSH_BYTES_MAX: u64 = 8 << 20;
/// Bytes of files that came or come unasked, in all.
pub const UNASKED_BYTES_MAX: u64 = 256 << 20;
/// One of so many parts of them a single contact may take.
const PART_OF_CONTACT: u64 = 4;
/// Bytes of parts that came before their message, in all.
pub const EARLY_BYTES_MAX: u64 = 64 << 20;
/// So long a file that was taken in waits for the message that names it.
const STAGED_MAX: Duration = Duration::from_secs(3_600);

/// The files of a home.
pub struct Blobs {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: BTreeMap<Root, Blob>,
    /// Files whose last parts are not known to be on the disk.
    dirty: BTreeSet<Root>,
    /// Why something could not be written, until the commit that must not happen fails for it.
    failure: Option<String>,
    /// Files that were taken in here, by the hash of what they were.
    plain: BTreeMap<[u8; 32], (Root, FileKey)>,
    /// When files were taken in whose messages may not be in the record yet.
    staged: BTreeMap<Root, Instant>,
    /// The tree of the file that was sent of last.
    tree: Option<(Root, Arc<PartTree>)>,
    /// Numbers the directories of what is being taken in.
    next: u64,
}

struct Blob {
    size: u64,
    have: Parts,
    /// Open while parts come.
    data: Option<Arc<File>>,
    why: Why,
}

/// Why a file may be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nobody said yet.
    Unknown,
    /// It was taken in here, or a person asked for it.
    Wanted,
    /// It came unasked, from this contact.
    Pushed(NodeId),
    /// Parts came before any message that names it.
    Early,
    /// Nobody wants it any more.
    Refused,
}

/// A file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub bytes: u64,
    pub root: Root,
    pub key: FileKey,
}

impl Blobs {
    /// Opens the files in a directory, which need not be there yet.
    pub fn open(dir: PathBuf) -> io::Result<Blobs> {
        let mut state = State::default();
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries?),
        };
        for entry in entries.into_iter().flatten() {
            let name = entry?.file_name();
            let root = name.to_str().and_then(unhex).and_then(|root| Root::try_from(root).ok());
            let Some(root) = root else { continue };
            let place = dir.join(&name);
            let Some((size, have)) = read_have(&place) else { continue };
            if let Ok(plain) = fs::read(place.join(PLAIN))
                && let Some((hash, key)) = plain.split_first_chunk::<32>()
                && let Ok(key) = key.try_into()
            {
                state.plain.insert(*hash, (root, FileKey(key)));
            }
            state.blobs.insert(root, Blob { size, have, data: None, why: Why::Unknown });
        }
        Ok(Blobs { dir, state: Mutex::new(state) })
    }

    /// The directory of all files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How long a file is and what of it is here; none where nothing is.
    pub fn have(&self, root: &Root) -> Option<(u64, Parts)> {
        self.state().blobs.get(root).map(|blob| (blob.size, blob.have.clone()))
    }

    /// How many files there are, and their bytes that are here.
    pub fn usage(&self) -> (u64, u64) {
        let state = self.state();
        (state.blobs.len() as u64, state.blobs.values().map(|blob| blob.have.bytes(blob.size)).sum())
    }

    /// Bytes of one file that are here.
    pub fn bytes_of(&self, root: &Root) -> u64 {
        self.state().blobs.get(root).map_or(0, |blob| blob.have.bytes(blob.size))
    }

    /// A person asked for a file, or it is one of their own.
    pub fn want(&self, file: &Enclosed) {
        let mut state = self.state();
        if state.expect(file, Why::Wanted) {
            self.start_anew(&file.root);
        }
    }

    /// A contact says that a file comes: small ones may, as long as there is room for what nobody asked for. Says whether it
    /// may.
    pub fn offer(&self, from: NodeId, file: &Enclosed) -> bool {
        let mut state = self.state();
        if file.bytes > PUSH_BYTES_MAX || file.part_log != PART_LOG {
            return false;
        }
        match state.blobs.get(&file.root).map(|blob| blob.why) {
            Some(Why::Wanted | Why::Pushed(_)) => return true,
            Some(Why::Refused) => return false,
            Some(Why::Unknown | Why::Early) | None => {}
        }
        let pushed = |by: Option<NodeId>| -> u64 {
            let is_pushed = |blob: &&Blob| matches!(blob.why, Why::Pushed(from) if by.is_none_or(|by| by == from));
            state.blobs.values().filter(is_pushed).map(|blob| blob.size).sum()
        };
        let free = UNASKED_BYTES_MAX.saturating_sub(pushed(None));
        let fits = file.bytes <= free && pushed(Some(from)) + file.bytes <= UNASKED_BYTES_MAX / PART_OF_CONTACT;
        if fits && state.expect(file, Why::Pushed(from)) {
            self.start_anew(&file.root);
        }
        fits
    }

    fn start_anew(&self, root: &Root) {
        if let Err(error) = remove(&self.dir.join(hex(root))) {
            tracing::warn!(%error, "parts of a file that speak of another size cannot be deleted");
        }
    }

    /// Whether parts of a file are taken in as they come.
    pub fn is_expected(&self, root: &Root) -> bool {
        let state = self.state();
        state.blobs.get(root).is_some_and(|blob| matches!(blob.why, Why::Wanted | Why::Pushed(_)))
    }

    /// Nobody wants a file any more: what is here of it goes.
    pub fn refuse(&self, root: &Root) -> io::Result<()> {
        let mut state = self.state();
        let Some(blob) = state.blobs.get_mut(root) else { return Ok(()) };
        (blob.have, blob.data, blob.why) = (Parts::none(parts_of(blob.size)), None, Why::Refused);
        state.forget(root);
        remove(&self.dir.join(hex(root)))
    }

    /// Takes in a part that verified; says whether it is wanted. What cannot be written fails the next [`Blobs::sync`].
    pub fn take(&self, part: &Part, is_contact: bool) -> bool {
        let mut state = self.state();
        let early: u64 = state.blobs.values().filter(|b| b.why == Why::Early).map(|b| b.have.bytes(b.size)).sum();
        let may_be_early = is_contact && early + PART_BYTES as u64 <= EARLY_BYTES_MAX;
        let blob = match state.blobs.get_mut(&part.root) {
            Some(Blob { why: Why::Wanted | Why::Pushed(_), size, .. }) if *size == part.size => None,
            Some(Blob { why: Why::Unknown | Why::Early, size, .. }) if *size == part.size && may_be_early => None,
            Some(_) => return false,
            None if may_be_early => {
                Some(Blob { size: part.size, have: Parts::none(parts_of(part.size)), data: None, why: Why::Early })
            }
            None => return false,
        };
        state.blobs.extend(blob.map(|blob| (part.root, blob)));
        if state.blobs[&part.root].have.has(part.index) {
            return true;
        }
        match self.write(&mut state, part) {
            Ok(()) => {
                state.dirty.insert(part.root);
                state.blobs.get_mut(&part.root).expect("it was just found").have.insert(part.index);
            }
            Err(error) => state.failure = Some(error.to_string()),
        }
        true
    }

    fn write(&self, state: &mut State, part: &Part) -> io::Result<()> {
        let blob = state.blobs.get_mut(&part.root).expect("it was just found");
        let data = match &blob.data {
            Some(data) => Arc::clone(data),
            None => {
                let place = self.dir.join(hex(&part.root));
                if !place.join(HAVE).exists() {
                    make_directory(&self.dir)?;
                    make_directory(&place)?;
                    write_have(&place, blob.size, &blob.have)?;
                    sync_directory(&place)?;
                    sync_directory(&self.dir)?;
                }
                let data = Arc::new(options().write(true).create(true).truncate(false).open(place.join(DATA))?);
                blob.data = Some(Arc::clone(&data));
                data
            }
        };
        data.write_all_at(&part.bytes, u64::from(part.index) * PART_BYTES as u64)
    }

    /// Makes durable what was taken in: the bytes first, and then that they are there.
    pub fn sync(&self) -> io::Result<()> {
        let (dirty, failure) = {
            let mut state = self.state();
            (std::mem::take(&mut state.dirty), state.failure.take())
        };
        if let Some(failure) = failure {
            return Err(io::Error::other(failure));
        }
        for root in dirty {
            let (data, size, have) = {
                let mut state = self.state();
                let Some(blob) = state.blobs.get_mut(&root) else { continue };
                // What is whole is not written to any more.
                let data = if blob.have.is_all() { blob.data.take() } else { blob.data.clone() };
                (data, blob.size, blob.have.clone())
            };
            // It went meanwhile, and what was promised of it went with it.
            let Some(data) = data else { continue };
            data.sync_data()?;
            match write_have(&self.dir.join(hex(&root)), size, &have) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => written?,
            }
        }
        Ok(())
    }

    /// Removes every file that none of these names, but those that were taken in lately.
    pub fn keep_only(&self, named: &BTreeSet<Root>) -> io::Result<()> {
        let mut state = self.state();
        state.staged.retain(|root, since| !named.contains(root) && since.elapsed() < STAGED_MAX);
        let early = |blob: &Blob| blob.why == Why::Early;
        let gone: Vec<Root> = state
            .blobs
            .iter()
            .filter(|(root, blob)| !named.contains(*root) && !state.staged.contains_key(*root) && !early(blob))
            .map(|(root, _)| *root)
            .collect();
        for root in gone {
            state.blobs.remove(&root);
            state.forget(&root);
            remove(&self.dir.join(hex(&root)))?;
        }
        Ok(())
    }

    /// Removes what no blob lies in: the rest of what was being taken in when the process ended, and parts without a message.
    pub fn sweep(&self, named: &BTreeSet<Root>) -> io::Result<()> {
        self.keep_only(named)?;
        let state = self.state();
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            let root = name.to_str().and_then(unhex).and_then(|root| Root::try_from(root).ok());
            if !root.is_some_and(|root| state.blobs.contains_key(&root)) {
                remove(&self.dir.join(name))?;
            }
        }
        Ok(())
    }

    /// One part of a file that is here, with what proves it.
    pub fn part(&self, root: &Root, index: u32) -> io::Result<Part> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the file is not here any more");
        let size = {
            let state = self.state();
            let blob = state.blobs.get(root).filter(|blob| blob.have.has(index)).ok_or_else(gone)?;
            blob.size
        };
        let place = self.dir.join(hex(root));
        let mut bytes = vec![0; part_len(size, index)];
        File::open(place.join(DATA))?.read_exact_at(&mut bytes, u64::from(index) * PART_BYTES as u64)?;
        let proof = match parts_of(size) {
            1 => Vec::new(),
            _ => self.tree(root, size)?.proof(index),
        };
        let part = Part { root: *root, size, index, proof, bytes, extra: Vec::new() };
        match part.is_true() {
            true => Ok(part),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "the disk changed what lies there")),
        }
    }

    fn tree(&self, root: &Root, size: u64) -> io::Result<Arc<PartTree>> {
        if let Some((of, tree)) = &self.state().tree
            && of == root
        {
            return Ok(Arc::clone(tree));
        }
        let place = self.dir.join(hex(root));
        let nodes = match fs::read(place.join(NODES)) {
            Ok(nodes) => nodes.as_chunks::<32>().0.to_vec(),
            // It came from somebody else, and is passed on.
            Err(error) if error.kind() == io::ErrorKind::NotFound => nodes_of(&place.join(DATA), size)?,
            Err(error) => return Err(error),
        };
        if nodes.len() != parts_of(size) as usize {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the nodes of a file are damaged"));
        }
        let tree = Arc::new(PartTree::over(nodes));
        self.state().tree = Some((*root, Arc::clone(&tree)));
        Ok(tree)
    }

    /// Reads a whole file that is here.
    pub fn read(&self, root: &Root, key: &FileKey) -> io::Result<impl Read + use<>> {
        let whole = self.state().blobs.get(root).filter(|blob| blob.have.is_all()).map(|blob| blob.size);
        let size = whole.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not all of the file is here"))?;
        let data = File::open(self.dir.join(hex(root)).join(DATA))?;
        Ok(Opened { data: BufReader::with_capacity(PART_BYTES, data).take(size), cipher: cipher(key) })
    }

    /// Begins to take in a file: what is written to it lies here encrypted.
    pub fn stage(self: &Arc<Blobs>) -> io::Result<Stager> {
        let number = {
            let mut state = self.state();
            state.next += 1;
            state.next
        };
        make_directory(&self.dir)?;
        let place = self.dir.join(format!("new-{}-{number}", std::process::id()));
        make_directory(&place)?;
        let mut key = FileKey([0; 32]);
        getrandom::fill(&mut key.0).map_err(|error| io::Error::other(error.to_string()))?;
        let data = BufWriter::with_capacity(PART_BYTES, options().write(true).create_new(true).open(place.join(DATA))?);
        Ok(Stager {
            blobs: Arc::clone(self),
            place,
            data: Some(data),
            cipher: cipher(&key),
            key,
            plain: blake3::Hasher::new(),
            first: blake3::Hasher::new(),
            part: Vec::with_capacity(PART_BYTES),
            nodes: Vec::new(),
            bytes: 0,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

impl State {
    /// Says whether what is on the disk of it is of no use, for its parts spoke of another size.
    fn expect(&mut self, file: &Enclosed, why: Why) -> bool {
        let none = || Blob { size: file.bytes, have: Parts::none(parts_of(file.bytes)), data: None, why };
        let blob = self.blobs.entry(file.root).or_insert_with(none);
        let is_other = blob.size != file.bytes;
        // What is whole proved its size.
        if is_other && (blob.have.is_all() || matches!(blob.why, Why::Wanted | Why::Pushed(_))) {
            return false;
        }
        if is_other {
            *blob = none();
            self.dirty.remove(&file.root);
        }
        blob.why = why;
        is_other
    }

    /// A file left.
    fn forget(&mut self, root: &Root) {
        self.dirty.remove(root);
        self.staged.remove(root);
        self.plain.retain(|_, (of, _)| of != root);
        self.tree.take_if(|(of, _)| of == root);
    }
}

/// Takes in a file; dropped before its end, nothing is left of it.
pub struct Stager {
    blobs: Arc<Blobs>,
    place: PathBuf,
    data: Option<BufWriter<File>>,
    key: FileKey,
    cipher: ChaCha20,
    /// Over what the file was.
    plain: blake3::Hasher,
    /// Over its first part, which may be all of it.
    first: blake3::Hasher,
    /// The bytes of the part that is not full yet, encrypted.
    part: Vec<u8>,
    nodes: Vec<[u8; 32]>,
    bytes: u64,
}

impl Write for Stager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let many = bytes.len().min(PART_BYTES - self.part.len());
        if self.bytes + many as u64 > FILE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than a file may be: 64 GiB"));
        }
        let from = self.part.len();
        self.plain.update(&bytes[..many]);
        self.part.extend_from_slice(&bytes[..many]);
        self.cipher.apply_keystream(&mut self.part[from..]);
        self.bytes += many as u64;
        if self.part.len() == PART_BYTES {
            self.end_part()?;
        }
        Ok(many)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stager {
    fn end_part(&mut self) -> io::Result<()> {
        if self.nodes.is_empty() {
            self.first.update(&self.part);
        }
        self.nodes.push(part_node(self.nodes.len() as u32, &self.part));
        self.data.as_mut().expect("it ends once").write_all(&self.part)?;
        self.part.clear();
        Ok(())
    }

    /// Ends the file and makes it durable; where the same was taken in before, that one counts. Of nothing there is no file.
    pub fn finish(mut self) -> io::Result<Staged> {
        if !self.part.is_empty() {
            self.end_part()?;
        }
        if self.bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is nothing in it"));
        }
        let bytes = self.bytes;
        let data = self.data.take().expect("it ends once").into_inner().map_err(|failed| failed.into_error())?;
        data.sync_data()?;
        let root = match &self.nodes[..] {
            [_] => *self.first.finalize().as_bytes(),
            nodes => PartTree::over(nodes.to_vec()).root().expect("it has several parts"),
        };
        let plain = *self.plain.finalize().as_bytes();
        let blobs = Arc::clone(&self.blobs);
        let mut state = blobs.state();
        if let Some((root, key)) = state.plain.get(&plain).copied()
            && state.blobs.get(&root).is_some_and(|blob| blob.have.is_all())
        {
            state.staged.insert(root, Instant::now());
            return Ok(Staged { bytes, root, key });
        }
        let have = Parts::all(parts_of(bytes));
        write_new(&self.place.join(NODES), self.nodes.as_flattened())?;
        write_new(&self.place.join(PLAIN), &[plain, self.key.0].concat())?;
        write_have(&self.place, bytes, &have)?;
        sync_directory(&self.place)?;
        fs::rename(&self.place, blobs.dir.join(hex(&root)))?;
        sync_directory(&blobs.dir)?;
        state.plain.insert(plain, (root, self.key));
        state.blobs.insert(root, Blob { size: bytes, have, data: None, why: Why::Wanted });
        state.staged.insert(root, Instant::now());
        Ok(Staged { bytes, root, key: self.key })
    }
}

impl Drop for Stager {
    fn drop(&mut self) {
        // Where it was finished it has another name by now; what stays is swept at the next start.
        let _ = remove(&self.place);
    }
}

/// Reads what lies encrypted.
struct Opened {
    data: io::Take<BufReader<File>>,
    cipher: ChaCha20,
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let many = self.data.read(into)?;
        self.cipher.apply_keystream(&mut into[..many]);
        Ok(many)
    }
}

const DATA: &str = "data";
const HAVE: &str = "have";
const NODES: &str = "nodes";
const PLAIN: &str = "plain";

/// A key opens one file, so every file begins at the same place of its stream.
fn cipher(key: &FileKey) -> ChaCha20 {
    ChaCha20::new(&key.0.into(), &[0; 12].into())
}

fn nodes_of(data: &Path, size: u64) -> io::Result<Vec<[u8; 32]>> {
    let mut data = File::open(data)?;
    let mut bytes = vec![0; PART_BYTES];
    let node = |index| {
        let bytes = &mut bytes[..part_len(size, index)];
        data.read_exact(bytes)?;
        Ok(part_node(index, bytes))
    };
    (0..parts_of(size)).map(node).collect()
}

fn read_have(place: &Path) -> Option<(u64, Parts)> {
    let bytes = fs::read(place.join(HAVE)).ok()?;
    let (size, bits) = bytes.split_first_chunk()?;
    let size = u64::from_be_bytes(*size);
    (size > 0 && size <= FILE_BYTES_MAX).then(|| (size, Parts::read(parts_of(size), bits)))
}

/// Bits are only ever added where they are, so whatever part of this reaches the disk is true.
fn write_have(place: &Path, size: u64, have: &Parts) -> io::Result<()> {
    let file = options().write(true).create(true).truncate(false).open(place.join(HAVE))?;
    file.write_all_at(&[&size.to_be_bytes()[..], &have.write()].concat(), 0)?;
    file.sync_data()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(path),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Shape;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * 7 + n / 253) as u8).collect()
    }

    fn stage(blobs: &Arc<Blobs>, bytes: &[u8]) -> Staged {
        let mut stager = blobs.stage().unwrap();
        io::copy(&mut &bytes[..], &mut stager).unwrap();
        stager.finish().unwrap()
    }

    fn blobs(dir: &Path) -> Arc<Blobs> {
        Arc::new(Blobs::open(dir.join("files")).unwrap())
    }

    fn enclosed(staged: &Staged) -> Enclosed {
        let Staged { bytes, root, key } = *staged;
        Enclosed { name: "x".into(), bytes, root, key, shape: Shape::File, part_log: PART_LOG }
    }

    fn node(n: u8) -> NodeId {
        NodeId::from_trusted([n; 32])
    }

    #[test]
    fn a_file_goes_part_by_part_in_any_order_and_is_read_back_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        for (n, len) in
            [1, 70_000, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 5 * PART_BYTES + 9].into_iter().enumerate()
        {
            let place = home.path().join(n.to_string());
            let (from, to) = (blobs(&place.join("a")), blobs(&place.join("b")));
            fs::create_dir_all(place.join("a")).unwrap();
            fs::create_dir_all(place.join("b")).unwrap();
            let plain = bytes(len);
            let staged = stage(&from, &plain);
            let lies = fs::read(from.dir().join(hex(&staged.root)).join(DATA)).unwrap();
            assert!(
                lies != plain && *blake3::hash(&lies).as_bytes() == staged.root,
                "encrypted, and named by its hash"
            );
            to.want(&enclosed(&staged));
            for index in (0..parts_of(staged.bytes)).rev() {
                let part = from.part(&staged.root, index).unwrap();
                assert!(to.take(&part, false) && to.take(&part, false));
                to.sync().unwrap();
            }
            let mut read = Vec::new();
            blobs(&place.join("b")).read(&staged.root, &staged.key).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == plain, "{len} bytes, after a restart");
        }
    }

    #[test]
    fn the_same_file_is_taken_in_once_also_after_a_restart_and_what_nothing_names_is_swept() {
        let home = tempfile::tempdir().unwrap();
        let first = stage(&blobs(home.path()), &bytes(300_000));
        let again = blobs(home.path());
        assert_eq!(stage(&again, &bytes(300_000)), first);
        assert_ne!(stage(&again, &bytes(300_001)).root, first.root);
        drop(again.stage().unwrap());
        assert_eq!(again.usage().0, 2);
        let swept = blobs(home.path());
        swept.sweep(&[first.root].into()).unwrap();
        let left: Vec<_> = fs::read_dir(swept.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [&*hex(&first.root)]);
    }

    #[test]
    fn what_nobody_asked_for_is_bounded_and_shared_and_a_stranger_s_is_not_taken() {
        let home = tempfile::tempdir().unwrap();
        let blobs = blobs(home.path());
        let file = |n: u32, bytes: u64| {
            let mut root = [0; 32];
            root[..4].copy_from_slice(&n.to_be_bytes());
            Enclosed { root, ..enclosed(&Staged { bytes, root, key: FileKey([0; 32]) }) }
        };
        assert!(!blobs.offer(node(1), &file(0, PUSH_BYTES_MAX + 1)), "it is to be asked for");
        let many =
            |by: u8| (0..1_000).filter(|n| blobs.offer(node(by), &file(u32::from(by) << 16 | n, 1 << 20))).count();
        assert_eq!([many(1), many(2)], [64, 64]);
        assert_eq!((3..20).map(many).sum::<usize>(), 128, "together no more than there is room for");
        assert_eq!(blobs.usage(), (256, 0), "and nothing is written before it comes");
        let part = Part { root: [9; 32], size: 5, ..Part::default() };
        assert!(!blobs.take(&part, false), "a stranger's, and nobody asked for it");
        blobs.want(&file(1 << 16, 1 << 20));
        let lie = Part { root: file(1 << 16, 1).root, size: 1 << 21, ..Part::default() };
        assert!(!blobs.take(&lie, true), "it is another size than its message says");
    }

    #[test]
    fn parts_that_come_before_their_message_are_kept_within_bounds() {
        let home = tempfile::tempdir().unwrap();
        let blobs = blobs(home.path());
        let part = |n: u32| {
            let mut root = [0; 32];
            root[..4].copy_from_slice(&n.to_be_bytes());
            Part { root, size: PART_BYTES as u64, bytes: vec![1; 9], ..Part::default() }
        };
        let taken = (0..400).filter(|n| blobs.take(&part(*n), true)).count();
        assert_eq!(taken as u64, EARLY_BYTES_MAX / PART_BYTES as u64);
    }

    #[test]
    fn what_cannot_be_written_fails_the_commit_that_would_promise_it() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("files"), "in the way").unwrap();
        let blobs = Arc::new(Blobs { dir: home.path().join("files"), state: Mutex::default() });
        let part = Part { root: [9; 32], size: 5, bytes: vec![1; 5], ..Part::default() };
        assert!(blobs.take(&part, true));
        assert!(blobs.sync().is_err());
        assert!(blobs.have(&[9; 32]).unwrap().1.is_empty());
        blobs.sync().unwrap();
    }
}

//! A file of this machine is taken in: it lies here encrypted, cut into parts, and named by what lies here.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

use super::place::{DATA, NODES, PLAIN, make_directory, options, remove, sync_directory, write_have, write_new};
use super::{Blob, Blobs, Staged, Why};
use crate::content::{FILE_BYTES_MAX, FileKey, PART_BYTES, PartTree, Root, part_node, parts_of};
use crate::id::hex;
use crate::mail::files::Parts;

impl Blobs {
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
}

impl Blobs {
    /// What was taken in here under a name, whole; it waits for its message anew.
    pub fn staged(&self, root: &Root) -> Option<Staged> {
        let mut state = self.state();
        let key = state.plain.values().find(|(known, _)| known == root).map(|(_, key)| *key)?;
        let bytes = state.blobs.get(root).filter(|blob| blob.have.is_all())?.size;
        state.staged.insert(*root, Instant::now());
        Some(Staged { bytes, root: *root, key })
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

/// A key opens one file, so every file begins at the same place of its stream.
pub(super) fn cipher(key: &FileKey) -> ChaCha20 {
    ChaCha20::new(&key.0.into(), &[0; 12].into())
}

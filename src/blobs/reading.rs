//! What is here is read: part by part with what proves each, or whole and as it was.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use chacha20::ChaCha20;
use chacha20::cipher::{StreamCipher, StreamCipherSeek};

use super::Blobs;
use super::encrypting::cipher;
use super::place::{DATA, NODES};
use crate::content::{FileKey, PART_BYTES, Part, PartTree, Root, part_len, part_node, parts_of};
use crate::id::hex;

impl Blobs {
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
            false => Err(changed()),
        }
    }

    /// One part of a file that is here, as it was.
    pub fn opened(&self, root: &Root, key: &FileKey, index: u32) -> io::Result<Vec<u8>> {
        let mut bytes = self.part(root, index)?.bytes;
        let mut cipher = cipher(key);
        cipher.try_seek(u64::from(index) * PART_BYTES as u64).map_err(io::Error::other)?;
        cipher.apply_keystream(&mut bytes);
        Ok(bytes)
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

    /// Reads a whole file that is here. What the disk changed of it is an error at its end.
    pub fn read(&self, root: &Root, key: &FileKey) -> io::Result<impl Read + use<>> {
        let data =
            self.lies(root)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not all of the file is here"))?;
        Ok(Opened { data, cipher: cipher(key) })
    }

    /// Whether what lies here of a file is what its parts were, as far as that can be told: of a file that is not whole,
    /// whether there are as many bytes as it says.
    pub fn is_sound(&self, root: &Root) -> io::Result<bool> {
        let looked = self.lies(root).and_then(|data| {
            data.map_or_else(
                || self.has_room_for_its_parts(root),
                |mut data| io::copy(&mut data, &mut io::sink()).map(|_| true),
            )
        });
        match looked {
            Ok(is_sound) => Ok(is_sound),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn has_room_for_its_parts(&self, root: &Root) -> io::Result<bool> {
        let Some((size, have)) = self.have(root) else { return Ok(true) };
        let Some(last) = have.iter().last() else { return Ok(true) };
        let end = u64::from(last) * PART_BYTES as u64 + part_len(size, last) as u64;
        match fs::metadata(self.dir.join(hex(root)).join(DATA)) {
            Ok(data) => Ok(data.len() >= end),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a whole file as they lie; none where it is not whole.
    fn lies(&self, root: &Root) -> io::Result<Option<Lies>> {
        let whole = self.state().blobs.get(root).filter(|blob| blob.have.is_all()).map(|blob| blob.size);
        let Some(size) = whole else { return Ok(None) };
        let data = match File::open(self.dir.join(hex(root)).join(DATA)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(changed()),
            data => data?,
        };
        let data = BufReader::with_capacity(PART_BYTES, data).take(size);
        Ok(Some(Lies { data, hasher: blake3::Hasher::new(), root: *root }))
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the disk changed what lies there")
}

/// Reads what lies encrypted, and sees at the end whether it is what its root names.
struct Lies {
    data: io::Take<BufReader<File>>,
    hasher: blake3::Hasher,
    root: Root,
}

impl Read for Lies {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let many = self.data.read(into)?;
        self.hasher.update(&into[..many]);
        match many == 0 && !into.is_empty() && *self.hasher.finalize().as_bytes() != self.root {
            true => Err(changed()),
            false => Ok(many),
        }
    }
}

/// Reads what lies encrypted.
struct Opened {
    data: Lies,
    cipher: ChaCha20,
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let many = self.data.read(into)?;
        self.cipher.apply_keystream(&mut into[..many]);
        Ok(many)
    }
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

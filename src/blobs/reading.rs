//! What is here is read: part by part with what proves each, or whole and as it was.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher;

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

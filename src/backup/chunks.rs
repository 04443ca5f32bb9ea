//! The body of a backup: chunks whose nonces count them and mark the last.

use std::io::{self, BufRead, Read, Write};

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use chacha20poly1305::ChaCha20Poly1305;
use zeroize::Zeroizing;

use super::BackupError;

/// Bytes of a chunk before encryption; the last has fewer, perhaps none.
pub(super) const CHUNK_BYTES: usize = 64 << 10;
/// Bytes that encryption adds to a chunk.
pub(super) const TAG_BYTES: usize = 16;

type Stream = StreamBE32<ChaCha20Poly1305>;

/// The key belongs to one file alone, so the rest of the nonce may be the same in all files.
fn stream(key: &[u8; 32]) -> Stream {
    Stream::new(key.into(), &[0; 7].into())
}

/// Cuts what is written into chunks and encrypts them.
pub(super) struct ChunkWriter<W> {
    out: W,
    stream: Stream,
    count: u32,
    /// The chunk being filled, with room for its tag.
    filling: Zeroizing<Vec<u8>>,
}

impl<W: Write> ChunkWriter<W> {
    pub fn new(out: W, key: &[u8; 32]) -> ChunkWriter<W> {
        let filling = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        ChunkWriter { out, stream: stream(key), count: 0, filling }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.copy(&mut &bytes[..]).map(drop)
    }

    /// Takes everything a reader has, and returns how much it was.
    pub fn copy(&mut self, from: &mut impl Read) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let room = CHUNK_BYTES - self.filling.len();
            let taken = from.by_ref().take(room as u64).read_to_end(&mut self.filling)?;
            total += taken as u64;
            if taken < room {
                return Ok(total);
            }
            self.seal(false)?;
        }
    }

    /// Encrypts the last chunk and returns the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let sealed = self.stream.encrypt_in_place(self.count, last, &[], &mut *self.filling);
        sealed.expect("a chunk is far below the limits of the cipher");
        self.out.write_all(&self.filling)?;
        self.filling.clear();
        self.count = self.count.checked_add(1).ok_or_else(|| io::Error::other("a backup has at most 256 TiB"))?;
        Ok(())
    }
}

/// Decrypts chunks and gives out only bytes that were checked.
pub(super) struct ChunkReader<R> {
    from: R,
    stream: Stream,
    count: u32,
    open: Zeroizing<Vec<u8>>,
    /// What of `open` was given out.
    at: usize,
    /// Whether `open` is the last chunk.
    last: bool,
}

impl<R: BufRead> ChunkReader<R> {
    pub fn new(from: R, key: &[u8; 32]) -> ChunkReader<R> {
        let open = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        ChunkReader { from, stream: stream(key), count: 0, open, at: 0, last: false }
    }

    /// Reads up to `into.len()` bytes; 0 only after the last chunk, when nothing was missing.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, BackupError> {
        let ready = self.ready()?;
        let len = ready.len().min(into.len());
        into[..len].copy_from_slice(&ready[..len]);
        self.at += len;
        Ok(len)
    }

    /// Reads exactly `into.len()` bytes of a record's head.
    pub fn read_exact(&mut self, into: &mut [u8]) -> Result<(), BackupError> {
        let mut at = 0;
        while at < into.len() {
            match self.read(&mut into[at..])? {
                0 => return Err(BackupError::Malformed),
                read => at += read,
            }
        }
        Ok(())
    }

    /// Hands up to `len` checked bytes to `sink` and returns how many; at least one, or the record ends too early.
    pub fn advance(&mut self, len: u64, sink: impl FnOnce(&[u8])) -> Result<u64, BackupError> {
        let ready = self.ready()?;
        if ready.is_empty() {
            return Err(BackupError::Malformed);
        }
        let taken = usize::try_from(len).map_or(ready.len(), |len| len.min(ready.len()));
        sink(&ready[..taken]);
        self.at += taken;
        Ok(taken as u64)
    }

    /// The checked bytes not yet given out; empty only after the last chunk.
    fn ready(&mut self) -> Result<&[u8], BackupError> {
        while self.at == self.open.len() && !self.last {
            self.next_chunk()?;
        }
        Ok(&self.open[self.at..])
    }

    fn next_chunk(&mut self) -> Result<(), BackupError> {
        self.open.clear();
        self.at = 0;
        self.from.by_ref().take((CHUNK_BYTES + TAG_BYTES) as u64).read_to_end(&mut self.open)?;
        if self.open.len() < TAG_BYTES {
            return Err(BackupError::Truncated);
        }
        let last = self.from.fill_buf()?.is_empty();
        let cut = Zeroizing::new(if last { self.open.to_vec() } else { Vec::new() });
        if self.stream.decrypt_in_place(self.count, last, &[], &mut *self.open).is_err() {
            self.open.clear();
            return Err(self.why_shut(cut));
        }
        self.last = last;
        self.count = self.count.checked_add(1).ok_or(BackupError::Malformed)?;
        Ok(())
    }

    /// A chunk that ends the file and opens as one in the middle says that the rest was cut off.
    fn why_shut(&self, mut chunk: Zeroizing<Vec<u8>>) -> BackupError {
        match self.stream.decrypt_in_place(self.count, false, &[], &mut *chunk) {
            Ok(()) => BackupError::Truncated,
            Err(_) => BackupError::Damaged { chunk: self.count },
        }
    }
}

//! Backups: one encrypted file with the identity, the configuration and whatever the store hands over.
//!
//! ```text
//! header   "dak-backup\n" version, Argon2id memory (KiB), passes, lanes, salt          40 bytes
//! check    BLAKE3 keyed by the passphrase's key, over the header                       32 bytes
//! chunks   64 KiB each, the last one shorter: ChaCha20-Poly1305, 16 bytes of tag each
//! inside   records: name length (1 byte), name, length (8 bytes), bytes
//! ```
//!
//! The chunks are a STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): the nonce counts them and marks the last,
//! so that none can be changed, moved, left out or cut off. Their key depends on the whole header. Both directions
//! stream: a store of 10 GB needs a chunk of memory. Numbers are big-endian.
//!
//! A reader knows that a backup is whole only when [`BackupReader::next_record`] has returned `None`: restore into a
//! place of its own, and put it into use after that.

mod chunks;
mod header;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::home::{private_temporary, publish};

use chunks::{ChunkReader, ChunkWriter};
use header::{Costs, Header};

/// The record that holds the identity's file.
pub const IDENTITY: &str = "identity.key";
/// The record that holds the configuration.
pub const CONFIG: &str = "config.toml";
/// Longest name of a record in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a backup could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{path:?} exists already: name another file, a backup is never written over")]
    Exists { path: PathBuf },
    #[error("a backup needs a passphrase: without one, whoever finds the file has the key")]
    NoPassphrase,
    #[error("{path:?} is not a backup of dak")]
    NotABackup { path: PathBuf },
    #[error("the backup has format {0}, which is newer than this version of dak: update dak, then restore")]
    Newer(u8),
    #[error("the backup asks for more memory or time than any backup of dak does: its header is damaged")]
    Costs,
    #[error("the passphrase is wrong, or the first bytes of the backup are damaged")]
    WrongPassphrase,
    #[error("the backup ends too early: the file was copied incompletely, use another copy")]
    Truncated,
    #[error("the backup is damaged or was changed (at chunk {chunk}): use another copy")]
    Damaged { chunk: u32 },
    #[error("the backup is whole, but what it holds is not a sequence of records")]
    Malformed,
    #[error("the record {name:?} in the backup has {len} bytes, more than the {len_max} expected")]
    TooLong { name: String, len: u64, len_max: u64 },
    #[error("the operating system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
    #[error("there is not enough memory to stretch the passphrase")]
    Memory,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Writes a backup; nothing has the wanted name before [`BackupWriter::finish`].
pub struct BackupWriter {
    out: PathBuf,
    chunks: ChunkWriter<BufWriter<NamedTempFile>>,
}

impl BackupWriter {
    /// Starts a backup in a temporary file beside `out`, readable by its owner only.
    pub fn create(out: &Path, passphrase: &str) -> Result<BackupWriter, BackupError> {
        BackupWriter::create_with(out, passphrase, Costs::RECOMMENDED)
    }

    fn create_with(out: &Path, passphrase: &str, costs: Costs) -> Result<BackupWriter, BackupError> {
        // Asked again when the file gets its name; here it saves a person the wait.
        if out.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path: out.to_owned() });
        }
        let header = Header::new(costs)?;
        let keys = header.keys(passphrase)?;
        let mut file = BufWriter::new(private_temporary(out)?);
        header.write(&keys, &mut file)?;
        Ok(BackupWriter { out: out.to_owned(), chunks: ChunkWriter::new(file, &keys.chunks) })
    }

    /// Adds a record.
    pub fn record(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        self.stream(name, bytes.len() as u64, &mut &bytes[..])
    }

    /// Adds a record of exactly `len` bytes from a reader; a shorter one ends the backup with an error.
    pub fn stream(&mut self, name: &str, len: u64, from: &mut dyn Read) -> Result<(), BackupError> {
        let name_len = u8::try_from(name.len()).map_err(|_| io::Error::other("the name of a record is too long"))?;
        self.chunks.write(&[name_len])?;
        self.chunks.write(name.as_bytes())?;
        self.chunks.write(&len.to_be_bytes())?;
        if self.chunks.copy(&mut from.take(len))? < len {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    /// Ends the backup, makes it durable and gives it its name, unless that name was taken meanwhile.
    pub fn finish(self) -> Result<(), BackupError> {
        let file = self.chunks.finish()?.into_inner().map_err(|failed| failed.into_error())?;
        publish(file, &self.out).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { path: self.out },
            _ => error.into(),
        })
    }
}

/// Reads a backup, record by record.
pub struct BackupReader {
    chunks: ChunkReader<BufReader<File>>,
    /// Bytes of the current record that nobody has read yet.
    left: u64,
}

impl BackupReader {
    /// Opens a backup and checks the passphrase.
    pub fn open(path: &Path, passphrase: &str) -> Result<BackupReader, BackupError> {
        let mut file = BufReader::new(File::open(path)?);
        let not_a_backup = || BackupError::NotABackup { path: path.to_owned() };
        let (header, check) = Header::read(&mut file)?.ok_or_else(not_a_backup)?;
        let keys = header.checked_keys(passphrase, &check)?;
        Ok(BackupReader { chunks: ChunkReader::new(file, &keys.chunks), left: 0 })
    }

    /// Returns the next record, skipping what was not read of the last one; `None` says that the backup was whole.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, BackupError> {
        while self.left > 0 {
            self.left -= self.chunks.advance(self.left, |_| {})?;
        }
        let mut name_len = [0; 1];
        if self.chunks.read(&mut name_len)? == 0 {
            return Ok(None);
        }
        let mut name = vec![0; usize::from(name_len[0])];
        self.chunks.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| BackupError::Malformed)?;
        let mut len = [0; 8];
        self.chunks.read_exact(&mut len)?;
        let len = u64::from_be_bytes(len);
        self.left = len;
        Ok(Some(Record { name, len, reader: self }))
    }
}

/// One record of a backup; reading it gives bytes that were checked.
pub struct Record<'a> {
    pub name: String,
    /// Bytes in all.
    pub len: u64,
    reader: &'a mut BackupReader,
}

impl Record<'_> {
    /// Reads up to `into.len()` bytes; 0 at the record's end.
    pub fn read_some(&mut self, into: &mut [u8]) -> Result<usize, BackupError> {
        let want = usize::try_from(self.reader.left).map_or(into.len(), |left| left.min(into.len()));
        if want == 0 {
            return Ok(0);
        }
        match self.reader.chunks.read(&mut into[..want])? {
            // The stream is whole, so whoever wrote it wrote a wrong length.
            0 => Err(BackupError::Malformed),
            read => {
                self.reader.left -= read as u64;
                Ok(read)
            }
        }
    }

    /// Returns the whole record if it has at most `len_max` bytes.
    pub fn bytes(self, len_max: usize) -> Result<Vec<u8>, BackupError> {
        if self.len > len_max as u64 {
            return Err(BackupError::TooLong { name: self.name, len: self.len, len_max: len_max as u64 });
        }
        // Grows with what is there, whatever length the record claims.
        let mut bytes = Vec::new();
        while self.reader.left > 0 {
            self.reader.left -= self.reader.chunks.advance(self.reader.left, |part| bytes.extend_from_slice(part))?;
        }
        Ok(bytes)
    }
}

/// Errors of the backup come through as the inner error of an [`io::Error`].
impl Read for Record<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_some(into).map_err(|error| match error {
            BackupError::Io(error) => error,
            other => io::Error::other(other),
        })
    }
}

#[cfg(test)]
mod tests;

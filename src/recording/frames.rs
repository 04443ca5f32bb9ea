//! The frames of a recording: what tells a file that was cut from one that was changed.
//!
//! ```text
//! length  4 bytes, big endian     head check  8 bytes     record  CBOR of that length     check  8 bytes
//! ```
//! Both checks are the first bytes of a hash over everything before them, so that a length is believed before anything
//! is read by it: only where the file ends inside a frame whose head holds was it cut.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{RECORDING_VERSION, RecordingError};

/// The first line, before the version.
const TITLE: &str = "dak recording ";
/// Longest first line read.
const TITLE_BYTES_MAX: u64 = 64;
/// A buffer larger than this is given back after its record.
const BUFFER_BYTES_MAX: usize = 4 << 20;

type Check = [u8; 8];

/// The hash of a file so far.
struct Chain(blake3::Hasher);

impl Chain {
    fn new() -> Chain {
        Chain(blake3::Hasher::new_derive_key("dak 2026 recording frames v1"))
    }

    fn add(&mut self, bytes: &[u8]) -> Check {
        self.0.update(bytes);
        self.0.finalize().as_bytes()[..8].try_into().expect("8 of 32 bytes")
    }
}

pub struct Writer<W> {
    writer: W,
    chain: Chain,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    pub fn begin(mut writer: W) -> Result<Writer<W>, RecordingError> {
        writeln!(writer, "{TITLE}{RECORDING_VERSION}").map_err(RecordingError::Write)?;
        Ok(Writer { writer, chain: Chain::new(), buffer: Vec::new() })
    }

    pub fn write(&mut self, record: &impl Serialize) -> Result<(), RecordingError> {
        self.buffer.clear();
        ciborium::into_writer(record, &mut self.buffer).expect("memory takes what is written");
        let length = u32::try_from(self.buffer.len()).map_err(|_| too_long())?.to_be_bytes();
        let head = self.chain.add(&length);
        let check = self.chain.add(&self.buffer);
        let parts = [&length[..], &head, &self.buffer, &check];
        parts.into_iter().try_for_each(|part| self.writer.write_all(part)).map_err(RecordingError::Write)?;
        if self.buffer.capacity() > BUFFER_BYTES_MAX {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    pub fn flush(&mut self) -> Result<(), RecordingError> {
        self.writer.flush().map_err(RecordingError::Write)
    }
}

fn too_long() -> RecordingError {
    RecordingError::Write(io::Error::new(io::ErrorKind::FileTooLarge, "what is durable takes more than 4 GiB"))
}

pub struct Reader<R> {
    reader: R,
    chain: Chain,
}

/// What comes next in a file.
pub enum Next<T> {
    Record(T),
    /// The file ends after a whole record.
    Over,
    /// The file ends inside a record.
    Cut,
}

/// Why a frame cannot be read.
pub enum Broken {
    Read(io::Error),
    Damaged(String),
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    pub fn begin(mut reader: R) -> Result<Reader<R>, RecordingError> {
        let mut line = Vec::new();
        (&mut reader).take(TITLE_BYTES_MAX).read_until(b'\n', &mut line).map_err(RecordingError::Read)?;
        let line = std::str::from_utf8(&line).map_err(|_| RecordingError::Foreign)?;
        let version = line.strip_suffix('\n').and_then(|line| line.strip_prefix(TITLE));
        match version.and_then(|version| version.parse().ok()) {
            Some(RECORDING_VERSION) => Ok(Reader { reader, chain: Chain::new() }),
            Some(version) => Err(RecordingError::Version(version)),
            None => Err(RecordingError::Foreign),
        }
    }

    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Next<T>, Broken> {
        let (mut length, mut head, mut check) = ([0; 4], Check::default(), Check::default());
        if self.reader.fill_buf().map_err(Broken::Read)?.is_empty() {
            return Ok(Next::Over);
        }
        if !self.fill(&mut length)? || !self.fill(&mut head)? {
            return Ok(Next::Cut);
        }
        if self.chain.add(&length) != head {
            return Err(Broken::Damaged("a length is not what was written".into()));
        }
        let (length, mut record) = (u32::from_be_bytes(length), Vec::new());
        (&mut self.reader).take(length.into()).read_to_end(&mut record).map_err(Broken::Read)?;
        if record.len() < length as usize || !self.fill(&mut check)? {
            return Ok(Next::Cut);
        }
        if self.chain.add(&record) != check {
            return Err(Broken::Damaged("a record is not what was written".into()));
        }
        let mut rest = &record[..];
        let read = ciborium::from_reader(&mut rest).map_err(|why| Broken::Damaged(why.to_string()))?;
        if rest.is_empty() { Ok(Next::Record(read)) } else { Err(Broken::Damaged("a record is too long".into())) }
    }

    /// Says whether there was enough.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, Broken> {
        match self.reader.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(why) => Err(Broken::Read(why)),
        }
    }
}

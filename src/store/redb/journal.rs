//! Small commits, written once and in order before redb writes their pages.
//!
//! A commit of redb costs two syncs and ten pages, whatever it changes. So one that changes little is appended to the
//! journal and synced, and then committed in redb's memory alone, where readers see it at once. The next large commit, or
//! one for which the journal has no room, makes all of them durable in redb (a fold); it names a new era in the same
//! transaction, and entries of any other era count no more.
//!
//! An entry holds what a commit did to the tables (`log.rs`) and begins at a multiple of [`SLOT_BYTES`], so that none is
//! written beside one that was acknowledged; numbers are little-endian:
//!
//! ```text
//! checksum 16 | era 8 | number in the era 8 | length 4 | operations
//! ```
//! The first entry of an era begins the file again, over those of eras before. Which entries count is told by the era
//! alone: it is drawn at random, so nobody takes an entry of another store, or of before a backup, for one of theirs. The
//! layout is part of the store's format.
//!
//! Only the last entry may be in doubt, because each is synced before the next is written. Half of it is nothing; all of
//! it counts, and is synced again before anybody reads it. An entry that is missing before another is damage.
//!
//! The file is as long as it will ever be from the beginning, because a sync of a file that grows writes the file system's
//! own tables as well. It stays within [`StoreOptions::journal_bytes`](super::StoreOptions::journal_bytes), which bounds
//! what a start has to replay: so nothing is folded when the node is idle, where each lone message would cost the pages
//! that the journal spares it.

use redb::StorageBackend;

use super::failure::io_failed;
use super::log::{Log, take, take_slice};
use crate::store::StoreError;

/// Where entries may begin.
const SLOT_BYTES: u64 = 4_096;
/// How much of a file is looked at; nothing of ours is that long.
const READ_BYTES_MAX: u64 = 64 << 20;
const CHECKSUM_BYTES: usize = 16;
/// Everything before the operations.
const HEAD_BYTES: usize = CHECKSUM_BYTES + 8 + 8 + 4;

/// The open journal of a store.
pub struct Journal {
    storage: Box<dyn StorageBackend>,
    /// No entry reaches beyond this.
    room_bytes: u64,
    era: u64,
    /// How many entries the era has.
    entries: u64,
    /// Where the next one goes.
    tail: u64,
}

impl Journal {
    /// Opens the journal of a store whose entries are those of `era`, and returns their operations.
    pub fn open(
        storage: Box<dyn StorageBackend>,
        room_bytes: u64,
        era: u64,
    ) -> Result<(Journal, Vec<Vec<u8>>), StoreError> {
        let bytes = read_all(&*storage)?;
        let found = entries(&bytes, era);
        if !is_whole(&found) {
            return Err(StoreError::Damaged("an entry of its journal is lost".into()));
        }
        let tail = found.last().map_or(0, |entry| entry.at + slots(entry.bytes.len()));
        let mut journal = Journal { storage, room_bytes, era, entries: found.len() as u64, tail };
        // The last one may be all that a process wrote before it died, and not on the disk yet.
        if let Some(entry) = found.last() {
            journal.write(entry.at, entry.bytes)?;
        }
        let len = bytes.len() as u64;
        if len < room_bytes {
            match journal.write(len, &vec![0; (room_bytes - len) as usize]) {
                // A store on a full disk has to do without.
                Err(StoreError::Full) => journal.room_bytes = 0,
                written => written?,
            }
        }
        Ok((journal, operations(&found)))
    }

    /// Reads what is left of a journal: the operations of every whole entry of `era`, and whether none is missing.
    pub fn salvage(storage: &dyn StorageBackend, era: u64) -> Result<(Vec<Vec<u8>>, bool), StoreError> {
        let bytes = read_all(storage)?;
        let found = entries(&bytes, era);
        Ok((operations(&found), is_whole(&found)))
    }

    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Whether a commit may go here.
    pub fn takes(&self, log: &Log) -> bool {
        !log.is_stopped() && self.tail + slots(HEAD_BYTES + log.operations().len()) <= self.room_bytes
    }

    /// Writes an entry; when this returns, it survives a power cut.
    pub fn append(&mut self, log: &Log) -> Result<(), StoreError> {
        let mut entry = vec![0; CHECKSUM_BYTES];
        entry.extend(self.era.to_le_bytes());
        entry.extend(self.entries.to_le_bytes());
        entry.extend((log.operations().len() as u32).to_le_bytes());
        entry.extend(log.operations());
        let checksum = checksum(&entry[CHECKSUM_BYTES..]);
        entry[..CHECKSUM_BYTES].copy_from_slice(&checksum);
        self.write(self.tail, &entry)?;
        self.entries += 1;
        self.tail += slots(entry.len());
        Ok(())
    }

    /// Starts an era, after a commit of redb that names it.
    pub fn begin(&mut self, era: u64) {
        (self.era, self.entries, self.tail) = (era, 0, 0);
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.storage.write(at, bytes).map_err(|error| io_failed(&error))?;
        self.storage.sync_data().map_err(|error| io_failed(&error))
    }
}

fn read_all(storage: &dyn StorageBackend) -> Result<Vec<u8>, StoreError> {
    let len = storage.len().map_err(|error| io_failed(&error))?;
    let mut bytes = vec![0; len.min(READ_BYTES_MAX) as usize];
    storage.read(0, &mut bytes).map_err(|error| io_failed(&error))?;
    Ok(bytes)
}

struct Entry<'a> {
    at: u64,
    bytes: &'a [u8],
    number: u64,
    operations: &'a [u8],
}

/// All whole entries of an era. Each was on the disk before the next was written, so if one is missing before another,
/// it was there.
fn entries(bytes: &[u8], era: u64) -> Vec<Entry<'_>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() as u64 {
        let entry = entry_at(bytes, at, era);
        at += entry.as_ref().map_or(SLOT_BYTES, |entry| slots(entry.bytes.len()));
        found.extend(entry);
    }
    found
}

fn operations(entries: &[Entry<'_>]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| entry.operations.to_vec()).collect()
}

fn is_whole(entries: &[Entry<'_>]) -> bool {
    entries.iter().enumerate().all(|(number, entry)| entry.number == number as u64)
}

fn entry_at(bytes: &[u8], at: u64, era: u64) -> Option<Entry<'_>> {
    let bytes = bytes.get(at as usize..)?;
    let mut rest = bytes;
    let stated: [u8; CHECKSUM_BYTES] = take(&mut rest)?;
    let found = u64::from_le_bytes(take(&mut rest)?);
    let number = u64::from_le_bytes(take(&mut rest)?);
    let len = u32::from_le_bytes(take(&mut rest)?);
    let operations = take_slice(&mut rest, len as usize)?;
    let bytes = &bytes[..HEAD_BYTES + operations.len()];
    let is_whole = found == era && checksum(&bytes[CHECKSUM_BYTES..]) == stated;
    is_whole.then_some(Entry { at, bytes, number, operations })
}

/// What an entry of this length takes of the file.
fn slots(len: usize) -> u64 {
    (len as u64).next_multiple_of(SLOT_BYTES)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    blake3::hash(bytes).as_bytes()[..CHECKSUM_BYTES].try_into().expect("16 of 32 bytes")
}

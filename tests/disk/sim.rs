//! A disk that remembers what it was never asked to make sure of, and fails when told to.

use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dak::store::StoreError;
use dak::store::redb::{DiskSync, RedbStore, Storage, StoreOptions};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use redb::{BackendError, StorageBackend};

use crate::image::{Image, Part};

/// A journal so short that it is often full.
const JOURNAL_BYTES: u64 = 48 << 10;

/// What a disk writes whole or not at all.
pub const SECTOR: usize = 512;

/// Something that was asked of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    pub part: Part,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Write { offset: u64, data: Arc<[u8]> },
    SetLen(u64),
    Sync,
}

/// How the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How many operations succeed before.
    pub after: u64,
    pub kind: ErrorKind,
    pub reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One write, change of length or sync fails.
    Once,
    /// All of them fail until the fault clears.
    Lasting,
    /// Reads fail, and nothing else does.
    Reads,
}

/// What failed since the fault began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures {
    pub count: u64,
    /// A sync was among them.
    pub sync: bool,
}

/// Storage for a store. Its clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

/// One of its files.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    part: Part,
}

#[derive(Debug)]
struct State {
    /// What reads see.
    live: Image,
    /// What is there after a power cut, whatever happens.
    durable: Image,
    /// What may be there.
    unsynced: Vec<Op>,
    log: Vec<Op>,
    fault: Option<Fault>,
    failures: Failures,
    random: ChaCha8Rng,
}

impl Op {
    /// Does it all.
    pub fn apply(&self, image: &mut Image) {
        match &self.what {
            What::Write { offset, data } => image[self.part].write(*offset, data),
            What::SetLen(len) => image[self.part].set_len(*len),
            What::Sync => {}
        }
    }

    /// Does what `keep` says of each sector; a change of length happens or does not.
    pub fn tear(&self, image: &mut Image, mut keep: impl FnMut() -> bool) {
        match &self.what {
            What::Write { offset, data } => {
                let mut at = 0;
                while at < data.len() {
                    let end = data.len().min(at + SECTOR - (*offset as usize + at) % SECTOR);
                    if keep() {
                        image[self.part].write(offset + at as u64, &data[at..end]);
                    }
                    at = end;
                }
            }
            What::SetLen(len) if keep() => image[self.part].set_len(*len),
            What::SetLen(_) | What::Sync => {}
        }
    }
}

impl SimDisk {
    pub fn of(image: Image) -> SimDisk {
        SimDisk::resumed(image, &[])
    }

    /// The disk of a process that ended with this much unsynced, while the machine went on.
    pub fn resumed(durable: Image, unsynced: &[Op]) -> SimDisk {
        let mut live = durable.clone();
        unsynced.iter().for_each(|op| op.apply(&mut live));
        let (unsynced, log) = (unsynced.to_vec(), unsynced.to_vec());
        let random = ChaCha8Rng::seed_from_u64(0);
        SimDisk(Arc::new(Mutex::new(State {
            live,
            durable,
            unsynced,
            log,
            fault: None,
            failures: Failures::default(),
            random,
        })))
    }

    pub fn open(&self, cache_bytes: usize) -> Result<RedbStore, StoreError> {
        let disk = self.clone();
        let options = StoreOptions { cache_bytes, sync: DiskSync::Always, journal_bytes: JOURNAL_BYTES };
        let file = move |part| Box::new(SimFile { disk: disk.clone(), part });
        let open = move || Ok(Storage { pages: file(Part::Pages), journal: Some(file(Part::Journal)) });
        RedbStore::open_with(Box::new(open), options)
    }

    /// Fails from now on as told; `seed` says what of a failing operation happens all the same.
    pub fn fail(&self, fault: Fault, seed: u64) {
        let mut state = self.state();
        state.fault = Some(fault);
        state.random = ChaCha8Rng::seed_from_u64(seed);
    }

    /// The fault clears. Says what failed.
    pub fn heal(&self) -> Failures {
        let mut state = self.state();
        state.fault = None;
        std::mem::take(&mut state.failures)
    }

    /// How many operations there were.
    pub fn logged(&self) -> usize {
        self.state().log.len()
    }

    pub fn log(&self) -> Vec<Op> {
        self.state().log.clone()
    }

    pub fn live(&self) -> Image {
        self.state().live.clone()
    }

    /// What is there after a power cut that lets through what it was not asked for as `tear` says.
    pub fn cut(&self, tear: impl FnOnce(&mut Image, &[Op])) -> Image {
        let state = self.state();
        let mut image = state.durable.clone();
        tear(&mut image, &state.unsynced);
        image
    }

    // A panic of redb over what it read leaves nothing here half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn perform(&mut self, op: Op) -> io::Result<()> {
        if let Some(kind) = self.fails(false) {
            self.fail(&op);
            return Err(kind.into());
        }
        match op.what {
            What::Sync => {
                let synced = self.unsynced.extract_if(.., |earlier| earlier.part == op.part);
                synced.for_each(|op| op.apply(&mut self.durable));
            }
            _ => {
                op.apply(&mut self.live);
                self.unsynced.push(op.clone());
            }
        }
        self.log.push(op);
        Ok(())
    }

    fn fails(&mut self, reading: bool) -> Option<ErrorKind> {
        let fault = self.fault.as_mut()?;
        if (fault.reach == Reach::Reads) != reading {
            return None;
        }
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        let kind = fault.kind;
        if fault.reach == Reach::Once {
            self.fault = None;
        }
        self.failures.count += 1;
        Some(kind)
    }

    fn fail(&mut self, op: &Op) {
        self.failures.sync |= op.what == What::Sync;
        let State { live, durable, unsynced, random, .. } = self;
        match &op.what {
            // What a failed sync did not write is never written: the page cache counts it as clean from then on.
            What::Sync => {
                let lost = unsynced.extract_if(.., |earlier| earlier.part == op.part);
                lost.for_each(|op| op.tear(durable, || random.next_u32().is_multiple_of(2)));
            }
            What::Write { offset, data } => {
                // A write fails in the middle.
                let kept = random.next_u64() as usize % (data.len() / SECTOR + 1) * SECTOR;
                let piece = What::Write { offset: *offset, data: data[..kept].into() };
                let piece = Op { part: op.part, what: piece };
                piece.apply(live);
                unsynced.push(piece);
            }
            What::SetLen(_) => {}
        }
    }
}

impl SimFile {
    fn perform(&self, what: What) -> io::Result<()> {
        self.disk.state().perform(Op { part: self.part, what })
    }
}

impl StorageBackend for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().live[self.part].len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        match state.fails(true) {
            Some(kind) => Err(kind.into()),
            None if state.live[self.part].read(offset, out) => Ok(()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.perform(What::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.perform(What::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.perform(What::Write { offset, data: data.into() })
    }

    // Locks as a file has them, because the store mends a first initialisation once it holds one.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

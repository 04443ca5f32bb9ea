//! A history on the simulated disk, and the images that a power cut at any of its points may leave.
//!
//! A store does not know that a cut will come, so one run has every crash of that run in it: the operations before the
//! point, of which those since the last sync may be there, torn, or not there.

use std::sync::Arc;

use dak::agent::change::{Change, Row};
use dak::store::Store;
use dak::store::memory::MemoryStore;
use dak::store::redb::RedbStore;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::image::Image;
use crate::inspect::{Known, after, further, inspect};
use crate::make::{History, hold, message};
use crate::sim::{Op, SimDisk, What};

pub struct Recording {
    log: Vec<Op>,
    syncs: Vec<Synced>,
    /// Which states are right from here on.
    marks: Vec<(usize, Vec<Known>)>,
    /// The first point; what is before was another process.
    first: usize,
    /// The first point after opening.
    opened: usize,
}

/// What a sync left.
struct Synced {
    /// How many operations there had been.
    at: usize,
    durable: Image,
    /// Those on the file that was not synced.
    pending: Vec<Op>,
}

/// Most subsets of the unsynced writes that are tried at a point.
pub const SUBSETS_MAX: u64 = 8;
/// Caches of stores under test: one writes at commits only, the other has to write before.
pub const CACHES: [usize; 2] = [4 << 20, 64 << 10];

impl Recording {
    /// The life of a new store of `batches` commits, closed and opened again after every 70.
    pub fn of(seed: u64, batches: usize) -> Result<Recording, String> {
        let disk = SimDisk::of(Image::default());
        let mut history = History::of(seed);
        let mut writing = Writing::start(&disk, vec![Known::default()]);
        let mut opened = None;
        for number in 0..batches {
            if number % 70 == 0 {
                writing.open(CACHES[seed as usize % 2])?;
                opened.get_or_insert(disk.logged());
            }
            writing.commit(&history.batch())?;
        }
        Ok(writing.end(Image::default(), 0, opened.unwrap_or(0)))
    }

    /// A large store of which little is left gives its space back.
    pub fn of_compacting(seed: u64) -> Result<Recording, String> {
        let disk = SimDisk::of(Image::default());
        let mut writing = Writing::start(&disk, vec![Known::default()]);
        writing.open(CACHES[seed as usize % 2])?;
        let large = message(1, &[seed as u8; 60_000]);
        let rows = 1..=400;
        writing.commit(&rows.clone().map(|row| hold(row, &large)).collect::<Vec<Change>>())?;
        let most = rows.filter(|row| row % 50 != 0);
        writing.commit(&most.map(|row| Change::Forget { row: Row(row) }).collect::<Vec<Change>>())?;
        let first = disk.logged();
        let store = writing.store.as_mut().expect("opened above");
        assert_eq!(store.compact_if_idle(), Ok(true));
        inspect(store, &writing.right)?;
        Ok(writing.end(Image::default(), first, first))
    }

    /// Opening what a power cut or a kill left, one more commit, and closing.
    pub fn reopened(remains: &Remains, cache_bytes: usize) -> Result<Recording, String> {
        let disk = SimDisk::resumed(remains.durable.clone(), &remains.unsynced);
        let first = disk.logged();
        let mut writing = Writing::start(&disk, remains.right.clone());
        writing.open(cache_bytes)?;
        let opened = disk.logged();
        writing.commit(&further(&writing.known))?;
        Ok(writing.end(remains.durable.clone(), first, opened))
    }

    /// How many points there are: before each operation, and at the end.
    pub fn points(&self) -> usize {
        self.log.len() - self.first + 1
    }

    /// How many of them are before the store answered anything.
    pub fn points_of_opening(&self) -> usize {
        self.opened - self.first + 1
    }

    pub fn log(&self) -> &[Op] {
        &self.log
    }

    /// How many subsets are worth a try at a point.
    pub fn subsets(&self, point: usize) -> u64 {
        match self.unsynced(point).1.len() {
            0 => 1,
            1 => SUBSETS_MAX / 2,
            _ => SUBSETS_MAX,
        }
    }

    /// The machine loses its power at a point.
    pub fn cut(&self, point: usize, subset: u64) -> Remains {
        let (durable, unsynced) = self.unsynced(point);
        let mut durable = durable.clone();
        let seed = (point as u64) << 8 | subset;
        survive(&mut durable, &unsynced, subset, &mut ChaCha8Rng::seed_from_u64(seed));
        Remains { durable, unsynced: Vec::new(), right: self.right(point).to_vec() }
    }

    /// The process dies at a point, and the machine goes on.
    pub fn kill(&self, point: usize) -> Remains {
        let (durable, unsynced) = self.unsynced(point);
        Remains { durable: durable.clone(), unsynced, right: self.right(point).to_vec() }
    }

    /// The states that are right at a point.
    fn right(&self, point: usize) -> &[Known] {
        let next = self.marks.partition_point(|(at, _)| *at <= self.first + point);
        &self.marks[next - 1].1
    }

    fn unsynced(&self, point: usize) -> (&Image, Vec<Op>) {
        let at = self.first + point;
        let next = self.syncs.partition_point(|synced| synced.at <= at);
        let synced = &self.syncs[next - 1];
        (&synced.durable, [&synced.pending, &self.log[synced.at..at]].concat())
    }
}

/// What is left for the next process.
pub struct Remains {
    pub durable: Image,
    pub unsynced: Vec<Op>,
    pub right: Vec<Known>,
}

/// Lets a subset of what nobody synced survive: none, all, the last one, or any sectors of any.
///
/// In the order in which they were written, because any other order leaves, sector by sector, what some other subset
/// leaves in this one.
pub fn survive(image: &mut Image, unsynced: &[Op], subset: u64, random: &mut ChaCha8Rng) {
    match subset {
        0 => {}
        1 => unsynced.iter().for_each(|op| op.apply(image)),
        2 => unsynced.last().into_iter().for_each(|op| op.apply(image)),
        _ => {
            // From almost none to almost all.
            let of_eight = 1 + random.next_u32() % 7;
            for op in unsynced {
                match random.next_u32() % 3 {
                    0 => op.tear(image, || random.next_u32() % 8 < of_eight),
                    _ if random.next_u32() % 8 < of_eight => op.apply(image),
                    _ => {}
                }
            }
        }
    }
}

/// A store that works while its disk is recorded.
struct Writing<'a> {
    disk: &'a SimDisk,
    store: Option<RedbStore>,
    known: Known,
    right: Vec<Known>,
    marks: Vec<(usize, Vec<Known>)>,
}

impl<'a> Writing<'a> {
    fn start(disk: &'a SimDisk, right: Vec<Known>) -> Writing<'a> {
        let known = Arc::new(MemoryStore::default());
        let mut writing = Writing { disk, store: None, known, right: Vec::new(), marks: Vec::new() };
        writing.mark(right);
        writing
    }

    fn open(&mut self, cache_bytes: usize) -> Result<(), String> {
        self.store = None;
        let store = self.disk.open(cache_bytes).map_err(|error| format!("it does not open: {error}"))?;
        self.known = inspect(&store, &self.right)?;
        self.store = Some(store);
        // Whoever looked may have told others.
        self.mark(vec![Arc::clone(&self.known)]);
        Ok(())
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), String> {
        let next = after(&self.known, batch);
        self.mark(vec![Arc::clone(&self.known), Arc::clone(&next)]);
        let store = self.store.as_mut().expect("opened before");
        store.commit(batch).map_err(|error| format!("it takes no further commit: {error}"))?;
        self.known = Arc::clone(&next);
        self.mark(vec![next]);
        Ok(())
    }

    fn mark(&mut self, right: Vec<Known>) {
        self.right.clone_from(&right);
        self.marks.push((self.disk.logged(), right));
    }

    fn end(mut self, base: Image, first: usize, opened: usize) -> Recording {
        self.store = None;
        let log = self.disk.log();
        let mut syncs = vec![Synced { at: 0, durable: base, pending: Vec::new() }];
        for (at, sync) in log.iter().enumerate().filter(|(_, op)| op.what == What::Sync) {
            let last = &syncs[syncs.len() - 1];
            let (mut durable, before) = (last.durable.clone(), [&last.pending, &log[last.at..at]].concat());
            let (synced, pending): (Vec<Op>, Vec<Op>) = before.into_iter().partition(|op| op.part == sync.part);
            synced.iter().for_each(|op| op.apply(&mut durable));
            syncs.push(Synced { at: at + 1, durable, pending });
        }
        Recording { log, syncs, marks: self.marks, first, opened }
    }
}

//! The side with fewer ids: it tells what it knows, in the form that takes fewest bytes.

use super::cells::{Symbols, balls_thrown, cells_for};
use super::index::IdIndex;
use super::key::ContactKey;
use super::plan::{CELL_BYTES, Plan, SHORT_ID_BYTES, list_is_shorter};
use super::region::{BucketSet, Region};
use super::step::{STRETCH_IDS_MAX, Step};
use crate::frame::{FRAME_CELLS_MAX, FRAME_IDS_MAX, Frame};
use crate::id::BundleId;

#[derive(Debug)]
pub struct Teller {
    /// What both claimed to know.
    mine: u64,
    theirs: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitBuckets { bits: u8 },
    Telling(Stretch),
}

/// The stretch that was told last, and not yet answered by `Want`.
#[derive(Debug)]
struct Stretch {
    region: Region,
    /// How many ids are expected to differ, of how many of one's own, over all stretches.
    differing: u64,
    of: u64,
    symbols: Symbols,
    told: Told,
}

#[derive(Debug)]
enum Told {
    Cells(u32),
    List,
}

impl Teller {
    /// Begins with claims of `mine` and `theirs` ids, mine the fewer.
    pub fn begin(
        key: &ContactKey,
        mine: u64,
        theirs: u64,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> (Teller, Step) {
        let mut step = Step::default();
        let state = match Plan::of(mine, theirs) {
            Plan::Nothing => {
                step.done = true;
                State::AwaitBuckets { bits: 0 }
            }
            Plan::List => {
                let region = Region { buckets: BucketSet::everything(), first: 0, last: u64::MAX };
                // As far apart as can be: the list is the shorter form for all of it.
                let (stretch, frame) = Stretch::open(region, theirs + mine, mine, key, index, full);
                step.send.push(frame);
                State::Telling(stretch)
            }
            Plan::Buckets { bits } => State::AwaitBuckets { bits },
        };
        (Teller { mine, theirs, state }, step)
    }

    pub fn handle(
        &mut self,
        key: &ContactKey,
        frame: &Frame,
        index: &mut IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Step {
        match (&mut self.state, frame) {
            (State::AwaitBuckets { bits }, Frame::Buckets { bits: theirs, fingerprints }) => {
                if bits != theirs || fingerprints.len() != 1 << *bits {
                    return Step::misbehaved("it sent fingerprints of other buckets than the counts call for");
                }
                let bits = *bits;
                self.compare(key, bits, fingerprints, index, full)
            }
            (State::Telling(stretch), Frame::MoreCells { start, count }) => stretch.more(key, *start, *count),
            (State::Telling(stretch), Frame::Want { ids }) => {
                if ids.len() > stretch.symbols.len() || !ids.is_sorted_by(|a, b| a < b) {
                    return Step::misbehaved("it wants more than it was told of");
                }
                let wanted = stretch.resolve(ids, key, index, full);
                self.next(wanted, key, index, full)
            }
            _ => Step::misbehaved("it sent a summary frame that its side or the moment does not call for"),
        }
    }

    /// Finds the buckets that differ and begins to tell what is in them.
    fn compare(
        &mut self,
        key: &ContactKey,
        bits: u8,
        theirs: &[u32],
        index: &mut IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Step {
        let mut buckets = BucketSet::none(bits);
        let (mut differing, mut of) = (0, 0);
        for (n, (bucket, theirs)) in index.buckets(bits, full).iter().zip(theirs).enumerate() {
            if key.fingerprint(&bucket.digest) != *theirs {
                buckets.insert(n);
                differing += 1;
                of += u64::from(bucket.count);
            }
        }
        // Differences fall into buckets at random; also, they are at least as many as the counts are apart.
        let guess = (balls_thrown(1 << bits, (1 << bits) - differing) << bits) >> 16;
        let differing = guess.max(self.theirs - self.mine);
        let region = Region { buckets, first: 0, last: u64::MAX };
        let (stretch, frame) = Stretch::open(region, differing, of, key, index, full);
        self.state = State::Telling(stretch);
        Step::send(frame)
    }

    /// Goes on to the next stretch, if there is one.
    fn next(&mut self, wanted: Vec<u32>, key: &ContactKey, index: &IdIndex, full: &impl Fn(u32) -> BundleId) -> Step {
        // Only what was told is wanted.
        let State::Telling(stretch) = &self.state else { return Step::default() };
        let Some(first) = stretch.region.last.checked_add(1) else {
            return Step { wanted, done: true, ..Step::default() };
        };
        let region = Region { buckets: stretch.region.buckets.clone(), first, last: u64::MAX };
        let (stretch, frame) = Stretch::open(region, stretch.differing_as_seen(), stretch.of, key, index, full);
        self.state = State::Telling(stretch);
        Step { wanted, ..Step::send(frame) }
    }
}

impl Stretch {
    /// Takes as much of the region as one stretch may have, and tells it.
    fn open(
        mut region: Region,
        differing: u64,
        of: u64,
        key: &ContactKey,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> (Stretch, Frame) {
        let mut pairs: Vec<(u64, u64)> = Vec::with_capacity(of.min(STRETCH_IDS_MAX as u64) as usize);
        for (short, prefix, _) in region.shorts(key, index, full) {
            let tied = pairs.last().is_some_and(|(_, last)| *last == prefix);
            if pairs.len() >= STRETCH_IDS_MAX && !tied || pairs.len() == FRAME_IDS_MAX {
                break;
            }
            pairs.push((short, prefix));
        }
        if pairs.len() >= STRETCH_IDS_MAX {
            region.last = pairs[pairs.len() - 1].1;
        }
        let symbols = Symbols::new(pairs);
        let share = differing * symbols.len() as u64 / of.max(1);
        let told = if list_is_shorter(symbols.len() as u64, share) {
            Told::List
        } else {
            Told::Cells(cells_for(share).min(FRAME_CELLS_MAX as u64) as u32)
        };
        let mut stretch = Stretch { region, differing, of, symbols, told };
        let frame = match stretch.told {
            Told::List => stretch.list(),
            Told::Cells(count) => stretch.cells(key, 0, count),
        };
        (stretch, frame)
    }

    /// What the cells that this stretch took say of the difference over all stretches.
    fn differing_as_seen(&self) -> u64 {
        match self.told {
            Told::Cells(sent) => u64::from(sent) * 7 / 10 * self.of / self.symbols.len().max(1) as u64,
            Told::List => self.differing,
        }
    }

    fn list(&self) -> Frame {
        Frame::ShortIds {
            buckets: self.region.buckets.map().to_vec(),
            up_to: self.region.last,
            ids: self.symbols.shorts().to_vec(),
        }
    }

    fn cells(&mut self, key: &ContactKey, start: u32, count: u32) -> Frame {
        Frame::Cells {
            // Said once.
            buckets: if start == 0 { self.region.buckets.map().to_vec() } else { Vec::new() },
            up_to: self.region.last,
            start,
            cells: self.symbols.cells(key, start, count),
        }
    }

    /// Answers the wish for more cells, or for the list where that has become the shorter form.
    fn more(&mut self, key: &ContactKey, start: u32, count: u32) -> Step {
        match self.told {
            Told::Cells(sent) if start == sent && count as usize <= FRAME_CELLS_MAX => {
                let cells_bytes = (u64::from(start) + u64::from(count)) * CELL_BYTES;
                // No honest side asks for less than an eighth more; each answer costs a walk over all symbols.
                let is_trickle = count < start / 8 && (count as usize) < FRAME_CELLS_MAX;
                if count == 0 || is_trickle || cells_bytes > self.symbols.len() as u64 * SHORT_ID_BYTES {
                    self.told = Told::List;
                    return Step::send(self.list());
                }
                self.told = Told::Cells(start + count);
                Step::send(self.cells(key, start, count))
            }
            _ => Step::misbehaved("it asks for cells out of turn"),
        }
    }

    /// The slots of what the peer asks for, if it is still there.
    fn resolve(&self, ids: &[u64], key: &ContactKey, index: &IdIndex, full: &impl Fn(u32) -> BundleId) -> Vec<u32> {
        ids.iter().filter_map(|short| self.symbols.slot_of(*short, key, index, full)).collect()
    }
}

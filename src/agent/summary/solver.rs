//! The side with more ids: it works out the difference from what the other tells.

use super::cells::{CELLS_MAX, Peeler, Progress, Symbols};
use super::index::IdIndex;
use super::key::ContactKey;
use super::plan::Plan;
use super::region::{BucketSet, Region};
use super::step::{STRETCH_IDS_MAX, Step};
use crate::frame::{Cell, FRAME_CELLS_MAX, FRAME_IDS_MAX, Frame};
use crate::id::BundleId;

/// Cells are peeled against no more ids of one's own than this: 20 bytes each. A teller that has a full stretch of cells
/// to tell expects less than half as many differences, or its list would be shorter; against more a list does.
const OWN_IDS_MAX: usize = 2 * FRAME_IDS_MAX;

#[derive(Debug)]
pub struct Solver {
    /// How many ids the peer claims to know.
    theirs: u64,
    /// How many bits of an id name a bucket; 0 where there is only one.
    bits: u8,
    /// The next stretch begins here.
    first: u64,
    /// An honest peer of that claim takes no more stretches than this.
    stretches_left: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The peer tells the next stretch.
    Await,
    /// More cells were asked for.
    Peeling { region: Region, peeler: Box<Peeler>, asked: u32 },
    /// The list was asked for instead of cells.
    AwaitList { region: Region },
}

impl Solver {
    /// Begins with claims of `mine` and `theirs` ids, theirs the fewer.
    pub fn begin(
        key: &ContactKey,
        mine: u64,
        theirs: u64,
        index: &mut IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> (Solver, Step) {
        let plan = Plan::of(theirs, mine);
        let step = match plan {
            Plan::Nothing => Step { everything: true, done: true, ..Step::default() },
            Plan::List => Step::default(),
            Plan::Buckets { bits } => {
                let buckets = index.buckets(bits, full);
                let fingerprints = buckets.iter().map(|bucket| key.fingerprint(&bucket.digest)).collect();
                Step::send(Frame::Buckets { bits, fingerprints })
            }
        };
        let bits = if let Plan::Buckets { bits } = plan { bits } else { 0 };
        // Twice the claim, for what comes to the peer meanwhile.
        let stretches_left = 2 * theirs / STRETCH_IDS_MAX as u64 + 4;
        (Solver { theirs, bits, first: 0, stretches_left, state: State::Await }, step)
    }

    pub fn handle(
        &mut self,
        key: &ContactKey,
        frame: &Frame,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Step {
        match (std::mem::replace(&mut self.state, State::Await), frame) {
            (State::Await, Frame::ShortIds { buckets, up_to, ids }) => match self.region(buckets, *up_to) {
                Ok(region) => self.solve_list(&region, ids, key, index, full),
                Err(what) => Step::misbehaved(what),
            },
            (State::AwaitList { region } | State::Peeling { region, .. }, Frame::ShortIds { up_to, ids, .. })
                if region.last == *up_to =>
            {
                self.solve_list(&region, ids, key, index, full)
            }
            (State::Await, Frame::Cells { buckets, up_to, start: 0, cells }) => match self.region(buckets, *up_to) {
                Ok(region) if region.ids(index).nth(OWN_IDS_MAX).is_some() => self.ask_list(region, cells.len() as u32),
                Ok(region) => {
                    // As many as there could be in one stretch of an honest peer's; made once and not grown.
                    let mut pairs = Vec::with_capacity(index.len().min(STRETCH_IDS_MAX as u64) as usize);
                    pairs.extend(region.shorts(key, index, full).map(|(short, prefix, _)| (short, prefix)));
                    let peeler = Box::new(Peeler::new(Symbols::new(pairs)));
                    self.peel(region, peeler, cells, key, index, full)
                }
                Err(what) => Step::misbehaved(what),
            },
            (State::Peeling { region, peeler, asked }, Frame::Cells { buckets, up_to, start, cells })
                if buckets.is_empty()
                    && *up_to == region.last
                    && *start == peeler.len()
                    && cells.len() == asked as usize =>
            {
                self.peel(region, peeler, cells, key, index, full)
            }
            _ => Step::misbehaved("it sent a summary frame that its side or the moment does not call for"),
        }
    }

    /// Opens the next stretch.
    fn region(&mut self, map: &[u8], last: u64) -> Result<Region, &'static str> {
        let buckets = BucketSet::from_map(self.bits, map).ok_or("it names other buckets than it was asked about")?;
        if last < self.first {
            return Err("it tells the same ids twice");
        }
        self.stretches_left = self.stretches_left.checked_sub(1).ok_or("its summary has more parts than its count")?;
        Ok(Region { buckets, first: self.first, last })
    }

    fn solve_list(
        &mut self,
        region: &Region,
        ids: &[u64],
        key: &ContactKey,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Step {
        if ids.len() > FRAME_IDS_MAX || !ids.is_sorted_by(|a, b| a < b) {
            return Step::misbehaved("its list of ids is too long or out of order");
        }
        let mut known = vec![false; ids.len()];
        let mut surplus = Vec::new();
        for (short, _, slot) in region.shorts(key, index, full) {
            match ids.binary_search(&short) {
                Ok(at) => known[at] = true,
                Err(_) => surplus.push(slot),
            }
        }
        let want = ids.iter().zip(known).filter(|(_, known)| !known).map(|(short, _)| *short).collect();
        self.finish(region.last, want, surplus)
    }

    fn peel(
        &mut self,
        region: Region,
        mut peeler: Box<Peeler>,
        cells: &[Cell],
        key: &ContactKey,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Step {
        // The cells of any two sets of these sizes are exhausted long before.
        let max = 2 * (peeler.own().len() as u64 + self.theirs.min(FRAME_IDS_MAX as u64));
        let have = u64::from(peeler.len()) + cells.len() as u64;
        let progress = if have > max.min(CELLS_MAX.into()) { Progress::Hopeless } else { peeler.push(key, cells) };
        match progress {
            Progress::Complete => {
                // Crafted cells may give an id away twice.
                let once = |mut shorts: Vec<u64>| {
                    shorts.sort_unstable();
                    shorts.dedup();
                    shorts
                };
                let want = once(peeler.theirs().collect());
                if want.len() > FRAME_IDS_MAX {
                    return Step::misbehaved("its cells hold more ids than one stretch may have");
                }
                let mine = once(peeler.mine().collect()).into_iter();
                let surplus = mine.filter_map(|short| peeler.own().slot_of(short, key, index, full)).collect();
                self.finish(region.last, want, surplus)
            }
            Progress::Needs(all) if u64::from(all) <= max => {
                let start = peeler.len();
                let asked = (all - start).min(FRAME_CELLS_MAX as u32);
                self.state = State::Peeling { region, peeler, asked };
                Step::send(Frame::MoreCells { start, count: asked })
            }
            Progress::Needs(_) | Progress::Hopeless => self.ask_list(region, have as u32),
        }
    }

    /// Gives up on the cells of a stretch, of which `start` have come.
    fn ask_list(&mut self, region: Region, start: u32) -> Step {
        self.state = State::AwaitList { region };
        Step::send(Frame::MoreCells { start, count: 0 })
    }

    /// Ends a stretch that reached up to `last`.
    fn finish(&mut self, last: u64, want: Vec<u64>, surplus: Vec<u32>) -> Step {
        let next = last.checked_add(1);
        self.first = next.unwrap_or(u64::MAX);
        Step { surplus, done: next.is_none(), ..Step::send(Frame::Want { ids: want }) }
    }
}

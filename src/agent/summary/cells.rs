//! Rateless cells: a sketch of a set of short ids that grows until the difference to another set can be read off.
//!
//! After Yang, Gilad and Alizadeh, "Practical Rateless Set Reconciliation" (SIGCOMM 2024). Cell `i` sums up each short
//! id with probability 1 / (1 + i/2): the first one sums up all, later ones ever fewer. Cells of two sets subtract to
//! cells of their difference; a cell that is left with a single short id gives it away, and taking that id out of its
//! other cells may leave single ones there. 1.35 to 1.75 cells are needed for each id of difference.
//!
//! Which cells an id goes into must agree to the bit between any two nodes, so it is reckoned in integers. From cell
//! `i` a short id `x` goes next to `i + max(1, ceil((2i + 3) (2^32 - s) / 2s))`, where `s` is one more than the larger
//! half of `mix(x + (i + 1) g)`, `mix` being the finaliser of SplitMix64 and `g` its odd constant. The paper's step
//! has `s = sqrt(u)` for a uniform `u`; the larger of two uniform numbers is distributed like that root.

use super::index::IdIndex;
use super::key::ContactKey;
use crate::frame::Cell;
use crate::id::BundleId;

/// Cells beyond this number are never made.
pub const CELLS_MAX: u32 = 1 << 24;

/// The short ids of one side and how far each has been put into cells. 20 bytes an id.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Ascending.
    shorts: Vec<u64>,
    /// The prefix of the id behind each short id, to find it again although its slot may have changed hands.
    prefixes: Vec<u64>,
    /// The next cell that each goes into; empty until the first cell is made.
    next: Vec<u32>,
}

impl Cell {
    fn toggle(&mut self, short: u64, check: u32, sign: u8) {
        self.sum ^= short;
        self.check ^= check;
        self.count = self.count.wrapping_add(sign);
    }

    fn is_empty(&self) -> bool {
        *self == Cell::default()
    }
}

/// Adds or takes out one id: counts wrap, as only those of single ids are ever looked at.
const PLUS: u8 = 1;
const MINUS: u8 = u8::MAX;

impl Symbols {
    /// Takes pairs of a short id and its id's prefix.
    pub fn new(mut pairs: Vec<(u64, u64)>) -> Symbols {
        pairs.sort_unstable();
        // Two ids of one short id, once in 2^64 pairs: they would cancel out, so one of them waits for another contact.
        pairs.dedup_by_key(|pair| pair.0);
        let (shorts, prefixes) = pairs.into_iter().unzip();
        Symbols { shorts, prefixes, next: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.shorts.len()
    }

    /// The short ids, ascending.
    pub fn shorts(&self) -> &[u64] {
        &self.shorts
    }

    /// The slot of the id behind a short id, if it is still in the index.
    pub fn slot_of(
        &self,
        short: u64,
        key: &ContactKey,
        index: &IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> Option<u32> {
        let at = self.shorts.binary_search(&short).ok()?;
        index.with_prefix(self.prefixes[at]).find(|slot| key.short_id(&full(*slot)) == short)
    }

    /// Makes the cells from number `start` on, in rising order of calls.
    pub fn cells(&mut self, key: &ContactKey, start: u32, count: u32) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); count as usize];
        self.put_into(key, start, &mut cells, PLUS);
        cells
    }

    fn put_into(&mut self, key: &ContactKey, start: u32, cells: &mut [Cell], sign: u8) {
        self.next.resize(self.shorts.len(), 0);
        let end = start + cells.len() as u32;
        for (short, next) in self.shorts.iter().zip(&mut self.next) {
            if *next >= end {
                continue;
            }
            let check = key.check(*short);
            while *next < end {
                cells[(*next - start) as usize].toggle(*short, check, sign);
                *next = cell_after(*short, *next);
            }
        }
    }
}

/// Where a short id goes after cell `i`.
fn cell_after(short: u64, i: u32) -> u32 {
    if i >= CELLS_MAX {
        return u32::MAX;
    }
    let i = u64::from(i);
    let random = mix(short.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let s = (random >> 32).max(random & 0xffff_ffff) + 1;
    // Below 2^26 times 2^32.
    let gap = ((2 * i + 3) * ((1 << 32) - s)).div_ceil(2 * s).max(1);
    u32::try_from(i + gap).unwrap_or(u32::MAX)
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// Reads the difference out of the peer's cells and one's own symbols.
#[derive(Clone, Debug)]
pub struct Peeler {
    own: Symbols,
    /// The peer's cells less one's own, less everything recovered.
    cells: Vec<Cell>,
    recovered: Vec<Recovered>,
    /// Which cells were empty before anything was recovered from them.
    empties: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Recovered {
    short: u64,
    check: u32,
    /// The first cell it goes into that has not come yet.
    next: u32,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Theirs,
    Mine,
}

impl Side {
    /// What takes an id of this side out of a cell.
    fn sign_out(self) -> u8 {
        match self {
            Side::Theirs => MINUS,
            Side::Mine => PLUS,
        }
    }
}

/// How far the peeling came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is recovered.
    Complete,
    /// It seems to take this many cells in all.
    Needs(u32),
    /// No number of cells will do: they are not the cells of any set.
    Hopeless,
}

impl Peeler {
    pub fn new(own: Symbols) -> Peeler {
        Peeler { own, cells: Vec::new(), recovered: Vec::new(), empties: Vec::new() }
    }

    /// How many cells have come.
    pub fn len(&self) -> u32 {
        self.cells.len() as u32
    }

    /// One's own symbols.
    pub fn own(&self) -> &Symbols {
        &self.own
    }

    /// Short ids that only the peer has.
    pub fn theirs(&self) -> impl Iterator<Item = u64> + '_ {
        self.of(Side::Theirs)
    }

    /// Short ids that only this side has.
    pub fn mine(&self) -> impl Iterator<Item = u64> + '_ {
        self.of(Side::Mine)
    }

    fn of(&self, side: Side) -> impl Iterator<Item = u64> + '_ {
        self.recovered.iter().filter(move |recovered| recovered.side == side).map(|recovered| recovered.short)
    }

    /// Takes the peer's next cells.
    pub fn push(&mut self, key: &ContactKey, cells: &[Cell]) -> Progress {
        let start = self.cells.len();
        self.cells.extend_from_slice(cells);
        let fresh = &mut self.cells[start..];
        self.own.put_into(key, start as u32, fresh, MINUS);
        self.empties.extend(fresh.iter().map(Cell::is_empty));
        for recovered in &mut self.recovered {
            while let Some(cell) = self.cells.get_mut(recovered.next as usize) {
                cell.toggle(recovered.short, recovered.check, recovered.side.sign_out());
                recovered.next = cell_after(recovered.short, recovered.next);
            }
        }
        self.peel(key, start);
        self.progress()
    }

    /// Recovers what can be recovered, first from the cells from `start` on.
    fn peel(&mut self, key: &ContactKey, start: usize) {
        let mut suspects: Vec<u32> = (start as u32..self.len()).collect();
        while let Some(at) = suspects.pop() {
            // Each id taken out empties the cell that gave it away, so honest cells outnumber the ids in them; what
            // goes on longer was made to.
            if self.recovered.len() > self.cells.len() {
                return;
            }
            if let Some(single) = self.single(key, at) {
                self.take_out(single, &mut suspects);
            }
        }
    }

    /// The id in a cell that has only one.
    fn single(&self, key: &ContactKey, at: u32) -> Option<Recovered> {
        let Cell { sum: short, check, count } = self.cells[at as usize];
        let side = match count {
            PLUS => Side::Theirs,
            MINUS => Side::Mine,
            _ => return None,
        };
        let plausible = goes_into(short, at)
            && (side == Side::Mine) == self.own.shorts.binary_search(&short).is_ok()
            && check == key.check(short);
        plausible.then_some(Recovered { short, check, next: 0, side })
    }

    fn take_out(&mut self, mut single: Recovered, suspects: &mut Vec<u32>) {
        while let Some(cell) = self.cells.get_mut(single.next as usize) {
            cell.toggle(single.short, single.check, single.side.sign_out());
            suspects.push(single.next);
            single.next = cell_after(single.short, single.next);
        }
        self.recovered.push(single);
    }

    fn progress(&self) -> Progress {
        // The first cell sums up everything.
        match self.cells.first() {
            None => Progress::Needs(1),
            Some(first) if first.is_empty() => {
                if self.cells.iter().all(Cell::is_empty) {
                    Progress::Complete
                } else {
                    Progress::Hopeless
                }
            }
            Some(_) if self.recovered.len() > self.cells.len() => Progress::Hopeless,
            Some(_) => Progress::Needs(self.cells_needed()),
        }
    }

    /// Guesses the difference from how many of the last cells were empty, and the cells from the difference.
    fn cells_needed(&self) -> u32 {
        let have = self.len();
        let window = (have / 4).max(64).min(have);
        let empty = self.empties[(have - window) as usize..].iter().filter(|empty| **empty).count() as u32;
        // Cell i of a difference of d holds about d / (1 + i/2) ids.
        let middle = u64::from(have - window / 2);
        let difference = (balls_thrown(window, empty) * (2 + middle) / 2) >> 16;
        let guess = u32::try_from(cells_for(difference)).unwrap_or(CELLS_MAX);
        // Where hardly any cell is empty, the guess is a bad one, but twice as many cells are needed for sure.
        let most = if empty < 6 { have * 2 + 16 } else { have * 4 };
        guess.min(most).max(have + have / 8 + 6).min(CELLS_MAX)
    }
}

/// How many cells suffice for three differences of this size in four, as measured.
pub fn cells_for(difference: u64) -> u64 {
    difference * 34 / 25 + (2 * difference).isqrt() + 2
}

/// Estimates how many balls per bin were thrown at random into `bins` of which `empty` stayed empty, times 65,536.
///
/// The waiting time of the coupon collector: while k bins are empty, the next bin to fill takes bins / k throws.
pub fn balls_thrown(bins: u32, empty: u32) -> u64 {
    (u64::from(empty) + 1..=u64::from(bins)).map(|k| 65_536 / k).sum()
}

fn goes_into(short: u64, at: u32) -> bool {
    let mut i = 0;
    while i < at {
        i = cell_after(short, i);
    }
    i == at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_takes_an_id_once_in_one_plus_half_its_number() {
        for at in [1, 2, 10, 100, 1_000] {
            let ids = 4_000 * (2 + u64::from(at)) / 2;
            let hits = (0..ids).filter(|n| goes_into(mix(*n), at)).count();
            assert!((3_750..4_250).contains(&hits), "cell {at}: {hits} of 4,000 expected");
        }
    }

    #[test]
    fn the_walk_of_an_id_is_the_same_on_every_machine() {
        // Reckoned by a second program from the formula above.
        let walk =
            |short| std::iter::successors(Some(0), move |i| Some(cell_after(short, *i))).take(8).collect::<Vec<_>>();
        assert_eq!(walk(0), [0, 1, 3, 4, 16, 35, 62, 261]);
        assert_eq!(walk(0x0123_4567_89ab_cdef), [0, 1, 2, 5, 38, 39, 47, 56]);
        assert_eq!(walk(u64::MAX), [0, 1, 2, 4, 7, 12, 16, 33]);
    }

    #[test]
    fn ids_of_one_short_id_count_as_one() {
        // Else a list would repeat itself, which its reader refuses.
        assert_eq!(Symbols::new(vec![(5, 1), (4, 3), (5, 2)]).shorts(), [4, 5]);
    }

    #[test]
    fn an_id_is_believed_only_on_the_side_where_it_can_be() {
        let key = ContactKey::new(&[1; 16], &[2; 16]);
        let cell = |short, count| Cell { sum: short, check: key.check(short), count };
        let empty = Symbols::new(Vec::new()).cells(&key, 0, 1)[0];
        assert_eq!(Peeler::new(Symbols::default()).push(&key, &[empty]), Progress::Complete);
        assert_eq!(Peeler::new(Symbols::default()).push(&key, &[cell(7, PLUS)]), Progress::Complete);
        // Missing at the peer, but this side does not have it either.
        assert!(matches!(Peeler::new(Symbols::default()).push(&key, &[cell(7, MINUS)]), Progress::Needs(_)));
        // Twice at the peer, once here.
        let own = || Peeler::new(Symbols::new(vec![(7, 0)]));
        assert_eq!(own().push(&key, &[empty]), Progress::Complete);
        assert!(matches!(own().push(&key, &[Cell { sum: 0, check: 0, count: 2 }]), Progress::Needs(_)));
    }

    #[test]
    fn walks_end_where_cells_end() {
        assert_eq!(cell_after(1, CELLS_MAX), u32::MAX);
        assert_eq!(cell_after(1, u32::MAX), u32::MAX);
    }
}

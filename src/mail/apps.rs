//! Shared apps: in which order the updates of one are replayed, which are heard, and how an app reads on.
//!
//! **One order everywhere.** An update names up to four before it that its author knew. Its *rank* is one more than the
//! highest of those of them that are here, computed and never declared, as with changes (`registers.rs`); updates are
//! replayed by rank, then author, then id. Equal sets give equal orders, whatever came when, and what an author had seen
//! comes before what they said about it.
//!
//! **Numbers for the app.** An app hears updates as they come and remembers the number, its `serial`, of the last one that it
//! dealt with; when it is started again it asks for what is behind that. What comes late may belong before what the app heard
//! already, so two orders meet here:
//!
//! - an update that comes while the app runs is told as the last, for the app has dealt with the others;
//! - one that reads on from a number hears what came since, in the order in which it came: nothing is left out, nothing comes
//!   twice;
//! - one that reads from the start hears all that is here in the one order of everybody.
//!
//! Each update has the number of the event with which it came here, which rises and is never given twice; its serial is
//! [`STEP`] times that. Of a replay from the start up to event `m` the last of `k` updates has the serial `m × STEP`, and the one
//! `j` before it `m × STEP − j`: so serials rise within the replay and into what comes later, and one that broke off in the
//! middle says exactly where, without anything being remembered about it.
//!
//! **Bounds.** Of one author so many updates of one app, and so many bytes, are heard; the others stay in the record and are
//! told to no app. Nobody writes more than that in it from here, nor anything once all updates together reach their bound:
//! then the app is read-only. What others sent before they knew is heard up to twice that bound, so that those who kept to
//! it have the same updates everywhere. Of an author who did not, those with the lowest ids are heard, up to the first that
//! is too much: so a flood, too, leaves the same everywhere, whatever of it came first.
//!
//! Updates may come before their app, twice, or for one that never comes; they are found by their target's name, in the
//! conversation they came in: so nobody outside of it is heard. What is no JSON is no update to any app.
//!
//! | key | value |
//! |---|---|
//! | `UPDATE`, conversation, target, author, id | event 8, row 8, bytes 4, what it says 1, how many prior 1, these |
//! | `UPDATES`, conversation, target | how many, and their bytes, 8 each |
//! | `UPDATES`, conversation, target, author | the same of one author |
//! | `UPDATES`, conversation, target, author, 0 | the lowest id of those of theirs that were too much |

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::entries::{UPDATE, UPDATES, behind, key, number, part};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Row};
use crate::content::json::is_json;
use crate::content::{AppUpdate, Mark, PRIOR_MAX};
use crate::id::{BundleId, NodeId};

/// So many updates of one app are written at most; then it is read-only.
pub const UPDATES_MAX: u64 = 16_384;
/// So many bytes they have together at most.
pub const UPDATES_BYTES_MAX: u64 = 32 << 20;
/// So many updates of one app by one author are heard.
pub const AUTHOR_UPDATES_MAX: u64 = 4_096;
/// So many bytes these have together.
pub const AUTHOR_BYTES_MAX: u64 = 8 << 20;
/// Where so little is left, hardly an update fits.
const LEAST_BYTES: u64 = 64;
/// Serials between one event and the next: more than updates are ever replayed of one app.
pub const STEP: u64 = 65_536;

/// The name that files of apps end in.
pub const FILE_ENDING: &str = ".xdc";

const INFO: u8 = 1;
const DOCUMENT: u8 = 2;
const SUMMARY: u8 = 4;

/// What the index has of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub author: NodeId,
    pub id: BundleId,
    pub row: Row,
    /// The number of the event with which it came here.
    pub event: u64,
    pub bytes: u32,
    pub prior: Vec<Mark>,
    says: u8,
}

/// How much there is of updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub updates: u64,
    pub bytes: u64,
}

/// All updates of an app that are heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// In the order of everybody.
    all: Vec<Entry>,
}

/// Whether a file of this name is an app.
pub fn is_app(name: &str) -> bool {
    let start = name.len().checked_sub(FILE_ENDING.len());
    start.is_some_and(|start| start > 0 && name.as_bytes()[start..].eq_ignore_ascii_case(FILE_ENDING.as_bytes()))
}

/// What an app is called that says no name: its file's without the ending.
pub fn called(file: &str) -> &str {
    file.get(..file.len().saturating_sub(FILE_ENDING.len())).unwrap_or(file)
}

/// Who somebody is to an app: the same whenever and wherever they use it, another in every app, and no key or name.
pub fn address_in(app: &Mark, who: &NodeId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dak 2026 address within an app v1");
    hasher.update(app).update(who.as_bytes());
    crate::id::hex(&hasher.finalize().as_bytes()[..16])
}

impl Entry {
    fn mark(&self) -> Mark {
        Letter::mark_of(&self.id)
    }

    pub fn says_document(&self) -> bool {
        self.says & DOCUMENT != 0
    }

    pub fn says_summary(&self) -> bool {
        self.says & SUMMARY != 0
    }

    pub fn says_info(&self) -> bool {
        self.says & INFO != 0
    }

    fn write(&self) -> Vec<u8> {
        let Entry { event, row, bytes, says, prior, .. } = self;
        key([
            &event.to_be_bytes(),
            &row.0.to_be_bytes(),
            &bytes.to_be_bytes(),
            &[*says, prior.len() as u8],
            &prior.concat(),
        ])
    }

    /// Reads what [`Entry::write`] wrote, behind a key that ends with author and id.
    fn read(key: &[u8], value: &[u8]) -> Option<Entry> {
        let many = usize::from(*value.get(21)?);
        let prior = value.get(22..22 + 16 * many)?.chunks_exact(16).map(|mark| part(mark, 0)).collect();
        Some(Entry {
            author: NodeId::from_trusted(part(key, 0)),
            id: BundleId(part(key, 32)),
            row: Row(number(value, 8)),
            event: number(value, 0),
            bytes: u32::from_be_bytes(part(value, 16)),
            prior,
            says: value[20],
        })
    }
}

impl Sum {
    /// Whether this is more than is heard of one author.
    fn is_too_much(self) -> bool {
        self.updates > AUTHOR_UPDATES_MAX || self.bytes > AUTHOR_BYTES_MAX
    }

    fn and(self, bytes: u64) -> Sum {
        Sum { updates: self.updates + 1, bytes: self.bytes + bytes }
    }

    fn is_past(self, bytes: u32) -> bool {
        self.updates >= 2 * UPDATES_MAX || self.bytes + u64::from(bytes) > 2 * UPDATES_BYTES_MAX
    }

    fn read<S: Shelf>(shelf: &S, key: &[u8]) -> Result<Sum, S::Error> {
        let value = shelf.get(key)?;
        Ok(value.map_or(Sum::default(), |value| Sum { updates: number(&value, 0), bytes: number(&value, 8) }))
    }

    fn write<S: ShelfMut>(self, shelf: &mut S, key: &[u8]) -> Result<(), S::Error> {
        match self.updates {
            0 => shelf.remove(key),
            _ => shelf.put(key, &[self.updates, self.bytes].map(u64::to_be_bytes).concat()),
        }
    }
}

/// Whether who has this share of an app, which has so much in all, writes nothing more in it.
pub fn is_read_only(all: Sum, own: Sum) -> bool {
    let is_over = |sum: Sum, updates: u64, bytes: u64| sum.updates >= updates || sum.bytes + LEAST_BYTES > bytes;
    is_over(all, UPDATES_MAX, UPDATES_BYTES_MAX) || is_over(own, AUTHOR_UPDATES_MAX, AUTHOR_BYTES_MAX)
}

/// Whether one more update of so many bytes would be more than is heard of an author with this share.
pub fn is_too_much_with(own: Sum, bytes: usize) -> bool {
    own.and(bytes as u64).is_too_much()
}

/// How many updates of an app there are, and how many of them are an author's.
pub fn sums<S: Shelf>(shelf: &S, with: &[u8], target: &Mark, author: &NodeId) -> Result<(Sum, Sum), S::Error> {
    Ok((Sum::read(shelf, &sum_key(with, target))?, Sum::read(shelf, &share_key(with, target, author))?))
}

/// Takes an update in, of content of so many bytes; says whether it is heard.
pub(super) fn put<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row, event): (BundleId, Row, u64),
    update: &Update,
) -> Result<bool, S::Error> {
    let Update { target, prior, bytes, says, is_json } = update;
    let place = entry_key(with, target, &author, &id);
    if shelf.get(&place)?.is_some() {
        return Ok(true);
    }
    let is_cut = shelf.get(&cut_key(with, target, &author))?.is_some_and(|cut| id.0[..] >= cut[..]);
    if !is_json || is_cut || Sum::read(shelf, &sum_key(with, target))?.is_past(*bytes) {
        return Ok(false);
    }
    // An event of none is one that is forgotten, and a serial is none of zero.
    let entry = Entry { author, id, row, event: event.max(1), bytes: *bytes, prior: prior.clone(), says: *says };
    shelf.put(&place, &entry.write())?;
    count(shelf, with, target, &author, |sum| sum.and((*bytes).into()))?;
    cut(shelf, with, target, &author)?;
    Ok(shelf.get(&place)?.is_some())
}

/// Whether an update is among those that are heard.
pub fn hears<S: Shelf>(
    shelf: &S,
    with: &[u8],
    target: &Mark,
    author: &NodeId,
    id: &BundleId,
) -> Result<bool, S::Error> {
    Ok(shelf.get(&entry_key(with, target, author, id))?.is_some())
}

/// Drops those of an author's updates that are too much: the ones with the highest ids.
fn cut<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, author: &NodeId) -> Result<(), S::Error> {
    let start = key([&[UPDATE], with, target, author.as_bytes()]);
    while Sum::read(shelf, &share_key(with, target, author))?.is_too_much() {
        let mut last = None;
        shelf.walk_back(&start, &behind(&start), &mut |key, value| {
            last = Entry::read(&key[start.len() - author.as_bytes().len()..], value);
            ControlFlow::Break(())
        })?;
        let Some(last) = last else { break };
        drop_entry(shelf, with, target, &last)?;
        shelf.put(&cut_key(with, target, author), &last.id.0)?;
    }
    Ok(())
}

/// Drops an update, where it was heard.
pub(super) fn remove<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, id: &BundleId) -> Result<(), S::Error> {
    for entry in entries(shelf, with, target)?.into_iter().filter(|entry| entry.id == *id) {
        drop_entry(shelf, with, target, &entry)?;
    }
    Ok(())
}

/// Updates of one name are of another from now on. Returns their rows.
pub(super) fn rename<S: ShelfMut>(shelf: &mut S, with: &[u8], from: &Mark, to: &Mark) -> Result<Vec<Row>, S::Error> {
    let mut rows = Vec::new();
    for entry in entries(shelf, with, from)? {
        let cut = cut_key(with, from, &entry.author);
        if let Some(lowest) = shelf.get(&cut)? {
            shelf.remove(&cut)?;
            let other = shelf.get(&cut_key(with, to, &entry.author))?;
            shelf.put(&cut_key(with, to, &entry.author), &other.map_or(lowest.clone(), |other| other.min(lowest)))?;
        }
        drop_entry(shelf, with, from, &entry)?;
        rows.push(entry.row);
        let update = Update { target: *to, prior: entry.prior, bytes: entry.bytes, says: entry.says, is_json: true };
        put(shelf, with, entry.author, (entry.id, entry.row, entry.event), &update)?;
    }
    Ok(rows)
}

fn drop_entry<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, entry: &Entry) -> Result<(), S::Error> {
    shelf.remove(&entry_key(with, target, &entry.author, &entry.id))?;
    let less =
        |sum: Sum| Sum { updates: sum.updates.saturating_sub(1), bytes: sum.bytes.saturating_sub(entry.bytes.into()) };
    count(shelf, with, target, &entry.author, less)?;
    match shelf.get(&share_key(with, target, &entry.author))? {
        Some(_) => Ok(()),
        None => shelf.remove(&cut_key(with, target, &entry.author)),
    }
}

fn count<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    target: &Mark,
    author: &NodeId,
    change: impl Fn(Sum) -> Sum,
) -> Result<(), S::Error> {
    for place in [sum_key(with, target), share_key(with, target, author)] {
        change(Sum::read(shelf, &place)?).write(shelf, &place)?;
    }
    Ok(())
}

fn entry_key(with: &[u8], target: &Mark, author: &NodeId, id: &BundleId) -> Vec<u8> {
    key([&[UPDATE], with, target, author.as_bytes(), &id.0])
}

fn sum_key(with: &[u8], target: &Mark) -> Vec<u8> {
    key([&[UPDATES], with, target])
}

fn share_key(with: &[u8], target: &Mark, author: &NodeId) -> Vec<u8> {
    key([&[UPDATES], with, target, author.as_bytes()])
}

fn cut_key(with: &[u8], target: &Mark, author: &NodeId) -> Vec<u8> {
    key([&[UPDATES], with, target, author.as_bytes(), &[0]])
}

fn entries<S: Shelf>(shelf: &S, with: &[u8], target: &Mark) -> Result<Vec<Entry>, S::Error> {
    let start = key([&[UPDATE], with, target]);
    let mut entries = Vec::new();
    shelf.walk(&start, &behind(&start), &mut |key, value| {
        entries.extend(Entry::read(&key[start.len()..], value));
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}

/// What the index must know of an update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    pub target: Mark,
    pub prior: Vec<Mark>,
    /// Of its content as it is kept.
    pub bytes: u32,
    says: u8,
    is_json: bool,
}

impl Update {
    pub fn of(update: &AppUpdate, bytes: usize) -> Update {
        let AppUpdate { target, prior, payload, info, document, summary, .. } = update;
        let said = [(INFO, info), (DOCUMENT, document), (SUMMARY, summary)];
        let says = said.into_iter().filter(|(_, text)| text.is_some()).map(|(bit, _)| bit).sum();
        Update { target: *target, prior: prior.clone(), bytes: bytes as u32, says, is_json: is_json(payload) }
    }

    /// Whether the conversation has a line of it.
    pub fn says_info(&self) -> bool {
        self.says & INFO != 0
    }
}

/// All updates of an app that are heard.
pub fn updates<S: Shelf>(shelf: &S, with: &[u8], target: &Mark) -> Result<Updates, S::Error> {
    Ok(Updates::of(entries(shelf, with, target)?))
}

impl Updates {
    fn of(entries: Vec<Entry>) -> Updates {
        let ranks = ranks(&entries);
        let mut ranked: Vec<(u64, Entry)> = ranks.into_iter().zip(entries).collect();
        ranked.sort_by_key(|(rank, entry)| (*rank, entry.author, entry.id));
        Updates { all: ranked.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// In the order of everybody.
    pub fn all(&self) -> &[Entry] {
        &self.all
    }

    /// The highest serial there is; zero where there is no update.
    pub fn serial_max(&self) -> u64 {
        self.all.iter().map(|entry| entry.event).max().unwrap_or(0).saturating_mul(STEP)
    }

    /// What an app is told that has dealt with everything up to a serial, each with its own; from the start where that is zero.
    pub fn behind(&self, serial: u64) -> Vec<(u64, &Entry)> {
        let last = match serial {
            0 => self.serial_max() / STEP,
            _ => serial.div_ceil(STEP),
        };
        let end = last.saturating_mul(STEP);
        let replay: Vec<&Entry> = self.all.iter().filter(|entry| entry.event <= last).collect();
        let left = match serial {
            0 => replay.len(),
            _ => usize::try_from(end - serial).map_or(replay.len(), |left| left.min(replay.len())),
        };
        let rest = replay[replay.len() - left..].iter();
        let rest = rest.enumerate().map(|(at, entry)| (end - (left - 1 - at) as u64, *entry));
        let mut later: Vec<&Entry> = self.all.iter().filter(|entry| entry.event > last).collect();
        later.sort_by_key(|entry| entry.event);
        rest.chain(later.into_iter().map(|entry| (entry.event.saturating_mul(STEP), entry))).collect()
    }

    /// What a new update names as prior: what nobody has named yet, the highest in the order first.
    pub fn heads(&self) -> Vec<Mark> {
        let named: std::collections::BTreeSet<Mark> =
            self.all.iter().flat_map(|entry| entry.prior.iter().copied()).collect();
        let open = self.all.iter().rev().map(Entry::mark).filter(|mark| !named.contains(mark));
        let mut heads: Vec<Mark> = open.take(PRIOR_MAX).collect();
        heads.sort_unstable();
        heads.dedup();
        heads
    }
}

/// The rank of each update, in their order here. They name each other by hashes, so that there is no circle; in one that
/// damage made, who closes it counts for nothing.
fn ranks(entries: &[Entry]) -> Vec<u64> {
    let at: BTreeMap<Mark, usize> = entries.iter().enumerate().map(|(n, entry)| (entry.mark(), n)).collect();
    let mut ranks: Vec<Rank> = vec![Rank::Unknown; entries.len()];
    for start in 0..entries.len() {
        let mut path = vec![start];
        while let Some(&n) = path.last() {
            if let Rank::Known(_) = ranks[n] {
                path.pop();
                continue;
            }
            let prior = || entries[n].prior.iter().filter_map(|mark| at.get(mark).copied());
            let unknown = prior().filter(|prior| ranks[*prior] == Rank::Unknown && *prior != n);
            let unknown: Vec<usize> = if ranks[n] == Rank::Unknown { unknown.collect() } else { Vec::new() };
            ranks[n] = Rank::Sought;
            if unknown.is_empty() {
                ranks[n] = Rank::Known(1 + prior().map(|prior| ranks[prior].number()).max().unwrap_or(0));
                path.pop();
            }
            path.extend(unknown);
        }
    }
    ranks.into_iter().map(Rank::number).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Unknown,
    /// On the way to what it names.
    Sought,
    Known(u64),
}

impl Rank {
    fn number(self) -> u64 {
        if let Rank::Known(rank) = self { rank } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const TARGET: Mark = [9; 16];

    type Index = BTreeMap<Vec<u8>, Vec<u8>>;

    fn node(n: u8) -> NodeId {
        NodeId::from_trusted([n; 32])
    }

    fn id(n: usize) -> BundleId {
        BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn mark(n: usize) -> Mark {
        Letter::mark_of(&id(n))
    }

    fn update(prior: &[usize]) -> Update {
        let prior: BTreeSet<Mark> = prior.iter().map(|n| mark(*n)).collect();
        Update { target: TARGET, prior: prior.into_iter().collect(), bytes: 100, says: 0, is_json: true }
    }

    fn take(index: &mut Index, author: u8, n: usize, event: u64, prior: &[usize]) -> bool {
        put(index, b"with", node(author), (id(n), Row(event), event), &update(prior)).unwrap()
    }

    fn read(index: &Index) -> Updates {
        updates(index, b"with", &TARGET).unwrap()
    }

    fn order(index: &Index) -> Vec<BundleId> {
        read(index).all().iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn what_an_author_had_seen_comes_first_and_beside_each_other_the_lower_author() {
        let mut index = Index::new();
        take(&mut index, 2, 1, 1, &[]);
        take(&mut index, 2, 2, 2, &[1]);
        take(&mut index, 1, 3, 3, &[1]);
        take(&mut index, 3, 4, 4, &[]);
        assert_eq!(order(&index), [1, 4, 3, 2].map(id));
        assert_eq!(BTreeSet::from_iter(read(&index).heads()), [2, 3, 4].map(mark).into());
    }

    #[test]
    fn a_long_chain_is_ordered_and_a_circle_that_no_hash_makes_ends() {
        let mut index = Index::new();
        for n in 0..2_000 {
            take(&mut index, 1, n, n as u64 + 1, &[n.wrapping_sub(1)]);
        }
        assert_eq!(order(&index), (0..2_000).map(id).collect::<Vec<_>>());
        let mut circle = Index::new();
        take(&mut circle, 1, 1, 1, &[2, 1]);
        take(&mut circle, 1, 2, 2, &[1]);
        assert_eq!(order(&circle).len(), 2);
    }

    #[test]
    fn what_comes_late_is_the_last_to_who_reads_on_and_in_its_place_to_who_starts_anew() {
        let mut index = Index::new();
        take(&mut index, 1, 1, 7, &[]);
        take(&mut index, 1, 2, 8, &[1]);
        let first: Vec<(u64, BundleId)> =
            read(&index).behind(0).iter().map(|(serial, one)| (*serial, one.id)).collect();
        assert_eq!(first, [(8 * STEP - 1, id(1)), (8 * STEP, id(2))]);
        // Somebody else wrote beside the first, and it took a long way.
        take(&mut index, 2, 3, 9, &[]);
        let on: Vec<(u64, BundleId)> =
            read(&index).behind(8 * STEP).iter().map(|(serial, one)| (*serial, one.id)).collect();
        assert_eq!(on, [(9 * STEP, id(3))]);
        assert_eq!(order(&index), [1, 3, 2].map(id));
        assert!(read(&index).behind(9 * STEP).is_empty());
        // Who broke off after the first of the first replay.
        let rest: Vec<BundleId> = read(&index).behind(8 * STEP - 1).iter().map(|(_, one)| one.id).collect();
        assert_eq!(rest, [id(2), id(3)]);
    }

    #[test]
    fn an_author_who_floods_is_heard_up_to_a_bound_and_makes_it_read_only_for_nobody_else() {
        let many = AUTHOR_UPDATES_MAX as usize + 5;
        let mut index = Index::new();
        for n in 0..many {
            take(&mut index, 2, n, n as u64 + 1, &[]);
        }
        assert_eq!(read(&index).all().len() as u64, AUTHOR_UPDATES_MAX);
        let first = order(&index)[0];
        let n = (0..many).find(|n| id(*n) == first).unwrap();
        assert!(take(&mut index, 2, n, 1, &[]), "once more is no more");
        let of = |index: &Index, who| sums(index, b"with", &TARGET, &node(who)).unwrap();
        assert_eq!(of(&index, 2).1.updates, AUTHOR_UPDATES_MAX);
        assert!(is_read_only(of(&index, 2).0, of(&index, 2).1) && !is_read_only(of(&index, 1).0, of(&index, 1).1));
        assert!(take(&mut index, 1, 9_999, 9_999, &[]));
        // Whatever of the flood came first, the same is heard.
        let mut other = Index::new();
        take(&mut other, 1, 9_999, 1, &[]);
        for n in (0..many).rev() {
            take(&mut other, 2, n, 9_999 - n as u64, &[]);
        }
        assert_eq!(order(&other), order(&index));
        for n in 0..many {
            remove(&mut other, b"with", &TARGET, &id(n)).unwrap();
        }
        remove(&mut other, b"with", &TARGET, &id(9_999)).unwrap();
        assert!(other.is_empty(), "what is deleted leaves nothing of its bound");
    }

    #[test]
    fn so_it_is_with_bytes_and_a_small_one_does_not_slip_in_behind_what_was_too_much() {
        let large = |of: u32| Update { bytes: AUTHOR_BYTES_MAX as u32 / of, ..update(&[]) };
        let puts = |index: &mut Index, n: usize, of: u32| {
            put(index, b"with", node(3), (id(n), Row(0), 1), &large(of)).unwrap();
        };
        let sizes = [2, 3, 4, 1, 9, 50, 7, 3, 20, 2];
        let heard = |order_of: &[usize]| {
            let mut index = Index::new();
            order_of.iter().for_each(|n| puts(&mut index, *n, sizes[*n]));
            order(&index)
        };
        let straight: Vec<usize> = (0..sizes.len()).collect();
        let wanted = heard(&straight);
        assert!((1..sizes.len()).contains(&wanted.len()));
        for turn in 0..sizes.len() {
            let turned: Vec<usize> = straight[turn..].iter().chain(&straight[..turn]).copied().collect();
            assert_eq!(heard(&turned), wanted, "{turn}");
            assert_eq!(heard(&turned.into_iter().rev().collect::<Vec<_>>()), wanted, "{turn} back");
        }
        assert!(is_too_much_with(Sum { updates: 1, bytes: AUTHOR_BYTES_MAX - 99 }, 100));
        assert!(!is_too_much_with(Sum { updates: 1, bytes: AUTHOR_BYTES_MAX - 100 }, 100));
    }

    #[test]
    fn what_is_no_json_is_heard_by_no_app() {
        let update = |payload: &str| AppUpdate { payload: payload.into(), ..AppUpdate::default() };
        let heard =
            |payload| put(&mut Index::new(), b"with", node(1), (id(1), Row(1), 1), &Update::of(&update(payload), 9));
        assert!(heard("{\"a\": [1]}").unwrap());
        assert!(!heard("{a: 1}").unwrap() && !heard(&"[".repeat(9_000)).unwrap());
    }

    #[test]
    fn all_together_are_heard_up_to_twice_what_is_written() {
        let mut index = Index::new();
        let all = Sum { updates: 2 * UPDATES_MAX - 1, bytes: 0 };
        all.write(&mut index, &sum_key(b"with", &TARGET)).unwrap();
        assert!(is_read_only(all, Sum::default()));
        assert!(take(&mut index, 1, 1, 1, &[]) && !take(&mut index, 1, 2, 2, &[]));
    }

    #[test]
    fn an_address_within_an_app_is_the_same_there_and_another_elsewhere() {
        let here = address_in(&[1; 16], &node(1));
        assert_eq!(here, address_in(&[1; 16], &node(1)));
        assert_ne!(here, address_in(&[2; 16], &node(1)));
        assert_ne!(here, address_in(&[1; 16], &node(2)));
        assert_eq!(here.len(), 32);
    }

    #[test]
    fn an_app_is_a_file_whose_name_ends_so() {
        for name in ["board.xdc", "Board.XDC", "ä.xdc"] {
            assert!(is_app(name), "{name}");
        }
        for name in [".xdc", "xdc", "board.xdc.zip", "boardxdc", "", "ä"] {
            assert!(!is_app(name), "{name}");
        }
    }

    /// Authors, and which of those before it each names.
    fn some() -> impl Strategy<Value = Vec<(u8, Vec<usize>)>> {
        let one = (1..4u8, prop::collection::vec(any::<prop::sample::Index>(), 0..4));
        prop::collection::vec(one, 1..24).prop_map(|all| {
            let named = |(n, (author, prior)): (usize, (u8, Vec<prop::sample::Index>))| {
                let prior = prior.iter().filter(|_| n > 0).map(|at| at.index(n)).collect();
                (author, prior)
            };
            all.into_iter().enumerate().map(named).collect()
        })
    }

    proptest! {
        #[test]
        fn equal_sets_give_equal_orders_however_they_came(
            some in some(),
            order_of in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let mut straight = Index::new();
            for (n, (author, prior)) in some.iter().enumerate() {
                take(&mut straight, *author, n, n as u64 + 1, prior);
            }
            let mut mixed = Index::new();
            let shuffled = order_of.iter().map(|at| at.index(some.len())).chain((0..some.len()).rev());
            for (event, n) in shuffled.enumerate() {
                take(&mut mixed, some[n].0, n, event as u64 + 1, &some[n].1);
            }
            prop_assert_eq!(order(&straight), order(&mixed));
            let replay = |index: &Index| read(index).behind(0).into_iter().map(|(_, one)| one.id).collect::<Vec<_>>();
            prop_assert_eq!(replay(&mixed), order(&straight));
            // What is named comes before who names it.
            let places: BTreeMap<BundleId, usize> = order(&mixed).into_iter().enumerate().map(|(at, id)| (id, at)).collect();
            for (n, (_, prior)) in some.iter().enumerate() {
                prop_assert!(prior.iter().all(|prior| places[&id(*prior)] < places[&id(n)]));
            }
            // And what is taken away again leaves nothing.
            for n in 0..some.len() {
                remove(&mut mixed, b"with", &TARGET, &id(n)).unwrap();
            }
            prop_assert!(mixed.is_empty());
        }

        /// An app is started, stopped in the middle and started again while updates come, as often as it likes.
        #[test]
        fn an_app_that_reads_on_from_its_last_serial_hears_each_once(
            some in some(),
            starts in prop::collection::vec((0..6usize, 0..6usize), 1..12),
        ) {
            let (mut index, mut came, mut last, mut heard) = (Index::new(), 0, 0, Vec::new());
            for (more, stop) in starts {
                for _ in 0..more {
                    if came < some.len() {
                        take(&mut index, some[came].0, came, 3 * came as u64 + 1, &some[came].1);
                        came += 1;
                    }
                }
                for (serial, one) in read(&index).behind(last).into_iter().take(stop) {
                    prop_assert!(serial > last, "serials rise");
                    prop_assert!(serial <= read(&index).serial_max());
                    last = serial;
                    heard.push(one.id);
                }
            }
            let rest: Vec<BundleId> = read(&index).behind(last).into_iter().map(|(_, one)| one.id).collect();
            heard.extend(rest);
            prop_assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), heard.len(), "none twice");
            prop_assert_eq!(heard.len(), came, "and none is left out");
        }

        #[test]
        fn whatever_serial_somebody_makes_up_is_answered(some in some(), serial: u64) {
            let mut index = Index::new();
            for (n, (author, prior)) in some.iter().enumerate() {
                take(&mut index, *author, n, n as u64 + 1, prior);
            }
            let told = read(&index);
            prop_assert!(told.behind(serial).len() <= some.len());
            prop_assert!(told.behind(serial % (STEP * 30)).len() <= some.len());
        }
    }
}

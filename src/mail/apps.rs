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
//! **Bounds.** Of one author so many updates of one app, and so many bytes, are heard, and of all authors together twice what
//! one may add to (`bounds.rs`); the others stay in the record, are told to no app, and have no line in their conversation.
//! Nobody writes more than that from here, nor anything once all updates together reach their bound: then the app is
//! read-only. Of an author who did not keep to it, those with the lowest ids are heard, up to the first that is too much: so
//! a flood, too, leaves the same everywhere, whatever of it came first.
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
//! | `UPDATES`, conversation, target, 0 | that all authors together once had more than is heard |

mod bounds;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use self::bounds::{BOUNDS, Bounds};
use super::conversation;
use super::entries::{UPDATE, UPDATES, behind, key, number, part};
use super::shelf::{Shelf, ShelfMut};
use super::unshown::{Unshown, has_line, hide};
use crate::agent::change::{Letter, Row};
use crate::content::json::is_json;
use crate::content::{AppUpdate, Mark, PRIOR_MAX};
use crate::id::{BundleId, NodeId};

pub use self::bounds::{AUTHOR_BYTES_MAX, AUTHOR_UPDATES_MAX, Sum, UPDATES_BYTES_MAX, UPDATES_MAX};
pub use self::bounds::{is_read_only, is_too_much_with};

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

/// How many updates of an app there are, and how many of them are an author's.
pub fn sums<S: Shelf>(shelf: &S, with: &[u8], target: &Mark, author: &NodeId) -> Result<(Sum, Sum), S::Error> {
    Ok((Sum::read(shelf, &sum_key(with, target))?, Sum::read(shelf, &share_key(with, target, author))?))
}

/// Takes an update in; says whether it is heard. Others that are heard no more, for it takes their place, lose their lines.
pub(super) fn put<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    what: (BundleId, Row, u64),
    update: &Update,
) -> Result<bool, S::Error> {
    put_within(shelf, with, author, what, update, &BOUNDS)
}

fn put_within<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row, event): (BundleId, Row, u64),
    update: &Update,
    bounds: &Bounds,
) -> Result<bool, S::Error> {
    let Update { target, prior, bytes, says, is_json } = update;
    let place = entry_key(with, target, &author, &id);
    if shelf.get(&place)?.is_some() {
        return Ok(true);
    }
    let is_cut = shelf.get(&cut_key(with, target, &author))?.is_some_and(|cut| id.0[..] >= cut[..]);
    if !is_json || is_cut {
        return Ok(false);
    }
    // An event of none is one that is forgotten, and a serial is none of zero.
    let entry = Entry { author, id, row, event: event.max(1), bytes: *bytes, prior: prior.clone(), says: *says };
    shelf.put(&place, &entry.write())?;
    count(shelf, with, target, &author, |sum| sum.and((*bytes).into()))?;
    fit(shelf, with, target, &author, bounds)?;
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

/// Brings what is heard of an app within its bounds, now that an author has more in it.
fn fit<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    target: &Mark,
    author: &NodeId,
    bounds: &Bounds,
) -> Result<(), S::Error> {
    cut(shelf, with, target, author, |share| bounds.is_too_much(share))?;
    let is_tight = shelf.get(&tight_key(with, target))?.is_some();
    if !is_tight && bounds.is_ample(Sum::read(shelf, &sum_key(with, target))?) {
        return Ok(());
    }
    let shares = shares(shelf, with, target, bounds)?;
    let Some(even) = bounds.even_share(shares.values().copied()) else { return Ok(()) };
    shelf.put(&tight_key(with, target), &[])?;
    for (author, _) in shares.iter().filter(|(_, cost)| **cost > even) {
        cut(shelf, with, target, author, |share| share.cost() > even)?;
    }
    Ok(())
}

/// What each author's updates cost of an app: of one with more than is heard, as much as anybody's may.
fn shares<S: Shelf>(shelf: &S, with: &[u8], target: &Mark, bounds: &Bounds) -> Result<BTreeMap<NodeId, u64>, S::Error> {
    let start = sum_key(with, target);
    let mut shares = BTreeMap::new();
    shelf.walk(&start, &behind(&start), &mut |key, value| {
        let author = || NodeId::from_trusted(part(key, start.len()));
        match key.len() - start.len() {
            SHARE_KEY_BYTES => drop(shares.insert(author(), Sum::of(value).cost())),
            CUT_KEY_BYTES => drop(shares.insert(author(), bounds.share_cost())),
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(shares)
}

/// Drops those of an author's updates that are too much: the ones with the highest ids.
fn cut<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    target: &Mark,
    author: &NodeId,
    is_too_much: impl Fn(Sum) -> bool,
) -> Result<(), S::Error> {
    while is_too_much(Sum::read(shelf, &share_key(with, target, author))?) {
        let Some(last) = last_of(shelf, with, target, author)? else { break };
        drop_cut(shelf, with, target, &last)?;
    }
    Ok(())
}

fn last_of<S: Shelf>(shelf: &S, with: &[u8], target: &Mark, author: &NodeId) -> Result<Option<Entry>, S::Error> {
    let start = key([&[UPDATE], with, target, author.as_bytes()]);
    let mut last = None;
    shelf.walk_back(&start, &behind(&start), &mut |key, value| {
        last = Entry::read(&key[start.len() - author.as_bytes().len()..], value);
        ControlFlow::Break(())
    })?;
    Ok(last)
}

/// The one with the highest id of an author's is heard no more.
fn drop_cut<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, last: &Entry) -> Result<(), S::Error> {
    take_out(shelf, with, target, last)?;
    shelf.put(&cut_key(with, target, &last.author), &last.id.0)?;
    unline(shelf, with, target, last.row)
}

/// What no app hears has no line in its conversation.
fn unline<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, row: Row) -> Result<(), S::Error> {
    if !has_line(shelf, row)? {
        return Ok(());
    }
    conversation::strike(shelf, with, row)?;
    hide(shelf, row, Unshown::Update, target, with)
}

/// Drops an update that the person deleted, where it was heard.
pub(super) fn remove<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, id: &BundleId) -> Result<(), S::Error> {
    for entry in entries(shelf, with, target)?.into_iter().filter(|entry| entry.id == *id) {
        take_out(shelf, with, target, &entry)?;
        if shelf.get(&share_key(with, target, &entry.author))?.is_none() {
            shelf.remove(&cut_key(with, target, &entry.author))?;
        }
        if shelf.get(&sum_key(with, target))?.is_none() {
            shelf.remove(&tight_key(with, target))?;
        }
    }
    Ok(())
}

/// Updates of one name are of another from now on. Returns the rows of those that were heard.
pub(super) fn rename<S: ShelfMut>(shelf: &mut S, with: &[u8], from: &Mark, to: &Mark) -> Result<Vec<Row>, S::Error> {
    let mut rows = Vec::new();
    for (author, lowest) in take_cuts(shelf, with, from)? {
        let other = shelf.get(&cut_key(with, to, &author))?;
        let lowest = other.map_or(lowest, |other| BundleId(part(&other, 0)).min(lowest));
        shelf.put(&cut_key(with, to, &author), &lowest.0)?;
        while let Some(last) = last_of(shelf, with, to, &author)?.filter(|last| last.id >= lowest) {
            drop_cut(shelf, with, to, &last)?;
            shelf.put(&cut_key(with, to, &author), &lowest.0)?;
        }
    }
    if shelf.get(&tight_key(with, from))?.is_some() {
        shelf.remove(&tight_key(with, from))?;
        shelf.put(&tight_key(with, to), &[])?;
    }
    for entry in entries(shelf, with, from)? {
        take_out(shelf, with, from, &entry)?;
        rows.push(entry.row);
        let update = Update { target: *to, prior: entry.prior, bytes: entry.bytes, says: entry.says, is_json: true };
        if !put(shelf, with, entry.author, (entry.id, entry.row, entry.event), &update)? {
            unline(shelf, with, to, entry.row)?;
        }
    }
    Ok(rows)
}

/// Takes out from which id on the updates of each author were too much.
fn take_cuts<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark) -> Result<Vec<(NodeId, BundleId)>, S::Error> {
    let start = sum_key(with, target);
    let mut cuts = Vec::new();
    shelf.walk(&start, &behind(&start), &mut |key, value| {
        if key.len() - start.len() == CUT_KEY_BYTES {
            cuts.push((NodeId::from_trusted(part(key, start.len())), BundleId(part(value, 0))));
        }
        ControlFlow::Continue(())
    })?;
    for (author, _) in &cuts {
        shelf.remove(&cut_key(with, target, author))?;
    }
    Ok(cuts)
}

fn take_out<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, entry: &Entry) -> Result<(), S::Error> {
    shelf.remove(&entry_key(with, target, &entry.author, &entry.id))?;
    count(shelf, with, target, &entry.author, |sum| sum.less(entry.bytes.into()))
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

/// How much longer keys of shares and of cuts are than that of their app's sum.
const SHARE_KEY_BYTES: usize = 32;
const CUT_KEY_BYTES: usize = 33;

fn tight_key(with: &[u8], target: &Mark) -> Vec<u8> {
    key([&[UPDATES], with, target, &[0]])
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
mod tests;

//! Where what is in the record is found: derived from it, entry by entry, and to be had again from it at any time.
//!
//! | key | value | for |
//! |---|---|---|
//! | `ID`, the first 16 bytes of a delivered id | its row, there or deleted | whether it was delivered before; what begins so |
//! | `STAMP`, writer, has a clock, stamp, row | the place it is read at, its conversation | `order.rs` |
//! | `MOVED`, place, stamp, row | | rows that are read elsewhere than they arrived |
//! | `AWAY`, row | its place | the same |
//! | `COST`, source, who handed over | bytes | the room that mail of strangers shares |
//! | `ON_WAY`, id | | one's own messages that an agent keeps |
//! | `SENT`, when it was written, stamp, id | | one's own messages in their order |
//! | `TALK`, conversation, place, stamp, row | nothing; of one's own words the id | `conversation.rs` |
//! | `UNREAD`, the same | | the same |
//! | `WITH`, conversation | how many rows, how many of them unread, the highest row | the same |
//!
//! Numbers are big-endian, so that keys are in their order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::conversation;
use super::order;
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Marks, Outgoing, Row};
use crate::agent::cost_bytes;
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::time::{DtnTime, Timestamp};

/// Grows with every change of what the entries are.
pub const INDEX_VERSION: u64 = 2;

const ID: u8 = 1;
pub(super) const STAMP: u8 = 2;
pub(super) const MOVED: u8 = 3;
pub(super) const AWAY: u8 = 4;
const COST: u8 = 5;
const ON_WAY: u8 = 6;
const SENT: u8 = 7;
pub(super) const TALK: u8 = 8;
pub(super) const UNREAD: u8 = 9;
pub(super) const WITH: u8 = 10;

/// One key of its parts.
pub(super) fn key<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}

/// The first key behind all that begin with `start`.
pub(super) fn behind(start: &[u8]) -> Vec<u8> {
    let mut end = start.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    unreachable!("the first byte of a key says what it is, and is none of 255")
}

/// A number at a place of a key or value; zero where it is cut short.
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_be_bytes)
}

pub(super) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

/// A message was delivered.
pub fn deliver<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    remember(shelf, Letter::mark_of(&letter.id), letter.row)?;
    order::insert(shelf, letter)?;
    conversation::come(shelf, letter)?;
    cost(shelf, letter, |bytes, more| bytes.saturating_add(more))
}

/// An id was delivered once; its row may be gone.
pub fn remember<S: ShelfMut>(shelf: &mut S, mark: [u8; 16], row: Row) -> Result<(), S::Error> {
    shelf.put(&key([&[ID], &mark]), &row.0.to_be_bytes())
}

/// The person deleted a row; its id is remembered.
pub fn discard<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    conversation::leave(shelf, letter)?;
    order::remove(shelf, letter)?;
    cost(shelf, letter, u64::saturating_sub)
}

fn cost<S: ShelfMut>(shelf: &mut S, letter: &Letter, change: fn(u64, u64) -> u64) -> Result<(), S::Error> {
    let key = key([&[COST], letter.source.as_bytes(), letter.from.as_bytes()]);
    let before = shelf.get(&key)?.map_or(0, |bytes| number(&bytes, 0));
    match change(before, cost_bytes(letter.size_bytes)) {
        0 => shelf.remove(&key),
        bytes => shelf.put(&key, &bytes.to_be_bytes()),
    }
}

/// A row of the inbox was read, or is unread again.
pub fn mark<S: ShelfMut>(shelf: &mut S, before: &Letter, marks: Marks) -> Result<(), S::Error> {
    if before.read == marks.read { Ok(()) } else { conversation::mark(shelf, before, marks.read) }
}

/// One's own message was queued.
pub fn post<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing) -> Result<(), S::Error> {
    shelf.put(&Written::of(outgoing).key(), &[])?;
    conversation::say(shelf, outgoing)?;
    if outgoing.is_settled() { Ok(()) } else { shelf.put(&key([&[ON_WAY], &outgoing.id.0]), &[]) }
}

/// Its fate is known.
pub fn settle<S: ShelfMut>(shelf: &mut S, id: &BundleId) -> Result<(), S::Error> {
    shelf.remove(&key([&[ON_WAY], &id.0]))
}

/// Its record was dropped.
pub fn unpost<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing) -> Result<(), S::Error> {
    shelf.remove(&Written::of(outgoing).key())?;
    conversation::unsay(shelf, outgoing)?;
    settle(shelf, &outgoing.id)
}

/// The row an id was delivered in.
pub fn row_of<S: Shelf>(shelf: &S, id: &BundleId) -> Result<Option<Row>, S::Error> {
    let row = shelf.get(&key([&[ID], &Letter::mark_of(id)]))?;
    Ok(row.map(|row| Row(number(&row, 0))))
}

/// The rows of delivered ids that may begin so, in the order of the ids: at most so many, some of them deleted.
pub fn rows_like<S: Shelf>(shelf: &S, prefix: &IdPrefix, many: usize) -> Result<Vec<Row>, S::Error> {
    let range = prefix.range();
    let from = key([&[ID], &Letter::mark_of(range.start())]);
    let to = behind(&key([&[ID], &Letter::mark_of(range.end())]));
    let mut rows = Vec::new();
    shelf.walk(&from, &to, &mut |_, row| {
        rows.push(Row(number(row, 0)));
        if rows.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(rows)
}

/// Bytes that rows cost, by source and by who handed them over.
pub fn costs<S: Shelf>(shelf: &S) -> Result<BTreeMap<(NodeId, NodeId), u64>, S::Error> {
    let mut costs = BTreeMap::new();
    shelf.walk(&[COST], &[COST + 1], &mut |key, bytes| {
        let (source, from) = (NodeId::from_trusted(part(key, 1)), NodeId::from_trusted(part(key, 33)));
        costs.insert((source, from), number(bytes, 0));
        ControlFlow::Continue(())
    })?;
    Ok(costs)
}

/// One's own messages that are on their way.
pub fn on_way<S: Shelf>(shelf: &S) -> Result<Vec<BundleId>, S::Error> {
    let mut ids = Vec::new();
    shelf.walk(&[ON_WAY], &[ON_WAY + 1], &mut |key, _| {
        ids.push(BundleId(part(key, 1)));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

/// One's own messages in the order in which they were written, those behind `after`: at most so many.
pub fn sent_behind<S: Shelf>(shelf: &S, after: Option<Written>, many: usize) -> Result<Vec<Written>, S::Error> {
    let from = after.map_or(vec![SENT], |after| [&after.key()[..], &[0]].concat());
    let mut sent = Vec::new();
    shelf.walk(&from, &[SENT + 1], &mut |key, _| {
        sent.push(Written::read(key));
        if sent.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(sent)
}

/// Where a message of one's own stands among the others: by when it was written, and its stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    at: Timestamp,
    creation: (DtnTime, u64),
    pub id: BundleId,
}

impl Written {
    pub fn of(outgoing: &Outgoing) -> Written {
        let creation = (outgoing.creation.time, outgoing.creation.sequence);
        Written { at: outgoing.created.now, creation, id: outgoing.id }
    }

    fn key(&self) -> Vec<u8> {
        let (time, sequence) = self.creation;
        let numbers = [self.at.0, time.0, sequence].map(u64::to_be_bytes);
        key([&[SENT], &numbers.concat(), &self.id.0])
    }

    fn read(key: &[u8]) -> Written {
        let creation = (DtnTime(number(key, 9)), number(key, 17));
        Written { at: Timestamp(number(key, 1)), creation, id: BundleId(part(key, 25)) }
    }
}

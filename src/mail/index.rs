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
//! | `TALK`, conversation, place, stamp, row | the number it came with; of one's own words the id behind it | `conversation.rs` |
//! | `UNREAD`, the same | | the same |
//! | `WITH`, conversation | how many rows, how many of them unread, the highest row | the same |
//! | `CONTENT`, conversation, mark | who wrote it, the row it is shown at, rows with the same once more | changes of it |
//! | `REGISTER`, … | | `registers.rs` |
//! | `UNSHOWN`, row | of a change the conversation and its target | rows that are read nowhere |
//! | `TASK`, conversation, mark | | what may be a task |
//! | `DUE`, row | by when an answer helps, mark | `due.rs` |
//! | `ANSWERED`, mark, row of one's own answer | | the same |
//! | `ANSWERS`, that row | that mark | the same |
//! | `ENDING`, `ENDS`, `GONE`, … | | `ending.rs` |
//! | `FILES`, row | mark, conversation | messages with files that come in parts |
//! | `ASKED`, row | | requests for parts that came |
//! | `PARTS`, id | | parts that were sent from here |
//!
//! Numbers are big-endian, so that keys are in their order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::conversation::{self, Conversation};
use super::due;
use super::ending;
use super::meaning::{Meaning, Words};
use super::order;
use super::registers::{self, Registers};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Marks, Outgoing, Row};
use crate::agent::cost_bytes;
use crate::content::{Amendment, Mark};
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::time::{DtnTime, Timestamp};

/// Grows with every change of what the entries are.
pub const INDEX_VERSION: u64 = 5;

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
pub(super) const REGISTER: u8 = 11;
pub(super) const CONTENT: u8 = 12;
const UNSHOWN: u8 = 13;
pub(super) const TASK: u8 = 14;
pub(super) const DUE: u8 = 15;
pub(super) const ANSWERED: u8 = 16;
pub(super) const ANSWERS: u8 = 17;
pub(super) const ENDING: u8 = 18;
pub(super) const ENDS: u8 = 19;
pub(super) const GONE: u8 = 20;
const FILES: u8 = 40;
const ASKED: u8 = 41;
const PARTS: u8 = 42;

/// So often the same content may be there once more; later ones are rows of their own.
const SAME_MAX: usize = 64;

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

/// A message was delivered that means so, and has this number. Returns the rows whose words are to be forgotten, for they
/// were withdrawn or their time is over.
pub fn deliver<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    meaning: &Meaning,
    number: u64,
) -> Result<Vec<Row>, S::Error> {
    remember(shelf, Letter::mark_of(&letter.id), letter.row)?;
    cost(shelf, letter, |bytes, more| bytes.saturating_add(more))?;
    let with = Conversation::of_letter(letter).key();
    if let Meaning::Change(amendment) = meaning {
        return change(shelf, &with, letter.source, (letter.id, letter.row), amendment);
    }
    if meaning.is_silent() {
        if matches!(meaning, Meaning::Ask) {
            shelf.put(&key([&[ASKED], &letter.row.0.to_be_bytes()]), &[])?;
        }
        hide(shelf, letter.row, Unshown::Silent, &Letter::mark_of(&letter.id), &with)?;
        return Ok(Vec::new());
    }
    let mark = meaning.mark(&letter.id);
    let first = shelf.get(&key([&[CONTENT], &with, &mark]))?;
    if let Some(first) = &first
        && is_there(shelf, &with, &mark, first, &letter.source, letter.row)?
    {
        hide(shelf, letter.row, Unshown::Again, &mark, &with)?;
        let is_gone = ending::come(shelf, letter, meaning)?;
        return again(shelf, &with, &mark, &letter.source, letter.row, is_gone);
    }
    order::insert(shelf, letter)?;
    conversation::come(shelf, letter, number)?;
    let withdrawn = content(shelf, &with, letter.source, (letter.id, letter.row), meaning, first.is_some())?;
    ask(shelf, letter, meaning, withdrawn)
}

/// What was withdrawn before it came asks for nothing.
fn ask<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    meaning: &Meaning,
    withdrawn: Vec<Row>,
) -> Result<Vec<Row>, S::Error> {
    due::come(shelf, letter, meaning)?;
    if !withdrawn.is_empty() {
        due::withdraw(shelf, letter.row)?;
    }
    ending::come(shelf, letter, meaning)?;
    Ok(withdrawn)
}

/// Content is there once more, which is forgotten if that was: its words do not come back with it.
fn again<S: Shelf>(
    shelf: &S,
    with: &[u8],
    mark: &Mark,
    author: &NodeId,
    row: Row,
    is_gone: bool,
) -> Result<Vec<Row>, S::Error> {
    let is_forgotten = is_gone || registers::of(shelf, with, mark, author)?.is_withdrawn();
    Ok(if is_forgotten { vec![row] } else { Vec::new() })
}

/// What was sealed since it came was opened, and means so.
pub fn open<S: ShelfMut>(shelf: &mut S, letter: &Letter, meaning: &Meaning) -> Result<Vec<Row>, S::Error> {
    let with = Conversation::of_letter(letter).key();
    let (author, place) = (letter.source, (letter.id, letter.row));
    let is_shown = matches!(meaning, Meaning::Hidden | Meaning::Words(Words { same: None, .. }));
    let is_unshown = is_unshown(shelf, letter.row)?;
    if is_shown || is_unshown {
        let is_taken = shelf.get(&key([&[CONTENT], &with, &meaning.mark(&letter.id)]))?.is_some();
        let withdrawn = content(shelf, &with, author, place, meaning, is_taken)?;
        return if is_unshown { Ok(withdrawn) } else { ask(shelf, letter, meaning, withdrawn) };
    }
    conversation::leave(shelf, letter)?;
    order::remove(shelf, letter)?;
    forget_content(shelf, &with, &letter.id, letter.row)?;
    due::leave(shelf, letter.row)?;
    ending::leave(shelf, letter.row)?;
    cost(shelf, letter, u64::saturating_sub)?;
    deliver(shelf, letter, meaning, 0)
}

/// Where a row's content is found, unless that name is taken, and that it may be a task.
fn content<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row): (BundleId, Row),
    meaning: &Meaning,
    is_taken: bool,
) -> Result<Vec<Row>, S::Error> {
    let mark = meaning.mark(&id);
    if !is_taken {
        shelf.put(&key([&[CONTENT], with, &mark]), &key([author.as_bytes(), &row.0.to_be_bytes()]))?;
    }
    let is_task = matches!(meaning, Meaning::Words(words) if words.is_task);
    if is_task {
        shelf.put(&key([&[TASK], with, &mark]), &[])?;
    }
    if matches!(meaning, Meaning::Words(words) if words.has_files) {
        shelf.put(&key([&[FILES], &row.0.to_be_bytes()]), &key([&mark, with]))?;
    }
    if registers::of(shelf, with, &mark, &author)?.is_withdrawn() { Ok(vec![row]) } else { Ok(Vec::new()) }
}

/// Whether what is there of a name is this author's content: then this row is added to it.
fn is_there<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    mark: &Mark,
    first: &[u8],
    author: &NodeId,
    row: Row,
) -> Result<bool, S::Error> {
    if part::<32>(first, 0) != *author.as_bytes() || first.len() >= 32 + 8 * SAME_MAX {
        return Ok(false);
    }
    shelf.put(&key([&[CONTENT], with, mark]), &key([first, &row.0.to_be_bytes()]))?;
    Ok(true)
}

/// A row with content is deleted.
fn forget_content<S: ShelfMut>(shelf: &mut S, with: &[u8], id: &BundleId, row: Row) -> Result<(), S::Error> {
    let mark = Letter::mark_of(id);
    shelf.remove(&key([&[FILES], &row.0.to_be_bytes()]))?;
    let key_of = key([&[CONTENT], with, &mark]);
    if shelf.get(&key_of)?.is_some_and(|value| number(&value, 32) == row.0) {
        shelf.remove(&key_of)?;
        shelf.remove(&key([&[TASK], with, &mark]))?;
        ending::leave_content(shelf, with, &mark)?;
    }
    Ok(())
}

/// A change came, or was made here.
fn change<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row): (BundleId, Row),
    amendment: &Amendment,
) -> Result<Vec<Row>, S::Error> {
    hide(shelf, row, Unshown::Change, &amendment.target, with)?;
    if !registers::put(shelf, with, author, (id, row), amendment)? {
        return Ok(Vec::new());
    }
    if amendment.task.is_some() {
        shelf.put(&key([&[TASK], with, &amendment.target]), &[])?;
    }
    let Some(target) = shelf.get(&key([&[CONTENT], with, &amendment.target]))? else { return Ok(Vec::new()) };
    let writer = NodeId::from_trusted(part(&target, 0));
    let registers = registers::of(shelf, with, &amendment.target, &writer)?;
    let is_forgotten = registers.is_withdrawn() || ending::is_gone_of(shelf, with, &amendment.target, &writer)?;
    if writer != author || !is_forgotten {
        return Ok(Vec::new());
    }
    let bodies = registers.bodies();
    let words: Vec<Row> = target.get(32..).unwrap_or_default().chunks_exact(8).map(|row| Row(number(row, 0))).collect();
    for row in &words {
        due::withdraw(shelf, *row)?;
    }
    let words = words.into_iter();
    Ok(words.chain(bodies).collect())
}

/// Why a row is read nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unshown {
    /// It changes what its mark names.
    Change,
    /// Its mark names what is shown already.
    Again,
    /// It belongs to a file.
    Silent,
}

fn hide<S: ShelfMut>(shelf: &mut S, row: Row, why: Unshown, mark: &Mark, with: &[u8]) -> Result<(), S::Error> {
    let why = why as u8;
    shelf.put(&key([&[UNSHOWN], &row.0.to_be_bytes()]), &key([&[why], mark, with]))
}

/// Whether a row is read nowhere: it is a change, or there once more.
pub fn is_unshown<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    Ok(shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?.is_some())
}

/// Whether nobody hears of what stands at a row: it belongs to a file.
pub fn is_silent<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    Ok(value.is_some_and(|value| value.first() == Some(&(Unshown::Silent as u8))))
}

/// Rows of messages with files that come in parts, behind one of them: at most so many.
pub fn files<S: Shelf>(shelf: &S, after: Option<Row>, many: usize) -> Result<Vec<(Row, Conversation, Mark)>, S::Error> {
    let from = after.map_or(vec![FILES], |after| key([&[FILES], &after.next().0.to_be_bytes()]));
    let mut files = Vec::new();
    shelf.walk(&from, &[FILES + 1], &mut |key, value| {
        let with = value.get(16..).and_then(Conversation::read);
        files.extend(with.map(|with| (Row(number(key, 1)), with, part(value, 0))));
        if files.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(files)
}

/// Rows of requests for parts that came: at most so many.
pub fn asked<S: Shelf>(shelf: &S, many: usize) -> Result<Vec<Row>, S::Error> {
    let mut rows = Vec::new();
    shelf.walk(&[ASKED], &[ASKED + 1], &mut |key, _| {
        rows.push(Row(number(key, 1)));
        if rows.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(rows)
}

/// Parts that were sent from here and are not forgotten, behind one of them: at most so many.
pub fn parts<S: Shelf>(shelf: &S, after: Option<&BundleId>, many: usize) -> Result<Vec<BundleId>, S::Error> {
    let from = after.map_or(vec![PARTS], |after| key([&[PARTS], &after.0, &[0]]));
    let mut ids = Vec::new();
    shelf.walk(&from, &[PARTS + 1], &mut |key, _| {
        ids.push(BundleId(part(key, 1)));
        if ids.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(ids)
}

/// The row at which it is read what stands at this one: itself, or where it was there first; none of a change.
pub fn shown_at<S: Shelf>(shelf: &S, row: Row) -> Result<Option<Row>, S::Error> {
    let Some(value) = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))? else { return Ok(Some(row)) };
    if value.first() != Some(&(Unshown::Again as u8)) {
        return Ok(None);
    }
    let (mark, with) = (part::<16>(&value, 1), value.get(17..).unwrap_or_default());
    let content = shelf.get(&key([&[CONTENT], with, &mark]))?;
    Ok(content.map(|value| Row(number(&value, 32))))
}

/// Forgets a row that is read nowhere; says whether it was one, and of what is there once more the row it is shown at.
fn unhide<S: ShelfMut>(shelf: &mut S, row: Row, id: &BundleId) -> Result<Option<Option<Row>>, S::Error> {
    let unshown = key([&[UNSHOWN], &row.0.to_be_bytes()]);
    let Some(value) = shelf.get(&unshown)? else { return Ok(None) };
    shelf.remove(&unshown)?;
    let (mark, with) = (part::<16>(&value, 1), value.get(17..).unwrap_or_default());
    if value.first() == Some(&(Unshown::Silent as u8)) {
        shelf.remove(&key([&[ASKED], &row.0.to_be_bytes()]))?;
        return Ok(Some(None));
    }
    if value.first() == Some(&(Unshown::Change as u8)) {
        registers::remove(shelf, with, &mark, id)?;
        return Ok(Some(None));
    }
    let content = key([&[CONTENT], with, &mark]);
    let Some(rows) = shelf.get(&content)? else { return Ok(Some(None)) };
    let (head, again) = rows.split_at_checked(40).unwrap_or((&rows, &[]));
    let again: Vec<&[u8]> = again.chunks_exact(8).filter(|other| number(other, 0) != row.0).collect();
    shelf.put(&content, &key([head, &again.concat()]))?;
    Ok(Some(Some(Row(number(&rows, 32)))))
}

/// Who wrote content, and the row it is shown at.
pub fn written<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<Option<(NodeId, Row)>, S::Error> {
    let value = shelf.get(&key([&[CONTENT], &with.key(), mark]))?;
    Ok(value.map(|value| (NodeId::from_trusted(part(&value, 0)), Row(number(&value, 32)))))
}

/// The rows of content: where it was there first, and once more.
pub fn rows_of<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<Vec<Row>, S::Error> {
    let value = shelf.get(&key([&[CONTENT], &with.key(), mark]))?.unwrap_or_default();
    let rows = value.get(32..).unwrap_or_default().chunks_exact(8);
    Ok(rows.map(|row| Row(number(row, 0))).collect())
}

/// The registers of content that an author wrote; none where the name is of another's content, which any text may claim to
/// be once more: nobody else's reactions are shown beside it.
pub fn registers<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    mark: &Mark,
    author: &NodeId,
) -> Result<Registers, S::Error> {
    match written(shelf, with, mark)? {
        Some((writer, _)) if writer != *author => Ok(Registers::default()),
        _ => registers::of(shelf, &with.key(), mark, author),
    }
}

/// What may be a task: where it was said, and its mark; at most so many behind one.
pub fn tasks<S: Shelf>(
    shelf: &S,
    after: Option<&(Conversation, Mark)>,
    many: usize,
) -> Result<Vec<(Conversation, Mark)>, S::Error> {
    let from = after.map_or(vec![TASK], |(with, mark)| key([&[TASK], &with.key(), mark, &[0]]));
    let mut tasks = Vec::new();
    shelf.walk(&from, &[TASK + 1], &mut |key, _| {
        let Some((with, mark)) = key[1..].split_last_chunk::<16>() else { return ControlFlow::Continue(()) };
        tasks.extend(Conversation::read(with).map(|with| (with, *mark)));
        if tasks.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(tasks)
}

/// An id was delivered once; its row may be gone.
pub fn remember<S: ShelfMut>(shelf: &mut S, mark: [u8; 16], row: Row) -> Result<(), S::Error> {
    shelf.put(&key([&[ID], &mark]), &row.0.to_be_bytes())
}

/// The person deleted a row; its id is remembered.
pub fn discard<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    cost(shelf, letter, u64::saturating_sub)?;
    ending::leave(shelf, letter.row)?;
    if unhide(shelf, letter.row, &letter.id)?.is_some() {
        return Ok(());
    }
    forget_content(shelf, &Conversation::of_letter(letter).key(), &letter.id, letter.row)?;
    due::leave(shelf, letter.row)?;
    conversation::leave(shelf, letter)?;
    order::remove(shelf, letter)
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
    let is_same = before.read == marks.read || is_unshown(shelf, before.row)?;
    if is_same { Ok(()) } else { conversation::mark(shelf, before, marks.read) }
}

/// One's own message was queued that means so, and has this number; the rest is as with what is delivered.
pub fn post<S: ShelfMut>(
    shelf: &mut S,
    outgoing: &Outgoing,
    meaning: &Meaning,
    number: u64,
) -> Result<Vec<Row>, S::Error> {
    if !meaning.is_silent() {
        shelf.put(&Written::of(outgoing).key(), &[])?;
    }
    if !outgoing.is_settled() {
        shelf.put(&key([&[ON_WAY], &outgoing.id.0]), &[])?;
    }
    // A note to oneself is taken in as it comes.
    let Some((with, row)) = conversation::own(outgoing) else { return Ok(Vec::new()) };
    let author = outgoing.source.unwrap_or(NodeId::from_trusted([0; 32]));
    if let Meaning::Change(amendment) = meaning {
        return change(shelf, &with, author, (outgoing.id, row), amendment);
    }
    if meaning.is_silent() {
        if matches!(meaning, Meaning::Part) {
            shelf.put(&key([&[PARTS], &outgoing.id.0]), &[])?;
        }
        hide(shelf, row, Unshown::Silent, &Letter::mark_of(&outgoing.id), &with)?;
        return Ok(Vec::new());
    }
    let mark = meaning.mark(&outgoing.id);
    let first = shelf.get(&key([&[CONTENT], &with, &mark]))?;
    if let Some(first) = &first
        && is_there(shelf, &with, &mark, first, &author, row)?
    {
        hide(shelf, row, Unshown::Again, &mark, &with)?;
        conversation::say_again(shelf, outgoing, Row(self::number(first, 32)), number)?;
        let is_gone = ending::say(shelf, outgoing, (&with, row), meaning)?;
        return again(shelf, &with, &mark, &author, row, is_gone);
    }
    conversation::say(shelf, outgoing, number)?;
    due::say(shelf, row, meaning)?;
    ending::say(shelf, outgoing, (&with, row), meaning)?;
    content(shelf, &with, author, (outgoing.id, row), meaning, first.is_some())
}

/// Its fate is known.
pub fn settle<S: ShelfMut>(shelf: &mut S, id: &BundleId) -> Result<(), S::Error> {
    shelf.remove(&key([&[ON_WAY], &id.0]))
}

/// Its record was dropped.
pub fn unpost<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing) -> Result<(), S::Error> {
    shelf.remove(&Written::of(outgoing).key())?;
    shelf.remove(&key([&[PARTS], &outgoing.id.0]))?;
    settle(shelf, &outgoing.id)?;
    let Some((with, row)) = conversation::own(outgoing) else { return Ok(()) };
    ending::leave(shelf, row)?;
    match unhide(shelf, row, &outgoing.id)? {
        Some(None) => Ok(()),
        Some(Some(shown_at)) => conversation::unsay(shelf, outgoing, shown_at),
        None => {
            forget_content(shelf, &with, &outgoing.id, row)?;
            due::leave(shelf, row)?;
            conversation::unsay(shelf, outgoing, row)
        }
    }
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

/// The same from the end: those before `before`, the last one first.
pub fn sent_before<S: Shelf>(shelf: &S, before: Option<Written>, many: usize) -> Result<Vec<Written>, S::Error> {
    let to = before.map_or(vec![SENT + 1], |before| before.key());
    let mut sent = Vec::new();
    shelf.walk_back(&[SENT], &to, &mut |key, _| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Reaction;
    use crate::eid::Eid;

    #[test]
    fn a_text_that_claims_to_be_another_s_gets_none_of_its_reactions() {
        let [alice, bob] = [1, 2].map(|n| NodeId::from_trusted([n; 32]));
        let (mut shelf, with, mark) = (BTreeMap::new(), Conversation(Eid::mail(bob)), [3; 16]);
        let words = Meaning::Words(Words::default());
        let place = |n: u8| (BundleId([n; 32]), Row(n.into()));
        content(&mut shelf, &with.key(), alice, place(3), &words, false).unwrap();
        let reaction = Some(Reaction { text: "yes".into(), on: true });
        let amendment = Amendment { target: mark, reaction, ..Amendment::default() };
        change(&mut shelf, &with.key(), alice, place(4), &amendment).unwrap();
        assert!(!registers(&shelf, &with, &mark, &alice).unwrap().is_empty());
        assert!(registers(&shelf, &with, &mark, &bob).unwrap().is_empty());
    }
}

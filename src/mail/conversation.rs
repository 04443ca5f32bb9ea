//! Conversations: what came from somebody and what was said to them, in the order in which it is read.
//!
//! A message that came stands where the inbox has it, one's own words where they were filed. A note to oneself is a message
//! that came. How many rows of a conversation are unread is counted as they come, are read and leave.

use std::ops::{Bound, ControlFlow};

use super::entries::{TALK, UNREAD, WITH, behind, key, number, part};
use super::order::{self, Position, Span};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Outgoing, Row};
use crate::eid::{Eid, Service};
use crate::id::{BundleId, NodeId};

/// Whom or what a conversation is with, by the endpoint that its messages go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conversation(pub Eid);

/// What is counted of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub with: Conversation,
    pub rows: u64,
    pub unread: u64,
    /// The row that was filed in it last.
    pub last: Row,
}

/// One row of a conversation, and the number with which it came into it; zero where that is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub spoken: Spoken,
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// The message that came at this row.
    Came(Row),
    /// One's own.
    Own(BundleId),
}

impl Conversation {
    /// A person answers, or a group is where it was said.
    pub fn of_letter(letter: &Letter) -> Conversation {
        Conversation(if letter.destination.is_group() { letter.destination.clone() } else { Eid::mail(letter.source) })
    }

    pub fn of_sent(outgoing: &Outgoing) -> Conversation {
        Conversation(outgoing.destination.clone())
    }

    /// No key begins with another.
    pub fn key(&self) -> Vec<u8> {
        let (tag, name) = match &self.0.service {
            Service::Admin => (0, ""),
            Service::Mail => (1, ""),
            Service::Group(name) => (2, &**name),
            Service::Other(name) => (3, &**name),
            Service::Topic(name) => (4, &**name),
        };
        key([self.0.node.as_bytes(), &[tag, name.len() as u8], name.as_bytes()])
    }

    /// Reads what [`Conversation::key`] wrote; none for anything else.
    pub fn read(key: &[u8]) -> Option<Conversation> {
        let name = std::str::from_utf8(key.get(34..)?).ok()?;
        let node = NodeId::from_trusted(part(key, 0));
        let service = match key[32] {
            0 => Service::Admin,
            1 => Service::Mail,
            2 => Service::Group(name.into()),
            3 => Service::Other(name.into()),
            4 => Service::Topic(name.into()),
            _ => return None,
        };
        Some(Conversation(Eid { node, service }))
    }
}

/// A message came, and has its place in the inbox.
pub fn come<S: ShelfMut>(shelf: &mut S, letter: &Letter, number: u64) -> Result<(), S::Error> {
    stand(shelf, letter, number, letter.read)
}

/// Something came that is read here alone, and that nobody has to read: it stands where it arrived.
pub fn come_read<S: ShelfMut>(shelf: &mut S, letter: &Letter, number: u64) -> Result<(), S::Error> {
    stand(shelf, letter, number, true)
}

fn stand<S: ShelfMut>(shelf: &mut S, letter: &Letter, number: u64, read: bool) -> Result<(), S::Error> {
    let with = Conversation::of_letter(letter).key();
    let at = position(shelf, letter)?.bytes();
    shelf.put(&key([&[TALK], &with, &at]), &number.to_be_bytes())?;
    if !read {
        shelf.put(&key([&[UNREAD], &with, &at]), &[])?;
    }
    count(shelf, &with, |counts| {
        counts[0] += 1;
        counts[1] += u64::from(!read);
        counts[2] = counts[2].max(letter.row.0);
    })
}

/// Its row is deleted, while it still has its place in the inbox.
pub fn leave<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    mark(shelf, letter, true)?;
    let with = Conversation::of_letter(letter).key();
    let at = position(shelf, letter)?.bytes();
    shelf.remove(&key([&[TALK], &with, &at]))?;
    count(shelf, &with, |counts| counts[0] = counts[0].saturating_sub(1))
}

/// What came at a row, or was said there, and is read here alone is read no more.
pub(super) fn strike<S: ShelfMut>(shelf: &mut S, with: &[u8], row: Row) -> Result<(), S::Error> {
    // It stands where it arrived.
    let start = key([&[TALK], with, &row.0.to_be_bytes()]);
    let (at, mut line) = (start.len() - 8, None);
    shelf.walk(&start, &behind(&start), &mut |key, _| {
        if Position::read(key, at).row() != row {
            return ControlFlow::Continue(());
        }
        line = Some(key.to_vec());
        ControlFlow::Break(())
    })?;
    let Some(line) = line else { return Ok(()) };
    shelf.remove(&line)?;
    count(shelf, with, |counts| counts[0] = counts[0].saturating_sub(1))
}

/// It was read, or is unread again; or there is nothing left to be read.
pub fn mark<S: ShelfMut>(shelf: &mut S, letter: &Letter, read: bool) -> Result<(), S::Error> {
    let with = Conversation::of_letter(letter).key();
    let unread = key([&[UNREAD], &with, &position(shelf, letter)?.bytes()]);
    if shelf.get(&unread)?.is_some() != read {
        return Ok(());
    }
    if read {
        shelf.remove(&unread)?
    } else {
        shelf.put(&unread, &[])?
    }
    count(shelf, &with, |counts| counts[1] = if read { counts[1].saturating_sub(1) } else { counts[1] + 1 })
}

/// Whether it waits to be read.
pub fn is_unread<S: Shelf>(shelf: &S, letter: &Letter) -> Result<bool, S::Error> {
    let with = Conversation::of_letter(letter).key();
    Ok(shelf.get(&key([&[UNREAD], &with, &position(shelf, letter)?.bytes()]))?.is_some())
}

/// One's own words were filed.
pub fn say<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing, number: u64) -> Result<(), S::Error> {
    let Some((with, row)) = own(outgoing) else { return Ok(()) };
    put_own(shelf, &with, row, &outgoing.id, number)?;
    count(shelf, &with, |counts| {
        counts[0] += 1;
        counts[2] = counts[2].max(row.0);
    })
}

/// Another of one's own bundles has the same words, and its fate is the one to be shown.
pub fn say_again<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing, first: Row, number: u64) -> Result<(), S::Error> {
    let Some((with, _)) = own(outgoing) else { return Ok(()) };
    put_own(shelf, &with, first, &outgoing.id, number)
}

fn put_own<S: ShelfMut>(shelf: &mut S, with: &[u8], row: Row, id: &BundleId, number: u64) -> Result<(), S::Error> {
    shelf.put(&key([&[TALK], with, &Position::of_own(row).bytes()]), &key([&number.to_be_bytes(), &id.0]))
}

/// One's own words are deleted, unless they are shown as another's of the same.
pub fn unsay<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing, at: Row) -> Result<(), S::Error> {
    let Some((with, _)) = own(outgoing) else { return Ok(()) };
    let place = key([&[TALK], &with, &Position::of_own(at).bytes()]);
    if shelf.get(&place)?.is_none_or(|value| value.get(8..) != Some(&outgoing.id.0)) {
        return Ok(());
    }
    shelf.remove(&place)?;
    count(shelf, &with, |counts| counts[0] = counts[0].saturating_sub(1))
}

/// Whether words of one's own are read at a row, of this message or of another with the same.
pub(super) fn is_said<S: Shelf>(shelf: &S, outgoing: &Outgoing, at: Row) -> Result<bool, S::Error> {
    let Some((with, _)) = own(outgoing) else { return Ok(false) };
    Ok(shelf.get(&key([&[TALK], &with, &Position::of_own(at).bytes()]))?.is_some())
}

/// The conversation and the row of one's own words; none where they were not kept, or come back as a note to oneself.
pub(super) fn own(outgoing: &Outgoing) -> Option<(Vec<u8>, Row)> {
    let is_note = outgoing.source == Some(outgoing.destination.node) && !outgoing.destination.is_group();
    Some((Conversation::of_sent(outgoing).key(), outgoing.row.filter(|_| !is_note)?))
}

/// A row of a conversation is read at another position, for another of its writer's left.
pub(super) fn move_on<S: ShelfMut>(shelf: &mut S, with: &[u8], from: Position, to: Position) -> Result<(), S::Error> {
    for prefix in [TALK, UNREAD] {
        let stood = key([&[prefix], with, &from.bytes()]);
        if let Some(value) = shelf.get(&stood)? {
            shelf.remove(&stood)?;
            shelf.put(&key([&[prefix], with, &to.bytes()]), &value)?;
        }
    }
    Ok(())
}

fn position<S: Shelf>(shelf: &S, letter: &Letter) -> Result<Position, S::Error> {
    let place = order::place_of(shelf, letter)?;
    Ok(Position::of(letter, place.unwrap_or(letter.row)))
}

fn count<S: ShelfMut>(shelf: &mut S, with: &[u8], change: impl FnOnce(&mut [u64; 3])) -> Result<(), S::Error> {
    let key = key([&[WITH], with]);
    let mut counts = shelf.get(&key)?.map_or([0; 3], |value| [0, 8, 16].map(|at| number(&value, at)));
    change(&mut counts);
    match counts[0] {
        0 => shelf.remove(&key),
        _ => shelf.put(&key, &counts.map(u64::to_be_bytes).concat()),
    }
}

/// All conversations.
pub fn all<S: Shelf>(shelf: &S) -> Result<Vec<Counts>, S::Error> {
    let mut conversations = Vec::new();
    shelf.walk(&[WITH], &[WITH + 1], &mut |key, value| {
        let with = key.get(1..).and_then(Conversation::read);
        conversations.extend(with.map(|with| counts(with, value)));
        ControlFlow::Continue(())
    })?;
    Ok(conversations)
}

/// What is counted of one conversation; none where nothing was said.
pub fn of<S: Shelf>(shelf: &S, with: &Conversation) -> Result<Option<Counts>, S::Error> {
    Ok(shelf.get(&key([&[WITH], &with.key()]))?.map(|value| counts(with.clone(), &value)))
}

fn counts(with: Conversation, value: &[u8]) -> Counts {
    let [rows, unread, last] = [0, 8, 16].map(|at| number(value, at));
    Counts { with, rows, unread, last: Row(last) }
}

/// What was said in a stretch of a conversation, from one of its ends: at most so many rows.
pub fn spoken<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    span: Span,
    backwards: bool,
    many: usize,
) -> Result<Vec<(Position, Said)>, S::Error> {
    let start = key([&[TALK], &with.key()]);
    let at = |position: Position| key([&start, &position.bytes()]);
    let from = match span.from {
        Bound::Included(position) => at(position),
        Bound::Excluded(position) => behind(&at(position)),
        Bound::Unbounded => start.clone(),
    };
    let to = match span.to {
        Bound::Included(position) => behind(&at(position)),
        Bound::Excluded(position) => at(position),
        Bound::Unbounded => behind(&start),
    };
    let mut rows = Vec::new();
    if many == 0 || from >= to {
        return Ok(rows);
    }
    let mut take = |key: &[u8], value: &[u8]| {
        let position = Position::read(key, start.len());
        let id = value.get(8..).and_then(|id| <[u8; 32]>::try_from(id).ok()).map(BundleId);
        let spoken = id.map_or(Spoken::Came(position.row()), Spoken::Own);
        rows.push((position, Said { spoken, number: number(value, 0) }));
        if rows.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match backwards {
        false => shelf.walk(&from, &to, &mut take)?,
        true => shelf.walk_back(&from, &to, &mut take)?,
    }
    Ok(rows)
}

/// Where the first unread row of a conversation stands.
pub fn first_unread<S: Shelf>(shelf: &S, with: &Conversation) -> Result<Option<Position>, S::Error> {
    Ok(unread(shelf, with, None, 1)?.pop())
}

/// Where the unread rows of a conversation stand that are read behind a position: at most so many.
pub fn unread<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    after: Option<Position>,
    many: usize,
) -> Result<Vec<Position>, S::Error> {
    let start = key([&[UNREAD], &with.key()]);
    let from = after.map_or(start.clone(), |after| behind(&key([&start, &after.bytes()])));
    let (to, mut unread) = (behind(&start), Vec::new());
    if from >= to {
        return Ok(unread);
    }
    shelf.walk(&from, &to, &mut |key, _| {
        unread.push(Position::read(key, start.len()));
        if unread.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(unread)
}

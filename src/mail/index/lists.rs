//! What of the record is listed by what it is: tasks, apps, files and their parts, and what the person pinned.

use std::ops::ControlFlow;

use crate::agent::change::Row;
use crate::content::Mark;
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::mail::entries::{APP, ASKED, FILES, PARTS, PINNED, TASK, key, number, part};
use crate::mail::shelf::{Shelf, ShelfMut};

/// What may be a task: where it was said, and its mark; at most so many behind one.
pub fn tasks<S: Shelf>(
    shelf: &S,
    after: Option<&(Conversation, Mark)>,
    many: usize,
) -> Result<Vec<(Conversation, Mark)>, S::Error> {
    named(shelf, TASK, after, many)
}

/// What may be a shared app: where it was said, and its mark; at most so many behind one.
pub fn apps<S: Shelf>(
    shelf: &S,
    after: Option<&(Conversation, Mark)>,
    many: usize,
) -> Result<Vec<(Conversation, Mark)>, S::Error> {
    named(shelf, APP, after, many)
}

/// What has an entry of a kind by conversation and mark.
fn named<S: Shelf>(
    shelf: &S,
    kind: u8,
    after: Option<&(Conversation, Mark)>,
    many: usize,
) -> Result<Vec<(Conversation, Mark)>, S::Error> {
    let from = after.map_or(vec![kind], |(with, mark)| key([&[kind], &with.key(), mark, &[0]]));
    let mut named = Vec::new();
    shelf.walk(&from, &[kind + 1], &mut |key, _| {
        let Some((with, mark)) = key[1..].split_last_chunk::<16>() else { return ControlFlow::Continue(()) };
        named.extend(Conversation::read(with).map(|with| (with, *mark)));
        if named.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(named)
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

/// The person pinned a message, or does so no more.
pub fn pin<S: ShelfMut>(shelf: &mut S, row: Row, is_pinned: bool) -> Result<(), S::Error> {
    let key = key([&[PINNED], &row.0.to_be_bytes()]);
    if is_pinned { shelf.put(&key, &[]) } else { shelf.remove(&key) }
}

/// Rows of messages that the person pinned: at most so many, the last ones first.
pub fn pinned<S: Shelf>(shelf: &S, many: usize) -> Result<Vec<Row>, S::Error> {
    let mut rows = Vec::new();
    shelf.walk_back(&[PINNED], &[PINNED + 1], &mut |key, _| {
        rows.push(Row(number(key, 1)));
        if rows.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(rows)
}

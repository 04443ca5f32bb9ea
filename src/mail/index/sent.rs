//! One's own messages: in the order in which they were written, those on their way, and those whose lives ended.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::agent::change::Outgoing;
use crate::id::BundleId;
use crate::mail::entries::{ENDED, ON_WAY, SENT, key, number, part};
use crate::mail::shelf::{Shelf, ShelfMut};
use crate::time::{DtnTime, Timestamp};

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

    pub(super) fn key(&self) -> Vec<u8> {
        let (time, sequence) = self.creation;
        let numbers = [self.at.0, time.0, sequence].map(u64::to_be_bytes);
        key([&[SENT], &numbers.concat(), &self.id.0])
    }

    fn read(key: &[u8]) -> Written {
        let creation = (DtnTime(number(key, 9)), number(key, 17));
        Written { at: Timestamp(number(key, 1)), creation, id: BundleId(part(key, 25)) }
    }
}

/// The life of one's own message ended without a receipt, as this number.
pub fn end<S: ShelfMut>(shelf: &mut S, number: u64, id: &BundleId) -> Result<(), S::Error> {
    shelf.put(&key([&[ENDED], &number.to_be_bytes()]), &id.0)
}

/// One's own messages whose lives ended behind a number; a receipt may have come since.
pub fn ended<S: Shelf>(shelf: &S, behind: u64) -> Result<BTreeSet<BundleId>, S::Error> {
    let mut ids = BTreeSet::new();
    let from = key([&[ENDED], &behind.saturating_add(1).to_be_bytes()]);
    shelf.walk(&from, &[ENDED + 1], &mut |_, id| {
        ids.insert(BundleId(part(id, 0)));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
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

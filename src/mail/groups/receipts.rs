//! Receipts: what members of a group owe the authors of what came to it, and what an author heard.
//!
//! ```text
//! a message opens ──▶ owe ──▶ fresh ──(settles)──▶ gather ──▶ a batch ──▶ sent: under way to its author
//!                              ▲                     ▲                      │ handed to the author: over
//!                              │                     └── named once more ────┤ another batch goes: that takes its place
//!                              └──────────────────────────────────────────── its life ends
//! ```
//! Nobody answers a receipt, so a member knows to be through only what it handed to the author itself. What else it sent it
//! names again in the next batch for that author, which takes the place of the one before as far as one batch has room. So
//! a lost one costs nothing while nothing is written, and is made good by the next message that comes.
//!
//! What came together is named together: a batch goes a moment after the first of it came, or in a small group after the
//! batch before. In a large group the next for the
//! same author goes ten minutes after it, or once it is full. There the receipts must cost less than the messages: each message
//! that came pays for one copy that a carrier gets of the batch that names it, and what a batch did not spend goes over to the
//! one in its place. Where the author is in reach nobody else gets any.
//!
//! Which are owed, and in which bundle each is under way, lies in the store, in the commit of what it follows from.

use std::collections::BTreeMap;

use super::{Groups, rows};
use crate::agent::GOT_COPIES_MAX;
use crate::agent::change::Change;
use crate::content::group::GOT_MAX;
use crate::content::{Content, GroupWord, Mark, pad, unpad};
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, DtnTime, MINUTE, Millis, SECOND, Timestamp};

/// How long what comes together gathers.
pub const SETTLES: Millis = Millis(2 * SECOND.0);
/// How far apart batches for one author are in a large group.
pub const APART: Millis = Millis(10 * MINUTE.0);
/// In a group of so many members the first goes at once, and all in all copies: they cost little there.
pub const MEMBERS_FEW: usize = 8;
/// How long a batch is under way.
pub const RECEIPT_LIFETIME: Millis = Millis(7 * DAY.0);
/// How long somebody is told that something came, who may never hear it.
pub const OWED: Millis = Millis(30 * DAY.0);
/// Most batches for one author in one group that are under way from here; before another goes the oldest is given up.
pub const UNDER_WAY_MAX: usize = 16;
/// When a batch that could not be sent is tried again.
const RETRY: Millis = Millis(5 * SECOND.0);

/// What is owed to authors in groups.
#[derive(Debug, Default)]
pub struct Receipts {
    /// By author and group.
    debts: BTreeMap<(NodeId, NodeId), Debt>,
    /// Batches that wait to be sent.
    ready: Vec<Batch>,
    /// For whom a batch is that is under way.
    under_way: BTreeMap<BundleId, (NodeId, NodeId)>,
}

#[derive(Debug, Default)]
struct Debt {
    /// How many are in the group.
    members: usize,
    /// Named in no batch yet, as they came.
    fresh: Vec<Owed>,
    /// When these are to be sent.
    due: Option<Timestamp>,
    gathered: Option<Timestamp>,
    /// Sent, and not known to be with the author; the oldest first.
    sent: Vec<(BundleId, Vec<Owed>)>,
}

/// A message that came, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    pub mark: Mark,
    pub came: DtnTime,
}

/// What is to be sent to an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub author: NodeId,
    pub group: NodeId,
    /// What was in no batch before comes first.
    pub got: Vec<Owed>,
    /// So many of these.
    pub fresh: usize,
    /// Batches under way in the place of which this one goes.
    pub replaces: Vec<BundleId>,
    pub copies: u16,
}

impl Batch {
    /// As it is to be sealed.
    pub fn plaintext(&self) -> Vec<u8> {
        let got = self.got.iter().map(|owed| owed.mark).collect();
        pad(&Content::Group(Box::new(GroupWord { got, ..GroupWord::of(self.group) })).encode())
    }
}

/// What a member's receipt says, as it was sealed.
pub fn word_in(plaintext: &[u8]) -> Option<Box<GroupWord>> {
    match Content::decode(unpad(plaintext).ok()?).ok()? {
        Content::Group(word) => Some(word),
        _ => None,
    }
}

impl Receipts {
    /// Takes in a row of the store.
    pub fn load(&mut self, author: NodeId, group: NodeId, mark: Mark, value: &[u8], members: usize) {
        let Some((came, bundle)) = rows::read_receipt(value) else { return };
        let debt = self.debts.entry((author, group)).or_default();
        let owed = Owed { mark, came };
        debt.members = members;
        let Some(id) = bundle else {
            debt.fresh.push(owed);
            debt.due = Some(Timestamp::default());
            return;
        };
        self.under_way.insert(id, (author, group));
        match debt.sent.iter_mut().find(|(sent, _)| *sent == id) {
            Some((_, got)) => got.push(owed),
            None => debt.sent.push((id, vec![owed])),
        }
    }

    /// Something came, whose author is to hear so.
    pub fn owe(
        &mut self,
        (author, group): (NodeId, NodeId),
        owed: Owed,
        members: usize,
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        keep(&author, &group, owed, None, out);
        let debt = self.debts.entry((author, group)).or_default();
        debt.members = members;
        debt.fresh.push(owed);
        let due = match debt.gathered {
            // Who is there for a moment only is told of as well.
            at if members <= MEMBERS_FEW => at.map_or(now, |at| now.max(at + SETTLES)),
            Some(at) if debt.fresh.len() < GOT_MAX => (now + SETTLES).max(at + APART),
            _ => now + SETTLES,
        };
        debt.due = Some(debt.due.map_or(due, |before| before.min(due)));
    }

    /// When something is to be sent.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.debts.values().filter_map(|debt| debt.due).min()
    }

    /// Gathers what is to be sent by now; true where there is something. `copies_left` says how many copies are left of a batch
    /// that is under way, where it is here still.
    pub fn gather(&mut self, now: Timestamp, copies_left: impl Fn(&BundleId) -> Option<u16>) -> bool {
        self.debts.retain(|_, debt| !debt.is_over(now));
        let due = self.debts.iter_mut().filter(|(_, debt)| debt.due.is_some_and(|due| due <= now));
        for ((author, group), debt) in due {
            let fresh = debt.gather(now);
            let last = fresh.len().div_ceil(GOT_MAX);
            for (n, some) in (1..).zip(fresh.chunks(GOT_MAX)) {
                let batch = Batch {
                    author: *author,
                    group: *group,
                    got: some.to_vec(),
                    fresh: some.len(),
                    replaces: Vec::new(),
                    copies: (1 + some.len()).min(GOT_COPIES_MAX.into()) as u16,
                };
                self.ready.push(debt.priced(if n == last { debt.cumulate(batch, &copies_left) } else { batch }));
            }
        }
        !self.ready.is_empty()
    }

    /// What was gathered; whoever takes it says what became of each.
    pub fn take_ready(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.ready)
    }

    /// A batch is in a bundle that is durable here. Returns bundles of before that are needed no more.
    pub fn sent(&mut self, batch: &Batch, id: BundleId, out: &mut Vec<Change>) -> Vec<BundleId> {
        let Batch { author, group, got, replaces, .. } = batch;
        let debt = self.debts.entry((*author, *group)).or_default();
        debt.sent.retain(|(sent, _)| !replaces.contains(sent));
        got.iter().for_each(|owed| keep(author, group, *owed, Some(&id), out));
        debt.sent.push((id, got.clone()));
        self.under_way.insert(id, (*author, *group));
        let mut over = replaces.clone();
        let too_many = debt.sent.len().saturating_sub(UNDER_WAY_MAX);
        for (given_up, got) in debt.sent.drain(..too_many) {
            got.iter().for_each(|owed| forget(author, group, owed, out));
            over.push(given_up);
        }
        self.under_way.retain(|id, _| !over.contains(id));
        over
    }

    /// A batch could not be sent for now; it is gathered anew with the next.
    pub fn not_sent(&mut self, batch: &Batch) {
        let debt = self.debts.entry((batch.author, batch.group)).or_default();
        debt.fresh.splice(..0, batch.got[..batch.fresh].iter().copied());
        let again = debt.gathered.unwrap_or_default() + RETRY;
        debt.due = Some(debt.due.map_or(again, |due| due.min(again)));
    }

    /// A bundle is no more: its author has it, or else its life is over, and what is not too old is owed anew.
    pub fn gone(&mut self, id: &BundleId, is_heard: bool, (now, wall): (Timestamp, DtnTime), out: &mut Vec<Change>) {
        let Some((author, group)) = self.under_way.remove(id) else { return };
        let Some(debt) = self.debts.get_mut(&(author, group)) else { return };
        let Some(at) = debt.sent.iter().position(|(sent, _)| sent == id) else { return };
        for owed in debt.sent.remove(at).1 {
            if is_heard || wall.0 > owed.came.0.saturating_add(OWED.0) {
                forget(&author, &group, &owed, out);
            } else {
                keep(&author, &group, owed, None, out);
                debt.fresh.push(owed);
                debt.due = Some(debt.due.map_or(now + SETTLES, |due| due.min(now + SETTLES)));
            }
        }
    }
}

impl Debt {
    fn is_over(&self, now: Timestamp) -> bool {
        self.fresh.is_empty() && self.sent.is_empty() && self.gathered.is_none_or(|at| at + APART < now)
    }

    fn gather(&mut self, now: Timestamp) -> Vec<Owed> {
        (self.due, self.gathered) = (None, Some(now));
        std::mem::take(&mut self.fresh)
    }

    /// Names again what is under way, the last first, as far as there is room, with the copies that are left of it.
    fn cumulate(&self, mut batch: Batch, copies_left: impl Fn(&BundleId) -> Option<u16>) -> Batch {
        for (id, got) in self.sent.iter().rev() {
            if batch.got.len() + got.len() > GOT_MAX {
                break;
            }
            batch.got.extend(got);
            batch.replaces.push(*id);
            let unspent = copies_left(id).unwrap_or(0).saturating_sub(1);
            batch.copies = batch.copies.saturating_add(unspent).min(GOT_COPIES_MAX);
        }
        batch
    }

    fn priced(&self, batch: Batch) -> Batch {
        if self.members > MEMBERS_FEW { batch } else { Batch { copies: GOT_COPIES_MAX, ..batch } }
    }
}

fn keep(author: &NodeId, group: &NodeId, owed: Owed, bundle: Option<&BundleId>, out: &mut Vec<Change>) {
    let value = Some(rows::write_receipt(owed.came, bundle));
    out.push(Change::Keep { key: rows::receipt(author, group, &owed.mark), value });
}

fn forget(author: &NodeId, group: &NodeId, owed: &Owed, out: &mut Vec<Change>) {
    out.push(Change::Keep { key: rows::receipt(author, group, &owed.mark), value: None });
}

impl Groups {
    /// One's own message to a group was queued.
    pub fn sent(&mut self, group: &NodeId, mark: Mark, out: &mut Vec<Change>) {
        let others = self.others(group);
        self.meant.insert(mark, *group);
        out.push(Change::Keep { key: rows::meant(&mark), value: Some(rows::write_meant(group, &others)) });
    }

    /// A message of a member's came, who is to hear so.
    pub fn owe(
        &mut self,
        group: &NodeId,
        author: NodeId,
        mark: Mark,
        (now, wall): (Timestamp, DtnTime),
        out: &mut Vec<Change>,
    ) {
        if author != self.me {
            let members = self.others(group).len() + 1;
            self.receipts.owe((author, *group), Owed { mark, came: wall }, members, now, out);
        }
    }

    /// Somebody says to have messages of this person's. `is_news` says of one of them whether it was for that one, who did not
    /// say so before.
    pub fn note(
        &mut self,
        from: NodeId,
        word: &GroupWord,
        now: DtnTime,
        is_news: impl Fn(&Mark) -> bool,
        out: &mut Vec<Change>,
    ) {
        let own = word.got.iter().filter(|mark| self.meant.get(*mark) == Some(&word.group));
        for mark in own.filter(|mark| is_news(mark)) {
            out.push(Change::Keep { key: rows::has(mark, &from), value: Some(rows::write_time(now)) });
            self.noted.push((*mark, from));
        }
    }
}

#[cfg(test)]
mod tests;

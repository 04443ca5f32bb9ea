//! A contact over files: a stick, an attachment, whatever takes bundles along and says nothing.
//!
//! It is a convergence layer like any other: what goes is what a contact would be given, in the same order, and what comes
//! passes the same door, quotas and shares. Nobody answers, and from that its rules follow:
//!
//! ```text
//! who      all files are of one peer, STICK, that nobody can be: it has the share of a stranger, and is owed no word
//! goes     to whom the files are for, where somebody is named: what is for that one, then what the strategy grants it.
//!          Else what the strategy grants a stranger of whom nothing is known
//! custody  stays: nothing is in flight, nobody is noted to have accepted, and the status says nothing of it
//! copies   a file has no place for a count, so whoever takes a bundle out of it holds one copy. One leaves the budget in
//!          the commit before the bytes do: a file that is lost wastes it, and none is ever handed out twice. The last one
//!          stays as well; files for its destination get it all the same, for that is where it waits to go
//! comes    with one copy, and older by the time that it lay there, as far as a stamp beside it and the own clock tell; a
//!          stamp makes nothing younger, and a wrong one no more harm than any hop can do with the age itself
//! proofs   what went on a file or came out of one is held by STICK, so its receipt goes on the next one
//! ```
//! What lies on a file is no business of the agent's: a driver asks for what is not there yet.

use super::Agent;
use super::change::{Held, Row};
use super::contact::Order;
use super::custody::{Slot, Standing};
use super::io::Output;
use super::mailboxes;
use super::routing::Verdict;
use crate::bundle::{Hops, Kind};
use crate::id::{BundleId, NodeId};

/// The peer that files are of: a point of the curve out of a hash, so that nobody has its key.
pub const STICK: NodeId = NodeId::from_trusted([
    0x9c, 0x6e, 0xc8, 0x76, 0x11, 0xe1, 0x4b, 0x0e, 0x66, 0x2d, 0x9f, 0x7c, 0xdf, 0x63, 0x30, 0x51, 0x57, 0x51, 0xdf,
    0xb7, 0x8f, 0x4e, 0x7e, 0x36, 0x78, 0x3b, 0x12, 0xfb, 0x45, 0x2b, 0xc1, 0xcf,
]);

/// A bundle that would go: the first in this order first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Willing {
    order: Order,
    pub id: BundleId,
    pub size_bytes: u32,
}

/// A bundle that leaves, as it has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    pub id: BundleId,
    pub row: Row,
    pub size_bytes: u32,
    pub hops: Hops,
}

impl Agent {
    /// Looks at the next so many of what is held behind `after`; returns what of it would go on files for somebody, and
    /// where to look on, if there is more.
    pub fn willing(
        &self,
        whom: Option<NodeId>,
        after: Option<Standing>,
        looks: usize,
    ) -> (Vec<Willing>, Option<Standing>) {
        let mut last = None;
        let looked = self.ledger.custody().behind(after).take(looks);
        let willing = looked.inspect(|(standing, _)| last = Some(*standing)).filter_map(|(_, slot)| {
            let held = self.ledger.custody().held(slot);
            let order = self.order_on_files(whom, slot, &held)?;
            Some(Willing { order, id: held.id, size_bytes: held.size_bytes })
        });
        (willing.collect(), last)
    }

    /// What of these goes on files for somebody, as it is now. Whoever writes it says so before, by
    /// [`Input::LeaveOnFiles`](super::Input::LeaveOnFiles).
    pub fn leaving(&self, whom: Option<NodeId>, ids: &[BundleId]) -> Vec<Leaving> {
        let slots = ids.iter().filter_map(|id| self.ledger.find_held(id));
        let leaving = slots.filter_map(|slot| {
            let held = self.ledger.custody().held(slot);
            self.order_on_files(whom, slot, &held)?;
            let hops = Hops { age: self.facts(&held).age, count: held.hops.count.saturating_add(1) };
            Some(Leaving { id: held.id, row: held.row, size_bytes: held.size_bytes, hops })
        });
        leaving.collect()
    }

    /// Bundles leave on files: of each one copy is spent, but not the last.
    pub(super) fn leave_on_files(&mut self, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids {
            let Some(slot) = self.ledger.find_held(&id) else { continue };
            self.spend(slot, 1, out);
            let held = self.ledger.custody().held(slot);
            if held.kind == Kind::Message {
                self.note_holder(&id, STICK, held.source, held.expires);
            }
        }
    }

    /// When a bundle goes; none where it does not.
    fn order_on_files(&self, whom: Option<NodeId>, slot: Slot, held: &Held) -> Option<Order> {
        if held.expires < self.now() {
            return None;
        }
        let peer = whom.unwrap_or(STICK);
        let is_for = whom.is_some_and(|node| mailboxes::of_key(node).contains(&held.destination));
        let goes = is_for || self.wants_receipt(STICK, held) || self.wants_receipt(peer, held) || {
            // Its destination has it, or is about to get it.
            let is_kept_back = held.copies == 0 || self.contacts.graces.has(slot);
            !is_kept_back && self.verdict(&self.facts_beside_flights(held), peer) != Verdict::Keep
        };
        goes.then(|| self.order_of(peer, held, is_for))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_the_key_that_files_are_of() {
        let point = |n: u8| *blake3::hash(&[&b"dak 2026 files v1"[..], &[n]].concat()).as_bytes();
        let first = (0..=u8::MAX).find_map(|n| NodeId::from_key(point(n)).ok());
        assert_eq!(first, Some(STICK));
    }
}

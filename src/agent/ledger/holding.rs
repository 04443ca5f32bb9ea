//! What is held: it comes, its facts change, it leaves. The index of ids and the shares of receipts follow.

use std::sync::Arc;

use super::Ledger;
use crate::agent::change::{Change, Class, Held};
use crate::agent::custody::Slot;
use crate::agent::io::{Event, Gone, Output};
use crate::agent::place::Origin;
use crate::agent::summary::{Claim, Digest, IdIndex, Range, Reconciliation, Step};
use crate::bundle::{Bundle, Kind, Priority};
use crate::eid::Eid;
use crate::frame::{Frame, Grade};
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Timestamp};

/// A place in custody that a bundle left. Another bundle gets it, so nobody may go on meaning this one by it.
#[must_use = "contacts must forget the slot"]
pub struct Vacated {
    pub slot: Slot,
    pub id: BundleId,
}

impl Ledger {
    /// Adds every bundle that `each` hands over to what is restored, before the first input. Orders made of all together
    /// take less time than one by one, and leave fuller trees.
    pub fn reinstate<T>(&mut self, each: impl FnOnce(&mut dyn FnMut(&Held)) -> T) -> T {
        let answer = each(&mut |held| self.custody.load(held));
        self.custody.order();
        let custody = &self.custody;
        let (summary, doubles) = IdIndex::of(custody.slots().collect(), &|slot| custody.id(slot));
        self.summary = summary;
        // Only a damaged store names an id twice. What the second one says is left to a repair, which looks at bodies.
        doubles.into_iter().for_each(|slot| self.custody.remove(slot));
        let custody = &self.custody;
        let receipts: Vec<Slot> = custody.slots().filter(|slot| custody.kind(*slot) == Kind::Receipt).collect();
        for slot in receipts {
            let held = self.custody.held(slot);
            // Who brought what an own receipt proves is not kept: its source counts as both.
            self.share_receipt(slot, held.from.unwrap_or(held.destination.node));
            self.note_full(slot, &held);
        }
        answer
    }

    pub fn hold(&mut self, held: Held, bundle: Arc<Bundle>, out: &mut Vec<Output>) -> Slot {
        let slot = self.custody.insert(&held);
        let new = self.summary.insert(&held.id, slot, &|slot| self.custody.id(slot));
        assert!(new, "a bundle is held once");
        if let (Kind::Receipt, Some(from)) = (held.kind, held.from) {
            self.share_receipt(slot, from);
        }
        self.note_full(slot, &held);
        // The memory of an earlier stay is in the entry now.
        self.come_back(&held.id, out);
        self.emit(Change::Hold { held, bundle }, out);
        slot
    }

    /// Counts a receipt in the place it takes, if it is one of those that share one. Of an own receipt, `from` handed over
    /// what it proves.
    pub fn share_receipt(&mut self, slot: Slot, from: NodeId) {
        let held = self.custody.held(slot);
        let is_unmatched = held.grade == Grade::Released;
        let source = if is_unmatched { held.source } else { held.destination.node };
        let origin = Origin { from, source, is_named: self.is_contact(&source), end: held.expires };
        match held.class {
            _ if is_unmatched => self.unmatched.insert(slot, (), origin),
            Class::Own => self.signed.insert(slot, (), origin),
            _ => {}
        }
    }

    /// Notes the receipt where it says that a mailbox here has no room: of own receipts only that is of class bulk.
    fn note_full(&mut self, slot: Slot, held: &Held) {
        if (held.kind, held.class, held.priority) != (Kind::Receipt, Class::Own, Priority::Bulk) {
            return;
        }
        let latest = self.told_full.entry((held.source, held.destination.node)).or_insert(slot);
        if self.custody.held(*latest).accepted_at <= held.accepted_at {
            *latest = slot;
        }
    }

    /// Whether a source was told within this time that a mailbox here has no room.
    pub fn is_told_full(&self, mailbox: &Eid, source: NodeId, within: Millis) -> bool {
        let told = self.told_full.get(&(mailbox.node, source));
        told.is_some_and(|slot| self.now().since(self.custody.held(*slot).accepted_at) < within)
    }

    /// Sources who were told that a mailbox here has no room, as long as that is kept.
    pub fn told_full(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.told_full.keys().map(|(_, source)| *source)
    }

    /// Corrects what hops told of a held bundle's age.
    pub fn prolong(&mut self, slot: Slot, age: Millis, expires: Timestamp, out: &mut Vec<Output>) {
        let row = self.custody.row(slot);
        self.custody.prolong(slot, age, expires);
        self.emit(Change::Prolong { row, age, expires }, out);
    }

    pub fn regrade(&mut self, slot: Slot, grade: Grade, copies: u16, class: Class, out: &mut Vec<Output>) {
        let row = self.custody.row(slot);
        self.custody.regrade(slot, grade, copies, class);
        self.emit(Change::Regrade { row, grade, copies, class }, out);
    }

    /// Ends custody. What left before anybody knew it to be over is remembered, for it may come again.
    pub fn forget(&mut self, slot: Slot, why: Gone, out: &mut Vec<Output>) -> Vacated {
        let held = self.custody.held(slot);
        let (id, row) = (held.id, held.row);
        self.summary.remove(&id, &|slot| self.custody.id(slot));
        self.custody.remove(slot);
        self.unmatched.remove(&slot);
        self.signed.remove(&slot);
        let told = (held.source, held.destination.node);
        if self.told_full.get(&told) == Some(&slot) {
            self.told_full.remove(&told);
        }
        self.emit(Change::Forget { row }, out);
        out.push(Output::Report(Event::Gone { id, why }));
        let is_over = matches!(why, Gone::Receipt | Gone::Cancelled | Gone::Delivered);
        // Every message of a topic has a creation time, and no clock gives it a second life.
        if !is_over && !matches!(held.class, Class::Own | Class::Topics) {
            self.depart(&held, out);
        }
        Vacated { slot, id }
    }
}

/// The index of what is held. It keeps digests of itself that are worked out where they are asked for; no question
/// changes what it says.
impl Ledger {
    pub fn find_held(&self, id: &BundleId) -> Option<Slot> {
        self.summary.find(id, &|slot| self.custody.id(slot))
    }

    /// Whether an id is held or buried.
    pub fn is_known(&self, id: &BundleId) -> bool {
        self.find_held(id).is_some() || self.tombstones.contains(id)
    }

    /// Slots of ids from one prefix to another.
    pub fn ids_between(&self, first: u64, last: u64) -> Range<'_> {
        self.summary.range(first, last)
    }

    /// How many ids are held, and the digest of all of them.
    pub fn summary(&mut self) -> (u64, Digest) {
        let custody = &self.custody;
        (self.summary.len(), self.summary.root(&|slot| custody.id(slot)))
    }

    /// Begins to compare what is held with what a peer says it holds.
    pub fn begin_reconciliation(&mut self, mine: &Claim, theirs: &Claim) -> (Reconciliation, Step) {
        let custody = &self.custody;
        Reconciliation::begin(mine, theirs, &mut self.summary, &|slot| custody.id(slot))
    }

    /// Goes on with a comparison: the peer's next frame of it came.
    pub fn reconcile(&mut self, reconciliation: &mut Reconciliation, frame: &Frame) -> Step {
        let custody = &self.custody;
        reconciliation.handle(frame, &mut self.summary, &|slot| custody.id(slot))
    }
}

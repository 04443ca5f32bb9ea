//! The one door for durable state: each method applies a change to its component and emits it in the same step.

use std::sync::Arc;

use rand_core::Rng;

use super::change::{Belief, Change, Class, Departure, Evidence, Held, Letter, Marks, Outgoing, Person, What};
use super::custody::Slot;
use super::departed::DEPARTED_MAX;
use super::io::{Event, Gone, Output};
use super::tombstones::{BELIEFS_MAX, TOMBSTONES_MAX};
use super::{Agent, OWED_MAX, of_peer};
use crate::bundle::{Bundle, Kind};
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::{HOUR, Millis, SECOND, Timestamp};

/// How far durable time may lag behind while other changes are committed anyway.
const TICK: Millis = SECOND;
/// How many sequence numbers one commit reserves.
const SEQUENCE_STRIDE: u64 = 64;

impl Agent {
    fn emit(&mut self, change: Change, out: &mut Vec<Output>) {
        // A home that knows no time yet could not tell how long it was off.
        let is_first = self.clock.wall.0 == 0 && self.at.wall.0 != 0;
        if is_first || self.at.now.since(self.clock.now) >= TICK {
            self.clock = self.at;
            out.push(Output::Commit(Change::Tick { at: self.at }));
        }
        out.push(Output::Commit(change));
    }

    pub(super) fn hold(&mut self, held: Held, bundle: Arc<Bundle>, out: &mut Vec<Output>) -> Slot {
        let slot = self.custody.insert(&held);
        let new = self.summary.insert(&held.id, slot, &|slot| self.custody.id(slot));
        assert!(new, "a bundle is held once");
        if let (Kind::Receipt, Some(from)) = (held.kind, held.from) {
            self.share_receipt(slot, &held, from);
        }
        // The memory of an earlier stay is in the entry now.
        self.come_back(&held.id, out);
        self.emit(Change::Hold { held, bundle }, out);
        slot
    }

    /// Corrects what hops told of a held bundle's age.
    pub(super) fn prolong(&mut self, slot: Slot, age: Millis, expires: Timestamp, out: &mut Vec<Output>) {
        let row = self.custody.row(slot);
        self.custody.prolong(slot, age, expires);
        self.emit(Change::Prolong { row, age, expires }, out);
    }

    pub(super) fn regrade(&mut self, slot: Slot, grade: Grade, copies: u16, class: Class, out: &mut Vec<Output>) {
        let row = self.custody.row(slot);
        self.custody.regrade(slot, grade, copies, class);
        self.emit(Change::Regrade { row, grade, copies, class }, out);
    }

    pub(super) fn forget(&mut self, slot: Slot, why: Gone, out: &mut Vec<Output>) {
        let held = self.custody.held(slot);
        let (id, row) = (held.id, held.row);
        self.contacts.values_mut().for_each(|contact| contact.leave_out(slot));
        if !planted::is("agent-summary-apart") {
            self.summary.remove(&id, &|slot| self.custody.id(slot));
        }
        self.custody.remove(slot);
        self.unmatched.remove(&slot);
        self.signed.remove(&slot);
        let given = (id, NodeId::from_trusted([0; 32]))..=(id, NodeId::from_trusted([255; 32]));
        for key in self.spent.range(given).map(|(key, _)| *key).collect::<Vec<_>>() {
            self.spent.remove(&key);
        }
        self.emit(Change::Forget { row }, out);
        out.push(Output::Report(Event::Gone { id, why }));
        let is_over = matches!(why, Gone::Receipt | Gone::Cancelled | Gone::Delivered);
        if !is_over && held.class != Class::Own && !planted::is("agent-return-begins-a-life") {
            self.depart(&held, out);
        }
    }

    /// Remembers when a bundle came first, for as long as a tombstone after the longest life it could have had here.
    fn depart(&mut self, held: &Held, out: &mut Vec<Output>) {
        let (accepted_at, source) = (held.accepted_at, held.source);
        let until = accepted_at + held.lifetime.times(2) + HOUR;
        let departure = Departure { accepted_at, until, from: held.from.unwrap_or(source), source };
        let is_named = self.is_contact(&source);
        if self.departed.len() >= self.config.memories_max(DEPARTED_MAX) {
            let goes = match planted::is("agent-departed-unshared") {
                true => self.departed.first().map(|(_, id)| id),
                false => self.departed.makes_way(&departure, is_named, self.lots.next_u64()),
            };
            let Some(goes) = goes else { return };
            self.come_back(&goes, out);
        }
        self.departed.insert(held.id, departure, is_named);
        self.emit(Change::Depart { id: held.id, departure }, out);
    }

    /// It is held again, or its departure need not be remembered any more.
    pub(super) fn come_back(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        if self.departed.find(id).is_some() {
            self.departed.remove(id);
            self.emit(Change::Return { id: *id }, out);
        }
    }

    /// Remembers an id that is not held, by what `from` brought; where there are too many tombstones, one makes room.
    pub(super) fn bury(&mut self, id: BundleId, until: Timestamp, from: NodeId, out: &mut Vec<Output>) {
        if self.is_known(&id) {
            return;
        }
        if self.tombstones.len() >= self.config.memories_max(TOMBSTONES_MAX)
            && !planted::is("agent-tombstones-unbounded")
            && let Some(drawn) = self.tombstones.drawn(self.lots.next_u64())
        {
            self.unbury(drawn, out);
        }
        self.tombstones.insert(id, until, Some(from));
        self.emit(Change::Bury { id, until }, out);
    }

    pub(super) fn unbury(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let id = self.tombstones.id(slot);
        self.tombstones.remove(slot);
        self.emit(Change::Unbury { id }, out);
    }

    /// Remembers a receipt's word; the longer memory counts where it was given twice.
    pub(super) fn believe(&mut self, id: BundleId, signer: NodeId, belief: Belief, out: &mut Vec<Output>) {
        let is_named = self.is_contact(&signer);
        match self.beliefs.find(id, signer) {
            Some(old) if old.until >= belief.until => return,
            None if self.beliefs.len() >= self.config.memories_max(BELIEFS_MAX)
                && !planted::is("agent-beliefs-unbounded") =>
            {
                let lot = self.lots.next_u64();
                let Some((goes, by)) = self.beliefs.makes_way(signer, &belief, is_named, lot) else { return };
                self.disbelieve(goes, by, out);
            }
            _ => {}
        }
        self.beliefs.insert(id, signer, belief, is_named);
        self.emit(Change::Believe { id, signer, belief }, out);
    }

    pub(super) fn disbelieve(&mut self, id: BundleId, signer: NodeId, out: &mut Vec<Output>) {
        self.beliefs.remove(id, signer);
        self.emit(Change::Disbelieve { id, signer }, out);
    }

    pub(super) fn deliver(&mut self, letter: Letter, bundle: Arc<Bundle>, out: &mut Vec<Output>) {
        self.custody.row_used(letter.row);
        self.inbox.insert(letter.clone());
        self.emit(Change::Deliver { letter, bundle }, out);
    }

    pub(super) fn mark(&mut self, id: &BundleId, marks: Marks, out: &mut Vec<Output>) {
        let Some(row) = self.inbox.find(id).map(|letter| letter.row) else { return };
        self.inbox.mark(row, marks);
        self.emit(Change::Mark { row, marks }, out);
    }

    pub(super) fn discard_letter(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        let Some(row) = self.inbox.find(id).map(|letter| letter.row) else { return };
        self.inbox.remove(row);
        self.emit(Change::Discard { row }, out);
    }

    pub(super) fn post(&mut self, outgoing: Outgoing, out: &mut Vec<Output>) {
        self.outbox.insert(outgoing.clone());
        self.emit(Change::Post { outgoing }, out);
    }

    /// Takes evidence in where it says something new.
    pub(super) fn attest(&mut self, id: BundleId, what: What, who: Option<NodeId>, out: &mut Vec<Output>) {
        if !self.outbox.is_news(&id, what, who) {
            return;
        }
        let evidence = Evidence { at: self.at, what, who };
        self.outbox.attest(id, evidence);
        self.emit(Change::Attest { id, evidence }, out);
        out.push(Output::Report(Event::Status { id, evidence }));
    }

    pub(super) fn unpost(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        if self.outbox.find(id).is_some() {
            self.outbox.remove(id);
            self.emit(Change::Unpost { id: *id }, out);
        }
    }

    pub(super) fn name(&mut self, node: NodeId, person: Option<Person>, out: &mut Vec<Output>) {
        match &person {
            Some(person) => drop(self.people.insert(node, person.clone())),
            None => drop(self.people.remove(&node)),
        }
        self.inbox.set_named(node, person.is_some());
        self.routing.set_named(node, self.is_contact(&node));
        self.custody.set_named(node, self.is_contact(&node));
        self.emit(Change::Meet { node, person }, out);
    }

    pub(super) fn learn(&mut self, node: NodeId, record: Option<Vec<u8>>, out: &mut Vec<Output>) {
        match &record {
            // Into the place of the old record: strategies learn of many nodes at every contact.
            Some(bytes) => self.learned.entry(node).or_default().clone_from(bytes),
            None => drop(self.learned.remove(&node)),
        }
        self.emit(Change::Learn { node, record }, out);
    }

    /// Notes what a peer must hear when met. Some are never met again, so with too many notes another makes way.
    pub(super) fn owe(&mut self, peer: NodeId, id: BundleId, out: &mut Vec<Output>) {
        if self.owed.get(&(peer, id)).is_some() {
            return;
        }
        let origin = of_peer(peer, self.is_contact(&peer));
        if self.owed.len() >= self.config.memories_max(OWED_MAX) && !planted::is("agent-debts-unbounded") {
            let Some((other, about)) = self.owed.makes_way(&origin, self.lots.next_u64()) else { return };
            self.settle_debt(other, about, out);
        }
        self.owed.insert((peer, id), (), origin);
        if !planted::is("agent-debt-not-durable") {
            self.emit(Change::Owe { peer, id }, out);
        }
    }

    pub(super) fn settle_debt(&mut self, peer: NodeId, id: BundleId, out: &mut Vec<Output>) {
        if self.owed.remove(&(peer, id)).is_some() {
            self.emit(Change::Settle { peer, id }, out);
        }
    }

    /// Whether more is remembered than fits beside what is carried: the owner wants less carried than before.
    pub(super) fn remembers_too_much(&self) -> bool {
        let is_kept = planted::is("agent-memories-outlast-a-limit");
        let is_over = |len: usize, most: usize| len > self.config.memories_max(most) && !is_kept;
        is_over(self.tombstones.len(), TOMBSTONES_MAX)
            || is_over(self.departed.len(), DEPARTED_MAX)
            || is_over(self.beliefs.len(), BELIEFS_MAX)
            || is_over(self.owed.len(), OWED_MAX)
    }

    /// Forgets one entry of each table of memories that has too many, as if another came.
    pub(super) fn remember_less(&mut self, out: &mut Vec<Output>) {
        let lot = self.lots.next_u64();
        let is_over = |len: usize, most: usize| len > self.config.memories_max(most);
        let buried = is_over(self.tombstones.len(), TOMBSTONES_MAX).then(|| self.tombstones.drawn(lot)).flatten();
        let departed = is_over(self.departed.len(), DEPARTED_MAX).then(|| self.departed.goes_first(lot)).flatten();
        let believed = is_over(self.beliefs.len(), BELIEFS_MAX).then(|| self.beliefs.goes_first(lot)).flatten();
        let owed = is_over(self.owed.len(), OWED_MAX).then(|| self.owed.goes_first(lot)).flatten();
        buried.into_iter().for_each(|slot| self.unbury(slot, out));
        departed.into_iter().for_each(|id| self.come_back(&id, out));
        believed.into_iter().for_each(|(id, signer)| self.disbelieve(id, signer, out));
        owed.into_iter().for_each(|(peer, id)| self.settle_debt(peer, id, out));
    }

    /// Takes the next creation sequence number. They are made durable in strides, ahead of use: a restart skips the rest
    /// of one, and none is ever borne twice.
    pub(super) fn next_sequence(&mut self, out: &mut Vec<Output>) -> u64 {
        if self.sequence == self.sequence_reserved {
            self.sequence_reserved += SEQUENCE_STRIDE;
            self.emit(Change::Count { sequence: self.sequence_reserved }, out);
        }
        self.sequence += 1;
        self.sequence - 1
    }
}

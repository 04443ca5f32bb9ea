//! The person's side: mail that came, mail that left, and whom this person named; with what the strategy learned and the
//! numbers that one's own bundles bear.

use std::sync::Arc;

use super::Ledger;
use crate::agent::change::{Change, Evidence, EvidenceKind, Known, Letter, Marks, Outgoing, Person};
use crate::agent::inbox::Arrival;
use crate::agent::io::{Event, Filing, Output};
use crate::bundle::Bundle;
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};

/// How many sequence numbers one commit reserves.
const SEQUENCE_STRIDE: u64 = 64;

impl Ledger {
    /// Keeps a bundle for this node until the end of the batch. It counts in the room for mail, and is not durable.
    pub fn arrive(&mut self, arrival: Arrival) {
        self.inbox.arrive(arrival);
    }

    /// Takes what came since the last batch ended.
    pub fn take_arrivals(&mut self) -> Vec<Arrival> {
        self.inbox.take_arrivals()
    }

    /// Takes in what the record knows of ids. What the agent still keeps it knows better.
    pub fn recall(&mut self, known: Vec<Known>) {
        for Known { id, delivered, letter, outgoing } in known {
            self.in_hand.entry(id).or_default();
            if delivered {
                self.inbox.recall(id, letter);
            }
            if let Some(outgoing) = outgoing.filter(|_| self.outbox.find(&id).is_none()) {
                self.outbox.insert(outgoing);
            }
        }
    }

    /// Lets go of what the input that is over spoke of, as far as the record has it. What changed of it is said once more, for
    /// what was said before is not durable yet.
    pub fn let_go(&mut self, out: &mut Vec<Output>) {
        for (id, changed) in std::mem::take(&mut self.in_hand) {
            let came = self.inbox.let_go(&id).filter(|_| changed);
            out.extend(came.map(|letter| Output::File(Filing::Came(id, letter))));
            if self.outbox.find(&id).is_some_and(Outgoing::is_settled) {
                let outgoing = self.outbox.remove(&id).filter(|_| changed);
                out.extend(outgoing.map(|outgoing| Output::File(Filing::Sent(id, Some(outgoing)))));
            }
        }
    }

    fn change_in_hand(&mut self, id: BundleId) {
        self.in_hand.insert(id, true);
    }

    pub fn deliver(&mut self, letter: Letter, bundle: Arc<Bundle>, out: &mut Vec<Output>) {
        self.custody.row_used(letter.row);
        self.change_in_hand(letter.id);
        self.inbox.insert(letter.clone());
        self.emit(Change::Deliver { letter, bundle }, out);
    }

    /// Takes a row of an earlier home's inbox in.
    pub fn adopt(&mut self, letter: Letter, out: &mut Vec<Output>) {
        self.custody.row_used(letter.row);
        self.change_in_hand(letter.id);
        self.inbox.insert(letter.clone());
        self.emit(Change::Adopt { letter }, out);
    }

    /// The same of one's own message whose fate is known.
    pub fn adopt_own(&mut self, outgoing: Outgoing, out: &mut Vec<Output>) {
        self.change_in_hand(outgoing.id);
        self.post(outgoing, out);
    }

    pub fn mark(&mut self, id: &BundleId, marks: Marks, out: &mut Vec<Output>) {
        let Some(row) = self.inbox.find(id).map(|letter| letter.row) else { return };
        self.change_in_hand(*id);
        self.inbox.mark(id, marks);
        self.emit(Change::Mark { row, marks }, out);
    }

    pub fn discard_letter(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        let Some(row) = self.inbox.find(id).map(|letter| letter.row) else { return };
        self.change_in_hand(*id);
        self.inbox.remove(id);
        self.emit(Change::Discard { row }, out);
    }

    pub fn post(&mut self, outgoing: Outgoing, out: &mut Vec<Output>) {
        outgoing.row.into_iter().for_each(|row| self.custody.row_used(row));
        self.outbox.insert(outgoing.clone());
        self.emit(Change::Post { outgoing }, out);
    }

    /// Takes evidence in where it says something new.
    pub fn attest(&mut self, id: BundleId, what: EvidenceKind, who: Option<NodeId>, out: &mut Vec<Output>) {
        if !self.outbox.is_news(&id, what, who) {
            return;
        }
        let evidence = Evidence { at: self.at, what, who };
        self.change_in_hand(id);
        self.outbox.attest(id, evidence);
        self.emit(Change::Attest { id, evidence }, out);
        out.push(Output::Report(Event::Status { id, evidence }));
    }

    pub fn unpost(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        if self.outbox.remove(id).is_some() {
            self.emit(Change::Unpost { id: *id }, out);
            out.push(Output::File(Filing::Sent(*id, None)));
        }
    }

    /// Names, blocks or forgets somebody.
    pub fn name(&mut self, node: NodeId, person: Option<Person>, out: &mut Vec<Output>) {
        match &person {
            Some(person) => drop(self.people.insert(node, person.clone())),
            None => drop(self.people.remove(&node)),
        }
        self.inbox.set_named(node, person.is_some() || self.custody.is_member_of_any(&node));
        self.custody.set_named(node, self.is_contact(&node));
        self.emit(Change::SetPerson { node, person }, out);
    }

    /// Says who the members of a group are that is served here, in order; none where it is not. Their mail counts with that of
    /// people.
    pub fn set_group(&mut self, group: &Eid, members: Option<Vec<NodeId>>) {
        let before = self.custody.members(group).cloned().unwrap_or_default();
        let now = members.clone().unwrap_or_default();
        self.custody.set_group(group, members);
        for node in before.into_iter().chain(now) {
            let counts = self.people.contains_key(&node) || self.custody.is_member_of_any(&node);
            self.inbox.set_named(node, counts);
        }
    }

    pub fn learn(&mut self, node: NodeId, record: Option<Vec<u8>>, out: &mut Vec<Output>) {
        match &record {
            // Into the place of the old record: strategies learn of many nodes at every contact.
            Some(bytes) => self.learned.entry(node).or_default().clone_from(bytes),
            None => drop(self.learned.remove(&node)),
        }
        self.emit(Change::Learn { node, record }, out);
    }

    /// Takes the next creation sequence number. They are made durable in strides, ahead of use: a restart skips the rest
    /// of one, and none is ever borne twice.
    pub fn next_sequence(&mut self, out: &mut Vec<Output>) -> u64 {
        if self.sequence == self.sequence_reserved {
            self.sequence_reserved += SEQUENCE_STRIDE;
            self.emit(Change::Count { sequence: self.sequence_reserved }, out);
        }
        self.sequence += 1;
        self.sequence - 1
    }
}

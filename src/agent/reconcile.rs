//! What two that met both know, what each lacks, and what of an earlier contact arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::Agent;
use super::answer::IDS_PER_FRAME;
use super::contact::Flight;
use super::custody::Slot;
use super::io::Output;
use super::summary::{Claim, Step};
use crate::frame::{Frame, Grade};
use crate::id::{BundleId, NodeId};

impl Agent {
    /// Compares what both know, where either could then hand something over.
    pub(super) fn begin_reconciliation(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if !self.compares(peer) {
            return;
        }
        let contact = self.contacts.get_mut(&peer).expect("the contact greets");
        let theirs = Claim::of(contact.hello.as_ref().expect("the contact was greeted"));
        let (reconciliation, step) = self.ledger.begin_reconciliation(&contact.claim, &theirs);
        contact.reconciliation = Some(reconciliation);
        self.reconciled(peer, step, out);
    }

    /// Whether either could hand the other something that is not for it.
    pub(super) fn compares(&self, peer: NodeId) -> bool {
        let Some(contact) = self.contacts.get(&peer) else { return false };
        contact.hello.as_ref().is_some_and(|theirs| {
            let i_push = self.routing.replicates() && theirs.carries;
            // As they heard it: both sides must come to the same answer.
            let they_push = theirs.pushes && contact.said_carries;
            i_push || they_push
        })
    }

    pub(super) fn reconcile(&mut self, peer: NodeId, frame: &Frame, out: &mut Vec<Output>) {
        let contact = self.contacts.get_mut(&peer).expect("frames are heard during a contact");
        let Some(reconciliation) = contact.reconciliation.as_mut() else {
            return self.misbehaved(peer, "reconciles out of turn", out);
        };
        let step = self.ledger.reconcile(reconciliation, frame);
        self.reconciled(peer, step, out);
        self.pump(peer, out);
    }

    fn reconciled(&mut self, peer: NodeId, step: Step, out: &mut Vec<Output>) {
        out.extend(step.send.into_iter().map(|frame| Output::Send { to: peer, frame }));
        if let Some(what) = step.misbehaved {
            return self.misbehaved(peer, what, out);
        }
        let lacks: Vec<Slot> = step.surplus.into_iter().chain(step.wanted).collect();
        self.settle_flights(peer, (!step.everything).then_some(&lacks), step.done, out);
        self.propose_all(peer, &lacks);
        if step.everything {
            self.propose_everything(peer);
        }
        if step.done {
            self.tell_doubts(peer, out);
        }
    }

    /// Whether what was in flight when the last contact broke was accepted, a peer that turns out to know it must say: a
    /// summary is no promise. The same is asked of one's own messages that nobody answered for yet. Where `lacks` is none the
    /// peer lacks everything.
    fn settle_flights(&mut self, peer: NodeId, lacks: Option<&Vec<Slot>>, done: bool, out: &mut Vec<Output>) {
        let (flights, outbox) = (self.contacts.flights(), self.ledger.outbox());
        if flights.in_doubt(peer).next().is_none() && outbox.unpromised().next().is_none() {
            return;
        }
        // Only what would be asked about counts: a peer may lack a million others.
        let ids: Vec<BundleId> = match lacks {
            Some(lacks) => {
                let ids = lacks.iter().map(|slot| self.ledger.custody().id(*slot));
                ids.filter(|id| flights.is_in_doubt(peer, id) || outbox.is_unpromised(id)).collect()
            }
            None => flights.in_doubt(peer).map(|(id, _)| id).chain(outbox.unpromised().copied()).collect(),
        };
        let contact = self.contacts.get_mut(&peer).expect("flights are settled during a contact");
        contact.lacks.extend(ids);
        if !done {
            return;
        }
        let (lacks, said) = (std::mem::take(&mut contact.lacks), contact.rows_said);
        let mut flights: BTreeMap<BundleId, u16> = self.ledger.outbox().unpromised().map(|id| (*id, 0)).collect();
        flights.extend(self.contacts.settle_flights(peer));
        // What came after this node's Hello is in no summary of the contact, so nothing shows that the peer knows it.
        flights.retain(|id, _| {
            !lacks.contains(id) && self.ledger.find_held(id).is_some_and(|slot| self.ledger.custody().row(slot) < said)
        });
        let contact = self.contacts.get_mut(&peer).expect("flights are settled during a contact");
        flights.retain(|id, _| !contact.is_in_flight(id));
        for (id, copies) in &flights {
            self.contacts.take_off(peer, *id, Flight { size_bytes: 0, copies: *copies });
        }
        for ids in flights.into_keys().collect::<Vec<_>>().chunks(IDS_PER_FRAME) {
            out.push(Output::Send { to: peer, frame: Frame::Ask { ids: ids.to_vec() } });
        }
    }

    /// Answers for what is held, or was delivered, and only for that.
    pub(super) fn asked(&mut self, peer: NodeId, ids: Vec<BundleId>) {
        for id in BTreeSet::from_iter(ids) {
            let held = self.ledger.find_held(&id).map(|slot| self.ledger.custody().held(slot).grade);
            let grade = held.or(self.ledger.inbox().find(&id).map(|_| Grade::Custody));
            if let (Some(grade), Some(contact)) = (grade, self.contacts.get_mut(&peer)) {
                contact.grants.push((id, grade.max(Grade::Copy)));
            }
        }
    }
}

//! A contact from its Hello to its end: who is there, and what each lacks.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng;

use super::Agent;
use super::change::What;
use super::contact::{Contact, Flight};
use super::custody::Slot;
use super::io::{Event, Output};
use super::mailboxes;
use super::offers::Requests;
use super::summary::{Claim, Step};
use crate::bundle::Kind;
use crate::frame::{Frame, Grade, Hello, PROTOCOL_VERSION};
use crate::id::{BundleId, NodeId};
use crate::planted;

/// Most ids in one Offer, Take or Accepted.
const IDS_PER_FRAME: usize = 1_024;

impl Agent {
    pub(super) fn contact_up(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if self.contacts.has(&peer) {
            self.contact_down(peer, out);
        }
        let mut nonce = [0; 16];
        if planted::is("agent-nonce-repeats") {
            self.nonces.clone().fill_bytes(&mut nonce);
        } else {
            self.nonces.fill_bytes(&mut nonce);
        }
        let pushes = self.routing.replicates();
        let routing = self.routing.info(peer, self.price_for(peer).unwrap_or(u64::MAX), self.now());
        let (count, root) = self.ledger.summary();
        let hello = Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: self.config.bundle_bytes_max,
            window_bytes: self.config.window_bytes,
            carries: self.config.carry_bytes_max > 0,
            pushes,
            mailboxes: self.mailboxes.delegations(self.ledger.at().trusted_wall()),
            routing,
            nonce,
            count,
            root,
        };
        let contact = Contact::new(self.now(), &hello, self.ledger.custody().next_row());
        self.contacts.begin(peer, contact);
        out.push(Output::Send { to: peer, frame: Frame::Hello(hello) });
    }

    /// Nothing in flight counts: the peer may have died before its commit. The next Hello sorts it out.
    pub(super) fn contact_down(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let (is_named, now) = (self.ledger.is_contact(&peer), self.now());
        let Some(requests) = self.contacts.end(peer, is_named, now, || self.ledger.draw()) else { return };
        for (node, record) in self.routing.parted(peer, self.now()) {
            self.ledger.learn(node, record, out);
        }
        let waited = self.contacts.graces.leave(peer);
        self.let_go(waited);
        request(requests, out);
    }

    pub(super) fn hear(&mut self, from: NodeId, frame: Frame, out: &mut Vec<Output>) {
        let Some(contact) = self.contacts.get(&from) else { return };
        match (frame, contact.hello.is_some()) {
            (Frame::Hello(hello), false) => self.greeted(from, hello, out),
            (Frame::Hello(_), true) => self.misbehaved(from, "said Hello twice", out),
            (_, false) => self.misbehaved(from, "spoke before its Hello", out),
            (Frame::Offer { ids }, true) => self.offered(from, ids, out),
            (Frame::Take { ids }, true) => self.asked_for(from, ids, out),
            (Frame::Ask { ids }, true) => self.asked(from, ids),
            (Frame::Accepted { grants }, true) => self.accepted(from, grants, out),
            (Frame::Refused { id, why, retry_after }, true) => self.refused(from, id, why, retry_after, out),
            (Frame::GaveUp { ids }, true) => self.gave_up(from, ids, out),
            (Frame::Noted { ids }, true) => self.noted(from, ids, out),
            (Frame::Lives { lives }, true) => self.lives_told(from, lives, out),
            (frame, true) => self.reconcile(from, &frame, out),
        }
    }

    pub(super) fn misbehaved(&mut self, peer: NodeId, what: &'static str, out: &mut Vec<Output>) {
        out.push(Output::Report(Event::Misbehaved { peer, what }));
    }

    fn greeted(&mut self, peer: NodeId, hello: Hello, out: &mut Vec<Output>) {
        if hello.version != PROTOCOL_VERSION {
            return self.misbehaved(peer, "speaks another version of the protocol", out);
        }
        let mut endpoints = Vec::from(mailboxes::of_key(peer));
        for delegation in &hello.mailboxes {
            // One said twice is looked up once.
            if endpoints.contains(&delegation.mailbox) || !delegation.is_for(peer, self.at().trusted_wall()) {
                continue;
            }
            // No honest node shows such a one, and each look at one costs a verification: the first is the last.
            if !delegation.is_signed() {
                return self.misbehaved(peer, "serves a mailbox whose owner never said so", out);
            }
            endpoints.push(delegation.mailbox.clone());
        }
        for (node, record) in self.routing.met(peer, &hello.routing, self.now()) {
            self.ledger.learn(node, record, out);
        }
        let for_peer: Vec<Slot> =
            endpoints.iter().flat_map(|endpoint| self.ledger.custody().for_destination(endpoint)).collect();

        let contact = self.contacts.get_mut(&peer).expect("a Hello is heard during a contact");
        contact.endpoints = endpoints;
        contact.hello = Some(hello);
        let compares = self.compares(peer);
        for slot in for_peer {
            // A source keeps the receipts it gets, and its summary says so: else everybody who carries one would hand it
            // over at every contact.
            if !compares || self.ledger.custody().kind(slot) == Kind::Message {
                self.favour(peer, slot);
                self.enqueue(peer, slot);
            }
        }
        self.confess(peer, out);
        self.begin_reconciliation(peer, out);
        self.catch_up(peer);
        self.pump(peer, out);
    }

    /// Offers what came after this node's Hello left and before the peer's was heard: no summary of the contact has it.
    fn catch_up(&mut self, peer: NodeId) {
        let contact = self.contacts.get_mut(&peer).expect("the contact greets");
        for id in contact.take_offers() {
            let Some(slot) = self.ledger.find_held(&id) else { continue };
            let held = self.ledger.custody().held(slot);
            let granted = self.gives(peer, slot, &held);
            let contact = self.contacts.get_mut(&peer).expect("the contact greets");
            // What is for the peer itself flows already.
            if granted && !contact.serves(&held.destination) {
                contact.offer(id);
            }
        }
    }

    /// Tells the previous hop what had to be evicted of what it handed over. It is owed until the peer says that it heard:
    /// the contact may break before that, and then the next one tells it again. One frame at a time, for a peer that never
    /// answers costs no more than that at each contact.
    fn confess(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let all = (peer, BundleId([0; 32]))..=(peer, BundleId([255; 32]));
        let ids: Vec<BundleId> = self.ledger.owed().range(all).take(IDS_PER_FRAME).map(|((_, id), ())| *id).collect();
        if planted::is("agent-debt-settled-unheard") {
            ids.iter().for_each(|id| self.ledger.settle_debt(peer, *id, out));
        }
        if !ids.is_empty() {
            out.push(Output::Send { to: peer, frame: Frame::GaveUp { ids } });
        }
    }

    /// The peer heard of evictions; it hears of more only for what it was owed.
    fn noted(&mut self, peer: NodeId, mut ids: Vec<BundleId>, out: &mut Vec<Output>) {
        ids.retain(|id| self.ledger.owed().get(&(peer, *id)).is_some());
        ids.iter().for_each(|id| self.ledger.settle_debt(peer, *id, out));
        if !ids.is_empty() {
            self.confess(peer, out);
        }
    }

    /// Compares what both know, where either could then hand something over.
    fn begin_reconciliation(&mut self, peer: NodeId, out: &mut Vec<Output>) {
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
    fn compares(&self, peer: NodeId) -> bool {
        let Some(contact) = self.contacts.get(&peer) else { return false };
        contact.hello.as_ref().is_some_and(|theirs| {
            let i_push = self.routing.replicates() && theirs.carries;
            // As they heard it: both sides must come to the same answer.
            let they_push = theirs.pushes && contact.said_carries;
            i_push || they_push
        })
    }

    fn reconcile(&mut self, peer: NodeId, frame: &Frame, out: &mut Vec<Output>) {
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
        self.settle_flights(peer, &lacks, step.done, out);
        self.propose_all(peer, &lacks);
        if step.done {
            self.tell_doubts(peer, out);
        }
    }

    /// Whether what was in flight when the last contact broke was accepted, a peer that turns out to know it must say: a
    /// summary is no promise. The same is asked of one's own messages that nobody answered for yet.
    fn settle_flights(&mut self, peer: NodeId, lacks: &[Slot], done: bool, out: &mut Vec<Output>) {
        if self.contacts.flights().in_doubt(peer).next().is_none() && self.ledger.outbox().unpromised().next().is_none()
        {
            return;
        }
        // Only what would be asked about counts: a peer may lack a million others.
        let ids = lacks.iter().map(|slot| self.ledger.custody().id(*slot));
        let ids =
            ids.filter(|id| self.contacts.flights().is_in_doubt(peer, id) || self.ledger.outbox().is_unpromised(id));
        let ids: Vec<BundleId> = ids.collect();
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
        if planted::is("agent-summary-taken-for-accepted") {
            flights.keys().for_each(|id| self.ledger.attest(*id, What::Copy, Some(peer), out));
        }
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
    fn asked(&mut self, peer: NodeId, ids: Vec<BundleId>) {
        for id in BTreeSet::from_iter(ids) {
            let held = self.ledger.find_held(&id).map(|slot| self.ledger.custody().held(slot).grade);
            let grade = held.or(self.ledger.inbox().find(&id).map(|_| Grade::Custody));
            let grade = grade.or(planted::is("agent-asked-says-yes").then_some(Grade::Copy));
            if let (Some(grade), Some(contact)) = (grade, self.contacts.get_mut(&peer)) {
                contact.grants.push((id, grade.max(Grade::Copy)));
            }
        }
    }

    fn offered(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        // What is for this node comes without being offered.
        if self.config.carry_bytes_max == 0 {
            return;
        }
        self.doubt_offered(peer, &ids, out);
        self.hear_of_copies(peer, &ids, out);
        let unknown = |id: &BundleId| !self.knows(id) && !self.contacts.shunned.contains(id, self.now());
        let mut ids: Vec<BundleId> = ids.into_iter().filter(unknown).collect();
        let is_named = self.ledger.is_contact(&peer);
        ids.retain(|id| self.contacts.offers.note(*id, peer, is_named, self.now()));
        ask(peer, ids, out);
    }

    /// Turns to others for what a peer offered and did not hand over.
    pub(super) fn ask_others(&mut self, out: &mut Vec<Output>) {
        let requests = self.contacts.offers.lapse(self.now());
        request(requests, out);
    }

    fn gave_up(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids.iter().copied() {
            let promised = self.ledger.outbox().find(&id).is_some_and(|outgoing| outgoing.is_carrier(&peer));
            if promised || planted::is("agent-give-up-of-anybody") {
                self.ledger.attest(id, What::GaveUp, Some(peer), out);
            }
        }
        out.push(Output::Send { to: peer, frame: Frame::Noted { ids } });
    }

    /// Says what waited for the end of the batch: one frame where there would have been many.
    pub(super) fn flush_contacts(&mut self, out: &mut Vec<Output>) {
        for (peer, contact) in self.contacts.iter_mut().filter(|(_, contact)| !contact.is_settled()) {
            let to = *peer;
            for grants in by_frame(std::mem::take(&mut contact.grants)) {
                out.push(Output::Send { to, frame: Frame::Accepted { grants } });
            }
            for ids in by_frame(contact.take_offers()) {
                out.push(Output::Send { to, frame: Frame::Offer { ids } });
            }
        }
    }
}

/// Asks for what was offered.
fn request(requests: Requests, out: &mut Vec<Output>) {
    requests.into_iter().for_each(|(to, ids)| ask(to, ids, out));
}

fn ask(to: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
    out.extend(by_frame(ids).map(|ids| Output::Send { to, frame: Frame::Take { ids } }));
}

/// What is to be said, in lists that fit a frame: as a rule the list itself.
pub(super) fn by_frame<T>(mut all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        if all.is_empty() {
            return None;
        }
        let later = all.split_off(all.len().min(IDS_PER_FRAME));
        Some(std::mem::replace(&mut all, later))
    })
}

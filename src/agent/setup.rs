//! A contact from its Hello to its end.

use rand_core::Rng;

use super::Agent;
use super::answer::{IDS_PER_FRAME, request};
use super::change::EvidenceKind;
use super::contact::Contact;
use super::custody::Slot;
use super::io::{Event, Output};
use super::mailboxes;
use crate::bundle::Kind;
use crate::frame::{Frame, Hello, PROTOCOL_VERSION};
use crate::id::{BundleId, NodeId};

impl Agent {
    pub(super) fn contact_up(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if self.contacts.has(&peer) {
            self.contact_down(peer, out);
        }
        let mut nonce = [0; 16];
        self.nonces.fill_bytes(&mut nonce);
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
            interests: self.interests(&nonce),
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
        contact.greeted(peer, endpoints, hello);
        let compares = self.compares(peer);
        for slot in for_peer {
            // A source keeps the receipts it gets, and its summary says so: else everybody who carries one would hand it
            // over at every contact.
            if !compares || self.ledger.custody().kind(slot) == Kind::Message {
                self.favour(peer, slot);
                self.enqueue(peer, slot);
            }
        }
        self.tell_evictions(peer, out);
        self.begin_reconciliation(peer, out);
        self.offer_to_member(peer);
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
    fn tell_evictions(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let all = (peer, BundleId([0; 32]))..=(peer, BundleId([255; 32]));
        let ids: Vec<BundleId> = self.ledger.owed().range(all).take(IDS_PER_FRAME).map(|((_, id), ())| *id).collect();
        if !ids.is_empty() {
            out.push(Output::Send { to: peer, frame: Frame::GaveUp { ids } });
        }
    }

    /// The peer heard of evictions; it hears of more only for what it was owed.
    fn noted(&mut self, peer: NodeId, mut ids: Vec<BundleId>, out: &mut Vec<Output>) {
        ids.retain(|id| self.ledger.owed().get(&(peer, *id)).is_some());
        ids.iter().for_each(|id| self.ledger.settle_debt(peer, *id, out));
        if !ids.is_empty() {
            self.tell_evictions(peer, out);
        }
    }

    fn gave_up(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids.iter().copied() {
            let promised = self.ledger.outbox().find(&id).is_some_and(|outgoing| outgoing.is_carrier(&peer));
            if promised {
                self.ledger.attest(id, EvidenceKind::GaveUp, Some(peer), out);
            }
        }
        out.push(Output::Send { to: peer, frame: Frame::Noted { ids } });
    }
}

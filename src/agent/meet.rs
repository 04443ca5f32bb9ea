//! A contact from its Hello to its end: who is there, what each lacks, and what goes in which order.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng;

use super::change::{Class, Held, What};
use super::contact::{Contact, Flight, Order, Stage};
use super::custody::Slot;
use super::io::{Event, Gone, Output};
use super::offers::Requests;
use super::routing::{Facts, Verdict};
use super::summary::{Claim, Reconciliation, Step};
use super::{Agent, UNSETTLED_MAX};
use crate::bundle::{HOP_LIMIT, Hops, Kind};
use crate::eid::Eid;
use crate::frame::{Frame, Grade, Hello, PROTOCOL_VERSION, Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::Millis;

/// Most ids in one Offer, Take or Accepted.
const IDS_PER_FRAME: usize = 1_024;

impl Agent {
    pub(super) fn contact_up(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if self.contacts.contains_key(&peer) {
            self.contact_down(peer, out);
        }
        let mut nonce = [0; 16];
        if planted::is("agent-nonce-repeats") {
            self.nonces.clone().fill_bytes(&mut nonce);
        } else {
            self.nonces.fill_bytes(&mut nonce);
        }
        let pushes = self.routing.replicates();
        let custody = &self.custody;
        let hello = Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: self.config.bundle_bytes_max,
            window_bytes: self.config.window_bytes,
            carries: self.config.carry_bytes_max > 0,
            pushes,
            mailboxes: Vec::new(),
            routing: self.routing.info(peer, self.at.now),
            nonce,
            count: self.summary.len(),
            root: self.summary.root(&|slot| custody.id(slot)),
        };
        let contact = Contact::new(self.at.now, &hello, self.custody.next_row());
        self.contacts.insert(peer, Box::new(contact));
        out.push(Output::Send { to: peer, frame: Frame::Hello(hello) });
    }

    /// Nothing in flight counts: the peer may have died before its commit. The next Hello sorts it out.
    pub(super) fn contact_down(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let Some(contact) = self.contacts.remove(&peer) else { return };
        for (node, record) in self.routing.parted(peer, self.at.now) {
            self.learn(node, record, out);
        }
        self.remember_flights(peer, *contact);
        let requests = self.offers.lose(peer, self.at.now);
        request(requests, out);
    }

    /// Remembers what may have arrived, and how many spray copies with it.
    fn remember_flights(&mut self, peer: NodeId, contact: Contact) {
        let flights = contact.into_flights();
        if self.unsettled.len() + flights.len() > UNSETTLED_MAX {
            let gone = self.unsettled.keys().copied().filter(|(_, id)| self.find_held(id).is_none());
            for key in gone.collect::<Vec<_>>() {
                self.unsettled.remove(&key);
            }
        }
        for (id, flight) in flights {
            if self.unsettled.len() < UNSETTLED_MAX {
                self.unsettled.insert((peer, id), flight.copies);
            }
        }
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
        for (node, record) in self.routing.met(peer, &hello.routing, self.at.now) {
            self.learn(node, record, out);
        }
        let mut endpoints = vec![Eid::admin(peer), Eid::mail(peer)];
        for delegation in &hello.mailboxes {
            // One said twice is looked up once.
            if !endpoints.contains(&delegation.mailbox) && delegation.is_proven(peer, self.at.trusted_wall()) {
                endpoints.push(delegation.mailbox.clone());
            }
        }
        let for_peer: Vec<Slot> =
            endpoints.iter().flat_map(|endpoint| self.custody.for_destination(endpoint)).collect();

        let contact = self.contacts.get_mut(&peer).expect("a Hello is heard during a contact");
        contact.endpoints = endpoints;
        contact.hello = Some(hello);
        let compares = self.compares(peer);
        for slot in for_peer {
            // A source keeps the receipts it gets, and its summary says so: else everybody who carries one would hand it
            // over at every contact.
            if !compares || self.custody.kind(slot) == Kind::Message {
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
            let Some(held) = self.find_held(&id).map(|slot| self.custody.held(slot)) else { continue };
            let granted = self.grants(peer, &held);
            let contact = self.contacts.get_mut(&peer).expect("the contact greets");
            // What is for the peer itself flows already.
            if granted && !contact.serves(&held.destination) {
                contact.offer(id);
            }
        }
    }

    /// Tells the previous hop what had to be evicted of what it handed over.
    fn confess(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let all = (peer, BundleId([0; 32]))..=(peer, BundleId([255; 32]));
        let ids: Vec<BundleId> = self.owed.range(all).map(|(_, id)| *id).collect();
        for ids in ids.chunks(IDS_PER_FRAME) {
            ids.iter().for_each(|id| self.settle_debt(peer, *id, out));
            out.push(Output::Send { to: peer, frame: Frame::GaveUp { ids: ids.to_vec() } });
        }
    }

    /// Compares what both know, where either could then hand something over.
    fn begin_reconciliation(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if !self.compares(peer) {
            return;
        }
        let contact = self.contacts.get_mut(&peer).expect("the contact greets");
        let theirs = Claim::of(contact.hello.as_ref().expect("the contact was greeted"));
        let custody = &self.custody;
        let full = |slot| custody.id(slot);
        let (reconciliation, step) = Reconciliation::begin(&contact.claim, &theirs, &mut self.summary, &full);
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
        let custody = &self.custody;
        let step = reconciliation.handle(frame, &mut self.summary, &|slot| custody.id(slot));
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
        lacks.into_iter().for_each(|slot| self.propose(peer, slot));
    }

    /// Receipts go at once. A message is offered first: a peer without it may have had it and know that it is delivered,
    /// gone or evicted, and many a peer in reach may hold it; then the answer costs far less than the body.
    fn propose(&mut self, peer: NodeId, slot: Slot) {
        let held = self.custody.held(slot);
        if !self.grants(peer, &held) {
            return;
        }
        let contact = self.contacts.get_mut(&peer).expect("what a peer lacks is told during a contact");
        if held.kind == Kind::Receipt || contact.serves(&held.destination) || !contact.offer(held.id) {
            self.enqueue_held(peer, slot, &held);
        }
    }

    /// Whether what was in flight when the last contact broke was accepted, a peer that turns out to know it must say: a
    /// summary is no promise. The same is asked of one's own messages that nobody answered for yet.
    fn settle_flights(&mut self, peer: NodeId, lacks: &[Slot], done: bool, out: &mut Vec<Output>) {
        let all = (peer, BundleId([0; 32]))..=(peer, BundleId([255; 32]));
        if self.unsettled.range(all.clone()).next().is_none() && self.outbox.unpromised().next().is_none() {
            return;
        }
        // Only what would be asked about counts: a peer may lack a million others.
        let ids = lacks.iter().map(|slot| self.custody.id(*slot));
        let ids = ids.filter(|id| self.unsettled.contains_key(&(peer, *id)) || self.outbox.is_unpromised(id));
        let ids: Vec<BundleId> = ids.collect();
        let contact = self.contacts.get_mut(&peer).expect("flights are settled during a contact");
        contact.lacks.extend(ids);
        if !done {
            return;
        }
        let lacks = std::mem::take(&mut contact.lacks);
        let mut flights: BTreeMap<BundleId, u16> = self.outbox.unpromised().map(|id| (*id, 0)).collect();
        flights.extend(self.unsettled.range(all.clone()).map(|((_, id), copies)| (*id, *copies)));
        self.unsettled.retain(|(with, _), _| *with != peer);
        // What came after this node's Hello is in no summary of the contact, so nothing shows that the peer knows it.
        let said = contact.rows_said;
        flights.retain(|id, _| {
            !lacks.contains(id) && self.find_held(id).is_some_and(|slot| self.custody.row(slot) < said)
        });
        if planted::is("agent-summary-taken-for-accepted") {
            flights.keys().for_each(|id| self.attest(*id, What::Copy, Some(peer), out));
        }
        let contact = self.contacts.get_mut(&peer).expect("flights are settled during a contact");
        flights.retain(|id, _| !contact.is_in_flight(id));
        for (id, copies) in &flights {
            contact.sent(*id, Flight { size_bytes: 0, copies: *copies, moved: false });
        }
        for ids in flights.into_keys().collect::<Vec<_>>().chunks(IDS_PER_FRAME) {
            out.push(Output::Send { to: peer, frame: Frame::Ask { ids: ids.to_vec() } });
        }
    }

    /// Answers for what is held, or was delivered, and only for that.
    fn asked(&mut self, peer: NodeId, ids: Vec<BundleId>) {
        for id in BTreeSet::from_iter(ids) {
            let held = self.find_held(&id).map(|slot| self.custody.held(slot).grade);
            let grade = held.or(self.inbox.find(&id).map(|_| Grade::Custody));
            let grade = grade.or(planted::is("agent-asked-says-yes").then_some(Grade::Copy));
            if let (Some(grade), Some(contact)) = (grade, self.contacts.get_mut(&peer)) {
                contact.grants.push((id, grade.max(Grade::Copy)));
            }
        }
    }

    /// Queues a bundle for a peer that lacks it, where the strategy grants it.
    fn consider(&mut self, peer: NodeId, slot: Slot) {
        let held = self.custody.held(slot);
        if self.grants(peer, &held) {
            self.enqueue_held(peer, slot, &held);
        }
    }

    fn grants(&self, peer: NodeId, held: &Held) -> bool {
        let Some(contact) = self.contacts.get(&peer) else { return false };
        let Some(hello) = &contact.hello else { return false };
        contact.serves(&held.destination)
            || hello.carries && self.routing.verdict(&self.facts(held), peer) != Verdict::Keep
    }

    pub(super) fn enqueue(&mut self, peer: NodeId, slot: Slot) {
        self.enqueue_held(peer, slot, &self.custody.held(slot));
    }

    fn enqueue_held(&mut self, peer: NodeId, slot: Slot, held: &Held) {
        let order = self.order(peer, held);
        let Some(contact) = self.contacts.get_mut(&peer) else { return };
        if !contact.is_in_flight(&held.id) {
            contact.enqueue(slot, order);
        }
    }

    fn order(&self, peer: NodeId, held: &Held) -> Order {
        let for_peer = self.contacts.get(&peer).is_some_and(|contact| contact.serves(&held.destination));
        let stage = match held.kind {
            Kind::Receipt => Stage::Receipt,
            Kind::Message if for_peer => Stage::ForPeer,
            Kind::Message => Stage::Other,
        };
        let rank = self.routing.send_rank(&self.facts(held), peer);
        (stage, Class::Own as u8 - held.class as u8, u8::MAX - held.priority as u8, rank)
    }

    /// A bundle that is new here: at once to its destination, offered to others the strategy grants it to.
    pub(super) fn pass_on(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let held = self.custody.held(slot);
        let peers: Vec<NodeId> = self.contacts.keys().copied().filter(|peer| Some(*peer) != held.from).collect();
        for peer in peers {
            let granted = self.grants(peer, &held);
            let contact = self.contacts.get_mut(&peer).expect("the peers are those of the contacts");
            if contact.hello.is_none() {
                contact.offer(held.id);
            } else if !granted {
                continue;
            } else if contact.serves(&held.destination) {
                self.enqueue_held(peer, slot, &held);
                self.pump(peer, out);
            } else {
                contact.offer(held.id);
            }
        }
        let destination = held.destination.node;
        if destination != self.node && !self.contacts.contains_key(&destination) {
            out.push(Output::Dial(destination));
        }
    }

    /// Sends what the window has room for.
    pub(super) fn pump(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        loop {
            let Some(contact) = self.contacts.get_mut(&peer) else { return };
            let Some(hello) = &contact.hello else { return };
            let window_bytes = self.config.window_bytes.min(hello.window_bytes);
            let bytes_max = hello.bundle_bytes_max;
            let Some(slot) = contact.next(window_bytes) else { return };
            let held = self.custody.held(slot);
            // What was granted when it was queued may be over by now.
            if held.expires < self.at.now || held.size_bytes > bytes_max || held.hops.count == HOP_LIMIT {
                continue;
            }
            let verdict = match self.contacts[&peer].serves(&held.destination) {
                true => Verdict::Copy(0),
                false => self.routing.verdict(&self.facts_beside_flights(&held), peer),
            };
            let (copies, moved) = match verdict {
                Verdict::Keep => continue,
                Verdict::Copy(copies) => (copies, false),
                Verdict::Move => (held.copies, true),
            };
            let age = self.facts(&held).age;
            let transit = Transit { hops: Hops { age, count: held.hops.count + 1 }, copies, moved };
            let contact = self.contacts.get_mut(&peer).expect("looked at above");
            contact.sent(held.id, Flight { size_bytes: held.size_bytes, copies, moved });
            contact.bundles_sent += 1;
            if planted::is("agent-copies-spent-unaccepted") {
                self.spend(slot, copies, out);
            }
            out.push(Output::Forward { to: peer, transit, id: held.id, row: held.row });
        }
    }

    /// What is on its way elsewhere may arrive there, so those copies cannot be handed out a second time.
    fn facts_beside_flights<'a>(&self, held: &'a Held) -> Facts<'a> {
        let flights = self.contacts.values().map(|contact| contact.copies_in_flight(&held.id));
        let in_flight = flights.fold(0, u16::saturating_add);
        let facts = self.facts(held);
        Facts { copies: facts.copies.saturating_sub(in_flight), ..facts }
    }

    /// Custody signals: the peer committed what it names.
    fn accepted(&mut self, peer: NodeId, grants: Vec<(BundleId, Grade)>, out: &mut Vec<Output>) {
        for (id, grade) in grants {
            let contact = self.contacts.get_mut(&peer).expect("frames are heard during a contact");
            let flight = contact.answered(&id);
            let unasked = Flight { size_bytes: 0, copies: 0, moved: false };
            let Some(flight) = flight.or(planted::is("agent-custody-signal-unasked").then_some(unasked)) else {
                continue;
            };
            contact.has_room();
            let what = if grade == Grade::Custody { What::Custody } else { What::Copy };
            self.attest(id, what, Some(peer), out);
            let Some(slot) = self.find_held(&id) else { continue };
            if planted::is("agent-deletes-what-is-accepted") {
                self.forget(slot, Gone::Receipt, out);
                continue;
            }
            if flight.copies > 0 {
                self.spend(slot, flight.copies, out);
            }
            let held = self.custody.held(slot);
            if flight.moved && held.class != Class::Own && held.grade != Grade::Released {
                self.regrade(slot, Grade::Released, held.copies, held.class, out);
            }
        }
        self.pump(peer, out);
    }

    fn spend(&mut self, slot: Slot, copies: u16, out: &mut Vec<Output>) {
        let held = self.custody.held(slot);
        let left = held.copies.saturating_sub(copies).max(1);
        if left != held.copies {
            self.regrade(slot, held.grade, left, held.class, out);
        }
    }

    fn refused(&mut self, peer: NodeId, id: BundleId, why: Refusal, retry_after: Millis, out: &mut Vec<Output>) {
        let now = self.at.now;
        let contact = self.contacts.get_mut(&peer).expect("frames are heard during a contact");
        if contact.answered(&id).is_none() {
            return;
        }
        if matches!(why, Refusal::Full | Refusal::Space | Refusal::Busy) {
            contact.retry_after(id, now, retry_after);
        }
        self.pump(peer, out);
    }

    fn offered(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        // What is for this node comes without being offered.
        if self.config.carry_bytes_max == 0 {
            return;
        }
        let unknown = |id: &BundleId| !self.knows(id) && !self.shunned.contains(id, self.at.now);
        let mut ids: Vec<BundleId> = ids.into_iter().filter(unknown).collect();
        ids.retain(|id| self.offers.note(*id, peer, self.at.now));
        ask(peer, ids, out);
    }

    /// Turns to others for what a peer offered and did not hand over.
    pub(super) fn ask_others(&mut self, out: &mut Vec<Output>) {
        let requests = self.offers.lapse(self.at.now);
        request(requests, out);
    }

    fn asked_for(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids {
            if let Some(slot) = self.find_held(&id) {
                self.consider(peer, slot);
            }
        }
        self.pump(peer, out);
    }

    fn gave_up(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids {
            let promised = self.outbox.find(&id).is_some_and(|outgoing| {
                outgoing.evidence.iter().any(|e| e.who == Some(peer) && matches!(e.what, What::Copy | What::Custody))
            });
            if promised || planted::is("agent-give-up-of-anybody") {
                self.attest(id, What::GaveUp, Some(peer), out);
            }
        }
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

    pub(super) fn retry_refused(&mut self, out: &mut Vec<Output>) {
        let is_due = |contact: &Contact| contact.next_retry().is_some_and(|at| at <= self.at.now);
        if !self.contacts.values().any(|contact| is_due(contact)) {
            return;
        }
        let peers: Vec<NodeId> = self.contacts.keys().copied().collect();
        for peer in peers {
            let due = self.contacts.get_mut(&peer).map(|contact| contact.take_retries(self.at.now)).unwrap_or_default();
            for slot in due.iter().filter_map(|id| self.find_held(id)).collect::<Vec<_>>() {
                self.consider(peer, slot);
            }
            if !due.is_empty() {
                self.pump(peer, out);
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
fn by_frame<T>(mut all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        if all.is_empty() {
            return None;
        }
        let later = all.split_off(all.len().min(IDS_PER_FRAME));
        Some(std::mem::replace(&mut all, later))
    })
}

//! What goes to a peer, in which order, and what its answers settle.

use super::Agent;
use super::change::{Class, EvidenceKind, Held};
use super::contact::{Contact, Flight, Order, Stage};
use super::custody::Slot;
use super::io::Output;
use super::mailboxes;
use super::routing::{Facts, Verdict};
use crate::bundle::{Hops, Kind};
use crate::frame::{Grade, Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::Millis;

/// Most bundles proposed to a peer in one go; what else it lacks waits for its next turn, and others come in between.
const PROPOSED_MAX: usize = 1_024;

impl Agent {
    /// Proposes what a peer turns out to lack.
    pub(super) fn propose_all(&mut self, peer: NodeId, lacks: &[Slot]) {
        let (now, later) = lacks.split_at(lacks.len().min(PROPOSED_MAX));
        for slot in later {
            let is_urgent = self.ledger.custody().is_urgent(*slot);
            let contact = self.contacts.get_mut(&peer).expect("what a peer lacks is told during a contact");
            contact.backlog.add(*slot, is_urgent);
        }
        now.iter().for_each(|slot| self.propose(peer, *slot));
    }

    /// Proposes all that is held to a peer that has nothing. Strangers without number may say so: no slot is looked at
    /// before its turn.
    pub(super) fn propose_everything(&mut self, peer: NodeId) {
        let contact = self.contacts.get_mut(&peer).expect("what a peer lacks is told during a contact");
        let (all, urgent) = self.ledger.custody().sets();
        contact.backlog.add_all(all, urgent);
        let now = contact.backlog.take(PROPOSED_MAX);
        now.into_iter().for_each(|slot| self.propose(peer, slot));
    }

    /// The peer whose turn it is hears of more that it lacks.
    pub(super) fn take_turn(&mut self, out: &mut Vec<Output>) {
        let Some(peer) = self.contacts.next_turn() else { return };
        self.tell_renewed(peer, out);
        let contact = self.contacts.get_mut(&peer).expect("one of the contacts");
        if !contact.has_room_for_more() {
            return;
        }
        let set_aside = contact.take_set_aside();
        set_aside.into_iter().for_each(|slot| self.consider(peer, slot));
        let contact = self.contacts.get_mut(&peer).expect("one of the contacts");
        let slots = contact.backlog.take(PROPOSED_MAX);
        slots.into_iter().for_each(|slot| self.propose(peer, slot));
        self.pump(peer, out);
    }

    /// Receipts go at once. A message is offered first: a peer without it may have had it and know that it is delivered,
    /// gone or evicted, and many a peer in reach may hold it; then the answer costs far less than the body. So is a
    /// receipt that somebody's full store gave up: where one is full many are, and turned away at each contact it costs
    /// more than all receipts that are of use.
    fn propose(&mut self, peer: NodeId, slot: Slot) {
        let held = self.ledger.custody().held(slot);
        if !self.gives(peer, slot, &held) {
            return;
        }
        self.favour(peer, slot);
        let goes_at_once = held.kind == Kind::Receipt && !self.contacts.unwelcome.contains(&held.id, self.now());
        let contact = self.contacts.get_mut(&peer).expect("what a peer lacks is told during a contact");
        if goes_at_once || contact.serves(&held.destination) || !contact.propose(held.id) {
            self.enqueue_held(peer, slot, &held);
        }
    }

    /// Queues a bundle for a peer that lacks it, where the strategy grants it.
    pub(super) fn consider(&mut self, peer: NodeId, slot: Slot) {
        let held = self.ledger.custody().held(slot);
        if self.gives(peer, slot, &held) {
            self.enqueue_held(peer, slot, &held);
        }
    }

    /// Whether a peer gets a bundle now. What is its destination's alone for a while it hears of after that.
    pub(super) fn gives(&mut self, peer: NodeId, slot: Slot, held: &Held) -> bool {
        self.grants(peer, held) && !self.keeps_back(peer, slot, held)
    }

    fn keeps_back(&mut self, peer: NodeId, slot: Slot, held: &Held) -> bool {
        let is_alone = held.copies == 0 || self.contacts.graces.has(slot);
        if !is_alone || self.wants_receipt(peer, held) {
            return false;
        }
        let Some(contact) = self.contacts.get_mut(&peer).filter(|contact| !contact.serves(&held.destination)) else {
            return false;
        };
        contact.backlog.keep(slot);
        true
    }

    /// Whether a peer holds a copy of what a receipt proves.
    pub(super) fn wants_receipt(&self, peer: NodeId, held: &Held) -> bool {
        held.kind == Kind::Receipt && self.contacts.proofs.is_wanted(&held.id, peer)
    }

    /// Whether a peer is the destination. Of a group it is not all there is.
    fn is_at(&self, peer: NodeId, held: &Held) -> bool {
        let serves = self.contacts.get(&peer).is_some_and(|contact| contact.serves(&held.destination));
        serves && !held.destination.is_group()
    }

    /// A bundle is about to go to a peer: where that is its destination, nobody else gets it meanwhile.
    pub(super) fn favour(&mut self, peer: NodeId, slot: Slot) {
        let held = self.ledger.custody().held(slot);
        if self.is_at(peer, &held) && self.routing.favours_present() {
            self.contacts.graces.begin(slot, peer, self.now());
        }
    }

    /// Bundles that were their destinations' alone go wherever the strategy sends them.
    pub(super) fn let_go(&mut self, slots: Vec<Slot>) {
        for slot in slots {
            let is_urgent = self.ledger.custody().is_urgent(slot);
            self.contacts.iter_mut().for_each(|(_, contact)| contact.backlog.let_go(slot, is_urgent));
        }
    }

    /// Lets go of what destinations took long enough over.
    pub(super) fn end_graces(&mut self) {
        let over = self.contacts.end_graces(self.ledger.now());
        self.let_go(over);
    }

    fn grants(&self, peer: NodeId, held: &Held) -> bool {
        let Some(contact) = self.contacts.get(&peer) else { return false };
        let Some(hello) = &contact.hello else { return false };
        contact.wants(&held.destination)
            || hello.carries
                && (self.wants_receipt(peer, held) || self.verdict(&self.facts(held), peer) != Verdict::Keep)
    }

    /// What the strategy says of a peer that is not the destination. What has come to its own goes no further.
    pub(super) fn verdict(&self, facts: &Facts, peer: NodeId) -> Verdict {
        let is_here = facts.kind == Kind::Receipt && self.mailboxes.serves(facts.destination);
        match is_here && !self.routing.floods_receipts() {
            true => Verdict::Keep,
            // Who subscribes is nobody's to know: what is published goes to all who carry.
            false if facts.destination.is_topic() && self.routing.replicates() => Verdict::Copy(1),
            false if facts.destination.is_topic() => Verdict::Keep,
            false if facts.destination.is_got() => self.verdict_on_got(facts, peer),
            false => self.routing.verdict(facts, peer),
        }
    }

    pub(super) fn enqueue(&mut self, peer: NodeId, slot: Slot) {
        self.enqueue_held(peer, slot, &self.ledger.custody().held(slot));
    }

    fn enqueue_held(&mut self, peer: NodeId, slot: Slot, held: &Held) {
        let order = self.order(peer, held);
        let Some(contact) = self.contacts.get_mut(&peer) else { return };
        if !contact.is_in_flight(&held.id) {
            contact.enqueue(slot, order);
        }
    }

    fn order(&self, peer: NodeId, held: &Held) -> Order {
        let for_peer = self.contacts.get(&peer).is_some_and(|contact| contact.wants(&held.destination));
        self.order_of(peer, held, for_peer)
    }

    pub(super) fn order_of(&self, peer: NodeId, held: &Held, for_peer: bool) -> Order {
        let stage = match held.kind {
            Kind::Receipt => Stage::Receipt,
            Kind::Message if for_peer => Stage::ForPeer,
            Kind::Message => Stage::Other,
        };
        let rank = match held.destination.is_topic() {
            // As they were published, as far as that lies with who carries: what ends first was published first.
            true => held.expires.0,
            false => self.routing.send_rank(&self.facts(held), peer),
        };
        (stage, Class::Own as u8 - held.class as u8, u8::MAX - held.priority as u8, rank)
    }

    /// A bundle that is new here: at once to its destination, offered to others the strategy grants it to.
    pub(super) fn pass_on(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let held = self.ledger.custody().held(slot);
        let peers: Vec<NodeId> = self.contacts.peers().filter(|peer| Some(*peer) != held.from).collect();
        peers.iter().for_each(|peer| self.favour(*peer, slot));
        for peer in peers {
            let granted = self.gives(peer, slot, &held);
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
        let home = mailboxes::home_of(&held.destination);
        // Behind a group or a topic there is no node.
        if !held.destination.is_group() && !self.mailboxes.writes_as(&home) && !self.contacts.has(&home) {
            out.push(Output::Dial(home));
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
            let held = self.ledger.custody().held(slot);
            // What was granted when it was queued may be over by now.
            if held.expires < self.now() || held.size_bytes > bytes_max {
                if held.size_bytes > bytes_max && held.class == Class::Own {
                    self.contacts.get_mut(&peer).expect("looked at above").turns_away(held.id);
                }
                continue;
            }
            let for_peer = self.contacts.get(&peer).is_some_and(|contact| contact.serves(&held.destination));
            let is_member = self.contacts.get(&peer).is_some_and(|contact| contact.wants(&held.destination));
            let verdict = match for_peer {
                true => Verdict::Copy(0),
                // A member carries on for the others as the strategy says; for itself it gets the bundle in any case.
                false if is_member => match self.verdict(&self.facts_beside_flights(&held), peer) {
                    Verdict::Copy(copies) if contact_carries(self.contacts.get(&peer)) => Verdict::Copy(copies),
                    _ => Verdict::Copy(0),
                },
                false if self.keeps_back(peer, slot, &held) => Verdict::Keep,
                false if self.wants_receipt(peer, &held) => Verdict::Copy(0),
                false => self.verdict(&self.facts_beside_flights(&held), peer),
            };
            let Verdict::Copy(copies) = verdict else { continue };
            // A peer that had its copies and asks again gets the bundle, and no more of the budget.
            let is_spent = self.contacts.flights().were_given(held.id, peer);
            let (copies, told) = if is_spent { (0, copies.min(1)) } else { (copies, copies) };
            let age = self.facts(&held).age;
            // Never over the limit of 255, so that nobody has a reason to delete it (RFC 9171 section 4.4.3).
            let hops = Hops { age, count: held.hops.count.saturating_add(1) };
            let is_answer = self.contacts.answers(peer, held.id);
            let transit = Transit { hops, copies: told, is_answer };
            if !is_answer {
                self.contacts.take_off(peer, held.id, Flight { size_bytes: held.size_bytes, copies });
            }
            let contact = self.contacts.get_mut(&peer).expect("looked at above");
            contact.bundles_sent += 1;
            contact.moved_at = self.ledger.now();
            out.push(Output::Forward { to: peer, transit, id: held.id, row: held.row });
        }
    }

    /// What is on its way elsewhere may arrive there, so those copies cannot be handed out a second time.
    pub(super) fn facts_beside_flights<'a>(&self, held: &'a Held) -> Facts<'a> {
        let in_flight = self.contacts.flights().of(&held.id);
        let facts = self.facts(held);
        Facts { copies: facts.copies.saturating_sub(in_flight), ..facts }
    }

    /// Custody signals: the peer committed what it names.
    pub(super) fn accepted(&mut self, peer: NodeId, grants: Vec<(u64, Grade)>, out: &mut Vec<Output>) {
        for (prefix, grade) in grants {
            let Some(id) = self.contacts.get(&peer).and_then(|contact| contact.in_flight_with(prefix)) else {
                continue;
            };
            let Some(flight) = self.contacts.land(peer, &id) else { continue };
            if let Some(contact) = self.contacts.get_mut(&peer) {
                contact.has_room();
                contact.took(&id);
                contact.moved_at = self.ledger.now();
            }
            let what = if grade == Grade::Custody { EvidenceKind::Custody } else { EvidenceKind::Copy };
            self.ledger.attest(id, what, Some(peer), out);
            let Some(slot) = self.ledger.find_held(&id) else { continue };
            // Of the last copy nothing is spent, and nothing has to be remembered for it.
            if flight.copies > 0 && self.spend(slot, flight.copies, out) {
                let is_named = self.ledger.is_contact(&peer);
                self.contacts.give(id, peer, is_named, || self.ledger.draw());
            }
            let held = self.ledger.custody().held(slot);
            if self.is_at(peer, &held) {
                self.reached(slot, &held, out);
            } else if held.destination.is_got() {
                self.routing.handed(&id, peer);
            } else if held.kind == Kind::Message && !held.destination.is_group() {
                self.routing.handed(&id, peer);
                self.note_holder(&id, peer, held.source, held.expires);
            }
        }
        self.pump(peer, out);
    }

    /// The destination itself has a bundle: no copy of it is left to hand on.
    pub(super) fn reached(&mut self, slot: Slot, held: &Held, out: &mut Vec<Output>) {
        if held.destination.is_got() {
            return self.is_heard(slot, held, out);
        }
        if self.routing.favours_present() {
            self.contacts.graces.end(slot);
            if held.copies > 0 {
                self.ledger.regrade(slot, held.grade, 0, held.class, out);
            }
        }
    }

    /// Takes copies off the budget, of which the last is never taken; returns whether there was anything to take.
    pub(super) fn spend(&mut self, slot: Slot, copies: u16, out: &mut Vec<Output>) -> bool {
        let held = self.ledger.custody().held(slot);
        let left = held.copies.saturating_sub(copies).max(held.copies.min(1));
        if left != held.copies {
            self.ledger.regrade(slot, held.grade, left, held.class, out);
        }
        left != held.copies
    }

    pub(super) fn refused(
        &mut self,
        peer: NodeId,
        id: BundleId,
        why: Refusal,
        retry_after: Millis,
        out: &mut Vec<Output>,
    ) {
        let now = self.now();
        self.refused_at_last(peer, &id, why, out);
        if self.contacts.land(peer, &id).is_none() {
            // It waits to go, and another was faster.
            return self.leave_out(peer, &id);
        }
        let is_own = self.ledger.outbox().find(&id).is_some();
        let contact = self.contacts.get_mut(&peer).expect("frames are heard during a contact");
        if is_own && matches!(why, Refusal::Full | Refusal::Space | Refusal::TooLarge) {
            contact.turns_away(id);
        }
        if matches!(why, Refusal::Full | Refusal::Space) {
            contact.retry_after(id, now, retry_after);
        }
        if why == Refusal::Full
            && let Some(slot) = self.ledger.find_held(&id)
        {
            let held = self.ledger.custody().held(slot);
            // A mailbox without room says nothing of the room for what is carried.
            if !self.is_at(peer, &held) && !held.destination.is_topic() {
                let facts = self.facts(&held);
                self.routing.refused(&facts, peer);
            }
        }
        let is_receipt = |slot: Slot| self.ledger.custody().kind(slot) == Kind::Receipt;
        if why == Refusal::Shunned && self.ledger.find_held(&id).is_some_and(is_receipt) {
            self.contacts.unwelcome.insert(id, now + self.config.shun);
        }
        self.pump(peer, out);
    }

    /// What its destination knows has arrived; what it turns away otherwise is nobody's alone any more.
    fn refused_at_last(&mut self, peer: NodeId, id: &BundleId, why: Refusal, out: &mut Vec<Output>) {
        let Some(slot) = self.ledger.find_held(id) else { return };
        let held = self.ledger.custody().held(slot);
        if !self.is_at(peer, &held) {
            return;
        }
        if why == Refusal::Known {
            self.reached(slot, &held, out);
        } else if self.contacts.graces.end(slot) {
            self.let_go(vec![slot]);
        }
    }

    fn leave_out(&mut self, peer: NodeId, id: &BundleId) {
        if let (Some(slot), Some(contact)) = (self.ledger.find_held(id), self.contacts.get_mut(&peer)) {
            contact.leave_out(slot);
        }
    }

    pub(super) fn asked_for(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        for id in ids {
            if let Some(slot) = self.ledger.find_held(&id) {
                self.consider(peer, slot);
            }
        }
        self.pump(peer, out);
    }

    pub(super) fn retry_refused(&mut self, out: &mut Vec<Output>) {
        let is_due = |contact: &Contact| contact.next_retry().is_some_and(|at| at <= self.now());
        if !self.contacts.iter().any(|(_, contact)| is_due(contact)) {
            return;
        }
        let peers: Vec<NodeId> = self.contacts.peers().collect();
        for peer in peers {
            let due =
                self.contacts.get_mut(&peer).map(|contact| contact.take_retries(self.ledger.now())).unwrap_or_default();
            for slot in due.iter().filter_map(|id| self.ledger.find_held(id)).collect::<Vec<_>>() {
                self.consider(peer, slot);
            }
            if !due.is_empty() {
                self.pump(peer, out);
            }
        }
    }
}

fn contact_carries(contact: Option<&Contact>) -> bool {
    contact.and_then(|contact| contact.hello.as_ref()).is_some_and(|hello| hello.carries)
}

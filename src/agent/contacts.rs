//! The contacts there are, and what they leave behind until a restart.
//!
//! Nothing here is durable: of a contact that broke nothing counts, and the next Hello sorts it out. What is forgotten
//! costs traffic and no mail. The rest of the agent says what goes where; this keeps what contacts have in common in step
//! with each of them.

use std::collections::BTreeMap;
use std::ops::Bound;

use rand_chacha::ChaCha8Rng;

use super::contact::{Contact, Flight};
use super::custody::Slot;
use super::flights::Flights;
use super::graces::Graces;
use super::offers::{Offers, Requests};
use super::proofs::Proofs;
use super::shunned::Shunned;
use crate::id::{BundleId, NodeId};
use crate::time::Timestamp;

pub struct Contacts {
    /// In boxes: a leaf of the map has room for eleven, and most agents have one or two.
    present: BTreeMap<NodeId, Box<Contact>>,
    /// The peer that was last told of more that it lacks.
    had_turn: NodeId,
    flights: Flights,
    /// What goes to destinations that are there, and to nobody else meanwhile.
    pub graces: Graces,
    /// Who is to get which receipt.
    pub proofs: Proofs,
    /// What peers were asked for.
    pub offers: Offers,
    /// What was evicted here.
    pub shunned: Shunned,
    /// What of topics was evicted or refused here: a flood of a topic must not make mail forgotten.
    pub shunned_of_topics: Shunned,
    /// Receipts that a peer shuns.
    pub unwelcome: Shunned,
    /// When a contact was last renewed.
    pub renewed_at: Option<Timestamp>,
    /// The receipt that is being handed to the very peer that brought what it names, and whether it went.
    answer: Option<(NodeId, BundleId, bool)>,
}

impl Contacts {
    /// None yet; the first turn goes to the peer behind `node`, and `secret` is known to nobody else.
    pub fn keyed(node: NodeId, secret: &[u8; 16], dice: ChaCha8Rng, proofs: Proofs) -> Contacts {
        Contacts {
            present: BTreeMap::new(),
            had_turn: node,
            flights: Flights::keyed(secret),
            graces: Graces::default(),
            proofs,
            offers: Offers::new(dice),
            shunned: Shunned::default(),
            shunned_of_topics: Shunned::default(),
            unwelcome: Shunned::default(),
            renewed_at: None,
            answer: None,
        }
    }

    /// Whether something is not taken for a while.
    pub fn shuns(&self, id: &BundleId, now: Timestamp) -> bool {
        self.shunned.contains(id, now) || self.shunned_of_topics.contains(id, now)
    }

    pub fn begin(&mut self, peer: NodeId, contact: Contact) {
        self.present.insert(peer, Box::new(contact));
    }

    /// Ends a contact: what was in flight may have arrived, and what the peer was asked for is asked of others. Returns
    /// whom to ask; none where there was no contact.
    pub fn end(&mut self, peer: NodeId, is_named: bool, now: Timestamp, lot: impl FnMut() -> u64) -> Option<Requests> {
        let flights = self.present.remove(&peer)?.into_flights();
        flights.iter().for_each(|(id, flight)| self.flights.land(id, flight.copies));
        debug_assert!(!self.present.is_empty() || self.flights.is_empty(), "nothing flies without a contact");
        self.flights.doubt(peer, is_named, flights.into_iter().map(|(id, flight)| (id, flight.copies)), lot);
        Some(self.offers.lose(peer, now))
    }

    pub fn get(&self, peer: &NodeId) -> Option<&Contact> {
        self.present.get(peer).map(|contact| &**contact)
    }

    pub fn get_mut(&mut self, peer: &NodeId) -> Option<&mut Contact> {
        self.present.get_mut(peer).map(|contact| &mut **contact)
    }

    pub fn has(&self, peer: &NodeId) -> bool {
        self.present.contains_key(peer)
    }

    /// Who is there, in the order of their keys.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.present.keys().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Contact)> + '_ {
        self.present.iter().map(|(peer, contact)| (peer, &**contact))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&NodeId, &mut Contact)> + '_ {
        self.present.iter_mut().map(|(peer, contact)| (peer, &mut **contact))
    }

    /// Gives the turn to the next in the circle who has to hear of more.
    pub fn next_turn(&mut self) -> Option<NodeId> {
        let after = (Bound::Excluded(self.had_turn), Bound::Unbounded);
        let mut circle = self.present.range(after).chain(self.present.range(..=self.had_turn));
        self.had_turn = circle.find(|(_, contact)| contact.wants_turn()).map(|(peer, _)| *peer)?;
        Some(self.had_turn)
    }

    /// Something moved between this node and a peer.
    pub fn moved(&mut self, peer: &NodeId, now: Timestamp) {
        if let Some(contact) = self.present.get_mut(peer) {
            contact.moved_at = now;
        }
    }

    /// Ends what destinations took long enough over, and returns it.
    pub fn end_graces(&mut self, now: Timestamp) -> Vec<Slot> {
        let Contacts { present, graces, .. } = self;
        graces.expire(now, |peer| present.get(peer).map_or(Timestamp(0), |contact| contact.moved_at))
    }

    /// Where copies went.
    pub fn flights(&self) -> &Flights {
        &self.flights
    }

    /// Something leaves for a peer, or left in an earlier contact and may have arrived.
    pub fn take_off(&mut self, peer: NodeId, id: BundleId, flight: Flight) {
        let Some(contact) = self.present.get_mut(&peer) else { return };
        if let Some(before) = contact.sent(id, flight) {
            self.flights.land(&id, before.copies);
        }
        self.flights.take_off(id, flight.copies);
    }

    /// Until this is called again, a receipt goes to a peer as the answer for what it names.
    pub fn answer_with(&mut self, answer: Option<(NodeId, BundleId)>) {
        self.answer = answer.map(|(peer, receipt)| (peer, receipt, false));
    }

    /// Whether what leaves for a peer is the answer, which goes once.
    pub fn answers(&mut self, peer: NodeId, id: BundleId) -> bool {
        let Some((to, receipt, went)) = &mut self.answer else { return false };
        let is_answer = (*to, *receipt, *went) == (peer, id, false);
        *went |= is_answer;
        is_answer
    }

    /// Whether this receipt went to a peer as an answer.
    pub fn was_answered_with(&self, peer: &NodeId, receipt: &BundleId) -> bool {
        self.answer == Some((*peer, *receipt, true))
    }

    /// The peer answered for what was in flight to it.
    pub fn land(&mut self, peer: NodeId, id: &BundleId) -> Option<Flight> {
        let flight = self.present.get_mut(&peer)?.answered(id)?;
        self.flights.land(id, flight.copies);
        Some(flight)
    }

    /// Takes what may have arrived at a peer in earlier contacts, with the copies.
    pub fn settle_flights(&mut self, peer: NodeId) -> BTreeMap<BundleId, u16> {
        self.flights.settle(peer)
    }

    /// A peer accepted spray copies of a bundle, and gets none of it again.
    pub fn give(&mut self, id: BundleId, peer: NodeId, is_named: bool, lot: impl FnOnce() -> u64) {
        self.flights.give(id, peer, is_named, lot);
    }

    /// A bundle is held no more: another may come to stand where it stood.
    pub fn leave_out(&mut self, slot: Slot, id: BundleId) {
        self.present.values_mut().for_each(|contact| contact.leave_out(slot));
        self.flights.forget(id);
        self.graces.end(slot);
    }
}

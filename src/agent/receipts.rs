//! Receipts: made with the inbox rows they prove, believed from the destination's own key, and the end of custody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Agent;
use super::change::{Belief, Class, Held, Letter, What};
use super::config::ReceiptsFor;
use super::inbox::{Arrival, Due};
use super::io::{Event, Gone, Handed, Output};
use super::lives::Life;
use super::mailboxes::receipts_to;
use super::place::{Origin, admits};
use crate::bundle::{Bundle, COPIES_MAX, Draft, Kind, Priority};
use crate::eid::Eid;
use crate::frame::{Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::receipt::{RECEIPT_IDS_MAX, Receipt, ReceiptKind};
use crate::time::{DAY, HOUR, Millis, Timestamp};

/// Reason code of a signed refusal: the recipient does not want mail from this source.
pub const REJECTED_BLOCKED: u8 = 1;
/// How long the recipient keeps a receipt beyond the life of what it proves: the source may come by late.
const RECEIPT_LINGERS: Millis = Millis(7 * DAY.0);
/// One of so many parts of what is free a single peer may take with strangers' mail, beside its share.
const PART_OF_PEER: u64 = 4;
/// And a single source.
const PART_OF_SOURCE: u64 = 8;

/// Arrivals that one receipt can prove: same mailbox, same source, same due.
type Batches = BTreeMap<(Eid, NodeId, Due), Vec<Arrival>>;

impl Agent {
    /// Gives every arrival of the batch its due and its receipt, one receipt for each source.
    pub(super) fn settle_arrivals(&mut self, out: &mut Vec<Output>) {
        let mut batches = Batches::new();
        for arrival in self.ledger.take_arrivals() {
            let key = (arrival.bundle.destination.clone(), arrival.bundle.source, arrival.due);
            batches.entry(key).or_default().push(arrival);
        }
        for ((mailbox, source, _), mut arrivals) in batches {
            // What came together is filed, and told to whoever follows, as it was written.
            arrivals.sort_by_key(|arrival| (arrival.bundle.creation.time, arrival.bundle.creation.sequence));
            for arrivals in arrivals.chunks(RECEIPT_IDS_MAX) {
                arrivals.iter().for_each(|arrival| self.settle_arrival(arrival, out));
                let Some(last) = arrivals.last().filter(|_| self.proves_to(&source)) else { continue };
                let longest = arrivals.iter().map(|a| a.bundle.lifetime).max().unwrap_or(HOUR);
                let lifetime = longest.saturating_add(RECEIPT_LINGERS).min(self.config.lifetime_max);
                let ids = arrivals.iter().map(|a| a.bundle.id).collect();
                self.sign_receipt(&mailbox, (source, last.from), ReceiptKind::Delivered, ids, lifetime, out);
            }
        }
    }

    /// Whether a source gets proof of delivery: the owner may keep it from strangers.
    fn proves_to(&self, source: &NodeId) -> bool {
        let everyone = self.config.receipts == ReceiptsFor::Everyone;
        everyone || self.mailboxes.writes_as(source) || self.ledger.is_contact(source)
    }

    fn settle_arrival(&mut self, arrival: &Arrival, out: &mut Vec<Output>) {
        let Arrival { bundle, hops, size_bytes, from, due } = arrival;
        if *due == Due::Row {
            let letter = Letter {
                row: self.ledger.custody().next_row(),
                id: bundle.id,
                source: bundle.source,
                destination: bundle.destination.clone(),
                creation: bundle.creation,
                lifetime: bundle.lifetime,
                priority: bundle.priority,
                size_bytes: *size_bytes,
                received: self.at(),
                from: *from,
                hops: *hops,
                read: false,
                told: false,
                collected: false,
            };
            self.ledger.deliver(letter, Arc::clone(bundle), out);
            out.push(Output::Notify(bundle.id));
            out.push(Output::Report(Event::Delivered { id: bundle.id, from: *from }));
        }
        self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, *from, out);
        if *due != Due::Row {
            // Nothing of it is kept, so nothing is promised; the receipt says the rest.
            self.refuse(*from, bundle.id, Refusal::Known, out);
        } else if *from != self.node && self.ledger.find_held(&bundle.id).is_none() {
            // What is carried too was answered for already.
            self.grant(*from, bundle.id, Grade::Custody, out);
        }
    }

    /// Signs what happened to bundles of one source, which a peer handed over, and sends it on its way.
    pub(super) fn sign_receipt(
        &mut self,
        mailbox: &Eid,
        (source, from): (NodeId, NodeId),
        kind: ReceiptKind,
        ids: Vec<BundleId>,
        lifetime: Millis,
        out: &mut Vec<Output>,
    ) {
        // Nobody speaks for a whole group, nor for a mailbox that is not served here: a record of another time or a damaged
        // one may name it.
        let Some(signer) = self.mailboxes.signer_of(mailbox).map(Arc::clone) else { return };
        let recipient = signer.node();
        if self.mailboxes.writes_as(&source) {
            return ids.into_iter().for_each(|id| self.ledger.attest(id, what(kind), Some(recipient), out));
        }
        let draft = Draft {
            kind: Kind::Receipt,
            source: recipient,
            destination: receipts_to(source),
            creation: self.next_stamp(out),
            lifetime,
            priority: Priority::Normal,
            copies: self.config.copies.clamp(1, COPIES_MAX),
        };
        let receipt = Receipt { kind, source, device: 0, devices: 1, ids };
        let bundle = draft.sign(&receipt.encode(), &*signer).expect("a receipt of bounded length fits a bundle");
        let size_bytes = bundle.encoded_len() as u32;
        let id = bundle.id;
        receipt.ids.iter().for_each(|message| self.contacts.proofs.prove(message, id));
        self.take_own(Arc::new(bundle), size_bytes, Grade::Custody, out);
        if let Some(slot) = self.ledger.find_held(&id) {
            self.ledger.share_receipt(slot, from);
        }
    }

    /// Whether no more own receipts may be caused by a peer and a source that nobody named: each is kept for weeks.
    pub(super) fn signs_enough(&self, from: NodeId, source: NodeId) -> bool {
        let free = u64::from(self.config.receipts_own_max).saturating_sub(self.ledger.custody().receipts_own() as u64);
        !self.admits(self.ledger.signed().shares_of(from, source), 1, free, from)
    }

    /// Whether what a stranger's bundle costs leaves others their part of a place where nothing may make way, whoever
    /// handed it over and whoever it is from. Of a named peer it is no fault that it carries for many.
    pub(super) fn admits(&self, shares: [u64; 2], cost: u64, free: u64, from: NodeId) -> bool {
        let [by_peer, by_source] = shares;
        (self.ledger.is_contact(&from) || admits(by_peer, cost, free, PART_OF_PEER))
            && admits(by_source, cost, free, PART_OF_SOURCE)
    }

    /// A receipt from a peer: its word first, then custody of it for others.
    pub(super) fn receive_receipt(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) {
        let Handed { from, ref bundle, .. } = *handed;
        let id = bundle.id;
        let receipt = match Receipt::decode(bundle.payload()) {
            Ok(receipt) if receipts_to(receipt.source) == bundle.destination => receipt,
            _ => return self.refuse(from, id, Refusal::Unwilling, out),
        };
        let freed = self.heed(&receipt, bundle.source, from, life.expires, out);
        if from != bundle.source {
            freed.iter().for_each(|held| self.routing.proven(&held.id, from));
        }
        let held = self.as_held(handed, life, Class::Strangers);
        let held = in_place_of(&freed, held);
        let mine = self.mailboxes.serves(&bundle.destination);
        // What a receipt freed has room for it, also on a disk that is nearly full.
        let space = !self.is_short_of_space() || !freed.is_empty();
        // Also at its destination, whose summary then says that it need not be brought again.
        let carries = self.config.carry_bytes_max > 0;
        let welcome = carries && space && (held.grade != Grade::Released || self.make_place(&held, out));
        if welcome && self.make_room(&held, out).is_some() {
            receipt.ids.iter().for_each(|message| self.contacts.proofs.claim(message, bundle.source, id));
            freed.iter().for_each(|held| self.contacts.proofs.prove(&held.id, id));
            if planted::is("agent-receipt-for-forged-claim") {
                receipt.ids.iter().for_each(|message| self.contacts.proofs.prove(message, id));
            }
            let slot = self.ledger.hold(held, Arc::clone(bundle), out);
            self.grant(from, id, Grade::Copy, out);
            return self.pass_on(slot, out);
        }
        if !mine {
            let why = match self.config.carry_bytes_max {
                0 => Refusal::Unwilling,
                _ if !space => Refusal::Space,
                _ => Refusal::Full,
            };
            return self.refuse(from, id, why, out);
        }
        self.ledger.bury(id, self.now() + bundle.lifetime + HOUR, from, out);
        self.grant(from, id, Grade::Copy, out);
    }

    /// Makes a place among the receipts that freed nothing: of the largest share, the soonest to expire goes.
    fn make_place(&mut self, new: &Held, out: &mut Vec<Output>) -> bool {
        if self.ledger.custody().receipts_unmatched() < self.config.receipts_unmatched_max as usize {
            return true;
        }
        let from = new.from.expect("a receipt that freed nothing came from a peer");
        let is_named = self.ledger.is_contact(&new.source);
        let origin = Origin { from, source: new.source, is_named, end: new.expires };
        let lot = self.ledger.draw();
        let Some(slot) = self.ledger.unmatched().makes_way(&origin, lot) else { return false };
        self.evict(slot, out);
        true
    }

    /// Takes a receipt's word for each id it names; returns what was freed.
    fn heed(
        &mut self,
        receipt: &Receipt,
        signer: NodeId,
        from: NodeId,
        until: Timestamp,
        out: &mut Vec<Output>,
    ) -> Vec<Held> {
        let mut freed = Vec::new();
        // Words on what never comes here are not worth remembering.
        let remembers = self.config.carry_bytes_max > 0 && !self.is_short_of_space();
        for id in &receipt.ids {
            if self.is_word_on_own(id, receipt, signer) {
                self.ledger.attest(*id, what(receipt.kind), Some(signer), out);
            }
            // The other devices of a mailbox may still lack it.
            if receipt.devices > 1 && !planted::is("agent-one-device-speaks-for-all") {
                continue;
            }
            match self.ledger.find_held(id).map(|slot| (slot, self.ledger.custody().held(slot))) {
                Some((slot, held)) if is_ended_by(&held, receipt, signer) => {
                    let until = self.tombstone_end(&held);
                    self.forget(slot, Gone::Receipt, out);
                    self.ledger.bury(*id, until, from, out);
                    freed.push(held);
                }
                Some(_) => {}
                None if remembers && !self.ledger.is_known(id) => {
                    self.ledger.believe(*id, signer, Belief { what: what(receipt.kind), until, from }, out)
                }
                None => {}
            }
        }
        freed
    }

    /// Whether the receipt is its destination's own word on a message of this node. Nobody signs for a whole group.
    fn is_word_on_own(&self, id: &BundleId, receipt: &Receipt, signer: NodeId) -> bool {
        let Some(outgoing) = self.ledger.outbox().find(id).filter(|_| self.mailboxes.writes_as(&receipt.source)) else {
            return false;
        };
        let is_signer = outgoing.destination.node == signer || planted::is("agent-status-signer-unchecked");
        is_signer && !outgoing.destination.is_group()
    }

    /// Whether the destination's own receipt for this bundle came before it.
    pub(super) fn believed_over(&self, bundle: &Bundle) -> bool {
        bundle.kind == Kind::Message
            && !bundle.destination.is_group()
            && (self.ledger.beliefs().find(bundle.id, bundle.destination.node).is_some()
                || planted::is("agent-belief-in-any-signer")
                    && self.ledger.beliefs().iter().any(|((id, _), _)| id == bundle.id))
    }

    pub(super) fn bury_believed(&mut self, bundle: &Bundle, from: NodeId, out: &mut Vec<Output>) {
        self.ledger.disbelieve(bundle.id, bundle.destination.node, out);
        self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, from, out);
        self.contacts.proofs.confirm(&bundle.id, bundle.destination.node);
    }

    /// A peer shows that it holds copies. Of what is over here it gets the receipt at once, and of the rest once that comes.
    pub(super) fn hear_of_copies(&mut self, peer: NodeId, ids: &[BundleId], out: &mut Vec<Output>) {
        if self.routing.floods_receipts() {
            return;
        }
        for id in ids {
            if let Some(slot) = self.ledger.find_held(id) {
                if self.ledger.custody().kind(slot) == Kind::Message {
                    self.contacts.proofs.note(id, peer);
                }
                continue;
            }
            let receipt = self.contacts.proofs.want(id, peer);
            if let Some(slot) = receipt.and_then(|receipt| self.ledger.find_held(&receipt)) {
                self.consider(peer, slot);
            }
        }
        self.pump(peer, out);
    }

    /// How long the id of a held bundle is remembered once it is gone: nobody can make a copy live longer than this.
    pub(super) fn tombstone_end(&self, held: &Held) -> Timestamp {
        if planted::is("agent-tombstone-early") {
            return self.now() + HOUR;
        }
        self.now() + held.lifetime + HOUR
    }

    /// A peer handed over what was delivered long ago: it gets this node's receipts for that source, once a contact.
    pub(super) fn show_receipt_again(&mut self, to: NodeId, id: BundleId, out: &mut Vec<Output>) {
        let Some(source) = self.ledger.inbox().find(&id).map(|letter| letter.source) else { return };
        let Some(contact) = self.contacts.get_mut(&to) else { return };
        if !contact.shown.insert(source) {
            return;
        }
        let receipts = self.ledger.custody().for_destination(&receipts_to(source));
        let own: Vec<_> = receipts.filter(|slot| self.ledger.custody().class(*slot) == Class::Own).collect();
        own.into_iter().for_each(|slot| self.enqueue(to, slot));
        self.pump(to, out);
    }
}

/// A receipt takes over the place, class and remaining life of what it freed. One that freed nothing goes first, and so
/// does one for one's own message, which leaves it no room that is for others.
fn in_place_of(freed: &[Held], receipt: Held) -> Held {
    let expires = freed.iter().map(|held| held.expires).max().unwrap_or(receipt.expires).min(receipt.expires);
    match freed.iter().map(|held| held.class).filter(|class| *class != Class::Own).max() {
        Some(class) => Held { class, grade: Grade::Copy, expires, ..receipt },
        None => Held { grade: Grade::Released, expires, ..receipt },
    }
}

/// What a receipt of this kind is evidence of.
fn what(kind: ReceiptKind) -> What {
    match kind {
        ReceiptKind::Delivered => What::Delivered,
        ReceiptKind::Read => What::Read,
        ReceiptKind::Rejected { reason } => What::Rejected { reason },
    }
}

/// Only the destination itself ends the custody of a bundle of the source that the receipt names.
fn is_ended_by(held: &Held, receipt: &Receipt, signer: NodeId) -> bool {
    held.kind == Kind::Message
        && (held.destination.node == signer || planted::is("agent-receipt-signer-unchecked"))
        && (held.source == receipt.source || planted::is("agent-receipt-of-another-source"))
        && (!held.destination.is_group() || planted::is("agent-receipt-ends-group"))
}

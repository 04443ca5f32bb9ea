//! Receipts that come: believed from the destination's own key, the end of custody, and carried on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Agent;
use super::change::{Belief, Class, EvidenceKind, Held};
use super::io::{Gone, Handed, Output};
use super::lives::Life;
use super::mailboxes::receipts_to;
use super::place::Origin;
use crate::bundle::{Bundle, Kind};
use crate::frame::{Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::receipt::{Receipt, ReceiptKind};
use crate::time::{HOUR, Millis, Timestamp};

/// Reason code of a signed refusal: the recipient does not want mail from this source.
pub const REJECTED_BLOCKED: u8 = 1;
/// The same: the recipient keeps nothing of this one, a part of a file that nobody asked for or that is none.
pub const REJECTED_UNWANTED: u8 = 2;

impl Agent {
    /// A receipt from a peer: its word first, then custody of it for others.
    pub(super) fn receive_receipt(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) {
        let Handed { from, ref bundle, .. } = *handed;
        let id = bundle.id;
        let receipt = match Receipt::decode(bundle.payload()) {
            Ok(receipt) if receipts_to(receipt.source) == bundle.destination => receipt,
            _ => return self.refuse(from, id, Refusal::Unwilling, out),
        };
        if from == bundle.source && receipt.kind == ReceiptKind::Delivered {
            self.take_for_answer(&receipt, from, out);
        }
        let freed = self.heed(&receipt, bundle.source, from, life, out);
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
            let brought = self.origin(from, bundle.source, life.expires);
            let ended: BTreeSet<BundleId> = freed.iter().map(|held| held.id).collect();
            let proven = receipt.ids.iter().filter(|message| ends_custody(&receipt) && !ended.contains(message));
            for message in proven {
                self.contacts.proofs.claim(message, brought, id, || self.ledger.draw());
            }
            self.remember_proof(&ended, id, brought);
            let slot = self.ledger.hold(held, Arc::clone(bundle), out);
            self.grant_receipt(handed, out);
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
        self.grant_receipt(handed, out);
    }

    /// A receipt is taken. Its signer may want no word of that.
    fn grant_receipt(&mut self, handed: &Handed, out: &mut Vec<Output>) {
        let Handed { from, transit, ref bundle, .. } = *handed;
        if transit.is_answer && from == bundle.source {
            self.take_silently(from, bundle.id, out);
        } else {
            self.grant(from, bundle.id, Grade::Copy, out);
        }
    }

    /// Who signed a receipt has what it names, and need not say so twice.
    fn take_for_answer(&mut self, receipt: &Receipt, signer: NodeId, out: &mut Vec<Output>) {
        let held = receipt.ids.iter().filter_map(|id| self.ledger.find_held(id));
        let proven = held.map(|slot| self.ledger.custody().held(slot));
        let grants = proven.filter(|held| is_ended_by(held, receipt, signer));
        let grants: Vec<_> = grants.map(|held| (held.id.prefix(), Grade::Custody)).collect();
        // What left since, cancelled perhaps, is in flight no more either.
        for id in receipt.ids.iter().filter(|id| self.ledger.find_held(id).is_none()) {
            self.contacts.land(signer, id);
        }
        self.accepted(signer, grants, out);
    }

    /// Makes a place among the receipts that freed nothing: of the largest share, the soonest to expire goes.
    fn make_place(&mut self, new: &Held, out: &mut Vec<Output>) -> bool {
        if self.ledger.custody().receipts_unmatched() < self.config.receipts_unmatched_max as usize {
            return true;
        }
        let from = new.from.expect("a receipt that freed nothing came from a peer");
        let origin = self.origin(from, new.source, new.expires);
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
        life: Life,
        out: &mut Vec<Output>,
    ) -> Vec<Held> {
        let mut freed = Vec::new();
        // Words on what never comes here are not worth remembering.
        let remembers = self.config.carry_bytes_max > 0 && !self.is_short_of_space();
        for id in &receipt.ids {
            if self.is_word_on_own(id, receipt, signer) {
                self.ledger.attest(*id, heard(what(receipt.kind), life.hops.age), Some(signer), out);
            }
            if !ends_custody(receipt) {
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
                None if remembers && !self.ledger.is_known(id) => self.ledger.believe(
                    *id,
                    signer,
                    Belief { what: what(receipt.kind), until: life.expires, from },
                    out,
                ),
                None => {}
            }
        }
        freed
    }

    /// Whether the receipt is its destination's own word on a message of this node, to the mailbox that wrote it. Nobody
    /// signs for a whole group.
    fn is_word_on_own(&self, id: &BundleId, receipt: &Receipt, signer: NodeId) -> bool {
        let Some(outgoing) = self.ledger.outbox().find(id) else { return false };
        if receipt.source != outgoing.source.unwrap_or(self.node) {
            return false;
        }
        outgoing.destination.node == signer && !outgoing.destination.is_group()
    }

    /// Whether the destination's own receipt for this bundle came before it.
    pub(super) fn believed_over(&self, bundle: &Bundle) -> bool {
        bundle.kind == Kind::Message
            && !bundle.destination.is_group()
            && self.ledger.beliefs().find(bundle.id, bundle.destination.node).is_some()
    }

    pub(super) fn bury_believed(&mut self, bundle: &Bundle, from: NodeId, out: &mut Vec<Output>) {
        self.ledger.disbelieve(bundle.id, bundle.destination.node, out);
        self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, from, out);
        self.contacts.proofs.confirm(&bundle.id, bundle.destination.node, || self.ledger.draw());
    }

    /// A peer holds a copy of a message of `source`, which lives here until `end`.
    pub(super) fn note_holder(&mut self, id: &BundleId, peer: NodeId, source: NodeId, end: Timestamp) {
        if self.contacts.proofs.are_kept() {
            let holder = self.origin(peer, source, end);
            self.contacts.proofs.note(id, holder, || self.ledger.draw());
        }
    }

    /// A receipt that is held here proves messages.
    pub(super) fn remember_proof<'a>(
        &mut self,
        messages: impl IntoIterator<Item = &'a BundleId>,
        receipt: BundleId,
        origin: Origin,
    ) {
        for message in messages {
            self.contacts.proofs.prove(message, receipt, origin, || self.ledger.draw());
        }
    }

    pub(super) fn origin(&self, from: NodeId, source: NodeId, end: Timestamp) -> Origin {
        Origin { from, source, is_named: self.ledger.is_contact(&source), end }
    }

    /// A peer shows that it holds copies. Of what is over here it gets the receipt at once, and of the rest once that comes.
    pub(super) fn hear_of_copies(&mut self, peer: NodeId, ids: &[BundleId], out: &mut Vec<Output>) {
        if !self.contacts.proofs.are_kept() {
            return;
        }
        for id in ids {
            if let Some(slot) = self.ledger.find_held(id) {
                let held = self.ledger.custody().held(slot);
                if held.kind == Kind::Message && !held.destination.is_group() {
                    self.note_holder(id, peer, held.source, held.expires);
                }
                continue;
            }
            let receipt = self.contacts.proofs.want(id, peer, || self.ledger.draw());
            if let Some(slot) = receipt.and_then(|receipt| self.ledger.find_held(&receipt)) {
                let source = self.ledger.custody().held(slot).destination;
                // A source in contact got it when it was signed, or was shown it again.
                let contact = self.contacts.get(&peer);
                let was_shown = contact.is_some_and(|of| of.serves(&source) && of.shown.contains(&source.node));
                if !was_shown {
                    self.consider(peer, slot);
                }
            }
        }
        self.pump(peer, out);
    }

    /// How long the id of a held bundle is remembered once it is gone: nobody can make a copy live longer than this.
    pub(super) fn tombstone_end(&self, held: &Held) -> Timestamp {
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

/// Whether a receipt says that no copy is needed any more. The other devices of a mailbox may still lack what one has, and
/// what found no room is wanted as before.
fn ends_custody(receipt: &Receipt) -> bool {
    receipt.devices == 1 && !matches!(receipt.kind, ReceiptKind::Full { .. })
}

/// Evidence of a receipt that was under way for so long.
fn heard(what: EvidenceKind, age: Millis) -> EvidenceKind {
    match what {
        EvidenceKind::Full { retry_after } => {
            EvidenceKind::Full { retry_after: Millis(retry_after.0.saturating_sub(age.0)) }
        }
        other => other,
    }
}

/// What a receipt of this kind is evidence of.
pub(super) fn what(kind: ReceiptKind) -> EvidenceKind {
    match kind {
        ReceiptKind::Delivered => EvidenceKind::Delivered,
        ReceiptKind::Read => EvidenceKind::Read,
        ReceiptKind::Rejected { reason } => EvidenceKind::Rejected { reason },
        ReceiptKind::Full { retry_after } => EvidenceKind::Full { retry_after },
    }
}

/// Only the destination itself ends the custody of a bundle of the source that the receipt names.
fn is_ended_by(held: &Held, receipt: &Receipt, signer: NodeId) -> bool {
    held.kind == Kind::Message
        && held.destination.node == signer
        && held.source == receipt.source
        && !held.destination.is_group()
}

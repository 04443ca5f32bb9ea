//! Receipts of the members of groups: sealed words for the author of what they got, which nobody answers.
//!
//! ```text
//! sent here     held for its author alone: no message of a person's, of which a status would be kept
//! carried       as a stranger's message, in no more copies than four; the last of a holder's goes to the author only
//! comes here    handed out, and buried; nothing of it is kept
//! its author has it    whoever held a copy lets it go: there is no receipt for a receipt
//! ```
//! So what one costs is bounded by what its member pays for it, and by nobody's good will: a carrier that gets more copies
//! than that by what a source signed counts four, and who is neither a contact nor a member of a group that is served here is
//! answered as if its words were known already.

use std::sync::Arc;

use super::Agent;
use super::change::{Held, Standing};
use super::custody::Slot;
use super::io::{Gone, Handed, Output};
use super::lives::Life;
use super::receive::NotCarried;
use super::routing::{Facts, Verdict};
use crate::bundle::{Bundle, COPIES_MAX};
use crate::eid::Eid;
use crate::frame::{Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::time::HOUR;

/// In so many copies a member's receipt goes at most, whatever its source signed.
pub const GOT_COPIES_MAX: u16 = 4;

impl Agent {
    /// A receipt of a member's: for the author, who is here, or to be carried.
    pub(super) fn receive_got(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) {
        let Handed { from, ref bundle, .. } = *handed;
        if !self.mailboxes.serves(&bundle.destination) {
            return match self.carry(handed, life, out) {
                Ok(()) => {}
                Err(NotCarried::For(why)) => self.refuse(from, bundle.id, why, out),
                Err(NotCarried::Room(held)) => self.refuse_for_room(from, &held, out),
            };
        }
        self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, from, out);
        if !self.may_say_got(&bundle.source) {
            return self.refuse(from, bundle.id, Refusal::Known, out);
        }
        out.push(Output::Heard(Arc::clone(bundle)));
        self.settle_offer(&bundle.id, from, out);
        self.grant(from, bundle.id, Grade::Custody, out);
    }

    /// Whether a node may have got something of this one's in a group.
    fn may_say_got(&self, node: &NodeId) -> bool {
        match self.ledger.people().get(node).map(|person| person.standing) {
            Some(Standing::Blocked) => false,
            Some(Standing::Contact) => true,
            None => self.ledger.custody().is_member_of_any(node),
        }
    }

    /// A receipt for an author goes on in the copies that it was given, and the last of them to nobody else.
    pub(super) fn verdict_on_got(&self, facts: &Facts, peer: NodeId) -> Verdict {
        match self.routing.verdict(facts, peer) {
            Verdict::Copy(copies) if facts.copies > 1 => Verdict::Copy(copies.clamp(1, facts.copies / 2)),
            Verdict::Copy(_) | Verdict::Keep => Verdict::Keep,
        }
    }

    /// The author has it, and so nobody needs this copy any more.
    pub(super) fn is_heard(&mut self, slot: Slot, held: &Held, out: &mut Vec<Output>) {
        let until = self.tombstone_end(held);
        self.forget(slot, Gone::Delivered, out);
        self.ledger.bury(held.id, until, self.node, out);
    }

    /// Another of this node's says what this one does, and more.
    pub(super) fn replace_got(&mut self, slot: Slot, held: &Held, out: &mut Vec<Output>) {
        let until = self.tombstone_end(held);
        self.forget(slot, Gone::Superseded, out);
        // Without a tombstone whoever carries it would hand it back.
        self.ledger.bury(held.id, until, self.node, out);
    }

    /// How many copies are left here of what is held; none where it is not.
    pub fn copies_left(&self, id: &BundleId) -> Option<u16> {
        self.ledger.find_held(id).map(|slot| self.ledger.custody().held(slot).copies)
    }
}

/// In how many copies something goes that is for this endpoint.
pub(super) fn copies_max(destination: &Eid) -> u16 {
    if destination.is_got() { GOT_COPIES_MAX } else { COPIES_MAX }
}

/// The copies that count of those that a source signed for.
pub(super) fn copies_of(bundle: &Bundle) -> u16 {
    bundle.copies.min(copies_max(&bundle.destination))
}

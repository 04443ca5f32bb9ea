//! Time passes: batches end, lives end, memories end.

use super::Agent;
use super::change::{Class, EvidenceKind, Row};
use super::custody::Slot;
use super::io::{Cause, Due, Gone, Output};
use super::ledger::Vacated;
use crate::bundle::Kind;
use crate::id::{BundleId, NodeId};

/// Most ends of lives handled in one call, so that none takes long; what is left stays due.
const ENDS_MAX: usize = 1_024;

impl Agent {
    /// When the agent wants [`super::Input::Timeout`], and why; derived from what it holds.
    pub fn next_timeout(&self) -> Option<Due> {
        let now = self.now();
        let is_settled = self.ledger.inbox().is_settled() && self.full.is_settled() && self.again.is_settled();
        let (mut batch, mut turn, mut retry) = (!is_settled, false, None);
        for (_, contact) in self.contacts.iter() {
            batch |= !contact.is_settled();
            turn |= contact.wants_turn();
            retry = [retry, contact.next_retry()].into_iter().flatten().min();
        }
        let memories = [
            self.ledger.tombstones().first().map(|(end, _)| end),
            self.ledger.departed().first().map(|(end, _)| end),
            self.ledger.beliefs().first().map(|(end, _, _)| end),
        ];
        let dues = [
            batch.then_some((now, Cause::Batch)),
            self.is_over_limit().then_some((now, Cause::Batch)),
            self.ledger.remembers_too_much().then_some((now, Cause::Tombstone)),
            self.ledger.custody().first_expiry().map(|end| (end, Cause::Expiry)),
            memories.into_iter().flatten().min().map(|end| (end, Cause::Tombstone)),
            turn.then_some((now, Cause::Turn)),
            retry.map(|at| (at, Cause::Retry)),
            self.contacts.offers.next_end().map(|end| (end, Cause::Retry)),
            self.contacts.graces.next_end().map(|end| (end, Cause::Grace)),
            self.next_renewal().map(|at| (at.max(now), Cause::Renewal)),
        ];
        dues.into_iter().flatten().min()
    }

    /// Does whatever is due.
    pub(super) fn expire(&mut self, out: &mut Vec<Output>) {
        self.settle_arrivals(out);
        self.say_full(out);
        self.ask_for_turned_away(out);
        self.ask_for_held(out);
        if self.is_over_limit() {
            self.keep_limit(out);
        }
        self.end_lives(out);
        self.end_memories(out);
        self.retry_refused(out);
        self.ask_others(out);
        self.end_graces();
        self.take_turn(out);
        self.renew_contacts(out);
        self.flush_contacts(out);
    }

    /// No tombstone is left: a hostile hop could otherwise kill the genuine copies by ageing one.
    fn end_lives(&mut self, out: &mut Vec<Output>) {
        for _ in 0..ENDS_MAX {
            let Some(slot) = self.ledger.custody().expired(self.now()) else { return };
            let held = self.ledger.custody().held(slot);
            if held.class == Class::Own && held.kind == Kind::Message {
                self.ledger.attest(held.id, EvidenceKind::Expired, None, out);
            }
            self.forget(slot, Gone::Expired, out);
        }
    }

    fn end_memories(&mut self, out: &mut Vec<Output>) {
        for _ in 0..ENDS_MAX {
            if !self.ledger.remembers_too_much() {
                break;
            }
            self.ledger.remember_less(out);
        }
        for _ in 0..ENDS_MAX {
            match self.ledger.tombstones().first() {
                Some((until, slot)) if until <= self.now() => self.ledger.unbury(slot, out),
                _ => break,
            }
        }
        for _ in 0..ENDS_MAX {
            match self.ledger.departed().first() {
                Some((until, id)) if until <= self.now() => self.ledger.come_back(&id, out),
                _ => break,
            }
        }
        for _ in 0..ENDS_MAX {
            match self.ledger.beliefs().first() {
                Some((until, id, signer)) if until <= self.now() => self.ledger.disbelieve(id, signer, out),
                _ => break,
            }
        }
    }

    /// Ends custody of a bundle, and what contacts know of its place.
    pub(super) fn forget(&mut self, slot: Slot, why: Gone, out: &mut Vec<Output>) {
        self.try_no_more(slot);
        let Vacated { slot, id } = self.ledger.forget(slot, why, out);
        self.contacts.leave_out(slot, id);
    }

    /// A body is gone: by now the bundle left, perhaps to come again, or the store lost it.
    pub(super) fn unreadable(&mut self, to: NodeId, id: BundleId, row: Row, out: &mut Vec<Output>) {
        self.contacts.land(to, &id);
        if let Some(slot) = self.ledger.find_held(&id).filter(|slot| self.ledger.custody().row(*slot) == row) {
            // Of one's own this is the end of all new copies, and the record says so.
            self.ledger.attest(id, EvidenceKind::GaveUp, Some(self.node), out);
            self.forget(slot, Gone::Unreadable, out);
        }
        self.pump(to, out);
    }
}

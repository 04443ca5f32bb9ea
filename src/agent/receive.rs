//! A bundle comes: refuse it, deliver it, or carry it.

use std::sync::Arc;

use super::Agent;
use super::change::{Class, Held, Standing};
use super::inbox::Arrival;
use super::io::{Event, Output};
use crate::bundle::{Bundle, Kind};
use crate::frame::{Frame, Grade, Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, HOUR, Millis, SECOND};

/// Reason code of a signed refusal: the recipient does not want mail from this source.
pub const REJECTED_BLOCKED: u8 = 1;
/// How far a creation time may lie back and still be believed.
const PLAUSIBLE_AGE_MAX: Millis = Millis(30 * DAY.0 + HOUR.0);
/// When to try again where room was missing.
const RETRY_FULL: Millis = Millis(60 * SECOND.0);

impl Agent {
    /// A verified bundle from a peer.
    pub(super) fn receive(
        &mut self,
        from: NodeId,
        transit: Transit,
        bundle: Arc<Bundle>,
        size_bytes: u32,
        out: &mut Vec<Output>,
    ) {
        let Some(contact) = self.contacts.get_mut(&from) else { return };
        contact.bundles_received += 1;
        self.offers.settle(&bundle.id);
        if self.find(&bundle.id).is_some() || self.inbox.had(&bundle.id) {
            return self.receive_again(from, transit, bundle.id, out);
        }
        match self.door_check(&transit, &bundle, size_bytes) {
            Err(why) => self.refuse(from, bundle.id, why, out),
            Ok(remaining) if self.mailboxes.signer_of(&bundle.destination).is_some() => {
                self.receive_mine(from, transit, bundle, size_bytes, remaining, out)
            }
            Ok(remaining) => self.receive_for_others(from, transit, bundle, size_bytes, remaining, out),
        }
    }

    /// What no bundle passes with, whoever it is for; otherwise the life it has left.
    fn door_check(&self, transit: &Transit, bundle: &Bundle, size_bytes: u32) -> Result<Millis, Refusal> {
        if size_bytes > self.config.bundle_bytes_max || bundle.lifetime > self.config.lifetime_max {
            return Err(Refusal::TooLarge);
        }
        let remaining = self.remaining(transit, bundle);
        if remaining == Millis(0) {
            return Err(Refusal::Expired);
        }
        let is_mine = self.mailboxes.signer_of(&bundle.destination).is_some();
        let free_min = if is_mine { self.config.free_bytes_own_min } else { self.config.free_bytes_min };
        if self.free_bytes < free_min {
            return Err(Refusal::Space);
        }
        Ok(remaining)
    }

    /// The life a bundle has left: its lifetime less its age, or less what both clocks say where both are plausible.
    fn remaining(&self, transit: &Transit, bundle: &Bundle) -> Millis {
        let by_clock = match (self.at.trusted_wall(), bundle.creation.time) {
            (Some(wall), created) if created.0 > 0 && wall >= created => Some(Millis(wall.0 - created.0)),
            _ => None,
        };
        let by_clock = by_clock.filter(|age| *age <= PLAUSIBLE_AGE_MAX);
        bundle.lifetime.saturating_sub(transit.hops.age.max(by_clock.unwrap_or_default()))
    }

    fn receive_mine(
        &mut self,
        from: NodeId,
        transit: Transit,
        bundle: Arc<Bundle>,
        size_bytes: u32,
        remaining: Millis,
        out: &mut Vec<Output>,
    ) {
        if bundle.kind == Kind::Receipt {
            return self.receive_receipt(from, transit, bundle, size_bytes, remaining, out);
        }
        let standing = self.people.get(&bundle.source).map(|person| person.standing);
        let rejected = (standing == Some(Standing::Blocked)).then_some(REJECTED_BLOCKED);
        let cost = super::cost_bytes(size_bytes);
        if standing.is_none() && self.inbox.bytes_strangers() + cost > self.config.stranger_mail_bytes_max {
            return self.refuse(from, bundle.id, Refusal::Full, out);
        }
        self.inbox.arrive(Arrival { bundle, hops: transit.hops, size_bytes, from, rejected });
    }

    fn receive_for_others(
        &mut self,
        from: NodeId,
        transit: Transit,
        bundle: Arc<Bundle>,
        size_bytes: u32,
        remaining: Millis,
        out: &mut Vec<Output>,
    ) {
        let id = bundle.id;
        if self.shunned.get(&id).is_some_and(|until| *until > self.at.now) {
            return self.refuse(from, id, Refusal::Shunned, out);
        }
        if self.believed_over(&bundle) {
            self.bury_believed(&bundle, out);
            return self.refuse(from, id, Refusal::Known, out);
        }
        if bundle.kind == Kind::Receipt {
            return self.receive_receipt(from, transit, bundle, size_bytes, remaining, out);
        }
        let Some(class) = self.class_of(bundle.source).filter(|_| self.config.carry_bytes_max > 0) else {
            return self.refuse(from, id, Refusal::Unwilling, out);
        };
        // A source never takes back what it sent: its own copy lives or was ended for a reason.
        if class == Class::Own {
            return self.refuse(from, id, Refusal::Known, out);
        }
        let held = self.as_held(from, transit, &bundle, size_bytes, remaining, class);
        let Some(grade) = self.make_room(&held, out) else {
            return self.refuse(from, id, Refusal::Full, out);
        };
        let slot = self.hold(Held { grade, ..held }, bundle, out);
        self.grant(from, id, grade, out);
        self.pass_on(slot, out);
    }

    pub(super) fn as_held(
        &self,
        from: NodeId,
        transit: Transit,
        bundle: &Bundle,
        size_bytes: u32,
        remaining: Millis,
        class: Class,
    ) -> Held {
        Held {
            row: self.custody.next_row(),
            id: bundle.id,
            kind: bundle.kind,
            source: bundle.source,
            destination: bundle.destination.clone(),
            lifetime: bundle.lifetime,
            accepted_at: self.at.now,
            hops: transit.hops,
            expires: self.at.now + remaining,
            size_bytes,
            class,
            priority: bundle.priority,
            grade: Grade::Copy,
            copies: clamp_copies(transit.copies, bundle.copies),
            from: Some(from),
        }
    }

    /// The same bundle once more: copies merge by maximum, and a recipient shows its receipt again.
    pub(super) fn receive_again(&mut self, from: NodeId, transit: Transit, id: BundleId, out: &mut Vec<Output>) {
        self.offers.settle(&id);
        if let Some(slot) = self.find_held(&id) {
            let held = self.custody.held(slot);
            // More copies than the source signed for never come to be: what was held already stays the bound.
            let merged = held.copies.max(transit.copies.min(held.copies.max(1)));
            if held.class != Class::Own && merged > held.copies {
                self.regrade(slot, held.grade, merged, held.class, out);
            }
        }
        if self.inbox.had(&id) {
            self.show_receipt_again(from, id);
        }
        self.refuse(from, id, Refusal::Known, out);
    }

    /// The class of a source; none where it is blocked.
    pub(super) fn class_of(&self, source: NodeId) -> Option<Class> {
        match self.people.get(&source).map(|person| person.standing) {
            _ if source == self.node => Some(Class::Own),
            Some(Standing::Contact) => Some(Class::Contacts),
            Some(Standing::Blocked) => None,
            None => Some(Class::Strangers),
        }
    }

    pub(super) fn grant(&mut self, to: NodeId, id: BundleId, grade: Grade, out: &mut Vec<Output>) {
        if let Some(contact) = self.contacts.get_mut(&to) {
            contact.grants.push((id, grade));
        }
        out.push(Output::Report(Event::Accepted { id, from: to }));
    }

    pub(super) fn refuse(&mut self, to: NodeId, id: BundleId, why: Refusal, out: &mut Vec<Output>) {
        let retry_after = match why {
            Refusal::Full | Refusal::Space | Refusal::Busy => RETRY_FULL,
            _ => Millis(0),
        };
        out.push(Output::Report(Event::Refused { id, from: to, why }));
        out.push(Output::Send { to, frame: Frame::Refused { id, why, retry_after } });
    }
}

/// A receiver takes at most half of the signed budget, and at least the one it was handed.
fn clamp_copies(claimed: u16, budget: u16) -> u16 {
    claimed.clamp(1, (budget / 2).max(1))
}

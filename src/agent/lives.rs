//! How long a bundle may live here: what hops tell of its age, what the clocks say, and when it came first.
//!
//! Age and hop count are not signed, and any hop may write what it likes. So neither may end what is genuine:
//!
//! ```text
//! hop count      only counted; it stays at 255, never exceeds that limit, and so deletes nothing (RFC 9171 section 4.4.3)
//! age, dated     both clocks plausible: at least what they say, and at most AGE_TOLERANCE more
//! age, undated   as told, until a copy or a word of a peer tells of clearly more life; the longer life counts
//! in any case    no life goes beyond the first acceptance here plus the signed lifetime, also after leaving and coming again
//! ```
//! A copy that was aged by a hostile hop would otherwise keep out the genuine ones, whose id is known, and die early. Who
//! holds undated copies with a large age therefore says so in [`Frame::Lives`], at the end of a reconciliation, to who offers
//! one, and to who had offered it when it came, and a peer that holds one with clearly more life answers. Where clocks are plausible no such frame is
//! ever sent. A life that turned out longer is told to every other contact, for the aged copy may have come from there or have
//! gone there: when it is that contact's turn, and the last of several changes, so that no peer makes a node say more than it
//! says itself.

use rand_core::Rng;

use super::Agent;
use super::custody::Slot;
use super::io::Output;
use crate::bundle::{Bundle, Hops};
use crate::frame::{Frame, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, HOUR, MINUTE, Millis, Timestamp};

/// How far a creation time may lie back and still be believed.
const PLAUSIBLE_AGE_MAX: Millis = Millis(30 * DAY.0 + HOUR.0);
/// How much more than the clocks say an age may be told: clocks that are a little apart are both right.
pub const AGE_TOLERANCE: Millis = MINUTE;
/// Most undated copies with a large age told to one peer at once; among more, chance decides.
const LIVES_TOLD_MAX: usize = 1_024;

/// The life of a bundle at the door.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// When it was accepted here first: now, where it never was.
    pub accepted_at: Timestamp,
    /// Age at that moment, and hop count.
    pub hops: Hops,
    /// Its last millisecond.
    pub expires: Timestamp,
    pub dated: bool,
}

impl Agent {
    /// The life a bundle has left: none once its age exceeds its lifetime (RFC 9171 section 5.5).
    pub(super) fn life_of(&self, transit: &Transit, bundle: &Bundle) -> Option<Life> {
        let now = self.now();
        let by_clock = self.age_by_clock(bundle);
        let told = match by_clock {
            Some(age) => transit.hops.age.min(age.saturating_add(AGE_TOLERANCE)),
            None => transit.hops.age,
        };
        let age = told.max(by_clock.unwrap_or_default());
        if age > bundle.lifetime {
            return None;
        }
        let accepted_at = self.ledger.departed().find(&bundle.id).map_or(now, |departure| departure.accepted_at);
        let expires = (now + bundle.lifetime.saturating_sub(age)).min(accepted_at + bundle.lifetime);
        let hops = Hops { age: told.saturating_sub(now.since(accepted_at)), count: transit.hops.count };
        let dated = by_clock.is_some();
        (expires >= now).then_some(Life { accepted_at, hops, expires, dated })
    }

    /// The age that both clocks agree on, where that is plausible.
    fn age_by_clock(&self, bundle: &Bundle) -> Option<Millis> {
        let (wall, created) = (self.at().trusted_wall()?, bundle.creation.time);
        let age = Millis(wall.0.checked_sub(created.0).filter(|_| created.0 > 0)?);
        (age <= PLAUSIBLE_AGE_MAX).then_some(age)
    }

    /// Another copy of what is held exists, with so much life left: the longer life counts. Returns whether that is the
    /// other's.
    fn hear_life(&mut self, slot: Slot, left: Millis, out: &mut Vec<Output>) -> bool {
        let held = self.ledger.custody().held(slot);
        let expires = (self.now() + left).min(held.accepted_at + held.lifetime);
        let is_longer = expires.since(held.expires) > held.clearly_longer();
        if held.dated || !is_longer {
            return false;
        }
        let age = held.lifetime.saturating_sub(expires.since(held.accepted_at));
        self.ledger.prolong(slot, age, expires, out);
        true
    }

    /// A peer hands over a copy of what is held, of the age that it tells.
    pub(super) fn hear_age(&mut self, peer: NodeId, slot: Slot, age: Millis, out: &mut Vec<Output>) {
        let lifetime = self.ledger.custody().held(slot).lifetime;
        if self.hear_life(slot, lifetime.saturating_sub(age), out) {
            self.spread(peer, slot);
        }
    }

    /// A peer says how much life is left to what it holds. Where it is clearly less than here, the peer hears of it.
    pub(super) fn lives_told(&mut self, peer: NodeId, lives: Vec<(BundleId, Millis)>, out: &mut Vec<Output>) {
        let mut longer = Vec::new();
        for (id, theirs) in lives {
            let Some(slot) = self.ledger.find_held(&id) else { continue };
            if self.hear_life(slot, theirs, out) {
                self.spread(peer, slot);
            }
            let held = self.ledger.custody().held(slot);
            let mine = held.expires.since(self.now());
            if mine.saturating_sub(theirs) > held.clearly_longer() {
                longer.push((id, mine));
            }
        }
        tell(peer, longer, out);
    }

    /// A life turned out longer: the other contacts are to hear of it.
    fn spread(&mut self, from: NodeId, slot: Slot) {
        let others = self.contacts.iter_mut().filter(|(peer, contact)| **peer != from && contact.hello.is_some());
        others.for_each(|(_, contact)| contact.backlog.renew(slot));
    }

    /// Tells a peer whose turn it is of lives that turned out longer.
    pub(super) fn tell_renewed(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let Some(contact) = self.contacts.get_mut(&peer) else { return };
        let renewed = contact.backlog.take_renewed(LIVES_TOLD_MAX);
        self.tell_lives(peer, renewed.into_iter(), out);
    }

    /// Tells a peer of held copies that hops may have aged.
    pub(super) fn tell_doubts(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let doubts = self.ledger.custody().in_doubt(self.dice.next_u64()).take(LIVES_TOLD_MAX);
        self.tell_lives(peer, doubts, out);
    }

    /// What a peer offers and this node holds: the peer may hold a copy that no hop aged.
    pub(super) fn doubt_offered(&self, peer: NodeId, ids: &[BundleId], out: &mut Vec<Output>) {
        let held = ids.iter().filter_map(|id| self.ledger.find_held(id));
        self.tell_lives(peer, held.filter(|slot| self.ledger.custody().held(*slot).is_in_doubt()), out);
    }

    fn tell_lives(&self, peer: NodeId, slots: impl Iterator<Item = Slot>, out: &mut Vec<Output>) {
        tell(peer, slots.map(|slot| self.life_left(slot)).collect(), out);
    }

    fn life_left(&self, slot: Slot) -> (BundleId, Millis) {
        let held = self.ledger.custody().held(slot);
        (held.id, held.expires.since(self.now()))
    }
}

fn tell(to: NodeId, lives: Vec<(BundleId, Millis)>, out: &mut Vec<Output>) {
    out.extend(super::answer::by_frame(lives).map(|lives| Output::Send { to, frame: Frame::Lives { lives } }));
}

//! Bundles whose destination is in contact: it gets them alone, for a while.
//!
//! Where the recipient is in the room, every other copy is made in vain. So a bundle that goes to its destination is kept
//! from all others until it is known what came of it:
//!
//! ```text
//! it is accepted        nobody else needs a copy any more, and no spray copy is left
//! it is refused         others may have room, or find the destination in another mood
//! the contact ends      others may meet the destination
//! nothing moves         for GRACE: the contact is there in name only
//! bytes move all along  GRACE_MAX at most, whatever else the destination takes and answers meanwhile
//! ```
//! Then it goes where the strategy sends it, and for as long as that contact lasts it is not kept back a second time. A
//! destination can keep nothing but its own mail from spreading, and that for half a minute.

use std::collections::{BTreeMap, BTreeSet};

use super::custody::Slot;
use crate::id::NodeId;
use crate::time::{Millis, SECOND, Timestamp};

/// How long a destination may take while nothing moves.
pub const GRACE: Millis = Millis(3 * SECOND.0);
/// How long in any case.
pub const GRACE_MAX: Millis = Millis(30 * SECOND.0);
/// Most bundles that wait for their destinations; what else they lack goes to everybody at once.
pub const GRACES_MAX: usize = 16_384;

#[derive(Debug, Default)]
pub struct Graces {
    running: BTreeMap<Slot, Grace>,
    by_end: BTreeSet<(Timestamp, Slot)>,
}

#[derive(Clone, Copy, Debug)]
struct Grace {
    destination: NodeId,
    latest: Timestamp,
    end: Timestamp,
}

impl Graces {
    /// A bundle goes to its destination, which is in contact.
    pub fn begin(&mut self, slot: Slot, destination: NodeId, now: Timestamp) {
        if self.running.len() >= GRACES_MAX {
            return;
        }
        let latest = self.running.get(&slot).map_or(now + GRACE_MAX, |grace| grace.latest);
        self.put(slot, Grace { destination, latest, end: latest.min(now + GRACE) });
    }

    /// Whether a bundle waits for its destination.
    pub fn has(&self, slot: Slot) -> bool {
        self.running.contains_key(&slot)
    }

    /// What comes of a bundle need not be waited for any more; returns whether it was.
    pub fn end(&mut self, slot: Slot) -> bool {
        let Some(grace) = self.running.remove(&slot) else { return false };
        self.by_end.remove(&(grace.end, slot))
    }

    /// A destination is gone; returns what waited for it.
    pub fn leave(&mut self, destination: NodeId) -> Vec<Slot> {
        let waits = self.running.iter().filter(|(_, grace)| grace.destination == destination);
        let slots: Vec<Slot> = waits.map(|(slot, _)| *slot).collect();
        for slot in &slots {
            self.end(*slot);
        }
        slots
    }

    /// Destinations that took long enough over a bundle, unless something moved.
    pub fn awaited(&self, now: Timestamp) -> BTreeSet<NodeId> {
        let ending = self.by_end.iter().take_while(|(end, _)| *end <= now);
        ending.map(|(_, slot)| self.running[slot].destination).collect()
    }

    pub fn next_end(&self) -> Option<Timestamp> {
        self.by_end.first().map(|(end, _)| *end)
    }

    /// Ends what waited long enough, and returns it. `moved` says when something last moved between this node and a
    /// destination.
    pub fn expire(&mut self, now: Timestamp, moved: impl Fn(&NodeId) -> Timestamp) -> Vec<Slot> {
        let mut ended = Vec::new();
        while let Some((_, slot)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            let grace = self.running[&slot];
            self.end(slot);
            match grace.latest.min(moved(&grace.destination) + GRACE) {
                end if end > now => self.put(slot, Grace { end, ..grace }),
                _ => ended.push(slot),
            }
        }
        ended
    }

    fn put(&mut self, slot: Slot, grace: Grace) {
        self.end(slot);
        self.running.insert(slot, grace);
        self.by_end.insert((grace.end, slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: NodeId = NodeId::from_trusted([2; 32]);

    #[test]
    fn what_moves_prolongs_a_grace_and_nothing_prolongs_it_for_ever() {
        let mut graces = Graces::default();
        graces.begin(7, BOB, Timestamp(0));
        let mut now = Timestamp(0);
        while let Some(end) = graces.next_end() {
            now = end;
            let over = graces.expire(now, |_| now);
            assert_eq!((over.is_empty(), graces.has(7)), (now < Timestamp(30_000), now < Timestamp(30_000)));
        }
        assert_eq!(now, Timestamp(30_000));
        // What was kept back once may be kept back in the next contact.
        graces.begin(7, BOB, now);
        assert_eq!(graces.expire(now + GRACE, |_| now), [7]);
        assert!(graces.leave(BOB).is_empty());
    }

    #[test]
    fn past_the_bound_nothing_is_kept_for_its_destination() {
        let mut graces = Graces::default();
        (0..2 * GRACES_MAX as Slot).for_each(|slot| graces.begin(slot, BOB, Timestamp(0)));
        assert!(graces.has(0) && !graces.has(GRACES_MAX as Slot));
        assert_eq!((graces.leave(BOB).len(), graces.next_end()), (GRACES_MAX, None));
    }
}

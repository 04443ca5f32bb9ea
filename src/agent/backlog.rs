//! What a peer lacks and was not told of yet, one bit a bundle: whoever comes with nothing lacks a million, and hundreds
//! of strangers may come and go in a minute.

use fixedbitset::FixedBitSet;

use crate::agent::custody::Slot;

/// Sets of slots: what goes to the peer once its queue has room, and of what it is yet to hear of the urgent and the rest.
#[derive(Debug, Default)]
pub struct Backlog {
    set_aside: FixedBitSet,
    urgent: FixedBitSet,
    rest: FixedBitSet,
    len: usize,
}

impl Backlog {
    /// Adds a slot that is in neither set; one added twice stays where it is.
    pub fn add(&mut self, slot: Slot, is_urgent: bool) {
        if !self.urgent.contains(slot as usize) && !self.rest.contains(slot as usize) {
            let set = if is_urgent { &mut self.urgent } else { &mut self.rest };
            set.grow_and_insert(slot as usize);
            self.len += 1;
        }
    }

    /// Keeps a slot that the queue had no room for.
    pub fn set_aside(&mut self, slot: Slot) {
        self.remove(slot);
        self.set_aside.grow_and_insert(slot as usize);
        self.len += 1;
    }

    /// The slot is in the queue again.
    pub fn take_back(&mut self, slot: Slot) {
        if self.set_aside.contains(slot as usize) {
            self.set_aside.remove(slot as usize);
            self.len -= 1;
        }
    }

    /// Takes up to `max` slots that were set aside.
    pub fn take_set_aside(&mut self, max: usize) -> Vec<Slot> {
        let slots: Vec<Slot> = self.set_aside.ones().take(max).map(|slot| slot as Slot).collect();
        slots.iter().for_each(|slot| self.take_back(*slot));
        slots
    }

    /// Takes a slot out, where it is in.
    pub fn remove(&mut self, slot: Slot) {
        for set in [&mut self.set_aside, &mut self.urgent, &mut self.rest] {
            if set.contains(slot as usize) {
                set.remove(slot as usize);
                self.len -= 1;
            }
        }
    }

    /// Takes up to `max` slots that the peer is yet to hear of, the urgent ones first.
    pub fn take(&mut self, max: usize) -> Vec<Slot> {
        let slots: Vec<usize> = self.urgent.ones().chain(self.rest.ones()).take(max).collect();
        slots.iter().for_each(|slot| self.remove(*slot as Slot));
        if self.is_empty() {
            *self = Backlog::default();
        }
        slots.into_iter().map(|slot| slot as Slot).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urgent_goes_first_and_what_left_is_not_there() {
        let mut backlog = Backlog::default();
        (0..100).for_each(|slot| backlog.add(slot, slot % 10 == 0));
        backlog.remove(20);
        backlog.remove(21);
        backlog.remove(5_000);
        assert_eq!(backlog.take(11), [0, 10, 30, 40, 50, 60, 70, 80, 90, 1, 2]);
        assert_eq!(backlog.take(1_000).len(), 98 - 11);
        assert!(backlog.is_empty() && backlog.take(1).is_empty());
    }
}

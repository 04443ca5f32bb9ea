//! What a peer lacks or has to hear of and was not told yet, one bit a bundle: whoever comes with nothing lacks a million,
//! and hundreds of strangers may come and go in a minute.

use super::custody::Slot;
use super::slots::Slots;

/// What goes to the peer once its queue has room, of what it is yet to hear of the urgent and the rest, and whose life
/// turned out longer.
#[derive(Debug, Default)]
pub struct Backlog {
    set_aside: Slots,
    urgent: Slots,
    rest: Slots,
    renewed: Slots,
    /// What the peer lacks and the destination gets alone for now.
    kept: Slots,
}

impl Backlog {
    /// Adds a slot that is in neither set; one added twice stays where it is.
    pub fn add(&mut self, slot: Slot, is_urgent: bool) {
        if !self.urgent.contains(slot) && !self.rest.contains(slot) {
            let set = if is_urgent { &mut self.urgent } else { &mut self.rest };
            set.insert(slot);
        }
    }

    /// Adds every slot of a set, of which some are urgent.
    pub fn add_all(&mut self, all: &Slots, urgent: &Slots) {
        self.urgent.add(urgent);
        self.rest.add(all);
        self.rest.take_out(&self.urgent);
    }

    /// Keeps a slot that the queue had no room for.
    pub fn set_aside(&mut self, slot: Slot) {
        self.urgent.remove(slot);
        self.rest.remove(slot);
        self.set_aside.insert(slot);
    }

    /// The slot is in the queue again.
    pub fn take_back(&mut self, slot: Slot) {
        self.set_aside.remove(slot);
    }

    /// Takes up to `max` slots that were set aside.
    pub fn take_set_aside(&mut self, max: usize) -> Vec<Slot> {
        self.set_aside.take(max)
    }

    /// Keeps a slot from the peer for now.
    pub fn keep(&mut self, slot: Slot) {
        self.kept.insert(slot);
    }

    /// A slot is kept from nobody any more: the peer is to hear of it where it lacked it.
    pub fn let_go(&mut self, slot: Slot, is_urgent: bool) {
        if self.kept.contains(slot) {
            self.kept.remove(slot);
            self.add(slot, is_urgent);
        }
    }

    /// The peer is to hear of the life of this one: once, however often it grows before that.
    pub fn renew(&mut self, slot: Slot) {
        self.renewed.insert(slot);
    }

    /// Takes up to `max` slots whose life the peer is to hear of.
    pub fn take_renewed(&mut self, max: usize) -> Vec<Slot> {
        self.renewed.take(max)
    }

    pub fn has_renewed(&self) -> bool {
        !self.renewed.is_empty()
    }

    /// Forgets a slot that is about to be empty.
    pub fn remove(&mut self, slot: Slot) {
        for set in [&mut self.set_aside, &mut self.urgent, &mut self.rest, &mut self.renewed, &mut self.kept] {
            set.remove(slot);
        }
    }

    /// Takes up to `max` slots that the peer is yet to hear of, the urgent ones first.
    pub fn take(&mut self, max: usize) -> Vec<Slot> {
        let mut slots = self.urgent.take(max);
        slots.extend(self.rest.take(max - slots.len()));
        slots
    }

    /// Whether the peer lacks nothing more.
    pub fn is_empty(&self) -> bool {
        self.set_aside.is_empty() && self.urgent.is_empty() && self.rest.is_empty()
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

    #[test]
    fn a_whole_set_is_added_as_its_slots_one_by_one() {
        let [mut at_once, mut one_by_one] = [Backlog::default(), Backlog::default()];
        let [mut all, mut urgent] = [Slots::default(), Slots::default()];
        for slot in (0..500).filter(|slot| slot % 3 > 0) {
            all.insert(slot);
            if slot % 7 == 0 {
                urgent.insert(slot);
            }
            one_by_one.add(slot, slot % 7 == 0);
        }
        at_once.add(2, true);
        at_once.add_all(&all, &urgent);
        assert_eq!(at_once.take(1), [2], "what was there stays where it is");
        one_by_one.remove(2);
        assert_eq!(at_once.take(500), one_by_one.take(500));
        assert!(at_once.is_empty());
    }

    #[test]
    fn what_lives_longer_is_heard_of_once_and_apart_from_what_the_peer_lacks() {
        let mut backlog = Backlog::default();
        backlog.add(3, true);
        (0..5).chain(0..5).for_each(|slot| backlog.renew(slot));
        backlog.remove(4);
        assert_eq!((backlog.take(9), backlog.is_empty(), backlog.has_renewed()), (vec![3], true, true));
        assert_eq!((backlog.take_renewed(3), backlog.take_renewed(3)), (vec![0, 1, 2], vec![3]));
        assert!(!backlog.has_renewed());
    }
}

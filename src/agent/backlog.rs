//! What a peer lacks and was not told of yet, one bit a bundle: whoever comes with nothing lacks a million, and hundreds
//! of strangers may come and go in a minute.

use fixedbitset::FixedBitSet;

use crate::agent::custody::Slot;

/// Two sets of slots: what is urgent, and the rest.
#[derive(Debug, Default)]
pub struct Backlog {
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

    /// Takes a slot out, where it is in.
    pub fn remove(&mut self, slot: Slot) {
        for set in [&mut self.urgent, &mut self.rest] {
            if set.contains(slot as usize) {
                set.remove(slot as usize);
                self.len -= 1;
            }
        }
    }

    /// Takes up to `max` slots, the urgent ones first.
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

//! Sets of slots, a bit each: one word tells of sixty-four bundles.

use std::fmt;

use fixedbitset::FixedBitSet;

use super::custody::Slot;

/// A set of slots; an empty one takes no memory.
#[derive(Clone, Default)]
pub struct Slots {
    bits: FixedBitSet,
    len: usize,
}

/// The slots, in their order.
impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bits.ones()).finish()
    }
}

impl Slots {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn contains(&self, slot: Slot) -> bool {
        self.bits.contains(slot as usize)
    }

    pub fn insert(&mut self, slot: Slot) {
        self.bits.grow(slot as usize + 1);
        self.len += usize::from(!self.bits.put(slot as usize));
    }

    pub fn remove(&mut self, slot: Slot) {
        if self.contains(slot) {
            self.bits.remove(slot as usize);
            self.len -= 1;
        }
        self.shrink();
    }

    /// Puts a slot in or takes it out.
    pub fn set(&mut self, slot: Slot, is_in: bool) {
        if is_in { self.insert(slot) } else { self.remove(slot) }
    }

    /// Takes the first of them out, up to `max`.
    pub fn take(&mut self, max: usize) -> Vec<Slot> {
        let slots: Vec<Slot> = self.bits.ones().take(max).map(|slot| slot as Slot).collect();
        slots.iter().for_each(|slot| self.remove(*slot));
        slots
    }

    /// Puts in all that others have.
    pub fn add(&mut self, others: &Slots) {
        self.bits.union_with(&others.bits);
        self.count();
    }

    /// Takes out all that others have.
    pub fn take_out(&mut self, others: &Slots) {
        self.bits.difference_with(&others.bits);
        self.count();
    }

    fn count(&mut self) {
        self.len = self.bits.count_ones(..);
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.len == 0 {
            self.bits = FixedBitSet::new();
        }
    }
}

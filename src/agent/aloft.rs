//! Copies on their way to any peer: each may arrive, so none of them can be handed out a second time.

use std::collections::BTreeMap;

use crate::id::BundleId;

/// The sum of what the contacts have in flight, so that nobody has to ask each of them.
#[derive(Debug, Default)]
pub struct Aloft {
    copies: BTreeMap<BundleId, u32>,
}

impl Aloft {
    pub fn add(&mut self, id: BundleId, copies: u16) {
        if copies > 0 {
            *self.copies.entry(id).or_default() += u32::from(copies);
        }
    }

    /// The peer answered, or its contact is over.
    pub fn take(&mut self, id: &BundleId, copies: u16) {
        if copies == 0 {
            return;
        }
        let sum = self.copies.get_mut(id).expect("what lands was in flight");
        *sum -= u32::from(copies);
        if *sum == 0 {
            self.copies.remove(id);
        }
    }

    /// Copies of an id in flight, as many as a bundle may have at most.
    pub fn of(&self, id: &BundleId) -> u16 {
        self.copies.get(id).map_or(0, |sum| u16::try_from(*sum).unwrap_or(u16::MAX))
    }

    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }
}

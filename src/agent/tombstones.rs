//! The memory of ids after their bundles are gone, and of receipts for bundles that never came.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::change::Belief;
use crate::agent::custody::Slot;
use crate::agent::summary::IdIndex;
use crate::id::{BundleId, NodeId};
use crate::time::Timestamp;

/// Most tombstones kept; losing the oldest costs traffic, never a second inbox row.
pub const TOMBSTONES_MAX: usize = 1_000_000;
/// Most words of receipts kept for bundles not held.
pub const BELIEFS_MAX: usize = 65_536;

/// Ids that are gone and not wanted again. They are looked up, and no part of the summary: whoever never held a bundle
/// has no tombstone of it, and a difference of tombstones would be told again at every contact.
#[derive(Debug, Default)]
pub struct Tombstones {
    index: IdIndex,
    places: Vec<(BundleId, Timestamp)>,
    free: BTreeSet<Slot>,
    by_end: BTreeSet<(Timestamp, Slot)>,
    /// The first of them, asked for after every input.
    first: Option<(Timestamp, Slot)>,
}

impl Tombstones {
    pub fn len(&self) -> usize {
        self.by_end.len()
    }

    pub fn contains(&self, id: &BundleId) -> bool {
        self.index.find(id, &|slot| self.places[slot as usize].0).is_some()
    }

    /// Adds an id that is not there yet.
    pub fn insert(&mut self, id: BundleId, until: Timestamp) {
        let slot = self.free.pop_first().unwrap_or(self.places.len() as Slot);
        if slot as usize == self.places.len() {
            self.places.push((id, until));
        }
        self.places[slot as usize] = (id, until);
        self.by_end.insert((until, slot));
        self.first = Some(self.first.map_or((until, slot), |first| first.min((until, slot))));
        let new = self.index.insert(&id, slot, &|slot| self.places[slot as usize].0);
        assert!(new, "an id is buried once");
    }

    pub fn remove(&mut self, slot: Slot) {
        let (id, until) = self.places[slot as usize];
        self.index.remove(&id, &|slot| self.places[slot as usize].0);
        self.by_end.remove(&(until, slot));
        if self.first == Some((until, slot)) {
            self.first = self.by_end.first().copied();
        }
        self.free.insert(slot);
    }

    pub fn id(&self, slot: Slot) -> BundleId {
        self.places[slot as usize].0
    }

    /// The tombstone that ends first.
    pub fn first(&self) -> Option<(Timestamp, Slot)> {
        self.first
    }

    pub fn iter(&self) -> impl Iterator<Item = (BundleId, Timestamp)> + '_ {
        self.by_end.iter().map(|(until, slot)| (self.id(*slot), *until))
    }
}

/// What receipts said of ids that are not held: believed only when the bundle's destination turns out to be the signer.
#[derive(Debug, Default)]
pub struct Beliefs {
    words: BTreeMap<(BundleId, NodeId), Belief>,
    by_end: BTreeSet<(Timestamp, BundleId, NodeId)>,
}

impl Beliefs {
    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn insert(&mut self, id: BundleId, signer: NodeId, belief: Belief) {
        if let Some(old) = self.words.insert((id, signer), belief) {
            self.by_end.remove(&(old.until, id, signer));
        }
        self.by_end.insert((belief.until, id, signer));
    }

    pub fn remove(&mut self, id: BundleId, signer: NodeId) {
        if let Some(old) = self.words.remove(&(id, signer)) {
            self.by_end.remove(&(old.until, id, signer));
        }
    }

    pub fn find(&self, id: BundleId, signer: NodeId) -> Option<Belief> {
        self.words.get(&(id, signer)).copied()
    }

    /// The word that ends first.
    pub fn first(&self) -> Option<(Timestamp, BundleId, NodeId)> {
        self.by_end.first().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = ((BundleId, NodeId), Belief)> + '_ {
        self.words.iter().map(|(key, belief)| (*key, *belief))
    }
}

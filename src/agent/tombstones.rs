//! The memory of ids after their bundles are gone, and of receipts for bundles that never came.

use std::collections::BTreeSet;

use crate::agent::change::Belief;
use crate::agent::custody::{Name, Names, Slot};
use crate::agent::place::{Origin, Place};
use crate::agent::summary::IdIndex;
use crate::id::{BundleId, NodeId};
use crate::time::Timestamp;

/// Most tombstones kept. A few are drawn by lot, and of these one makes way of the peer that brought most: so a peer that
/// floods displaces its own, and a crowd in proportion. Losing one costs traffic, never a second inbox row.
pub const TOMBSTONES_MAX: usize = 1_000_000;
/// How many are drawn.
const DRAWN: u64 = 64;
/// Peers that brought less than one of so many are alike.
const PART_ALIKE: usize = 64;
/// Most words of receipts kept for bundles not held.
pub const BELIEFS_MAX: usize = 65_536;

/// Ids that are gone and not wanted again. They are looked up, and no part of the summary: whoever never held a bundle
/// has no tombstone of it, and a difference of tombstones would be told again at every contact.
#[derive(Debug, Default)]
pub struct Tombstones {
    index: IdIndex,
    places: Vec<(BundleId, Timestamp, Name)>,
    /// The peers that brought them, as far as that is known: it is not written down.
    peers: Names,
    free: BTreeSet<Slot>,
    by_end: BTreeSet<(Timestamp, Slot)>,
    /// The first of them, asked for after every input.
    first: Option<(Timestamp, Slot)>,
}

impl Tombstones {
    /// None yet; `key` is known to nobody else.
    pub fn keyed(key: &[u8; 16]) -> Tombstones {
        Tombstones { peers: Names::keyed(key), ..Tombstones::default() }
    }

    pub fn len(&self) -> usize {
        self.by_end.len()
    }

    pub fn contains(&self, id: &BundleId) -> bool {
        self.index.find(id, &|slot| self.places[slot as usize].0).is_some()
    }

    /// Adds an id that is not there yet, and the peer that brought what made it so.
    pub fn insert(&mut self, id: BundleId, until: Timestamp, from: Option<NodeId>) {
        let from = from.map_or(Name::NONE, |from| self.peers.intern_node(from));
        let slot = self.free.pop_first().unwrap_or(self.places.len() as Slot);
        if slot as usize == self.places.len() {
            self.places.push((id, until, from));
        }
        self.places[slot as usize] = (id, until, from);
        self.by_end.insert((until, slot));
        self.first = Some(self.first.map_or((until, slot), |first| first.min((until, slot))));
        let new = self.index.insert(&id, slot, &|slot| self.places[slot as usize].0);
        assert!(new, "an id is buried once");
    }

    pub fn remove(&mut self, slot: Slot) {
        let (id, until, from) = self.places[slot as usize];
        self.index.remove(&id, &|slot| self.places[slot as usize].0);
        self.peers.release(from);
        self.by_end.remove(&(until, slot));
        if self.first == Some((until, slot)) {
            self.first = self.by_end.first().copied();
        }
        self.free.insert(slot);
    }

    pub fn id(&self, slot: Slot) -> BundleId {
        self.places[slot as usize].0
    }

    /// The tombstone that makes way for another; none where there are none.
    pub fn drawn(&self, lot: u64) -> Option<Slot> {
        let places = self.places.len().max(1) as u64;
        let (first, apart) = (lot % places, (lot >> 32) | 1);
        let some = (0..DRAWN).map(|n| (first + n * apart) % places).map(|place| place as Slot);
        let brought = |slot: Slot| self.peers.uses(self.places[slot as usize].2) as usize;
        let of_most = some.filter(|slot| self.stands(*slot)).max_by_key(|slot| brought(*slot));
        if let Some(slot) = of_most.filter(|slot| brought(*slot) > self.len() / PART_ALIKE) {
            return Some(slot);
        }
        // Places stand empty where there were more tombstones than now: then the next one that does not.
        (first..places).chain(0..first).map(|place| place as Slot).find(|slot| self.stands(*slot))
    }

    fn stands(&self, slot: Slot) -> bool {
        (slot as usize) < self.places.len() && !self.free.contains(&slot)
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
#[derive(Debug)]
pub struct Beliefs {
    words: Place<(BundleId, NodeId), Belief>,
    by_end: BTreeSet<(Timestamp, BundleId, NodeId)>,
}

impl Beliefs {
    pub fn keyed(secret: &[u8; 16]) -> Beliefs {
        Beliefs { words: Place::keyed(secret), by_end: BTreeSet::new() }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn insert(&mut self, id: BundleId, signer: NodeId, belief: Belief, is_named: bool) {
        self.remove(id, signer);
        self.words.insert((id, signer), belief, origin(signer, &belief, is_named));
        self.by_end.insert((belief.until, id, signer));
    }

    pub fn remove(&mut self, id: BundleId, signer: NodeId) {
        if let Some(old) = self.words.remove(&(id, signer)) {
            self.by_end.remove(&(old.until, id, signer));
        }
    }

    /// The word that makes way for another in a full table.
    pub fn makes_way(&self, signer: NodeId, belief: &Belief, is_named: bool, lot: u64) -> Option<(BundleId, NodeId)> {
        self.words.makes_way(&origin(signer, belief, is_named), lot)
    }

    /// The word that is forgotten where there are too many.
    pub fn goes_first(&self, lot: u64) -> Option<(BundleId, NodeId)> {
        self.words.goes_first(lot)
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

fn origin(signer: NodeId, belief: &Belief, is_named: bool) -> Origin {
    Origin { from: belief.from, source: signer, is_named, end: belief.until }
}

//! Who has how much of a place that many fill, and what of it goes first.
//!
//! A share is a sum of costs: bytes where the place is measured in bytes, one an entry where it is counted. Custody has
//! four, as `custody/division.rs` says; [`super::place`] makes a bounded place of two of them, by the peer that handed over
//! and by source.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Timestamp;

/// The shares of parties `P` in a place of entries `K`.
#[derive(Debug)]
pub struct Shares<P, K> {
    by_peer: BTreeMap<P, Share<K>>,
    /// Of those that have something which may make way, the fullest last.
    by_bytes: BTreeSet<(u64, P)>,
    /// All shares together.
    sum_bytes: u64,
}

#[derive(Debug)]
struct Share<K> {
    bytes: u64,
    /// What may make way, the soonest to expire first.
    copies: BTreeSet<(Timestamp, K)>,
}

impl<P, K> Default for Shares<P, K> {
    fn default() -> Shares<P, K> {
        Shares { by_peer: BTreeMap::new(), by_bytes: BTreeSet::new(), sum_bytes: 0 }
    }
}

impl<K> Default for Share<K> {
    fn default() -> Share<K> {
        Share { bytes: 0, copies: BTreeSet::new() }
    }
}

/// Many entries, to make shares of at once: that takes less time than one by one, and leaves fuller trees.
#[derive(Debug)]
pub struct Gathered<P, K>(BTreeMap<P, (u64, Vec<(Timestamp, K)>)>);

impl<P, K> Default for Gathered<P, K> {
    fn default() -> Gathered<P, K> {
        Gathered(BTreeMap::new())
    }
}

impl<P: Ord, K> Gathered<P, K> {
    /// Counts an entry; `copy` where it may make way.
    pub fn add(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let (bytes, copies) = self.0.entry(peer).or_default();
        *bytes += cost;
        copies.extend(copy);
    }
}

impl<P: Ord + Copy, K: Ord + Copy> Shares<P, K> {
    /// The shares of all that was gathered.
    pub fn of(Gathered(gathered): Gathered<P, K>) -> Shares<P, K> {
        let sum_bytes = gathered.values().map(|(bytes, _)| bytes).sum();
        let giving = gathered.iter().filter(|(_, (_, copies))| !copies.is_empty());
        let by_bytes = giving.map(|(peer, (bytes, _))| (*bytes, *peer)).collect();
        let share =
            |(peer, (bytes, copies)): (P, (u64, Vec<_>))| (peer, Share { bytes, copies: copies.into_iter().collect() });
        Shares { by_peer: gathered.into_iter().map(share).collect(), by_bytes, sum_bytes }
    }

    /// Counts a bundle; `copy` where it may make way.
    pub fn add(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let share = self.by_peer.entry(peer).or_default();
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes += cost;
        self.sum_bytes += cost;
        share.copies.extend(copy);
        if !share.copies.is_empty() {
            self.by_bytes.insert((share.bytes, peer));
        }
    }

    /// Takes back what [`Shares::add`] counted.
    pub fn take(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let share = self.by_peer.get_mut(&peer).expect("what is carried for a peer was counted");
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes -= cost;
        self.sum_bytes -= cost;
        if let Some(copy) = copy {
            share.copies.remove(&copy);
        }
        if share.bytes == 0 {
            self.by_peer.remove(&peer);
        } else if !share.copies.is_empty() {
            self.by_bytes.insert((share.bytes, peer));
        }
    }

    pub fn bytes(&self, peer: P) -> u64 {
        self.by_peer.get(&peer).map_or(0, |share| share.bytes)
    }

    /// All shares together.
    pub fn sum_bytes(&self) -> u64 {
        self.sum_bytes
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.by_peer.len()
    }

    /// All of them, around from the first that is not before `lot`.
    pub fn around(&self, lot: P) -> impl Iterator<Item = P> + '_ {
        self.by_peer.range(lot..).chain(self.by_peer.range(..lot)).map(|(peer, _)| *peer)
    }

    /// Those that have something which may make way, the fullest first, with their shares.
    pub fn fullest_first(&self) -> impl Iterator<Item = (u64, P)> + '_ {
        self.by_bytes.iter().rev().copied()
    }

    /// One of the fullest, with its share: of several alike the first that is not before `lot`.
    pub fn fullest(&self, lot: P) -> Option<(u64, P)> {
        let (most, _) = *self.by_bytes.last()?;
        self.by_bytes.range((most, lot)..).next().or(self.by_bytes.last()).copied()
    }

    pub fn copies(&self, peer: P) -> impl Iterator<Item = K> + '_ {
        self.by_peer.get(&peer).into_iter().flat_map(|share| share.copies.iter().map(|(_, key)| *key))
    }
}

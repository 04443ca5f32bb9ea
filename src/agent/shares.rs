//! Who has how much of a place that many fill, and what of it goes first.
//!
//! A share is a sum of costs: bytes where the place is measured in bytes, one an entry where it is counted. Custody has
//! four, as `custody/division.rs` says; [`super::place`] makes a bounded place of two of them, by the peer that handed over
//! and by source.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{BundleId, NodeId};
use crate::time::{SixBytes, Timestamp};

/// Who may have a share: a key in whose order lots are drawn, and one in fewer bytes by which entries are put together.
pub trait Party: Ord + Copy {
    type Short: Ord + Copy + std::fmt::Debug;

    fn short(self) -> Self::Short;
}

/// What a share is of; none comes before the least.
pub trait Entry: Ord + Copy {
    const LEAST: Self;
}

impl Entry for u32 {
    const LEAST: u32 = 0;
}

impl Entry for u64 {
    const LEAST: u64 = 0;
}

impl Entry for NodeId {
    const LEAST: NodeId = NodeId::from_trusted([0; 32]);
}

impl Entry for BundleId {
    const LEAST: BundleId = BundleId([0; 32]);
}

impl<A: Entry, B: Entry> Entry for (A, B) {
    const LEAST: (A, B) = (A::LEAST, B::LEAST);
}

/// The shares of parties `P` in a place of entries `K`.
///
/// Most parties have one entry or two, so none has a tree of its own: one order holds the entries of all.
#[derive(Debug)]
pub struct Shares<P: Party, K> {
    by_peer: BTreeMap<P, Share>,
    /// Of those that have something which may make way, the fullest last.
    by_bytes: BTreeSet<(u64, P)>,
    /// What may make way, by party, the soonest to expire first.
    copies: BTreeSet<(P::Short, SixBytes, K)>,
    /// All shares together.
    sum_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Share {
    bytes: u64,
    /// How many entries may make way.
    copies: u32,
}

impl<P: Party, K> Default for Shares<P, K> {
    fn default() -> Shares<P, K> {
        Shares { by_peer: BTreeMap::new(), by_bytes: BTreeSet::new(), copies: BTreeSet::new(), sum_bytes: 0 }
    }
}

/// Many entries, to make shares of at once: that takes less time than one by one, and leaves fuller trees.
#[derive(Debug)]
pub struct Gathered<P: Party, K> {
    by_peer: BTreeMap<P, Share>,
    copies: Vec<(P::Short, SixBytes, K)>,
}

impl<P: Party, K> Default for Gathered<P, K> {
    fn default() -> Gathered<P, K> {
        Gathered { by_peer: BTreeMap::new(), copies: Vec::new() }
    }
}

impl<P: Party, K> Gathered<P, K> {
    /// Counts an entry; `copy` where it may make way.
    pub fn add(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let share = self.by_peer.entry(peer).or_default();
        share.bytes += cost;
        share.copies += u32::from(copy.is_some());
        self.copies.extend(copy.map(|(end, key)| (peer.short(), SixBytes::of(end.0), key)));
    }
}

impl<P: Party, K: Entry> Shares<P, K> {
    /// The shares of all that was gathered.
    pub fn of(Gathered { by_peer, copies }: Gathered<P, K>) -> Shares<P, K> {
        let sum_bytes = by_peer.values().map(|share| share.bytes).sum();
        let giving = by_peer.iter().filter(|(_, share)| share.copies > 0);
        let by_bytes = giving.map(|(peer, share)| (share.bytes, *peer)).collect();
        Shares { by_peer: by_peer.into_iter().collect(), by_bytes, copies: copies.into_iter().collect(), sum_bytes }
    }

    /// Counts a bundle; `copy` where it may make way.
    pub fn add(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let share = self.by_peer.entry(peer).or_default();
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes += cost;
        self.sum_bytes += cost;
        if let Some((end, key)) = copy {
            share.copies += u32::from(self.copies.insert((peer.short(), SixBytes::of(end.0), key)));
        }
        if share.copies > 0 {
            self.by_bytes.insert((share.bytes, peer));
        }
    }

    /// Takes back what [`Shares::add`] counted.
    pub fn take(&mut self, peer: P, cost: u64, copy: Option<(Timestamp, K)>) {
        let share = self.by_peer.get_mut(&peer).expect("what is carried for a peer was counted");
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes -= cost;
        self.sum_bytes -= cost;
        if let Some((end, key)) = copy {
            share.copies -= u32::from(self.copies.remove(&(peer.short(), SixBytes::of(end.0), key)));
        }
        if share.bytes == 0 {
            self.by_peer.remove(&peer);
        } else if share.copies > 0 {
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

    /// What may make way of one party, the soonest to expire first.
    pub fn copies(&self, peer: P) -> impl Iterator<Item = K> + '_ {
        let party = peer.short();
        let from = self.copies.range((party, SixBytes::of(0), K::LEAST)..);
        from.take_while(move |(of, ..)| *of == party).map(|(_, _, key)| *key)
    }
}

//! What each peer handed over of strangers' bundles: who takes more than a fair share of their one place.

use std::collections::{BTreeMap, BTreeSet};

use super::Slot;
use super::names::Name;
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub struct Shares {
    by_peer: BTreeMap<Name, Share>,
    /// The fullest last.
    by_bytes: BTreeSet<(u64, Name)>,
}

#[derive(Debug, Default)]
struct Share {
    bytes: u64,
    /// What may make way, the soonest to expire first.
    copies: BTreeSet<(Timestamp, Slot)>,
}

impl Shares {
    /// Counts many bundles at once: who handed each over, its cost, and how it is found where it may make way.
    pub fn of(bundles: impl Iterator<Item = (Name, u64, Option<(Timestamp, Slot)>)>) -> Shares {
        let mut gathered: BTreeMap<Name, (u64, Vec<(Timestamp, Slot)>)> = BTreeMap::new();
        for (peer, cost, copy) in bundles {
            let (bytes, copies) = gathered.entry(peer).or_default();
            *bytes += cost;
            copies.extend(copy);
        }
        let by_bytes = gathered.iter().map(|(peer, (bytes, _))| (*bytes, *peer)).collect();
        let share = |(peer, (bytes, copies)): (Name, (u64, Vec<_>))| {
            (peer, Share { bytes, copies: copies.into_iter().collect() })
        };
        Shares { by_peer: gathered.into_iter().map(share).collect(), by_bytes }
    }

    /// Counts a bundle; `copy` where it may make way.
    pub fn add(&mut self, peer: Name, cost: u64, copy: Option<(Timestamp, Slot)>) {
        let share = self.by_peer.entry(peer).or_default();
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes += cost;
        share.copies.extend(copy);
        self.by_bytes.insert((share.bytes, peer));
    }

    /// Takes back what [`Shares::add`] counted.
    pub fn take(&mut self, peer: Name, cost: u64, copy: Option<(Timestamp, Slot)>) {
        let share = self.by_peer.get_mut(&peer).expect("what is carried for a peer was counted");
        self.by_bytes.remove(&(share.bytes, peer));
        share.bytes -= cost;
        if let Some(copy) = copy {
            share.copies.remove(&copy);
        }
        if share.bytes == 0 {
            self.by_peer.remove(&peer);
        } else {
            self.by_bytes.insert((share.bytes, peer));
        }
    }

    pub fn bytes(&self, peer: Name) -> u64 {
        self.by_peer.get(&peer).map_or(0, |share| share.bytes)
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.by_peer.len()
    }

    pub fn fullest_first(&self) -> impl Iterator<Item = (u64, Name)> + '_ {
        self.by_bytes.iter().rev().copied()
    }

    pub fn copies(&self, peer: Name) -> impl Iterator<Item = Slot> + '_ {
        self.by_peer.get(&peer).into_iter().flat_map(|share| share.copies.iter().map(|(_, slot)| *slot))
    }
}

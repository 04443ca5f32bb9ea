//! Who takes how much of a place that many share: a share for each first name, and inside it a part for each second.
//!
//! ```text
//! class       shares by                                              parts by
//! strangers   a named person who hands over; all other peers as one  source; in the one share of all others, who hands over
//! contacts    source, which is a named person                        who hands over
//! ```
//! Keys are free, so a crowd of fresh peers must not thin out the share of a friend; and a friend may turn out to be none,
//! so nobody's share is more than the others leave. Where shares are equal, a key that nobody else knows decides.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::Slot;
use super::names::Name;
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub struct Shares {
    ties: Ties,
    by_name: BTreeMap<Name, Share>,
    order: Order,
}

#[derive(Debug, Default)]
struct Share {
    bytes: u64,
    by_name: BTreeMap<Name, Part>,
    order: Order,
}

#[derive(Debug, Default)]
struct Part {
    bytes: u64,
    /// What may make way, the soonest to expire first.
    copies: BTreeSet<(Timestamp, Slot)>,
}

/// The fullest last; a number of chance decides among equals.
type Order = BTreeSet<(u64, u64, Name)>;

/// What decides among equals.
#[derive(Clone, Copy, Debug, Default)]
struct Ties(SipHasher13);

impl Ties {
    fn of(self, name: Name) -> u64 {
        let Ties(mut hasher) = self;
        hasher.write_u32(name.0);
        hasher.finish()
    }
}

/// Where a bundle counts.
pub type Place = (Name, Name);

impl Shares {
    pub fn keyed(key: &[u8; 16]) -> Shares {
        Shares { ties: Ties(SipHasher13::new_with_key(key)), ..Shares::default() }
    }

    /// Counts many bundles at once: the place of each, its cost, and how it is found where it may make way.
    pub fn fill(&mut self, bundles: impl Iterator<Item = (Place, u64, Option<(Timestamp, Slot)>)>) {
        let mut gathered: BTreeMap<Place, (u64, Vec<(Timestamp, Slot)>)> = BTreeMap::new();
        for (place, cost, copy) in bundles {
            let (bytes, copies) = gathered.entry(place).or_default();
            *bytes += cost;
            copies.extend(copy);
        }
        (self.by_name, self.order) = Default::default();
        for ((first, second), (bytes, copies)) in gathered {
            let share = self.by_name.entry(first).or_default();
            share.bytes += bytes;
            share.order.insert((bytes, self.ties.of(second), second));
            share.by_name.insert(second, Part { bytes, copies: copies.into_iter().collect() });
        }
        let ties = self.ties;
        self.order = self.by_name.iter().map(|(name, share)| (share.bytes, ties.of(*name), *name)).collect();
    }

    /// Counts a bundle; `copy` where it may make way.
    pub fn add(&mut self, (first, second): Place, cost: u64, copy: Option<(Timestamp, Slot)>) {
        let share = self.by_name.entry(first).or_default();
        let part = share.by_name.entry(second).or_default();
        part.copies.extend(copy);
        change(&mut share.order, &mut part.bytes, |bytes| bytes + cost, self.ties.of(second), second);
        change(&mut self.order, &mut share.bytes, |bytes| bytes + cost, self.ties.of(first), first);
    }

    /// Takes back what [`Shares::add`] counted.
    pub fn take(&mut self, (first, second): Place, cost: u64, copy: Option<(Timestamp, Slot)>) {
        let share = self.by_name.get_mut(&first).expect("what is carried was counted in a share");
        let part = share.by_name.get_mut(&second).expect("what is carried was counted in a part");
        if let Some(copy) = copy {
            part.copies.remove(&copy);
        }
        change(&mut share.order, &mut part.bytes, |bytes| bytes - cost, self.ties.of(second), second);
        if part.bytes == 0 {
            share.by_name.remove(&second);
        }
        change(&mut self.order, &mut share.bytes, |bytes| bytes - cost, self.ties.of(first), first);
        if share.bytes == 0 {
            self.by_name.remove(&first);
        }
    }

    /// Bytes of one share.
    pub fn bytes(&self, first: Name) -> u64 {
        self.by_name.get(&first).map_or(0, |share| share.bytes)
    }

    /// Bytes of one part of a share.
    pub fn part_bytes(&self, (first, second): Place) -> u64 {
        self.by_name.get(&first).and_then(|share| share.by_name.get(&second)).map_or(0, |part| part.bytes)
    }

    /// How many shares there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// How many parts a share has.
    pub fn parts(&self, first: Name) -> usize {
        self.by_name.get(&first).map_or(0, |share| share.by_name.len())
    }

    pub fn fullest_first(&self) -> impl Iterator<Item = (u64, Name)> + '_ {
        self.order.iter().rev().map(|(bytes, _, name)| (*bytes, *name))
    }

    /// The parts of a share, the fullest first.
    pub fn fullest_parts_first(&self, first: Name) -> impl Iterator<Item = (u64, Name)> + '_ {
        let share = self.by_name.get(&first);
        share.into_iter().flat_map(|share| share.order.iter().rev().map(|(bytes, _, name)| (*bytes, *name)))
    }

    /// What may make way of one part, the soonest to expire first.
    pub fn copies(&self, (first, second): Place) -> impl Iterator<Item = Slot> + '_ {
        let part = self.by_name.get(&first).and_then(|share| share.by_name.get(&second));
        part.into_iter().flat_map(|part| part.copies.iter().map(|(_, slot)| *slot))
    }
}

/// Moves a name to where its new sum stands; nothing has no place.
fn change(order: &mut Order, bytes: &mut u64, new: impl Fn(u64) -> u64, tie: u64, name: Name) {
    order.remove(&(*bytes, tie, name));
    *bytes = new(*bytes);
    if *bytes > 0 {
        order.insert((*bytes, tie, name));
    }
}

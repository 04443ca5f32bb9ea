//! The index of what this node holds: compact facts in memory, bodies in the store.
//!
//! An entry is 96 bytes. Names (sources, destinations, previous hops) are interned, because a node meets few of them and
//! holds many bundles of each. Three small trees order the entries: by id (shared with the summary), by destination, and
//! by expiry inside each class and grade, which is also the order in which room is made.

mod names;
mod slab;

use std::collections::{BTreeMap, BTreeSet};

use self::names::{Name, Names};
use self::slab::Slab;
use crate::agent::change::{Class, Held, Row};
use crate::bundle::{Hops, Kind, Priority};
use crate::eid::Eid;
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Timestamp};

/// Where an entry stands in the index; reused after the entry is gone.
pub type Slot = u32;

/// What a bundle costs beside its length: index facts, keys and the slack of B-tree pages.
pub const BUNDLE_COST_BYTES: u64 = 512;

/// Everything held, and the sums that quotas ask for.
#[derive(Debug, Default)]
pub struct Custody {
    names: Names,
    entries: Slab<Entry>,
    by_destination: BTreeSet<(Name, Slot)>,
    by_expiry: [BTreeSet<(Timestamp, Slot)>; BUCKETS],
    bytes: [u64; BUCKETS],
    bytes_from: BTreeMap<Name, u64>,
    receipts: usize,
    next_row: Row,
}

#[derive(Clone, Debug)]
struct Entry {
    id: BundleId,
    row: Row,
    lifetime: Millis,
    accepted_at: Timestamp,
    age: Millis,
    expires: Timestamp,
    source: Name,
    destination: Name,
    from: Name,
    size_bytes: u32,
    copies: u16,
    hop_count: u8,
    kind: Kind,
    class: Class,
    priority: Priority,
    grade: Grade,
}

/// One bucket for each class and grade.
const BUCKETS: usize = 9;

fn bucket(class: Class, grade: Grade) -> usize {
    class as usize * 3 + grade as usize
}

/// What `size_bytes` of bundle count against a quota.
pub fn cost_bytes(size_bytes: u32) -> u64 {
    u64::from(size_bytes) + BUNDLE_COST_BYTES
}

impl Custody {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of the entries are receipts.
    pub fn receipts(&self) -> usize {
        self.receipts
    }

    /// The row the next body goes to.
    pub fn next_row(&self) -> Row {
        self.next_row
    }

    /// Rows are shared with the inbox and never used twice.
    pub fn row_used(&mut self, row: Row) {
        self.next_row = self.next_row.max(Row(row.0 + 1));
    }

    /// Starts no earlier than `next`.
    pub fn row_reserve(&mut self, next: Row) {
        self.next_row = self.next_row.max(next);
    }

    pub fn insert(&mut self, held: &Held) -> Slot {
        let entry = Entry {
            id: held.id,
            row: held.row,
            lifetime: held.lifetime,
            accepted_at: held.accepted_at,
            age: held.hops.age,
            expires: held.expires,
            source: self.names.intern(&Eid::admin(held.source)),
            destination: self.names.intern(&held.destination),
            from: held.from.map_or(Name::NONE, |node| self.names.intern(&Eid::admin(node))),
            size_bytes: held.size_bytes,
            copies: held.copies,
            hop_count: held.hops.count,
            kind: held.kind,
            class: held.class,
            priority: held.priority,
            grade: held.grade,
        };
        self.row_used(held.row);
        let (destination, expires, from) = (entry.destination, entry.expires, entry.from);
        let (bucket, cost) = (bucket(entry.class, entry.grade), cost_bytes(entry.size_bytes));
        self.receipts += usize::from(entry.kind == Kind::Receipt);
        let slot = self.entries.insert(entry);
        self.by_destination.insert((destination, slot));
        self.by_expiry[bucket].insert((expires, slot));
        self.bytes[bucket] += cost;
        if held.class != Class::Own {
            *self.bytes_from.entry(from).or_default() += cost;
        }
        slot
    }

    pub fn remove(&mut self, slot: Slot) {
        let entry = self.entries.remove(slot);
        let cost = cost_bytes(entry.size_bytes);
        let bucket = bucket(entry.class, entry.grade);
        self.by_destination.remove(&(entry.destination, slot));
        self.by_expiry[bucket].remove(&(entry.expires, slot));
        self.bytes[bucket] -= cost;
        self.receipts -= usize::from(entry.kind == Kind::Receipt);
        if entry.class != Class::Own {
            self.discharge(entry.from, cost);
        }
        for name in [entry.source, entry.destination, entry.from] {
            self.names.release(name);
        }
    }

    pub fn regrade(&mut self, slot: Slot, grade: Grade, copies: u16, class: Class) {
        let entry = self.entries.entry_mut(slot);
        let (old, new) = (bucket(entry.class, entry.grade), bucket(class, grade));
        let (cost, expires, from) = (cost_bytes(entry.size_bytes), entry.expires, entry.from);
        let (was_own, is_own) = (entry.class == Class::Own, class == Class::Own);
        (entry.grade, entry.copies, entry.class) = (grade, copies, class);
        if old != new {
            self.by_expiry[old].remove(&(expires, slot));
            self.by_expiry[new].insert((expires, slot));
            self.bytes[old] -= cost;
            self.bytes[new] += cost;
        }
        match (was_own, is_own) {
            (false, true) => self.discharge(from, cost),
            (true, false) => *self.bytes_from.entry(from).or_default() += cost,
            _ => {}
        }
    }

    fn discharge(&mut self, from: Name, cost: u64) {
        let left = self.bytes_from.get_mut(&from).expect("what is carried for a peer was counted");
        *left -= cost;
        if *left == 0 {
            self.bytes_from.remove(&from);
        }
    }

    pub fn id(&self, slot: Slot) -> BundleId {
        self.entries.entry(slot).id
    }

    pub fn kind(&self, slot: Slot) -> Kind {
        self.entries.entry(slot).kind
    }

    pub fn row(&self, slot: Slot) -> Row {
        self.entries.entry(slot).row
    }

    /// The facts at `slot`, written out.
    pub fn held(&self, slot: Slot) -> Held {
        let entry = self.entries.entry(slot);
        Held {
            row: entry.row,
            id: entry.id,
            kind: entry.kind,
            source: self.names.eid(entry.source).node,
            destination: self.names.eid(entry.destination).clone(),
            lifetime: entry.lifetime,
            accepted_at: entry.accepted_at,
            hops: Hops { age: entry.age, count: entry.hop_count },
            expires: entry.expires,
            size_bytes: entry.size_bytes,
            class: entry.class,
            priority: entry.priority,
            grade: entry.grade,
            copies: entry.copies,
            from: (entry.from != Name::NONE).then(|| self.names.eid(entry.from).node),
        }
    }

    /// All slots, in the order of destinations.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.by_destination.iter().map(|(_, slot)| *slot)
    }

    /// What is held for an endpoint.
    pub fn for_destination(&self, destination: &Eid) -> impl Iterator<Item = Slot> + '_ {
        let name = self.names.find(destination);
        let range = name.map(|name| self.by_destination.range((name, Slot::MIN)..=(name, Slot::MAX)));
        range.into_iter().flatten().map(|(_, slot)| *slot)
    }

    /// Every node some bundle is for, in the order of their keys.
    pub fn destinations(&self) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::new();
        let mut from = Name(0);
        while let Some((name, _)) = self.by_destination.range((from, 0)..).next() {
            found.insert(self.names.eid(*name).node);
            from = Name(name.0 + 1);
        }
        found
    }

    /// When the shortest life held is over: after its last millisecond, for a life ends when the age exceeds the lifetime
    /// (RFC 9171 section 5.5).
    pub fn first_expiry(&self) -> Option<Timestamp> {
        let last = self.by_expiry.iter().filter_map(|order| order.first()).map(|(expires, _)| *expires).min();
        last.map(|expires| expires + Millis(1))
    }

    /// One whose life is over at `now`.
    pub fn expired(&self, now: Timestamp) -> Option<Slot> {
        let firsts = self.by_expiry.iter().filter_map(|order| order.first());
        firsts.filter(|(expires, _)| *expires < now).min().map(|(_, slot)| *slot)
    }

    /// Bytes counted in one class and grade.
    pub fn bytes_of(&self, class: Class, grade: Grade) -> u64 {
        self.bytes[bucket(class, grade)]
    }

    /// Bytes counted in one class.
    pub fn bytes_in(&self, class: Class) -> u64 {
        [Grade::Released, Grade::Copy, Grade::Custody].map(|grade| self.bytes_of(class, grade)).iter().sum()
    }

    /// Bytes carried for others.
    pub fn bytes_carried(&self) -> u64 {
        self.bytes_in(Class::Strangers) + self.bytes_in(Class::Contacts)
    }

    /// How many bundles are of one class and grade.
    pub fn count_of(&self, class: Class, grade: Grade) -> usize {
        self.by_expiry[bucket(class, grade)].len()
    }

    /// How many bundles one class holds.
    pub fn count_in(&self, class: Class) -> usize {
        [Grade::Released, Grade::Copy, Grade::Custody]
            .map(|grade| self.by_expiry[bucket(class, grade)].len())
            .iter()
            .sum()
    }

    /// Bytes carried that `peer` handed over.
    pub fn bytes_from(&self, peer: NodeId) -> u64 {
        let name = self.names.find(&Eid::admin(peer));
        name.and_then(|name| self.bytes_from.get(&name)).copied().unwrap_or(0)
    }

    /// How many peers handed over something that is carried.
    pub fn peers_served(&self) -> usize {
        self.bytes_from.len()
    }

    /// The soonest to expire of one class and grade, at most `limit`.
    pub fn soonest(&self, class: Class, grade: Grade, limit: usize) -> impl Iterator<Item = Slot> + '_ {
        self.by_expiry[bucket(class, grade)].iter().take(limit).map(|(_, slot)| *slot)
    }
}

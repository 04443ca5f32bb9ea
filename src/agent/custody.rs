//! The index of what this node holds: compact facts in memory, bodies in the store.
//!
//! An entry is 52 bytes beside its id. Names (sources, destinations, previous hops) are interned, because a node meets few
//! of them and holds many bundles of each. Three small trees order the entries: by id (shared with the summary), by
//! destination, and by expiry inside each class and grade, which is also the order in which room is made; copies of others
//! once more inside each share they count in.

mod division;
mod entry;
mod names;
mod shares;
mod slab;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use self::division::{Division, Member};
pub use self::division::{Party, Side};
use self::entry::{BUCKETS, Entry, Traits, bucket};
pub use self::entry::{CLASSES, GRADES};
pub use self::names::{Name, Names};
use self::slab::Slab;
pub use self::topics::TopicShares;
use super::slots::Slots;
use crate::agent::change::{About, Class, Held, Row};
use crate::bundle::{Hops, Kind};
use crate::eid::Eid;
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, SixBytes, Timestamp};

/// Where an entry stands in the index; reused after the entry is gone.
pub type Slot = u32;

/// Where a bundle stands among all that are held: by class, grade and expiry, which is the order of eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    bucket: usize,
    expires: Timestamp,
    slot: Slot,
}

/// What a bundle costs beside its length: index facts, keys and the slack of B-tree pages.
pub const BUNDLE_COST_BYTES: u64 = 512;

/// Everything held, and the sums that quotas ask for.
#[derive(Debug, Default)]
pub struct Custody {
    names: Names,
    entries: Slab<Entry>,
    /// Beside the entries: a summary reads many ids and nothing else.
    ids: Slab<BundleId>,
    by_destination: BTreeSet<(Name, Slot)>,
    by_expiry: [BTreeSet<(SixBytes, Slot)>; BUCKETS],
    /// The soonest of them all, asked for after every input.
    first_expires: Option<SixBytes>,
    bytes: [u64; BUCKETS],
    receipts: [usize; BUCKETS],
    division: Division,
    topics: TopicShares,
    /// Of what is published with a key: what it is the latest word on, and by topic, writer and key where it stands.
    about: BTreeMap<Slot, About>,
    by_key: BTreeSet<(Name, Name, u64, Slot)>,
    /// People who were named.
    named: BTreeSet<NodeId>,
    /// Groups that are served here, with their members in order.
    groups: BTreeMap<Eid, Vec<NodeId>>,
    /// Those whose life hops may have shortened.
    in_doubt: BTreeSet<Slot>,
    /// Every slot that has an entry.
    all: Slots,
    /// Those of receipts, and of what is more to this node than strangers' mail.
    urgent: Slots,
    next_row: Row,
}

/// What `size_bytes` of bundle count against a quota.
pub fn cost_bytes(size_bytes: u32) -> u64 {
    u64::from(size_bytes) + BUNDLE_COST_BYTES
}

fn is_urgent(kind: Kind, class: Class) -> bool {
    kind == Kind::Receipt || class > Class::Strangers
}

impl Custody {
    /// Holds nothing; `key` is known to nobody else.
    pub fn keyed(key: &[u8; 16]) -> Custody {
        Custody { names: Names::keyed(key), ..Custody::default() }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of the entries are receipts.
    pub fn receipts(&self) -> usize {
        self.receipts.iter().sum()
    }

    /// How many are one's own receipts.
    pub fn receipts_own(&self) -> usize {
        GRADES.iter().map(|grade| self.receipts[bucket(Class::Own, *grade)]).sum()
    }

    /// How many are receipts that freed nothing here.
    pub fn receipts_unmatched(&self) -> usize {
        CLASSES.iter().map(|class| self.receipts[bucket(*class, Grade::Released)]).sum()
    }

    /// The row the next body goes to.
    pub fn next_row(&self) -> Row {
        self.next_row
    }

    /// Rows are shared with the inbox and never used twice.
    pub fn row_used(&mut self, row: Row) {
        self.next_row = self.next_row.max(row.next());
    }

    /// Starts no earlier than `next`.
    pub fn row_reserve(&mut self, next: Row) {
        self.next_row = self.next_row.max(next);
    }

    pub fn insert(&mut self, held: &Held) -> Slot {
        let slot = self.put(held);
        self.by_destination.insert((self.entries.entry(slot).destination, slot));
        self.enter(slot);
        slot
    }

    /// Takes a bundle in without giving it its place in the orders and sums: [`Custody::order`] does that for all.
    pub fn load(&mut self, held: &Held) {
        self.put(held);
    }

    /// Makes every order and sum anew.
    pub fn order(&mut self) {
        self.by_destination = self.entries.iter().map(|(slot, entry)| (entry.destination, slot)).collect();
        let places = || self.entries.iter().map(|(slot, entry)| (slot, self.place(slot, entry)));
        let division = Division::of(places().filter_map(|(_, place)| place.counted));
        let (mut bytes, mut receipts) = ([0; BUCKETS], [0; BUCKETS]);
        let mut by_expiry: [Vec<(SixBytes, Slot)>; BUCKETS] = Default::default();
        for (slot, place) in places() {
            by_expiry[place.bucket].push((place.expires, slot));
            bytes[place.bucket] += place.cost;
            receipts[place.bucket] += place.receipts;
        }
        let mut topics = TopicShares::default();
        places().filter_map(|(_, place)| place.in_topic).for_each(|in_topic| topics.add(in_topic));
        (self.division, self.topics, self.bytes, self.receipts) = (division, topics, bytes, receipts);
        self.by_expiry = by_expiry.map(BTreeSet::from_iter);
        self.first_expires = self.firsts().map(|(expires, _)| *expires).min();
    }

    fn put(&mut self, held: &Held) -> Slot {
        let entry = Entry {
            row: SixBytes::of(held.row.0),
            lifetime: SixBytes::of(held.lifetime.0),
            accepted_at: SixBytes::of(held.accepted_at.0),
            age: SixBytes::of(held.hops.age.0),
            expires: SixBytes::of(held.expires.0),
            source: self.names.intern_node(held.source),
            destination: self.names.intern(&held.destination),
            from: held.from.map_or(Name::NONE, |node| self.names.intern_node(node)),
            size_bytes: held.size_bytes,
            copies: held.copies,
            hop_count: held.hops.count,
            kind: held.kind,
            traits: Traits::of(held.class, held.grade, held.priority, held.dated),
        };
        self.row_used(held.row);
        let slot = self.entries.insert(entry);
        let same = self.ids.insert(held.id);
        assert_eq!(slot, same, "ids and entries come and go together");
        if held.is_in_doubt() {
            self.in_doubt.insert(slot);
        }
        self.all.insert(slot);
        self.urgent.set(slot, is_urgent(held.kind, held.class));
        if let Some(about) = held.about {
            self.about.insert(slot, about);
            self.by_key.insert(self.key_of(slot, about));
        }
        slot
    }

    pub fn remove(&mut self, slot: Slot) {
        self.leave(slot);
        if let Some(about) = self.about.remove(&slot) {
            self.by_key.remove(&self.key_of(slot, about));
        }
        let entry = self.entries.remove(slot);
        self.ids.remove(slot);
        self.in_doubt.remove(&slot);
        self.all.remove(slot);
        self.urgent.remove(slot);
        self.by_destination.remove(&(entry.destination, slot));
        for name in [entry.source, entry.destination, entry.from] {
            self.names.release(name);
        }
    }

    pub fn regrade(&mut self, slot: Slot, grade: Grade, copies: u16, class: Class) {
        self.leave(slot);
        let entry = self.entries.entry_mut(slot);
        entry.traits = Traits::of(class, grade, entry.traits.priority(), entry.traits.dated());
        entry.copies = copies;
        let is_urgent = is_urgent(entry.kind, class);
        self.urgent.set(slot, is_urgent);
        self.enter(slot);
    }

    pub fn prolong(&mut self, slot: Slot, age: Millis, expires: Timestamp) {
        self.leave(slot);
        let entry = self.entries.entry_mut(slot);
        (entry.age, entry.expires) = (SixBytes::of(age.0), SixBytes::of(expires.0));
        if !self.held(slot).is_in_doubt() {
            self.in_doubt.remove(&slot);
        }
        self.enter(slot);
    }

    /// Counts an entry where its class and grade put it.
    fn enter(&mut self, slot: Slot) {
        let place = self.place(slot, self.entries.entry(slot));
        self.by_expiry[place.bucket].insert((place.expires, slot));
        self.first_expires = Some(self.first_expires.map_or(place.expires, |first| first.min(place.expires)));
        self.bytes[place.bucket] += place.cost;
        self.receipts[place.bucket] += place.receipts;
        if let Some(counted) = place.counted {
            self.division.add(counted);
        }
        if let Some(in_topic) = place.in_topic {
            self.topics.add(in_topic);
        }
    }

    /// Takes back what [`Custody::enter`] counted.
    fn leave(&mut self, slot: Slot) {
        let place = self.place(slot, self.entries.entry(slot));
        self.by_expiry[place.bucket].remove(&(place.expires, slot));
        if self.first_expires == Some(place.expires) {
            self.first_expires = self.firsts().map(|(expires, _)| *expires).min();
        }
        self.bytes[place.bucket] -= place.cost;
        self.receipts[place.bucket] -= place.receipts;
        if let Some(counted) = place.counted {
            self.division.take(counted);
        }
        if let Some(in_topic) = place.in_topic {
            self.topics.take(in_topic);
        }
    }

    pub fn id(&self, slot: Slot) -> BundleId {
        *self.ids.entry(slot)
    }

    pub fn kind(&self, slot: Slot) -> Kind {
        self.entries.entry(slot).kind
    }

    pub fn row(&self, slot: Slot) -> Row {
        Row(self.entries.entry(slot).row.get())
    }

    pub fn class(&self, slot: Slot) -> Class {
        self.entries.entry(slot).traits.class()
    }

    pub fn size_bytes(&self, slot: Slot) -> u32 {
        self.entries.entry(slot).size_bytes
    }

    /// The facts at `slot`, written out.
    pub fn held(&self, slot: Slot) -> Held {
        let entry = self.entries.entry(slot);
        Held {
            row: Row(entry.row.get()),
            id: *self.ids.entry(slot),
            kind: entry.kind,
            source: self.names.eid(entry.source).node,
            destination: self.names.eid(entry.destination).clone(),
            lifetime: Millis(entry.lifetime.get()),
            accepted_at: Timestamp(entry.accepted_at.get()),
            hops: Hops { age: Millis(entry.age.get()), count: entry.hop_count },
            expires: Timestamp(entry.expires.get()),
            dated: entry.traits.dated(),
            size_bytes: entry.size_bytes,
            class: entry.traits.class(),
            priority: entry.traits.priority(),
            grade: entry.traits.grade(),
            copies: entry.copies,
            from: (entry.from != Name::NONE).then(|| self.names.eid(entry.from).node),
            about: self.about.get(&slot).copied(),
        }
    }

    fn key_of(&self, slot: Slot, about: About) -> (Name, Name, u64, Slot) {
        let entry = self.entries.entry(slot);
        (entry.destination, entry.source, about.mark, slot)
    }

    /// What is held of a writer in a topic on the same key: more than one only where a store held that before.
    pub fn on_same_key(
        &self,
        topic: &Eid,
        writer: NodeId,
        about: About,
    ) -> impl Iterator<Item = (BundleId, About)> + '_ {
        let names = self.names.find(topic).zip(self.name_of(writer));
        let range = names.map(|(topic, writer)| {
            self.by_key.range((topic, writer, about.mark, Slot::MIN)..=(topic, writer, about.mark, Slot::MAX))
        });
        range.into_iter().flatten().map(|(.., slot)| (self.id(*slot), self.about[slot]))
    }

    /// What goes before strangers' mail.
    pub fn is_urgent(&self, slot: Slot) -> bool {
        self.urgent.contains(slot)
    }

    /// Every slot, and the urgent ones among them.
    pub fn sets(&self) -> (&Slots, &Slots) {
        (&self.all, &self.urgent)
    }

    /// All slots, in the order of destinations.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.by_destination.iter().map(|(_, slot)| *slot)
    }

    /// Everything held in the order of eviction, behind `after`.
    pub fn behind(&self, after: Option<Standing>) -> impl Iterator<Item = (Standing, Slot)> + '_ {
        let buckets = self.by_expiry.iter().enumerate().skip(after.map_or(0, |after| after.bucket));
        buckets.flat_map(move |(bucket, order)| {
            let from = match after {
                Some(after) if after.bucket == bucket => Bound::Excluded((SixBytes::of(after.expires.0), after.slot)),
                _ => Bound::Unbounded,
            };
            let standing = move |(expires, slot): &(SixBytes, Slot)| Standing {
                bucket,
                expires: Timestamp(expires.get()),
                slot: *slot,
            };
            order.range((from, Bound::Unbounded)).map(move |place| (standing(place), place.1))
        })
    }

    /// Those whose life hops may have shortened, all around from where the lot falls.
    pub fn in_doubt(&self, lot: u64) -> impl Iterator<Item = Slot> + '_ {
        let past_last = self.in_doubt.last().map_or(1, |last| u64::from(*last) + 1);
        let first = (lot % past_last) as Slot;
        self.in_doubt.range(first..).chain(self.in_doubt.range(..first)).copied()
    }

    /// The messages of one source; a receipt has the class of what it freed, not of who signed it.
    pub fn messages_of(&self, source: NodeId) -> Vec<Slot> {
        let Some(source) = self.name_of(source) else { return Vec::new() };
        let is_of = |slot: &Slot| {
            let entry = self.entries.entry(*slot);
            entry.source == source && entry.kind == Kind::Message
        };
        self.slots().filter(is_of).collect()
    }

    /// What is held for an endpoint.
    pub fn for_destination(&self, destination: &Eid) -> impl Iterator<Item = Slot> + '_ {
        let name = self.names.find(destination);
        let range = name.map(|name| self.by_destination.range((name, Slot::MIN)..=(name, Slot::MAX)));
        range.into_iter().flatten().map(|(_, slot)| *slot)
    }

    /// Every endpoint some bundle is for.
    pub fn destinations(&self) -> BTreeSet<Eid> {
        let mut found = BTreeSet::new();
        let mut from = Name(0);
        while let Some((name, _)) = self.by_destination.range((from, 0)..).next() {
            found.insert(self.names.eid(*name).clone());
            from = Name(name.0 + 1);
        }
        found
    }

    /// When the shortest life held is over: after its last millisecond, for a life ends when the age exceeds the lifetime
    /// (RFC 9171 section 5.5).
    pub fn first_expiry(&self) -> Option<Timestamp> {
        self.first_expires.map(|expires| Timestamp(expires.get()) + Millis(1))
    }

    /// One whose life is over at `now`.
    pub fn expired(&self, now: Timestamp) -> Option<Slot> {
        self.first_expires.filter(|expires| expires.get() < now.0)?;
        self.firsts().min().map(|(_, slot)| *slot)
    }

    /// What expires first in each class and grade.
    fn firsts(&self) -> impl Iterator<Item = &(SixBytes, Slot)> {
        self.by_expiry.iter().filter_map(|order| order.first())
    }

    /// Bytes counted in one class and grade.
    pub fn bytes_of(&self, class: Class, grade: Grade) -> u64 {
        self.bytes[bucket(class, grade)]
    }

    /// Bytes counted in one class.
    pub fn bytes_in(&self, class: Class) -> u64 {
        GRADES.iter().map(|grade| self.bytes_of(class, *grade)).sum()
    }

    /// Bytes carried for others.
    pub fn bytes_carried(&self) -> u64 {
        CLASSES.iter().filter(|class| **class != Class::Own).map(|class| self.bytes_in(*class)).sum()
    }

    /// How many bundles are of one class and grade.
    pub fn count_of(&self, class: Class, grade: Grade) -> usize {
        self.by_expiry[bucket(class, grade)].len()
    }

    /// How many bundles one class holds.
    pub fn count_in(&self, class: Class) -> usize {
        GRADES.iter().map(|grade| self.count_of(class, *grade)).sum()
    }

    /// The name of a node, if anything held has to do with it.
    fn name_of(&self, node: NodeId) -> Option<Name> {
        self.names.find_node(node)
    }

    /// Who has how much of the room for others.
    pub fn division(&self) -> &Division {
        &self.division
    }

    /// Which topic has how much of the room for topics.
    pub fn topics(&self) -> &TopicShares {
        &self.topics
    }

    /// A topic that something is held of.
    pub fn topic(&self, topic: &Eid) -> Option<Member> {
        self.names.find(topic).map(|name| self.member(name))
    }

    /// Every group that some bundle is for.
    pub fn destinations_of_members(&self) -> impl Iterator<Item = &Eid> + '_ {
        let mut from = Name(0);
        let each = std::iter::from_fn(move || {
            let (name, _) = *self.by_destination.range((from, 0)..).next()?;
            from = Name(name.0 + 1);
            Some(self.names.eid(name))
        });
        each.filter(|destination| destination.has_members())
    }

    /// What is of one class and grade, the soonest to expire first.
    pub fn soonest(&self, class: Class, grade: Grade) -> impl Iterator<Item = Slot> + '_ {
        self.by_expiry[bucket(class, grade)].iter().map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::entry::PRIORITIES;
    use super::*;
    use crate::bundle::Priority;

    fn held(n: u64) -> Held {
        let node = |n: u64| NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes());
        Held {
            row: Row(n),
            id: BundleId(*blake3::hash(&[1, n as u8]).as_bytes()),
            kind: if n.is_multiple_of(3) { Kind::Receipt } else { Kind::Message },
            source: node(n % 5),
            destination: Eid::mail(node(n % 7)),
            lifetime: Millis(1_000),
            accepted_at: Timestamp(n),
            hops: Hops::default(),
            expires: Timestamp(n * 37 % 50),
            dated: n.is_multiple_of(2),
            size_bytes: 100 + n as u32,
            class: CLASSES[1 + n as usize % 3],
            priority: Priority::Normal,
            grade: GRADES[n as usize / 3 % 3],
            copies: 1,
            from: (!n.is_multiple_of(4)).then(|| node(n % 4)),
            about: None,
        }
    }

    #[test]
    fn what_is_loaded_all_at_once_stands_where_it_would_one_by_one() {
        let (mut one_by_one, mut at_once) = (Custody::default(), Custody::default());
        for n in 0..200 {
            one_by_one.insert(&held(n));
            at_once.load(&held(n));
        }
        at_once.order();
        assert_eq!(format!("{at_once:?}"), format!("{one_by_one:?}"));
        assert_eq!(at_once.first_expiry(), Some(Timestamp(1)));
    }

    #[test]
    fn who_was_named_is_urgent_for_as_long_and_who_left_is_in_no_set() {
        let mut custody = Custody::default();
        let message = |n, class| Held { kind: Kind::Message, class, ..held(n) };
        let slots = [1, 2, 3].map(|n| custody.insert(&message(n, Class::Strangers)));
        let receipt = custody.insert(&Held { kind: Kind::Receipt, class: Class::Strangers, ..held(4) });
        let sets = |custody: &Custody| format!("{:?}", custody.sets());
        assert_eq!(sets(&custody), "({0, 1, 2, 3}, {3})");
        let regrade = |custody: &mut Custody, class| custody.regrade(slots[1], Grade::Copy, 1, class);
        regrade(&mut custody, Class::Contacts);
        assert_eq!(sets(&custody), "({0, 1, 2, 3}, {1, 3})");
        regrade(&mut custody, Class::Strangers);
        custody.remove(receipt);
        assert_eq!(sets(&custody), "({0, 1, 2}, {})");
    }

    #[test]
    fn the_first_expiry_is_that_of_what_is_left() {
        let mut custody = Custody::default();
        let slots: Vec<Slot> = (0..200).map(|n| custody.insert(&held(n))).collect();
        for (n, slot) in (0..).zip(slots) {
            let left = (n..200).map(|n| held(n).expires).min();
            assert_eq!(custody.first_expiry(), left.map(|expires| expires + Millis(1)));
            custody.remove(slot);
        }
        assert_eq!((custody.first_expiry(), custody.expired(Timestamp(1_000))), (None, None));
    }

    #[test]
    fn an_entry_takes_fifty_two_bytes_and_keeps_every_fact() {
        assert_eq!(size_of::<Option<Entry>>(), 52);
        assert_eq!(size_of::<(SixBytes, Slot)>(), 12);
        let mut custody = Custody::default();
        for n in 0..1_000 {
            let priority = PRIORITIES[n as usize % 3];
            let far = SixBytes::MAX - n;
            let held = Held {
                class: CLASSES[n as usize % 4],
                priority,
                lifetime: Millis(far),
                accepted_at: Timestamp(far),
                expires: Timestamp(far),
                ..held(n)
            };
            let slot = custody.insert(&held);
            assert_eq!(custody.held(slot), held);
        }
    }
}

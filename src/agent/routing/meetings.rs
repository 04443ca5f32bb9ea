//! Meetings that a node itself had with others: a table of their own, which nothing that others say has a place in.

use std::collections::{BTreeMap, BTreeSet};

use super::fixed_point::{ONE, POINT, half_to};
use super::{Learned, Lessons};
use crate::frame::ROUTING_ENTRIES_MAX;
use crate::id::NodeId;
use crate::time::{DAY, HOUR, MINUTE, Millis, Timestamp};

/// Meetings a day, with 16 bits after the point.
pub type Rate = u64;

/// After so long half of what was learned is forgotten.
const HALF_LIFE: Millis = Millis(6 * HOUR.0);
/// 1 / ln 2 with 16 bits after the point.
pub const PER_LN2: u64 = 94_548;
/// The least time over which meetings are averaged, so that the first is not taken for a habit.
const SPAN_MIN: Millis = HOUR;
/// Contacts sooner after the last than this count for less: a link that flaps is not a string of meetings.
const MEETING_APART: Millis = Millis(10 * MINUTE.0);
/// Most nodes whose meetings are counted.
pub const MET_MAX: usize = ROUTING_ENTRIES_MAX;
/// Meetings lately from which on a node is met often.
const OFTEN: u64 = 3 << POINT;

#[derive(Debug)]
pub struct Meetings {
    table: BTreeMap<NodeId, Entry>,
    /// Those of them that the person named go last where there are too many.
    named: BTreeSet<NodeId>,
    /// When this node first met anybody.
    first: Option<Timestamp>,
}

/// Meetings with one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Meetings, with 16 bits after the point, as they counted at `counted`.
    count: u64,
    counted: Timestamp,
    first: Timestamp,
    /// When the last contact ended.
    left: Option<Timestamp>,
}

impl Meetings {
    pub fn new(learned: &mut Learned) -> Meetings {
        let table = learned.take(Entry::decode, MET_MAX);
        let first = table.values().map(|entry: &Entry| entry.first).min();
        Meetings { table, named: BTreeSet::new(), first }
    }

    pub fn set_named(&mut self, node: NodeId, is_named: bool) {
        if is_named {
            self.named.insert(node)
        } else {
            self.named.remove(&node)
        };
    }

    /// Whether this node's habits are for `node` to know: the person named it, or it sees much of them anyway.
    pub fn is_familiar(&self, node: NodeId, now: Timestamp) -> bool {
        self.named.contains(&node) || self.table.get(&node).is_some_and(|entry| entry.lately(now) >= OFTEN)
    }

    /// Counts a meeting with `peer`.
    pub fn begin(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) {
        let first = *self.first.get_or_insert(now);
        let entry = self.table.entry(peer).or_default();
        let apart = entry.left.map_or(MEETING_APART, |left| now.since(left).min(MEETING_APART));
        let weight = (apart.0 << POINT) / MEETING_APART.0;
        entry.count = decayed(entry.count, now.since(entry.counted)) + weight;
        (entry.counted, entry.first) = (now, first);
        self.remember(peer, lessons);
        self.shrink(now, lessons);
    }

    /// Nothing is forgotten while a contact lasts.
    pub fn end(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) {
        if let Some(entry) = self.table.get_mut(&peer) {
            (entry.counted, entry.left) = (now, Some(now));
            self.remember(peer, lessons);
        }
    }

    /// When a contact last began or ended.
    pub fn last(&self) -> Option<Timestamp> {
        self.table.values().map(|entry| entry.left.unwrap_or_default().max(entry.counted)).max()
    }

    /// How often this node meets another: the count over the time it stands for.
    pub fn rate(&self, node: NodeId, now: Timestamp) -> Rate {
        self.table.get(&node).map_or(0, |entry| entry.rate(self.span(now), now))
    }

    pub fn rates(&self, now: Timestamp) -> impl Iterator<Item = (NodeId, Rate)> {
        let span = self.span(now);
        self.table.iter().map(move |(node, entry)| (*node, entry.rate(span, now)))
    }

    /// The time that counts stand for: τ(1 − 2^(−t/H)) after a time t, τ = H / ln 2 in the end.
    fn span(&self, now: Timestamp) -> Millis {
        let since = self.first.map_or(SPAN_MIN, |first| now.since(first).max(SPAN_MIN));
        let learned = ONE - half_to(halvings(since));
        Millis((((HALF_LIFE.0 * PER_LN2) >> POINT) * learned) / ONE)
    }

    /// Forgets the node it meets least where there are too many.
    fn shrink(&mut self, now: Timestamp, lessons: &mut Lessons) {
        while self.table.len() > MET_MAX {
            let ranked = self.table.iter().map(|(node, entry)| (self.named.contains(node), entry.lately(now), *node));
            let Some((.., least)) = ranked.min() else { return };
            self.table.remove(&least);
            lessons.push((least, None));
        }
    }

    fn remember(&self, node: NodeId, lessons: &mut Lessons) {
        if let Some(entry) = self.table.get(&node) {
            lessons.push((node, Some(entry.encode())));
        }
    }
}

/// How many half-lives a time is, with 16 bits after the point.
fn halvings(time: Millis) -> u64 {
    // Longer than nine thousand years count as that.
    (time.0.min(u64::MAX >> POINT) << POINT) / HALF_LIFE.0
}

/// What is left of a number after a time.
pub fn decayed(number: u64, time: Millis) -> u64 {
    ((u128::from(number) * u128::from(half_to(halvings(time)))) >> 31) as u64
}

/// Distinguishes the records of this strategy.
const RECORD: u8 = 2;
/// More meetings than can add up, with one in ten minutes and half of them forgotten after six hours.
const COUNT_MAX: u64 = 64 << POINT;

impl Entry {
    /// Meetings that are not forgotten yet.
    fn lately(&self, now: Timestamp) -> u64 {
        if self.count == 0 { 0 } else { decayed(self.count, now.since(self.counted)) }
    }

    fn rate(&self, span: Millis, now: Timestamp) -> Rate {
        self.lately(now) * DAY.0 / span.0
    }

    /// 33 bytes: kind, count, when it was true, when this node first met anybody, when the last contact ended.
    fn encode(&self) -> Vec<u8> {
        let numbers = [self.count, self.counted.0, self.first.0, self.left.unwrap_or(self.counted).0];
        std::iter::once(RECORD).chain(numbers.iter().flat_map(|number| number.to_be_bytes())).collect()
    }

    fn decode(record: &[u8]) -> Option<Entry> {
        let numbers: [u8; 32] = record.strip_prefix(&[RECORD])?.try_into().ok()?;
        let number = |at: usize| u64::from_be_bytes(*numbers[at * 8..].first_chunk().expect("four numbers of 8 bytes"));
        let [count, counted, first, left] = [0, 1, 2, 3].map(number);
        let [counted, first, left] = [counted, first, left].map(Timestamp);
        Some(Entry { count: count.min(COUNT_MAX), counted, first, left: Some(left) })
    }
}

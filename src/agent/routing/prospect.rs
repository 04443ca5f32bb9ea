//! The default: a copy goes where its prospect is worth the room it takes.
//!
//! The *prospect* of a copy is the chance that who holds it meets the destination within the life that is left, taking
//! meetings for a Poisson process of a rate r learned from meetings past:
//!
//! ```text
//! rate       r(A,D) = max(direct, via / 2)      direct: meetings with D per time, half forgotten after 6 h
//!            via    = max over B of 1 / (1/r(A,B) + 1/r(B,D))      as B told it, forgotten likewise
//! prospect   p = 1 − exp(−r · life left)
//! rank       log2(p / bytes)
//! ```
//!
//! One rank decides everything, as RAPID's marginal utility does (Balasubramanian et al. 2007): the highest goes first in a
//! short contact, the lowest leaves a full store. Dividing by the bytes makes of it the greedy answer to the knapsack that
//! a store and a contact are. The rank of what a store had to evict lately is the *price* of its room, and its Hello tells
//! it, so that nothing goes over a link only to be refused.
//!
//! How many copies there are follows from need. Spray copies are halved to whoever has room at that price (binary
//! spray-and-wait); the holder of the last one still copies to whoever is likelier to meet the destination, as PRoPHET does,
//! and to whoever is hardly less likely where a copy is worth four times the price, for a budget that was right for a village
//! is small for a town; and as long as neither node had to evict anything lately, room costs nothing and everybody gets everything.

use std::collections::BTreeMap;

use super::binary::{ONE, POINT, half_to, log2};
use super::{Facts, Learned, Lessons, RATES_TOLD_MAX, Strategy, Verdict, highest, in_order};
use crate::agent::custody::cost_bytes;
use crate::frame::{ROUTING_ENTRIES_MAX, RoutingInfo};
use crate::id::NodeId;
use crate::time::{DAY, HOUR, MINUTE, Millis, Timestamp};

/// After so long half of what was learned is forgotten.
const HALF_LIFE: Millis = Millis(6 * HOUR.0);
/// 1 / ln 2 with 16 bits after the point.
const PER_LN2: u64 = 94_548;
/// The least time over which meetings are averaged, so that the first is not taken for a habit.
const SPAN_MIN: Millis = HOUR;
/// Contacts sooner after the last than this count for less: a link that flaps is not a string of meetings.
const MEETING_APART: Millis = Millis(10 * MINUTE.0);
/// The rate of whoever is in contact now, in meetings a day: once in three minutes.
const PRESENT: u64 = 480;
/// The rate of whoever nothing is known of, in meetings a day.
const UNKNOWN: u64 = 1;
/// A peer that was told less than this ago is told only the price.
const TOLD_APART: Millis = Millis(10 * MINUTE.0);
/// Without an eviction for so long, room costs nothing.
const PRICE_LASTS: Millis = Millis(2 * HOUR.0);
/// Each eviction moves the price by one part in so many.
const PRICE_PARTS: u64 = 4;
/// What a copy beyond the budget must be worth over the price, where it comes no nearer: four times, for others of it are
/// about.
const ABUNDANT: u64 = 2 << POINT;
/// No copy goes to whoever meets its destination so many times less often, without a budget for it.
const WORSE_MAX: u64 = 3;
/// Peers whose words are kept after the contact.
const PEERS_KEPT_MAX: usize = 64;
/// Steps of a rate on the wire, in one meeting a day.
const WIRE_STEPS: u64 = 64;
/// Added to ranks, so that the smallest prospect of the largest bundle is above zero.
const RANK_BASE: u64 = 32 << POINT;

#[derive(Debug)]
pub struct Prospect {
    node: NodeId,
    table: BTreeMap<NodeId, Entry>,
    peers: BTreeMap<NodeId, Peer>,
    /// When this node first met anybody.
    first: Option<Timestamp>,
    /// The rank of what was evicted lately and when that was last; none where nothing was.
    price: Option<(u64, Timestamp)>,
}

/// What is known of meeting one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Meetings, with 16 bits after the point, as they counted at `counted`.
    count: u64,
    counted: Timestamp,
    first: Timestamp,
    /// When the last contact ended.
    left: Option<Timestamp>,
    /// The best rate through another, as of `via_at`.
    via: Rate,
    via_at: Timestamp,
}

/// What a peer told, and was told.
#[derive(Debug, Default)]
struct Peer {
    is_here: bool,
    /// When it was last told all there is.
    told_it: Option<Timestamp>,
    heard_at: Timestamp,
    /// The price of its room.
    price: u64,
    rates: Vec<(NodeId, u16)>,
}

/// Meetings a day, with 16 bits after the point.
type Rate = u64;

impl Prospect {
    pub fn new(node: NodeId, learned: &mut Learned) -> Prospect {
        let table = learned.take(Entry::decode, ROUTING_ENTRIES_MAX);
        let first = table.values().map(|entry: &Entry| entry.first).min();
        Prospect { node, table, peers: BTreeMap::new(), first, price: None }
    }

    /// How often this node meets `node`, itself or through others.
    fn rate(&self, node: NodeId, now: Timestamp) -> Rate {
        if self.peers.get(&node).is_some_and(|peer| peer.is_here) {
            return PRESENT << POINT;
        }
        self.table.get(&node).map_or(0, |entry| entry.rate(self.span(now), now))
    }

    /// The time that counts stand for: τ(1 − 2^(−t/H)) after a time t, τ = H / ln 2 in the end.
    fn span(&self, now: Timestamp) -> Millis {
        let since = self.first.map_or(SPAN_MIN, |first| now.since(first).max(SPAN_MIN));
        let learned = ONE - half_to(halvings(since));
        Millis((((HALF_LIFE.0 * PER_LN2) >> POINT) * learned) / ONE)
    }

    /// How often `peer` says it meets `node`.
    fn rate_of(&self, peer: NodeId, node: NodeId) -> Rate {
        let Some(peer) = self.peers.get(&peer) else { return 0 };
        let found = peer.rates.binary_search_by_key(&node, |(node, _)| *node);
        found.map_or(0, |at| from_wire(peer.rates[at].1))
    }

    fn price(&self, now: Timestamp) -> u64 {
        self.price.filter(|(_, at)| now.since(*at) < PRICE_LASTS).map_or(0, |(price, _)| price)
    }

    /// Counts a meeting with `peer`.
    fn meet(&mut self, peer: NodeId, now: Timestamp) {
        let first = *self.first.get_or_insert(now);
        let entry = self.table.entry(peer).or_default();
        let apart = entry.left.map_or(MEETING_APART, |left| now.since(left).min(MEETING_APART));
        let weight = (apart.0 << POINT) / MEETING_APART.0;
        entry.count = decayed(entry.count, now.since(entry.counted)) + weight;
        (entry.counted, entry.first) = (now, first);
    }

    /// Learns whom `peer` leads to; `rates` rise by node, as the table does.
    fn learn_ways(&mut self, peer: NodeId, rates: &[(NodeId, u16)], now: Timestamp) {
        let through = self.table.get(&peer).map_or(0, |entry| entry.direct(self.span(now), now));
        let mut new = Vec::new();
        let mut known = self.table.iter_mut().peekable();
        for (node, told) in rates.iter().filter(|(node, _)| *node != self.node) {
            let onward = from_wire(*told);
            let via = if onward == 0 { 0 } else { through * onward / (through + onward) };
            while known.next_if(|(other, _)| *other < node).is_some() {}
            match known.next_if(|(other, _)| *other == node) {
                Some((_, entry)) if via > entry.via(now) => (entry.via, entry.via_at) = (via, now),
                Some(_) => {}
                None => new.push((*node, Entry { via, via_at: now, ..Entry::default() })),
            }
        }
        self.table.extend(new);
    }

    /// Forgets whom it meets least where there are too many.
    fn shrink(&mut self, now: Timestamp, lessons: &mut Lessons) {
        if self.table.len() > ROUTING_ENTRIES_MAX {
            let span = self.span(now);
            let rates = self.table.iter().map(|(node, entry)| (entry.rate(span, now), *node));
            let mut rates: Vec<(Rate, NodeId)> = rates.collect();
            rates.sort_unstable();
            for (_, node) in &rates[..rates.len() - ROUTING_ENTRIES_MAX] {
                if self.table.remove(node).is_some_and(|entry| entry.count > 0) {
                    lessons.push((*node, None));
                }
            }
        }
        while self.peers.len() > PEERS_KEPT_MAX {
            let away = self.peers.iter().filter(|(_, peer)| !peer.is_here);
            let Some((_, oldest)) = away.map(|(node, peer)| (peer.heard_at, *node)).min() else { return };
            self.peers.remove(&oldest);
        }
    }

    fn remember(&self, node: NodeId, lessons: &mut Lessons) {
        if let Some(entry) = self.table.get(&node) {
            lessons.push((node, Some(entry.encode())));
        }
    }
}

impl Strategy for Prospect {
    fn replicates(&self) -> bool {
        true
    }

    /// The entry of this node itself is the price of its room.
    fn info(&mut self, peer: NodeId, now: Timestamp) -> RoutingInfo {
        let price = (self.node, price_to_wire(self.price(now)));
        let told = self.peers.entry(peer).or_default();
        if told.told_it.is_some_and(|at| now.since(at) < TOLD_APART) {
            return RoutingInfo::Meetings(highest(vec![price], 1));
        }
        told.told_it = Some(now);
        let span = self.span(now);
        let here = self.peers.iter().filter(|(_, peer)| peer.is_here);
        let here: Vec<NodeId> = here.map(|(node, _)| *node).collect();
        let known = self.table.iter().filter(|(node, _)| **node != peer);
        let rates = known.map(|(node, entry)| {
            let is_here = here.binary_search(node).is_ok();
            (*node, to_wire(if is_here { PRESENT << POINT } else { entry.rate(span, now) }))
        });
        let mut entries = highest(rates.collect(), RATES_TOLD_MAX - 1);
        entries.extend(highest(vec![price], 1));
        entries.sort_unstable();
        RoutingInfo::Meetings(entries)
    }

    fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp, lessons: &mut Lessons) {
        self.meet(peer, now);
        let mut rates = match info {
            RoutingInfo::Meetings(told) => in_order(told),
            _ => Vec::new(),
        };
        let price = rates.binary_search_by_key(&peer, |(node, _)| *node).map_or(0, |at| rates.remove(at).1);
        self.learn_ways(peer, &rates, now);
        let known = self.peers.entry(peer).or_default();
        (known.is_here, known.heard_at, known.price) = (true, now, price_from_wire(price));
        // Nothing but a price says that it has told the rest a moment ago.
        if !rates.is_empty() {
            known.rates = rates;
        }
        self.remember(peer, lessons);
        self.shrink(now, lessons);
    }

    fn parted(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) {
        let was_here = self.peers.get_mut(&peer).is_some_and(|peer| std::mem::take(&mut peer.is_here));
        // Nothing came from there, so it may be that nothing went there either.
        if let Some(peer) = self.peers.get_mut(&peer).filter(|_| !was_here) {
            peer.told_it = None;
        }
        if let Some(entry) = self.table.get_mut(&peer).filter(|_| was_here) {
            // Nothing is forgotten while a contact lasts.
            (entry.counted, entry.left) = (now, Some(now));
            self.remember(peer, lessons);
        }
        self.shrink(now, lessons);
    }

    fn evicted(&mut self, bundle: &Facts) {
        let rank = self.drop_rank(bundle);
        let price = match self.price(bundle.now) {
            0 => rank,
            price => (price * (PRICE_PARTS - 1) + rank) / PRICE_PARTS,
        };
        self.price = Some((price, bundle.now));
    }

    fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict {
        let theirs = self.rate_of(peer, bundle.destination.node);
        let mine = self.rate(bundle.destination.node, bundle.now);
        let price = self.peers.get(&peer).map_or(0, |peer| peer.price);
        let worth = rank(bundle, theirs);
        let is_hardly_worse = theirs.max(UNKNOWN << POINT) * WORSE_MAX > mine;
        match bundle.copies {
            0 | 1 if price == 0 && self.price(bundle.now) == 0 => Verdict::Copy(1),
            0 | 1 if theirs > mine && worth >= price => Verdict::Copy(1),
            0 | 1 if is_hardly_worse && worth >= price + ABUNDANT => Verdict::Copy(1),
            0 | 1 => Verdict::Keep,
            copies if worth >= price => Verdict::Copy(copies / 2),
            _ => Verdict::Keep,
        }
    }

    fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64 {
        u64::MAX - rank(bundle, self.rate_of(peer, bundle.destination.node))
    }

    fn drop_rank(&self, bundle: &Facts) -> u64 {
        rank(bundle, self.rate(bundle.destination.node, bundle.now))
    }
}

/// What a copy at a node that meets the destination at this rate is worth, with 16 bits after the point.
fn rank(bundle: &Facts, rate: Rate) -> u64 {
    let rate = rate.max(UNKNOWN << POINT);
    let meetings = match rate.checked_mul(bundle.remaining.0) {
        // Far cheaper to divide.
        Some(product) => u128::from(product / DAY.0),
        None => u128::from(rate) * u128::from(bundle.remaining.0) / u128::from(DAY.0),
    };
    let exponent = (meetings * u128::from(PER_LN2)) >> POINT;
    let prospect = ONE - half_to(exponent.min(u128::from(u64::MAX)) as u64);
    RANK_BASE + log2(prospect) - log2(cost_bytes(bundle.size_bytes)).min(RANK_BASE)
}

/// How many half-lives a time is, with 16 bits after the point.
fn halvings(time: Millis) -> u64 {
    // Longer than nine thousand years count as that.
    (time.0.min(u64::MAX >> POINT) << POINT) / HALF_LIFE.0
}

/// What is left of a number after a time.
fn decayed(number: u64, time: Millis) -> u64 {
    ((u128::from(number) * u128::from(half_to(halvings(time)))) >> 31) as u64
}

fn to_wire(rate: Rate) -> u16 {
    ((rate * WIRE_STEPS) >> POINT).min(u16::MAX.into()) as u16
}

fn from_wire(told: u16) -> Rate {
    (u64::from(told) << POINT) / WIRE_STEPS
}

/// A price with 8 bits after the point; one that is not nothing stays so.
fn price_to_wire(price: u64) -> u16 {
    (price >> 8).clamp(u64::from(price > 0), u16::MAX.into()) as u16
}

fn price_from_wire(told: u16) -> u64 {
    u64::from(told) << 8
}

/// Distinguishes the records of this strategy.
const RECORD: u8 = 2;

impl Entry {
    fn rate(&self, span: Millis, now: Timestamp) -> Rate {
        self.direct(span, now).max(self.via(now) / 2)
    }

    /// The count over the time it stands for.
    fn direct(&self, span: Millis, now: Timestamp) -> Rate {
        if self.count == 0 {
            return 0;
        }
        decayed(self.count, now.since(self.counted)) * DAY.0 / span.0
    }

    fn via(&self, now: Timestamp) -> Rate {
        if self.via == 0 { 0 } else { decayed(self.via, now.since(self.via_at)) }
    }

    /// 33 bytes: kind, count, when it was true, when this node first met anybody, when the last contact ended. What others
    /// told is not kept: they will tell again.
    fn encode(&self) -> Vec<u8> {
        let numbers = [self.count, self.counted.0, self.first.0, self.left.unwrap_or(self.counted).0];
        std::iter::once(RECORD).chain(numbers.iter().flat_map(|number| number.to_be_bytes())).collect()
    }

    fn decode(record: &[u8]) -> Option<Entry> {
        let numbers: [u8; 32] = record.strip_prefix(&[RECORD])?.try_into().ok()?;
        let number = |at: usize| u64::from_be_bytes(*numbers[at * 8..].first_chunk().expect("four numbers of 8 bytes"));
        let [count, counted, first, left] = [0, 1, 2, 3].map(number);
        let [counted, first, left] = [counted, first, left].map(Timestamp);
        Some(Entry { count: count.min(COUNT_MAX), counted, first, left: Some(left), ..Entry::default() })
    }
}

/// More meetings than can add up, with one in ten minutes and half of them forgotten after six hours.
const COUNT_MAX: u64 = 64 << POINT;

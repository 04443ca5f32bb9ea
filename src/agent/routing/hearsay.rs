//! What peers tell of their own meetings, and how much of it is believed.
//!
//! A Hello costs nothing, so its words are hints, held apart from the meetings that a node had itself. Five things bound
//! what a liar gets by them, whatever it says and under however many names:
//!
//! ```text
//! little      a teller has 128 words; no word says more than one meeting in ten minutes, which is the most that counts
//! first hand  nobody tells what it heard, so a lie goes no further than to those whom the liar meets
//! of others   words weigh whether the teller gets a copy, and nothing else: no rate of one's own comes of them
//! both ends   a meeting has two of them: "I meet D" is worth no more than what D told of the teller, where D told lately;
//!             and where D did not, as much as the words on others that could be compared were found to be worth
//! record      a teller whose copies lead to receipts less often than those of other peers is believed that much less,
//!             is given as much less of a spray budget, and its room counts as scarce where one's own is
//! ```
//! The third costs the most to do without. PRoPHET lets the words of a peer raise one's own predictability (RFC 6693, its
//! transitive rule); one meeting with a liar then makes a node the best carrier of everything in its own eyes, it keeps
//! its last copies from honest peers that do meet the destinations, and no later doubt in the liar undoes that. Where a
//! fifth of all nodes lie (`simulations/liars.toml`), eight of ten points of delivery were lost to it, and where nobody does
//! it gained nothing.
//!
//! The *record* of a teller is kept by who brings the first receipt for a message that it was handed before: a carrier that
//! forwards nothing hears of nothing. Every teller is believed until it has had its chance, for most new peers are honest
//! and a name costs nothing to change. Receipts for messages between throwaway names can be farmed, so that a record only
//! ever takes belief away. It is forgotten at a restart, and so bounded by memory alone.

use std::collections::{BTreeMap, VecDeque};

use super::fixed_point::POINT;
use super::meetings::Rate;
use super::{RATES_TOLD_MAX, RoutingInfo, highest, in_order};
use crate::id::NodeId;
use crate::time::{HOUR, Millis, Timestamp};

/// Peers whose words are kept after the contact.
const TELLERS_MAX: usize = 64;
/// Steps of a rate on the wire, in one meeting a day.
pub const WIRE_STEPS: u64 = 64;
/// The highest rate believed, on the wire: a meeting in ten minutes.
const WORD_MAX: u16 = 144 * WIRE_STEPS as u16;
/// The word of one end counts against that of the other for so long.
const COMPARED_MAX: Millis = Millis(3 * HOUR.0);
/// A word may be so many times that of the other end: both are rounded, and told at different times.
const ROUNDED_MAX: u64 = 4;
/// … and more than that by so much, on the wire, for what may have happened since: eight meetings a day.
const SINCE_MAX: u64 = 8 * WIRE_STEPS;
/// Words of this sum, on the wire, count as found true before any could be compared: two meetings an hour.
const UNCOMPARED: u64 = 48 * WIRE_STEPS;
/// All of what somebody says or may get, as belief is counted.
const WHOLE: u64 = 1 << 16;
/// Receipts that a teller is given in advance.
const ADVANCE: u64 = 1;
/// Receipts counted before all counts are halved.
const TRIED_MAX: u32 = 256;
/// Most pairs of a peer and a message that it was handed.
const HANDED_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub struct Hearsay {
    tellers: BTreeMap<NodeId, Teller>,
    /// Messages by the first bytes of their ids, and peers that were handed them; oldest first.
    handed: VecDeque<(u64, NodeId)>,
    /// The records of all tellers together.
    all: Record,
}

/// What a peer told, and was told.
#[derive(Debug, Default)]
struct Teller {
    is_here: bool,
    /// When it was last told all there is.
    told_it: Option<Timestamp>,
    heard_at: Timestamp,
    /// When it told its rates.
    rates_at: Timestamp,
    /// The price of its room.
    price: u64,
    rates: Vec<(NodeId, u16)>,
    /// How much of its words is believed, in parts of [`WHOLE`].
    belief: u64,
    record: Record,
}

/// Receipts for messages that a teller was handed, and how many of them it was the first to bring.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    tried: u32,
    brought: u32,
}

impl Hearsay {
    pub fn is_here(&self, peer: NodeId) -> bool {
        self.tellers.get(&peer).is_some_and(|teller| teller.is_here)
    }

    /// When `peer` was last told all there is, to be set.
    pub fn told_it(&mut self, peer: NodeId) -> &mut Option<Timestamp> {
        &mut self.tellers.entry(peer).or_default().told_it
    }

    /// How often `peer` meets `node`, as far as it is believed.
    pub fn rate_of(&self, peer: NodeId, node: NodeId) -> Rate {
        let Some(teller) = self.tellers.get(&peer) else { return 0 };
        let told = teller.word_on(node).unwrap_or(0);
        (from_wire(told) * self.belief_in(teller)) / WHOLE
    }

    /// The part of a spray budget for `peer`: half of it (binary spray-and-wait), and of that as much as its record is good
    /// for. What it gets beyond is a copy that spends nothing.
    pub fn share_of(&self, peer: NodeId, copies: u16) -> u16 {
        let record = self.tellers.get(&peer).map_or(WHOLE, |teller| self.record_of(teller));
        (u64::from(copies / 2) * record / WHOLE) as u16
    }

    /// The price of a peer's room, taken for no less than that of one's own as far as its record is not good.
    pub fn price_at(&self, peer: NodeId, own: u64) -> u64 {
        let Some(teller) = self.tellers.get(&peer) else { return 0 };
        let doubt = WHOLE - self.record_of(teller);
        teller.price + own.saturating_sub(teller.price) * doubt / WHOLE
    }

    /// A peer has no room for what is worth so much: until it tells another price, what is worth half of it need not go.
    pub fn refused(&mut self, peer: NodeId, worth: u64) {
        if let Some(teller) = self.tellers.get_mut(&peer) {
            teller.price = teller.price.max(worth.saturating_sub(1 << POINT));
        }
    }

    /// A contact with `peer` began: hears its words.
    pub fn hear(&mut self, me: NodeId, peer: NodeId, info: &RoutingInfo, now: Timestamp) {
        let mut told = match info {
            RoutingInfo::Meetings(told) => in_order(told),
            _ => Vec::new(),
        };
        let price = told.binary_search_by_key(&peer, |(node, _)| *node).map_or(0, |at| told.remove(at).1);
        told.retain(|(node, _)| *node != me);
        let mut told = highest(told, RATES_TOLD_MAX);
        told.iter_mut().for_each(|(_, rate)| *rate = (*rate).min(WORD_MAX));
        let teller = self.tellers.entry(peer).or_default();
        (teller.is_here, teller.heard_at, teller.price) = (true, now, price_from_wire(price));
        // Nothing but a price says that it has told the rest a moment ago.
        if !told.is_empty() {
            self.compare(peer, told, now);
        }
        self.shrink();
    }

    /// Takes a peer's words for no more than those of the other ends.
    fn compare(&mut self, peer: NodeId, mut told: Vec<(NodeId, u16)>, now: Timestamp) {
        let (mut said, mut found) = (0, 0);
        for (node, rate) in &mut told {
            let other = self.tellers.get(node).filter(|other| now.since(other.rates_at) < COMPARED_MAX);
            let Some(word) = other.and_then(|other| other.word_on(peer)) else { continue };
            let most = u64::from(word) * ROUNDED_MAX + SINCE_MAX;
            said += u64::from(*rate);
            *rate = u64::from(*rate).min(most) as u16;
            found += u64::from(*rate);
        }
        let teller = self.tellers.entry(peer).or_default();
        (teller.rates, teller.rates_at) = (told, now);
        teller.belief = (found + UNCOMPARED) * WHOLE / (said + UNCOMPARED);
    }

    /// A contact ended; false where it never began.
    pub fn part(&mut self, peer: NodeId) -> bool {
        let Some(teller) = self.tellers.get_mut(&peer) else { return false };
        let was_here = std::mem::take(&mut teller.is_here);
        if !was_here {
            // Nothing came from there, so it may be that nothing went there either.
            teller.told_it = None;
        }
        self.shrink();
        was_here
    }

    fn shrink(&mut self) {
        while self.tellers.len() > TELLERS_MAX {
            let away = self.tellers.iter().filter(|(_, teller)| !teller.is_here);
            let Some((_, oldest)) = away.map(|(node, teller)| (teller.heard_at, *node)).min() else { return };
            self.tellers.remove(&oldest);
            self.sum_up();
        }
    }

    /// A peer accepted a message that is for others.
    pub fn handed(&mut self, id: u64, peer: NodeId) {
        if self.handed.len() >= HANDED_MAX {
            self.handed.pop_front();
        }
        self.handed.push_back((id, peer));
    }

    /// `from` is the first to bring the receipt of a message.
    pub fn proven(&mut self, id: u64, from: NodeId) {
        let Hearsay { handed, tellers, .. } = self;
        handed.retain(|(other, peer)| {
            if *other == id
                && let Some(teller) = tellers.get_mut(peer)
            {
                teller.record.tried += 1;
                teller.record.brought += u32::from(*peer == from);
            }
            *other != id
        });
        if tellers.values().any(|teller| teller.record.tried >= TRIED_MAX) {
            tellers.values_mut().for_each(|teller| teller.record.halve());
        }
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let records = self.tellers.values().map(|teller| teller.record);
        self.all = records.fold(Record::default(), |sum, record| Record {
            tried: sum.tried + record.tried,
            brought: sum.brought + record.brought,
        });
    }

    /// How much of a teller's words is believed, by those of others and by its record.
    fn belief_in(&self, teller: &Teller) -> u64 {
        teller.belief * self.record_of(teller) / WHOLE
    }

    /// The receipts it brought, of those that another peer would have brought: all of them at most.
    fn record_of(&self, teller: &Teller) -> u64 {
        let Record { tried, brought } = teller.record;
        let usual = u64::from(tried) * u64::from(self.all.brought) * WHOLE / u64::from(self.all.tried).max(1);
        let brought = (u64::from(brought) + ADVANCE) * WHOLE;
        brought * WHOLE / (usual + ADVANCE * WHOLE).max(brought)
    }
}

impl Teller {
    /// What it told of one node: nothing where it did not tell all it knows.
    fn word_on(&self, node: NodeId) -> Option<u16> {
        match self.rates.binary_search_by_key(&node, |(node, _)| *node) {
            Ok(at) => Some(self.rates[at].1),
            Err(_) if self.rates.is_empty() || self.rates.len() + 1 >= RATES_TOLD_MAX => None,
            Err(_) => Some(0),
        }
    }
}

impl Record {
    fn halve(&mut self) {
        (self.tried, self.brought) = (self.tried / 2, self.brought / 2);
    }
}

pub fn to_wire(rate: Rate) -> u16 {
    ((rate * WIRE_STEPS) >> POINT).min(WORD_MAX.into()) as u16
}

fn from_wire(told: u16) -> Rate {
    (u64::from(told) << POINT) / WIRE_STEPS
}

/// A rate as strangers are told it: 1, 4, 16, 64 or 256 meetings a day, whichever is at most twice or half as many, and
/// nothing below.
pub fn coarse(told: u16) -> u16 {
    let halves = told / (WIRE_STEPS / 2) as u16;
    halves.checked_ilog2().map_or(0, |log| (WIRE_STEPS as u16) << (log & !1))
}

/// A price with 8 bits after the point; one that is not nothing stays so.
pub fn price_to_wire(price: u64) -> u16 {
    (price >> 8).clamp(u64::from(price > 0), u16::MAX.into()) as u16
}

fn price_from_wire(told: u16) -> u64 {
    u64::from(told) << 8
}

//! The default: a copy goes where its prospect is worth the room it takes.
//!
//! The *prospect* of a copy is the chance that who holds it meets the destination within the life that is left, taking
//! meetings for a Poisson process of a rate r learned from meetings past:
//!
//! ```text
//! rate       r(A,D) = meetings of A with D per time, half forgotten after 6 h: as A counted its own, and as B told its own,
//!            as far as B is believed
//! prospect   p = 1 − exp(−r · life left)
//! rank       log2(p / bytes)
//! ```
//!
//! One rank decides everything, as RAPID's marginal utility does (Balasubramanian et al. 2007): the highest goes first in a
//! short contact, the lowest leaves a full store. Dividing by the bytes makes of it the greedy answer to the knapsack that
//! a store and a contact are. The rank of what a store had to evict lately is the *price* of its room, and its Hello tells
//! it, so that nothing goes over a link only to be refused. Where peers have shares, none is told more than its own share
//! costs, or junk of high worth would keep those away who have a right to room; what is refused then teaches the rest.
//!
//! How many copies there are follows from need. Spray copies are halved to whoever has room at that price (binary
//! spray-and-wait); the holder of the last one still copies to whoever is likelier to meet the destination, as PRoPHET does,
//! and to whoever is hardly less likely where a copy is worth four times the price, for a budget that was right for a village
//! is small for a town; and as long as neither node had to evict anything lately, room costs nothing and everybody gets everything.
//!
//! Where the destination itself is in contact no prospect is better: it gets the bundle alone (`../graces.rs`), and receipts
//! go to nobody who could learn nothing from them (`../proofs.rs`).
//!
//! What a Hello tells are meetings that its node itself had, never who is in contact with it now. People whom its person
//! named, and nodes that are met often anyway, are told them as they are; anybody else learns the highest of them in steps
//! of four times. `hearsay.rs` says how much of such words is believed.

use super::fixed_point::{ONE, POINT, half_to, log2};
use super::hearsay::{Hearsay, coarse, price_to_wire, to_wire};
use super::meetings::{Meetings, PER_LN2, Rate};
use super::{Facts, Learned, Lessons, RATES_TOLD_MAX, Strategy, Verdict, highest};
use crate::agent::custody::cost_bytes;
use crate::frame::RoutingInfo;
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, HOUR, MINUTE, Millis, Timestamp};

/// The rate of a node that is in contact now, in meetings a day: once in three minutes.
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
/// Added to ranks, so that the smallest prospect of the largest bundle is above zero.
const RANK_BASE: u64 = 32 << POINT;

#[derive(Debug)]
pub struct Prospect {
    node: NodeId,
    meetings: Meetings,
    hearsay: Hearsay,
    /// The rank of what was evicted lately and when that was last; none where nothing was.
    price: Option<(u64, Timestamp)>,
}

impl Prospect {
    pub fn new(node: NodeId, learned: &mut Learned) -> Prospect {
        Prospect { node, meetings: Meetings::new(learned), hearsay: Hearsay::default(), price: None }
    }

    /// How often this node meets `node`, by what it saw itself.
    fn rate(&self, node: NodeId, now: Timestamp) -> Rate {
        if self.hearsay.is_here(node) {
            return PRESENT << POINT;
        }
        self.meetings.rate(node, now)
    }

    fn price(&self, now: Timestamp) -> u64 {
        self.price.filter(|(_, at)| now.since(*at) < PRICE_LASTS).map_or(0, |(price, _)| price)
    }
}

impl Strategy for Prospect {
    fn replicates(&self) -> bool {
        true
    }

    fn favours_present(&self) -> bool {
        true
    }

    fn floods_receipts(&self) -> bool {
        false
    }

    fn set_named(&mut self, node: NodeId, is_named: bool) {
        self.meetings.set_named(node, is_named);
    }

    /// The entry of this node itself is the price of its room.
    fn info(&mut self, peer: NodeId, price_max: u64, now: Timestamp) -> RoutingInfo {
        let price = (self.node, price_to_wire(self.price(now).min(price_max)));
        let told_it = self.hearsay.told_it(peer);
        if told_it.is_some_and(|at| now.since(at) < TOLD_APART) {
            return RoutingInfo::Meetings(highest(vec![price], 1));
        }
        *told_it = Some(now);
        let is_familiar = self.meetings.is_familiar(peer, now);
        let told = |rate| if is_familiar { to_wire(rate) } else { coarse(to_wire(rate)) };
        let others = self.meetings.rates(now).filter(|(node, _)| *node != peer);
        let mut entries = highest(others.map(|(node, rate)| (node, told(rate))).collect(), RATES_TOLD_MAX - 1);
        entries.extend(highest(vec![price], 1));
        entries.sort_unstable();
        RoutingInfo::Meetings(entries)
    }

    fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp, lessons: &mut Lessons) {
        self.meetings.begin(peer, now, lessons);
        self.hearsay.hear(self.node, peer, info, now);
    }

    fn last_met(&self) -> Option<Timestamp> {
        self.meetings.last()
    }

    fn remembers_meetings(&self) -> bool {
        true
    }

    fn parted(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) {
        if self.hearsay.part(peer) {
            self.meetings.end(peer, now, lessons);
        }
    }

    fn handed(&mut self, id: &BundleId, peer: NodeId) {
        self.hearsay.handed(id.prefix(), peer);
    }

    fn proven(&mut self, id: &BundleId, from: NodeId) {
        self.hearsay.proven(id.prefix(), from);
    }

    fn evicted(&mut self, bundle: &Facts) {
        let rank = self.drop_rank(bundle);
        let price = match self.price(bundle.now) {
            0 => rank,
            price => (price * (PRICE_PARTS - 1) + rank) / PRICE_PARTS,
        };
        self.price = Some((price, bundle.now));
    }

    fn refused(&mut self, bundle: &Facts, peer: NodeId) {
        let worth = rank(bundle, self.hearsay.rate_of(peer, bundle.destination.node));
        self.hearsay.refused(peer, worth);
    }

    fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict {
        let theirs = self.hearsay.rate_of(peer, bundle.destination.node);
        let mine = self.rate(bundle.destination.node, bundle.now);
        let price = self.hearsay.price_at(peer, self.price(bundle.now));
        let worth = rank(bundle, theirs);
        let is_hardly_worse = theirs.max(UNKNOWN << POINT) * WORSE_MAX > mine;
        match bundle.copies {
            0 | 1 if price == 0 && self.price(bundle.now) == 0 => Verdict::Copy(1),
            0 | 1 if theirs > mine && worth >= price => Verdict::Copy(1),
            0 | 1 if is_hardly_worse && worth >= price + ABUNDANT => Verdict::Copy(1),
            0 | 1 => Verdict::Keep,
            copies if worth >= price => Verdict::Copy(self.hearsay.share_of(peer, copies)),
            _ => Verdict::Keep,
        }
    }

    fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64 {
        u64::MAX - rank(bundle, self.hearsay.rate_of(peer, bundle.destination.node))
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

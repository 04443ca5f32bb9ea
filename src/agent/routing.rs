//! Routing: strategies that see facts and return a verdict.
//!
//! A strategy never touches custody or contacts. The agent hands over bundles for the peer itself without asking; all
//! else it asks about, one bundle and one peer at a time. What a strategy learns and must keep over a restart leaves as
//! records that the agent commits.
//!
//! # Whom the default believes
//!
//! A copy goes where its prospect is good, and of that a node knows two things: whom it met itself, and what peers say.
//!
//! - *Meetings* (`meetings.rs`) cannot be talked up: a peer proves its key when it connects, and one in ten minutes is the
//!   most that counts. They have a table of their own, are all that outlives a restart, and all that a Hello tells.
//! - *Hearsay* (`hearsay.rs`) decides only whether the peer that says it gets a copy. It is not kept for others, not
//!   repeated, never a rate of one's own, and believed as far as the other end of the claimed meetings agrees and as the
//!   teller's copies have led to receipts: evidence of delivery is the one thing that a carrier which drops what it takes
//!   cannot show, for the destination signs it.
//!
//! PRoPHET as published (RFC 6693) takes every Hello at its word and passes it on; its section 6 says that routing can be
//! manipulated that way and leaves the answer to deployments. Here it is kept as published, to compare with. Sprayed
//! copies are the other half of the answer (Spyropoulos et al. 2005): a budget goes to several carriers, a doubtful one
//! gets little or nothing of it, and its copy is one more rather than one instead. The destination gets its bundles
//! whatever anybody says.

mod chance;
mod epidemic;
mod fixed_point;
mod hearsay;
mod learned;
mod meetings;
mod prophet;
mod prospect;
mod spray;

use std::collections::BTreeMap;

use crate::bundle::{Kind, Priority};
use crate::eid::Eid;
use crate::frame::{ROUTING_ENTRIES_MAX, RoutingInfo};
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Timestamp};

pub use self::prophet::{Forwarding, Parameters};

use self::learned::Learned;

/// Most predictabilities that a Hello tells under PRoPHET, the highest: 17 kB.
pub const ENTRIES_TOLD_MAX: usize = 512;
/// Most rates that it tells under the default strategy, the highest: 4 kB. What is seldom met through a peer is no reason
/// to give it a copy, and in a short contact a long Hello takes the place of bundles.
pub const RATES_TOLD_MAX: usize = 128;

/// What a strategy may know of one bundle.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub now: Timestamp,
    pub kind: Kind,
    pub destination: &'a Eid,
    pub priority: Priority,
    /// Spray copies left here, this one included.
    pub copies: u16,
    pub age: Millis,
    pub remaining: Millis,
    pub hop_count: u8,
    pub size_bytes: u32,
}

/// What to do with one bundle and one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// Hand over a copy with so many spray copies.
    Copy(u16),
}

/// Changes of what a strategy learned: a record per node, none where it is forgotten.
pub type Lessons = Vec<(NodeId, Option<Vec<u8>>)>;

/// A routing policy.
pub trait Strategy {
    /// Whether anything is ever handed to a node that is not its destination.
    fn replicates(&self) -> bool;

    /// Whether a bundle whose destination is in contact goes there first and to nobody else meanwhile.
    fn favours_present(&self) -> bool {
        false
    }

    /// Whether receipts go to everybody: they are small, and they let carriers forget. Otherwise they go to whoever is known
    /// to hold a copy, and are routed as messages are.
    fn floods_receipts(&self) -> bool {
        self.replicates()
    }

    /// The person names a node, or does so no longer.
    fn set_named(&mut self, _node: NodeId, _is_named: bool) {}

    /// What the next Hello to `peer` says, with no higher price of this node's room than `price_max`.
    fn info(&mut self, peer: NodeId, price_max: u64, now: Timestamp) -> RoutingInfo;

    /// A contact with `peer` began, and its Hello said `info`.
    fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp, lessons: &mut Lessons);

    /// When a contact last began or ended, also before a restart; none where the strategy remembers none.
    fn last_met(&self) -> Option<Timestamp> {
        None
    }

    /// Whether [`Strategy::last_met`] says none only where there never was a contact.
    fn remembers_meetings(&self) -> bool {
        false
    }

    /// A contact ended.
    fn parted(&mut self, _peer: NodeId, _now: Timestamp, _lessons: &mut Lessons) {}

    /// `peer` accepted a message that is for another.
    fn handed(&mut self, _id: &BundleId, _peer: NodeId) {}

    /// The destination signed that it has a message; `from`, which is another, was the first to bring the receipt.
    fn proven(&mut self, _id: &BundleId, _from: NodeId) {}

    /// A copy had to leave for want of room.
    fn evicted(&mut self, _bundle: &Facts) {}

    /// `peer` has no room for a bundle.
    fn refused(&mut self, _bundle: &Facts, _peer: NodeId) {}

    /// Whether `peer`, which is not the destination, gets the bundle.
    fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict;

    /// Which goes first to `peer`: lower ranks do.
    fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64;

    /// Which is dropped first when room is short: lower ranks are.
    fn drop_rank(&self, bundle: &Facts) -> u64;
}

/// Which strategy, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Policy {
    /// Hands bundles to their destinations only.
    Direct,
    /// Hands everything to everybody.
    Epidemic,
    /// Binary spray-and-wait: each hop hands on half of its copies (Spyropoulos et al. 2005).
    SprayAndWait,
    /// PRoPHETv2: to whoever is likelier to meet the destination (RFC 6693).
    Prophet(Parameters),
    /// Where the prospect of delivery is worth the room; the default.
    Prospect,
}

impl Policy {
    /// The usual spray budget of a message: 8 for spray-and-wait as published; 23, the most that one byte of CBOR says,
    /// where the last copies still find their way.
    pub fn copies(&self) -> u16 {
        match self {
            Policy::Prospect => 23,
            _ => 8,
        }
    }
}

/// The strategy of one agent.
#[derive(Debug)]
pub struct Routing {
    kind: Kinds,
    /// Records of another strategy, to be forgotten.
    stale: Vec<NodeId>,
}

/// The strategies there are.
#[derive(Debug)]
enum Kinds {
    Direct(epidemic::Direct),
    Epidemic(epidemic::Epidemic),
    SprayAndWait(spray::SprayAndWait),
    Prophet(Box<prophet::Prophet>),
    Prospect(Box<prospect::Prospect>),
}

impl Routing {
    /// Builds the strategy with what it learned before.
    pub fn new(policy: &Policy, node: NodeId, learned: &BTreeMap<NodeId, Vec<u8>>) -> Routing {
        let mut learned = Learned::new(learned);
        let kind = match policy {
            Policy::Direct => Kinds::Direct(epidemic::Direct),
            Policy::Epidemic => Kinds::Epidemic(epidemic::Epidemic),
            Policy::SprayAndWait => Kinds::SprayAndWait(spray::SprayAndWait),
            Policy::Prophet(parameters) => {
                Kinds::Prophet(Box::new(prophet::Prophet::new(parameters, node, &mut learned)))
            }
            Policy::Prospect => Kinds::Prospect(Box::new(prospect::Prospect::new(node, &mut learned))),
        };
        Routing { kind, stale: learned.into_stale() }
    }

    fn strategy(&self) -> &dyn Strategy {
        match &self.kind {
            Kinds::Direct(strategy) => strategy,
            Kinds::Epidemic(strategy) => strategy,
            Kinds::SprayAndWait(strategy) => strategy,
            Kinds::Prophet(strategy) => &**strategy,
            Kinds::Prospect(strategy) => &**strategy,
        }
    }

    fn strategy_mut(&mut self) -> &mut dyn Strategy {
        match &mut self.kind {
            Kinds::Direct(strategy) => strategy,
            Kinds::Epidemic(strategy) => strategy,
            Kinds::SprayAndWait(strategy) => strategy,
            Kinds::Prophet(strategy) => &mut **strategy,
            Kinds::Prospect(strategy) => &mut **strategy,
        }
    }

    pub fn replicates(&self) -> bool {
        self.strategy().replicates()
    }

    pub fn favours_present(&self) -> bool {
        self.strategy().favours_present()
    }

    pub fn set_named(&mut self, node: NodeId, is_named: bool) {
        self.strategy_mut().set_named(node, is_named);
    }

    pub fn info(&mut self, peer: NodeId, price_max: u64, now: Timestamp) -> RoutingInfo {
        self.strategy_mut().info(peer, price_max, now)
    }

    pub fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp) -> Lessons {
        let mut lessons: Lessons = std::mem::take(&mut self.stale).into_iter().map(|node| (node, None)).collect();
        self.strategy_mut().met(peer, info, now, &mut lessons);
        lessons
    }

    pub fn parted(&mut self, peer: NodeId, now: Timestamp) -> Lessons {
        let mut lessons = Lessons::new();
        self.strategy_mut().parted(peer, now, &mut lessons);
        lessons
    }

    pub fn last_met(&self) -> Option<Timestamp> {
        self.strategy().last_met()
    }

    pub fn remembers_meetings(&self) -> bool {
        self.strategy().remembers_meetings()
    }

    pub fn floods_receipts(&self) -> bool {
        self.strategy().floods_receipts()
    }

    pub fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict {
        match bundle.kind {
            Kind::Receipt if self.floods_receipts() => Verdict::Copy(1),
            _ => self.strategy().verdict(bundle, peer),
        }
    }

    pub fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64 {
        self.strategy().send_rank(bundle, peer)
    }

    pub fn handed(&mut self, id: &BundleId, peer: NodeId) {
        self.strategy_mut().handed(id, peer);
    }

    pub fn proven(&mut self, id: &BundleId, from: NodeId) {
        self.strategy_mut().proven(id, from);
    }

    pub fn evicted(&mut self, bundle: &Facts) {
        self.strategy_mut().evicted(bundle);
    }

    pub fn refused(&mut self, bundle: &Facts, peer: NodeId) {
        self.strategy_mut().refused(bundle, peer);
    }

    pub fn drop_rank(&self, bundle: &Facts) -> u64 {
        self.strategy().drop_rank(bundle)
    }
}

/// A strategy that learns nothing says nothing and ranks by remaining life.
fn by_remaining_life(bundle: &Facts) -> u64 {
    bundle.remaining.0
}

/// What a peer told, fit to be searched: rising by node, each node once, no more than a Hello may carry.
fn in_order(told: &[(NodeId, u16)]) -> Vec<(NodeId, u16)> {
    let mut told = told[..told.len().min(ROUTING_ENTRIES_MAX)].to_vec();
    told.sort_unstable();
    told.dedup_by_key(|(node, _)| *node);
    told
}

/// The highest numbers, at most `limit` and none of them zero, rising by node.
fn highest(mut entries: Vec<(NodeId, u16)>, limit: usize) -> Vec<(NodeId, u16)> {
    entries.retain(|(_, number)| *number > 0);
    if entries.len() > limit {
        entries.select_nth_unstable_by_key(limit, |(node, number)| (std::cmp::Reverse(*number), *node));
        entries.truncate(limit);
        entries.sort_unstable();
    }
    entries
}

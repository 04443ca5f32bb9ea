//! Routing: strategies that see facts and return a verdict.
//!
//! A strategy never touches custody or contacts. The agent hands over bundles for the peer itself without asking; all
//! else it asks about, one bundle and one peer at a time. What a strategy learns and must keep over a restart leaves as
//! records that the agent commits.

mod epidemic;
mod spray;

use std::collections::BTreeMap;

use crate::bundle::{Kind, Priority};
use crate::eid::Eid;
use crate::frame::RoutingInfo;
use crate::id::NodeId;
use crate::time::{Millis, Timestamp};

/// What a strategy may know of one bundle.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
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
    /// Hand over custody itself.
    Move,
}

/// Changes of what a strategy learned: a record per node, none where it is forgotten.
pub type Lessons = Vec<(NodeId, Option<Vec<u8>>)>;

/// A routing policy.
pub trait Strategy {
    /// Whether anything is ever handed to a node that is not its destination.
    fn replicates(&self) -> bool;

    /// What the next Hello to `peer` says.
    fn info(&mut self, peer: NodeId, now: Timestamp) -> RoutingInfo;

    /// A contact with `peer` began, and its Hello said `info`.
    fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp, lessons: &mut Lessons);

    /// A contact ended.
    fn parted(&mut self, _peer: NodeId, _now: Timestamp) {}

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
}

/// The strategies there are.
#[derive(Debug)]
pub enum Routing {
    Direct(epidemic::Direct),
    Epidemic(epidemic::Epidemic),
    SprayAndWait(spray::SprayAndWait),
}

impl Routing {
    /// Builds the strategy with what it learned before.
    pub fn new(policy: &Policy, _node: NodeId, _learned: &BTreeMap<NodeId, Vec<u8>>) -> Routing {
        match policy {
            Policy::Direct => Routing::Direct(epidemic::Direct),
            Policy::Epidemic => Routing::Epidemic(epidemic::Epidemic),
            Policy::SprayAndWait => Routing::SprayAndWait(spray::SprayAndWait),
        }
    }

    fn strategy(&self) -> &dyn Strategy {
        match self {
            Routing::Direct(strategy) => strategy,
            Routing::Epidemic(strategy) => strategy,
            Routing::SprayAndWait(strategy) => strategy,
        }
    }

    fn strategy_mut(&mut self) -> &mut dyn Strategy {
        match self {
            Routing::Direct(strategy) => strategy,
            Routing::Epidemic(strategy) => strategy,
            Routing::SprayAndWait(strategy) => strategy,
        }
    }

    pub fn replicates(&self) -> bool {
        self.strategy().replicates()
    }

    pub fn info(&mut self, peer: NodeId, now: Timestamp) -> RoutingInfo {
        self.strategy_mut().info(peer, now)
    }

    pub fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp) -> Lessons {
        let mut lessons = Lessons::new();
        self.strategy_mut().met(peer, info, now, &mut lessons);
        lessons
    }

    pub fn parted(&mut self, peer: NodeId, now: Timestamp) {
        self.strategy_mut().parted(peer, now);
    }

    /// Receipts go to everybody wherever anything is replicated: they are small, and they let carriers forget.
    pub fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict {
        match bundle.kind {
            Kind::Receipt if self.replicates() => Verdict::Copy(1),
            _ => self.strategy().verdict(bundle, peer),
        }
    }

    pub fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64 {
        self.strategy().send_rank(bundle, peer)
    }

    pub fn drop_rank(&self, bundle: &Facts) -> u64 {
        self.strategy().drop_rank(bundle)
    }
}

/// A strategy that learns nothing says nothing and ranks by remaining life.
fn by_remaining_life(bundle: &Facts) -> u64 {
    bundle.remaining.0
}

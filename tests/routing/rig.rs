//! A few strategies without agents: they meet, and what they learn is kept as a store would keep it.

use std::collections::BTreeMap;

use dak::agent::routing::{Facts, Lessons, Policy, Routing, Verdict};
use dak::bundle::{Kind, Priority};
use dak::eid::Eid;
use dak::frame::RoutingInfo;
use dak::id::NodeId;
use dak::time::{HOUR, Millis, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub struct Rig {
    pub policy: Policy,
    pub routings: Vec<Routing>,
    pub learned: Vec<BTreeMap<NodeId, Vec<u8>>>,
    pub now: Timestamp,
    /// Friends that were told something.
    friends: usize,
}

/// Named by none, and never met.
const STRANGER: usize = 1_000_000;
/// The first of those that are named and never met.
const FRIENDS: usize = 1_000_001;

/// The name of the n-th node; names rise with numbers.
pub fn node(n: usize) -> NodeId {
    let mut key = [7; 32];
    key[..4].copy_from_slice(&(n as u32).to_be_bytes());
    NodeId::from_trusted(key)
}

impl Rig {
    /// Nodes whose persons know each other, so that they are told all there is to tell.
    pub fn new(policy: Policy, nodes: usize) -> Rig {
        let learned = vec![BTreeMap::new(); nodes];
        let routings = (0..nodes).map(|n| Routing::new(&policy, node(n), &learned[n])).collect();
        let mut rig = Rig { policy, routings, learned, now: Timestamp(1_000_000), friends: 0 };
        (0..nodes).for_each(|n| rig.name_all(n));
        rig
    }

    fn name_all(&mut self, n: usize) {
        (0..self.routings.len()).for_each(|other| self.routings[n].set_named(node(other), true));
    }

    pub fn pass(&mut self, span: Millis) {
        self.now = self.now + span;
    }

    /// A contact begins: both speak before either listens. Returns what they said.
    pub fn up(&mut self, a: usize, b: usize) -> [RoutingInfo; 2] {
        let said =
            [self.routings[a].info(node(b), u64::MAX, self.now), self.routings[b].info(node(a), u64::MAX, self.now)];
        self.hear(a, b, &said[1]);
        self.hear(b, a, &said[0]);
        said
    }

    /// What a Hello of `n` to `peer` says.
    pub fn told_to(&mut self, n: usize, peer: usize) -> RoutingInfo {
        self.routings[n].info(node(peer), u64::MAX, self.now)
    }

    /// `n` hears the Hello of `peer`.
    pub fn hear(&mut self, n: usize, peer: usize, info: &RoutingInfo) {
        let lessons = self.routings[n].met(node(peer), info, self.now);
        self.keep(n, lessons);
    }

    pub fn down(&mut self, a: usize, b: usize) {
        for (n, peer) in [(a, b), (b, a)] {
            let lessons = self.routings[n].parted(node(peer), self.now);
            self.keep(n, lessons);
        }
    }

    pub fn meet(&mut self, a: usize, b: usize) {
        self.up(a, b);
        self.down(a, b);
    }

    fn keep(&mut self, n: usize, lessons: Lessons) {
        for (node, record) in lessons {
            match record {
                Some(record) => drop(self.learned[n].insert(node, record)),
                None => drop(self.learned[n].remove(&node)),
            }
        }
    }

    pub fn restart(&mut self, n: usize) {
        self.routings[n] = Routing::new(&self.policy, node(n), &self.learned[n]);
        self.name_all(n);
    }

    pub fn verdict(&self, n: usize, peer: usize, destination: usize) -> Verdict {
        self.verdict_on(n, peer, destination, 1)
    }

    pub fn verdict_on(&self, n: usize, peer: usize, destination: usize, copies: u16) -> Verdict {
        let destination = Eid::mail(node(destination));
        self.routings[n].verdict(&Facts { copies, ..facts(self.now, &destination) }, node(peer))
    }

    /// The numbers that a Hello of `n` tells one more peer that is named, to whom everything is new.
    pub fn told(&mut self, n: usize) -> BTreeMap<NodeId, u16> {
        let friend = FRIENDS + self.friends;
        self.friends += 1;
        self.routings[n].set_named(node(friend), true);
        self.numbers(n, friend)
    }

    /// … to a stranger.
    pub fn told_a_stranger(&mut self, n: usize) -> BTreeMap<NodeId, u16> {
        self.numbers(n, STRANGER)
    }

    fn numbers(&mut self, n: usize, to: usize) -> BTreeMap<NodeId, u16> {
        match self.routings[n].info(node(to), u64::MAX, self.now) {
            RoutingInfo::Predictabilities(told) | RoutingInfo::Meetings(told) => {
                assert!(told.is_sorted_by(|a, b| a.0 < b.0), "a Hello's entries rise");
                told.into_iter().collect()
            }
            RoutingInfo::None => BTreeMap::new(),
        }
    }
}

/// A bundle of middle age.
pub fn facts(now: Timestamp, destination: &Eid) -> Facts<'_> {
    Facts {
        now,
        kind: Kind::Message,
        destination,
        priority: Priority::Normal,
        copies: 1,
        age: HOUR,
        remaining: HOUR,
        hop_count: 1,
        size_bytes: 1_000,
    }
}

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }
}

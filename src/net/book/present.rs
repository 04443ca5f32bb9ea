//! Who is connected, and which of the contacts found by chance leaves next.
//!
//! Who dialed in takes no place of those this node dials itself: or a dozen strangers that dial in would be all it ever
//! meets. What it dialed by chance is bounded; past the bound one of them leaves, as soon as it moves nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::id::NodeId;
use crate::net::jitter::Jitter;

/// How long a contact past the bound may stay although it moves nothing, and how long one that moves something is left
/// alone before it is looked at again.
pub const LINGER: Duration = Duration::from_secs(30);

/// How a connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Way {
    /// The peer dialed.
    In,
    /// The owner named the peer, or something was held for it.
    Asked,
    /// Multicast told of it.
    Heard,
    Chance,
}

#[derive(Default)]
pub(super) struct Present(BTreeMap<NodeId, Guest>);

struct Guest {
    way: Way,
    /// It is one too many: when to look whether it may go.
    leaves: Option<Instant>,
}

impl Present {
    pub fn insert(&mut self, peer: NodeId, way: Way) {
        self.0.entry(peer).or_insert(Guest { way, leaves: None });
    }

    /// Returns whether it was to leave.
    pub fn remove(&mut self, peer: NodeId) -> bool {
        self.0.remove(&peer).is_some_and(|guest| guest.leaves.is_some())
    }

    pub fn contains(&self, peer: &NodeId) -> bool {
        self.0.contains_key(peer)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many this node dialed.
    pub fn dialed(&self) -> usize {
        self.0.values().filter(|guest| guest.way != Way::In).count()
    }

    /// How many of them it dialed by hearsay or chance, and has no name for.
    pub fn found(&self, named: impl Fn(&NodeId) -> bool) -> usize {
        let found = |(peer, guest): &(&NodeId, &Guest)| matches!(guest.way, Way::Heard | Way::Chance) && !named(peer);
        self.0.iter().filter(found).count()
    }

    /// Those it dialed for no reason that lasts, and that are to stay; `lasting` tells who has one.
    pub fn by_chance<'a>(&'a self, lasting: impl Fn(&NodeId) -> bool + 'a) -> impl Iterator<Item = NodeId> + 'a {
        let stays = |guest: &Guest| guest.way != Way::In && guest.leaves.is_none();
        self.0.iter().filter(move |(peer, guest)| stays(guest) && !lasting(peer)).map(|(peer, _)| *peer)
    }

    /// A contact is up, and there may be one too many: a peer found by chance takes the place of another, any other
    /// newcomer leaves when it has said what it came for.
    pub fn make_room(
        &mut self,
        peer: NodeId,
        max: usize,
        now: Instant,
        lasting: impl Fn(&NodeId) -> bool,
        jitter: &mut Jitter,
    ) {
        let others: Vec<_> = self.by_chance(&lasting).filter(|other| *other != peer).collect();
        let Some(Guest { way, .. }) = self.0.get(&peer) else { return };
        if *way == Way::In || lasting(&peer) || others.len() < max {
            return;
        }
        match (way, others.len()) {
            (Way::Chance, count) if count > 0 => self.send_off(others[jitter.below(count)], now),
            _ => self.send_off(peer, now + LINGER),
        }
    }

    /// One of those found by chance is to go for somebody who matters more.
    pub fn give_way(&mut self, now: Instant, lasting: impl Fn(&NodeId) -> bool, jitter: &mut Jitter) {
        let leaving = self.0.values().any(|guest| guest.leaves.is_some());
        let others: Vec<_> = self.by_chance(lasting).collect();
        if !leaving && !others.is_empty() {
            self.send_off(others[jitter.below(others.len())], now);
        }
    }

    /// Those that are to go now, if they move nothing; who does is looked at again later.
    pub fn leaving(&mut self, now: Instant, lasting: impl Fn(&NodeId) -> bool) -> Vec<NodeId> {
        let mut leaving = Vec::new();
        for (peer, guest) in &mut self.0 {
            if lasting(peer) {
                guest.leaves = None;
            } else if guest.leaves.is_some_and(|at| at <= now) {
                guest.leaves = Some(now + LINGER);
                leaving.push(*peer);
            }
        }
        leaving
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.values().filter_map(|guest| guest.leaves).min()
    }

    fn send_off(&mut self, peer: NodeId, at: Instant) {
        if let Some(guest) = self.0.get_mut(&peer) {
            guest.leaves = Some(at);
        }
    }
}

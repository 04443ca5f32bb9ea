//! Bundles that peers offered: each is asked of one of them, and of the next where that one does not hand it over.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::{MINUTE, Millis, Timestamp};

/// Most ids that peers are asked for at once.
const ASKED_MAX: usize = 16_384;
/// How long the peer that was asked may hand over nothing at all before the next is asked.
const PATIENCE: Millis = MINUTE;
/// How long it may hand over other things first.
const PATIENCE_MAX: Millis = Millis(10 * MINUTE.0);

/// Who is asked for what.
pub type Requests = BTreeMap<NodeId, Vec<BundleId>>;

/// What was asked for and has not come yet.
#[derive(Debug, Default)]
pub struct Offers {
    by_id: BTreeMap<BundleId, Asked>,
    by_end: BTreeSet<(Timestamp, BundleId)>,
    /// When each peer last handed over anything.
    last_from: BTreeMap<NodeId, Timestamp>,
}

#[derive(Debug)]
struct Asked {
    since: Timestamp,
    until: Timestamp,
    /// Who offered it; the first was asked.
    peers: Vec<NodeId>,
}

impl Offers {
    /// Notes an offer; true when the id should be asked for from `peer` now.
    pub fn note(&mut self, id: BundleId, peer: NodeId, now: Timestamp) -> bool {
        if let Some(asked) = self.by_id.get_mut(&id) {
            if !asked.peers.contains(&peer) {
                asked.peers.push(peer);
            }
            return false;
        }
        if self.by_id.len() < ASKED_MAX {
            self.ask(id, vec![peer], now);
        }
        // With the table full it is asked for all the same: a second copy costs traffic, nothing more.
        true
    }

    /// The bundle came, or is known by now.
    pub fn settle(&mut self, id: &BundleId) {
        if let Some(asked) = self.by_id.remove(id) {
            self.by_end.remove(&(asked.until, *id));
        }
    }

    /// A peer handed over something.
    pub fn heard(&mut self, peer: NodeId, now: Timestamp) {
        self.last_from.insert(peer, now);
    }

    /// What `peer` has of this id is of no use; returns who else is to be asked.
    pub fn pass_over(&mut self, id: &BundleId, peer: NodeId, now: Timestamp) -> Option<NodeId> {
        let asked = self.by_id.get_mut(id)?;
        let was_asked = asked.peers.first() == Some(&peer);
        asked.peers.retain(|other| *other != peer);
        if !was_asked {
            return None;
        }
        let peers = std::mem::take(&mut asked.peers);
        self.settle(id);
        let next = *peers.first()?;
        self.ask(*id, peers, now);
        Some(next)
    }

    /// A peer is gone: what it was asked for is asked of others who offered it.
    pub fn lose(&mut self, peer: NodeId, now: Timestamp) -> Requests {
        self.last_from.remove(&peer);
        let offered = self.by_id.iter().filter(|(_, asked)| asked.peers.contains(&peer));
        let ids: Vec<BundleId> = offered.map(|(id, _)| *id).collect();
        self.pass_over_all(ids.into_iter().map(|id| (id, peer)), now)
    }

    /// When somebody's time to hand something over ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.by_end.first().map(|(end, _)| *end)
    }

    /// Turns to the next wherever the one that was asked took too long.
    pub fn lapse(&mut self, now: Timestamp) -> Requests {
        let mut late = Vec::new();
        while let Some((end, id)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            self.by_end.remove(&(end, id));
            let asked = self.by_id.get_mut(&id).expect("what ends was asked for");
            let busy_until = self.last_from.get(&asked.peers[0]).map_or(end, |last| *last + PATIENCE);
            asked.until = busy_until.min(asked.since + PATIENCE_MAX);
            if asked.until > now {
                self.by_end.insert((asked.until, id));
            } else {
                late.push((id, asked.peers[0]));
            }
        }
        self.pass_over_all(late.into_iter(), now)
    }

    fn pass_over_all(&mut self, who: impl Iterator<Item = (BundleId, NodeId)>, now: Timestamp) -> Requests {
        let mut requests = Requests::new();
        for (id, peer) in who {
            if let Some(next) = self.pass_over(&id, peer, now) {
                requests.entry(next).or_default().push(id);
            }
        }
        requests
    }

    fn ask(&mut self, id: BundleId, peers: Vec<NodeId>, now: Timestamp) {
        let until = if planted::is("agent-offers-never-lapse") { Timestamp(u64::MAX) } else { now + PATIENCE };
        self.by_end.insert((until, id));
        self.by_id.insert(id, Asked { since: now, until, peers });
    }
}

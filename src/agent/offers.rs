//! Bundles that peers offered: each is asked of one of them, and after a few seconds of another.
//!
//! ```text
//! first offer     asked at once: nobody else may ever offer it
//! another offer   noted; asked at once where the peer asked before it is known to stall and this one is not
//! time is over    another of those who offered is asked: named people first, then those who stalled least, ties at random
//! too many offer  of strangers, those who stalled most make way first, ties at random
//! it comes        whoever else was asked hears that it is known, and sends it no more
//! no room         for the peer that brings it: of the others one is asked for whom there is
//! ```
//! The time is that of the id, not of the peer: a peer that hands over other things keeps nothing waiting by that. It serves
//! what it is asked for one by one, so an id that is asked behind others has their time too, up to a bound. A peer whose
//! time was over counts as one that stalls until it has handed over as much as it was asked for in vain, also in a later
//! contact.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use crate::id::{BundleId, NodeId};
use crate::time::{Millis, SECOND, Timestamp};

/// Most ids that peers are asked for at once.
pub const ASKED_MAX: usize = 16_384;
/// Most peers remembered as having offered the same id.
pub const OFFERERS_MAX: usize = 16;
/// Most peers remembered as having stalled.
pub const STALLERS_MAX: usize = 1_024;
/// How long a peer may take to hand over one thing it was asked for.
const PATIENCE: Millis = Millis(5 * SECOND.0);
/// How long it may take where it was asked for others before.
const PATIENCE_MAX: Millis = Millis(30 * SECOND.0);

/// Who is asked for what.
pub type Requests = BTreeMap<NodeId, Vec<BundleId>>;

/// What was asked for and has not come yet.
#[derive(Debug)]
pub struct Offers {
    dice: ChaCha8Rng,
    by_id: BTreeMap<BundleId, Asked>,
    by_end: BTreeSet<(Timestamp, BundleId)>,
    /// How many ids each peer is asked for.
    owed: BTreeMap<NodeId, u64>,
    /// How often each peer was asked in vain, less what it handed over since.
    stalls: BTreeMap<NodeId, u32>,
}

/// Who is left of those who had to do with an id.
#[derive(Debug, Default)]
pub struct Settled {
    /// Who was asked for it too.
    pub asked: Vec<NodeId>,
    /// Who offered it and was not asked.
    pub others: Vec<NodeId>,
}

#[derive(Debug)]
struct Asked {
    until: Timestamp,
    /// Who was asked, the last one last.
    asked: Vec<NodeId>,
    /// Who else offered it.
    others: Vec<Offerer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offerer {
    peer: NodeId,
    is_named: bool,
}

/// The order in which those who offered are asked: named people first, then those who stalled least.
type Rank = (bool, u32);

impl Offers {
    pub fn new(dice: ChaCha8Rng) -> Offers {
        Offers { dice, by_id: BTreeMap::new(), by_end: BTreeSet::new(), owed: BTreeMap::new(), stalls: BTreeMap::new() }
    }

    /// Notes an offer; true when the id should be asked for from `peer` now.
    pub fn note(&mut self, id: BundleId, peer: NodeId, is_named: bool, now: Timestamp) -> bool {
        let Some(entry) = self.by_id.get(&id) else {
            // With the table full it is asked for all the same: a second copy costs traffic, nothing more.
            if self.by_id.len() < ASKED_MAX {
                self.ask(id, peer, Asked { until: now, asked: Vec::new(), others: Vec::new() }, now);
            }
            return true;
        };
        if entry.asked.contains(&peer) || entry.others.iter().any(|other| other.peer == peer) {
            return false;
        }
        let asked = *entry.asked.last().expect("what is waited for was asked of a peer");
        if self.stalls_of(&asked) > self.stalls_of(&peer) {
            let entry = self.take(&id).expect("found above");
            self.ask(id, peer, entry, now);
            return true;
        }
        let mut others = entry.others.clone();
        others.push(Offerer { peer, is_named });
        if others.len() > OFFERERS_MAX {
            // Identities are free: a crowd of them must not keep out whoever could hand it over.
            let last = self.drawn(&others, |rank, best| rank > best);
            others.swap_remove(last);
        }
        self.by_id.get_mut(&id).expect("found above").others = others;
        false
    }

    /// The bundle came from `from`, or is known by now; returns who else was asked for it, and who else offered it.
    pub fn settle(&mut self, id: &BundleId, from: &NodeId) -> Settled {
        let Some(Asked { mut asked, others, .. }) = self.take(id) else { return Settled::default() };
        if asked.contains(from) {
            self.forgive(from);
        }
        asked.retain(|peer| peer != from);
        let others = others.into_iter().map(|other| other.peer).filter(|peer| peer != from).collect();
        Settled { asked, others }
    }

    /// Whether a peer is asked for anything that has not come yet.
    pub fn is_owed_by(&self, peer: &NodeId) -> bool {
        self.owed.get(peer).is_some_and(|owed| *owed > 0)
    }

    /// Who offered this id and was not asked for it: named people first, then those who stalled least.
    pub fn others(&self, id: &BundleId) -> Vec<NodeId> {
        let mut others = self.by_id.get(id).map_or(Vec::new(), |entry| entry.others.clone());
        others.sort_by_key(|other| self.rank(other));
        others.into_iter().map(|other| other.peer).collect()
    }

    /// There is no room for what `peer` handed over, and there is for `next`, one of the [`Offers::others`]: it is asked.
    pub fn turn_to(&mut self, id: &BundleId, peer: &NodeId, next: NodeId, now: Timestamp) {
        let Some(mut entry) = self.take(id) else { return };
        if entry.asked.contains(peer) {
            self.forgive(peer);
        }
        entry.others.retain(|other| other.peer != *peer && other.peer != next);
        self.ask(*id, next, entry, now);
    }

    /// What `peer` has of this id is of no use; returns who else is to be asked.
    pub fn pass_over(&mut self, id: &BundleId, peer: NodeId, now: Timestamp) -> Option<NodeId> {
        let entry = self.by_id.get_mut(id)?;
        let was_asked = entry.asked.last() == Some(&peer);
        entry.others.retain(|other| other.peer != peer);
        if !was_asked {
            entry.asked.retain(|other| *other != peer);
            return None;
        }
        let mut entry = self.take(id).expect("found above");
        entry.asked.pop();
        self.ask_next(*id, entry, now)
    }

    /// A peer is gone: what it was asked for is asked of others who offered it.
    pub fn lose(&mut self, peer: NodeId, now: Timestamp) -> Requests {
        let has = |entry: &Asked| entry.asked.contains(&peer) || entry.others.iter().any(|other| other.peer == peer);
        let ids: Vec<BundleId> = self.by_id.iter().filter(|(_, entry)| has(entry)).map(|(id, _)| *id).collect();
        let mut requests = Requests::new();
        for id in ids {
            if let Some(next) = self.pass_over(&id, peer, now) {
                requests.entry(next).or_default().push(id);
            }
        }
        requests
    }

    /// When the time to hand something over ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.by_end.first().map(|(end, _)| *end)
    }

    /// Turns to another wherever the peer that was asked took too long.
    pub fn expire(&mut self, now: Timestamp) -> Requests {
        let mut requests = Requests::new();
        while let Some((_, id)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            let entry = self.take(&id).expect("what ends was asked for");
            self.blame(*entry.asked.last().expect("it was asked of a peer"));
            if let Some(next) = self.ask_next(id, entry, now) {
                requests.entry(next).or_default().push(id);
            }
        }
        requests
    }

    /// Asks one of those who offered and were not asked yet; forgets the id where there is none.
    fn ask_next(&mut self, id: BundleId, mut entry: Asked, now: Timestamp) -> Option<NodeId> {
        if entry.others.is_empty() {
            return None;
        }
        let chosen = self.drawn(&entry.others, |rank, best| rank < best);
        let next = entry.others.swap_remove(chosen).peer;
        self.ask(id, next, entry, now);
        Some(next)
    }

    /// The place of one of those whose rank none goes before, drawn by lot.
    fn drawn(&mut self, offerers: &[Offerer], goes_before: fn(&Rank, &Rank) -> bool) -> usize {
        let ranks: Vec<Rank> = offerers.iter().map(|other| self.rank(other)).collect();
        let is_first = |n: &usize| !ranks.iter().any(|rank| goes_before(rank, &ranks[*n]));
        let first: Vec<usize> = (0..ranks.len()).filter(is_first).collect();
        first[(self.dice.next_u64() % first.len() as u64) as usize]
    }

    fn rank(&self, offerer: &Offerer) -> Rank {
        (!offerer.is_named, self.stalls_of(&offerer.peer))
    }

    fn ask(&mut self, id: BundleId, peer: NodeId, mut entry: Asked, now: Timestamp) {
        let owed = self.owed.entry(peer).or_default();
        *owed += 1;
        let patience = Millis(PATIENCE.times(*owed).0.min(PATIENCE_MAX.0));
        entry.until = now + patience;
        entry.asked.push(peer);
        self.by_end.insert((entry.until, id));
        self.by_id.insert(id, entry);
    }

    /// Takes out what is waited for: nobody owes it any more.
    fn take(&mut self, id: &BundleId) -> Option<Asked> {
        let entry = self.by_id.remove(id)?;
        self.by_end.remove(&(entry.until, *id));
        let peer = entry.asked.last().expect("what is waited for was asked of a peer");
        let owed = self.owed.get_mut(peer).expect("a peer that is asked owes something");
        *owed -= 1;
        if *owed == 0 {
            self.owed.remove(peer);
        }
        Some(entry)
    }

    fn stalls_of(&self, peer: &NodeId) -> u32 {
        self.stalls.get(peer).copied().unwrap_or(0)
    }

    fn blame(&mut self, peer: NodeId) {
        if self.stalls.len() >= STALLERS_MAX && !self.stalls.contains_key(&peer) {
            let least = self.stalls.iter().min_by_key(|(_, stalls)| **stalls).map(|(peer, _)| *peer);
            self.stalls.remove(&least.expect("a full table has a least"));
        }
        *self.stalls.entry(peer).or_default() += 1;
    }

    fn forgive(&mut self, peer: &NodeId) {
        if let Some(stalls) = self.stalls.get_mut(peer) {
            *stalls -= 1;
            if *stalls == 0 {
                self.stalls.remove(peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::time::MINUTE;

    fn node(n: u32) -> NodeId {
        NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn id(n: u32) -> BundleId {
        BundleId(*blake3::hash(&n.to_le_bytes()).as_bytes())
    }

    #[test]
    fn a_crowd_that_stalls_once_does_not_hide_who_stalls_always() {
        let mut offers = Offers::new(ChaCha8Rng::from_seed([7; 32]));
        let (mut now, mut ids) = (Timestamp(0), (0..).map(id));
        let mut stall = |peer| {
            assert!(offers.note(ids.next().unwrap(), peer, false, now), "it is asked");
            now = now + MINUTE;
            offers.expire(now);
        };
        (0..3).for_each(|_| stall(node(0)));
        (0..2 * STALLERS_MAX as u32).for_each(|n| stall(node(2 + n)));
        assert_eq!(offers.stalls.len(), STALLERS_MAX);
        let id = ids.next().unwrap();
        assert!(offers.note(id, node(0), false, now));
        assert!(
            offers.note(id, node(1), false, now),
            "somebody who never stalled is asked at once beside one that always does"
        );
    }
}

//! A bounded place that anybody can fill: shared by the peer that hands over and by source.
//!
//! Keys cost nothing, so a place without shares belongs to the first who floods it. Here every entry counts for two
//! parties, the peer that brought it and the source it is from. In a full place the party with the most entries makes
//! way, with what ends soonest; among parties alike one is drawn by lot, so that a newcomer always gets in and thousands
//! of throwaway identities mostly displace each other. What concerns people that this person named goes last.
//!
//! Which places there are, and how each is shared, says [`crate::bounds`].

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::ops::RangeBounds;

use siphasher::sip::SipHasher13;

use super::shares::{self, Shares};
use crate::id::NodeId;
use crate::time::Timestamp;

/// Whose an entry is, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The peer that handed it over.
    pub from: NodeId,
    pub source: NodeId,
    /// It concerns somebody whom this person named.
    pub is_named: bool,
    pub end: Timestamp,
}

impl Origin {
    /// Notes on one peer are shared by peers alone, and end with what they are about.
    pub fn of_peer(peer: NodeId, is_named: bool) -> Origin {
        Origin { from: peer, source: peer, is_named, end: Timestamp(0) }
    }
}

/// A party under a number that peers do not know, so that nobody can choose where the lot falls.
type Party = (u64, NodeId);

impl shares::Party for Party {
    type Short = Party;

    fn short(self) -> Party {
        self
    }
}

/// Entries `K` with values `V`, and whose they are.
#[derive(Debug)]
pub struct Place<K, V> {
    secret: SipHasher13,
    entries: BTreeMap<K, (V, Origin)>,
    /// By the peer that handed over, and by source.
    strangers: [Shares<Party, K>; 2],
    named: [Shares<Party, K>; 2],
}

impl<K: shares::Entry, V> Place<K, V> {
    /// Empty; `secret` is known to nobody else.
    pub fn keyed(secret: &[u8; 16]) -> Place<K, V> {
        Place {
            secret: SipHasher13::new_with_key(secret),
            entries: BTreeMap::new(),
            strangers: Default::default(),
            named: Default::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts an entry where there is room, in the place of another of the same key.
    pub fn insert(&mut self, key: K, value: V, origin: Origin) {
        self.remove(&key);
        let [from, source] = self.parties(&origin);
        let [by_peer, by_source] = self.shares_mut(origin.is_named);
        by_peer.add(from, 1, Some((origin.end, key)));
        by_source.add(source, 1, Some((origin.end, key)));
        self.entries.insert(key, (value, origin));
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (value, origin) = self.entries.remove(key)?;
        let [from, source] = self.parties(&origin);
        let [by_peer, by_source] = self.shares_mut(origin.is_named);
        by_peer.take(from, 1, Some((origin.end, *key)));
        by_source.take(source, 1, Some((origin.end, *key)));
        Some(value)
    }

    /// What makes way in a full place for an entry of `origin`: of the largest share, the newcomer counted, what ends
    /// soonest. None where strangers find nothing but what concerns named people.
    pub fn makes_way(&self, origin: &Origin, lot: u64) -> Option<K> {
        let only_named = self.only_named();
        if only_named && !origin.is_named {
            return None;
        }
        let (most, mut side, mut who) = self.fullest(lot)?;
        let shares = if only_named { &self.named } else { &self.strangers };
        for (n, party) in self.parties(origin).into_iter().enumerate() {
            let share = shares[n].bytes(party);
            if origin.is_named == only_named && share >= most {
                (side, who) = (n, party);
            }
        }
        shares[side].copies(who).next()
    }

    /// What goes where there is too much, and nothing new comes.
    pub fn goes_first(&self, lot: u64) -> Option<K> {
        let (_, side, who) = self.fullest(lot)?;
        let shares = if self.only_named() { &self.named } else { &self.strangers };
        shares[side].copies(who).next()
    }

    fn only_named(&self) -> bool {
        self.strangers[0].len() == 0
    }

    /// The largest share, of those that go first: how many entries, whether of a peer or of a source, and whose.
    fn fullest(&self, lot: u64) -> Option<(u64, usize, Party)> {
        let lot = (lot, NodeId::from_trusted([0; 32]));
        let shares = if self.only_named() { &self.named } else { &self.strangers };
        let both = shares.iter().enumerate().filter_map(|(side, of)| of.fullest(lot).map(|(n, who)| (n, side, who)));
        both.max_by_key(|(n, _, _)| *n)
    }

    /// How many entries a peer handed over, and how many are from a source, as parties that nobody named.
    pub fn shares_of(&self, from: NodeId, source: NodeId) -> [u64; 2] {
        [self.strangers[0].bytes(self.party(from)), self.strangers[1].bytes(self.party(source))]
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }

    pub fn get_with_origin(&self, key: &K) -> Option<(&V, &Origin)> {
        self.entries.get(key).map(|(value, origin)| (value, origin))
    }

    /// Removes all in a range of keys, and returns whose they were.
    pub fn take(&mut self, keys: impl RangeBounds<K>) -> Vec<(K, Origin)> {
        let taken: Vec<(K, Origin)> = self.entries.range(keys).map(|(key, (_, origin))| (*key, *origin)).collect();
        taken.iter().for_each(|(key, _)| drop(self.remove(key)));
        taken
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> + '_ {
        self.entries.iter().map(|(key, (value, _))| (key, value))
    }

    pub fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> + '_ {
        self.entries.range(keys).map(|(key, (value, _))| (key, value))
    }

    fn parties(&self, origin: &Origin) -> [Party; 2] {
        [self.party(origin.from), self.party(origin.source)]
    }

    fn party(&self, node: NodeId) -> Party {
        let mut hasher = self.secret;
        hasher.write(node.as_bytes());
        (hasher.finish(), node)
    }

    fn shares_mut(&mut self, is_named: bool) -> &mut [Shares<Party, K>; 2] {
        if is_named { &mut self.named } else { &mut self.strangers }
    }
}

/// Whether another `cost` fits a place where nothing may make way: each party may have a part of what is still free beside
/// its share, so that one takes a part, the next a part of the rest, and none takes all.
pub fn admits(share: u64, cost: u64, free: u64, part: u64) -> bool {
    share.saturating_add(cost).saturating_mul(part) <= free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(n: u64) -> NodeId {
        NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn origin(from: u64, source: u64, is_named: bool) -> Origin {
        Origin { from: node(from), source: node(source), is_named, end: Timestamp(7) }
    }

    /// A place of a hundred entries, and lots from a hash.
    struct Full {
        place: Place<u64, ()>,
        next: u64,
    }

    impl Full {
        fn new() -> Full {
            Full { place: Place::keyed(&[7; 16]), next: 0 }
        }

        /// Puts an entry in and returns its key; none where it was turned away.
        fn put(&mut self, origin: Origin) -> Option<u64> {
            self.next += 1;
            if self.place.len() >= 100 {
                let lot = blake3::hash(&self.next.to_be_bytes()).as_bytes()[..8].try_into().unwrap();
                let goes = self.place.makes_way(&origin, u64::from_be_bytes(lot))?;
                self.place.remove(&goes);
            }
            self.place.insert(self.next, (), origin);
            Some(self.next)
        }
    }

    #[test]
    fn who_hands_over_for_throwaway_sources_displaces_only_himself() {
        let mut full = Full::new();
        let honest: Vec<u64> = (0..20).map(|n| full.put(origin(n, 100 + n, false)).unwrap()).collect();
        (0..10_000).for_each(|n| {
            full.put(origin(66, 1_000 + n, false));
        });
        assert!(honest.iter().all(|key| full.place.get(key).is_some()));
        assert!(full.put(origin(30, 130, false)).is_some(), "a newcomer gets in");
    }

    #[test]
    fn notes_on_one_peer_displace_only_its_own() {
        let mut full = Full::new();
        let honest: Vec<u64> = (0..20).map(|n| full.put(origin(n / 2, n / 2, false)).unwrap()).collect();
        (0..10_000).for_each(|_| {
            full.put(origin(66, 66, false));
        });
        assert!(honest.iter().all(|key| full.place.get(key).is_some()));
    }

    #[test]
    fn a_source_that_many_hand_over_displaces_only_itself() {
        let mut full = Full::new();
        let honest: Vec<u64> = (0..20).map(|n| full.put(origin(n, 100 + n, false)).unwrap()).collect();
        (0..10_000).for_each(|n| {
            full.put(origin(1_000 + n, 66, false));
        });
        assert!(honest.iter().all(|key| full.place.get(key).is_some()));
    }

    #[test]
    fn among_shares_alike_the_lot_decides_and_a_newcomer_always_gets_in() {
        let mut full = Full::new();
        let first: Vec<u64> = (0..100).map(|n| full.put(origin(n, 1_000 + n, false)).unwrap()).collect();
        (0..50).for_each(|n| assert!(full.put(origin(200 + n, 2_000 + n, false)).is_some()));
        let left = first.iter().filter(|key| full.place.get(key).is_some()).count();
        assert!((50..80).contains(&left), "{left} of the first are left, newcomers displace each other too");
    }

    #[test]
    fn what_concerns_named_people_goes_last() {
        let mut full = Full::new();
        let named: Vec<u64> = (0..60).map(|n| full.put(origin(5, 5, n < 60)).unwrap()).collect();
        (0..10_000).for_each(|n| {
            full.put(origin(1_000 + n, 1_000 + n, false));
        });
        assert!(named.iter().all(|key| full.place.get(key).is_some()));
        (0..40).for_each(|_| assert!(full.put(origin(6, 6, true)).is_some(), "strangers make way for the named"));
        assert!(full.put(origin(9, 9, false)).is_none(), "and not the other way round");
        assert!(full.put(origin(7, 7, true)).is_some());
    }

    #[test]
    fn where_nothing_may_make_way_no_party_takes_all() {
        let (mut left, mut parties) = (64u64 << 20, 0);
        while left > 100_000 {
            let mut share = 0;
            while admits(share, 1_000, left, 8) {
                share += 1_000;
                left -= 1_000;
            }
            parties += 1;
        }
        assert!(parties > 30, "{parties} parties together leave a hundred kilobytes");
        assert!(admits(0, 1_500, left, 8), "and a small message still fits");
    }
}

//! Who is told that a message is over: receipts go at once to those who hold copies of what they prove.
//!
//! Everybody else learns it when there is something to learn: a peer that offers a message, or hands it over, gets the
//! receipt for it back. That is the way of *immunity* where a receipt for everybody would be a *vaccine* (Haas and Small
//! 2006): it reaches the same copies a little later, and costs nothing where there are none.
//!
//! Four memories, each of the latest so many: a receipt that misses a holder leaves a copy that ends with its life. They
//! name bundles by the first bytes of their ids; a name that two share sends a receipt in vain.

use std::collections::{BTreeMap, VecDeque};

use crate::id::{BundleId, NodeId};

/// Most pairs of a message and a peer that holds a copy of it.
pub const HOLDERS_MAX: usize = 16_384;
/// Most messages with the receipts for them, and most pairs of a receipt and a peer that wants it.
pub const PROVEN_MAX: usize = 65_536;

/// Nodes from the first to the last, to look up all there are for one bundle.
const ALL: [NodeId; 2] = [NodeId::from_trusted([0; 32]), NodeId::from_trusted([255; 32])];

#[derive(Debug)]
pub struct Proofs {
    holders: Latest<(u64, NodeId), ()>,
    /// The receipt for a message, by its destination.
    proven: Latest<u64, BundleId>,
    /// The same, by somebody who may be the destination: the message was never here.
    claimed: Latest<(u64, NodeId), BundleId>,
    /// By receipt, who holds a copy of what it proves.
    wanted: Latest<(u64, NodeId), ()>,
}

impl Default for Proofs {
    fn default() -> Proofs {
        Proofs {
            holders: Latest::new(HOLDERS_MAX),
            proven: Latest::new(PROVEN_MAX),
            claimed: Latest::new(PROVEN_MAX),
            wanted: Latest::new(PROVEN_MAX),
        }
    }
}

impl Proofs {
    /// A peer holds a copy of a message that is held here too.
    pub fn note(&mut self, message: &BundleId, holder: NodeId) {
        self.holders.insert((message.prefix(), holder), ());
    }

    /// A peer holds a copy of what is over here; returns the receipt that it is to get, where that is known.
    pub fn want(&mut self, message: &BundleId, holder: NodeId) -> Option<BundleId> {
        let receipt = *self.proven.get(&message.prefix())?;
        self.wanted.insert((receipt.prefix(), holder), ());
        Some(receipt)
    }

    /// A receipt came for a message that was never here.
    pub fn claim(&mut self, message: &BundleId, signer: NodeId, receipt: BundleId) {
        self.claimed.insert((message.prefix(), signer), receipt);
    }

    /// The message came after its receipt.
    pub fn confirm(&mut self, message: &BundleId, destination: NodeId) {
        if let Some(receipt) = self.claimed.get(&(message.prefix(), destination)).copied() {
            self.prove(message, receipt);
        }
    }

    /// The destination's receipt for a message came.
    pub fn prove(&mut self, message: &BundleId, receipt: BundleId) {
        let message = message.prefix();
        self.proven.insert(message, receipt);
        for holder in self.holders.take_all((message, ALL[0])..=(message, ALL[1])) {
            self.wanted.insert((receipt.prefix(), holder.1), ());
        }
    }

    /// Whether a peer holds a copy of what a receipt proves.
    pub fn is_wanted(&self, receipt: &BundleId, peer: NodeId) -> bool {
        self.wanted.get(&(receipt.prefix(), peer)).is_some()
    }
}

/// A map of the latest so many keys.
#[derive(Debug)]
struct Latest<K, V> {
    most: usize,
    entries: BTreeMap<K, V>,
    /// In the order in which they came; some are gone.
    order: VecDeque<K>,
}

impl<K: Ord + Copy, V> Latest<K, V> {
    fn new(most: usize) -> Latest<K, V> {
        Latest { most, entries: BTreeMap::new(), order: VecDeque::new() }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key, value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    fn take_all(&mut self, keys: std::ops::RangeInclusive<K>) -> Vec<K> {
        let keys: Vec<K> = self.entries.range(keys).map(|(key, _)| *key).collect();
        for key in &keys {
            self.entries.remove(key);
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> BundleId {
        BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn node(n: u8) -> NodeId {
        NodeId::from_trusted([n; 32])
    }

    #[test]
    fn who_holds_a_copy_before_or_after_wants_the_receipt_and_nobody_else() {
        let (message, receipt) = (id(1), id(2));
        let mut proofs = Proofs::default();
        proofs.note(&message, node(1));
        proofs.note(&id(3), node(2));
        assert_eq!(proofs.want(&message, node(3)), None);
        proofs.prove(&message, receipt);
        assert_eq!(proofs.want(&message, node(3)), Some(receipt));
        assert_eq!([1, 2, 3, 4].map(|n| proofs.is_wanted(&receipt, node(n))), [true, false, true, false]);
    }

    #[test]
    fn the_latest_are_remembered_and_the_oldest_make_way() {
        let mut proofs = Proofs::default();
        for n in 0..2 * PROVEN_MAX {
            proofs.note(&id(n), node(1));
            if n % 2 == 0 {
                proofs.prove(&id(n), id(n + 1));
            }
        }
        assert!(proofs.holders.entries.len() <= HOLDERS_MAX && proofs.holders.order.len() == HOLDERS_MAX);
        for n in 0..2 {
            proofs.note(&id(n), node(2));
        }
        for n in 0..2 * PROVEN_MAX {
            proofs.prove(&id(n), id(n));
            proofs.want(&id(n), node(3));
        }
        assert_eq!((proofs.proven.entries.len(), proofs.wanted.entries.len()), (PROVEN_MAX, PROVEN_MAX));
        assert_eq!((proofs.proven.order.len(), proofs.wanted.order.len()), (PROVEN_MAX, PROVEN_MAX));
        assert!(!proofs.is_wanted(&id(0), node(3)) && proofs.is_wanted(&id(2 * PROVEN_MAX - 1), node(3)));
    }
}

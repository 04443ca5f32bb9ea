//! Who is told that a message is over: receipts go at once to those who hold copies of what they prove.
//!
//! Everybody else learns it when there is something to learn: a peer that offers a message, or hands it over, gets the
//! receipt for it back. That is the way of *immunity* where a receipt for everybody would be a *vaccine* (Haas and Small
//! 2006): it reaches the same copies a little later, and costs nothing where there are none. Where receipts go to everybody
//! all the same, nothing is remembered.
//!
//! Four memories, each a bounded place that is shared as [`super::place`] says: a receipt that misses a holder leaves a copy
//! that ends with its life. They name bundles by the first bytes of their ids; a name that two share sends a receipt in
//! vain.

use super::place::{Origin, Place};
use super::shares::Entry;
use crate::id::{BundleId, NodeId};

/// Most pairs of a message and a peer that holds a copy of it, of a receipt and a peer that wants it, and of a message
/// that was never here and one who signed for it.
pub const HOLDERS_MAX: usize = 16_384;
/// Most messages with the receipts for them.
pub const PROVEN_MAX: usize = 65_536;

/// Nodes from the first to the last, to look up all there are for one bundle.
const ALL: [NodeId; 2] = [NodeId::from_trusted([0; 32]), NodeId::from_trusted([255; 32])];

/// The memories, where receipts need them.
///
/// An entry's [`Origin`] is the peer that holds a copy, or that brought the receipt, and whoever could have made many of
/// them: the source of the message, or the receipt's signer.
#[derive(Debug)]
pub struct Proofs(Option<Box<Memories>>);

#[derive(Debug)]
struct Memories {
    holders: Place<(u64, NodeId), ()>,
    /// The receipt for a message, by its destination.
    proven: Place<u64, BundleId>,
    /// The same, by somebody who may be the destination: the message was never here.
    claimed: Place<(u64, NodeId), BundleId>,
    /// By receipt, who holds a copy of what it proves.
    wanted: Place<(u64, NodeId), ()>,
}

impl Proofs {
    /// Where receipts go to everybody, who holds what is of no use.
    pub fn none() -> Proofs {
        Proofs(None)
    }

    /// Empty memories; `secret` is known to nobody else.
    pub fn keyed(secret: &[u8; 16]) -> Proofs {
        Proofs(Some(Box::new(Memories {
            holders: Place::keyed(secret),
            proven: Place::keyed(secret),
            claimed: Place::keyed(secret),
            wanted: Place::keyed(secret),
        })))
    }

    /// Whether anything is remembered at all.
    pub fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The peer `holder.from` holds a copy of a message of `holder.source`, which is held here too.
    pub fn note(&mut self, message: &BundleId, holder: Origin, lot: impl FnMut() -> u64) {
        let Some(memories) = &mut self.0 else { return };
        put(&mut memories.holders, HOLDERS_MAX, (message.prefix(), holder.from), (), holder, lot);
    }

    /// A peer holds a copy of what is over here; returns the receipt that it is to get, where that is known.
    pub fn want(&mut self, message: &BundleId, holder: NodeId, lot: impl FnMut() -> u64) -> Option<BundleId> {
        let memories = self.0.as_mut()?;
        let (receipt, of) = memories.proven.get_with_origin(&message.prefix())?;
        let (receipt, origin) = (*receipt, Origin { from: holder, ..*of });
        put(&mut memories.wanted, HOLDERS_MAX, (receipt.prefix(), holder), (), origin, lot);
        Some(receipt)
    }

    /// A receipt signed by `signer.source` came for a message that was never here.
    pub fn claim(&mut self, message: &BundleId, signer: Origin, receipt: BundleId, lot: impl FnMut() -> u64) {
        let Some(memories) = &mut self.0 else { return };
        put(&mut memories.claimed, HOLDERS_MAX, (message.prefix(), signer.source), receipt, signer, lot);
    }

    /// The message came after its receipt.
    pub fn confirm(&mut self, message: &BundleId, destination: NodeId, lot: impl FnMut() -> u64) {
        let Some(memories) = &mut self.0 else { return };
        if let Some((receipt, origin)) = memories.claimed.get_with_origin(&(message.prefix(), destination)) {
            let (receipt, origin) = (*receipt, *origin);
            memories.prove(message, receipt, origin, lot);
        }
    }

    /// The destination's receipt for a message came.
    pub fn prove(&mut self, message: &BundleId, receipt: BundleId, origin: Origin, lot: impl FnMut() -> u64) {
        if let Some(memories) = &mut self.0 {
            memories.prove(message, receipt, origin, lot);
        }
    }

    /// Whether a peer holds a copy of what a receipt proves.
    pub fn is_wanted(&self, receipt: &BundleId, peer: NodeId) -> bool {
        self.0.as_ref().is_some_and(|memories| memories.wanted.get(&(receipt.prefix(), peer)).is_some())
    }
}

impl Memories {
    fn prove(&mut self, message: &BundleId, receipt: BundleId, origin: Origin, mut lot: impl FnMut() -> u64) {
        let message = message.prefix();
        put(&mut self.proven, PROVEN_MAX, message, receipt, origin, &mut lot);
        for (holder, origin) in self.holders.take((message, ALL[0])..=(message, ALL[1])) {
            put(&mut self.wanted, HOLDERS_MAX, (receipt.prefix(), holder.1), (), origin, &mut lot);
        }
    }
}

/// Remembers an entry in a place of at most so many; where it is full, another makes way.
fn put<K: Entry, V>(
    place: &mut Place<K, V>,
    most: usize,
    key: K,
    value: V,
    origin: Origin,
    mut lot: impl FnMut() -> u64,
) {
    if place.len() >= most && place.get(&key).is_none() {
        let Some(goes) = place.makes_way(&origin, lot()) else { return };
        place.remove(&goes);
    }
    place.insert(key, value, origin);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn id(n: usize) -> BundleId {
        BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn node(n: u8) -> NodeId {
        NodeId::from_trusted([n; 32])
    }

    fn origin(from: NodeId, source: NodeId) -> Origin {
        Origin { from, source, is_named: false, end: Timestamp(7) }
    }

    fn lot() -> u64 {
        7
    }

    const SOURCE: NodeId = NodeId::from_trusted([50; 32]);
    const BOB: NodeId = NodeId::from_trusted([51; 32]);

    #[test]
    fn who_holds_a_copy_before_or_after_wants_the_receipt_and_nobody_else() {
        let (message, receipt) = (id(1), id(2));
        let mut proofs = Proofs::keyed(&[7; 16]);
        proofs.note(&message, origin(node(1), SOURCE), lot);
        proofs.note(&id(3), origin(node(2), SOURCE), lot);
        assert_eq!(proofs.want(&message, node(3), lot), None);
        proofs.prove(&message, receipt, origin(node(4), BOB), lot);
        assert_eq!(proofs.want(&message, node(3), lot), Some(receipt));
        assert_eq!([1, 2, 3, 4].map(|n| proofs.is_wanted(&receipt, node(n))), [true, false, true, false]);
        assert_eq!(proofs.0.unwrap().holders.len(), 1, "who wants the receipt need not be remembered as a holder");
    }

    #[test]
    fn where_receipts_go_to_everybody_nothing_is_remembered() {
        let mut proofs = Proofs::none();
        proofs.note(&id(1), origin(node(1), SOURCE), lot);
        proofs.claim(&id(1), origin(node(4), BOB), id(2), lot);
        proofs.confirm(&id(1), BOB, lot);
        proofs.prove(&id(1), id(2), origin(node(4), BOB), lot);
        assert_eq!(proofs.want(&id(1), node(3), lot), None);
        assert!(!proofs.is_wanted(&id(2), node(1)));
    }

    /// Ten peers hold copies of messages of ten sources, and ten receipts are known, before any flood.
    fn honest() -> Proofs {
        let mut proofs = Proofs::keyed(&[7; 16]);
        for n in 0..10 {
            proofs.note(&id(n), origin(node(n as u8), node(100 + n as u8)), lot);
            proofs.claim(&id(10 + n), origin(node(n as u8), node(100 + n as u8)), id(1_000 + n), lot);
            proofs.prove(&id(20 + n), id(2_000 + n), origin(node(n as u8), node(100 + n as u8)), lot);
            proofs.want(&id(20 + n), node(n as u8), lot);
        }
        proofs
    }

    fn is_all_there(mut proofs: Proofs) -> bool {
        (0..10).all(|n| {
            let peer = node(n as u8);
            proofs.prove(&id(n), id(3_000 + n), origin(peer, BOB), lot);
            proofs.confirm(&id(10 + n), node(100 + n as u8), lot);
            proofs.is_wanted(&id(3_000 + n), peer)
                && proofs.want(&id(10 + n), BOB, lot) == Some(id(1_000 + n))
                && proofs.want(&id(20 + n), BOB, lot) == Some(id(2_000 + n))
                && proofs.is_wanted(&id(2_000 + n), peer)
        })
    }

    #[test]
    fn a_peer_or_a_source_that_floods_displaces_what_it_caused_itself() {
        assert!(is_all_there(honest()));
        let throwaway = |n: usize| NodeId::from_trusted(id(n).0);
        type Flooder<'a> = &'a dyn Fn(usize) -> Origin;
        let floods: [Flooder; 2] = [&|n| origin(node(66), throwaway(n)), &|n| origin(throwaway(n), node(66))];
        for flood in floods {
            let mut proofs = honest();
            for n in 0..PROVEN_MAX + HOLDERS_MAX {
                let (message, by) = (id(10_000 + n), flood(n));
                proofs.note(&message, by, lot);
                proofs.claim(&message, by, id(n), lot);
                proofs.prove(&id(200_000 + n), id(n), by, lot);
                proofs.want(&id(200_000 + n), by.from, lot);
            }
            let memories = proofs.0.as_ref().unwrap();
            let sizes = [memories.holders.len(), memories.claimed.len(), memories.wanted.len()];
            assert_eq!((sizes, memories.proven.len()), ([HOLDERS_MAX; 3], PROVEN_MAX));
            assert!(is_all_there(proofs));
        }
    }
}

//! Keys that bundles name, checked once and remembered.
//!
//! Asking whether a point is torsion-free costs as much as verifying a signature, and the same few keys sign and
//! receive most bundles. So each thread remembers, in a small table, keys that passed. It forgets by overwriting and
//! changes no answer, only how soon it comes; whoever floods a node with fresh keys gets the slow answer.

use std::cell::RefCell;

use ed25519_dalek::ed25519::signature::MultipartVerifier;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::id::{KeyError, NodeId};

const CHECKED_SLOTS: usize = 1_024;
const VERIFYING_SLOTS: usize = 64;
/// How the neutral point is written.
const NEUTRAL: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

thread_local! {
    static CHECKED: RefCell<Vec<Option<NodeId>>> = const { RefCell::new(Vec::new()) };
    static VERIFYING: RefCell<Vec<Option<VerifyingKey>>> = const { RefCell::new(Vec::new()) };
}

/// Does the work of [`NodeId::from_key`].
pub(crate) fn checked(node: NodeId) -> Result<NodeId, KeyError> {
    let slot = slot(&node, CHECKED_SLOTS);
    CHECKED.with_borrow_mut(|table| {
        table.resize(CHECKED_SLOTS, None);
        if table[slot] != Some(node) {
            table[slot] = Some(NodeId::from_key(*node.as_bytes())?);
        }
        Ok(node)
    })
}

/// Whether `signature` of the message that these parts make holds strictly under the key of `node`, once that key was
/// checked.
///
/// Strictly means what [`VerifyingKey::verify_strict`] does: neither the key nor the signature's R is of small order. A key
/// that passed is of the prime order, so is the R that is worked out of it, and a signature holds only where its R is
/// written just as that one. Of all points of small order that leaves the neutral one. So R is not decompressed, which would be
/// a tenth of the work.
#[allow(clippy::disallowed_methods)] // whose points of small order are refused beside it
pub(crate) fn verify(node: NodeId, message: &[&[u8]], signature: &[u8; 64]) -> Result<bool, KeyError> {
    let slot = slot(&node, VERIFYING_SLOTS);
    VERIFYING.with_borrow_mut(|table| {
        table.resize(VERIFYING_SLOTS, None);
        if table[slot].is_none_or(|key| key.as_bytes() != node.as_bytes()) {
            checked(node)?;
            table[slot] = Some(VerifyingKey::from_bytes(node.as_bytes()).map_err(|_| KeyError::NotCanonical)?);
        }
        let key = table[slot].as_ref().expect("the slot was just filled");
        let signature = Signature::from_bytes(signature);
        Ok(*signature.r_bytes() != NEUTRAL && key.multipart_verify(message, &signature).is_ok())
    })
}

fn slot(node: &NodeId, slots: usize) -> usize {
    usize::from(u16::from_le_bytes([node.as_bytes()[0], node.as_bytes()[1]])) % slots
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::Scalar;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer, SigningKey, Verifier};
    use sha2::{Digest, Sha512};

    use super::*;

    fn node(key: &SigningKey) -> NodeId {
        NodeId::from_trusted(key.verifying_key().to_bytes())
    }

    #[test]
    fn keys_that_share_a_slot_are_told_apart() {
        let one = SigningKey::from_bytes(&[1; 32]);
        let slots = |node: &NodeId| (slot(node, CHECKED_SLOTS), slot(node, VERIFYING_SLOTS));
        let mut seeds = (0..u64::MAX).map(|n| SigningKey::from_bytes(blake3::hash(&n.to_be_bytes()).as_bytes()));
        let other = seeds.find(|key| slots(&node(key)) == slots(&node(&one))).expect("one in a thousand does");
        for key in [&one, &other, &one, &one, &other] {
            let signature = key.sign(b"hello").to_bytes();
            assert_eq!(verify(node(&one), &[b"hello"], &signature), Ok(key == &one));
            assert_eq!(verify(node(&other), &[b"hello"], &signature), Ok(key == &other));
        }
        // A key that is no point of the curve, in the slot of a good one.
        let mut bad = *node(&one).as_bytes();
        while NodeId::from_key(bad).is_ok() {
            bad[31] = bad[31].wrapping_add(1);
        }
        assert_eq!(checked(node(&one)), Ok(node(&one)));
        for _ in 0..2 {
            assert!(checked(NodeId::from_trusted(bad)).is_err());
            assert!(verify(NodeId::from_trusted(bad), &[b"hello"], &one.sign(b"hello").to_bytes()).is_err());
        }
    }

    /// What the library's strict verification says of a key that passed the check.
    fn by_the_library(node: NodeId, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(node.as_bytes()).unwrap();
        key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // shows what plain verification lets through
    fn what_holds_is_what_holds_strictly() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let signer = node(&key);
        let good = key.sign(b"hello").to_bytes();
        let flipped = |bit: usize| {
            let mut signature = good;
            signature[bit / 8] ^= 1 << (bit % 8);
            signature
        };
        let mut tried: Vec<[u8; 64]> = (0..64 * 8).map(flipped).chain([good]).collect();
        // Each point of small order, with an s that fits the neutral one.
        for point in EIGHT_TORSION.map(|point| point.compress().0) {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&point);
            let hash = Sha512::new().chain_update(point).chain_update(signer.as_bytes()).chain_update(b"hello");
            let s = Scalar::from_hash(hash) * key.to_scalar();
            signature[32..].copy_from_slice(s.as_bytes());
            tried.push(signature);
        }
        let holding = tried.iter().filter(|signature| {
            let holds = verify(signer, &[b"he", b"", b"llo"], signature).unwrap();
            assert_eq!(holds, by_the_library(signer, b"hello", signature), "{signature:?}");
            holds
        });
        assert_eq!(holding.count(), 1);
        // A verification that is not strict takes the neutral one.
        let neutral = Signature::from_bytes(&tried[64 * 8 + 1]);
        assert!(key.verifying_key().verify(b"hello", &neutral).is_ok());
    }
}

//! Keys that bundles name, checked once and remembered.
//!
//! Asking whether a point is torsion-free costs as much as verifying a signature, and the same few keys sign and
//! receive most bundles. So each thread remembers, in a small table, keys that passed. It forgets by overwriting and
//! changes no answer, only how soon it comes; whoever floods a node with fresh keys gets the slow answer.

use std::cell::RefCell;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::id::{KeyError, NodeId};

const CHECKED_SLOTS: usize = 1_024;
const VERIFYING_SLOTS: usize = 64;

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

/// Whether `signature` of `message` holds strictly under the key of `node`, once that key was checked.
pub(crate) fn verify(node: NodeId, message: &[u8], signature: &[u8; 64]) -> Result<bool, KeyError> {
    let slot = slot(&node, VERIFYING_SLOTS);
    VERIFYING.with_borrow_mut(|table| {
        table.resize(VERIFYING_SLOTS, None);
        if table[slot].is_none_or(|key| key.as_bytes() != node.as_bytes()) {
            checked(node)?;
            table[slot] = Some(VerifyingKey::from_bytes(node.as_bytes()).map_err(|_| KeyError::NotCanonical)?);
        }
        let key = table[slot].as_ref().expect("the slot was just filled");
        Ok(key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    })
}

fn slot(node: &NodeId, slots: usize) -> usize {
    usize::from(u16::from_le_bytes([node.as_bytes()[0], node.as_bytes()[1]])) % slots
}

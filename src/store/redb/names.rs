//! Peer ids of the nodes seen last: base58 costs microseconds, and traffic has few names at a time.

use crate::id::NodeId;

/// How many names are remembered.
const SLOTS: usize = 256;
/// The length of an Ed25519 peer id.
const TEXT_BYTES: usize = 52;

/// A cache of one slot per first byte of a key; whoever makes many keys costs themselves the cache, nobody memory.
pub struct Names {
    slots: Vec<Option<(NodeId, [u8; TEXT_BYTES])>>,
}

impl Default for Names {
    fn default() -> Names {
        Names { slots: vec![None; SLOTS] }
    }
}

impl Names {
    /// The node's peer id.
    pub fn text(&mut self, node: NodeId) -> [u8; TEXT_BYTES] {
        let slot = &mut self.slots[usize::from(node.as_bytes()[0])];
        match slot {
            Some((known, text)) if *known == node => *text,
            _ => {
                let text = node.peer_id().into_bytes().try_into().expect("an Ed25519 peer id has 52 characters");
                *slot = Some((node, text));
                text
            }
        }
    }
}

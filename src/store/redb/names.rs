//! Peer ids of the nodes seen last: base58 costs microseconds, and traffic has few names at a time.

use crate::id::NodeId;

/// Most names that are remembered.
const SLOTS_MAX: usize = 256;
/// The length of an Ed25519 peer id.
const TEXT_BYTES: usize = 52;

/// A cache with a slot for each first byte of a key; whoever makes many keys costs themselves the cache, nobody memory.
pub struct Names {
    slots: Vec<Option<(NodeId, [u8; TEXT_BYTES])>>,
}

impl Default for Names {
    fn default() -> Names {
        Names::for_bodies(SLOTS_MAX)
    }
}

impl Names {
    /// Remembers as many names as `bodies` bodies may have, within reason.
    pub fn for_bodies(bodies: usize) -> Names {
        Names { slots: vec![None; (2 * bodies).clamp(2, SLOTS_MAX)] }
    }

    /// The node's peer id.
    pub fn text(&mut self, node: NodeId) -> [u8; TEXT_BYTES] {
        let at = usize::from(node.as_bytes()[0]) % self.slots.len();
        let slot = &mut self.slots[at];
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

//! The two names of one key: our [`NodeId`] and libp2p's `PeerId`.

use libp2p::PeerId;
use libp2p::identity::Keypair;

use crate::id::{KeyError, NodeId};

/// Names a node as libp2p does.
pub fn peer_id(node: NodeId) -> PeerId {
    node.peer_id().parse().expect("a node id prints as a peer id")
}

/// Reads the node out of a peer id; refuses keys that are not Ed25519, not canonical or weak.
pub fn node_id(peer: &PeerId) -> Result<NodeId, KeyError> {
    NodeId::from_peer_id(&peer.to_base58())
}

/// Makes libp2p's key pair from the 32 secret bytes of a node's Ed25519 key.
pub fn keypair(mut secret: [u8; 32]) -> Keypair {
    Keypair::ed25519_from_bytes(&mut secret).expect("any 32 bytes are an Ed25519 secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_mean_one_key() {
        let pair = keypair([7; 32]);
        let peer = pair.public().to_peer_id();
        let node = node_id(&peer).unwrap();
        assert_eq!(peer_id(node), peer);
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        assert_eq!(node.as_bytes(), &key);
    }

    #[test]
    fn a_weak_key_is_no_node() {
        // The identity point, for which anybody can sign.
        let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0x01];
        bytes.resize(38, 0);
        let peer = PeerId::from_bytes(&bytes).unwrap();
        assert_eq!(node_id(&peer), Err(KeyError::Weak));
    }
}

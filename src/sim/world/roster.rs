//! The nodes of a run by their keys: made from the seed, found by their names.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use crate::bundle::Signer;
use crate::id::NodeId;

/// Keys of all nodes.
pub struct Roster {
    keys: Vec<Arc<SigningKey>>,
    names: Vec<NodeId>,
    /// The first eight bytes of each name with the node's number, in order.
    numbers: Vec<(u64, u32)>,
}

impl Roster {
    pub fn new(nodes: u32, seed: u64) -> Roster {
        let key = |node: u32| Arc::new(SigningKey::from_bytes(&derive("dak 2026 simulation key v1", seed, node, 0)));
        let keys: Vec<Arc<SigningKey>> = (0..nodes).map(key).collect();
        let names: Vec<NodeId> = keys.iter().map(|key| key.node()).collect();
        let mut numbers: Vec<(u64, u32)> = names.iter().map(prefix).zip(0..).collect();
        numbers.sort_unstable();
        Roster { keys, names, numbers }
    }

    pub fn key(&self, node: u32) -> Arc<SigningKey> {
        Arc::clone(&self.keys[node as usize])
    }

    pub fn name(&self, node: u32) -> NodeId {
        self.names[node as usize]
    }

    /// The number of a node of this run.
    pub fn number(&self, name: &NodeId) -> u32 {
        let prefix = prefix(name);
        let from = self.numbers.partition_point(|(other, _)| *other < prefix);
        let mut same = self.numbers[from..].iter().take_while(|(other, _)| *other == prefix);
        let found = same.find(|(_, number)| self.names[*number as usize] == *name);
        found.expect("agents speak to nodes of their run").1
    }
}

/// The seed of an agent at its `incarnation`-th start.
pub fn agent_seed(seed: u64, node: u32, incarnation: u32) -> [u8; 32] {
    derive("dak 2026 simulation agent v1", seed, node, incarnation)
}

fn derive(context: &str, seed: u64, node: u32, incarnation: u32) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(&seed.to_le_bytes()).update(&node.to_le_bytes()).update(&incarnation.to_le_bytes());
    hasher.finalize().into()
}

fn prefix(name: &NodeId) -> u64 {
    u64::from_be_bytes(*name.as_bytes().first_chunk().expect("8 of 32 bytes"))
}

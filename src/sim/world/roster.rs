//! The nodes of a run by their keys: made from the seed, found by their names.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use fixedbitset::FixedBitSet;

use crate::bundle::Signer;
use crate::id::NodeId;

/// Keys of all nodes to which something happens; making those of others would take longer than the run.
pub struct Roster {
    keys: Vec<Option<Arc<SigningKey>>>,
    names: Vec<Option<NodeId>>,
    /// The first eight bytes of each name with the node's number, in order.
    numbers: Vec<(u64, u32)>,
    /// Where in `numbers` the names begin that share their first bits, as many bits as find one or two names.
    starts: Vec<u32>,
    bits: u32,
}

impl Roster {
    /// `acts` has a bit for each node.
    pub fn new(acts: &FixedBitSet, seed: u64) -> Roster {
        let key = |node: u32| Arc::new(SigningKey::from_bytes(&derive("dak 2026 simulation key v1", seed, node, 0)));
        let nodes = acts.len() as u32;
        let keys: Vec<_> = (0..nodes).map(|node| acts.contains(node as usize).then(|| key(node))).collect();
        let names: Vec<Option<NodeId>> = keys.iter().map(|key| key.as_ref().map(|key| key.node())).collect();
        let numbered = names.iter().zip(0..).filter_map(|(name, number)| Some((prefix(name.as_ref()?), number)));
        let mut numbers: Vec<(u64, u32)> = numbered.collect();
        numbers.sort_unstable();
        let bits = nodes.max(2).next_power_of_two().trailing_zeros();
        let start = |first: u64| numbers.partition_point(|(name, _)| name >> (64 - bits) < first) as u32;
        let starts = (0..1 << bits).map(start).collect();
        Roster { keys, names, numbers, starts, bits }
    }

    pub fn key(&self, node: u32) -> Arc<SigningKey> {
        Arc::clone(self.keys[node as usize].as_ref().expect(ACTS))
    }

    pub fn name(&self, node: u32) -> NodeId {
        self.names[node as usize].expect(ACTS)
    }

    /// The names of all nodes that act.
    pub fn all(&self) -> impl Iterator<Item = NodeId> {
        self.names.iter().flatten().copied()
    }

    /// The number of a node of this run.
    pub fn number(&self, name: &NodeId) -> u32 {
        let prefix = prefix(name);
        let from = self.starts[(prefix >> (64 - self.bits)) as usize] as usize;
        let mut near = self.numbers[from..].iter().take_while(|(other, _)| *other <= prefix);
        let found = near.find(|(other, number)| *other == prefix && self.names[*number as usize] == Some(*name));
        found.expect("agents speak to nodes of their run").1
    }
}

const ACTS: &str = "only nodes that act are spoken of";

/// The seed of an agent at its `incarnation`-th start.
pub fn agent_seed(seed: u64, node: u32, incarnation: u32) -> [u8; 32] {
    derive("dak 2026 simulation agent v1", seed, node, incarnation)
}

/// The name of a group of the run.
pub fn group_name(seed: u64, number: u32) -> NodeId {
    SigningKey::from_bytes(&derive("dak 2026 simulation group v1", seed, number, 0)).node()
}

fn derive(context: &str, seed: u64, node: u32, incarnation: u32) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(&seed.to_le_bytes()).update(&node.to_le_bytes()).update(&incarnation.to_le_bytes());
    hasher.finalize().into()
}

fn prefix(name: &NodeId) -> u64 {
    u64::from_be_bytes(*name.as_bytes().first_chunk().expect("8 of 32 bytes"))
}

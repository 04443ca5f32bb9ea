//! Who was seen on the network, and where this node listens: what people may be shown, bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use crate::id::NodeId;

/// Most nodes remembered.
const SIGHTINGS_MAX: usize = 1_024;

/// A node that was seen.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub addr: String,
    pub at: SystemTime,
}

#[derive(Debug, Default)]
pub struct Nearby {
    state: Mutex<State>,
    listens: Notify,
}

#[derive(Debug, Default)]
struct State {
    listening: Vec<String>,
    seen: BTreeMap<NodeId, Sighting>,
    connected: BTreeMap<NodeId, String>,
}

impl Nearby {
    pub fn listens(&self, addr: String) {
        let mut state = self.state();
        if !state.listening.contains(&addr) {
            state.listening.push(addr);
        }
        drop(state);
        self.listens.notify_one();
    }

    /// Returns after the next address was added.
    pub async fn changed(&self) {
        self.listens.notified().await;
    }

    pub fn listening(&self) -> Vec<String> {
        self.state().listening.clone()
    }

    pub fn saw(&self, node: NodeId, addr: String) {
        let mut state = self.state();
        if state.seen.len() >= SIGHTINGS_MAX && !state.seen.contains_key(&node) {
            let oldest = state.seen.iter().min_by_key(|(_, sighting)| sighting.at).map(|(node, _)| *node);
            oldest.map(|node| state.seen.remove(&node));
        }
        state.seen.insert(node, Sighting { addr, at: SystemTime::now() });
    }

    pub fn seen(&self) -> Vec<(NodeId, Sighting)> {
        self.state().seen.iter().map(|(node, sighting)| (*node, sighting.clone())).collect()
    }

    pub fn connected(&self, node: NodeId, addr: String) {
        self.state().connected.insert(node, addr);
    }

    pub fn parted(&self, node: &NodeId) {
        self.state().connected.remove(node);
    }

    /// The address of a contact that lasts.
    pub fn address_of(&self, node: &NodeId) -> Option<String> {
        self.state().connected.get(node).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Who was seen on the network, and where this node listens: what people may be shown, bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
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
    listening: Vec<Multiaddr>,
    seen: BTreeMap<NodeId, Sighting>,
    connected: BTreeMap<NodeId, String>,
}

impl Nearby {
    pub fn listens(&self, addr: Multiaddr) {
        let mut state = self.state();
        if !state.listening.contains(&addr) {
            state.listening.push(addr);
        }
        drop(state);
        self.listens.notify_one();
    }

    /// The interface of an address is gone.
    pub fn listens_no_more(&self, addr: &Multiaddr) {
        self.state().listening.retain(|known| known != addr);
    }

    /// Returns after the next address was added.
    pub async fn changed(&self) {
        self.listens.notified().await;
    }

    pub fn listening(&self) -> Vec<String> {
        self.state().listening.iter().map(Multiaddr::to_string).collect()
    }

    /// Whether there is an address for each of `wanted`.
    pub fn listens_on(&self, wanted: &[Multiaddr]) -> bool {
        let state = self.state();
        wanted.iter().all(|wanted| state.listening.iter().any(|found| is_one_of(found, wanted)))
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

    /// The contacts that last, and their addresses.
    pub fn contacts(&self) -> Vec<(NodeId, String)> {
        self.state().connected.iter().map(|(node, addr)| (*node, addr.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `found` came of a wish for `wanted`, in which every interface and any port have a zero.
fn is_one_of(found: &Multiaddr, wanted: &Multiaddr) -> bool {
    wanted.iter().zip(found).all(|(wanted, found)| match (&wanted, &found) {
        (Protocol::Ip4(any), Protocol::Ip4(_)) if any.is_unspecified() => true,
        (Protocol::Ip6(any), Protocol::Ip6(_)) if any.is_unspecified() => true,
        (Protocol::Tcp(0), Protocol::Tcp(_)) => true,
        _ => wanted == found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_wish_may_bring_many_addresses_and_does_not_answer_another() {
        let nearby = Nearby::default();
        let wanted = [addr("/ip4/0.0.0.0/tcp/0"), addr("/ip4/127.0.0.1/tcp/7")];
        nearby.listens(addr("/ip4/127.0.0.1/tcp/4711"));
        nearby.listens(addr("/ip4/192.0.2.1/tcp/4711"));
        assert!(!nearby.listens_on(&wanted));
        nearby.listens(addr("/ip4/127.0.0.1/tcp/7"));
        assert!(nearby.listens_on(&wanted));
        nearby.listens_no_more(&addr("/ip4/127.0.0.1/tcp/7"));
        assert!(!nearby.listens_on(&wanted) && nearby.listening().len() == 2);
    }
}

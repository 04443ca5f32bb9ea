//! What the node asks of the network, from any thread and without waiting.
//!
//! Wishes are kept as sets rather than as a queue, so that asking twice costs nothing and the bounds are plain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::sync::Notify;

use super::book::ADDRESSES_MAX;
use super::pairing::{ASKED_MAX, Opened, PairWith, Taker};
use crate::id::NodeId;

/// Peers that any one kind of wish may name before they are taken up; later ones are lost, and may be asked again.
const WISHES_MAX: usize = 4_096;

#[derive(Default)]
pub(super) struct Wishes {
    wanted: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Default)]
pub(super) struct Wanted {
    pub addresses: BTreeMap<NodeId, Vec<Multiaddr>>,
    pub dials: BTreeSet<NodeId>,
    pub disconnects: BTreeSet<NodeId>,
    /// Peers to turn away, and for how long.
    pub banished: BTreeMap<NodeId, Duration>,
    /// Peers that the owner has a name for, and those no more.
    pub named: BTreeMap<NodeId, bool>,
    /// Who takes the streams of pairings.
    pub takes_pairings: Option<Taker>,
    /// With whom to pair, and who wants to know how it went.
    pub pairings: Vec<(PairWith, Opened)>,
    pub shutdown: bool,
}

impl Wishes {
    pub fn dial(&self, peer: NodeId) {
        let mut wanted = self.lock();
        if wanted.dials.len() < WISHES_MAX {
            wanted.dials.insert(peer);
            self.changed.notify_one();
        }
    }

    pub fn add_address(&self, peer: NodeId, addr: Multiaddr) {
        let mut wanted = self.lock();
        if wanted.addresses.len() < WISHES_MAX {
            let addrs = wanted.addresses.entry(peer).or_default();
            if addrs.len() < ADDRESSES_MAX && !addrs.contains(&addr) {
                addrs.push(addr);
            }
            self.changed.notify_one();
        }
    }

    pub fn disconnect(&self, peer: NodeId) {
        let mut wanted = self.lock();
        // Contacts are far fewer than this.
        if wanted.disconnects.len() < WISHES_MAX {
            wanted.disconnects.insert(peer);
            self.changed.notify_one();
        }
    }

    pub fn banish(&self, peer: NodeId, span: Duration) {
        let mut wanted = self.lock();
        if wanted.banished.len() < WISHES_MAX {
            wanted.banished.insert(peer, span);
            self.changed.notify_one();
        }
    }

    pub fn name(&self, peer: NodeId, named: bool) {
        let mut wanted = self.lock();
        if wanted.named.len() < WISHES_MAX {
            wanted.named.insert(peer, named);
            self.changed.notify_one();
        }
    }

    pub fn take_pairings(&self, taker: Taker) {
        self.lock().takes_pairings = Some(taker);
        self.changed.notify_one();
    }

    /// Returns whether there was room for it.
    pub fn pair(&self, with: PairWith, opened: Opened) -> bool {
        let mut wanted = self.lock();
        let has_room = wanted.pairings.len() < ASKED_MAX;
        if has_room {
            wanted.pairings.push((with, opened));
            self.changed.notify_one();
        }
        has_room
    }

    pub fn shutdown(&self) {
        self.lock().shutdown = true;
        self.changed.notify_one();
    }

    /// Waits until something is wished.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub fn take(&self) -> Wanted {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        // Nothing panics while it is held.
        self.wanted.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

//! The swarm task's share of pairings: which connection carries a stream, and what is dialed for one.

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};

use super::{Dialed, Task};
use crate::id::NodeId;
use crate::net::pairing::{Event, Happened, NotPaired, Opened, PairWith};
use crate::net::{address, peer};

impl Task {
    /// Opens a stream with a node, by the contact with it or after a dial.
    pub(super) fn pair(&mut self, with: PairWith, opened: Opened) {
        if !self.pairing.has_room() {
            let _ = opened.send(Err(NotPaired::Busy));
            return;
        }
        let (opts, node) = match with {
            PairWith::Node(node, _) if self.is_connected(node) => return self.open_pairing(node, opened),
            PairWith::Node(node, addrs) => {
                let addrs: Vec<_> = addrs.iter().filter_map(address::dialable).map(|(_, plain)| plain).collect();
                if addrs.is_empty() {
                    let _ = opened.send(Err(NotPaired::Away));
                    return;
                }
                let opts = DialOpts::peer_id(peer::peer_id(node)).addresses(addrs).condition(PeerCondition::Always);
                (opts.allocate_new_port().build(), Some(node))
            }
            PairWith::Whoever(addr) => {
                let Some((_, addr)) = address::dialable(&addr) else {
                    let _ = opened.send(Err(NotPaired::Away));
                    return;
                };
                (DialOpts::unknown_peer_id().address(addr).allocate_new_port().build(), None)
            }
        };
        let connection = opts.connection_id();
        self.dials.insert(connection, Dialed::Pairing(node));
        self.pairing.dialed(connection, opened);
        if let Err(error) = self.swarm.dial(opts) {
            self.on_dial_failed(connection, &error);
        }
    }

    /// Opens a stream on the connection of the contact with a node, now or once it has begun.
    pub(super) fn open_pairing(&mut self, node: NodeId, opened: Opened) {
        let live = self.contacts.iter().find(|(_, running)| running.peer == node).map(|(connection, _)| *connection);
        match live {
            Some(connection) => {
                self.pairing.open(connection, node, opened);
                self.swarm.behaviour_mut().pairing.open(peer::peer_id(node), connection);
            }
            None => self.pairing.wait(node, opened),
        }
    }

    pub(super) fn on_pairing(&mut self, Event { connection, happened }: Event) {
        match happened {
            Happened::In(stream) => {
                if let Some(node) = self.connections.get(&connection).map(|connection| connection.node) {
                    self.pairing.opened_by(node, stream);
                }
            }
            Happened::Out(stream) => self.pairing.opened(connection, Some(stream)),
            Happened::Failed => self.pairing.opened(connection, None),
        }
    }

    pub(super) fn on_pairing_failed(&mut self, connection: ConnectionId, node: Option<NodeId>, error: &DialError) {
        for opened in self.pairing.dial_ended(connection) {
            match node {
                // It was met another way meanwhile.
                Some(node) if self.is_connected(node) => self.open_pairing(node, opened),
                _ => {
                    let is_me = matches!(error, DialError::LocalPeerId { .. });
                    let _ = opened.send(Err(if is_me { NotPaired::Myself } else { NotPaired::Away }));
                }
            }
        }
    }

    pub(super) fn is_connected(&self, node: NodeId) -> bool {
        self.connections.values().any(|connection| connection.node == node)
    }
}

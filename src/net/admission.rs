//! Who may come in: a bounded number of strangers, and room kept for the peers this node knows.
//!
//! Identities are free, so a flood of them must not take the places of the peers that matter.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::peer;
use crate::id::NodeId;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("too many strangers are connected")]
    Full,
    #[error("its key is no good: {0}")]
    BadKey(#[from] crate::id::KeyError),
}

pub(super) struct Behaviour {
    strangers_max: usize,
    familiars_max: usize,
    /// Peers for whom room is kept.
    familiar: BTreeSet<NodeId>,
    /// Inbound connections, and whether a stranger's.
    inbound: BTreeMap<ConnectionId, bool>,
}

impl Behaviour {
    pub fn new(strangers_max: usize, familiars_max: usize) -> Behaviour {
        Behaviour { strangers_max, familiars_max, familiar: BTreeSet::new(), inbound: BTreeMap::new() }
    }

    /// Keeps room for a peer from now on.
    pub fn know(&mut self, node: NodeId) {
        self.familiar.insert(node);
    }

    fn admit(&mut self, connection: ConnectionId, peer: &PeerId) -> Result<(), Refused> {
        let stranger = !self.familiar.contains(&peer::node_id(peer)?);
        let max = if stranger { self.strangers_max } else { self.familiars_max };
        if self.inbound.values().filter(|other| **other == stranger).count() >= max {
            return Err(Refused::Full);
        }
        self.inbound.insert(connection, stranger);
        Ok(())
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, &peer).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        peer::node_id(&peer).map_err(Refused::from).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                // Another behaviour may have refused what this one admitted: that comes as a failure to listen.
                self.inbound.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

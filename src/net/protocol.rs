//! `/dak/contact/1` inside the swarm: opens and accepts the two long-lived streams of a contact, each on a *named*
//! connection.
//!
//! Two nodes that dial each other at once have two connections for a moment, so it matters on which one a stream opens;
//! libp2p-stream picks one by chance and dials by itself, which is why this is not it. Nothing here waits or reads: the
//! streams go out as events.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol};

pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/dak/contact/1");

/// Streams of our protocol that a peer may open past its first before it counts as hostile.
const EXTRA_STREAMS_MAX: u32 = 2;

/// Asks a connection for its writing stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open;

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Happened {
    /// The peer opened its writing stream.
    StreamIn(Stream),
    /// Ours is open.
    StreamOut(Stream),
    /// The peer does not speak our protocol, or another version of it.
    Foreign,
    /// Ours did not open: the connection broke, or it took too long.
    OpenFailed,
    /// The peer opens stream after stream.
    TooManyStreams,
}

#[derive(Debug)]
pub(super) struct Event {
    pub connection: ConnectionId,
    pub happened: Happened,
}

pub(super) struct Behaviour {
    open_timeout: Duration,
    pending: VecDeque<ToSwarm<Event, Open>>,
}

impl Behaviour {
    pub fn new(open_timeout: Duration) -> Behaviour {
        Behaviour { open_timeout, pending: VecDeque::new() }
    }

    /// Opens the writing stream on one connection; an [`Event`] tells how it went, unless the connection closes.
    pub fn open(&mut self, peer_id: PeerId, connection: ConnectionId) {
        self.pending.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: Open,
        });
    }

    fn handler(&self) -> Handler {
        Handler { open_timeout: self.open_timeout, accepted: 0, pending: VecDeque::new() }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, happened: Happened) {
        self.pending.push_back(ToSwarm::GenerateEvent(Event { connection, happened }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's end of the protocol.
pub(super) struct Handler {
    open_timeout: Duration,
    accepted: u32,
    pending: VecDeque<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), Happened>>,
}

impl Handler {
    fn tell(&mut self, happened: Happened) {
        self.pending.push_back(ConnectionHandlerEvent::NotifyBehaviour(happened));
    }

    fn accept(&mut self, stream: Stream) {
        self.accepted = self.accepted.saturating_add(1);
        match self.accepted {
            1 => self.tell(Happened::StreamIn(stream)),
            // Told once; the connection is closed on it.
            n if n == EXTRA_STREAMS_MAX + 2 => self.tell(Happened::TooManyStreams),
            _ => drop(stream),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Happened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(self.open_timeout)
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn on_behaviour_event(&mut self, Open: Open) {
        let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(self.open_timeout);
        self.pending.push_back(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => self.accept(protocol),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.tell(Happened::StreamOut(protocol))
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError {
                error: StreamUpgradeError::NegotiationFailed,
                ..
            }) => self.tell(Happened::Foreign),
            ConnectionEvent::DialUpgradeError(_) => self.tell(Happened::OpenFailed),
            _ => {}
        }
    }
}

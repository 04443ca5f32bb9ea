//! Opens and accepts the streams of one protocol inside the swarm, each on a *named* connection.
//!
//! Two nodes that dial each other at once have two connections for a moment, so it matters on which one a stream opens;
//! libp2p-stream picks one by chance and dials by itself, which is why this is not it. Nothing here waits or reads: the
//! streams go out as events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Debug;
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

/// What one protocol makes of its streams on one connection, and remembers of them.
pub(super) trait Streams: Default + Send + 'static {
    const PROTOCOL: StreamProtocol;
    type Happened: Debug + Send + 'static;

    /// The peer opened a stream.
    fn opened_by_peer(&mut self, stream: Stream) -> Option<Self::Happened>;
    /// The stream that was asked for is open.
    fn opened(stream: Stream) -> Self::Happened;
    /// It is not.
    fn not_opened(why: &StreamUpgradeError<Infallible>) -> Self::Happened;
}

/// Something happened to the streams of a connection.
#[derive(Debug)]
pub(super) struct Event<H> {
    pub connection: ConnectionId,
    pub happened: H,
}

/// Asks a connection for a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open;

pub(super) struct Behaviour<S: Streams> {
    open_timeout: Duration,
    pending: VecDeque<ToSwarm<Event<S::Happened>, Open>>,
}

impl<S: Streams> Behaviour<S> {
    pub fn new(open_timeout: Duration) -> Behaviour<S> {
        Behaviour { open_timeout, pending: VecDeque::new() }
    }

    /// Opens a stream on one connection; an [`Event`] tells how it went, unless the connection closes.
    pub fn open(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let handler = NotifyHandler::One(connection);
        self.pending.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Open });
    }

    fn handler(&self) -> Handler<S> {
        Handler { open_timeout: self.open_timeout, streams: S::default(), pending: VecDeque::new() }
    }
}

impl<S: Streams> NetworkBehaviour for Behaviour<S> {
    type ConnectionHandler = Handler<S>;
    type ToSwarm = Event<S::Happened>;

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

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, happened: S::Happened) {
        self.pending.push_back(ToSwarm::GenerateEvent(Event { connection, happened }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's end of the protocol.
pub(super) struct Handler<S: Streams> {
    open_timeout: Duration,
    streams: S,
    pending: VecDeque<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), S::Happened>>,
}

impl<S: Streams> Handler<S> {
    fn upgrade(&self) -> SubstreamProtocol<ReadyUpgrade<StreamProtocol>> {
        SubstreamProtocol::new(ReadyUpgrade::new(S::PROTOCOL), ()).with_timeout(self.open_timeout)
    }
}

impl<S: Streams> ConnectionHandler for Handler<S> {
    type FromBehaviour = Open;
    type ToBehaviour = S::Happened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        self.upgrade()
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn on_behaviour_event(&mut self, Open: Open) {
        let protocol = self.upgrade();
        self.pending.push_back(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        let happened = match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.streams.opened_by_peer(protocol)
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                Some(S::opened(protocol))
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => Some(S::not_opened(&error)),
            _ => None,
        };
        self.pending.extend(happened.map(ConnectionHandlerEvent::NotifyBehaviour));
    }
}

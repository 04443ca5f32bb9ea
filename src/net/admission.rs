//! Who may come in: a bounded number of strangers, and room kept for the peers this node knows.
//!
//! Identities are free, so a flood of them must not take the places of the peers that matter; nor may the first strangers
//! keep out all others for ever: when there are enough, a new one takes the place of one that had its time, by chance. Nor
//! may one host, which tries again faster than others can: of the host that has most places one makes way at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use tokio::time::Instant;

use super::jitter::Jitter;
use super::{address, peer};
use crate::id::NodeId;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("too many strangers are connected")]
    Full,
    #[error("it was sent away a while ago")]
    Banished,
    #[error("its key is no good: {0}")]
    BadKey(#[from] crate::id::KeyError),
}

pub(super) struct Behaviour {
    strangers_max: usize,
    familiars_max: usize,
    /// Peers for whom room is kept.
    familiar: BTreeSet<NodeId>,
    inbound: BTreeMap<ConnectionId, Guest>,
    leaving: VecDeque<(ConnectionId, PeerId)>,
    /// Peers to turn away, until when.
    banished: BTreeMap<NodeId, Instant>,
    jitter: Jitter,
}

/// An inbound connection.
struct Guest {
    peer: PeerId,
    /// Where it dialed from.
    host: Option<IpAddr>,
    stranger: bool,
    since: Instant,
}

/// Most peers turned away at a time; who has the least time left goes first.
const BANISHED_MAX: usize = 4_096;

/// How long a stranger may stay whoever waits.
const STAY: Duration = Duration::from_secs(30);

impl Behaviour {
    pub fn new(strangers_max: usize, familiars_max: usize, jitter: Jitter) -> Behaviour {
        Behaviour {
            strangers_max,
            familiars_max,
            familiar: BTreeSet::new(),
            inbound: BTreeMap::new(),
            leaving: VecDeque::new(),
            banished: BTreeMap::new(),
            jitter,
        }
    }

    /// Keeps room for a peer from now on, or no more. The book says so, and bounds how many there are.
    pub fn know(&mut self, node: NodeId, familiar: bool) {
        if familiar {
            self.familiar.insert(node);
        } else {
            self.familiar.remove(&node);
        }
        // Nobody takes the place of one who is here already.
        for guest in self.inbound.values_mut().filter(|guest| peer::node_id(&guest.peer) == Ok(node)) {
            guest.stranger = !familiar;
        }
    }

    pub fn is_familiar(&self, node: NodeId) -> bool {
        self.familiar.contains(&node)
    }

    /// Turns a peer away until then, whoever dials.
    pub fn banish(&mut self, node: NodeId, until: Instant, now: Instant) {
        if self.banished.len() >= BANISHED_MAX {
            self.banished.retain(|_, until| *until > now);
        }
        if self.banished.len() >= BANISHED_MAX {
            let soonest = self.banished.iter().min_by_key(|(_, until)| **until).map(|(node, _)| *node);
            soonest.map(|node| self.banished.remove(&node));
        }
        self.banished.insert(node, until);
    }

    fn check(&self, peer: &PeerId, now: Instant) -> Result<NodeId, Refused> {
        let node = peer::node_id(peer)?;
        if self.banished.get(&node).is_some_and(|until| *until > now) {
            return Err(Refused::Banished);
        }
        Ok(node)
    }

    fn admit(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        host: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), Refused> {
        let stranger = !self.familiar.contains(&self.check(&peer, now)?);
        let max = if stranger { self.strangers_max } else { self.familiars_max };
        let alike = self.inbound.values().filter(|guest| guest.stranger == stranger).count();
        if alike >= max && !(stranger && (self.send_one_of_many_away(host) || self.send_one_away(now))) {
            return Err(Refused::Full);
        }
        self.inbound.insert(connection, Guest { peer, host, stranger, since: now });
        Ok(())
    }

    /// Makes a place for a stranger from a host that has fewer than another.
    fn send_one_of_many_away(&mut self, newcomer: Option<IpAddr>) -> bool {
        let mut by_host: BTreeMap<Option<IpAddr>, usize> = BTreeMap::from([(newcomer, 1)]);
        for guest in self.inbound.values().filter(|guest| guest.stranger) {
            *by_host.entry(guest.host).or_default() += 1;
        }
        let (host, most) = by_host.iter().max_by_key(|(_, places)| **places).expect("the newcomer is there");
        *most > by_host[&newcomer] && self.send_away(|guest| guest.stranger && guest.host == *host)
    }

    fn send_one_away(&mut self, now: Instant) -> bool {
        self.send_away(|guest| guest.stranger && guest.since + STAY <= now)
    }

    /// Sends one of these away, by chance.
    fn send_away(&mut self, is_one: impl Fn(&Guest) -> bool) -> bool {
        let mut all: Vec<_> = self.inbound.iter().filter(|(_, guest)| is_one(guest)).map(|(id, _)| *id).collect();
        if all.is_empty() {
            return false;
        }
        let connection = all.swap_remove(self.jitter.below(all.len()));
        if let Some(guest) = self.inbound.remove(&connection) {
            self.leaving.push_back((connection, guest.peer));
        }
        true
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
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, peer, address::host(remote), Instant::now()).map_err(ConnectionDenied::new)?;
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
        self.check(&peer, Instant::now()).map_err(ConnectionDenied::new)?;
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
        let Some((connection, peer_id)) = self.leaving.pop_front() else { return Poll::Pending };
        Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(connection) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(door: &mut Behaviour, n: u8, now: Instant) -> bool {
        admit_from([10, 0, 0, n], door, n, now)
    }

    fn admit_from(host: [u8; 4], door: &mut Behaviour, n: u8, now: Instant) -> bool {
        let peer = peer::keypair([n; 32]).public().to_peer_id();
        door.admit(ConnectionId::new_unchecked(n.into()), peer, Some(host.into()), now).is_ok()
    }

    #[test]
    fn a_host_that_has_most_places_keeps_no_stranger_of_another_out() {
        const CROWD: [u8; 4] = [10, 0, 0, 66];
        let now = Instant::now();
        let mut door = Behaviour::new(8, 1, Jitter::from_seed([1; 32]));
        assert!((1..=8).all(|n| admit_from(CROWD, &mut door, n, now)));
        assert!(admit(&mut door, 100, now) && admit(&mut door, 101, now), "at once");
        assert!(!(20..40).any(|n| admit_from(CROWD, &mut door, n, now)), "it takes no place of theirs");
        let left: Vec<_> = door.leaving.iter().map(|(connection, _)| *connection).collect();
        assert!(left.len() == 2 && left.iter().all(|id| (1..=8).any(|n| *id == ConnectionId::new_unchecked(n))));
        // Hosts that have as many as each other take nothing from each other.
        assert!((102..=106).all(|n| admit(&mut door, n, now)));
        assert!(!admit(&mut door, 107, now));
    }

    #[test]
    fn strangers_past_the_bound_wait_until_one_had_its_time() {
        let now = Instant::now();
        let mut door = Behaviour::new(2, 1, Jitter::from_seed([1; 32]));
        let admitted: Vec<_> = (1..=4).map(|n| admit(&mut door, n, now)).collect();
        assert_eq!(admitted, [true, true, false, false]);
        assert!(admit(&mut door, 5, now + STAY));
        assert!(admit(&mut door, 6, now + STAY));
        assert!(!admit(&mut door, 7, now + STAY), "the new ones have their time as well");
        let left: BTreeSet<_> = door.leaving.iter().map(|(connection, _)| *connection).collect();
        assert_eq!(left, BTreeSet::from([1, 2].map(ConnectionId::new_unchecked)));
    }

    #[test]
    fn who_was_sent_away_stays_away_for_as_long_and_no_longer() {
        let now = Instant::now();
        let mut door = Behaviour::new(2, 1, Jitter::from_seed([1; 32]));
        let node = peer::node_id(&peer::keypair([1; 32]).public().to_peer_id()).unwrap();
        door.banish(node, now + STAY, now);
        assert!(!admit(&mut door, 1, now) && admit(&mut door, 2, now));
        assert!(admit(&mut door, 1, now + STAY));
        for n in 0..BANISHED_MAX as u32 + 10 {
            let node = NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes());
            door.banish(node, now + STAY, now);
        }
        assert_eq!(door.banished.len(), BANISHED_MAX);
    }

    #[test]
    fn who_is_named_while_here_keeps_the_place() {
        let now = Instant::now();
        let mut door = Behaviour::new(1, 1, Jitter::from_seed([1; 32]));
        assert!(admit(&mut door, 9, now));
        door.know(peer::node_id(&peer::keypair([9; 32]).public().to_peer_id()).unwrap(), true);
        assert!(admit(&mut door, 1, now + STAY));
        assert!(door.leaving.is_empty());
    }

    #[test]
    fn those_who_were_named_have_places_of_their_own_and_keep_them() {
        let now = Instant::now();
        let mut door = Behaviour::new(1, 1, Jitter::from_seed([1; 32]));
        door.know(peer::node_id(&peer::keypair([9; 32]).public().to_peer_id()).unwrap(), true);
        assert!(admit(&mut door, 1, now));
        assert!(admit(&mut door, 9, now));
        assert!(admit(&mut door, 2, now + STAY));
        assert_eq!(door.leaving.len(), 1);
        assert_eq!(door.leaving[0].0, ConnectionId::new_unchecked(1));
    }
}

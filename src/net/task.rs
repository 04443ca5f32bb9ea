//! The swarm task: turns what libp2p says into acts of [`Links`] and [`Book`], and never waits for anybody.

mod pairing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, identify, ping};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::behaviour::{Behaviour, BehaviourEvent};
use super::book::{Book, Dial, Source, Way};
use super::contact::Contact;
use super::discovery::{Discovery, Sighting};
use super::interfaces::Interfaces;
use super::jitter::Jitter;
use super::links::{Act, Links};
use super::pairing::Pairing;
use super::protocol::{self, Happened};
use super::pulse::Pulse;
use super::queue::{FRAME_OVERHEAD_BYTES, Queue, Total};
use super::reader::Fault;
use super::wishes::Wishes;
use super::{
    Limits, Multicast, NetConfig, NetError, NetEvent, PROTOCOL, Saved, Why, address, admission, nickname, peer,
};
use crate::brake::Brake;
use crate::id::NodeId;

/// Events of the swarm task itself that wait for the node; past it they are lost, because all of them are hints.
const OUTBOX_MAX: usize = 256;
/// Peers without our protocol that are named in the log, once each.
const FOREIGN_AGAIN: Duration = Duration::from_secs(24 * 3_600);
/// How long a shutdown may take.
const SHUTDOWN: Duration = Duration::from_millis(1_900);

pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    limits: Limits,
    links: Links<Stream>,
    book: Book,
    pairing: Pairing,
    connections: BTreeMap<ConnectionId, Connection>,
    dials: BTreeMap<ConnectionId, Dialed>,
    /// Running contacts, by connection.
    contacts: BTreeMap<ConnectionId, Running>,
    /// What all of them have queued.
    queued: Arc<Total>,
    /// What strangers' frames may occupy together.
    crowd: Arc<Semaphore>,
    tasks: JoinSet<(ConnectionId, Why)>,
    /// How long the last contact of a peer was, until its last connection is gone.
    lasted: BTreeMap<NodeId, Duration>,
    discovery: Option<Discovery>,
    /// Peers that do not speak our protocol, and were named in the log.
    foreign: Brake<NodeId>,
    listening: watch::Sender<BTreeSet<Multiaddr>>,
    events: mpsc::Sender<NetEvent>,
    outbox: VecDeque<NetEvent>,
    wishes: Arc<Wishes>,
    stopping: bool,
}

struct Connection {
    node: NodeId,
    peer: PeerId,
    addr: Multiaddr,
    we_dialed: bool,
}

enum Dialed {
    Peer(NodeId, Way),
    /// Where another machine is said to have this node's key.
    Twin,
    Given(Multiaddr),
    /// To pair, with this peer where it is known.
    Pairing(Option<NodeId>),
}

struct Running {
    peer: NodeId,
    since: Instant,
    stop: Option<oneshot::Sender<Why>>,
    moved: Arc<AtomicU64>,
    /// How much had moved when it was last asked whether the contact may go.
    moved_before: u64,
    pulse: Pulse,
}

impl Task {
    pub fn new(
        config: NetConfig,
        swarm: Swarm<Behaviour>,
        events: mpsc::Sender<NetEvent>,
        wishes: Arc<Wishes>,
        multicast: watch::Sender<Multicast>,
    ) -> Result<Task, NetError> {
        let me = peer::node_id(swarm.local_peer_id())?;
        let now = Instant::now();
        let jitter = Jitter::from_os().map_err(NetError::Entropy)?;
        let mut book = Book::new(me, config.contacts_max, config.limits.outbound_max, now, jitter);
        for addr in &config.peers {
            give(&mut book, addr, now)?;
        }
        for node in &config.named {
            book.name(*node, now);
        }
        for Saved { node, addr, entered } in &config.address_book {
            if let Some((_, addr)) = address::dialable(addr) {
                book.learn(*node, addr, if *entered { Source::Entered } else { Source::Saved }, now);
            }
        }
        let listening = watch::Sender::default();
        let discovery = if config.mdns {
            multicast.send_replace(Multicast::Unknown);
            let jitter = Jitter::from_os().map_err(NetError::Entropy)?;
            let started = Discovery::start(*swarm.local_peer_id(), listening.subscribe(), multicast, jitter);
            Some(started.map_err(NetError::Discovery)?)
        } else {
            None
        };
        // The longest frame must fit, or its reader would wait for ever.
        let crowd_bytes = config.limits.crowd_bytes.max(config.limits.frame_bytes_max + FRAME_OVERHEAD_BYTES);
        Ok(Task {
            swarm,
            limits: config.limits,
            links: Links::new(me, config.limits.deadlines.contact),
            book,
            pairing: Pairing::default(),
            connections: BTreeMap::new(),
            dials: BTreeMap::new(),
            contacts: BTreeMap::new(),
            queued: Arc::new(Total::new(config.limits.queues_bytes_max)),
            crowd: Arc::new(Semaphore::new(crowd_bytes)),
            tasks: JoinSet::new(),
            lasted: BTreeMap::new(),
            discovery,
            foreign: Brake::new(FOREIGN_AGAIN),
            listening,
            events,
            outbox: VecDeque::new(),
            wishes,
            stopping: false,
        })
    }

    pub async fn run(mut self) {
        while !self.stopping {
            self.follow_the_book();
            self.step().await;
        }
        let _ = timeout(SHUTDOWN, self.stop()).await;
    }

    /// Waits for one thing to happen and deals with it.
    async fn step(&mut self) {
        let wake = self.next_wake();
        let events = self.events.clone();
        tokio::select! {
            event = self.swarm.select_next_some() => self.on_swarm(event),
            Some(ended) = self.tasks.join_next() => match ended {
                Ok((connection, why)) => self.on_ended(connection, why),
                // A contact deals with its own faults. Of one beyond that the node would never hear: better to stop loudly.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            () = self.wishes.changed() => self.on_wishes(),
            sighting = heard(&mut self.discovery) => match sighting {
                Some(sighting) => self.on_sighting(sighting),
                None => {
                    tracing::error!("the search for neighbours broke; those that the settings name are found until the next start");
                    self.discovery = None;
                }
            },
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                let acts = self.links.tick(Instant::now());
                self.act(acts);
            }
            Ok(room) = events.reserve(), if !self.outbox.is_empty() => {
                room.send(self.outbox.pop_front().expect("it is not empty"));
            }
            () = events.closed(), if !self.stopping => self.stopping = true,
        }
    }

    /// Ends every contact and connection, listening no more.
    async fn stop(&mut self) {
        self.stopping = true;
        if let Some(discovery) = self.discovery.take() {
            discovery.stop().await;
        }
        for running in self.contacts.values_mut() {
            running.stop(Why::Shutdown);
        }
        let idle: Vec<_> = self.connections.keys().filter(|id| !self.contacts.contains_key(*id)).copied().collect();
        for connection in idle {
            self.swarm.close_connection(connection);
        }
        while !self.tasks.is_empty() || !self.connections.is_empty() {
            self.step().await;
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let dial = if self.stopping { None } else { self.book.next_wake(Instant::now()) };
        [dial, self.links.next_deadline()].into_iter().flatten().min()
    }

    fn tell(&mut self, event: NetEvent) {
        if self.outbox.len() < OUTBOX_MAX {
            self.outbox.push_back(event);
        }
    }

    /// Keeps places at the door, ends contacts and dials as the book says.
    fn follow_the_book(&mut self) {
        let now = Instant::now();
        for (node, named) in self.book.take_named_changes() {
            self.swarm.behaviour_mut().admission.know(node, named);
        }
        for node in self.book.leaving(now) {
            self.end_if_idle(node);
        }
        self.dial_due(now);
    }

    /// Ends a contact that is one too many, unless something moved since this was asked last.
    fn end_if_idle(&mut self, node: NodeId) {
        for running in self.contacts.values_mut().filter(|running| running.peer == node) {
            let moved = running.moved.load(Ordering::Relaxed);
            if std::mem::replace(&mut running.moved_before, moved) != moved {
                return;
            }
        }
        let acts = self.links.drop_peer(node, Why::Asked);
        self.act(acts);
    }

    fn dial_due(&mut self, now: Instant) {
        for dial in self.book.due(now) {
            let (opts, dialed) = match dial {
                Dial::Peer(node, addrs, way) => {
                    let opts = DialOpts::peer_id(peer::peer_id(node)).addresses(addrs);
                    // Another port than the one listened on: two nodes that dial each other from their listening ports
                    // meet in one TCP connection on which both think that they dialed.
                    let opts = opts.condition(PeerCondition::Always).allocate_new_port().build();
                    (opts, Dialed::Peer(node, way))
                }
                Dial::Address(addr) => {
                    let opts = DialOpts::unknown_peer_id().address(addr.clone()).allocate_new_port().build();
                    (opts, Dialed::Given(addr))
                }
            };
            let connection = opts.connection_id();
            self.dials.insert(connection, dialed);
            if let Err(error) = self.swarm.dial(opts) {
                self.on_dial_failed(connection, &error);
            }
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Protocol(event)) => self.on_protocol(event),
            SwarmEvent::Behaviour(BehaviourEvent::Pairing(event)) => self.on_pairing(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.on_ping(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.on_identify(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(connection_id, peer_id, endpoint)
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => self.on_disconnected(connection_id),
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failed(connection_id, &error)
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => self.on_refused(&error, peer_id),
            SwarmEvent::NewListenAddr { address, .. } => {
                self.listening.send_if_modified(|addrs| addrs.insert(address.clone()));
                self.book.moved(Instant::now());
                self.tell(NetEvent::Listening(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.send_if_modified(|addrs| addrs.remove(&address));
                self.tell(NetEvent::ListeningEnded(address));
            }
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::warn!(?addresses, %error, "no longer listening");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "a listener stumbled"),
            _ => {}
        }
    }

    fn on_connected(&mut self, connection: ConnectionId, peer: PeerId, endpoint: ConnectedPoint) {
        let now = Instant::now();
        let dialed = self.dials.remove(&connection);
        let Ok(node) = peer::node_id(&peer) else {
            // Admission lets no such peer in; this is for the day it does.
            self.swarm.close_connection(connection);
            return;
        };
        let (we_dialed, addr) = match endpoint {
            ConnectedPoint::Dialer { address, .. } => (true, address),
            ConnectedPoint::Listener { local_addr, send_back_addr } => (false, on_link_of(&local_addr, send_back_addr)),
        };
        let addr = address::dialable(&addr).map_or(addr, |(_, plain)| plain);
        tracing::debug!(%node, %addr, we_dialed, "connected");
        let way = match &dialed {
            _ if !we_dialed => Way::In,
            Some(Dialed::Peer(_, way)) => *way,
            // It leaves as any other that was found by chance.
            Some(Dialed::Pairing(_)) => Way::Heard,
            _ => Way::Asked,
        };
        self.book.connected(node, way, now);
        if let Some(Dialed::Given(given)) = dialed {
            self.book.given_answered(&given, node, now);
        }
        self.connections.insert(connection, Connection { node, peer, addr, we_dialed });
        let acts = self.links.connected(connection, node, we_dialed, now);
        self.act(acts);
        for opened in self.pairing.dial_ended(connection) {
            self.open_pairing(node, opened);
        }
    }

    fn on_disconnected(&mut self, connection: ConnectionId) {
        if let Some(Connection { node, .. }) = self.connections.remove(&connection) {
            self.pairing.disconnected(connection, node, !self.is_connected(node));
            let acts = self.links.disconnected(connection, Instant::now());
            self.act(acts);
            self.note_if_gone(node);
        }
    }

    fn on_ended(&mut self, connection: ConnectionId, why: Why) {
        let Some(running) = self.contacts.remove(&connection) else { return };
        tracing::debug!(peer = %running.peer, %why, "contact ended");
        self.lasted.insert(running.peer, running.since.elapsed());
        let acts = self.links.ended(connection, running.peer, Instant::now());
        self.act(acts);
        self.note_if_gone(running.peer);
        // Did it leave, or is it still there?
        if let Some(discovery) = &self.discovery {
            discovery.ask();
        }
    }

    fn note_if_gone(&mut self, node: NodeId) {
        if !self.links.knows(node) {
            let lasted = self.lasted.remove(&node);
            self.book.disconnected(node, lasted, Instant::now());
        }
    }

    fn on_dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let now = Instant::now();
        tracing::debug!(%error, "a dial failed");
        match (self.dials.remove(&connection), error) {
            (Some(Dialed::Given(addr)), DialError::LocalPeerId { .. }) => self.book.given_is_me(&addr, now),
            (Some(Dialed::Given(addr)), _) => self.book.given_failed(&addr, now),
            (Some(Dialed::Twin), DialError::LocalPeerId { address }) => {
                self.tell(NetEvent::Twin { addr: address.clone() })
            }
            (Some(Dialed::Twin), _) => {}
            (Some(Dialed::Pairing(peer)), error) => self.on_pairing_failed(connection, peer, error),
            (Some(Dialed::Peer(node, way)), error) => {
                let wrong = match error {
                    DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => {
                        address::dialable(address).map(|(_, addr)| addr)
                    }
                    _ => None,
                };
                self.book.failed(node, way, wrong.as_ref(), now);
            }
            (None, _) => {}
        }
    }

    fn on_refused(&mut self, error: &ListenError, peer: Option<PeerId>) {
        tracing::debug!(%error, "an inbound connection was refused");
        if let ListenError::Denied { cause } = error
            && let Some(admission::Refused::BadKey(why)) = cause.downcast_ref()
            && let Some(peer) = peer
        {
            self.tell(NetEvent::Bad { peer: None, what: format!("{peer}: {why}") });
        }
    }

    fn on_protocol(&mut self, protocol::Event { connection, happened }: protocol::Event) {
        let now = Instant::now();
        let acts = match happened {
            Happened::StreamIn(stream) => self.links.stream_in(connection, stream, now),
            Happened::StreamOut(stream) => self.links.stream_out(connection, stream),
            Happened::OpenFailed => self.links.failed(connection),
            Happened::Foreign => {
                self.name_foreigner(connection);
                self.links.failed(connection)
            }
            Happened::TooManyStreams => {
                let peer = self.connections.get(&connection).map(|connection| connection.node);
                self.tell(NetEvent::Bad { peer, what: Fault::TooManyStreams.to_string() });
                self.links.failed(connection)
            }
        };
        self.act(acts);
    }

    /// Says of a peer that no contact with it can be.
    fn name_foreigner(&self, connection: ConnectionId) {
        let Some(Connection { node, .. }) = self.connections.get(&connection) else { return };
        self.foreign.say(*node, |unsaid| {
            let peer = node.peer_id();
            tracing::warn!(unsaid, %peer, "a peer speaks no {PROTOCOL}: another version, or another program");
        });
    }

    fn on_ping(&mut self, event: &ping::Event) {
        let Some(running) = self.contacts.get_mut(&event.connection) else { return };
        // Who does not speak ping is judged by the connection alone.
        let answered = !matches!(event.result, Err(ping::Failure::Timeout | ping::Failure::Other { .. }));
        if running.pulse.felt(answered, running.moved.load(Ordering::Relaxed)) {
            let acts = self.links.drop_contact(event.connection, Why::Silent);
            self.act(acts);
        }
    }

    /// What a peer says of itself beside our protocol: nothing but what it calls itself.
    fn on_identify(&mut self, event: identify::Event) {
        let identify::Event::Received { connection_id, info, .. } = event else { return };
        let Some(connection) = self.connections.get(&connection_id) else { return };
        if let Some(name) = nickname::heard(&info.agent_version) {
            self.tell(NetEvent::Named { peer: connection.node, name: name.to_owned() });
        }
    }

    fn on_sighting(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Seen(peer, addr) => {
                if let Ok(node) = peer::node_id(&peer) {
                    self.book.hear(node, addr.clone(), Instant::now());
                    self.tell(NetEvent::Discovered { peer: node, addr });
                }
            }
            Sighting::Gone(peer, addr) => {
                if let Ok(node) = peer::node_id(&peer) {
                    self.book.unhear(node, &addr);
                    self.tell(NetEvent::Vanished { peer: node, addr });
                }
            }
            Sighting::Twin(addr) => self.on_twin(addr),
        }
    }

    /// Anybody can say that name over multicast: the handshake tells who has the key.
    fn on_twin(&mut self, addr: Multiaddr) {
        let opts = DialOpts::unknown_peer_id().address(addr).allocate_new_port().build();
        let connection = opts.connection_id();
        self.dials.insert(connection, Dialed::Twin);
        if let Err(error) = self.swarm.dial(opts) {
            self.on_dial_failed(connection, &error);
        }
    }

    fn on_wishes(&mut self) {
        let now = Instant::now();
        let wanted = self.wishes.take();
        for (peer, named) in wanted.named {
            if named {
                self.book.name(peer, now);
            } else {
                self.book.forget(peer);
            }
        }
        for (peer, addrs) in wanted.addresses {
            for (_, addr) in addrs.iter().filter_map(address::dialable) {
                self.book.learn(peer, addr, Source::Entered, now);
            }
        }
        for peer in wanted.dials {
            self.book.hold(peer);
        }
        for (peer, span) in wanted.banished {
            self.swarm.behaviour_mut().admission.banish(peer, now + span, now);
            let acts = self.links.drop_peer(peer, Why::Bad);
            self.act(acts);
        }
        if let Some(taker) = wanted.takes_pairings {
            self.pairing.host(taker);
        }
        for (with, opened) in wanted.pairings {
            self.pair(with, opened);
        }
        for peer in wanted.disconnects {
            let acts = self.links.drop_peer(peer, Why::Asked);
            self.act(acts);
        }
        self.stopping |= wanted.shutdown;
    }

    fn act(&mut self, acts: Vec<Act<Stream>>) {
        for act in acts {
            match act {
                Act::Open(connection) => {
                    if let Some(Connection { peer, .. }) = self.connections.get(&connection) {
                        self.swarm.behaviour_mut().protocol.open(*peer, connection);
                    }
                }
                Act::Start { connection, peer, inbound, outbound } => self.start(connection, peer, inbound, outbound),
                Act::Stop(connection, why) => {
                    if let Some(running) = self.contacts.get_mut(&connection) {
                        running.stop(why);
                    }
                }
                Act::Close(connection) => {
                    self.swarm.close_connection(connection);
                }
            }
        }
    }

    fn start(&mut self, connection: ConnectionId, peer: NodeId, inbound: Stream, outbound: Stream) {
        let Some(Connection { addr, we_dialed, .. }) = self.connections.get(&connection) else { return };
        let (addr, we_dialed) = (addr.clone(), *we_dialed);
        if we_dialed {
            self.book.learn(peer, addr.clone(), Source::Worked, Instant::now());
            self.tell(NetEvent::AddressWorked { peer, addr: addr.clone() });
        }
        // The port that it dialed from leads nowhere.
        let addr = if we_dialed { addr } else { address::without_port(&addr) };
        self.book.contact_up(peer, Instant::now());
        let (sender, stop) = oneshot::channel();
        let moved = Arc::new(AtomicU64::new(0));
        let queue = Queue::new(Arc::clone(&self.queued), self.limits.queue_bytes_max, self.limits.frame_bytes_max);
        let is_stranger = !self.swarm.behaviour().admission.is_familiar(peer);
        let crowd = is_stranger.then(|| Arc::clone(&self.crowd));
        let (limits, moved_too) = (self.limits, Arc::clone(&moved));
        let contact =
            Contact { peer, addr, is_stranger, inbound, outbound, queue, limits, crowd, moved: moved_too, stop };
        let events = self.events.clone();
        self.tasks.spawn(async move { (connection, contact.run(events).await) });
        let since = Instant::now();
        let running = Running { peer, since, stop: Some(sender), moved, moved_before: 0, pulse: Pulse::default() };
        self.contacts.insert(connection, running);
        for _ in 0..self.pairing.contact_up(peer, connection) {
            self.swarm.behaviour_mut().pairing.open(peer::peer_id(peer), connection);
        }
    }
}

impl Running {
    fn stop(&mut self, why: Why) {
        if let Some(stop) = self.stop.take() {
            // A contact that has just ended by itself listens no more.
            let _ = stop.send(why);
        }
    }
}

/// Says on which link a peer is that came in by an address of one link.
fn on_link_of(local: &Multiaddr, remote: Multiaddr) -> Multiaddr {
    let Some((socket, _)) = address::parts(&remote).filter(|(socket, _)| address::is_link_local(socket.ip())) else {
        return remote;
    };
    let zone =
        Interfaces::now().ok().and_then(|interfaces| Some(interfaces.of(address::host(local)?)?.interface.clone()));
    address::plain(socket, zone.as_deref())
}

/// Adds a `--peer`.
fn give(book: &mut Book, addr: &Multiaddr, now: Instant) -> Result<(), NetError> {
    let unsupported = || NetError::Unsupported { addr: addr.clone() };
    let (_, plain) = address::dialable(addr).ok_or_else(unsupported)?;
    match address::parts(addr).and_then(|(_, peer)| peer) {
        Some(peer) => {
            let node = peer::node_id(&peer).map_err(|source| NetError::BadPeer { addr: addr.clone(), source })?;
            book.learn(node, plain, Source::Given, now);
        }
        None => book.give(plain, now),
    }
    Ok(())
}

async fn heard(discovery: &mut Option<Discovery>) -> Option<Sighting> {
    match discovery {
        Some(discovery) => discovery.next().await,
        None => std::future::pending().await,
    }
}

//! The convergence layer: moves frames between nodes during contacts, over libp2p, and knows nothing of what they mean.
//!
//! ```text
//!  NetHandle ──wishes──▶ swarm task ──starts──▶ contact task (reader) ──ContactUp, Frame…, ContactDown──▶ NetEvent
//!                          ▲   │                      └─ writer task ◀── queue ◀── ContactSender
//!                mDNS thread   └─ who carries (links), whom to dial (book)
//! ```
//!
//! - One swarm task decides and never waits: not for a full channel, not for a disk, not for a signature.
//! - A contact is one stream each way of `/dak/contact/1`, on one connection, whatever both sides dialed. Its own task
//!   says [`NetEvent::ContactUp`], then each frame, then [`NetEvent::ContactDown`]; for one peer these strictly alternate.
//! - Whatever a peer can fill is bounded: frames by [`Limits::frame_bytes_max`], what is handed out by
//!   [`Limits::budget_bytes`], what is queued by [`Limits::queue_bytes_max`], and connections by number. A consumer that
//!   stops taking frames stops the peers, through the windows of their streams.
//! - Beside the contact there is one stream more for as long as two nodes pair, `/dak/pair/1`: see `pairing`.
//! - Interfaces come and go: `interfaces` knows them, `discovery` asks on each who is there, over IPv4 and IPv6.
//! - What is said outside our protocol: libp2p's handshake, identify (see `nickname`) and ping, and multicast DNS (see
//!   `discovery/record.rs`).
//! - Addresses are hints: from the owner, the address book or mDNS. Noise proves who answers.
//!
//! Left out on purpose: knowing whether a frame arrived. When a contact breaks nothing in flight counts; the frames
//! themselves must say what was kept.

mod address;
mod admission;
mod behaviour;
mod book;
mod contact;
mod crowd;
mod discovery;
#[cfg(test)]
mod hostile;
pub mod hostname;
pub mod interfaces;
mod jitter;
mod length;
mod links;
mod muxer;
mod nickname;
mod pairing;
pub mod peer;
mod protocol;
mod pulse;
mod queue;
mod reader;
mod streams;
mod task;
mod tcp;
mod wishes;
mod writer;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, TransportError};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, oneshot, watch};

pub use self::address::ip;
#[cfg(test)]
pub use self::contact::tests::plant_fault;
use self::pairing::Opened;
pub use self::pairing::{NotPaired, PAIR_PROTOCOL, PairStream, PairStreams, PairWith};
pub use self::protocol::PROTOCOL;
pub use self::queue::{ContactSender, SendError};
pub use self::reader::Permit;
use self::task::Task;
use self::tcp::Traffic;
use self::wishes::Wishes;
use crate::bundle::BUNDLE_BYTES_MAX;
use crate::frame::FRAME_BYTES_MAX;
use crate::id::{KeyError, NodeId};

/// Events that wait for the node. Frames are bounded by bytes as well.
const EVENTS_MAX: usize = 1_024;

/// How to run the network.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Where to listen: `/ip4/0.0.0.0/tcp/PORT` and the like.
    pub listen: Vec<Multiaddr>,
    /// Addresses to keep a contact with, with or without `/p2p/…`; dialed for ever.
    pub peers: Vec<Multiaddr>,
    /// Whether to look for neighbours by multicast, and to be found.
    pub mdns: bool,
    /// What the node calls itself to whoever connects.
    pub name: Option<String>,
    /// Contacts to look for by chance among the peers known; those asked for, and those who dial in, come on top.
    pub contacts_max: usize,
    /// Where peers answered once or the owner says they live.
    pub address_book: Vec<Saved>,
    /// Peers that the owner has a name for.
    pub named: Vec<NodeId>,
    pub limits: Limits,
}

/// An address of the address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub node: NodeId,
    pub addr: Multiaddr,
    /// The owner entered it.
    pub entered: bool,
}

/// The bounds on what peers can make this node keep.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest frame, in bytes.
    pub frame_bytes_max: usize,
    /// Frames of one contact that were handed out and not dealt with, in bytes and 64 more for each.
    pub budget_bytes: usize,
    /// The same of all peers together that nobody named, those gone since included: fresh identities are free, and each
    /// could leave a whole budget behind.
    pub crowd_bytes: usize,
    /// Frames that wait to be sent on one contact, in bytes and 64 more for each.
    pub queue_bytes_max: usize,
    /// The same on all contacts: the less room is left, the less any one of them may fill.
    pub queues_bytes_max: usize,
    /// Inbound connections of peers nobody named; past it new ones take the places of some that had half a minute.
    pub strangers_max: usize,
    /// Inbound connections of peers that the owner named.
    pub familiars_max: usize,
    /// Outbound connections.
    pub outbound_max: usize,
    /// Inbound connections whose handshake is not done; past it new ones take the places of the oldest.
    pub pending_max: usize,
    pub deadlines: Deadlines,
}

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// From a connection to the contact over it.
    pub contact: Duration,
    /// From the contact to its first byte.
    pub first_byte: Duration,
    /// For each 64 KiB of a frame that has begun.
    pub progress: Duration,
    /// Between pings, and for their answers. A contact that moves no byte while three of them fail is closed. Where the
    /// kernel can, it ends a connection as soon as such a ping is not acknowledged for nine seconds.
    pub ping: Duration,
}

/// What happens on the network.
#[derive(Debug)]
pub enum NetEvent {
    /// The node can be reached here.
    Listening(Multiaddr),
    /// The node can be reached there no more.
    ListeningEnded(Multiaddr),
    /// Both sides must send a first frame at once ([`Deadlines::first_byte`]). `addr` is where the peer was dialed, or
    /// the host that it dialed from.
    ContactUp {
        peer: NodeId,
        addr: Multiaddr,
        is_stranger: bool,
        outbound: ContactSender,
    },
    /// A frame of a peer whose contact is up, in the order sent. Keep the permit until the frame is dealt with.
    Frame {
        peer: NodeId,
        bytes: Vec<u8>,
        permit: Permit,
    },
    ContactDown {
        peer: NodeId,
        why: Why,
    },
    /// Bytes of a frame leave for a peer, and have for a second at least. Comes about once a second; one that finds no
    /// room among the events is dropped.
    Moved {
        peer: NodeId,
    },
    /// A peer may be reached here; nothing proves it yet. Comes again whenever the peer is heard again.
    Discovered {
        peer: NodeId,
        addr: Multiaddr,
    },
    /// A peer that was near by said goodbye there, or was not heard for too long.
    Vanished {
        peer: NodeId,
        addr: Multiaddr,
    },
    /// A peer calls itself so, as anybody may.
    Named {
        peer: NodeId,
        name: String,
    },
    /// Another node near by proved to have this node's own key.
    Twin {
        addr: Multiaddr,
    },
    /// A contact came up by dialing this address; worth saving.
    AddressWorked {
        peer: NodeId,
        addr: Multiaddr,
    },
    /// A peer broke the rules; `None` where it has no name that could be trusted.
    Bad {
        peer: Option<NodeId>,
        what: String,
    },
}

/// Whether neighbours can be found by multicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Multicast {
    /// Nobody is looked for.
    Off,
    /// Nobody can know yet.
    Unknown,
    /// What was said was heard, on one interface at least.
    Works,
    /// It works on no interface, and why.
    Fails(String),
}

/// Why a contact ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The peer closed it, or the connection broke.
    Closed,
    /// The peer answered no ping and moved no byte.
    Silent,
    /// The peer took nothing until the queue was full.
    Stalled,
    /// The peer came back over another connection.
    Replaced,
    /// The peer broke the rules; a [`NetEvent::Bad`] says how.
    Bad,
    /// This program broke in a task of the contact.
    Fault,
    /// This node asked for it.
    Asked,
    /// This node stops.
    Shutdown,
}

/// Why the network does not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("{addr} is in use: another node or program listens there")]
    PortTaken { addr: Multiaddr },
    #[error("cannot listen on {addr}: {source}")]
    Listen { addr: Multiaddr, source: io::Error },
    #[error("{addr} cannot be used: give an address like /ip4/192.168.1.7/tcp/4747, with or without /p2p/…")]
    Unsupported { addr: Multiaddr },
    #[error("the peer in {addr} is not one to talk to: {source}")]
    BadPeer { addr: Multiaddr, source: KeyError },
    #[error("this node's key cannot be used: {0}")]
    BadKey(#[from] KeyError),
    #[error("cannot prepare encryption: {0}")]
    Noise(String),
    #[error("the system gives no random numbers: {0}")]
    Entropy(getrandom::Error),
    #[error("cannot look for neighbours: {0}")]
    Discovery(io::Error),
}

/// Starts the network.
#[derive(Debug)]
pub struct Net;

/// Steers the network; nothing here waits, except [`NetHandle::shutdown`]. The network stops when the last clone is gone.
#[derive(Clone)]
pub struct NetHandle {
    inner: Arc<Inner>,
}

struct Inner {
    wishes: Arc<Wishes>,
    multicast: watch::Receiver<Multicast>,
    traffic: Arc<Traffic>,
    done: watch::Receiver<()>,
}

impl Net {
    /// Listens and starts to dial. Must be called inside a tokio runtime.
    pub fn start(config: NetConfig, keypair: Keypair) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NetError> {
        for addr in &config.listen {
            probe(addr)?;
        }
        let traffic = Arc::<Traffic>::default();
        let mut swarm = behaviour::swarm(&keypair, &config.limits, config.name.as_deref(), Arc::clone(&traffic))?;
        for addr in &config.listen {
            swarm.listen_on(addr.clone()).map_err(|error| listen_error(addr, error))?;
        }
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let (done_sender, done) = watch::channel(());
        let wishes = Arc::new(Wishes::default());
        let (multicast_sender, multicast) = watch::channel(Multicast::Off);
        let task = Task::new(config, swarm, events, wishes.clone(), multicast_sender)?;
        tokio::spawn(async move {
            task.run().await;
            drop(done_sender);
        });
        Ok((NetHandle { inner: Arc::new(Inner { wishes, multicast, traffic, done }) }, receiver))
    }
}

impl NetHandle {
    /// Dials a peer for whom something is held: at once if it answered somewhere once, and again with backoff until a
    /// contact comes up. Does nothing for any other peer; multicast may find it, and dials whoever it finds.
    pub fn dial(&self, peer: NodeId) {
        self.inner.wishes.dial(peer);
    }

    /// Adds an address that the owner entered.
    pub fn add_address(&self, peer: NodeId, addr: Multiaddr) {
        self.inner.wishes.add_address(peer, addr);
    }

    /// Ends the contact with a peer after what is queued for it; either side may dial again.
    pub fn disconnect(&self, peer: NodeId) {
        self.inner.wishes.disconnect(peer);
    }

    /// Ends the contact with a peer at once and has none with it for so long, whoever dials.
    pub fn banish(&self, peer: NodeId, span: Duration) {
        self.inner.wishes.banish(peer, span);
    }

    /// Keeps room for a peer that the owner has a name for, from wherever it comes, and dials it where it answered once.
    pub fn name(&self, peer: NodeId) {
        self.inner.wishes.name(peer, true);
    }

    /// The owner has no name for a peer any more: forgets what was entered for it.
    pub fn forget(&self, peer: NodeId) {
        self.inner.wishes.name(peer, false);
    }

    /// Takes streams on which others want to pair, from now on and in place of whoever took them before.
    pub fn take_pairings(&self) -> PairStreams {
        let (sender, streams) = PairStreams::new();
        self.inner.wishes.take_pairings(sender);
        streams
    }

    /// Opens a stream to pair with somebody; the caller bounds how long that may take.
    pub async fn pair(&self, with: PairWith) -> Result<PairStream, NotPaired> {
        let (opened, answer): (Opened, _) = oneshot::channel();
        if !self.inner.wishes.pair(with, opened) {
            return Err(NotPaired::Busy);
        }
        answer.await.unwrap_or(Err(NotPaired::Away))
    }

    /// Whether neighbours can be found by multicast.
    pub fn multicast(&self) -> Multicast {
        self.inner.multicast.borrow().clone()
    }

    /// Bytes sent to peers since the start, over all connections: handshakes, pings and all, but for the headers of TCP and
    /// IP.
    pub fn sent_bytes(&self) -> u64 {
        self.inner.traffic.sent.load(Ordering::Relaxed)
    }

    /// The same of what peers sent.
    pub fn received_bytes(&self) -> u64 {
        self.inner.traffic.received.load(Ordering::Relaxed)
    }

    /// Sends what is queued, ends all contacts and stops listening; takes at most two seconds.
    pub async fn shutdown(&self) {
        self.inner.wishes.shutdown();
        // An error says that the task is gone, which is what is waited for.
        let _ = self.inner.done.clone().changed().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wishes.shutdown();
    }
}

impl Why {
    /// Whether this side ends a contact that works, so that queued frames may still leave.
    fn is_polite(self) -> bool {
        matches!(self, Why::Asked | Why::Shutdown)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Closed => "the peer left",
            Why::Silent => "the peer fell silent",
            Why::Stalled => "the peer takes nothing",
            Why::Replaced => "the peer came back over another connection",
            Why::Bad => "the peer broke the rules",
            Why::Fault => "a fault of this program",
            Why::Asked => "this node hung up",
            Why::Shutdown => "this node stops",
        })
    }
}

impl fmt::Debug for NetHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetHandle")
    }
}

impl Default for NetConfig {
    /// Listens nowhere and looks for nobody; a dozen contacts.
    fn default() -> NetConfig {
        NetConfig {
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: false,
            name: None,
            contacts_max: 12,
            address_book: Vec::new(),
            named: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frame_bytes_max: FRAME_BYTES_MAX.max(BUNDLE_BYTES_MAX + 64),
            // A window of bundles and what is said beside them; all strangers at once are to fit into a small machine, where
            // a frame that is dealt with takes several times its bytes: an offer is read, asked for, and that is written.
            budget_bytes: 5 << 18,
            crowd_bytes: 8 << 20,
            queue_bytes_max: 8 << 20,
            queues_bytes_max: 64 << 20,
            strangers_max: 64,
            familiars_max: 64,
            outbound_max: 96,
            // Each holds a socket: with twice this, the rest stays below the usual 1,024 of a process.
            pending_max: 256,
            deadlines: Deadlines::default(),
        }
    }
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            contact: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            progress: Duration::from_secs(30),
            ping: Duration::from_secs(5),
        }
    }
}

/// Makes sure that nobody listens on a port yet: libp2p lets several processes of one user share it, and each would get
/// some of the other's connections.
fn probe(addr: &Multiaddr) -> Result<(), NetError> {
    let (socket, _) = address::parts(addr).ok_or_else(|| NetError::Unsupported { addr: addr.clone() })?;
    try_listener(socket).map_err(|error| bind_error(addr, error))
}

/// Whether this machine knows such addresses at all: some have no IPv6.
pub fn can_listen(addr: &Multiaddr) -> bool {
    let any_port = address::host(addr).map(|ip| SocketAddr::new(ip, 0));
    any_port.is_some_and(|socket| try_listener(socket).is_ok())
}

fn try_listener(socket: SocketAddr) -> io::Result<()> {
    let listener = Socket::new(Domain::for_address(socket), Type::STREAM, Some(Protocol::TCP))?;
    if socket.is_ipv6() {
        // The same port of IPv4 is another listener's.
        listener.set_only_v6(true)?;
    }
    // What was connected there before may linger.
    listener.set_reuse_address(true)?;
    listener.bind(&socket.into())?;
    listener.listen(1)
}

fn bind_error(addr: &Multiaddr, source: io::Error) -> NetError {
    let addr = addr.clone();
    if source.kind() == io::ErrorKind::AddrInUse {
        NetError::PortTaken { addr }
    } else {
        NetError::Listen { addr, source }
    }
}

fn listen_error(addr: &Multiaddr, error: TransportError<io::Error>) -> NetError {
    match error {
        TransportError::Other(source) => bind_error(addr, source),
        TransportError::MultiaddrNotSupported(addr) => NetError::Unsupported { addr },
    }
}

//! `/dak/pair/1` inside the swarm: a short stream between two nodes that may not know each other, for whoever above knows
//! what is said on it.
//!
//! A node takes such streams only while somebody here waits for them, a few at a time; at all other times they are dropped
//! unread. One is opened on the connection that carries a contact, for any other may be closed as superfluous at any moment;
//! where there is none with a node that is asked, it is dialed, and the contact begins as with anybody.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::{ConnectionId, StreamUpgradeError};
use libp2p::{Multiaddr, Stream, StreamProtocol};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::length::{self, LENGTH_BYTES_MAX, Length};
use super::streams::{self, Streams};
use crate::id::NodeId;

pub const PAIR_PROTOCOL: StreamProtocol = StreamProtocol::new("/dak/pair/1");

/// Streams that wait for whoever takes them, one of a peer: there are fewer peers, so nobody's is dropped for want of a place.
const WAITING_MAX: usize = 256;
/// Nodes that are to be asked at once.
pub(super) const ASKED_MAX: usize = 32;
/// How long each side may take for a frame, which is a packet or three.
const FRAME_TIME: Duration = Duration::from_secs(10);

pub(super) type Behaviour = streams::Behaviour<PairingStreams>;
pub(super) type Event = streams::Event<Happened>;

/// Whom to open a stream with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairWith {
    /// A node, and where it may be found.
    Node(NodeId, Vec<Multiaddr>),
    /// Whoever answers there.
    Whoever(Multiaddr),
}

/// Why no stream was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPaired {
    #[error("nobody answers there")]
    Away,
    #[error("it is this node itself")]
    Myself,
    #[error("too many are asked at once")]
    Busy,
}

pub(super) type Opened = oneshot::Sender<Result<PairStream, NotPaired>>;

/// A stream with a node whose key the connection proved.
#[derive(Debug)]
pub struct PairStream {
    pub peer: NodeId,
    stream: Stream,
}

/// Streams that others open with this node, as long as it is not dropped.
#[derive(Debug)]
pub struct PairStreams {
    streams: mpsc::Receiver<PairStream>,
    waiting: Waiters,
}

/// Where these streams go: of each peer one at a time, in the order in which they came.
#[derive(Debug)]
pub(super) struct Taker {
    streams: mpsc::Sender<PairStream>,
    waiting: Waiters,
}

/// Peers of whom a stream waits.
#[derive(Clone, Debug, Default)]
struct Waiters(Arc<Mutex<BTreeSet<NodeId>>>);

impl PairStreams {
    pub(super) fn new() -> (Taker, PairStreams) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let waiting = Waiters::default();
        (Taker { streams: sender, waiting: waiting.clone() }, PairStreams { streams: receiver, waiting })
    }

    /// None once the network has ended.
    pub async fn next(&mut self) -> Option<PairStream> {
        let stream = self.streams.recv().await?;
        self.waiting.lock().remove(&stream.peer);
        Some(stream)
    }
}

impl Taker {
    /// Whether nobody takes any more.
    fn is_gone(&self) -> bool {
        self.streams.is_closed()
    }

    /// One more stream waits; dropped where one of its peer does.
    fn put(&self, stream: PairStream) {
        let peer = stream.peer;
        if self.waiting.lock().insert(peer) && self.streams.try_send(stream).is_err() {
            self.waiting.lock().remove(&peer);
        }
    }
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<NodeId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PairStream {
    /// Sends a frame, and waits until it has left.
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(LENGTH_BYTES_MAX + frame.len());
        length::write(u32::try_from(frame.len()).map_err(io::Error::other)?, &mut bytes);
        bytes.extend_from_slice(frame);
        let send = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        timeout(FRAME_TIME, send).await.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
    }

    /// Takes the next frame, of so many bytes at most.
    pub async fn receive(&mut self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let receive = async {
            let mut said = Vec::with_capacity(LENGTH_BYTES_MAX);
            let len = loop {
                let mut byte = [0];
                self.stream.read_exact(&mut byte).await?;
                said.extend(byte);
                match length::read(&said) {
                    Length::Is { len, .. } => break len as usize,
                    Length::More => {}
                    Length::TooLong(_) | Length::Padded => return Err(io::ErrorKind::InvalidData.into()),
                }
            };
            if len > bytes_max {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut frame = vec![0; len];
            self.stream.read_exact(&mut frame).await?;
            Ok(frame)
        };
        timeout(FRAME_TIME, receive).await.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
    }

    /// Says that nothing more comes.
    pub async fn close(&mut self) {
        let _ = timeout(FRAME_TIME, self.stream.close()).await;
    }
}

/// What is under way: who takes streams, and who waits for one.
#[derive(Default)]
pub(super) struct Pairing {
    host: Option<Taker>,
    /// Dials that were made for a pairing.
    dials: BTreeMap<ConnectionId, Waiting>,
    /// Whoever waits for the contact with a node.
    waiting: Vec<(NodeId, Opened)>,
    /// Streams that are being opened, in the order asked for.
    opening: BTreeMap<ConnectionId, VecDeque<(NodeId, Opened)>>,
}

/// Who waits for a dial.
pub(super) type Waiting = Vec<Opened>;

impl Pairing {
    /// From now on streams go there; to nobody once that side is dropped.
    pub fn host(&mut self, host: Taker) {
        self.host = Some(host);
    }

    /// A node opened a stream.
    pub fn opened_by(&mut self, peer: NodeId, stream: Stream) {
        // Dropped where nobody waits.
        if let Some(host) = &self.host {
            host.put(PairStream { peer, stream });
        }
        if self.host.as_ref().is_some_and(Taker::is_gone) {
            self.host = None;
        }
    }

    /// Whether there is room for one more question.
    pub fn has_room(&mut self) -> bool {
        self.waiting.retain(|(_, opened)| !opened.is_closed());
        let opening: usize = self.opening.values().map(VecDeque::len).sum();
        self.waiting.len() + self.dials.len() + opening < ASKED_MAX
    }

    pub fn dialed(&mut self, connection: ConnectionId, opened: Opened) {
        self.dials.entry(connection).or_default().push(opened);
    }

    /// The dial of a connection came to an end; whoever waited for it.
    pub fn dial_ended(&mut self, connection: ConnectionId) -> Waiting {
        self.dials.remove(&connection).unwrap_or_default()
    }

    /// Waits for the contact with a node, which is about to begin.
    pub fn wait(&mut self, peer: NodeId, opened: Opened) {
        self.waiting.push((peer, opened));
    }

    /// The contact with a node began; returns for how many a stream is to be opened on its connection.
    pub fn contact_up(&mut self, peer: NodeId, connection: ConnectionId) -> usize {
        let (here, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(node, _)| *node == peer);
        self.waiting = waiting;
        let here: Vec<_> = here;
        let count = here.len();
        here.into_iter().for_each(|(node, opened)| self.open(connection, node, opened));
        count
    }

    /// A stream was asked for on a connection.
    pub fn open(&mut self, connection: ConnectionId, peer: NodeId, opened: Opened) {
        self.opening.entry(connection).or_default().push_back((peer, opened));
    }

    /// A stream that was asked for is open, or cannot be.
    pub fn opened(&mut self, connection: ConnectionId, stream: Option<Stream>) {
        let Some(opening) = self.opening.get_mut(&connection) else { return };
        if let Some((peer, opened)) = opening.pop_front() {
            // Nobody may wait any more.
            let _ = opened.send(stream.map(|stream| PairStream { peer, stream }).ok_or(NotPaired::Away));
        }
        if opening.is_empty() {
            self.opening.remove(&connection);
        }
    }

    /// A connection is gone, and with `last` every one with its node: whoever waits for it is told so by the end of its
    /// channel.
    pub fn disconnected(&mut self, connection: ConnectionId, peer: NodeId, last: bool) {
        self.opening.remove(&connection);
        if last {
            self.waiting.retain(|(node, _)| *node != peer);
        }
    }
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Happened {
    /// The peer opened a stream.
    In(Stream),
    /// The stream that was asked for.
    Out(Stream),
    /// There is none: the peer does not pair, or the connection broke.
    Failed,
}

/// Tells of every stream.
#[derive(Default)]
pub(super) struct PairingStreams;

impl Streams for PairingStreams {
    const PROTOCOL: StreamProtocol = PAIR_PROTOCOL;
    type Happened = Happened;

    fn opened_by_peer(&mut self, stream: Stream) -> Option<Happened> {
        Some(Happened::In(stream))
    }

    fn opened(stream: Stream) -> Happened {
        Happened::Out(stream)
    }

    fn not_opened(_: &StreamUpgradeError<Infallible>) -> Happened {
        Happened::Failed
    }
}

//! `/dak/contact/1` inside the swarm: the two long-lived streams of a contact.

use std::convert::Infallible;

use libp2p::swarm::StreamUpgradeError;
use libp2p::{Stream, StreamProtocol};

use super::streams::{self, Streams};

pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/dak/contact/1");

/// Streams of our protocol that a peer may open past its first before it counts as hostile.
const EXTRA_STREAMS_MAX: u32 = 2;

pub(super) type Behaviour = streams::Behaviour<ContactStreams>;
pub(super) type Event = streams::Event<Happened>;

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

/// Counts the streams that the peer opened.
#[derive(Default)]
pub(super) struct ContactStreams {
    accepted: u32,
}

impl Streams for ContactStreams {
    const PROTOCOL: StreamProtocol = PROTOCOL;
    type Happened = Happened;

    fn opened_by_peer(&mut self, stream: Stream) -> Option<Happened> {
        self.accepted = self.accepted.saturating_add(1);
        match self.accepted {
            1 => Some(Happened::StreamIn(stream)),
            // Told once; the connection is closed on it.
            n if n == EXTRA_STREAMS_MAX + 2 => Some(Happened::TooManyStreams),
            _ => None,
        }
    }

    fn opened(stream: Stream) -> Happened {
        Happened::StreamOut(stream)
    }

    fn not_opened(why: &StreamUpgradeError<Infallible>) -> Happened {
        if let StreamUpgradeError::NegotiationFailed = why { Happened::Foreign } else { Happened::OpenFailed }
    }
}

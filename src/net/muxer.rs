//! Yamux with a bounded receive window.
//!
//! A stream's window grows with bandwidth times round trip, and the peer makes both numbers: by answering pings late it
//! could make us promise room for a gigabyte, which is the default bound. Here a whole connection gets
//! [`CONNECTION_WINDOW_BYTES`].

mod sparing;

use std::collections::VecDeque;
use std::future::{Future, Ready, ready};
use std::io;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::futures::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};
use yamux::{Connection, ConnectionError, Mode, Stream};

use sparing::Sparing;

/// Streams of one connection; a peer that opens more loses the connection. Ours use six: contact, ping and identify,
/// each both ways; and a seventh while two nodes pair.
pub const STREAMS_MAX: usize = 8;
/// Bytes a peer may send beyond what was read, over all streams of a connection: 256 KiB each, and 1 MiB to grow.
pub const CONNECTION_WINDOW_BYTES: usize = STREAMS_MAX * 256 * 1024 + (1 << 20);
/// Longest piece a write is cut into. Streams of 1,500-byte bundles go about a quarter faster over loopback than with the
/// default of 16 KiB; pings wait longer behind a piece, but they do not count while bytes move.
const PIECE_BYTES_MAX: usize = 64 * 1024;
/// How long the last bytes of a connection may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// New streams that wait until somebody asks for them.
const ARRIVED_MAX: usize = STREAMS_MAX;

/// Negotiates `/yamux/1.0.0`.
#[derive(Clone, Debug)]
pub(super) struct Yamux;

pub(super) struct Muxer<C> {
    connection: Connection<Sparing<C>>,
    arrived: VecDeque<Stream>,
    asking: Option<Waker>,
    /// When to give up on closing politely.
    closing: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Broken(ConnectionError);

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn new(socket: C, mode: Mode) -> Muxer<C> {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(STREAMS_MAX);
        config.set_max_connection_receive_window(Some(CONNECTION_WINDOW_BYTES));
        config.set_split_send_size(PIECE_BYTES_MAX);
        Muxer {
            connection: Connection::new(Sparing::new(socket), config, mode),
            arrived: VecDeque::new(),
            asking: None,
            closing: None,
        }
    }

    /// Moves the whole connection on: yamux makes progress only while it is asked for new streams.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, Broken>> {
        match self.connection.poll_next_inbound(cx) {
            Poll::Ready(Some(stream)) => Poll::Ready(stream.map_err(Broken)),
            Poll::Ready(None) => Poll::Ready(Err(Broken(ConnectionError::Closed))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = Stream;
    type Error = Broken;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Broken>> {
        if let Some(stream) = self.arrived.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        let driven = self.drive(cx);
        if driven.is_pending() {
            self.asking = Some(cx.waker().clone());
        }
        driven
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Broken>> {
        self.connection.poll_new_outbound(cx).map_err(Broken)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        // A peer that is gone takes no farewell, and TCP would try for a quarter of an hour.
        let closing = self.closing.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
        if closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.connection.poll_close(cx).map_err(Broken)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Broken>> {
        while let Poll::Ready(stream) = self.drive(cx) {
            let stream = stream?;
            // Past the bound a new stream is dropped, which resets it.
            if self.arrived.len() < ARRIVED_MAX {
                self.arrived.push_back(stream);
            }
            if let Some(asking) = self.asking.take() {
                asking.wake();
            }
        }
        Poll::Pending
    }
}

impl UpgradeInfo for Yamux {
    type Info = &'static str;
    type InfoIter = iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> InboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Muxer<C>>>;

    fn upgrade_inbound(self, socket: C, _: &'static str) -> Self::Future {
        ready(Ok(Muxer::new(socket, Mode::Server)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> OutboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Muxer<C>>>;

    fn upgrade_outbound(self, socket: C, _: &'static str) -> Self::Future {
        ready(Ok(Muxer::new(socket, Mode::Client)))
    }
}

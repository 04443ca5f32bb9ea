//! Yamux with a bounded receive window.
//!
//! A stream's window grows with bandwidth times round trip, and the peer makes both numbers: by answering pings late it
//! could make us promise room for a gigabyte, which is the default bound. Here a whole connection gets
//! [`CONNECTION_WINDOW_BYTES`], and however small the pieces are that fill it, [`unread::UNREAD_FRAMES_MAX`] of them.

mod sparing;
mod unread;

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
use yamux::{Connection, ConnectionError, Mode};

use sparing::Sparing;
use unread::{Counting, Stream, Unread};

/// The header of a yamux frame: version, type, flags of two bytes, stream and length of four each.
const HEADER_BYTES: usize = 12;
/// The type of the frames that have a body.
const DATA: u8 = 0;

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
    connection: Connection<Sparing<Counting<C>>>,
    unread: Unread,
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
        let unread = Unread::default();
        let socket = Sparing::new(Counting::new(socket, unread.clone()));
        Muxer {
            connection: Connection::new(socket, config, mode),
            unread,
            arrived: VecDeque::new(),
            asking: None,
            closing: None,
        }
    }

    /// Moves the whole connection on: yamux makes progress only while it is asked for new streams.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, Broken>> {
        match self.connection.poll_next_inbound(cx) {
            Poll::Ready(Some(stream)) => Poll::Ready(self.counted(stream)),
            Poll::Ready(None) => Poll::Ready(Err(Broken(ConnectionError::Closed))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn counted(&self, stream: Result<yamux::Stream, ConnectionError>) -> Result<Stream, Broken> {
        stream.map(|stream| Stream::new(stream, self.unread.clone())).map_err(Broken)
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
        let opened = self.connection.poll_new_outbound(cx);
        opened.map(|stream| self.counted(stream))
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::{Arc, Mutex};

    use libp2p::futures::AsyncReadExt;

    use super::*;

    /// A socket from which comes what a test puts there; what is written is taken.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<VecDeque<u8>>>);

    impl Said {
        fn say(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
            self.0.lock().unwrap().extend(frames.into_iter().flatten());
        }
    }

    impl AsyncRead for Said {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
            let mut said = self.0.lock().unwrap();
            let count = buffer.len().min(said.len());
            for (byte, came) in buffer.iter_mut().zip(said.drain(..count)) {
                *byte = came;
            }
            if count == 0 { Poll::Pending } else { Poll::Ready(Ok(count)) }
        }
    }

    impl AsyncWrite for Said {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A frame of yamux: data where it has a body, else a window update.
    fn frame(flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
        let kind = u8::from(body.is_empty());
        let [stream, length] = [stream, body.len() as u32].map(u32::to_be_bytes);
        [&[0, kind, 0, flags], &stream[..], &length, body].concat()
    }

    const OPENS: u8 = 1;

    /// Takes all that the peer said: whether the connection stands.
    async fn moves_on(muxer: &mut Muxer<Said>) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *muxer).poll(cx).is_pending())).await
    }

    async fn stream(muxer: &mut Muxer<Said>) -> <Muxer<Said> as StreamMuxer>::Substream {
        poll_fn(|cx| Pin::new(&mut *muxer).poll_inbound(cx)).await.unwrap()
    }

    #[tokio::test]
    async fn who_fills_a_window_with_crumbs_that_nobody_reads_loses_the_connection() {
        // However the stream began, with bytes or without, and over however many streams they are spread.
        for (first, streams) in [(&[][..], 1), (&[7][..], 1), (&[][..], 4), (&[7; 65_536][..], 2)] {
            let ids = || (0..streams).map(|n| 2 * n + 1);
            let said = Said::default();
            let mut muxer = Muxer::new(said.clone(), Mode::Server);
            said.say(ids().map(|id| frame(OPENS, id, first)));
            let mut unread = Vec::new();
            for _ in ids() {
                unread.push(stream(&mut muxer).await);
            }
            said.say(ids().cycle().take(60_000).map(|id| frame(0, id, &[7])));
            assert!(!moves_on(&mut muxer).await, "{streams} streams that begin with {} bytes", first.len());
        }
    }

    #[tokio::test]
    async fn what_was_read_counts_no_more() {
        let said = Said::default();
        let mut muxer = Muxer::new(said.clone(), Mode::Server);
        said.say([frame(OPENS, 1, &[7]), frame(OPENS, 3, &[])]);
        let [mut first, mut second] = [stream(&mut muxer).await, stream(&mut muxer).await];
        first.read_exact(&mut [0]).await.unwrap();
        for _ in 0..4 {
            for (id, stream) in [(1, &mut first), (3, &mut second)] {
                said.say(vec![frame(0, id, &[7]); 10_000]);
                assert!(moves_on(&mut muxer).await);
                stream.read_exact(&mut [0; 10_000]).await.unwrap();
            }
        }
        // Large pieces fill the window before they are too many.
        said.say(vec![frame(0, 3, &[7; 1_000]); 200]);
        assert!(moves_on(&mut muxer).await);
    }

    #[tokio::test]
    async fn who_reads_and_is_never_done_keeps_the_connection() {
        let said = Said::default();
        let mut muxer = Muxer::new(said.clone(), Mode::Server);
        said.say([frame(OPENS, 1, &[7, 7])]);
        let mut first = stream(&mut muxer).await;
        first.read_exact(&mut [0]).await.unwrap();
        for _ in 0..100 {
            said.say(vec![frame(0, 1, &[7]); 1_000]);
            assert!(moves_on(&mut muxer).await);
            first.read_exact(&mut [0; 1_000]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_comes_for_a_stream_that_was_given_up_is_bounded_as_well() {
        let said = Said::default();
        let mut muxer = Muxer::new(said.clone(), Mode::Server);
        for id in [1, 3] {
            said.say([frame(OPENS, id, &[])]);
            let stream = stream(&mut muxer).await;
            said.say(vec![frame(0, id, &[7]); 8_000]);
            assert!(moves_on(&mut muxer).await);
            drop(stream);
        }
        said.say(vec![frame(0, 3, &[7]); 8_000]);
        assert!(!moves_on(&mut muxer).await);
    }
}

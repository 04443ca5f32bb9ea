//! How many pieces of data wait unread on a connection.
//!
//! A window bounds the bytes that a peer may send beyond what was read, and yamux keeps each frame of them in an allocation
//! of its own: a window full of frames of one byte takes sixty times its size. Some streams nobody reads at all, such as
//! those that this node writes on, so a peer could have that kept for as long as it likes. Here the frames are counted as
//! well, and a connection on which [`UNREAD_FRAMES_MAX`] wait ends.
//!
//! Yamux forgets a stream that was given up only once it has room to say so, and a peer that reads nothing leaves it none.
//! So what comes for such a stream counts as what waits, and what waited there when it was given up goes on counting.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use libp2p::futures::{AsyncRead, AsyncWrite};

use super::{DATA, HEADER_BYTES};

/// Frames with data that may wait unread, over all streams of a connection. They take about a MiB beside their bytes. Who
/// writes pieces of 192 bytes or more fills the windows before; and what is read at once never counts.
pub(super) const UNREAD_FRAMES_MAX: usize = 16_384;

/// The flag of a frame that opens a stream.
const OPENS: u8 = 1;

/// What waits on the streams of one connection.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    streams: BTreeMap<u32, Waiting>,
    /// Over all streams.
    frames: usize,
}

/// Of one stream: of each frame that was not read to its end how many bytes are left, the oldest first.
type Waiting = VecDeque<u32>;

impl Unread {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame with so many bytes comes; returns whether there is room for it.
    fn comes(&self, stream: u32, bytes: u32, opens: bool) -> bool {
        let mut state = self.state();
        if opens {
            state.streams.entry(stream).or_default();
        }
        if let Some(waiting) = state.streams.get_mut(&stream) {
            waiting.push_back(bytes);
        }
        state.frames += 1;
        state.frames <= UNREAD_FRAMES_MAX
    }

    fn was_read(&self, stream: u32, bytes: usize) {
        let mut state = self.state();
        let State { streams, frames } = &mut *state;
        let Some(waiting) = streams.get_mut(&stream) else { return };
        let mut left = bytes;
        while let Some(next) = waiting.front_mut() {
            if *next as usize > left {
                *next -= left as u32;
                return;
            }
            left -= *next as usize;
            waiting.pop_front();
            *frames -= 1;
        }
    }

    fn give_up(&self, stream: u32) {
        self.state().streams.remove(&stream);
    }
}

/// The socket below yamux: sees the frames that come.
pub(super) struct Counting<C> {
    inner: C,
    unread: Unread,
    header: [u8; HEADER_BYTES],
    /// Bytes of the header that are there.
    filled: usize,
    /// What is left to come of the body.
    rest: usize,
}

impl<C> Counting<C> {
    pub(super) fn new(inner: C, unread: Unread) -> Counting<C> {
        Counting { inner, unread, header: [0; HEADER_BYTES], filled: 0, rest: 0 }
    }

    /// Looks through what came; returns whether there is room for it.
    fn look(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let body = self.rest.min(bytes.len());
                self.rest -= body;
                bytes = &bytes[body..];
                continue;
            }
            let piece = (HEADER_BYTES - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + piece].copy_from_slice(&bytes[..piece]);
            self.filled += piece;
            bytes = &bytes[piece..];
            if self.filled == HEADER_BYTES {
                self.filled = 0;
                if !self.frame() {
                    return false;
                }
            }
        }
        true
    }

    fn frame(&mut self) -> bool {
        let [_, kind, _, flags, stream @ .., a, b, c, d] = self.header;
        let length = u32::from_be_bytes([a, b, c, d]);
        if kind != DATA || length == 0 {
            return true;
        }
        self.rest = length as usize;
        self.unread.comes(u32::from_be_bytes(stream), length, flags & OPENS != 0)
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Counting<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(count)) = read
            && !self.look(&buffer[..count])
        {
            return Poll::Ready(Err(io::Error::other("too many pieces wait unread")));
        }
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Counting<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// A stream that tells what of it was read.
pub(in crate::net) struct Stream {
    inner: yamux::Stream,
    unread: Unread,
}

impl Stream {
    pub(super) fn new(inner: yamux::Stream, unread: Unread) -> Stream {
        unread.state().streams.entry(inner.id().val()).or_default();
        Stream { inner, unread }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.unread.give_up(self.inner.id().val());
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(count)) = read {
            self.unread.was_read(self.inner.id().val(), count);
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

//! What yamux writes, but for its pings from the second on.
//!
//! Yamux measures the round trip to size its windows, and while anything moves it does so every ten seconds, for sixty
//! bytes each way, which is more than a receipt. Once a connection is enough: the first ping goes, and as its second one is
//! never answered it asks no more. What the peer asks is answered as ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::futures::{AsyncRead, AsyncWrite};

use super::{DATA, HEADER_BYTES};

/// A ping that asks; the answer has another flag.
const ASKS: [u8; 4] = [0, 2, 0, 1];

pub(super) struct Sparing<C> {
    inner: C,
    /// What is left to write of the frame that was begun.
    rest: usize,
    has_asked: bool,
}

impl<C> Sparing<C> {
    pub(super) fn new(inner: C) -> Sparing<C> {
        Sparing { inner, rest: 0, has_asked: false }
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Sparing<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Headers come whole where a frame begins.
        let begins = bytes.first_chunk::<HEADER_BYTES>().filter(|_| self.rest == 0);
        let asks = begins.is_some_and(|header| header.starts_with(&ASKS));
        if asks && self.has_asked {
            return Poll::Ready(Ok(HEADER_BYTES));
        }
        let begun = begins.map(|header| {
            let [.., a, b, c, d] = *header;
            let body = if header[1] == DATA { u32::from_be_bytes([a, b, c, d]) as usize } else { 0 };
            HEADER_BYTES + body
        });
        let rest = begun.unwrap_or(self.rest);
        let piece = if rest == 0 { bytes } else { &bytes[..bytes.len().min(rest)] };
        let written = Pin::new(&mut self.inner).poll_write(cx, piece);
        if let Poll::Ready(Ok(count)) = &written {
            self.rest = rest.saturating_sub(*count);
            self.has_asked |= asks;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Sparing<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::futures::AsyncWriteExt;

    use super::*;

    /// Takes so many bytes at a time.
    struct Narrow {
        taken: Vec<u8>,
        width: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let count = bytes.len().min(self.width);
            self.taken.extend(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn header(kind: u8, flags: u8, length: u32) -> Vec<u8> {
        [&[0, kind, 0, flags, 0, 0, 0, 1][..], &length.to_be_bytes()].concat()
    }

    #[tokio::test]
    async fn all_but_the_later_pings_leaves_as_it_was_however_little_the_connection_takes() {
        let (ping, pong, window) = (|n| header(2, 1, n), header(2, 2, 9), header(1, 0, 256));
        // A body that reads like a ping is none.
        let data = [header(0, 0, 24), ping(5), ping(6)].concat();
        for width in 1..40 {
            let mut sparing = Sparing::new(Narrow { taken: Vec::new(), width });
            let parts = [&data, &ping(1), &ping(2), &pong, &data, &window, &ping(3), &header(0, 1, 0), &pong];
            for part in parts {
                // As yamux writes: the header, then the body.
                let (head, body) = part.split_at(HEADER_BYTES);
                sparing.write_all(head).await.unwrap();
                sparing.write_all(body).await.unwrap();
            }
            let wanted = [&data[..], &ping(1), &pong, &data, &window, &header(0, 1, 0), &pong].concat();
            assert_eq!(sparing.inner.taken, wanted, "{width} bytes at a time");
        }
    }
}

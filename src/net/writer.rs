//! Writes what waits for a peer: many small frames in one piece, a large one from where it lies.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{AsyncWrite, AsyncWriteExt};

use super::length::{self, LENGTH_BYTES_MAX};
use super::queue::{FRAME_OVERHEAD_BYTES, Queue};

/// Counts what leaves, and tells of it while it leaves slowly.
pub(super) struct Meter<'a> {
    /// Bytes that the connection took.
    moved: &'a AtomicU64,
    tell: &'a (dyn Fn() + Send + Sync),
    told: Instant,
}

/// How often a slow transfer is told of.
const TELL: Duration = Duration::from_secs(1);

/// Small frames are gathered up to this many bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// Frames from this length on are written without being copied together.
const LARGE_BYTES: usize = 16 * 1024;

/// Writes until the queue is closed and empty, then closes the stream. `moved` counts bytes that the connection took, and
/// `tell` is called about once a second while some are under way.
pub(super) async fn write_frames<W>(
    mut stream: W,
    queue: &Queue,
    moved: &AtomicU64,
    tell: &(dyn Fn() + Send + Sync),
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut piece = Vec::new();
    while let Some(mut frames) = queue.take().await {
        let moved = &mut Meter { moved, tell, told: Instant::now() };
        loop {
            for frame in frames {
                let room = frame.len() + FRAME_OVERHEAD_BYTES;
                gather(&mut stream, &mut piece, frame, moved).await?;
                queue.written(room);
            }
            match queue.try_take() {
                Some(more) => frames = more,
                None => break,
            }
        }
        flush(&mut stream, &mut piece, moved).await?;
        stream.flush().await?;
        // An idle contact keeps no buffer.
        piece = Vec::new();
    }
    stream.close().await
}

impl Meter<'_> {
    fn note(&mut self, written: usize) {
        self.moved.fetch_add(written as u64, Ordering::Relaxed);
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            (self.tell)();
        }
    }
}

async fn gather<W: AsyncWrite + Unpin>(
    stream: &mut W,
    piece: &mut Vec<u8>,
    frame: Vec<u8>,
    moved: &mut Meter<'_>,
) -> io::Result<()> {
    let len = u32::try_from(frame.len()).expect("the queue bounds the length of a frame");
    if piece.len() + LENGTH_BYTES_MAX + frame.len() > PIECE_BYTES {
        flush(stream, piece, moved).await?;
    }
    length::write(len, piece);
    if frame.len() < LARGE_BYTES {
        piece.extend_from_slice(&frame);
        return Ok(());
    }
    flush(stream, piece, moved).await?;
    write_all(stream, &frame, moved).await
}

async fn flush<W: AsyncWrite + Unpin>(stream: &mut W, piece: &mut Vec<u8>, moved: &mut Meter<'_>) -> io::Result<()> {
    write_all(stream, piece, moved).await?;
    piece.clear();
    Ok(())
}

/// Counts as it goes: on a slow link the count is what shows that the peer still takes bytes.
async fn write_all<W: AsyncWrite + Unpin>(stream: &mut W, mut bytes: &[u8], meter: &mut Meter<'_>) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = stream.write(bytes).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        meter.note(written);
        bytes = &bytes[written..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Poll};

    use super::*;
    use crate::id::NodeId;
    use crate::net::queue::{ContactSender, Total};

    /// Takes a little at a time, and some time for it.
    struct Slow;

    impl AsyncWrite for Slow {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            std::thread::sleep(TELL / 8);
            Poll::Ready(Ok(bytes.len().min(LARGE_BYTES)))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_leaves_slowly_is_told_of_while_it_does() {
        let queue = Queue::new(Arc::new(Total::new(1 << 20)), 1 << 20, 1 << 20);
        let sender = ContactSender::new(NodeId::from_trusted([1; 32]), queue.clone());
        sender.send(vec![7; 16 * LARGE_BYTES]).unwrap();
        queue.close();
        let (moved, told) = (AtomicU64::new(0), AtomicUsize::new(0));
        let tell = || {
            told.fetch_add(1, Ordering::Relaxed);
        };
        write_frames(Slow, &queue, &moved, &tell).await.unwrap();
        assert_eq!(moved.into_inner(), 3 + 16 * LARGE_BYTES as u64);
        assert!((1..17).contains(&told.into_inner()), "about once a second");
    }
}

//! Writes what waits for a peer: many small frames in one piece, a large one from where it lies.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{AsyncWrite, AsyncWriteExt};

use super::queue::{FRAME_OVERHEAD_BYTES, Queue};

/// Small frames are gathered up to this many bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// Frames from this length on are written without being copied together.
const LARGE_BYTES: usize = 16 * 1024;

/// Writes until the queue is closed and empty, then closes the stream. `moved` counts bytes that the connection took.
pub(super) async fn write_frames<W>(mut stream: W, queue: &Queue, moved: &AtomicU64) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut piece = Vec::new();
    while let Some(mut frames) = queue.take().await {
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

async fn gather<W: AsyncWrite + Unpin>(
    stream: &mut W,
    piece: &mut Vec<u8>,
    frame: Vec<u8>,
    moved: &AtomicU64,
) -> io::Result<()> {
    let len = u32::try_from(frame.len()).expect("the queue bounds the length of a frame");
    if piece.len() + 4 + frame.len() > PIECE_BYTES {
        flush(stream, piece, moved).await?;
    }
    piece.extend_from_slice(&len.to_be_bytes());
    if frame.len() < LARGE_BYTES {
        piece.extend_from_slice(&frame);
        return Ok(());
    }
    flush(stream, piece, moved).await?;
    write_all(stream, &frame, moved).await
}

async fn flush<W: AsyncWrite + Unpin>(stream: &mut W, piece: &mut Vec<u8>, moved: &AtomicU64) -> io::Result<()> {
    write_all(stream, piece, moved).await?;
    piece.clear();
    Ok(())
}

/// Counts as it goes: on a slow link the count is what shows that the peer still takes bytes.
async fn write_all<W: AsyncWrite + Unpin>(stream: &mut W, mut bytes: &[u8], moved: &AtomicU64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = stream.write(bytes).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        moved.fetch_add(written as u64, Ordering::Relaxed);
        bytes = &bytes[written..];
    }
    Ok(())
}

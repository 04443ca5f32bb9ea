//! Reads a peer's frames: a [length], then that many bytes.
//!
//! The peer's number is checked before anything else and sizes nothing: a frame's memory grows as its bytes arrive.
//! Before a frame's body is read its bytes are taken from the contact's budget, so a consumer that falls behind stops the
//! reading, and the stream's window stops the peer.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Deadlines;
use super::length::{self, Length};
use super::queue::FRAME_OVERHEAD_BYTES;

/// Bytes asked of the stream at once, and the most that is set aside for a frame before its bytes are there.
const CHUNK_BYTES: usize = 64 * 1024;

/// Room taken from a contact's budgets for as long as this lives: keep it beside the frame until the frame is dealt with.
#[derive(Debug)]
pub struct Permit {
    _room: OwnedSemaphorePermit,
    _of_crowd: Option<OwnedSemaphorePermit>,
}

/// What a peer's frames may occupy, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// The contact's own.
    pub own: Arc<Semaphore>,
    /// Of a stranger: what all strangers share, those who left included.
    pub crowd: Option<Arc<Semaphore>>,
}

/// What the peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("announced a frame of {0} bytes or more")]
    TooLong(u32),
    #[error("spelt a length longer than it is")]
    Padded,
    #[error("said nothing after the contact began")]
    Silent,
    #[error("sent a frame too slowly")]
    Slow,
    #[error("opened one stream after another")]
    TooManyStreams,
}

/// How the reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer closed its stream or the connection broke; what was begun is forgotten.
    Closed,
    Fault(Fault),
    /// Nobody wants frames any more.
    Unwanted,
}

pub(super) struct Reader<R> {
    stream: R,
    /// Bytes read and not yet looked at: `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    deadlines: Deadlines,
    frame_bytes_max: usize,
    moved: Arc<AtomicU64>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(stream: R, deadlines: Deadlines, frame_bytes_max: usize, moved: Arc<AtomicU64>) -> Reader<R> {
        Reader { stream, buffer: vec![0; CHUNK_BYTES], start: 0, end: 0, deadlines, frame_bytes_max, moved }
    }

    /// Hands out frames until the contact ends. `hand` returns whether more is wanted.
    pub async fn read_frames<H, F>(mut self, budget: Budget, mut hand: H) -> End
    where
        H: FnMut(Vec<u8>, Permit) -> F,
        F: Future<Output = bool>,
    {
        let first = Instant::now() + self.deadlines.first_byte;
        match timeout_at(first, self.fill()).await {
            Ok(Ok(())) => {}
            Ok(Err(end)) => return end,
            Err(_) => return End::Fault(Fault::Silent),
        }
        loop {
            let (frame, permit) = match self.next_frame(&budget).await {
                Ok(next) => next,
                Err(end) => return end,
            };
            if !hand(frame, permit).await {
                return End::Unwanted;
            }
        }
    }

    async fn next_frame(&mut self, budget: &Budget) -> Result<(Vec<u8>, Permit), End> {
        if self.start == self.end {
            // Between frames a peer may be silent for as long as it likes.
            self.fill().await?;
        }
        let begun = Instant::now();
        let len = self.length(begun).await?;
        if len as usize > self.frame_bytes_max {
            return Err(End::Fault(Fault::TooLong(len)));
        }
        let room = len + FRAME_OVERHEAD_BYTES as u32;
        let own = take(&budget.own, room).await?;
        let body = self.body(len as usize).await?;
        // Once it is there: a slow one keeps no room from others while it comes.
        let of_crowd = match &budget.crowd {
            Some(crowd) => Some(take(crowd, room).await?),
            None => None,
        };
        Ok((body, Permit { _room: own, _of_crowd: of_crowd }))
    }

    async fn length(&mut self, begun: Instant) -> Result<u32, End> {
        loop {
            match length::read(&self.buffer[self.start..self.end]) {
                Length::Is { len, said_in } => {
                    self.start += said_in;
                    return Ok(len);
                }
                Length::More => self.fill_by(begun + self.deadlines.progress).await?,
                Length::TooLong(least) => return Err(End::Fault(Fault::TooLong(least))),
                Length::Padded => return Err(End::Fault(Fault::Padded)),
            }
        }
    }

    async fn body(&mut self, len: usize) -> Result<Vec<u8>, End> {
        // Counted from here: the wait for room before this was ours.
        let begun = Instant::now();
        let mut body = Vec::with_capacity(len.min(CHUNK_BYTES));
        loop {
            let take = (len - body.len()).min(self.end - self.start);
            if body.capacity() - body.len() < take {
                // Twice as much as came, and never more than was announced.
                body.reserve_exact((len - body.len()).min(body.len().max(CHUNK_BYTES)));
            }
            body.extend_from_slice(&self.buffer[self.start..self.start + take]);
            self.start += take;
            if body.len() == len {
                return Ok(body);
            }
            let chunks = (body.len() / CHUNK_BYTES) as u32 + 1;
            self.fill_by(begun + self.deadlines.progress * chunks).await?;
        }
    }

    async fn fill_by(&mut self, deadline: Instant) -> Result<(), End> {
        match timeout_at(deadline, self.fill()).await {
            Ok(filled) => filled,
            Err(_) => Err(End::Fault(Fault::Slow)),
        }
    }

    /// Reads at least one more byte into the buffer.
    async fn fill(&mut self) -> Result<(), End> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        match self.stream.read(&mut self.buffer[self.end..]).await {
            Ok(0) | Err(_) => Err(End::Closed),
            Ok(read) => {
                self.end += read;
                self.moved.fetch_add(read as u64, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

async fn take(budget: &Arc<Semaphore>, room: u32) -> Result<OwnedSemaphorePermit, End> {
    Arc::clone(budget).acquire_many_owned(room).await.map_err(|_| End::Unwanted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::io::Cursor;

    use super::*;

    async fn read(bytes: Vec<u8>) -> (Vec<Vec<u8>>, End) {
        let reader = Reader::new(Cursor::new(bytes), Deadlines::default(), 1 << 20, Arc::default());
        let mut frames = Vec::new();
        let end = reader
            .read_frames(roomy(), |frame, _| {
                frames.push(frame);
                std::future::ready(true)
            })
            .await;
        (frames, end)
    }

    fn roomy() -> Budget {
        Budget { own: Arc::new(Semaphore::new(4 << 20)), crowd: None }
    }

    #[tokio::test]
    async fn what_strangers_left_behind_counts_until_it_is_dealt_with() {
        let crowd = Arc::new(Semaphore::new(2 * (10 + FRAME_OVERHEAD_BYTES)));
        let kept = Arc::new(std::sync::Mutex::new(Vec::new()));
        let stranger = || {
            let (crowd, kept) = (Some(Arc::clone(&crowd)), Arc::clone(&kept));
            let stream = Cursor::new(framed(&[7; 10]));
            let reader = Reader::new(stream, Deadlines::default(), 1 << 20, Arc::default());
            reader.read_frames(Budget { crowd, ..roomy() }, move |_, permit| {
                kept.lock().unwrap().push(permit);
                std::future::ready(true)
            })
        };
        assert_eq!((stranger().await, stranger().await), (End::Closed, End::Closed));
        let third = stranger();
        tokio::pin!(third);
        assert!(futures::poll!(&mut third).is_pending(), "two who left fill what strangers may");
        kept.lock().unwrap().clear();
        assert_eq!(third.await, End::Closed);
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        length::write(body.len() as u32, &mut bytes);
        bytes.extend_from_slice(body);
        bytes
    }

    #[tokio::test]
    async fn frames_come_out_as_they_went_in() {
        let bodies = [vec![], vec![1; 3], vec![2; 70_000], vec![3; 1 << 20], vec![4]];
        let (frames, end) = read(bodies.iter().flat_map(|body| framed(body)).collect()).await;
        assert_eq!(frames, bodies);
        assert_eq!(end, End::Closed);
    }

    #[tokio::test]
    async fn a_length_past_the_limit_ends_it() {
        let mut bytes = framed(b"good");
        bytes.extend_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(read(bytes).await, (vec![b"good".to_vec()], End::Fault(Fault::TooLong(1 << 21))));
        let mut bytes = framed(b"good");
        length::write((1 << 20) + 1, &mut bytes);
        assert_eq!(read(bytes).await, (vec![b"good".to_vec()], End::Fault(Fault::TooLong((1 << 20) + 1))));
        assert_eq!(read(vec![0x80, 0, 1]).await, (vec![], End::Fault(Fault::Padded)));
    }

    #[tokio::test]
    async fn a_frame_cut_short_is_not_handed_out() {
        let mut bytes = framed(b"whole");
        bytes.pop();
        assert_eq!(read(bytes).await, (vec![], End::Closed));
        assert_eq!(read(vec![0x80]).await, (vec![], End::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_trickles_is_cut_and_a_slow_one_is_not() {
        let ms = Duration::from_millis;
        assert_eq!(trickled(1, ms(50)).await, End::Fault(Fault::Slow));
        assert_eq!(trickled(8 * 1024, ms(50)).await, End::Closed);
    }

    /// Sends one frame of 256 KiB in pieces of `piece` bytes, `pause` apart, where a second is allowed for each 64 KiB.
    async fn trickled(piece: usize, pause: Duration) -> End {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let sender = tokio::spawn(async move {
            let mut far = far;
            for piece in framed(&vec![7; 256 * 1024]).chunks(piece) {
                tokio::time::sleep(pause).await;
                if tokio::io::AsyncWriteExt::write_all(&mut far, piece).await.is_err() {
                    return;
                }
            }
        });
        let near = tokio_util::compat::TokioAsyncReadCompatExt::compat(near);
        let deadlines = Deadlines { progress: Duration::from_secs(1), ..Deadlines::default() };
        let reader = Reader::new(near, deadlines, 1 << 20, Arc::default());
        let end = reader.read_frames(roomy(), |_, _| std::future::ready(true)).await;
        sender.abort();
        end
    }
}

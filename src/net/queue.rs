//! What waits to be written to one peer: first in, first out, bounded in bytes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::id::NodeId;

/// What a queued frame costs beside its bytes, so that empty frames are not free.
pub(super) const FRAME_OVERHEAD_BYTES: usize = 64;

/// Queues frames for one contact. Clones share the queue; once the contact is over, all of them say [`SendError::Closed`].
#[derive(Clone)]
pub struct ContactSender {
    peer: NodeId,
    queue: Arc<Queue>,
}

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the contact is over")]
    Closed,
    #[error("the peer takes nothing and the queue is full, so the contact ends")]
    Full,
    #[error("the frame is longer than any peer accepts")]
    TooLong,
}

/// What the queues of all contacts hold together, in bytes.
pub(super) struct Total {
    bytes: AtomicUsize,
    bytes_max: usize,
}

pub(super) struct Queue {
    total: Arc<Total>,
    state: Mutex<State>,
    bytes_max: usize,
    frame_bytes_max: usize,
    /// Wakes the writer.
    filled: Notify,
    /// Tells the contact that its peer does not drain.
    overflowed: Notify,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Vec<u8>>,
    /// Of the frames above and of those the writer took and has not written.
    bytes: usize,
    closed: bool,
}

impl ContactSender {
    pub(super) fn new(peer: NodeId, queue: Arc<Queue>) -> ContactSender {
        ContactSender { peer, queue }
    }

    pub fn peer(&self) -> NodeId {
        self.peer
    }

    /// Queues a frame without waiting. All frames leave in the order they were queued, whatever they carry.
    ///
    /// A queue past its bound ends the contact: the caller is meant to keep its own window far below.
    pub fn send(&self, frame: Vec<u8>) -> Result<(), SendError> {
        self.queue.push([frame])
    }

    /// The same for frames that are there at once: they leave together, and share what a piece costs on the wire.
    pub fn send_all(&self, frames: Vec<Vec<u8>>) -> Result<(), SendError> {
        self.queue.push(frames)
    }

    /// Bytes that were queued and not yet handed to the connection, 64 more for each frame.
    pub fn queued_bytes(&self) -> usize {
        self.queue.lock().bytes
    }

    pub fn is_closed(&self) -> bool {
        self.queue.lock().closed
    }
}

#[cfg(test)]
impl ContactSender {
    /// One whose frames nobody writes anywhere.
    pub fn alone(peer: NodeId) -> ContactSender {
        ContactSender::new(peer, Queue::new(Arc::new(Total::new(1 << 20)), 1 << 20, 1 << 20))
    }

    /// How many there are of this contact.
    pub fn clones(&self) -> usize {
        Arc::strong_count(&self.queue)
    }

    /// The contact ends.
    pub fn close(&self) {
        self.queue.close();
    }

    /// What was queued since this was last asked.
    pub fn queued(&self) -> Vec<Vec<u8>> {
        self.queue.try_take().unwrap_or_default().into()
    }
}

impl fmt::Debug for ContactSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactSender({}, {} bytes)", self.peer, self.queued_bytes())
    }
}

/// What every queue may hold however full the others are.
const MODEST_BYTES: usize = 256 * 1024;

impl Total {
    pub fn new(bytes_max: usize) -> Total {
        Total { bytes: AtomicUsize::new(0), bytes_max }
    }

    /// What one queue may hold: as much as is left for all others. Many that take nothing leave room for one that
    /// does, and a lone one may fill half of all.
    fn share(&self) -> usize {
        self.bytes_max.saturating_sub(self.bytes.load(Ordering::Relaxed)).max(MODEST_BYTES)
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Queue {
    pub fn new(total: Arc<Total>, bytes_max: usize, frame_bytes_max: usize) -> Arc<Queue> {
        Arc::new(Queue {
            total,
            state: Mutex::default(),
            bytes_max,
            frame_bytes_max,
            filled: Notify::new(),
            overflowed: Notify::new(),
        })
    }

    fn push(&self, frames: impl IntoIterator<Item = Vec<u8>>) -> Result<(), SendError> {
        let mut state = self.lock();
        let was_empty = state.frames.is_empty();
        let pushed = frames.into_iter().try_for_each(|frame| self.push_one(&mut state, frame));
        // A writer that still has frames looks again by itself.
        if was_empty && !state.frames.is_empty() {
            self.filled.notify_one();
        }
        pushed
    }

    fn push_one(&self, state: &mut State, frame: Vec<u8>) -> Result<(), SendError> {
        if frame.len() > self.frame_bytes_max {
            return Err(SendError::TooLong);
        }
        if state.closed {
            return Err(SendError::Closed);
        }
        let bytes = state.bytes + frame.len() + FRAME_OVERHEAD_BYTES;
        // A frame alone always fits.
        let is_over = bytes > self.total.share() && state.bytes > 0;
        if bytes > self.bytes_max || is_over {
            state.closed = true;
            self.overflowed.notify_one();
            return Err(SendError::Full);
        }
        self.total.add(bytes - state.bytes);
        state.bytes = bytes;
        state.frames.push_back(frame);
        Ok(())
    }

    /// Waits for frames and takes all there are; `None` when the queue was closed and is empty.
    pub async fn take(&self) -> Option<VecDeque<Vec<u8>>> {
        loop {
            if let Some(frames) = self.try_take() {
                return Some(frames);
            }
            if self.lock().closed {
                return None;
            }
            self.filled.notified().await;
        }
    }

    pub fn try_take(&self) -> Option<VecDeque<Vec<u8>>> {
        let frames = std::mem::take(&mut self.lock().frames);
        (!frames.is_empty()).then_some(frames)
    }

    /// Gives back the room of frames that were written.
    pub fn written(&self, bytes: usize) {
        self.lock().bytes -= bytes;
        self.total.take(bytes);
    }

    /// Takes no more frames; the writer ends when it has written what there is.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Waits until the queue has overflowed.
    pub async fn overflowed(&self) {
        self.overflowed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let bytes = self.lock().bytes;
        self.total.take(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_stays_closed() {
        let queue = Queue::new(Arc::new(Total::new(1 << 20)), 1_000, 500);
        let sender = ContactSender::new(NodeId::from_trusted([1; 32]), queue.clone());
        assert_eq!(sender.send(vec![0; 501]), Err(SendError::TooLong));
        assert_eq!(sender.send(vec![0; 436]), Ok(()));
        assert_eq!(sender.queued_bytes(), 500);
        assert_eq!(sender.send(vec![0; 436]), Ok(()));
        assert_eq!(sender.send(vec![]), Err(SendError::Full));
        queue.overflowed().await;
        assert_eq!(sender.send(vec![]), Err(SendError::Closed));
        assert_eq!(queue.take().await.map(|frames| frames.len()), Some(2));
        assert_eq!(queue.take().await, None);
    }

    #[tokio::test]
    async fn many_that_take_nothing_leave_room_for_one_that_does() {
        let total = Arc::new(Total::new(64 << 20));
        let fill = |queue: &Arc<Queue>| (0..1_000).take_while(|_| queue.push([vec![0; 32 * 1024]]).is_ok()).count();
        let full: Vec<_> = (0..100).map(|_| Queue::new(Arc::clone(&total), 8 << 20, 1 << 20)).collect();
        // All of them a little further in turn.
        for _ in 0..1_000 {
            let _ = full.iter().map(|queue| queue.push([vec![0; 32 * 1024]])).filter(Result::is_ok).count();
        }
        assert!(total.bytes.load(Ordering::Relaxed) <= (64 << 20) + 100 * MODEST_BYTES);
        let honest = Queue::new(Arc::clone(&total), 8 << 20, 1 << 20);
        assert!(fill(&honest) >= 7);
        drop((full, honest));
        assert_eq!(total.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(fill(&Queue::new(total, 8 << 20, 1 << 20)), 255, "a lone one has all that one may have");
    }
}

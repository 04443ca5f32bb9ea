//! One contact from its first frame to its last: a reader, a writer, and the events around them.
//!
//! The task that reads also says that the contact is up, before the first frame, and that it is down, after the last: so
//! the order holds however slowly events are taken. The writer is a task of its own, or two peers that both wait for room
//! would wait for ever.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libp2p::{Multiaddr, Stream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::queue::{ContactSender, FRAME_OVERHEAD_BYTES, Queue};
use super::reader::{Budget, End, Reader};
use super::writer::write_frames;
use super::{Limits, NetEvent, Why};
use crate::id::NodeId;

/// How long the last frames may take to reach the peer when this side ends a contact.
const FAREWELL: Duration = Duration::from_millis(1_400);
/// How long the last frames that arrived may take to be read after the connection broke.
const LAST_FRAMES: Duration = Duration::from_secs(1);

pub(super) struct Contact {
    pub peer: NodeId,
    pub addr: Multiaddr,
    pub inbound: Stream,
    pub outbound: Stream,
    pub queue: Arc<Queue>,
    pub limits: Limits,
    /// Of a stranger: what all strangers share.
    pub crowd: Option<Arc<Semaphore>>,
    /// Bytes moved either way: what shows that the peer lives.
    pub moved: Arc<AtomicU64>,
    pub stop: oneshot::Receiver<Why>,
}

impl Contact {
    /// Runs the contact to its end and says why it ended.
    pub async fn run(self, events: mpsc::Sender<NetEvent>) -> Why {
        let Contact { peer, addr, inbound, outbound, queue, limits, crowd, moved, mut stop } = self;
        let sender = ContactSender::new(peer, queue.clone());
        let up = NetEvent::ContactUp { peer, addr, outbound: sender };
        tokio::select! {
            sent = events.send(up) => if sent.is_err() { return Why::Shutdown },
            why = &mut stop => return why.unwrap_or(Why::Shutdown),
        }
        let mut writer = spawn_writer(outbound, queue.clone(), moved.clone());
        let reader = Reader::new(inbound, limits.deadlines, limits.frame_bytes_max, moved);
        // The longest frame must fit, or its reader would wait for ever.
        let budget_bytes = limits.budget_bytes.max(limits.frame_bytes_max + FRAME_OVERHEAD_BYTES);
        let budget = Budget { own: Arc::new(Semaphore::new(budget_bytes)), crowd };
        let to = &events;
        let hand = |bytes, permit| async move { to.send(NetEvent::Frame { peer, bytes, permit }).await.is_ok() };
        let mut reading = pin!(reader.read_frames(budget, hand));
        let (why, fault) = tokio::select! {
            end = &mut reading => match end {
                End::Closed => (Why::Closed, None),
                End::Unwanted => (Why::Shutdown, None),
                End::Fault(fault) => (Why::Bad, Some(fault)),
            },
            () = queue.overflowed() => (Why::Stalled, None),
            () = writer.broken() => (Why::Closed, None),
            why = &mut stop => (why.unwrap_or(Why::Shutdown), None),
        };
        queue.close();
        if why.is_polite() {
            // What was queued still leaves, and the peer hangs up when it has read it. To hang up first would make TCP
            // throw away what the peer has not read yet.
            let farewell = async {
                writer.done().await;
                reading.await
            };
            let _ = timeout(FAREWELL, farewell).await;
        }
        drop(writer);
        if let Some(fault) = fault {
            let _ = events.send(NetEvent::Bad { peer: Some(peer), what: fault.to_string() }).await;
        }
        let _ = events.send(NetEvent::ContactDown { peer, why }).await;
        why
    }
}

/// A task that ends with its handle; none once it is known to have ended, as a handle must not be asked twice.
struct Writer(Option<JoinHandle<()>>);

impl Writer {
    /// Waits until nothing can be written any more. A connection that breaks ends the reader too, after what had arrived
    /// already; it gets a moment for that.
    async fn broken(&mut self) {
        self.done().await;
        sleep(LAST_FRAMES).await;
    }

    /// Waits until the task has ended, which may be long ago.
    async fn done(&mut self) {
        if let Some(task) = &mut self.0 {
            let _ = task.await;
            self.0 = None;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

fn spawn_writer(outbound: Stream, queue: Arc<Queue>, moved: Arc<AtomicU64>) -> Writer {
    Writer(Some(tokio::spawn(async move {
        let _ = write_frames(outbound, &queue, &moved).await;
        queue.close();
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A contact may be asked to end in the moment after its writing broke; then the farewell waits for the writer again.
    #[tokio::test]
    async fn the_end_of_the_writer_may_be_waited_for_twice() {
        let mut writer = Writer(Some(tokio::spawn(async {})));
        assert!(timeout(Duration::from_millis(200), writer.broken()).await.is_err(), "it waits for the last frames");
        writer.done().await;
        writer.broken().await;
    }
}

//! One contact from its first frame to its last: a reader, a writer, and the events around them.
//!
//! The task that reads also says that the contact is up, before the first frame, and that it is down, after the last: so
//! the order holds however slowly events are taken. The writer is a task of its own, or two peers that both wait for room
//! would wait for ever.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures::{AsyncWrite, FutureExt};
use libp2p::{Multiaddr, Stream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::queue::{ContactSender, FRAME_OVERHEAD_BYTES, Queue};
use super::reader::{Budget, End, Fault, Reader};
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
    pub is_stranger: bool,
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
    /// Runs the contact to its end and says why it ended. A fault of our own ends this contact and no other: its events
    /// are told in their order all the same.
    pub async fn run(mut self, events: mpsc::Sender<NetEvent>) -> Why {
        let (peer, queue) = (self.peer, self.queue.clone());
        let sender = ContactSender::new(peer, queue.clone());
        let (addr, is_stranger) = (self.addr.clone(), self.is_stranger);
        let up = NetEvent::ContactUp { peer, addr, is_stranger, outbound: sender };
        tokio::select! {
            sent = events.send(up) => if sent.is_err() { return Why::Shutdown },
            why = &mut self.stop => return why.unwrap_or(Why::Shutdown),
        }
        // Nothing of what broke is used again.
        let talk = AssertUnwindSafe(self.talk(&events)).catch_unwind().await;
        let (why, fault) = talk.unwrap_or((Why::Fault, None));
        queue.close();
        if let Some(fault) = fault {
            let _ = events.send(NetEvent::Bad { peer: Some(peer), what: fault.to_string() }).await;
        }
        let _ = events.send(NetEvent::ContactDown { peer, why }).await;
        why
    }

    /// Reads and writes until the contact is over.
    async fn talk(self, to: &mpsc::Sender<NetEvent>) -> (Why, Option<Fault>) {
        let Contact { peer, inbound, outbound, queue, limits, crowd, moved, mut stop, .. } = self;
        let mut writer = spawn_writer(outbound, queue.clone(), moved.clone(), telling(peer, to.clone()));
        let reader = Reader::new(inbound, limits.deadlines, limits.frame_bytes_max, moved);
        // The longest frame must fit, or its reader would wait for ever.
        let budget_bytes = limits.budget_bytes.max(limits.frame_bytes_max + FRAME_OVERHEAD_BYTES);
        let budget = Budget { own: Arc::new(Semaphore::new(budget_bytes)), crowd };
        let hand = |bytes, permit| async move {
            #[cfg(test)]
            tests::break_at(peer);
            to.send(NetEvent::Frame { peer, bytes, permit }).await.is_ok()
        };
        let mut reading = pin!(reader.read_frames(budget, hand));
        let (why, fault) = tokio::select! {
            end = &mut reading => match end {
                End::Closed => (Why::Closed, None),
                End::Unwanted => (Why::Shutdown, None),
                End::Fault(fault) => (Why::Bad, Some(fault)),
            },
            () = queue.overflowed() => (Why::Stalled, None),
            why = writer.broken() => (why, None),
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
        (why, fault)
    }
}

/// A task that ends with its handle; none once it is known to have ended, as a handle must not be asked twice.
struct Writer {
    task: Option<JoinHandle<()>>,
    /// Why nothing is written any more, once that is so.
    why: Why,
}

impl Writer {
    fn of(task: JoinHandle<()>) -> Writer {
        Writer { task: Some(task), why: Why::Closed }
    }

    /// Waits until nothing can be written any more, and says why. A connection that breaks ends the reader too, after what
    /// had arrived already; it gets a moment for that.
    async fn broken(&mut self) -> Why {
        self.done().await;
        if self.why == Why::Closed {
            sleep(LAST_FRAMES).await;
        }
        self.why
    }

    /// Waits until the task has ended, which may be long ago.
    async fn done(&mut self) {
        if let Some(task) = &mut self.task {
            if task.await.is_err_and(|error| error.is_panic()) {
                self.why = Why::Fault;
            }
            self.task = None;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Tells that bytes leave for a peer, where there is room to say so.
fn telling(peer: NodeId, events: mpsc::Sender<NetEvent>) -> impl Fn() + Send + Sync + 'static {
    move || drop(events.try_send(NetEvent::Moved { peer }))
}

fn spawn_writer<W>(
    outbound: W,
    queue: Arc<Queue>,
    moved: Arc<AtomicU64>,
    tell: impl Fn() + Send + Sync + 'static,
) -> Writer
where
    W: AsyncWrite + Unpin + Send + 'static,
{
    Writer::of(tokio::spawn(async move {
        let _ = write_frames(outbound, &queue, &moved, &tell).await;
        queue.close();
    }))
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll};

    use super::super::queue::Total;
    use super::*;

    /// Peers at whose frames a contact breaks, as a fault of ours would make it.
    static FAULTS: Mutex<BTreeSet<NodeId>> = Mutex::new(BTreeSet::new());

    /// From now on a contact with this peer breaks at its first frame.
    pub fn plant_fault(peer: NodeId) {
        FAULTS.lock().unwrap().insert(peer);
    }

    pub fn break_at(peer: NodeId) {
        let breaks = FAULTS.lock().unwrap().contains(&peer);
        assert!(!breaks, "as a fault of ours would");
    }

    /// A contact may be asked to end in the moment after its writing broke; then the farewell waits for the writer again.
    #[tokio::test]
    async fn the_end_of_the_writer_may_be_waited_for_twice() {
        let mut writer = Writer::of(tokio::spawn(async {}));
        assert!(timeout(Duration::from_millis(200), writer.broken()).await.is_err(), "it waits for the last frames");
        writer.done().await;
        assert_eq!(writer.broken().await, Why::Closed);
    }

    #[tokio::test]
    async fn a_fault_in_the_writer_is_no_broken_connection() {
        let queue = Queue::new(Arc::new(Total::new(1 << 20)), 1_000, 500);
        let sender = ContactSender::new(NodeId::from_trusted([1; 32]), queue.clone());
        let mut writer = spawn_writer(Faulty, queue, Arc::default(), || ());
        sender.send(b"hello".to_vec()).unwrap();
        assert_eq!(writer.broken().await, Why::Fault);
        assert_eq!(writer.broken().await, Why::Fault);
    }

    struct Faulty;

    impl AsyncWrite for Faulty {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            panic!("as a fault of ours would")
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}

//! The store thread of a running node: it commits whatever is queued in one transaction, and waits for nothing more.
//!
//! Under load many batches share one sync of the disk (group commit); a lone batch has its own at once. After a commit
//! failed, everything queued behind it fails too, because it was thought out on top of what did not happen, until
//! [`StoreThread::reset`] says that the agent starts again from what the store has.

use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::redb::{RedbReader, RedbStore, Side};
use crate::agent::change::{Change, Durable};

/// Called on the store thread, so it must be quick: after the commit, or with the reason why there was none.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Called before each commit: makes durable what lies beside the store and is named by what is committed.
pub type Before = Box<dyn FnMut() -> Result<(), StoreError> + Send>;

/// Changes that are committed whole or not at all.
pub struct Batch {
    pub changes: Vec<Change>,
    pub done: Done,
}

/// How many requests wait at most; beyond that the sender waits.
pub const QUEUE_MAX: usize = 1_024;
/// Most batches, changes and bytes of bundles that share a commit. More gain nothing (measured).
const GROUP_BATCHES_MAX: usize = 256;
const GROUP_CHANGES_MAX: usize = 4_096;
const GROUP_BYTES_MAX: usize = 8 << 20;

/// The way to the thread that owns the store. It ends when this is dropped, after what is queued.
pub struct StoreThread {
    requests: mpsc::Sender<Request>,
    reader: RedbReader,
    thread: Option<JoinHandle<RedbStore>>,
}

enum Request {
    Commit(Batch),
    Stage(Side),
    Flush(oneshot::Sender<Result<(), StoreError>>),
    Reset(oneshot::Sender<Result<Durable, StoreError>>),
    Compact(oneshot::Sender<Result<bool, StoreError>>),
    End(oneshot::Sender<()>),
    Stop,
}

impl StoreThread {
    /// Starts the thread.
    pub fn start(store: RedbStore) -> StoreThread {
        StoreThread::start_with(store, (), Box::new(|| Ok(())))
    }

    /// Starts the thread, which drops `guard` when it has ended, however it came to that.
    pub fn start_with(store: RedbStore, guard: impl Send + 'static, before: Before) -> StoreThread {
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let reader = store.reader();
        let run = move || {
            let _guard = guard;
            Writer { store, queue, failure: None, before }.run()
        };
        let thread = thread::Builder::new().name("store".into()).spawn(run);
        let thread = thread.expect("the operating system starts a thread");
        StoreThread { requests, reader, thread: Some(thread) }
    }

    /// Reads while the thread writes.
    pub fn reader(&self) -> &RedbReader {
        &self.reader
    }

    /// Queues a batch; gives it back where the queue is full.
    pub fn try_commit(&self, batch: Batch) -> Result<(), Batch> {
        self.requests.try_send(Request::Commit(batch)).map_err(|refused| match refused.into_inner() {
            Request::Commit(batch) => batch,
            _ => unreachable!("what comes back is what was sent"),
        })
    }

    /// Queues a batch, when there is room.
    pub async fn commit(&self, batch: Batch) {
        self.send(Request::Commit(batch)).await;
    }

    /// Lets a side write join the next commit; none is made for it. Dropped where the queue is full.
    pub fn try_stage(&self, side: Side) {
        // The address book and notes are conveniences, and what is full has better to do.
        let _ = self.requests.try_send(Request::Stage(side));
    }

    /// Lets a side write join the next commit, when there is room; none is made for it.
    pub async fn stage(&self, side: Side) {
        self.send(Request::Stage(side)).await;
    }

    /// Commits what was staged, and everything queued before this.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Request::Flush).await
    }

    /// Ends the failing after a failed commit, and reads back what the agent starts again from.
    pub async fn reset(&self) -> Result<Durable, StoreError> {
        self.ask(Request::Reset).await
    }

    /// Gives freed space back to the disk if there is much of it; see [`RedbStore::compact_if_idle`].
    pub async fn compact_if_idle(&self) -> Result<bool, StoreError> {
        self.ask(Request::Compact).await
    }

    /// The same, for whoever does not wait for it; not done where the queue is full.
    pub fn try_compact_if_idle(&self) {
        let (answer, _) = oneshot::channel();
        let _ = self.requests.try_send(Request::Compact(answer));
    }

    /// Commits what is queued and closes the store for good, also where readers are left.
    pub async fn end(&self) {
        let (answer, answered) = oneshot::channel();
        // A thread that a fault ended closes nothing any more.
        if self.requests.send(Request::End(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }

    /// Commits what is queued and gives the store back. Blocks.
    pub fn stop(mut self) -> RedbStore {
        self.join().expect("joined once").unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    async fn send(&self, request: Request) {
        assert!(self.requests.send(request).await.is_ok(), "the store thread ends after its last sender");
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> T {
        let (answer, answered) = oneshot::channel();
        self.send(request(answer)).await;
        answered.await.expect("the store thread answers everything")
    }

    fn join(&mut self) -> Option<thread::Result<RedbStore>> {
        let thread = self.thread.take()?;
        // The queue may be full, and this is no async code: keep trying while the thread works it off.
        let mut stop = Request::Stop;
        while let Err(mpsc::error::TrySendError::Full(refused)) = self.requests.try_send(stop) {
            stop = refused;
            thread::yield_now();
        }
        Some(thread.join())
    }
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        // A panic of the thread was reported by whoever waited for its answer.
        let _ = self.join();
    }
}

struct Writer {
    store: RedbStore,
    queue: mpsc::Receiver<Request>,
    /// Why nothing is committed until a reset.
    failure: Option<StoreError>,
    before: Before,
}

impl Writer {
    fn run(mut self) -> RedbStore {
        let mut next = self.queue.blocking_recv();
        while let Some(request) = next {
            next = match request {
                Request::Commit(first) => self.commit_group(first),
                Request::Stop => break,
                request => {
                    self.answer(request);
                    None
                }
            };
            next = next.or_else(|| self.queue.blocking_recv());
        }
        // A node that ends in peace keeps its address book; there is nobody left to tell of a failure.
        let _ = self.store.flush();
        self.store
    }

    /// Commits a batch together with those right behind it; returns the first request of another kind.
    fn commit_group(&mut self, first: Batch) -> Option<Request> {
        let mut group = Group::default();
        group.add(first);
        let mut other = None;
        while group.has_room() {
            match self.queue.try_recv() {
                Ok(Request::Commit(batch)) => group.add(batch),
                Ok(Request::Stage(side)) => self.store.stage(side),
                Ok(request) => {
                    other = Some(request);
                    break;
                }
                Err(_) => break,
            }
        }
        let result = match &self.failure {
            Some(failure) => Err(failure.clone()),
            // Acts that waited for what was queued before them; a transaction of nothing still writes eight pages.
            None if group.changes == 0 => Ok(()),
            None => (self.before)().and_then(|()| self.store.commit_all(&group.changes())),
        };
        self.failure = result.clone().err();
        group.batches.into_iter().for_each(|batch| (batch.done)(result.clone()));
        other
    }

    /// Answers whoever may still be waiting.
    fn answer(&mut self, request: Request) {
        match request {
            Request::Stage(side) => self.store.stage(side),
            Request::Flush(answer) => drop(answer.send(self.store.flush())),
            Request::Compact(answer) => {
                let compacted = self.store.compact_if_idle();
                if let Err(error) = &compacted {
                    tracing::warn!(%error, "the store could not be compacted; it works on as it is");
                }
                drop(answer.send(compacted));
            }
            Request::End(answer) => {
                let _ = self.store.flush();
                self.store.end();
                let _ = answer.send(());
            }
            Request::Reset(answer) => {
                let durable = self.store.reopen().and_then(|()| self.store.unfiled());
                if durable.is_ok() {
                    self.failure = None;
                }
                drop(answer.send(durable));
            }
            Request::Commit(_) | Request::Stop => unreachable!("handled by the loop"),
        }
    }
}

/// Batches that share a commit.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    changes: usize,
    bytes: usize,
}

impl Group {
    fn add(&mut self, batch: Batch) {
        self.changes += batch.changes.len();
        self.bytes += batch.changes.iter().map(body_bytes).sum::<usize>();
        self.batches.push(batch);
    }

    fn has_room(&self) -> bool {
        self.batches.len() < GROUP_BATCHES_MAX && self.changes < GROUP_CHANGES_MAX && self.bytes < GROUP_BYTES_MAX
    }

    fn changes(&self) -> Vec<&[Change]> {
        self.batches.iter().map(|batch| &batch.changes[..]).collect()
    }
}

fn body_bytes(change: &Change) -> usize {
    match change {
        Change::Hold { bundle, .. } | Change::Deliver { bundle, .. } => bundle.encoded_len(),
        Change::File { filed, .. } => filed.content.len(),
        _ => 0,
    }
}

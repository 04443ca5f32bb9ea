//! The store thread: many batches, one commit, and an end to everything after a failure.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use dak::agent::change::{Change, Row};
use dak::store::redb::{Address, Side};
use dak::store::writer::{Batch, StoreThread};
use dak::store::{Store, StoreError};

use crate::disk::Ram;
use crate::make::{hold, kibibyte, node, open};

type Outcomes = Arc<Mutex<Vec<(u64, Result<(), StoreError>)>>>;

fn batch(row: u64, outcomes: &Outcomes) -> Batch {
    let outcomes = Arc::clone(outcomes);
    let done = move |result| outcomes.lock().unwrap().push((row, result));
    Batch { changes: vec![hold(row, &kibibyte(row % 4))], done: Box::new(done) }
}

/// A batch whose `done` holds up the thread until the returned sender speaks or goes.
fn plug(row: u64) -> (Batch, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (started, is_started) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let done = move |_| {
        started.send(()).unwrap();
        let _ = released.recv();
    };
    (Batch { changes: vec![hold(row, &kibibyte(0))], done: Box::new(done) }, is_started, release)
}

#[tokio::test]
async fn what_queues_while_a_commit_runs_shares_the_next_one_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let thread = StoreThread::start(open(&dir.path().join("store.redb")));
    let outcomes = Outcomes::default();
    let (first, started, release) = plug(1);
    thread.commit(first).await;
    started.recv().unwrap();
    for row in 2..=101 {
        thread.commit(batch(row, &outcomes)).await;
    }
    release.send(()).unwrap();
    let syncs_before = {
        thread.flush().await.unwrap();
        outcomes.lock().unwrap().len()
    };
    assert_eq!(syncs_before, 100);
    let rows: Vec<u64> = outcomes.lock().unwrap().iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, (2..=101).collect::<Vec<u64>>());
    let store = thread.stop();
    assert_eq!(store.durable().unwrap().held.len(), 101);
    // Opening, the plug, the hundred: a commit is two syncs, and growing the file one more.
    assert!(store.traffic().syncs() < 20, "{} syncs", store.traffic().syncs());
}

#[tokio::test]
async fn answers_that_only_wait_their_turn_are_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let thread = StoreThread::start(open(&dir.path().join("store.redb")));
    let outcomes = Outcomes::default();
    thread.commit(batch(1, &outcomes)).await;
    thread.flush().await.unwrap();
    let store = thread.stop();
    let (syncs, written) = (store.traffic().syncs(), store.traffic().written_bytes());
    let thread = StoreThread::start(store);
    for row in 2..=9 {
        thread.commit(Batch { changes: Vec::new(), ..batch(row, &outcomes) }).await;
    }
    let store = thread.stop();
    assert_eq!(*outcomes.lock().unwrap(), (1..=9).map(|row| (row, Ok(()))).collect::<Vec<_>>());
    assert_eq!((store.traffic().syncs(), store.traffic().written_bytes()), (syncs, written));
}

#[tokio::test]
async fn after_a_failed_commit_everything_fails_until_the_reset() {
    let ram = Ram::default();
    let thread = StoreThread::start(ram.open().unwrap());
    let outcomes = Outcomes::default();
    thread.commit(batch(1, &outcomes)).await;
    thread.flush().await.unwrap();
    ram.fail_after(Some(0));
    thread.commit(batch(2, &outcomes)).await;
    thread.flush().await.unwrap();
    ram.fail_after(None);
    thread.commit(batch(3, &outcomes)).await;
    let durable = thread.reset().await.unwrap();
    assert_eq!(durable.held.keys().copied().collect::<Vec<Row>>(), [Row(1)]);
    thread.commit(batch(4, &outcomes)).await;
    let store = thread.stop();
    let full = Err(StoreError::Full);
    assert_eq!(*outcomes.lock().unwrap(), [(1, Ok(())), (2, full.clone()), (3, full), (4, Ok(()))]);
    assert_eq!(store.durable().unwrap().held.keys().copied().collect::<Vec<Row>>(), [Row(1), Row(4)]);
}

#[tokio::test]
async fn a_full_queue_gives_the_batch_back() {
    let dir = tempfile::tempdir().unwrap();
    let thread = StoreThread::start(open(&dir.path().join("store.redb")));
    let outcomes = Outcomes::default();
    let (first, started, release) = plug(1);
    thread.commit(first).await;
    started.recv().unwrap();
    let mut queued = 0;
    let refused = loop {
        match thread.try_commit(batch(2 + queued, &outcomes)) {
            Ok(()) => queued += 1,
            Err(batch) => break batch,
        }
    };
    assert_eq!(queued as usize, dak::store::writer::QUEUE_MAX);
    assert!(matches!(&refused.changes[..], [Change::Hold { .. }]));
    release.send(()).unwrap();
    thread.commit(refused).await;
    assert_eq!(thread.stop().durable().unwrap().held.len() as u64, queued + 2);
}

#[tokio::test]
async fn a_side_write_joins_a_commit_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let thread = StoreThread::start(open(&dir.path().join("store.redb")));
    let address = Address { text: "/ip4/10.0.0.1/tcp/4242".into(), worked_unix_ms: 1, entered: false };
    thread.stage(Side::PutAddress { node: node(1), address: address.clone() }).await;
    assert_eq!(thread.compact_if_idle().await, Ok(false));
    assert_eq!(thread.reader().addresses().unwrap(), []);
    let outcomes = Outcomes::default();
    thread.commit(batch(1, &outcomes)).await;
    // The answer to a request behind the batch says that the batch is through.
    assert_eq!(thread.compact_if_idle().await, Ok(false));
    assert_eq!(thread.reader().addresses().unwrap(), [(node(1), vec![address])]);
}

#[tokio::test]
async fn dropping_the_thread_commits_what_was_queued() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let thread = StoreThread::start(open(&path));
    let outcomes = Outcomes::default();
    for row in 1..=30 {
        thread.commit(batch(row, &outcomes)).await;
    }
    drop(thread);
    assert_eq!(open(&path).durable().unwrap().held.len(), 30);
}

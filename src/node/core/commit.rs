//! A batch becomes durable, and then its acts go; or its commit fails, and the agent starts again from the store.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;

use super::{Core, Said, groups, topics};
use crate::agent::change::Change;
use crate::node::courier::Act;
use crate::node::work::Work;
use crate::store::StoreError;
use crate::store::writer::Batch;

/// How long to wait before the store is tried again after it failed.
const RETRY: Duration = Duration::from_secs(1);

/// Why the last commit that failed did, for those who wait for what it would have made durable.
#[derive(Default)]
pub struct LastFailure {
    why: Mutex<Option<StoreError>>,
    /// No commit came through since.
    lasts: AtomicBool,
}

impl LastFailure {
    pub fn get(&self) -> Option<StoreError> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, until a commit comes through again.
    pub fn lasting(&self) -> Option<StoreError> {
        self.lasts.load(Ordering::Acquire).then(|| self.get()).flatten()
    }

    fn set(&self, error: &StoreError) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        self.lasts.store(true, Ordering::Release);
    }

    fn is_over(&self) {
        self.lasts.store(false, Ordering::Release);
    }
}

/// One batch that the store has and did not answer for, until it does or can do so no more.
struct Ahead {
    all: Arc<AtomicUsize>,
    core: Thread,
}

impl Ahead {
    fn one(all: &Arc<AtomicUsize>) -> Ahead {
        all.fetch_add(1, Ordering::AcqRel);
        Ahead { all: Arc::clone(all), core: std::thread::current() }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::AcqRel);
        self.core.unpark();
    }
}

impl Core {
    /// Splits a batch: changes to the store, acts to the courier once the store has them.
    pub(super) fn commit(&mut self, batch: Vec<Said>, permits_of_frames: Vec<Box<dyn Send>>) {
        let mut changes: Vec<Change> = Vec::new();
        let mut acts: Vec<Act> = Vec::new();
        for said in batch {
            match said {
                Said::Change(change) => changes.push(change),
                Said::Act(act) => acts.push(act),
            }
        }
        if changes.is_empty() && acts.is_empty() {
            return;
        }
        if !acts.is_empty() {
            acts.push(Act::GiveBack(permits_of_frames));
        }
        if changes.is_empty() && self.ahead.load(Ordering::Acquire) == 0 {
            return self.courier.perform(acts);
        }
        if !changes.is_empty() {
            self.changed = Some(Instant::now());
        }
        let (ahead, courier) = (Ahead::one(&self.ahead), self.courier.clone());
        let (durable, handed_out) = (Arc::clone(&self.durable), self.driver.handed_out());
        let (again, generation, failure) = (Arc::clone(&self.work), self.generation, Arc::clone(&self.failure));
        let (committed, writes) = (self.committed.clone(), !changes.is_empty());
        let done = Box::new(move |result: Result<(), StoreError>| {
            match result {
                Ok(()) => {
                    durable.fetch_max(handed_out, Ordering::AcqRel);
                    // What changes nothing shows nothing of the disk.
                    if writes {
                        failure.is_over();
                    }
                    committed.send_replace(());
                    courier.perform(acts);
                }
                Err(error) => {
                    // None of it is said, but the contacts began and ended all the same.
                    courier.perform(acts.extract_if(.., |act| act.is_of_contact()).collect());
                    // Before the acts are dropped, and with them those who wait for an answer.
                    failure.set(&error);
                    drop(again.put(Work::Failed(generation, error)));
                }
            }
            drop(ahead);
        });
        block_on(self.store.commit(Batch { changes, done }));
    }

    /// Nothing of the failed batches happened: contacts end, those that began since included, and the agent starts again
    /// from the store.
    ///
    /// Until the store can be read again whoever asks is told of the failure, and a node that is to stop does.
    pub(super) fn start_again(&mut self, error: &StoreError, ways: Vec<Said>) -> ControlFlow<()> {
        tracing::error!(%error, "a commit failed; going on from what is durable");
        self.generation += 1;
        self.courier.perform(ways.into_iter().filter_map(Said::act).collect());
        self.courier.perform(vec![Act::PartWithAll]);
        loop {
            let restored = block_on(self.store.reset()).and_then(|durable| {
                let record = &self.driver.step.record;
                let (topics, groups) = (topics(record)?, groups::groups(record, self.driver.step.groups.me())?);
                Ok(((self.restore)(durable, &mut self.driver.step.tape)?, topics, groups))
            });
            match restored {
                Ok((agent, topics, groups)) => {
                    // Batches behind the one that failed have failed by now as well.
                    self.courier.perform(vec![Act::PartWithAll]);
                    self.driver.start_again(agent);
                    self.driver.step.topics = topics;
                    self.driver.step.groups = groups;
                    self.served.clear();
                    self.serve_topics();
                    return ControlFlow::Continue(());
                }
                Err(error) => {
                    tracing::error!(%error, "the store cannot be read; trying again");
                    self.failure.set(&error);
                    self.courier.perform(vec![Act::PartWithAll]);
                    self.turn_away(RETRY)?;
                }
            }
        }
    }

    /// Drops for a while whatever comes, for no agent is there to take it; breaks where the node is to stop.
    fn turn_away(&mut self, span: Duration) -> ControlFlow<()> {
        let until = Instant::now() + span;
        while let left = until.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            match self.work.take_within(left) {
                Some(Work::Stop) => return ControlFlow::Break(()),
                // The next try ends it with all others.
                Some(Work::Met(peer, line)) => self.courier.perform(vec![Act::Greet(peer, line)]),
                // A look that is dropped tells its asker why.
                Some(_) => {}
                None => break,
            }
        }
        ControlFlow::Continue(())
    }
}

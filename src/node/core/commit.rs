//! A batch becomes durable, and then its acts go; or its commit fails, and the agent starts again from the store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;

use super::{Core, Said, groups, topics};
use crate::agent::change::{Change, Row};
use crate::bundle::Bundle;
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
        take_along(&changes, &mut acts);
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
            match self.work.take_within(left).map(|piece| piece.item) {
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

/// Gives acts that hand over what is held in the same commit the bundles themselves.
fn take_along(changes: &[Change], acts: &mut [Act]) {
    let forwards = acts.iter_mut().filter_map(|act| match act {
        Act::Forward { row, held, .. } => Some((*row, held)),
        _ => None,
    });
    let mut forwards = forwards.peekable();
    if forwards.peek().is_none() {
        return;
    }
    let holds = changes.iter().filter_map(|change| match change {
        Change::Hold { held, bundle } => Some((held.row, bundle)),
        _ => None,
    });
    let holds: BTreeMap<Row, &Arc<Bundle>> = holds.collect();
    forwards.for_each(|(row, held)| *held = holds.get(&row).copied().map(Arc::clone));
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::agent::change::{Class, Held};
    use crate::bundle::{Creation, Draft, Hops, Kind, Priority, Signer};
    use crate::eid::Eid;
    use crate::frame::{Grade, Transit};
    use crate::id::BundleId;
    use crate::time::{DAY, DtnTime, Timestamp};

    fn hold(row: u64) -> Change {
        let key = SigningKey::from_bytes(&[1; 32]);
        let creation = Creation { time: DtnTime(5), sequence: row };
        let (source, destination) = (key.node(), Eid::mail(key.node()));
        let priority = Priority::Normal;
        let draft = Draft { kind: Kind::Message, source, destination, creation, lifetime: DAY, priority, copies: 1 };
        let bundle = Arc::new(draft.sign(b"sealed", &key).unwrap());
        let held = Held {
            row: Row(row),
            id: bundle.id,
            kind: bundle.kind,
            source,
            destination: bundle.destination.clone(),
            lifetime: DAY,
            accepted_at: Timestamp(0),
            hops: Hops::default(),
            expires: Timestamp(DAY.0),
            dated: true,
            size_bytes: bundle.encoded_len() as u32,
            class: Class::Own,
            priority,
            grade: Grade::Custody,
            copies: 1,
            from: None,
            about: None,
        };
        Change::Hold { held, bundle }
    }

    #[test]
    fn what_one_commit_holds_and_hands_over_is_not_read_back_and_what_was_held_before_is() {
        let to = SigningKey::from_bytes(&[2; 32]).node();
        let forward =
            |row| Act::Forward { to, transit: Transit::default(), id: BundleId([0; 32]), row: Row(row), held: None };
        let mut acts = vec![forward(1), Act::Dial(to), forward(2), forward(3)];
        let changes = [hold(2), Change::Forget { row: Row(1) }, hold(3)];
        take_along(&changes, &mut acts);
        let found: Vec<Option<u64>> = acts
            .iter()
            .filter_map(|act| match act {
                Act::Forward { held, .. } => Some(held.as_ref().map(|bundle| bundle.creation.sequence)),
                _ => None,
            })
            .collect();
        assert_eq!(found, [None, Some(2), Some(3)]);
    }
}

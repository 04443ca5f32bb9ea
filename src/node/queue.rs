//! What waits for a thread: the node's own work at every other turn, the peers' in turn, each peer's first in first out.
//!
//! A peer that sends more than its share waits for itself alone: another one's work comes after at most one piece of each
//! peer, and the owner's after one piece of all of them. What peers may put here is bounded by what the network lets each
//! of them have in hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::NodeId;

pub struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

struct State<T> {
    own: VecDeque<T>,
    peers: BTreeMap<NodeId, VecDeque<T>>,
    /// Peers that have something here, the next first.
    turns: VecDeque<NodeId>,
    /// Whether a peer had the last turn.
    was_peers: bool,
    closed: bool,
}

/// Nobody takes anything from this queue any more.
#[derive(Debug)]
pub struct Closed;

impl<T> Queue<T> {
    /// Adds the node's own work.
    pub fn put(&self, item: T) -> Result<(), Closed> {
        self.add(|state| state.own.push_back(item))
    }

    /// Adds what comes of a peer.
    pub fn put_from(&self, peer: NodeId, item: T) -> Result<(), Closed> {
        self.add(|state| {
            let waiting = state.peers.entry(peer).or_default();
            if waiting.is_empty() {
                state.turns.push_back(peer);
            }
            waiting.push_back(item);
        })
    }

    /// Waits for the next piece; none once the queue is closed.
    pub fn take(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(item) = state.next() {
                return Some(item);
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the next piece for so long at most.
    pub fn take_within(&self, span: Duration) -> Option<T> {
        let until = Instant::now() + span;
        let mut state = self.state();
        loop {
            if let Some(item) = state.next() {
                return Some(item);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                return None;
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn try_take(&self) -> Option<T> {
        self.state().next()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state.own.is_empty() && state.peers.is_empty()
    }

    /// Drops what waits and takes nothing more.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let dropped = (std::mem::take(&mut state.own), std::mem::take(&mut state.peers));
        state.turns.clear();
        drop(state);
        // What is dropped may call back.
        drop(dropped);
        self.filled.notify_all();
    }

    fn add(&self, add: impl FnOnce(&mut State<T>)) -> Result<(), Closed> {
        let mut state = self.state();
        if state.closed {
            return Err(Closed);
        }
        add(&mut state);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn next(&mut self) -> Option<T> {
        let own_first = self.was_peers || self.turns.is_empty();
        if own_first && let Some(item) = self.own.pop_front() {
            self.was_peers = false;
            return Some(item);
        }
        match self.next_of_peers() {
            Some(item) => {
                self.was_peers = true;
                Some(item)
            }
            None => self.own.pop_front(),
        }
    }

    fn next_of_peers(&mut self) -> Option<T> {
        let peer = self.turns.pop_front()?;
        let waiting = self.peers.get_mut(&peer).expect("who has a turn has something here");
        let item = waiting.pop_front().expect("who has a turn has something here");
        if waiting.is_empty() {
            self.peers.remove(&peer);
        } else {
            self.turns.push_back(peer);
        }
        Some(item)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        let state = State {
            own: VecDeque::new(),
            peers: BTreeMap::new(),
            turns: VecDeque::new(),
            was_peers: false,
            closed: false,
        };
        Queue { state: Mutex::new(state), filled: Condvar::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: NodeId = NodeId::from_trusted([1; 32]);
    const QUIET: NodeId = NodeId::from_trusted([2; 32]);

    #[test]
    fn a_peer_that_floods_waits_for_itself_alone() {
        let queue = Queue::default();
        (0..1_000).for_each(|n| queue.put_from(LOUD, n).unwrap());
        queue.put_from(QUIET, 7_777).unwrap();
        queue.put(8_888).unwrap();
        queue.put(9_999).unwrap();
        let first: Vec<i32> = (0..6).map(|_| queue.take().unwrap()).collect();
        assert_eq!(first, [0, 8_888, 7_777, 9_999, 1, 2]);
        assert_eq!(std::iter::from_fn(|| queue.try_take()).collect::<Vec<_>>(), (3..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_owner_does_not_keep_peers_waiting_for_ever() {
        let queue = Queue::default();
        (0..10).for_each(|n| queue.put(n).unwrap());
        queue.put_from(QUIET, 100).unwrap();
        let first: Vec<i32> = (0..3).map(|_| queue.take().unwrap()).collect();
        assert!(first.contains(&100), "{first:?}");
    }

    #[test]
    fn a_closed_queue_drops_what_waits_and_takes_nothing() {
        let queue = Queue::default();
        queue.put(1).unwrap();
        queue.close();
        assert!(queue.put(2).is_err() && queue.put_from(LOUD, 3).is_err());
        assert_eq!(queue.take(), None);
        assert_eq!(queue.take_within(Duration::from_secs(60)), None);
    }
}

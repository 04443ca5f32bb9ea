//! What waits for threads: the node's own work and that of peers, each getting as much of their time as the other.
//!
//! Identities cost nothing, and one Hello of five hundred bytes can be work for milliseconds where much is held. So time is
//! shared and not turns, and by whoever cannot be had for nothing: each peer that was named has a share of its own, and so
//! has each host that strangers come from. Whoever had the least time comes next; of the strangers of one host each in
//! turn, and each peer's work first in first out. What peers may put here is bounded by what the network lets each of them
//! have in hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::NodeId;

/// Shares whose time is remembered although nothing of theirs waits.
const SHARES_MAX: usize = 1_024;
/// What a piece counts at least, so that those of no time take turns as well.
const PIECE_MIN: Duration = Duration::from_micros(1);
/// Who had more time than others while these had nothing to do waits no longer than this for it.
const LEAD_MAX: Duration = Duration::from_secs(1);

pub struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

/// Whose time it is that a peer's work takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    Peer(NodeId),
    /// All strangers at one host together.
    Host(IpAddr),
}

/// A piece of work; whose time it takes is told when it is done.
pub struct Piece<T> {
    pub item: T,
    /// None of the node's own.
    pub share: Option<Share>,
}

struct State<T> {
    own: VecDeque<T>,
    /// The work of each peer. It stays in the share that its first piece came into, or it would not leave in its order.
    peers: BTreeMap<NodeId, VecDeque<T>>,
    shares: BTreeMap<Share, Turns>,
    /// The shares of which something waits, the next first: by the time they had, and then by when that was.
    next: BTreeSet<(Duration, u64, Share)>,
    /// How many places were given in that order.
    placed: u64,
    /// What the share had that came last, which had the least: who comes after a while has had no less.
    floor: Duration,
    /// The time that the node's own work had, and that of all peers together.
    own_spent: Duration,
    peers_spent: Duration,
    closed: bool,
}

#[derive(Default)]
struct Turns {
    spent: Duration,
    /// Its place among the next, where something of it waits.
    place: u64,
    /// Peers that have something here, the next first.
    peers: VecDeque<NodeId>,
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
    pub fn put_from(&self, peer: NodeId, share: Share, item: T) -> Result<(), Closed> {
        self.add(|state| state.add_of_peer(peer, share, item))
    }

    /// Waits for the next piece; none once the queue is closed.
    pub fn take(&self) -> Option<Piece<T>> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(piece) = state.next() {
                return Some(piece);
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the next piece for so long at most.
    pub fn take_within(&self, span: Duration) -> Option<Piece<T>> {
        let until = Instant::now() + span;
        let mut state = self.state();
        loop {
            if let Some(piece) = state.next() {
                return Some(piece);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                return None;
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn try_take(&self) -> Option<Piece<T>> {
        self.state().next()
    }

    /// Counts the time that a piece took to whose it was.
    pub fn spent(&self, share: Option<Share>, span: Duration) {
        self.state().spent(share, span);
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
        state.shares.clear();
        state.next.clear();
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
    fn add_of_peer(&mut self, peer: NodeId, share: Share, item: T) {
        if let Some(waiting) = self.peers.get_mut(&peer) {
            return waiting.push_back(item);
        }
        self.peers.insert(peer, VecDeque::from([item]));
        let floor = self.floor;
        let turns = self.shares.entry(share).or_default();
        turns.peers.push_back(peer);
        if turns.peers.len() == 1 {
            turns.spent = turns.spent.clamp(floor, floor + LEAD_MAX);
            self.line_up(share);
        }
        if self.shares.len() > SHARES_MAX {
            self.shares.retain(|_, turns| !turns.peers.is_empty());
        }
    }

    fn next(&mut self) -> Option<Piece<T>> {
        // Who has nothing to do saves up no time, and who waited for a long piece little.
        let least = |is_idle: bool, other: Duration| if is_idle { other } else { other.saturating_sub(LEAD_MAX) };
        self.own_spent = self.own_spent.max(least(self.own.is_empty(), self.peers_spent));
        self.peers_spent = self.peers_spent.max(least(self.next.is_empty(), self.own_spent));
        let own_first = self.own_spent <= self.peers_spent || self.next.is_empty();
        if own_first && let Some(item) = self.own.pop_front() {
            self.own_spent += PIECE_MIN;
            return Some(Piece { item, share: None });
        }
        let (spent, _, share) = self.next.pop_first()?;
        self.floor = self.floor.max(spent);
        let item = self.take_of(share);
        self.spent(Some(share), PIECE_MIN);
        Some(Piece { item, share: Some(share) })
    }

    /// Takes what a share has next, which has no place among the next meanwhile.
    fn take_of(&mut self, share: Share) -> T {
        let turns = self.shares.get_mut(&share).expect("what is next is a share");
        let peer = turns.peers.pop_front().expect("of what is next something waits");
        let waiting = self.peers.get_mut(&peer).expect("who has a turn has something here");
        let item = waiting.pop_front().expect("who has a turn has something here");
        if waiting.is_empty() {
            self.peers.remove(&peer);
        } else {
            turns.peers.push_back(peer);
        }
        if !turns.peers.is_empty() {
            self.line_up(share);
        }
        item
    }

    /// Gives a share its place among the next, behind those that had as much.
    fn line_up(&mut self, share: Share) {
        self.placed += 1;
        let turns = self.shares.get_mut(&share).expect("who lines up is a share");
        turns.place = self.placed;
        self.next.insert((turns.spent, turns.place, share));
    }

    fn spent(&mut self, share: Option<Share>, span: Duration) {
        let Some(share) = share else {
            self.own_spent += span;
            return;
        };
        self.peers_spent += span;
        let Some(turns) = self.shares.get_mut(&share) else { return };
        let is_next = self.next.remove(&(turns.spent, turns.place, share));
        turns.spent += span;
        if is_next {
            self.next.insert((turns.spent, turns.place, share));
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        let state = State {
            own: VecDeque::new(),
            peers: BTreeMap::new(),
            shares: BTreeMap::new(),
            next: BTreeSet::new(),
            placed: 0,
            floor: Duration::ZERO,
            own_spent: Duration::ZERO,
            peers_spent: Duration::ZERO,
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

    fn node(n: u16) -> NodeId {
        NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn host(n: u8) -> Share {
        Share::Host([10, 0, 0, n].into())
    }

    fn put_of(queue: &Queue<i32>, peer: NodeId, item: i32) {
        queue.put_from(peer, Share::Peer(peer), item).unwrap();
    }

    /// Takes so many pieces, each of which takes as long as this says.
    fn takes(queue: &Queue<i32>, many: usize, span: impl Fn(i32) -> u64) -> Vec<i32> {
        let one = |_| {
            let Piece { item, share } = queue.try_take().unwrap();
            queue.spent(share, Duration::from_millis(span(item)));
            item
        };
        (0..many).map(one).collect()
    }

    #[test]
    fn a_peer_that_floods_waits_for_itself_alone() {
        let queue = Queue::default();
        (0..1_000).for_each(|n| put_of(&queue, LOUD, n));
        put_of(&queue, QUIET, 7_777);
        queue.put(8_888).unwrap();
        queue.put(9_999).unwrap();
        assert_eq!(takes(&queue, 6, |_| 1), [8_888, 0, 9_999, 7_777, 1, 2]);
        let rest = std::iter::from_fn(|| queue.try_take()).map(|piece| piece.item);
        assert_eq!(rest.collect::<Vec<_>>(), (3..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_owner_does_not_keep_peers_waiting_for_ever() {
        let queue = Queue::default();
        (0..10).for_each(|n| queue.put(n).unwrap());
        put_of(&queue, QUIET, 100);
        assert!(takes(&queue, 3, |_| 1).contains(&100));
    }

    #[test]
    fn who_takes_long_comes_after_all_who_take_little() {
        let queue = Queue::default();
        // As many strangers of one host as come to mind, and each of them is a hundred times the work.
        (0..50).for_each(|n| queue.put_from(node(n), host(66), 0).unwrap());
        queue.put_from(node(100), host(1), 1).unwrap();
        put_of(&queue, QUIET, 2);
        let span = |item| if item == 0 { 100 } else { 1 };
        let first = takes(&queue, 3, span);
        assert!(first.contains(&1) && first.contains(&2), "{first:?}");
        // Whatever they put in from now on comes before the next of the host's, until they had as much time.
        for n in 3..60 {
            match n % 3 {
                0 => queue.put_from(node(100), host(1), n).unwrap(),
                1 => put_of(&queue, QUIET, n),
                _ => queue.put(n).unwrap(),
            }
            assert_eq!(takes(&queue, 1, span), [n]);
        }
        assert_eq!(takes(&queue, 1, span), [0], "and then it is the host's");
    }

    #[test]
    fn strangers_of_one_host_take_turns_and_each_is_heard_in_order() {
        let queue = Queue::default();
        for n in 0..3 {
            (0..3).for_each(|at| queue.put_from(node(n), host(1), i32::from(n) * 10 + at).unwrap());
        }
        assert_eq!(takes(&queue, 9, |_| 1), [0, 10, 20, 1, 11, 21, 2, 12, 22]);
    }

    #[test]
    fn what_a_peer_said_in_one_share_comes_before_what_it_says_in_another() {
        let queue = Queue::default();
        queue.put_from(LOUD, host(1), 1).unwrap();
        put_of(&queue, LOUD, 2);
        queue.put_from(LOUD, host(2), 3).unwrap();
        assert_eq!(takes(&queue, 3, |_| 1_000), [1, 2, 3]);
        put_of(&queue, LOUD, 4);
        assert_eq!(takes(&queue, 1, |_| 1), [4]);
    }

    #[test]
    fn time_that_somebody_had_nothing_to_do_is_not_made_up_for() {
        let queue = Queue::default();
        (0..60).for_each(|_| put_of(&queue, LOUD, 0));
        takes(&queue, 60, |_| 60_000);
        // The others come an hour later as it were, and have no hour to themselves.
        for _ in 0..40 {
            put_of(&queue, LOUD, 0);
            put_of(&queue, QUIET, 1);
            queue.put(2).unwrap();
        }
        let first = takes(&queue, 60, |_| 100);
        assert!((0..3).all(|who| first.contains(&who)), "{first:?}");
    }

    #[test]
    fn hosts_without_number_are_not_remembered() {
        let queue = Queue::default();
        for n in 0..5 * SHARES_MAX as u32 {
            queue.put_from(QUIET, Share::Host(std::net::Ipv4Addr::from(n).into()), 0).unwrap();
            takes(&queue, 1, |_| 1);
        }
        assert!(queue.state().shares.len() <= SHARES_MAX + 1);
    }

    #[test]
    fn a_closed_queue_drops_what_waits_and_takes_nothing() {
        let queue = Queue::default();
        queue.put(1).unwrap();
        queue.close();
        assert!(queue.put(2).is_err() && queue.put_from(LOUD, Share::Peer(LOUD), 3).is_err());
        assert!(queue.take().is_none());
        assert!(queue.take_within(Duration::from_secs(60)).is_none());
    }
}

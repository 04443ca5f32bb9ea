//! How often the log says what others can bring about at will: a stranger at a door, a peer under ever new names, a message that
//! comes again. Whatever they do, one kind of line is said [`AT_ONCE`] times and then once in [`EVERY`], with how many were left
//! out, so that no log is filled, and nothing in it drowned, by who only has to knock.
//!
//! ```text
//! static FOREIGN: Brake<IpAddr> = Brake::new(DAY);      one for each kind of line
//! FOREIGN.say(from, |unsaid| tracing::warn!(unsaid, %from, "…"));
//! ```
//! Of one `key` it is said no more than once in the brake's own span: what is true of a peer stays true, and is no news each
//! time that it comes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of one kind that are said one after the other.
const AT_ONCE: u32 = 16;
/// How long it takes until one more is.
const EVERY: Duration = Duration::from_secs(60);
/// Keys that are remembered as said; the oldest is forgotten first.
const KEYS_MAX: usize = 1_024;

/// The brake of one kind of line.
#[derive(Debug)]
pub struct Brake<K = ()> {
    /// So long one key is not said again.
    again: Duration,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    /// Of the lines that may be said, how many were; and since when one of them is given back.
    spent: u32,
    since: Option<Instant>,
    unsaid: u64,
    said: BTreeMap<K, Instant>,
    /// The keys above, the earliest first.
    order: VecDeque<K>,
}

impl<K> Brake<K> {
    pub const fn new(again: Duration) -> Brake<K> {
        let state = State { spent: 0, since: None, unsaid: 0, said: BTreeMap::new(), order: VecDeque::new() };
        Brake { again, state: Mutex::new(state) }
    }
}

impl<K: Ord + Clone> Brake<K> {
    /// Says it, with how many lines were left out since the last one, or counts it.
    pub fn say(&self, key: K, say: impl FnOnce(Option<u64>)) {
        if let Some(unsaid) = self.lets(key, Instant::now()) {
            say(Some(unsaid).filter(|unsaid| *unsaid > 0));
        }
    }

    /// How many were left out since the last one, where this one may be said.
    pub fn lets(&self, key: K, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = state.said.get(&key).is_none_or(|at| now.saturating_duration_since(*at) >= self.again);
        if !is_news || !state.spend(now) {
            state.unsaid += 1;
            return None;
        }
        state.remember(key, now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

impl<K: Ord + Clone> State<K> {
    fn spend(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let spans = now.saturating_duration_since(since).as_secs() / EVERY.as_secs();
        let back = u32::try_from(spans).unwrap_or(u32::MAX);
        if back >= self.spent {
            (self.spent, self.since) = (0, Some(now));
        } else {
            self.spent -= back;
            self.since = Some(since + EVERY * back);
        }
        let may = self.spent < AT_ONCE;
        self.spent += u32::from(may);
        may
    }

    fn remember(&mut self, key: K, now: Instant) {
        if self.said.insert(key.clone(), now).is_some() {
            self.order.retain(|known| *known != key);
        }
        self.order.push_back(key);
        if self.order.len() > KEYS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.said.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_a_few_times_and_then_once_in_a_while_with_how_many_were_left_out() {
        let (brake, start) = (Brake::<()>::new(Duration::ZERO), Instant::now());
        let said: Vec<u64> = (0..1_000).filter_map(|_| brake.lets((), start)).collect();
        assert_eq!(said, vec![0; AT_ONCE as usize]);
        assert_eq!(brake.lets((), start + EVERY - Duration::from_secs(1)), None);
        assert_eq!(brake.lets((), start + EVERY), Some(1_000 - u64::from(AT_ONCE) + 1));
        assert_eq!(brake.lets((), start + EVERY), None);
        // A day of it is no more than a line a minute.
        let day = (0..86_400).filter(|second| brake.lets((), start + EVERY + Duration::from_secs(*second)).is_some());
        assert_eq!(day.count(), 1_439);
    }

    #[test]
    fn after_a_quiet_time_as_many_are_said_at_once_as_at_first_and_no_more() {
        let (brake, start) = (Brake::<()>::new(Duration::ZERO), Instant::now());
        let count = |at: Instant| (0..100).filter(|_| brake.lets((), at).is_some()).count();
        assert_eq!([count(start), count(start + EVERY * 3), count(start + EVERY * 1_000_000)], [16, 3, 16]);
    }

    #[test]
    fn what_was_said_of_somebody_is_not_said_again_for_its_span_and_others_are_heard() {
        let (brake, start) = (Brake::new(EVERY * 60), Instant::now());
        assert_eq!([brake.lets(1, start), brake.lets(1, start), brake.lets(2, start)], [Some(0), None, Some(1)]);
        assert_eq!([brake.lets(1, start + EVERY * 59), brake.lets(1, start + EVERY * 60)], [None, Some(1)]);
    }

    #[test]
    fn ever_new_names_are_braked_as_one_is_and_a_bounded_number_remembered() {
        let (brake, start) = (Brake::new(EVERY * 1_000_000), Instant::now());
        assert_eq!((0..10_000).filter(|name| brake.lets(*name, start).is_some()).count(), AT_ONCE as usize);
        for minute in 1..3_000 {
            assert!(brake.lets(10_000 + minute, start + EVERY * minute).is_some());
        }
        let state = brake.state.lock().unwrap();
        assert_eq!((state.said.len(), state.order.len()), (KEYS_MAX, KEYS_MAX));
    }
}

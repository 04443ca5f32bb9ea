//! Quiet hours: of mail that comes then nobody is told before they end, unless it is urgent, and not too often.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::bundle::Priority;
use crate::config::QuietHours;
use crate::id::{BundleId, NodeId};

/// So many urgent messages of one contact break into quiet hours, of any day and night.
const URGENT_MAX: usize = 5;
const URGENT_SPAN: Duration = Duration::from_secs(24 * 60 * 60);
/// So many messages are told of afterwards.
const HELD_MAX: usize = 1_024;
/// Clocks are set, and a sleep does not count the time that a machine slept through: so late the end is seen at most.
const NAP_MAX: Duration = Duration::from_secs(60);

/// What one listener is not told of yet.
#[derive(Debug, Default)]
pub struct Quiet {
    hours: Option<QuietHours>,
    held: VecDeque<BundleId>,
    /// When urgent messages broke in, by their writers.
    urgent: BTreeMap<NodeId, VecDeque<Instant>>,
}

/// A message that comes, as far as it matters here.
pub struct Arrival {
    pub id: BundleId,
    pub writer: NodeId,
    /// The writer has a name here.
    pub is_known: bool,
    pub priority: Priority,
}

impl Quiet {
    pub fn new(hours: Option<QuietHours>) -> Quiet {
        Quiet { hours, ..Quiet::default() }
    }

    /// Whether somebody is to be told of a message at this minute of the day; else it is kept until the hours end, as long
    /// as there is room.
    pub fn tells(&mut self, arrival: &Arrival, minute: u16, now: Instant) -> bool {
        let is_quiet = self.hours.is_some_and(|hours| hours.left(minute).is_some());
        if !is_quiet || arrival.priority == Priority::Urgent && arrival.is_known && self.breaks_in(arrival.writer, now)
        {
            return true;
        }
        if self.held.len() < HELD_MAX {
            self.held.push_back(arrival.id);
        }
        false
    }

    fn breaks_in(&mut self, writer: NodeId, now: Instant) -> bool {
        let times = self.urgent.entry(writer).or_default();
        times.retain(|at| now.duration_since(*at) < URGENT_SPAN);
        let is_within = times.len() < URGENT_MAX;
        if is_within {
            times.push_back(now);
        }
        is_within
    }

    /// The next message of those that were kept, once the hours are over.
    pub fn next(&mut self, minute: u16) -> Option<BundleId> {
        match self.hours.and_then(|hours| hours.left(minute)) {
            Some(_) => None,
            None => self.held.pop_front(),
        }
    }

    /// How long until it is worth asking for the next one; none where nothing is kept.
    pub fn nap(&self, minute: u16) -> Option<Duration> {
        let left = self.hours.and_then(|hours| hours.left(minute)).unwrap_or(0);
        (!self.held.is_empty()).then(|| Duration::from_secs(60 * u64::from(left)).min(NAP_MAX))
    }
}

/// The minute of the day on the clock on the wall.
pub fn minute_now() -> u16 {
    let time = jiff::Zoned::now().time();
    time.hour() as u16 * 60 + time.minute() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_quiet;

    const NIGHT: u16 = 23 * 60;
    const NOON: u16 = 12 * 60;

    fn arrival(n: u8, priority: Priority, is_known: bool) -> Arrival {
        Arrival { id: BundleId([n; 32]), writer: NodeId::from_trusted([2; 32]), is_known, priority }
    }

    #[test]
    fn what_comes_in_quiet_hours_is_told_afterwards_in_order() {
        let mut quiet = Quiet::new(parse_quiet("22:00-07:00").unwrap());
        let now = Instant::now();
        assert!(quiet.tells(&arrival(1, Priority::Normal, true), NOON, now));
        assert!(!quiet.tells(&arrival(2, Priority::Normal, true), NIGHT, now));
        assert!(!quiet.tells(&arrival(3, Priority::Urgent, false), NIGHT, now), "a stranger is never that urgent");
        assert_eq!((quiet.next(NIGHT), quiet.nap(NIGHT)), (None, Some(NAP_MAX)));
        assert_eq!(
            [quiet.next(NOON), quiet.next(NOON), quiet.next(NOON)],
            [Some(BundleId([2; 32])), Some(BundleId([3; 32])), None]
        );
        assert_eq!(quiet.nap(NOON), None);
    }

    #[test]
    fn what_is_urgent_breaks_in_a_few_times_a_day() {
        let mut quiet = Quiet::new(parse_quiet("22:00-07:00").unwrap());
        let now = Instant::now();
        let told = |quiet: &mut Quiet, at| {
            (0..7).filter(|n| quiet.tells(&arrival(*n, Priority::Urgent, true), NIGHT, at)).count()
        };
        assert_eq!(told(&mut quiet, now), URGENT_MAX);
        assert_eq!(told(&mut quiet, now + URGENT_SPAN), URGENT_MAX);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut quiet = Quiet::new(parse_quiet("22:00-07:00").unwrap());
        let told = |_: &usize| quiet.tells(&arrival(1, Priority::Bulk, true), NIGHT, Instant::now());
        assert_eq!((0..2 * HELD_MAX).filter(told).count(), 0);
        assert_eq!(quiet.held.len(), HELD_MAX);
    }
}

//! Records of a run that stay small however long it is, and are the same every time.

use crate::sim::report::{Decimal, Move};

/// Every n-th of many things, with n doubled whenever they become too many.
#[derive(Clone, Debug)]
pub struct Thinned<T> {
    kept: Vec<T>,
    every: u64,
    seen: u64,
    max: usize,
}

impl<T> Thinned<T> {
    /// Keeps at most `max`, and more than half as many once there were.
    pub fn new(max: usize) -> Thinned<T> {
        Thinned { kept: Vec::new(), every: 1, seen: 0, max: max.max(2) }
    }

    pub fn push(&mut self, item: T) {
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == self.max {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.kept.push(item);
            }
        }
        self.seen += 1;
    }

    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// How many there were.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}

/// All moves of some messages: of every n-th, with n doubled whenever there are too many moves.
#[derive(Clone, Debug)]
pub struct Moves {
    kept: Vec<Move>,
    every: u32,
    max: usize,
}

impl Moves {
    pub fn new(max: usize) -> Moves {
        Moves { kept: Vec::new(), every: 1, max }
    }

    pub fn push(&mut self, new: Move) {
        if !new.message.is_multiple_of(self.every) {
            return;
        }
        self.kept.push(new);
        while self.kept.len() > self.max && self.every < 1 << 31 {
            self.every *= 2;
            self.kept.retain(|kept| kept.message.is_multiple_of(self.every));
        }
        // One message alone may have too many.
        self.kept.truncate(self.max);
    }

    pub fn kept(&self) -> &[Move] {
        &self.kept
    }

    /// The moves kept are those of messages 0, `every`, 2 `every`, …
    pub fn every(&self) -> u32 {
        self.every
    }
}

/// A spread of values in bounded space: counts in steps of a 32nd of the value, an exact sum.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
}

/// Steps between a power of two and the next.
const STEPS: u64 = 32;

impl Histogram {
    pub fn add(&mut self, value: u64) {
        let bucket = bucket_of(value);
        // At most 60 powers of two: a few thousand counts.
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.sum += u128::from(value);
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Histogram) {
        let buckets = self.counts.len().max(other.counts.len());
        self.counts.resize(buckets, 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.count += other.count;
        self.sum += other.sum;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count.into()).map(|mean| mean as u64)
    }

    /// The value at position count / 2, rounded down by at most a 32nd.
    pub fn median(&self) -> Option<u64> {
        let mut before = 0;
        let holds = |count: &u64| {
            before += count;
            before > self.count / 2
        };
        self.counts.iter().position(holds).map(lowest_of)
    }

    /// The mean of microseconds, in seconds.
    pub fn mean_seconds(&self) -> Option<Decimal> {
        self.mean().map(Decimal::of_us)
    }

    /// The median of microseconds, in seconds.
    pub fn median_seconds(&self) -> Option<Decimal> {
        self.median().map(Decimal::of_us)
    }
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = value.ilog2() - STEPS.ilog2();
    (u64::from(power) * STEPS + (value >> power)) as usize
}

fn lowest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let power = bucket / STEPS - 1;
    (bucket % STEPS + STEPS) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_record_spans_the_whole_run() {
        let mut record = Thinned::new(10);
        (0..1_000).for_each(|number| record.push(number));
        assert_eq!(record.seen(), 1_000);
        let kept = record.kept();
        assert!(kept.len() > 5 && kept.len() <= 10, "{kept:?}");
        assert!(kept[0] == 0 && *kept.last().unwrap() >= 850, "{kept:?}");
        let step = kept[1] - kept[0];
        assert!(kept.windows(2).all(|two| two[1] - two[0] == step), "{kept:?}");
    }

    #[test]
    fn kept_messages_keep_all_their_moves() {
        let mut moves = Moves::new(100);
        for message in 0..80 {
            (0..5).for_each(|hop| moves.push(Move { at_us: hop, message, from: 0, to: 1 }));
        }
        assert_eq!(moves.every(), 4);
        assert_eq!(moves.kept().len(), 100);
        assert!(moves.kept().iter().all(|kept| kept.message % 4 == 0));
    }

    #[test]
    fn a_histogram_knows_mean_and_median() {
        let mut spread = Histogram::default();
        assert_eq!((spread.mean(), spread.median()), (None, None));
        (0..=1_000_000).step_by(1_000).for_each(|value| spread.add(value));
        assert_eq!(spread.mean(), Some(500_000));
        let median = spread.median().unwrap();
        assert!(median <= 500_000 && median > 484_000, "{median}");
        for value in [0, 31, 32, 63, 64, 65, 1 << 40, u64::MAX] {
            assert!(lowest_of(bucket_of(value)) <= value);
            assert!(value - lowest_of(bucket_of(value)) <= value / 32);
        }
    }
}

//! Time as two integers that come from outside: elapsed time that never jumps, and a wall clock that is only a hint.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Elapsed milliseconds of a home's life; never jumps, survives restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

/// A number in six bytes, where it is kept a million times: as milliseconds, 8,900 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SixBytes([u8; 6]);

/// Milliseconds since 2000-01-01T00:00:00Z (RFC 9171 section 4.2.6); 0 says "no clock".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DtnTime(pub u64);

/// A span in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

/// What the clocks say when an input happens. `wall` is [`DtnTime`] 0 where the clock is not trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub now: Timestamp,
    pub wall: DtnTime,
}

/// Milliseconds between the Unix epoch and the DTN epoch.
pub const DTN_EPOCH_UNIX_MS: u64 = 946_684_800_000;

/// Downtime beyond this is not believed: the wall clock may be wrong, and doubt keeps.
const DOWNTIME_MAX: Millis = Millis(30 * DAY.0 + HOUR.0);

/// Wall clocks that say an earlier time than this are wrong: 2026-01-01, before any of this was built.
pub const BUILD_DATE: DtnTime = DtnTime(820_540_800_000);

pub const SECOND: Millis = Millis(1_000);
pub const MINUTE: Millis = Millis(60_000);
pub const HOUR: Millis = Millis(3_600_000);
pub const DAY: Millis = Millis(86_400_000);

impl Moment {
    /// The wall clock, where it can be believed at all.
    pub fn trusted_wall(&self) -> Option<DtnTime> {
        (self.wall >= BUILD_DATE).then_some(self.wall)
    }

    /// Whether the wall clock was set between the other moment and this one, by more than so much, to what can be believed.
    pub fn is_set_since(&self, before: &Moment, by: Millis) -> bool {
        let by_itself = before.wall.0.saturating_add(self.now.since(before.now).0);
        self.trusted_wall().is_some() && self.wall.0.abs_diff(by_itself) > by.0
    }

    /// Where elapsed time goes on from what was last durable, at a start with this wall clock: the time in between counts
    /// where both wall clocks make it plausible.
    pub fn resumed(&self, wall: DtnTime) -> Timestamp {
        let now = Moment { now: self.now, wall };
        let downtime = match (self.trusted_wall(), now.trusted_wall()) {
            (Some(then), Some(now)) if now >= then => Millis(now.0 - then.0),
            _ => Millis(0),
        };
        if downtime <= DOWNTIME_MAX { self.now + downtime } else { self.now }
    }
}

impl SixBytes {
    pub const MAX: u64 = (1 << 48) - 1;

    /// The number, or the largest that there is room for.
    pub fn of(number: u64) -> SixBytes {
        let [_, _, bytes @ ..] = number.min(SixBytes::MAX).to_be_bytes();
        SixBytes(bytes)
    }

    pub fn get(self) -> u64 {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0);
        u64::from_be_bytes(bytes)
    }
}

impl fmt::Debug for SixBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl DtnTime {
    pub fn from_unix_ms(unix_ms: u64) -> DtnTime {
        DtnTime(unix_ms.saturating_sub(DTN_EPOCH_UNIX_MS))
    }

    pub fn unix_ms(&self) -> u64 {
        self.0.saturating_add(DTN_EPOCH_UNIX_MS)
    }
}

impl Millis {
    pub const fn saturating_sub(self, other: Millis) -> Millis {
        Millis(self.0.saturating_sub(other.0))
    }

    pub const fn saturating_add(self, other: Millis) -> Millis {
        Millis(self.0.saturating_add(other.0))
    }

    pub const fn times(self, n: u64) -> Millis {
        Millis(self.0.saturating_mul(n))
    }
}

impl Timestamp {
    /// The span from `earlier` to this, zero when it lies ahead.
    pub const fn since(self, earlier: Timestamp) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

/// `3d 4h`, `12m 5s`, `250ms`: the two largest units.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(DAY.0, "d"), (HOUR.0, "h"), (MINUTE.0, "m"), (SECOND.0, "s"), (1, "ms")];
        let Some(first) = units.iter().position(|(ms, _)| self.0 >= *ms) else { return f.write_str("0s") };
        let (ms, name) = units[first];
        write!(f, "{}{name}", self.0 / ms)?;
        match units.get(first + 1) {
            Some((next_ms, next)) if self.0 % ms >= *next_ms && *next != "ms" => {
                write!(f, " {}{next}", self.0 % ms / next_ms)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bytes_are_in_the_order_of_their_numbers_and_end_at_the_largest() {
        let numbers = [0, 1, 255, 256, 65_535, 65_536, 1 << 40, SixBytes::MAX - 1, SixBytes::MAX];
        assert!(numbers.iter().all(|number| SixBytes::of(*number).get() == *number));
        assert!(numbers.is_sorted_by_key(|number| SixBytes::of(*number)));
        assert_eq!(SixBytes::of(u64::MAX).get(), SixBytes::MAX);
    }

    #[test]
    fn spans_print_their_two_largest_units() {
        let printed = [0, 250, 1_500, 65_000, 3_600_000, 100_000_000, 2_592_000_000].map(|ms| Millis(ms).to_string());
        assert_eq!(printed, ["0s", "250ms", "1s", "1m 5s", "1h", "1d 3h", "30d"]);
    }
}

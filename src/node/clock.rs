//! The two clocks of a real node: elapsed time that never jumps, and the wall clock as a hint.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::agent::change::Durable;
use crate::time::{DtnTime, Millis, Moment, Timestamp};

/// Elapsed time of this home, from where it stood when the store was last written.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Timestamp,
    boot_ms_at_start: u64,
}

impl Clock {
    /// Goes on from what is durable; the time in between counts where both wall clocks make it plausible.
    pub fn resume(durable: &Durable) -> Clock {
        Clock { start: durable.clock.resumed(wall()), boot_ms_at_start: boot_ms() }
    }

    pub fn moment(&self) -> Moment {
        let elapsed = Millis(boot_ms().saturating_sub(self.boot_ms_at_start));
        Moment { now: self.start + elapsed, wall: wall() }
    }
}

/// Milliseconds since the machine started, sleep included.
fn boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec as u64 * 1_000 + time.tv_nsec as u64 / 1_000_000
}

fn wall() -> DtnTime {
    let unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    DtnTime::from_unix_ms(unix_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, HOUR};

    /// Where elapsed time goes on from, when the wall clock stood so far back as the store was last written.
    fn resumed(wall_ms_ago: u64) -> Timestamp {
        let clock = Moment { now: Timestamp(HOUR.0), wall: DtnTime(wall().0 - wall_ms_ago) };
        Clock::resume(&Durable { clock, ..Durable::default() }).start
    }

    #[test]
    fn a_restart_counts_the_downtime_that_both_wall_clocks_make_plausible_and_no_jump_of_one() {
        assert!(resumed(DAY.0) >= Timestamp(HOUR.0 + DAY.0));
        for days in [31, 366] {
            assert_eq!(resumed(days * DAY.0), Timestamp(HOUR.0), "{days} days off are doubted, and doubt keeps");
        }
        let ahead = Moment { now: Timestamp(HOUR.0), wall: DtnTime(wall().0 + 10 * 365 * DAY.0) };
        assert_eq!(Clock::resume(&Durable { clock: ahead, ..Durable::default() }).start, Timestamp(HOUR.0));
        let none = Moment { now: Timestamp(HOUR.0), wall: DtnTime(0) };
        assert_eq!(Clock::resume(&Durable { clock: none, ..Durable::default() }).start, Timestamp(HOUR.0));
    }
}

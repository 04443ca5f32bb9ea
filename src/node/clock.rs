//! The two clocks of a real node: elapsed time that never jumps back, and the wall clock as a hint.
//!
//! How long a home was off only the wall clock says, and one that was set wrong at boot would end every life at once. So
//! downtime counts once there is a second sign: a verified bundle that a named person stamped after this home was last
//! written proves the time up to its stamp; and an hour later the same wall clock, if it kept its pace, is believed about
//! the rest, for a network or a person that sets clocks right does so within that time. Without either it does not count:
//! doubt keeps. A stranger's stamp is no sign, for it would be there for every clock that is wrong. A machine that has been
//! up for longer than the home was off was not started in between, and needs no other sign.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::agent::change::Durable;
use crate::time::{DtnTime, HOUR, MINUTE, Millis, Moment, Timestamp};

/// After so long the wall clock is asked again about the downtime.
const ASKED_AGAIN: Millis = HOUR;
/// How much it may have gained or lost by then.
const PACE_TOLERANCE: Millis = MINUTE;

/// Elapsed time of this home, from where it stood when the store was last written.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Timestamp,
    begun: Reading,
    doubted: Option<Doubted>,
}

/// What the clocks of the machine show.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// Milliseconds since the machine started, sleep included.
    boot_ms: u64,
    wall: DtnTime,
}

/// Downtime that so far only the wall clock speaks of: from when on, and how much.
#[derive(Clone, Copy, Debug)]
struct Doubted {
    since: DtnTime,
    span: Millis,
}

impl Clock {
    /// Goes on from what is durable; the time in between counts where both wall clocks make it plausible and something
    /// else says so too.
    pub fn resume(durable: &Durable) -> Clock {
        Clock::resumed(&durable.clock, Reading::now())
    }

    fn resumed(last: &Moment, begun: Reading) -> Clock {
        let span = last.resumed(begun.wall).since(last.now);
        if span.0 <= begun.boot_ms {
            return Clock { start: last.now + span, begun, doubted: None };
        }
        let doubted = Some(Doubted { since: last.wall, span });
        Clock { start: last.now, begun, doubted }
    }

    pub fn moment(&mut self) -> Moment {
        self.read(Reading::now())
    }

    fn read(&mut self, at: Reading) -> Moment {
        let elapsed = Millis(at.boot_ms.saturating_sub(self.begun.boot_ms));
        if let Some(doubted) = self.doubted.filter(|_| elapsed >= ASKED_AGAIN) {
            let shown = at.wall.0.saturating_sub(self.begun.wall.0);
            if shown.abs_diff(elapsed.0) <= PACE_TOLERANCE.0 {
                self.start = self.start + doubted.span;
            }
            self.doubted = None;
        }
        Moment { now: self.start + elapsed, wall: at.wall }
    }

    /// A named person signed something at `stamp`, as that clock says: so much time has passed, if the own clock agrees.
    pub fn second_sign(&mut self, stamp: DtnTime) {
        let Some(Doubted { since, span }) = self.doubted else { return };
        let proven = Millis(stamp.0.saturating_sub(since.0).min(span.0));
        let span = span.saturating_sub(proven);
        self.start = self.start + proven;
        self.doubted = (span.0 > 0).then_some(Doubted { since: DtnTime(since.0 + proven.0), span });
    }
}

impl Reading {
    fn now() -> Reading {
        let time = clock_gettime(ClockId::Boottime);
        let boot_ms = time.tv_sec as u64 * 1_000 + time.tv_nsec as u64 / 1_000_000;
        let unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        Reading { boot_ms, wall: DtnTime::from_unix_ms(unix_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY;

    /// 2026-11-01.
    const THEN: DtnTime = DtnTime(846_892_800_000);
    const LAST: Moment = Moment { now: Timestamp(HOUR.0), wall: THEN };

    /// A clock that starts when the wall clock shows so much more than when the store was last written.
    fn off_for(span: Millis) -> Clock {
        Clock::resumed(&LAST, at(span, Millis(0)))
    }

    /// What the clocks show so long after the start, by a wall clock that keeps its pace.
    fn at(off: Millis, running: Millis) -> Reading {
        Reading { boot_ms: 5_000 + running.0, wall: DtnTime(THEN.0 + off.0 + running.0) }
    }

    fn now(clock: &mut Clock, reading: Reading) -> u64 {
        clock.read(reading).now.0
    }

    #[test]
    fn the_wall_clock_alone_makes_no_downtime_count() {
        let mut clock = off_for(DAY);
        assert_eq!(now(&mut clock, at(DAY, MINUTE)), HOUR.0 + MINUTE.0);
    }

    #[test]
    fn downtime_within_one_run_of_the_machine_counts_at_once() {
        let up = |span: Millis| Reading { boot_ms: span.0, ..at(DAY, Millis(0)) };
        assert_eq!(now(&mut Clock::resumed(&LAST, up(DAY)), up(DAY)), HOUR.0 + DAY.0);
        let short = up(Millis(DAY.0 - 1));
        assert_eq!(now(&mut Clock::resumed(&LAST, short), short), HOUR.0, "it may have been started since");
    }

    #[test]
    fn a_wall_clock_set_forward_at_boot_and_right_again_later_ends_no_life() {
        let off = DAY.times(29);
        let mut clock = off_for(off);
        assert_eq!(now(&mut clock, at(off, MINUTE)), HOUR.0 + MINUTE.0);
        assert_eq!(now(&mut clock, at(MINUTE, HOUR.times(2))), HOUR.times(3).0, "it was set right in between");
        assert_eq!(now(&mut clock, at(off, HOUR.times(3))), HOUR.times(4).0, "and is not asked again");
    }

    #[test]
    fn a_wall_clock_that_kept_its_pace_for_an_hour_is_believed() {
        let mut clock = off_for(DAY);
        assert_eq!(now(&mut clock, at(DAY, HOUR)), HOUR.0 + DAY.0 + HOUR.0);
    }

    #[test]
    fn a_stamp_of_a_named_person_proves_the_time_up_to_it_and_no_more_than_the_own_clock_says() {
        let mut clock = off_for(DAY.times(3));
        clock.second_sign(DtnTime(THEN.0 - DAY.0));
        clock.second_sign(DtnTime(0));
        assert_eq!(now(&mut clock, at(DAY.times(3), Millis(0))), HOUR.0, "what is older proves nothing");
        clock.second_sign(DtnTime(THEN.0 + DAY.0));
        assert_eq!(now(&mut clock, at(DAY.times(3), Millis(0))), HOUR.0 + DAY.0);
        clock.second_sign(DtnTime(THEN.0 + DAY.times(900).0));
        clock.second_sign(DtnTime(u64::MAX));
        assert_eq!(now(&mut clock, at(DAY.times(3), Millis(0))), HOUR.0 + DAY.times(3).0);
        assert_eq!(now(&mut clock, at(DAY.times(3), HOUR)), HOUR.0 + DAY.times(3).0 + HOUR.0, "each day once");
    }

    #[test]
    fn no_sign_makes_a_jump_of_years_count() {
        for off in [DAY.times(31), DAY.times(366)] {
            let mut clock = off_for(off);
            clock.second_sign(DtnTime(THEN.0 + off.0));
            assert_eq!(now(&mut clock, at(off, HOUR)), HOUR.times(2).0, "doubt keeps");
        }
        let back = Reading { boot_ms: 0, wall: DtnTime(THEN.0 - DAY.0) };
        assert_eq!(now(&mut Clock::resumed(&LAST, back), back), HOUR.0);
        let none = Moment { wall: DtnTime(0), ..LAST };
        assert_eq!(now(&mut Clock::resumed(&none, back), back), HOUR.0);
    }
}

//! When a recipient asks once more for what of a file is missing: parts can be lost without anybody who knows of it being in
//! reach, for a carrier may break.
//!
//! As long as parts come nothing is asked. After a while without one a request goes, and ever later ones after that; where
//! the sender is in contact the while is short, for then nothing should be missing for long.

use crate::time::{DAY, MINUTE, Millis, SECOND, Timestamp};

/// After so long without a part it is asked for while the sender is in contact.
pub const QUIET_NEAR: Millis = Millis(10 * SECOND.0);
/// And so long while it is not.
pub const QUIET_FAR: Millis = Millis(30 * MINUTE.0);
/// The longest wait between two requests.
pub const QUIET_LONGEST: Millis = DAY;

/// How long nothing came of a file, and how often it was asked for since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holes {
    have: u32,
    since: Timestamp,
    asked: u32,
}

impl Holes {
    /// So many parts are here now.
    pub fn new(have: u32, now: Timestamp) -> Holes {
        Holes { have, since: now, asked: 0 }
    }

    /// How often it was asked for since something came.
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// Whether a request goes now, and then it counts as sent. `is_near` says that the sender is in contact.
    pub fn ask(&mut self, have: u32, now: Timestamp, is_near: bool) -> bool {
        if have != self.have {
            *self = Holes::new(have, now);
            return false;
        }
        let quiet = if is_near { QUIET_NEAR } else { QUIET_FAR };
        let wait = quiet.times(1 << self.asked.min(16)).min(QUIET_LONGEST);
        let is_due = now.since(self.since) >= wait;
        if is_due {
            self.since = now;
            self.asked += 1;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_asked_while_parts_come_and_then_ever_less_often() {
        let mut holes = Holes::new(0, Timestamp(0));
        let second = |n: u64| Timestamp(n * 1_000);
        assert!((0..100u32).all(|n| !holes.ask(n, second(9 * u64::from(n)), true)));
        let asked: Vec<u64> = (891..2_000).filter(|n| holes.ask(99, second(*n), true)).map(|n| n - 891).collect();
        assert_eq!(asked, [10, 30, 70, 150, 310, 630]);
        assert!(!holes.ask(100, second(2_001), true), "one came");
        assert!(holes.ask(100, second(2_011), true));
    }

    proptest! {
        #[test]
        fn however_long_it_takes_requests_are_few(
            steps in prop::collection::vec((1u64..4_000_000, any::<bool>(), 0u32..40), 1..300),
        ) {
            let (mut holes, mut now, mut asked, mut have) = (Holes::new(0, Timestamp(0)), 0, 0u64, 0);
            let mut came = 1u64;
            for (span, is_near, part) in steps {
                now += span;
                if part == 0 {
                    have += 1;
                    came += 1;
                }
                asked += u64::from(holes.ask(have, Timestamp(now), is_near));
            }
            prop_assert!(asked <= came * 16 + now / QUIET_LONGEST.0, "{asked} requests");
        }
    }
}

//! Decimal seconds for people, whole microseconds inside; no float on the way.

use std::fmt;

/// Microseconds that print as seconds, with at least one decimal and no more than needed: `20.0`, `2747.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut fraction, mut digits) = (self.0 % 1_000_000, 6);
        while digits > 1 && fraction % 10 == 0 {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, "{}.{fraction:0digits$}", self.0 / 1_000_000)
    }
}

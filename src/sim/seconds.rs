//! Decimal seconds in files, whole microseconds inside; no float on the way.

use std::fmt;

use crate::sim::TIME_US_MAX;
use crate::sim::mistake::{Mistake, shown};

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

/// Reads `12`, `12.5` or `.5` seconds as microseconds; digits past the sixth decimal are dropped.
pub fn parse_seconds(field: &[u8]) -> Result<u64, Mistake> {
    let us = parse_scaled(field, 6, "time", "seconds as 12 or 12.5")?;
    if us > TIME_US_MAX { Err(malformed("time", field, "seconds up to 10000000000")) } else { Ok(us) }
}

/// Reads a decimal number times 10^`scale`; further decimals are dropped.
pub(crate) fn parse_scaled(field: &[u8], scale: u32, what: &'static str, form: &'static str) -> Result<u64, Mistake> {
    if field.first() == Some(&b'-') && field.len() > 1 {
        return Err(Mistake::Negative { what: if what == "time" { "the time" } else { what }, found: shown(field) });
    }
    let point = field.iter().position(|byte| *byte == b'.');
    let (whole, decimals) = field.split_at(point.unwrap_or(field.len()));
    let decimals = decimals.get(1..).unwrap_or(&[]);
    let digits = whole.iter().chain(decimals);
    if whole.len() + decimals.len() == 0 || !digits.clone().all(u8::is_ascii_digit) {
        return Err(malformed(what, field, form));
    }
    let padded = whole.iter().chain(decimals.iter().chain(std::iter::repeat(&b'0')).take(scale as usize));
    let value =
        padded.into_iter().try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    value.ok_or_else(|| malformed(what, field, form))
}

/// Reads a whole number.
pub(crate) fn parse_whole(field: &[u8], what: &'static str) -> Result<u64, Mistake> {
    if field.contains(&b'.') {
        return Err(malformed(what, field, "a whole number"));
    }
    parse_scaled(field, 0, what, "a whole number")
}

fn malformed(what: &'static str, field: &[u8], form: &'static str) -> Mistake {
    Mistake::Malformed { what, found: shown(field), form }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_read_and_print_to_the_microsecond() {
        let pairs = [("0", "0.0"), ("20", "20.0"), ("2747.5", "2747.5"), ("1.000001", "1.000001"), (".5", "0.5")];
        for (text, printed) in pairs {
            assert_eq!(Seconds(parse_seconds(text.as_bytes()).unwrap()).to_string(), printed);
        }
        assert_eq!(parse_seconds(b"1.23456789"), Ok(1_234_567));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", ".", "1e5", "12s", "0x1", "1.2.3", "99999999999999999999", "10000000001"] {
            assert!(matches!(parse_seconds(text.as_bytes()), Err(Mistake::Malformed { .. })), "{text}");
        }
        assert!(matches!(parse_seconds(b"-3"), Err(Mistake::Negative { .. })));
    }
}

//! Decimal numbers in files that people give, read without a float on the way.

use crate::sim::TIME_US_MAX;
use crate::sim::mistake::{Mistake, shown};

/// Reads `12`, `12.5` or `.5` seconds as microseconds; digits past the sixth decimal are dropped.
pub fn parse_seconds(field: &[u8]) -> Result<u64, Mistake> {
    let us = parse_scaled(field, 6, "time", "seconds as 12 or 12.5")?;
    if us > TIME_US_MAX { Err(malformed("time", field, "seconds up to 10000000000")) } else { Ok(us) }
}

/// Reads a decimal number times 10^`scale`, with an exponent or without (`1.5e3`); further decimals are dropped.
pub(crate) fn parse_scaled(field: &[u8], scale: u32, what: &'static str, form: &'static str) -> Result<u64, Mistake> {
    Ok(scaled(field, scale, what, form)?.0)
}

/// Reads a whole number, which a program for tables may have written with an exponent.
pub(crate) fn parse_whole(field: &[u8], what: &'static str) -> Result<u64, Mistake> {
    const FORM: &str = "a whole number";
    let (value, is_whole) = scaled(field, 0, what, FORM)?;
    let has_point = field.contains(&b'.') && !field.iter().any(|byte| b"eE".contains(byte));
    if has_point || !is_whole { Err(malformed(what, field, FORM)) } else { Ok(value) }
}

/// The number times 10^`scale`, and whether no decimal had to be dropped.
fn scaled(field: &[u8], scale: u32, what: &'static str, form: &'static str) -> Result<(u64, bool), Mistake> {
    if field.first() == Some(&b'-') && field.len() > 1 {
        return Err(Mistake::Negative { what: if what == "time" { "the time" } else { what }, found: shown(field) });
    }
    let said = || malformed(what, field, form);
    let (mantissa, exponent) = split_exponent(field).ok_or_else(said)?;
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, decimals) = mantissa.split_at(point.unwrap_or(mantissa.len()));
    let decimals = decimals.get(1..).unwrap_or(&[]);
    let digits = || whole.iter().chain(decimals);
    if digits().count() == 0 || !digits().all(u8::is_ascii_digit) {
        return Err(said());
    }
    // So many digits stand before the point once it is moved.
    let kept = usize::try_from(whole.len() as i64 + i64::from(scale) + exponent).unwrap_or(0);
    let mut padded = digits().chain(std::iter::repeat(&b'0')).take(kept);
    let value = padded.try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    Ok((value.ok_or_else(said)?, digits().skip(kept).all(|digit| *digit == b'0')))
}

/// The digits before an exponent, and the exponent: one or two digits, with a sign or without.
fn split_exponent(field: &[u8]) -> Option<(&[u8], i64)> {
    let Some(place) = field.iter().position(|byte| b"eE".contains(byte)) else { return Some((field, 0)) };
    let (mantissa, exponent) = (&field[..place], &field[place + 1..]);
    let (sign, digits) = match exponent.first()? {
        b'-' => (-1, &exponent[1..]),
        b'+' => (1, &exponent[1..]),
        _ => (1, exponent),
    };
    let is_number = (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| (mantissa, sign * digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))))
}

fn malformed(what: &'static str, field: &[u8], form: &'static str) -> Mistake {
    Mistake::Malformed { what, found: shown(field), form }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::seconds::Seconds;

    #[test]
    fn seconds_read_and_print_to_the_microsecond() {
        let pairs = [("0", "0.0"), ("20", "20.0"), ("2747.5", "2747.5"), ("1.000001", "1.000001"), (".5", "0.5")];
        for (text, printed) in pairs {
            assert_eq!(Seconds(parse_seconds(text.as_bytes()).unwrap()).to_string(), printed);
        }
        assert_eq!(parse_seconds(b"1.23456789"), Ok(1_234_567));
    }

    #[test]
    fn numbers_may_have_an_exponent() {
        for (text, us) in [("1e5", 100_000_000_000), ("1.2345E+03", 1_234_500_000), ("25e-1", 2_500_000), ("1e-7", 0)] {
            assert_eq!(parse_seconds(text.as_bytes()), Ok(us), "{text}");
        }
        assert_eq!(parse_seconds(b"0e99"), Ok(0));
        assert_eq!((parse_whole(b"1.148e+03", "node id"), parse_whole(b"1e2", "node id")), (Ok(1_148), Ok(100)));
        for text in ["15e-1", "1.5", "1.0", "1.23e1"] {
            assert!(parse_whole(text.as_bytes(), "node id").is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            ".",
            "e5",
            "1e",
            "1e+",
            "1e100",
            "1e5.5",
            "9e99",
            "12s",
            "0x1",
            "1.2.3",
            "99999999999999999999",
            "10000000001",
        ] {
            assert!(matches!(parse_seconds(text.as_bytes()), Err(Mistake::Malformed { .. })), "{text}");
        }
        assert!(matches!(parse_seconds(b"-3"), Err(Mistake::Negative { .. })));
    }
}

//! Sizes and spans as people write them: `256M`, `1G`, `3d`, `90m`, `1h30m`.
//!
//! Integers only, so that what a scenario says is what every machine computes. A size letter alone counts in
//! powers of 1,024 (`256M` is 268,435,456 bytes), as disk and memory limits do elsewhere; `kB`, `MB`, `GB` and `TB`
//! are the decimal ones.

use crate::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// Why text is no size or no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("a size is a whole number with a unit, such as 512K, 256M, 1G or 0")]
    Size,
    #[error("a time span is a whole number with a unit, such as 60s, 90m, 12h, 3d, 2w or 1y")]
    Span,
    #[error(
        "a time span is a whole number with a unit, such as 60s, 90m, 12h, 3d, 2w or 1y, and not zero; or it is never"
    )]
    SpanOrNever,
    #[error("the number is too large")]
    TooLarge,
}

/// Binary units, largest first, with the letter that [`exact_bytes`] prints.
const BINARY: [(u64, &str); 4] = [(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];

/// Units of time, largest first.
const SPANS: [(Millis, &str); 5] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (Millis(1), "ms")];

/// Reads a size in bytes: `0`, `4096`, `256M`, `1 GiB`, `5MB`; letters in either case.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = number_and_unit(text.trim()).ok_or(UnitError::Size)?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "m" | "mi" | "mib" => 1 << 20,
        "g" | "gi" | "gib" => 1 << 30,
        "t" | "ti" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(UnitError::Size),
    };
    parse_number(number)?.checked_mul(factor).ok_or(UnitError::TooLarge)
}

/// Prints a size so that [`parse_bytes`] reads the same number: `256M`, `1G`, `5000000`.
pub fn exact_bytes(bytes: u64) -> String {
    match BINARY.iter().find(|(size, _)| bytes > 0 && bytes.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

/// Prints a size for a person, rounded down to a tenth: `512 B`, `1.4 MiB`.
pub fn about_bytes(bytes: u64) -> String {
    match BINARY.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}iB", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} B"),
    }
}

/// Reads a span as [`parse_span`] does, or `never`, which is zero.
pub fn parse_span_or_never(text: &str) -> Result<Millis, UnitError> {
    match parse_span(text) {
        _ if text.trim() == "never" => Ok(Millis(0)),
        Ok(Millis(0)) | Err(UnitError::Span) => Err(UnitError::SpanOrNever),
        span => span,
    }
}

/// So many of what has an ordinary plural: `1 message`, `2 messages`.
pub fn counted(many: u64, what: &str) -> String {
    if many == 1 { format!("1 {what}") } else { format!("{many} {what}s") }
}

/// Reads a span: `0`, `60s`, `300min`, `3d`, `1h30m`, `3d 4h`, `1y`; units in falling order, each at most once. A month is
/// 30 days and a year 365: a span has no calendar.
pub fn parse_span(text: &str) -> Result<Millis, UnitError> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Millis(0));
    }
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let (number, tail) = number_and_unit(rest).ok_or(UnitError::Span)?;
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit_ms = span_unit(unit).filter(|ms| *ms < smallest).ok_or(UnitError::Span)?;
        let part = parse_number(number)?.checked_mul(unit_ms).ok_or(UnitError::TooLarge)?;
        total = total.checked_add(part).ok_or(UnitError::TooLarge)?;
        smallest = unit_ms;
        rest = tail.trim_start();
    }
    if smallest == u64::MAX { Err(UnitError::Span) } else { Ok(Millis(total)) }
}

/// Prints a span so that [`parse_span`] reads the same number: `3d`, `1h30m`, `0s`.
pub fn exact_span(span: Millis) -> String {
    let mut left = span.0;
    let mut text = String::new();
    for (unit_ms, unit) in SPANS {
        if left >= unit_ms.0 {
            text.push_str(&format!("{}{unit}", left / unit_ms.0));
            left %= unit_ms.0;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn span_unit(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND.0,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR.0,
        "d" | "day" | "days" => DAY.0,
        "w" | "week" | "weeks" => 7 * DAY.0,
        "mo" | "month" | "months" => 30 * DAY.0,
        "y" | "yr" | "year" | "years" => 365 * DAY.0,
        _ => return None,
    })
}

/// Splits leading digits from the rest, which starts at the unit.
fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_start()))
}

/// Digits only, so the one thing that can go wrong is size.
fn parse_number(digits: &str) -> Result<u64, UnitError> {
    digits.parse().map_err(|_| UnitError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_binary_and_decimal_units() {
        let read =
            ["0", "4096", "256M", "1g", "1 GiB", "5MB", "12kB", "3K", "2T", " 7B "].map(|t| parse_bytes(t).unwrap());
        let meant = [0, 4096, 268_435_456, 1 << 30, 1 << 30, 5_000_000, 12_000, 3_072, 2 << 40, 7];
        assert_eq!(read, meant);
    }

    #[test]
    fn text_that_is_no_size_is_refused() {
        for text in ["", "M", "-1", "+1", "1.5G", "1X", "1 2", "0x10", "1MM", "١M"] {
            assert_eq!(parse_bytes(text), Err(UnitError::Size), "{text:?}");
        }
        assert_eq!(parse_bytes("18446744073709551616"), Err(UnitError::TooLarge));
        assert_eq!(parse_bytes("18446744073709551615K"), Err(UnitError::TooLarge));
    }

    #[test]
    fn an_exact_size_reads_back_as_itself() {
        for bytes in [0, 1, 1_023, 1_024, 5_000_000, 256 << 20, 3 << 40, u64::MAX, 1_048_577] {
            assert_eq!(parse_bytes(&exact_bytes(bytes)), Ok(bytes));
        }
        assert_eq!([exact_bytes(256 << 20), exact_bytes(0), exact_bytes(1_536)], ["256M", "0", "1536"]);
    }

    #[test]
    fn sizes_for_people_have_one_decimal() {
        assert_eq!(
            [0, 512, 1_024, 1_468_006, u64::MAX].map(about_bytes),
            ["0 B", "512 B", "1.0 KiB", "1.3 MiB", "16777215.9 TiB"]
        );
    }

    #[test]
    fn spans_are_read_in_every_way_people_write_them() {
        let read =
            ["0", "60s", "90m", "300min", "12h", "3d", "1w", "250ms", "1h30m", "3d 4h", "2 days", "1y", "2 months"]
                .map(|t| parse_span(t).unwrap().0);
        let meant = [
            0,
            60_000,
            5_400_000,
            18_000_000,
            43_200_000,
            259_200_000,
            604_800_000,
            250,
            5_400_000,
            273_600_000,
            172_800_000,
            31_536_000_000,
            5_184_000_000,
        ];
        assert_eq!(read, meant);
    }

    #[test]
    fn text_that_is_no_span_is_refused() {
        for text in ["", "  ", "5", "h", "1x", "-1s", "1.5h", "30m1h", "1h1h", "1h,2m", "1h 30", "1月"] {
            assert_eq!(parse_span(text), Err(UnitError::Span), "{text:?}");
        }
        assert_eq!(parse_span("99999999999999999999s"), Err(UnitError::TooLarge));
        assert_eq!(parse_span("213503982335d"), Err(UnitError::TooLarge));
    }

    #[test]
    fn an_exact_span_reads_back_as_itself() {
        for ms in [0, 1, 999, 1_000, 5_400_000, 273_600_001, u64::MAX] {
            assert_eq!(parse_span(&exact_span(Millis(ms))), Ok(Millis(ms)));
        }
        assert_eq!([0, 5_400_000, 259_200_000].map(|ms| exact_span(Millis(ms))), ["0s", "1h30m", "3d"]);
    }
}

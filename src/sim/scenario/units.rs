//! Quantities as people write them, read without floats.

use crate::sim::numbers::parse_scaled;

/// Reads `90s`, `1.5h`, `3d`, `1h 30min` as microseconds.
pub fn parse_duration_us(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("us", 1),
        ("ms", 1_000),
        ("s", 1_000_000),
        ("min", 60_000_000),
        ("m", 60_000_000),
        ("h", 3_600_000_000),
        ("d", 86_400_000_000),
        ("w", 604_800_000_000),
    ];
    let mut rest = text.trim();
    let mut total = 0u64;
    while !rest.is_empty() {
        let letters = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let end = rest[letters..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| letters + end);
        total = total.checked_add(scaled(&rest[..end], UNITS)?)?;
        rest = rest[end..].trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
}

/// Reads `100`, `500kB`, `5MB`, `1MiB` as bytes.
pub fn parse_size_bytes(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1),
        ("B", 1),
        ("kB", 1_000),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    scaled(text, UNITS)
}

/// Reads `30`, `30m`, `3.16km`, `500mm` as millimetres.
pub(super) fn parse_length_mm(text: &str) -> Option<u64> {
    scaled(text, &[("", 1_000), ("m", 1_000), ("km", 1_000_000), ("cm", 10), ("mm", 1)])
}

/// Reads `1.5`, `1.5m/s`, `50km/h`, `1500mm/s` as millimetres a second.
pub(super) fn parse_speed_mm_s(text: &str) -> Option<u64> {
    match text.trim().strip_suffix("km/h") {
        Some(number) => Some(scaled(number, &[("", 1_000_000)])? / 3_600),
        None => scaled(text, &[("", 1_000), ("m/s", 1_000), ("mm/s", 1)]),
    }
}

/// Reads `0.1%` as parts in a million, at most all of them.
pub(super) fn parse_percent(text: &str) -> Option<u32> {
    let parts = scaled(text, &[("%", 10_000)])?;
    u32::try_from(parts).ok().filter(|parts| *parts <= 1_000_000)
}

/// Reads `60/h`, `1/min`, `500/12h` as a count and microseconds.
pub(super) fn parse_rate(text: &str) -> Option<(u64, u64)> {
    let (count, per) = text.split_once('/')?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    let per = per.trim();
    let per_us = if per.starts_with(|c: char| c.is_ascii_digit()) {
        parse_duration_us(per)?
    } else {
        parse_duration_us(&format!("1{per}"))?
    };
    (per_us > 0 && per_us / count > 0).then_some((count, per_us))
}

/// Reads a decimal number below 1,000 as parts in a million.
pub(super) fn parse_millionths(text: &str) -> Option<u32> {
    u32::try_from(parse_scaled(text.as_bytes(), 6, "number", "").ok()?).ok().filter(|parts| *parts < 1_000_000_000)
}

/// Reads a number and one of the units; six decimals count.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (number, unit) = (text[..split].replace('_', ""), text[split..].trim());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let millionths = parse_scaled(number.as_bytes(), 6, "number", "").ok()?;
    u64::try_from(u128::from(millionths) * u128::from(*factor) / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_in_every_unit() {
        let read = |text| parse_duration_us(text);
        assert_eq!(read("300min"), Some(18_000_000_000));
        assert_eq!(read("1h 30min"), read("90m"));
        assert_eq!(read("1.5h"), read("5400s"));
        assert_eq!(read("250ms"), Some(250_000));
        assert_eq!(read("3d"), read("72h"));
        for wrong in ["", "5", "5 potatoes", "h", "-3s", "1e3s", "5s 3", "99999999999999d"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_lengths_speeds_shares_and_rates_read() {
        assert_eq!(
            ["1_000", "5MB", "1.5KiB", "2 GB"].map(parse_size_bytes),
            [1_000, 5_000_000, 1_536, 2_000_000_000].map(Some)
        );
        assert_eq!(["30", "3.16km", "0.5m", "7 cm"].map(parse_length_mm), [30_000, 3_160_000, 500, 70].map(Some));
        assert_eq!(["1.5", "50km/h", "800mm/s"].map(parse_speed_mm_s), [1_500, 13_888, 800].map(Some));
        assert_eq!(["0.1%", "100%", "101%", "5"].map(parse_percent), [Some(1_000), Some(1_000_000), None, None]);
        assert_eq!(parse_rate("500/12h"), Some((500, 43_200_000_000)));
        assert_eq!(parse_rate("1/min"), Some((1, 60_000_000)));
        assert_eq!(["0/h", "5", "1/0s", "x/h"].map(parse_rate), [None; 4]);
        assert_eq!(parse_millionths("0.98"), Some(980_000));
    }
}

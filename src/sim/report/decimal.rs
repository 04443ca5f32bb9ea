//! Numbers with four decimals, as The ONE prints them, without floats.

use std::fmt;

/// A number in ten-thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub i64);

impl Decimal {
    /// `part / whole`, rounded to the nearest; `None` where the whole is 0.
    pub fn ratio(part: i128, whole: i128) -> Option<Decimal> {
        let scaled = (part * 20_000).checked_div(whole)?;
        Some(Decimal((scaled + scaled.signum()) as i64 / 2))
    }

    /// Seconds, rounded to the nearest.
    pub fn of_us(us: u64) -> Decimal {
        Decimal((us / 100 + u64::from(us % 100 >= 50)) as i64)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:04}", self.0.unsigned_abs() / 10_000, self.0.unsigned_abs() % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_round_to_the_nearest_ten_thousandth() {
        let printed = |part, whole| Decimal::ratio(part, whole).map(|ratio| ratio.to_string());
        assert_eq!(printed(1, 3), Some("0.3333".into()));
        assert_eq!(printed(2, 3), Some("0.6667".into()));
        assert_eq!(printed(-1, 8), Some("-0.1250".into()));
        assert_eq!(printed(123_456, 1), Some("123456.0000".into()));
        assert_eq!(printed(1, 0), None);
        assert_eq!([1_250_049, 1_250_050].map(|us| Decimal::of_us(us).to_string()), ["1.2500", "1.2501"]);
    }
}

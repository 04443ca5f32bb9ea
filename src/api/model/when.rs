//! Instants in JSON: RFC 3339.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::DtnTime;

/// An instant, in milliseconds since the Unix epoch; `2026-03-01T11:02:00Z` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct When(pub i64);

impl When {
    /// None where there was no clock.
    pub fn from_dtn(time: DtnTime) -> Option<When> {
        (time.0 != 0).then(|| When(i64::try_from(time.unix_ms()).unwrap_or(i64::MAX)))
    }

    /// Instants before 2000 become "no clock".
    pub fn to_dtn(self) -> DtnTime {
        DtnTime::from_unix_ms(u64::try_from(self.0).unwrap_or(0))
    }

    /// The instant as a calendar library knows it; what lies beyond its years is its last.
    pub fn timestamp(self) -> Timestamp {
        let last = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(self.0).unwrap_or(last)
    }
}

impl From<Timestamp> for When {
    fn from(timestamp: Timestamp) -> When {
        When(timestamp.as_millisecond())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        let text = String::deserialize(deserializer)?;
        let timestamp: Timestamp =
            text.parse().map_err(|_| de::Error::custom("a time looks like 2026-03-01T18:00:00Z"))?;
        Ok(timestamp.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_read_back() {
        let when = When::from_dtn(DtnTime(820_540_800_250)).unwrap();
        let json = serde_json::to_string(&when).unwrap();
        assert_eq!(json, "\"2026-01-01T00:00:00.25Z\"");
        assert_eq!(serde_json::from_str::<When>(&json).unwrap(), when);
        assert_eq!(serde_json::from_str::<When>("\"2026-01-01T02:00:00.25+02:00\"").unwrap(), when);
        assert!(serde_json::from_str::<When>("\"tomorrow\"").is_err());
        assert_eq!(When::from_dtn(DtnTime(0)), None);
    }

    #[test]
    fn an_absurd_instant_is_the_last_one_and_no_panic() {
        assert_eq!(When(i64::MAX).to_string(), Timestamp::MAX.to_string());
        assert_eq!(When(i64::MIN).to_dtn(), DtnTime(0));
    }
}

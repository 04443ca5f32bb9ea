//! The JSON spelling of values that other modules own.

use crate::bundle::Priority;

/// `urgent`, `normal` or `bulk`.
pub fn priority_name(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "urgent",
        Priority::Normal => "normal",
        Priority::Bulk => "bulk",
    }
}

pub fn parse_priority(name: &str) -> Option<Priority> {
    [Priority::Urgent, Priority::Normal, Priority::Bulk].into_iter().find(|p| priority_name(*p) == name)
}

pub(super) mod priority {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::{Priority, parse_priority, priority_name};

    pub fn serialize<S: Serializer>(priority: &Priority, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(priority_name(*priority))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
        let name = String::deserialize(deserializer)?;
        parse_priority(&name).ok_or_else(|| de::Error::custom("a priority is urgent, normal or bulk"))
    }
}

pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&crate::id::hex(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(text.as_bytes()).ok_or_else(|| de::Error::custom("bytes are pairs of hexadecimal digits"))
    }

    fn parse(digits: &[u8]) -> Option<Vec<u8>> {
        let value = |digit: u8| char::from(digit).to_digit(16).map(|v| v as u8);
        if digits.len() % 2 == 1 {
            return None;
        }
        digits.chunks_exact(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect()
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn only_pairs_of_digits_are_bytes() {
            assert_eq!(super::parse(b"00fFa1"), Some(vec![0, 255, 161]));
            assert_eq!(super::parse(b"0"), None);
            assert_eq!(super::parse(b"0g"), None);
            assert_eq!(super::parse("é".as_bytes()), None);
        }
    }
}

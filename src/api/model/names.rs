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

/// How a priority is spelled.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Priority", rename_all = "lowercase")]
#[allow(dead_code)]
pub(super) enum Named {
    Urgent,
    Normal,
    Bulk,
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

pub(super) mod maybe_priority {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Priority, priority};

    /// A priority that may be there.
    #[derive(Deserialize)]
    struct Named(#[serde(with = "priority")] Priority);

    pub fn serialize<S: Serializer>(priority: &Option<Priority>, serializer: S) -> Result<S::Ok, S::Error> {
        match priority {
            Some(priority) => priority::serialize(priority, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Priority>, D::Error> {
        Ok(Option::<Named>::deserialize(deserializer)?.map(|Named(priority)| priority))
    }
}

pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&crate::id::hex(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::id::unhex(&text).ok_or_else(|| de::Error::custom("bytes are pairs of hexadecimal digits"))
    }
}

//! The version of what programs read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The `"schema":1` that starts every object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schema;

/// The version of the contract.
pub const SCHEMA: u32 = 1;

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(SCHEMA)
    }
}

/// A later schema only adds, so any number will do.
impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Schema, D::Error> {
        u32::deserialize(deserializer).map(|_| Schema)
    }
}

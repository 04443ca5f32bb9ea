//! Bundles that go on a stick or come from one: whoever holds the stick reads and writes it, the node has the say.

use serde::{Deserialize, Serialize};

use super::names;
use super::{Schema, When};

/// Most bundles that one request takes out or brings.
pub const STICK_BUNDLES_MAX: usize = 256;
/// Bytes that they have together, unless it is one bundle: as digits they fit the body of a request.
pub const STICK_BYTES_MAX: u64 = 1 << 20;

/// A bundle that would go on a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WillingRow {
    pub schema: Schema,
    pub id: String,
    pub bytes: u64,
}

/// A bundle that goes on a stick: its bytes are to be written as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeavingRow {
    pub schema: Schema,
    pub id: String,
    /// When, to be written beside it, so that the time on the stick counts; none where the node has no clock.
    pub at: Option<When>,
    #[serde(rename = "hex", with = "names::hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
}

/// A bundle from a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FromStick {
    #[serde(rename = "hex", with = "names::hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
    /// When it was written there, as far as anything beside it tells. It only ever makes the bundle older.
    #[serde(default)]
    pub written_at: Option<When>,
}

/// What became of a bundle from a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnteredRow {
    pub schema: Schema,
    /// None where it is no bundle, or not what its source signed.
    pub id: Option<String>,
    pub fate: Fate,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// It was refused for now, and could be taken at another time.
    #[serde(default)]
    pub may_come_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Delivered, or carried from now on.
    New,
    /// Held, delivered or over already.
    Known,
    Refused,
}

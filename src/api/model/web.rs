//! Rows about the page for browsers.

use serde::{Deserialize, Serialize};

use super::{Schema, When};

/// A way in for one browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WebRow {
    pub schema: Schema,
    /// Opens the page once, within five minutes. Who has it reads and writes as the owner.
    pub url: String,
}

/// A browser that was let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WebDeviceRow {
    pub schema: Schema,
    pub name: String,
    /// When it was let in.
    pub since: When,
    /// When it asked for something last, within a few minutes.
    pub last_seen: When,
}

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
    /// Whether it is a phone in the local network, and no browser of this machine.
    pub lan: bool,
}

/// A way in for one phone in the local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WebLanRow {
    pub schema: Schema,
    /// To be shown to the phone as a picture; good for one, within fifteen minutes. It leads to the certificate first.
    pub url: String,
    /// What the phone is asked for: six digits.
    pub code: String,
    /// The page's origin there.
    pub page: String,
    /// Of the certificate that the phone is given, by SHA-256.
    pub fingerprint: String,
}

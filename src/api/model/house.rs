//! Rows about the home and its node: what is carried, checked, set.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Schema, When, names};
use crate::api::{ApiError, NextStep};
use crate::bundle::Priority;

/// What this node holds, for whom, and how much it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CarryRow {
    pub schema: Schema,
    /// Messages held, own ones included.
    pub bundles: u64,
    pub receipts: u64,
    /// Live bytes that count against the quota.
    pub bytes: u64,
    pub quota_bytes: u64,
    /// What the store takes on the disk.
    pub file_bytes: u64,
    pub by_class: Classes,
    pub by_grade: Grades,
    /// Bundles evicted since the node started, in the order in which eviction takes them.
    pub evicted: Evicted,
    /// Bundles and frames of peers refused since the node started, for their form, their keys or their signature.
    #[serde(default)]
    pub refused: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Classes {
    pub own: Counts,
    pub contacts: Counts,
    pub strangers: Counts,
    /// For topics, whoever wrote it.
    #[serde(default)]
    pub topics: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Grades {
    pub custody: Counts,
    pub copy: Counts,
    pub released: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    pub bundles: u64,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evicted {
    pub released: u64,
    pub copy: u64,
    pub custody: u64,
}

/// One bundle held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CarriedRow {
    pub schema: Schema,
    pub id: String,
    /// `message` or `receipt`.
    pub kind: String,
    pub from: String,
    pub from_address: String,
    pub to: String,
    pub to_address: String,
    pub class: Class,
    pub grade: Grade,
    #[serde(with = "names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    pub bytes: u64,
    pub accepted_at: Option<When>,
    pub expires_at: Option<When>,
    /// Spray copies left to hand on.
    pub copies: u16,
    /// Who handed it over; none for one's own.
    pub via: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Topics,
    Strangers,
    Contacts,
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Released,
    Copy,
    Custody,
}

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckRow {
    pub schema: Schema,
    pub check: String,
    pub verdict: Verdict,
    pub message: String,
    /// As in an error; none where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    pub next_step: Option<String>,
}

impl CheckRow {
    pub fn new(check: &str, verdict: Verdict, message: impl Into<String>) -> CheckRow {
        CheckRow { schema: Schema, check: check.into(), verdict, message: message.into(), next: None, next_step: None }
    }

    /// What a failure says of what it was met at.
    pub fn failed(check: &str, verdict: Verdict, error: impl Into<ApiError>) -> CheckRow {
        let ApiError { message, next, next_step, .. } = error.into();
        CheckRow { schema: Schema, check: check.into(), verdict, message, next, next_step }
    }

    /// Says what to do next.
    pub fn next(self, step: NextStep) -> CheckRow {
        CheckRow { next_step: Some(step.to_string()), next: Some(step), ..self }
    }

    /// Says it in words alone.
    pub fn advise(self, words: impl Into<String>) -> CheckRow {
        CheckRow { next: Some(NextStep::Advice), next_step: Some(words.into()), ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Bad,
}

/// One setting and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConfigRow {
    pub schema: Schema,
    pub key: String,
    pub value: String,
    /// `default`, `config.toml`, `environment NAME` or `command line`.
    pub origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VersionRow {
    pub schema: Schema,
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HealthRow {
    pub schema: Schema,
    pub ok: bool,
    pub version: String,
    pub pid: u32,
    pub uptime_ms: u64,
    /// What keeps the node from its work; nothing where it is well.
    #[serde(default)]
    pub problems: Vec<String>,
    /// Where programs reach it beside its socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_listen: Option<String>,
}

/// What `GET /health` says at a port to who shows no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeSign {
    pub schema: Schema,
    pub ok: bool,
}

/// It was done, and there is nothing to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Done {
    pub schema: Schema,
    pub done: Yes,
}

/// The JSON value `true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yes;

impl VersionRow {
    /// What this very binary is.
    pub fn of_this_build() -> VersionRow {
        VersionRow { schema: Schema, name: "dak".into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

impl Serialize for Yes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Yes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Yes, D::Error> {
        bool::deserialize(deserializer).map(|_| Yes)
    }
}

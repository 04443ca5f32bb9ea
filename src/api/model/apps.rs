//! Shared apps: which there are, what their users tell each other, and what one tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PersonRow, Schema, When};

/// A shared app: a message with a file whose name ends in `.xdc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppRow {
    pub schema: Schema,
    /// Of the message that has it.
    pub id: String,
    /// The address of whom the conversation is with.
    pub conversation: String,
    /// Who sent it.
    pub from: PersonRow,
    /// That is oneself.
    pub mine: bool,
    /// When it was sent.
    pub at: Option<When>,
    /// As it calls itself; else its file's name without its ending.
    pub name: String,
    /// Whether it has an icon.
    pub icon: bool,
    /// Where its source is, as it says itself.
    #[serde(default)]
    pub source_code_url: Option<String>,
    /// Whether its file is here as a whole and can be opened.
    pub here: bool,
    /// Why its file cannot be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// How many updates of it are here.
    pub updates: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// What these may come to.
    pub bound: AppBound,
    /// Nothing more is told in it from here, for that bound is reached.
    pub read_only: bool,
    /// What stands beside its icon, as its last update that has some says.
    pub summary: Option<String>,
    /// What is being edited with it, the same.
    pub document: Option<String>,
}

/// How many updates of an app may be written, and how many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppBound {
    pub updates: u64,
    pub bytes: u64,
}

/// An app, with what it takes to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppStartRow {
    #[serde(flatten)]
    pub app: AppRow,
    /// Who this person is to this app: the same on all devices, another in every other app, and no address.
    pub self_addr: String,
    pub self_name: String,
    /// The host that its files are served at, where a browser runs it.
    pub host: String,
    /// How long it waits between two updates, in milliseconds.
    pub send_update_interval_ms: u64,
    /// Most bytes of an update as JSON.
    pub send_update_bytes_max: u64,
    /// It came with the program.
    pub ours: bool,
}

/// An update as an app hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppUpdateRow {
    pub schema: Schema,
    pub id: String,
    /// Where an app reads on that has dealt with everything up to this one.
    pub serial: u64,
    /// The serial of the last one that is here.
    pub max_serial: u64,
    /// As it was sent.
    pub payload: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// Whom of its users the app wants to be told, by their addresses within it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notify: BTreeMap<String, String>,
    pub from: PersonRow,
    /// It is one's own.
    pub mine: bool,
    /// When it was sent.
    pub at: Option<When>,
}

/// What an app wants this person to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppNotice {
    pub text: String,
    /// Which of its pages the app opens from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

/// An update to be told in an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAppUpdate {
    /// The message that has the app.
    pub id: String,
    /// What the app alone understands; nothing is null.
    #[serde(default)]
    pub payload: Value,
    /// The payload is a text, which is JSON, and goes as it is written.
    #[serde(default)]
    pub json: bool,
    /// A line for the conversation.
    #[serde(default)]
    pub info: Option<String>,
    /// What is being edited.
    #[serde(default)]
    pub document: Option<String>,
    /// What stands beside the icon.
    #[serde(default)]
    pub summary: Option<String>,
    /// Which of its pages the app opens from that line.
    #[serde(default)]
    pub href: Option<String>,
    /// Whom of its users the app wants to be told, and what; `*` is everybody.
    #[serde(default)]
    pub notify: BTreeMap<String, String>,
}

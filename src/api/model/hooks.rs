//! Programs that work on what comes: what is asked about them, what they are told, and the rows of the answers.

use serde::{Deserialize, Serialize};

use super::{InboxRow, Outcome, Schema, When};

/// A hook to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewHook {
    /// Letters, digits, - and _.
    pub name: String,
    /// The program and its arguments. A program without a stroke is looked for in the node's PATH.
    pub cmd: Vec<String>,
    /// The words are a line for the shell instead.
    #[serde(default)]
    pub shell: bool,
    /// Only what this one wrote: a contact's name, or an address.
    #[serde(default)]
    pub from: Option<String>,
    /// Only what was said there: a contact's name, a group's, or an address.
    #[serde(default, rename = "in")]
    pub within: Option<String>,
    /// Only what has this label, once it has.
    #[serde(default)]
    pub label: Option<String>,
    /// Only what this query finds, as in a search.
    #[serde(default, rename = "match")]
    pub query: Option<String>,
    /// What it prints goes back as an automatic answer.
    #[serde(default)]
    pub reply: bool,
    /// Nobody gets an answer of it so soon after an automatic one; a day where none is said.
    #[serde(default)]
    pub every_ms: Option<u64>,
    /// So long it may take for one message; a minute where none is said.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// After so many tries a message is given up; 5 where none is said.
    #[serde(default)]
    pub tries: Option<u32>,
    /// So many messages at most are worked on at once; 1 where none is said, and then each in its turn.
    #[serde(default)]
    pub at_once: Option<u32>,
}

/// A hook as it is kept, and how it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookRow {
    pub schema: Schema,
    pub name: String,
    pub cmd: Vec<String>,
    pub shell: bool,
    /// A name or an address.
    pub from: Option<String>,
    #[serde(rename = "in")]
    pub within: Option<String>,
    pub label: Option<String>,
    #[serde(rename = "match")]
    pub query: Option<String>,
    pub reply: bool,
    pub every_ms: u64,
    pub timeout_ms: u64,
    pub tries: u32,
    pub at_once: u32,
    pub added_at: Option<When>,
    /// Messages that it works on now.
    pub running: u64,
    /// Messages that failed and go again.
    pub waiting: u64,
    /// Messages that it gave up.
    pub failed: u64,
}

/// What a hook's program gets on its stdin: the message, which event brought it, and which try this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookEventRow {
    pub hook: String,
    pub event: u64,
    pub attempt: u32,
    #[serde(flatten)]
    pub row: InboxRow,
}

/// A message that a hook gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookFailedRow {
    pub schema: Schema,
    pub hook: String,
    pub id: String,
    pub event: u64,
    /// How often it was tried.
    pub attempt: u32,
    pub failed_at: Option<When>,
    pub why: String,
    /// Of the message, where it is still there.
    pub from: Option<String>,
    pub text: Option<String>,
}

/// What a hook came to that was only tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookTestedRow {
    pub schema: Schema,
    pub hook: String,
    /// The message; none where there was none to try it with, and it was told of one that nobody wrote.
    pub id: Option<String>,
    /// Whether it would get this message at all.
    pub matches: bool,
    pub outcome: Outcome,
    pub why: Option<String>,
    pub took_ms: u64,
    /// What it printed, as far as that is kept.
    pub stdout: String,
    pub stderr: String,
}

/// That the person is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAway {
    pub text: String,
    pub until: When,
    /// Contacts who write get the text, as an automatic answer.
    #[serde(default)]
    pub reply: bool,
    /// Nobody gets it so soon after an automatic answer; a day where none is said.
    #[serde(default)]
    pub every_ms: Option<u64>,
}

/// Whether the person is away, and what is said then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AwayRow {
    pub schema: Schema,
    pub away: bool,
    pub text: Option<String>,
    pub since: Option<When>,
    pub until: Option<When>,
    pub reply: bool,
    pub every_ms: Option<u64>,
}

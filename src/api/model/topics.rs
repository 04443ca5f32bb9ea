//! Topics: what is asked about them, and the rows of the answers.

use serde::{Deserialize, Serialize};

use super::{PersonRow, Schema, When};

/// Most messages that one request publishes.
pub const PUBLISHED_AT_ONCE_MAX: usize = 512;

/// One message to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// What it is the latest word on.
    #[serde(default)]
    pub key: Option<String>,
    pub text: String,
}

/// What became of an event with its consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettledEvent {
    /// The topic as the event's row gives it.
    pub endpoint: String,
    pub event: u64,
    pub outcome: Outcome,
    /// What is to be read of it among those given up.
    #[serde(default)]
    pub why: Option<String>,
    /// After so many tries it is given up.
    #[serde(default)]
    pub tries: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Again,
    GiveUp,
}

/// How a topic stands to this home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TopicStanding {
    Mine,
    Subscribed,
    /// Only carried.
    Around,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopicRow {
    pub schema: Schema,
    /// As it is typed here: a name of mine, or the owner's name, a stroke, and the topic's.
    pub topic: String,
    pub endpoint: String,
    pub owner: PersonRow,
    pub standing: TopicStanding,
    /// Who may write beside the owner, as far as is known here.
    pub writers: Vec<PersonRow>,
    /// The number of the last event; none so far where it is 0.
    pub last_event: u64,
    /// Messages held for whoever is met.
    pub carried: u64,
    /// How long after it was published something stays here at most; none to the end of its life.
    pub keep_ms: Option<u64>,
    /// Bytes of it that stay here at most, where the person said so.
    pub keep_bytes: Option<u64>,
}

/// What is to be said of how long and how much of topics stays; what is absent is left as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TermsWanted {
    #[serde(default)]
    pub keep_ms: Option<u64>,
    #[serde(default)]
    pub keep_bytes: Option<u64>,
    /// As usual again, but for what is said beside.
    #[serde(default)]
    pub usual: bool,
}

/// How long and how much of topics stays at this home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopicTermsRow {
    pub schema: Schema,
    pub topic: String,
    pub keep_ms: Option<u64>,
    pub keep_bytes: Option<u64>,
}

/// A topic of mine that is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopicEndedRow {
    pub schema: Schema,
    pub topic: String,
    /// Until then those who carry something of it may hand it on; none where nobody can have any.
    pub carried_until: Option<When>,
}

/// A subscription that may mean several topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubscribedRow {
    pub schema: Schema,
    pub topic: String,
    pub owner: PersonRow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PublishedRow {
    pub schema: Schema,
    pub id: String,
    pub topic: String,
}

/// Something published in a topic, as a consumer gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopicEventRow {
    pub schema: Schema,
    /// Numbered per topic, by this home.
    pub event: u64,
    pub id: String,
    pub topic: String,
    pub key: Option<String>,
    pub from: PersonRow,
    pub text: String,
    pub sent_at: Option<When>,
    pub endpoint: String,
    /// From 1 on.
    pub attempt: u32,
}

/// An event that a group of consumers gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedRow {
    #[serde(flatten)]
    pub event: TopicEventRow,
    pub failed_at: Option<When>,
    pub why: String,
}

//! Rows of what became of one's own messages.

use serde::{Deserialize, Serialize};

use super::{Schema, SetRow, When, names};
use crate::bundle::Priority;

/// What is known of one's own message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusRow {
    pub schema: Schema,
    pub id: String,
    /// The name this person gave the destination, or its address.
    pub to: String,
    pub to_address: String,
    /// The highest evidence.
    pub state: State,
    /// In the order in which they became known. Of one carrier only the latest word is here, and of many carriers the
    /// first and the last few.
    pub events: Vec<Event>,
    /// How many more answers of carriers there were.
    #[serde(default)]
    pub carriers_unlisted: u64,
    #[serde(with = "names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    pub created_at: Option<When>,
    /// When its life ends, as this node's clock reckons.
    pub expires_at: Option<When>,
    /// So long after it was read it is forgotten, and the copy here after it was delivered; its words are none then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
    /// The number of the draft that it was, and when that was meant to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant_at: Option<When>,
    /// The bundle still lies here and goes on being offered.
    #[serde(default)]
    pub held_here: bool,
    #[serde(default)]
    pub forward_secrecy: bool,
    /// The beginning of its words; none where they were not kept.
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub subject: Option<String>,
    /// How many files came along.
    #[serde(default)]
    pub files: u64,
    /// Its words and files are somebody else's.
    #[serde(default)]
    pub forwarded: bool,
    /// Of a message to a group, those who were its members as it left; the state is the least of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberStateRow>,
    /// Where it is a change of another message, what it sets; its text says the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetRow>,
}

/// How far a message to a group is with one of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemberStateRow {
    /// None where this person gave them no name.
    pub name: Option<String>,
    pub address: String,
    pub state: State,
}

/// Whether messages get away from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutlookRow {
    pub schema: Schema,
    /// Contacts that last now.
    pub met_now: u64,
    /// When a contact last began or ended; none where that is not known.
    pub last_met_at: Option<When>,
    /// One's own messages of which nobody is known to have a copy, and when the first of their lives ends.
    pub waiting: u64,
    pub first_end_at: Option<When>,
    /// One's own messages whose lives ended without a receipt since the person looked.
    pub ended: u64,
    /// Messages to be answered within a day, and when the first of them is due.
    pub due: u64,
    pub first_due_at: Option<When>,
    /// Messages whose answer was due within the last day, and is not written.
    pub overdue: u64,
    /// The last event that this knows of.
    pub event: u64,
}

/// One thing that happened to one's own message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    pub at: Option<When>,
    pub what: EventKind,
    /// Whose word it is: a name or an address; none where it is this node's own.
    pub who: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who_address: Option<String>,
    /// Why the recipient rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the recipient, whose mailbox was full, asks to be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<When>,
}

/// What evidence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Queued,
    /// A carrier had to evict what it once accepted.
    GaveUp,
    Copy,
    Custody,
    /// The recipient signed that its mailbox had no room.
    Full,
    Expired,
    Cancelled,
    Rejected,
    Delivered,
    Read,
}

/// The highest evidence, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    Queued,
    Copy,
    Custody,
    /// It waits for room in the recipient's mailbox.
    Full,
    Expired,
    Cancelled,
    Rejected,
    Delivered,
    Read,
}

impl EventKind {
    /// What a message's state is, where this is the highest evidence.
    pub fn state(self) -> State {
        match self {
            // Giving up takes back a promise and proves nothing new.
            EventKind::Queued | EventKind::GaveUp => State::Queued,
            EventKind::Copy => State::Copy,
            EventKind::Custody => State::Custody,
            EventKind::Full => State::Full,
            EventKind::Expired => State::Expired,
            EventKind::Cancelled => State::Cancelled,
            EventKind::Rejected => State::Rejected,
            EventKind::Delivered => State::Delivered,
            EventKind::Read => State::Read,
        }
    }
}

impl State {
    /// The highest of the events.
    pub fn of(events: &[Event]) -> State {
        events.iter().map(|event| event.what.state()).max().unwrap_or(State::Queued)
    }

    /// The word for a person.
    pub fn said(self) -> &'static str {
        if self == State::Full { "waiting: mailbox full" } else { self.word() }
    }

    /// The word in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Copy => "copy",
            State::Custody => "custody",
            State::Full => "full",
            State::Expired => "expired",
            State::Cancelled => "cancelled",
            State::Rejected => "rejected",
            State::Delivered => "delivered",
            State::Read => "read",
        }
    }
}

//! What a person wants done with what is in the record.

use serde::{Deserialize, Serialize};

use super::{TaskWord, When};

/// What of the record is to go; what is said must all be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Purge {
    /// What came or was written before this.
    pub older_than: Option<When>,
    /// Only the conversation with this contact.
    pub from: Option<String>,
    /// Only attachments; their names stay.
    pub files_only: bool,
    /// Only attachments of more bytes.
    pub larger_than: Option<u64>,
    /// Say what would go, and leave it.
    pub dry: bool,
}

/// What is to be changed of a message; at least one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    pub id: String,
    /// Other words; only of one's own.
    pub body: Option<String>,
    /// That it be forgotten; only of one's own.
    pub withdrawn: bool,
    pub reaction: Option<WishedReaction>,
    pub task: Option<TaskWord>,
    /// A name or an address; an empty text for nobody.
    pub assignee: Option<String>,
    pub due: Option<When>,
    /// It is due at no time any more.
    pub clear_due: bool,
}

impl Wish {
    /// Whether only words are to be changed.
    pub fn is_of_words(&self) -> bool {
        let words = Wish { id: self.id.clone(), body: self.body.clone(), ..Wish::default() };
        self.body.is_some() && *self == words
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WishedReaction {
    pub emoji: String,
    /// Put there; else taken back.
    pub on: bool,
}

/// Which rows of the inbox are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Show {
    /// What waits for this person: nothing that is archived, snoozed or muted, unless a mute leaves out mentions and it is
    /// one. Requests are among it, and marked.
    #[default]
    Waiting,
    /// Of these, what is no request.
    Known,
    /// Of these, the requests alone: mail of those who have no name here.
    Requests,
    All,
}

/// Where something is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Arranging {
    /// Out of sight; a conversation until something new is in it, unless it is muted.
    Archive,
    Unarchive,
    /// To the top.
    Pin,
    Unpin,
    /// Out of sight for a while.
    Snooze {
        until: When,
    },
    Unsnooze,
    /// A conversation, of which nobody is told; for ever, unless said otherwise.
    Mute {
        #[serde(default)]
        until: Option<When>,
        /// What names this person is told of, and waits.
        #[serde(default)]
        except_mentions: bool,
    },
    Unmute,
}

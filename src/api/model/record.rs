//! Rows of what happened to the record of mail: changes, tasks, events, and the record as a whole.

use serde::{Deserialize, Serialize};

use super::{AppNotice, Event, PersonRow, Schema, TalkRow, When};
use crate::bundle::Priority;

/// What was changed of a message since it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Changes {
    /// Its author has put other words in the place of the first.
    pub edited: bool,
    /// Its author asked that it be forgotten, and nothing of it is here any more.
    pub withdrawn: bool,
    /// It was to be forgotten so long after it was read, and nothing of it is here any more.
    pub disappeared: bool,
    pub reactions: Vec<ReactionRow>,
    /// Where it is a task.
    pub task: Option<TaskRow>,
}

impl Changes {
    /// What stands in the place of words that are not here any more.
    pub fn instead_of_words(&self) -> Option<&'static str> {
        match self {
            Changes { withdrawn: true, .. } => Some("(withdrawn)"),
            Changes { disappeared: true, .. } => Some("(a message that disappeared)"),
            _ => None,
        }
    }
}

/// One person's reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReactionRow {
    /// An emoji, or a word.
    pub emoji: String,
    pub who: PersonRow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TaskRow {
    pub state: TaskWord,
    pub assignee: Option<PersonRow>,
    pub due: Option<When>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TaskWord {
    Open,
    Done,
    /// It is no task any more; said only in asking.
    None,
    /// It is open after all, and was a task before; said only in asking.
    Again,
}

/// A task on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BoardRow {
    pub schema: Schema,
    /// The message that it is.
    pub id: String,
    pub text: Option<String>,
    pub state: TaskWord,
    pub assignee: Option<PersonRow>,
    pub due: Option<When>,
    /// The address of whom the conversation is with.
    pub conversation: String,
    /// Who wrote it.
    pub from: PersonRow,
}

/// One change of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryRow {
    pub schema: Schema,
    /// Of the change.
    pub id: String,
    pub who: PersonRow,
    pub at: Option<When>,
    /// `text`, `withdrawn`, `reaction`, `task`, `assignee` or `due`.
    pub field: String,
    /// What it was set to.
    pub what: String,
    /// It is what counts.
    pub stands: bool,
    /// It gave way to one whose author had not seen it.
    pub gave_way: bool,
}

/// Something that a change sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SetRow {
    /// As in [`HistoryRow`].
    pub field: String,
    pub what: String,
    /// Of `assignee`, who that is; none where it is nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<PersonRow>,
}

/// A change that gave way to one whose author had not seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CrossingRow {
    pub schema: Schema,
    /// The message that both are about.
    pub id: String,
    pub gave_way: HistoryRow,
    pub stands: HistoryRow,
}

/// A message of the record with all that is known of it, as an export has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeptRow {
    #[serde(flatten)]
    pub row: TalkRow,
    pub to: PersonRow,
    /// Whether `to` is a group.
    #[serde(default)]
    pub to_group: bool,
    /// With the time of writing, what tells its writer's messages apart.
    pub sequence: u64,
    pub lifetime_ms: u64,
    /// `own`, `verified on arrival`, `sealed still`, or `imported, not verified here`; the signature itself goes when a message is opened.
    pub signature: String,
    /// Which key opened it: `own`, `identity`, `prekey` or `group`.
    pub key: Option<String>,
    /// Its content as it was sealed, files included, in hexadecimal digits; none where it cannot be read.
    pub content: Option<String>,
    /// Of one's own, what became of it.
    pub events: Vec<Event>,
}

/// What takes bytes of the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpaceRow {
    pub schema: Schema,
    /// `record`, `files`, `index`, `carried`, `store` (the file that has all but the index), or `conversation`.
    pub what: String,
    /// Of a conversation, whom it is with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<PersonRow>,
    /// Messages, files or bundles; 0 where nothing is counted.
    pub count: u64,
    pub bytes: u64,
    /// What frees some of it, in the words of the door that is asked.
    #[serde(default)]
    pub frees: Option<String>,
    /// Of the record, how long it keeps what was said; none for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_ms: Option<u64>,
    /// Of the record and of conversations, when the oldest message came or was written that can be purged; none where all of
    /// them are on their way, or of an unknown time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<When>,
}

/// What a purge took, or would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PurgedRow {
    pub schema: Schema,
    pub messages: u64,
    pub files: u64,
    pub bytes: u64,
    /// Nothing went: it was only asked what would.
    pub dry: bool,
}

/// Messages of an earlier home, as its export has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// At most [`IMPORTS_MAX`].
    pub rows: Vec<Imported>,
}

/// Most messages of one request to import.
pub const IMPORTS_MAX: usize = 256;

/// What is taken of a row of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Where it stands in the file.
    pub line: u64,
    pub id: String,
    /// Addresses.
    pub from: String,
    pub to: String,
    #[serde(default)]
    pub to_group: bool,
    pub mine: bool,
    pub read: bool,
    pub sent_at: Option<When>,
    pub received_at: Option<When>,
    pub expires_at: Option<When>,
    pub sequence: u64,
    pub lifetime_ms: u64,
    #[serde(with = "super::names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    pub key: Option<String>,
    /// None where the export has no words of it.
    pub content: Option<String>,
    pub events: Vec<Event>,
}

/// What became of messages that were to be imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImportedRow {
    pub schema: Schema,
    /// Messages and changes that are here now and were not before.
    pub imported: u64,
    /// Those that were here already, and are as they were.
    pub known: u64,
    /// Those of which the export has no words: sealed, unreadable, or disappeared.
    pub without_words: u64,
    /// Lines that are no row of an export, each with the reason.
    pub refused: Vec<RefusedLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedLine {
    pub line: u64,
    pub why: String,
}

/// Something that happened to the record, by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum HappenedRow {
    /// To a message that is here: its row as it stands now, with the event's number.
    Here {
        what: Happened,
        at: Option<When>,
        /// Of a change, its own id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Of an update, what its app wants this person to be told now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<AppNotice>,
        #[serde(flatten)]
        row: Box<TalkRow>,
    },
    /// To one that is not, or not any more.
    Gone {
        schema: Schema,
        event: u64,
        what: Happened,
        at: Option<When>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// None of a message that has not come yet.
        id: Option<String>,
    },
    /// Something beside the record is another than it was, and to be asked for anew by who shows it: without a number, and
    /// told to who asks for that alone.
    Beside { schema: Schema, beside: Beside },
}

/// What is beside the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Beside {
    /// Who is met or was heard.
    Nearby,
    Contacts,
    Groups,
    /// Which members of groups have what was written there; the state of the message says it.
    Receipts,
    /// What is read, published or kept of topics.
    Topics,
    Drafts,
    /// What the person pinned, muted, put away or labelled.
    Places,
    /// Which files come or go, or how far they are; told once a second at most.
    Files,
    /// Whether the person is away.
    Away,
}

impl HappenedRow {
    /// Its number; what is beside the record has none.
    pub fn event(&self) -> Option<u64> {
        match self {
            HappenedRow::Here { row, .. } => Some(row.event),
            HappenedRow::Gone { event, .. } => Some(*event),
            HappenedRow::Beside { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It came, or was sent.
    Message,
    /// Something of it was changed.
    Change,
    /// A user of the app beside it told the others something.
    Update,
    /// What became of one's own is another.
    State,
    Read,
    Unread,
    Deleted,
}

impl Happened {
    pub fn word(self) -> &'static str {
        match self {
            Happened::Message => "message",
            Happened::Change => "change",
            Happened::Update => "update",
            Happened::State => "state",
            Happened::Read => "read",
            Happened::Unread => "unread",
            Happened::Deleted => "deleted",
        }
    }
}

/// What is here of a message that another one answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnswersRow {
    /// The first half of it, where the message is not here.
    pub id: String,
    pub there: Parent,
    pub from: Option<PersonRow>,
    /// It is one's own.
    #[serde(default)]
    pub mine: bool,
    /// The beginning of its words, or its subject where it has none; none where it cannot be read.
    pub text: Option<String>,
}

/// Whether what is answered is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Parent {
    Here,
    /// It came, and was deleted.
    Deleted,
    /// It did not come so far.
    Missing,
}

/// Who wrote what is forwarded, as the one who forwards it says: the author's signature did not come along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForwardedRow {
    pub author: PersonRow,
    /// The first half of the id of the message that the words were in.
    pub id: String,
    pub sent_at: Option<When>,
    /// The author's signature came along and holds; else it is the sender's word alone.
    #[serde(default)]
    pub signed: bool,
}

/// A row of a conversation that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchRow {
    #[serde(flatten)]
    pub row: TalkRow,
    /// What this person calls whom the conversation is with.
    pub conversation_name: Option<String>,
    /// How well it fits, in thousandths: to be compared with the others of one answer alone.
    pub score: u64,
}

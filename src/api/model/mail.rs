//! Rows of messages: what is listed of those that came and of one's own.

use serde::{Deserialize, Serialize};

use super::{
    AnswersRow, Changes, File, FileRow, ForwardedRow, IntroducedRow, PersonRow, Schema, SetRow, State, Tag, When, names,
};
use crate::api::NextStep;
use crate::bundle::Priority;

/// Nothing to be said.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A message that this node now answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SentRow {
    pub schema: Schema,
    pub id: String,
    pub state: State,
    /// The name this person gave the recipient, or its address.
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub to_address: String,
    /// How long after it was read it disappears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
}

/// Whom a message goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecipientRow {
    pub schema: Schema,
    /// The name this person gave the recipient, or its address.
    pub to: String,
    pub to_address: String,
}

/// A conversation as `talk` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConversationRow {
    pub schema: Schema,
    /// The address of whom it is with; names are this person's own, and change.
    pub conversation: String,
    pub name: Option<String>,
    pub unread: u64,
    /// When the last row came or was written.
    pub last_at: Option<When>,
    /// The beginning of what it says; none where it cannot be read.
    pub last_text: Option<String>,
    /// The last words are one's own.
    pub last_mine: bool,
    /// Of the unread ones, those that wait for this person: see [`super::Show`].
    #[serde(default)]
    pub waiting: u64,
    /// It is with somebody who has no name here.
    #[serde(default)]
    pub request: bool,
    /// What such a one calls itself, where it is near; anybody can call himself anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(flatten)]
    pub arranged: ArrangedTalk,
}

/// Where this person put a conversation; what is over is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ArrangedTalk {
    pub pinned: bool,
    pub archived: bool,
    pub snoozed_until: Option<When>,
    pub muted: bool,
    /// None where it is muted for ever.
    pub muted_until: Option<When>,
    /// What names this person waits all the same.
    pub except_mentions: bool,
}

/// Where this person put a message, by itself or with its conversation; what is over is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Arranged {
    pub labels: Vec<String>,
    /// It was brought here by an import, and its signature was not looked at here.
    pub imported: bool,
    /// Its author was out of the group when it came, as far as was known here. They say that they wrote it before.
    pub after_leaving: bool,
    pub pinned: bool,
    pub archived: bool,
    pub snoozed_until: Option<When>,
    pub muted: bool,
}

/// Where something is put now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArrangedRow {
    pub schema: Schema,
    /// Of a message; none of a conversation.
    pub id: Option<String>,
    /// The address of whom the conversation is with.
    pub conversation: String,
    pub name: Option<String>,
    #[serde(flatten)]
    pub arranged: ArrangedTalk,
}

/// A label, and how many messages have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelRow {
    pub schema: Schema,
    pub label: String,
    pub messages: u64,
}

/// Something written that is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DraftRow {
    pub schema: Schema,
    /// Its name here; no later one has the same.
    pub number: u64,
    /// The names this person gave the recipients, their addresses, or what was typed where nobody was found by it.
    pub to: Vec<String>,
    /// When it goes by itself; where that is over, as soon as a node runs.
    pub at: Option<When>,
    pub made_at: Option<When>,
    /// In a list, the beginning of it.
    pub text: String,
    pub subject: Option<String>,
    pub attachments: Vec<FileRow>,
    /// The first half of the id of what it answers.
    pub in_reply_to: Option<String>,
    /// The thread that it goes on in, where it answers no message of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    #[serde(with = "names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    pub lifetime_ms: Option<u64>,
    /// So long after it was read it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
    pub reply_by: Option<When>,
    /// Why it was not sent, where that was tried.
    pub refused: Option<String>,
}

/// How much waits for this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingRow {
    pub schema: Schema,
    /// Unread messages, without requests.
    pub unread: u64,
    /// Messages of those who have no name here, read or not.
    pub requests: u64,
    /// Unread messages of conversations that are muted.
    #[serde(default)]
    pub muted: u64,
}

/// One row of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TalkRow {
    pub schema: Schema,
    pub id: String,
    /// The address of whom it is with.
    pub conversation: String,
    pub from: PersonRow,
    /// It is one's own.
    pub mine: bool,
    /// What kind of content it is: `text`, `change`, `group`, `app` (a line of an app's), or `unreadable`.
    pub kind: String,
    /// Of a line of an app's, which of its pages the app opens from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    pub text: Option<String>,
    pub subject: Option<String>,
    pub thread: Option<String>,
    pub in_reply_to: Option<String>,
    /// What is here of the message that it answers.
    #[serde(default)]
    pub answers: Option<AnswersRow>,
    pub sent_at: Option<When>,
    /// How far ahead of UTC its writer's clock on the wall was, in minutes; none where that is unknown.
    #[serde(default)]
    pub sent_offset: Option<i16>,
    pub received_at: Option<When>,
    /// It came after something that its writer wrote later, and stands in its place.
    pub late: bool,
    pub files: Vec<FileRow>,
    /// Where the words and files come from, if somebody else wrote them, and what the writer of this says of them.
    #[serde(default)]
    pub forwarded: Option<ForwardedRow>,
    #[serde(default)]
    pub remark: Option<String>,
    #[serde(with = "names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    /// What its writer means it to be.
    #[serde(default)]
    pub tags: Vec<Tag>,
    pub reply_by: Option<When>,
    /// Of one's own, what became of it.
    pub state: Option<State>,
    pub read: bool,
    /// Why it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// The number with which it came into the record; zero where that is forgotten.
    #[serde(default)]
    pub event: u64,
    /// In a conversation, and where something happened: how many are in the thread that began with it, beside itself. Said
    /// where there are any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replies: u64,
    #[serde(flatten)]
    pub changes: Changes,
    /// Whom it introduces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduces: Option<IntroducedRow>,
    #[serde(flatten)]
    pub arranged: Arranged,
    /// So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
    /// When that is, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<When>,
}

/// A message as the inbox lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InboxRow {
    pub schema: Schema,
    pub id: String,
    /// The name this person gave the source, or its address.
    pub from: String,
    pub from_address: String,
    /// None where this home cannot read it; `unreadable` says why.
    pub text: Option<String>,
    pub subject: Option<String>,
    pub thread: Option<String>,
    pub in_reply_to: Option<String>,
    #[serde(with = "names::priority")]
    #[cfg_attr(test, schemars(with = "super::names::Named"))]
    pub priority: Priority,
    /// None where the sender had no clock.
    pub sent_at: Option<When>,
    /// How far ahead of UTC the writer's clock on the wall was, in minutes; none where that is unknown.
    #[serde(default)]
    pub sent_offset: Option<i16>,
    /// None where this node had no clock.
    pub received_at: Option<When>,
    pub read: bool,
    /// What its writer means it to be.
    #[serde(default)]
    pub tags: Vec<Tag>,
    #[serde(default)]
    pub reply_by: Option<When>,
    /// Names and sizes of the attachments.
    #[serde(default)]
    pub attachments: Vec<FileRow>,
    /// Where the words and files come from, if somebody else wrote them, and what the sender says of them.
    #[serde(default)]
    pub forwarded: Option<ForwardedRow>,
    #[serde(default)]
    pub remark: Option<String>,
    /// Who handed it over: a name or an address.
    #[serde(default)]
    pub via: Option<String>,
    /// It was sealed to a key that is thrown away; where false, whoever takes the identity key later can read it.
    #[serde(default)]
    pub forward_secrecy: bool,
    /// `sent_at` does not agree with when it came and how long it was under way: the sender's clock is not ours.
    #[serde(default)]
    pub clock_differs: bool,
    #[serde(default)]
    pub unreadable: Option<String>,
    /// It is of somebody who has no name here.
    #[serde(default)]
    pub request: bool,
    /// What such a one calls itself, where it is near; anybody can call himself anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// What the group is called here that it was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whom it introduces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduces: Option<IntroducedRow>,
    #[serde(flatten)]
    pub arranged: Arranged,
    /// What to do where it is the store's fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    /// As in [`TalkRow`].
    #[serde(default)]
    pub kind: String,
    /// As in [`TalkRow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    #[serde(flatten)]
    pub changes: Changes,
    /// Where it is a change of another message, what it sets; its text says the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetRow>,
    /// So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
    /// When that is, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<When>,
}

impl InboxRow {
    /// A text of which nothing more is known than who wrote it.
    pub fn text(id: String, from: String, from_address: String, text: String) -> InboxRow {
        InboxRow {
            schema: Schema,
            id,
            from,
            from_address,
            text: Some(text),
            subject: None,
            thread: None,
            in_reply_to: None,
            priority: Priority::Normal,
            sent_at: None,
            sent_offset: None,
            received_at: None,
            read: false,
            tags: Vec::new(),
            reply_by: None,
            attachments: Vec::new(),
            forwarded: None,
            remark: None,
            via: None,
            forward_secrecy: false,
            clock_differs: false,
            unreadable: None,
            request: false,
            nickname: None,
            group: None,
            introduces: None,
            arranged: Arranged::default(),
            next: None,
            kind: "text".into(),
            href: None,
            changes: Changes::default(),
            sets: Vec::new(),
            expire_after_read_ms: None,
            expires_at: None,
        }
    }
}

/// A whole message: its row, and the attachments with their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LetterRow {
    #[serde(flatten)]
    pub row: InboxRow,
    #[serde(default)]
    pub files: Vec<File>,
    /// Of one's own message: the name this person gave the destination, or its address; the address; and its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What is here of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswersRow>,
}

impl LetterRow {
    /// A message that came, without its attachments.
    pub fn of(row: InboxRow) -> LetterRow {
        LetterRow { row, files: Vec::new(), to: None, to_address: None, state: None, answers: None }
    }
}

//! The rows of JSON that other programs read: fields are added, and never change their sense.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::{AnswersRow, Changes, ForwardedRow};
use super::{File, Schema, Tag, Usual, When, names};
use crate::api::{ApiError, NextStep};
use crate::bundle::Priority;

/// Who this home is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeRow {
    pub schema: Schema,
    pub name: String,
    pub peer_id: String,
    /// What others add: the peer id, and hints of where to find it.
    pub address: String,
    /// Where it listens, empty while no node runs.
    pub listen: Vec<String>,
    pub safety_words: String,
}

/// Somebody this person named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRow {
    pub schema: Schema,
    pub name: String,
    pub peer_id: String,
    pub address: String,
    pub standing: Standing,
    /// The safety words were compared.
    pub verified: bool,
    pub safety_words: String,
    /// This home's own words, for the comparison.
    pub my_safety_words: String,
    /// Who introduced it: a name or an address; nobody else's word stands for the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced_by: Option<String>,
    /// How messages to it go where nothing else is said.
    #[serde(default, skip_serializing_if = "Usual::is_empty")]
    pub usual: Usual,
    /// The name it had until this answer, where it was given another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Contact,
    Blocked,
}

/// A node that could be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearbyRow {
    pub schema: Schema,
    /// The name this person gave, if any.
    pub name: Option<String>,
    /// What the node calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
    pub peer_id: String,
    /// Where it can be dialed; of a contact that it dialed itself perhaps its host only.
    pub address: String,
    /// By the clock of this machine, which may have been set since; `seen_ago_ms` does not care.
    pub seen_at: Option<When>,
    /// Since it was heard.
    #[serde(default)]
    pub seen_ago_ms: u64,
    /// There is a contact now.
    pub connected: bool,
}

/// A contact that lasts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRow {
    pub schema: Schema,
    pub peer_id: String,
    pub name: Option<String>,
    /// What the node calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
    pub address: String,
    pub since: Option<When>,
    pub sent_bundles: u64,
    pub received_bundles: u64,
}

/// A message that this node now answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    pub schema: Schema,
    pub id: String,
    pub state: State,
    /// The name this person gave the recipient, or its address.
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub to_address: String,
}

/// Whom a message goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientRow {
    pub schema: Schema,
    /// The name this person gave the recipient, or its address.
    pub to: String,
    pub to_address: String,
}

/// Somebody, as this person calls them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// None where this person gave no name.
    pub name: Option<String>,
    pub address: String,
}

/// A conversation as `talk` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Somebody whom the writer of a message introduces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntroducedRow {
    /// What the writer calls them.
    pub name: String,
    pub address: String,
    /// What this person calls them, where they are known.
    pub known_as: Option<String>,
}

/// Where this person put a conversation; what is over is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(default)]
pub struct Arranged {
    pub labels: Vec<String>,
    /// It was brought here by an import, and its signature was not looked at here.
    pub imported: bool,
    pub pinned: bool,
    pub archived: bool,
    pub snoozed_until: Option<When>,
    pub muted: bool,
}

/// Where something is put now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct LabelRow {
    pub schema: Schema,
    pub label: String,
    pub messages: u64,
}

/// Something written that is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(with = "names::priority")]
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
pub struct WaitingRow {
    pub schema: Schema,
    /// Unread messages, without requests.
    pub unread: u64,
    /// Messages of those who have no name here, read or not.
    pub requests: u64,
}

/// One row of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkRow {
    pub schema: Schema,
    pub id: String,
    /// The address of whom it is with.
    pub conversation: String,
    pub from: PersonRow,
    /// It is one's own.
    pub mine: bool,
    /// What kind of content it is: `text`, `change`, or `unreadable`.
    pub kind: String,
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
    #[serde(flatten)]
    pub changes: Changes,
    /// So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
    /// When that is, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<When>,
}

/// A file by name and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    #[serde(default)]
    pub schema: Schema,
    pub name: String,
    pub bytes: u64,
    /// Of an attachment: the first digits of its message's id, and which of its files it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of an attachment with bytes: `here`. A purge takes the bytes and leaves the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of one that comes in parts, what names it.
    #[serde(skip)]
    pub root: Option<[u8; 32]>,
}

/// A file that comes or goes in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRow {
    pub schema: Schema,
    /// The first digits of its message's id, and which of its files it is.
    pub id: String,
    pub name: String,
    pub bytes: u64,
    /// How much of it is here.
    pub have_bytes: u64,
    /// Of what goes, how much its recipient or a carrier says to have; of what comes, how much is here.
    pub safe_bytes: u64,
    /// `in` or `out`.
    pub direction: String,
    /// The name of who sends or gets it, where it has one here.
    pub who: Option<String>,
    pub who_address: String,
    /// It is a folder.
    #[serde(default)]
    pub folder: bool,
    pub state: TransferState,
    /// Who says to hold parts that are on their way.
    #[serde(default)]
    pub holders: Vec<String>,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// It is there to be asked for.
    Offered,
    /// It was asked for, or comes by itself, and nothing of it came.
    Wanted,
    /// Some of it came.
    Coming,
    /// All of it is here.
    Here,
    /// All of it is with its recipient, who signed for it.
    Sent,
    Cancelled,
}

impl TransferState {
    pub fn word(self) -> &'static str {
        match self {
            TransferState::Offered => "offered",
            TransferState::Wanted => "wanted",
            TransferState::Coming => "coming",
            TransferState::Here => "here",
            TransferState::Sent => "sent",
            TransferState::Cancelled => "cancelled",
        }
    }
}

impl FileRow {
    /// A file of which nothing else is to be said.
    pub fn of(name: String, bytes: u64) -> FileRow {
        FileRow { schema: Schema, name, bytes, id: None, state: None, root: None }
    }
}

/// A whole message: its row, and the attachments with their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What is known of one's own message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Whether messages get away from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What this node holds, for whom, and how much it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Classes {
    pub own: Counts,
    pub contacts: Counts,
    pub strangers: Counts,
    /// For topics, whoever wrote it.
    #[serde(default)]
    pub topics: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grades {
    pub custody: Counts,
    pub copy: Counts,
    pub released: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub bundles: u64,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    pub released: u64,
    pub copy: u64,
    pub custody: u64,
}

/// One bundle held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(rename_all = "lowercase")]
pub enum Class {
    Topics,
    Strangers,
    Contacts,
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Released,
    Copy,
    Custody,
}

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Bad,
}

/// One setting and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRow {
    pub schema: Schema,
    pub key: String,
    pub value: String,
    /// `default`, `file PATH`, `environment NAME` or `flag`.
    pub origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    pub schema: Schema,
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRow {
    pub schema: Schema,
    pub ok: bool,
    pub version: String,
    pub pid: u32,
    pub uptime_ms: u64,
}

/// It was done, and there is nothing to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::{Row, json_line};
    use crate::api::samples;

    fn keys(line: &str) -> Vec<String> {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        assert_eq!(row["schema"], 1);
        row.keys().cloned().collect()
    }

    fn has_all(line: &str, wanted: &str) {
        let keys = keys(line);
        wanted.split(' ').for_each(|key| assert!(keys.iter().any(|k| k == key), "{key} is missing in {line}"));
    }

    #[test]
    fn rows_have_the_fields_that_other_programs_read() {
        has_all(&json_line(&samples::me()), "name peer_id address listen");
        let inbox = "id from from_address text subject thread in_reply_to priority sent_at received_at read";
        has_all(&json_line(&samples::inbox("hi")), inbox);
        has_all(&json_line(&LetterRow::of(samples::inbox("hi"))), inbox);
        has_all(&json_line(&samples::carry()), "bundles receipts bytes quota_bytes file_bytes by_class");
        has_all(&json_line(&samples::peer()), "peer_id name address since sent_bundles received_bundles");
        has_all(&json_line(&samples::status(Vec::new())), "id to state events");
    }

    #[test]
    fn values_are_spelled_as_the_contract_spells_them() {
        let sent = SentRow { id: "3f".into(), to: "bob".into(), to_address: "dak:x".into(), ..samples::sent() };
        let wanted = r#"{"schema":1,"id":"3f","state":"queued","to":"bob","to_address":"dak:x"}"#;
        assert_eq!(json_line(&sent).trim_end(), wanted);
        let mut row = samples::inbox("hi");
        row.sent_at = None;
        let json: serde_json::Value = serde_json::from_str(&json_line(&row)).unwrap();
        assert_eq!(
            (&json["sent_at"], &json["received_at"], &json["priority"], &json["read"]),
            (&serde_json::Value::Null, &"2026-03-01T12:30:00Z".into(), &"normal".into(), &false.into())
        );
        let event = samples::event(EventKind::GaveUp, samples::at(11, 2), Some("carol"));
        let event = serde_json::to_string(&event).unwrap();
        assert_eq!(event, r#"{"at":"2026-03-01T11:02:00Z","what":"gave_up","who":"carol"}"#);
        let carry: serde_json::Value = serde_json::from_str(&json_line(&samples::carry())).unwrap();
        assert_eq!(carry["by_class"]["strangers"], serde_json::json!({"bundles": 1, "bytes": 200}));
    }

    #[test]
    fn states_are_the_words_of_the_contract_and_the_highest_evidence_counts() {
        use EventKind as E;
        let words =
            [E::Queued, E::Copy, E::Custody, E::Delivered, E::Read, E::Expired, E::Cancelled, E::Rejected, E::Full];
        for (what, word) in
            words.into_iter().zip("queued copy custody delivered read expired cancelled rejected full".split(' '))
        {
            assert_eq!(serde_json::to_string(&what.state()).unwrap(), format!("\"{word}\""));
            assert_eq!(what.state().word(), word);
        }
        let events = [E::Queued, E::Custody, E::GaveUp].map(|what| samples::event(what, None, None));
        assert_eq!(State::of(&events), State::Custody);
        assert_eq!(State::of(&[]), State::Queued);
    }

    #[test]
    fn one_object_is_one_physical_line_whatever_it_says() {
        let hostile = "a\nb\r\u{1b}[2J\u{9b}31m\u{2028}\u{202e}\u{7f}\0";
        let line = Row::Inbox(samples::inbox(hostile)).json_line();
        assert!(line.ends_with('\n') && line.trim_end_matches('\n').chars().all(|c| !c.is_control()), "{line:?}");
        assert!(!line.contains(['\u{2028}', '\u{202e}']));
        assert_eq!(serde_json::from_str::<InboxRow>(&line).unwrap(), samples::inbox(hostile));
    }
}

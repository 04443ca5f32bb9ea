//! What is answered row by row: listings, which end, and streams, which go on.

use serde::{Deserialize, Serialize};

use super::*;
use crate::api::error::ApiError;

/// What is listed, a row at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub enum Listing {
    /// Rows of the inbox, each sender's as they were written and different senders' as they arrived
    /// (`mail/order.rs` has the definition); with `limit`, the last so many. Of each text and name so many characters at
    /// most, where that is said.
    Inbox {
        #[serde(default)]
        unread: bool,
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        text_chars: Option<u32>,
        #[serde(default)]
        show: Show,
    },
    /// Rows of the inbox that ask for an answer by some time and have none from here: the soonest first, what is overdue
    /// before the rest; with `limit`, the first so many.
    Due {
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        text_chars: Option<u32>,
        #[serde(default)]
        show: Show,
    },
    /// What became of one's messages, oldest first; with `limit`, the last so many.
    Status {
        #[serde(default)]
        limit: Option<u32>,
        /// Only those that are on their way, or whose life ended without a receipt.
        #[serde(default)]
        unsettled: bool,
        /// Only those to this one: a contact's name, or an address.
        #[serde(default)]
        to: Option<String>,
    },
    /// What is held, in the order of eviction.
    Carried,
    /// What would go on a stick, what goes first first.
    Stick {
        /// Whom the stick is for: a contact's name, or an address.
        #[serde(default)]
        whom: Option<String>,
    },
    /// The whole record, or one conversation of it, with all that is known of each message.
    Record {
        #[serde(default)]
        who: Option<String>,
    },
    /// Messages that are tasks.
    Tasks {
        /// Only what this home's owner is to do.
        #[serde(default)]
        mine: bool,
        /// Also what is done.
        #[serde(default)]
        all: bool,
    },
    /// What an app is told that has dealt with everything up to a serial: from the start, that is all in the one order of
    /// everybody; else what came since, in the order in which it came.
    AppUpdates {
        /// The message that has the app.
        id: String,
        /// The serial of the last update that the app dealt with; all where it is zero.
        #[serde(default)]
        after: u64,
        /// The payload of each is a text, which is JSON as its author wrote it.
        #[serde(default)]
        json: bool,
    },
    /// Conversations, the pinned ones first, those with whom has no name here last, and among them the newest first.
    Talks {
        /// Also what is archived or snoozed.
        #[serde(default)]
        all: bool,
    },
    /// Messages with a label, in the order in which they were filed.
    Labelled { label: String },
    /// Rows of all conversations that a query finds, the best first: see [`crate::mail::query`]. A time in it is what
    /// people write, by the clock of the node; an instant with an offset is the same everywhere.
    Search {
        q: String,
        /// At most so many, and at most [`SEARCH_ROWS_MAX`]; 20 where none is said.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// What was said in one conversation, both sides, in the order in which it is read.
    Talk {
        /// A contact's name, or an address.
        who: String,
        /// The last so many rows; where it is read from the first unread one or from a message on, the first so many.
        #[serde(default)]
        limit: Option<u32>,
        /// Only what stands before this message.
        #[serde(default)]
        before: Option<String>,
        /// Only what stands behind this message; with a limit, the first so many.
        #[serde(default)]
        after: Option<String>,
        /// Only the messages of this thread.
        #[serde(default)]
        thread: Option<String>,
        /// Only what is unread.
        #[serde(default)]
        unread: bool,
        /// From the first unread row on, with so many before it; the last rows where all is read.
        #[serde(default)]
        from_unread: Option<u32>,
        /// Nobody looks at it now: what is to be forgotten after it was read stays away, unless it was shown before.
        #[serde(default)]
        glance: bool,
    },
}

/// What a stream is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub enum Topic {
    /// New rows of the inbox.
    Inbox {
        /// Also what does not wait for this person: see [`Show`].
        #[serde(default)]
        all: bool,
    },
    /// New evidence, of one message or of all; each row is the whole status.
    Status {
        #[serde(default)]
        id: Option<String>,
    },
    /// Events of topics for one consumer of a group, which says what became of each. What it has when it leaves goes to
    /// another.
    Sub {
        topic: String,
        #[serde(default)]
        group: Option<String>,
        /// `start`, `last`, or the number of the event behind which the group goes on; where it was, unless said.
        #[serde(default)]
        from: Option<String>,
        /// Waits for more; else it ends with what is there.
        #[serde(default)]
        follow: bool,
        /// So many at most are out with this consumer.
        #[serde(default)]
        window: Option<u32>,
    },
    /// Shows a code, by which one other node becomes a contact, and tells how it goes; ends with that, with its time, with too
    /// many wrong codes, or with whoever reads it.
    Pair {
        /// What to call the other; what it calls itself where none is said.
        #[serde(default)]
        name: Option<String>,
        /// How long the code is shown: 10 minutes at most, and unless it is said.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// What happened to the record of mail behind a number, and then what happens; from now on where none is said.
    Happened {
        #[serde(default)]
        since: Option<u64>,
        /// Only in the conversation with this contact.
        #[serde(default)]
        who: Option<String>,
        /// Also that something beside the record is another than it was.
        #[serde(default)]
        beside: bool,
    },
}

/// One row of a listing or a stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Row {
    Inbox(InboxRow),
    Status(StatusRow),
    Carried(CarriedRow),
    Stick(WillingRow),
    Talks(ConversationRow),
    Talk(TalkRow),
    Record(Box<KeptRow>),
    Tasks(BoardRow),
    Happened(HappenedRow),
    Labelled(TalkRow),
    Search(SearchRow),
    Due(InboxRow),
    Sub(TopicEventRow),
    Pair(PairRow),
    AppUpdates(AppUpdateRow),
    /// The last row, where a stream ends before its reader left; says why.
    Ended(ApiError),
}

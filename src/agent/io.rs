//! What goes into the agent and what comes out: the whole of its contact with the world.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::Terms;
use crate::agent::change::{Adopted, Change, Evidence, Known, Letter, Outgoing, Person, Row};
use crate::bundle::{Bundle, Draft, Priority};
use crate::content::topic::Filter;
use crate::eid::Eid;
use crate::frame::{Frame, Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Timestamp};

/// Something that happened to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The person wants to send; answered by [`Output::Seal`] with the same token, or [`Event::NotSent`].
    Submit {
        token: u64,
        /// Which of the mailboxes served here writes.
        mailbox: Eid,
        destination: Eid,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
    },
    /// The payload that was asked for, sealed; `size_bytes` is what the bundle weighs.
    Sealed {
        token: u64,
        payload: Arc<[u8]>,
        size_bytes: u32,
    },
    /// The person publishes in a topic; answered by [`Event::Queued`] with the token, or [`Event::NotSent`].
    Publish {
        token: u64,
        topic: Eid,
        lifetime: Millis,
        /// A [`crate::content::topic::Post`].
        payload: Arc<[u8]>,
    },
    /// From now on what comes of these topics is handed out, or no longer. It ends with the agent: a driver says it again.
    Serve {
        owner: NodeId,
        filter: Filter,
        on: bool,
    },
    /// From now on what comes to this group is shown here, or no longer; what is held for it already is asked for by
    /// [`Output::Again`]. It ends with the agent: a driver says it again.
    ServeGroup {
        group: Eid,
        on: bool,
    },
    /// Whose words to a group that is served here have room among those of contacts. It ends with the agent as well.
    GroupMembers {
        group: Eid,
        members: Vec<NodeId>,
    },
    /// What [`Output::Again`] named is handed in, as far as it can be read.
    HandedIn,
    /// There may be room for parts of files that found none: a file is expected that was not.
    RoomCame,
    /// The owner says how much of topics stays here. It ends with the agent: a driver says it again.
    Retain {
        owner: NodeId,
        filter: Filter,
        terms: Terms,
    },
    /// The owner ends a topic: what of it is held here leaves.
    Forsake(Eid),
    ContactUp {
        peer: NodeId,
    },
    ContactDown {
        peer: NodeId,
    },
    Frame {
        from: NodeId,
        frame: Frame,
    },
    /// A verified bundle; `size_bytes` is what it weighs. What comes out of a file is from [`super::STICK`], aged by the time
    /// that it lay there.
    Bundle {
        from: NodeId,
        transit: Transit,
        bundle: Arc<Bundle>,
        size_bytes: u32,
    },
    /// A verified message for a mailbox here, of which the driver keeps nothing: its source hears that it was declined, and
    /// never that it was delivered.
    Decline {
        from: NodeId,
        transit: Transit,
        bundle: Arc<Bundle>,
        size_bytes: u32,
        why: Declined,
    },
    /// A bundle that the driver dropped unverified, because [`super::Agent::knows`] its id.
    Duplicate {
        from: NodeId,
        transit: Transit,
        id: BundleId,
    },
    /// Time has passed; due whenever [`super::Agent::next_timeout`] says so.
    Timeout,
    /// What the disk has left, in bytes.
    Space {
        free_bytes: u64,
    },
    /// What the record knows of ids that the next input speaks of, as [`super::Agent::asks_of`] named them.
    Recall(Vec<Known>),
    /// The person has read it; `tell` sends a read receipt.
    Read {
        id: BundleId,
        tell: bool,
    },
    /// The person marks it unread again.
    Unread(BundleId),
    /// The person deletes it from the inbox.
    Discard(BundleId),
    /// The owner brings mail of an earlier home.
    Adopt(Box<Adopted>),
    /// No new copies of one's own message from here.
    Cancel(BundleId),
    /// The owner needs no copy here any more of one's own message that a peer stored: what is said of it is heard as before.
    HandOn(BundleId),
    /// The owner stops carrying a bundle of somebody else's; or a receipt for an author, in the place of which goes another.
    Drop(BundleId),
    /// The owner changes how much is carried for others, in bytes.
    CarryLimit(u64),
    /// The person names, blocks or forgets somebody.
    SetPerson {
        node: NodeId,
        person: Option<Person>,
    },
    /// What was to be forwarded to a peer has no body that can be read in its row.
    Unreadable {
        to: NodeId,
        id: BundleId,
        row: Row,
    },
    /// What [`super::Agent::leaving`] said of these is about to be written to files.
    LeaveOnFiles(Vec<BundleId>),
    /// Bytes of what goes to a peer moved, though none of it is answered yet.
    Moved {
        peer: NodeId,
    },
}

/// Why nothing is kept of a message that a mailbox here got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Declined {
    /// Nobody here wants it: no copy of it is needed any more.
    Unwanted,
    /// There is no room for it now.
    Room,
}

/// A bundle as a peer handed it over, with what it weighs.
pub(super) struct Handed {
    pub from: NodeId,
    pub transit: Transit,
    pub bundle: Arc<Bundle>,
    pub size_bytes: u32,
}

/// What a person wants to be sent, and how.
pub(super) struct Posting {
    /// Who writes.
    pub mailbox: Eid,
    pub destination: Eid,
    pub lifetime: Millis,
    pub priority: Priority,
    pub copies: Option<u16>,
}

/// Something the driver must do. Commits come first, the acts of the same batch after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Commit(Change),
    /// Seal the message of this token for the draft's destination, bound to the draft's primary block.
    Seal {
        token: u64,
        draft: Draft,
    },
    Send {
        to: NodeId,
        frame: Frame,
    },
    /// Fetch the body at `row` and send it.
    Forward {
        to: NodeId,
        transit: Transit,
        id: BundleId,
        row: Row,
    },
    /// What is held in these rows is for a group here, and was not shown yet: hand it in once more, from [`super::STICK`], and
    /// then say [`Input::HandedIn`].
    Again(Vec<(Row, BundleId)>),
    /// Something is held for this node, and there is no contact with it.
    Dial(NodeId),
    /// End the contact with this node once what was said is said, and begin another.
    Renew(NodeId),
    /// There is a new row in the inbox.
    Notify(BundleId),
    /// Something was published in a topic that is served here, by somebody who may; or somebody who may says what came to them
    /// in a group.
    Heard(Arc<Bundle>),
    /// The agent keeps this no longer.
    File(Filing),
    Report(Event),
}

/// What is in the record alone from now on. Until the changes that were said before are durable the driver remembers it, and
/// answers from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filing {
    /// A message that was delivered, with its row unless the person deleted it.
    Came(BundleId, Option<Letter>),
    /// One's own message; none where its record was dropped.
    Sent(BundleId, Option<Outgoing>),
}

/// What a log, a status display or a simulation's statistics may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// One's own message is in custody here and has its id.
    Queued {
        token: u64,
        id: BundleId,
    },
    NotSent {
        token: u64,
        why: NotSent,
    },
    /// Something new is known of one's own message.
    Status {
        id: BundleId,
        evidence: Evidence,
    },
    Delivered {
        id: BundleId,
        from: NodeId,
    },
    /// Taken into custody from a peer.
    Accepted {
        id: BundleId,
        from: NodeId,
    },
    /// Turned away at the door.
    Refused {
        id: BundleId,
        from: NodeId,
        why: Refusal,
    },
    /// Custody here ended.
    Gone {
        id: BundleId,
        why: Gone,
    },
    /// A peer said or did what no honest one would.
    Misbehaved {
        peer: NodeId,
        what: &'static str,
    },
}

/// Why custody ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gone {
    Receipt,
    Expired,
    Evicted,
    Dropped,
    Cancelled,
    Delivered,
    Unreadable,
    /// One's own, which a peer says to hold.
    HandedOn,
    /// A newer message took its place: in its topic its writer's next word on the same key, or one that was published here as
    /// well and needed its room; or a receipt for the same author that says more.
    Superseded,
}

/// Why a message was not taken from the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    #[error("the lifetime is longer than this node allows")]
    Lifetime,
    #[error("the message is too large")]
    TooLarge,
    #[error("the disk is short of space")]
    Space,
    #[error("without a clock that can be trusted nothing is published")]
    Clock,
    #[error("its owner has given no leave to write there, or the leave is over")]
    Leave,
    #[error("no such mailbox is served here")]
    Mailbox,
    #[error("there is no such message waiting to be sealed")]
    Unknown,
    #[error("too many messages wait to be sealed; try again in a moment")]
    Busy,
}

/// Why the agent wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The end of a batch: deliveries want their rows and receipts, contacts their offers and answers; after a start
    /// with a smaller limit, what is over it leaves.
    Batch,
    /// A life ends.
    Expiry,
    /// A tombstone or a receipt's word ends.
    Tombstone,
    /// A refused bundle may be tried again, or another peer asked for what one offered and did not hand over.
    Retry,
    /// A destination in contact took long enough over what it gets alone.
    Grace,
    /// A contact is to be begun anew.
    Renewal,
    /// A peer lacks more than it was told of in one go. A driver may take other inputs first, or nobody else would be
    /// heard while a crowd is told of a million bundles.
    Turn,
}

/// When and why.
pub type Due = (Timestamp, Cause);

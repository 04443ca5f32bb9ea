//! A message as a row, with what is in it: another's and one's own alike.

use super::super::changes::Subject;
use super::super::find;
use super::address;
use super::words::{Taken, Told, Words, kind_word, words, words_of};
use crate::agent::change::{Letter, Outgoing, Row};
use crate::api::model::{
    Arranged, Changes, File, FileRow, ForwardedRow, InboxRow, IntroducedRow, LetterRow, PersonRow, Schema, StatusRow,
    Tag, When,
};
use crate::api::{ApiError, NextStep};
use crate::bundle::Priority;
use crate::content::{AfterRead, Attachment, Enclosed, Forwarded, Introduced, KeyUsed};
use crate::id::BundleId;
use crate::keyring::Keyring;
use crate::mail::conversation::Conversation;
use crate::store::redb::Body;
use crate::time::{DtnTime, HOUR};

/// A letter, and the names it is shown with.
#[derive(Clone)]
pub struct Envelope {
    pub letter: Letter,
    pub(super) from: String,
    /// The group that it was written to.
    pub(super) group: Option<String>,
    pub(super) via: Option<String>,
}

/// One's own message, the own name and address, and what became of it.
#[derive(Clone)]
pub struct Sent {
    pub outgoing: Outgoing,
    pub(super) from: (String, String),
    pub(super) status: StatusRow,
}

/// An opened letter.
pub struct Opened {
    pub row: InboxRow,
    /// Where it stands in the record.
    pub at: Row,
    /// The first message of the conversation, and the one that this answers, by the first half of their ids.
    pub thread: Option<[u8; 16]>,
    pub answers: Option<[u8; 16]>,
    /// The attachments, where they were asked for.
    pub files: Vec<Attachment>,
    /// What changes of it may be about.
    pub subject: Subject,
}

impl Sent {
    /// One's own message and what is in it, the first half of the id of what it answers, and what changes of it may be about.
    pub fn open(self, body: Option<Body>) -> (LetterRow, Option<[u8; 16]>, Subject) {
        let Sent { outgoing, from, status } = self;
        let filed = match body {
            Some(Body::Filed(filed)) => words(&filed.content, Taken::Everything),
            _ if outgoing.row.is_none() => {
                Err(ApiError::not_found("the version of dak that sent it did not keep its words"))
            }
            _ => Err(ApiError::store("the store has lost its words").next(NextStep::CheckHome)),
        };
        let (mut words, why) = readable(filed);
        let subject = Subject {
            with: Conversation::of_sent(&outgoing),
            id: outgoing.id,
            at: outgoing.row,
            same: words.text.same,
            mark: Letter::mark_of(&outgoing.id),
            author: outgoing.source.unwrap_or(outgoing.destination.node),
            task: words.text.task,
            after_read: words.text.expire_after_read.map(AfterRead::span),
        };
        let outside = Outside {
            id: outgoing.id,
            from,
            group: outgoing.destination.has_members().then(|| status.to.clone()),
            via: None,
            priority: outgoing.priority,
            sent_at: status.created_at,
            received_at: None,
            read: true,
            forward_secrecy: status.forward_secrecy,
            clock_differs: false,
        };
        let (attachments, answers) = (std::mem::take(&mut words.attachments), words.text.in_reply_to);
        let files = attachments.into_iter().map(|Attachment { name, bytes }| File { name, bytes }).collect();
        let row = LetterRow::of(outside.row(words, why));
        let StatusRow { to, to_address, state, .. } = status;
        let message = LetterRow { files, to: Some(to), to_address: Some(to_address), state: Some(state), ..row };
        (message, answers, subject)
    }
}

impl Envelope {
    /// Who wrote it, and in which group.
    pub fn place(&self) -> String {
        let from = find::ticket(&self.from).map_or_else(|_| self.from.clone(), |ticket| ticket.node.to_string());
        self.group.as_ref().map_or_else(|| from.clone(), |group| format!("{from} in {group}"))
    }

    /// The inbox row of a letter and what is in it; the row says why where it cannot be read.
    pub fn open(self, body: Option<Body>, keyring: &Keyring, taken: Taken) -> Opened {
        let Envelope { letter, from, group, via } = self;
        let (opened, key) = words_of(&letter, body, keyring, taken)
            .map_or_else(|why| (Err(why), KeyUsed::Identity), |(words, key)| (Ok(words), key));
        let (mut words, why) = readable(opened);
        let received = letter.received.trusted_wall();
        let subject = Subject {
            with: Conversation::of_letter(&letter),
            id: letter.id,
            at: Some(letter.row),
            same: words.text.same,
            mark: Letter::mark_of(&letter.id),
            author: letter.source,
            task: words.text.task,
            after_read: words.text.expire_after_read.map(AfterRead::span),
        };
        let outside = Outside {
            id: letter.id,
            from: (from, address(letter.source)),
            group,
            via,
            priority: letter.priority,
            sent_at: When::from_dtn(letter.creation.time),
            received_at: received.and_then(When::from_dtn),
            read: letter.read,
            forward_secrecy: key.is_forward_secret(),
            clock_differs: received.is_some_and(|wall| clock_differs(&letter, wall)),
        };
        let files = std::mem::take(&mut words.attachments);
        let (thread, answers) = (words.text.thread, words.text.in_reply_to);
        Opened { row: outside.row(words, why), at: letter.row, thread, answers, files, subject }
    }
}

fn readable(words: Result<Words, ApiError>) -> (Words, Option<ApiError>) {
    words.map_or_else(|why| (Words::default(), Some(why)), |words| (words, None))
}

/// What a row says of a message beside what is in it.
struct Outside {
    id: BundleId,
    /// Name and address.
    from: (String, String),
    group: Option<String>,
    via: Option<String>,
    priority: Priority,
    sent_at: Option<When>,
    received_at: Option<When>,
    read: bool,
    forward_secrecy: bool,
    clock_differs: bool,
}

impl Outside {
    /// The row of a message with what is in it; or with why that cannot be read.
    fn row(self, words: Words, why: Option<ApiError>) -> InboxRow {
        let Words { text, files, what, sets, href, is_signed, .. } = words;
        let id16 = |id: [u8; 16]| crate::id::hex(&id);
        let kind = kind_word(what, why.is_some()).into();
        let (unreadable, next) = why.map_or((None, None), |why| (Some(why.message), why.next));
        InboxRow {
            schema: Schema,
            from: self.from.0,
            from_address: self.from.1,
            text: unreadable.is_none().then_some(text.body),
            subject: text.subject,
            thread: text.thread.map(id16),
            in_reply_to: text.in_reply_to.map(id16),
            priority: self.priority,
            sent_at: self.sent_at,
            sent_offset: text.offset,
            received_at: self.received_at,
            // Nobody has to read what an app says.
            read: self.read || what == Told::App,
            reply_by: text.reply_by.and_then(|time| When::from_dtn(DtnTime(time))),
            attachments: file_rows(&self.id, files, &text.enclosed),
            forwarded: text.forwarded.map(|forwarded| forwarded_row(&forwarded, is_signed)),
            tags: Tag::of(text.tags),
            remark: Some(text.remark).filter(|remark| !remark.is_empty()),
            via: self.via,
            forward_secrecy: self.forward_secrecy,
            clock_differs: self.clock_differs,
            next,
            unreadable,
            changes: Changes::default(),
            kind,
            href,
            sets,
            request: false,
            group: self.group,
            nickname: None,
            introduces: text.introduces.map(|introduced| introduced_row(&introduced)),
            arranged: Arranged::default(),
            expire_after_read_ms: text.expire_after_read.map(|after| after.span().0),
            expires_at: None,
            id: self.id.full(),
        }
    }
}

/// Whose name is to be filled in.
fn forwarded_row(forwarded: &Forwarded, signed: bool) -> ForwardedRow {
    ForwardedRow {
        author: PersonRow { name: None, address: address(forwarded.author) },
        id: crate::id::hex(&forwarded.id),
        sent_at: When::from_dtn(DtnTime(forwarded.sent)),
        signed,
    }
}

/// Whether this person knows them is to be filled in.
fn introduced_row(introduced: &Introduced) -> IntroducedRow {
    IntroducedRow { name: introduced.name.clone(), address: address(introduced.node), known_as: None }
}

/// The rows of a message's files.
fn file_rows(id: &BundleId, files: Vec<(String, usize)>, beside: &[Enclosed]) -> Vec<FileRow> {
    let inside = files
        .into_iter()
        .map(|(name, bytes)| FileRow { state: (bytes > 0).then(|| "here".into()), ..FileRow::of(name, bytes as u64) });
    let beside =
        beside.iter().map(|file| FileRow { root: Some(file.root), ..FileRow::of(file.name.clone(), file.bytes) });
    let number = |(n, row)| FileRow { id: Some(format!("{}/{}", &id.full()[..10], n + 1)), ..row };
    inside.chain(beside).enumerate().map(number).collect()
}

/// Whether the time that a message bears does not agree with when it came and how long it was under way, which is what
/// its carriers say: it lies ahead, or further back than that. An hour is no difference.
fn clock_differs(letter: &Letter, received: DtnTime) -> bool {
    let (written, age) = (letter.creation.time.0, letter.hops.age.0);
    let is_ahead = written > received.0.saturating_add(HOUR.0);
    let is_backdated = written > 0 && written < received.0.saturating_sub(age).saturating_sub(HOUR.0);
    is_ahead || is_backdated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Creation, Hops, Priority};
    use crate::eid::Eid;
    use crate::id::NodeId;
    use crate::time::{DAY, Millis, Moment, Timestamp};

    #[test]
    fn a_time_that_lies_ahead_or_further_back_than_the_message_was_under_way_is_doubted() {
        let node = NodeId::from_trusted([7; 32]);
        let now = 846_892_800_000;
        let letter = |written: u64, age: Millis| Letter {
            row: Row(1),
            id: BundleId([7; 32]),
            source: node,
            destination: Eid::mail(node),
            creation: Creation { time: DtnTime(written), sequence: 1 },
            lifetime: DAY.times(7),
            priority: Priority::Normal,
            size_bytes: 1_000,
            received: Moment { now: Timestamp(0), wall: DtnTime(now) },
            from: node,
            hops: Hops { age, count: 1 },
            read: false,
            told: false,
        };
        let doubted = |written: u64, age| clock_differs(&letter(written, age), DtnTime(now));
        assert!(doubted(now + 2 * HOUR.0, Millis(0)), "from tomorrow");
        assert!(doubted(now - 3 * DAY.0, Millis(60_000)), "backdated by days, and under way for a minute");
        assert!(doubted(now - 300 * DAY.0, Millis(0)));
        assert!(!doubted(now - 3 * DAY.0, DAY.times(3)), "three days under way");
        assert!(!doubted(now - 60_000, Millis(0)) && !doubted(now + 60_000, Millis(0)));
        assert!(!doubted(0, Millis(0)), "a sender without a clock says no time");
    }
}

//! What the person arranges here for themselves: it is in no message, and nobody else hears of it.
//!
//! Each thing has a key and a value; the store keeps them as they are, and so does a backup. The first byte of a key says
//! what it is of.
//!
//! | key | value | what |
//! |---|---|---|
//! | `MESSAGE`, row, `PLACE` | flags 1, snoozed until 8 | where a message is put |
//! | `MESSAGE`, row, `LABEL`, label | | one of its labels |
//! | `MESSAGE`, row, `DRAFT` | number 8, meant for 8 | the draft that it was |
//! | `MESSAGE`, row, `SHOWN` | elapsed 8, wall 8 | when it was shown first, of what is to be forgotten then |
//! | `MESSAGE`, row, `IMPORTED` | 1 | that it was brought from an earlier home; an earlier version wrote it so |
//! | `BROUGHT`, row | 1 | the same |
//! | `MESSAGE`, row, `GONE` | elapsed 8, wall 8 | when it was forgotten |
//! | `CONVERSATION`, conversation, `PLACE` | flags 1, archived up to 8, snoozed until 8, muted until 8 | where a conversation is put |
//! | `HOME`, `LABEL`, label, 0, row | its conversation | a message with a label |
//! | `HOME`, `INTRODUCED`, node | the key of the introducer | by whom this home knows somebody |
//! | `HOME`, `USUAL`, node | `habits.rs` | how messages to a contact go where nothing else is said |
//! | `HOME`, `SEEN` | number | the last thing that had happened when they looked at what became of their messages |
//! | `HOME`, `BY_HAND` | number | the moment of the elapsed clock at which copies last left by hand, with no contact |
//! | `HOME`, `CROSSED` | number | the last thing that had happened when they were told of changes that gave way |
//! | `HOME`, `DRAFT`, number | `draft.rs` | what was written and not sent |
//! | `HOME`, `NUMBER` | 8 | the number of the next draft |
//! | `HOME`, `SENT`, number | ids, 32 each | what became of a draft |
//! | `HOME`, `ONCE`, digest 16 | `once.rs` | the message that was sent under a key of whoever asked for it |
//! | `HOME`, `FILE`, the first half of its message's id, number | `files/state.rs` | what is known of a file that comes or goes in parts |
//! | `HOME`, `FILE`, the same, node | `files/state.rs` | the same of a file of a group, for one of its members |
//! | `HOME`, `PUSH_TOLD`, node | bytes 8 | up to which size files come unasked, as a contact was told last |
//! | `HOME`, `PUSH`, node | bytes 8 | the same, as somebody said of themselves last |
//! | `HOME`, `ALIAS`, id | an id, 32 | what stands in the place of one's own message that was changed before it left |
//! | `HOME`, from 20 to 22 | `hooks.rs` | programs that work on what comes |
//! | `HOME`, 23 and 24 | `automatic.rs` | that the person is away, and who got an automatic answer |
//!
//! | `DELETED`, digest 16 | | that a message with these words was deleted here, or all with its name; or one of one's own |
//!
//! | `UPDATED`, row | number 8 | the event with which an update of an app came here, or was made |
//!
//! Keys that begin with 4 are of topics: see `topics/rows.rs`.
//!
//! A message is named by the row that it is read at, which no other ever has. Numbers are big-endian; times are DTN time in
//! milliseconds. A time that is over needs nobody to take it away: what it says is only ever read beside the time of reading.

mod draft;
mod habits;
mod once;
mod place;

pub use draft::{DRAFTS_MAX, Draft, RECIPIENTS_MAX};
pub use habits::Habits;
pub use once::{ONCE_MAX, Once};
pub use place::{Mute, Place, TalkPlace, Waits, mentions};

use crate::agent::change::Row;
use crate::content::{Likeness, Mark};
use crate::id::{BundleId, NodeId};
use crate::mail::conversation::Conversation;
use crate::mail::entries::{key, number};
use crate::safe_text::is_unsafe;
use crate::time::{DtnTime, Moment, Timestamp};

/// So many things are kept together.
pub const KEPT_MAX: u64 = 1_048_576;
/// Longest label in bytes.
pub const LABEL_BYTES_MAX: usize = 64;
/// So many labels one message has.
pub const LABELS_MAX: usize = 32;

const MESSAGE: u8 = 1;
const CONVERSATION: u8 = 2;
const HOME: u8 = 3;

/// Behind all that counts against [`KEPT_MAX`]: it is for ever, as the ids of what was delivered are.
const DELETED: u8 = 5;
/// The same: a whole record is imported, and what is arranged has its room all the same.
const BROUGHT: u8 = 6;
/// The same: it is bounded as mail is.
const UPDATED: u8 = 7;

const PLACE: u8 = 1;
const LABEL: u8 = 2;
const SEEN: u8 = 3;
const NUMBER: u8 = 4;
const SENT: u8 = 5;
const DRAFT: u8 = 6;
const INTRODUCED: u8 = 7;
const USUAL: u8 = 8;
const ALIAS: u8 = 9;
const CROSSED: u8 = 10;
const BY_HAND: u8 = 19;
const ONCE: u8 = 25;
const SHOWN: u8 = 16;
const GONE: u8 = 17;
const IMPORTED: u8 = 18;
const FILE: u8 = 40;
const PUSH_TOLD: u8 = 41;
const PUSH: u8 = 42;

/// A key that is no message's and no conversation's, as its own module tells.
pub(super) fn of_home(what: u8, rest: &[u8]) -> Vec<u8> {
    key([&[HOME, what], rest])
}

/// The start of all keys of one message.
pub fn of_message(row: Row) -> Vec<u8> {
    key([&[MESSAGE], &row.0.to_be_bytes()])
}

pub fn place_of_message(row: Row) -> Vec<u8> {
    key([&of_message(row), &[PLACE]])
}

pub fn label_of_message(row: Row, label: &str) -> Vec<u8> {
    key([&of_message(row), &[LABEL], label.as_bytes()])
}

pub fn place_of_conversation(with: &Conversation) -> Vec<u8> {
    key([&[CONVERSATION], &with.key(), &[PLACE]])
}

/// The start of the keys of all labels.
pub fn labels() -> Vec<u8> {
    vec![HOME, LABEL]
}

/// The start of the keys of all messages with a label.
pub fn labelled(label: &str) -> Vec<u8> {
    key([&labels(), label.as_bytes(), &[0]])
}

pub fn labelled_message(label: &str, row: Row) -> Vec<u8> {
    key([&labelled(label), &row.0.to_be_bytes()])
}

/// The key of a content that was deleted here: of the words it had there, or of whatever has its name where there were none.
pub fn deleted(with: &Conversation, author: &NodeId, mark: &Mark, words: Option<&Likeness>) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&with.key()).update(author.as_bytes()).update(mark);
    if let Some(Likeness { words, beside, .. }) = words {
        hasher.update(words).update(beside);
    }
    key([&[DELETED], &hasher.finalize().as_bytes()[..16]])
}

/// The key of one's own message that was deleted here.
pub fn deleted_own(mark: &Mark) -> Vec<u8> {
    key([&[DELETED], &blake3::hash(mark).as_bytes()[..16]])
}

/// A key that nothing has: whoever takes it away sees whether a commit comes through.
pub fn nothing() -> Vec<u8> {
    vec![0]
}

pub fn seen_status() -> Vec<u8> {
    vec![HOME, SEEN]
}

pub fn left_by_hand() -> Vec<u8> {
    vec![HOME, BY_HAND]
}

pub fn told_of_crossings() -> Vec<u8> {
    vec![HOME, CROSSED]
}

/// The key of who introduced a node.
pub fn introducer(node: &NodeId) -> Vec<u8> {
    key([&[HOME, INTRODUCED], node.as_bytes()])
}

/// The start of the keys of all messages that others stand in the place of.
pub fn aliases() -> Vec<u8> {
    vec![HOME, ALIAS]
}

pub fn alias(id: &BundleId) -> Vec<u8> {
    key([&aliases(), &id.0])
}

/// The start of the keys of all files that come or go in parts.
pub fn all_files() -> Vec<u8> {
    vec![HOME, FILE]
}

/// The key of what is known of a file beside a message of this name.
pub fn file(mark: &[u8; 16], number: usize) -> Vec<u8> {
    key([&all_files(), mark, &[number as u8]])
}

/// The key of what is known of a file of a group for one member.
pub fn file_of_member(mark: &[u8; 16], number: usize, member: &NodeId) -> Vec<u8> {
    key([&file(mark, number), member.as_bytes()])
}

/// The member that a key is of what is known of a file for; none for any other.
pub fn read_file_of_member(key: &[u8]) -> Option<NodeId> {
    let member = key.strip_prefix(&[HOME, FILE])?.get(17..)?;
    Some(NodeId::from_trusted(member.try_into().ok()?))
}

/// The key of up to which size files come here unasked, as a contact knows.
pub fn push_told(node: &NodeId) -> Vec<u8> {
    key([&[HOME, PUSH_TOLD], node.as_bytes()])
}

/// The key of up to which size files go to somebody unasked.
pub fn push(node: &NodeId) -> Vec<u8> {
    key([&[HOME, PUSH], node.as_bytes()])
}

/// The message whose file a key is of.
pub fn read_file(key: &[u8]) -> Option<[u8; 16]> {
    key.strip_prefix(&[HOME, FILE])?.first_chunk().copied()
}

/// The key of what is usual with a node.
pub fn usual(node: &NodeId) -> Vec<u8> {
    key([&[HOME, USUAL], node.as_bytes()])
}

pub fn write_node(node: &NodeId) -> Vec<u8> {
    node.as_bytes().to_vec()
}

/// Reads what [`write_node`] wrote; none for what is no key.
pub fn read_node(value: &[u8]) -> Option<NodeId> {
    NodeId::from_key(value.try_into().ok()?).ok()
}

/// The key of the draft that a message was.
pub fn draft_of_message(row: Row) -> Vec<u8> {
    key([&of_message(row), &[DRAFT]])
}

/// The key that says of a message that it was brought from an earlier home, and that its signature was not looked at here.
pub fn imported(row: Row) -> Vec<u8> {
    key([&[BROUGHT], &row.0.to_be_bytes()])
}

/// The key of the event with which an update of an app came here, or was made; the store keeps it by itself.
pub fn updated(row: Row) -> Vec<u8> {
    key([&[UPDATED], &row.0.to_be_bytes()])
}

/// The key that an earlier version wrote.
pub fn imported_before(row: Row) -> Vec<u8> {
    key([&of_message(row), &[IMPORTED]])
}

/// The key of when a message was shown first.
pub fn shown(row: Row) -> Vec<u8> {
    key([&of_message(row), &[SHOWN]])
}

/// The key of when a message was forgotten whose time was over.
pub fn gone(row: Row) -> Vec<u8> {
    key([&of_message(row), &[GONE]])
}

pub fn write_moment(at: Moment) -> Vec<u8> {
    key([&at.now.0.to_be_bytes(), &at.wall.0.to_be_bytes()])
}

/// The beginning of all time for what is none.
pub fn read_moment(value: &[u8]) -> Moment {
    Moment { now: Timestamp(number(value, 0)), wall: DtnTime(number(value, 8)) }
}

/// The start of the keys of all drafts.
pub fn drafts() -> Vec<u8> {
    vec![HOME, DRAFT]
}

pub fn draft(number: u64) -> Vec<u8> {
    key([&drafts(), &number.to_be_bytes()])
}

/// Reads the key of a draft; none for any other.
pub fn read_draft(key: &[u8]) -> Option<u64> {
    let number = key.strip_prefix(&[HOME, DRAFT])?;
    number.try_into().ok().map(u64::from_be_bytes)
}

pub fn next_number() -> Vec<u8> {
    vec![HOME, NUMBER]
}

/// The start of the keys of all that was sent once.
pub fn all_once() -> Vec<u8> {
    vec![HOME, ONCE]
}

/// The key of what was sent under a key of whoever asked for it.
pub fn once(named: &str) -> Vec<u8> {
    key([&all_once(), &blake3::hash(named.as_bytes()).as_bytes()[..16]])
}

/// The start of the keys of all drafts that were sent.
pub fn all_sent() -> Vec<u8> {
    vec![HOME, SENT]
}

pub fn sent(number: u64) -> Vec<u8> {
    key([&all_sent(), &number.to_be_bytes()])
}

pub fn write_ids(ids: &[BundleId]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.0).collect()
}

pub fn read_ids(value: &[u8]) -> Vec<BundleId> {
    value.chunks_exact(32).filter_map(|id| id.try_into().ok()).map(BundleId).collect()
}

pub fn write_bytes(bytes: u64) -> Vec<u8> {
    bytes.to_be_bytes().to_vec()
}

/// Zero for what is none.
pub fn read_bytes(value: &[u8]) -> u64 {
    value.try_into().map_or(0, u64::from_be_bytes)
}

pub fn write_number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// Zero of what is no number.
pub fn read_number(value: &[u8]) -> u64 {
    number(value, 0)
}

/// The draft that a message was, and when it was meant to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasDraft {
    pub number: u64,
    pub at: Option<DtnTime>,
}

impl WasDraft {
    pub fn write(&self) -> Vec<u8> {
        key([&self.number.to_be_bytes(), &time(self.at)])
    }

    pub fn read(value: &[u8]) -> WasDraft {
        let at = Some(DtnTime(number(value, 8))).filter(|at| at.0 != 0);
        WasDraft { number: number(value, 0), at }
    }
}

fn time(time: Option<DtnTime>) -> [u8; 8] {
    time.unwrap_or_default().0.to_be_bytes()
}

/// What a key of one message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfMessage {
    Place,
    Label(String),
    Draft,
    Shown,
    Gone,
    Imported,
}

/// Reads a key of a message; none for any other.
pub fn read_of_message(key: &[u8]) -> Option<(Row, OfMessage)> {
    let (head, rest) = key.split_at_checked(9)?;
    let what = match rest.split_first()? {
        (&PLACE, []) => OfMessage::Place,
        (&DRAFT, []) => OfMessage::Draft,
        (&SHOWN, []) => OfMessage::Shown,
        (&GONE, []) => OfMessage::Gone,
        (&IMPORTED, []) => OfMessage::Imported,
        (&LABEL, label) => OfMessage::Label(std::str::from_utf8(label).ok()?.to_owned()),
        _ => return None,
    };
    (head[0] == MESSAGE).then(|| (Row(number(head, 1)), what))
}

/// Reads the key of a message with a label; none for any other.
pub fn read_labelled(key: &[u8]) -> Option<(&str, Row)> {
    let (label, row) = key.strip_prefix(&[HOME, LABEL])?.split_last_chunk::<8>()?;
    let label = std::str::from_utf8(label.strip_suffix(&[0])?).ok()?;
    Some((label, Row(u64::from_be_bytes(*row))))
}

/// A conversation as a value names it.
pub fn write_conversation(with: &Conversation) -> Vec<u8> {
    with.key()
}

/// Reads what [`write_conversation`] wrote; none for anything else.
pub fn read_conversation(value: &[u8]) -> Option<Conversation> {
    (value.len() >= 34).then(|| Conversation::read(value)).flatten()
}

/// Whether a text can be a label: not empty, not too long, with nothing in it that is not seen, and taken for nothing else
/// where it is typed.
pub fn is_label(text: &str) -> bool {
    let is_plain = !text.contains(',') && !text.chars().any(|c| is_unsafe(c) || (c != ' ' && c.is_whitespace()));
    let is_bounded = !text.is_empty() && text.len() <= LABEL_BYTES_MAX && text.trim() == text;
    is_bounded && is_plain && !text.starts_with(['@', '#', '-'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eid::Eid;

    const NOON: DtnTime = DtnTime(1_000_000);

    fn with(n: u8) -> Conversation {
        Conversation(Eid::mail(NodeId::from_trusted([n; 32])))
    }

    #[test]
    fn keys_read_back_and_no_other_key_reads_as_one() {
        let row = Row(7);
        assert_eq!(read_of_message(&place_of_message(row)), Some((row, OfMessage::Place)));
        let label = OfMessage::Label("plans".into());
        assert_eq!(read_of_message(&label_of_message(row, "plans")), Some((row, label)));
        let group = Conversation(Eid { service: crate::eid::Service::Group("book club".into()), ..with(3).0 });
        assert_eq!(read_conversation(&write_conversation(&group)), Some(group));
        assert_eq!(read_labelled(&labelled_message("plans", row)), Some(("plans", row)));
        assert_eq!(read_of_message(&draft_of_message(row)), Some((row, OfMessage::Draft)));
        assert_eq!(read_of_message(&shown(row)), Some((row, OfMessage::Shown)));
        assert_eq!(read_of_message(&gone(row)), Some((row, OfMessage::Gone)));
        assert_eq!(read_of_message(&imported_before(row)), Some((row, OfMessage::Imported)));
        let at = Moment { now: Timestamp(7), wall: NOON };
        assert_eq!(read_moment(&write_moment(at)), at);
        assert_eq!((read_draft(&draft(7)), read_draft(&sent(7)), read_draft(&next_number())), (Some(7), None, None));
        let was = WasDraft { number: 7, at: Some(NOON) };
        assert_eq!(WasDraft::read(&was.write()), was);
        let ids = [BundleId([1; 32]), BundleId([2; 32])];
        assert_eq!(read_ids(&write_ids(&ids)), ids);
        assert_eq!(read_conversation(&write_conversation(&with(3))), Some(with(3)));
        for key in [&[][..], &[MESSAGE], &of_message(row), &[CONVERSATION, 1], &labels(), &labelled("plans")] {
            assert_eq!(read_of_message(key), None);
            assert_eq!(read_labelled(key), None, "{key:?}");
        }
        assert!(!labelled_message("plans", row).starts_with(&labelled("plan")), "one label begins another");
    }

    #[test]
    fn a_label_is_a_short_word_or_some_that_everybody_sees() {
        for good in ["plans", "to do", "2026", "наряд", "a-b", "x#y", "👍"] {
            assert!(is_label(good), "{good}");
        }
        let long = "x".repeat(LABEL_BYTES_MAX + 1);
        for bad in ["", " x", "x ", "@x", "#x", "-x", "a,b", "a\tb", "a\nb", "a\u{200b}b", "a\u{a0}b", &long] {
            assert!(!is_label(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_as_something_or_as_nothing(noise in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (read_of_message(&noise), read_labelled(&noise));
            let _ = read_conversation(&noise);
        }
    }
}

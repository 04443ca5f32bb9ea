//! What is published in a topic: signed by its owner or by whom the owner lists, and sealed for nobody.
//!
//! | key | field | value |
//! |---|---|---|
//! | 1 | kind | 0 a message, left out; 1 a list of writers, by the owner alone |
//! | 2 | sequence | rises with every message of a writer in a topic, and is no more than [`AHEAD_MAX`] past its creation time |
//! | 3 | key | text: what the message is the latest word on |
//! | 4 | body | text |
//! | 5 | leave | [until, signature]: the owner lets the writer write; not in the owner's own messages |
//! | 6 | writers | array of [key, until, signature]: all to whom the owner gives leave |
//!
//! A list says who may write and gives each a leave to show. Every message of theirs carries it, so that whoever carries a
//! topic can tell what belongs there from what does not, in whatever order things come and without having seen the list.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ContentError, KIND, read_map};
use crate::bundle::{Bundle, Signer, key};
use crate::cbor::{Reader, Writer};
use crate::eid::{Eid, TOPIC_BYTES_MAX, is_topic_name};
use crate::id::NodeId;
use crate::time::{DtnTime, HOUR};

/// Longest text of one message in bytes.
pub const BODY_BYTES_MAX: usize = 65_536;
/// Longest key in bytes.
pub const KEY_BYTES_MAX: usize = 128;
/// Most writers that an owner lists.
pub const WRITERS_MAX: usize = 64;
/// How far a sequence may be past the creation time, both in milliseconds: a writer may write faster than one a millisecond
/// for a while, and none takes the place of the latest for longer than this.
pub const AHEAD_MAX: u64 = HOUR.0;

/// What a bundle for a topic holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    pub sequence: u64,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Message {
        key: Option<String>,
        body: String,
        leave: Option<Leave>,
    },
    /// In the order of their keys.
    List(Vec<(NodeId, Leave)>),
}

/// The owner's word that somebody may write in a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// For messages created until then.
    pub until: DtnTime,
    pub signature: [u8; 64],
}

/// Which topics of an owner are meant: the name of one, or levels with `+` in the place of any, and `#` at the end for all
/// that follow (MQTT 5.0 section 4.7.1). Levels are as in the name, with dots between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Filter(Arc<str>);

impl Filter {
    /// None where it is no name, and no pattern of names either.
    pub fn parse(text: &str) -> Option<Filter> {
        let levels: Vec<&str> = text.split('.').collect();
        let (last, before) = levels.split_last()?;
        let is_level = |level: &str| level == "+" || is_topic_name(level);
        let good = text.len() <= TOPIC_BYTES_MAX && before.iter().all(|level| is_level(level));
        (good && (*last == "#" || is_level(last))).then(|| Filter(text.into()))
    }

    /// Whether it is the name of one topic.
    pub fn is_name(&self) -> bool {
        is_topic_name(&self.0)
    }

    pub fn matches(&self, name: &str) -> bool {
        let (mut levels, mut name) = (self.0.split('.'), name.split('.'));
        loop {
            match (levels.next(), name.next()) {
                // Also the level above: `a.#` means `a` too.
                (Some("#"), _) | (None, None) => return true,
                (Some("+"), Some(_)) => {}
                (Some(level), Some(part)) if level == part => {}
                _ => return false,
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a bundle does not belong in the topic it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("{0}")]
    Content(#[from] ContentError),
    #[error("it is for no topic")]
    NoTopic,
    #[error("it does not say when it was created")]
    Clockless,
    #[error("its sequence is far past its creation")]
    Sequence,
    #[error("its writer is not the owner, and shows no leave of the owner's that holds")]
    Writer,
}

const LIST: u64 = 1;

const SEQUENCE: u64 = 2;
const KEY: u64 = 3;
const BODY: u64 = 4;
const LEAVE: u64 = 5;
const WRITERS: u64 = 6;

impl Post {
    /// Reads what is in a bundle and whether it may be there: one answer, whoever asks and whenever.
    pub fn of(bundle: &Bundle) -> Result<Post, PostError> {
        let (topic, created) = (&bundle.destination, bundle.creation.time);
        if !topic.is_topic() {
            return Err(PostError::NoTopic);
        }
        if created.0 == 0 {
            return Err(PostError::Clockless);
        }
        let post = Post::decode(bundle.payload())?;
        if post.sequence > created.0.saturating_add(AHEAD_MAX) {
            return Err(PostError::Sequence);
        }
        let may = match &post.said {
            _ if bundle.source == topic.node => true,
            Said::Message { leave: Some(leave), .. } => created <= leave.until && leave.holds(topic, &bundle.source),
            Said::Message { leave: None, .. } | Said::List(_) => false,
        };
        if may { Ok(post) } else { Err(PostError::Writer) }
    }

    /// # Panics
    ///
    /// Where a text is longer than allowed, or there are more writers.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.said {
            Said::Message { key, body, leave } => {
                assert!(body.len() <= BODY_BYTES_MAX, "a text of a topic is short");
                out.map(1 + usize::from(key.is_some()) + usize::from(!body.is_empty()) + usize::from(leave.is_some()));
                self.write_sequence(&mut out);
                if let Some(key) = key {
                    assert!(key.len() <= KEY_BYTES_MAX, "a key is short");
                    out.uint(KEY);
                    out.text(key);
                }
                if !body.is_empty() {
                    out.uint(BODY);
                    out.text(body);
                }
                if let Some(leave) = leave {
                    out.uint(LEAVE);
                    out.array(2);
                    leave.write(&mut out);
                }
            }
            Said::List(writers) => {
                assert!(writers.len() <= WRITERS_MAX && writers.is_sorted_by(|a, b| a.0 < b.0), "writers are few");
                out.map(3);
                out.uint(KIND);
                out.uint(LIST);
                self.write_sequence(&mut out);
                out.uint(WRITERS);
                out.array(writers.len());
                for (writer, leave) in writers {
                    out.array(3);
                    out.bytes(writer.as_bytes());
                    leave.write(&mut out);
                }
            }
        }
        out
    }

    fn write_sequence(&self, out: &mut Vec<u8>) {
        out.uint(SEQUENCE);
        out.uint(self.sequence);
    }

    /// Decodes what [`Post::encode`] writes; fields of later versions are passed over.
    pub fn decode(bytes: &[u8]) -> Result<Post, ContentError> {
        let (mut kind, mut sequence, mut key, mut body, mut leave, mut writers) = (0, None, None, None, None, None);
        read_map(bytes, &mut |field, reader| {
            match field {
                KIND => kind = default_left_out(reader.uint()?, KIND)?,
                SEQUENCE => sequence = Some(reader.uint()?),
                KEY => key = Some(short(reader.text()?, KEY_BYTES_MAX, "key")?),
                BODY => {
                    let text = short(reader.text()?, BODY_BYTES_MAX, "text")?;
                    body = Some(if text.is_empty() { return Err(ContentError::Default(BODY)) } else { text });
                }
                LEAVE => {
                    reader.array_exact(2)?;
                    leave = Some(Leave::read(reader)?);
                }
                WRITERS => writers = Some(read_writers(reader)?),
                _ => drop(reader.skip()?),
            }
            Ok(())
        })?;
        let sequence = sequence.ok_or(ContentError::Missing("its sequence"))?;
        let said = match kind {
            0 => Said::Message { key, body: body.unwrap_or_default(), leave },
            LIST => Said::List(writers.ok_or(ContentError::Missing("who may write"))?),
            _ => return Err(ContentError::Odd("kind")),
        };
        Ok(Post { sequence, said })
    }
}

impl Leave {
    /// The owner's leave for `writer` in a topic that `owner` has.
    pub fn give(topic: &Eid, writer: &NodeId, until: DtnTime, owner: &dyn Signer) -> Leave {
        Leave { until, signature: owner.sign(&signed_bytes(topic, writer, until)) }
    }

    /// Whether the owner of a topic gave it to `writer`.
    pub fn holds(&self, topic: &Eid, writer: &NodeId) -> bool {
        key::verify(topic.node, &[&signed_bytes(topic, writer, self.until)], &self.signature) == Ok(true)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.uint(self.until.0);
        out.bytes(&self.signature);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Leave, ContentError> {
        Ok(Leave { until: DtnTime(reader.uint()?), signature: reader.bytes_exact()? })
    }
}

/// What an owner signs for a writer.
pub fn signed_bytes(topic: &Eid, writer: &NodeId, until: DtnTime) -> Vec<u8> {
    let mut bytes = b"dak 2026 topic leave v1".to_vec();
    bytes.extend(topic.to_string().as_bytes());
    bytes.extend(writer.as_bytes());
    bytes.extend(until.0.to_be_bytes());
    bytes
}

fn read_writers(reader: &mut Reader<'_>) -> Result<Vec<(NodeId, Leave)>, ContentError> {
    let many = reader.array()?;
    if many > WRITERS_MAX {
        return Err(ContentError::TooMany("writers"));
    }
    let mut writers = Vec::new();
    for _ in 0..many {
        reader.array_exact(3)?;
        // A key that is none could sign nothing.
        let writer = NodeId::from_trusted(reader.bytes_exact()?);
        writers.push((writer, Leave::read(reader)?));
    }
    if !writers.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(ContentError::Odd("order of writers"));
    }
    Ok(writers)
}

fn default_left_out(value: u64, field: u64) -> Result<u64, ContentError> {
    if value == 0 { Err(ContentError::Default(field)) } else { Ok(value) }
}

fn short(text: &str, bytes_max: usize, what: &'static str) -> Result<String, ContentError> {
    if text.len() > bytes_max { Err(ContentError::Odd(what)) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Creation, Draft, Kind, Priority};
    use crate::time::DAY;
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn topic() -> Eid {
        Eid::topic(key(1).node(), "sensors.temp")
    }

    const NOW: DtnTime = DtnTime(850_000_000_000);

    fn bundle(by: u8, time: DtnTime, post: &Post) -> Bundle {
        let creation = Creation { time, sequence: 7 };
        let (kind, source, destination) = (Kind::Message, key(by).node(), topic());
        let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority: Priority::Normal, copies: 1 };
        draft.sign(&post.encode(), &key(by)).unwrap()
    }

    fn message(leave: Option<Leave>) -> Post {
        Post { sequence: NOW.0, said: Said::Message { key: None, body: "21".into(), leave } }
    }

    fn leave(until: DtnTime, writer: u8, owner: u8) -> Option<Leave> {
        Some(Leave::give(&topic(), &key(writer).node(), until, &key(owner)))
    }

    #[test]
    fn the_owner_may_write_and_who_shows_the_owners_leave_and_nobody_else() {
        let may = |by, post: &Post| Post::of(&bundle(by, NOW, post)).is_ok();
        assert!(may(1, &message(None)));
        assert!(may(2, &message(leave(NOW, 2, 1))));
        assert!(!may(2, &message(None)), "no leave");
        assert!(!may(3, &message(leave(NOW, 2, 1))), "another's");
        assert!(!may(2, &message(leave(NOW, 2, 2))), "given by oneself");
        assert!(!may(2, &message(leave(DtnTime(NOW.0 - 1), 2, 1))), "over");
        let other = Leave::give(&Eid::topic(key(1).node(), "other"), &key(2).node(), NOW, &key(1));
        assert!(!may(2, &message(Some(other))), "for another topic");
        let list = Post { sequence: 1, said: Said::List(vec![(key(2).node(), leave(NOW, 2, 1).unwrap())]) };
        assert!(may(1, &list));
        assert!(!may(2, &list), "a list that its owner did not write");
    }

    #[test]
    fn what_has_no_clock_and_what_runs_far_ahead_of_its_own_is_refused() {
        assert_eq!(Post::of(&bundle(1, DtnTime(0), &message(None))), Err(PostError::Clockless));
        let ahead = |by| Post { sequence: NOW.0 + by, ..message(None) };
        assert!(Post::of(&bundle(1, NOW, &ahead(AHEAD_MAX))).is_ok());
        for sequence in [ahead(AHEAD_MAX + 1).sequence, u64::MAX] {
            let post = Post { sequence, ..message(None) };
            assert_eq!(Post::of(&bundle(1, NOW, &post)), Err(PostError::Sequence));
        }
    }

    #[test]
    fn filters_match_as_in_mqtt() {
        let matching = |filter: &str, name: &str| Filter::parse(filter).unwrap().matches(name);
        for (filter, name) in [
            ("a", "a"),
            ("a.b", "a.b"),
            ("a.+", "a.b"),
            ("+.b", "a.b"),
            ("#", "a.b.c"),
            ("a.#", "a.b.c"),
            ("a.#", "a"),
            ("+", "a"),
        ] {
            assert!(matching(filter, name), "{filter} {name}");
        }
        for (filter, name) in
            [("a", "b"), ("a", "a.b"), ("a.+", "a"), ("a.+", "a.b.c"), ("+", "a.b"), ("a.b.#", "a"), ("a.b", "a")]
        {
            assert!(!matching(filter, name), "{filter} {name}");
        }
        for bad in ["", ".", "a.", "#.a", "a#", "a+", "A", "a/b", "a..b", "ä"] {
            assert_eq!(Filter::parse(bad), None, "{bad}");
        }
    }

    fn any_post() -> impl Strategy<Value = Post> {
        let leave =
            (any::<u64>(), any::<[u8; 64]>()).prop_map(|(until, signature)| Leave { until: DtnTime(until), signature });
        let message = ("[^\u{0}]{0,20}", proptest::option::of("\\PC{0,20}"), proptest::option::of(leave.clone()))
            .prop_map(|(body, key, leave)| Said::Message { key, body, leave });
        let list = proptest::collection::btree_map(any::<[u8; 32]>(), leave, 0..5)
            .prop_map(|map| Said::List(map.into_iter().map(|(key, l)| (NodeId::from_trusted(key), l)).collect()));
        (any::<u64>(), prop_oneof![message, list]).prop_map(|(sequence, said)| Post { sequence, said })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(post in any_post()) {
            prop_assert_eq!(Post::decode(&post.encode()), Ok(post));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Post::decode(&bytes);
        }

        #[test]
        fn one_changed_byte_is_read_or_refused(post in any_post(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut bytes = post.encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(read) = Post::decode(&bytes) {
                prop_assert_eq!(Post::decode(&read.encode()), Ok(read));
            }
        }
    }
}

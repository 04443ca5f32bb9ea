//! Content: what a person wrote, as the sealed payload carries it.
//!
//! Every kind of content is a deterministic CBOR map with small integer keys; field 1 is the kind, and each kind owns its
//! other fields and their bounds:
//!
//! | kind | content | in |
//! |---|---|---|
//! | 0, left out | [`Text`]: words, and files that ride along | `text` |
//! | 1 | [`Amendment`]: a change of something written: other words, withdrawn, a reaction, a task's fields | `amendment` |
//! | 2 | [`FileAsk`]: a request for parts of a file, or word that no more are wanted | `file` |
//! | 3 | [`Part`]: one part of a file that is too large to ride inside a text | `file` |
//! | 4 | [`GroupWord`]: who is in a group, its keys, what of it is missing or came | `group` |
//! | 5 | [`AppUpdate`]: what one who uses a shared app tells the others | `app` |
//! | any other | [`Unknown`]: written by a newer version; kept whole, and never shown as a text | here |
//!
//! Fields at their defaults are left out. Fields that this version does not know are kept byte for byte, so that an older
//! program passes on what a newer one wrote. Before sealing, content is padded, so that its length says little ([`pad`]).

mod amendment;
mod app;
mod file;
pub mod group;
pub mod json;
mod likeness;
mod padding;
mod proof;
mod tags;
mod text;
pub mod topic;

pub use self::amendment::{Amendment, Mark, PRIOR_MAX, REACTION_BYTES_MAX, Reaction, TaskState};
pub use self::app::{
    ADDRESS_BYTES_MAX, AppUpdate, HREF_BYTES_MAX, INFO_BYTES_MAX, NOTICE_BYTES_MAX, NOTIFIED_MAX, PAYLOAD_BYTES_MAX,
    TITLE_BYTES_MAX,
};
pub use self::file::{
    ENCLOSED_MAX, Enclosed, FILE_BYTES_MAX, FILE_NAME_BYTES_MAX, FileAsk, FileKey, PART_BYTES, PART_LOG, PUSH_BYTES,
    PUSH_BYTES_MAX, Part, PartTree, Root, Shape, WANTED_MAX, part_len, part_node, parts_of,
};
pub use self::group::GroupWord;
pub use self::likeness::{Digest, Likeness, words_of};
pub use self::padding::{PADDED_BYTES_MIN, pad, pad_as_before, padded_len, unpad};
pub use self::proof::{Proof, REST_BYTES_MAX, Seal};
pub use self::tags::{STEPS_MAX, TAG_AUTOMATIC, TAG_DECISION, TAG_FYI, TAG_QUESTION, automatic_after, steps_of};
pub use self::text::{
    AFTER_READ_MS_MAX, ATTACHMENTS_MAX, AfterRead, Attachment, Forwarded, INTRODUCED_BYTES_MAX, Introduced, NewTask,
    OFFSET_MINUTES_MAX, Text,
};

use self::amendment::CHANGE;
use self::app::UPDATE;
use self::file::{ASK, PART};
use self::group::WORD;
use crate::cbor::{CborError, Reader, Writer};

/// Most fields of one content that this version does not know.
pub const EXTRA_FIELDS_MAX: usize = 64;
/// Longest content in bytes that fits a bundle, padding, seal and signature included.
pub const CONTENT_BYTES_MAX: usize = 1_000_000;

/// The key of the kind.
const KIND: u64 = 1;
/// The kind of a text.
const TEXT: u64 = 0;

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Text(Text),
    Change(Amendment),
    Ask(FileAsk),
    Part(Part),
    Group(Box<GroupWord>),
    App(AppUpdate),
    Unknown(Unknown),
}

/// Content of a kind that this version does not know. Its fields may mean something else there, so nothing is read from
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// None of those above.
    pub kind: u64,
    /// Every other field: its key and its encoded value, in the order of the keys.
    pub fields: Vec<Field>,
}

/// Content as the record of a home keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    pub key: KeyUsed,
    /// As [`Content::encode`] writes it, or as it came.
    pub content: Vec<u8>,
    /// Of what came, how it was sealed and signed; none where a version before did not keep it, or a key that is gone opened
    /// it.
    pub seal: Option<Box<Seal>>,
}

/// The key that opened content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUsed {
    /// It was written here, and never opened.
    Own,
    /// The identity key: whoever takes that key later reads the sealed message too.
    Identity,
    /// The prekey of this name.
    Prekey([u8; 8]),
    /// The key of the group's epoch of this name: every member has it.
    Group([u8; 16]),
}

/// What a listing shows of content: its words cut, its attachments only by name and length in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Without attachments.
    pub content: Content,
    pub files: Vec<(String, usize)>,
}

/// The key of a field, and its encoded value.
pub type Field = (u64, Vec<u8>);

/// Why bytes are no content, or not padded content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    #[error("the message is not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("the message writes out field {0}, though it has its default")]
    Default(u64),
    #[error("the message has more {0} than allowed")]
    TooMany(&'static str),
    #[error("the message does not say {0}")]
    Missing(&'static str),
    #[error("the {0} of the message cannot be")]
    Odd(&'static str),
    #[error("the message is not padded as it must be")]
    Padding,
    #[error("the message names an author whose key is none")]
    Author,
}

impl Content {
    /// Encodes the content. Panics if it has more attachments or unknown fields than allowed, or if unknown fields have
    /// known keys or are out of order.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.encode(),
            Content::Change(amendment) => amendment.encode(),
            Content::Ask(ask) => ask.encode(),
            Content::Part(part) => part.encode(),
            Content::Group(word) => word.encode(),
            Content::App(update) => update.encode(),
            Content::Unknown(unknown) => unknown.encode(),
        }
    }

    /// Decodes content; encoding it again gives the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Content, ContentError> {
        match kind(bytes)? {
            TEXT => Text::decode(bytes).map(Content::Text),
            CHANGE => Amendment::decode(bytes).map(Content::Change),
            ASK => FileAsk::decode(bytes).map(Content::Ask),
            PART => Part::decode(bytes).map(Content::Part),
            WORD => GroupWord::decode(bytes).map(|word| Content::Group(Box::new(word))),
            UPDATE => AppUpdate::decode(bytes).map(Content::App),
            _ => Unknown::decode(bytes).map(Content::Unknown),
        }
    }
}

impl KeyUsed {
    /// Whether the key is gone once it opened what was sealed to it.
    pub fn is_forward_secret(self) -> bool {
        matches!(self, KeyUsed::Prekey(_))
    }
}

impl Outline {
    /// Decodes what a listing shows of content; a text's words have at most `chars_max` characters each.
    pub fn decode(bytes: &[u8], chars_max: usize) -> Result<Outline, ContentError> {
        let (content, files) = match kind(bytes)? {
            TEXT => {
                let (text, files) = Text::outline(bytes, chars_max)?;
                (Content::Text(text), files)
            }
            _ => (Content::decode(bytes)?, Vec::new()),
        };
        Ok(Outline { content, files })
    }
}

impl From<Text> for Content {
    fn from(text: Text) -> Content {
        Content::Text(text)
    }
}

impl Unknown {
    fn encode(&self) -> Vec<u8> {
        assert!(![TEXT, CHANGE, ASK, PART, WORD, UPDATE].contains(&self.kind), "a known kind has fields of its own");
        let mut out = Vec::new();
        let write_kind = |out: &mut Vec<u8>| {
            out.uint(KIND);
            out.uint(self.kind);
        };
        write_map(&self.fields, 1, write_kind, &mut out);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Unknown, ContentError> {
        let mut unknown = Unknown::default();
        read_map(bytes, &mut |key, reader| {
            if key != KIND {
                return keep(key, reader, &mut unknown.fields);
            }
            unknown.kind = reader.uint()?;
            Ok(())
        })?;
        Ok(unknown)
    }
}

/// Whether encoded content is a part of a file.
pub fn is_part(content: &[u8]) -> bool {
    kind(content) == Ok(PART)
}

/// Which part of a file encoded content is, where it is one: without what it holds.
pub fn part_stub(content: &[u8]) -> Option<Part> {
    is_part(content).then(|| Part::decode_stub(content).ok())?
}

/// Whether encoded content is a word about a group, which may have keys in it.
pub fn is_group_word(content: &[u8]) -> bool {
    kind(content) == Ok(WORD)
}

/// Whether encoded content is a text with a file inside whose name is meant.
pub fn has_attachment(content: &[u8], is_meant: fn(&str) -> bool) -> bool {
    kind(content) == Ok(TEXT) && Text::has_attachment(content, is_meant)
}

/// Whether encoded content is an update of a shared app.
pub fn is_app_update(content: &[u8]) -> bool {
    kind(content) == Ok(UPDATE)
}

/// The kind of encoded content.
fn kind(bytes: &[u8]) -> Result<u64, ContentError> {
    let mut reader = Reader::new(bytes);
    for _ in 0..reader.map()? {
        match reader.uint()? {
            KIND => return Ok(reader.uint()?),
            // Keys are in order.
            key if key > KIND => break,
            _ => drop(reader.skip()?),
        }
    }
    Ok(TEXT)
}

/// Reads a map whose keys rise; `field` reads each value.
fn read_map(
    bytes: &[u8],
    field: &mut dyn FnMut(u64, &mut Reader<'_>) -> Result<(), ContentError>,
) -> Result<(), ContentError> {
    let mut reader = Reader::new(bytes);
    let mut last = None;
    for _ in 0..reader.map()? {
        let key = reader.uint()?;
        if last.is_some_and(|last| key <= last) {
            return Err(CborError::KeyOrder.into());
        }
        last = Some(key);
        field(key, &mut reader)?;
    }
    Ok(reader.finish()?)
}

/// Keeps a field that this version does not know.
fn keep(key: u64, reader: &mut Reader<'_>, extra: &mut Vec<Field>) -> Result<(), ContentError> {
    if extra.len() == EXTRA_FIELDS_MAX {
        return Err(ContentError::TooMany("unknown fields"));
    }
    extra.push((key, reader.skip()?.to_vec()));
    Ok(())
}

/// Writes a map of `known` fields, which `write_known` writes, among those that were kept: known keys are next to each
/// other, from [`KIND`] on.
fn write_map(extra: &[Field], known: usize, write_known: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    assert!(extra.len() <= EXTRA_FIELDS_MAX, "unknown fields are counted on decoding");
    assert!(extra.is_sorted_by(|a, b| a.0 < b.0), "unknown fields come in the order of their keys");
    assert!(extra.iter().all(|(key, _)| *key != KIND), "the kind is no unknown field");
    let (before, after) = extra.split_at(extra.partition_point(|(key, _)| *key < KIND));
    out.map(known + extra.len());
    before.iter().for_each(|field| write_field(field, out));
    write_known(out);
    after.iter().for_each(|field| write_field(field, out));
}

fn write_field((key, value): &Field, out: &mut Vec<u8>) {
    out.uint(*key);
    out.raw(value);
}

//! Texts: words, and the files that ride along with them.
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | thread | 16 bytes |
//! | 3 | in reply to | 16 bytes |
//! | 4 | subject | text |
//! | 5 | body | text |
//! | 6 | attachments | array of [name, bytes] |
//! | 7 | reply by | ms since 2000-01-01 |
//! | 8 | expire after read | ms, from 1 on; `true` of a version that named no span |
//! | 9 | offset | the writer's offset from UTC, signed, in minutes |
//! | 10 | same | 16 bytes |
//! | 11 | tags | set of bits |
//! | 12 | forwarded | [author, first 16 bytes of the id, ms since 2000-01-01] |
//! | 13 | remark | text |
//! | 14 | task | [assignee or nothing, due: ms since 2000-01-01, or 0] |
//! | 15 | introduces | [name, key] |
//! | 16 | proof | `proof.rs` |
//! | 17 | enclosed | array of at most 16 times [name, size, root, key, 0 or 1 for a folder, log2 of a part's bytes] |

use super::file::{ENCLOSED_MAX, Enclosed, read_enclosed};
use super::proof::Proof;
use super::{ContentError, Field, keep, read_map, write_map};
use crate::cbor::{CborError, Reader, Writer};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime, Millis};

/// A person's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub subject: Option<String>,
    pub body: String,
    /// The first message of the conversation, by the first 16 bytes of its bundle id.
    pub thread: Option<[u8; 16]>,
    pub in_reply_to: Option<[u8; 16]>,
    /// At most [`ATTACHMENTS_MAX`].
    pub attachments: Vec<Attachment>,
    /// Wall time in milliseconds since the DTN epoch.
    pub reply_by: Option<u64>,
    /// It is to be forgotten so long after it was read.
    pub expire_after_read: Option<AfterRead>,
    /// How far ahead of UTC the writer's clock on the wall was, in minutes, at most [`OFFSET_MINUTES_MAX`] either way.
    pub offset: Option<i16>,
    /// The first bundle of this content, where this is a later one, by the first 16 bytes of its id.
    pub same: Option<[u8; 16]>,
    /// What the writer means it to be: [`super::TAG_QUESTION`] and the like, and bits of newer versions.
    pub tags: u64,
    /// Whose words the body and the attachments are, where they are not the writer's own.
    pub forwarded: Option<Box<Forwarded>>,
    /// What the writer says of what is forwarded.
    pub remark: String,
    /// It is a task from the start.
    pub task: Option<NewTask>,
    /// Somebody whom the writer knows.
    pub introduces: Option<Box<Introduced>>,
    /// That what is forwarded is signed by its author.
    pub proof: Option<Box<Proof>>,
    /// Files that come in parts of their own; at most [`ENCLOSED_MAX`].
    pub enclosed: Vec<Enclosed>,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

/// How long after it was read a text is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRead {
    /// At least a millisecond and at most [`AFTER_READ_MS_MAX`].
    Span(Millis),
    /// The writer named no span.
    Unsaid,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    /// Who is to do it.
    pub assignee: Option<NodeId>,
    pub due: Option<DtnTime>,
}

/// Somebody by the name that the writer gave, which is nobody else's name for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduced {
    /// At most [`INTRODUCED_BYTES_MAX`].
    pub name: String,
    pub node: NodeId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Where forwarded words come from, as the one who forwards them says; a proof may show that it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    pub author: NodeId,
    /// The message they were in, by the first 16 bytes of its id.
    pub id: [u8; 16],
    /// When it was written, in milliseconds since the DTN epoch; 0 where its writer had no clock.
    pub sent: u64,
}

/// Longest time in milliseconds after which a text that was read is to be forgotten: a year.
pub const AFTER_READ_MS_MAX: u64 = 365 * DAY.0;
/// How long that is where nobody says.
const AFTER_READ_UNSAID: Millis = DAY;
/// Most attachments of one text.
pub const ATTACHMENTS_MAX: usize = 64;
/// Longest name of somebody introduced, in bytes.
pub const INTRODUCED_BYTES_MAX: usize = 64;
/// Eighteen hours; no place on earth is further from UTC.
pub const OFFSET_MINUTES_MAX: i16 = 1_080;

pub(super) const THREAD: u64 = 2;
pub(super) const IN_REPLY_TO: u64 = 3;
const SUBJECT: u64 = 4;
pub(super) const BODY: u64 = 5;
const ATTACHMENTS: u64 = 6;
const REPLY_BY: u64 = 7;
pub(super) const EXPIRE_AFTER_READ: u64 = 8;
const OFFSET: u64 = 9;
pub(super) const SAME: u64 = 10;
const TAGS: u64 = 11;
const FORWARDED: u64 = 12;
const REMARK: u64 = 13;
const TASK: u64 = 14;
const INTRODUCES: u64 = 15;
const PROOF: u64 = 16;
const ENCLOSED: u64 = 17;

impl Text {
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.attachments.len() <= ATTACHMENTS_MAX, "attachments are counted at compose");
        assert!(self.enclosed.len() <= ENCLOSED_MAX, "files are counted at compose");
        assert!(self.offset.is_none_or(is_offset), "an offset is checked at compose");
        assert!(self.expire_after_read.is_none_or(AfterRead::is_bounded), "a span is checked at compose");
        assert!(self.extra.iter().all(|(key, _)| !is_known(*key)), "unknown fields have unknown keys");
        let fields = self.known_fields();
        let mut out = Vec::with_capacity(64 + self.body.len());
        let write_known = |out: &mut Vec<u8>| fields.iter().for_each(|key| self.write_field(*key, out));
        write_map(&self.extra, fields.len(), write_known, &mut out);
        out
    }

    /// The keys of the fields that are not at their defaults.
    fn known_fields(&self) -> Vec<u64> {
        let present = [
            (THREAD, self.thread.is_some()),
            (IN_REPLY_TO, self.in_reply_to.is_some()),
            (SUBJECT, self.subject.is_some()),
            (BODY, !self.body.is_empty()),
            (ATTACHMENTS, !self.attachments.is_empty()),
            (REPLY_BY, self.reply_by.is_some()),
            (EXPIRE_AFTER_READ, self.expire_after_read.is_some()),
            (OFFSET, self.offset.is_some()),
            (SAME, self.same.is_some()),
            (TAGS, self.tags != 0),
            (FORWARDED, self.forwarded.is_some()),
            (REMARK, !self.remark.is_empty()),
            (TASK, self.task.is_some()),
            (INTRODUCES, self.introduces.is_some()),
            (PROOF, self.proof.is_some()),
            (ENCLOSED, !self.enclosed.is_empty()),
        ];
        present.into_iter().filter_map(|(key, present)| present.then_some(key)).collect()
    }

    fn write_field(&self, key: u64, out: &mut Vec<u8>) {
        out.uint(key);
        match key {
            THREAD => out.bytes(&self.thread.expect("only present fields are written")),
            IN_REPLY_TO => out.bytes(&self.in_reply_to.expect("only present fields are written")),
            SUBJECT => out.text(self.subject.as_deref().unwrap_or_default()),
            BODY => out.text(&self.body),
            ATTACHMENTS => {
                out.array(self.attachments.len());
                for attachment in &self.attachments {
                    out.array(2);
                    out.text(&attachment.name);
                    out.bytes(&attachment.bytes);
                }
            }
            REPLY_BY => out.uint(self.reply_by.unwrap_or_default()),
            EXPIRE_AFTER_READ => match self.expire_after_read {
                Some(AfterRead::Span(span)) => out.uint(span.0),
                _ => out.bool(true),
            },
            OFFSET => out.int(self.offset.unwrap_or_default().into()),
            SAME => out.bytes(&self.same.expect("only present fields are written")),
            TAGS => out.uint(self.tags),
            FORWARDED => self.forwarded.as_ref().expect("only present fields are written").write(out),
            REMARK => out.text(&self.remark),
            TASK => self.task.unwrap_or_default().write(out),
            INTRODUCES => self.introduces.as_ref().expect("only present fields are written").write(out),
            PROOF => self.proof.as_ref().expect("only present fields are written").write(out),
            ENCLOSED => {
                out.array(self.enclosed.len());
                self.enclosed.iter().for_each(|file| file.write(out));
            }
            _ => unreachable!("known fields have known keys"),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Text, ContentError> {
        let mut attachments = Vec::new();
        let text = Text::read(bytes, usize::MAX, &mut |name, bytes| {
            attachments.push(Attachment { name: name.to_owned(), bytes: bytes.to_vec() });
        })?;
        Ok(Text { attachments, ..text })
    }

    /// Reads a text with words of at most `chars_max` characters each; its attachments only by name and length in bytes.
    pub(super) fn outline(bytes: &[u8], chars_max: usize) -> Result<(Text, Vec<(String, usize)>), ContentError> {
        let mut files = Vec::new();
        let text = Text::read(bytes, chars_max, &mut |name, bytes| files.push((cut(name, chars_max), bytes.len())))?;
        Ok((text, files))
    }

    /// Whether a file that rides inside a text has such a name.
    pub(super) fn has_attachment(bytes: &[u8], is_meant: fn(&str) -> bool) -> bool {
        let mut has = false;
        Text::read(bytes, 0, &mut |name, _| has |= is_meant(name)).is_ok() && has
    }

    /// Reads a text with its words cut; its attachments go to `attach`.
    fn read(bytes: &[u8], chars_max: usize, attach: &mut dyn FnMut(&str, &[u8])) -> Result<Text, ContentError> {
        let mut text = Text::default();
        read_map(bytes, &mut |key, reader| text.read_field(key, reader, chars_max, attach))?;
        Ok(text)
    }

    fn read_field(
        &mut self,
        key: u64,
        reader: &mut Reader<'_>,
        chars_max: usize,
        attach: &mut dyn FnMut(&str, &[u8]),
    ) -> Result<(), ContentError> {
        let default = match key {
            // A text's own kind is the default.
            super::KIND => true,
            THREAD => {
                self.thread = Some(reader.bytes_exact()?);
                false
            }
            IN_REPLY_TO => {
                self.in_reply_to = Some(reader.bytes_exact()?);
                false
            }
            SUBJECT => {
                self.subject = Some(cut(reader.text()?, chars_max));
                false
            }
            BODY => {
                let body = reader.text()?;
                self.body = cut(body, chars_max);
                body.is_empty()
            }
            ATTACHMENTS => read_attachments(reader, attach)? == 0,
            REPLY_BY => {
                self.reply_by = Some(reader.uint()?);
                false
            }
            EXPIRE_AFTER_READ => {
                self.expire_after_read = Some(AfterRead::read(reader)?);
                false
            }
            OFFSET => {
                let offset = i16::try_from(reader.int()?).ok().filter(|offset| is_offset(*offset));
                self.offset = Some(offset.ok_or(CborError::Range)?);
                false
            }
            SAME => {
                self.same = Some(reader.bytes_exact()?);
                false
            }
            TAGS => {
                self.tags = reader.uint()?;
                self.tags == 0
            }
            FORWARDED => {
                self.forwarded = Some(Box::new(Forwarded::read(reader)?));
                false
            }
            REMARK => {
                let remark = reader.text()?;
                self.remark = cut(remark, chars_max);
                remark.is_empty()
            }
            TASK => {
                self.task = Some(NewTask::read(reader)?);
                false
            }
            INTRODUCES => {
                self.introduces = Some(Box::new(Introduced::read(reader)?));
                false
            }
            PROOF => {
                self.proof = Some(Box::new(Proof::read(reader)?));
                false
            }
            ENCLOSED => {
                self.enclosed = read_enclosed(reader)?;
                self.enclosed.is_empty()
            }
            _ => {
                keep(key, reader, &mut self.extra)?;
                false
            }
        };
        if default { Err(ContentError::Default(key)) } else { Ok(()) }
    }
}

impl AfterRead {
    pub fn span(self) -> Millis {
        match self {
            AfterRead::Span(span) => span,
            AfterRead::Unsaid => AFTER_READ_UNSAID,
        }
    }

    fn is_bounded(self) -> bool {
        (1..=AFTER_READ_MS_MAX).contains(&self.span().0)
    }

    fn read(reader: &mut Reader<'_>) -> Result<AfterRead, ContentError> {
        if reader.take_if(&[0xf5]) {
            return Ok(AfterRead::Unsaid);
        }
        if reader.peek() == Some(0xf4) {
            return Err(ContentError::Default(EXPIRE_AFTER_READ));
        }
        let after = AfterRead::Span(Millis(reader.uint()?));
        if after.is_bounded() { Ok(after) } else { Err(ContentError::Odd("time after reading")) }
    }
}

impl NewTask {
    fn write(&self, out: &mut Vec<u8>) {
        out.array(2);
        write_node(self.assignee, out);
        out.uint(self.due.map_or(0, |due| due.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<NewTask, ContentError> {
        reader.array_exact(2)?;
        let (assignee, due) = (read_node(reader)?, DtnTime(reader.uint()?));
        Ok(NewTask { assignee, due: Some(due).filter(|due| due.0 > 0) })
    }
}

/// A node's key, or nothing.
pub(super) fn write_node(node: Option<NodeId>, out: &mut Vec<u8>) {
    out.bytes(node.as_ref().map_or(&[][..], |node| node.as_bytes()));
}

/// Reads what [`write_node`] wrote.
pub(super) fn read_node(reader: &mut Reader<'_>) -> Result<Option<NodeId>, ContentError> {
    let bytes = reader.bytes()?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = bytes.try_into().map_err(|_| ContentError::Odd("assignee"))?;
    NodeId::from_key(key).map(Some).map_err(|_| ContentError::Odd("assignee"))
}

impl Forwarded {
    fn write(&self, out: &mut Vec<u8>) {
        out.array(3);
        out.bytes(self.author.as_bytes());
        out.bytes(&self.id);
        out.uint(self.sent);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Forwarded, ContentError> {
        reader.array_exact(3)?;
        let author = NodeId::from_key(reader.bytes_exact()?).map_err(|_| ContentError::Author)?;
        Ok(Forwarded { author, id: reader.bytes_exact()?, sent: reader.uint()? })
    }
}

impl Introduced {
    fn write(&self, out: &mut Vec<u8>) {
        assert!(self.name.len() <= INTRODUCED_BYTES_MAX, "names are bounded where people give them");
        out.array(2);
        out.text(&self.name);
        out.bytes(self.node.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Introduced, ContentError> {
        reader.array_exact(2)?;
        let name = reader.text()?;
        if name.len() > INTRODUCED_BYTES_MAX {
            return Err(ContentError::Odd("introduction"));
        }
        let node = NodeId::from_key(reader.bytes_exact()?).map_err(|_| ContentError::Odd("introduction"))?;
        Ok(Introduced { name: name.to_owned(), node })
    }
}

fn is_known(key: u64) -> bool {
    (super::KIND..=ENCLOSED).contains(&key)
}

fn is_offset(minutes: i16) -> bool {
    (-OFFSET_MINUTES_MAX..=OFFSET_MINUTES_MAX).contains(&minutes)
}

/// At most so many characters of a text.
fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// Hands over each attachment, and says how many there are.
fn read_attachments(reader: &mut Reader<'_>, attach: &mut dyn FnMut(&str, &[u8])) -> Result<usize, ContentError> {
    let len = reader.array()?;
    if len > ATTACHMENTS_MAX {
        return Err(ContentError::TooMany("attachments"));
    }
    for _ in 0..len {
        reader.array_exact(2)?;
        attach(reader.text()?, reader.bytes()?);
    }
    Ok(len)
}

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
//! | 8 | expire after read | true |

use super::{ContentError, Field, keep, read_map, write_map};
use crate::cbor::{Reader, Writer};

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
    pub expire_after_read: bool,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Most attachments of one text.
pub const ATTACHMENTS_MAX: usize = 64;

const THREAD: u64 = 2;
const IN_REPLY_TO: u64 = 3;
const SUBJECT: u64 = 4;
const BODY: u64 = 5;
const ATTACHMENTS: u64 = 6;
const REPLY_BY: u64 = 7;
const EXPIRE_AFTER_READ: u64 = 8;

impl Text {
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.attachments.len() <= ATTACHMENTS_MAX, "attachments are counted at compose");
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
            (EXPIRE_AFTER_READ, self.expire_after_read),
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
            EXPIRE_AFTER_READ => out.bool(true),
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
                self.expire_after_read = reader.bool()?;
                !self.expire_after_read
            }
            _ => {
                keep(key, reader, &mut self.extra)?;
                false
            }
        };
        if default { Err(ContentError::Default(key)) } else { Ok(()) }
    }
}

fn is_known(key: u64) -> bool {
    (super::KIND..=EXPIRE_AFTER_READ).contains(&key)
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

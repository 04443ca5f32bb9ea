//! Messages: what a person wrote, as the sealed payload carries it.
//!
//! A message is a deterministic CBOR map with small integer keys; fields at their defaults are left out, and fields
//! that this version does not know are kept byte for byte, so that an older program passes on what a newer one wrote.
//!
//! | key | field | value |
//! |---|---|---|
//! | 1 | kind | number; 0, a text, is left out |
//! | 2 | thread | 16 bytes |
//! | 3 | in reply to | 16 bytes |
//! | 4 | subject | text |
//! | 5 | body | text |
//! | 6 | attachments | array of [name, bytes] |
//! | 7 | reply by | ms since 2000-01-01 |
//! | 8 | expire after read | true |
//!
//! Before sealing it is padded, so that its length says little ([`pad`]).

use crate::cbor::{CborError, Reader, Writer};
use crate::planted;

/// A person's words. Unknown fields of newer versions are kept in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What kind of message it is: [`TEXT`]; others belong to newer versions, are kept, and are never shown as texts.
    pub kind: u64,
    pub subject: Option<String>,
    pub body: String,
    /// The first message of the conversation, by the first 16 bytes of its bundle id.
    pub thread: Option<[u8; 16]>,
    pub in_reply_to: Option<[u8; 16]>,
    pub attachments: Vec<Attachment>,
    /// Wall time in milliseconds since the DTN epoch.
    pub reply_by: Option<u64>,
    pub expire_after_read: bool,
    /// Encoded key and value of each field this version does not know, in order.
    pub extra: Vec<(u64, Vec<u8>)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What a listing shows of a message: its texts cut, its attachments only by name and length in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Without attachments.
    pub message: Message,
    pub files: Vec<(String, usize)>,
}

/// The kind of a text.
pub const TEXT: u64 = 0;
/// Most attachments of one message.
pub const ATTACHMENTS_MAX: usize = 64;
/// Most unknown fields of one message.
pub const EXTRA_FIELDS_MAX: usize = 64;
/// Smallest padded plaintext in bytes.
pub const PADDED_BYTES_MIN: usize = 256;
/// Longest message in bytes that fits a bundle, padding, seal and signature included.
pub const MESSAGE_BYTES_MAX: usize = 1_000_000;

const KIND: u64 = 1;
const THREAD: u64 = 2;
const IN_REPLY_TO: u64 = 3;
const SUBJECT: u64 = 4;
const BODY: u64 = 5;
const ATTACHMENTS: u64 = 6;
const REPLY_BY: u64 = 7;
const EXPIRE_AFTER_READ: u64 = 8;

/// Why bytes are not a message, or not a padded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the message is not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("the message writes out field {0}, though it has its default")]
    Default(u64),
    #[error("the message has more {0} than allowed")]
    TooMany(&'static str),
    #[error("the message is not padded as it must be")]
    Padding,
}

impl Message {
    /// Encodes the message. Panics if it has more attachments or unknown fields than allowed, or if `extra` has known
    /// keys or is out of order.
    pub fn encode(&self) -> Vec<u8> {
        assert!(self.attachments.len() <= ATTACHMENTS_MAX, "attachments are counted at compose");
        assert!(self.extra.len() <= EXTRA_FIELDS_MAX, "unknown fields are counted on decoding");
        assert!(self.extra.is_sorted_by(|a, b| a.0 < b.0), "unknown fields come in the order of their keys");
        assert!(self.extra.iter().all(|(key, _)| !is_known(*key)), "unknown fields have unknown keys");
        let fields = self.known_fields();
        let mut out = Vec::with_capacity(64 + self.body.len());
        out.map(fields.len() + self.extra.len());
        let (before, after) = self.extra.split_at(self.extra.partition_point(|(key, _)| *key < KIND));
        for (key, value) in before {
            out.uint(*key);
            out.raw(value);
        }
        fields.into_iter().for_each(|key| self.write_field(key, &mut out));
        for (key, value) in after {
            out.uint(*key);
            out.raw(value);
        }
        out
    }

    /// The keys of the fields that are not at their defaults.
    fn known_fields(&self) -> Vec<u64> {
        let present = [
            (KIND, self.kind != 0),
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
            KIND => out.uint(self.kind),
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

    /// Decodes a message; encoding it again gives the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
        let mut attachments = Vec::new();
        let message = Message::read(bytes, usize::MAX, &mut |name, bytes| {
            attachments.push(Attachment { name: name.to_owned(), bytes: bytes.to_vec() });
        })?;
        Ok(Message { attachments, ..message })
    }

    /// Decodes what a listing shows of a message; its texts have at most `chars_max` characters.
    pub fn outline(bytes: &[u8], chars_max: usize) -> Result<Outline, MessageError> {
        let mut files = Vec::new();
        let message =
            Message::read(bytes, chars_max, &mut |name, bytes| files.push((cut(name, chars_max), bytes.len())))?;
        Ok(Outline { message, files })
    }

    /// Reads a message with its texts cut; its attachments go to `attach`.
    fn read(bytes: &[u8], chars_max: usize, attach: &mut dyn FnMut(&str, &[u8])) -> Result<Message, MessageError> {
        let mut reader = Reader::new(bytes);
        let mut message = Message::default();
        let mut last = None;
        for _ in 0..reader.map()? {
            let key = reader.uint()?;
            if last.is_some_and(|last| key <= last) && !planted::is("message-fields-repeat") {
                return Err(CborError::KeyOrder.into());
            }
            last = Some(key);
            message.read_field(key, &mut reader, chars_max, attach)?;
        }
        reader.finish()?;
        Ok(message)
    }

    fn read_field(
        &mut self,
        key: u64,
        reader: &mut Reader<'_>,
        chars_max: usize,
        attach: &mut dyn FnMut(&str, &[u8]),
    ) -> Result<(), MessageError> {
        let default = match key {
            KIND => {
                self.kind = reader.uint()?;
                self.kind == 0
            }
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
            _ if self.extra.len() == EXTRA_FIELDS_MAX => return Err(MessageError::TooMany("unknown fields")),
            _ => {
                self.extra.push((key, reader.skip()?.to_vec()));
                false
            }
        };
        if default { Err(MessageError::Default(key)) } else { Ok(()) }
    }
}

fn is_known(key: u64) -> bool {
    (KIND..=EXPIRE_AFTER_READ).contains(&key)
}

/// At most so many characters of a text.
fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// Hands over each attachment, and says how many there are.
fn read_attachments(reader: &mut Reader<'_>, attach: &mut dyn FnMut(&str, &[u8])) -> Result<usize, MessageError> {
    let len = reader.array()?;
    if len > ATTACHMENTS_MAX {
        return Err(MessageError::TooMany("attachments"));
    }
    for _ in 0..len {
        reader.array_exact(2)?;
        attach(reader.text()?, reader.bytes()?);
    }
    Ok(len)
}

/// Prepends the message's length (4 bytes, big-endian) and appends zeros up to a length that [`padded_len`] allows.
pub fn pad(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).expect("a message is shorter than 4 GiB");
    let total = padded_len(4 + message.len());
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(message);
    out.resize(total, 0);
    out
}

/// Returns the message inside a padded plaintext; nothing but zeros, and no fewer or more than [`pad`] writes, may
/// follow it.
pub fn unpad(plaintext: &[u8]) -> Result<&[u8], MessageError> {
    let (len, rest) = plaintext.split_first_chunk().ok_or(MessageError::Padding)?;
    let (message, zeros) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(MessageError::Padding)?;
    let zeros = if planted::is("message-padding-unread") { &[] } else { zeros };
    if plaintext.len() != padded_len(4 + message.len()) || zeros.iter().any(|byte| *byte != 0) {
        return Err(MessageError::Padding);
    }
    Ok(message)
}

/// The Padmé length for `len` bytes, at least [`PADDED_BYTES_MIN`]: as many significant bits as the exponent has
/// digits, so that it leaks O(log log) of the length for at most 12 % more (Nikitin et al., PETS 2019).
pub fn padded_len(len: usize) -> usize {
    let len = len.max(PADDED_BYTES_MIN);
    let exponent = len.ilog2();
    let significant = exponent.ilog2() + 1;
    let step = 1usize << (exponent - significant);
    len.next_multiple_of(step)
}

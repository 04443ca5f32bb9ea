//! What shows to a third person that forwarded words are as their author signed them.
//!
//! A bundle's signature covers the sealed payload. Whoever opened that and passes its words on hands out, for this one
//! message, the key and nonce that sealed it; with them and the words anybody makes the very bundle again, and its signature
//! holds or does not. Nothing else is opened by that key.
//!
//! ```text
//! [destination, sequence, lifetime, priority, copies, signature, enc, key, nonce, rest]
//! ```
//! Author, first half of the id, and time of writing stand in the field `forwarded`; `rest` is the author's content without
//! the fields that are forwarded: subject, body and attachments.

use super::ContentError;
use crate::cbor::{Reader, Writer};
use crate::id::NodeId;

/// Longest rest in bytes.
pub const REST_BYTES_MAX: usize = 8_192;

/// How a message was sealed and signed that came, beside what the record keeps of it anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The spray budget that was signed.
    pub copies: u16,
    pub signature: [u8; 64],
    /// The ephemeral X25519 key.
    pub enc: [u8; 32],
}

/// With the forwarded words, everything that the author signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whose mailbox it was for.
    pub destination: NodeId,
    pub sequence: u64,
    /// In milliseconds.
    pub lifetime: u64,
    /// 0 bulk, 1 normal, 2 urgent.
    pub priority: u8,
    pub seal: Seal,
    pub key: [u8; 32],
    pub nonce: [u8; 12],
    /// At most [`REST_BYTES_MAX`].
    pub rest: Vec<u8>,
}

impl Proof {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        assert!(self.rest.len() <= REST_BYTES_MAX, "a longer rest proves nothing");
        let Seal { copies, signature, enc } = &self.seal;
        out.array(10);
        out.bytes(self.destination.as_bytes());
        out.uint(self.sequence);
        out.uint(self.lifetime);
        out.uint(self.priority);
        out.uint(*copies);
        [&signature[..], enc, &self.key, &self.nonce, &self.rest].into_iter().for_each(|bytes| out.bytes(bytes));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Proof, ContentError> {
        reader.array_exact(10)?;
        let destination = NodeId::from_key(reader.bytes_exact()?).map_err(|_| ContentError::Odd("proof"))?;
        let (sequence, lifetime) = (reader.uint()?, reader.uint()?);
        let (priority, copies) = (reader.uint_as()?, reader.uint_as()?);
        let seal = Seal { copies, signature: reader.bytes_exact()?, enc: reader.bytes_exact()? };
        let (key, nonce, rest) = (reader.bytes_exact()?, reader.bytes_exact()?, reader.bytes()?);
        if rest.len() > REST_BYTES_MAX {
            return Err(ContentError::Odd("proof"));
        }
        Ok(Proof { destination, sequence, lifetime, priority, seal, key, nonce, rest: rest.to_vec() })
    }
}

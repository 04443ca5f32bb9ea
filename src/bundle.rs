//! Bundles of RFC 9171, in the one profile that dak nodes speak.
//!
//! A [`Bundle`] is verified because there is no other way to make one: either its source signed it just now
//! ([`Draft::sign`]), or it was decoded from received bytes and its signature held over those very bytes
//! ([`Unverified::verify`]). What hops may change, age and hop count, travels beside it as [`Hops`].

mod error;
mod fold;
mod handed;
mod inspect;
mod integrity;
pub(crate) mod key;
mod layout;
mod parse;
mod sequence;
mod sign;

use std::fmt;
use std::ops::Range;

use crate::cbor::{Length, Writer};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

pub use error::{BundleError, Role};
pub use fold::{Ends, unfold};
pub use handed::{GIVEN_MAX, Handed, TAKEN_MAX};
pub use inspect::{INSPECTED_BLOCKS_MAX, InspectedBlock, Inspection, inspect};
pub use integrity::SIGNED_WHOLE_BYTES_MAX;
pub use parse::Unverified;
pub use sequence::{Part, first_part, written_part};
pub use sign::{Draft, Signer};

/// A verified bundle: its signed facts and its bytes.
///
/// Two are equal when their bytes are, age and hop count included; the same bundle by another way has the same `id`.
#[derive(PartialEq, Eq)]
pub struct Bundle {
    pub id: BundleId,
    pub kind: Kind,
    pub source: NodeId,
    pub destination: Eid,
    pub creation: Creation,
    pub lifetime: Millis,
    pub priority: Priority,
    /// The source's spray budget.
    pub copies: u16,
    bytes: Box<[u8]>,
    parts: Parts,
}

/// Where the parts of a bundle's bytes lie; a bundle is at most 1 MiB long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    /// The primary block starts at 1 and ends here.
    primary_end: u32,
    /// The age and hop count blocks.
    hops_at: u32,
    hops_end: u32,
    /// The payload starts here and ends before the last byte.
    payload_at: u32,
}

/// What the primary flags say a bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    Message,
    Receipt,
}

/// RFC 9171's creation timestamp: `time` 0 where the source had no clock; then `sequence` counts, else it only rises
/// within one millisecond, from a number drawn by lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Creation {
    pub time: DtnTime,
    pub sequence: u64,
}

/// The signed class of service; later variants go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Priority {
    Bulk,
    #[default]
    Normal,
    Urgent,
}

impl Priority {
    /// By the numbers that stand for them on the wire and in records.
    pub const ALL: [Priority; 3] = [Priority::Bulk, Priority::Normal, Priority::Urgent];

    /// Its place in [`Priority::ALL`].
    pub fn number(self) -> u8 {
        match self {
            Priority::Bulk => 0,
            Priority::Normal => 1,
            Priority::Urgent => 2,
        }
    }

    /// None for a number that is no priority's.
    pub fn of_number(number: u64) -> Option<Priority> {
        Priority::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// What hops changed on the way, as unsigned and therefore bounded hints. The count stays at [`HOP_LIMIT`] once it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hops {
    pub age: Millis,
    pub count: u8,
}

/// Largest encoded bundle.
pub const BUNDLE_BYTES_MAX: usize = 1 << 20;
/// Longest life a node accepts.
pub const LIFETIME_MAX: Millis = Millis(30 * 86_400_000);
/// The hop limit that every bundle carries. No count goes beyond it, so no node has a reason to delete a bundle for its hops
/// (RFC 9171 section 4.4.3): the count is not signed, and loops end because a known id is not taken twice.
pub const HOP_LIMIT: u8 = 255;
/// Most copies a source may ask for.
pub const COPIES_MAX: u16 = 1_024;

impl Bundle {
    /// Reads a received bundle; nothing makes one that is not verified.
    pub fn decode(bytes: &[u8]) -> Result<(Bundle, Hops), BundleError> {
        Unverified::decode(bytes)
    }

    /// Reads a bundle that was verified before it was stored, and spares the signature.
    pub fn from_store(bytes: &[u8]) -> Result<(Bundle, Hops), BundleError> {
        Ok(Unverified::parse(bytes)?.believe())
    }

    /// The same of bytes that become the bundle's own.
    pub fn from_stored(bytes: Vec<u8>) -> Result<(Bundle, Hops), BundleError> {
        Ok(Unverified::parse(bytes)?.believe())
    }

    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.parts.payload_at as usize..self.bytes.len() - 1]
    }

    /// The encoded primary block with its CRC: what a sealed payload is bound to.
    pub fn primary(&self) -> &[u8] {
        &self.bytes[1..self.parts.primary_end as usize]
    }

    /// The source's signature, of a bundle without blocks of unknown kinds.
    pub fn signature(&self) -> [u8; 64] {
        let mut class = Length::default();
        layout::class_block(&mut class, self.priority, self.copies);
        let end = self.parts.hops_at as usize - class.0;
        self.bytes[end - 64..end].try_into().expect("64 bytes")
    }

    /// The whole bundle with the age and hop count it came with, or zero if it was made here.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of [`Bundle::bytes`].
    pub fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole bundle with this age and hop count; every other byte is as received.
    pub fn encode(&self, hops: Hops) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len_with(hops));
        self.encode_into(hops, &mut out);
        out
    }

    /// How long [`Bundle::encode`] makes it.
    pub(crate) fn len_with(&self, hops: Hops) -> usize {
        let mut blocks = Length::default();
        layout::hop_blocks(&mut blocks, hops);
        self.bytes.len() - (self.parts.hops_end - self.parts.hops_at) as usize + blocks.0
    }

    pub(crate) fn encode_into(&self, hops: Hops, out: &mut Vec<u8>) {
        out.raw(&self.bytes[..self.parts.hops_at as usize]);
        layout::hop_blocks(out, hops);
        out.raw(&self.bytes[self.parts.hops_end as usize..]);
    }
}

impl Parts {
    fn new(primary_end: usize, hops: Range<usize>, payload_at: usize) -> Parts {
        let [primary_end, hops_at, hops_end, payload_at] =
            [primary_end, hops.start, hops.end, payload_at].map(|at| u32::try_from(at).expect("at most 1 MiB"));
        Parts { primary_end, hops_at, hops_end, payload_at }
    }
}

/// The facts; of the bytes only how many there are.
impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("source", &self.source)
            .field("destination", &self.destination)
            .field("creation", &self.creation)
            .field("lifetime", &self.lifetime)
            .field("priority", &self.priority)
            .field("copies", &self.copies)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

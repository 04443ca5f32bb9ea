//! Bundles of RFC 9171, in the one profile that dak nodes speak.
//!
//! A [`Bundle`] is verified because there is no other way to make one: either its source signed it just now
//! ([`Draft::sign`]), or it was decoded from received bytes and its signature held over those very bytes
//! ([`Unverified::verify`]). What hops may change, age and hop count, travels beside it as [`Hops`].

use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

/// A verified bundle: its signed facts and its bytes.
#[derive(Debug, PartialEq, Eq)]
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
    // codec's own fields follow
}

/// What the primary flags say a bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    Message,
    Receipt,
}

/// RFC 9171's creation timestamp: `time` 0 where the source had no clock, `sequence` never repeated by a source.
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

/// What hops changed on the way, as unsigned and therefore bounded hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hops {
    pub age: Millis,
    pub count: u8,
}

/// Largest encoded bundle.
pub const BUNDLE_BYTES_MAX: usize = 1 << 20;
/// Longest life a node accepts.
pub const LIFETIME_MAX: Millis = Millis(30 * 86_400_000);
/// The hop limit that every bundle carries.
pub const HOP_LIMIT: u8 = 255;
/// Most copies a source may ask for.
pub const COPIES_MAX: u16 = 1_024;

//! Frames: what two nodes say to each other during a contact, each a length-prefixed deterministic CBOR array.

mod codec;

use serde::{Deserialize, Serialize};

use crate::bundle::{BUNDLE_BYTES_MAX, Hops};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Timestamp};

pub use codec::{FrameError, Incoming, encode_bundle};

/// One thing said. Bundles travel in frames of their own kind, because their bytes go past the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    Hello(Hello),
    /// Fingerprints of all buckets of the sender's summary, `1 << bits` of them, in the order of the ids.
    Buckets {
        bits: u8,
        fingerprints: Vec<u64>,
    },
    /// Short ids of everything the sender knows inside the named buckets, which rise (`bits` 0: everything).
    /// The other side answers with [`Frame::Want`] and pushes its own surplus.
    ShortIds {
        bits: u8,
        buckets: Vec<u32>,
        ids: Vec<u64>,
    },
    /// Rateless cells over the sender's short ids, from cell number `start` on.
    Cells {
        start: u32,
        cells: Vec<Cell>,
    },
    /// More cells, please: from `start` on, `count` of them.
    MoreCells {
        start: u32,
        count: u32,
    },
    /// Reconciliation ends: short ids of what the sender of this frame lacks and would take. A hint, not a grant.
    Want {
        ids: Vec<u64>,
    },
    /// Ids the sender came to hold during the contact and would forward; [`Frame::Want`] asks for them.
    Offer {
        ids: Vec<u64>,
    },
    /// Committed: each id with what was promised.
    Accepted {
        grants: Vec<(BundleId, Grade)>,
    },
    /// Not taken.
    Refused {
        id: BundleId,
        why: Refusal,
        retry_after: Millis,
    },
    /// Ids the sender once accepted from this peer and had to evict.
    GaveUp {
        ids: Vec<BundleId>,
    },
}

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub version: u16,
    /// The largest bundle the sender takes, in bytes.
    pub bundle_bytes_max: u32,
    /// Bytes of unaccepted bundles the sender is ready to receive.
    pub window_bytes: u32,
    /// Whether the sender carries for others at all.
    pub carries: bool,
    /// Endpoints served besides the peer's own, each proven.
    pub mailboxes: Vec<Delegation>,
    pub routing: RoutingInfo,
    /// Makes short ids of this contact unlike those of any other.
    pub nonce: [u8; 16],
    /// How many ids the sender's summary has, and their Merkle root.
    pub count: u64,
    pub root: [u8; 16],
}

/// A mailbox's word that a node serves it until `expires` (wall time, milliseconds since the DTN epoch).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub mailbox: Eid,
    pub node: NodeId,
    pub expires: u64,
    #[serde(with = "serde_bytes")]
    pub signature: [u8; 64],
}

/// What the sender's strategy tells about itself. Numbers are fixed-point, 65,535 for certainty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutingInfo {
    #[default]
    None,
    /// PRoPHETv2: the sender's delivery predictability per node (RFC 6693 section 2.1), ascending by node.
    Predictabilities(Vec<(NodeId, u16)>),
    /// The default strategy: how the sender has met others, ascending by node.
    Meetings(Vec<(NodeId, u16)>),
}

/// How firmly an accepted bundle is kept (wire rules, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Custody was handed on: kept until receipt, expiry or need of space; first in the eviction order.
    Released,
    /// Best effort: the strategy's drop order may evict it.
    Copy,
    /// Within the guaranteed share: leaves only for a higher class.
    Custody,
}

/// Why a bundle was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// No room in its class.
    Full,
    /// The disk is short.
    Space,
    /// Carries for nobody, or not for this source.
    Unwilling,
    /// Known already: held, delivered or buried.
    Known,
    /// Its life is over.
    Expired,
    /// Its lifetime or size is over the limit.
    TooLarge,
    /// Evicted here a while ago; not wanted again yet.
    Shunned,
    /// Handed over too fast.
    Busy,
}

/// One cell of a rateless invertible Bloom lookup table over 8-byte short ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// XOR of the short ids.
    pub sum: u64,
    /// XOR of their keyed checksums.
    pub check: u64,
    /// How many went in.
    pub count: i64,
}

/// What travels beside a bundle from hop to hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    pub hops: Hops,
    /// Spray copies handed over with this one.
    pub copies: u16,
    /// Custody itself is handed over.
    pub moved: bool,
}

/// Longest frame of any kind but a bundle, in bytes.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Longest frame that hands over a bundle, in bytes.
pub const FRAME_BUNDLE_BYTES_MAX: usize = BUNDLE_BYTES_MAX + 16;
/// Most short ids one frame may carry.
pub const FRAME_IDS_MAX: usize = 65_536;
/// Most full ids one frame may carry; with their grades they stay under [`FRAME_BYTES_MAX`].
pub const FRAME_FULL_IDS_MAX: usize = 16_384;
/// Most cells one frame may carry; at 25 bytes each they stay under [`FRAME_BYTES_MAX`].
pub const FRAME_CELLS_MAX: usize = 32_768;
/// Most bits that a summary is split by: 65,536 buckets.
pub const BITS_MAX: u8 = 16;
/// Most predictabilities or meetings a Hello may carry.
pub const ROUTING_ENTRIES_MAX: usize = 4_096;
/// Most delegations a Hello may carry.
pub const MAILBOXES_MAX: usize = 64;
/// The version of this protocol.
pub const PROTOCOL_VERSION: u16 = 1;

/// An age grows while a bundle waits: the hops to write when it leaves at `now`.
impl Transit {
    pub fn after_waiting(self, since: Timestamp, now: Timestamp) -> Transit {
        let hops = Hops { age: self.hops.age.saturating_add(now.since(since)), count: self.hops.count };
        Transit { hops, ..self }
    }
}

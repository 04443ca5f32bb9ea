//! Frames: what two nodes say to each other during a contact, each a length-prefixed deterministic CBOR array.

mod codec;
mod hello;

use serde::{Deserialize, Serialize};

use crate::bundle::{BUNDLE_BYTES_MAX, Hops};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis, Timestamp};

pub use codec::{FrameError, Incoming, encode_bundle, encode_folded, folded_len, is_answer, unfolded};

/// One thing said. Bundles travel in frames of their own kind, because their bytes go past the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    Hello(Hello),
    /// The sender's summary in `1 << bits` buckets, in the order of the ids: four bytes of each bucket's digest, hashed
    /// under the contact's key.
    Buckets {
        bits: u8,
        fingerprints: Vec<u32>,
    },
    /// Short ids, rising, of everything the sender knows in the buckets of the map (one bit each, the first bucket
    /// highest; no map: everywhere), from where the last list or cells ended through those of prefix `up_to`.
    /// The other side answers with [`Frame::Want`] and pushes its own surplus.
    ShortIds {
        buckets: Vec<u8>,
        up_to: u64,
        ids: Vec<u64>,
    },
    /// Rateless cells over the same short ids, from cell number `start` on; the map comes with the first.
    Cells {
        buckets: Vec<u8>,
        up_to: u64,
        start: u32,
        cells: Vec<Cell>,
    },
    /// More cells, please: from `start` on, `count` of them; none of them asks for the list instead.
    MoreCells {
        start: u32,
        count: u32,
    },
    /// Short ids, rising, of what the sender of this frame lacks of the other's list or cells. A hint, not a grant.
    Want {
        ids: Vec<u64>,
    },
    /// Ids the sender came to hold during the contact and would forward.
    Offer {
        ids: Vec<BundleId>,
    },
    /// Asks for some of what was offered.
    Take {
        ids: Vec<BundleId>,
    },
    /// Asks whether ids were accepted whose answer was lost with a contact; answered by `Accepted` for those that were.
    Ask {
        ids: Vec<BundleId>,
    },
    /// Committed: of each id the first eight bytes, with what was promised. What they answer is in flight.
    Accepted {
        grants: Vec<(u64, Grade)>,
    },
    /// Not taken; of what was asked for and not sent yet, that it need not come any more.
    Refused {
        id: BundleId,
        why: Refusal,
        retry_after: Millis,
    },
    /// Ids the sender once accepted from this peer and had to evict.
    GaveUp {
        ids: Vec<BundleId>,
    },
    /// Answers [`Frame::GaveUp`]: what it says is committed, and need not be said again.
    Noted {
        ids: Vec<BundleId>,
    },
    /// How much life is left to bundles the sender holds. A peer that holds one with clearly more answers in kind for
    /// those; one that holds one with clearly less takes the longer life, where no clock of its own knows better.
    Lives {
        lives: Vec<(BundleId, Millis)>,
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
    /// Whether the sender's strategy could hand over anything that is not for the peer itself.
    pub pushes: bool,
    /// Endpoints served besides the peer's own, each proven.
    pub mailboxes: Vec<Delegation>,
    pub routing: RoutingInfo,
    /// Makes short ids of this contact unlike those of any other.
    pub nonce: [u8; 16],
    /// How many ids the sender's summary has, and their Merkle root.
    pub count: u64,
    pub root: [u8; 16],
    /// The groups that the sender serves, rising: none where it serves none, else [`INTERESTS`] with noise among them.
    pub interests: Vec<Interest>,
}

/// A group that a node serves, as its Hello shows it to whoever knows the group: under the nonce of the contact and the
/// node's key, so that nobody tells two contacts apart by it and no peer can repeat it elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interest(pub [u8; 8]);

impl Interest {
    /// What a node with this nonce says of a group.
    pub fn of(nonce: &[u8; 16], node: &NodeId, group: &Eid) -> Interest {
        let mut hash = blake3::Hasher::new_derive_key("dak 2026 group interest v1");
        hash.update(nonce).update(node.as_bytes()).update(group.to_string().as_bytes());
        let mut interest = Interest::default();
        hash.finalize_xof().fill(&mut interest.0);
        interest
    }
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

impl Delegation {
    /// What a mailbox signs: a context, its endpoint, the node's key and the end.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let endpoint = self.mailbox.to_string();
        let parts = [b"dak 2026 delegation v1", endpoint.as_bytes(), self.node.as_bytes(), &self.expires.to_be_bytes()];
        parts.concat()
    }

    /// Whether it says that `node` serves the mailbox now. Without a clock no delegation is believed.
    pub fn is_for(&self, node: NodeId, wall: Option<DtnTime>) -> bool {
        self.node == node && wall.is_some_and(|wall| wall.0 < self.expires)
    }

    /// Whether the mailbox's own key signed it.
    pub fn is_signed(&self) -> bool {
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(self.mailbox.node.as_bytes()) else { return false };
        key.verify_strict(&self.signed_bytes(), &ed25519_dalek::Signature::from_bytes(&self.signature)).is_ok()
    }
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
}

/// One cell of a rateless invertible Bloom lookup table over 8-byte short ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// XOR of the short ids.
    pub sum: u64,
    /// XOR of their keyed checksums.
    pub check: u32,
    /// How many went in, modulo 256.
    pub count: u8,
}

impl Cell {
    /// Size on the wire.
    pub const BYTES: usize = 13;
}

/// What travels beside a bundle from hop to hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    pub hops: Hops,
    /// Spray copies handed over with this one.
    pub copies: u16,
    /// Whether it is a receipt that wants no answer: who hands it over counts it as taken, and the next summary shows
    /// where it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_answer: bool,
}

/// Longest frame of any kind but a bundle, in bytes.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Longest frame that hands over a bundle, in bytes.
pub const FRAME_BUNDLE_BYTES_MAX: usize = BUNDLE_BYTES_MAX + 16;
/// Most short ids one frame may carry.
pub const FRAME_IDS_MAX: usize = 65_536;
/// Most full ids one frame may carry; with their grades they stay under [`FRAME_BYTES_MAX`].
pub const FRAME_FULL_IDS_MAX: usize = 16_384;
/// Most cells one frame may carry; they stay under [`FRAME_BYTES_MAX`].
pub const FRAME_CELLS_MAX: usize = 32_768;
/// Most bits that a summary is split by: 1,024 buckets, so that a map of them is 128 bytes.
pub const BITS_MAX: u8 = 10;
/// Most predictabilities or meetings a Hello may carry.
pub const ROUTING_ENTRIES_MAX: usize = 4_096;
/// Most delegations a Hello may carry: each costs a verification.
pub const MAILBOXES_MAX: usize = 16;
/// Entries of a Hello that shows interest in groups.
pub const INTERESTS: usize = 16;
/// The version of this protocol.
pub const PROTOCOL_VERSION: u16 = 1;

/// An age grows while a bundle waits: the hops to write when it leaves at `now`.
impl Transit {
    pub fn after_waiting(self, since: Timestamp, now: Timestamp) -> Transit {
        let hops = Hops { age: self.hops.age.saturating_add(now.since(since)), count: self.hops.count };
        Transit { hops, ..self }
    }
}

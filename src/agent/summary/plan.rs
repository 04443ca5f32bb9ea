//! How two summaries of these sizes are best compared. Both sides reckon it from both `Hello`s.

use super::cells::cells_for;
use crate::frame::Cell;

/// How a reconciliation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The teller knows nothing, so the solver's surplus is all it has.
    Nothing,
    /// The teller lists everything.
    List,
    /// The solver sends the fingerprints of `1 << bits` buckets.
    Buckets { bits: u8 },
}

/// Wire bytes of a short id, and of a cell.
pub const SHORT_ID_BYTES: u64 = 8;
pub const CELL_BYTES: u64 = Cell::BYTES as u64;
/// Up to this many ids, 384 bytes, are listed right away.
const LIST_IDS_MAX: u64 = 48;

impl Plan {
    /// Plans for a teller of `few` ids and a solver of `many`.
    pub fn of(few: u64, many: u64) -> Plan {
        match few {
            0 => Plan::Nothing,
            _ if few <= LIST_IDS_MAX || list_is_shorter(few, many.saturating_sub(few)) => Plan::List,
            // Some dozens of ids a bucket and up to 16, 64, 256 bytes; the great sets want a smaller part of them
            // hashed for few differences, which costs 1 kB, and 4 kB.
            1..768 => Plan::Buckets { bits: 4 },
            768..160_000 => Plan::Buckets { bits: 6 },
            160_000..4_000_000 => Plan::Buckets { bits: 8 },
            _ => Plan::Buckets { bits: 10 },
        }
    }
}

/// Whether a list of `ids` takes fewer bytes than cells for a difference of so many.
pub fn list_is_shorter(ids: u64, difference: u64) -> bool {
    ids * SHORT_ID_BYTES <= cells_for(difference) * CELL_BYTES
}

//! Receipts: what a recipient signs so that its source knows and carriers may forget.

use serde::{Deserialize, Serialize};

use crate::id::{BundleId, NodeId};

/// The administrative record inside a receipt bundle; its signer is the bundle's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub kind: ReceiptKind,
    /// The source of every bundle named.
    pub source: NodeId,
    /// Which of the mailbox's devices speaks, and how many there are; 0 and 1 today.
    pub device: u16,
    pub devices: u16,
    /// 1 to [`RECEIPT_IDS_MAX`] ids.
    pub ids: Vec<BundleId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReceiptKind {
    Delivered,
    Read,
    Rejected { reason: u8 },
}

/// Most ids in one receipt.
pub const RECEIPT_IDS_MAX: usize = 1_024;
/// The record type in the private range of RFC 9713.
pub const RECEIPT_RECORD_TYPE: u64 = 65_536;

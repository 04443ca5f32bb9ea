//! Receipts: what a recipient signs so that its source knows and carriers may forget.
//!
//! On the wire a receipt is the payload of a receipt bundle, an administrative record of RFC 9171 section 6.1 in
//! deterministic CBOR: `[65536, [kind, source, device, devices, [id, …]]]`, where `source` is the 32 bytes of the key
//! in the source's name, and each id has 32 bytes. Kind 3, rejected, has its reason code after the ids; kind 4, full, after
//! how many milliseconds to try again.

use serde::{Deserialize, Serialize};

use crate::bundle::{LIFETIME_MAX, key};
use crate::cbor::{CborError, Reader, Writer};
use crate::id::{BundleId, KeyError, NodeId};
use crate::time::{Millis, SECOND};

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
    Rejected {
        reason: u8,
    },
    /// The mailbox had no room. It ends nothing: what is under way goes on, and finds room when there is some.
    Full {
        /// 1 second to [`LIFETIME_MAX`], from the signature on.
        retry_after: Millis,
    },
}

/// Most ids in one receipt.
pub const RECEIPT_IDS_MAX: usize = 1_024;
/// The record type in the private range of RFC 9713.
pub const RECEIPT_RECORD_TYPE: u64 = 65_536;

const DELIVERED: u64 = 1;
const READ: u64 = 2;
const REJECTED: u64 = 3;
const FULL: u64 = 4;

/// Why a payload is not a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("the receipt is not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("it is an administrative record of type {0}, not a receipt")]
    RecordType(u64),
    #[error("it is a receipt of the unknown kind {0}")]
    Kind(u64),
    #[error("the receipt does not have as many fields as its kind")]
    Fields,
    #[error("the receipt comes from device {0} of {1}")]
    Device(u16, u16),
    #[error("the receipt asks to try again after {0} ms, which is under a second or over 30 days")]
    RetryAfter(u64),
    #[error("the receipt names no bundle, or more than 1,024")]
    Ids,
    #[error("the source in the receipt is refused: {0}")]
    Source(#[from] KeyError),
}

impl Receipt {
    /// Encodes the payload of a receipt bundle. Panics if it names no bundle or too many, or has a device or a time out of
    /// range.
    pub fn encode(&self) -> Vec<u8> {
        assert!((1..=RECEIPT_IDS_MAX).contains(&self.ids.len()), "a receipt names 1 to 1,024 bundles");
        assert!(self.device < self.devices, "devices are numbered from 0");
        let (kind, more) = match self.kind {
            ReceiptKind::Delivered => (DELIVERED, None),
            ReceiptKind::Read => (READ, None),
            ReceiptKind::Rejected { reason } => (REJECTED, Some(u64::from(reason))),
            ReceiptKind::Full { retry_after } => {
                assert!(is_retry_after(retry_after), "a full mailbox is tried again in 1 second to 30 days");
                (FULL, Some(retry_after.0))
            }
        };
        let mut out = Vec::with_capacity(64 + 34 * self.ids.len());
        out.array(2);
        out.uint(RECEIPT_RECORD_TYPE);
        out.array(5 + usize::from(more.is_some()));
        out.uint(kind);
        out.bytes(self.source.as_bytes());
        out.uint(self.device);
        out.uint(self.devices);
        out.array(self.ids.len());
        self.ids.iter().for_each(|id| out.bytes(&id.0));
        if let Some(more) = more {
            out.uint(more);
        }
        out
    }

    /// Decodes the payload of a receipt bundle; whether its signer may speak is for the reader to ask.
    pub fn decode(payload: &[u8]) -> Result<Receipt, ReceiptError> {
        let mut reader = Reader::new(payload);
        reader.array_exact(2)?;
        let record_type = reader.uint()?;
        if record_type != RECEIPT_RECORD_TYPE {
            return Err(ReceiptError::RecordType(record_type));
        }
        let fields = reader.array()?;
        let kind = reader.uint()?;
        let expected_fields = match kind {
            DELIVERED | READ => 5,
            REJECTED | FULL => 6,
            kind => return Err(ReceiptError::Kind(kind)),
        };
        if fields != expected_fields {
            return Err(ReceiptError::Fields);
        }
        let source = key::checked(NodeId::from_trusted(reader.bytes_exact()?))?;
        let (device, devices) = (reader.uint_as()?, reader.uint_as()?);
        if device >= devices {
            return Err(ReceiptError::Device(device, devices));
        }
        let ids = read_ids(&mut reader)?;
        let kind = match kind {
            DELIVERED => ReceiptKind::Delivered,
            READ => ReceiptKind::Read,
            REJECTED => ReceiptKind::Rejected { reason: reader.uint_as()? },
            _ => {
                let retry_after = Millis(reader.uint()?);
                if !is_retry_after(retry_after) {
                    return Err(ReceiptError::RetryAfter(retry_after.0));
                }
                ReceiptKind::Full { retry_after }
            }
        };
        reader.finish()?;
        Ok(Receipt { kind, source, device, devices, ids })
    }
}

fn is_retry_after(wait: Millis) -> bool {
    (SECOND..=LIFETIME_MAX).contains(&wait)
}

fn read_ids(reader: &mut Reader<'_>) -> Result<Vec<BundleId>, ReceiptError> {
    let len = reader.array()?;
    if !(1..=RECEIPT_IDS_MAX).contains(&len) {
        return Err(ReceiptError::Ids);
    }
    let mut ids = Vec::with_capacity(len);
    for _ in 0..len {
        ids.push(BundleId(reader.bytes_exact()?));
    }
    Ok(ids)
}

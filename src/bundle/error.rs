//! Why bytes are refused as a bundle.

use crate::cbor::CborError;
use crate::eid::EidError;
use crate::id::KeyError;

/// Why bytes are not a bundle of this profile; each a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error("the bundle is larger than 1 MiB")]
    TooLarge,
    #[error("this is not a bundle: it does not start with an open array and a primary block")]
    NotABundle,
    #[error("the bundle ends too early")]
    Truncated,
    #[error("bytes follow the bundle's end")]
    Trailing,
    #[error("the bundle is not deterministic CBOR: {0}")]
    NotDeterministic(CborError),
    #[error("it is a bundle of version {0}; only version 7 is spoken here")]
    Version(u64),
    #[error("it is a fragment; fragments are refused")]
    Fragment,
    #[error("it asks for status reports, which could be aimed at anybody; they are refused")]
    ReportRequested,
    #[error("its report-to endpoint is not dtn:none")]
    ReportTo,
    #[error("its bundle flags are {0:#x}; messages have 0x24, receipts 0x6")]
    Flags(u64),
    #[error("the CRC type of its primary block is {0}, not 2 (CRC-32C)")]
    CrcType(u64),
    #[error("the CRC of its primary block does not match: it was damaged on the way")]
    Crc,
    #[error("its {0} is not an endpoint of the dtn scheme with a name")]
    Scheme(Role),
    #[error("its {0} is refused: {1}")]
    Endpoint(Role, EidError),
    #[error("its source is not a node's administrative endpoint")]
    SourceService,
    #[error("it is a receipt, but not for a node's administrative endpoint")]
    ReceiptDestination,
    #[error("the {0} block is missing, repeated or out of its place")]
    Layout(&'static str),
    #[error("block {0} has block flags")]
    BlockFlags(u64),
    #[error("block {0} has a CRC of its own")]
    BlockCrc(u64),
    #[error("it has a block of the unknown type {0} that its signature does not cover")]
    UnknownUnsignedBlock(u64),
    #[error("its unknown signed blocks are larger than 1 KiB in all")]
    UnknownTooLarge,
    #[error("its signature is for another block than the payload")]
    SecurityTarget,
    #[error("its integrity block has the security context {0}, not 3 (COSE)")]
    SecurityContext(u64),
    #[error("its security source is not its source")]
    SecuritySource,
    #[error("its signature covers other blocks than it must")]
    SecurityScope,
    #[error("its signature is not a detached COSE_Sign1 of fully specified Ed25519")]
    SecurityResult,
    #[error("its class of service is not [priority 0 to 2, copies 1 to 1024]")]
    Class,
    #[error("its hop count is not [255, 0 to 255]")]
    HopCount,
    #[error("it is folded in a way that says no bundle, or says one at length")]
    Fold,
    #[error("the key of its {0} is refused: {1}")]
    WeakKey(Role, KeyError),
    #[error("its signature does not hold: it was changed on the way, or never came from its source")]
    Signature,
}

/// Which endpoint of a bundle is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Source,
    Destination,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Source => "source",
            Role::Destination => "destination",
        })
    }
}

impl From<CborError> for BundleError {
    fn from(error: CborError) -> BundleError {
        match error {
            CborError::Truncated => BundleError::Truncated,
            error => BundleError::NotDeterministic(error),
        }
    }
}

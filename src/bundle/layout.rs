//! The bytes that all bundles share, and how those that are signed are put together.

use crc::{CRC_32_ISCSI, Crc, Table};

use crate::cbor::{Length, Major, Writer};
use crate::id::BundleId;

use super::integrity::Over;
use super::{HOP_LIMIT, Hops, Priority};

/// Where a kind of block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub block_type: u64,
    pub number: u64,
    pub name: &'static str,
}

pub(super) const INTEGRITY: Place = Place { block_type: 11, number: 2, name: "integrity" };
pub(super) const CLASS: Place = Place { block_type: 193, number: 3, name: "class of service" };
pub(super) const AGE: Place = Place { block_type: 7, number: 4, name: "bundle age" };
pub(super) const HOP_COUNT: Place = Place { block_type: 10, number: 5, name: "hop count" };
pub(super) const PAYLOAD: Place = Place { block_type: 1, number: 1, name: "payload" };

/// Block types that mean something in RFC 9171, RFC 9172 or here, and so never come as a block of an unknown kind.
pub(super) const KNOWN_TYPES: [u64; 8] = [0, 1, 6, 7, 10, 11, 12, 193];
/// Most bytes of all blocks of unknown kinds in one bundle.
pub(super) const UNKNOWN_BYTES_MAX: usize = 1_024;

/// A bundle is an array of open length (RFC 9171 section 4.1).
pub(super) const OPEN: u8 = 0x9f;
pub(super) const CLOSE: u8 = 0xff;

/// Must not be fragmented; the application is to acknowledge.
pub(super) const FLAGS_MESSAGE: u64 = 0x24;
/// An administrative record; must not be fragmented.
pub(super) const FLAGS_RECEIPT: u64 = 0x06;
pub(super) const FLAG_FRAGMENT: u64 = 0x01;
/// Times in status reports, and reports of reception, forwarding, delivery and deletion.
pub(super) const FLAGS_REPORT: u64 = 0x40 | 0x4000 | 0x1_0000 | 0x2_0000 | 0x4_0000;
pub(super) const CRC_TYPE: u64 = 2;
/// `dtn:none`.
pub(super) const NO_ENDPOINT: [u8; 3] = [0x82, 0x01, 0x00];

/// What the external AAD ends with: heads of the target and of the security block, no additional protected headers.
pub(super) const AAD_END: [u8; 7] = [0x01, 0x01, 0x00, 0x0b, 0x02, 0x00, 0x40];

/// The widest age and hop count blocks; every bundle leaves room for them under the size limit.
pub(super) const HOPS_BYTES_MAX: usize = 26;

const BUNDLE_ID_CONTEXT: &str = "dak 2026 bundle id v1";

static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// The CRC-32C of a primary block whose last four bytes are, or will be, the CRC (RFC 9171 section 4.3.1).
pub(super) fn primary_crc(primary: &[u8]) -> [u8; 4] {
    let mut digest = CRC_32C.digest();
    digest.update(&primary[..primary.len() - 4]);
    digest.update(&[0; 4]);
    digest.finalize().to_be_bytes()
}

/// Writes a block other than the primary, up to the head of its `data_len` bytes of data.
pub(super) fn block_head(out: &mut impl Writer, place: Place, data_len: usize) {
    out.array(5);
    out.uint(place.block_type);
    out.uint(place.number);
    // No flags, no CRC.
    out.raw(&[0, 0]);
    out.head(Major::Bytes, data_len as u64);
}

/// Writes the class of service block.
pub(super) fn class_block(out: &mut impl Writer, priority: Priority, copies: u16) {
    let mut data = Length::default();
    class(&mut data, priority, copies);
    block_head(out, CLASS, data.0);
    class(out, priority, copies);
}

fn class(out: &mut impl Writer, priority: Priority, copies: u16) {
    out.array(2);
    out.uint(priority.number());
    out.uint(copies);
}

/// Writes the age and hop count blocks.
pub(super) fn hop_blocks(out: &mut impl Writer, hops: Hops) {
    let mut age = Length::default();
    age.uint(hops.age.0);
    block_head(out, AGE, age.0);
    out.uint(hops.age.0);

    let mut count = Length::default();
    hop_count(&mut count, hops.count);
    block_head(out, HOP_COUNT, count.0);
    hop_count(out, hops.count);
}

fn hop_count(out: &mut impl Writer, count: u8) {
    out.array(2);
    out.uint(HOP_LIMIT);
    out.uint(count);
}

/// A block's part of the signed bytes: its type, number and flags, and its data as a byte string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered<'a> {
    pub head: &'a [u8],
    pub data: &'a [u8],
}

/// Puts together what is signed up to the bytes of the payload or its digest, which are so many: the `Sig_structure` of
/// RFC 9052 section 4.4 for a COSE_Sign1, whose external AAD is that of draft-ietf-dtn-bpsec-cose over source, scope,
/// primary block and these. The list has room for so many bytes more.
pub(super) fn signed_head(
    over: Over,
    parts: [&[u8]; 3],
    covered: &[Covered<'_>],
    payload_len: usize,
    room: usize,
) -> Vec<u8> {
    let aad_len = parts.iter().map(|part| part.len()).sum::<usize>()
        + covered.iter().map(|block| block.head.len() + block.data.len()).sum::<usize>()
        + AAD_END.len();
    let mut signed = Vec::with_capacity(aad_len + 40 + room);
    signed.array(4);
    signed.text("Signature1");
    signed.bytes(over.protected());
    signed.head(Major::Bytes, aad_len as u64);
    for part in parts {
        signed.raw(part);
    }
    for block in covered {
        signed.raw(block.head);
        signed.raw(block.data);
    }
    signed.raw(&AAD_END);
    signed.head(Major::Bytes, payload_len as u64);
    signed
}

/// The id of a bundle: over all signed bytes, in as many pieces as they are at hand.
pub(super) fn bundle_id<const N: usize>(signed: [&[u8]; N]) -> BundleId {
    let mut hasher = blake3::Hasher::new_derive_key(BUNDLE_ID_CONTEXT);
    signed.into_iter().for_each(|piece| {
        hasher.update(piece);
    });
    BundleId(*hasher.finalize().as_bytes())
}

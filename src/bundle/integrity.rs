//! The integrity block: an abstract security block (RFC 9172 section 3.6) of the COSE context
//! (draft-ietf-dtn-bpsec-cose-17), of which this profile knows one form for each [`Over`].

use crate::cbor::{Reader, Writer};

use super::{BundleError, layout};

/// The abstract security block's targets: the payload.
const TARGETS: [u8; 2] = [0x81, 0x01];
const CONTEXT_COSE: u64 = 3;
/// Security context flags: parameters follow.
const PARAMETERS_FOLLOW: u64 = 1;
/// One parameter, number 5; the scope map follows.
const SCOPE_PARAMETER: [u8; 3] = [0x81, 0x82, 0x05];
/// One target's one result, number 18: a byte string with a COSE_Sign1 of algorithm -19 (Ed25519) and detached payload.
/// The 64 bytes of the signature follow and end the block.
const RESULT: [u8; 15] = [0x81, 0x81, 0x82, 0x12, 0x58, 0x49, 0x84, 0x43, 0xa1, 0x01, 0x32, 0xa0, 0xf6, 0x58, 0x40];
/// The same whose payload is a hash, parameter 258 of its protected header, by an algorithm of private use, -65537.
const RESULT_OF_DIGEST: [u8; 23] = [
    0x81, 0x81, 0x82, 0x12, 0x58, 0x51, 0x84, 0x4b, 0xa2, 0x01, 0x32, 0x19, 0x01, 0x02, 0x3a, 0x00, 0x01, 0x00, 0x00,
    0xa0, 0xf6, 0x58, 0x40,
];
/// The scope of a bundle without blocks of unknown kinds: primary 1, class of service 3, target 1, security block 1.
pub(super) const SCOPE: [u8; 9] = [0xa4, 0x00, 0x01, 0x03, 0x03, 0x20, 0x01, 0x21, 0x01];
/// Numbers that signed blocks of unknown kinds may have.
const UNKNOWN_NUMBERS: std::ops::RangeInclusive<u64> = 6..=15;

/// Longer payloads are signed by their digest: Ed25519 reads all that it signs twice, and each carrier reads it once more,
/// with a hash that takes several times as long.
pub const SIGNED_WHOLE_BYTES_MAX: usize = 131_072;

/// What of a payload is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Payload,
    /// Its BLAKE3 hash, as draft-ietf-cose-hash-envelope has it.
    Digest,
}

impl Over {
    /// What a source signs of a payload of this length.
    pub fn of(payload_len: usize) -> Over {
        if payload_len > SIGNED_WHOLE_BYTES_MAX { Over::Digest } else { Over::Payload }
    }

    /// The protected header of the COSE_Sign1.
    pub fn protected(self) -> &'static [u8] {
        match self {
            Over::Payload => &RESULT[8..11],
            Over::Digest => &RESULT_OF_DIGEST[8..19],
        }
    }

    /// What is signed in place of a payload; none where it is signed itself.
    pub fn digest(self, payload: &[u8]) -> Option<[u8; 32]> {
        (self == Over::Digest).then(|| *blake3::hash(payload).as_bytes())
    }

    fn result(self) -> &'static [u8] {
        match self {
            Over::Payload => &RESULT,
            Over::Digest => &RESULT_OF_DIGEST,
        }
    }
}

/// Writes the integrity block of a bundle without blocks of unknown kinds.
pub(super) fn write(out: &mut impl Writer, source: &[u8], over: Over, signature: &[u8; 64]) {
    let result = over.result();
    let len = TARGETS.len() + 2 + source.len() + SCOPE_PARAMETER.len() + SCOPE.len() + result.len() + signature.len();
    layout::block_head(out, layout::INTEGRITY, len);
    out.raw(&TARGETS);
    out.uint(CONTEXT_COSE);
    out.uint(PARAMETERS_FOLLOW);
    out.raw(source);
    out.raw(&SCOPE_PARAMETER);
    out.raw(&SCOPE);
    out.raw(result);
    out.raw(signature);
}

/// The data of the integrity block.
pub(super) struct Integrity<'a> {
    /// The encoded scope map, and where in the block's data it begins.
    pub scope: &'a [u8],
    pub scope_at: usize,
    /// The numbers of the blocks of unknown kinds in the scope, as bits.
    pub unknown: u16,
    pub over: Over,
    pub signature: [u8; 64],
}

impl<'a> Integrity<'a> {
    pub fn read(data: &'a [u8], source_item: &[u8]) -> Result<Integrity<'a>, BundleError> {
        let mut reader = Reader::new(data);
        if !reader.take_if(&TARGETS) {
            return Err(BundleError::SecurityTarget);
        }
        let context = reader.uint()?;
        if context != CONTEXT_COSE {
            return Err(BundleError::SecurityContext(context));
        }
        if reader.uint()? != PARAMETERS_FOLLOW {
            return Err(BundleError::SecurityScope);
        }
        if !reader.take_if(source_item) {
            return Err(BundleError::SecuritySource);
        }
        if !reader.take_if(&SCOPE_PARAMETER) {
            return Err(BundleError::SecurityScope);
        }
        let start = reader.position();
        let unknown = read_scope(&mut reader)?;
        let scope = reader.since(start);
        let over = [Over::Payload, Over::Digest].into_iter().find(|over| reader.take_if(over.result()));
        let over = over.ok_or(BundleError::SecurityResult)?;
        let signature = reader.rest().try_into().map_err(|_| BundleError::SecurityResult)?;
        Ok(Integrity { scope, scope_at: start, unknown, over, signature })
    }
}

/// Reads the scope map: what every bundle signs, and the numbers of blocks of unknown kinds as bits.
fn read_scope(reader: &mut Reader<'_>) -> Result<u16, BundleError> {
    let pairs = reader.map()?;
    let mut unknown = 0u16;
    for index in 0..pairs {
        let pair = (reader.int()?, reader.uint()?);
        let ok = match (index, pairs - index) {
            (0, _) => pair == (0, 1),
            (1, _) => pair == (3, 3),
            (_, 2) => pair == (-1, 1),
            (_, 1) => pair == (-2, 1),
            _ => {
                let number = u64::try_from(pair.0).unwrap_or(0);
                let fresh = UNKNOWN_NUMBERS.contains(&number) && unknown >> number == 0;
                unknown |= u16::from(fresh) << (number & 15);
                fresh && pair.1 == 3
            }
        };
        if !ok {
            return Err(BundleError::SecurityScope);
        }
    }
    if pairs < 4 { Err(BundleError::SecurityScope) } else { Ok(unknown) }
}

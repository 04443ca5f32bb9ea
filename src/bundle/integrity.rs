//! The integrity block: an abstract security block (RFC 9172 section 3.6) of the COSE context
//! (draft-ietf-dtn-bpsec-cose-17), of which this profile knows exactly one form.

use crate::cbor::{Reader, Writer};

use super::{BundleError, layout};

/// The abstract security block's targets: the payload.
const TARGETS: [u8; 2] = [0x81, 0x01];
const CONTEXT_COSE: u64 = 3;
/// Security context flags: parameters follow.
const PARAMETERS_FOLLOW: u64 = 1;
/// One parameter, number 5; the scope map follows.
const SCOPE_PARAMETER: [u8; 3] = [0x81, 0x82, 0x05];
/// One target's one result, number 18: a byte string with a COSE_Sign1 of algorithm -19 and detached payload.
/// The 64 bytes of the signature follow and end the block.
const RESULT: [u8; 15] = [0x81, 0x81, 0x82, 0x12, 0x58, 0x49, 0x84, 0x43, 0xa1, 0x01, 0x32, 0xa0, 0xf6, 0x58, 0x40];
/// The scope of a bundle without blocks of unknown kinds: primary 1, class of service 3, target 1, security block 1.
pub(super) const SCOPE: [u8; 9] = [0xa4, 0x00, 0x01, 0x03, 0x03, 0x20, 0x01, 0x21, 0x01];
/// Numbers that signed blocks of unknown kinds may have.
const UNKNOWN_NUMBERS: std::ops::RangeInclusive<u64> = 6..=15;

/// Writes the integrity block of a bundle without blocks of unknown kinds.
pub(super) fn write(out: &mut impl Writer, source: &[u8], signature: &[u8; 64]) {
    let len = TARGETS.len() + 2 + source.len() + SCOPE_PARAMETER.len() + SCOPE.len() + RESULT.len() + signature.len();
    layout::block_head(out, layout::INTEGRITY, len);
    out.raw(&TARGETS);
    out.uint(CONTEXT_COSE);
    out.uint(PARAMETERS_FOLLOW);
    out.raw(source);
    out.raw(&SCOPE_PARAMETER);
    out.raw(&SCOPE);
    out.raw(&RESULT);
    out.raw(signature);
}

/// The data of the integrity block.
pub(super) struct Integrity<'a> {
    /// The encoded scope map, and where in the block's data it begins.
    pub scope: &'a [u8],
    pub scope_at: usize,
    /// The numbers of the blocks of unknown kinds in the scope, as bits.
    pub unknown: u16,
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
        if !reader.take_if(&RESULT) {
            return Err(BundleError::SecurityResult);
        }
        let signature = reader.rest().try_into().map_err(|_| BundleError::SecurityResult)?;
        Ok(Integrity { scope, scope_at: start, unknown, signature })
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

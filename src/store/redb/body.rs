//! Bodies with their names folded: three sealed 1 KiB messages fit a page of 4 KiB, where two would as they are.
//!
//! A bundle of our profile names its source twice and its destination once, 52 characters of base58 for a key of 32
//! bytes, between parts that are the same in every bundle. A folded body leaves those pieces out and keeps what stands
//! between them, the gaps. Nothing here knows what a gap means; unfolding puts the pieces back where they were found,
//! and folding compares the outcome with the original, so what does not fit is stored as it is.
//!
//! What a message says is kept opened, in the place of its sealed bundle, or in a row of its own where it was written here.
//!
//! A checksum ends each body, because redb looks at its own only when it checks the whole file, and an id is a hash of
//! the signed bytes: it says nothing of the signature, which a peer would find broken and hold against us.

use crate::agent::change::Row;
use crate::bundle::Bundle;
use crate::content::{Filed, KeyUsed, Seal};
use crate::id::NodeId;

/// The first byte of a body that is stored as it is.
const VERBATIM: u8 = 2;
/// The first byte of a folded one; the pieces below are its dictionary, so changing any of them takes another number.
const FOLDED: u8 = 3;
/// The first byte of what a message says, where the checksum says nothing of its row: format 5 and before.
const OPENED: u8 = 4;
/// The first byte of what a message says at a row, which the checksum begins with: it is in no bundle, so nothing else would
/// tell the words of one message from another's.
const OPENED_AT: u8 = 5;
/// The keys behind it.
const OWN_WORDS: u8 = 0;
const IDENTITY_KEY: u8 = 1;
const PREKEY: u8 = 2;
/// The identity key, and how the message was sealed and signed.
const IDENTITY_KEY_SEALED: u8 = 3;
/// The key of an epoch of a group, with the epoch's name.
const GROUP_KEY: u8 = 4;

/// What stands at a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The bundle as it came.
    Bundle(Vec<u8>),
    Filed(Filed),
}

/// A part that bundles share.
enum Piece {
    Fixed(&'static [u8]),
    Source,
    Destination,
}

/// In the order in which a message of our profile has them (RFC 9171 section 4.3, RFC 9172 section 3.6).
const PIECES: [Piece; 11] = [
    // The bundle's array; primary block of nine fields, version 7, message flags, CRC-32C; the destination's head.
    Piece::Fixed(&[0x9f, 0x89, 0x07, 0x18, 0x24, 0x02, 0x82, 0x01, 0x78]),
    Piece::Destination,
    // The source's head, 55 characters.
    Piece::Fixed(&[0x82, 0x01, 0x78, 0x37, b'/', b'/']),
    Piece::Source,
    // The end of its name; no report-to; the creation timestamp's head.
    Piece::Fixed(&[b'/', 0x82, 0x01, 0x00, 0x82]),
    // The integrity block up to its source.
    Piece::Fixed(&[
        0x85, 0x0b, 0x02, 0x00, 0x00, 0x58, 0x9a, 0x81, 0x01, 0x03, 0x01, 0x82, 0x01, 0x78, 0x37, b'/', b'/',
    ]),
    Piece::Source,
    // Its scope and result, up to the signature.
    Piece::Fixed(&[
        b'/', 0x81, 0x82, 0x05, 0xa4, 0x00, 0x01, 0x03, 0x03, 0x20, 0x01, 0x21, 0x01, 0x81, 0x81, 0x82, 0x12, 0x58,
        0x49, 0x84, 0x43, 0xa1, 0x01, 0x32, 0xa0, 0xf6, 0x58, 0x40,
    ]),
    // Heads of class of service, age, and hop count with the limit of 255.
    Piece::Fixed(&[0x85, 0x18, 0xc1, 0x03, 0x00, 0x00]),
    Piece::Fixed(&[0x85, 0x07, 0x04, 0x00, 0x00]),
    Piece::Fixed(&[0x85, 0x0a, 0x05, 0x00, 0x00, 0x44, 0x82, 0x18, 0xff]),
];

/// Says how a bundle is stored.
pub fn fold(bundle: &Bundle) -> Vec<u8> {
    let bytes = bundle.bytes();
    let folded = fold_pieces(bytes, bundle.source, bundle.destination.node);
    let mut stored = match folded {
        Some(folded) if folded.len() <= bytes.len() && unfolds_to(&folded, bytes) => folded,
        _ => [&[VERBATIM], bytes].concat(),
    };
    stored.extend(checksum(&stored).to_le_bytes());
    stored
}

/// Says how what a message says is stored at a row.
pub fn write_filed(row: Row, filed: &Filed) -> Vec<u8> {
    let mut stored = Vec::with_capacity(filed.content.len() + 16);
    stored.push(OPENED_AT);
    match filed.key {
        KeyUsed::Own => stored.push(OWN_WORDS),
        KeyUsed::Identity => match &filed.seal {
            None => stored.push(IDENTITY_KEY),
            Some(seal) => {
                stored.push(IDENTITY_KEY_SEALED);
                stored.extend(seal.copies.to_le_bytes());
                stored.extend(seal.signature);
                stored.extend(seal.enc);
            }
        },
        KeyUsed::Prekey(name) => {
            stored.push(PREKEY);
            stored.extend(name);
        }
        KeyUsed::Group(epoch) => {
            stored.push(GROUP_KEY);
            stored.extend(epoch);
        }
    }
    stored.extend(&filed.content);
    stored.extend(checksum_at(row, &stored).to_le_bytes());
    stored
}

/// CRC-32C over everything before it, little-endian: a part of a file has a quarter of a megabyte of it.
pub fn checksum(stored: &[u8]) -> u32 {
    crc32c::crc32c(stored)
}

fn checksum_at(row: Row, stored: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&row.0.to_le_bytes()), stored)
}

/// Says what was stored at a row; none for what [`fold`] and [`write_filed`] could not have made.
pub fn read(row: Row, stored: &[u8]) -> Option<Body> {
    let (stored, stated) = stored.split_last_chunk::<4>()?;
    let tag = *stored.first()?;
    let right = if tag == OPENED_AT { checksum_at(row, stored) } else { checksum(stored) };
    if right != u32::from_le_bytes(*stated) {
        return None;
    }
    match stored.split_first()? {
        (&(OPENED | OPENED_AT), rest) => read_filed(rest).map(Body::Filed),
        _ => unfold_unchecked(stored).map(Body::Bundle),
    }
}

fn read_filed(stored: &[u8]) -> Option<Filed> {
    let mut seal = None;
    let (key, content) = match stored.split_first()? {
        (&OWN_WORDS, rest) => (KeyUsed::Own, rest),
        (&IDENTITY_KEY, rest) => (KeyUsed::Identity, rest),
        (&IDENTITY_KEY_SEALED, rest) => {
            let (copies, rest) = rest.split_first_chunk()?;
            let (signature, rest) = rest.split_first_chunk()?;
            let (enc, rest) = rest.split_first_chunk()?;
            let copies = u16::from_le_bytes(*copies);
            seal = Some(Box::new(Seal { copies, signature: *signature, enc: *enc }));
            (KeyUsed::Identity, rest)
        }
        (&PREKEY, rest) => {
            let (name, rest) = rest.split_first_chunk()?;
            (KeyUsed::Prekey(*name), rest)
        }
        (&GROUP_KEY, rest) => {
            let (epoch, rest) = rest.split_first_chunk()?;
            (KeyUsed::Group(*epoch), rest)
        }
        _ => return None,
    };
    Some(Filed { key, content: content.to_vec(), seal })
}

fn unfold_unchecked(stored: &[u8]) -> Option<Vec<u8>> {
    match stored.split_first()? {
        (&VERBATIM, bytes) => Some(bytes.to_vec()),
        (&FOLDED, rest) => unfold_pieces(rest),
        _ => None,
    }
}

// Layout: FOLDED ‖ source ‖ destination ‖ found pieces as bits ‖ (gap's length ‖ gap) before each found piece ‖ the rest,
// and the checksum behind it.
fn fold_pieces(bytes: &[u8], source: NodeId, destination: NodeId) -> Option<Vec<u8>> {
    let (source_text, destination_text) = (source.peer_id_text(), destination.peer_id_text());
    let mut out = Vec::with_capacity(bytes.len());
    out.push(FOLDED);
    out.extend(source.as_bytes());
    out.extend(destination.as_bytes());
    let found_at = out.len();
    out.extend([0, 0]);

    let (mut found, mut rest) = (0u16, bytes);
    for (bit, piece) in PIECES.iter().enumerate() {
        let piece = piece.bytes(&source_text, &destination_text);
        // A gap's length is one byte, and a piece further on than that is somebody's payload.
        let window = &rest[..rest.len().min(usize::from(u8::MAX) + piece.len())];
        let Some(gap) = window.windows(piece.len()).position(|at| at == piece) else { continue };
        found |= 1 << bit;
        out.push(u8::try_from(gap).ok()?);
        out.extend(&rest[..gap]);
        rest = &rest[gap + piece.len()..];
    }
    out.extend(rest);
    out[found_at..found_at + 2].copy_from_slice(&found.to_le_bytes());
    Some(out)
}

fn unfold_pieces(stored: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(stored.len() + 256);
    each_piece(stored, |piece| out.extend_from_slice(piece))?;
    Some(out)
}

/// Whether a folded body gives every byte back.
fn unfolds_to(folded: &[u8], bytes: &[u8]) -> bool {
    let mut left = Some(bytes);
    let found = each_piece(&folded[1..], |piece| left = left.and_then(|left| left.strip_prefix(piece)));
    found.is_some() && left.is_some_and(<[u8]>::is_empty)
}

/// Hands over what a folded body was made of, in order.
fn each_piece(stored: &[u8], mut take: impl FnMut(&[u8])) -> Option<()> {
    let (source, stored) = stored.split_first_chunk::<32>()?;
    let (destination, stored) = stored.split_first_chunk::<32>()?;
    let (found, mut rest) = stored.split_first_chunk::<2>()?;
    let found = u16::from_le_bytes(*found);
    let source_text = NodeId::from_trusted(*source).peer_id_text();
    let destination_text = NodeId::from_trusted(*destination).peer_id_text();

    for (_, piece) in PIECES.iter().enumerate().filter(|(bit, _)| found & 1 << bit != 0) {
        let (&gap, after) = rest.split_first()?;
        let (gap, after) = after.split_at_checked(gap.into())?;
        take(gap);
        take(piece.bytes(&source_text, &destination_text));
        rest = after;
    }
    take(rest);
    Some(())
}

impl Piece {
    fn bytes<'a>(&self, source: &'a [u8], destination: &'a [u8]) -> &'a [u8] {
        match self {
            Piece::Fixed(bytes) => bytes,
            Piece::Source => source,
            Piece::Destination => destination,
        }
    }
}

#[cfg(test)]
mod tests {
    use crc::{CRC_32_ISCSI, Crc};

    use super::*;

    #[test]
    fn checksums_are_those_of_every_home_so_far() {
        let crc = Crc::<u32>::new(&CRC_32_ISCSI);
        for len in [0, 1, 7, 8, 63, 64, 1_000, 8_193, 300_001] {
            let bytes: Vec<u8> = (0..len).map(|n: u32| ((n * 31) >> 3) as u8).collect();
            assert_eq!(checksum(&bytes), crc.checksum(&bytes), "{len} bytes");
            let mut digest = crc.digest();
            digest.update(&9u64.to_le_bytes());
            digest.update(&bytes);
            assert_eq!(checksum_at(Row(9), &bytes), digest.finalize(), "{len} bytes");
        }
    }
}

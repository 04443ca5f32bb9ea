//! Many bundles in one file: a CBOR sequence (RFC 8742) of bundles, each exactly as it is alone.
//!
//! Before a bundle may stand an epoch-based time (tag 1 of RFC 8949 section 3.4.2, whole seconds): when what follows it was
//! written, up to the next such time. It is nobody's word but that of the writer, and only makes bundles older.

use crate::cbor::{CborError, Major, Reader, Writer};
use crate::time::DtnTime;

use super::{BUNDLE_BYTES_MAX, BundleError, layout};

/// One item of such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Written(DtnTime),
    /// A whole bundle, of which only the shape was looked at.
    Bundle(&'a [u8]),
}

/// The head of an epoch-based time.
const TAG_TIME: u8 = 0xc1;

/// Reads the part that `bytes` begin with, and how long it is. [`BundleError::Truncated`] asks for more bytes than there are.
pub fn first_part(bytes: &[u8]) -> Result<(Part<'_>, usize), BundleError> {
    let mut reader = Reader::new(bytes);
    match reader.peek() {
        None => Err(BundleError::Truncated),
        Some(TAG_TIME) => {
            reader.take_if(&[TAG_TIME]);
            let seconds = reader.uint().map_err(broken)?;
            let written = DtnTime::from_unix_ms(seconds.saturating_mul(1_000));
            Ok((Part::Written(written), reader.position()))
        }
        Some(layout::OPEN) => {
            reader.take_if(&[layout::OPEN]);
            while !reader.take_if(&[layout::CLOSE]) {
                reader.skip().map_err(broken)?;
                if reader.position() > BUNDLE_BYTES_MAX {
                    return Err(BundleError::TooLarge);
                }
            }
            Ok((Part::Bundle(reader.since(0)), reader.position()))
        }
        Some(_) => Err(BundleError::NotABundle),
    }
}

/// The item that says when what follows it was written.
pub fn written_part(at: DtnTime) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.head(Major::Tag, 1);
    bytes.uint(at.unix_ms() / 1_000);
    bytes
}

fn broken(error: CborError) -> BundleError {
    match error {
        CborError::Truncated => BundleError::Truncated,
        error => BundleError::NotDeterministic(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_one_by_one_and_a_cut_anywhere_asks_for_more() {
        let (one, other) = ([0x9f, 0x82, 1, 2, 0xff], [0x9f, 0x43, 0xff, 0xff, 0xff, 0xff]);
        let time = DtnTime::from_unix_ms(1_796_000_000_000);
        let all = [&written_part(time)[..], &one, &other].concat();
        let (mut parts, mut at) = (Vec::new(), 0);
        while at < all.len() {
            let (part, len) = first_part(&all[at..]).unwrap();
            for cut in 0..len {
                assert_eq!(first_part(&all[at..at + cut]), Err(BundleError::Truncated));
            }
            parts.push(part);
            at += len;
        }
        assert_eq!(parts, [Part::Written(time), Part::Bundle(&one), Part::Bundle(&other)]);
    }

    #[test]
    fn what_is_neither_a_time_nor_a_bundle_is_refused() {
        for bytes in [&b"PK\x03\x04"[..], &[0xff], &[0], &[0x81, 0]] {
            assert_eq!(first_part(bytes), Err(BundleError::NotABundle));
        }
        assert_eq!(first_part(&[0xc1, 0x40]), Err(BundleError::NotDeterministic(CborError::Type)));
        assert_eq!(first_part(&[0x9f, 0xf9, 0, 0]), Err(BundleError::NotDeterministic(CborError::Malformed)));
        let long = [&[0x9f][..], &vec![0; BUNDLE_BYTES_MAX + 1]].concat();
        assert_eq!(first_part(&long), Err(BundleError::TooLarge));
    }
}

//! Padding: what is sealed has a length that says little about the text inside.

use super::ContentError;

/// Smallest padded plaintext in bytes.
pub const PADDED_BYTES_MIN: usize = 128;

/// What it was before: mail that is under way, and proofs of what was passed on, have it still.
const PADDED_BYTES_MIN_BEFORE: usize = 256;

/// Prepends the content's length (4 bytes, big-endian) and appends zeros up to a length that [`padded_len`] allows.
pub fn pad(content: &[u8]) -> Vec<u8> {
    pad_from(PADDED_BYTES_MIN, content)
}

/// The same as versions with a larger least length wrote it.
pub fn pad_as_before(content: &[u8]) -> Vec<u8> {
    pad_from(PADDED_BYTES_MIN_BEFORE, content)
}

fn pad_from(min: usize, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).expect("a message is shorter than 4 GiB");
    let total = padded_len_from(min, 4 + content.len());
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(content);
    out.resize(total, 0);
    out
}

/// Returns the content inside a padded plaintext; nothing but zeros, and no fewer or more than [`pad`] or
/// [`pad_as_before`] writes, may follow it.
pub fn unpad(plaintext: &[u8]) -> Result<&[u8], ContentError> {
    let (len, rest) = plaintext.split_first_chunk().ok_or(ContentError::Padding)?;
    let (content, zeros) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(ContentError::Padding)?;
    let is_length = |min| plaintext.len() == padded_len_from(min, 4 + content.len());
    if ![PADDED_BYTES_MIN, PADDED_BYTES_MIN_BEFORE].into_iter().any(is_length) || zeros.iter().any(|byte| *byte != 0) {
        return Err(ContentError::Padding);
    }
    Ok(content)
}

/// The Padmé length for `len` bytes, at least [`PADDED_BYTES_MIN`]: as many significant bits as the exponent has
/// digits, so that it leaks O(log log) of the length for at most 12 % more (Nikitin et al., PETS 2019).
pub fn padded_len(len: usize) -> usize {
    padded_len_from(PADDED_BYTES_MIN, len)
}

fn padded_len_from(min: usize, len: usize) -> usize {
    let len = len.max(min);
    let exponent = len.ilog2();
    let significant = exponent.ilog2() + 1;
    let step = 1usize << (exponent - significant);
    len.next_multiple_of(step)
}

//! Peer ids as text, fast: two of them stand in every bundle.
//!
//! The libp2p peer id of an Ed25519 key is base58btc of 38 bytes: `00 24 08 01 12 20`, which says an identity
//! multihash of 36 bytes, protobuf key type 1 and 32 bytes, and then the key. So its length never varies: a leading
//! `1` for the zero byte, then a number of 51 digits. A general base58 works digit by digit in the square of the
//! length; here numbers are 32-bit limbs and digits go five at a time. That still takes a good part of a microsecond, and
//! traffic has few names at a time, so each thread remembers those it wrote last: a slot for each first byte of a key.
//! Whoever brings many keys has names worked out again, and takes no more memory.

use std::cell::RefCell;

use super::KeyError;

/// A key and how it is written.
type Written = ([u8; 32], [u8; LEN]);

thread_local! {
    static WRITTEN: RefCell<Vec<Option<Written>>> = const { RefCell::new(Vec::new()) };
}

/// Characters of a peer id.
pub(super) const LEN: usize = 52;
/// How many a thread remembers.
const WRITTEN_MAX: usize = 256;
/// What stands before the key, after the zero byte, as the first two limbs.
const PREFIX: [u32; 2] = [0x24, 0x0801_1220];
/// 296 bits: a first limb of one byte, another of the prefix, eight of the key.
const LIMBS: usize = 10;
const ALPHABET: [u8; 58] = *b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Five digits.
const GROUP: u64 = 58 * 58 * 58 * 58 * 58;
const NO_DIGIT: u8 = 0xff;
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        digits[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// The characters of the peer id.
pub(super) fn text(key: &[u8; 32]) -> [u8; LEN] {
    WRITTEN.with_borrow_mut(|table| {
        table.resize(WRITTEN_MAX, None);
        let slot = &mut table[usize::from(key[0]) % WRITTEN_MAX];
        match slot {
            Some((known, text)) if known == key => *text,
            _ => slot.insert((*key, encode(key))).1,
        }
    })
}

fn encode(key: &[u8; 32]) -> [u8; LEN] {
    let mut limbs = [0; LIMBS];
    limbs[..2].copy_from_slice(&PREFIX);
    for (limb, bytes) in limbs[2..].iter_mut().zip(key.as_chunks::<4>().0) {
        *limb = u32::from_be_bytes(*bytes);
    }
    let mut text = [ALPHABET[0]; LEN];
    // The last digits first: ten groups of five, and the one digit that is left.
    let mut first = 0;
    for group in text[1..].rchunks_mut(5) {
        // What is left of the number takes fewer limbs each time.
        first += usize::from(limbs[first] == 0 && first < LIMBS - 1);
        let mut rest = divide(&mut limbs[first..]);
        for character in group.iter_mut().rev() {
            *character = ALPHABET[(rest % 58) as usize];
            rest /= 58;
        }
    }
    text
}

/// Divides a number by [`GROUP`] and returns the remainder.
fn divide(limbs: &mut [u32]) -> u64 {
    limbs.iter_mut().fold(0, |rest, limb| {
        let value = rest << 32 | u64::from(*limb);
        *limb = (value / GROUP) as u32;
        value % GROUP
    })
}

/// Reads the key of exactly such text as [`encode`] writes: every number has one spelling in 51 digits.
pub(super) fn decode(text: &str) -> Result<[u8; 32], KeyError> {
    let Some(limbs) = number(text.as_bytes()) else { return Err(other(text)) };
    if limbs[..2] != PREFIX {
        return Err(KeyError::NotEd25519);
    }
    let mut key = [0; 32];
    for (bytes, limb) in key.as_chunks_mut::<4>().0.iter_mut().zip(&limbs[2..]) {
        *bytes = limb.to_be_bytes();
    }
    Ok(key)
}

/// The number after the leading `1`; 51 digits are less than 300 bits and always fit.
fn number(text: &[u8]) -> Option<[u32; LIMBS]> {
    if text.len() != LEN || text[0] != ALPHABET[0] {
        return None;
    }
    let mut limbs = [0; LIMBS];
    limbs[LIMBS - 1] = u32::from(digit(text[1])?);
    for group in text[2..].chunks_exact(5) {
        let mut carry = 0;
        for character in group {
            carry = carry * 58 + u64::from(digit(*character)?);
        }
        for limb in limbs.iter_mut().rev() {
            let value = u64::from(*limb) * GROUP + carry;
            *limb = value as u32;
            carry = value >> 32;
        }
    }
    Some(limbs)
}

fn digit(character: u8) -> Option<u8> {
    Some(DIGITS[usize::from(character)]).filter(|digit| *digit != NO_DIGIT)
}

/// Says what text is that is not a peer id of our kind: other peer ids are base58 as well, of 34 bytes or more.
fn other(text: &str) -> KeyError {
    let is_base58 = text.bytes().all(|character| digit(character).is_some());
    if is_base58 && (46..=64).contains(&text.len()) { KeyError::NotEd25519 } else { KeyError::Malformed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> impl Iterator<Item = [u8; 32]> {
        let edges = [[0; 32], [0xff; 32], [0x7f; 32]];
        edges.into_iter().chain((0..500u64).map(|n| *blake3::hash(&n.to_be_bytes()).as_bytes()))
    }

    /// As it is written, remembered or not.
    fn written(key: &[u8; 32]) -> String {
        let text = text(key);
        assert_eq!(text, encode(key));
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn it_is_what_a_general_base58_writes() {
        // Several share each slot of those that are remembered.
        for key in keys().flat_map(|key| [key, key, [0; 32]]) {
            let text = written(&key);
            assert_eq!(text, bs58::encode([&[0, 0x24, 8, 1, 0x12, 0x20], &key[..]].concat()).into_string());
            assert_eq!(decode(&text), Ok(key));
        }
    }

    #[test]
    fn text_with_any_character_changed_is_another_key_or_none() {
        let key = keys().last().unwrap();
        let text = written(&key);
        for at in 0..LEN {
            for character in (0..128).map(char::from).filter(|character| !text[at..].starts_with(*character)) {
                let changed = format!("{}{character}{}", &text[..at], &text[at + 1..]);
                match decode(&changed) {
                    Ok(other) => assert!(other != key && written(&other) == changed),
                    Err(_) => assert!(
                        bs58::decode(&changed)
                            .into_vec()
                            .ok()
                            .is_none_or(|bytes| { bytes.len() != 38 || bytes[..6] != [0, 0x24, 8, 1, 0x12, 0x20] })
                    ),
                }
            }
        }
    }

    #[test]
    fn other_lengths_and_alphabets_are_refused() {
        let text = written(&[7; 32]);
        assert_eq!(decode(&text[1..]), Err(KeyError::NotEd25519));
        assert_eq!(decode(&format!("1{text}")), Err(KeyError::NotEd25519));
        assert_eq!(decode(&"z".repeat(LEN)), Err(KeyError::NotEd25519));
        assert_eq!(decode(&format!("1{}", "z".repeat(51))), Err(KeyError::NotEd25519));
        assert_eq!(decode(&"1".repeat(LEN)), Err(KeyError::NotEd25519));
        assert_eq!(decode(&text.replace(&text[20..21], "0")), Err(KeyError::Malformed));
        assert_eq!(decode(&text.replace(&text[20..21], "é")), Err(KeyError::Malformed));
        assert_eq!(decode(&"2".repeat(1_000_000)), Err(KeyError::Malformed));
    }
}

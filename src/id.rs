//! Names of nodes and bundles: 32 bytes each, compared and ordered as bytes.

mod peer_id;

use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

use curve25519_dalek::edwards::CompressedEdwardsY;
use serde::{Deserialize, Serialize};

/// An Ed25519 public key that names a node.
///
/// Values made by [`NodeId::from_key`] and [`NodeId::from_peer_id`] are canonical, torsion-free and not weak;
/// `NodeId::from_trusted` takes bytes that passed such a check before (our own store).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeId(#[serde(with = "serde_bytes")] [u8; 32]);

/// Characters of a peer id.
pub const PEER_ID_BYTES: usize = peer_id::LEN;

/// The hash of a bundle's signed bytes: `BLAKE3 derive_key("dak 2026 bundle id v1", S)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BundleId(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// Why bytes or text do not name a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is not a peer id (base58, starting with 12D3KooW)")]
    Malformed,
    #[error("it is a peer id, but not of an Ed25519 key")]
    NotEd25519,
    #[error("its key is not a canonical point of the curve")]
    NotCanonical,
    #[error("its key is weak: anybody could sign in its name")]
    Weak,
}

impl NodeId {
    /// Checks a public key: canonical encoding, torsion-free, not of small order.
    pub fn from_key(key: [u8; 32]) -> Result<NodeId, KeyError> {
        let point = CompressedEdwardsY(key).decompress().ok_or(KeyError::NotCanonical)?;
        // Decompression accepts a few encodings that no honest encoder writes.
        if point.compress().0 != key {
            return Err(KeyError::NotCanonical);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(KeyError::Weak);
        }
        Ok(NodeId(key))
    }

    /// Takes the bytes of a key that was checked before it was stored.
    pub const fn from_trusted(key: [u8; 32]) -> NodeId {
        NodeId(key)
    }

    /// Parses `12D3KooW…`; the text must be exactly what [`NodeId::peer_id`] prints.
    pub fn from_peer_id(text: &str) -> Result<NodeId, KeyError> {
        NodeId::from_key(peer_id_key(text)?)
    }

    /// Returns the libp2p peer id, 52 characters of base58btc.
    pub fn peer_id(&self) -> String {
        String::from_utf8(self.peer_id_text().to_vec()).expect("base58 is ASCII")
    }

    /// The same as characters of ASCII.
    pub fn peer_id_text(&self) -> [u8; PEER_ID_BYTES] {
        peer_id::text(&self.0)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Reads the key out of a peer id without asking whether it is a good one.
pub(crate) fn peer_id_key(text: &str) -> Result<[u8; 32], KeyError> {
    peer_id::decode(text)
}

impl BundleId {
    /// The first eight bytes as a number, in the order of the ids.
    pub fn prefix(&self) -> u64 {
        u64::from_be_bytes(self.0[..8].try_into().expect("8 of 32 bytes"))
    }

    /// All ids with this prefix.
    pub fn with_prefix(prefix: u64) -> RangeInclusive<BundleId> {
        let id = |fill: u8| {
            let mut bytes = [fill; 32];
            bytes[..8].copy_from_slice(&prefix.to_be_bytes());
            BundleId(bytes)
        };
        id(0)..=id(255)
    }

    /// The 64 hexadecimal digits.
    pub fn full(&self) -> String {
        hex(&self.0)
    }
}

/// The first digits of a bundle's id, as a person types them: a stretch of ids in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    first: BundleId,
    last: BundleId,
}

impl IdPrefix {
    /// Reads up to 64 hexadecimal digits; none for anything else.
    pub fn parse(digits: &str) -> Option<IdPrefix> {
        let (mut first, mut last) = ([0; 32], [0xff; 32]);
        for (at, digit) in digits.chars().enumerate() {
            let digit = digit.to_digit(16)? as u8;
            let (first, last) = (first.get_mut(at / 2)?, last.get_mut(at / 2)?);
            (*first, *last) = match at % 2 {
                0 => (digit << 4, digit << 4 | 0x0f),
                _ => (*first | digit, *last & 0xf0 | digit),
            };
        }
        Some(IdPrefix { first: BundleId(first), last: BundleId(last) })
    }

    /// All ids that begin with these bytes.
    pub fn of_mark(mark: &[u8; 16]) -> IdPrefix {
        let (mut first, mut last) = ([0; 32], [0xff; 32]);
        first[..16].copy_from_slice(mark);
        last[..16].copy_from_slice(mark);
        IdPrefix { first: BundleId(first), last: BundleId(last) }
    }

    pub fn range(&self) -> RangeInclusive<BundleId> {
        self.first..=self.last
    }

    pub fn is_of(&self, id: &BundleId) -> bool {
        self.range().contains(id)
    }
}

impl Ord for NodeId {
    fn cmp(&self, other: &NodeId) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &NodeId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BundleId {
    fn cmp(&self, other: &BundleId) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for BundleId {
    fn partial_cmp(&self, other: &BundleId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the bytes. Names differ in their first eight but for chance or work, and a tree of them does little but
/// compare: one number is read where the order of slices would call a function.
fn compare(one: &[u8; 32], other: &[u8; 32]) -> Ordering {
    let first = |bytes: &[u8; 32]| u64::from_be_bytes(*bytes.first_chunk().expect("8 of 32 bytes"));
    first(one).cmp(&first(other)).then_with(|| one.cmp(other))
}

/// Ten characters, enough for a person to tell nodes apart: the last ten of the peer id, where ids differ.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = self.peer_id();
        f.write_str(&full[full.len() - 10..])
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// The first ten hexadecimal digits.
impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..5]))
    }
}

impl fmt::Debug for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleId({self})")
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Reads pairs of hexadecimal digits; none for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_digits_are_bytes() {
        assert_eq!(unhex("00fFa1"), Some(vec![0, 255, 161]));
        assert!(["0", "0g", "é"].iter().all(|text| unhex(text).is_none()));
    }

    fn some_node() -> NodeId {
        NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes()).unwrap()
    }

    #[test]
    fn a_peer_id_names_the_same_key_again() {
        let node = some_node();
        assert!(node.peer_id().starts_with("12D3KooW"));
        assert_eq!(NodeId::from_peer_id(&node.peer_id()), Ok(node));
    }

    #[test]
    fn the_first_digits_of_an_id_stand_for_all_ids_that_begin_with_them() {
        let id = |first: u8, second: u8, rest: u8| {
            BundleId(std::array::from_fn(|at| [first, second].get(at).copied().unwrap_or(rest)))
        };
        let prefix = IdPrefix::parse("12a").unwrap();
        for (id, is_of) in [
            (id(0x12, 0xa0, 0), true),
            (id(0x12, 0xaf, 0xff), true),
            (id(0x12, 0x9f, 0xff), false),
            (id(0x12, 0xb0, 0), false),
        ] {
            assert_eq!((prefix.is_of(&id), id.full().starts_with("12a")), (is_of, is_of), "{}", id.full());
        }
        let whole = id(1, 2, 3);
        assert_eq!(IdPrefix::parse(&whole.full()).unwrap().range(), whole..=whole);
        assert!(IdPrefix::of_mark(whole.0.first_chunk().unwrap()).is_of(&whole));
        assert_eq!([IdPrefix::parse("12g"), IdPrefix::parse(&"1".repeat(65))], [None, None]);
    }

    #[test]
    fn names_are_in_the_order_of_their_bytes() {
        let mut names = vec![[0; 32], [255; 32]];
        for place in [0, 7, 8, 31] {
            names.extend([1, 128, 255].map(|byte| std::array::from_fn(|at| if at == place { byte } else { 7 })));
        }
        for one in &names {
            for other in &names {
                assert_eq!(BundleId(*one).cmp(&BundleId(*other)), one.cmp(other));
                let (one_node, other_node) = (NodeId::from_trusted(*one), NodeId::from_trusted(*other));
                assert_eq!(one_node.partial_cmp(&other_node), one.partial_cmp(other));
            }
        }
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(NodeId::from_key(identity), Err(KeyError::Weak));
        // y = p + 1 decodes to the identity as well, but no honest encoder writes it.
        let mut long = [0xff; 32];
        long[0] = 0xee;
        long[31] = 0x7f;
        assert_eq!(NodeId::from_key(long), Err(KeyError::NotCanonical));
    }

    #[test]
    fn text_that_is_no_peer_id_is_refused() {
        assert_eq!(NodeId::from_peer_id(""), Err(KeyError::Malformed));
        assert_eq!(NodeId::from_peer_id("12D3KooWnot0base58"), Err(KeyError::Malformed));
        assert_eq!(NodeId::from_peer_id("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"), Err(KeyError::NotEd25519));
        let padded = format!("1{}", some_node().peer_id());
        assert!(NodeId::from_peer_id(&padded).is_err());
    }
}

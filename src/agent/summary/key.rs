//! The hash under which one contact talks about ids.

use crate::id::BundleId;

/// A key that both sides of a contact derive from both nonces, so that neither alone chose it.
///
/// Whoever wants a bundle overlooked would have to find ids that collide or cancel out under a key that did not exist
/// when the ids were made. One key hashes three things; their lengths, 32, 16 and 8 bytes, keep them apart.
#[derive(Clone, Debug)]
pub struct ContactKey([u8; 32]);

impl ContactKey {
    /// The same key whichever of the two nonces is one's own.
    pub fn new(one: &[u8; 16], other: &[u8; 16]) -> ContactKey {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        let mut nonces = [0; 32];
        nonces[..16].copy_from_slice(low);
        nonces[16..].copy_from_slice(high);
        ContactKey(blake3::derive_key("dak 2026 summary of a contact v1", &nonces))
    }

    /// Eight bytes that stand for an id during this contact.
    pub fn short_id(&self, id: &BundleId) -> u64 {
        u64::from_be_bytes(self.hash(&id.0))
    }

    /// What a cell adds up beside short ids, so that a sum which is no single short id is recognised.
    pub fn check(&self, short: u64) -> u32 {
        u32::from_be_bytes(self.hash(&short.to_be_bytes()))
    }

    /// Four bytes that stand for a bucket's digest during this contact.
    ///
    /// Two different buckets look alike once in four thousand million contacts, and no two contacts in a row.
    pub fn fingerprint(&self, digest: &[u8; 16]) -> u32 {
        u32::from_be_bytes(self.hash(digest))
    }

    fn hash<const N: usize>(&self, input: &[u8]) -> [u8; N] {
        let hash = blake3::keyed_hash(&self.0, input);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }
}

//! The hash under which one contact talks about ids.

use siphasher::sip::SipHasher24;

use super::index::Digest;
use crate::id::BundleId;

/// A key that both sides of a contact derive from both nonces, so that neither alone chose it.
///
/// Whoever wants a bundle overlooked would have to find ids that collide or cancel out under a key that did not exist
/// when the ids were made. That asks for a keyed pseudorandom function and no more, so it is SipHash-2-4, as for the
/// short ids of Bitcoin's compact blocks (BIP 152): on 32 bytes it takes 25 ns where keyed BLAKE3 takes 110 to 140,
/// and a summary is little else. One key hashes ids, digests and short ids; their lengths, 32, 16 and 8 bytes, keep
/// them apart.
#[derive(Clone, Debug)]
pub struct ContactKey(SipHasher24);

impl ContactKey {
    /// The same key whichever of the two nonces is one's own.
    pub fn new(one: &[u8; 16], other: &[u8; 16]) -> ContactKey {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        let mut nonces = [0; 32];
        nonces[..16].copy_from_slice(low);
        nonces[16..].copy_from_slice(high);
        let key = blake3::derive_key("dak 2026 summary of a contact v1", &nonces);
        ContactKey(SipHasher24::new_with_key(key.first_chunk().expect("32 bytes hold 16")))
    }

    /// Eight bytes that stand for an id during this contact.
    pub fn short_id(&self, id: &BundleId) -> u64 {
        self.0.hash(&id.0)
    }

    /// What a cell adds up beside short ids, so that a sum which is no single short id is recognised.
    pub fn check(&self, short: u64) -> u32 {
        self.0.hash(&short.to_be_bytes()) as u32
    }

    /// Four bytes that stand for a bucket's digest during this contact.
    ///
    /// Two different buckets look alike once in four thousand million contacts, and not again in the next.
    pub fn fingerprint(&self, digest: &Digest) -> u32 {
        self.0.hash(digest) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_derive_one_key_and_no_other_contact_does() {
        let id = BundleId([7; 32]);
        let short = |one: u8, other: u8| ContactKey::new(&[one; 16], &[other; 16]).short_id(&id);
        assert_eq!(short(1, 2), short(2, 1));
        assert_ne!(short(1, 2), short(1, 3));
    }

    #[test]
    fn short_ids_are_siphash_2_4() {
        // The test vector of Aumasson and Bernstein's paper: key 00..0f, message 00..0e; and the 16 bytes 00..0f.
        let bytes: [u8; 16] = std::array::from_fn(|n| n as u8);
        let key = ContactKey(SipHasher24::new_with_key(&bytes));
        assert_eq!(key.0.hash(&bytes[..15]), 0xa129_ca61_49be_45e5);
        assert_eq!(u64::from(key.fingerprint(&bytes)), key.0.hash(&bytes) & 0xffff_ffff);
    }
}

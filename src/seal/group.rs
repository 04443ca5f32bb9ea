//! Sealing for a group: once, under the key of an epoch, for all who have that key.
//!
//! ```text
//! payload     = CBOR [2, epoch, salt, commitment, ciphertext]        envelope kind 2: the members of a group
//! okm         = HKDF-SHA256(salt, the epoch's key, "dak/group/1" ‖ epoch ‖ the primary block), 48 bytes
//! key         = okm[0..32]      commitment = okm[32..48]
//! ciphertext  = ChaCha20-Poly1305(key, nonce 0, AAD = the primary block, the padded message)
//! ```
//!
//! Each bundle has a key of its own, so the nonce may be the same in all. The salt is hedged as the ephemeral key of other
//! mail is: where a home restored from a backup writes the same stamp again, two messages still have two keys. The cipher
//! alone would let a member make one ciphertext that opens to different words under two keys; the epoch's name is a hash of
//! its key and the commitment another, and both together leave one. Who wrote it is what the bundle's signature says: every member could have sealed it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::SealError;
use crate::cbor::{CborError, Reader, Writer};

/// The envelope for a group.
pub(super) const KIND_GROUP: u64 = 2;
const INFO_LABEL: &[u8] = b"dak/group/1";
/// Bytes of an epoch's name.
pub const EPOCH_BYTES: usize = 16;
/// Bytes of the salt that makes each bundle's key its own.
const SALT_BYTES: usize = 16;
/// Bytes of what commits an envelope to its key.
const COMMITMENT_BYTES: usize = 16;

const OKM_BYTES: usize = 32 + COMMITMENT_BYTES;

/// The name of an epoch of a group.
pub type Epoch = [u8; EPOCH_BYTES];
/// The key of an epoch; wiped from memory when dropped.
pub type EpochKey = Zeroizing<[u8; 32]>;

/// Seals a padded message under an epoch, for the bundle with this encoded primary block.
pub fn seal(
    epoch: &Epoch,
    key: &EpochKey,
    primary: &[u8],
    plaintext_padded: &[u8],
    hedge_key: &SigningKey,
) -> Result<Vec<u8>, SealError> {
    let mut fresh = Zeroizing::new([0; 32]);
    getrandom::fill(fresh.as_mut()).map_err(SealError::Entropy)?;
    let mut hash = blake3::Hasher::new_derive_key("dak 2026 group seal salt v1");
    hash.update(fresh.as_ref()).update(hedge_key.as_bytes());
    hash.update(&(primary.len() as u64).to_le_bytes()).update(primary).update(plaintext_padded);
    let mut salt = [0; SALT_BYTES];
    hash.finalize_xof().fill(&mut salt);
    Ok(seal_with(epoch, key, salt, primary, plaintext_padded))
}

/// The same with a given salt, which must never be used twice with one epoch and primary block: for vectors.
#[doc(hidden)]
pub fn seal_with(epoch: &Epoch, key: &EpochKey, salt: [u8; SALT_BYTES], primary: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let okm = derive(epoch, key, &salt, primary);
    let payload = Payload { msg: plaintext, aad: primary };
    let sealed = cipher(&okm).encrypt(&Nonce::default(), payload);
    let ciphertext = sealed.expect("one message is far below the limits of the cipher");
    Envelope { epoch: *epoch, salt, commitment: commitment(&okm), ciphertext: &ciphertext }.encode()
}

/// The epoch that a payload names; none of what is not sealed for a group.
pub fn epoch_of(payload: &[u8]) -> Result<Epoch, SealError> {
    Envelope::parse(payload).map(|envelope| envelope.epoch)
}

/// Opens a payload with the key of the epoch that it names, for the bundle with this primary block as received.
pub fn open(key: &EpochKey, primary: &[u8], payload: &[u8]) -> Result<Vec<u8>, SealError> {
    let Envelope { epoch, salt, commitment: committed, ciphertext } = Envelope::parse(payload)?;
    let okm = derive(&epoch, key, &salt, primary);
    if commitment(&okm) != committed {
        return Err(SealError::DoesNotOpen);
    }
    let payload = Payload { msg: ciphertext, aad: primary };
    cipher(&okm).decrypt(&Nonce::default(), payload).map_err(|_| SealError::DoesNotOpen)
}

fn derive(epoch: &Epoch, key: &EpochKey, salt: &[u8], primary: &[u8]) -> Zeroizing<[u8; OKM_BYTES]> {
    let mut okm = Zeroizing::new([0; OKM_BYTES]);
    let hkdf = Hkdf::<Sha256>::new(Some(salt), key.as_ref());
    hkdf.expand_multi_info(&[INFO_LABEL, epoch, primary], okm.as_mut()).expect("two blocks are few");
    okm
}

fn cipher(okm: &[u8; OKM_BYTES]) -> ChaCha20Poly1305 {
    let key: &[u8; 32] = okm.first_chunk().expect("48 bytes hold 32 and 16");
    ChaCha20Poly1305::new(&Key::from(*key))
}

fn commitment(okm: &[u8; OKM_BYTES]) -> [u8; COMMITMENT_BYTES] {
    *okm.last_chunk().expect("48 bytes hold 32 and 16")
}

/// Kind 2, as it stands in the payload.
struct Envelope<'a> {
    epoch: Epoch,
    salt: [u8; SALT_BYTES],
    commitment: [u8; COMMITMENT_BYTES],
    ciphertext: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(payload: &'a [u8]) -> Result<Envelope<'a>, SealError> {
        let mut reader = Reader::new(payload);
        let len = reader.array()?;
        match reader.uint()? {
            KIND_GROUP if len == 5 => {}
            KIND_GROUP => return Err(CborError::Type.into()),
            kind => return Err(SealError::UnknownKind(kind)),
        }
        let (epoch, salt, commitment) = (reader.bytes_exact()?, reader.bytes_exact()?, reader.bytes_exact()?);
        let envelope = Envelope { epoch, salt, commitment, ciphertext: reader.bytes()? };
        reader.finish()?;
        Ok(envelope)
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.ciphertext.len() + 80);
        payload.array(5);
        payload.uint(KIND_GROUP);
        payload.bytes(&self.epoch);
        payload.bytes(&self.salt);
        payload.bytes(&self.commitment);
        payload.bytes(self.ciphertext);
        payload
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::AeadInOut;
    use sha2::Digest;

    use super::*;
    use crate::bundle::{Creation, Draft, Kind, Priority};
    use crate::content::{Content, Text, pad};
    use crate::eid::Eid;
    use crate::keys::Identity;
    use crate::time::{DAY, DtnTime};

    const EPOCH: Epoch = [0xe0; 16];

    fn key(n: u8) -> EpochKey {
        Zeroizing::new([n; 32])
    }

    fn sealed() -> Vec<u8> {
        seal_with(&EPOCH, &key(1), [0x5a; 16], b"primary", b"the words")
    }

    #[test]
    fn members_open_it_with_the_epoch_that_it_names_and_only_in_its_bundle() {
        let payload = sealed();
        assert_eq!(epoch_of(&payload), Ok(EPOCH));
        assert_eq!(open(&key(1), b"primary", &payload).unwrap(), b"the words");
        for (key, primary) in [(key(2), &b"primary"[..]), (key(1), b"primarx")] {
            assert_eq!(open(&key, primary, &payload), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let payload = sealed();
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 1;
            assert!(open(&key(1), b"primary", &changed).is_err(), "byte {at}");
        }
        for len in 0..payload.len() {
            assert!(open(&key(1), b"primary", &payload[..len]).is_err(), "{len} bytes");
        }
        let longer = [&payload[..], &[0]].concat();
        assert!(matches!(open(&key(1), b"primary", &longer), Err(SealError::Malformed(_))));
    }

    #[test]
    fn the_commitment_keeps_a_ciphertext_that_two_keys_would_open_to_one_of_them() {
        let (one, other) = (key(1), key(2));
        let mine = sealed();
        let Envelope { epoch, salt, ciphertext, .. } = Envelope::parse(&mine).unwrap();
        // Whatever an author commits to, it is the key of one epoch.
        for committed in [commitment(&derive(&epoch, &one, &salt, b"primary")), [0; 16]] {
            let envelope = Envelope { epoch, salt, commitment: committed, ciphertext }.encode();
            assert_eq!(open(&other, b"primary", &envelope), Err(SealError::DoesNotOpen));
        }
        let theirs = Envelope { epoch, salt, commitment: [0; 16], ciphertext }.encode();
        assert_eq!(open(&one, b"primary", &theirs), Err(SealError::DoesNotOpen), "also where the cipher would open it");
    }

    /// RFC 5869 over RFC 2104, from nothing but the hash.
    fn hkdf_by_hand(salt: &[u8], ikm: &[u8], info: &[u8], len: usize) -> Vec<u8> {
        let hmac = |key: &[u8], message: &[u8]| -> [u8; 32] {
            let mut block = [0; 64];
            block[..key.len()].copy_from_slice(key);
            let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
            Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()).into()
        };
        let prk = hmac(salt, ikm);
        let (mut okm, mut last) = (Vec::new(), Vec::new());
        for n in 1u8.. {
            if okm.len() >= len {
                break;
            }
            last = hmac(&prk, &[&last[..], info, &[n]].concat()).to_vec();
            okm.extend(&last);
        }
        okm.truncate(len);
        okm
    }

    #[test]
    fn an_independent_derivation_opens_it() {
        let payload = sealed();
        let Envelope { salt, commitment, ciphertext, .. } = Envelope::parse(&payload).unwrap();
        let info = [b"dak/group/1".as_slice(), &[0xe0; 16], b"primary"].concat();
        let okm = hkdf_by_hand(&salt, &[1; 32], &info, 48);
        assert_eq!(okm[32..], commitment);
        let cipher = ChaCha20Poly1305::new_from_slice(&okm[..32]).unwrap();
        let (body, tag) = ciphertext.split_at(ciphertext.len() - 16);
        let mut text = body.to_vec();
        let tag = tag.try_into().expect("a tag has 16 bytes");
        cipher.decrypt_inout_detached(&Nonce::default(), b"primary", text.as_mut_slice().into(), tag).unwrap();
        assert_eq!(text, b"the words");
    }

    #[test]
    fn an_operating_system_that_repeats_itself_repeats_no_key_for_other_words() {
        let identity = Identity::from_secret(&[1; 32]);
        let salts = [&b"one"[..], b"one", b"two"].map(|words| {
            let payload = seal(&EPOCH, &key(1), b"primary", words, identity.signing_key()).unwrap();
            Envelope::parse(&payload).unwrap().salt
        });
        assert!(salts[0] != salts[1] && salts[1] != salts[2]);
    }

    /// Whatever the number of members: they are named nowhere in it.
    #[test]
    fn a_text_to_a_group_costs_at_most_700_bytes_over_the_text() {
        let (alice, group) = (Identity::from_secret(&[1; 32]), Identity::from_secret(&[2; 32]));
        let draft = Draft {
            kind: Kind::Message,
            source: alice.node(),
            destination: Eid::group(group.node()),
            creation: Creation { time: DtnTime(830_000_000_000), sequence: 1 << 31 },
            lifetime: DAY,
            priority: Priority::Normal,
            copies: 23,
        };
        let mut most = 0;
        for len in 1..=4_096 {
            let text = Content::from(Text { body: "x".repeat(len), ..Text::default() });
            let payload = seal(&EPOCH, &key(1), &draft.primary(), &pad(&text.encode()), alice.signing_key()).unwrap();
            most = most.max(draft.encoded_len(payload.len()) - len);
        }
        assert!(most <= 700, "{most} bytes over the text");
    }
}

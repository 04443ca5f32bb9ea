//! Sealing: only the recipient reads what a payload holds, and only in the bundle it was written for.
//!
//! ```text
//! payload    = CBOR [1, key id, enc, ciphertext]            envelope kind 1: one recipient
//! suite      = 0020 0001 0003                               RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305
//! info       = "dak/seal/1" ‖ suite ‖ key id ‖ the recipient's Ed25519 key
//! AAD        = the primary block as encoded
//! recipient  = key id empty: the identity key, as X25519
//! ```
//!
//! HPKE base mode from the address alone: the recipient's Ed25519 key is mapped to the Montgomery curve, its secret
//! is the clamped half of the SHA-512 of its seed. The primary block as additional data binds source, destination
//! and stamp: whoever strips the signature and signs the ciphertext as its own gets something that does not open.
//! A message sealed to the identity key has no forward secrecy; [`Opened`] says which key it was. Key ids leave room for
//! prekeys, which this version does not make. Padding is the message's business, see [`crate::content`].

pub mod group;
mod proof;

use ed25519_dalek::{SigningKey, VerifyingKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use zeroize::Zeroizing;

use crate::bundle::key;
use crate::cbor::{CborError, Major, Reader, Writer};
use crate::content::KeyUsed;
use crate::id::NodeId;
use crate::keys::Identity;
use crate::mail::Opened;

pub use proof::{Facts, is_signed, prove};

/// The envelope with one recipient.
const KIND_ONE: u64 = 1;
const INFO_LABEL: &[u8] = b"dak/seal/1";
/// KEM, KDF and AEAD by their numbers in RFC 9180 section 7, two bytes each.
const SUITE: [u8; 6] = [0x00, 0x20, 0x00, 0x01, 0x00, 0x03];
/// The key id that names the identity key.
const IDENTITY_KEY: &[u8] = &[];
/// Bytes of `enc`, the ephemeral X25519 key.
const ENC_BYTES: usize = 32;
/// Bytes of the tag at the end of a ciphertext.
const TAG_BYTES: usize = 16;
/// Longest key id: the first eight bytes of a prekey's hash.
const KEY_ID_BYTES: usize = 8;

type X25519 = X25519HkdfSha256;

/// Why a payload could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the payload is not a sealed envelope: {0}")]
    Malformed(#[from] CborError),
    #[error("the payload is an envelope of kind {0}, which this version cannot read")]
    UnknownKind(u64),
    #[error("the message is sealed to a key that this node does not have")]
    UnknownKey,
    #[error("the message does not open: it was sealed for somebody else or another bundle, or was changed on the way")]
    DoesNotOpen,
    #[error("the message was sealed with a weak ephemeral key, which anybody could open")]
    WeakEphemeral,
    #[error("nothing can be sealed to the recipient's key")]
    Recipient,
    #[error("there is no key yet to write to this group with")]
    NoEpoch,
    #[error("the operating system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
}

/// Seals a padded message to a recipient, for the bundle with this encoded primary block.
///
/// Needs nothing but the recipient's address. `hedge_key` is the sender's: with it and the plaintext in the seed, an
/// operating system that repeats itself (a cloned machine, a restored snapshot) cannot make two different messages
/// share an ephemeral key.
pub fn seal(
    recipient: &NodeId,
    primary: &[u8],
    plaintext_padded: &[u8],
    hedge_key: &SigningKey,
) -> Result<Vec<u8>, SealError> {
    let mut fresh = Zeroizing::new([0; 32]);
    getrandom::fill(fresh.as_mut()).map_err(SealError::Entropy)?;
    let seed = hedged_seed(&fresh, hedge_key, recipient, primary, plaintext_padded);
    seal_with(recipient, primary, plaintext_padded, &mut ChaCha20Rng::from_seed(*seed))
}

/// Opens a payload with the recipient's identity, for the bundle with this primary block as received.
///
/// An envelope that names another key is not tried with this one.
pub fn open(identity: &Identity, primary: &[u8], payload: &[u8]) -> Result<Opened, SealError> {
    let Envelope { key_id, enc, ciphertext } = Envelope::parse(payload)?;
    if key_id != IDENTITY_KEY {
        return Err(SealError::UnknownKey);
    }
    let secret = Zeroizing::new(identity.signing_key().to_scalar_bytes());
    let secret = <X25519 as Kem>::PrivateKey::from_bytes(secret.as_ref()).expect("a scalar has 32 bytes");
    let enc = <X25519 as Kem>::EncappedKey::from_bytes(&enc).expect("the envelope's enc has 32 bytes");
    let info = info(key_id, &identity.node());
    // Fails only for an all-zero shared secret (RFC 9180 section 7.1.4).
    let context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519>(&OpModeR::Base, &secret, &enc, &info);
    let mut context = context.map_err(|_| SealError::WeakEphemeral)?;
    let plaintext = context.open(ciphertext, primary).map_err(|_| SealError::DoesNotOpen)?;
    Ok(Opened::new(KeyUsed::Identity, plaintext))
}

/// The ephemeral key of a payload that was opened.
pub fn enc_of(payload: &[u8]) -> Result<[u8; ENC_BYTES], SealError> {
    Envelope::parse(payload).map(|envelope| envelope.enc)
}

fn seal_with(
    recipient: &NodeId,
    primary: &[u8],
    plaintext: &[u8],
    entropy: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    // A key taken from a damaged store never went through the door, and must not fall to a small subgroup.
    key::checked(*recipient).map_err(|_| SealError::Recipient)?;
    let key = VerifyingKey::from_bytes(recipient.as_bytes()).map_err(|_| SealError::Recipient)?;
    let key = key.to_montgomery().to_bytes();
    let key = <X25519 as Kem>::PublicKey::from_bytes(&key).expect("a Montgomery point has 32 bytes");
    let info = info(IDENTITY_KEY, recipient);
    let context =
        hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519>(&OpModeS::Base, &key, &info, entropy);
    let (enc, mut context) = context.map_err(|_| SealError::Recipient)?;
    let mut payload = Envelope::begin(IDENTITY_KEY, &enc.to_bytes().into(), plaintext.len() + TAG_BYTES);
    let at = payload.len();
    payload.extend_from_slice(plaintext);
    // Where it lies: a part of a file is worth no copy.
    let tag = context.seal_inout_detached((&mut payload[at..]).into(), primary);
    payload.extend_from_slice(&tag.expect("one message is far below the limits of the cipher").to_bytes());
    Ok(payload)
}

/// A seed that repeats only where everything repeats, and then seals the same bytes again.
fn hedged_seed(
    fresh: &[u8; 32],
    hedge_key: &SigningKey,
    recipient: &NodeId,
    primary: &[u8],
    plaintext: &[u8],
) -> Zeroizing<[u8; 32]> {
    let mut hash = blake3::Hasher::new_derive_key("dak 2026 seal entropy v1");
    hash.update(fresh).update(hedge_key.as_bytes()).update(recipient.as_bytes());
    // Its length first, so that no byte can move between primary block and plaintext.
    hash.update(&(primary.len() as u64).to_le_bytes()).update(primary).update(plaintext);
    Zeroizing::new(*hash.finalize().as_bytes())
}

fn info(key_id: &[u8], recipient: &NodeId) -> Vec<u8> {
    [INFO_LABEL, &SUITE, key_id, recipient.as_bytes()].concat()
}

/// Kind 1, as it stands in the payload.
struct Envelope<'a> {
    key_id: &'a [u8],
    enc: [u8; ENC_BYTES],
    ciphertext: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(payload: &'a [u8]) -> Result<Envelope<'a>, SealError> {
        let mut reader = Reader::new(payload);
        let len = reader.array()?;
        match reader.uint()? {
            KIND_ONE if len == 4 => {}
            KIND_ONE => return Err(CborError::Type.into()),
            kind => return Err(SealError::UnknownKind(kind)),
        }
        let key_id = reader.bytes()?;
        if key_id.len() != IDENTITY_KEY.len() && key_id.len() != KEY_ID_BYTES {
            return Err(CborError::Range.into());
        }
        let envelope = Envelope { key_id, enc: reader.bytes_exact()?, ciphertext: reader.bytes()? };
        reader.finish()?;
        Ok(envelope)
    }

    /// Everything before a ciphertext of so many bytes.
    fn begin(key_id: &[u8], enc: &[u8; ENC_BYTES], ciphertext_len: usize) -> Vec<u8> {
        let mut payload = Vec::with_capacity(ciphertext_len + 64);
        payload.array(4);
        payload.uint(KIND_ONE);
        payload.bytes(key_id);
        payload.bytes(enc);
        payload.head(Major::Bytes, ciphertext_len as u64);
        payload
    }
}

#[cfg(test)]
mod tests;

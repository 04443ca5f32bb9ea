//! What needs a look inside: the vectors with their fixed ephemeral key, and the hedge.

use std::convert::Infallible;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use rand_core::{TryCryptoRng, TryRng};

use super::*;
use crate::content::{KeyUsed, pad, pad_as_before};
use crate::id::hex;

const VECTORS: &str = include_str!("../../tests/data/seal.json");

#[test]
fn the_vectors_seal_and_open_to_the_byte() {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 3);
    for vector in vectors {
        let field = |name: &str| unhex(vector[name].as_str().unwrap_or_else(|| panic!("{name} is missing")));
        let identity = Identity::from_secret(&field("recipient_secret").try_into().unwrap());
        assert_eq!(vector["recipient"], identity.node().peer_id().as_str());
        let (primary, plaintext, payload) = (field("primary"), field("plaintext"), field("payload"));
        assert_eq!(hex(&info(IDENTITY_KEY, &identity.node())), vector["info"].as_str().unwrap());

        let mut entropy = Given(field("ephemeral_ikm"));
        let sealed = seal_with(&identity.node(), &primary, &plaintext, &mut entropy).unwrap();
        assert_eq!(hex(&sealed), hex(&payload));
        assert!(entropy.0.is_empty(), "the ephemeral key is derived from all the bytes given");
        let opened = open(&identity, &primary, &payload).unwrap();
        assert!(opened.plaintext == plaintext && opened.key == KeyUsed::Identity);
    }
}

#[test]
fn an_operating_system_that_repeats_itself_repeats_no_ephemeral_key() {
    let cloned = [7; 32];
    let (alice, bob) = (Identity::from_secret(&[1; 32]), Identity::from_secret(&[2; 32]));
    let seed = |sender: &Identity, recipient: &Identity, primary: &[u8], plaintext: &[u8]| {
        *hedged_seed(&cloned, sender.signing_key(), &recipient.node(), primary, plaintext)
    };
    let first = seed(&alice, &bob, b"primary", b"text");
    assert_eq!(first, seed(&alice, &bob, b"primary", b"text"));
    assert_ne!(first, seed(&bob, &bob, b"primary", b"text"));
    assert_ne!(first, seed(&alice, &alice, b"primary", b"text"));
    assert_ne!(first, seed(&alice, &bob, b"primarx", b"text"));
    assert_ne!(first, seed(&alice, &bob, b"primary", b"texu"));
    assert_ne!(first, seed(&alice, &bob, b"primaryt", b"ext"), "no byte moves between the fields");
    let other = hedged_seed(&[8; 32], alice.signing_key(), &bob.node(), b"primary", b"text");
    assert_ne!(first, *other, "fresh entropy counts as well");
}

#[test]
fn a_weak_recipient_is_refused_even_if_its_key_was_never_checked() {
    let honest = CompressedEdwardsY(*Identity::from_secret(&[2; 32]).node().as_bytes()).decompress().unwrap();
    // Points of small order, and an honest key with such a point added to it, which X25519 itself would accept.
    let mixed = EIGHT_TORSION[1..].iter().map(|point| honest + point);
    for point in EIGHT_TORSION.into_iter().chain(mixed) {
        let weak = NodeId::from_trusted(point.compress().0);
        let sealed = seal(&weak, b"primary", b"text", Identity::from_secret(&[1; 32]).signing_key());
        assert_eq!(sealed, Err(SealError::Recipient));
    }
}

#[test]
fn an_all_zero_shared_secret_opens_nothing() {
    let bob = Identity::from_secret(&[2; 32]);
    // Two points of small order (RFC 7748 section 6.1), which every clamped scalar sends to zero.
    for u in [0, 1] {
        let mut enc = [0; ENC_BYTES];
        enc[0] = u;
        let payload = [Envelope::begin(IDENTITY_KEY, &enc, 16), vec![0; 16]].concat();
        assert_eq!(open(&bob, b"", &payload).err(), Some(SealError::WeakEphemeral));
    }
}

/// Prints the vectors' file anew, for a change of format that is meant:
/// `DAK_PRINT_VECTORS=1 cargo test --lib seal:: -- --nocapture`.
#[test]
fn the_vectors_file_is_what_this_code_prints() {
    let cases: [(&str, [u8; 32], Vec<u8>); 4] = [
        ("a padded message", [0x42; 32], pad(b"meet me at the bridge")),
        ("nothing at all", [0x01; 32], Vec::new()),
        ("a payload whose length needs two bytes", [0xfe; 32], pad(&[b'x'; 1_024])),
        ("a message padded by an earlier version", [0x42; 32], pad_as_before(b"meet me at the bridge")),
    ];
    let vectors: Vec<serde_json::Value> =
        cases.iter().map(|(about, ikm, plaintext)| vector(about, ikm, plaintext)).collect();
    let printed = serde_json::json!({
        "about": [
            "HPKE base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180), one message per context.",
            "recipient_secret is the Ed25519 private key of RFC 8032; ephemeral_ikm goes into RFC 9180's DeriveKeyPair.",
            "The additional data is the primary block; payload is the CBOR envelope [1, h'', enc, ciphertext]. All bytes in hexadecimal."
        ],
        "vectors": vectors,
    });
    if std::env::var_os("DAK_PRINT_VECTORS").is_some() {
        println!("{}", serde_json::to_string_pretty(&printed).unwrap());
    }
    let kept: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    assert!(printed == kept, "tests/data/seal.json differs from what this code makes");
}

fn vector(about: &str, ikm: &[u8; 32], plaintext: &[u8]) -> serde_json::Value {
    let (alice, bob) = (Identity::from_secret(&[1; 32]), Identity::from_secret(&[2; 32]));
    let draft = crate::bundle::Draft {
        kind: crate::bundle::Kind::Message,
        source: alice.node(),
        destination: crate::eid::Eid::mail(bob.node()),
        creation: crate::bundle::Creation { time: crate::time::DtnTime(830_000_000_000), sequence: 7 },
        lifetime: crate::time::DAY,
        priority: crate::bundle::Priority::Normal,
        copies: 8,
    };
    let primary = draft.primary();
    let payload = seal_with(&bob.node(), &primary, plaintext, &mut Given(ikm.to_vec())).unwrap();
    let montgomery = VerifyingKey::from_bytes(bob.node().as_bytes()).unwrap().to_montgomery();
    serde_json::json!({
        "about": about,
        "recipient_secret": hex(&[2; 32]),
        "recipient": bob.node().peer_id(),
        "recipient_x25519": hex(montgomery.as_bytes()),
        "info": hex(&info(IDENTITY_KEY, &bob.node())),
        "primary": hex(&primary),
        "ephemeral_ikm": hex(ikm),
        "plaintext": hex(plaintext),
        "payload": hex(&payload),
    })
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Gives the bytes it was given, and panics when asked for more.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<u8>>());
        Ok(())
    }
}

impl TryCryptoRng for Given {}

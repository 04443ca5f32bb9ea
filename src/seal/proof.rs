//! Showing to a third person what an author sealed and signed: see [`crate::content::Proof`].
//!
//! The key and nonce of one message follow from the recipient's identity key and the ephemeral key by the key schedule of
//! RFC 9180 section 5.1 in base mode, which the library that seals keeps to itself.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use curve25519_dalek::MontgomeryPoint;
use ed25519_dalek::VerifyingKey;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Envelope, IDENTITY_KEY, SUITE, info};
use crate::bundle::{Bundle, Creation, Draft, Kind, Priority};
use crate::content::{Attachment, Content, Filed, Forwarded, Proof, REST_BYTES_MAX, Text, pad, pad_as_before};
use crate::eid::Eid;
use crate::id::NodeId;
use crate::keys::Identity;
use crate::time::{DtnTime, Millis};

/// What is known of a message beside its words.
pub struct Facts {
    pub creation: Creation,
    pub lifetime: Millis,
    pub priority: Priority,
}

/// The proof for a text that passes on what came here as `filed`; none where nothing can be proved: the text has other words
/// by now, or an earlier version filed it.
pub fn prove(identity: &Identity, facts: &Facts, filed: &Filed, forward: &Text) -> Option<Box<Proof>> {
    let seal = (**filed.seal.as_ref()?).clone();
    let Ok(Content::Text(original)) = Content::decode(&filed.content) else { return None };
    let rest = Text { body: String::new(), subject: None, attachments: Vec::new(), ..original };
    let rest = Content::Text(rest).encode();
    if rest.len() > REST_BYTES_MAX {
        return None;
    }
    let (key, nonce) = schedule(identity, &seal.enc);
    let proof = Box::new(Proof {
        destination: identity.node(),
        sequence: facts.creation.sequence,
        lifetime: facts.lifetime.0,
        priority: facts.priority.number(),
        seal,
        key,
        nonce,
        rest,
    });
    let holds = holds(forward.forwarded.as_ref()?, &proof, forward);
    holds.then_some(proof)
}

/// Whether what a text passes on is signed by the author that it names, to the byte.
pub fn is_signed(text: &Text) -> bool {
    match (&text.forwarded, &text.proof) {
        (Some(forwarded), Some(proof)) => holds(forwarded, proof, text),
        _ => false,
    }
}

fn holds(forwarded: &Forwarded, proof: &Proof, text: &Text) -> bool {
    let named = |bundle: Bundle| bundle.id.0.starts_with(&forwarded.id);
    [pad, pad_as_before].into_iter().any(|pad| bundle(forwarded, proof, text, pad).is_some_and(named))
}

/// The author's bundle made again, its content padded in this way; none where its signature does not hold.
fn bundle(forwarded: &Forwarded, proof: &Proof, text: &Text, pad: fn(&[u8]) -> Vec<u8>) -> Option<Bundle> {
    let Ok(Content::Text(rest)) = Content::decode(&proof.rest) else { return None };
    let attachments: Vec<Attachment> = text.attachments.clone();
    let original = Text { body: text.body.clone(), subject: text.subject.clone(), attachments, ..rest };
    let draft = Draft {
        kind: Kind::Message,
        source: forwarded.author,
        destination: Eid::mail(proof.destination),
        creation: Creation { time: DtnTime(forwarded.sent), sequence: proof.sequence },
        lifetime: Millis(proof.lifetime),
        priority: Priority::of_number(proof.priority.into())?,
        copies: proof.seal.copies,
    };
    let cipher = ChaCha20Poly1305::new(&Key::from(proof.key));
    let plaintext = pad(&Content::Text(original).encode());
    let payload = Payload { msg: &plaintext, aad: &draft.primary() };
    let ciphertext = cipher.encrypt(&Nonce::from(proof.nonce), payload).ok()?;
    let mut sealed = Envelope::begin(IDENTITY_KEY, &proof.seal.enc, ciphertext.len());
    sealed.extend_from_slice(&ciphertext);
    draft.signed(&sealed, &proof.seal.signature).ok()
}

/// The key and nonce of the one message that was sealed to this identity with this ephemeral key.
pub(super) fn schedule(identity: &Identity, enc: &[u8; 32]) -> ([u8; 32], [u8; 12]) {
    let secret = Zeroizing::new(identity.signing_key().to_scalar_bytes());
    let shared = Zeroizing::new(MontgomeryPoint(*enc).mul_clamped(*secret).0);
    let mut kem = Zeroizing::new([0; 32]);
    let public = montgomery(&identity.node());
    let context = [&enc[..], &public].concat();
    expand(&extract(KEM, &[], b"eae_prk", shared.as_ref()), KEM, b"shared_secret", &context, kem.as_mut());
    let hashes = [
        extract(HPKE, &[], b"psk_id_hash", &[]),
        extract(HPKE, &[], b"info_hash", &info(IDENTITY_KEY, &identity.node())),
    ];
    let context = [&[MODE_BASE], &hashes[0][..], &hashes[1][..]].concat();
    let secret = extract(HPKE, kem.as_ref(), b"secret", &[]);
    let (mut key, mut nonce) = ([0; 32], [0; 12]);
    expand(&secret, HPKE, b"key", &context, &mut key);
    expand(&secret, HPKE, b"base_nonce", &context, &mut nonce);
    (key, nonce)
}

/// RFC 9180 section 5.1: no pre-shared key, and nobody authenticated.
const MODE_BASE: u8 = 0;
/// Suite ids, RFC 9180 sections 4.1 and 5.1: which numbers of the suite stand behind which word.
const KEM: (&[u8], &[u8]) = (b"KEM", SUITE.split_at(2).0);
const HPKE: (&[u8], &[u8]) = (b"HPKE", &SUITE);

/// RFC 9180 section 4: `LabeledExtract`.
fn extract((word, suite): (&[u8], &[u8]), salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    let labeled = Zeroizing::new([b"HPKE-v1", word, suite, label, ikm].concat());
    Hkdf::<Sha256>::extract(Some(salt), &labeled).0.into()
}

/// RFC 9180 section 4: `LabeledExpand`.
fn expand(prk: &[u8; 32], (word, suite): (&[u8], &[u8]), label: &[u8], info: &[u8], out: &mut [u8]) {
    let len = u16::try_from(out.len()).expect("keys are short").to_be_bytes();
    let labeled = [&len[..], b"HPKE-v1", word, suite, label, info].concat();
    let hkdf = Hkdf::<Sha256>::from_prk(prk).expect("a hash is long enough");
    hkdf.expand(&labeled, out).expect("keys are short");
}

fn montgomery(node: &NodeId) -> [u8; 32] {
    let key = VerifyingKey::from_bytes(node.as_bytes()).expect("a node's key is one");
    key.to_montgomery().to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{KeyUsed, Seal};
    use crate::seal::{enc_of, open, seal};

    /// A text from alice that bob opened, with what he kept of it.
    fn came(text: Text) -> (Identity, Identity, Facts, Filed, BundleIdText) {
        came_padded(text, pad)
    }

    fn came_padded(text: Text, pad: fn(&[u8]) -> Vec<u8>) -> (Identity, Identity, Facts, Filed, BundleIdText) {
        let (alice, bob) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let facts = Facts {
            creation: Creation { time: DtnTime(836_000_000_000), sequence: 7 },
            lifetime: Millis(86_400_000),
            priority: Priority::Urgent,
        };
        let draft = Draft {
            kind: Kind::Message,
            source: alice.node(),
            destination: Eid::mail(bob.node()),
            creation: facts.creation,
            lifetime: facts.lifetime,
            priority: facts.priority,
            copies: 8,
        };
        let content = Content::Text(text.clone()).encode();
        let payload = seal(&bob.node(), &draft.primary(), &pad(&content), alice.signing_key()).unwrap();
        let bundle = draft.sign(&payload, alice.signing_key()).unwrap();
        let opened = open(&bob, bundle.primary(), bundle.payload()).unwrap();
        assert_eq!(opened.plaintext, pad(&content));
        let seal = Seal { copies: 8, signature: bundle.signature(), enc: enc_of(bundle.payload()).unwrap() };
        let filed = Filed { key: KeyUsed::Identity, content, seal: Some(Box::new(seal)) };
        let id = bundle.id.0[..16].try_into().unwrap();
        (alice, bob, facts, filed, BundleIdText { id, text })
    }

    struct BundleIdText {
        id: [u8; 16],
        text: Text,
    }

    fn forward(alice: &Identity, original: &BundleIdText) -> Text {
        let forwarded = Forwarded { author: alice.node(), id: original.id, sent: 836_000_000_000 };
        let Text { body, subject, attachments, .. } = original.text.clone();
        Text {
            body,
            subject,
            attachments,
            remark: "see".into(),
            forwarded: Some(Box::new(forwarded)),
            ..Text::default()
        }
    }

    fn lunch() -> Text {
        let attachments = vec![Attachment { name: "map".into(), bytes: vec![1, 2, 3] }];
        Text {
            body: "at noon".into(),
            subject: Some("lunch".into()),
            thread: Some([3; 16]),
            tags: 1,
            attachments,
            ..Text::default()
        }
    }

    #[test]
    fn the_schedule_is_that_of_the_library_that_seals() {
        let bob = Identity::generate().unwrap();
        let sender = Identity::generate().unwrap();
        let payload = seal(&bob.node(), b"primary", b"words", sender.signing_key()).unwrap();
        let (key, nonce) = schedule(&bob, &enc_of(&payload).unwrap());
        let cipher = ChaCha20Poly1305::new(&Key::from(key));
        let ciphertext = Envelope::parse(&payload).unwrap().ciphertext;
        let opened = cipher.decrypt(&Nonce::from(nonce), Payload { msg: ciphertext, aad: b"primary" }).unwrap();
        assert_eq!(opened, b"words");
    }

    #[test]
    fn whoever_reads_a_forward_can_check_the_authors_signature() {
        let (alice, bob, facts, filed, original) = came(lunch());
        let mut text = forward(&alice, &original);
        assert!(!is_signed(&text), "nothing shows it yet");
        text.proof = Some(prove(&bob, &facts, &filed, &text).unwrap());
        assert!(is_signed(&text));
        let Ok(Content::Text(read)) = Content::decode(&Content::Text(text.clone()).encode()) else {
            panic!("it is a text")
        };
        assert!(is_signed(&read));
        // No word, name, time or author in it is another's.
        let change: [fn(&mut Text); 6] = [
            |text| text.body.push('!'),
            |text| text.subject = None,
            |text| text.attachments[0].bytes[0] ^= 1,
            |text| text.forwarded.as_mut().unwrap().sent += 1,
            |text| text.forwarded.as_mut().unwrap().id[0] ^= 1,
            |text| text.proof.as_mut().unwrap().rest = Content::Text(Text::default()).encode(),
        ];
        for change in change {
            let mut other = text.clone();
            change(&mut other);
            assert!(!is_signed(&other));
        }
        text.forwarded.as_mut().unwrap().author = bob.node();
        assert!(!is_signed(&text));
    }

    #[test]
    fn what_was_padded_as_before_is_passed_on_with_a_proof() {
        let (alice, bob, facts, filed, original) = came_padded(lunch(), pad_as_before);
        let mut text = forward(&alice, &original);
        text.proof = Some(prove(&bob, &facts, &filed, &text).unwrap());
        assert!(is_signed(&text));
    }

    #[test]
    fn what_has_other_words_by_now_is_passed_on_without_a_proof() {
        let (alice, bob, facts, filed, original) = came(lunch());
        let text = Text { body: "at one".into(), ..forward(&alice, &original) };
        assert_eq!(prove(&bob, &facts, &filed, &text), None);
        assert_eq!(prove(&bob, &facts, &Filed { seal: None, ..filed }, &forward(&alice, &original)), None);
    }
}

//! Stories about keys: whose they are, who may see them, and what is sealed with them.
#![cfg(feature = "node")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dak::bundle::{Bundle, Creation, Draft, Kind, Priority};
use dak::cbor::{CborError, Writer};
use dak::content::{KeyUsed, pad, unpad};
use dak::eid::Eid;
use dak::keys::{Identity, IdentityError, Malformed};
use dak::seal::{SealError, open, seal};
use dak::time::{DAY, DtnTime};

#[test]
fn an_identity_is_the_same_after_a_restart_and_nobody_else_can_read_it() {
    let dir = Dir::new();
    let (made, new) = Identity::load_or_create(&dir.key()).unwrap();
    assert!(new);
    assert_eq!(mode(&dir.key()), 0o600);
    let (loaded, new) = Identity::load_or_create(&dir.key()).unwrap();
    assert!(!new);
    assert_eq!(loaded.node(), made.node());
    assert_eq!(loaded.signing_key(), made.signing_key());
    // The temporary file is gone.
    assert_eq!(std::fs::read_dir(dir.0.path()).unwrap().count(), 1);
}

#[test]
fn two_identities_are_two_people() {
    assert_ne!(Identity::generate().unwrap().node(), Identity::generate().unwrap().node());
}

#[test]
fn libp2p_knows_the_node_by_the_same_peer_id() {
    let identity = identity(9);
    assert_eq!(identity.libp2p_keypair().public().to_peer_id().to_base58(), identity.node().peer_id());
}

#[test]
fn loose_permissions_are_refused() {
    let dir = Dir::new();
    identity(1).save(&dir.key()).unwrap();
    for loose in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
        set_mode(&dir.key(), loose);
        let error = Identity::load(&dir.key()).unwrap_err();
        assert!(matches!(error, IdentityError::Loose { mode, .. } if mode == loose), "{error}");
        assert!(Identity::load_or_create(&dir.key()).is_err(), "a refused key is not replaced by a new one");
    }
    set_mode(&dir.key(), 0o400);
    assert_eq!(Identity::load(&dir.key()).unwrap().node(), identity(1).node());
}

#[test]
fn a_key_of_another_user_is_refused() {
    let dir = Dir::new();
    identity(1).save(&dir.key()).unwrap();
    if std::os::unix::fs::chown(dir.key(), Some(1), None).is_err() {
        eprintln!("only root can give a file away: the owner's check was not tried");
        return;
    }
    let error = Identity::load(&dir.key()).unwrap_err();
    assert!(matches!(error, IdentityError::Foreign { owner: 1, .. }), "{error}");
}

#[test]
fn an_identity_is_never_written_over() {
    let dir = Dir::new();
    identity(1).save(&dir.key()).unwrap();
    assert!(matches!(identity(2).save(&dir.key()), Err(IdentityError::Exists { .. })));
    assert_eq!(Identity::load(&dir.key()).unwrap().node(), identity(1).node());
    assert_eq!(std::fs::read_dir(dir.0.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_identity_is_told_from_a_damaged_one() {
    let dir = Dir::new();
    assert!(matches!(Identity::load(&dir.key()), Err(IdentityError::Missing { .. })));
    std::fs::create_dir(dir.key()).unwrap();
    let not_a_file = Identity::load(&dir.key()).unwrap_err();
    assert!(matches!(not_a_file, IdentityError::Malformed { why: Malformed::NotAFile, .. }), "{not_a_file}");
}

#[test]
fn a_pipe_in_the_place_of_the_key_does_not_hang() {
    let dir = Dir::new();
    let made = std::process::Command::new("mkfifo").arg("-m").arg("600").arg(dir.key()).status().unwrap();
    assert!(made.success());
    let error = Identity::load(&dir.key()).unwrap_err();
    assert!(matches!(error, IdentityError::Malformed { why: Malformed::NotAFile, .. }), "{error}");
}

#[test]
fn malformed_files_are_refused_and_left_alone() {
    let good = identity(1).to_text().to_string();
    let line = good.lines().last().unwrap().to_owned();
    let (_, secret) = line.rsplit_once(' ').unwrap();
    let cases = [
        (String::new(), Malformed::Form),
        ("# only a comment\n".into(), Malformed::Form),
        (secret.to_owned(), Malformed::Form),
        (format!("{line}\n{line}\n"), Malformed::Form),
        (format!("{line} more"), Malformed::Form),
        (line[..line.len() - 1].to_owned(), Malformed::Form),
        (format!("{line}0"), Malformed::Form),
        (line.replace("dak-identity-1", "dak-identity-2"), Malformed::Newer),
        (line.replace(&identity(1).node().peer_id(), &identity(2).node().peer_id()), Malformed::Mismatch),
        ("#".repeat(5_000), Malformed::TooLong),
    ];
    for (text, expected) in cases {
        let dir = Dir::new();
        std::fs::write(dir.key(), &text).unwrap();
        set_mode(&dir.key(), 0o600);
        let error = Identity::load_or_create(&dir.key()).unwrap_err();
        assert!(matches!(error, IdentityError::Malformed { why, .. } if why == expected), "{text:?}: {error}");
        assert!(!error.to_string().contains(secret), "an error never shows a secret");
        assert_eq!(std::fs::read_to_string(dir.key()).unwrap(), text);
    }
}

#[test]
fn every_damaged_digit_of_a_key_is_noticed() {
    let good = identity(1).to_text().to_string();
    let start = good.rfind(' ').unwrap() + 1;
    for at in start..start + 64 {
        let mut damaged = good.clone().into_bytes();
        damaged[at] = if damaged[at] == b'0' { b'1' } else { b'0' };
        let damaged = String::from_utf8(damaged).unwrap();
        assert_eq!(Identity::from_text(&damaged).err(), Some(Malformed::Mismatch));
    }
}

#[test]
fn the_file_says_what_it_is_and_printing_an_identity_shows_no_secret() {
    let text = identity(1).to_text();
    assert!(text.starts_with("# The secret key of a dak node."), "{}", &text[..40]);
    assert!(text.contains("never share it"));
    assert_eq!(Identity::from_text(&text).unwrap().node(), identity(1).node());
    assert_eq!(format!("{:?}", identity(1)), format!("Identity({})", identity(1).node()));
}

#[test]
fn a_message_is_read_by_its_recipient_and_nobody_else() {
    let (alice, bob, carol) = (identity(1), identity(2), identity(3));
    let bundle = sealed_bundle(&alice, &bob, b"meet me at the bridge");
    let (received, _) = Bundle::decode(bundle.bytes()).unwrap();
    let opened = open(&bob, received.primary(), received.payload()).unwrap();
    assert_eq!(unpad(&opened.plaintext), Ok(&b"meet me at the bridge"[..]));
    assert_eq!(opened.key, KeyUsed::Identity, "and no key that is gone afterwards");
    for other in [&alice, &carol] {
        assert_eq!(open(other, received.primary(), received.payload()).err(), Some(SealError::DoesNotOpen));
    }
}

#[test]
fn a_ciphertext_stripped_of_its_signature_and_signed_by_another_does_not_open() {
    let (alice, bob, mallory) = (identity(1), identity(2), identity(3));
    let genuine = sealed_bundle(&alice, &bob, b"I owe you 100");
    let stolen = draft(&mallory, &bob, 7).sign(genuine.payload(), &*mallory.signer()).unwrap();
    let (received, _) = Bundle::decode(stolen.bytes()).unwrap();
    assert_eq!(open(&bob, received.primary(), received.payload()).err(), Some(SealError::DoesNotOpen));
    // Nor under another stamp of its own author.
    let moved = draft(&alice, &bob, 8).sign(genuine.payload(), &*alice.signer()).unwrap();
    assert_eq!(open(&bob, moved.primary(), moved.payload()).err(), Some(SealError::DoesNotOpen));
}

#[test]
fn every_changed_byte_of_payload_or_primary_block_keeps_it_shut() {
    let (alice, bob) = (identity(1), identity(2));
    let bundle = sealed_bundle(&alice, &bob, b"text");
    let (primary, payload) = (bundle.primary().to_vec(), bundle.payload().to_vec());
    assert!(open(&bob, &primary, &payload).is_ok());
    for bits in [0x01, 0x80, 0xff] {
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= bits;
            assert!(open(&bob, &primary, &changed).is_err(), "payload byte {at} ^ {bits:02x}");
        }
        for at in 0..primary.len() {
            let mut changed = primary.clone();
            changed[at] ^= bits;
            assert_eq!(open(&bob, &changed, &payload).err(), Some(SealError::DoesNotOpen), "primary byte {at}");
        }
    }
    for len in 0..payload.len() {
        assert!(open(&bob, &primary, &payload[..len]).is_err(), "cut to {len}");
    }
    let longer = [&payload[..], &[0]].concat();
    assert_eq!(open(&bob, &primary, &longer).err(), Some(SealError::Malformed(CborError::Trailing)));
}

#[test]
fn the_same_message_twice_shares_no_byte_pattern() {
    let (alice, bob) = (identity(1), identity(2));
    let primary = draft(&alice, &bob, 7).primary();
    let sealed = || seal(&bob.node(), &primary, &pad(b"text"), alice.signing_key()).unwrap();
    assert_ne!(sealed(), sealed());
}

#[test]
fn later_kinds_and_unknown_keys_are_told_from_damage() {
    let bob = identity(2);
    let envelope = |kind: u64, key_id: &[u8]| {
        let mut payload = Vec::new();
        payload.array(4);
        payload.uint(kind);
        payload.bytes(key_id);
        payload.bytes(&[9; 32]);
        payload.bytes(&[0; 16]);
        payload
    };
    let opened = |payload: &[u8]| open(&bob, b"primary", payload).err().unwrap();
    assert_eq!(opened(&envelope(2, b"")), SealError::UnknownKind(2));
    assert_eq!(opened(&[0x82, 0x18, 0x64, 0xf5]), SealError::UnknownKind(100));
    assert_eq!(opened(&envelope(1, b"12345678")), SealError::UnknownKey);
    assert_eq!(opened(&envelope(1, b"1234567")), SealError::Malformed(CborError::Range));
    assert_eq!(opened(&envelope(1, b"")), SealError::DoesNotOpen);
    assert!(matches!(opened(b""), SealError::Malformed(_)));
    assert!(matches!(opened(b"hello"), SealError::Malformed(_)));
    assert!(matches!(opened(&[0x84, 0x18, 0x01, 0x40, 0x40, 0x40]), SealError::Malformed(CborError::NotShortest)));
}

#[test]
fn the_longest_message_of_a_bundle_is_sealed_and_opened() {
    let (alice, bob) = (identity(1), identity(2));
    let text = vec![b'x'; 900_000];
    let bundle = sealed_bundle(&alice, &bob, &text);
    let opened = open(&bob, bundle.primary(), bundle.payload()).unwrap();
    assert_eq!(unpad(&opened.plaintext), Ok(&text[..]));
}

fn sealed_bundle(from: &Identity, to: &Identity, message: &[u8]) -> Bundle {
    let draft = draft(from, to, 7);
    let payload = seal(&to.node(), &draft.primary(), &pad(message), from.signing_key()).unwrap();
    draft.sign(&payload, &*from.signer()).unwrap()
}

fn draft(from: &Identity, to: &Identity, sequence: u64) -> Draft {
    Draft {
        kind: Kind::Message,
        source: from.node(),
        destination: Eid::mail(to.node()),
        creation: Creation { time: DtnTime(830_000_000_000), sequence },
        lifetime: DAY,
        priority: Priority::Normal,
        copies: 8,
    }
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("identity.key")
    }
}

fn identity(seed: u8) -> Identity {
    Identity::from_secret(&[seed; 32])
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

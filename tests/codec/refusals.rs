//! Bundles that are well signed and still refused: each for its own reason.

use curve25519_dalek::scalar::Scalar;
use dak::bundle::{Bundle, BundleError, Role, Unverified};
use dak::cbor::CborError;
use dak::eid::EidError;
use dak::id::KeyError;
use ed25519_dalek::{Signature, Verifier};
use sha2::{Digest, Sha512};

use crate::common::{alice, bob};
use crate::hand::{Hand, bundle, endpoint, fix_crc, name, name_of_key, uint};

fn refusal(hand: Hand) -> BundleError {
    Bundle::decode(&hand.bundle()).unwrap_err()
}

#[test]
fn the_pattern_that_every_refusal_departs_from_is_accepted() {
    assert!(Bundle::decode(&Hand::message().bundle()).is_ok());
}

#[test]
fn fragments_are_refused() {
    for flags in [0x01, 0x05, 0x25] {
        assert_eq!(refusal(Hand { flags: uint(flags), ..Hand::message() }), BundleError::Fragment);
    }
}

#[test]
fn bundles_that_ask_for_reports_are_refused() {
    for request in [0x40, 0x4000, 0x1_0000, 0x2_0000, 0x4_0000] {
        assert_eq!(refusal(Hand { flags: uint(0x24 | request), ..Hand::message() }), BundleError::ReportRequested);
    }
    for report_to in [endpoint(&name(&alice(), "")), endpoint("//victim/"), vec![0x82, 2, 0x82, 1, 1]] {
        assert_eq!(refusal(Hand { report_to, ..Hand::message() }), BundleError::ReportTo);
    }
}

#[test]
fn other_flags_versions_and_crc_types_are_refused() {
    for flags in [0, 0x04, 0x20, 0x26, 0x02, 0x24 | 0x100_0000] {
        assert_eq!(refusal(Hand { flags: uint(flags), ..Hand::message() }), BundleError::Flags(flags));
    }
    assert_eq!(refusal(Hand { version: uint(6), ..Hand::message() }), BundleError::Version(6));
    for crc_type in [0, 1, 3] {
        assert_eq!(refusal(Hand { crc_type: uint(crc_type), ..Hand::message() }), BundleError::CrcType(crc_type));
    }
}

#[test]
fn other_endpoints_are_refused() {
    let none = vec![0x82, 1, 0];
    let ipn = vec![0x82, 2, 0x82, 5, 1];
    for other in [none, ipn] {
        let destination = Hand { destination: other.clone(), ..Hand::message() };
        assert_eq!(refusal(destination), BundleError::Scheme(Role::Destination));
        let source = Hand { source: other, ..Hand::message() };
        assert_eq!(refusal(source), BundleError::Scheme(Role::Source));
    }
    for (text, error) in [
        ("//node1/mail".to_owned(), EidError::Key(KeyError::Malformed)),
        (format!("{}?x", name(&bob(), "mail")), EidError::Service),
        (name(&bob(), "Mail"), EidError::Service),
        (name(&bob(), "mail").replacen("//", "///", 1), EidError::Service),
        (name(&bob(), "").trim_end_matches('/').to_owned(), EidError::Form),
        (name(&bob(), "mail").replacen("//", "//1", 1), EidError::Key(KeyError::NotEd25519)),
    ] {
        let hand = Hand { destination: endpoint(&text), ..Hand::message() };
        assert_eq!(refusal(hand), BundleError::Endpoint(Role::Destination, error), "{text}");
    }
    let from_mailbox = Hand { source: endpoint(&name(&alice(), "mail")), ..Hand::message() };
    assert_eq!(refusal(from_mailbox), BundleError::SourceService);
    let receipt_for_a_mailbox = Hand { flags: uint(6), ..Hand::message() };
    assert_eq!(refusal(receipt_for_a_mailbox), BundleError::ReceiptDestination);
}

#[test]
fn blocks_come_once_and_in_order() {
    let blocks = Hand::message().blocks();
    let refusal = |blocks: &[Vec<u8>]| Bundle::decode(&bundle(blocks)).unwrap_err();
    let names = ["integrity", "class of service", "bundle age", "hop count", "payload"];
    for index in 1..blocks.len() {
        let place = names[index - 1];
        let mut without = blocks.clone();
        without.remove(index);
        assert_eq!(refusal(&without), BundleError::Layout(place));

        let mut swapped = blocks.clone();
        swapped.swap(index, if index + 1 < blocks.len() { index + 1 } else { index - 1 });
        assert!(matches!(refusal(&swapped), BundleError::Layout(_)));

        let mut twice = blocks.clone();
        twice.insert(index, blocks[index].clone());
        let next = names.get(index).unwrap_or(&"payload");
        assert_eq!(refusal(&twice), BundleError::Layout(next));
    }
    assert_eq!(refusal(&blocks[1..]), BundleError::Version(11));
    assert_eq!(refusal(&[]), BundleError::NotDeterministic(CborError::Indefinite));
}

#[test]
fn block_numbers_flags_and_crcs_are_fixed() {
    for index in 1..6 {
        let blocks = Hand::message().blocks();
        // The class of service has a type of two bytes.
        let number_at = if index == 2 { 3 } else { 2 };
        let number = u64::from(blocks[index][number_at]);
        let with = |at: usize, value: u8| {
            let mut changed = blocks.clone();
            changed[index][at] = value;
            Bundle::decode(&bundle(&changed)).unwrap_err()
        };
        assert!(matches!(with(number_at, 9), BundleError::Layout(_) | BundleError::UnknownUnsignedBlock(193)));
        assert_eq!(with(number_at + 1, 1), BundleError::BlockFlags(number));
        assert_eq!(with(number_at + 2, 2), BundleError::BlockCrc(number));
    }
}

#[test]
fn unknown_blocks_are_refused_unless_signed() {
    let unsigned = |block_type, number| {
        let mut hand = Hand::message();
        hand.unknown = vec![(block_type, number, b"x".to_vec())];
        hand.unknown_signed = false;
        refusal(hand)
    };
    assert_eq!(unsigned(200, 6), BundleError::UnknownUnsignedBlock(200));
    assert_eq!(unsigned(200, 16), BundleError::UnknownUnsignedBlock(200));
    // A previous node block, a second age, a second integrity block.
    for known in [6, 7, 11] {
        assert_eq!(unsigned(known, 6), BundleError::Layout("payload"));
    }

    let lies_about_its_scope = Hand { unknown_signed: false, ..Hand::message().with_unknown(200, 6, b"x") };
    assert_eq!(refusal(lies_about_its_scope), BundleError::Signature);
}

#[test]
fn signed_blocks_of_unknown_kinds_have_bounds() {
    assert!(Bundle::decode(&Hand::message().with_unknown(200, 6, &[0; 1_015]).bundle()).is_ok());
    let too_large = Hand::message().with_unknown(200, 6, &[0; 1_016]);
    assert_eq!(refusal(too_large), BundleError::UnknownTooLarge);
    let too_large_together = Hand::message().with_unknown(200, 6, &[0; 600]).with_unknown(200, 7, &[0; 600]);
    assert_eq!(refusal(too_large_together), BundleError::UnknownTooLarge);

    for number in [0, 1, 2, 3, 4, 5, 16, 17] {
        let hand = Hand::message().with_unknown(200, number, b"x");
        assert_eq!(refusal(hand), BundleError::SecurityScope, "number {number}");
    }
    let descending = Hand::message().with_unknown(200, 7, b"x").with_unknown(200, 6, b"x");
    assert_eq!(refusal(descending), BundleError::SecurityScope);
    let twice = Hand::message().with_unknown(200, 6, b"x").with_unknown(200, 6, b"x");
    assert_eq!(refusal(twice), BundleError::SecurityScope);
    let mut absent = Hand::message().with_unknown(200, 6, b"x");
    absent.unknown.clear();
    assert_eq!(refusal(absent), BundleError::SecurityScope);
    let mut head_only = Hand::message().with_unknown(200, 6, b"x");
    let pair_at = head_only.scope.len() - 6;
    assert_eq!(head_only.scope[pair_at..pair_at + 2], [6, 3]);
    head_only.scope[pair_at + 1] = 1;
    assert_eq!(refusal(head_only), BundleError::SecurityScope);
    for known in [0, 1, 6, 7, 10, 11, 12, 193] {
        assert_eq!(refusal(Hand::message().with_unknown(known, 6, b"x")), BundleError::SecurityScope);
    }
}

#[test]
fn a_signature_must_cover_exactly_what_every_signature_covers() {
    let scopes: [&[u8]; 7] = [
        &[0xa3, 0, 1, 0x20, 1, 0x21, 1],
        &[0xa4, 0, 1, 3, 1, 0x20, 1, 0x21, 1],
        &[0xa3, 3, 3, 0x20, 1, 0x21, 1],
        &[0xa4, 0, 1, 3, 3, 0x21, 1, 0x20, 1],
        &[0xa5, 0, 1, 3, 3, 0x20, 1, 0x21, 1, 0x22, 1],
        &[0xa0],
        &[0xa5, 0, 1, 3, 3, 4, 3, 0x20, 1, 0x21, 1],
    ];
    for scope in scopes {
        assert_eq!(refusal(Hand { scope: scope.to_vec(), ..Hand::message() }), BundleError::SecurityScope);
    }
}

#[test]
fn the_integrity_block_has_one_form() {
    let start = |bytes: &[u8]| Hand { security_start: bytes.to_vec(), ..Hand::message() };
    assert_eq!(refusal(start(&[0x81, 0, 3, 1])), BundleError::SecurityTarget);
    assert_eq!(refusal(start(&[0x82, 0, 1, 3, 1])), BundleError::SecurityTarget);
    assert_eq!(refusal(start(&[0x81, 1, 1, 1])), BundleError::SecurityContext(1));
    assert_eq!(refusal(start(&[0x81, 1, 3, 0])), BundleError::SecurityScope);

    let result = |at: usize, value: u8| {
        let mut hand = Hand::message();
        hand.result[at] = value;
        refusal(hand)
    };
    // A MAC instead of a signature, EdDSA (-8) instead of fully specified Ed25519, a payload inside.
    for (at, value) in [(3, 0x11), (10, 0x27), (12, 0x40)] {
        assert_eq!(result(at, value), BundleError::SecurityResult);
    }
    // Another hash than BLAKE3, another parameter than a hash's algorithm, an algorithm before it that is none of ours.
    for (at, value) in [(18, 1), (13, 3), (10, 0x27)] {
        let mut hand = Hand::message().by_digest();
        hand.result[at] = value;
        assert_eq!(refusal(hand), BundleError::SecurityResult, "{at}");
    }
    let unprotected = Hand {
        result: Hand::message()
            .result
            .iter()
            .flat_map(|byte| if *byte == 0xa0 { vec![0xa1, 4, 0x40] } else { vec![*byte] })
            .collect(),
        ..Hand::message()
    };
    assert_eq!(refusal(unprotected), BundleError::SecurityResult);

    let mut blocks = Hand::message().blocks();
    let integrity = blocks[1].clone();
    // One byte more than the signature.
    blocks[1] = [&integrity[..6], &[integrity[6] + 1], &integrity[7..], &[0]].concat();
    assert_eq!(Bundle::decode(&bundle(&blocks)).unwrap_err(), BundleError::SecurityResult);
}

#[test]
fn class_and_hop_count_have_ranges() {
    for class in [&[0x82, 3, 1][..], &[0x82, 1, 0], &[0x82, 1, 0x19, 4, 1]] {
        assert_eq!(refusal(Hand { class: class.to_vec(), ..Hand::message() }), BundleError::Class);
    }
    let trailing = Hand { class: vec![0x82, 1, 1, 0], ..Hand::message() };
    assert_eq!(refusal(trailing), BundleError::NotDeterministic(CborError::Trailing));
    for hops in [&[0x82, 0x18, 254, 0][..], &[0x82, 0x18, 255, 0x19, 1, 0]] {
        assert_eq!(refusal(Hand { hops: hops.to_vec(), ..Hand::message() }), BundleError::HopCount);
    }
}

#[test]
fn nobody_speaks_in_anothers_name() {
    let forged = Hand { key: bob(), ..Hand::message() };
    assert_eq!(refusal(forged), BundleError::Signature);
    let signed_by_another = Hand { security_source: endpoint(&name(&bob(), "")), key: bob(), ..Hand::message() };
    assert_eq!(refusal(signed_by_another), BundleError::SecuritySource);
    let taken_over = Hand { source: endpoint(&name(&bob(), "")), ..Hand::message() };
    assert_eq!(refusal(taken_over), BundleError::SecuritySource);
    let resigned = Hand::message();
    let mut blocks = resigned.blocks();
    let mut other = Hand { destination: endpoint(&name(&alice(), "mail")), ..resigned }.primary();
    fix_crc(&mut other);
    blocks[0] = other;
    assert_eq!(Bundle::decode(&bundle(&blocks)).unwrap_err(), BundleError::Signature);
}

/// Keys of small order: anybody can sign in their name, as far as a careless verifier goes.
#[test]
fn weak_keys_are_refused_whatever_was_signed() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let order_four = [0; 32];
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&identity);
    for key in [identity, order_four] {
        let source = endpoint(&name_of_key(&key, ""));
        let hand =
            Hand { source: source.clone(), security_source: source, signature: Some(signature), ..Hand::message() };
        assert!(Unverified::parse(&hand.bundle()).is_ok());
        assert_eq!(refusal(hand), BundleError::WeakKey(Role::Source, KeyError::Weak));
        let hand = Hand { destination: endpoint(&name_of_key(&key, "mail")), ..Hand::message() };
        assert_eq!(refusal(hand), BundleError::WeakKey(Role::Destination, KeyError::Weak));
    }
}

#[test]
fn keys_with_torsion_or_in_another_spelling_are_refused() {
    let torsion = curve25519_dalek::constants::EIGHT_TORSION[1];
    let mixed = (alice().verifying_key().to_edwards() + torsion).compress().to_bytes();
    // y = p + 1: the identity again, spelt as no encoder does.
    let mut spelt = [0xff; 32];
    (spelt[0], spelt[31]) = (0xee, 0x7f);
    // Not a point at all.
    let mut nothing = [0; 32];
    nothing[0] = 2;
    for (key, error) in [(mixed, KeyError::Weak), (spelt, KeyError::NotCanonical), (nothing, KeyError::NotCanonical)] {
        let source = endpoint(&name_of_key(&key, ""));
        let hand = Hand { source: source.clone(), security_source: source, ..Hand::message() };
        assert_eq!(refusal(hand), BundleError::WeakKey(Role::Source, error));
        let hand = Hand { destination: endpoint(&name_of_key(&key, "mail")), ..Hand::message() };
        assert_eq!(refusal(hand), BundleError::WeakKey(Role::Destination, error));
    }
}

/// RFC 8032 leaves open whether a commitment of small order counts; `verify_strict` says no, on every node the same.
#[test]
#[allow(clippy::disallowed_methods)] // shows what plain verification lets through
fn a_signature_that_only_a_careless_verifier_accepts_is_refused() {
    let hand = Hand::message();
    let signed = hand.signed_bytes();
    let key = alice().verifying_key();
    let mut commitment = [0; 32];
    commitment[0] = 1;
    let hash = Sha512::digest([&commitment[..], key.as_bytes(), &signed].concat());
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.into());
    let response = challenge * alice().to_scalar();
    let signature: [u8; 64] = [commitment, response.to_bytes()].concat().try_into().unwrap();
    assert!(key.verify(&signed, &Signature::from_bytes(&signature)).is_ok());
    assert_eq!(refusal(Hand { signature: Some(signature), ..hand }), BundleError::Signature);
}

#[test]
fn refusals_are_sentences() {
    let error = refusal(Hand { flags: uint(1), ..Hand::message() });
    assert_eq!(error.to_string(), "it is a fragment; fragments are refused");
    let error = refusal(Hand { age: vec![0x18, 5], ..Hand::message() });
    assert_eq!(error.to_string(), "the bundle is not deterministic CBOR: a number is written longer than it needs");
}

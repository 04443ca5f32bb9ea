//! Bundles there and back, and how long they are.

use dak::bundle::{
    BUNDLE_BYTES_MAX, Bundle, BundleError, COPIES_MAX, Draft, Hops, Kind, SIGNED_WHOLE_BYTES_MAX, Signer, Unverified,
};
use dak::content::{CONTENT_BYTES_MAX, Content, Text, pad};
use dak::eid::Eid;
use dak::time::{DtnTime, Millis};
use proptest::prelude::*;

use crate::common::{alice, any_draft, any_hops, bob, message};
use crate::hand::Hand;

/// HPKE: array head and kind, an empty key id, an encapsulated key of 32 bytes, the ciphertext's head and tag.
const ENVELOPE_BYTES: usize = 1 + 1 + 1 + 34 + 3 + 16;

proptest! {
    #[test]
    fn every_bundle_reads_back(draft in any_draft(), payload in prop::collection::vec(any::<u8>(), 0..2_000), hops in any_hops()) {
        let bundle = draft.sign(&payload, &alice()).unwrap();
        prop_assert_eq!(bundle.payload(), &payload[..]);
        prop_assert_eq!(bundle.primary(), &draft.primary()[..]);
        prop_assert_eq!(bundle.encoded_len(), bundle.bytes().len());

        let wire = bundle.encode(hops);
        let unverified = Unverified::parse(wire.as_slice()).unwrap();
        prop_assert_eq!((unverified.id(), unverified.hops()), (bundle.id, hops));
        let (again, carried) = unverified.verify().unwrap();
        prop_assert_eq!(carried, hops);
        prop_assert_eq!(facts(&again), draft);
        prop_assert_eq!((again.id, again.payload(), again.bytes()), (bundle.id, &payload[..], &wire[..]));
        prop_assert_eq!(again.encode(Hops::default()), bundle.bytes());
        prop_assert_eq!(Bundle::from_store(&wire).unwrap(), (again, hops));
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Bundle::decode(&bytes).is_err());
        prop_assert!(Bundle::decode(&[&[0x9f, 0x89, 7, 0x18, 0x24, 2], &bytes[..]].concat()).is_err());
    }
}

fn facts(bundle: &Bundle) -> Draft {
    Draft {
        kind: bundle.kind,
        source: bundle.source,
        destination: bundle.destination.clone(),
        creation: bundle.creation,
        lifetime: bundle.lifetime,
        priority: bundle.priority,
        copies: bundle.copies,
    }
}

#[test]
fn two_implementations_write_the_same_bytes() {
    let hand = Hand::message();
    let bundle = message().sign(&hand.payload, &alice()).unwrap();
    assert_eq!(bundle.primary(), hand.primary());
    assert_eq!(bundle.bytes(), hand.bundle());
    let bytes = hand.bundle();
    let unverified = Unverified::parse(&bytes).unwrap();
    assert_eq!(unverified.signed_bytes(), hand.signed_bytes());
    assert_eq!(unverified.id().0, blake3::derive_key("dak 2026 bundle id v1", &hand.signed_bytes()));
}

#[test]
fn of_a_long_payload_the_digest_is_signed() {
    let whole = Hand { payload: vec![7; SIGNED_WHOLE_BYTES_MAX], ..Hand::message() };
    assert_eq!(message().sign(&whole.payload, &alice()).unwrap().bytes(), whole.bundle());

    let hand = Hand { payload: vec![7; SIGNED_WHOLE_BYTES_MAX + 1], ..Hand::message() }.by_digest();
    let bundle = message().sign(&hand.payload, &alice()).unwrap();
    assert_eq!(bundle.bytes(), hand.bundle());
    assert_eq!(bundle.encoded_len(), message().encoded_len(hand.payload.len()));
    let unverified = Unverified::parse(bundle.bytes()).unwrap();
    assert_eq!(unverified.signed_bytes(), hand.signed_bytes());
    assert_eq!(unverified.id().0, blake3::derive_key("dak 2026 bundle id v1", &hand.signed_bytes()));
    assert!(unverified.signed_bytes().len() < 1_000);

    let mut bytes = bundle.bytes().to_vec();
    for at in [bytes.len() - 2, bytes.len() / 2] {
        bytes[at] ^= 1;
        assert_eq!(Bundle::decode(&bytes).unwrap_err(), BundleError::Signature, "byte {at}");
        bytes[at] ^= 1;
    }
    assert_eq!(Bundle::decode(&bytes).unwrap().0, bundle);
}

#[test]
fn both_kinds_of_signature_are_read_at_any_length_and_neither_stands_for_the_other() {
    for payload in [b"short".to_vec(), vec![7; SIGNED_WHOLE_BYTES_MAX + 1]] {
        let whole = Hand { payload: payload.clone(), ..Hand::message() };
        let digest = whole.clone().by_digest();
        let [one, other] = [&whole, &digest].map(|hand| Bundle::decode(&hand.bundle()).unwrap().0);
        assert_ne!(one.id, other.id, "what is signed differs");
        assert_eq!((one.payload(), other.payload()), (&payload[..], &payload[..]));
        for (hand, signature) in [(&whole, other.signature()), (&digest, one.signature())] {
            let taken = Hand { signature: Some(signature), ..hand.clone() };
            assert_eq!(Bundle::decode(&taken.bundle()).unwrap_err(), BundleError::Signature);
        }
        // A source's bundle is made again from its signature, whichever it was.
        let again = |of: &Bundle| message().signed(&payload, &of.signature());
        assert_eq!(again(&one).unwrap().id, one.id);
        if payload.len() > SIGNED_WHOLE_BYTES_MAX {
            assert_eq!(again(&other).unwrap().id, other.id);
        }
    }
}

#[test]
fn two_contents_under_one_stamp_are_two_bundles() {
    let one = message().sign(b"one", &alice()).unwrap();
    let two = message().sign(b"two", &alice()).unwrap();
    assert_ne!(one.id, two.id);
}

#[test]
fn signed_blocks_of_unknown_kinds_are_carried() {
    let plain = Bundle::decode(&Hand::message().bundle()).unwrap().0;
    let hand = Hand::message().with_unknown(200, 6, b"first").with_unknown(70_000, 15, &[0; 900]);
    let (bundle, _) = Bundle::decode(&hand.bundle()).unwrap();
    assert_ne!(bundle.id, plain.id);
    assert_eq!(bundle.payload(), b"hello");
    let wire = bundle.encode(Hops { age: Millis(90_000), count: 9 });
    let expected = Hand { age: vec![0x1a, 0, 1, 0x5f, 0x90], hops: vec![0x82, 0x18, 255, 9], ..hand };
    assert_eq!(wire, expected.bundle());
    assert!(Bundle::decode(&wire).is_ok());
}

#[test]
fn a_bundle_of_the_largest_size_still_travels() {
    let overhead = message().sign(&[0; 200_000], &alice()).unwrap().encoded_len() - 200_000;
    // The widest age takes 8 bytes and the widest count 1 more than zeros do.
    let largest = BUNDLE_BYTES_MAX - overhead - 9;
    let bundle = message().sign(&vec![7; largest], &alice()).unwrap();
    let wire = bundle.encode(Hops { age: Millis(u64::MAX), count: 255 });
    assert_eq!(wire.len(), BUNDLE_BYTES_MAX);
    assert!(Bundle::decode(&wire).is_ok());

    assert_eq!(message().sign(&vec![7; largest + 1], &alice()).unwrap_err(), BundleError::TooLarge);
    assert_eq!(message().sign(&vec![7; 2 * BUNDLE_BYTES_MAX], &alice()).unwrap_err(), BundleError::TooLarge);
    let too_large = Hand { payload: vec![7; largest + 1], ..Hand::message() }.by_digest();
    assert_eq!(Bundle::decode(&too_large.bundle()).unwrap_err(), BundleError::TooLarge);
}

#[test]
fn a_message_of_the_largest_size_fits_a_bundle() {
    let envelope = pad(&vec![1; CONTENT_BYTES_MAX]).len() + ENVELOPE_BYTES + 8;
    assert!(message().sign(&vec![0; envelope], &alice()).is_ok());
}

#[test]
fn a_sealed_signed_text_of_one_kibibyte_costs_at_most_480_bytes_more() {
    let text = Text { body: "x".repeat(1_024), ..Text::default() };
    let reply = Text { thread: Some([1; 16]), in_reply_to: Some([2; 16]), ..text.clone() };
    for content in [text, reply].map(Content::from) {
        let payload = vec![0; pad(&content.encode()).len() + ENVELOPE_BYTES];
        let mut draft = message();
        draft.creation.sequence = u64::from(u32::MAX);
        let bundle = draft.sign(&payload, &alice()).unwrap();
        let on_the_way = bundle.encode(Hops { age: Millis(u64::from(u32::MAX)), count: 3 });
        assert!(on_the_way.len() <= 1_024 + 480, "{} bytes over the text", on_the_way.len() - 1_024);
    }
}

#[test]
fn a_draft_that_others_would_refuse_is_refused() {
    for copies in [0, COPIES_MAX + 1] {
        assert_eq!(Draft { copies, ..message() }.sign(b"", &alice()).unwrap_err(), BundleError::Class);
    }
    let receipt = Draft { kind: Kind::Receipt, ..message() };
    assert_eq!(receipt.sign(b"", &alice()).unwrap_err(), BundleError::ReceiptDestination);
}

#[test]
#[should_panic(expected = "signed by its source")]
fn nobody_signs_in_another_name() {
    let _ = message().sign(b"", &bob());
}

#[test]
fn unverified_facts_are_those_claimed() {
    let draft = Draft { destination: Eid::mail(bob().node()), ..message() };
    let bytes = draft.sign(b"x", &alice()).unwrap().encode(Hops { age: Millis(5), count: 2 });
    let unverified = Unverified::parse(&bytes).unwrap();
    assert_eq!(unverified.source(), alice().node());
    assert_eq!(unverified.destination(), &draft.destination);
    assert_eq!((unverified.kind(), unverified.creation()), (Kind::Message, draft.creation));
    assert_eq!(unverified.creation().time, DtnTime(836_000_000_000));
    assert_eq!((unverified.lifetime(), unverified.priority()), (draft.lifetime, draft.priority));
    assert_eq!(unverified.copies(), 8);
}

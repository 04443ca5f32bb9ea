//! Bundles changed, cut and prolonged, one byte at a time.

use dak::bundle::{Bundle, BundleError, Hops, Unverified};
use dak::cbor::CborError;
use dak::time::Millis;

use crate::common::{alice, message, receipt, receipt_draft};
use crate::hand::{self, Hand, fix_crc};

const HOPS: Hops = Hops { age: Millis(90_000), count: 3 };

/// Every change of one byte is refused, but for those of age and hop count: they give the same bundle with other hops.
#[test]
fn no_byte_can_be_changed_but_in_age_and_hop_count() {
    let bundle = message().sign(b"hello", &alice()).unwrap();
    let wire = bundle.encode(HOPS);
    let hops_at = position(&wire, &[0x85, 7, 4, 0, 0]);
    let hops_end = position(&wire, &[0x85, 1, 1, 0, 0]);
    let mut accepted = 0;
    for at in 0..wire.len() {
        for value in (0..=255).filter(|value| *value != wire[at]) {
            let mut changed = wire.clone();
            changed[at] = value;
            match Bundle::decode(&changed) {
                Err(_) => {}
                Ok((same, hops)) => {
                    assert!((hops_at..hops_end).contains(&at), "byte {at} changed to {value:#x} was accepted");
                    assert_eq!(same.id, bundle.id);
                    assert_ne!(hops, HOPS);
                    accepted += 1;
                }
            }
        }
    }
    // The four bytes of the age (less what would fit two bytes), and the count up to 23.
    assert!(accepted > 3 * 255, "only {accepted} changes of age and hop count were accepted");
}

#[test]
fn a_change_of_the_payload_or_the_class_breaks_the_signature() {
    let bundle = message().sign(b"hello", &alice()).unwrap();
    let payload_at = bundle.encoded_len() - 2;
    let class_at = position(bundle.bytes(), &[0x43, 0x82, 1, 8]) + 3;
    for at in [payload_at, class_at] {
        let mut changed = bundle.bytes().to_vec();
        changed[at] ^= 1;
        assert_eq!(Bundle::decode(&changed).unwrap_err(), BundleError::Signature);
    }
}

#[test]
fn a_change_of_the_primary_block_breaks_the_signature_even_with_its_crc_mended() {
    let bundle = message().sign(b"hello", &alice()).unwrap();
    let primary_end = 1 + bundle.primary().len();
    let mut refused_by_signature = 0;
    for at in 1..primary_end - 4 {
        let mut changed = bundle.bytes().to_vec();
        changed[at] ^= 1;
        if Unverified::parse(&changed).is_err() {
            fix_crc(&mut changed[1..primary_end]);
        }
        let error = Bundle::decode(&changed).unwrap_err();
        refused_by_signature += usize::from(error == BundleError::Signature);
    }
    // At least the digits of time, sequence and lifetime.
    assert!(refused_by_signature >= 12, "{refused_by_signature}");
}

#[test]
fn a_damaged_primary_block_fails_its_crc() {
    let bundle = message().sign(b"hello", &alice()).unwrap();
    let mut changed = bundle.bytes().to_vec();
    changed[bundle.primary().len()] ^= 1;
    assert_eq!(Bundle::decode(&changed).unwrap_err(), BundleError::Crc);
}

#[test]
fn every_truncation_is_seen() {
    let receipt = receipt_draft().sign(&receipt().encode(), &crate::common::bob()).unwrap();
    let unknown = Hand::message().with_unknown(200, 7, b"x").bundle();
    for wire in [message().sign(b"hello", &alice()).unwrap().encode(HOPS), receipt.encode(HOPS), unknown] {
        assert!(Bundle::decode(&wire).is_ok());
        assert_eq!(Bundle::decode(&[]).unwrap_err(), BundleError::NotABundle);
        for len in 1..wire.len() {
            assert_eq!(Bundle::decode(&wire[..len]).unwrap_err(), BundleError::Truncated, "after {len} bytes");
        }
    }
}

#[test]
fn nothing_may_follow_a_bundle() {
    let wire = message().sign(b"hello", &alice()).unwrap().encode(HOPS);
    for byte in 0..=255 {
        assert_eq!(Bundle::decode(&[&wire[..], &[byte]].concat()).unwrap_err(), BundleError::Trailing);
    }
    assert_eq!(Bundle::decode(&[&wire[..], &wire].concat()).unwrap_err(), BundleError::Trailing);
}

#[test]
fn no_number_may_be_longer_than_it_needs() {
    let wire = Hand::message().bundle();
    for at in heads(&wire) {
        let changed = widen(&wire, at);
        assert_eq!(
            Bundle::decode(&changed).unwrap_err(),
            BundleError::NotDeterministic(CborError::NotShortest),
            "the head at {at}"
        );
    }
    let long = |value: u8| vec![0x18, value];
    let inside = [
        Hand { age: long(5), ..Hand::message() },
        Hand { hops: vec![0x82, 0x18, 255, 0x18, 3], ..Hand::message() },
        Hand { hops: vec![0x98, 2, 0x18, 255, 3], ..Hand::message() },
        Hand { class: vec![0x82, 0x18, 1, 8], ..Hand::message() },
        Hand { class: vec![0x82, 1, 0x18, 8], ..Hand::message() },
        Hand { security_start: vec![0x81, 1, 0x18, 3, 1], ..Hand::message() },
        Hand { scope: vec![0xb8, 4, 0, 1, 3, 3, 0x20, 1, 0x21, 1], ..Hand::message() },
    ];
    for hand in inside {
        let error = Bundle::decode(&hand.bundle()).unwrap_err();
        assert_eq!(error, BundleError::NotDeterministic(CborError::NotShortest));
    }
}

#[test]
fn no_length_may_be_left_open_but_that_of_the_bundle() {
    let blocks = Hand::message().blocks();
    let open_array = |block: &[u8]| [&[0x9f], &block[1..], &[0xff]].concat();
    for index in 0..blocks.len() {
        let mut changed = blocks.clone();
        changed[index] = open_array(&blocks[index]);
        let error = Bundle::decode(&hand::bundle(&changed)).unwrap_err();
        assert_eq!(error, BundleError::NotDeterministic(CborError::Indefinite), "block {index}");
    }
    let mut changed = blocks.clone();
    *changed.last_mut().unwrap() = [&[0x85, 1, 1, 0, 0, 0x5f, 0x45][..], b"hello", &[0xff]].concat();
    let error = Bundle::decode(&hand::bundle(&changed)).unwrap_err();
    assert_eq!(error, BundleError::NotDeterministic(CborError::Indefinite));

    let definite = [vec![0x80 | blocks.len() as u8], blocks.concat()].concat();
    assert_eq!(Bundle::decode(&definite).unwrap_err(), BundleError::NotABundle);
}

/// Where items start in the blocks of a bundle, the outer array and the data inside the blocks apart.
fn heads(wire: &[u8]) -> Vec<usize> {
    let mut heads = Vec::new();
    let mut at = 1;
    while at < wire.len() - 1 {
        heads.push(at);
        let (len, value) = match wire[at] & 0x1f {
            24 => (2, u64::from(wire[at + 1])),
            25 => (3, u64::from(u16::from_be_bytes([wire[at + 1], wire[at + 2]]))),
            26 => (5, u64::from(u32::from_be_bytes(wire[at + 1..at + 5].try_into().unwrap()))),
            27 => (9, 0),
            small => (1, u64::from(small)),
        };
        let is_string = matches!(wire[at] >> 5, 2 | 3);
        at += len + if is_string { value as usize } else { 0 };
    }
    // Nothing is wider than eight bytes.
    heads.retain(|at| wire[*at] & 0x1f != 27);
    assert!(heads.len() > 40);
    heads
}

/// The same item at `at` with the next wider head.
fn widen(wire: &[u8], at: usize) -> Vec<u8> {
    let major = wire[at] & 0xe0;
    let (old, new) = match wire[at] & 0x1f {
        24 => (2, vec![major | 25, 0, wire[at + 1]]),
        25 => (3, vec![major | 26, 0, 0, wire[at + 1], wire[at + 2]]),
        26 => (5, [&[major | 27, 0, 0, 0, 0], &wire[at + 1..at + 5]].concat()),
        small => (1, vec![major | 24, small]),
    };
    [&wire[..at], &new, &wire[at + old..]].concat()
}

fn position(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("the part is there")
}

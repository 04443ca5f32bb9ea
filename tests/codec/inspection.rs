//! What a person is shown of a bundle, good or broken.

use dak::bundle::{INSPECTED_BLOCKS_MAX, Inspection, inspect};
use proptest::prelude::*;

use crate::common::{alice, bob, message, receipt, receipt_draft, unhex};
use crate::hand::{self, Hand, block, endpoint, name};

fn fact<'a>(inspection: &'a Inspection, block: usize, label: &str) -> &'a str {
    let facts = &inspection.blocks[block].facts;
    &facts.iter().find(|(name, _)| *name == label).unwrap_or_else(|| panic!("no {label}")).1
}

#[test]
fn a_good_message_is_shown_block_by_block() {
    let bundle = message().sign(&[7; 400], &alice()).unwrap();
    let inspection = inspect(bundle.bytes());
    assert!(inspection.verified && inspection.stopped.is_none() && inspection.why_not.is_none());
    assert_eq!(inspection.id, Some(bundle.id.full()));
    let names: Vec<&str> = inspection.blocks.iter().map(|block| block.name.as_str()).collect();
    assert_eq!(names, ["primary", "integrity", "class of service", "bundle age", "hop count", "payload"]);
    assert_eq!(fact(&inspection, 0, "source"), format!("dtn:{}", name(&alice(), "")));
    assert_eq!(fact(&inspection, 0, "destination"), format!("dtn:{}", name(&bob(), "mail")));
    assert_eq!(fact(&inspection, 0, "report to"), "dtn:none");
    assert_eq!(fact(&inspection, 0, "created"), "2026-06-28T22:13:20Z");
    assert_eq!(fact(&inspection, 0, "lifetime"), "3d");
    assert_eq!(fact(&inspection, 0, "flags"), "0x24 (must not fragment, acknowledge)");
    assert!(fact(&inspection, 0, "crc").ends_with(", right"));
    assert_eq!(fact(&inspection, 1, "context"), "3, COSE");
    assert_eq!(fact(&inspection, 2, "priority"), "normal");
    assert_eq!(fact(&inspection, 4, "hops"), "0 of 255");
    assert!(fact(&inspection, 5, "data").starts_with("400 bytes: 0707"));
    // The blocks and the two bytes around them are the bundle.
    assert_eq!(inspection.blocks.iter().map(|block| block.bytes).sum::<usize>() + 2, inspection.bytes);
    assert!(inspection.to_string().ends_with("verified: the signature holds over these bytes\n"));
}

#[test]
fn a_receipt_shows_what_it_says() {
    let bundle = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let inspection = inspect(bundle.bytes());
    assert_eq!(fact(&inspection, 5, "says"), "Delivered");
    assert_eq!(fact(&inspection, 5, "bundles"), "2: 1111111111, 2222222222");
    assert_eq!(fact(&inspection, 0, "created"), "0, the source had no clock");
}

#[test]
fn a_tampered_bundle_is_still_shown_and_says_why_it_does_not_verify() {
    let mut bytes = message().sign(b"hello", &alice()).unwrap().bytes().to_vec();
    let payload_at = bytes.len() - 3;
    bytes[payload_at] ^= 1;
    let inspection = inspect(&bytes);
    assert!(!inspection.verified && inspection.id.is_some());
    assert_eq!(inspection.blocks.len(), 6);
    assert!(inspection.to_string().contains("NOT VERIFIED: its signature does not hold"));
}

#[test]
fn a_broken_bundle_is_shown_as_far_as_it_makes_sense() {
    let bytes = message().sign(b"hello", &alice()).unwrap().bytes().to_vec();
    let cut = inspect(&bytes[..200]);
    assert_eq!((cut.blocks.len(), cut.verified), (1, false));
    assert_eq!(cut.stopped.as_deref(), Some("in the block at byte 152: it ends too early"));
    assert_eq!(cut.why_not.as_deref(), Some("the bundle ends too early"));

    let long = inspect(&[&bytes[..], &[1, 2, 3]].concat());
    assert_eq!(long.blocks.len(), 6);
    assert!(long.stopped.unwrap().ends_with("3 bytes follow the end"));

    let nothing = inspect(b"hello");
    assert_eq!((nothing.blocks.len(), nothing.id), (0, None));
    assert!(nothing.stopped.unwrap().contains("byte 0"));
}

#[test]
fn a_foreign_bundle_is_shown_too() {
    // An ipn bundle with a status report requested, a previous node block and an age.
    let foreign = "9f88071844008202820301820100820100821b000000b5998c982b011a000493e085060210004582028202008507\
                   04010042183485010101004454455354ff";
    let inspection = inspect(&unhex(foreign));
    assert_eq!(fact(&inspection, 0, "destination"), "scheme 2, 820301");
    assert_eq!(fact(&inspection, 0, "source"), "dtn:none");
    assert_eq!(fact(&inspection, 1, "node"), "scheme 2, 820200");
    assert_eq!(fact(&inspection, 2, "age"), "52ms");
    assert_eq!(inspection.why_not.as_deref().map(|why| why.starts_with("it asks for status reports")), Some(true));
}

#[test]
fn nothing_a_peer_wrote_reaches_the_terminal_raw() {
    let hostile = "//\u{1b}[2J\u{202e}evil\n/";
    let hand = Hand { destination: endpoint(hostile), ..Hand::message() };
    let text = inspect(&hand.bundle()).to_string();
    assert!(text.contains("\\u{1b}[2J\\u{202e}evil\\n"), "{text}");
    assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{text}");
}

#[test]
fn at_most_64_blocks_are_listed() {
    let mut blocks = vec![Hand::message().primary()];
    blocks.extend((0..100).map(|number| block(200, number, b"x")));
    let inspection = inspect(&hand::bundle(&blocks));
    assert_eq!(inspection.blocks.len(), INSPECTED_BLOCKS_MAX);
    assert!(inspection.stopped.unwrap().contains("more blocks follow"));
}

proptest! {
    #[test]
    fn any_bytes_give_safe_text(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>()) {
        let mut mutated = message().sign(&bytes, &alice()).unwrap().bytes().to_vec();
        let at = at.index(mutated.len());
        let patch = bytes.len().min(8).min(mutated.len() - at);
        mutated[at..at + patch].copy_from_slice(&bytes[..patch]);
        for input in [bytes, mutated] {
            let text = inspect(&input).to_string();
            prop_assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{}", text);
        }
    }
}

//! The vectors in `tests/data`, for this and any other implementation.

use std::collections::BTreeMap;
use std::fmt::Write;

use dak::bundle::{Bundle, BundleError, Hops, Role, Signer, Unverified};
use dak::content::{AfterRead, Attachment, Content, Text, pad, unpad};
use dak::frame::{Frame, Grade, Hello, Incoming, RoutingInfo, Transit, encode_bundle};
use dak::id::{KeyError, NodeId, hex};
use dak::receipt::Receipt;
use dak::time::Millis;

use crate::common::{alice, bob, message, receipt, receipt_draft, unhex};
use crate::hand::{Hand, endpoint, name_of_key};

const FILE: &str = include_str!("../data/vectors.txt");
const HOPS: Hops = Hops { age: Millis(90_000), count: 3 };

fn message_inside() -> Content {
    let text = Text {
        subject: Some("Lunch".into()),
        body: "At the pier, one o'clock?".into(),
        thread: Some([0x11; 16]),
        in_reply_to: Some([0x22; 16]),
        attachments: vec![Attachment { name: "map.txt".into(), bytes: b"<-- here".to_vec() }],
        reply_by: Some(836_003_600_000),
        expire_after_read: Some(AfterRead::Unsaid),
        extra: vec![(20, vec![0x82, 1, 2])],
        ..Text::default()
    };
    text.into()
}

fn hello() -> Frame {
    Frame::Hello(Hello {
        version: 1,
        bundle_bytes_max: 1 << 20,
        window_bytes: 4 << 20,
        carries: true,
        pushes: false,
        mailboxes: Vec::new(),
        routing: RoutingInfo::Predictabilities(vec![(bob().node(), 0x8000)]),
        nonce: [0x5a; 16],
        count: 2,
        root: [0xc3; 16],
        interests: Vec::new(),
    })
}

/// Every vector as this version computes it, in the order of the file.
fn computed() -> Vec<(&'static str, Vec<u8>)> {
    let payload: Vec<u8> = (0..32).collect();
    let bundle = message().sign(&payload, &alice()).unwrap();
    let signed = Unverified::parse(bundle.bytes()).unwrap().signed_bytes().to_vec();
    let receipt_bundle = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let unknown = Hand { payload: payload.clone(), ..Hand::message() }.with_unknown(200, 6, b"later");
    let unknown_bundle = Bundle::decode(&unknown.bundle()).unwrap().0;
    let weak = endpoint(&name_of_key(&[0; 32], ""));
    let accepted = Frame::Accepted {
        grants: vec![(bundle.id.prefix(), Grade::Custody), (unknown_bundle.id.prefix(), Grade::Copy)],
    };
    let transit = Transit { hops: HOPS, copies: 4, is_answer: false };
    vec![
        ("alice_secret", alice().to_bytes().to_vec()),
        ("alice_public", alice().node().as_bytes().to_vec()),
        ("alice_peer_id", alice().node().peer_id().into_bytes()),
        ("bob_secret", bob().to_bytes().to_vec()),
        ("bob_public", bob().node().as_bytes().to_vec()),
        ("bob_peer_id", bob().node().peer_id().into_bytes()),
        ("message_primary", bundle.primary().to_vec()),
        ("message_signed", signed),
        ("message_id", bundle.id.0.to_vec()),
        ("message_bundle", bundle.bytes().to_vec()),
        ("message_bundle_on_the_way", bundle.encode(HOPS)),
        ("unknown_block_id", unknown_bundle.id.0.to_vec()),
        ("unknown_block_bundle", unknown_bundle.bytes().to_vec()),
        ("receipt_record", receipt().encode()),
        ("receipt_id", receipt_bundle.id.0.to_vec()),
        ("receipt_bundle", receipt_bundle.bytes().to_vec()),
        ("plaintext_message", message_inside().encode()),
        ("plaintext_padded", pad(&message_inside().encode())),
        ("hello_frame", hello().encode().unwrap()),
        ("accepted_frame", accepted.encode().unwrap()),
        ("bundle_frame", encode_bundle(&transit, &bundle)),
        ("refused_forged", Hand { key: bob(), ..Hand::message() }.bundle()),
        ("refused_weak_source", Hand { source: weak.clone(), security_source: weak, ..Hand::message() }.bundle()),
        ("refused_long_number", Hand { age: vec![0x18, 5], ..Hand::message() }.bundle()),
        ("refused_report_to", Hand { report_to: endpoint("//victim/"), ..Hand::message() }.bundle()),
        ("refused_fragment", Hand { flags: vec![0x18, 0x25], ..Hand::message() }.bundle()),
        ("refused_unsigned_block", Hand { scope: Hand::message().scope, ..unknown }.bundle()),
    ]
}

fn file() -> BTreeMap<&'static str, Vec<u8>> {
    let lines = FILE.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(": ").expect("name: hex")).map(|(name, hex)| (name, unhex(hex))).collect()
}

#[test]
fn this_version_computes_the_vectors_in_the_file() {
    let mut text = String::new();
    for (name, bytes) in computed() {
        writeln!(text, "{name}: {}", hex(&bytes)).unwrap();
    }
    assert!(text == FILE, "the wire has changed; this version computes\n{text}");
}

#[test]
fn the_bundles_of_the_file_decode_to_what_they_say() {
    let file = file();
    let alice_node = NodeId::from_key(file["alice_public"].as_slice().try_into().unwrap()).unwrap();
    assert_eq!(alice_node.peer_id().as_bytes(), file["alice_peer_id"]);

    let (bundle, hops) = Bundle::decode(&file["message_bundle_on_the_way"]).unwrap();
    assert_eq!((bundle.id.0.to_vec(), hops), (file["message_id"].clone(), HOPS));
    assert_eq!((bundle.source, bundle.primary()), (alice_node, &file["message_primary"][..]));
    assert_eq!(bundle.payload(), (0..32).collect::<Vec<u8>>());
    assert_eq!(bundle.encode(Hops::default()), file["message_bundle"]);

    let (bundle, _) = Bundle::decode(&file["receipt_bundle"]).unwrap();
    assert_eq!(bundle.id.0.to_vec(), file["receipt_id"]);
    assert_eq!(Receipt::decode(bundle.payload()), Ok(receipt()));
    assert_eq!(bundle.payload(), file["receipt_record"]);

    let (bundle, _) = Bundle::decode(&file["unknown_block_bundle"]).unwrap();
    assert_eq!(bundle.id.0.to_vec(), file["unknown_block_id"]);

    assert_eq!(unpad(&file["plaintext_padded"]), Ok(&file["plaintext_message"][..]));
    assert_eq!(Content::decode(&file["plaintext_message"]), Ok(message_inside()));
    assert_eq!(Frame::decode(&file["hello_frame"]), Ok(hello()));
    let Incoming::Bundle { copies: 4, bytes } = Incoming::decode(&file["bundle_frame"]).unwrap() else {
        panic!("not a bundle frame");
    };
    assert_eq!(bytes, file["message_bundle_on_the_way"]);
}

#[test]
fn the_refused_bundles_of_the_file_are_refused_for_what_they_say() {
    let file = file();
    let refusal = |name: &str| Bundle::decode(&file[name]).unwrap_err();
    assert_eq!(refusal("refused_forged"), BundleError::Signature);
    assert_eq!(refusal("refused_weak_source"), BundleError::WeakKey(Role::Source, KeyError::Weak));
    assert!(matches!(refusal("refused_long_number"), BundleError::NotDeterministic(_)));
    assert_eq!(refusal("refused_report_to"), BundleError::ReportTo);
    assert_eq!(refusal("refused_fragment"), BundleError::Fragment);
    assert_eq!(refusal("refused_unsigned_block"), BundleError::UnknownUnsignedBlock(200));
}

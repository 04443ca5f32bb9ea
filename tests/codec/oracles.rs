//! Two other implementations of RFC 9171: they read what we write, and what they write to our profile is accepted.
//! Neither looks at the signature (the security context is unknown to them), so that comes from the hand-made bundle.

use std::borrow::Cow;
use std::time::Duration;

use bp7::canonical::{CanonicalBlockBuilder, CanonicalData};
use bp7::crc::{CRC_32, CrcValue};
use bp7::dtntime;
use bp7::eid::EndpointID;
use bp7::primary::PrimaryBlockBuilder;
use dak::bundle::{Bundle, Hops, Signer};
use dak::time::Millis;
use hardy_bpv7::block::Type;
use hardy_bpv7::bpsec::key::KeySet;
use hardy_bpv7::builder::Builder;
use hardy_bpv7::bundle::{Flags, ParsedBundle};
use hardy_bpv7::crc::CrcType;
use hardy_bpv7::creation_timestamp::CreationTimestamp;
use hardy_bpv7::dtn_time::DtnTime;
use hardy_bpv7::eid::Eid;

use crate::common::{alice, bob, message, receipt, receipt_draft};
use crate::hand::{Hand, bytes, name, uint};

const HOPS: Hops = Hops { age: Millis(90_000), count: 3 };

/// One of each kind, with all that can be in it: bytes and bundle.
fn ours() -> Vec<(Vec<u8>, Bundle)> {
    let message = message().sign(&[7; 400], &alice()).unwrap();
    let receipt = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let unknown = Bundle::decode(&Hand::message().with_unknown(200, 6, b"from the future").bundle()).unwrap().0;
    [message, receipt, unknown].into_iter().map(|bundle| (bundle.encode(HOPS), bundle)).collect()
}

#[test]
fn hardy_reads_our_bundles() {
    for (wire, bundle) in ours() {
        let parsed = ParsedBundle::parse_with_keys(&wire, &KeySet::EMPTY).expect("hardy parses it");
        assert!(!parsed.non_canonical, "hardy finds it canonical");
        let theirs = parsed.bundle;
        assert_eq!(theirs.id.source.to_string(), format!("dtn://{}/", bundle.source.peer_id()));
        assert_eq!(theirs.destination.to_string(), bundle.destination.to_string());
        assert_eq!(theirs.report_to, Eid::Null);
        assert_eq!(theirs.crc_type, CrcType::CRC32_CASTAGNOLI);
        let (time, sequence) = theirs.id.timestamp.into_parts();
        assert_eq!(time.map_or(0, |time| time.millisecs()), bundle.creation.time.0);
        assert_eq!(sequence, bundle.creation.sequence);
        assert_eq!(theirs.lifetime, Duration::from_millis(bundle.lifetime.0));
        assert_eq!(theirs.age, Some(Duration::from_millis(HOPS.age.0)));
        let hops = theirs.hop_count.expect("a hop count");
        assert_eq!((hops.limit, hops.count), (255, 3));
        assert_eq!(theirs.blocks[&1].payload(&wire), Some(bundle.payload()));
        assert!(matches!(theirs.blocks[&2].block_type, Type::BlockIntegrity));
    }
}

#[test]
fn what_hardy_builds_to_our_profile_is_accepted() {
    let hand = Hand { payload: vec![9; 300], age: uint(90_000), hops: vec![0x82, 0x18, 255, 3], ..Hand::message() };
    let security = block_data(&hand.blocks()[1]);
    let eid = |name: String| format!("dtn:{name}").parse::<Eid>().unwrap();
    let flags = Flags { do_not_fragment: true, app_ack_requested: true, ..Flags::default() };
    let mut builder = Builder::new(eid(name(&alice(), "")), eid(name(&bob(), "mail")))
        .with_report_to(Eid::Null)
        .with_flags(flags)
        .with_lifetime(Duration::from_millis(259_200_000));
    let blocks = [
        (Type::BlockIntegrity, security),
        (Type::Unrecognised(193), hand.class.clone()),
        (Type::BundleAge, hand.age.clone()),
        (Type::HopCount, hand.hops.clone()),
        (Type::Payload, hand.payload.clone()),
    ];
    for (block_type, data) in blocks {
        let block = builder.add_extension_block(block_type).unwrap();
        builder = block.with_crc_type(CrcType::None).build(Cow::Owned(data));
    }
    let stamp = CreationTimestamp::from_parts(Some(DtnTime::new(836_000_000_000)), 7);
    let (_, wire) = builder.build(stamp).unwrap();

    let (bundle, hops) = Bundle::decode(&wire).expect("accepted");
    assert_eq!(hops, HOPS);
    assert_eq!((bundle.source, bundle.payload()), (alice().node(), &hand.payload[..]));
    assert_eq!(&wire[..], hand.bundle(), "hardy and we write the same bytes");
}

#[test]
fn bp7_reads_our_bundles() {
    for (wire, bundle) in ours() {
        let mut theirs = bp7::Bundle::try_from(wire.as_slice()).expect("bp7 parses it");
        theirs.validate().expect("bp7 finds it valid");
        assert!(theirs.crc_valid());
        assert_eq!(theirs.primary.source.to_string(), format!("dtn://{}/", bundle.source.peer_id()));
        assert_eq!(theirs.primary.destination.to_string(), bundle.destination.to_string());
        assert_eq!(theirs.primary.report_to, EndpointID::none());
        assert_eq!(theirs.primary.creation_timestamp.dtntime(), bundle.creation.time.0);
        assert_eq!(theirs.primary.creation_timestamp.seqno(), bundle.creation.sequence);
        assert_eq!(theirs.primary.lifetime, Duration::from_millis(bundle.lifetime.0));
        assert_eq!(theirs.is_administrative_record(), bundle.kind == dak::bundle::Kind::Receipt);
        assert_eq!(theirs.payload().map(Vec::as_slice), Some(bundle.payload()));
        let age = theirs.extension_block_by_type(7).and_then(|block| block.bundle_age_get());
        assert_eq!(age, Some(u128::from(HOPS.age.0)));
        let hops = theirs.extension_block_by_type(10).and_then(|block| block.hop_count_get());
        assert_eq!(hops, Some((255, 3)));
        assert_eq!(theirs.to_cbor(), wire, "bp7 writes back what it read");
    }
}

#[test]
fn what_bp7_builds_to_our_profile_is_accepted() {
    let hand = Hand { payload: vec![9; 300], age: uint(90_000), hops: vec![0x82, 0x18, 255, 3], ..Hand::message() };
    let primary = PrimaryBlockBuilder::new()
        .bundle_control_flags(0x24)
        .crc(CrcValue::Crc32Empty)
        .source(EndpointID::with_dtn(&name(&alice(), "")).unwrap())
        .destination(EndpointID::with_dtn(&name(&bob(), "mail")).unwrap())
        .report_to(EndpointID::none())
        .creation_timestamp(dtntime::CreationTimestamp::with_time_and_seq(836_000_000_000, 7))
        .lifetime(Duration::from_millis(259_200_000))
        .build()
        .unwrap();
    assert_eq!(primary.crc.to_code(), CRC_32);
    let blocks = [
        (11, 2, CanonicalData::Unknown(block_data(&hand.blocks()[1]))),
        (193, 3, CanonicalData::Unknown(hand.class.clone())),
        (7, 4, CanonicalData::BundleAge(90_000)),
        (10, 5, CanonicalData::HopCount(255, 3)),
        (1, 1, CanonicalData::Data(hand.payload.clone())),
    ];
    let canonicals = blocks.map(|(block_type, number, data)| {
        CanonicalBlockBuilder::new().block_type(block_type).block_number(number).data(data).build().unwrap()
    });
    let wire = bp7::Bundle::new(primary, canonicals.into()).to_cbor();

    let (bundle, hops) = Bundle::decode(&wire).expect("accepted");
    assert_eq!(hops, HOPS);
    assert_eq!((bundle.source, bundle.payload()), (alice().node(), &hand.payload[..]));
    assert_eq!(wire, hand.bundle(), "bp7 and we write the same bytes");
}

/// The data of an encoded integrity block, whose head takes seven bytes.
fn block_data(block: &[u8]) -> Vec<u8> {
    let data = block[7..].to_vec();
    assert_eq!(block[5..], bytes(&data));
    data
}

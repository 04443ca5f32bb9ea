//! Good bundles of other profiles: each is refused, and for the reason that is true of it.

use dak::bundle::{Bundle, BundleError, Role};
use hardy_bpv7::builder::Builder;
use hardy_bpv7::creation_timestamp::CreationTimestamp;

use crate::common::unhex;
use crate::hand::{self, Hand, block, fix_crc};

/// RFC 9173 appendix A.1.4: a BIB-HMAC-SHA2 over the payload.
const RFC9173_A1: &str = "9f88070000820282010282028202018202820201820018281a000f4240850b0200005856810101018202820201828201\
    078203008181820158403bdc69b3a34a2b5d3a8554368bd1e808f606219d2a10a846eae3886ae4ecc83c4ee550fdfb1cc636b904e2f1a73e30\
    3dcd4b6ccece003e95e8164dcc89a156e185010100005823526561647920746f2067656e657261746520612033322d62797465207061796c6f\
    6164ff";
/// Appendix A.2.4: a BCB-AES-GCM over the payload.
const RFC9173_A2: &str = "9f88070000820282010282028202018202820201820018281a000f4240850c0201005850810102018202820201848201\
    4c5477656c76653132313231328202018203581869c411276fecddc4780df42c8a2af89296fabf34d7fae7008204008181820150efa4b5ac01\
    08e3816c5606479801bc04850101000058233a09c1e63fe23a7f66a59c7303837241e070b02619fc59c5214a22f08cd70795e73e9aff";
/// Appendix A.3.4: a BIB over primary block and age, and a BCB.
const RFC9173_A3: &str = "9f88070000820282010282028202018202820201820018281a000f4240850b030000585c820002010182028203008282\
    0105820300828182015820cac6ce8e4c5dae57988b757e49a6dd1431dc04763541b2845098265bc817241b81820158203ed614c0d97f49b363\
    3627779aa18a338d212bf3c92b97759d9739cd50725596850c04010058348101020182028202018382014c5477656c76653132313231328202\
    018204008181820150efa4b5ac0108e3816c5606479801bc0485070200004319012c850101000058233a09c1e63fe23a7f66a59c7303837241\
    e070b02619fc59c5214a22f08cd70795e73e9aff";
/// Appendix A.4.5: a BIB and a BCB over both it and the payload.
const RFC9173_A4: &str = "9f88070000820282010282028202018202820201820018281a000f4240850b0300005846438ed6208eb1c1ffb94d9521\
    75167df0902902064a2983910c4fb2340790bf420a7d1921d5bf7c4721e02ab87a93ab1e0b75cf62e4948727c8b5dae46ed2af05439b880291\
    91850c0201005849820301020182028202018382014c5477656c76653132313231328202038204078281820150220ffc45c8a901999ecc6099\
    1dd78b2981820150d2c51cb2481792dae8b21d848cede99b8501010000582390eab6457593379298a8724e16e61f837488e127212b59ac91f8\
    a86287b7d07630a122ff";
/// The first example of bp7's README, which asks for a report of delivery.
const BP7_REPORT: &str = "9f88071a000200040082016e2f2f6e6f646531382f7e74656c6582016e2f2f6e6f646538312f66696c657382016e2f2f\
    6e6f646538312f66696c6573821b0000009e8d0de538001a0036ee80850a020000448218200085010100004443414243ff";
/// The second one, without flags.
const BP7_PLAIN: &str = "9f880700008201702f2f6e6f6465322f696e636f6d696e6782016b2f2f6e6f6465312f626c61820100821b0000009e8d\
    137d23001a0036ee8085010100004c4b68616c6c6f2077656c740aff";

fn refusal(bytes: &[u8]) -> BundleError {
    Bundle::decode(bytes).unwrap_err()
}

#[test]
fn the_example_bundles_of_rfc_9173_are_refused_for_their_flags_crc_and_scheme() {
    for example in [RFC9173_A1, RFC9173_A2, RFC9173_A3, RFC9173_A4] {
        let mut bytes = unhex(example);
        assert!(bp7::Bundle::try_from(bytes.as_slice()).is_ok(), "the example is a bundle");
        assert_eq!(refusal(&bytes), BundleError::Flags(0));
        // Mended step by step, the next reason shows.
        bytes.splice(3..4, [0x18, 0x24]);
        assert_eq!(refusal(&bytes), BundleError::CrcType(0));
        let primary_end = 30;
        let mut primary = [&bytes[1..primary_end], &[0x44, 0, 0, 0, 0]].concat();
        (primary[0], primary[4]) = (0x89, 2);
        fix_crc(&mut primary);
        bytes.splice(1..primary_end, primary);
        assert_eq!(refusal(&bytes), BundleError::Scheme(Role::Destination));
    }
}

#[test]
fn the_security_blocks_of_rfc_9173_are_refused_in_our_bundles() {
    let with_integrity = |replacement: Vec<u8>| {
        let mut blocks = Hand::message().blocks();
        blocks[1] = replacement;
        refusal(&hand::bundle(&blocks))
    };
    let a1 = unhex(RFC9173_A1);
    let bib = a1[29..29 + 7 + 86].to_vec();
    assert_eq!(bib[..3], [0x85, 11, 2]);
    assert_eq!(with_integrity(bib), BundleError::SecurityContext(1));

    let a3 = unhex(RFC9173_A3);
    let mut bib = a3[29..29 + 7 + 92].to_vec();
    bib[2] = 2;
    assert_eq!(with_integrity(bib), BundleError::SecurityTarget);

    let a2 = unhex(RFC9173_A2);
    let bcb = a2[29..29 + 7 + 80].to_vec();
    assert_eq!(with_integrity(bcb), BundleError::BlockFlags(2));
    assert_eq!(with_integrity(block(12, 2, &[0])), BundleError::Layout("integrity"));
}

#[test]
fn the_examples_of_bp7_are_refused() {
    assert_eq!(refusal(&unhex(BP7_REPORT)), BundleError::ReportRequested);
    assert_eq!(refusal(&unhex(BP7_PLAIN)), BundleError::Flags(0));
    let stamp = bp7::dtntime::CreationTimestamp::with_time_and_seq(836_000_000_000, 0);
    let mut random = bp7::helpers::rnd_bundle(stamp);
    assert_eq!(refusal(&random.to_cbor()), BundleError::ReportRequested);
    random.primary.bundle_control_flags = 0x24;
    assert_eq!(refusal(&random.to_cbor()), BundleError::CrcType(0));
    random.set_crc(bp7::crc::CRC_16);
    assert_eq!(refusal(&random.to_cbor()), BundleError::CrcType(1));
    random.set_crc(bp7::crc::CRC_32);
    assert!(matches!(refusal(&random.to_cbor()), BundleError::Endpoint(Role::Destination, _)));
}

#[test]
fn what_hardy_builds_by_default_is_refused() {
    let build = |source: &str, destination: &str| {
        let builder = Builder::new(source.parse().unwrap(), destination.parse().unwrap());
        let builder = builder.with_payload(b"hello".as_slice().into());
        builder.build(CreationTimestamp::from_parts(None, 1)).unwrap().1
    };
    let mut bytes = build("ipn:1.0", "ipn:2.0").to_vec();
    assert_eq!(refusal(&bytes), BundleError::Flags(0));
    bytes.splice(3..4, [0x18, 0x24]);
    assert_eq!(refusal(&bytes), BundleError::Scheme(Role::Destination));
}

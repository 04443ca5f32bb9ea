//! Receipts there and back, and what is refused.

use dak::bundle::{Bundle, Kind, LIFETIME_MAX};
use dak::cbor::{CborError, Writer};
use dak::id::{BundleId, NodeId};
use dak::receipt::{RECEIPT_IDS_MAX, Receipt, ReceiptError, ReceiptKind};
use dak::time::{Millis, SECOND};
use proptest::prelude::*;

use crate::common::{bob, receipt, receipt_draft};

fn any_receipt() -> impl Strategy<Value = Receipt> {
    let kind = prop_oneof![
        Just(ReceiptKind::Delivered),
        Just(ReceiptKind::Read),
        any::<u8>().prop_map(|reason| ReceiptKind::Rejected { reason }),
        (SECOND.0..=LIFETIME_MAX.0).prop_map(|wait| ReceiptKind::Full { retry_after: Millis(wait) }),
    ];
    let devices = (0u16..10).prop_flat_map(|device| (Just(device), device + 1..=u16::MAX));
    let ids = prop::collection::vec(any::<[u8; 32]>().prop_map(BundleId), 1..30);
    (kind, devices, ids).prop_map(|(kind, (device, devices), ids)| Receipt { kind, device, devices, ids, ..receipt() })
}

proptest! {
    #[test]
    fn every_receipt_reads_back(receipt in any_receipt()) {
        prop_assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt));
    }

    #[test]
    fn whatever_is_accepted_was_written_deterministically(receipt in any_receipt(), at in any::<prop::sample::Index>(), value: u8) {
        let mut bytes = receipt.encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(receipt) = Receipt::decode(&bytes) {
            prop_assert_eq!(receipt.encode(), bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Receipt::decode(&noise).is_err());
    }
}

#[test]
fn a_receipt_travels_in_a_bundle_of_its_kind() {
    let bundle = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let (bundle, _) = Bundle::decode(bundle.bytes()).unwrap();
    assert_eq!(bundle.kind, Kind::Receipt);
    assert_eq!(Receipt::decode(bundle.payload()), Ok(receipt()));
}

#[test]
fn other_records_and_kinds_are_refused() {
    let encoded = receipt().encode();
    let with = |at: usize, value: u8| {
        let mut bytes = encoded.clone();
        bytes[at] = value;
        Receipt::decode(&bytes).unwrap_err()
    };
    // 82 1a 00 01 00 00 | 85 kind ...
    assert_eq!(with(5, 1), ReceiptError::RecordType(65_537));
    assert_eq!(Receipt::decode(&[0x82, 1, 0x80]).unwrap_err(), ReceiptError::RecordType(1));
    assert_eq!(with(7, 5), ReceiptError::Kind(5));
    assert_eq!(with(7, 3), ReceiptError::Fields);
    assert_eq!(with(7, 4), ReceiptError::Fields);
    assert_eq!(with(6, 0x86), ReceiptError::Fields);
    let device_at = 8 + 34;
    assert_eq!(with(device_at, 1), ReceiptError::Device(1, 1));
    assert_eq!(with(device_at + 1, 0), ReceiptError::Device(0, 0));
    assert_eq!(with(device_at + 2, 0x80), ReceiptError::Ids);
    assert_eq!(with(device_at + 2, 0x81), ReceiptError::Cbor(CborError::Trailing));
}

#[test]
fn a_receipt_names_one_to_1024_bundles() {
    let most = Receipt { ids: vec![BundleId([7; 32]); RECEIPT_IDS_MAX], ..receipt() };
    let bytes = most.encode();
    assert_eq!(Receipt::decode(&bytes), Ok(most));
    // The head of the list is 19 0400; one more id follows.
    let mut more = bytes.clone();
    let list_at = 8 + 34 + 2;
    assert_eq!(more[list_at..list_at + 3], [0x99, 4, 0]);
    more[list_at + 2] = 1;
    more.extend([&[0x58, 32][..], &[7; 32]].concat());
    assert_eq!(Receipt::decode(&more).unwrap_err(), ReceiptError::Ids);
}

#[test]
fn a_full_mailbox_is_tried_again_in_a_second_to_thirty_days() {
    let full = Receipt { kind: ReceiptKind::Full { retry_after: SECOND }, ..receipt() };
    let bytes = full.encode();
    assert_eq!(Receipt::decode(&bytes), Ok(full));
    for wait in [0, SECOND.0 - 1, LIFETIME_MAX.0 + 1, u64::MAX] {
        let mut other = bytes[..bytes.len() - 3].to_vec();
        other.uint(wait);
        assert_eq!(Receipt::decode(&other).unwrap_err(), ReceiptError::RetryAfter(wait));
    }
}

#[test]
fn a_receipt_for_a_weak_key_is_refused() {
    let weak = Receipt { source: NodeId::from_trusted([0; 32]), ..receipt() };
    assert!(matches!(Receipt::decode(&weak.encode()).unwrap_err(), ReceiptError::Source(_)));
}

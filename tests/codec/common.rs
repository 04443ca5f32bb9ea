//! Keys, drafts and strategies that the tests share.

use dak::bundle::{COPIES_MAX, Creation, Draft, Hops, Kind, Priority, Signer};
use dak::eid::{Eid, Service};
use dak::id::BundleId;
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime, Millis};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

pub fn alice() -> SigningKey {
    SigningKey::from_bytes(&[0xa1; 32])
}

pub fn bob() -> SigningKey {
    SigningKey::from_bytes(&[0xb0; 32])
}

/// A message from alice to bob.
pub fn message() -> Draft {
    Draft {
        kind: Kind::Message,
        source: alice().node(),
        destination: Eid::mail(bob().node()),
        creation: Creation { time: DtnTime(836_000_000_000), sequence: 7 },
        lifetime: DAY.times(3),
        priority: Priority::Normal,
        copies: 8,
    }
}

/// Bob's receipt for two bundles of alice's.
pub fn receipt() -> Receipt {
    let ids = vec![BundleId([0x11; 32]), BundleId([0x22; 32])];
    Receipt { kind: ReceiptKind::Delivered, source: alice().node(), device: 0, devices: 1, ids }
}

pub fn receipt_draft() -> Draft {
    Draft {
        kind: Kind::Receipt,
        source: bob().node(),
        destination: Eid::admin(alice().node()),
        creation: Creation { time: DtnTime(0), sequence: 300 },
        ..message()
    }
}

pub fn any_draft() -> impl Strategy<Value = Draft> {
    let service = prop_oneof![
        Just(Service::Admin),
        Just(Service::Mail),
        "[a-z0-9._-]{1,63}".prop_map(|name| Service::Group(name.into())),
        "[a-z0-9._-]{5,64}".prop_map(|name| Service::Other(name.into())),
    ];
    let priority = prop_oneof![Just(Priority::Bulk), Just(Priority::Normal), Just(Priority::Urgent)];
    (any::<bool>(), service, any::<(u64, u64, u64)>(), priority, 1..=COPIES_MAX).prop_map(
        |(is_receipt, service, (time, sequence, lifetime), priority, copies)| Draft {
            kind: if is_receipt { Kind::Receipt } else { Kind::Message },
            source: alice().node(),
            destination: Eid { node: bob().node(), service: if is_receipt { Service::Admin } else { service } },
            creation: Creation { time: DtnTime(time), sequence },
            lifetime: Millis(lifetime),
            priority,
            copies,
        },
    )
}

pub fn any_hops() -> impl Strategy<Value = Hops> {
    any::<(u64, u8)>().prop_map(|(age, count)| Hops { age: Millis(age), count })
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digit = |digit: u8| (digit as char).to_digit(16).expect("hexadecimal digits") as u8;
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

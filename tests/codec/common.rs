//! Keys and drafts that the tests share.

use dak::bundle::{Creation, Draft, Kind, Priority, Signer};
use dak::eid::Eid;
use dak::time::{DAY, DtnTime};
use ed25519_dalek::SigningKey;

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

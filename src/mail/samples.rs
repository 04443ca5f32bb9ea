//! Messages of a small story, for tests.

use crate::agent::change::{Letter, Outgoing, Row};
use crate::bundle::{Creation, Hops, Priority};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, DtnTime, Moment, Timestamp};

pub fn node(number: u8) -> NodeId {
    NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[number; 32]).verifying_key().to_bytes()).unwrap()
}

/// From `who` to this home, which is node 9.
pub fn letter(row: u64, who: u8) -> Letter {
    Letter {
        row: Row(row),
        id: BundleId([row as u8; 32]),
        source: node(who),
        destination: Eid::mail(node(9)),
        creation: Creation { time: DtnTime(5), sequence: row },
        lifetime: DAY,
        priority: Priority::Normal,
        size_bytes: 500,
        received: Moment::default(),
        from: node(who),
        hops: Hops::default(),
        read: false,
        told: false,
    }
}

/// From this home to node 1.
pub fn outgoing(row: u64) -> Outgoing {
    Outgoing {
        id: BundleId([row as u8; 32]),
        source: Some(node(9)),
        row: Some(Row(row)),
        destination: Eid::mail(node(1)),
        creation: Creation { time: DtnTime(5), sequence: row },
        created: Moment::default(),
        lifetime: DAY,
        expires: Timestamp(DAY.0),
        priority: Priority::Normal,
        size_bytes: 500,
        evidence: Vec::new(),
        carriers: Vec::new(),
        unlisted: Default::default(),
    }
}

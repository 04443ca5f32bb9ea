//! What may be read of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, is_named};
use crate::agent::change::{Durable, Person};
use crate::agent::custody::{Custody, Slot};
use crate::agent::departed::Departed;
use crate::agent::inbox::Inbox;
use crate::agent::outbox::Outbox;
use crate::agent::place::Place;
use crate::agent::tombstones::{Beliefs, Tombstones};
use crate::id::{BundleId, NodeId};
use crate::time::{Moment, Timestamp};

impl Ledger {
    /// When the last input happened.
    pub fn at(&self) -> Moment {
        self.at
    }

    /// When that was, in elapsed time.
    pub fn now(&self) -> Timestamp {
        self.at.now
    }

    pub fn custody(&self) -> &Custody {
        &self.custody
    }

    /// The receipts held that freed nothing here.
    pub fn unmatched(&self) -> &Place<Slot, ()> {
        &self.unmatched
    }

    /// The own receipts held, as far as somebody shares in their place.
    pub fn signed(&self) -> &Place<Slot, ()> {
        &self.signed
    }

    pub fn tombstones(&self) -> &Tombstones {
        &self.tombstones
    }

    pub fn departed(&self) -> &Departed {
        &self.departed
    }

    pub fn beliefs(&self) -> &Beliefs {
        &self.beliefs
    }

    /// Evictions that previous hops have to hear of.
    pub fn owed(&self) -> &Place<(NodeId, BundleId), ()> {
        &self.owed
    }

    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn people(&self) -> &BTreeMap<NodeId, Person> {
        &self.people
    }

    /// Whether this person named a node, and did not block it.
    pub fn is_contact(&self, node: &NodeId) -> bool {
        is_named(&self.people, node)
    }

    /// What the strategy learned, by node.
    pub fn learned(&self) -> &BTreeMap<NodeId, Vec<u8>> {
        &self.learned
    }

    /// Writes out all durable state but what is filed; after every commit equal to what the store gives back, without what
    /// is filed there.
    pub fn durable(&self) -> Durable {
        let held = self.custody.slots().map(|slot| self.custody.held(slot));
        Durable {
            sequence: self.sequence_reserved,
            next_row: self.custody.next_row(),
            clock: self.clock,
            held: held.map(|held| (held.row, held)).collect(),
            buried: self.tombstones.iter().collect(),
            departed: self.departed.iter().collect(),
            beliefs: self.beliefs.iter().collect(),
            letters: BTreeMap::new(),
            kept: BTreeMap::new(),
            delivered: BTreeSet::new(),
            outgoing: self.outbox.iter().map(|outgoing| (outgoing.id, outgoing.clone())).collect(),
            mail_bytes: self.inbox.rows().clone(),
            people: self.people.clone(),
            learned: self.learned.clone(),
            owed: self.owed.iter().map(|(key, ())| *key).collect(),
        }
    }
}

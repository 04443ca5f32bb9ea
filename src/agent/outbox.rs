//! The outbox: one's own messages, from their seal to the last evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::agent::change::{Evidence, EvidenceKind, Outgoing};
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::time::{DtnTime, Timestamp};

/// The record of every message sent from here.
#[derive(Debug, Default)]
pub struct Outbox {
    outgoing: BTreeMap<BundleId, Outgoing>,
    /// The same messages in the order in which they were written.
    written: BTreeSet<Written>,
    /// Messages of which no peer said anything yet.
    unpromised: BTreeSet<BundleId>,
}

/// Where a message of one's own stands among the others: by when it was written, and its stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    at: Timestamp,
    creation: (DtnTime, u64),
    id: BundleId,
}

impl Written {
    pub fn of(outgoing: &Outgoing) -> Written {
        let creation = (outgoing.creation.time, outgoing.creation.sequence);
        Written { at: outgoing.created.now, creation, id: outgoing.id }
    }
}

impl Outbox {
    pub fn restore(outgoing: BTreeMap<BundleId, Outgoing>) -> Outbox {
        let silent = outgoing.values().filter(|outgoing| outgoing.state() == EvidenceKind::Queued);
        let unpromised = silent.map(|outgoing| outgoing.id).collect();
        let written = outgoing.values().map(Written::of).collect();
        Outbox { outgoing, written, unpromised }
    }

    pub fn insert(&mut self, outgoing: Outgoing) {
        self.unpromised.insert(outgoing.id);
        self.written.insert(Written::of(&outgoing));
        self.outgoing.insert(outgoing.id, outgoing);
    }

    pub fn attest(&mut self, id: BundleId, evidence: Evidence) {
        if let Some(outgoing) = self.outgoing.get_mut(&id) {
            outgoing.attest(evidence);
            if evidence.what > EvidenceKind::Queued {
                self.unpromised.remove(&id);
            }
        }
    }

    /// Messages of which no peer said anything yet.
    pub fn unpromised(&self) -> impl Iterator<Item = &BundleId> + '_ {
        self.unpromised.iter()
    }

    pub fn is_unpromised(&self, id: &BundleId) -> bool {
        self.unpromised.contains(id)
    }

    pub fn remove(&mut self, id: &BundleId) {
        self.unpromised.remove(id);
        if let Some(outgoing) = self.outgoing.remove(id) {
            self.written.remove(&Written::of(&outgoing));
        }
    }

    pub fn find(&self, id: &BundleId) -> Option<&Outgoing> {
        self.outgoing.get(id)
    }

    /// Messages whose ids begin so, in the order of the ids.
    pub fn like(&self, prefix: &IdPrefix) -> impl Iterator<Item = &Outgoing> + '_ {
        self.outgoing.range(prefix.range()).map(|(_, outgoing)| outgoing)
    }

    /// Messages in the order in which they were written, those behind `after`.
    pub fn behind(&self, after: Option<Written>) -> impl Iterator<Item = &Outgoing> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.written.range((from, Bound::Unbounded)).filter_map(|written| self.outgoing.get(&written.id))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Outgoing> + '_ {
        self.outgoing.values()
    }

    /// Whether `what` from `who` would say anything new of this message.
    pub fn is_news(&self, id: &BundleId, what: EvidenceKind, who: Option<NodeId>) -> bool {
        self.outgoing.get(id).is_some_and(|outgoing| outgoing.is_news(what, who))
    }
}

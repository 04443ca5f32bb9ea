//! The outbox: one's own messages while they are on their way. Once their fate is known they are in the record alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::change::{Evidence, EvidenceKind, Outgoing};
use crate::id::{BundleId, NodeId};

/// The messages sent from here that are on their way, and those that the present input speaks of.
#[derive(Debug, Default)]
pub struct Outbox {
    outgoing: BTreeMap<BundleId, Outgoing>,
    /// Messages of which no peer said anything yet.
    unpromised: BTreeSet<BundleId>,
}

impl Outbox {
    pub fn restore(mut outgoing: BTreeMap<BundleId, Outgoing>) -> Outbox {
        outgoing.retain(|_, outgoing| !outgoing.is_settled());
        let silent = outgoing.values().filter(|outgoing| outgoing.state() == EvidenceKind::Queued);
        let unpromised = silent.map(|outgoing| outgoing.id).collect();
        Outbox { outgoing, unpromised }
    }

    pub fn insert(&mut self, outgoing: Outgoing) {
        if outgoing.state() == EvidenceKind::Queued {
            self.unpromised.insert(outgoing.id);
        }
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

    pub fn remove(&mut self, id: &BundleId) -> Option<Outgoing> {
        self.unpromised.remove(id);
        self.outgoing.remove(id)
    }

    pub fn find(&self, id: &BundleId) -> Option<&Outgoing> {
        self.outgoing.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Outgoing> + '_ {
        self.outgoing.values()
    }

    /// Whether `what` from `who` would say anything new of this message.
    pub fn is_news(&self, id: &BundleId, what: EvidenceKind, who: Option<NodeId>) -> bool {
        self.outgoing.get(id).is_some_and(|outgoing| outgoing.is_news(what, who))
    }
}

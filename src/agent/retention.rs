//! How long, and how much of, topics stay at this node, where its owner says so.
//!
//! Without a word of the owner's what is published stays to the end of the life it was signed with, as far as there is room.
//! Terms are this home's own: a driver says them again at every start, and nobody else hears of them.

use std::collections::BTreeMap;

use super::Agent;
use super::change::{Class, Held};
use super::custody::{Slot, cost_bytes};
use super::io::{Gone, Output};
use crate::content::topic::Filter;
use crate::eid::{Eid, Service};
use crate::id::NodeId;
use crate::time::{Millis, Timestamp};

/// What an owner lets topics take; what is none is as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// So long after something was published it leaves.
    pub keep: Option<Millis>,
    /// Bytes of each topic.
    pub bytes: Option<u64>,
}

/// Topics and their terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention(BTreeMap<(NodeId, Filter), Terms>);

impl Retention {
    /// Sets the terms of topics of an owner; those that say nothing are as if there were none.
    pub fn set(&mut self, owner: NodeId, filter: Filter, terms: Terms) {
        match terms == Terms::default() {
            true => drop(self.0.remove(&(owner, filter))),
            false => drop(self.0.insert((owner, filter), terms)),
        }
    }

    /// The strictest of the terms that mean a topic.
    pub fn of(&self, topic: &Eid) -> Terms {
        let Service::Topic(name) = &topic.service else { return Terms::default() };
        let meant = self.0.iter().filter(|((owner, filter), _)| *owner == topic.node && filter.matches(name));
        let least = |a: Option<u64>, b: Option<u64>| [a, b].into_iter().flatten().min();
        meant.fold(Terms::default(), |all, (_, terms)| Terms {
            keep: least(all.keep.map(|keep| keep.0), terms.keep.map(|keep| keep.0)).map(Millis),
            bytes: least(all.bytes, terms.bytes),
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&(NodeId, Filter), Terms)> + '_ {
        self.0.iter().map(|(topics, terms)| (topics, *terms))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Agent {
    /// The owner says how long and how much of topics stays here; what is over that leaves at once.
    pub(super) fn retain(&mut self, owner: NodeId, filter: Filter, terms: Terms, out: &mut Vec<Output>) {
        self.retention.set(owner, filter, terms);
        self.want_other_posts();
        let topics: Vec<Eid> = self.topics().filter(|topic| topic.node == owner).collect();
        for topic in topics {
            self.shorten_lives(&topic, out);
            self.keep_within_bytes(&topic, out);
        }
    }

    /// The last moment of what others published in a topic, as its terms have it, of a life that ends then.
    pub(super) fn kept_until(&self, topic: &Eid, lifetime: Millis, expires: Timestamp) -> Timestamp {
        let Some(keep) = self.retention.of(topic).keep else { return expires };
        expires.min(Timestamp(expires.0.saturating_add(keep.0).saturating_sub(lifetime.0)))
    }

    fn shorten_lives(&mut self, topic: &Eid, out: &mut Vec<Output>) {
        let Some(keep) = self.retention.of(topic).keep else { return };
        for slot in self.carried_of(topic) {
            let Held { accepted_at, hops, expires, .. } = self.ledger.custody().held(slot);
            // Its end may have been drawn nearer before, so it is counted from its beginning.
            let until = expires.min(accepted_at + Millis(keep.0.saturating_sub(hops.age.0)));
            if until < self.now() {
                self.let_go_of_post(slot, Gone::Dropped, out);
            } else if until < expires {
                self.ledger.prolong(slot, hops.age, until, out);
            }
        }
    }

    fn keep_within_bytes(&mut self, topic: &Eid, out: &mut Vec<Output>) {
        let Some(bytes_max) = self.retention.of(topic).bytes else { return };
        let custody = self.ledger.custody();
        let mut bytes = custody.topics().bytes(custody.topic(topic));
        // What ends soonest goes first.
        let mut slots: Vec<(Timestamp, Slot)> =
            self.carried_of(topic).into_iter().map(|slot| (self.ledger.custody().held(slot).expires, slot)).collect();
        slots.sort_unstable();
        for (_, slot) in slots {
            if bytes <= bytes_max {
                return;
            }
            bytes -= cost_bytes(self.ledger.custody().size_bytes(slot));
            self.let_go_of_post(slot, Gone::Dropped, out);
        }
    }

    fn carried_of(&self, topic: &Eid) -> Vec<Slot> {
        let custody = self.ledger.custody();
        custody.for_destination(topic).filter(|slot| custody.class(*slot) == Class::Topics).collect()
    }

    /// The owner ends a topic: nothing of it is handed on from here.
    pub(super) fn forsake(&mut self, topic: &Eid, out: &mut Vec<Output>) {
        let slots: Vec<Slot> = self.ledger.custody().for_destination(topic).collect();
        for slot in slots {
            let why = if self.ledger.custody().class(slot) == Class::Own { Gone::Cancelled } else { Gone::Dropped };
            self.let_go_of_post(slot, why, out);
        }
    }

    /// Something published leaves, and does not come again.
    pub(super) fn let_go_of_post(&mut self, slot: Slot, why: Gone, out: &mut Vec<Output>) {
        let held = self.ledger.custody().held(slot);
        let until = self.tombstone_end(&held);
        self.forget(slot, why, out);
        self.ledger.bury(held.id, until, held.from.unwrap_or(self.node), out);
    }
}

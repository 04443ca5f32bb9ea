//! What may be looked at: nothing here changes anything.
//!
//! A look holds up everything else the agent does. So whoever looks asks for one thing by its id, for the ids that begin
//! with some digits, or for the next few of many in their order; the whole of a mailbox is for tests and simulations.

use std::collections::BTreeSet;

use super::Agent;
use super::change::{Class, Durable, EvidenceKind, Held, Outgoing, Person, Row};
use super::custody::{CLASSES, GRADES, Slot, Standing};
use super::mailboxes;
use crate::eid::Eid;
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::time::{Moment, Timestamp};

/// One contact, as others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactView {
    pub peer: NodeId,
    pub since: Timestamp,
    pub bundles_sent: u64,
    pub bundles_received: u64,
    pub in_flight_bytes: u64,
}

/// What custody takes, in bundles and in counted bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Messages held, one's own included.
    pub messages: usize,
    pub receipts: usize,
    /// Bytes carried for others, as quotas count them.
    pub bytes: u64,
    pub quota_bytes: u64,
    /// Bundles and bytes of each class: topics, strangers, contacts, own.
    pub by_class: [(usize, u64); 4],
    /// Bundles and bytes carried for others by grade: released, copy, custody.
    pub by_grade: [(usize, u64); 3],
    /// Bundles given up for want of room since the start, by grade.
    pub evicted: [u64; 3],
}

#[cfg(test)]
thread_local! {
    /// How many rows were walked over on this thread: tests count what a question costs whoever else waits.
    static WALKED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[inline]
fn walked() {
    #[cfg(test)]
    WALKED.set(WALKED.get() + 1);
}

/// How many rows were walked over on this thread so far.
#[cfg(test)]
pub fn rows_walked() -> u64 {
    WALKED.get()
}

impl Agent {
    /// Destinations in contact that took long enough over what they get alone. A driver that knows of bytes which still
    /// move says so by [`Input::Moved`](super::Input::Moved) before it says that the time is over.
    pub fn awaited(&self, now: Timestamp) -> impl Iterator<Item = NodeId> {
        self.contacts.graces.awaited(now).into_iter()
    }

    pub fn node(&self) -> NodeId {
        self.node
    }

    /// When a contact last began or ended, as far as the strategy remembers it.
    pub fn last_met(&self) -> Option<Timestamp> {
        self.routing.last_met()
    }

    /// Whether nobody can have one's own message: there was no contact since it was queued.
    pub fn has_not_left(&self, outgoing: &Outgoing) -> bool {
        let is_of_here = |what| matches!(what, EvidenceKind::Queued | EvidenceKind::Expired | EvidenceKind::Cancelled);
        let is_heard_of = !outgoing.events().iter().all(|event| is_of_here(event.what));
        if is_heard_of || outgoing.unlisted.answers > 0 {
            return false;
        }
        let met_since = self.routing.last_met().is_some_and(|met| met >= outgoing.created.now);
        self.contacts().next().is_none() && self.routing.remembers_meetings() && !met_since
    }

    /// When the last input happened.
    pub fn at(&self) -> Moment {
        self.ledger.at()
    }

    /// Whether a bundle of this id may be turned away before its signature is checked: it is held, buried or arriving.
    /// What was delivered longer ago is looked at once more, for the receipt that proves it may be over.
    pub fn turns_away(&self, id: &BundleId) -> bool {
        self.ledger.is_known(id) || self.ledger.inbox().is_arriving(id)
    }

    /// Whether an id is held, buried or being delivered.
    pub fn knows(&self, id: &BundleId) -> bool {
        self.ledger.is_known(id) || self.ledger.inbox().had(id)
    }

    /// Whether something is held for a node.
    pub fn wants(&self, node: NodeId) -> bool {
        mailboxes::of_key(node).iter().any(|endpoint| self.ledger.custody().for_destination(endpoint).next().is_some())
    }

    /// Every node something is held for.
    pub fn destinations(&self) -> impl Iterator<Item = NodeId> {
        let all = self.ledger.custody().destinations().into_iter().filter(|endpoint| !endpoint.is_group());
        all.map(|endpoint| endpoint.node).collect::<BTreeSet<_>>().into_iter()
    }

    /// Every topic something is held of.
    pub fn topics(&self) -> impl Iterator<Item = Eid> {
        self.ledger.custody().destinations().into_iter().filter(Eid::is_topic).inspect(|_| walked())
    }

    /// How many bundles are held for an endpoint.
    pub fn held_count(&self, endpoint: &Eid) -> usize {
        self.ledger.custody().for_destination(endpoint).inspect(|_| walked()).count()
    }

    /// What is held for an endpoint, from a row on: at most so many, in the order of their rows.
    pub fn held_for(&self, endpoint: &Eid, from: Row, many: usize) -> Vec<(Row, BundleId)> {
        let custody = self.ledger.custody();
        let all = custody.for_destination(endpoint).map(|slot| (custody.row(slot), custody.id(slot)));
        let mut rows: Vec<(Row, BundleId)> = all.filter(|(row, _)| *row >= from).collect();
        rows.sort_unstable();
        rows.truncate(many);
        rows
    }

    /// Bytes of mail from strangers, and how many there may be.
    pub fn mail_of_strangers(&self) -> (u64, u64) {
        (self.ledger.inbox().bytes_strangers(), self.config.stranger_mail_bytes_max)
    }

    /// What is held in the order of eviction, behind `after`.
    pub fn held_behind(&self, after: Option<Standing>) -> impl Iterator<Item = (Standing, Held)> + '_ {
        self.ledger
            .custody()
            .behind(after)
            .map(|(standing, slot)| (standing, self.ledger.custody().held(slot)))
            .inspect(|_| walked())
    }

    /// Ids of what is held that begin so.
    pub fn held_like(&self, prefix: &IdPrefix) -> impl Iterator<Item = BundleId> + '_ {
        let range = prefix.range();
        let stretch = self.ledger.ids_between(range.start().prefix(), range.end().prefix());
        stretch
            .map(|(_, slot)| self.ledger.custody().id(slot))
            .inspect(|_| walked())
            .filter(move |id| range.contains(id))
    }

    /// One's own messages that are on their way, in the order of their ids.
    pub fn on_their_way(&self) -> impl Iterator<Item = &Outgoing> + '_ {
        self.ledger.outbox().iter().inspect(|_| walked())
    }

    pub fn people(&self) -> impl Iterator<Item = (&NodeId, &Person)> + '_ {
        self.ledger.people().iter()
    }

    pub fn person(&self, node: &NodeId) -> Option<&Person> {
        self.ledger.people().get(node)
    }

    /// Whether this person named a node, and did not block it.
    pub fn is_contact(&self, node: &NodeId) -> bool {
        self.ledger.is_contact(node)
    }

    /// Whether a node is a member of a group that is served here.
    pub fn is_member(&self, group: &Eid, node: &NodeId) -> bool {
        self.ledger.custody().is_member(group, node)
    }

    /// Everything in custody, in the order of destinations.
    pub fn held(&self) -> impl Iterator<Item = Held> + '_ {
        self.ledger.custody().slots().map(|slot| self.ledger.custody().held(slot)).inspect(|_| walked())
    }

    pub fn held_one(&self, id: &BundleId) -> Option<Held> {
        self.ledger.find_held(id).map(|slot: Slot| self.ledger.custody().held(slot))
    }

    /// Where the body of a held bundle lies.
    pub fn row_of(&self, id: &BundleId) -> Option<Row> {
        self.ledger.find_held(id).map(|slot| self.ledger.custody().row(slot))
    }

    pub fn contacts(&self) -> impl Iterator<Item = ContactView> + '_ {
        self.contacts.iter().map(|(peer, contact)| ContactView {
            peer: *peer,
            since: contact.since,
            bundles_sent: contact.bundles_sent,
            bundles_received: contact.bundles_received,
            in_flight_bytes: contact.in_flight_bytes(),
        })
    }

    /// One's own messages that peers in contact have no room for or find too large, each with who says so.
    pub fn too_large_for(&self) -> impl Iterator<Item = (NodeId, &BundleId)> + '_ {
        self.contacts.iter().flat_map(|(peer, contact)| contact.turned_away().iter().map(|id| (*peer, id)))
    }

    pub fn usage(&self) -> Usage {
        let carried = |grade| {
            let classes = [Class::Topics, Class::Strangers, Class::Contacts];
            let count: usize = classes.iter().map(|class| self.ledger.custody().count_of(*class, grade)).sum();
            (count, classes.iter().map(|class| self.ledger.custody().bytes_of(*class, grade)).sum())
        };
        Usage {
            messages: self.ledger.custody().len() - self.ledger.custody().receipts(),
            receipts: self.ledger.custody().receipts(),
            bytes: self.ledger.custody().bytes_carried(),
            quota_bytes: self.config.carry_bytes_max,
            by_class: CLASSES
                .map(|class| (self.ledger.custody().count_in(class), self.ledger.custody().bytes_in(class))),
            by_grade: GRADES.map(carried),
            evicted: self.evicted,
        }
    }

    pub fn tombstones(&self) -> usize {
        self.ledger.tombstones().len()
    }

    /// Writes out all durable state but what is filed; after every commit equal to what the store gives back, without what
    /// is filed there.
    pub fn durable(&self) -> Durable {
        self.ledger.durable()
    }
}

//! The inbox, as far as the agent needs it: what arrives, and what mail of whom costs. Its rows are in the record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agent::change::{Letter, Marks, add_to, take_from};
use crate::agent::custody::cost_bytes;
use crate::bundle::{Bundle, Hops};
use crate::id::{BundleId, NodeId};

/// What mail costs, and the rows that the present input speaks of.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Delivered ids that the record told of or that were delivered just now, with their rows if they still have one.
    recalled: BTreeMap<BundleId, Option<Letter>>,
    arriving: Vec<Arrival>,
    arriving_ids: BTreeSet<BundleId>,
    /// Bytes of rows by source and by who handed them over.
    rows: BTreeMap<(NodeId, NodeId), u64>,
    /// Bytes per source, arriving ones included.
    bytes: BTreeMap<NodeId, u64>,
    /// Of those from sources that nobody named, what each peer handed over.
    handed: BTreeMap<NodeId, u64>,
    /// Sources that this person named.
    named: BTreeSet<NodeId>,
    /// Bytes of theirs together.
    bytes_named: u64,
    /// Bytes of all other sources together.
    bytes_strangers: u64,
}

/// A bundle for this node that waits for the end of the batch to get what is due to it and its receipt.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub bundle: Arc<Bundle>,
    pub hops: Hops,
    pub size_bytes: u32,
    pub from: NodeId,
    pub due: Due,
}

/// What an arrival gets besides a receipt that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Row,
    /// Nothing: it had its row long ago, and a copy of it outlived the receipt.
    Proof,
    /// Nothing, for it was declined.
    Rejection,
}

impl Inbox {
    /// With what the rows there are cost.
    pub fn restore(rows: BTreeMap<(NodeId, NodeId), u64>) -> Inbox {
        let mut inbox = Inbox { rows: rows.clone(), ..Inbox::default() };
        rows.into_iter().for_each(|((source, from), bytes)| inbox.count(source, from, bytes));
        inbox
    }

    /// Takes in what the record knows of a delivered id.
    pub fn recall(&mut self, id: BundleId, letter: Option<Letter>) {
        self.recalled.insert(id, letter);
    }

    /// Lets go of an id; returns the row it has, if it had one at all.
    pub fn let_go(&mut self, id: &BundleId) -> Option<Option<Letter>> {
        self.recalled.remove(id)
    }

    /// Whether this id had its row already, or is about to get it.
    pub fn had(&self, id: &BundleId) -> bool {
        self.recalled.contains_key(id) || self.is_arriving(id)
    }

    /// Whether something of this batch speaks of it.
    pub fn is_arriving(&self, id: &BundleId) -> bool {
        self.arriving_ids.contains(id)
    }

    /// Whether it had its row in an earlier batch, and nothing of this batch speaks of it.
    pub fn had_long_ago(&self, id: &BundleId) -> bool {
        self.recalled.contains_key(id) && !self.is_arriving(id)
    }

    pub fn arrive(&mut self, arrival: Arrival) {
        if arrival.due == Due::Row {
            self.count(arrival.bundle.source, arrival.from, cost_bytes(arrival.size_bytes));
        }
        self.arriving_ids.insert(arrival.bundle.id);
        self.arriving.push(arrival);
    }

    pub fn is_settled(&self) -> bool {
        self.arriving.is_empty()
    }

    pub fn take_arrivals(&mut self) -> Vec<Arrival> {
        self.arriving_ids.clear();
        let arrivals = std::mem::take(&mut self.arriving);
        for arrival in arrivals.iter().filter(|arrival| arrival.due == Due::Row) {
            self.discount(arrival.bundle.source, arrival.from, cost_bytes(arrival.size_bytes));
        }
        arrivals
    }

    pub fn insert(&mut self, letter: Letter) {
        let cost = cost_bytes(letter.size_bytes);
        self.count(letter.source, letter.from, cost);
        add_to(&mut self.rows, (letter.source, letter.from), cost);
        self.recalled.insert(letter.id, Some(letter));
    }

    pub fn mark(&mut self, id: &BundleId, marks: Marks) {
        if let Some(Some(letter)) = self.recalled.get_mut(id) {
            letter.set_marks(marks);
        }
    }

    pub fn remove(&mut self, id: &BundleId) {
        let Some(letter) = self.recalled.get_mut(id).and_then(Option::take) else { return };
        let cost = cost_bytes(letter.size_bytes);
        take_from(&mut self.rows, (letter.source, letter.from), cost);
        self.discount(letter.source, letter.from, cost);
    }

    /// Says whether a source is named: rows of all others share one bounded place.
    pub fn set_named(&mut self, source: NodeId, named: bool) {
        if self.named.contains(&source) == named {
            return;
        }
        let all = [NodeId::from_trusted([0; 32]), NodeId::from_trusted([255; 32])];
        let rows = self.rows.range((source, all[0])..=(source, all[1])).map(|((_, from), bytes)| (*from, *bytes));
        let arriving = self.arriving.iter().filter(|a| a.bundle.source == source && a.due == Due::Row);
        let arriving = arriving.map(|arrival| (arrival.from, cost_bytes(arrival.size_bytes)));
        let all: Vec<(NodeId, u64)> = rows.chain(arriving).collect();
        all.iter().for_each(|(from, cost)| self.discount(source, *from, *cost));
        if named {
            self.named.insert(source);
        } else {
            self.named.remove(&source);
        }
        all.iter().for_each(|(from, cost)| self.count(source, *from, *cost));
    }

    fn count(&mut self, source: NodeId, from: NodeId, cost: u64) {
        add_to(&mut self.bytes, source, cost);
        if self.named.contains(&source) {
            self.bytes_named = self.bytes_named.saturating_add(cost);
        } else {
            self.bytes_strangers = self.bytes_strangers.saturating_add(cost);
            add_to(&mut self.handed, from, cost);
        }
    }

    fn discount(&mut self, source: NodeId, from: NodeId, cost: u64) {
        take_from(&mut self.bytes, source, cost);
        if self.named.contains(&source) {
            self.bytes_named = self.bytes_named.saturating_sub(cost);
        } else {
            self.bytes_strangers = self.bytes_strangers.saturating_sub(cost);
            take_from(&mut self.handed, from, cost);
        }
    }

    /// Bytes of strangers' mail that a peer handed over, and bytes from a source.
    pub fn shares_of(&self, from: NodeId, source: NodeId) -> [u64; 2] {
        [self.handed.get(&from).copied().unwrap_or(0), self.bytes_of(&source)]
    }

    /// Bytes of rows from one source, arriving ones included.
    pub fn bytes_of(&self, source: &NodeId) -> u64 {
        self.bytes.get(source).copied().unwrap_or(0)
    }

    /// The row of an id that the present input speaks of.
    pub fn find(&self, id: &BundleId) -> Option<&Letter> {
        self.recalled.get(id)?.as_ref()
    }

    /// Bytes of rows, arriving ones included, from sources that this person named, and from themselves.
    pub fn bytes_named(&self) -> u64 {
        self.bytes_named
    }

    /// Bytes of rows, arriving ones included, from sources that nobody named.
    pub fn bytes_strangers(&self) -> u64 {
        self.bytes_strangers
    }

    /// Bytes of rows by source and by who handed them over.
    pub fn rows(&self) -> &BTreeMap<(NodeId, NodeId), u64> {
        &self.rows
    }
}

//! The inbox: one row per bundle id, for ever on this home.

mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use self::order::Order;
pub use self::order::Position;
use crate::agent::change::{Letter, Marks, Row};
use crate::agent::custody::cost_bytes;
use crate::bundle::{Bundle, Hops};
use crate::id::{BundleId, IdPrefix, NodeId};

/// Rows and the ids that ever had one.
#[derive(Debug, Default)]
pub struct Inbox {
    letters: BTreeMap<Row, Letter>,
    rows: BTreeMap<BundleId, Row>,
    order: Order,
    delivered: BTreeSet<[u8; 16]>,
    arriving: Vec<Arrival>,
    arriving_ids: BTreeSet<BundleId>,
    /// Bytes of rows per source.
    bytes: BTreeMap<NodeId, u64>,
    /// Of those from sources that nobody named, what each peer handed over.
    handed: BTreeMap<NodeId, u64>,
    /// Sources that this person named.
    named: BTreeSet<NodeId>,
    /// Bytes of rows of all other sources together.
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
}

impl Inbox {
    pub fn restore(letters: BTreeMap<Row, Letter>, delivered: BTreeSet<[u8; 16]>) -> Inbox {
        let mut inbox = Inbox { delivered, ..Inbox::default() };
        letters.into_values().for_each(|letter| inbox.insert(letter));
        inbox
    }

    /// Whether this id had its row already, or is about to get it.
    pub fn had(&self, id: &BundleId) -> bool {
        self.delivered.contains(&Letter::mark_of(id)) || self.arriving_ids.contains(id)
    }

    /// Whether it had its row in an earlier batch, and nothing of this batch speaks of it.
    pub fn had_long_ago(&self, id: &BundleId) -> bool {
        self.had(id) && !self.arriving_ids.contains(id)
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
        self.delivered.insert(Letter::mark_of(&letter.id));
        self.rows.insert(letter.id, letter.row);
        self.order.insert(&letter);
        self.count(letter.source, letter.from, cost_bytes(letter.size_bytes));
        self.letters.insert(letter.row, letter);
    }

    pub fn mark(&mut self, row: Row, marks: Marks) {
        if let Some(letter) = self.letters.get_mut(&row) {
            letter.set_marks(marks);
        }
    }

    pub fn remove(&mut self, row: Row) {
        let Some(letter) = self.letters.remove(&row) else { return };
        self.order.remove(&letter);
        self.rows.remove(&letter.id);
        self.discount(letter.source, letter.from, cost_bytes(letter.size_bytes));
    }

    /// Says whether a source is named: rows of all others share one bounded place.
    pub fn set_named(&mut self, source: NodeId, named: bool) {
        if self.named.contains(&source) == named {
            return;
        }
        let rows = self.letters.values().filter(|letter| letter.source == source);
        let rows = rows.map(|letter| (letter.from, cost_bytes(letter.size_bytes)));
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
        *self.bytes.entry(source).or_default() += cost;
        if !self.named.contains(&source) {
            self.bytes_strangers += cost;
            *self.handed.entry(from).or_default() += cost;
        }
    }

    fn discount(&mut self, source: NodeId, from: NodeId, cost: u64) {
        take_from(&mut self.bytes, source, cost);
        if !self.named.contains(&source) {
            self.bytes_strangers -= cost;
            take_from(&mut self.handed, from, cost);
        }
    }

    /// Bytes of strangers' mail that a peer handed over, and bytes from a source.
    pub fn shares_of(&self, from: NodeId, source: NodeId) -> [u64; 2] {
        [self.handed.get(&from).copied().unwrap_or(0), self.bytes.get(&source).copied().unwrap_or(0)]
    }

    /// The row of an id, until the person deletes it.
    pub fn find(&self, id: &BundleId) -> Option<&Letter> {
        self.rows.get(id).and_then(|row| self.letters.get(row))
    }

    /// Rows whose ids begin so, in the order of the ids.
    pub fn like(&self, prefix: &IdPrefix) -> impl Iterator<Item = &Letter> + '_ {
        self.rows.range(prefix.range()).filter_map(|(_, row)| self.letters.get(row))
    }

    /// All rows in the order of arrival.
    pub fn letters(&self) -> impl DoubleEndedIterator<Item = &Letter> + '_ {
        self.letters.values()
    }

    /// Rows as they are to be read, from one position to another: each writer's as they were written, different writers'
    /// as they arrived.
    pub fn between(
        &self,
        from: Bound<Position>,
        to: Bound<Position>,
    ) -> impl DoubleEndedIterator<Item = (Position, &Letter)> {
        self.order.between(&self.letters, from, to)
    }

    /// Bytes of rows, arriving ones included, from sources that nobody named.
    pub fn bytes_strangers(&self) -> u64 {
        self.bytes_strangers
    }

    pub fn delivered(&self) -> &BTreeSet<[u8; 16]> {
        &self.delivered
    }
}

fn take_from(bytes: &mut BTreeMap<NodeId, u64>, party: NodeId, cost: u64) {
    let share = bytes.get_mut(&party).expect("what is taken away was counted");
    *share -= cost;
    if *share == 0 {
        bytes.remove(&party);
    }
}

//! What is counted while a share runs, under The ONE's definitions where it has them.

use crate::agent::io::Gone;
use crate::eid::Eid;
use crate::sim::catalog::Entry;
use crate::sim::report::{Counters, Move};
use crate::sim::trace::Contact;
use crate::sim::world::node::Node;
use crate::sim::world::shelf::Place;

#[derive(Debug, Default)]
pub struct Count {
    pub counters: Counters,
    /// Steps: ends of contacts, messages, arrivals, timers, faults.
    pub events: u64,
    /// What agents said of each other that no honest one gives cause for.
    pub misbehaved: u64,
    /// What came to the stores of this share, less what left them: a node may take in here and let go elsewhere.
    pub held_bytes: i64,
    pub held_bundles: i64,
    /// Since the world looked last, in order: contacts that ended, copies that moved, messages that arrived.
    pub contacts: Vec<Contact>,
    pub moves: Vec<Move>,
    pub arrivals: Vec<Arrival>,
}

/// A message reached its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub message: u32,
    pub at_us: u64,
    pub hops: u32,
}

impl Count {
    pub fn began(&mut self, entry: &Entry) {
        self.counters.started += u64::from(entry.message.is_some());
    }

    pub fn cut(&mut self, entry: &Entry) {
        self.counters.aborted += u64::from(entry.message.is_some());
    }

    /// Something went all the way over a link; `entry` is none for a frame.
    pub fn arrived(&mut self, bytes: u64, entry: Option<&Entry>) {
        let destination = entry.map(|entry| &entry.bundle.destination);
        if destination.is_some_and(Eid::is_got) {
            self.counters.bytes_group_receipts += bytes;
            return;
        }
        if destination.is_some_and(Eid::has_members) {
            self.counters.bytes_group_messages += bytes;
        }
        let kind = match entry.map(|entry| entry.message.is_some()) {
            Some(true) => &mut self.counters.bytes_bundles,
            Some(false) => &mut self.counters.bytes_receipts,
            None => &mut self.counters.bytes_control,
        };
        *kind += bytes;
    }

    pub fn accepted(&mut self, node: &mut Node, entry: &Entry, bundle: Option<u32>, moved: impl FnOnce(u32) -> Move) {
        if let Some(message) = entry.message {
            bundle.into_iter().for_each(|bundle| node.have(bundle));
            self.counters.relayed += 1;
            self.moves.push(moved(message));
        }
    }

    pub fn refused(&mut self, entry: &Entry) {
        self.counters.refused += u64::from(entry.message.is_some());
    }

    pub fn held(&mut self, node: &mut Node, entry: &Entry, bundle: Option<u32>) {
        node.held_bytes += u64::from(entry.size_bytes);
        node.load.peak_bytes = node.load.peak_bytes.max(node.held_bytes);
        self.held_bytes += i64::from(entry.size_bytes);
        self.held_bundles += 1;
        bundle.into_iter().for_each(|bundle| node.have(bundle));
    }

    pub fn let_go(&mut self, node: &mut Node, place: &Place, now_us: u64) {
        let size_bytes = place.entry.size_bytes;
        node.held_bytes -= u64::from(size_bytes);
        self.held_bytes -= i64::from(size_bytes);
        self.held_bundles -= 1;
        if place.entry.message.is_some() {
            let stayed_us = now_us - place.since_us;
            self.counters.buffer_times_us.add(stayed_us);
            if place.in_custody {
                self.counters.custody_times_us.add(stayed_us);
            }
        }
    }

    /// A copy left a store: for want of room or life it was dropped, else removed.
    pub fn gone(&mut self, entry: &Entry, why: Gone) {
        if entry.message.is_none() {
            return;
        }
        match why {
            Gone::Expired => {
                self.counters.dropped += 1;
                self.counters.expired += 1;
            }
            Gone::Evicted => self.counters.dropped += 1,
            Gone::HandedOn
            | Gone::Receipt
            | Gone::Dropped
            | Gone::Cancelled
            | Gone::Delivered
            | Gone::Unreadable
            | Gone::Superseded => self.counters.removed += 1,
        }
    }
}

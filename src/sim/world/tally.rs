//! What is counted while a world runs, under The ONE's definitions where it has them.

use crate::agent::io::Gone;
use crate::sim::report::{Counters, MessageRow, Move, Moves, NodeLoad, Occupancy, Thinned};
use crate::sim::scenario::Loaded;
use crate::sim::trace::Contact;
use crate::sim::world::catalog::Entry;
use crate::sim::world::shelf::Place;

#[derive(Debug)]
pub struct Tally {
    pub counters: Counters,
    pub rows: Vec<MessageRow>,
    pub occupancy: Vec<Occupancy>,
    pub load: Vec<NodeLoad>,
    pub contacts: Thinned<Contact>,
    pub moves: Moves,
    /// Steps of the world: ends of contacts, messages, arrivals, timers, faults.
    pub events: u64,
    /// What agents said of each other that no honest one gives cause for.
    pub misbehaved: u64,
    nodes: usize,
    held_bytes: Vec<u64>,
    held: Occupancy,
    /// One bit for each message and node: whether that node ever had it.
    had: Vec<u64>,
    sample_every_us: u64,
    next_sample_us: u64,
}

/// Instants at which the stores are looked at.
const SAMPLES: u64 = 240;
/// Contacts and moves kept for the map.
const MAP_CONTACTS_MAX: usize = 20_000;
const MAP_MOVES_MAX: usize = 20_000;

impl Tally {
    pub fn new(loaded: &Loaded) -> Tally {
        let nodes = loaded.nodes as usize;
        let rows: Vec<MessageRow> = loaded.messages.iter().map(row_of).collect();
        Tally {
            counters: Counters::default(),
            occupancy: Vec::new(),
            load: vec![NodeLoad::default(); nodes],
            contacts: Thinned::new(MAP_CONTACTS_MAX),
            moves: Moves::new(MAP_MOVES_MAX),
            events: 0,
            misbehaved: 0,
            nodes,
            held_bytes: vec![0; nodes],
            held: Occupancy::default(),
            had: vec![0; (rows.len() * nodes).div_ceil(64)],
            rows,
            sample_every_us: (loaded.duration_us / SAMPLES).max(1),
            next_sample_us: 0,
        }
    }

    /// Looks at the stores as they were before `now_us`.
    pub fn sample_until(&mut self, now_us: u64) {
        while self.next_sample_us < now_us {
            let bytes_max = self.held_bytes.iter().copied().max().unwrap_or(0);
            self.occupancy.push(Occupancy { at_us: self.next_sample_us, bytes_max, ..self.held });
            self.next_sample_us += self.sample_every_us;
        }
    }

    pub fn began(&mut self, entry: &Entry) {
        self.counters.started += u64::from(entry.message.is_some());
    }

    pub fn cut(&mut self, entry: &Entry) {
        self.counters.aborted += u64::from(entry.message.is_some());
    }

    /// Something went all the way over a link; `entry` is none for a frame.
    pub fn arrived(&mut self, from: u32, to: u32, bytes: u64, entry: Option<&Entry>) {
        self.load[from as usize].sent_bytes += bytes;
        self.load[to as usize].received_bytes += bytes;
        let kind = match entry.map(|entry| entry.message.is_some()) {
            Some(true) => &mut self.counters.bytes_bundles,
            Some(false) => &mut self.counters.bytes_receipts,
            None => &mut self.counters.bytes_control,
        };
        *kind += bytes;
    }

    pub fn accepted(&mut self, entry: &Entry, from: u32, to: u32, now_us: u64) {
        let Some(message) = entry.message else { return };
        self.counters.relayed += 1;
        self.have(message, to);
        self.moves.push(Move { at_us: now_us, message, from, to });
    }

    pub fn refused(&mut self, entry: &Entry) {
        self.counters.refused += u64::from(entry.message.is_some());
    }

    pub fn delivered(&mut self, entry: &Entry, hops: u32, now_us: u64) {
        let Some(message) = entry.message else { return };
        let row = &mut self.rows[message as usize];
        if row.delivered_us.is_none() {
            (row.delivered_us, row.hops) = (Some(now_us), Some(hops));
        }
    }

    pub fn held(&mut self, node: u32, entry: &Entry) {
        let bytes = &mut self.held_bytes[node as usize];
        *bytes += u64::from(entry.size_bytes);
        let peak_bytes = &mut self.load[node as usize].peak_bytes;
        *peak_bytes = (*peak_bytes).max(*bytes);
        self.held.bytes += u64::from(entry.size_bytes);
        self.held.bundles += 1;
        if let Some(message) = entry.message {
            self.have(message, node);
        }
    }

    pub fn let_go(&mut self, node: u32, entry: &Entry, place: Place, now_us: u64) {
        self.held_bytes[node as usize] -= u64::from(entry.size_bytes);
        self.held.bytes -= u64::from(entry.size_bytes);
        self.held.bundles -= 1;
        if entry.message.is_some() {
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
            Gone::Receipt | Gone::Dropped | Gone::Cancelled | Gone::Delivered | Gone::Unreadable => {
                self.counters.removed += 1
            }
        }
    }

    fn have(&mut self, message: u32, node: u32) {
        let bit = message as usize * self.nodes + node as usize;
        self.had[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether a node ever had a message.
    pub fn had(&self, message: u32, node: u32) -> bool {
        let bit = message as usize * self.nodes + node as usize;
        self.had[bit / 64] >> (bit % 64) & 1 == 1
    }
}

fn row_of(message: &crate::sim::Message) -> MessageRow {
    MessageRow {
        id: message.id.clone(),
        from: message.from,
        to: message.to,
        size: message.size,
        create_us: message.create_us,
        ..MessageRow::default()
    }
}

//! What came of a whole world, put together from its shares.

use super::count::Count;
use super::node::Node;
use crate::sim::oracle::Arrival;
use crate::sim::report::{Counters, MessageRow, Move, Moves, NodeLoad, Occupancy, Thinned};
use crate::sim::scenario::Loaded;
use crate::sim::trace::Contact;

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
    sample_every_us: u64,
    next_sample_us: u64,
}

/// Instants at which the stores are looked at.
pub const SAMPLES: u64 = 240;
/// Contacts and moves kept for the map.
const MAP_CONTACTS_MAX: usize = 20_000;
const MAP_MOVES_MAX: usize = 20_000;

impl Tally {
    pub fn new(loaded: &Loaded, end_us: u64) -> Tally {
        Tally {
            counters: Counters::default(),
            rows: loaded.messages.iter().map(|message| MessageRow::of(message, &Arrival::default())).collect(),
            occupancy: Vec::new(),
            load: Vec::new(),
            contacts: Thinned::new(MAP_CONTACTS_MAX),
            moves: Moves::new(MAP_MOVES_MAX),
            events: 0,
            misbehaved: 0,
            sample_every_us: (end_us / SAMPLES).max(1),
            next_sample_us: 0,
        }
    }

    /// The next instant at whose end the stores are looked at.
    pub fn next_sample_us(&self) -> u64 {
        self.next_sample_us
    }

    /// … and the next after an instant.
    pub fn sample_after(&self, now_us: u64) -> u64 {
        match self.next_sample_us <= now_us {
            true => self.next_sample_us + self.sample_every_us,
            false => self.next_sample_us,
        }
    }

    /// Takes what a window of all shares has shown, in an order that depends on nothing but the shares.
    pub fn add<'s>(&mut self, counts: impl Iterator<Item = &'s mut Count>) {
        let (mut contacts, mut moves) = (Vec::new(), Vec::new());
        self.events = 0;
        for count in counts {
            self.events += count.events;
            contacts.append(&mut count.contacts);
            moves.append(&mut count.moves);
            for arrival in count.arrivals.drain(..) {
                let row = &mut self.rows[arrival.message as usize];
                if row.delivered_us.is_none() {
                    (row.delivered_us, row.hops) = (Some(arrival.at_us), Some(arrival.hops));
                }
            }
        }
        contacts.sort_by_key(|contact: &Contact| (contact.down_us, contact.a, contact.b));
        moves.sort_by_key(|moved: &Move| moved.at_us);
        contacts.into_iter().for_each(|contact| self.contacts.push(contact));
        moves.into_iter().for_each(|moved| self.moves.push(moved));
    }

    /// Looks at the stores as they are at the end of an instant.
    pub fn sample<'s>(&mut self, counts: impl Iterator<Item = &'s Count>, nodes: impl Iterator<Item = &'s Node>) {
        let (bytes, bundles) =
            counts.fold((0, 0), |held, count| (held.0 + count.held_bytes, held.1 + count.held_bundles));
        let held = |sum: i64| u64::try_from(sum).expect("what left a store came to it before");
        let bytes_max = nodes.map(|node| node.held_bytes).max().unwrap_or(0);
        let at_us = self.next_sample_us;
        self.occupancy.push(Occupancy { at_us, bytes: held(bytes), bytes_max, bundles: held(bundles) });
        self.next_sample_us += self.sample_every_us;
    }

    /// Ends the run.
    pub fn close<'s>(&mut self, counts: impl Iterator<Item = &'s Count>, load: Vec<NodeLoad>) {
        for count in counts {
            self.counters.add(&count.counters);
            self.misbehaved += count.misbehaved;
        }
        self.load = load;
    }
}

//! Contacts: who can talk to whom, from when to when.
//!
//! A contact is `[up, down)`: at the instant `down` it is over. All sources, files and generators alike, yield
//! [`ContactEvent`]s in one order: by time, at equal times `down` before `up`, then by pair. So a chain of contacts that
//! opens at an instant is whole when the first message crosses it, and two files with the same contacts make the same
//! run in whatever order they list them.
//!
//! [`EventReader`] streams The ONE's events from any reader, [`Trace`] holds a whole trace, [`import`] reads the forms of
//! other collections, and [`Stats`] describes what is there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::BufRead;

mod import;
mod lines;
mod live;
mod one;
mod stats;

pub use import::{Format, Imported, Leniency, ROWS_MAX, Renumbered, import, write_sociopatterns};
pub(crate) use lines::{Lines, fields};
pub use live::{Clip, Live};
pub(crate) use one::parse_node;
pub use one::{EventReader, write_events};
pub use stats::{Quantiles, Stats};

use crate::sim::mistake::{InputError, Mistake};

/// Two nodes in reach of each other during `[up_us, down_us)`; `a` is the smaller id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    pub up_us: u64,
    pub a: u32,
    pub b: u32,
    pub down_us: u64,
}

/// One end of a contact. The order of the fields is the order of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContactEvent {
    pub at_us: u64,
    pub change: Change,
    /// The smaller id of the pair.
    pub a: u32,
    pub b: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Down,
    Up,
}

/// A whole trace in memory: 24 bytes a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Ids go from 0 to `nodes - 1`.
    pub nodes: u32,
    /// Ordered by start, then by pair.
    pub contacts: Vec<Contact>,
    /// The time of the last event.
    pub end_us: u64,
}

/// Contact events in their order.
pub type Events<'a> = Box<dyn Iterator<Item = ContactEvent> + Send + 'a>;

impl Trace {
    /// Reads The ONE's events. `nodes` absent: one more than the largest id.
    pub fn parse(file: &str, input: impl BufRead, nodes: Option<u32>) -> Result<Trace, InputError> {
        let trace = Trace::read(&mut EventReader::new(file, input, nodes))?;
        if trace.contacts.is_empty() {
            return Err(InputError::whole(file, Mistake::Empty { what: "contact" }));
        }
        Ok(trace)
    }

    /// Reads all that a reader has.
    fn read(reader: &mut EventReader<impl BufRead>) -> Result<Trace, InputError> {
        let mut trace = Trace::default();
        let mut live = Live::default();
        for event in &mut *reader {
            trace.apply(&mut live, event?);
        }
        (trace.nodes, trace.end_us) = (reader.nodes(), reader.last_us());
        trace.contacts.sort_unstable();
        Ok(trace)
    }

    /// Collects a stream of events; contacts without an end are dropped.
    pub fn collect(nodes: u32, events: impl Iterator<Item = ContactEvent>) -> Trace {
        let mut trace = Trace { nodes, ..Trace::default() };
        let mut live = Live::default();
        events.for_each(|event| trace.apply(&mut live, event));
        trace.contacts.sort_unstable();
        trace
    }

    /// Makes a trace of contacts in any order; of one pair they must not overlap.
    pub fn of(nodes: u32, mut contacts: Vec<Contact>) -> Trace {
        contacts.sort_unstable();
        let end_us = contacts.iter().map(|contact| contact.down_us).max().unwrap_or(0);
        Trace { nodes, contacts, end_us }
    }

    /// The events in their order.
    pub fn events(&self) -> Events<'_> {
        Box::new(events_of(self.contacts.iter().copied()))
    }

    fn apply(&mut self, live: &mut Live, event: ContactEvent) {
        let ContactEvent { at_us, change, a, b } = event;
        self.end_us = at_us;
        match change {
            Change::Up => {
                live.up(a, b, at_us);
            }
            Change::Down => {
                let up_us = live.down(a, b);
                self.contacts.extend(up_us.map(|up_us| Contact { up_us, a, b, down_us: at_us }));
            }
        }
    }
}

/// Turns contacts, ordered by start and pair, into events; it holds the contacts that are up and no more.
pub fn events_of(contacts: impl Iterator<Item = Contact>) -> impl Iterator<Item = ContactEvent> {
    let mut contacts = contacts.peekable();
    let mut downs = BinaryHeap::new();
    std::iter::from_fn(move || {
        let next_down = downs.peek().map(|Reverse(down): &Reverse<ContactEvent>| down.at_us);
        match contacts.peek() {
            // At equal times the down goes first.
            Some(contact) if next_down.is_none_or(|down_us| contact.up_us < down_us) => {
                let Contact { up_us, a, b, down_us } = contacts.next()?;
                downs.push(Reverse(ContactEvent { at_us: down_us, change: Change::Down, a, b }));
                Some(ContactEvent { at_us: up_us, change: Change::Up, a, b })
            }
            _ => downs.pop().map(|Reverse(down)| down),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_downs_then_ups_then_pairs() {
        let contact = |a, b, up_us, down_us| Contact { up_us, a, b, down_us };
        let trace = Trace::of(4, vec![contact(2, 3, 10, 20), contact(0, 1, 10, 20), contact(0, 1, 0, 10)]);
        let events: Vec<ContactEvent> = trace.events().collect();
        let mut sorted = events.clone();
        sorted.sort();
        assert_eq!(events, sorted);
        assert_eq!(events.len(), 6);
        assert_eq!(Trace::collect(4, events.into_iter()), trace);
    }
}

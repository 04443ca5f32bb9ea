//! Bundles that left before they were known to be over, and when each came first: one that comes again goes on with the
//! life it had, however young a hop says it is.

use std::collections::BTreeSet;

use crate::agent::change::Departure;
use crate::agent::place::{Origin, Place};
use crate::id::BundleId;
use crate::time::Timestamp;

/// Most departures remembered; of one forgotten, a hop may tell a life from its beginning.
pub const DEPARTED_MAX: usize = 65_536;

#[derive(Debug)]
pub struct Departed {
    departures: Place<BundleId, Departure>,
    by_end: BTreeSet<(Timestamp, BundleId)>,
}

impl Departed {
    pub fn keyed(secret: &[u8; 16]) -> Departed {
        Departed { departures: Place::keyed(secret), by_end: BTreeSet::new() }
    }

    pub fn len(&self) -> usize {
        self.departures.len()
    }

    pub fn insert(&mut self, id: BundleId, departure: Departure, is_named: bool) {
        self.remove(&id);
        self.departures.insert(id, departure, origin(&departure, is_named));
        self.by_end.insert((departure.until, id));
    }

    pub fn remove(&mut self, id: &BundleId) {
        if let Some(old) = self.departures.remove(id) {
            self.by_end.remove(&(old.until, *id));
        }
    }

    /// The departure that makes way for another in a full table.
    pub fn makes_way(&self, departure: &Departure, is_named: bool, lot: u64) -> Option<BundleId> {
        self.departures.makes_way(&origin(departure, is_named), lot)
    }

    /// The departure that is forgotten where there are too many.
    pub fn goes_first(&self, lot: u64) -> Option<BundleId> {
        self.departures.goes_first(lot)
    }

    pub fn find(&self, id: &BundleId) -> Option<Departure> {
        self.departures.get(id).copied()
    }

    /// The memory that ends first.
    pub fn first(&self) -> Option<(Timestamp, BundleId)> {
        self.by_end.first().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (BundleId, Departure)> + '_ {
        self.departures.iter().map(|(id, departure)| (*id, *departure))
    }
}

fn origin(departure: &Departure, is_named: bool) -> Origin {
    Origin { from: departure.from, source: departure.source, is_named, end: departure.until }
}

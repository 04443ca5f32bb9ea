//! Bundles that left before they were known to be over, and when each came first: one that comes again goes on with the
//! life it had, however young a hop says it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::change::Departure;
use crate::id::BundleId;
use crate::time::Timestamp;

/// Most departures remembered; of one forgotten, a hop may tell a life from its beginning.
pub const DEPARTED_MAX: usize = 262_144;

#[derive(Debug, Default)]
pub struct Departed {
    departures: BTreeMap<BundleId, Departure>,
    by_end: BTreeSet<(Timestamp, BundleId)>,
}

impl Departed {
    pub fn len(&self) -> usize {
        self.departures.len()
    }

    pub fn insert(&mut self, id: BundleId, departure: Departure) {
        if let Some(old) = self.departures.insert(id, departure) {
            self.by_end.remove(&(old.until, id));
        }
        self.by_end.insert((departure.until, id));
    }

    pub fn remove(&mut self, id: &BundleId) {
        if let Some(old) = self.departures.remove(id) {
            self.by_end.remove(&(old.until, *id));
        }
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

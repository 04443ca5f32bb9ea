//! What one node keeps, by row: the driver's side of its store.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::agent::change::Row;
use crate::sim::catalog::Entry;

/// A bundle in a store.
#[derive(Clone, Debug)]
pub struct Place {
    pub entry: Arc<Entry>,
    /// Whether it was promised as custody when it came.
    pub in_custody: bool,
    pub since_us: u64,
}

/// Rows grow and are never used twice, so a queue that starts at the oldest row in use finds each at once.
#[derive(Debug, Default)]
pub struct Shelf {
    first: u64,
    places: VecDeque<Option<Place>>,
}

impl Shelf {
    pub fn put(&mut self, row: Row, place: Place) {
        if self.places.is_empty() {
            self.first = row.0;
        }
        let at = (row.0 - self.first) as usize;
        if at >= self.places.len() {
            self.places.resize_with(at + 1, || None);
        }
        self.places[at] = Some(place);
    }

    pub fn place(&self, row: Row) -> Option<&Place> {
        let at = row.0.checked_sub(self.first)?;
        self.places.get(at as usize)?.as_ref()
    }

    pub fn take(&mut self, row: Row) -> Option<Place> {
        let at = row.0.checked_sub(self.first)?;
        let place = self.places.get_mut(at as usize)?.take();
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        place
    }
}

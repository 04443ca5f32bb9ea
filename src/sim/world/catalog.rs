//! Every bundle of a run, once: what travels between nodes is its number.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bundle::Bundle;
use crate::id::BundleId;

/// A bundle and what it stands for.
#[derive(Debug)]
pub struct Entry {
    pub bundle: Arc<Bundle>,
    /// What it weighs in this run, whatever its real bytes.
    pub size_bytes: u32,
    /// The message that it is; none for a receipt.
    pub message: Option<u32>,
}

#[derive(Debug, Default)]
pub struct Catalog {
    entries: Vec<Entry>,
    numbers: BTreeMap<BundleId, u32>,
    /// What was asked for last: what comes of one arrival asks for the same bundle several times.
    last: Cell<u32>,
}

impl Catalog {
    pub fn add(&mut self, entry: Entry) -> u32 {
        let number = self.entries.len() as u32;
        self.numbers.insert(entry.bundle.id, number);
        self.entries.push(entry);
        number
    }

    pub fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    pub fn find(&self, id: &BundleId) -> Option<&Entry> {
        self.number(id).map(|number| self.entry(number))
    }

    pub fn number(&self, id: &BundleId) -> Option<u32> {
        if self.entries.get(self.last.get() as usize).is_some_and(|entry| entry.bundle.id == *id) {
            return Some(self.last.get());
        }
        let number = self.numbers.get(id).copied()?;
        self.last.set(number);
        Some(number)
    }
}

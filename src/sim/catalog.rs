//! Every bundle of a run, once: what travels between nodes points to it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::bundle::{Bundle, Ends, Handed};
use crate::frame::{Transit, folded_len};
use crate::id::BundleId;

/// A bundle and what it stands for.
#[derive(Debug)]
pub struct Entry {
    pub bundle: Arc<Bundle>,
    /// What it weighs in this run, whatever its real bytes.
    pub size_bytes: u32,
    /// The message that it is, the first of those that it is for several; none for a receipt.
    pub message: Option<u32>,
    /// Which part of it, where that is a file.
    pub part: Option<u32>,
}

impl Entry {
    /// How long the frame is that hands it over in a contact in which these messages came the other way: of the bytes that it weighs, those of its payload cross as they
    /// are, and the others folded.
    pub fn crossing_bytes(&self, transit: &Transit, ends: &Ends, taken: &Handed) -> u64 {
        let real = self.bundle.encoded_len();
        (u64::from(self.size_bytes) + folded_len(transit, &self.bundle, ends, taken) as u64).saturating_sub(real as u64)
    }
}

/// Shares of a world add to it side by side. None of them finds what another adds meanwhile, because none has a node
/// that could have heard of it, so no result depends on who was first.
#[derive(Debug, Default)]
pub struct Catalog(RwLock<BTreeMap<BundleId, Arc<Entry>>>);

impl Catalog {
    pub fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(entry.bundle.id, Arc::clone(&entry));
        entry
    }

    pub fn find(&self, id: &BundleId) -> Option<Arc<Entry>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

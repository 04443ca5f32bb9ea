//! A store without a disk: what the model says, and the bodies beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Store, StoreError};
use crate::agent::change::{Change, Durable, Row};
use crate::bundle::Bundle;

/// Keeps everything in memory; shared bundles cost a pointer each.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    durable: Durable,
    bodies: BTreeMap<Row, Arc<Bundle>>,
}

impl MemoryStore {
    /// Everything durable but the bodies, to be looked at.
    pub fn model(&self) -> &Durable {
        &self.durable
    }

    /// The shared bundle at `row`, for drivers that pass bundles without encoding them.
    pub fn bundle(&self, row: Row) -> Option<&Arc<Bundle>> {
        self.bodies.get(&row)
    }
}

impl Store for MemoryStore {
    fn durable(&self) -> Result<Durable, StoreError> {
        Ok(self.durable.clone())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Hold { held, bundle } => drop(self.bodies.insert(held.row, Arc::clone(bundle))),
                Change::Deliver { letter, bundle } => drop(self.bodies.insert(letter.row, Arc::clone(bundle))),
                Change::Forget { row } | Change::Discard { row } => drop(self.bodies.remove(row)),
                _ => {}
            }
            self.durable.apply(change);
        }
        Ok(())
    }

    fn body(&self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.bodies.get(&row).map(|bundle| bundle.bytes().to_vec()))
    }
}

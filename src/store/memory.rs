//! A store without a disk: what the model says, and the bodies beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Store, StoreError};
use crate::agent::change::{Change, Durable, Row};
use crate::bundle::Bundle;
use crate::content::Filed;

/// Keeps everything in memory; shared bundles cost a pointer each.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    durable: Durable,
    bodies: BTreeMap<Row, Arc<Bundle>>,
    words: BTreeMap<Row, Arc<Filed>>,
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
                Change::File { row, filed } => {
                    self.bodies.remove(row);
                    self.words.insert(*row, Arc::clone(filed));
                }
                Change::Forget { row } => drop(self.bodies.remove(row)),
                Change::Discard { row } => {
                    self.bodies.remove(row);
                    self.words.remove(row);
                }
                Change::Unpost { id } => {
                    let row = self.durable.outgoing.get(id).and_then(|outgoing| outgoing.row);
                    row.into_iter().for_each(|row| drop(self.words.remove(&row)));
                }
                _ => {}
            }
            self.durable.apply(change);
        }
        Ok(())
    }

    fn body(&self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.bodies.get(&row).map(|bundle| bundle.bytes().to_vec()))
    }

    fn words(&self, row: Row) -> Result<Option<Filed>, StoreError> {
        Ok(self.words.get(&row).map(|filed| (**filed).clone()))
    }
}

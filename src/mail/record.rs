//! The record of mail in memory: what was delivered, and what was sent.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::change::{Change, Durable, Known, Letter, Outgoing, Row};
use crate::id::BundleId;

/// Rows of the inbox and one's own messages, for drivers without a store.
#[derive(Clone, Debug, Default)]
pub struct Record {
    letters: BTreeMap<Row, Letter>,
    rows: BTreeMap<BundleId, Row>,
    delivered: BTreeSet<[u8; 16]>,
    outgoing: BTreeMap<BundleId, Outgoing>,
}

impl Record {
    /// The record as a store has it.
    pub fn of(durable: &Durable) -> Record {
        Record {
            letters: durable.letters.clone(),
            rows: durable.letters.values().map(|letter| (letter.id, letter.row)).collect(),
            delivered: durable.delivered.clone(),
            outgoing: durable.outgoing.clone(),
        }
    }

    /// Takes in what a change says of mail.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Deliver { letter, .. } | Change::Adopt { letter } => {
                self.delivered.insert(Letter::mark_of(&letter.id));
                self.rows.insert(letter.id, letter.row);
                self.letters.insert(letter.row, letter.clone());
            }
            Change::Mark { row, marks } => {
                self.letters.get_mut(row).into_iter().for_each(|letter| letter.set_marks(*marks));
            }
            Change::Discard { row } => {
                if let Some(letter) = self.letters.remove(row) {
                    self.rows.remove(&letter.id);
                }
            }
            Change::Post { outgoing } => drop(self.outgoing.insert(outgoing.id, outgoing.clone())),
            Change::Attest { id, evidence } => {
                self.outgoing.get_mut(id).into_iter().for_each(|outgoing| outgoing.attest(*evidence));
            }
            Change::Unpost { id } => drop(self.outgoing.remove(id)),
            _ => {}
        }
    }

    pub fn known(&self, id: &BundleId) -> Known {
        let letter = self.letter(id).cloned();
        let delivered = self.delivered.contains(&Letter::mark_of(id));
        Known { id: *id, delivered, letter, outgoing: self.outgoing.get(id).cloned() }
    }

    pub fn letter(&self, id: &BundleId) -> Option<&Letter> {
        self.letters.get(self.rows.get(id)?)
    }

    /// Rows of the inbox in the order of arrival.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> + '_ {
        self.letters.values()
    }

    /// One's own messages in the order of their ids.
    pub fn sent(&self) -> impl Iterator<Item = &Outgoing> + '_ {
        self.outgoing.values()
    }
}

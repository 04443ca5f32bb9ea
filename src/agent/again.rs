//! What is held here for a group and was not shown: handed in once more where the group is served only now, and where it
//! found no room and there is some.
//!
//! ```text
//! served now, or no room then ──▶ waits ──room──▶ Output::Again: rows, some at a time
//!                                                  the driver hands in what lies there, as from a file, and says HandedIn
//! ```
//! Mail for one mailbox stays with whoever brought it, who is asked for it when there is room. What is for a group is carried
//! on for its other members, so it is here already, and nobody would bring it again. Nothing of this is durable: an agent
//! that starts is told again which groups it serves, and looks at all that it holds for them.

use std::collections::BTreeSet;

use super::Agent;
use super::change::Row;
use super::custody::Slot;
use super::io::Output;
use crate::bundle::Kind;
use crate::eid::Eid;
use crate::id::BundleId;

/// Rows named in one go.
const ROWS_AT_ONCE: usize = 64;
/// Bytes of bodies after which a go ends.
const BYTES_AT_ONCE: u64 = 4 << 20;

/// What waits to be handed in once more.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// In the order in which it came.
    waits: BTreeSet<(Row, Slot)>,
    /// What was tried since room came last.
    tried: BTreeSet<(Row, Slot)>,
    room_came: bool,
    /// Rows were named, and what lies there is not all handed in.
    is_out: bool,
}

impl Again {
    /// Whether there are no rows to name now.
    pub(super) fn is_settled(&self) -> bool {
        self.is_out || !self.room_came || self.waits.is_empty()
    }

    fn room_comes(&mut self) {
        self.waits.append(&mut self.tried);
        self.room_came = true;
    }

    fn leaves(&mut self, place: (Row, Slot)) {
        self.waits.remove(&place);
        self.tried.remove(&place);
    }
}

impl Agent {
    /// There may be room for mail that found none.
    pub(super) fn room_comes(&mut self) {
        self.full.room_comes();
        self.again.room_comes();
    }

    /// A group is served from now on: what is held for it is looked at.
    pub(super) fn look_at_held(&mut self, group: &Eid) {
        let custody = self.ledger.custody();
        let held = custody.for_destination(group).map(|slot| (custody.row(slot), slot));
        let held: Vec<(Row, Slot)> = held.collect();
        self.again.waits.extend(held);
        self.again.room_came = true;
    }

    /// A group is served no longer.
    pub(super) fn look_no_more(&mut self, group: &Eid) {
        let custody = self.ledger.custody();
        let held: Vec<(Row, Slot)> = custody.for_destination(group).map(|slot| (custody.row(slot), slot)).collect();
        held.into_iter().for_each(|place| self.again.leaves(place));
    }

    /// What is held for a group here was not shown for want of room.
    pub(super) fn try_again(&mut self, id: &BundleId) {
        if let Some(slot) = self.ledger.find_held(id) {
            self.again.tried.insert((self.ledger.custody().row(slot), slot));
        }
    }

    /// What leaves can be handed in no more.
    pub(super) fn try_no_more(&mut self, slot: Slot) {
        self.again.leaves((self.ledger.custody().row(slot), slot));
    }

    /// All that was named is handed in.
    pub(super) fn handed_in(&mut self) {
        self.again.is_out = false;
    }

    /// Names rows whose bodies are to be handed in, as far as there is room for them.
    pub(super) fn ask_for_held(&mut self, out: &mut Vec<Output>) {
        if self.again.is_settled() {
            return;
        }
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < ROWS_AT_ONCE
            && bytes < BYTES_AT_ONCE
            && let Some(place) = self.again.waits.pop_first()
        {
            let held = self.ledger.custody().held(place.1);
            if held.kind != Kind::Message || self.mailboxes.writes_as(&held.source) {
                continue;
            }
            if self.is_welcome(held.from, &held.destination, held.source, held.size_bytes) {
                bytes += u64::from(held.size_bytes);
                rows.push((held.row, held.id));
            } else {
                self.again.tried.insert(place);
            }
        }
        if rows.is_empty() {
            self.again.room_came = false;
        } else {
            self.again.is_out = true;
            out.push(Output::Again(rows));
        }
    }
}

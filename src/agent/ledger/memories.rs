//! What is remembered of ids that are not held. Every table is bounded, and takes less where little is carried.

use rand_core::Rng;

use super::{Ledger, OWED_MAX};
use crate::agent::change::{Belief, Change, Departure, Held};
use crate::agent::custody::Slot;
use crate::agent::departed::DEPARTED_MAX;
use crate::agent::io::Output;
use crate::agent::place::Origin;
use crate::agent::stick::STICK;
use crate::agent::tombstones::{BELIEFS_MAX, TOMBSTONES_MAX};
use crate::id::{BundleId, NodeId};
use crate::time::{HOUR, Timestamp};

impl Ledger {
    /// Most entries of a table with the bound `most`.
    fn entries_max(&self, most: usize) -> usize {
        self.memories_max.min(most)
    }

    /// Remembers when a bundle came first, for as long as a tombstone after the longest life it could have had here.
    pub(super) fn depart(&mut self, held: &Held, out: &mut Vec<Output>) {
        let (accepted_at, source) = (held.accepted_at, held.source);
        let until = accepted_at + held.lifetime.times(2) + HOUR;
        let departure = Departure { accepted_at, until, from: held.from.unwrap_or(source), source };
        let is_named = self.is_contact(&source);
        if self.departed.len() >= self.entries_max(DEPARTED_MAX) {
            let Some(goes) = self.departed.makes_way(&departure, is_named, self.lots.next_u64()) else { return };
            self.come_back(&goes, out);
        }
        self.departed.insert(held.id, departure, is_named);
        self.emit(Change::Depart { id: held.id, departure }, out);
    }

    /// It is held again, or its departure need not be remembered any more.
    pub fn come_back(&mut self, id: &BundleId, out: &mut Vec<Output>) {
        if self.departed.find(id).is_some() {
            self.departed.remove(id);
            self.emit(Change::Return { id: *id }, out);
        }
    }

    /// Remembers an id that is not held, by what `from` brought; where there are too many tombstones, one makes room.
    pub fn bury(&mut self, id: BundleId, until: Timestamp, from: NodeId, out: &mut Vec<Output>) {
        if self.is_known(&id) {
            return;
        }
        if self.tombstones.len() >= self.entries_max(TOMBSTONES_MAX)
            && let Some(drawn) = self.tombstones.drawn(self.lots.next_u64())
        {
            self.unbury(drawn, out);
        }
        self.tombstones.insert(id, until, Some(from));
        self.emit(Change::Bury { id, until }, out);
    }

    pub fn unbury(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let id = self.tombstones.id(slot);
        self.tombstones.remove(slot);
        self.emit(Change::Unbury { id }, out);
    }

    /// Remembers a receipt's word; the longer memory counts where it was given twice.
    pub fn believe(&mut self, id: BundleId, signer: NodeId, belief: Belief, out: &mut Vec<Output>) {
        let is_named = self.is_contact(&signer);
        match self.beliefs.find(id, signer) {
            Some(old) if old.until >= belief.until => return,
            None if self.beliefs.len() >= self.entries_max(BELIEFS_MAX) => {
                let lot = self.lots.next_u64();
                let Some((goes, by)) = self.beliefs.makes_way(signer, &belief, is_named, lot) else { return };
                self.disbelieve(goes, by, out);
            }
            _ => {}
        }
        self.beliefs.insert(id, signer, belief, is_named);
        self.emit(Change::Believe { id, signer, belief }, out);
    }

    pub fn disbelieve(&mut self, id: BundleId, signer: NodeId, out: &mut Vec<Output>) {
        self.beliefs.remove(id, signer);
        self.emit(Change::Disbelieve { id, signer }, out);
    }

    /// Notes what a peer must hear when met. Some are never met again, so with too many notes another makes way.
    pub fn owe(&mut self, peer: NodeId, id: BundleId, out: &mut Vec<Output>) {
        // A file never hears of anything.
        if peer == STICK || self.owed.get(&(peer, id)).is_some() {
            return;
        }
        let origin = Origin::of_peer(peer, self.is_contact(&peer));
        if self.owed.len() >= self.entries_max(OWED_MAX) {
            let Some((other, about)) = self.owed.makes_way(&origin, self.lots.next_u64()) else { return };
            self.settle_debt(other, about, out);
        }
        self.owed.insert((peer, id), (), origin);
        self.emit(Change::Owe { peer, id }, out);
    }

    pub fn settle_debt(&mut self, peer: NodeId, id: BundleId, out: &mut Vec<Output>) {
        if self.owed.remove(&(peer, id)).is_some() {
            self.emit(Change::Settle { peer, id }, out);
        }
    }

    /// Whether more is remembered than fits beside what is carried: the owner wants less carried than before.
    pub fn remembers_too_much(&self) -> bool {
        let is_over = |len: usize, most: usize| len > self.entries_max(most);
        is_over(self.tombstones.len(), TOMBSTONES_MAX)
            || is_over(self.departed.len(), DEPARTED_MAX)
            || is_over(self.beliefs.len(), BELIEFS_MAX)
            || is_over(self.owed.len(), OWED_MAX)
    }

    /// Forgets one entry of each table of memories that has too many, as if another came.
    pub fn remember_less(&mut self, out: &mut Vec<Output>) {
        let lot = self.lots.next_u64();
        let is_over = |len: usize, most: usize| len > self.entries_max(most);
        let buried = is_over(self.tombstones.len(), TOMBSTONES_MAX).then(|| self.tombstones.drawn(lot)).flatten();
        let departed = is_over(self.departed.len(), DEPARTED_MAX).then(|| self.departed.goes_first(lot)).flatten();
        let believed = is_over(self.beliefs.len(), BELIEFS_MAX).then(|| self.beliefs.goes_first(lot)).flatten();
        let owed = is_over(self.owed.len(), OWED_MAX).then(|| self.owed.goes_first(lot)).flatten();
        buried.into_iter().for_each(|slot| self.unbury(slot, out));
        departed.into_iter().for_each(|id| self.come_back(&id, out));
        believed.into_iter().for_each(|(id, signer)| self.disbelieve(id, signer, out));
        owed.into_iter().for_each(|(peer, id)| self.settle_debt(peer, id, out));
    }
}

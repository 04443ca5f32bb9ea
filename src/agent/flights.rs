//! Where copies of bundles went: on their way to a peer, perhaps with one whose contact broke, given to one for good.
//!
//! A bundle may be handed out in so many copies and no more, so none of these is handed out a second time. All of it ends
//! with a restart, which no peer brings about.

use std::collections::BTreeMap;

use super::place::{Origin, Place};
use crate::id::{BundleId, NodeId};

/// Most flights of broken contacts remembered.
const UNSETTLED_MAX: usize = 65_536;
/// Most peers and bundles remembered whose spray copies are given.
const SPENT_MAX: usize = 65_536;

#[derive(Debug)]
pub struct Flights {
    /// The sum of what the contacts have in flight, so that nobody has to ask each of them.
    in_flight: BTreeMap<BundleId, u32>,
    /// Spray copies that were in flight when a contact broke: halved once the peer turns out to have them.
    unsettled: Place<(NodeId, BundleId), u16>,
    /// Who was given spray copies of what: nobody gets them twice, however often he asks and accepts.
    spent: Place<(BundleId, NodeId), ()>,
}

impl Flights {
    /// None yet; `secret` is known to nobody else.
    pub fn keyed(secret: &[u8; 16]) -> Flights {
        Flights { in_flight: BTreeMap::new(), unsettled: Place::keyed(secret), spent: Place::keyed(secret) }
    }

    pub fn take_off(&mut self, id: BundleId, copies: u16) {
        if copies > 0 {
            *self.in_flight.entry(id).or_default() += u32::from(copies);
        }
    }

    /// The peer answered, or its contact is over.
    pub fn land(&mut self, id: &BundleId, copies: u16) {
        if copies == 0 {
            return;
        }
        let sum = self.in_flight.get_mut(id).expect("what lands was in flight");
        *sum -= u32::from(copies);
        if *sum == 0 {
            self.in_flight.remove(id);
        }
    }

    /// Copies of an id in flight, as many as a bundle may have at most.
    pub fn of(&self, id: &BundleId) -> u16 {
        self.in_flight.get(id).map_or(0, |sum| u16::try_from(*sum).unwrap_or(u16::MAX))
    }

    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// The contact broke: what was in flight may have arrived.
    pub fn doubt(
        &mut self,
        peer: NodeId,
        is_named: bool,
        copies: impl Iterator<Item = (BundleId, u16)>,
        mut lot: impl FnMut() -> u64,
    ) {
        let origin = Origin::of_peer(peer, is_named);
        for (id, copies) in copies {
            if self.unsettled.len() >= UNSETTLED_MAX {
                let Some(goes) = self.unsettled.makes_way(&origin, lot()) else { return };
                self.unsettled.remove(&goes);
            }
            self.unsettled.insert((peer, id), copies, origin);
        }
    }

    /// Whether this may have arrived at a peer in an earlier contact.
    pub fn is_in_doubt(&self, peer: NodeId, id: &BundleId) -> bool {
        self.unsettled.get(&(peer, *id)).is_some()
    }

    /// What may have arrived at a peer in earlier contacts, with the copies.
    pub fn in_doubt(&self, peer: NodeId) -> impl Iterator<Item = (BundleId, u16)> + '_ {
        let all = (peer, BundleId([0; 32]))..=(peer, BundleId([255; 32]));
        self.unsettled.range(all).map(|((_, id), copies)| (*id, *copies))
    }

    /// It turns out what arrived at a peer: takes all that may have.
    pub fn settle(&mut self, peer: NodeId) -> BTreeMap<BundleId, u16> {
        let settled: BTreeMap<BundleId, u16> = self.in_doubt(peer).collect();
        for id in settled.keys() {
            self.unsettled.remove(&(peer, *id));
        }
        settled
    }

    /// A peer accepted spray copies of a bundle.
    pub fn give(&mut self, id: BundleId, peer: NodeId, is_named: bool, lot: impl FnOnce() -> u64) {
        let origin = Origin::of_peer(peer, is_named);
        if self.spent.len() >= SPENT_MAX {
            let Some(goes) = self.spent.makes_way(&origin, lot()) else { return };
            self.spent.remove(&goes);
        }
        self.spent.insert((id, peer), (), origin);
    }

    /// Whether a peer had its spray copies of a bundle.
    pub fn were_given(&self, id: BundleId, peer: NodeId) -> bool {
        self.spent.get(&(id, peer)).is_some()
    }

    /// Forgets who was given copies of a bundle: it is held no more.
    pub fn forget(&mut self, id: BundleId) {
        let given = (id, NodeId::from_trusted([0; 32]))..=(id, NodeId::from_trusted([255; 32]));
        for key in self.spent.range(given).map(|(key, _)| *key).collect::<Vec<_>>() {
            self.spent.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::floods::{FLOODER, flood, honest, node};
    use super::*;

    /// Numbers from a hash.
    fn lots() -> impl FnMut() -> u64 {
        let mut drawn = 0u64;
        move || {
            drawn += 1;
            u64::from_be_bytes(blake3::hash(&drawn.to_be_bytes()).as_bytes()[..8].try_into().unwrap())
        }
    }

    #[test]
    fn copies_given_to_one_peer_displace_no_memory_of_others() {
        let (mut flights, mut lot) = (Flights::keyed(&[7; 16]), lots());
        honest().for_each(|(peer, id)| flights.give(id, peer, false, &mut lot));
        flood(SPENT_MAX).for_each(|id| flights.give(id, node(FLOODER), false, &mut lot));
        assert_eq!(flights.spent.len(), SPENT_MAX);
        assert!(honest().all(|(peer, id)| flights.were_given(id, peer)));
    }

    #[test]
    fn flights_to_one_peer_displace_none_to_others() {
        let (mut flights, mut lot) = (Flights::keyed(&[7; 16]), lots());
        honest().for_each(|(peer, id)| flights.doubt(peer, false, [(id, 0)].into_iter(), &mut lot));
        flights.doubt(node(FLOODER), false, flood(UNSETTLED_MAX).map(|id| (id, 0)), &mut lot);
        assert_eq!(flights.unsettled.len(), UNSETTLED_MAX);
        assert!(honest().all(|(peer, id)| flights.is_in_doubt(peer, &id)));
    }
}

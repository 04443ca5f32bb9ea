//! Which messages one end of a contact handed to the other as its own: a receipt that goes the other way need not say
//! their whole ids.
//!
//! Who handed over remembers far more than who took, so that whatever the taker still names the giver still finds: a
//! window of the smallest messages fits between the two bounds. Names are looked up among messages of one source only, so
//! that nobody makes the receipts of others ambiguous by grinding ids.

use std::collections::{BTreeMap, VecDeque};

use crate::id::{BundleId, NodeId};

use super::{Bundle, Kind, Unverified};

/// Bytes of an id that name it among what was handed over.
pub(super) const NAME_BYTES: usize = 4;
/// Most messages that who hands over remembers in a contact.
pub const GIVEN_MAX: usize = 4_096;
/// Most that who takes remembers.
pub const TAKEN_MAX: usize = 256;

/// Messages for the node that took them, the latest of them, as one of the two ends remembers them.
#[derive(Clone, Debug)]
pub struct Handed {
    /// Each with its source and the number of the last time that it was handed over.
    messages: BTreeMap<BundleId, (NodeId, u64)>,
    /// Oldest first.
    times: VecDeque<BundleId>,
    /// The number of the oldest.
    oldest: u64,
    max: usize,
}

impl Handed {
    /// As who hands over remembers it.
    pub const fn given() -> Handed {
        Handed::at_most(GIVEN_MAX)
    }

    /// As who takes remembers it.
    pub const fn taken() -> Handed {
        Handed::at_most(TAKEN_MAX)
    }

    /// Of a contact in which nothing was handed over.
    pub fn nothing() -> &'static Handed {
        static NOTHING: Handed = Handed::at_most(0);
        &NOTHING
    }

    const fn at_most(max: usize) -> Handed {
        Handed { messages: BTreeMap::new(), times: VecDeque::new(), oldest: 0, max }
    }

    /// A bundle goes to a node.
    pub fn note(&mut self, bundle: &Bundle, to: NodeId) {
        if bundle.kind == Kind::Message && bundle.destination.node == to {
            self.add(bundle.id, bundle.source);
        }
    }

    /// A bundle came to a node.
    pub fn note_parsed<B: AsRef<[u8]>>(&mut self, bundle: &Unverified<B>, to: NodeId) {
        if bundle.kind() == Kind::Message && bundle.destination().node == to {
            self.add(bundle.id(), bundle.source());
        }
    }

    fn add(&mut self, id: BundleId, source: NodeId) {
        self.messages.insert(id, (source, self.oldest + self.times.len() as u64));
        self.times.push_back(id);
        if self.times.len() > self.max
            && let Some(id) = self.times.pop_front()
        {
            // What was handed over again since is remembered from then.
            if self.messages.get(&id).is_some_and(|(_, last)| *last == self.oldest) {
                self.messages.remove(&id);
            }
            self.oldest += 1;
        }
    }

    /// Whether the first bytes of the id name this message of the source, and no other.
    pub(super) fn names(&self, id: &BundleId, source: NodeId) -> bool {
        self.named(name_of(id), source) == Some(*id)
    }

    /// The message of the source with this name; none where there are two.
    pub(super) fn named(&self, name: [u8; NAME_BYTES], source: NodeId) -> Option<BundleId> {
        let [first, last] = [0, u8::MAX].map(|fill| {
            let mut id = [fill; 32];
            id[..NAME_BYTES].copy_from_slice(&name);
            BundleId(id)
        });
        let mut ids = self.messages.range(first..=last).filter(|(_, (of, _))| *of == source).map(|(id, _)| *id);
        ids.next().filter(|_| ids.next().is_none())
    }
}

pub(super) fn name_of(id: &BundleId) -> [u8; NAME_BYTES] {
    *id.0.first_chunk().expect("an id has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: u32, rest: u8) -> BundleId {
        let mut id = [rest; 32];
        id[..4].copy_from_slice(&name.to_be_bytes());
        BundleId(id)
    }

    #[test]
    fn a_name_is_one_message_of_its_source_or_none() {
        let [alice, carol] = [1, 2].map(|n| NodeId::from_trusted([n; 32]));
        let mut handed = Handed::given();
        handed.add(id(7, 1), alice);
        handed.add(id(7, 2), carol);
        handed.add(id(8, 1), alice);
        assert_eq!(handed.named(7u32.to_be_bytes(), alice), Some(id(7, 1)), "others do not come between");
        assert_eq!(handed.named(8u32.to_be_bytes(), carol), None);
        handed.add(id(7, 3), alice);
        assert_eq!(handed.named(7u32.to_be_bytes(), alice), None, "two are none");
        assert!(handed.names(&id(8, 1), alice) && !handed.names(&id(7, 1), alice));
    }

    #[test]
    fn the_latest_are_remembered_and_the_giver_remembers_what_the_taker_does() {
        let source = NodeId::from_trusted([1; 32]);
        let (mut given, mut taken) = (Handed::given(), Handed::taken());
        for n in 0..3 * GIVEN_MAX as u32 {
            given.add(id(n, 0), source);
            // A window behind.
            let behind = n.checked_sub((GIVEN_MAX - TAKEN_MAX) as u32);
            behind.into_iter().for_each(|n| taken.add(id(n, 0), source));
            assert!(taken.messages.keys().all(|id| given.names(id, source)));
            assert!(given.times.len() <= GIVEN_MAX && taken.messages.len() <= TAKEN_MAX);
        }
    }

    #[test]
    fn what_goes_again_is_one_message_and_remembered_from_then() {
        let source = NodeId::from_trusted([1; 32]);
        let mut taken = Handed::taken();
        (0..2 * TAKEN_MAX as u32).for_each(|n| taken.add(id(n % 2, 0), source));
        assert_eq!(taken.messages.len(), 2);
        assert!(taken.names(&id(0, 0), source));
        (2..=TAKEN_MAX as u32).for_each(|n| taken.add(id(n, 0), source));
        assert!(taken.names(&id(1, 0), source) && !taken.names(&id(0, 0), source));
        assert_eq!(taken.messages.len(), TAKEN_MAX);
    }
}

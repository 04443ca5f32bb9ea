//! What hostile nodes heard: all of them share it.

use std::collections::BTreeSet;

use crate::bundle::{HOP_LIMIT, Hops, Kind, Unverified};
use crate::frame::{Frame, Incoming, Transit};
use crate::id::{BundleId, NodeId};
use crate::sim::random::Stream;
use crate::time::{DAY, Millis};

use super::actors::Poison;

/// What all hostile nodes know.
pub struct Heard {
    pub dice: Stream,
    /// Bundles that any of them saw, as bytes.
    pub bundles: Vec<Vec<u8>>,
    /// Ids that any of them heard of.
    pub ids: Vec<BundleId>,
    /// Other frames that any of them heard.
    pub frames: Vec<Vec<u8>>,
    pub sequence: u64,
    pub poison: Poison,
}

/// Most bundles, ids and frames remembered; a new one takes the place of any.
const MEMORY_MAX: usize = 96;

impl Heard {
    pub fn new(seed: u64) -> Heard {
        let dice = Stream::new(seed, "fuzz hostile", 0);
        Heard { dice, bundles: Vec::new(), ids: Vec::new(), frames: Vec::new(), sequence: 0, poison: Poison::default() }
    }

    /// One of the ids heard of, or one of nothing.
    pub fn any_id(&mut self) -> BundleId {
        match self.ids.is_empty() || self.dice.chance(100_000) {
            true => BundleId(*blake3::hash(&self.dice.draw().to_le_bytes()).as_bytes()),
            false => self.ids[self.dice.below(self.ids.len() as u64) as usize],
        }
    }

    pub fn any_ids(&mut self) -> Vec<BundleId> {
        let count = self.dice.between(1, 12);
        (0..count).map(|_| self.any_id()).collect()
    }

    /// Messages of one source that any of them saw.
    pub fn ids_of(&self, source: NodeId) -> Vec<BundleId> {
        let parsed = self.bundles.iter().filter_map(|bytes| Unverified::parse(bytes).ok());
        let of_source = parsed.filter(|bundle| bundle.source() == source && bundle.kind() == Kind::Message);
        BTreeSet::from_iter(of_source.map(|bundle| bundle.id())).into_iter().collect()
    }

    pub fn any_bundle(&mut self) -> Option<Vec<u8>> {
        pick(&mut self.dice, &self.bundles).cloned()
    }

    pub fn any_frame(&mut self) -> Option<Vec<u8>> {
        pick(&mut self.dice, &self.frames).cloned()
    }

    /// What travels beside a bundle, with a preference for the corners.
    pub fn any_transit(&mut self) -> Transit {
        let age = [0, 1, DAY.0, u64::MAX, self.dice.below(9 * DAY.0)][self.dice.below(5) as usize];
        let count = [0, 1, HOP_LIMIT - 1, HOP_LIMIT, self.dice.below(256) as u8][self.dice.below(5) as usize];
        let copies = [0, 1, 1_024, self.dice.below(1_025) as u16][self.dice.below(4) as usize];
        Transit { hops: Hops { age: Millis(age), count }, copies, is_answer: false }
    }

    pub fn hear(&mut self, bytes: &[u8]) {
        let Heard { dice, bundles, ids, frames, .. } = self;
        match Incoming::decode(bytes) {
            Ok(Incoming::Bundle { bytes, .. }) => {
                if let Ok(unverified) = Unverified::parse(bytes) {
                    keep(dice, ids, unverified.id());
                }
                keep(dice, bundles, bytes.to_vec());
            }
            Ok(Incoming::Frame(frame)) => {
                let heard = match &frame {
                    Frame::Offer { ids }
                    | Frame::Take { ids }
                    | Frame::Ask { ids }
                    | Frame::GaveUp { ids }
                    | Frame::Noted { ids } => ids,
                    _ => &Vec::new(),
                };
                heard.iter().for_each(|id| keep(dice, ids, *id));
                keep(dice, frames, bytes.to_vec());
            }
            Ok(Incoming::Folded { .. }) | Err(_) => {}
        }
    }
}

fn pick<'a, T>(dice: &mut Stream, all: &'a [T]) -> Option<&'a T> {
    (!all.is_empty()).then(|| &all[dice.below(all.len() as u64) as usize])
}

fn keep<T>(dice: &mut Stream, all: &mut Vec<T>, new: T) {
    match all.len() < MEMORY_MAX {
        true => all.push(new),
        false => all[dice.below(MEMORY_MAX as u64) as usize] = new,
    }
}

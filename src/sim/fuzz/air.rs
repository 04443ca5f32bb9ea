//! Frames under way, as bytes.

use std::collections::{BTreeMap, VecDeque};

use crate::bundle::{Ends, Handed, Unverified};
use crate::frame::Incoming;
use crate::sim::random::Stream;

/// What happens to frames, each per million.
#[derive(Clone, Copy, Debug, Default)]
pub struct AirFaults {
    pub lost: u32,
    pub doubled: u32,
    pub overtaken: u32,
    pub cut: u32,
    pub damaged: u32,
}

/// The frames under way, in lanes from one node to another.
#[derive(Default)]
pub struct Air {
    pub lanes: BTreeMap<(usize, usize), VecDeque<Vec<u8>>>,
    /// The messages that went such a way in this contact, as their giver and their taker remember them.
    given: BTreeMap<(usize, usize), Handed>,
    taken: BTreeMap<(usize, usize), Handed>,
}

impl Air {
    pub fn clear(&mut self, a: usize, b: usize) {
        for way in [(a, b), (b, a)] {
            self.lanes.remove(&way);
            self.given.remove(&way);
            self.taken.remove(&way);
        }
    }

    /// What one gave another, as it remembers it.
    pub fn given(&self, way: (usize, usize)) -> &Handed {
        self.given.get(&way).unwrap_or(Handed::nothing())
    }

    /// What one took from another, as it remembers it.
    pub fn taken(&self, way: (usize, usize)) -> &Handed {
        self.taken.get(&way).unwrap_or(Handed::nothing())
    }

    /// A frame that is no fold leaves.
    pub fn note_given(&mut self, way: (usize, usize), frame: &[u8], ends: &Ends) {
        note(self.given.entry(way).or_insert_with(Handed::given), frame, ends);
    }

    /// A frame that is no fold arrives.
    pub fn note_taken(&mut self, way: (usize, usize), frame: &[u8], ends: &Ends) {
        note(self.taken.entry(way).or_insert_with(Handed::taken), frame, ends);
    }

    /// Takes some frame that is under way.
    pub fn pop(&mut self, dice: &mut Stream) -> Option<(usize, usize, Vec<u8>)> {
        let lane = dice.below(self.lanes.len().max(1) as u64) as usize;
        let (from, to) = self.lanes.keys().nth(lane).copied()?;
        let frames = self.lanes.get_mut(&(from, to))?;
        let frame = frames.pop_front();
        if frames.is_empty() {
            self.lanes.remove(&(from, to));
        }
        frame.map(|frame| (from, to, frame))
    }
}

/// Notes the bundle that a frame hands over, where it does.
fn note(handed: &mut Handed, frame: &[u8], ends: &Ends) {
    // Most frames are none of these, and short to tell apart.
    if frame.starts_with(&[0x83, 10])
        && let Ok(Incoming::Bundle { bytes, .. }) = Incoming::decode(frame)
        && let Ok(bundle) = Unverified::parse(bytes)
    {
        handed.note_parsed(&bundle, ends.to);
    }
}

//! Frames under way, as bytes.

use std::collections::{BTreeMap, VecDeque};

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
}

impl Air {
    pub fn clear(&mut self, a: usize, b: usize) {
        self.lanes.remove(&(a, b));
        self.lanes.remove(&(b, a));
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

//! A ring of slots, each for one span of time: the newest takes the place of the oldest.

use super::Sample;
use crate::time::{Millis, Timestamp};

pub struct Ring {
    span: Millis,
    slots: Vec<Option<Sample>>,
}

impl Ring {
    pub fn new(span: Millis, slots: usize) -> Ring {
        Ring { span, slots: vec![None; slots] }
    }

    /// Adds a sample to the span that it ends in; returns the slot and what it holds now.
    pub fn add(&mut self, sample: Sample) -> (usize, Sample) {
        let (number, slot) = (self.number(sample.end), self.slot(sample.end));
        let before = self.slots[slot].filter(|held| self.number(held.end) == number);
        let held = before.map_or(sample, |held| held.and(sample));
        self.slots[slot] = Some(held);
        (slot, held)
    }

    /// Takes a sample in that was kept.
    pub fn load(&mut self, sample: Sample) {
        let slot = self.slot(sample.end);
        if self.slots[slot].is_none_or(|held| held.end < sample.end) {
            self.slots[slot] = Some(sample);
        }
    }

    /// What it holds, the oldest first.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        let mut all: Vec<Sample> = self.slots.iter().flatten().copied().collect();
        all.sort_unstable_by_key(|sample| sample.end);
        // What a run left of the round before is older than all that the ring is for.
        let newest = all.last().map_or(0, |sample| self.number(sample.end));
        let oldest = (newest + 1).saturating_sub(self.slots.len() as u64);
        let (span, from) = (self.span, oldest);
        all.into_iter().filter(move |sample| number(sample.end, span) >= from)
    }

    fn number(&self, end: Timestamp) -> u64 {
        number(end, self.span)
    }

    fn slot(&self, end: Timestamp) -> usize {
        (self.number(end) % self.slots.len() as u64) as usize
    }
}

/// Which span from the beginning something ends in: a span has its end and not its beginning.
fn number(end: Timestamp, span: Millis) -> u64 {
    end.0.saturating_sub(1) / span.0
}

impl Sample {
    /// Both as one, where the other comes later.
    fn and(self, later: Sample) -> Sample {
        let (a, b) = (self.moved, later.moved);
        Sample {
            end: later.end,
            span: Millis(self.span.0.saturating_add(later.span.0)),
            moved: super::Totals {
                contacts: a.contacts.saturating_add(b.contacts),
                bytes_in: a.bytes_in.saturating_add(b.bytes_in),
                bytes_out: a.bytes_out.saturating_add(b.bytes_out),
            },
            levels: later.levels,
        }
    }
}

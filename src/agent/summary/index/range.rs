//! Walks over a stretch of the ids, in their order.

use super::{Body, Entry, IdIndex};

/// Prefixes and slots of the ids in a stretch; made by [`IdIndex::range`].
#[derive(Clone, Debug)]
pub struct Range<'a> {
    index: &'a IdIndex,
    first: u64,
    last: u64,
    /// Nodes still to visit, the next one on top, each with its depth and its smallest prefix.
    pending: Vec<(usize, u32, u64)>,
    leaf: &'a [Entry],
}

impl IdIndex {
    /// Prefixes and slots of the ids whose prefixes lie between `first` and `last`, both included, in their order.
    pub fn range(&self, first: u64, last: u64) -> Range<'_> {
        Range { index: self, first, last, pending: vec![(0, 0, 0)], leaf: &[] }
    }
}

impl Iterator for Range<'_> {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        loop {
            if let Some((entry, rest)) = self.leaf.split_first() {
                self.leaf = rest;
                if entry.prefix() <= self.last {
                    return Some((entry.prefix(), entry.slot));
                }
                self.leaf = &[];
                self.pending.clear();
            }
            let (node, depth, low) = self.pending.pop()?;
            let high = low | u64::MAX.checked_shr(2 * depth).unwrap_or(0);
            if low > self.last || high < self.first {
                continue;
            }
            match &self.index.nodes[node].body {
                Body::Leaf(entries) => {
                    self.leaf = &entries[entries.partition_point(|entry| entry.prefix() < self.first)..];
                }
                Body::Branch(children) => self.pending.extend(
                    (0..4).rev().map(|n| (*children as usize + n, depth + 1, low | (n as u64) << (62 - 2 * depth))),
                ),
            }
        }
    }
}

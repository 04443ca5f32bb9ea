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
    /// What is left of a leaf, as far as it lies in the stretch.
    leaf: &'a [Entry],
}

/// Room for the nodes that wait on the way down to the leaves of some hundred thousand ids.
const PENDING: usize = 24;

impl IdIndex {
    /// Prefixes and slots of the ids whose prefixes lie between `first` and `last`, both included, in their order.
    pub fn range(&self, first: u64, last: u64) -> Range<'_> {
        let mut pending = Vec::with_capacity(PENDING);
        pending.push((0, 0, 0));
        Range { index: self, first, last, pending, leaf: &[] }
    }
}

impl Range<'_> {
    /// Goes on to the next leaf that has something of the stretch.
    fn next_leaf(&mut self) -> Option<()> {
        while self.leaf.is_empty() {
            let (node, depth, low) = self.pending.pop()?;
            let high = low | u64::MAX.checked_shr(2 * depth).unwrap_or(0);
            if low > self.last || high < self.first {
                continue;
            }
            match &self.index.nodes[node].body {
                Body::Leaf(entries) => {
                    let from = entries.partition_point(|entry| entry.prefix() < self.first);
                    let to = entries.partition_point(|entry| entry.prefix() <= self.last);
                    self.leaf = entries.get(from..to).unwrap_or_default();
                }
                Body::Branch(children) => self.pending.extend(
                    (0..4).rev().map(|n| (*children as usize + n, depth + 1, low | (n as u64) << (62 - 2 * depth))),
                ),
            }
        }
        Some(())
    }
}

impl Iterator for Range<'_> {
    type Item = (u64, u32);

    #[inline]
    fn next(&mut self) -> Option<(u64, u32)> {
        if self.leaf.is_empty() {
            self.next_leaf()?;
        }
        let (entry, rest) = self.leaf.split_first()?;
        self.leaf = rest;
        Some((entry.prefix(), entry.slot))
    }
}

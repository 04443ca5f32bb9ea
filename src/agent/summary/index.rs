//! Every id a node knows, in one tree that answers look-ups and summaries.

mod merkle;
mod range;

pub use merkle::{Bucket, Digest};
pub use range::Range;

use crate::id::BundleId;

/// A set of ids, each with the slot where its owner keeps the rest.
///
/// Only eight bytes of each id are kept here; the owner's slab has the others and is asked through `full`, which must
/// give the id that was inserted with that slot. About 25 bytes an id in all.
#[derive(Clone, Debug)]
pub struct IdIndex {
    /// The root is node 0; the children of a branch are four in a row.
    nodes: Vec<Node>,
    /// First nodes of fours that no branch uses.
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    /// Meaningless while `stale`.
    digest: Digest,
    count: u32,
    stale: bool,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// In the order of the ids.
    Leaf(Vec<Entry>),
    /// The first of four children.
    Branch(u32),
}

/// Twelve bytes: the prefix in halves, or alignment would make them sixteen.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix_high: u32,
    prefix_low: u32,
    slot: u32,
}

/// A node with more ids than this is a branch, one with as many or fewer a leaf; so the set alone shapes the tree.
const LEAF_IDS_MAX: usize = 16;
/// Prefixes end here; a leaf this deep holds ids of one prefix and never splits.
const DEPTH_MAX: u32 = 32;

impl Default for IdIndex {
    fn default() -> IdIndex {
        IdIndex { nodes: vec![Node::empty()], free: Vec::new() }
    }
}

impl IdIndex {
    pub fn new() -> IdIndex {
        IdIndex::default()
    }

    /// The set of the ids at `slots`, and the slots whose ids a lower slot has already. Put in by their order, each goes to
    /// the end of what is there.
    pub fn of(slots: Vec<u32>, full: &impl Fn(u32) -> BundleId) -> (IdIndex, Vec<u32>) {
        let mut order: Vec<(u64, u32)> = slots.into_iter().map(|slot| (full(slot).prefix(), slot)).collect();
        order.sort_unstable();
        let mut index = IdIndex::new();
        let doubles = order.into_iter().map(|(_, slot)| slot).filter(|slot| !index.insert(&full(*slot), *slot, full));
        let doubles = doubles.collect();
        (index, doubles)
    }

    /// How many ids there are.
    pub fn len(&self) -> u64 {
        u64::from(self.nodes[0].count)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an id; false, and nothing changes, if it is there already.
    pub fn insert(&mut self, id: &BundleId, slot: u32, full: &impl Fn(u32) -> BundleId) -> bool {
        let prefix = id.prefix();
        let (leaf, depth) = self.leaf_of(prefix);
        let entries = self.nodes[leaf].entries_mut();
        let Err(at) = search(entries, id, full) else { return false };
        if entries.len() == entries.capacity() {
            // Doubling would waste a third of all memory here.
            entries.reserve_exact(4);
        }
        entries.insert(at, Entry::new(prefix, slot));
        let crowded = entries.len() > LEAF_IDS_MAX;
        self.touch(prefix, depth, |count| count + 1);
        if crowded {
            self.split(leaf, depth);
        }
        true
    }

    /// Takes an id out and returns its slot.
    pub fn remove(&mut self, id: &BundleId, full: &impl Fn(u32) -> BundleId) -> Option<u32> {
        let prefix = id.prefix();
        let (leaf, depth) = self.leaf_of(prefix);
        let entries = self.nodes[leaf].entries_mut();
        let at = search(entries, id, full).ok()?;
        let slot = entries.remove(at).slot;
        if entries.capacity() - entries.len() > 8 {
            entries.shrink_to(entries.len() + 4);
        }
        if let Some(branch) = self.touch(prefix, depth, |count| count - 1) {
            let mut entries = Vec::with_capacity(LEAF_IDS_MAX);
            self.gather(branch, &mut entries);
            self.nodes[branch].body = Body::Leaf(entries);
        }
        Some(slot)
    }

    /// The slot of an id.
    pub fn find(&self, id: &BundleId, full: &impl Fn(u32) -> BundleId) -> Option<u32> {
        self.with_prefix(id.prefix()).find(|slot| full(*slot) == *id)
    }

    /// Slots of the ids with these first eight bytes: one as a rule, more only for whoever spent 2^32 hashes on it.
    pub fn with_prefix(&self, prefix: u64) -> impl Iterator<Item = u32> + '_ {
        let entries = self.nodes[self.leaf_of(prefix).0].entries();
        let from = entries.partition_point(|entry| entry.prefix() < prefix);
        entries[from..].iter().take_while(move |entry| entry.prefix() == prefix).map(|entry| entry.slot)
    }

    /// Prefixes and slots of all ids, in the order of the ids.
    pub fn iter(&self) -> Range<'_> {
        self.range(0, u64::MAX)
    }

    /// The leaf where a prefix belongs, and how deep it lies.
    fn leaf_of(&self, prefix: u64) -> (usize, u32) {
        let (mut node, mut depth) = (0, 0);
        while let Body::Branch(children) = self.nodes[node].body {
            node = child(children, prefix, depth);
            depth += 1;
        }
        (node, depth)
    }

    /// Counts a change on the way down to a leaf; returns the topmost branch that has become small enough for a leaf.
    fn touch(&mut self, prefix: u64, depth: u32, count: impl Fn(u32) -> u32) -> Option<usize> {
        let (mut node, mut small) = (0, None);
        for level in 0..=depth {
            let Node { count: here, stale, body, .. } = &mut self.nodes[node];
            *here = count(*here);
            *stale = true;
            if let Body::Branch(children) = *body {
                if *here as usize <= LEAF_IDS_MAX && small.is_none() {
                    small = Some(node);
                }
                node = child(children, prefix, level);
            }
        }
        small
    }

    fn split(&mut self, leaf: usize, depth: u32) {
        if depth == DEPTH_MAX {
            return;
        }
        let children = self.take_four();
        let Body::Leaf(entries) = std::mem::replace(&mut self.nodes[leaf].body, Body::Branch(children)) else {
            panic!("only a leaf splits");
        };
        let mut rest = entries.as_slice();
        for node in children as usize..children as usize + 4 {
            let len = rest.partition_point(|entry| child(children, entry.prefix(), depth) <= node);
            let (mine, others) = rest.split_at(len);
            rest = others;
            self.nodes[node].fill(mine);
            if len > LEAF_IDS_MAX {
                self.split(node, depth + 1);
            }
        }
    }

    /// Moves all entries under a node into one list, in order, and frees what held them.
    fn gather(&mut self, node: usize, into: &mut Vec<Entry>) {
        match std::mem::replace(&mut self.nodes[node].body, Body::Leaf(Vec::new())) {
            Body::Leaf(mut entries) => into.append(&mut entries),
            Body::Branch(children) => {
                for child in children..children + 4 {
                    self.gather(child as usize, into);
                }
                self.free.push(children);
            }
        }
    }

    fn take_four(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let first = u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes");
            if self.nodes.capacity() - self.nodes.len() < 4 {
                self.nodes.reserve_exact(4 + self.nodes.len() / 8);
            }
            self.nodes.extend([const { Node::empty() }; 4]);
            first
        })
    }
}

impl Node {
    const fn empty() -> Node {
        Node { digest: [0; 16], count: 0, stale: false, body: Body::Leaf(Vec::new()) }
    }

    /// Starts a leaf anew.
    fn fill(&mut self, entries: &[Entry]) {
        let count = u32::try_from(entries.len()).expect("a leaf has few entries");
        *self = Node { digest: [0; 16], count, stale: count > 0, body: Body::Leaf(entries.to_vec()) };
    }

    fn entries(&self) -> &[Entry] {
        match &self.body {
            Body::Leaf(entries) => entries,
            Body::Branch(_) => panic!("a branch has no entries of its own"),
        }
    }

    fn entries_mut(&mut self) -> &mut Vec<Entry> {
        match &mut self.body {
            Body::Leaf(entries) => entries,
            Body::Branch(_) => panic!("a branch has no entries of its own"),
        }
    }
}

impl Entry {
    fn new(prefix: u64, slot: u32) -> Entry {
        Entry { prefix_high: (prefix >> 32) as u32, prefix_low: prefix as u32, slot }
    }

    fn prefix(self) -> u64 {
        u64::from(self.prefix_high) << 32 | u64::from(self.prefix_low)
    }
}

/// Where an id is, or where it belongs.
fn search(entries: &[Entry], id: &BundleId, full: &impl Fn(u32) -> BundleId) -> Result<usize, usize> {
    let prefix = id.prefix();
    entries.binary_search_by(|entry| {
        // The other 24 bytes lie far away in memory and are seldom needed.
        entry.prefix().cmp(&prefix).then_with(|| full(entry.slot).cmp(id))
    })
}

/// The child of a branch at `depth` where a prefix belongs.
fn child(children: u32, prefix: u64, depth: u32) -> usize {
    children as usize + (prefix >> (62 - 2 * depth) & 3) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_twelve_bytes_and_a_node_forty_eight() {
        assert_eq!(size_of::<Entry>(), 12);
        assert_eq!(size_of::<Node>(), 48);
    }

    #[test]
    fn a_set_made_at_once_is_the_set_made_id_by_id() {
        let id = |n: u32| BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes());
        let mut one_by_one = IdIndex::new();
        (0..1_000).for_each(|n| assert!(one_by_one.insert(&id(n), n, &id)));
        let (mut at_once, doubles) = IdIndex::of((0..1_000).collect(), &id);
        assert_eq!(doubles, [0; 0]);
        assert_eq!(at_once.root(&id), one_by_one.root(&id));
        assert!(at_once.iter().eq(one_by_one.iter()));
    }

    #[test]
    fn nodes_given_up_are_used_again() {
        // Ids alike in their first 62 bits: one more than a leaf takes makes a chain of branches.
        let id =
            |n: u32| BundleId(std::array::from_fn(|at| if at < 7 { 9 } else { (n as usize >> (8 * (at % 4))) as u8 }));
        let mut index = IdIndex::new();
        (0..LEAF_IDS_MAX as u32).for_each(|n| assert!(index.insert(&id(n), n, &id)));
        assert_eq!(index.nodes.len(), 1);
        for n in 100..200 {
            index.insert(&id(n), n, &id);
            assert!(index.nodes.len() > 100);
            assert_eq!(index.remove(&id(n), &id), Some(n));
            assert!(matches!(index.nodes[0].body, Body::Leaf(_)));
        }
        assert!(index.nodes.len() < 200, "{} nodes", index.nodes.len());
    }
}

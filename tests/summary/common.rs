//! Two nodes and what they say to each other.

use std::collections::BTreeSet;

use dak::agent::summary::{Bucket, Claim, IdIndex, Reconciliation, Step};
use dak::frame::Frame;
use dak::id::BundleId;

/// Ids, and the index over them.
#[derive(Clone, Default)]
pub struct Node {
    pub slab: Vec<BundleId>,
    pub index: IdIndex,
    /// Slots given up, to be used again at once.
    free: Vec<u32>,
}

/// What a whole exchange came to.
#[derive(Default)]
pub struct Outcome {
    /// Ids that each side found the other to lack: its surplus and what the other wanted.
    pub gives: [BTreeSet<BundleId>; 2],
    /// Wire bytes that each side sent, `Hello` and length prefixes apart.
    pub bytes: [usize; 2],
    pub frames: usize,
}

pub fn id(n: u64) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

pub fn ids(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<BundleId> {
    numbers.into_iter().map(id).collect()
}

impl Node {
    pub fn with(ids: impl IntoIterator<Item = BundleId>) -> Node {
        let mut node = Node::default();
        ids.into_iter().for_each(|id| assert!(node.insert(id)));
        node
    }

    pub fn insert(&mut self, id: BundleId) -> bool {
        let slot = self.free.pop().unwrap_or(self.slab.len() as u32);
        self.slab.resize(self.slab.len().max(slot as usize + 1), id);
        self.slab[slot as usize] = id;
        let new = self.index.insert(&id, slot, &|slot| self.slab[slot as usize]);
        if !new {
            self.free.push(slot);
        }
        new
    }

    pub fn remove(&mut self, id: &BundleId) -> bool {
        let slot = self.index.remove(id, &|slot| self.slab[slot as usize]);
        self.free.extend(slot);
        slot.is_some()
    }

    pub fn root(&mut self) -> [u8; 16] {
        self.index.root(&|slot| self.slab[slot as usize])
    }

    pub fn find(&self, id: &BundleId) -> Option<u32> {
        self.index.find(id, &|slot| self.slab[slot as usize])
    }

    pub fn buckets(&mut self, bits: u8) -> Vec<Bucket> {
        self.index.buckets(bits, &|slot| self.slab[slot as usize])
    }

    pub fn known(&self) -> BTreeSet<BundleId> {
        self.index.iter().map(|(_, slot)| self.slab[slot as usize]).collect()
    }

    pub fn claim(&mut self, nonce: u8) -> Claim {
        Claim { nonce: [nonce; 16], count: self.index.len(), root: self.root() }
    }

    pub fn begin(&mut self, mine: &Claim, theirs: &Claim) -> (Reconciliation, Step) {
        Reconciliation::begin(mine, theirs, &mut self.index, &|slot| self.slab[slot as usize])
    }

    pub fn handle(&mut self, reconciliation: &mut Reconciliation, frame: &Frame) -> Step {
        reconciliation.handle(frame, &mut self.index, &|slot| self.slab[slot as usize])
    }
}

impl Outcome {
    pub fn total_bytes(&self) -> usize {
        self.bytes[0] + self.bytes[1]
    }
}

/// Lets two nodes reconcile; `meanwhile` may change them between any two frames.
pub fn reconcile_while(nodes: [&mut Node; 2], mut meanwhile: impl FnMut(&mut Node, &mut Node)) -> Outcome {
    let [a, b] = nodes;
    let claims = [a.claim(1), b.claim(2)];
    meanwhile(a, b);
    let (mut first, step_a) = a.begin(&claims[0], &claims[1]);
    let (mut second, step_b) = b.begin(&claims[1], &claims[0]);
    let mut outcome = Outcome::default();
    let mut under_way: Vec<(usize, Vec<u8>)> = Vec::new();
    note(&mut outcome, 0, a, step_a, &mut under_way);
    note(&mut outcome, 1, b, step_b, &mut under_way);
    while !under_way.is_empty() {
        meanwhile(a, b);
        let (to, bytes) = under_way.remove(0);
        let frame = Frame::decode(&bytes).expect("frames of our own decode");
        let (node, reconciliation) = if to == 0 { (&mut *a, &mut first) } else { (&mut *b, &mut second) };
        let step = node.handle(reconciliation, &frame);
        note(&mut outcome, to, node, step, &mut under_way);
    }
    assert!(first.is_done() && second.is_done(), "both sides know that it is over");
    outcome
}

pub fn reconcile(a: &mut Node, b: &mut Node) -> Outcome {
    reconcile_while([a, b], |_, _| {})
}

fn note(outcome: &mut Outcome, side: usize, node: &Node, step: Step, under_way: &mut Vec<(usize, Vec<u8>)>) {
    assert_eq!(step.misbehaved, None, "side {side} is content");
    outcome.gives[side].extend(step.surplus.iter().chain(&step.wanted).map(|slot| node.slab[*slot as usize]));
    if step.everything {
        outcome.gives[side].extend(node.known());
    }
    for frame in step.send {
        let bytes = frame.encode().expect("what a side says fits a frame");
        outcome.bytes[side] += bytes.len();
        outcome.frames += 1;
        under_way.push((1 - side, bytes));
    }
}

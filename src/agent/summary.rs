//! Temporary: lists of short ids.
use std::collections::BTreeMap;

use crate::frame::Frame;
use crate::id::BundleId;

#[derive(Debug, Default)]
pub struct IdIndex {
    ids: BTreeMap<BundleId, u32>,
}

impl IdIndex {
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    pub fn insert(&mut self, id: &BundleId, slot: u32) {
        self.ids.insert(*id, slot);
    }
    pub fn remove(&mut self, id: &BundleId, _slot: u32) {
        self.ids.remove(id);
    }
    pub fn find(&self, id: &BundleId, _full: impl Fn(u32) -> BundleId) -> Option<u32> {
        self.ids.get(id).copied()
    }
    pub fn root(&mut self, _full: impl Fn(u32) -> BundleId) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        self.ids.keys().for_each(|id| drop(hasher.update(&id.0)));
        hasher.finalize().as_bytes()[..16].try_into().unwrap()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub nonce: [u8; 16],
    pub count: u64,
    pub root: [u8; 16],
}

#[derive(Debug)]
pub struct Reconciliation {
    sender: bool,
    done: bool,
    mine: BTreeMap<u64, u32>,
}

#[derive(Debug, Default)]
pub struct Step {
    pub send: Vec<Frame>,
    pub surplus: Vec<u32>,
    pub wanted: Vec<u32>,
    pub done: bool,
    pub misbehaved: Option<&'static str>,
}

impl Reconciliation {
    pub fn begin(
        mine: Party,
        theirs: Party,
        breaks_ties: bool,
        index: &mut IdIndex,
        _full: &dyn Fn(u32) -> BundleId,
    ) -> (Reconciliation, Option<Frame>) {
        let done = mine.root == theirs.root && mine.count == theirs.count;
        let sender = mine.count < theirs.count || mine.count == theirs.count && breaks_ties;
        let ids: BTreeMap<u64, u32> = index.ids.iter().map(|(id, slot)| (id.prefix(), *slot)).collect();
        let frame =
            (!done && sender).then(|| Frame::ShortIds { bits: 0, buckets: vec![], ids: ids.keys().copied().collect() });
        (Reconciliation { sender, done, mine: ids }, frame)
    }
    pub fn is_done(&self) -> bool {
        self.done
    }
    pub fn handle(&mut self, frame: &Frame, _index: &mut IdIndex, _full: &dyn Fn(u32) -> BundleId) -> Step {
        let mut step = Step { done: true, ..Step::default() };
        self.done = true;
        match frame {
            Frame::ShortIds { ids, .. } if !self.sender => {
                step.surplus =
                    self.mine.iter().filter(|(k, _)| ids.binary_search(k).is_err()).map(|(_, v)| *v).collect();
                let want: Vec<u64> = ids.iter().filter(|k| !self.mine.contains_key(k)).copied().collect();
                step.send.push(Frame::Want { ids: want });
            }
            Frame::Want { ids } if self.sender => {
                step.wanted = ids.iter().filter_map(|k| self.mine.get(k)).copied().collect();
            }
            _ => step.misbehaved = Some("reconciles out of turn"),
        }
        step
    }
}

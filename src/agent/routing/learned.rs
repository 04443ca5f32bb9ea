//! Records of what a strategy learned before a restart.

use std::collections::BTreeMap;

use crate::id::NodeId;

/// Records that nobody has claimed yet.
pub struct Learned<'a> {
    unread: BTreeMap<NodeId, &'a [u8]>,
}

impl<'a> Learned<'a> {
    pub fn new(records: &'a BTreeMap<NodeId, Vec<u8>>) -> Learned<'a> {
        Learned { unread: records.iter().map(|(node, record)| (*node, record.as_slice())).collect() }
    }

    /// Reads at most `limit` records that `decode` understands; the others are stale.
    pub fn take<T>(&mut self, decode: impl Fn(&[u8]) -> Option<T>, limit: usize) -> BTreeMap<NodeId, T> {
        let mut read = BTreeMap::new();
        self.unread.retain(|node, record| {
            let entry = decode(record).filter(|_| read.len() < limit);
            let is_stale = entry.is_none();
            read.extend(entry.map(|entry| (*node, entry)));
            is_stale
        });
        read
    }

    /// The nodes whose records no strategy has claimed.
    pub fn into_stale(self) -> Vec<NodeId> {
        self.unread.into_keys().collect()
    }
}

//! What was evicted: here, and it is not taken again for a while; elsewhere, and it is not brought again unasked for a
//! while. Lost at a restart: another try costs traffic, nothing more.

use std::collections::{BTreeMap, VecDeque};

use crate::id::BundleId;
use crate::time::Timestamp;

/// Most evicted ids remembered; the oldest make way.
pub const SHUNNED_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub struct Shunned {
    until: BTreeMap<BundleId, Timestamp>,
    /// In the order in which they came.
    order: VecDeque<BundleId>,
}

impl Shunned {
    pub fn insert(&mut self, id: BundleId, until: Timestamp) {
        if self.until.insert(id, until).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > SHUNNED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.until.remove(&oldest);
        }
    }

    pub fn contains(&self, id: &BundleId, now: Timestamp) -> bool {
        self.until.get(id).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_the_oldest_make_way() {
        let id = |n: usize| BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes());
        let mut shunned = Shunned::default();
        for n in 0..SHUNNED_MAX + 10 {
            shunned.insert(id(n), Timestamp(1_000));
            shunned.insert(id(n), Timestamp(1_000));
        }
        let now = Timestamp(999);
        assert!((0..10).all(|n| !shunned.contains(&id(n), now)));
        assert!((10..SHUNNED_MAX + 10).all(|n| shunned.contains(&id(n), now)));
        assert!(!shunned.contains(&id(10), Timestamp(1_000)), "only for a while");
        assert_eq!((shunned.until.len(), shunned.order.len()), (SHUNNED_MAX, SHUNNED_MAX));
    }
}

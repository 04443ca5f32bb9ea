//! What was evicted: here, and it is not taken again for a while; elsewhere, and it is not brought again unasked for a
//! while. Lost at a restart: another try costs traffic, nothing more.
//!
//! It is carrying that is declined. A member is to see what is for its group, also where it joined only since, so which
//! group a bundle is for stays known.

use std::collections::{BTreeMap, VecDeque};

use crate::eid::Eid;
use crate::id::BundleId;
use crate::time::Timestamp;

/// Most evicted ids remembered; the oldest make way.
pub const SHUNNED_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub struct Shunned {
    by_id: BTreeMap<BundleId, Shun>,
    /// In the order in which they came.
    order: VecDeque<BundleId>,
}

#[derive(Clone, Copy, Debug)]
struct Shun {
    until: Timestamp,
    group: Option<GroupPrefix>,
}

/// How the key of a group begins: two that begin alike cost traffic, nothing more.
type GroupPrefix = [u8; 8];

impl Shunned {
    pub fn insert(&mut self, id: BundleId, until: Timestamp) {
        self.add(id, Shun { until, group: None });
    }

    /// The same of what may be for a group that is served here, or is so later.
    pub fn insert_for(&mut self, id: BundleId, until: Timestamp, destination: &Eid) {
        self.add(id, Shun { until, group: prefix_of(destination) });
    }

    pub fn contains(&self, id: &BundleId, now: Timestamp) -> bool {
        self.by_id.get(id).is_some_and(|shun| shun.until > now)
    }

    /// Whether what is shunned is for this group.
    pub fn is_for(&self, id: &BundleId, group: &Eid) -> bool {
        let known = self.by_id.get(id).and_then(|shun| shun.group);
        known.is_some() && known == prefix_of(group)
    }

    fn add(&mut self, id: BundleId, shun: Shun) {
        if self.by_id.insert(id, shun).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > SHUNNED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}

/// None where it is no group that has members.
fn prefix_of(destination: &Eid) -> Option<GroupPrefix> {
    let prefix = *destination.node.as_bytes().first_chunk().expect("a key is longer");
    destination.has_members().then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn the_latest_are_remembered_and_the_oldest_make_way() {
        let id = |n: usize| BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes());
        let mut shunned = Shunned::default();
        let node = |n: u8| NodeId::from_trusted([n; 32]);
        for n in 0..SHUNNED_MAX + 10 {
            shunned.insert_for(id(n), Timestamp(1_000), &Eid::group(node(1)));
            shunned.insert_for(id(n), Timestamp(1_000), &Eid::group(node(1)));
        }
        let now = Timestamp(999);
        assert!((0..10).all(|n| !shunned.contains(&id(n), now)));
        assert!((10..SHUNNED_MAX + 10).all(|n| shunned.contains(&id(n), now)));
        assert!(!shunned.contains(&id(10), Timestamp(1_000)), "only for a while");
        let [mine, other, mail] = [Eid::group(node(1)), Eid::group(node(2)), Eid::mail(node(1))];
        assert_eq!([&mine, &other, &mail].map(|to| shunned.is_for(&id(10), to)), [true, false, false]);
        assert!(!shunned.is_for(&id(0), &mine));
        shunned.insert_for(id(10), Timestamp(1_000), &mail);
        assert!(![&mine, &other, &mail].iter().any(|to| shunned.is_for(&id(10), to)), "no mailbox has members");
        assert_eq!((shunned.by_id.len(), shunned.order.len()), (SHUNNED_MAX, SHUNNED_MAX));
    }
}

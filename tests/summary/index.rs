//! The index against a sorted list, and its digests against the rule they follow.

use std::cell::Cell;
use std::collections::BTreeSet;

use dak::id::BundleId;
use proptest::prelude::*;

use crate::common::{Node, id, ids};

/// Ids that share few, many or all of their first 64 bits, as if somebody had searched for them.
fn ground_id() -> impl Strategy<Value = BundleId> {
    (prop_oneof![Just(0), Just(0x8000_0000_0000_0000), Just(0x1234_5678_9abc_def0), Just(u64::MAX)], 0..64u32, 0..9u64)
        .prop_map(|(prefix, keep, n)| {
            let mut id = id(n);
            let own = u64::MAX.checked_shr(keep).unwrap_or(0);
            let prefix = prefix & !own | id.prefix() & own;
            id.0[..8].copy_from_slice(&prefix.to_be_bytes());
            id
        })
}

fn some_ids() -> impl Strategy<Value = BTreeSet<BundleId>> {
    prop_oneof![
        prop::collection::btree_set(ground_id(), 0..200),
        prop::collection::btree_set((0..400u64).prop_map(id), 0..300),
    ]
}

fn an_end() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), ground_id().prop_map(|id| id.prefix()), (0..400u64).prop_map(|n| id(n).prefix())]
}

/// The rule in the open: a leaf up to 16 ids, else four children by the next two bits.
fn digest_of(ids: &[BundleId], depth: u32) -> [u8; 16] {
    let hash = match ids.len() {
        0 => return [0; 16],
        1..=16 => blake3::keyed_hash(
            b"dak 2026 summary: ids, in order\0",
            &ids.iter().flat_map(|id| id.0).collect::<Vec<_>>(),
        ),
        _ => {
            let child = |n| {
                let ids: Vec<_> = ids.iter().copied().filter(|id| id.prefix() >> (62 - 2 * depth) & 3 == n).collect();
                digest_of(&ids, depth + 1)
            };
            let children: Vec<u8> = (0..4).flat_map(child).collect();
            blake3::keyed_hash(b"dak 2026 summary: four children\0", &children)
        }
    };
    hash.as_bytes()[..16].try_into().unwrap()
}

proptest! {
    #[test]
    fn an_index_holds_what_went_in_and_did_not_come_out(steps in prop::collection::vec((any::<bool>(), ground_id()), 0..600)) {
        let (mut node, mut model) = (Node::default(), BTreeSet::new());
        for (add, id) in steps {
            if add {
                prop_assert_eq!(node.insert(id), model.insert(id));
            } else {
                prop_assert_eq!(node.remove(&id), model.remove(&id));
            }
            prop_assert_eq!(node.index.len(), model.len() as u64);
        }
        let listed: Vec<BundleId> = node.index.iter().map(|(_, slot)| node.slab[slot as usize]).collect();
        prop_assert_eq!(&listed, &model.iter().copied().collect::<Vec<_>>());
        for id in (0..9).map(id).chain(listed) {
            prop_assert_eq!(node.find(&id).is_some(), model.contains(&id));
        }
    }

    #[test]
    fn a_range_gives_the_ids_between_its_ends(set in some_ids(), first in an_end(), last in an_end()) {
        let node = Node::with(set.clone());
        let listed: Vec<u64> = node.index.range(first, last).map(|(prefix, _)| prefix).collect();
        let expected: Vec<u64> = set.iter().map(BundleId::prefix).filter(|p| (first..=last).contains(p)).collect();
        prop_assert_eq!(listed, expected);
    }

    #[test]
    fn the_root_follows_from_the_set_alone(set in some_ids(), visitors in some_ids(), seed in any::<u64>()) {
        let mut straight = Node::with(set.clone());
        // Another order, with others that come and go, and roots asked for in between.
        let mut order: Vec<BundleId> = set.iter().chain(&visitors).copied().collect();
        order.sort_by_key(|id| blake3::keyed_hash(&[seed as u8; 32], &id.0).as_bytes().to_owned());
        let mut crooked = Node::default();
        for (n, id) in order.into_iter().enumerate() {
            crooked.insert(id);
            if n % 7 == 0 {
                crooked.root();
            }
        }
        for id in visitors.difference(&set) {
            prop_assert!(crooked.remove(id));
        }
        prop_assert_eq!(straight.root(), crooked.root());
    }

    #[test]
    fn digests_follow_their_rule_at_every_level(set in some_ids(), bits in 0..5u8) {
        let bits = 2 * bits;
        let mut node = Node::with(set.clone());
        let all: Vec<BundleId> = set.into_iter().collect();
        for (n, bucket) in node.buckets(bits).iter().enumerate() {
            let inside: Vec<BundleId> =
                all.iter().copied().filter(|id| id.prefix().checked_shr(64 - u32::from(bits)).unwrap_or(0) == n as u64).collect();
            prop_assert_eq!(bucket.count as usize, inside.len());
            prop_assert_eq!(bucket.digest, digest_of(&inside, u32::from(bits) / 2));
        }
    }

    #[test]
    fn one_id_more_or_less_changes_the_root(set in some_ids(), other in ground_id()) {
        let mut node = Node::with(set.clone());
        let before = node.root();
        if set.contains(&other) {
            node.remove(&other);
        } else {
            node.insert(other);
        }
        prop_assert_ne!(node.root(), before);
    }
}

#[test]
fn the_root_of_nothing_is_zero() {
    let mut node = Node::with(ids(0..1_000));
    assert_ne!(node.root(), [0; 16]);
    ids(0..1_000).iter().for_each(|id| assert!(node.remove(id)));
    assert_eq!(node.root(), [0; 16]);
    assert_eq!(node.index.iter().next(), None);
}

#[test]
fn a_known_id_is_not_added_again() {
    let mut node = Node::with([id(1)]);
    assert!(!node.insert(id(1)));
    assert_eq!((node.index.len(), node.find(&id(1))), (1, Some(0)));
}

#[test]
fn many_ids_of_one_prefix_are_told_apart() {
    let twins: Vec<BundleId> =
        (0..200u8).map(|n| BundleId(std::array::from_fn(|at| if at < 31 { 9 } else { n }))).collect();
    let mut node = Node::with(twins.iter().rev().copied());
    assert_eq!(node.index.with_prefix(twins[0].prefix()).count(), 200);
    for (n, id) in twins.iter().enumerate() {
        assert_eq!(node.find(id), Some(199 - n as u32));
    }
    assert!(node.remove(&twins[77]));
    assert_eq!(node.find(&twins[77]), None);
    assert_eq!(node.index.len(), 199);
}

#[test]
fn a_crowd_that_shrinks_has_the_root_of_its_likes_that_never_grew() {
    let crowd = |n: u64| BundleId(std::array::from_fn(|at| if at < 6 { 3 } else { id(n).0[at] }));
    let mut shrunk = Node::with((0..17).map(crowd));
    shrunk.root();
    assert!(shrunk.remove(&crowd(16)));
    assert_eq!(shrunk.root(), Node::with((0..16).map(crowd)).root());
}

#[test]
fn only_what_changed_is_hashed_again() {
    let mut node = Node::with((0..10_000).map(id));
    let before = node.root();
    assert_eq!(node.index.root(&|_| panic!("nothing changed")), before);
    node.insert(id(10_000));
    let asked = Cell::new(0);
    node.index.root(&|slot| {
        asked.set(asked.get() + 1);
        node.slab[slot as usize]
    });
    assert!((1..=16).contains(&asked.get()), "{} ids were hashed", asked.get());
}

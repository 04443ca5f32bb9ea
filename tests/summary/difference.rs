//! What a reconciliation finds is the difference of the two sets, whatever comes and goes meanwhile.

use std::collections::BTreeSet;

use dak::agent::summary::STRETCH_IDS_MAX;
use dak::id::BundleId;
use proptest::prelude::*;

use crate::common::{Node, Outcome, id, ids, reconcile, reconcile_while};

fn assert_difference(outcome: &Outcome, left: &BTreeSet<BundleId>, right: &BTreeSet<BundleId>) {
    assert_eq!(outcome.gives[0], left - right, "what the first gives");
    assert_eq!(outcome.gives[1], right - left, "what the second gives");
}

/// Sets that overlap not at all, in part or wholly; either may be empty, or a hundred times the other.
fn two_sets() -> impl Strategy<Value = (BTreeSet<BundleId>, BTreeSet<BundleId>)> {
    let size = || prop_oneof![Just(0u64), 1..10u64, 30..80u64, 700..900u64, 1_000..3_000u64];
    (prop_oneof![Just(0u64), size()], prop_oneof![0..3u64, size()], prop_oneof![0..3u64, size()], any::<u32>())
        .prop_map(|(common, left, right, base)| {
            let base = u64::from(base) << 16;
            let first = ids(base..base + common + left);
            let second = ids((base..base + common).chain(base + common + left..base + common + left + right));
            (first, second)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn both_sides_learn_the_difference_of_their_sets((left, right) in two_sets()) {
        let outcome = reconcile(&mut Node::with(left.clone()), &mut Node::with(right.clone()));
        assert_difference(&outcome, &left, &right);
    }

    #[test]
    fn what_stays_put_is_found_whatever_comes_and_goes(
        (left, right) in two_sets(),
        news in prop::collection::vec((any::<bool>(), any::<bool>(), any::<u16>()), 0..200),
    ) {
        let (mut a, mut b) = (Node::with(left.clone()), Node::with(right.clone()));
        let mut moved = BTreeSet::new();
        let mut news = news.into_iter();
        let outcome = reconcile_while([&mut a, &mut b], |a, b| {
            for (at_first, goes, n) in news.by_ref().take(20) {
                let (node, from) = if at_first { (&mut *a, &right) } else { (&mut *b, &left) };
                let known = node.known();
                // Something of its own goes, or something comes: of the peer's, or new to both.
                let id = if goes && !known.is_empty() {
                    *known.iter().nth(usize::from(n) % known.len()).unwrap()
                } else {
                    from.iter().nth(usize::from(n)).copied().unwrap_or_else(|| id(u64::MAX - u64::from(n)))
                };
                moved.insert(id);
                if !node.remove(&id) {
                    node.insert(id);
                }
            }
        });
        for (side, gives, lacks) in [(0, &left, &right), (1, &right, &left)] {
            let due: BTreeSet<BundleId> = &(gives - lacks) - &moved;
            prop_assert!(outcome.gives[side].is_superset(&due), "side {} gives all that is due", side);
            let never: BTreeSet<BundleId> = &(gives & lacks) - &moved;
            prop_assert!(outcome.gives[side].is_disjoint(&never), "side {} gives nothing known to both", side);
        }
    }
}

/// Random sets are too small to need more than one stretch.
#[test]
fn large_sets_are_compared_in_stretches() {
    for (common, left, right) in
        [(150_000, 300, 200), (70_000, 70_000, 0), (0, 66_000, 140_000), (70_000, 20_000, 25_000)]
    {
        let first = ids(0..common + left);
        let second = ids((0..common).chain(1_000_000..1_000_000 + right));
        let outcome = reconcile(&mut Node::with(first.clone()), &mut Node::with(second.clone()));
        assert_difference(&outcome, &first, &second);
        assert!(outcome.frames > 3, "{} frames are one stretch", outcome.frames);
    }
}

#[test]
fn ids_crowded_into_few_buckets_are_compared_too() {
    let crowd = |n: u64| {
        let mut id = id(n);
        id.0[..2].copy_from_slice(&[0x77, 0x70]);
        id
    };
    let left: BTreeSet<BundleId> = (0..70_000).map(crowd).collect();
    let right: BTreeSet<BundleId> = (20..70_030).map(crowd).collect();
    let outcome = reconcile(&mut Node::with(left.clone()), &mut Node::with(right.clone()));
    assert_difference(&outcome, &left, &right);
}

/// Ids that share their first eight bytes are told apart by their short ids.
#[test]
fn twins_of_one_prefix_are_compared_too() {
    let twin = |n: u64| BundleId(std::array::from_fn(|at| if at < 8 { 5 } else { id(n).0[at] }));
    for count in [3, 300] {
        let left: BTreeSet<BundleId> = (0..count).map(twin).chain((0..1_000).map(id)).collect();
        let right: BTreeSet<BundleId> = (2..count + 2).map(twin).chain((0..1_000).map(id)).collect();
        let outcome = reconcile(&mut Node::with(left.clone()), &mut Node::with(right.clone()));
        assert_difference(&outcome, &left, &right);
    }
}

#[test]
fn a_stretch_ends_between_prefixes() {
    let prefixed = |prefix: u64, n: u64| {
        let mut id = id(n);
        id.0[..8].copy_from_slice(&prefix.to_be_bytes());
        id
    };
    // Twins lie across the place where the first stretch is full.
    let most = STRETCH_IDS_MAX as u64 - 10;
    let left: BTreeSet<BundleId> = (0..most)
        .map(|n| prefixed(n, n))
        .chain((most..most + 100).map(|n| prefixed(most + n / (most + 50), n)))
        .collect();
    let right: BTreeSet<BundleId> = (0..200_000).map(id).collect();
    let outcome = reconcile(&mut Node::with(left.clone()), &mut Node::with(right.clone()));
    assert_difference(&outcome, &left, &right);
    assert!(outcome.frames > 2);
}

#[test]
fn the_peer_may_be_either_side() {
    let (left, right) = (ids(0..1_000), ids(20..1_020));
    let (mut a, mut b) = (Node::with(left.clone()), Node::with(right.clone()));
    // As many ids on both sides: the nonces decide, and they change places here.
    assert_difference(&reconcile(&mut a, &mut b), &left, &right);
    assert_difference(&reconcile(&mut b, &mut a), &right, &left);
}

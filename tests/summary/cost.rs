//! What summaries cost on the wire, in bytes of all frames both ways but `Hello`.

use crate::common::{Node, Outcome, id, ids, reconcile};

/// Reconciles two nodes of `common` ids; `left` more only at the first, `right` only at the second.
fn cost(common: u64, left: u64, right: u64) -> Outcome {
    let mut a = Node::with((0..common + left).map(id));
    let mut b = Node::with((0..common).chain(common + left..common + left + right).map(id));
    let outcome = reconcile(&mut a, &mut b);
    assert_eq!(outcome.gives[0], ids(common..common + left));
    assert_eq!(outcome.gives[1], ids(common + left..common + left + right));
    println!(
        "{common:>7} in common, {left:>6} and {right:>6} apart: {:>6} + {:>6} bytes in {:>2} frames",
        outcome.bytes[0], outcome.bytes[1], outcome.frames
    );
    outcome
}

#[test]
fn equal_sets_cost_nothing_beyond_the_hello() {
    assert_eq!(cost(100_000, 0, 0).frames, 0);
    assert_eq!(cost(0, 0, 0).frames, 0);
}

#[test]
fn an_empty_phone_costs_a_large_carrier_nothing() {
    assert_eq!(cost(0, 0, 100_000).frames, 0);
    assert!(cost(5, 0, 100_000).total_bytes() < 100);
}

#[test]
fn ten_differences_of_a_hundred_thousand_cost_less_than_a_kilobyte() {
    for (left, right) in [(5, 5), (10, 0), (0, 10)] {
        assert!(cost(100_000, left, right).total_bytes() <= 1_000);
    }
    assert!(cost(100_000, 0, 1).total_bytes() <= 400);
}

#[test]
fn a_thousand_differences_of_a_hundred_thousand_cost_less_than_thirty_kilobytes() {
    for (left, right) in [(500, 500), (1_000, 0), (0, 1_000), (900, 100)] {
        let outcome = cost(100_000, left, right);
        assert!(outcome.total_bytes() <= 30_000);
        assert!(outcome.frames <= 16, "and few round trips");
    }
}

#[test]
fn small_sets_cost_little() {
    assert!(cost(40, 1, 1).total_bytes() <= 400);
    assert!(cost(100, 1, 1).total_bytes() <= 400);
    assert!(cost(1_000, 4, 4).total_bytes() <= 700);
    assert!(cost(3_000, 4, 4).total_bytes() <= 700);
}

#[test]
fn sets_far_apart_cost_no_more_than_twice_a_list() {
    // 8 bytes for each id of the smaller set, and as many for each that the larger lacks.
    for (common, left, right) in [(0, 3_000, 3_000), (1_000, 0, 500), (100, 10, 10), (20_000, 9_000, 9_000)] {
        let list = 8 * (common + left.min(right) + left) as usize;
        assert!(cost(common, left, right).total_bytes() <= 2 * list + 400);
    }
}

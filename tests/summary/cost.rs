//! What summaries cost on the wire.

use crate::common::{Node, id, ids, reconcile};

/// Two nodes of about `common` ids; `left` more only at the first, `right` only at the second.
fn cost(common: u64, left: u64, right: u64) -> (usize, usize) {
    let mut a = Node::with((0..common + left).map(id));
    let mut b = Node::with((0..common).chain(common + left..common + left + right).map(id));
    let outcome = reconcile(&mut a, &mut b);
    assert_eq!(outcome.gives[0], ids(common..common + left));
    assert_eq!(outcome.gives[1], ids(common + left..common + left + right));
    println!(
        "{common:>9} in common, {left:>6} + {right:>6} apart: {:>7} bytes, {:>2} frames",
        outcome.total_bytes(),
        outcome.frames
    );
    (outcome.total_bytes(), outcome.frames)
}

#[test]
fn costs() {
    for (common, left, right) in [
        (100_000, 0, 0),
        (100_000, 0, 1),
        (100_000, 5, 5),
        (100_000, 10, 0),
        (100_000, 500, 500),
        (100_000, 1_000, 0),
        (100_000, 0, 1000),
        (100_000, 50, 50),
        (100_000, 10_000, 10_000),
        (100_000, 100_000, 0),
        (0, 100_000, 0),
        (1_000, 4, 4),
        (1_000, 50, 50),
        (1000, 0, 500),
        (100, 1, 1),
        (100, 10, 10),
        (40, 1, 1),
        (3000, 5, 5),
        (0, 3000, 3000),
        (2, 3000, 0),
    ] {
        cost(common, left, right);
    }
}

//! Offers that are watched, to see that nobody waits for them in vain.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::BundleId;

/// What happened to offers while they were watched.
#[derive(Default)]
pub struct Waits {
    /// Who offered what to whom, and when first: honest nodes to each other.
    pub offered: BTreeMap<(usize, usize, BundleId), u64>,
    /// Who was asked for what by whom.
    pub asked: BTreeSet<(usize, usize, BundleId)>,
    /// Who had no room or no use for what, whoever brings it.
    pub refused: BTreeSet<(usize, BundleId)>,
    /// Who had what and has it no more: for want of room, and then it is not taken again for a while, or at the end of the
    /// life that hops told of, and what was offered while it was held is not remembered.
    pub left: BTreeSet<(usize, BundleId)>,
}

//! How much of an app is heard.
//!
//! One who keeps to the bounds writes at most so much, and nothing once all have written theirs; but all who write at a time,
//! apart from each other, may come to more together. What they cost in all is heard up to twice what is written. Past that
//! every author has an even share: who needs less is heard whole and leaves the rest to the others. So equal sets of
//! updates are heard alike everywhere, whatever came first, and who floods an app takes nothing from who does not.
//!
//! An even share only falls as updates come. So what an author has who was heard in part need not be known: it is more than
//! any share there will be, and counts as the most that anybody's may.

use crate::mail::entries::number;
use crate::mail::shelf::{Shelf, ShelfMut};

/// So many updates of one app are written at most; then it is read-only.
pub const UPDATES_MAX: u64 = 16_384;
/// So many bytes they have together at most.
pub const UPDATES_BYTES_MAX: u64 = 32 << 20;
/// So many updates of one app by one author are heard.
pub const AUTHOR_UPDATES_MAX: u64 = 4_096;
/// So many bytes these have together.
pub const AUTHOR_BYTES_MAX: u64 = 8 << 20;
/// An update costs its bytes and so many more: as many as fill the room of all when there are as many as may be.
const EACH_COST_BYTES: u64 = UPDATES_BYTES_MAX / UPDATES_MAX;
/// Where so little is left, hardly an update fits.
const LEAST_BYTES: u64 = 64;

pub(super) const BOUNDS: Bounds = Bounds {
    author: Sum { updates: AUTHOR_UPDATES_MAX, bytes: AUTHOR_BYTES_MAX },
    all: Sum { updates: 2 * UPDATES_MAX, bytes: 2 * UPDATES_BYTES_MAX },
};

// What is heard of all has fewer updates than there are serials from one event to the next.
const _: () = assert!(BOUNDS.all.cost() / (EACH_COST_BYTES + 1) < super::STEP);

/// How much there is of updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub updates: u64,
    pub bytes: u64,
}

/// How much is heard of one author, and of all together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub author: Sum,
    pub all: Sum,
}

impl Sum {
    pub(super) const fn cost(self) -> u64 {
        self.bytes + self.updates * EACH_COST_BYTES
    }

    pub(super) fn and(self, bytes: u64) -> Sum {
        Sum { updates: self.updates + 1, bytes: self.bytes + bytes }
    }

    pub(super) fn less(self, bytes: u64) -> Sum {
        Sum { updates: self.updates.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }

    /// Reads what [`Sum::write`] wrote.
    pub(super) fn of(value: &[u8]) -> Sum {
        Sum { updates: number(value, 0), bytes: number(value, 8) }
    }

    pub(super) fn read<S: Shelf>(shelf: &S, key: &[u8]) -> Result<Sum, S::Error> {
        Ok(shelf.get(key)?.map_or(Sum::default(), |value| Sum::of(&value)))
    }

    pub(super) fn write<S: ShelfMut>(self, shelf: &mut S, key: &[u8]) -> Result<(), S::Error> {
        match self.updates {
            0 => shelf.remove(key),
            _ => shelf.put(key, &[self.updates, self.bytes].map(u64::to_be_bytes).concat()),
        }
    }
}

impl Bounds {
    /// Whether this is more than is heard of one author.
    pub fn is_too_much(&self, share: Sum) -> bool {
        share.updates > self.author.updates || share.bytes > self.author.bytes
    }

    /// What an author's share costs at most.
    pub fn share_cost(&self) -> u64 {
        self.author.cost()
    }

    /// Whether all together are far below what is heard, as long as no author was held to an even share: who has more than is
    /// heard of one has, but for one update, at least half of what that may cost.
    pub fn is_ample(&self, all: Sum) -> bool {
        all.cost() <= self.all.cost() / 4
    }

    /// The share that no author has more than, where these costs of all are more than is heard.
    pub fn even_share(&self, costs: impl Iterator<Item = u64>) -> Option<u64> {
        let mut costs: Vec<u64> = costs.collect();
        costs.sort_unstable();
        let mut left = self.all.cost();
        for (n, cost) in costs.iter().enumerate() {
            let even = left / (costs.len() - n) as u64;
            if *cost > even {
                return Some(even);
            }
            left -= cost;
        }
        None
    }
}

/// Whether who has this share of an app, which has so much in all, writes nothing more in it.
pub fn is_read_only(all: Sum, own: Sum) -> bool {
    let is_over = |sum: Sum, updates: u64, bytes: u64| sum.updates >= updates || sum.bytes + LEAST_BYTES > bytes;
    is_over(all, UPDATES_MAX, UPDATES_BYTES_MAX) || is_over(own, AUTHOR_UPDATES_MAX, AUTHOR_BYTES_MAX)
}

/// Whether one more update of so many bytes would be more than is heard of an author with this share.
pub fn is_too_much_with(own: Sum, bytes: usize) -> bool {
    BOUNDS.is_too_much(own.and(bytes as u64))
}

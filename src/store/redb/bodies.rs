//! Where a stored body stands: most in one table, and what is a little too long for a page of redb in two.
//!
//! redb gives a long value pages of its own, as many as a power of two. A part of a file is a quarter of a megabyte and some
//! hundred bytes, so it would take half a megabyte, all of which is written. Of such a body as much as fills its pages stands
//! in [`BODIES`](tables::BODIES), and the rest at the same row of [`RESTS`](tables::RESTS). Whether there is a rest is told
//! by the length of what stands in the first.

use std::borrow::Cow;

use redb::{ReadTransaction, ReadableTable};

use super::failure::failed;
use super::salvage::open;
use super::tables;
use crate::store::StoreError;

type Bytes = &'static [u8];

/// What a leaf of redb with one row has beside its value: its head, where the value ends, and the row.
const LEAF_BYTES: usize = 4 + 4 + 8;
/// Shorter bodies are not worth a second row.
const PAGES_BYTES_MIN: usize = 32 << 10;

/// How much of a body of this length stands in the first table.
pub fn split_at(len: usize) -> usize {
    let pages = (len + LEAF_BYTES).next_power_of_two() / 2;
    let first = pages.saturating_sub(LEAF_BYTES);
    // Where more is over, both would take nearly as much as one.
    let is_worth_it = pages >= PAGES_BYTES_MIN && len - first + LEAF_BYTES <= pages / 2;
    if is_worth_it { first } else { len }
}

/// Whether there may be a rest of a body of which so much stands in the first table.
pub fn may_go_on(first: usize) -> bool {
    let pages = first + LEAF_BYTES;
    pages.is_power_of_two() && pages >= PAGES_BYTES_MIN
}

/// The whole body whose beginning is `first`; a rest that is lost leaves what no checksum agrees to.
pub fn whole<'a>(
    rests: &impl ReadableTable<u64, Bytes>,
    row: u64,
    first: &'a [u8],
) -> Result<Cow<'a, [u8]>, StoreError> {
    if !may_go_on(first.len()) {
        return Ok(Cow::Borrowed(first));
    }
    Ok(match rests.get(row).map_err(failed)? {
        Some(rest) => Cow::Owned([first, rest.value()].concat()),
        None => Cow::Borrowed(first),
    })
}

/// The same, where the table need not be open and a store of before it has none.
pub fn whole_in<'a>(txn: &ReadTransaction, row: u64, first: &'a [u8]) -> Result<Cow<'a, [u8]>, StoreError> {
    if !may_go_on(first.len()) {
        return Ok(Cow::Borrowed(first));
    }
    match open(txn, tables::RESTS)? {
        Some(rests) => whole(&rests, row, first),
        None => Ok(Cow::Borrowed(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of a value of this length.
    fn pages(len: usize) -> usize {
        (len + LEAF_BYTES).next_power_of_two().max(4_096)
    }

    #[test]
    fn what_is_split_takes_less_and_says_that_it_goes_on() {
        let part = (256 << 10) + 800;
        assert_eq!(split_at(part), (256 << 10) - LEAF_BYTES);
        for len in (0..2_000_000).step_by(37).chain([part, 1 << 20, (1 << 20) - LEAF_BYTES, (1 << 20) - LEAF_BYTES + 1])
        {
            let first = split_at(len);
            if first == len {
                continue;
            }
            assert!(may_go_on(first), "{len}");
            assert!(pages(first) + pages(len - first) <= pages(len) / 4 * 3, "{len}");
        }
    }
}

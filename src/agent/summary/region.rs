//! Which ids an exchange is about: some buckets, and of those a stretch.

use super::index::IdIndex;
use super::key::ContactKey;
use crate::id::BundleId;

/// A set of buckets: those where two summaries differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSet {
    bits: u8,
    /// One bit a bucket, the first bucket in the highest bit; empty where `bits` is 0 and the set is everything.
    map: Vec<u8>,
}

/// Buckets, and the prefixes from `first` to `last` within them, both included.
#[derive(Clone, Debug)]
pub struct Region {
    pub buckets: BucketSet,
    pub first: u64,
    pub last: u64,
}

impl BucketSet {
    /// Everything, in one bucket.
    pub fn everything() -> BucketSet {
        BucketSet { bits: 0, map: Vec::new() }
    }

    /// None of `1 << bits` buckets, at least eight.
    pub fn none(bits: u8) -> BucketSet {
        BucketSet { bits, map: vec![0; 1 << (bits - 3)] }
    }

    /// Reads what [`BucketSet::map`] gave, if it is about `1 << bits` buckets.
    pub fn from_map(bits: u8, map: &[u8]) -> Option<BucketSet> {
        let expected = if bits == 0 { 0 } else { 1 << (bits - 3) };
        (map.len() == expected).then(|| BucketSet { bits, map: map.to_vec() })
    }

    pub fn map(&self) -> &[u8] {
        &self.map
    }

    pub fn insert(&mut self, bucket: usize) {
        self.map[bucket / 8] |= 0x80 >> (bucket % 8);
    }

    fn contains(&self, bucket: usize) -> bool {
        self.bits == 0 || self.map[bucket / 8] & (0x80 >> (bucket % 8)) != 0
    }
}

impl Region {
    /// Prefixes and slots of the ids in this region, in their order.
    pub fn ids<'a>(&'a self, index: &'a IdIndex) -> impl Iterator<Item = (u64, u32)> + 'a {
        self.runs().flat_map(|(first, last)| index.range(first, last))
    }

    /// The first and last prefix of each run of neighbouring buckets: sets far apart differ in most buckets, and one walk
    /// costs less than one for each.
    fn runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let bits = u32::from(self.buckets.bits);
        let low = move |bucket: usize| (bucket as u64).checked_shl(64 - bits).unwrap_or(0);
        let high = move |bucket: usize| low(bucket) | u64::MAX >> bits;
        let mut next = 0;
        let runs = std::iter::from_fn(move || {
            let first = (next..1 << bits).find(|bucket| self.buckets.contains(*bucket))?;
            next = (first..1 << bits).find(|bucket| !self.buckets.contains(*bucket)).unwrap_or(1 << bits);
            Some((low(first), high(next - 1)))
        });
        let clipped = runs.map(|(low, high)| (low.max(self.first), high.min(self.last)));
        clipped.filter(|(first, last)| first <= last)
    }

    /// Short ids, prefixes and slots of the ids in this region.
    pub fn shorts<'a>(
        &'a self,
        key: &'a ContactKey,
        index: &'a IdIndex,
        full: &'a impl Fn(u32) -> BundleId,
    ) -> impl Iterator<Item = (u64, u64, u32)> + 'a {
        self.ids(index).map(|(prefix, slot)| (key.short_id(&full(slot)), prefix, slot))
    }
}

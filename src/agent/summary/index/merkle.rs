//! Digests of sets of ids, from the leaves up, recomputed only where something changed.
//!
//! A leaf's digest is BLAKE3 over its full ids in order, a branch's is BLAKE3 over the digests of its four children,
//! both cut to 16 bytes and keyed apart; a place without ids has the digest zero. As the set alone decides which
//! places are leaves, each digest says nothing but which ids lie below, whatever came and went before.

use super::{Body, Entry, IdIndex, LEAF_IDS_MAX};
use crate::id::BundleId;

/// Stands for a set of ids; to find two sets with one digest takes 2^64 hashes.
pub type Digest = [u8; 16];

/// All ids that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub digest: Digest,
    pub count: u32,
}

const LEAF_KEY: &[u8; 32] = b"dak 2026 summary: ids, in order\0";
const BRANCH_KEY: &[u8; 32] = b"dak 2026 summary: four children\0";

impl IdIndex {
    /// The digest of the whole set; zero for the empty one.
    pub fn root(&mut self, full: &impl Fn(u32) -> BundleId) -> Digest {
        if self.nodes[0].stale {
            self.refresh(0, full, &mut Vec::with_capacity(LEAF_IDS_MAX * 32));
        }
        self.nodes[0].digest
    }

    /// The `1 << bits` buckets in the order of the ids. Panics unless `bits` is even, at most 16.
    pub fn buckets(&mut self, bits: u8, full: &impl Fn(u32) -> BundleId) -> Vec<Bucket> {
        assert!(bits.is_multiple_of(2) && bits <= 16, "the tree branches by two bits at a time");
        self.root(full);
        let mut buckets = Vec::with_capacity(1 << bits);
        let mut scratch = Vec::with_capacity(LEAF_IDS_MAX * 32);
        self.collect(0, 0, u32::from(bits), full, &mut scratch, &mut buckets);
        buckets
    }

    fn refresh(&mut self, node: usize, full: &impl Fn(u32) -> BundleId, scratch: &mut Vec<u8>) {
        if !self.nodes[node].stale {
            return;
        }
        let digest = match &self.nodes[node].body {
            Body::Leaf(entries) => leaf_digest(entries, full, scratch),
            &Body::Branch(children) => {
                let mut digests = [0; 64];
                for (child, digest) in (children as usize..).zip(digests.as_chunks_mut().0) {
                    self.refresh(child, full, scratch);
                    *digest = self.nodes[child].digest;
                }
                cut(blake3::keyed_hash(BRANCH_KEY, &digests))
            }
        };
        self.nodes[node].digest = digest;
        self.nodes[node].stale = false;
    }

    /// Appends the buckets under a fresh node that lies `depth` bits deep.
    fn collect(
        &self,
        node: usize,
        depth: u32,
        bits: u32,
        full: &impl Fn(u32) -> BundleId,
        scratch: &mut Vec<u8>,
        into: &mut Vec<Bucket>,
    ) {
        let node = &self.nodes[node];
        match &node.body {
            _ if depth == bits => into.push(Bucket { digest: node.digest, count: node.count }),
            Body::Branch(children) => {
                (0..4).for_each(|n| self.collect(*children as usize + n, depth + 2, bits, full, scratch, into));
            }
            // A leaf above the buckets: each takes its share of the few ids, as a leaf of its own would have it.
            Body::Leaf(entries) => {
                let mut rest = entries.as_slice();
                let first = into.len() as u64;
                for bucket in first..first + (1 << (bits - depth)) {
                    let len = rest.partition_point(|entry| entry.prefix() >> (64 - bits) <= bucket);
                    let (mine, others) = rest.split_at(len);
                    rest = others;
                    into.push(Bucket { digest: leaf_digest(mine, full, scratch), count: len as u32 });
                }
            }
        }
    }
}

fn leaf_digest(entries: &[Entry], full: &impl Fn(u32) -> BundleId, scratch: &mut Vec<u8>) -> Digest {
    if entries.is_empty() {
        return [0; 16];
    }
    scratch.clear();
    entries.iter().for_each(|entry| scratch.extend_from_slice(&full(entry.slot).0));
    cut(blake3::keyed_hash(LEAF_KEY, scratch))
}

fn cut(hash: blake3::Hash) -> Digest {
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}

//! Which ids two nodes know and the other lacks, at a cost in proportion to the difference.
//!
//! A node *knows* an id while it holds the bundle. Two nodes that meet compare what they know before they push anything,
//! or each would send the other what it has long had. Ids that are gone are no part of it: nodes differ in them for good,
//! as only those that once held a bundle remember it, and would tell each other so at every contact.
//!
//! [`IdIndex`] is the set of known ids, as a tree over the bits of the ids. It answers look-ups, and because each of
//! its nodes keeps a digest of the ids below, it gives the *root* that goes into a `Hello`: equal roots, and nothing
//! more is said. Digests are BLAKE3 over full ids, never XOR or sums, which can be solved so that somebody's bundle is
//! overlooked. The set alone decides the shape of the tree, so equal sets have equal roots whatever came and went.
//!
//! [`Reconciliation`] is what two nodes do when the roots differ, in three steps of falling size:
//!
//! 1. the digests of 16 to 1,024 buckets, four bytes each, tell where the sets differ;
//! 2. of those buckets, either a list of short ids or rateless cells (`cells.rs`) tell what one side knows, whichever
//!    takes fewer bytes; the choice is the teller's, and it turns to the list when cells prove dearer than guessed;
//! 3. the other side works out both halves of the difference, pushes one and asks for the other.
//!
//! Short ids, checksums and fingerprints are hashed under a key of both nonces, so that no id can be made beforehand
//! to collide or cancel out, and what misleads one contact by chance misleads no other.
//!
//! The buckets are stretches of ids, not of time. Splitting by creation time first would put the news of a day into
//! few buckets; but cells cost what the difference costs wherever in their buckets it lies, so all that time could save
//! is the hashing of some thousand short ids, at the price of a second tree beside the one for look-ups and of ids
//! whose place the sender of a bundle chooses.
//!
//! | of 100,000 known | apart | bytes both ways, Hellos excluded |
//! |---|---|---|
//! | | 0 | 0 |
//! | | 10 | about 550 |
//! | | 1,000 | 19,000 to 25,000 |
//!
//! Left out on purpose: which of the ids found a peer should get. That is the strategy's business.

mod cells;
mod index;
mod key;
mod plan;
mod reconciliation;
mod region;
mod solver;
mod step;
mod teller;

pub use index::{Bucket, Digest, IdIndex, Range};
pub use key::ContactKey;
pub use reconciliation::{Claim, Reconciliation};
pub use step::{STRETCH_IDS_MAX, Step};

//! Which ids two nodes know and the other lacks, at a cost in proportion to the difference.

mod cells;
mod index;
mod key;
mod plan;
mod reconciliation;
mod region;
mod solver;
mod teller;

pub use index::{Bucket, Digest, IdIndex, Range};
pub use key::ContactKey;
pub use reconciliation::{Claim, Reconciliation, STRETCH_IDS_MAX, Step};

//! The wire to the byte: what is accepted, what is refused and why, and what other implementations make of it.

#[path = "codec/bundles.rs"]
mod bundles;
#[path = "codec/common.rs"]
mod common;
#[path = "codec/folds.rs"]
mod folds;
#[path = "codec/foreign.rs"]
mod foreign;
#[path = "codec/frames.rs"]
mod frames;
#[path = "codec/hand.rs"]
mod hand;
#[path = "codec/inspection.rs"]
mod inspection;
#[path = "codec/memory.rs"]
mod memory;
#[path = "codec/messages.rs"]
mod messages;
#[path = "codec/mutations.rs"]
mod mutations;
#[path = "codec/oracles.rs"]
mod oracles;
#[path = "codec/receipts.rs"]
mod receipts;
#[path = "codec/refusals.rs"]
mod refusals;
#[path = "codec/tshark.rs"]
mod tshark;
#[path = "codec/vectors.rs"]
mod vectors;
#[path = "codec/wycheproof.rs"]
mod wycheproof;

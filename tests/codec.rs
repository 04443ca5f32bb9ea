//! The wire to the byte: what is accepted, what is refused and why, and what other implementations make of it.

#[path = "codec/bundles.rs"]
mod bundles;
#[path = "codec/common.rs"]
mod common;

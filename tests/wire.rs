//! The description of the wire (`src/wire.md`) and the code say the same: each vector, each number, each name.
#![cfg(feature = "node")]

#[path = "wire/limits.rs"]
mod limits;
#[path = "wire/names.rs"]
mod names;
#[path = "wire/page.rs"]
mod page;
#[path = "wire/pairing.rs"]
mod pairing;
#[path = "wire/summary.rs"]
mod summary;
#[path = "wire/vectors.rs"]
mod vectors;

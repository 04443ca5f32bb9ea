//! The bundle protocol agent: pure, deterministic, without clock, entropy, network or disk.

pub mod change;
pub mod io;
pub mod summary;

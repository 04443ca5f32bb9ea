//! Stories of simulated runs: what the world promises whoever reads its figures.

#[path = "sim/common.rs"]
mod common;
#[path = "sim/exact.rs"]
mod exact;

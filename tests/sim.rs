//! Stories of simulated runs: what the world promises whoever reads its figures.

#[path = "sim/common.rs"]
mod common;
#[path = "sim/exact.rs"]
mod exact;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/fuzz.rs"]
mod fuzz;
#[path = "sim/groups.rs"]
mod groups;
#[path = "sim/liars.rs"]
mod liars;
#[path = "sim/rated.rs"]
mod rated;
#[path = "sim/same.rs"]
mod same;
#[path = "sim/traffic.rs"]
mod traffic;

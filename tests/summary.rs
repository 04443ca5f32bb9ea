//! Summaries: two nodes learn which ids the other lacks, at the price of the difference.

#[path = "summary/common.rs"]
mod common;
#[path = "summary/cost.rs"]
mod cost;
#[path = "summary/difference.rs"]
mod difference;
#[path = "summary/hostile.rs"]
mod hostile;
#[path = "summary/index.rs"]
mod index;

//! Summaries: two nodes learn which ids the other lacks, at the price of the difference.

#[path = "summary/common.rs"]
mod common;

#[path = "summary/cost.rs"]
mod cost;

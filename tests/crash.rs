//! Real processes on real disks: killed at any moment, and out of room. What a node acknowledged is never lost.
//!
//! The ordinary run takes a minute's worth of it. The long one, thousands of kills and 100,000 acknowledged bundles, and
//! fifty times a full disk:
//!
//! ```text
//! DAK_CRASH=full cargo test --release --test crash -- --nocapture
//! ```
//!
//! `DAK_CRASH_SEED=7` takes other moments; what a machine makes of them differs from run to run.
#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

#[path = "crash/full.rs"]
mod full;
#[path = "crash/giver.rs"]
mod giver;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/ledger.rs"]
mod ledger;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;

use std::time::Duration;

/// How long anything may take; a failure is an invariant broken, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn is_full() -> bool {
    std::env::var("DAK_CRASH").is_ok_and(|extent| extent == "full")
}

fn seed() -> u64 {
    std::env::var("DAK_CRASH_SEED").map_or(1, |seed| seed.parse().expect("DAK_CRASH_SEED is a number"))
}

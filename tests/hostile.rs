//! Hostile peers for real: libp2p over the loopback against a `dak up` with a real store.
//!
//! The ordinary run takes a sample of thousands. Everything, a million forgeries and minutes of floods:
//!
//! ```text
//! DAK_HOSTILE=full cargo test --release --test hostile -- --nocapture --test-threads=1
//! ```
//!
//! Each story prints a PASS or FAIL line for what it promises. Times and memory are promised by the full run only, and to
//! a machine that has nothing else to do; the floods in multicast need root and iproute2, and say so where they may not.
#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/forge.rs"]
mod forge;
#[path = "hostile/forgeries.rs"]
mod forgeries;
#[path = "hostile/groups.rs"]
mod groups;
#[path = "hostile/malformed.rs"]
mod malformed;
#[path = "hostile/multicast.rs"]
mod multicast;
#[path = "hostile/pairing.rs"]
mod pairing;
#[path = "hostile/parts.rs"]
mod parts;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "hostile/receipts.rs"]
mod receipts;
#[path = "hostile/replays.rs"]
mod replays;
#[path = "hostile/rogue.rs"]
mod rogue;
#[path = "hostile/target.rs"]
mod target;
#[path = "hostile/topics.rs"]
mod topics;
#[path = "hostile/verdict.rs"]
mod verdict;
#[path = "hostile/wire.rs"]
mod wire;
#[path = "hostile/witness.rs"]
mod witness;

use std::time::Duration;

/// How long anything may take; a failure is a promise broken, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether everything is asked for.
fn is_full() -> bool {
    std::env::var("DAK_HOSTILE").is_ok_and(|size| size == "full")
}

/// The size of a story in an ordinary run and in the full one.
fn size(sample: u64, full: u64) -> u64 {
    if is_full() { full } else { sample }
}

/// One attacker's runtime; the node has processes of its own.
fn run<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(story)
}

//! The store on a simulated disk: power cuts at every write, failing writes, rotten bits.
//!
//! The ordinary run takes a sample. Everything, a million reopened stores or so:
//!
//! ```text
//! DAK_DISK_CASES=full cargo test --release --test disk -- --nocapture
//! ```
//!
//! `DAK_DISK_SEED=7` takes another history. Whatever fails prints one line that replays it.
#![cfg(feature = "node")]

#[path = "disk/case.rs"]
mod case;
#[path = "disk/cuts.rs"]
mod cuts;
#[path = "disk/faults.rs"]
mod faults;
#[path = "disk/image.rs"]
mod image;
#[path = "disk/inspect.rs"]
mod inspect;
#[path = "store/make.rs"]
#[allow(dead_code)]
mod make;
#[path = "disk/recording.rs"]
mod recording;
#[path = "disk/rot.rs"]
mod rot;
#[path = "disk/sim.rs"]
mod sim;

//! What fuzzing tries: one function a target, given bytes, which panics where something is wrong.
//!
//! ```text
//! tests/fuzz/run.sh 60          libFuzzer, every target for a minute each, on a stable compiler
//! cargo test --test fuzzed      the same functions over their seeds and some thousand mutations of them
//! ```
//! A decoder target asks of whatever bytes it is given: no panic, no more memory than [`memory::bounded`] allows, and
//! where they decode, that encoding gives the same bytes again. Files of findings stand in `found/`, each named after
//! its target, and both ways of running try them first.

#![allow(dead_code)]

pub mod agent;
#[cfg(feature = "node")]
pub mod api;
pub mod cells;
#[cfg(feature = "node")]
pub mod config;
pub mod decoders;
pub mod draw;
pub mod memory;
#[cfg(feature = "node")]
pub mod pairing;
pub mod seeds;
pub mod texts;

/// A target: its name, what it does with bytes, and what to begin with.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target there is.
pub fn targets() -> Vec<Target> {
    let target = |name, run, seeds| Target { name, run, seeds };
    vec![
        target("bundle", decoders::bundle, seeds::bundles),
        target("frame", decoders::frame, seeds::frames),
        target("receipt", decoders::receipt, seeds::receipts),
        target("message", decoders::message, seeds::messages),
        target("cells", cells::cells, seeds::draws),
        target("hoard", cells::hoard, seeds::hoards),
        target("ticket", texts::ticket, seeds::tickets),
        target("scenario", texts::scenario, seeds::scenarios),
        target("trace", texts::trace, seeds::traces),
        target("agent", agent::agent, seeds::draws),
        #[cfg(feature = "node")]
        target("config", config::config, seeds::configs),
        #[cfg(feature = "node")]
        target("api", api::api, seeds::requests),
        #[cfg(feature = "node")]
        target("pairing", pairing::pairing, seeds::pairings),
    ]
}

/// Writes what a target begins with into the directory that `DAK_FUZZ_SEEDS` names, where it names one.
pub fn write_seeds(name: &str) {
    let Some(into) = std::env::var_os("DAK_FUZZ_SEEDS").map(std::path::PathBuf::from) else { return };
    let targets = targets();
    let target = targets.iter().find(|target| target.name == name).expect("a target of this name");
    std::fs::create_dir_all(&into).expect("a place for seeds");
    for (n, seed) in (target.seeds)().into_iter().enumerate() {
        std::fs::write(into.join(format!("seed-{n:02}")), seed).expect("room for a seed");
    }
}

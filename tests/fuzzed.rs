//! The targets of `tests/fuzz`, without a fuzzer: their seeds, whatever broke them once, and mutations of both.
//!
//! `DAK_FUZZ_ROUNDS=1000000 cargo test --test fuzzed` tries more of them; every input follows from its number.

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::panic::catch_unwind;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Mutations of each target's inputs in an ordinary run.
const ROUNDS: u64 = 2_000;
/// Longest input made; the targets' own limits have tests of their own.
const INPUT_BYTES_MAX: usize = 4_096;

#[test]
fn no_input_breaks_a_decoder_of_what_peers_send() {
    ["bundle", "frame", "receipt", "message"].into_iter().for_each(hammer);
}

#[test]
fn no_text_breaks_what_people_paste_or_keep() {
    ["ticket", "scenario", "trace"].into_iter().for_each(hammer);
}

#[test]
fn no_talk_breaks_a_summary() {
    hammer("cells");
}

#[test]
fn no_talk_breaks_the_summary_of_a_great_store() {
    // Each of its frames costs a walk over all ids.
    hammer_rarely("hoard", 100);
}

#[test]
fn no_story_breaks_an_agent() {
    hammer("agent");
}

#[cfg(feature = "node")]
#[test]
fn no_configuration_and_no_local_request_breaks_the_edges() {
    ["config", "api"].into_iter().for_each(hammer);
}

#[cfg(feature = "node")]
#[test]
fn nothing_said_or_typed_breaks_a_pairing() {
    hammer("pairing");
}

/// Runs a target over what it begins with, then over mutations.
fn hammer(name: &str) {
    hammer_rarely(name, 1);
}

/// The same with one round in so many.
fn hammer_rarely(name: &str, share: u64) {
    let targets = fuzz::targets();
    let target = targets.iter().find(|target| target.name == name).expect("a target of this name");
    let mut inputs = (target.seeds)();
    inputs.extend(found(name));
    for input in &inputs {
        attempt(name, target.run, input);
    }
    let rounds = std::env::var("DAK_FUZZ_ROUNDS").ok().map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    for round in 0..rounds / share {
        let mut dice = ChaCha8Rng::from_seed(*blake3::hash(format!("{name} {round}").as_bytes()).as_bytes());
        let input = mutated(&inputs, &mut dice);
        attempt(name, target.run, &input);
    }
}

fn attempt(name: &str, run: fn(&[u8]), input: &[u8]) {
    if catch_unwind(|| run(input)).is_err() {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{name} is broken by {hex}; keep it in tests/fuzz/found");
    }
}

/// Inputs that broke a target once.
fn found(name: &str) -> Vec<Vec<u8>> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    let Ok(files) = std::fs::read_dir(place) else { return Vec::new() };
    let paths = files.map(|file| file.expect("a readable directory").path());
    let is_of = |path: &std::path::PathBuf| {
        path.file_name().and_then(|file| file.to_str()).is_some_and(|file| file.starts_with(&format!("{name}-")))
    };
    let mut paths: Vec<_> = paths.filter(is_of).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a readable file")).collect()
}

/// One of the inputs with one to four things changed.
fn mutated(inputs: &[Vec<u8>], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut below = |end: usize| (dice.next_u64() % end.max(1) as u64) as usize;
    let mut input = inputs[below(inputs.len())].clone();
    for _ in 0..=below(4) {
        let at = below(input.len() + 1);
        match below(8) {
            0 if at < input.len() => input[at] ^= 1 << below(8),
            1 if at < input.len() => input[at] = below(256) as u8,
            2 if at < input.len() => input[at] = [0, 0xff, 0x7f, 0x80, 0x1b][below(5)],
            3 => input.truncate(at),
            4 => input.insert(at, below(256) as u8),
            5 => drop(input.drain(at..(at + 1 + below(8)).min(input.len()).max(at))),
            // A stretch of another input, or of this one, in between.
            6 => {
                let other = &inputs[below(inputs.len())];
                let from = below(other.len());
                let to = (from + below(64)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let to = (at + below(64)).min(input.len());
                let stretch = input[at.min(to)..to].to_vec();
                input.extend(stretch);
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

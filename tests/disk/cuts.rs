//! Power cuts and kills at every point of a history, and again while the store recovers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::case::{BATCHES, Case, End};
use crate::image::Part;
use crate::recording::Recording;
use crate::sim::{Op, What};

/// Whether everything is asked for, and not a sample.
pub fn is_full() -> bool {
    std::env::var("DAK_DISK_CASES").is_ok_and(|cases| cases == "full")
}

pub fn seed() -> u64 {
    std::env::var("DAK_DISK_SEED").map_or(1, |seed| seed.parse().expect("DAK_DISK_SEED is a number"))
}

fn recording() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(|| Recording::of(seed(), BATCHES).unwrap())
}

fn compacting() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(|| Recording::of_compacting(seed()).unwrap())
}

/// Runs every case; says how many, and fails with the first few that do not hold.
pub fn all_hold(what: &str, cases: impl ParallelIterator<Item = Case>) {
    let count = AtomicU64::new(0);
    let run = |case: Case| {
        let before = count.fetch_add(1, Ordering::Relaxed);
        if is_full() && before > 0 && before.is_multiple_of(10_000) {
            println!("{what}: {before} cases so far");
        }
        case.run(if case.compacting { compacting() } else { recording() }).err()
    };
    let failures: Vec<String> = cases.filter_map(run).collect();
    let count = count.into_inner();
    println!("{what}: {count} cases of seed {}, {} failures", seed(), failures.len());
    assert!(failures.is_empty(), "{} of {count}: {}", failures.len(), failures[..failures.len().min(5)].join("\n"));
}

#[test]
fn a_power_cut_at_any_write_loses_nothing_acknowledged_and_tears_nothing() {
    let recording = recording();
    let step = if is_full() { 1 } else { 37 };
    let points = (0..recording.points()).into_par_iter().step_by(step);
    let cases = points.flat_map_iter(|point| {
        let subsets = recording.subsets(point);
        let tried = if is_full() { 0..subsets } else { point as u64 % subsets..point as u64 % subsets + 1 };
        tried.map(move |subset| Case::cut(seed(), point, subset))
    });
    all_hold("power cuts", cases);
}

#[test]
fn the_very_first_opening_may_be_cut_anywhere() {
    let recording = recording();
    let cases = (0..recording.points_of_opening())
        .into_par_iter()
        .flat_map_iter(|point| (0..recording.subsets(point)).map(move |subset| Case::cut(seed(), point, subset)));
    all_hold("power cuts in the first opening", cases);
}

#[test]
fn what_a_killed_process_left_in_the_page_cache_is_made_sure_of_before_anybody_reads_it() {
    let step = if is_full() { 1 } else { 71 };
    let points = (0..recording().points()).into_par_iter().step_by(step);
    let cases = points.flat_map_iter(|killed| {
        // The power goes at once after the opening, wherever that is.
        let opening = Recording::reopened(&recording().kill(killed), crate::recording::CACHES[0]);
        let opened = opening.map_or(0, |opening| opening.points_of_opening() - 1);
        let subsets = if is_full() { 0..3 } else { 0..1 };
        subsets.map(move |subset| {
            let cut = End::Cut { point: opened, subset };
            Case { ends: vec![End::Kill { point: killed }, cut], ..Case::cut(seed(), 0, 0) }
        })
    });
    all_hold("kills and power cuts", cases);
}

#[test]
fn a_power_cut_while_freed_space_is_given_back_loses_nothing() {
    let recording = compacting();
    let step = if is_full() { 1 } else { recording.points() / 40 + 1 };
    let cases = (0..recording.points()).into_par_iter().step_by(step).flat_map_iter(|point| {
        let subsets = recording.subsets(point);
        let tried = if is_full() { 0..subsets } else { point as u64 % subsets..point as u64 % subsets + 1 };
        tried.map(move |subset| Case { compacting: true, ..Case::cut(seed(), point, subset) })
    });
    all_hold("power cuts while compacting", cases);
}

#[test]
fn power_cuts_during_recovery_two_and_three_deep_lose_nothing() {
    let scale = if is_full() { 1 } else { 25 };
    all_hold("power cuts two deep", nested(2, 2_000 / scale));
    all_hold("power cuts three deep", nested(3, 500 / scale));
}

fn nested(depth: usize, count: u64) -> impl ParallelIterator<Item = Case> {
    (0..count).into_par_iter().map(move |number| {
        let mut random = ChaCha8Rng::seed_from_u64(seed() << 32 | number << 4 | depth as u64);
        let mut ends = Vec::new();
        for level in 0..depth {
            let subset = u64::from(random.next_u32()) % crate::recording::SUBSETS_MAX;
            let points = match level {
                0 => recording().points(),
                // A recovery is five operations, with a commit and a closing behind it about forty.
                _ if random.next_u32().is_multiple_of(2) => 5,
                _ => 40,
            };
            ends.push(End::Cut { point: random.next_u64() as usize % points, subset });
        }
        Case { ends, ..Case::cut(seed(), 0, 0) }
    })
}

#[test]
fn the_same_seed_makes_the_same_operations() {
    let (one, other) = (Recording::of(5, 12).unwrap(), Recording::of(5, 12).unwrap());
    // All but the names of eras, which no two stores share.
    assert_eq!(one.log().iter().map(shape).collect::<Vec<_>>(), other.log().iter().map(shape).collect::<Vec<_>>());
}

fn shape(op: &Op) -> (Part, &str, u64, usize) {
    match &op.what {
        What::Write { offset, data } => (op.part, "write", *offset, data.len()),
        What::SetLen(len) => (op.part, "length", *len, 0),
        What::Sync => (op.part, "sync", 0, 0),
    }
}

#[test]
fn a_case_is_replayed() {
    let Ok(text) = std::env::var("DAK_DISK_REPLAY") else {
        let case: Case = "3:50.4:7k:2.0".parse().unwrap();
        assert_eq!(case.to_string(), "3:50.4:7k:2.0");
        assert!("c3:0.0".parse::<Case>().unwrap().compacting);
        return;
    };
    let case: Case = text.parse().expect("DAK_DISK_REPLAY is seed:point.subset:...");
    let recording = match case.compacting {
        true => Recording::of_compacting(case.seed).unwrap(),
        false => Recording::of(case.seed, BATCHES).unwrap(),
    };
    println!("{} points, {} operations", recording.points(), recording.log().len());
    case.run(&recording).unwrap_or_else(|why| panic!("{why}"));
}

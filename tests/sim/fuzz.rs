//! Whole networks under faults: a fixed few hundred seeds, and those that ever found something.

use dak::sim::fuzz::{Actor, Counts, Run, run, run_twice};
use rayon::prelude::*;

/// Seeds that once broke a promise, or came close.
const KEPT: [u64; 55] = [
    27, 138, 793, 1_223, 2_045_186, 2_004_321, 20_000_833, 20_011_253, 20_011_512, 20_017_307, 20_025_021, 20_029_408,
    20_056_839, 20_096_728, 2_370, 56, 3_759, 5_117, 8_111, 8_246, 9_684, 9_889, 10_206, 11_032, 12_678, 13_580,
    13_665, 13_750, 50_169, 52_696, 53_097, 57_018, 58_353, 58_981, 60_795, 64_000, 5_010_847, 5_002_150, 5_000_211,
    36_600, 14_139, 32_380, 43_521, 43_856, 48_201, 48_327, 65_456, 99_896, 87_745, 96_280, 8_040_117, 8_063_676,
    8_013_479, 8_022_161, 8_098_159,
];
const SEEDS: u64 = 240;
/// Of each kind of hostile nodes.
const ALONE: u64 = 16;

fn expect_nothing_broken(runs: &[Run]) {
    let broken: Vec<String> = runs.iter().filter(|run| run.violation.is_some()).map(|run| run.to_string()).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_seed_breaks_a_promise() {
    let runs: Vec<Run> = (1..=SEEDS).into_par_iter().chain(KEPT).map(|seed| run(seed, None)).collect();
    expect_nothing_broken(&runs);
    let mut counts = Counts::default();
    runs.iter().for_each(|run| counts.add(&run.counts));
    // Faults that never happen find nothing.
    let happened = [
        counts.messages,
        counts.delivered,
        counts.damaged,
        counts.refused,
        counts.crashes,
        counts.batches_lost,
        counts.commits_failed,
        counts.evictions,
        counts.deeds,
        counts.clock_jumps,
        counts.owed,
        counts.waited,
        counts.published,
        counts.heard,
        counts.from_files,
        counts.in_group,
        counts.parts,
        counts.words,
        counts.keys,
        counts.asked,
        counts.got,
        counts.said,
    ];
    assert!(happened.iter().all(|count| *count >= 50), "{counts:?}");
}

#[test]
fn a_seed_comes_out_the_same_each_time() {
    let runs: Vec<Run> = (1_000..1_016).into_par_iter().map(|seed| run_twice(seed, None)).collect();
    expect_nothing_broken(&runs);
    assert_ne!(runs[0].hash, runs[1].hash, "seeds differ");
}

#[test]
fn no_kind_of_hostile_node_breaks_a_promise_by_itself() {
    let all = Actor::ALL.into_par_iter().flat_map(|actor| (1..=ALONE).into_par_iter().map(move |seed| (seed, actor)));
    let runs: Vec<Run> = all.map(|(seed, actor)| run(seed, Some(&[actor]))).collect();
    expect_nothing_broken(&runs);
    assert!(runs.iter().filter(|run| run.counts.deeds > 0).count() >= runs.len() / 2, "they act");
}

//! Instant links and endless stores leave a strategy nothing to lose: epidemic routing delivers each message at the
//! earliest possible instant, and direct delivery when its two ends first meet.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use dak::sim::oracle;
use dak::sim::random::Stream;
use dak::sim::scenario::Loaded;

use crate::common::{Shape, draw, ideal, load, run};

const DENSE: Shape =
    Shape { nodes: 30, contacts: 600, messages: 200, span_ms: 600_000, grid_ms: 1_000, longest_ms: 60_000 };
const SPARSE: Shape =
    Shape { nodes: 60, contacts: 300, messages: 200, span_ms: 3_600_000, grid_ms: 500, longest_ms: 20_000 };
/// Everything happens at a few instants.
const COARSE: Shape =
    Shape { nodes: 12, contacts: 150, messages: 120, span_ms: 60_000, grid_ms: 5_000, longest_ms: 10_000 };
const MANY: Shape =
    Shape { nodes: 500, contacts: 1_500, messages: 60, span_ms: 600_000, grid_ms: 1_000, longest_ms: 120_000 };

/// Every difference between a run and what the oracle says, one a line.
fn differences(loaded: &Loaded, direct: bool) -> String {
    let lifetime_us = loaded.scenario.bundle.lifetime_us;
    let arrivals = oracle::solve(loaded.nodes, loaded.events(), &loaded.messages, lifetime_us);
    let outcome = run(loaded);
    let mut text = String::new();
    for (row, arrival) in outcome.tally.rows.iter().zip(arrivals) {
        let expected = if direct { arrival.direct_us } else { arrival.earliest_us };
        if row.delivered_us != expected {
            writeln!(text, "{} at {}: {:?}, not {expected:?}", row.id, row.create_us, row.delivered_us).unwrap();
        }
    }
    text
}

fn check(shape: Shape, seed: u64, rest: &str) {
    let (trace, messages) = draw(shape, seed);
    for strategy in ["epidemic", "direct"] {
        let loaded = load(&trace, &messages, &format!("{}{rest}", ideal(strategy)));
        let differences = differences(&loaded, strategy == "direct");
        assert!(differences.is_empty(), "{strategy}, seed {seed}, {shape:?}:\n{differences}");
    }
}

#[test]
fn epidemic_and_direct_equal_the_oracle_on_dense_contacts() {
    (0..4).for_each(|seed| check(DENSE, seed, ""));
}

#[test]
fn epidemic_and_direct_equal_the_oracle_on_sparse_contacts() {
    (0..4).for_each(|seed| check(SPARSE, seed, ""));
}

#[test]
fn epidemic_and_direct_equal_the_oracle_where_all_happens_at_a_few_instants() {
    (0..12).for_each(|seed| check(COARSE, seed, ""));
}

#[test]
fn epidemic_and_direct_equal_the_oracle_among_hundreds_of_nodes() {
    (0..2).for_each(|seed| check(MANY, seed, ""));
}

#[test]
fn a_chain_longer_than_a_count_of_hops_is_crossed_to_its_end() {
    let mut trace = String::new();
    let even_first = (0..300).step_by(2).chain((1..300).step_by(2));
    even_first.for_each(|n| writeln!(trace, "{} CONN {n} {} up", 5 + n % 2, n + 1).unwrap());
    (0..300).for_each(|n| writeln!(trace, "20 CONN {n} {} down", n + 1).unwrap());
    let messages = "1 C there 0 300 100\n1 C back 300 0 100\n";
    let loaded = load(&trace, messages, &ideal("epidemic"));
    assert!(
        oracle::solve(loaded.nodes, loaded.events(), &loaded.messages, None).iter().all(|a| a.earliest_us.is_some())
    );
    let differences = differences(&loaded, false);
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn a_file_as_others_write_it_is_the_same_run() {
    for seed in 0..6 {
        let (trace, messages) = draw(COARSE, seed);
        let plain = load(&trace, &messages, &ideal("epidemic"));
        let other = load(&as_others_write(&trace, seed), &messages.replace('\n', "\r\n"), &ideal("epidemic"));
        assert!(plain.events().eq(other.events()) && plain.messages == other.messages, "seed {seed}");
        let differences = differences(&other, false);
        assert!(differences.is_empty(), "seed {seed}:\n{differences}");
    }
}

/// The same contacts with Windows line ends, comments, ids the other way round, and contacts of no length beside them.
fn as_others_write(trace: &str, seed: u64) -> String {
    let mut draw = Stream::new(seed, "others", 0);
    let mut text = String::from("# contacts\r\n\r\n");
    for line in trace.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [time, conn, a, b, change] = fields[..] else { panic!("{line}") };
        let (a, b) = if draw.chance(500_000) { (b, a) } else { (a, b) };
        // Before a pair comes up and after it went down; between contacts that touch, both.
        let empty = format!("{time}\t{conn}\t{a}\t{b}\tup\r\n{time}\t{conn}\t{a}\t{b}\tdown\r\n");
        let (before, behind) = if change == "up" { (&*empty, "") } else { ("", &*empty) };
        let (before, behind) = if draw.chance(300_000) { (before, behind) } else { ("", "") };
        write!(text, "{before}{time}.000000  {conn} {b} {a}\t{change}\r\n{behind}").unwrap();
    }
    text
}

#[test]
fn a_lifetime_cuts_exactly_what_the_oracle_says_its_last_instant_included() {
    (0..8).for_each(|seed| check(COARSE, seed, "[bundle]\nlifetime = \"10s\"\n"));
    (0..2).for_each(|seed| check(DENSE, seed, "[bundle]\nlifetime = \"90s\"\n"));
}

#[test]
fn a_life_is_told_in_milliseconds_whatever_falls_between_them() {
    // Pairs that write a little after one another, and meet ten seconds later or a little more.
    for later_us in (0..2_500).step_by(100) {
        let (mut trace, mut ends, mut messages) = (String::new(), String::new(), String::new());
        for pair in 0..25 {
            let (a, b) = (2 * pair, 2 * pair + 1);
            writeln!(trace, "10.{later_us:06} CONN {a} {b} up").unwrap();
            writeln!(ends, "11 CONN {a} {b} down").unwrap();
            writeln!(messages, "0.{:06} C M{pair} {a} {b} 100", pair * 100).unwrap();
        }
        let rest = format!("{}[bundle]\nlifetime = \"10s\"\n", ideal("epidemic"));
        let differences = differences(&load(&(trace + &ends), &messages, &rest), false);
        assert!(differences.is_empty(), "{later_us} us later:\n{differences}");
    }
}

#[test]
fn the_real_traces_agree_with_their_answers() {
    let Some(folder) = real_traces() else {
        return println!("the shared traces are not beside the project: nothing was compared");
    };
    for name in ["ht09", "hospital-lyon", "primaryschool"] {
        let read = |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let trace = read(folder.join(format!("{name}.txt")));
        let messages = read(folder.join(format!("workloads/{name}.txt")));
        let answers = read(folder.join(format!("oracle/{name}.tsv")));
        for strategy in ["epidemic", "direct"] {
            let loaded = load(&trace, &messages, &ideal(strategy));
            let outcome = run(&loaded);
            let answers =
                answers.lines().filter(|line| !line.starts_with('#')).skip_while(|line| line.starts_with("id"));
            let mut compared = 0;
            for (line, row) in answers.zip(&outcome.tally.rows) {
                let fields: Vec<&str> = line.split('\t').collect();
                let expected = fields.get(if strategy == "epidemic" { 5 } else { 6 }).copied().unwrap_or("");
                let found = row.delivered_us.map(|at_us| at_us as f64 / 1e6);
                assert_eq!(fields[0], row.id);
                assert_eq!(found, expected.parse().ok(), "{name}, {strategy}, message {}", row.id);
                compared += 1;
            }
            assert_eq!(compared, 500);
        }
    }
}

/// The traces lie beside the project or beside its folder of work trees.
fn real_traces() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().skip(1).map(|above| above.join("shared/traces")).find(|folder| folder.is_dir())
}

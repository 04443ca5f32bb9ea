//! Beside mail: what is published, files in parts, and sticks.

use std::fmt::Write;

use dak::sim::run::ceiling;
use dak::sim::scenario::{Loaded, Scenario};
use dak::sim::workload::Channel;
use dak::sim::world::Outcome;

use crate::common::{Shape, draw, load, run};

const SHAPE: Shape =
    Shape { nodes: 20, contacts: 300, messages: 60, span_ms: 600_000, grid_ms: 1_000, longest_ms: 30_000 };
const TOPICS: &str = "[topics]\ncount = 3\nwriters = 2\nsubscribers = 6\nrate = \"6/min\"\narrivals = \"poisson\"\n\
    size = [\"10B\", \"2kB\"]\n";
const FILES: &str = "[files]\nrate = \"1/2min\"\nsize = [\"1B\", \"1500kB\"]\n";

fn link(model: &str, strategy: &str) -> String {
    format!("[link]\nmodel = \"{model}\"\n[routing]\nstrategy = \"{strategy}\"\n")
}

/// Every difference between a run and what could have arrived, one a line.
fn differences(loaded: &Loaded, outcome: &Outcome) -> String {
    let mut text = String::new();
    for (row, arrival) in outcome.tally.rows.iter().zip(ceiling(loaded)) {
        if row.delivered_us != arrival.earliest_us {
            let (found, could) = (row.delivered_us, arrival.earliest_us);
            writeln!(text, "{} at {}: {found:?}, not {could:?}", row.id, row.create_us).unwrap();
        }
    }
    text
}

fn arrived(outcome: &Outcome, is_meant: impl Fn(Channel) -> bool) -> (usize, usize) {
    let rows = outcome.tally.rows.iter().filter(|row| is_meant(row.channel));
    rows.fold((0, 0), |(all, arrived), row| (all + 1, arrived + usize::from(row.delivered_us.is_some())))
}

#[test]
fn what_is_published_reaches_each_subscriber_at_the_earliest_possible_instant() {
    for seed in 0..4 {
        let (trace, messages) = draw(SHAPE, seed);
        let loaded = load(&trace, &messages, &format!("{TOPICS}{}", link("ideal", "epidemic")));
        let outcome = run(&loaded);
        let differences = differences(&loaded, &outcome);
        assert!(differences.is_empty(), "seed {seed}:\n{differences}");
        let (all, came) = arrived(&outcome, |channel| matches!(channel, Channel::Topic(_)));
        assert!(all > 100 && came > all / 2, "{came} of {all}");
        // One bundle each, whatever the number of those who want it: so many copies at most.
        let posts = loaded.messages.iter().filter(|message| message.further == 0).count() as u64;
        let counters = &outcome.tally.counters;
        assert!(counters.relayed <= posts * u64::from(SHAPE.nodes), "{} copies of {posts}", counters.relayed);
        assert!(outcome.tally.counters.status_untrue == 0 && outcome.tally.misbehaved == 0);
    }
}

#[test]
fn files_are_whole_with_their_last_part_and_no_sooner_than_it_could_come() {
    for seed in 0..3 {
        let (trace, messages) = draw(SHAPE, seed);
        let loaded = load(&trace, &messages, &format!("{FILES}{}", link("ideal", "epidemic")));
        let outcome = run(&loaded);
        let differences = differences(&loaded, &outcome);
        assert!(differences.is_empty(), "seed {seed}:\n{differences}");
    }
    let rated =
        "[link]\nmodel = \"rate\"\nbytes_per_second = 40_000\nsetup_ms = 500\n[routing]\nstrategy = \"epidemic\"\n";
    let mut whole = 0;
    for seed in 0..4 {
        let (trace, messages) = draw(SHAPE, seed);
        let loaded = load(&trace, &messages, &format!("{FILES}{rated}"));
        let outcome = run(&loaded);
        for (row, arrival) in outcome.tally.rows.iter().zip(ceiling(&loaded)) {
            let Some(at_us) = row.delivered_us else { continue };
            whole += usize::from(row.channel == Channel::File);
            assert!(arrival.earliest_us.is_some_and(|earliest_us| earliest_us <= at_us), "{row:?}, {arrival:?}");
        }
        assert!(outcome.tally.counters.parts_delivered > 0 && outcome.tally.counters.status_untrue == 0);
    }
    assert!(whole > 3, "{whole} files came");
}

#[test]
fn on_a_stick_everything_arrives_with_its_bearer_and_not_before() {
    for seed in 0..4 {
        let (trace, messages) = draw(SHAPE, seed);
        let loaded = load(&trace, &messages, &format!("{TOPICS}{FILES}{}", link("stick", "epidemic")));
        let outcome = run(&loaded);
        let differences = differences(&loaded, &outcome);
        assert!(differences.is_empty(), "seed {seed}:\n{differences}");
        let (all, came) = arrived(&outcome, |_| true);
        assert!(came > all / 3, "{came} of {all}");
        assert_eq!(outcome.tally.counters.status_untrue, 0);
        assert!(outcome.tally.counters.receipts_returned > 10, "receipts travel back the same way");
    }
    let walk = "0 CONN 0 1 up\n10 CONN 0 1 down\n20 CONN 0 1 up\n30 CONN 0 1 down\n";
    let loaded = load(walk, "0 C late 0 1 10\n5 C later 0 1 10\n", &link("stick", "direct"));
    let times: Vec<_> = run(&loaded).tally.rows.iter().map(|row| row.delivered_us).collect();
    assert_eq!(times, [Some(30_000_000); 2], "what is written once somebody is gone waits for the next");
    let mut crowded = link("stick", "epidemic").replace("\"stick\"", "\"stick\"\nstick_bytes = \"3kB\"");
    crowded.push_str("[store]\nquota_bytes = \"20kB\"\n");
    let (trace, messages) = draw(SHAPE, 9);
    let (all, came) = arrived(&run(&load(&trace, &messages, &crowded)), |_| true);
    assert!(came > 0 && came < all, "{came} of {all}: a stick is full");
}

#[test]
fn a_crowd_with_topics_files_and_sticks_is_the_same_however_it_is_cut() {
    let town = "nodes = 140\nduration = \"2h\"\n[contacts]\ngenerator = \"random-contacts\"\nrate = \"6/h\"\n\
        length = [\"1min\", \"10min\"]\n[workload]\nrate = \"1/min\"\nsize = \"1kB\"\n[topics]\nsubscribers = [1, 2, 3, 99]\n\
        rate = \"1/min\"\nsize = \"100B\"\n[files]\nrate = \"4/h\"\nsize = \"600kB\"\n[store]\nquota_bytes = \"4MB\"\n\
        [faults]\ncrash_rate = \"1/h\"\ncrash_down = [\"1min\", \"20min\"]\n[link]\nmodel = \"stick\"\n";
    for model in ["stick", "ideal"] {
        let text = town.replace("\"stick\"", &format!("\"{model}\""));
        let loaded = Scenario::parse("town.toml", &text, &[]).unwrap().load(&mut |_| unreachable!()).unwrap();
        let first = run(&loaded);
        assert!(arrived(&first, |channel| matches!(channel, Channel::Topic(_))).1 > 20, "{model}");
        let pool = dak::sim::world::World::new(&loaded, dak::sim::world::Threads::Pool).finish();
        assert_eq!((first.event_hash, first.tally.rows), (pool.event_hash, pool.tally.rows), "{model}");
    }
}

#[test]
fn what_a_scenario_says_of_them_wrongly_is_named_with_its_line() {
    let error = |text: &str| {
        let text = format!(
            "nodes = 9\nduration = \"1h\"\n[contacts]\ngenerator = \"random-contacts\"\nrate = \"4/h\"\nlength = \"9min\"\n{text}"
        );
        let parsed = Scenario::parse("s.toml", &text, &[]);
        parsed.and_then(|scenario| scenario.load(&mut |_| unreachable!())).expect_err("it must be refused").to_string()
    };
    let cases = [
        ("[topics]\nrate = \"1/h\"\nsize = 10\n", "s.toml:7: [topics] needs `subscribers`"),
        ("[topics]\nrate = \"1/h\"\nsize = \"1MB\"\nsubscribers = 2\n", "s.toml:9: `size` is more than 65536 bytes"),
        ("[topics]\nrate = \"1/h\"\nsize = 1\nsubscribers = [9]\n", "s.toml:10: node 9 is out of range"),
        ("[files]\nsize = 1\n", "s.toml:7: [files] needs `rate`"),
        (
            "[files]\nrate = \"1/h\"\nsize = 1\nsubscribers = 2\n",
            "s.toml:10: `subscribers` is no key of [files]; it belongs in [topics]",
        ),
        ("[link]\nmodel = \"ideal\"\n", "s.toml: there is no [workload]"),
    ];
    for (text, expected) in cases {
        let said = error(text);
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    }
}

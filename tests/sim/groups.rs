//! Groups in simulated runs: each member gets what is for its group as early as any message between the two could come, and in
//! the corpus about as surely as a message of its own.

use std::fs;
use std::path::PathBuf;

use dak::sim::oracle;
use dak::sim::scenario::{Loaded, Scenario};

use crate::common::run;

/// People who move, and three groups of them, one with a member that nobody meets often.
const TOWN: &str = "nodes = 24\nduration = \"3h\"\n[contacts]\ngenerator = \"random-contacts\"\nrate = \"6/h\"\n\
    length = [\"20s\", \"5min\"]\n[workload]\nrate = \"20/h\"\nsize = [\"1kB\", \"5kB\"]\n\
    groups = [[0, 3, 7, 9, 20], [1, 2], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]]\n[link]\nmodel = \"ideal\"\n[routing]\n\
    strategy = \"epidemic\"\n[bundle]\nlifetime = \"1h\"\n";

fn town(faults: &str) -> Loaded {
    let text = format!("{TOWN}{faults}");
    Scenario::parse("town.toml", &text, &[]).and_then(|scenario| scenario.load(&mut |_| unreachable!())).unwrap()
}

#[test]
fn over_instant_links_each_member_has_it_at_its_earliest_possible_arrival() {
    for seed in 0..4 {
        let loaded = town("").with_seed(seed);
        let lifetime_us = loaded.scenario.bundle.lifetime_us;
        let arrivals = oracle::solve(loaded.nodes, loaded.events(), &loaded.messages, lifetime_us);
        let tally = run(&loaded).tally;
        let found: Vec<_> = tally.rows.iter().map(|row| row.delivered_us).collect();
        assert_eq!(found, arrivals.iter().map(|arrival| arrival.earliest_us).collect::<Vec<_>>(), "seed {seed}");
        assert!(found.iter().flatten().count() > 100);
        assert_eq!((tally.counters.status_untrue, tally.misbehaved), (0, 0));
        assert_eq!(tally.counters.receipts_created, 0, "nobody signs for a whole group");
    }
}

#[test]
fn who_crashes_and_starts_again_still_serves_its_groups() {
    let faults = "[faults]\ncrash_rate = \"2/h\"\ncrash_down = [\"1min\", \"10min\"]\n";
    let delivered = |copies: &str| {
        let (text, copies) = (format!("{TOWN}{faults}"), [("workload.group_copies", copies)]);
        let scenario = Scenario::parse("town.toml", &text, &copies).unwrap();
        let tally = run(&scenario.load(&mut |_| unreachable!()).unwrap()).tally;
        assert!(tally.counters.crashes > 20);
        tally.rows.iter().filter(|row| row.delivered_us.is_some()).count()
    };
    let (once, each) = (delivered("one"), delivered("each"));
    assert!(each > 100 && once * 100 >= each * 95, "{once} in one bundle, {each} in one for each");
}

#[test]
fn a_crew_across_partitions_gets_what_is_for_its_group_as_surely_as_mail_of_its_own_and_for_a_part_of_the_bytes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("simulations/crew.toml");
    let text = fs::read_to_string(path).unwrap();
    let figures = |copies: &str, seed: u64| {
        let scenario = Scenario::parse("crew.toml", &text, &[("workload.group_copies", copies)]).unwrap();
        let loaded = scenario.load(&mut |_| unreachable!()).unwrap().with_seed(seed);
        let tally = run(&loaded).tally;
        let delivered = tally.rows.iter().filter(|row| row.delivered_us.is_some()).count() as u64;
        (delivered, tally.rows.len(), tally.counters.bytes_bundles)
    };
    let (mut once, mut each, mut bytes) = (0, 0, (0, 0));
    for seed in 1..=3 {
        let (group, apart) = (figures("one", seed), figures("each", seed));
        assert_eq!(group.1, apart.1, "at the same times between the same people");
        (once, each) = (once + group.0, each + apart.0);
        bytes = (bytes.0 + group.2, bytes.1 + apart.2);
    }
    assert!(once * 100 >= each * 95, "{once} in one bundle, {each} in one for each");
    assert!(bytes.0 * 2 < bytes.1, "{bytes:?}");
}

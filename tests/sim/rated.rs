//! Links of so many bytes a second: how long things take, what shares what, what is cut.

use dak::sim::report::MessageRow;
use dak::sim::world::Outcome;

use crate::common::{load, run};

/// 250 kB/s, epidemic; `more` are further keys of the link.
fn rated(trace: &str, messages: &str, more: &str) -> Outcome {
    let rest =
        format!("[link]\nmodel = \"rate\"\nbytes_per_second = 250000\n{more}\n[routing]\nstrategy = \"epidemic\"\n");
    run(&load(trace, messages, &rest))
}

/// When the message of this id arrived, in milliseconds. Control frames take some of them, and a bundle crosses folded, a
/// little shorter than it weighs.
fn arrived_ms(outcome: &Outcome, id: &str) -> Option<u64> {
    let is_it = |row: &&MessageRow| row.id == id;
    outcome.tally.rows.iter().find(is_it).expect("a message of the run").delivered_us.map(|at_us| at_us / 1_000)
}

#[test]
fn a_transfer_takes_its_bytes_over_the_rate() {
    let outcome = rated("0 CONN 0 1 up\n100 CONN 0 1 down\n", "10 C a 0 1 500000\n", "");
    let at_ms = arrived_ms(&outcome, "a").unwrap();
    assert!((11_995..12_020).contains(&at_ms), "{at_ms}");
}

#[test]
fn a_contact_begins_to_carry_once_it_is_set_up() {
    let trace = "0 CONN 0 1 up\n20 CONN 0 1 down\n30 CONN 0 1 up\n31 CONN 0 1 down\n";
    let at_ms = arrived_ms(&rated(trace, "1 C a 0 1 250000\n", "setup_ms = 3000"), "a").unwrap();
    assert!((3_995..4_020).contains(&at_ms), "{at_ms}");
    let too_late = rated(trace, "25 C b 0 1 1000\n", "setup_ms = 3000");
    assert_eq!(arrived_ms(&too_late, "b"), None, "the second contact ends before it is set up");
    assert_eq!(too_late.tally.counters.started, 0);
}

#[test]
fn the_end_of_a_contact_cuts_what_is_under_way_and_the_next_begins_anew() {
    let trace = "0 CONN 0 1 up\n1 CONN 0 1 down\n10 CONN 0 1 up\n60 CONN 0 1 down\n";
    let outcome = rated(trace, "0 C a 0 1 500000\n", "");
    let counters = &outcome.tally.counters;
    assert_eq!((counters.started, counters.aborted, counters.relayed), (2, 1, 1));
    let at_ms = arrived_ms(&outcome, "a").unwrap();
    assert!((11_995..12_020).contains(&at_ms), "{at_ms}");
}

#[test]
fn a_radio_carries_one_transfer_at_a_time_and_a_cable_one_a_link() {
    let trace = "0 CONN 0 1 up\n0 CONN 0 2 up\n100 CONN 0 1 down\n100 CONN 0 2 down\n";
    let messages = "10 C a 0 1 500000\n10 C b 0 2 500000\n";
    let last = |outcome: &Outcome| arrived_ms(outcome, "a").max(arrived_ms(outcome, "b")).unwrap();
    let by_host = last(&rated(trace, messages, "sharing = \"host\""));
    let by_link = last(&rated(trace, messages, "sharing = \"link\""));
    assert!((13_995..14_050).contains(&by_host), "{by_host}");
    assert!((11_995..12_050).contains(&by_link), "{by_link}");
}

#[test]
fn full_duplex_carries_both_ways_at_once() {
    let trace = "0 CONN 0 1 up\n100 CONN 0 1 down\n";
    let messages = "10 C a 0 1 500000\n10 C b 1 0 500000\n";
    for sharing in ["host", "link"] {
        let last = |duplex: &str| {
            let outcome = rated(trace, messages, &format!("sharing = \"{sharing}\"\nduplex = \"{duplex}\""));
            arrived_ms(&outcome, "a").max(arrived_ms(&outcome, "b")).unwrap()
        };
        let (half, full) = (last("half"), last("full"));
        assert!((13_995..14_050).contains(&half), "{sharing}: {half}");
        assert!((11_995..12_050).contains(&full), "{sharing}: {full}");
    }
}

#[test]
fn what_is_lost_takes_its_time_again() {
    let trace = "0 CONN 0 1 up\n1000 CONN 0 1 down\n";
    let messages: String = (0..50).map(|n| format!("{} C m{n} 0 1 250000\n", 10 + n)).collect();
    let clean = rated(trace, &messages, "");
    let lossy = rated(trace, &messages, "loss = \"20%\"");
    assert_eq!((clean.tally.counters.aborted, clean.tally.counters.started), (0, 50));
    let counters = &lossy.tally.counters;
    assert_eq!(counters.relayed, 50, "streams lose nothing for good");
    assert_eq!(counters.started, counters.relayed + counters.aborted);
    assert!((4..30).contains(&counters.aborted), "about a fifth of all transfers, not {}", counters.aborted);
    assert!(arrived_ms(&lossy, "m49") > arrived_ms(&clean, "m49"));
}

#[test]
fn a_full_store_drops_and_what_began_is_accounted_for() {
    let shape = crate::common::Shape {
        nodes: 20,
        contacts: 300,
        messages: 100,
        span_ms: 7_200_000,
        grid_ms: 1_000,
        longest_ms: 120_000,
    };
    let (trace, messages) = crate::common::draw(shape, 1);
    let messages = messages.replace(" 1000\n", " 400000\n");
    let rest = "[link]\nmodel = \"rate\"\nbytes_per_second = 250000\n[routing]\nstrategy = \"epidemic\"\n\
        [store]\nquota_bytes = 2000000\n[bundle]\nlifetime = \"50min\"\n";
    let outcome = run(&load(&trace, &messages, rest));
    let counters = &outcome.tally.counters;
    assert!(counters.dropped > counters.expired, "room was short: {counters:?}");
    assert_eq!(counters.started, counters.relayed + counters.refused + counters.aborted);
    // Beside one's own messages a store holds no more than its quota.
    let own_max = 100 * 400_000;
    assert!(outcome.tally.load.iter().all(|node| node.peak_bytes <= 2_000_000 + own_max));
    assert_eq!(counters.status_untrue, 0);
    assert_eq!(outcome.tally.misbehaved, 0);
}

//! What goes wrong in a scenario: nodes that go off, carriers that cheat, clocks that lie.

use dak::sim::world::Outcome;

use crate::common::{ideal, load, run};

fn with(faults: &str, trace: &str, messages: &str) -> Outcome {
    run(&load(trace, messages, &format!("{}[faults]\n{faults}\n", ideal("epidemic"))))
}

fn arrived_s(outcome: &Outcome, message: usize) -> Option<u64> {
    outcome.tally.rows[message].delivered_us.map(|at_us| at_us / 1_000_000)
}

const FERRY: &str = "10 CONN 0 1 up\n20 CONN 0 1 down\n100 CONN 1 2 up\n200 CONN 1 2 down\n";

#[test]
fn a_carrier_that_crashes_keeps_what_it_accepted() {
    let crash = |at: u64, down: u64| format!("crashes = [{{ node = 1, at = \"{at}s\", down = \"{down}s\" }}]");
    let outcome = with(&crash(30, 20), FERRY, "5 C a 0 2 1000\n");
    assert_eq!((arrived_s(&outcome, 0), outcome.tally.counters.crashes), (Some(100), 1));
    let off_until_late = with(&crash(30, 130), FERRY, "5 C a 0 2 1000\n");
    assert_eq!(arrived_s(&off_until_late, 0), Some(160), "the contact begins when the node is on again");
    let off_when_met = with(&crash(9, 20), FERRY, "5 C a 0 2 1000\n");
    assert_eq!(arrived_s(&off_when_met, 0), None);
}

#[test]
fn what_is_written_while_a_node_is_off_leaves_when_it_is_on() {
    let outcome = with("crashes = [{ node = 0, at = \"1s\", down = \"10s\" }]", FERRY, "5 C a 0 1 1000\n");
    assert_eq!(arrived_s(&outcome, 0), Some(11));
}

#[test]
fn a_black_hole_accepts_and_forwards_only_its_own() {
    let outcome = with("black_holes = [1]", FERRY, "5 C a 0 2 1000\n6 C b 1 2 1000\n7 C c 0 1 1000\n");
    assert_eq!(arrived_s(&outcome, 0), None);
    assert_eq!(arrived_s(&outcome, 1), Some(100));
    assert_eq!(arrived_s(&outcome, 2), Some(10));
    assert_eq!(outcome.tally.counters.status_untrue, 0, "it did accept");
}

#[test]
fn a_grey_hole_forwards_some() {
    let messages: String = (0..100).map(|n| format!("{} C m{n} 0 2 1000\n", 5 + n / 50)).collect();
    let outcome = with("grey_holes = [1]\ngrey_drop = \"40%\"", FERRY, &messages);
    let arrived = outcome.tally.rows.iter().filter(|row| row.delivered_us.is_some()).count();
    assert!((40..80).contains(&arrived), "{arrived}");
}

#[test]
fn a_liar_promises_everything_accepts_everything_and_forwards_only_its_own() {
    // PRoPHET hands a bundle to whoever says that it meets the destination.
    let trace = format!("{FERRY}900 CONN 1 3 up\n910 CONN 1 3 down\n");
    let messages = "5 C a 0 3 1000\n6 C b 1 2 1000\n7 C c 0 1 1000\n8 C d 0 2 1000\n";
    let try_it = |strategy: &str, faults: &str| {
        run(&load(&trace, messages, &format!("{}[faults]\n{faults}\n", ideal(strategy))))
    };
    let (lying, honest) = (try_it("prophet", "liars = [1]"), try_it("prophet", ""));
    let took = |outcome: &Outcome| outcome.tally.load[1].received_bytes;
    assert!(took(&lying) >= took(&honest) + 2 * 650, "it is handed what is for 2 and what is for 3");
    for strategy in ["prophet", "default"] {
        let lying = try_it(strategy, "liars = [1]");
        let arrived: Vec<_> = (0..4).map(|message| arrived_s(&lying, message)).collect();
        assert_eq!(arrived, [None, Some(100), Some(10), None], "{strategy}: what it took of others stays with it");
    }
    assert_eq!(arrived_s(&try_it("default", ""), 3), Some(100));
}

#[test]
fn who_is_silent_neither_takes_nor_gives() {
    let messages = "5 C a 0 2 1000\n6 C b 1 2 1000\n7 C c 0 1 1000\n";
    let crash = "crashes = [{ node = 1, at = \"2s\", down = \"3s\" }]";
    let outcome = with(&format!("silent = [1]\n{crash}"), FERRY, messages);
    assert!((0..3).all(|message| arrived_s(&outcome, message).is_none()));
    assert_eq!((outcome.tally.load[1], outcome.tally.counters.crashes), (Default::default(), 0));
}

#[test]
fn wall_clocks_that_are_years_wrong_lose_nothing() {
    let offsets = "clock_offsets = [{ node = 0, offset = \"-3650d\" }, { node = 1, offset = \"3650d\" }]";
    let outcome = with(offsets, FERRY, "5 C a 0 2 1000\n");
    assert_eq!(arrived_s(&outcome, 0), Some(100));
}

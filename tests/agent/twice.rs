//! The same seed twice, in two processes: every output is the same, bit for bit.

use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::World;
use super::random::{any_story, take_step};

/// Set where this test runs as its own child: the child prints the hash of everything said and returns.
const CHILD: &str = "DAK_TEST_TELLS_THE_STORY";
const NAME: &str = "twice::the_same_seed_in_two_processes_gives_the_same_outputs_bit_for_bit";

fn tell(seed: u64) -> (String, usize) {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let (mut hashes, mut rows) = (String::new(), 0);
    for _ in 0..8 {
        let (configs, steps) = any_story().new_tree(&mut runner).expect("a story").current();
        let mut world = World::new(configs);
        steps.iter().for_each(|step| take_step(&mut world, step));
        hashes += &format!("{}\n", world.log.finalize());
        rows += world.nodes.iter().map(|node| node.letters().len()).sum::<usize>();
    }
    (hashes, rows)
}

#[test]
fn the_same_seed_in_two_processes_gives_the_same_outputs_bit_for_bit() {
    let (here, rows) = tell(7);
    if std::env::var_os(CHILD).is_some() {
        return println!("{here}");
    }
    assert!(rows > 5, "the stories are about something");
    assert_ne!(here, tell(8).0, "another seed tells another story");
    for _ in 0..2 {
        let this = std::env::current_exe().expect("tests know where they are");
        let child = Command::new(this).args([NAME, "--exact", "--nocapture"]).env(CHILD, "1").output();
        let said = String::from_utf8(child.expect("a test can be started again").stdout).expect("text");
        assert!(said.contains(&here), "{said}");
    }
}

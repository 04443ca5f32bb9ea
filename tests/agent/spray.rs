//! Spray and wait: how many copies there are, whatever breaks.

use dak::agent::Config;
use dak::agent::routing::Policy;
use dak::time::DAY;

use super::{ALICE, BOB, World};

#[test]
fn a_copy_never_has_more_than_half_of_the_spray_budget_and_sums_stay() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let mut world = World::new(vec![spray; 6]);
    let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
    world.meet(ALICE, 2);
    world.meet(ALICE, 3);
    world.meet(2, 4);
    world.meet(4, 5);
    let copies: Vec<u16> = (0..6).filter_map(|n| world.nodes[n].agent.held_one(&id)).map(|held| held.copies).collect();
    assert_eq!(copies, [2, 2, 2, 1, 1]);
    world.meet(5, 3);
    assert_eq!(world.nodes[5].agent.held_one(&id).unwrap().copies, 1, "the last copy waits");
}

//! Lives end by elapsed time, whatever the clocks say.

use dak::agent::change::What;
use dak::time::{DAY, HOUR, MINUTE};

use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_life_without_a_receipt_ends_as_expired_and_a_late_receipt_still_upgrades_it() {
    let mut world = World::of(3);
    let id = world.send_with(ALICE, BOB, HOUR, None).unwrap();
    world.meet(ALICE, CAROL);
    world.pass(MINUTE);
    world.meet(CAROL, BOB);
    world.pass(HOUR);
    assert_eq!(world.state(ALICE, id), What::Expired);
    assert!(!world.holds(ALICE, id));
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), What::Delivered);
}

#[test]
fn a_clock_that_jumps_ten_years_loses_nothing() {
    let mut world = World::of(3);
    let years = 10 * 365 * DAY.0 as i64;
    let id = world.send(ALICE, BOB).unwrap();
    world.nodes[CAROL].wall_offset = years;
    world.meet(ALICE, CAROL);
    world.pass(HOUR);
    assert!(world.holds(CAROL, id));
    world.nodes[CAROL].wall_offset = -years;
    world.pass(HOUR);
    world.nodes[BOB].wall_offset = -years;
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

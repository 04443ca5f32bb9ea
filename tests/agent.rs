//! Stories of a few agents: what a person was promised, told through what the agents do.

mod world;

use dak::agent::Config;
use dak::agent::change::What;
use dak::agent::routing::Policy;
use dak::time::{DAY, HOUR, MINUTE};
use world::World;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn a_message_reaches_someone_who_was_away_carried_by_a_third_node() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    assert_eq!(world.state(ALICE, id), What::Queued);

    world.meet(ALICE, CAROL);
    assert_eq!(world.state(ALICE, id), What::Custody);
    assert!(world.holds(CAROL, id));

    world.pass(HOUR);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    assert!(!world.holds(CAROL, id), "the receipt purges the carrier's copy");

    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), What::Delivered);
    assert!(!world.holds(ALICE, id), "the receipt ends the source's own custody");
    assert_eq!(world.forwards.get(&(ALICE, BOB)), None);
}

#[test]
fn once_to_the_person_through_copies_replays_and_restarts() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(ALICE, 3);
    for carrier in [CAROL, 3, ALICE] {
        world.meet(carrier, BOB);
        world.crash(BOB);
    }
    world.pass(DAY);
    world.pass(DAY);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

#[test]
fn under_direct_delivery_nothing_is_given_to_carriers_and_nothing_is_said_about_it() {
    let direct = Config { policy: Policy::Direct, ..Config::default() };
    let mut world = World::new(vec![direct; 3]);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    assert!(!world.holds(CAROL, id));
    world.meet(ALICE, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    assert_eq!(world.state(ALICE, id), What::Delivered);
}

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

#[test]
fn a_new_bundle_flows_at_once_while_contacts_last() {
    let mut world = World::of(4);
    world.up(ALICE, CAROL);
    world.up(CAROL, 3);
    world.up(3, BOB);
    let id = world.send(ALICE, BOB).unwrap();
    assert_eq!(world.inbox(BOB), [id]);
    assert_eq!(world.state(ALICE, id), What::Delivered);
}

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

#[test]
fn an_acceptance_that_was_lost_with_the_contact_is_asked_for_again() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    // Carol's power goes right after her commit: she holds it, and alice never hears.
    world.nodes[CAROL].power_cut = Some((0, false));
    world.meet(ALICE, CAROL);
    assert!(world.holds(CAROL, id));
    assert_eq!(world.state(ALICE, id), What::Queued);
    world.meet(ALICE, CAROL);
    assert_eq!(world.state(ALICE, id), What::Custody);
    assert_eq!(world.forwards[&(ALICE, CAROL)], 1, "the bundle itself goes once");
}

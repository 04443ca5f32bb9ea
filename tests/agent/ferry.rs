//! Store, carry, forward: from somebody to somebody who is away.

use dak::agent::Config;
use dak::agent::change::What;
use dak::agent::routing::Policy;
use dak::time::{DAY, HOUR};

use super::{ALICE, BOB, CAROL, World};

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

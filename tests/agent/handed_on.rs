//! One's own message of which only others hold a copy: what is said of it is heard as ever.

use dak::agent::change::EvidenceKind;
use dak::agent::{Config, Input, cost_bytes};
use dak::time::{DAY, HOUR};

use super::{ALICE, BOB, CAROL, World};

#[test]
fn what_a_carrier_promised_to_keep_may_leave_its_source_and_arrives() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.input(ALICE, Input::HandOn(id));
    assert!(world.holds(ALICE, id), "nobody else has it");
    world.meet(ALICE, CAROL);
    world.input(ALICE, Input::HandOn(id));
    assert!(!world.holds(ALICE, id) && world.holds(CAROL, id));
    world.crash(ALICE);
    world.meet(ALICE, CAROL);
    assert!(!world.holds(ALICE, id), "nobody takes back what it sent");
    assert_eq!(world.state(ALICE, id), EvidenceKind::Custody);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn its_source_hears_that_a_carrier_gave_it_up_and_can_end_it() {
    let mut world = World::of(3);
    let [id, kept] = [(); 2].map(|()| world.send(ALICE, BOB).unwrap());
    world.meet(ALICE, CAROL);
    world.input(ALICE, Input::HandOn(id));
    world.input(CAROL, Input::CarryLimit(0));
    world.meet(ALICE, CAROL);
    let carol = world.nodes[CAROL].id;
    assert!(world.evidence(ALICE, id).contains(&(EvidenceKind::GaveUp, Some(carol))));
    world.input(ALICE, Input::HandOn(kept));
    assert!(world.holds(ALICE, kept), "nobody else holds it any more");
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Cancelled);
    world.input(ALICE, Input::Discard(id));
    world.pass(DAY.times(30));
    assert_eq!(world.state(ALICE, kept), EvidenceKind::Expired);
}

#[test]
fn who_has_no_room_for_it_is_known_while_in_contact() {
    let small = Config { carry_bytes_max: cost_bytes(64), ..Config::default() };
    let mut world = World::new(vec![Config::default(), Config::default(), small]);
    let id = world.send(ALICE, BOB).unwrap();
    world.up(ALICE, CAROL);
    world.settle();
    let carol = world.nodes[CAROL].id;
    let too_large: Vec<_> = world.nodes[ALICE].agent().too_large_for().map(|(who, id)| (who, *id)).collect();
    assert_eq!(too_large, [(carol, id)]);
    world.input(CAROL, Input::CarryLimit(1 << 30));
    world.pass(HOUR);
    world.settle();
    assert!(world.holds(CAROL, id) && world.nodes[ALICE].agent().too_large_for().next().is_none());
}

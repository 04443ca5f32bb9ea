//! The record of one's own message: bounded, and never wrong however many carriers answer, or when the power goes.

use dak::agent::Input;
use dak::agent::change::EvidenceKind;
use dak::frame::{Frame, Grade};
use dak::id::BundleId;
use dak::time::DAY;

use super::world::ghost::Ghost;
use super::{ALICE, BOB, CAROL, World};

/// Identities cost nothing: each takes a copy, promises custody, and gives it up.
fn crowd(world: &mut World, id: BundleId, seeds: std::ops::Range<u8>) {
    for seed in seeds {
        let carrier = Ghost::new(seed);
        world.visit(ALICE, &carrier);
        for grade in [Grade::Copy, Grade::Custody] {
            world.hear(ALICE, &carrier, &Frame::Take { ids: vec![id] });
            world.hear(ALICE, &carrier, &Frame::Accepted { grants: vec![(id.prefix(), grade)] });
        }
        world.hear(ALICE, &carrier, &Frame::GaveUp { ids: vec![id] });
        world.leave(ALICE, &carrier);
    }
}

#[test]
fn the_end_of_a_life_is_shown_however_many_carriers_answered() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    crowd(&mut world, id, 100..200);
    world.pass(DAY.times(31));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
}

#[test]
fn the_owners_cancel_is_shown_however_many_carriers_answered() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    crowd(&mut world, id, 100..200);
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Cancelled);
}

// A carrier that hears Noted forgets its debt, and tells it no second time.
#[test]
fn a_source_that_says_it_heard_of_an_eviction_knows_of_it_after_a_power_cut() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.input(CAROL, Input::CarryLimit(100));
    world.open(CAROL, ALICE);
    world.settle();
    world.crash(ALICE);
    world.meet(CAROL, ALICE);
    let carol = Some(world.nodes[CAROL].id);
    let evidence = [(EvidenceKind::Queued, None), (EvidenceKind::Custody, carol), (EvidenceKind::GaveUp, carol)];
    assert_eq!(world.evidence(ALICE, id), evidence);
}

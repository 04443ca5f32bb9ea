//! The record of one's own message: bounded, and never wrong however many carriers answer, or when the power goes.

use dak::agent::Input;
use dak::agent::change::{Adopted, EvidenceKind};
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

#[test]
fn mail_that_its_owner_brings_is_adopted_once_also_after_a_crash_and_nothing_of_it_is_sent() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    world.meet(ALICE, BOB);
    let (letter, sent) = (world.nodes[BOB].letter(&id).unwrap(), world.nodes[ALICE].sent_one(&id).unwrap());
    assert!(sent.is_settled());
    for n in [ALICE, BOB] {
        world.input(n, Input::Discard(id));
    }
    assert_eq!((world.nodes[ALICE].sent().len(), world.inbox(BOB).len()), (0, 0));
    for _ in 0..3 {
        world.input(ALICE, Input::Adopt(Box::new(Adopted::Own(sent.clone()))));
        world.input(BOB, Input::Adopt(Box::new(Adopted::Came(letter.clone()))));
        assert_eq!((world.nodes[ALICE].sent().len(), world.inbox(BOB)), (1, vec![id]));
        let there = world.nodes[BOB].letter(&id).unwrap();
        assert!(there.row > letter.row, "a row of its own, which no other ever had");
        world.crash(ALICE);
        world.crash(BOB);
    }
    world.meet(ALICE, BOB);
    assert!(!world.holds(ALICE, id) && !world.holds(BOB, id), "nothing of it is on its way");
}

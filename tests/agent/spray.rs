//! Spray and wait: how many copies there are, whatever breaks.

use dak::agent::Config;
use dak::agent::routing::Policy;
use dak::eid::Eid;
use dak::frame::{Frame, Grade, Hello};
use dak::time::DAY;

use super::world::ghost::{Ghost, Said, bundles, hello_of};
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
    let copies: Vec<u16> =
        (0..6).filter_map(|n| world.nodes[n].agent().held_one(&id)).map(|held| held.copies).collect();
    assert_eq!(copies, [2, 2, 2, 1, 1]);
    world.meet(5, 3);
    assert_eq!(world.nodes[5].agent().held_one(&id).unwrap().copies, 1, "the last copy waits");
}

#[test]
fn two_peers_at_once_never_get_more_copies_than_there_are() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let mut world = World::new(vec![spray; 6]);
    let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
    for n in 2..6 {
        world.open(ALICE, n);
    }
    world.settle();
    let copies: Vec<u16> =
        (0..6).filter_map(|n| world.nodes[n].agent().held_one(&id)).map(|held| held.copies).collect();
    assert_eq!(copies.iter().sum::<u16>(), 8, "{copies:?}");
}

#[test]
fn copies_in_flight_at_a_break_are_spent_only_if_the_peer_turns_out_to_have_them() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    // However many frames get through before the link breaks, the next contact sets the count right.
    for frames in 0..12 {
        let mut world = World::new(vec![spray.clone(); 3]);
        let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
        let copies = |world: &World, n: usize| world.nodes[n].agent().held_one(&id).map(|held| held.copies);
        world.open(ALICE, 2);
        world.settle_some(frames);
        world.down(ALICE, 2);
        let there = copies(&world, 2);
        assert!(there.is_none_or(|n| n == 4));
        world.meet(ALICE, 2);
        assert_eq!((copies(&world, ALICE), copies(&world, 2)), (Some(4), Some(4)), "after {frames} frames");
        world.meet(ALICE, 2);
        assert_eq!((copies(&world, ALICE), copies(&world, 2)), (Some(4), Some(4)), "settled once");
    }
}

#[test]
fn copies_that_were_spent_stay_spent_whenever_the_power_goes() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let mut world = World::new(vec![spray; 3]);
    let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
    world.open(ALICE, 2);
    world.settle();
    world.crash(ALICE);
    assert_eq!(world.nodes[ALICE].agent().held_one(&id).unwrap().copies, 4);
}

#[test]
fn a_receiver_takes_at_most_half_of_the_signed_budget_whatever_it_is_told() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(from.id), DAY, b"hello");
    world.visit(0, &from);
    let hops = dak::bundle::Hops { age: dak::time::Millis(1), count: 1 };
    world.take_with(0, &from, &message, hops, 1_024);
    let copies = |world: &World| world.nodes[0].agent().held_one(&message.id).unwrap().copies;
    assert_eq!(copies(&world), 4);
    world.take_with(0, &from, &message, hops, 1_024);
    assert_eq!(copies(&world), 4, "copies never add up");
    let lone = from.message(Eid::mail(from.id), DAY, b"lone");
    world.take_with(0, &from, &lone, hops, 0);
    assert_eq!(world.nodes[0].agent().held_one(&lone.id).unwrap().copies, 1);
}

#[test]
fn who_asks_and_accepts_again_gets_the_bundle_and_no_more_of_its_spray_budget() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let mut world = World::new(vec![spray; 2]);
    let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
    let greedy = Ghost::new(66);
    for _ in 0..3 {
        world.visit(ALICE, &greedy);
        for _ in 0..3 {
            world.hear(ALICE, &greedy, &Frame::Take { ids: vec![id] });
            world.hear(ALICE, &greedy, &Frame::Accepted { grants: vec![(id.prefix(), Grade::Copy)] });
        }
        world.leave(ALICE, &greedy);
    }
    assert_eq!(bundles(&world.said_to(&greedy)).len(), 9, "it may have lost it");
    assert_eq!(world.nodes[ALICE].agent().held_one(&id).unwrap().copies, 4);
}

#[test]
fn every_copy_in_flight_at_a_break_is_asked_about_however_many() {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let mut world = World::new(vec![spray]);
    let (mut source, carrier) = (Ghost::new(49), Ghost::new(50));
    let elsewhere = Eid::mail(Ghost::new(51).id);
    let all: Vec<_> = (0..1_100u32).map(|n| source.message(elsewhere.clone(), DAY, &n.to_be_bytes())).collect();
    let ids: Vec<_> = all.iter().map(|message| message.id).collect();
    world.visit(0, &source);
    world.take_in_one_batch(0, source.id, all);
    world.visit(0, &carrier);
    world.hear(0, &carrier, &Frame::Take { ids: ids.clone() });
    assert_eq!(bundles(&world.said_to(&carrier)).len(), 1_100);
    world.leave(0, &carrier);
    // It comes back and knows them all.
    world.visit_silently(0, &carrier);
    let hello = hello_of(&world.said_to(&carrier));
    let same = Hello { count: hello.count, root: hello.root, ..carrier.hello() };
    world.hear(0, &carrier, &Frame::Hello(same));
    let said = world.said_to(&carrier);
    let asked: Vec<usize> = said
        .iter()
        .filter_map(|said| if let Said::Frame(Frame::Ask { ids }) = said { Some(ids.len()) } else { None })
        .collect();
    assert_eq!(asked, [1_024, 76]);
    for ids in ids.chunks(1_024) {
        let grants = ids.iter().map(|id| (id.prefix(), Grade::Copy)).collect();
        world.hear(0, &carrier, &Frame::Accepted { grants });
    }
    assert!(world.nodes[0].agent().held().all(|held| held.copies == 2));
}

//! Lives end by elapsed time, whatever the clocks say.

use dak::agent::change::EvidenceKind;
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::time::{DAY, HOUR, MINUTE, Millis};

use super::world::WALL;
use super::world::ghost::{Ghost, refusals};
use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_life_without_a_receipt_ends_as_expired_and_a_late_receipt_still_upgrades_it() {
    let mut world = World::of(3);
    let id = world.send_with(ALICE, BOB, HOUR, None).unwrap();
    world.meet(ALICE, CAROL);
    world.pass(MINUTE);
    world.meet(CAROL, BOB);
    world.pass(HOUR);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
    assert!(!world.holds(ALICE, id));
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn the_first_commit_of_a_home_knows_when_it_was() {
    let mut world = World::of(2);
    world.pass(Millis(10));
    world.send(ALICE, BOB).unwrap();
    assert_eq!(world.nodes[ALICE].agent().durable().clock.wall.0, WALL + 10);
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
fn a_clock_without_a_battery_neither_stamps_nor_shortens_a_life() {
    let mut world = World::of(3);
    for n in 0..3 {
        world.nodes[n].wall_offset = -(WALL as i64);
    }
    let id = world.send_with(ALICE, BOB, DAY, None).unwrap();
    assert_eq!(world.nodes[ALICE].sent_one(&id).unwrap().creation.time.0, 0, "it has no sent time");
    world.pass(HOUR);
    world.meet(ALICE, CAROL);
    world.pass(HOUR.times(22));
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

#[test]
fn a_life_ends_after_its_last_millisecond_of_elapsed_time_at_every_hop() {
    let mut world = World::of(3);
    let id = world.send_with(ALICE, BOB, HOUR, None).unwrap();
    world.pass(MINUTE.times(30));
    world.meet(ALICE, CAROL);
    world.pass(MINUTE.times(30));
    assert!(world.holds(ALICE, id) && world.holds(CAROL, id));
    world.pass(Millis(1));
    assert!(!world.holds(ALICE, id) && !world.holds(CAROL, id), "both, though nobody asked a clock");
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), []);
}

#[test]
fn plausible_clocks_catch_a_hop_that_hides_an_age() {
    let mut world = World::of(2);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[1].id), HOUR, b"hello");
    world.pass(MINUTE.times(59));
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.pass(MINUTE.times(2));
    assert!(!world.holds(0, message.id), "one minute was left, whatever the age block said");
    let late = from.message(Eid::mail(world.nodes[1].id), HOUR, b"late");
    world.take(0, &from, &late);
    assert_eq!(refusals(&world.said_to(&from)), [(late.id, Refusal::Expired)]);
}

#[test]
fn a_stamp_from_the_future_never_refuses() {
    let mut world = World::of(3);
    world.nodes[ALICE].wall_offset = 20 * DAY.0 as i64;
    let id = world.send_with(ALICE, BOB, HOUR, None).unwrap();
    world.meet(ALICE, CAROL);
    world.pass(MINUTE.times(50));
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

#[test]
fn a_wall_clock_that_wanders_by_years_every_hour_purges_nothing_that_was_accepted() {
    let mut world = World::of(2);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[1].id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    for hour in 0..23i64 {
        world.nodes[0].wall_offset = (hour - 11) * 365 * DAY.0 as i64;
        world.pass(HOUR);
        world.crash(0);
        assert!(world.holds(0, message.id));
    }
    world.pass(HOUR.times(2));
    assert!(!world.holds(0, message.id));
}

#[test]
fn elapsed_time_that_a_driver_takes_back_does_not_lengthen_a_life() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    world.pass(HOUR);
    let message = from.message(Eid::mail(from.id), HOUR.times(2), b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    let expires = world.nodes[0].agent().held_one(&message.id).unwrap().expires;
    world.now = 0;
    let second = from.message(Eid::mail(from.id), HOUR.times(2), b"again");
    world.take(0, &from, &second);
    assert_eq!(world.nodes[0].agent().at().now.0, HOUR.0);
    assert!(world.nodes[0].agent().held_one(&second.id).unwrap().expires >= expires);
    world.now = HOUR.0;
    world.pass(HOUR.times(2));
    assert!(!world.holds(0, message.id) && !world.holds(0, second.id));
}

#[test]
fn durable_time_follows_what_is_committed_and_an_idle_node_has_no_timer() {
    let mut world = World::of(2);
    assert!(world.nodes[0].agent().next_timeout().is_none());
    world.pass(HOUR);
    let id = world.send(0, 1).unwrap();
    assert_eq!(world.nodes[0].agent().durable().clock.now.0, HOUR.0);
    let (due, _) = world.nodes[0].agent().next_timeout().unwrap();
    assert_eq!(due.0, HOUR.0 + DAY.0 + 1, "nothing to do until its life is over");
    world.meet(0, 1);
    assert_eq!(world.state(0, id), EvidenceKind::Delivered);
    world.pass(DAY.times(30));
    for node in &world.nodes {
        assert!(node.agent().next_timeout().is_none(), "all is forgotten, nothing is due");
        assert_eq!(node.agent().tombstones(), 0);
    }
}

#[test]
fn thousands_of_lives_that_end_at_once_end_in_bounded_steps() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    world.visit(0, &from);
    let elsewhere = Eid::mail(Ghost::new(51).id);
    let all = (0..2_500u32).map(|n| from.message(elsewhere.clone(), HOUR, &n.to_be_bytes())).collect();
    world.take_in_one_batch(0, from.id, all);
    assert_eq!(world.nodes[0].agent().held().count(), 2_500);
    world.pass(HOUR.times(2));
    assert_eq!(world.nodes[0].agent().held().count(), 0);
}

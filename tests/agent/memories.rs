//! What is remembered of bundles that left is bounded by what is carried, and losing it costs traffic and nothing else.

use dak::agent::{Config, Input};
use dak::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority};
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::receipt::ReceiptKind;
use dak::time::{DAY, DtnTime, HOUR, Millis};

use super::World;
use super::world::WALL;
use super::world::ghost::{Ghost, refusals};

/// What a mebibyte carried may leave in each table of memories.
const REMEMBERED_MAX: usize = 4_096;

#[test]
fn a_small_carrier_keeps_no_more_tombstones_than_fit_a_small_file() {
    let small = Config { carry_bytes_max: 1 << 20, strangers_share: 1_000, ..Config::default() };
    let mut world = World::new(vec![small]);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    world.visit(0, &from);
    let destination = Eid::mail(to.id);
    for batch in 0..5u32 {
        let number = |n: u32| (batch * 1_000 + n).to_be_bytes();
        let all: Vec<Bundle> = (0..1_000).map(|n| from.message(destination.clone(), DAY, &number(n))).collect();
        let ids: Vec<_> = all.iter().map(|bundle| bundle.id).collect();
        world.take_in_one_batch(0, from.id, all);
        let receipt = to.receipt(from.id, ReceiptKind::Delivered, &ids);
        world.take_in_one_batch(0, from.id, vec![receipt]);
    }
    let remembered = world.nodes[0].agent().tombstones();
    assert!((3_000..=REMEMBERED_MAX).contains(&remembered), "{remembered} tombstones");
}

/// A message as its source sends it without a clock, which only a counter numbers.
fn clockless_message(from: &Ghost, destination: Eid, lifetime: Millis) -> Bundle {
    let (kind, priority) = (Kind::Message, Priority::Normal);
    let creation = Creation { time: DtnTime(0), sequence: 1 };
    let draft = Draft { kind, source: from.id, destination, creation, lifetime, priority, copies: 8 };
    draft.sign(b"hello", &from.key).unwrap()
}

/// As whoever replays a bundle tells it.
const YOUNG: Hops = Hops { age: Millis(0), count: 0 };

#[test]
fn a_message_without_a_date_replayed_after_its_tombstone_is_not_shown_again_and_ends_at_the_recipient() {
    let mut world = World::of(2);
    world.nodes.iter_mut().for_each(|node| node.wall_offset = -(WALL as i64));
    let (from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = clockless_message(&from, Eid::mail(world.nodes[1].id), HOUR);
    world.visit(0, &from);
    world.take_with(0, &from, &message, YOUNG, 1);
    world.meet(0, 1);
    assert_eq!(world.inbox(1), [message.id]);
    assert!(!world.holds(0, message.id), "the receipt ended it");
    world.input(1, Input::Discard(message.id));
    // Every memory of it is over, but for the recipient's own.
    world.pass(DAY.times(40));
    assert_eq!(world.nodes[0].agent().tombstones() + world.nodes[1].agent().tombstones(), 0);
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, YOUNG, 1);
    assert!(world.holds(0, message.id), "nothing that is signed says to a carrier that it is old");
    world.meet(0, 1);
    assert_eq!(world.inbox(1), [], "the recipient knows");
    assert!(!world.holds(0, message.id) && !world.holds(1, message.id), "and its receipt ends it again");
    world.said_to(&hostile);
    world.take_with(0, &hostile, &message, YOUNG, 1);
    assert_eq!(refusals(&world.said_to(&hostile)), [(message.id, Refusal::Known)], "for a whole life more");
    assert!(!world.holds(0, message.id));
}

#[test]
fn a_message_without_a_date_that_is_replayed_for_ever_has_a_place_for_half_of_the_time() {
    let mut world = World::of(1);
    world.nodes[0].wall_offset = -(WALL as i64);
    let (from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = clockless_message(&from, Eid::mail(Ghost::new(99).id), DAY);
    world.visit(0, &hostile);
    let mut held = 0;
    for _ in 0..24 * 30 {
        world.take_with(0, &hostile, &message, YOUNG, 1);
        held += u32::from(world.holds(0, message.id));
        world.pass(HOUR);
    }
    // It costs as much to hand over as a new one, which would have a place all the time.
    assert!((24..400).contains(&held), "held for {held} of 720 hours");
}

//! What hops tell of age and hop count ends nothing that is genuine, and lengthens nothing beyond its signed lifetime.

use dak::agent::change::Change;
use dak::agent::{Config, Input, Output};
use dak::bundle::{Bundle, Hops};
use dak::eid::Eid;
use dak::frame::{Frame, Refusal};
use dak::id::BundleId;
use dak::time::{DAY, HOUR, MINUTE, Millis, SECOND};

use super::World;
use super::world::WALL;
use super::world::ghost::{Ghost, Said, refusals};

/// Nodes whose clocks say nothing: only hops tell of age.
fn clockless(n: usize) -> World {
    without_clocks(World::of(n))
}

fn without_clocks(mut world: World) -> World {
    world.nodes.iter_mut().for_each(|node| node.wall_offset = -(WALL as i64));
    world
}

fn aged(age: Millis) -> Hops {
    Hops { age, count: 1 }
}

/// A message of a day to nobody in particular.
fn message(from: &mut Ghost) -> Bundle {
    from.message(Eid::mail(Ghost::new(99).id), DAY, b"hello")
}

fn life_left(world: &World, n: usize, id: BundleId) -> Option<u64> {
    world.nodes[n].agent().held_one(&id).map(|held| held.expires.0 - world.now)
}

fn lives_told(said: &[Said]) -> Vec<(BundleId, Millis)> {
    let lives = said.iter().filter_map(|said| match said {
        Said::Frame(Frame::Lives { lives }) => Some(lives.clone()),
        _ => None,
    });
    lives.flatten().collect()
}

#[test]
fn who_offered_what_comes_aged_from_another_hears_of_it_and_answers_with_the_life_it_has() {
    let mut world = clockless(1);
    let (mut from, hostile, [honest, slow]) = (Ghost::new(50), Ghost::new(66), [60, 61].map(Ghost::new));
    let message = message(&mut from);
    // The slow one is asked and takes its time; then the hostile one is.
    for ghost in [&slow, &hostile, &honest] {
        world.visit(0, ghost);
        world.hear(0, ghost, &Frame::Offer { ids: vec![message.id] });
    }
    world.pass(SECOND.times(6));
    world.said_to(&honest);
    world.said_to(&slow);
    world.take_with(0, &hostile, &message, aged(Millis(DAY.0 - 2 * SECOND.0)), 1);
    assert_eq!(life_left(&world, 0, message.id), Some(2 * SECOND.0));
    for ghost in [&honest, &slow] {
        assert_eq!(lives_told(&world.said_to(ghost)), [(message.id, SECOND.times(2))]);
    }
    world.hear(0, &honest, &Frame::Lives { lives: vec![(message.id, HOUR.times(23))] });
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(23).0));
}

#[test]
fn a_copy_that_claims_every_hop_is_taken_and_handed_on() {
    for count in [254, 255] {
        let mut world = World::of(3);
        let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
        let message = from.message(Eid::mail(world.nodes[2].id), DAY, b"hello");
        world.visit(0, &hostile);
        world.take_with(0, &hostile, &message, Hops { age: Millis(5), count }, 4);
        assert!(world.holds(0, message.id), "count {count}");
        world.meet(0, 1);
        assert!(world.holds(1, message.id), "count {count}");
        world.meet(1, 2);
        assert_eq!(world.inbox(2), [message.id], "count {count}");
        assert_eq!(world.nodes[2].letter(&message.id).unwrap().hops.count, 255, "it stays at the limit");
    }
}

#[test]
fn where_both_clocks_are_plausible_a_hop_shortens_a_life_by_a_minute_at_most() {
    for told in [HOUR, DAY, Millis(DAY.0 - 1_000), DAY.times(2), Millis(u64::MAX)] {
        let mut world = World::of(2);
        let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
        let message = from.message(Eid::mail(world.nodes[1].id), DAY, b"hello");
        world.visit(0, &hostile);
        world.take_with(0, &hostile, &message, aged(told), 1);
        assert_eq!(life_left(&world, 0, message.id), Some(DAY.0 - MINUTE.0), "told {told}");
        world.pass(HOUR.times(23));
        world.meet(0, 1);
        assert_eq!(world.inbox(1), [message.id]);
    }
}

#[test]
fn where_both_clocks_are_plausible_no_peer_lengthens_a_life_and_nothing_is_said_about_it() {
    let mut world = World::of(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.pass(HOUR.times(12));
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR.times(12)), 1);
    world.leave(0, &from);
    world.visit(0, &hostile);
    world.hear(0, &hostile, &Frame::Lives { lives: vec![(message.id, DAY)] });
    world.hear(0, &hostile, &Frame::Offer { ids: vec![message.id] });
    world.take_with(0, &hostile, &message, aged(Millis(0)), 1);
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(12).0));
    assert_eq!(lives_told(&world.said_to(&hostile)), []);
}

#[test]
fn without_a_clock_a_second_copy_with_clearly_more_life_lengthens_what_is_held() {
    let mut world = clockless(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, aged(Millis(DAY.0 - MINUTE.0)), 1);
    assert_eq!(life_left(&world, 0, message.id), Some(MINUTE.0));
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR), 1);
    assert_eq!(refusals(&world.said_to(&from)), [(message.id, Refusal::Known)]);
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(23).0));
    world.take_with(0, &hostile, &message, aged(HOUR.times(5)), 1);
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(23).0), "the longer of the two counts");
    world.pass(HOUR.times(23));
    assert!(world.holds(0, message.id));
    world.pass(SECOND);
    assert!(!world.holds(0, message.id));
}

#[test]
fn carriers_without_clocks_that_meet_both_hold_the_longer_life() {
    for (aged_one, other) in [(0, 1), (1, 0)] {
        let mut world = clockless(2);
        let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
        let message = message(&mut from);
        world.visit(aged_one, &hostile);
        world.take_with(aged_one, &hostile, &message, aged(Millis(DAY.0 - HOUR.0)), 1);
        world.visit(other, &from);
        world.take(other, &from, &message);
        world.meet(0, 1);
        for n in 0..2 {
            assert_eq!(life_left(&world, n, message.id), Some(DAY.0 - 1), "node {n}");
        }
        assert!(world.forwards.is_empty(), "no body travels for it");
        world.look(aged_one);
        world.crash(aged_one);
        assert_eq!(life_left(&world, aged_one, message.id), Some(DAY.0 - 1), "it is durable");
    }
}

#[test]
fn a_carrier_asks_whether_what_is_offered_has_more_life_than_what_it_holds() {
    let mut world = clockless(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.visit(0, &from);
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, aged(Millis(DAY.0 - HOUR.0)), 1);
    world.said_to(&from);
    world.hear(0, &from, &Frame::Offer { ids: vec![message.id] });
    assert_eq!(lives_told(&world.said_to(&from)), [(message.id, HOUR)]);
    world.hear(0, &from, &Frame::Lives { lives: vec![(message.id, HOUR.times(22))] });
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(22).0));
    assert_eq!(lives_told(&world.said_to(&from)), [], "that is the end of it");
}

#[test]
fn a_life_that_turns_out_longer_is_told_to_all_contacts() {
    let mut world = clockless(3);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.up(0, 1);
    world.up(1, 2);
    world.visit(1, &hostile);
    world.take_with(1, &hostile, &message, aged(Millis(DAY.0 - HOUR.0)), 8);
    assert!((0..3).all(|n| world.holds(n, message.id)), "the aged copy is everywhere");
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR.times(2)), 1);
    for n in 0..3 {
        assert_eq!(life_left(&world, n, message.id), Some(HOUR.times(22).0), "node {n}");
    }
}

#[test]
fn no_copy_and_no_word_lengthens_a_life_beyond_the_first_acceptance_and_the_signed_lifetime() {
    let mut world = clockless(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR.times(4)), 1);
    world.visit(0, &hostile);
    for hour in 1..24 {
        world.pass(HOUR);
        world.take_with(0, &hostile, &message, aged(Millis(0)), 1);
        world.hear(0, &hostile, &Frame::Lives { lives: vec![(message.id, Millis(u64::MAX))] });
        assert_eq!(life_left(&world, 0, message.id), Some(DAY.0 - HOUR.times(hour).0));
    }
    world.pass(HOUR.saturating_add(SECOND));
    assert!(!world.holds(0, message.id));
}

#[test]
fn what_was_evicted_or_died_young_and_comes_again_goes_on_with_its_life() {
    let small = Config { carry_bytes_max: 1_500, strangers_share: 1_000, shun: MINUTE, ..Config::default() };
    let mut world = without_clocks(World::new(vec![small]));
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    // One hop ages it, and it dies; the genuine copy is taken.
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, aged(Millis(DAY.0 - HOUR.0)), 1);
    world.pass(HOUR.times(2));
    assert!(!world.holds(0, message.id));
    world.visit(0, &from);
    world.take(0, &from, &message);
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(22).0));
    // The owner's limit evicts it, and it comes again, over a restart too.
    world.input(0, Input::CarryLimit(0));
    assert!(!world.holds(0, message.id));
    world.input(0, Input::CarryLimit(1_500));
    world.pass(HOUR);
    world.crash(0);
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, aged(Millis(0)), 1);
    assert_eq!(life_left(&world, 0, message.id), Some(HOUR.times(21).0));
    world.pass(HOUR.times(22));
    assert!(!world.holds(0, message.id));
    world.take_with(0, &hostile, &message, aged(Millis(0)), 1);
    assert!(!world.holds(0, message.id), "its whole life has passed here");
    assert_eq!(refusals(&world.said_to(&hostile)).last(), Some(&(message.id, Refusal::Expired)));
    world.pass(DAY.times(3));
    assert!(world.nodes[0].agent().next_timeout().is_none() && world.nodes[0].agent().durable().departed.is_empty());
}

#[test]
fn a_peer_that_tells_of_a_little_more_life_each_time_causes_few_commits() {
    let mut world = clockless(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = message(&mut from);
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR.times(20)), 1);
    world.visit(0, &hostile);
    let before = world.nodes[0].commits;
    for minutes in 0..24 * 60 {
        let lives = vec![(message.id, MINUTE.times(minutes)); 3];
        world.hear(0, &hostile, &Frame::Lives { lives });
    }
    let commits = world.nodes[0].commits - before;
    assert!(commits <= 16, "{commits} commits");
    assert!(life_left(&world, 0, message.id) > Some(HOUR.times(22).0));
}

#[test]
fn among_more_aged_copies_than_are_told_at_once_each_has_its_chance() {
    let mut world = clockless(1);
    let (mut from, peer) = (Ghost::new(50), Ghost::new(60));
    world.visit(0, &from);
    for n in 0..1_200u32 {
        let bundle = from.message(Eid::mail(peer.id), DAY, &n.to_be_bytes());
        world.take_with(0, &from, &bundle, aged(HOUR.times(12)), 1);
    }
    let mut told = std::collections::BTreeSet::new();
    for _ in 0..20 {
        world.visit(0, &Ghost::new(70));
        let lives = lives_told(&world.said_to(&Ghost::new(70)));
        assert_eq!(lives.len(), 1_024, "no more at once");
        told.extend(lives.into_iter().map(|(id, _)| id));
        world.leave(0, &Ghost::new(70));
    }
    assert!(told.len() > 1_190, "{} of 1,200", told.len());
}

#[test]
fn every_change_of_a_life_is_one_that_a_store_applies() {
    let mut world = clockless(1);
    let mut from = Ghost::new(50);
    let message = message(&mut from);
    world.visit(0, &from);
    world.take_with(0, &from, &message, aged(HOUR.times(4)), 1);
    let held = world.nodes[0].agent().held_one(&message.id).unwrap();
    let mut model = world.nodes[0].agent().durable();
    world.take_with(0, &from, &message, aged(Millis(0)), 1);
    let (age, expires) = (Millis(0), held.accepted_at + DAY);
    model.apply(&Change::Prolong { row: held.row, age, expires });
    assert_eq!(model, world.nodes[0].agent().durable());
}

#[test]
fn however_often_lives_grow_each_contact_hears_of_each_once_when_it_has_its_turn() {
    let mut world = clockless(1);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let peers: Vec<Ghost> = (0..20).map(Ghost::nth).collect();
    peers.iter().chain([&from, &hostile]).for_each(|ghost| world.visit_silently(0, ghost));
    let bundles: Vec<Bundle> = (0..1_500).map(|_| message(&mut from)).collect();
    peers.iter().chain([&from, &hostile]).for_each(|ghost| {
        world.hear(0, ghost, &Frame::Hello(ghost.hello()));
    });
    let ids: Vec<BundleId> = bundles.iter().map(|bundle| bundle.id).collect();
    world.take_aged_in_one_batch(0, from.id, bundles, Millis(DAY.0 - MINUTE.0));
    peers.iter().for_each(|peer| drop(world.said_to(peer)));
    // All that the peer says comes before anybody has a turn.
    let (at, mut out) = (world.moment(0), Vec::new());
    for hours in 1..12 {
        for ids in ids.chunks(1_000) {
            let lives = ids.iter().map(|id| (*id, HOUR.times(2 * hours))).collect();
            let frame = Frame::Lives { lives };
            world.nodes[0].driver.agent.handle(at, Input::Frame { from: hostile.id, frame }, &mut out);
        }
    }
    let agent = &mut world.nodes[0].driver.agent;
    let told_of = |out: &[Output]| {
        let lives = out.iter().filter_map(|output| match output {
            Output::Send { frame: Frame::Lives { lives }, .. } => Some(lives.len()),
            _ => None,
        });
        lives.sum::<usize>()
    };
    assert_eq!(told_of(&out), 0, "nobody hears of it in between");
    let (mut told, mut turns) = (0, 0);
    while agent.next_timeout().is_some_and(|(due, _)| due <= at.now) {
        let mut out = Vec::new();
        agent.handle(at, Input::Timeout, &mut out);
        assert!(told_of(&out) <= 1_024, "one contact at a time, and one frame");
        told += told_of(&out);
        turns += 1;
    }
    assert_eq!(told, 1_500 * (peers.len() + 1), "in {turns} turns");
}

//! Room for others is shared by who hands over and, among people who were named, by source; the largest share gives way.

use dak::agent::Config;
use dak::agent::change::{Class, Standing};
use dak::bundle::Bundle;
use dak::eid::Eid;
use dak::frame::RoutingInfo;
use dak::time::{DAY, Millis};

use super::World;
use super::world::ghost::{Ghost, hello_of};

/// Room for a hundred bundles of about two thousand bytes with their cost, half of it for strangers; nothing is promised.
fn room_for_a_hundred() -> Config {
    Config { carry_bytes_max: 100 * 2_000, custody_share: 0, ..Config::default() }
}

fn elsewhere() -> Eid {
    Eid::mail(Ghost::new(99).id)
}

/// Hands over so many bundles of `source`, each of about two thousand bytes in all.
fn hand_over(world: &mut World, from: &Ghost, source: &mut Ghost, count: u32, lifetime: Millis) -> Vec<Bundle> {
    let bundles: Vec<Bundle> =
        (0..count).map(|n| source.message(elsewhere(), lifetime, &[n as u8; 1_000])).collect();
    bundles.iter().for_each(|bundle| world.take(0, from, bundle));
    bundles
}

/// Hands over as many bundles as there are numbers, each from an identity of its own that nobody saw before.
fn crowd(world: &mut World, numbers: std::ops::Range<u32>, lifetime: Millis) {
    for n in numbers {
        let sybil = Ghost::nth(n);
        world.haunt(0, &sybil);
        hand_over(world, &sybil, &mut Ghost::nth(n), 3, lifetime);
        world.leave(0, &sybil);
    }
}

fn kept(world: &World, bundles: &[Bundle]) -> usize {
    bundles.iter().filter(|bundle| world.holds(0, bundle.id)).count()
}

#[test]
fn a_crowd_of_fresh_identities_takes_nothing_of_the_share_of_a_person_who_was_named() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (mut friend, mut author) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    world.haunt(0, &friend);
    let same = Ghost::new(50);
    let written = hand_over(&mut world, &same, &mut friend, 10, DAY);
    let brought = hand_over(&mut world, &same, &mut author, 20, DAY);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    assert_eq!((kept(&world, &written), kept(&world, &brought)), (10, 20));
    world.crash(0);
    crowd(&mut world, 2_000..2_200, DAY.times(20));
    assert_eq!((kept(&world, &written), kept(&world, &brought)), (10, 20), "also after a restart");
}

#[test]
fn a_person_who_was_named_takes_no_more_than_a_share_from_a_crowd_and_gets_it() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (friend, mut author) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    world.haunt(0, &friend);
    let brought = hand_over(&mut world, &friend, &mut author, 60, DAY);
    let of_friend = kept(&world, &brought);
    let of_crowd = world.nodes[0].agent.held().filter(|held| held.from != Some(friend.id)).count();
    assert!(of_friend.abs_diff(of_crowd) <= 2, "{of_friend} and {of_crowd}");
}

#[test]
fn a_share_begins_with_the_name_and_counts_what_was_handed_over_before() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (friend, mut author) = (Ghost::new(50), Ghost::new(51));
    world.haunt(0, &friend);
    let brought = hand_over(&mut world, &friend, &mut author, 20, DAY);
    world.name(0, friend.id, Standing::Contact);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    assert_eq!(kept(&world, &brought), 20);
    world.name(0, friend.id, Standing::Blocked);
    crowd(&mut world, 2_000..2_200, DAY.times(20));
    assert_eq!(kept(&world, &brought), 0, "one of the crowd again, of whom each has room for a part of a bundle");
}

#[test]
fn a_contact_that_floods_leaves_others_who_were_named_and_strangers_their_shares() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (mut hostile, mut friend) = (Ghost::new(50), Ghost::new(51));
    let (carrier, mut stranger) = (Ghost::new(52), Ghost::new(53));
    for person in [&hostile, &friend] {
        world.name(0, person.id, Standing::Contact);
    }
    let same = Ghost::new(50);
    world.haunt(0, &same);
    world.haunt(0, &carrier);
    let of_friend = hand_over(&mut world, &carrier, &mut friend, 30, DAY);
    let of_stranger = hand_over(&mut world, &carrier, &mut stranger, 30, DAY);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    assert_eq!((kept(&world, &of_friend), kept(&world, &of_stranger)), (30, 30));
    let of_hostile = |world: &World| world.nodes[0].agent.held().filter(|held| held.source == hostile.id).count();
    assert!(of_hostile(&world) >= 38, "and takes what is left");
}

#[test]
fn what_was_promised_to_strangers_makes_way_for_no_more_than_the_share_of_a_contact() {
    let mut world = World::new(vec![Config { custody_share: 1_000, strangers_share: 1_000, ..room_for_a_hundred() }]);
    let (mut hostile, carrier, mut stranger) = (Ghost::new(50), Ghost::new(52), Ghost::new(53));
    world.name(0, hostile.id, Standing::Contact);
    let same = Ghost::new(50);
    world.haunt(0, &same);
    world.haunt(0, &carrier);
    let promised = hand_over(&mut world, &carrier, &mut stranger, 120, DAY);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    let of_hostile = world.nodes[0].agent.held().filter(|held| held.class == Class::Contacts).count();
    assert!(kept(&world, &promised).abs_diff(of_hostile) <= 2, "{} and {of_hostile}", kept(&world, &promised));
}

#[test]
fn a_contact_finds_its_share_where_another_filled_all_of_the_room() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (mut hostile, mut friend, carrier) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    for person in [&hostile, &friend] {
        world.name(0, person.id, Standing::Contact);
    }
    let same = Ghost::new(50);
    world.haunt(0, &same);
    world.haunt(0, &carrier);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    let of_friend = hand_over(&mut world, &carrier, &mut friend, 60, DAY);
    let left = world.nodes[0].agent.held().filter(|held| held.source == hostile.id).count();
    assert!(kept(&world, &of_friend).abs_diff(left) <= 2, "{} and {left}", kept(&world, &of_friend));
}

#[test]
fn a_contact_and_the_copies_of_a_crowd_leave_a_modest_stranger_its_own() {
    let mut world = World::new(vec![Config { strangers_share: 1_000, ..room_for_a_hundred() }]);
    let (mut friend, hog, mut author) = (Ghost::new(50), Ghost::new(52), Ghost::new(53));
    let (modest, mut quiet) = (Ghost::new(54), Ghost::new(55));
    world.name(0, friend.id, Standing::Contact);
    for ghost in [&hog, &modest] {
        world.haunt(0, ghost);
    }
    let few = hand_over(&mut world, &modest, &mut quiet, 10, DAY);
    hand_over(&mut world, &hog, &mut author, 120, DAY.times(20));
    hand_over(&mut world, &hog, &mut friend, 45, DAY);
    assert_eq!(kept(&world, &few), 10, "the fullest of the strangers make way for a person, not the soonest to expire");
}

/// What a Hello of the carrier tells `ghost` of the price of its room.
fn price_told(world: &mut World, ghost: &Ghost) -> u16 {
    world.leave(0, ghost);
    world.said_to(ghost);
    world.haunt(0, ghost);
    let hello = hello_of(&world.said_to(ghost));
    let RoutingInfo::Meetings(told) = hello.routing else { panic!("the default tells meetings") };
    told.iter().find(|(node, _)| *node == world.nodes[0].id).map_or(0, |(_, price)| *price)
}

#[test]
fn a_flood_that_displaces_itself_raises_the_price_for_nobody_else() {
    let mut world = World::new(vec![room_for_a_hundred(), Config::default()]);
    let (flooder, mut author, to) = (Ghost::new(66), Ghost::new(67), Ghost::new(68));
    world.haunt(0, &flooder);
    // In contact all the time, so that nothing is worth more than what is for it; and each is worth more than the last.
    world.haunt(0, &to);
    for n in 0..400 {
        let junk = author.message(Eid::mail(to.id), DAY.times(20), &vec![7; 800 - 2 * n]);
        world.take(0, &flooder, &junk);
    }
    assert!(price_told(&mut world, &flooder) > 0, "who floods is told so");
    assert_eq!(price_told(&mut world, &Ghost::new(69)), 0);
    let id = world.send_to(1, elsewhere(), DAY, None).unwrap();
    world.meet(1, 0);
    assert!(world.holds(0, id), "an honest sender still hands over");
}

#[test]
fn a_crowd_that_displaces_each_other_raises_the_price_for_nobody_else() {
    let mut world = World::new(vec![room_for_a_hundred(), Config::default()]);
    let to = Ghost::new(68);
    world.haunt(0, &to);
    for n in 0..300 {
        let (sybil, mut author) = (Ghost::nth(n), Ghost::nth(n));
        world.haunt(0, &sybil);
        let junk = author.message(Eid::mail(to.id), DAY.times(20), &vec![7; 700 - 2 * n as usize]);
        world.take(0, &sybil, &junk);
        world.leave(0, &sybil);
    }
    let id = world.send_to(1, elsewhere(), DAY, None).unwrap();
    world.meet(1, 0);
    assert!(world.nodes[0].events.iter().any(|event| matches!(event, dak::agent::Event::Accepted { id: told, .. } if *told == id)));
}

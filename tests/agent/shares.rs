//! Room for others is shared by who hands over and, among people who were named, by source; the largest share gives way.

use dak::agent::Config;
use dak::agent::change::{Class, Standing};
use dak::bundle::Bundle;
use dak::eid::Eid;
use dak::frame::{Grade, RoutingInfo};
use dak::time::{DAY, Millis};

use super::World;
use super::world::ghost::{Ghost, hello_of};

/// Room for a hundred bundles of about two thousand bytes with their cost, half of it for strangers; nothing is promised.
fn room_for_a_hundred() -> Config {
    Config { carry_bytes_max: 100 * 2_000, custody_share: 0, ..Config::default() }
}

/// Room in which the least share of a peer is of eight thousand bytes.
fn room_for_a_crowd() -> Config {
    Config { carry_bytes_max: 2 * 256 * 8_000, custody_share: 0, ..Config::default() }
}

fn elsewhere() -> Eid {
    Eid::mail(Ghost::new(99).id)
}

/// Hands over so many bundles of `source`, each of about two thousand bytes in all.
fn hand_over(world: &mut World, from: &Ghost, source: &mut Ghost, count: u32, lifetime: Millis) -> Vec<Bundle> {
    let bundles: Vec<Bundle> = (0..count).map(|n| source.message(elsewhere(), lifetime, &[n as u8; 1_000])).collect();
    bundles.iter().for_each(|bundle| world.take(0, from, bundle));
    bundles
}

/// Hands over so many bundles of ten sources.
fn hand_over_of_many(world: &mut World, from: &Ghost, count: u32) -> Vec<Bundle> {
    let each = |n: u32| hand_over(world, from, &mut Ghost::nth(500 + n), count / 10, DAY);
    (0..10).flat_map(each).collect()
}

/// Hands over as many bundles as there are numbers, each from an identity of its own that nobody saw before.
fn crowd(world: &mut World, numbers: std::ops::Range<u32>, lifetime: Millis) {
    for n in numbers {
        let sybil = Ghost::nth(n);
        world.visit(0, &sybil);
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
    let mut friend = Ghost::new(50);
    world.name(0, friend.id, Standing::Contact);
    world.visit(0, &friend);
    let same = Ghost::new(50);
    let written = hand_over(&mut world, &same, &mut friend, 10, DAY);
    let brought = hand_over_of_many(&mut world, &same, 20);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    assert_eq!((kept(&world, &written), kept(&world, &brought)), (10, 20));
    world.crash(0);
    crowd(&mut world, 2_000..2_200, DAY.times(20));
    assert_eq!((kept(&world, &written), kept(&world, &brought)), (10, 20), "also after a restart");
}

#[test]
fn a_person_who_was_named_takes_no_more_than_a_share_from_a_crowd_and_gets_it() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let friend = Ghost::new(50);
    world.name(0, friend.id, Standing::Contact);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    world.visit(0, &friend);
    let brought = hand_over_of_many(&mut world, &friend, 60);
    let of_friend = kept(&world, &brought);
    let of_crowd = world.nodes[0].agent().held().filter(|held| held.from != Some(friend.id)).count();
    assert!(of_friend.abs_diff(of_crowd) <= 2, "{of_friend} and {of_crowd}");
}

#[test]
fn a_share_begins_with_the_name_and_counts_what_was_handed_over_before() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let friend = Ghost::new(50);
    world.visit(0, &friend);
    let brought = hand_over_of_many(&mut world, &friend, 20);
    world.name(0, friend.id, Standing::Contact);
    crowd(&mut world, 1_000..1_200, DAY.times(20));
    assert_eq!(kept(&world, &brought), 20);
    world.name(0, friend.id, Standing::Blocked);
    crowd(&mut world, 2_000..2_200, DAY.times(20));
    assert!(kept(&world, &brought) <= 2, "one of the crowd again, of whom each has room for about one bundle");
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
    world.visit(0, &same);
    world.visit(0, &carrier);
    let of_friend = hand_over(&mut world, &carrier, &mut friend, 30, DAY);
    let of_stranger = hand_over(&mut world, &carrier, &mut stranger, 30, DAY);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    assert_eq!((kept(&world, &of_friend), kept(&world, &of_stranger)), (30, 30));
    let of_hostile = |world: &World| world.nodes[0].agent().held().filter(|held| held.source == hostile.id).count();
    assert!(of_hostile(&world) >= 38, "and takes what is left");
}

#[test]
fn what_was_promised_to_strangers_makes_way_for_no_more_than_the_share_of_a_contact() {
    let mut world = World::new(vec![Config { custody_share: 1_000, strangers_share: 1_000, ..room_for_a_hundred() }]);
    let (mut hostile, carrier, mut stranger) = (Ghost::new(50), Ghost::new(52), Ghost::new(53));
    world.name(0, hostile.id, Standing::Contact);
    let same = Ghost::new(50);
    world.visit(0, &same);
    world.visit(0, &carrier);
    let promised = hand_over(&mut world, &carrier, &mut stranger, 120, DAY);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    let of_hostile = world.nodes[0].agent().held().filter(|held| held.class == Class::Contacts).count();
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
    world.visit(0, &same);
    world.visit(0, &carrier);
    hand_over(&mut world, &same, &mut hostile, 200, DAY.times(20));
    let of_friend = hand_over(&mut world, &carrier, &mut friend, 60, DAY);
    let left = world.nodes[0].agent().held().filter(|held| held.source == hostile.id).count();
    assert!(kept(&world, &of_friend).abs_diff(left) <= 2, "{} and {left}", kept(&world, &of_friend));
}

#[test]
fn a_contact_and_the_copies_of_a_crowd_leave_a_modest_stranger_its_own() {
    let mut world = World::new(vec![Config { strangers_share: 1_000, ..room_for_a_hundred() }]);
    let (mut friend, hog, mut author) = (Ghost::new(50), Ghost::new(52), Ghost::new(53));
    let (modest, mut quiet) = (Ghost::new(54), Ghost::new(55));
    world.name(0, friend.id, Standing::Contact);
    for ghost in [&hog, &modest] {
        world.visit(0, ghost);
    }
    let few = hand_over(&mut world, &modest, &mut quiet, 10, DAY);
    hand_over(&mut world, &hog, &mut author, 120, DAY.times(20));
    hand_over(&mut world, &hog, &mut friend, 45, DAY);
    assert_eq!(kept(&world, &few), 10, "the fullest of the strangers make way for a person, not the soonest to expire");
}

#[test]
fn a_source_that_many_hand_over_takes_no_more_than_the_share_of_a_source() {
    let mut world = World::new(vec![Config { strangers_share: 1_000, ..room_for_a_hundred() }]);
    let mut hostile = Ghost::new(66);
    let mut honest = Vec::new();
    for n in 0..10 {
        let (carrier, mut source) = (Ghost::nth(n), Ghost::nth(100 + n));
        world.visit(0, &carrier);
        honest.extend(hand_over(&mut world, &carrier, &mut source, 7, DAY));
        world.leave(0, &carrier);
    }
    let before = kept(&world, &honest);
    for n in 1_000..1_060 {
        let carrier = Ghost::nth(n);
        world.visit(0, &carrier);
        hand_over(&mut world, &carrier, &mut hostile, 4, DAY.times(20));
        world.leave(0, &carrier);
    }
    assert_eq!(kept(&world, &honest), before);
    let (carrier, mut source) = (Ghost::nth(1_000), Ghost::nth(200));
    world.visit(0, &carrier);
    let late = hand_over(&mut world, &carrier, &mut source, 1, DAY);
    assert_eq!(kept(&world, &late), 1, "who carried for a hostile source has room for what else there is");
    assert_eq!(kept(&world, &honest), before);
}

#[test]
fn who_hands_over_for_throwaway_sources_displaces_only_its_own() {
    let mut world = World::new(vec![Config { strangers_share: 1_000, ..room_for_a_hundred() }]);
    let flooder = Ghost::new(66);
    let mut honest = Vec::new();
    for n in 0..10 {
        let (carrier, mut source) = (Ghost::nth(n), Ghost::nth(100 + n));
        world.visit(0, &carrier);
        honest.extend(hand_over(&mut world, &carrier, &mut source, 7, DAY));
    }
    world.visit(0, &flooder);
    (1_000..1_300).for_each(|n| drop(hand_over(&mut world, &flooder, &mut Ghost::nth(n), 1, DAY.times(20))));
    assert_eq!(kept(&world, &honest), 70);
}

/// One bundle of a peer that nobody saw before, as large as the least share of one.
fn fresh(world: &mut World, n: u32) -> Bundle {
    let (sybil, mut author) = (Ghost::nth(n), Ghost::nth(n));
    world.visit(0, &sybil);
    let junk = author.message(elsewhere(), DAY.times(20), &vec![7; 7_000]);
    world.take(0, &sybil, &junk);
    world.leave(0, &sybil);
    junk
}

#[test]
fn hundreds_of_fresh_identities_leave_a_modest_stranger_most_of_its_own_and_a_newcomer_gets_in() {
    let mut world = World::new(vec![room_for_a_crowd()]);
    let (modest, mut quiet) = (Ghost::new(54), Ghost::new(55));
    world.visit(0, &modest);
    let few: Vec<Bundle> = (0..8).map(|_| quiet.message(elsewhere(), DAY, &[1; 100])).collect();
    few.iter().for_each(|bundle| world.take(0, &modest, bundle));
    (1_000..1_600).for_each(|n| drop(fresh(&mut world, n)));
    assert!(kept(&world, &few) >= 5, "{} of 8", kept(&world, &few));
    let late = fresh(&mut world, 2_000);
    assert!(world.holds(0, late.id));
}

#[test]
fn one_stranger_is_not_promised_all_that_can_be() {
    let mut world = World::new(vec![Config { strangers_share: 1_000, custody_share: 500, ..room_for_a_hundred() }]);
    let (flooder, mut author, newcomer, mut source) = (Ghost::new(66), Ghost::new(67), Ghost::new(50), Ghost::new(51));
    world.visit(0, &flooder);
    world.visit(0, &newcomer);
    hand_over(&mut world, &flooder, &mut author, 200, DAY.times(20));
    let promised = hand_over(&mut world, &newcomer, &mut source, 5, DAY);
    let grade = |bundle: &Bundle| world.nodes[0].agent().held_one(&bundle.id).map(|held| held.grade);
    assert!(promised.iter().all(|bundle| grade(bundle) == Some(Grade::Custody)));
}

/// What a Hello of the carrier tells `ghost` of the price of its room.
fn price_told(world: &mut World, ghost: &Ghost) -> u16 {
    world.leave(0, ghost);
    world.said_to(ghost);
    world.visit(0, ghost);
    let hello = hello_of(&world.said_to(ghost));
    let RoutingInfo::Meetings(told) = hello.routing else { panic!("the default tells meetings") };
    told.iter().find(|(node, _)| *node == world.nodes[0].id).map_or(0, |(_, price)| *price)
}

#[test]
fn a_flood_that_displaces_itself_raises_the_price_for_nobody_else() {
    let mut world = World::new(vec![room_for_a_hundred(), Config::default()]);
    let (flooder, mut author, to) = (Ghost::new(66), Ghost::new(67), Ghost::new(68));
    world.visit(0, &flooder);
    // In contact all the time, so that nothing is worth more than what is for it; and each is worth more than the last.
    world.visit(0, &to);
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
    let mut world = World::new(vec![room_for_a_crowd(), Config::default()]);
    let to = Ghost::new(68);
    world.visit(0, &to);
    for n in 0..600 {
        let (sybil, mut author) = (Ghost::nth(n), Ghost::nth(n));
        world.visit(0, &sybil);
        let junk = author.message(Eid::mail(to.id), DAY.times(20), &vec![7; 7_000 - 2 * n as usize]);
        world.take(0, &sybil, &junk);
        world.leave(0, &sybil);
    }
    assert!(world.nodes[0].agent().usage().evicted[1] > 100, "it is full");
    assert_eq!(price_told(&mut world, &Ghost::new(69)), 0);
    let id = world.send_to(1, elsewhere(), DAY, None).unwrap();
    world.meet(1, 0);
    assert!(world.holds(0, id));
}

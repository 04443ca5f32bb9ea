//! Room for others is shared by who hands over and by source, and the largest share gives way first.

use dak::agent::Config;
use dak::agent::change::{Class, Standing};
use dak::eid::Eid;
use dak::id::NodeId;
use dak::time::DAY;

use super::World;
use super::world::ghost::Ghost;

/// Room for 100 bundles of a thousand bytes and their cost, half of it for strangers; nothing is promised.
fn room_for_a_hundred() -> World {
    let config = Config { carry_bytes_max: 100 * 2_000, custody_share: 0, ..Config::default() };
    World::new(vec![config])
}

/// Hands over so many bundles of `source`, each of about two thousand bytes in all.
fn flood(world: &mut World, from: &Ghost, source: &mut Ghost, count: u32) {
    let elsewhere = Eid::mail(Ghost::new(99).id);
    for n in 0..count {
        let bundle = source.message(elsewhere.clone(), DAY, &[n as u8; 1_000]);
        world.take(0, from, &bundle);
    }
}

fn held(world: &World, wanted: impl Fn(NodeId, NodeId, Class) -> bool) -> usize {
    let held = world.nodes[0].agent.held();
    held.filter(|held| held.from.is_some_and(|from| wanted(from, held.source, held.class))).count()
}

#[test]
fn a_crowd_of_fresh_identities_does_not_thin_out_what_a_friend_handed_over() {
    let mut world = room_for_a_hundred();
    let (friend, mut author) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    world.haunt(0, &friend);
    flood(&mut world, &friend, &mut author, 60);
    let before = held(&world, |from, _, _| from == friend.id);
    for seed in 100..190 {
        let mut sybil = Ghost::new(seed);
        let same = Ghost::new(seed);
        world.haunt(0, &same);
        flood(&mut world, &same, &mut sybil, 3);
        world.leave(0, &same);
    }
    let after = held(&world, |from, _, _| from == friend.id);
    assert!(after * 2 + 4 >= before, "{after} are left of {before}");
    assert!(after < before, "and no more than its share");
    // The same for what was handed over before the name was given, and over a restart.
    world.crash(0);
    assert_eq!(held(&world, |from, _, _| from == friend.id), after);
}

#[test]
fn a_contact_that_floods_leaves_room_for_the_others() {
    let mut world = room_for_a_hundred();
    let (mut hostile, mut friend, carrier) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    for person in [&hostile, &friend] {
        world.name(0, person.id, Standing::Contact);
    }
    let same = Ghost::new(50);
    world.haunt(0, &same);
    flood(&mut world, &same, &mut hostile, 120);
    let flooded = held(&world, |_, source, class| source == hostile.id && class == Class::Contacts);
    world.haunt(0, &carrier);
    flood(&mut world, &carrier, &mut friend, 60);
    let of_friend = held(&world, |_, source, _| source == friend.id);
    assert!(of_friend * 2 + 4 >= flooded, "{of_friend} of the other's, where {flooded} found room");
}

#[test]
fn inside_a_share_the_largest_source_gives_way_first() {
    let mut world = room_for_a_hundred();
    let (friend, mut loud, mut quiet) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    world.name(0, friend.id, Standing::Contact);
    world.haunt(0, &friend);
    flood(&mut world, &friend, &mut loud, 80);
    let before = held(&world, |_, source, _| source == loud.id);
    flood(&mut world, &friend, &mut quiet, 20);
    assert_eq!(held(&world, |_, source, _| source == quiet.id), 20);
    assert_eq!(held(&world, |_, source, _| source == loud.id), before - 20);
}

#[test]
fn who_is_named_takes_a_share_with_what_it_handed_over_before() {
    let mut world = room_for_a_hundred();
    let (friend, mut author, crowd, mut other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52), Ghost::new(53));
    world.haunt(0, &friend);
    world.haunt(0, &crowd);
    flood(&mut world, &friend, &mut author, 20);
    world.name(0, friend.id, Standing::Contact);
    flood(&mut world, &crowd, &mut other, 80);
    assert_eq!(held(&world, |from, _, _| from == friend.id), 20);
    world.name(0, friend.id, Standing::Blocked);
    world.name(0, friend.id, Standing::Contact);
    assert_eq!(held(&world, |from, _, _| from == friend.id), 20);
}

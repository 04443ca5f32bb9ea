//! Whoever offers and stalls holds nothing up for long.

use std::collections::BTreeSet;

use dak::agent::change::Standing;
use dak::bundle::Bundle;
use dak::eid::Eid;
use dak::frame::{Frame, Refusal};
use dak::id::BundleId;
use dak::time::{DAY, MINUTE, Millis, SECOND};

use super::World;
use super::world::ghost::{Ghost, bundles, refusals, takes};

fn message(from: &mut Ghost) -> Bundle {
    from.message(Eid::mail(Ghost::new(99).id), DAY, b"hello")
}

fn offer(world: &mut World, ghost: &Ghost, ids: &[BundleId]) {
    world.hear(0, ghost, &Frame::Offer { ids: ids.to_vec() });
}

fn asked(world: &mut World, ghost: &Ghost) -> Vec<BundleId> {
    takes(&world.said_to(ghost))
}

fn some_id(n: u32) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

#[test]
fn a_peer_that_offers_and_never_hands_over_holds_nothing_up_for_longer_than_seconds() {
    let mut world = World::of(1);
    let (mut from, hostile, honest) = (Ghost::new(50), Ghost::new(66), Ghost::new(60));
    let message = message(&mut from);
    for ghost in [&hostile, &honest] {
        world.visit(0, ghost);
        offer(&mut world, ghost, &[message.id]);
    }
    assert_eq!(asked(&mut world, &hostile), [message.id]);
    assert_eq!(asked(&mut world, &honest), [], "one is asked at a time");
    world.pass(SECOND.times(6));
    assert_eq!(asked(&mut world, &honest), [message.id], "then another is asked");
    world.pass(DAY);
    assert_eq!(asked(&mut world, &hostile), [], "and nobody is asked twice");
    assert!(world.nodes[0].agent().next_timeout().is_none(), "an idle node has no timer");
}

#[test]
fn a_peer_that_hands_over_other_things_gains_no_time_for_what_it_keeps_back() {
    let mut world = World::of(1);
    let (mut from, mut hostile, honest) = (Ghost::new(50), Ghost::new(66), Ghost::new(60));
    let wanted = message(&mut from);
    let junk: Vec<Bundle> = (0..60).map(|_| message(&mut hostile)).collect();
    world.visit(0, &hostile);
    world.visit(0, &honest);
    // It has as much to hand over as it likes, and the wanted one comes last.
    junk.iter().for_each(|bundle| offer(&mut world, &hostile, &[bundle.id]));
    offer(&mut world, &hostile, &[wanted.id]);
    offer(&mut world, &honest, &[wanted.id]);
    for bundle in junk.iter().take(31) {
        world.take(0, &hostile, bundle);
        world.pass(SECOND);
    }
    assert_eq!(asked(&mut world, &honest), [wanted.id]);
}

#[test]
fn who_stalled_comes_last_until_it_has_made_good_also_in_a_later_contact() {
    let mut world = World::of(1);
    let (mut from, mut staller, honest) = (Ghost::new(50), Ghost::new(66), Ghost::new(60));
    let [first, second, third] = [0; 3].map(|_| message(&mut from));
    let good = message(&mut staller);
    world.visit(0, &staller);
    offer(&mut world, &staller, &[first.id]);
    world.pass(SECOND.times(10));
    world.leave(0, &staller);
    world.visit(0, &staller);
    world.visit(0, &honest);
    offer(&mut world, &staller, &[second.id]);
    assert_eq!(asked(&mut world, &staller), [first.id, second.id], "nobody else has it so far");
    offer(&mut world, &honest, &[second.id]);
    assert_eq!(asked(&mut world, &honest), [second.id], "at once");
    // It hands over what it offers.
    offer(&mut world, &staller, &[good.id]);
    world.take(0, &staller, &good);
    offer(&mut world, &staller, &[third.id]);
    offer(&mut world, &honest, &[third.id]);
    assert_eq!(asked(&mut world, &honest), [], "as good as any other");
}

#[test]
fn among_those_who_offered_chance_decides_who_is_asked_next() {
    let mut next = BTreeSet::new();
    let mut world = World::of(1);
    let ghosts: Vec<Ghost> = (60..68).map(Ghost::new).collect();
    ghosts.iter().for_each(|ghost| world.visit(0, ghost));
    for n in 0..20 {
        let first = Ghost::new(100 + n as u8);
        world.visit(0, &first);
        offer(&mut world, &first, &[some_id(n)]);
        ghosts.iter().for_each(|ghost| offer(&mut world, ghost, &[some_id(n)]));
        world.leave(0, &first);
        let asked: Vec<usize> = (0..8).filter(|n| !asked(&mut world, &ghosts[*n]).is_empty()).collect();
        assert_eq!(asked.len(), 1, "one at a time");
        next.extend(asked);
        world.pass(MINUTE.times(10));
        ghosts.iter().for_each(|ghost| drop(world.said_to(ghost)));
    }
    assert!(next.len() > 3, "only {next:?} were ever asked");
}

#[test]
fn many_peers_that_stall_hold_up_one_bundle_and_not_the_next() {
    let mut world = World::of(1);
    let (mut from, honest) = (Ghost::new(50), Ghost::new(60));
    let stallers: Vec<Ghost> = (100..110).map(Ghost::new).collect();
    stallers.iter().chain([&honest]).for_each(|ghost| world.visit(0, ghost));
    let [first, second] = [0; 2].map(|_| message(&mut from));
    stallers.iter().chain([&honest]).for_each(|ghost| offer(&mut world, ghost, &[first.id]));
    while asked(&mut world, &honest).is_empty() {
        world.pass(SECOND);
        assert!(world.now <= MINUTE.0);
    }
    world.take(0, &honest, &first);
    offer(&mut world, &stallers[0], &[second.id]);
    offer(&mut world, &honest, &[second.id]);
    stallers[1..].iter().for_each(|ghost| offer(&mut world, ghost, &[second.id]));
    let said = asked(&mut world, &honest);
    world.pass(SECOND.times(5));
    let later = asked(&mut world, &honest);
    assert_eq!([said, later].concat(), [second.id], "within seconds");
}

/// More peers than there are places for offers of one id.
fn crowd() -> impl Iterator<Item = Ghost> {
    (100..140).map(Ghost::new)
}

/// They never hand anything over.
fn crowd_offers(world: &mut World, ids: &[BundleId]) {
    for ghost in crowd() {
        offer(world, &ghost, ids);
        world.said_to(&ghost);
    }
}

#[test]
fn a_crowd_that_offers_and_stalls_hides_no_offer_of_a_named_person() {
    let mut world = World::of(1);
    let (mut from, friend) = (Ghost::new(50), Ghost::new(60));
    world.name(0, friend.id, Standing::Contact);
    world.visit(0, &friend);
    crowd().for_each(|ghost| world.visit(0, &ghost));
    let ids: Vec<BundleId> = (0..5).map(|_| message(&mut from).id).collect();
    crowd_offers(&mut world, &ids);
    offer(&mut world, &friend, &ids);
    let mut said = asked(&mut world, &friend);
    while said.len() < ids.len() && world.now < MINUTE.0 {
        world.pass(SECOND);
        crowd_offers(&mut world, &ids);
        said.extend(asked(&mut world, &friend));
    }
    assert_eq!(BTreeSet::from_iter(said), BTreeSet::from_iter(ids));
}

#[test]
fn a_crowd_that_offers_and_stalls_hides_few_offers_of_a_stranger() {
    let mut world = World::of(1);
    let (mut from, honest) = (Ghost::new(50), Ghost::new(60));
    world.visit(0, &honest);
    crowd().for_each(|ghost| world.visit(0, &ghost));
    let ids: Vec<BundleId> = (0..20).map(|_| message(&mut from).id).collect();
    crowd_offers(&mut world, &ids);
    offer(&mut world, &honest, &ids);
    let mut said = BTreeSet::from_iter(asked(&mut world, &honest));
    while world.now < 3 * MINUTE.0 {
        world.pass(SECOND);
        said.extend(asked(&mut world, &honest));
    }
    assert!(said.len() >= ids.len() / 2, "{} of {}", said.len(), ids.len());
}

#[test]
fn who_was_asked_as_well_hears_when_it_came_and_sends_it_no_more() {
    let mut world = World::of(1);
    let (mut from, slow) = (Ghost::new(50), Ghost::new(60));
    let message = message(&mut from);
    for ghost in [&slow, &from] {
        world.visit(0, ghost);
        offer(&mut world, ghost, &[message.id]);
    }
    world.pass(SECOND.times(6));
    world.said_to(&slow);
    world.take(0, &from, &message);
    assert_eq!(refusals(&world.said_to(&slow)), [(message.id, Refusal::Known)]);
    // The other way round: what is asked for and waits for room in the window is left out.
    let peer = Ghost::new(61);
    world.visit_silently(0, &peer);
    let mut hello = peer.hello();
    hello.window_bytes = 1;
    world.hear(0, &peer, &Frame::Hello(hello));
    let elsewhere = Eid::mail(Ghost::new(99).id);
    let ids = [0; 2].map(|_| world.send_to(0, elsewhere.clone(), DAY, None).unwrap());
    world.hear(0, &peer, &Frame::Take { ids: ids.to_vec() });
    let sent = bundles(&world.said_to(&peer));
    assert_eq!(sent.len(), 1, "the window has room for one");
    let waiting = ids.into_iter().find(|id| !sent.contains(id)).unwrap();
    let known = |id| Frame::Refused { id, why: Refusal::Known, retry_after: Millis(0) };
    world.hear(0, &peer, &known(waiting));
    world.hear(0, &peer, &known(sent[0]));
    assert!(!bundles(&world.said_to(&peer)).contains(&waiting));
}

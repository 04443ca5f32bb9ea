//! Contacts that last: what a node is interested in since a contact began it says in a new one, and in no more of them than
//! that takes.

use dak::agent::change::Standing;
use dak::agent::routing::Policy;
use dak::agent::{Config, Input};
use dak::bundle::Bundle;
use dak::content::topic::{Filter, Post, Said};
use dak::eid::Eid;
use dak::frame::Frame;
use dak::id::NodeId;
use dak::time::{DAY, HOUR, MINUTE, Millis, SECOND};

use super::world::WALL;
use super::world::ghost::{Ghost, takes};
use super::{ALICE, BOB, World};

fn group() -> Eid {
    Eid::group(Ghost::new(70).id)
}

/// Nodes of which all but the first hand on nothing but what is for their peer, in contact with it for long enough.
fn carriers_around_alice(alice: Config, carriers: usize) -> World {
    let direct = Config { policy: Policy::Direct, ..Config::default() };
    let mut world = World::new([vec![alice], vec![direct; carriers]].concat());
    (1..=carriers).for_each(|n| world.up(ALICE, n));
    world.pass(MINUTE);
    world
}

/// A node carries this; nobody handed it to it that it could hand it back to.
fn carries(world: &mut World, n: usize, bundle: &Bundle) {
    let stranger = Ghost::new(54);
    world.visit(n, &stranger);
    world.take(n, &stranger, bundle);
    world.leave(n, &stranger);
    assert!(world.holds(n, bundle.id));
}

fn post_of(owner: &Ghost, name: &str) -> Bundle {
    let said = Said::Message { key: None, body: "gale".into(), leave: None };
    let post = Post { sequence: WALL, said };
    super::topics::post(owner, &Eid::topic(owner.id, name), WALL, &post)
}

fn join(world: &mut World, n: usize) {
    world.input(n, Input::ServeGroup { group: group(), on: true });
}

#[test]
fn who_joins_a_group_is_handed_what_a_peer_in_contact_holds_for_it() {
    let mut world = carriers_around_alice(Config::default(), 1);
    let message = Ghost::new(50).message(group(), DAY, b"before");
    carries(&mut world, BOB, &message);
    world.pass(MINUTE);
    assert!(world.inbox(ALICE).is_empty() && !world.holds(ALICE, message.id));
    join(&mut world, ALICE);
    world.pass(MINUTE);
    assert_eq!(world.inbox(ALICE), [message.id]);
    assert!(world.is_linked(ALICE, BOB));
}

#[test]
fn who_carries_again_and_subscribes_is_handed_what_a_peer_in_contact_holds() {
    let mut world = World::new(vec![Config { carry_bytes_max: 0, ..Config::default() }, Config::default()]);
    let owner = Ghost::new(50);
    let bundle = post_of(&owner, "t");
    world.up(ALICE, BOB);
    carries(&mut world, BOB, &bundle);
    world.pass(MINUTE);
    super::topics::serve(&mut world, ALICE, &owner, "t");
    world.input(ALICE, Input::CarryLimit(1 << 20));
    world.pass(MINUTE);
    assert_eq!(world.nodes[ALICE].heard, [bundle.id]);
}

#[test]
fn what_was_declined_in_a_contact_comes_in_it_once_it_is_wanted() {
    let unblock = |owner: &Ghost| Input::SetPerson { node: owner.id, person: None };
    let subscribe = |owner: &Ghost| Input::Serve { owner: owner.id, filter: Filter::parse("#").unwrap(), on: true };
    for (is_blocked, wants) in [(true, unblock as fn(&Ghost) -> Input), (false, subscribe)] {
        let mut world = World::of(2);
        let owner = Ghost::new(50);
        let bundle = post_of(&owner, "t");
        if is_blocked {
            world.name(ALICE, owner.id, Standing::Blocked);
        } else {
            carries(&mut world, ALICE, &bundle);
            world.input(ALICE, Input::Drop(bundle.id));
        }
        world.up(ALICE, BOB);
        carries(&mut world, BOB, &bundle);
        world.pass(MINUTE);
        assert!(!world.holds(ALICE, bundle.id), "it is declined");
        world.input(ALICE, wants(&owner));
        world.pass(MINUTE);
        assert!(world.holds(ALICE, bundle.id), "blocked: {is_blocked}");
    }
}

#[test]
fn what_found_no_room_comes_when_the_limit_is_raised_and_not_an_hour_later() {
    let mut world = World::new(vec![Config { carry_bytes_max: 2_000, ..Config::default() }, Config::default()]);
    let message = Ghost::new(50).message(Eid::mail(Ghost::new(51).id), DAY, &[1; 9_000]);
    world.up(ALICE, BOB);
    carries(&mut world, BOB, &message);
    // By now the peer tries again once in an hour.
    world.pass(HOUR.times(6));
    assert!(!world.holds(ALICE, message.id));
    world.input(ALICE, Input::CarryLimit(1 << 20));
    world.pass(MINUTE);
    assert!(world.holds(ALICE, message.id));
}

#[test]
fn contacts_are_renewed_one_after_another_and_once_for_many_changes() {
    let mut world = carriers_around_alice(Config::default(), 3);
    for n in 0..5 {
        world.input(ALICE, Input::ServeGroup { group: Eid::group(Ghost::new(80 + n).id), on: true });
    }
    let mut seen = Vec::new();
    for _ in 0..60 {
        world.pass(SECOND);
        let renewed = std::mem::take(&mut world.nodes[ALICE].renewed);
        assert!(renewed.len() <= 1, "never all of them at once");
        seen.extend(renewed);
    }
    let mut peers: Vec<NodeId> = (1..=3).map(|n| world.nodes[n].id).collect();
    peers.sort_unstable();
    assert_eq!(seen, peers, "each once");
    // What is served already is nothing new, and what is served no longer is nobody's loss.
    world.input(ALICE, Input::ServeGroup { group: Eid::group(Ghost::new(80).id), on: true });
    world.input(ALICE, Input::ServeGroup { group: Eid::group(Ghost::new(81).id), on: false });
    world.input(ALICE, Input::CarryLimit(1 << 30));
    world.pass(DAY);
    assert!(world.nodes[ALICE].renewed.is_empty() && (1..=3).all(|n| world.nodes[n].renewed.is_empty()));
}

#[test]
fn who_joins_again_and_again_renews_a_contact_only_every_few_seconds() {
    let mut world = carriers_around_alice(Config::default(), 1);
    for n in 0..60 {
        world.input(ALICE, Input::ServeGroup { group: Eid::group(Ghost::nth(n).id), on: true });
        world.pass(SECOND);
    }
    assert!((2..=7).contains(&world.nodes[ALICE].renewed.len()), "{}", world.nodes[ALICE].renewed.len());
}

#[test]
fn a_contact_is_not_renewed_while_something_is_on_its_way() {
    let mut world = World::of(1);
    let (mut from, peer) = (Ghost::new(50), Ghost::new(53));
    let message = from.message(Eid::mail(Ghost::new(51).id), DAY, b"on its way");
    world.visit(ALICE, &peer);
    world.pass(MINUTE);
    world.hear(ALICE, &peer, &Frame::Offer { ids: vec![message.id] });
    assert_eq!(takes(&world.said_to(&peer)), [message.id]);
    join(&mut world, ALICE);
    world.pass(Millis(4_000));
    assert!(world.nodes[ALICE].renewed.is_empty(), "it was asked for");
    world.take(ALICE, &peer, &message);
    world.pass(Millis(1_000));
    assert_eq!(world.nodes[ALICE].renewed, [peer.id]);
    assert!(world.holds(ALICE, message.id));
}

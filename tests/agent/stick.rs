//! A contact over files: bundles leave and come without anybody who answers.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Config, Event, Input, STICK};
use dak::bundle::{Bundle, Hops, Priority};
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::id::BundleId;
use dak::time::{DAY, HOUR};

use super::world::WALL;
use super::world::ghost::Ghost;
use super::{ALICE, BOB, CAROL, World};

fn ids(files: &[(Bundle, Hops)]) -> Vec<BundleId> {
    files.iter().map(|(bundle, _)| bundle.id).collect()
}

fn copies(world: &World, n: usize, id: BundleId) -> u16 {
    world.nodes[n].agent().held_one(&id).map_or(0, |held| held.copies)
}

fn refusals(world: &World, n: usize) -> Vec<(BundleId, Refusal)> {
    let refusals = world.nodes[n].events.iter().filter_map(|event| match event {
        Event::Refused { id, from, why } => Some((*id, *from, *why)),
        _ => None,
    });
    refusals.inspect(|(_, from, _)| assert_eq!(*from, STICK)).map(|(id, _, why)| (id, why)).collect()
}

fn world_of(policy: Policy, n: usize) -> World {
    World::new(vec![Config { policy, ..Config::default() }; n])
}

#[test]
fn a_message_and_its_receipt_travel_on_files_alone() {
    for policy in [Policy::Prospect, Policy::Epidemic, Policy::SprayAndWait] {
        let mut world = world_of(policy, 3);
        let id = world.send(ALICE, BOB).unwrap();
        let there = world.export(ALICE, None);
        assert_eq!(ids(&there), [id]);
        // Whoever carries it by hand may have a node too.
        world.import(CAROL, &there);
        assert!(world.holds(CAROL, id));
        world.import(BOB, &there);
        assert_eq!(world.inbox(BOB), [id]);
        assert_eq!(world.evidence(ALICE, id), [(EvidenceKind::Queued, None)], "a stick says nothing of anybody");
        let back = world.export(BOB, None);
        world.import(CAROL, &back);
        assert!(!world.holds(CAROL, id), "the receipt ends her copy");
        world.import(ALICE, &back);
        assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
        assert!(!world.holds(ALICE, id));
        world.import(BOB, &there);
        assert_eq!(world.inbox(BOB), [id], "once to the person");
        let met = world.nodes.iter().any(|node| node.agent().contacts().next().is_some());
        assert!(!met && world.nodes.iter().all(|node| node.agent().last_met().is_none()), "nobody was met");
    }
}

#[test]
fn a_receipt_goes_on_the_next_files_also_where_nothing_else_would_go() {
    // This strategy hands nothing to anybody but its destination.
    let mut world = world_of(Policy::Direct, 2);
    let id = world.send(ALICE, BOB).unwrap();
    assert_eq!(world.export(ALICE, None).len(), 0);
    let there = world.export(ALICE, Some(BOB));
    assert_eq!(ids(&there), [id]);
    world.import(BOB, &there);
    let back = world.export(BOB, None);
    world.import(ALICE, &back);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn each_file_takes_one_copy_off_the_budget_and_the_last_one_stays_but_for_its_destination() {
    let mut world = world_of(Policy::SprayAndWait, 12);
    let id = world.send_with(ALICE, BOB, DAY, Some(8)).unwrap();
    for n in 2..12 {
        let files = world.export(ALICE, None);
        assert_eq!(files.len(), usize::from(n < 9), "the last copy waits");
        world.import(n, &files);
        let all: u16 = (0..12).map(|n| copies(&world, n, id)).sum();
        assert_eq!(all, 8, "no copy comes to be");
        assert!((2..=n).all(|n| copies(&world, n, id) <= 1), "a file has one copy");
    }
    for _ in 0..2 {
        assert_eq!(ids(&world.export(ALICE, Some(BOB))), [id], "it waits for nobody else");
        assert_eq!(copies(&world, ALICE, id), 1);
    }
    // Whoever has taken one in by file waits likewise.
    assert_eq!(world.export(2, None).len(), 0);
    world.crash(ALICE);
    assert_eq!(copies(&world, ALICE, id), 1, "what was spent is durable");
}

#[test]
fn copies_on_their_way_to_a_peer_do_not_go_on_files_too() {
    let mut world = world_of(Policy::SprayAndWait, 3);
    let id = world.send_with(ALICE, BOB, DAY, Some(2)).unwrap();
    world.open(ALICE, CAROL);
    // Her Hello came, she was offered it and asked for it, and did not answer yet for what was sent.
    for _ in 0..40 {
        if world.forwards.contains_key(&(ALICE, CAROL)) {
            break;
        }
        world.settle_some(1);
    }
    assert!(world.forwards.contains_key(&(ALICE, CAROL)));
    assert_eq!(world.export(ALICE, None).len(), 0);
    world.settle();
    assert_eq!((copies(&world, ALICE, id), copies(&world, CAROL, id)), (1, 1));
}

#[test]
fn what_is_for_the_one_who_gets_it_goes_first_and_then_what_is_urgent() {
    let mut world = World::of(3);
    let mut send = |to: usize, priority| {
        let (token, mailbox) = (world.now + 100, Eid::mail(world.nodes[ALICE].id));
        let destination = Eid::mail(world.nodes[to].id);
        world.input(ALICE, Input::Submit { token, mailbox, destination, lifetime: DAY, priority, copies: None });
        world.now += 1;
        let queued = world.nodes[ALICE].events.iter().rev().find_map(|event| match event {
            Event::Queued { id, .. } => Some(*id),
            _ => None,
        });
        queued.unwrap()
    };
    let normal = send(BOB, Priority::Normal);
    let other_urgent = send(CAROL, Priority::Urgent);
    let bulk = send(CAROL, Priority::Bulk);
    let urgent = send(BOB, Priority::Urgent);
    assert_eq!(ids(&world.export(ALICE, Some(BOB))), [urgent, normal, other_urgent, bulk]);
    assert_eq!(ids(&world.export(ALICE, Some(CAROL)))[..2], [other_urgent, bulk]);
    assert_eq!(world.export(ALICE, None).last().unwrap().0.id, bulk);
}

#[test]
fn files_pass_the_door_that_peers_do() {
    let mut world = World::of(3);
    let mut stranger = Ghost::new(66);
    let [to_bob, to_alice] = [BOB, ALICE].map(|n| Eid::mail(world.nodes[n].id));
    let file = |bundle: Bundle, age| (bundle, Hops { age, count: 1 });
    let old = file(stranger.message(to_bob.clone(), HOUR, b"late"), HOUR.times(2));
    world.nodes[CAROL].wall_offset = -(WALL as i64);
    world.import(CAROL, std::slice::from_ref(&old));
    assert_eq!(refusals(&world, CAROL), [(old.0.id, Refusal::Expired)], "without a clock the age counts");

    world.name(ALICE, stranger.id, Standing::Blocked);
    let blocked = [to_bob.clone(), to_alice].map(|to| file(stranger.message(to, DAY, b"hello"), HOUR));
    world.import(ALICE, &blocked);
    let said: Vec<Refusal> = refusals(&world, ALICE).into_iter().map(|(_, why)| why).collect();
    assert_eq!(said, [Refusal::Unwilling, Refusal::Known]);
    assert_eq!(world.inbox(ALICE), []);

    world.input(CAROL, Input::CarryLimit(0));
    let other = file(stranger.message(to_bob, DAY, b"hello"), HOUR);
    world.import(CAROL, std::slice::from_ref(&other));
    assert_eq!(refusals(&world, CAROL).last(), Some(&(other.0.id, Refusal::Unwilling)));
}

#[test]
fn files_together_have_the_share_of_one_stranger() {
    let small = Config { carry_bytes_max: 40_000, ..Config::default() };
    let mut world = World::new(vec![small; 2]);
    let away = Eid::mail(Ghost::new(99).id);
    let mut honest = Ghost::new(50);
    let flood: Vec<(Bundle, Hops)> =
        (0..60).map(|n| (Ghost::new(100 + n).message(away.clone(), DAY, b"flood"), Hops::default())).collect();
    world.import(BOB, &flood);
    world.visit(BOB, &honest);
    let mail: Vec<Bundle> = (0..3).map(|_| honest.message(away.clone(), DAY, b"hello")).collect();
    mail.iter().for_each(|bundle| world.take_with(BOB, &honest, bundle, Hops::default(), 1));
    assert!(mail.iter().all(|bundle| world.holds(BOB, bundle.id)), "a peer has its share beside them");
    let owes = world.nodes[BOB].agent().usage().evicted;
    assert!(owes.iter().sum::<u64>() > 0 && world.nodes[BOB].agent().durable().owed.is_empty(), "no file is told");
}

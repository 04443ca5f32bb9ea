//! Store, carry, forward: from somebody to somebody who is away.

use dak::agent::Config;
use dak::agent::change::{EvidenceKind, Row};
use dak::agent::routing::Policy;
use dak::frame::Grade;
use dak::time::{DAY, HOUR};

use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_message_reaches_someone_who_was_away_carried_by_a_third_node() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    assert_eq!(world.state(ALICE, id), EvidenceKind::Queued);

    world.meet(ALICE, CAROL);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Custody);
    assert!(world.holds(CAROL, id));

    world.pass(HOUR);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    assert!(!world.holds(CAROL, id), "the receipt purges the carrier's copy");

    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, id), "the receipt ends the source's own custody");
    assert_eq!(world.forwards.get(&(ALICE, BOB)), None);
}

#[test]
fn once_to_the_person_through_copies_replays_and_restarts() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(ALICE, 3);
    for carrier in [CAROL, 3, ALICE] {
        world.meet(carrier, BOB);
        world.crash(BOB);
    }
    world.pass(DAY);
    world.pass(DAY);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

#[test]
fn under_direct_delivery_nothing_is_given_to_carriers_and_nothing_is_said_about_it() {
    let direct = Config { policy: Policy::Direct, ..Config::default() };
    let mut world = World::new(vec![direct; 3]);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    assert!(!world.holds(CAROL, id));
    world.meet(ALICE, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn a_new_bundle_flows_at_once_while_contacts_last() {
    let mut world = World::of(4);
    world.up(ALICE, CAROL);
    world.up(CAROL, 3);
    world.up(3, BOB);
    let id = world.send(ALICE, BOB).unwrap();
    assert_eq!(world.inbox(BOB), [id]);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn an_acceptance_that_was_lost_with_the_contact_is_asked_for_again() {
    // A strategy that learns nothing commits nothing when nodes meet.
    let epidemic = Config { policy: Policy::Epidemic, ..Config::default() };
    let mut world = World::new(vec![epidemic; 3]);
    let id = world.send(ALICE, BOB).unwrap();
    // Carol's power goes right after her commit: she holds it, and alice never hears.
    world.nodes[CAROL].power_cut = Some((0, false));
    world.meet(ALICE, CAROL);
    assert!(world.holds(CAROL, id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Queued);
    world.meet(ALICE, CAROL);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Custody);
    assert_eq!(world.forwards[&(ALICE, CAROL)], 1, "the bundle itself goes once");
}

#[test]
fn along_a_line_of_five_a_message_goes_from_hand_to_hand_and_its_receipt_comes_back() {
    let mut world = World::of(5);
    let id = world.send(0, 4).unwrap();
    for n in 0..4 {
        world.pass(HOUR);
        world.meet(n, n + 1);
    }
    assert_eq!(world.inbox(4), [id]);
    let letter = world.nodes[4].letter(&id).unwrap().clone();
    assert_eq!((letter.hops.count, letter.hops.age), (4, HOUR.times(4)));
    assert_eq!(world.state(0, id), EvidenceKind::Custody);
    for n in 1..4 {
        let held = world.nodes[n].agent().held_one(&id);
        assert!(held.is_none_or(|held| held.grade == Grade::Custody), "a copy handed on releases nobody");
    }
    for n in (0..4).rev() {
        assert!(n == 3 || world.holds(n, id), "who is further back does not know yet");
        world.pass(HOUR);
        world.meet(n, n + 1);
    }
    assert_eq!(world.state(0, id), EvidenceKind::Delivered);
    assert!((0..5).all(|n| !world.holds(n, id)));
    assert_eq!(world.forwards.values().sum::<u64>(), 8, "four hops there, four back: {:?}", world.forwards);
}

#[test]
fn a_contact_that_begins_again_and_again_moves_everything_once() {
    let mut world = World::of(3);
    let ids: Vec<_> = (0..20).map(|_| world.send(ALICE, BOB).unwrap()).collect();
    for frames in 0..40 {
        for (a, b) in [(ALICE, CAROL), (CAROL, BOB)] {
            world.open(a, b);
            // The other side comes back before this one noticed that it was gone.
            world.settle_some(frames % 7);
            let peer = world.nodes[b].id;
            world.input(a, dak::agent::Input::ContactUp { peer });
            let peer = world.nodes[a].id;
            world.input(b, dak::agent::Input::ContactUp { peer });
            world.settle_some(frames);
            world.down(a, b);
        }
    }
    let mut inbox = world.inbox(BOB);
    inbox.sort();
    let mut sent = ids.clone();
    sent.sort();
    assert_eq!(inbox, sent);
    assert!(ids.iter().all(|id| !world.holds(CAROL, *id)));
}

#[test]
fn two_carriers_that_bring_the_same_mail_at_once_fill_one_row() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(ALICE, 3);
    world.open(CAROL, BOB);
    world.open(3, BOB);
    world.settle();
    assert_eq!(world.inbox(BOB), [id]);
    assert!(!world.holds(CAROL, id) && !world.holds(3, id), "both hear of it");
}

#[test]
fn a_node_asks_to_dial_whoever_it_got_something_for() {
    let mut world = World::of(3);
    world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    let bob = world.nodes[BOB].id;
    assert!(world.nodes[CAROL].agent().wants(bob));
    assert_eq!(world.dialled[CAROL], [bob]);
    world.up(CAROL, BOB);
    world.send(CAROL, BOB).unwrap();
    assert_eq!(world.dialled[CAROL].iter().filter(|node| **node == bob).count(), 1, "not while he is here");
}

#[test]
fn a_message_whose_body_the_store_lost_is_not_called_queued_here_any_more() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    let (to, row) = (world.nodes[BOB].id, world.nodes[ALICE].agent().held_one(&id).unwrap().row);
    world.input(ALICE, dak::agent::Input::Unreadable { to, id, row: Row(row.0 + 1) });
    assert!(world.holds(ALICE, id), "what could not be read was another copy, gone since");
    world.input(ALICE, dak::agent::Input::Unreadable { to, id, row });
    let alice = world.nodes[ALICE].id;
    assert_eq!(world.evidence(ALICE, id), [(EvidenceKind::Queued, None), (EvidenceKind::GaveUp, Some(alice))]);
    assert!(!world.holds(ALICE, id));
}

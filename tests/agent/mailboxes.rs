//! Mailboxes and nodes are not the same: a node serves several, and a message may be for it and for others.

use std::sync::Arc;

use dak::agent::change::EvidenceKind;
use dak::agent::io::NotSent;
use dak::agent::routing::Policy;
use dak::agent::{Config, Event};
use dak::bundle::Signer;
use dak::eid::{Eid, Service};
use dak::frame::Grade;
use dak::id::NodeId;
use dak::receipt::ReceiptKind;
use dak::time::DAY;
use ed25519_dalek::SigningKey;

use super::world::ghost::{Ghost, grants, refusals};
use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_node_gets_the_mail_of_every_mailbox_that_it_serves_and_each_signs_for_its_own() {
    let mut world = direct(2);
    let second = serve_another(&mut world, BOB);
    let [to_second, to_bob] = [second, world.nodes[BOB].id]
        .map(|mailbox| world.send_to(ALICE, Eid::mail(mailbox), DAY, None).expect("it is queued"));
    world.meet(ALICE, BOB);
    let rows: Vec<_> = world.nodes[BOB].letters().iter().map(|letter| (letter.id, letter.destination.node)).collect();
    assert_eq!(rows, [(to_second, second), (to_bob, world.nodes[BOB].id)]);
    for (id, mailbox) in rows {
        assert!(world.evidence(ALICE, id).contains(&(EvidenceKind::Delivered, Some(mailbox))), "{id} for {mailbox}");
    }
}

#[test]
fn what_a_second_mailbox_writes_bears_its_name_and_the_receipt_finds_it() {
    let mut world = direct(2);
    let second = serve_another(&mut world, BOB);
    let to = Eid::mail(world.nodes[ALICE].id);
    let id = world.send_as(BOB, Eid::mail(second), to.clone(), DAY, None).expect("it is queued");
    world.meet(ALICE, BOB);
    assert_eq!(world.nodes[ALICE].letter(&id).expect("it came").source, second);
    assert_eq!(world.state(BOB, id), EvidenceKind::Delivered);

    let stranger = Eid::mail(Ghost::new(50).id);
    assert_eq!(world.send_as(BOB, stranger, to, DAY, None), None);
    let refused = |event: &Event| matches!(event, Event::NotSent { why: NotSent::Mailbox, .. });
    assert!(world.nodes[BOB].events.iter().any(refused));
}

#[test]
fn a_receipt_to_one_mailbox_says_nothing_of_what_another_of_the_node_wrote() {
    let mut world = direct(1);
    let second = serve_another(&mut world, ALICE);
    let mut recipient = Ghost::new(50);
    let id = world.send_as(ALICE, Eid::mail(second), Eid::mail(recipient.id), DAY, None).expect("it is queued");
    world.visit(ALICE, &recipient);
    let own = world.nodes[ALICE].id;
    for (to, state) in [(own, EvidenceKind::Queued), (second, EvidenceKind::Delivered)] {
        let receipt = recipient.receipt(to, ReceiptKind::Delivered, &[id]);
        world.take(ALICE, &recipient, &receipt);
        assert_eq!(world.state(ALICE, id), state);
    }
}

#[test]
fn one_mailbox_writes_to_another_of_the_same_node_without_a_contact() {
    let mut world = World::of(1);
    let second = serve_another(&mut world, ALICE);
    let id = world.send_to(ALICE, Eid::mail(second), DAY, None).expect("it is queued");
    assert_eq!(world.inbox(ALICE), [id]);
    assert_eq!(world.evidence(ALICE, id).last(), Some(&(EvidenceKind::Delivered, Some(second))));
    assert!(!world.holds(ALICE, id) && world.dialled[ALICE].is_empty());
}

#[test]
fn what_is_for_a_group_is_shown_to_each_member_and_carried_on_to_the_others() {
    let epidemic = Config { policy: Policy::Epidemic, ..Config::default() };
    let mut world = World::new(vec![epidemic; 3]);
    let group = group();
    [BOB, CAROL].into_iter().for_each(|n| join(&mut world, n, &group));
    let id = world.send_to(ALICE, group, DAY, None).expect("it is queued");
    world.meet(ALICE, BOB);
    world.meet(BOB, CAROL);
    for n in [BOB, CAROL] {
        assert_eq!(world.inbox(n), [id]);
        assert!(world.holds(n, id), "others may lack it");
    }
    assert!(world.state(ALICE, id) < EvidenceKind::Delivered, "nobody speaks for a whole group");
}

#[test]
fn what_is_both_delivered_and_carried_is_accepted_once() {
    let mut world = World::of(1);
    let (mut from, group) = (Ghost::new(50), group());
    join(&mut world, ALICE, &group);
    let message = from.message(group, DAY, b"hello");
    world.visit(ALICE, &from);
    world.take(ALICE, &from, &message);
    let said = world.said_to(&from);
    let held = world.nodes[ALICE].agent().held_one(&message.id).expect("it is carried");
    assert_eq!((grants(&said), refusals(&said)), (vec![(message.id.prefix(), held.grade)], vec![]));
    assert_eq!(world.inbox(ALICE), [message.id]);
}

#[test]
fn what_is_delivered_and_cannot_be_carried_is_not_refused() {
    let mut world = World::new(vec![Config { carry_bytes_max: 0, ..Config::default() }]);
    let (mut from, group) = (Ghost::new(50), group());
    join(&mut world, ALICE, &group);
    let message = from.message(group, DAY, b"hello");
    world.visit(ALICE, &from);
    world.take(ALICE, &from, &message);
    let said = world.said_to(&from);
    assert_eq!((grants(&said), refusals(&said)), (vec![(message.id.prefix(), Grade::Custody)], vec![]));
    assert!(world.inbox(ALICE) == [message.id] && !world.holds(ALICE, message.id));
}

/// Nodes that hand over to nobody but whoever says that it serves the destination.
fn direct(n: usize) -> World {
    World::new(vec![Config { policy: Policy::Direct, ..Config::default() }; n])
}

/// Starts a node again with a second mailbox, and returns its key.
fn serve_another(world: &mut World, n: usize) -> NodeId {
    let key = Arc::new(SigningKey::from_bytes(&[200 + n as u8; 32]));
    let mailbox = key.node();
    world.nodes[n].others.push(key);
    world.crash(n);
    mailbox
}

fn join(world: &mut World, n: usize, group: &Eid) {
    world.nodes[n].groups.push(group.clone());
    world.crash(n);
}

fn group() -> Eid {
    Eid { node: Ghost::new(70).id, service: Service::Group("walkers".into()) }
}

//! Receipts: who is believed, about what, and what they end.

use dak::agent::Input;
use dak::agent::change::What;
use dak::bundle::{Creation, Draft, Kind, Priority};
use dak::eid::{Eid, Service};
use dak::frame::Refusal;
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime, HOUR};

use super::world::ghost::{Ghost, refusals};
use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_receipt_by_another_key_neither_purges_nor_says_delivered() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    let mut mallory = Ghost::new(77);
    let forged = mallory.receipt(world.nodes[ALICE].id, ReceiptKind::Delivered, &[id]);
    for n in [CAROL, ALICE] {
        world.haunt(n, &mallory);
        world.take(n, &mallory, &forged);
        assert!(world.holds(n, id));
    }
    assert_eq!(world.state(ALICE, id), What::Custody);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id], "the genuine bundle is still carried");
}

#[test]
fn a_receipt_that_comes_before_its_bundle_keeps_it_out_unless_another_key_signed_it() {
    let mut world = World::of(1);
    let (mut from, mut to, mut other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.haunt(0, &from);
    let forged = other.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &from, &forged);
    let genuine = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    let second = from.message(Eid::mail(to.id), DAY, b"again");
    world.take(0, &from, &second);
    assert!(world.holds(0, second.id), "nobody spoke of this one");
    world.take(0, &from, &genuine);
    world.take(0, &from, &message);
    assert!(!world.holds(0, message.id));
    assert!(world.nodes[0].agent.knows(&message.id), "it is buried");
    // A belief that was used up is gone.
    let mut fresh = World::of(1);
    fresh.haunt(0, &from);
    fresh.take(0, &from, &forged);
    fresh.take(0, &from, &message);
    assert!(fresh.holds(0, message.id), "the destination did not sign");
}

#[test]
fn a_burst_of_a_thousand_messages_causes_one_receipt_for_each_source_and_batch() {
    let mut world = World::of(1);
    let (mut one, mut two) = (Ghost::new(50), Ghost::new(51));
    world.haunt(0, &one);
    let mine = Eid::mail(world.nodes[0].id);
    let mut all = Vec::new();
    for n in 0..600u32 {
        all.push(one.message(mine.clone(), DAY, &n.to_be_bytes()));
        all.push(two.message(mine.clone(), DAY, &n.to_be_bytes()));
    }
    world.take_in_one_batch(0, one.id, all);
    assert_eq!(world.inbox(0).len(), 1_200);
    assert_eq!(world.nodes[0].agent.usage().receipts, 2);
}

#[test]
fn read_after_delivered_needs_the_same_key_and_never_goes_back() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), What::Delivered);
    let mut mallory = Ghost::new(77);
    let forged = mallory.receipt(world.nodes[ALICE].id, ReceiptKind::Read, &[id]);
    world.haunt(ALICE, &mallory);
    world.take(ALICE, &mallory, &forged);
    assert_eq!(world.state(ALICE, id), What::Delivered);
    world.input(BOB, Input::Read { id, tell: true });
    world.input(BOB, Input::Read { id, tell: true });
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), What::Read);
    let reads = world.evidence(ALICE, id).iter().filter(|(what, _)| *what == What::Read).count();
    assert_eq!(reads, 1);
}

#[test]
fn somebody_who_reads_without_telling_sends_no_receipt_of_it() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    world.input(BOB, Input::Read { id, tell: false });
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), What::Delivered);
    assert!(world.nodes[BOB].agent.letter(&id).unwrap().read);
}

#[test]
fn no_single_receipt_keeps_out_or_ends_a_bundle_for_a_group() {
    let mut world = World::of(1);
    let (mut from, mut owner) = (Ghost::new(50), Ghost::new(51));
    let crew = Eid { node: owner.id, service: Service::Group("crew".into()) };
    let (early, late) = (from.message(crew.clone(), DAY, b"one"), from.message(crew, DAY, b"two"));
    let receipt = owner.receipt(from.id, ReceiptKind::Delivered, &[early.id, late.id]);
    world.haunt(0, &from);
    world.take(0, &from, &early);
    world.take(0, &from, &receipt);
    world.take(0, &from, &late);
    assert!(world.holds(0, early.id));
    assert!(world.holds(0, late.id), "other members may still lack it");
}

#[test]
fn a_message_to_a_group_is_not_delivered_because_one_key_says_so() {
    let mut world = World::of(1);
    let mut owner = Ghost::new(51);
    let crew = Eid { node: owner.id, service: Service::Group("crew".into()) };
    let id = world.send_to(0, crew, DAY, None).unwrap();
    let receipt = owner.receipt(world.nodes[0].id, ReceiptKind::Delivered, &[id]);
    world.haunt(0, &owner);
    world.take(0, &owner, &receipt);
    assert!(world.holds(0, id));
    assert!(world.state(0, id) < What::Delivered);
}

#[test]
fn a_receipt_speaks_only_of_bundles_of_the_source_it_names() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    let (mut bob, other) = (Ghost::new(2), Ghost::new(60));
    assert_eq!(bob.id, world.nodes[BOB].id, "it speaks with bob's own key");
    let mixed = bob.receipt(other.id, ReceiptKind::Delivered, &[id]);
    world.haunt(ALICE, &other);
    world.take(ALICE, &other, &mixed);
    assert_eq!(world.state(ALICE, id), What::Queued, "it is about mail of somebody else");
    assert!(world.holds(ALICE, id));
}

#[test]
fn one_device_of_several_informs_the_source_but_carriers_keep_their_copies() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    let mut bob = Ghost::new(2);
    let source = world.nodes[ALICE].id;
    let half = bob.receipt_of(&Receipt { kind: ReceiptKind::Delivered, source, device: 0, devices: 2, ids: vec![id] });
    let carrier = Ghost::new(60);
    for n in [ALICE, CAROL] {
        world.haunt(n, &carrier);
        world.take(n, &carrier, &half);
        assert!(world.holds(n, id), "the other device may still lack it");
    }
    assert_eq!(world.state(ALICE, id), What::Delivered);
}

#[test]
fn cancelled_means_no_new_copies_and_a_late_receipt_still_upgrades_it() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), What::Cancelled);
    world.meet(ALICE, 3);
    assert!(!world.holds(3, id));
    world.meet(CAROL, ALICE);
    assert!(!world.holds(ALICE, id), "a carrier does not hand it back");
    world.meet(CAROL, BOB);
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), What::Delivered);
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), What::Delivered);
}

#[test]
fn carriers_that_took_no_part_still_bring_the_receipt_home() {
    let mut world = World::of(5);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    // The receipt went with the contact; another message's goes round by strangers to the fact.
    assert_eq!(world.state(ALICE, id), What::Delivered);
    let second = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    world.meet(BOB, 3);
    world.meet(3, 4);
    world.meet(4, ALICE);
    assert_eq!(world.state(ALICE, second), What::Delivered);
    assert!(!world.holds(ALICE, second));
}

#[test]
fn tombstones_outlive_every_copy_that_an_honest_hop_can_still_have() {
    let mut world = World::of(1);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.haunt(0, &from);
    world.take(0, &from, &message);
    world.pass(HOUR.times(23));
    let receipt = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &from, &receipt);
    world.pass(DAY);
    world.take(0, &from, &message);
    assert!(!world.holds(0, message.id), "the signed lifetime and one hour from its end here");
    world.pass(HOUR.times(2));
    assert!(!world.nodes[0].agent.knows(&message.id), "but not for ever");
}

#[test]
fn a_receipt_with_a_record_for_another_source_than_its_destination_is_turned_away() {
    let mut world = World::of(1);
    let (mut from, to, other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.haunt(0, &from);
    world.take(0, &from, &message);
    let receipt =
        Receipt { kind: ReceiptKind::Delivered, source: from.id, device: 0, devices: 1, ids: vec![message.id] };
    let draft = Draft {
        kind: Kind::Receipt,
        source: to.id,
        destination: Eid::admin(other.id),
        creation: Creation { time: DtnTime(0), sequence: 1 },
        lifetime: DAY,
        priority: Priority::Normal,
        copies: 8,
    };
    let odd = draft.sign(&receipt.encode(), &to.key).unwrap();
    world.take(0, &from, &odd);
    let junk = draft.sign(b"\x82\x01\x02", &to.key).unwrap();
    world.take(0, &from, &junk);
    let said = world.said_to(&from);
    assert_eq!(refusals(&said), [(odd.id, Refusal::Unwilling), (junk.id, Refusal::Unwilling)]);
    assert!(world.holds(0, message.id));
}

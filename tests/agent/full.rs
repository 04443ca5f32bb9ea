//! A mailbox without room: who waits, who hears of it, and what comes by itself once there is room.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::{BUNDLE_COST_BYTES, Config, Input};
use dak::bundle::{Bundle, Creation, Draft, Kind, Priority};
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::id::BundleId;
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime, HOUR, MINUTE, Millis};

use super::world::ghost::{Ghost, receipts, refusals, takes};
use super::{ALICE, BOB, CAROL, World};

/// Room for one short message of a contact, and not for two.
const ONE: u64 = 3 * (BUNDLE_COST_BYTES + 600);

/// Alice and bob are contacts, bob's mailbox has room for one message, and carol knows neither.
fn world() -> World {
    let small = Config { contact_mail_bytes_max: ONE, ..Config::default() };
    let mut world = World::new(vec![Config::default(), small, Config::default()]);
    let (alice, bob) = (world.nodes[ALICE].id, world.nodes[BOB].id);
    world.name(ALICE, bob, Standing::Contact);
    world.name(BOB, alice, Standing::Contact);
    world
}

fn is_full(state: EvidenceKind) -> bool {
    matches!(state, EvidenceKind::Full { .. })
}

fn fulls(receipts: Vec<(dak::id::NodeId, Receipt)>) -> Vec<Receipt> {
    let is_full = |receipt: &Receipt| matches!(receipt.kind, ReceiptKind::Full { .. });
    receipts.into_iter().map(|(_, receipt)| receipt).filter(is_full).collect()
}

#[test]
fn mail_without_room_waits_and_arrives_in_the_same_contact_once_there_is_some() {
    let mut world = world();
    world.up(ALICE, BOB);
    let first = world.send(ALICE, BOB).unwrap();
    let second = world.send(ALICE, BOB).unwrap();
    world.settle();
    assert_eq!(world.inbox(BOB), [first]);
    assert!(is_full(world.state(ALICE, second)), "{:?}", world.state(ALICE, second));
    let bob = world.nodes[BOB].id;
    assert_eq!(world.evidence(ALICE, second).last().unwrap().1, Some(bob), "it is bob's word");
    assert!(world.holds(ALICE, second), "nothing is purged");
    world.input(BOB, Input::Discard(first));
    world.settle();
    assert_eq!(world.inbox(BOB), [second], "asked for as soon as there is room");
    assert_eq!(world.state(ALICE, second), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, second));
}

#[test]
fn it_goes_again_through_carriers_and_their_copies_outlast_the_word() {
    let mut world = world();
    let first = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    let second = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [first]);
    world.meet(CAROL, ALICE);
    assert!(is_full(world.state(ALICE, second)), "the carrier brings the word home");
    assert!(world.holds(ALICE, second) && world.holds(CAROL, second));
    // Carriers that hear it before the message take that all the same.
    world.input(BOB, Input::Discard(first));
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [second]);
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, second), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, second) && !world.holds(CAROL, second));
}

#[test]
fn what_was_refused_one_day_goes_again_on_another_and_nobody_did_anything() {
    let mut world = world();
    let first = world.send_with(ALICE, BOB, DAY.times(10), None).unwrap();
    let second = world.send_with(ALICE, BOB, DAY.times(10), None).unwrap();
    world.meet(ALICE, BOB);
    assert!(is_full(world.state(ALICE, second)));
    for day in 1..3 {
        world.pass(DAY);
        [ALICE, BOB].iter().for_each(|n| world.crash(*n));
        world.meet(ALICE, BOB);
        assert!(is_full(world.state(ALICE, second)), "no room on day {day}");
    }
    world.input(BOB, Input::Discard(first));
    world.pass(DAY);
    world.meet(ALICE, BOB);
    assert_eq!((world.inbox(BOB), world.state(ALICE, second)), (vec![second], EvidenceKind::Delivered));
}

#[test]
fn a_source_hears_it_once_a_day_also_across_restarts() {
    let small = Config { contact_mail_bytes_max: 0, ..Config::default() };
    let mut world = World::new(vec![small]);
    let mut friend = Ghost::new(50);
    world.name(0, friend.id, Standing::Contact);
    let mine = Eid::mail(world.nodes[0].id);
    let mut told = Vec::new();
    for hour in 0..72u64 {
        world.visit(0, &friend);
        let message = friend.message(mine.clone(), DAY.times(5), &hour.to_be_bytes());
        world.take(0, &friend, &message);
        world.settle();
        let said = world.said_to(&friend);
        assert!(refusals(&said).contains(&(message.id, Refusal::Full)));
        let fresh = fulls(receipts(&said));
        told.extend(fresh.into_iter().filter(|receipt| receipt.ids == [message.id]).map(|_| hour));
        if hour % 10 == 9 {
            world.crash(0);
        } else {
            world.leave(0, &friend);
        }
        world.pass(HOUR);
    }
    assert_eq!(told, [0, 24, 48]);
}

#[test]
fn only_the_destination_can_say_it_and_it_suppresses_nothing() {
    let mut world = World::of(2);
    let (mut bob, mut mallory) = (Ghost::new(50), Ghost::new(66));
    let full = ReceiptKind::Full { retry_after: DAY };
    let id = world.send_to(ALICE, Eid::mail(bob.id), DAY, None).unwrap();
    world.meet(ALICE, 1);
    let alice = world.nodes[ALICE].id;
    for n in [1, ALICE] {
        world.visit(n, &mallory);
        let forged = mallory.receipt(alice, full, &[id]);
        world.take(n, &mallory, &forged);
        assert!(world.holds(n, id) && world.state(ALICE, id) == EvidenceKind::Custody);
        let genuine = bob.receipt(alice, full, &[id]);
        world.take(n, &mallory, &genuine);
        assert!(world.holds(n, id), "it purges nothing");
    }
    assert!(is_full(world.state(ALICE, id)));
    // Nor does it keep out what comes after it.
    let mut source = Ghost::new(51);
    let late = source.message(Eid::mail(bob.id), DAY, b"late");
    let early = bob.receipt(source.id, full, &[late.id]);
    world.take(1, &mallory, &early);
    world.take(1, &mallory, &late);
    assert!(world.holds(1, late.id));
    // The proof of delivery comes after all.
    let proof = bob.receipt(alice, ReceiptKind::Delivered, &[id]);
    for n in [ALICE, 1] {
        world.take(n, &mallory, &proof);
        assert!(!world.holds(n, id));
    }
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn the_wait_counts_from_the_signature_and_the_end_of_a_life_ends_it() {
    let mut world = World::of(1);
    let (bob, mut carrier) = (Ghost::new(50), Ghost::new(51));
    let id = world.send_to(ALICE, Eid::mail(bob.id), DAY, None).unwrap();
    world.visit(ALICE, &carrier);
    let (source, destination) = (bob.id, Eid::admin(world.nodes[ALICE].id));
    let kind = ReceiptKind::Full { retry_after: DAY };
    let receipt = Receipt { kind, source: world.nodes[ALICE].id, device: 0, devices: 1, ids: vec![id] };
    let creation = Creation { time: DtnTime(0), sequence: 7 };
    let draft = Draft {
        kind: Kind::Receipt,
        source,
        destination,
        creation,
        lifetime: DAY,
        priority: Priority::Bulk,
        copies: 8,
    };
    let bundle: Bundle = draft.sign(&receipt.encode(), &bob.key).unwrap();
    world.take_aged_in_one_batch(ALICE, carrier.id, vec![bundle], HOUR.times(3));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Full { retry_after: Millis(HOUR.0 * 21) });
    let again = carrier.message(Eid::mail(world.nodes[ALICE].id), DAY, b"x");
    world.take(ALICE, &carrier, &again);
    world.pass(DAY.times(2));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
}

#[test]
fn a_contact_fills_a_part_of_the_mailbox_and_the_next_still_delivers() {
    let room = Config { contact_mail_bytes_max: 100 * (BUNDLE_COST_BYTES + 500), ..Config::default() };
    let mut world = World::new(vec![room]);
    let (mut greedy, mut modest) = (Ghost::new(66), Ghost::new(50));
    let mine = Eid::mail(world.nodes[0].id);
    for friend in [&greedy, &modest] {
        world.name(0, friend.id, Standing::Contact);
        world.visit(0, friend);
    }
    for n in 0..200u32 {
        let message = greedy.message(mine.clone(), DAY, &n.to_be_bytes());
        world.take(0, &greedy, &message);
    }
    let alone = world.inbox(0).len();
    assert!((20..50).contains(&alone), "{alone} of about a hundred places");
    assert_eq!(world.nodes[0].agent().turned_away().collect::<Vec<_>>(), [greedy.id]);
    for n in 0..5u32 {
        let message = modest.message(mine.clone(), DAY, &n.to_be_bytes());
        world.take(0, &modest, &message);
    }
    assert_eq!(world.inbox(0).len(), alone + 5);
    assert_eq!(fulls(receipts(&world.said_to(&modest))), []);
}

#[test]
fn strangers_cause_a_part_of_these_receipts_and_what_is_deleted_is_not_asked_for() {
    let small = Config { stranger_mail_bytes_max: 0, receipts_own_max: 100, ..Config::default() };
    let mut world = World::new(vec![small]);
    let flooder = Ghost::new(66);
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &flooder);
    for n in 0..200 {
        let message = Ghost::nth(n).message(mine.clone(), DAY, b"hello");
        world.take(0, &flooder, &message);
    }
    let signed = world.nodes[0].agent().usage().receipts;
    assert!((5..30).contains(&signed), "{signed} of a hundred");
    world.said_to(&flooder);
    world.input(0, Input::Discard(BundleId([7; 32])));
    world.pass(MINUTE);
    assert_eq!(takes(&world.said_to(&flooder)), [], "there is no room yet");
}

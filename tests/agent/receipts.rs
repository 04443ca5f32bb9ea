//! Receipts: who is believed, about what, and what they end.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::{Config, Input};
use dak::bundle::{Creation, Draft, Hops, Kind, Priority};
use dak::eid::{Eid, Service};
use dak::frame::{Frame, Hello, Refusal};
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime, HOUR, Millis};

use super::world::ghost::{Ghost, Said, bundles, grants, hello_of, offers, refusals};
use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_receipt_by_another_key_neither_purges_nor_says_delivered() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    let mut mallory = Ghost::new(77);
    let forged = mallory.receipt(world.nodes[ALICE].id, ReceiptKind::Delivered, &[id]);
    for n in [CAROL, ALICE] {
        world.visit(n, &mallory);
        world.take(n, &mallory, &forged);
        assert!(world.holds(n, id));
    }
    assert_eq!(world.state(ALICE, id), EvidenceKind::Custody);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id], "the genuine bundle is still carried");
}

#[test]
fn a_receipt_that_comes_before_its_bundle_keeps_it_out_unless_another_key_signed_it() {
    let mut world = World::of(1);
    let (mut from, mut to, mut other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &from);
    let forged = other.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &from, &forged);
    let genuine = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    let second = from.message(Eid::mail(to.id), DAY, b"again");
    world.take(0, &from, &second);
    assert!(world.holds(0, second.id), "nobody spoke of this one");
    world.take(0, &from, &genuine);
    world.take(0, &from, &message);
    assert!(!world.holds(0, message.id));
    assert!(world.nodes[0].agent().knows(&message.id), "it is buried");
    // A belief that was used up is gone.
    let mut fresh = World::of(1);
    fresh.visit(0, &from);
    fresh.take(0, &from, &forged);
    fresh.take(0, &from, &message);
    assert!(fresh.holds(0, message.id), "the destination did not sign");
}

#[test]
fn a_burst_of_a_thousand_messages_causes_one_receipt_for_each_source_and_batch() {
    let mut world = World::of(1);
    let (mut one, mut two) = (Ghost::new(50), Ghost::new(51));
    world.visit(0, &one);
    let mine = Eid::mail(world.nodes[0].id);
    let mut all = Vec::new();
    for n in 0..600u32 {
        all.push(one.message(mine.clone(), DAY, &n.to_be_bytes()));
        all.push(two.message(mine.clone(), DAY, &n.to_be_bytes()));
    }
    world.take_in_one_batch(0, one.id, all);
    assert_eq!(world.inbox(0).len(), 1_200);
    assert_eq!(world.nodes[0].agent().usage().receipts, 2);
}

#[test]
fn read_after_delivered_needs_the_same_key_and_never_goes_back() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    let mut mallory = Ghost::new(77);
    let forged = mallory.receipt(world.nodes[ALICE].id, ReceiptKind::Read, &[id]);
    world.visit(ALICE, &mallory);
    world.take(ALICE, &mallory, &forged);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    world.input(BOB, Input::Read { id, tell: true });
    world.input(BOB, Input::Read { id, tell: true });
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Read);
    let reads = world.evidence(ALICE, id).iter().filter(|(what, _)| *what == EvidenceKind::Read).count();
    assert_eq!(reads, 1);
}

#[test]
fn somebody_who_reads_without_telling_sends_no_receipt_of_it() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    world.input(BOB, Input::Read { id, tell: false });
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    assert!(world.nodes[BOB].letter(&id).unwrap().read);
}

#[test]
fn no_single_receipt_keeps_out_or_ends_a_bundle_for_a_group() {
    let mut world = World::of(1);
    let (mut from, mut owner) = (Ghost::new(50), Ghost::new(51));
    let crew = Eid { node: owner.id, service: Service::Group("crew".into()) };
    let (early, late) = (from.message(crew.clone(), DAY, b"one"), from.message(crew, DAY, b"two"));
    let receipt = owner.receipt(from.id, ReceiptKind::Delivered, &[early.id, late.id]);
    world.visit(0, &from);
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
    world.visit(0, &owner);
    world.take(0, &owner, &receipt);
    assert!(world.holds(0, id));
    assert!(world.state(0, id) < EvidenceKind::Delivered);
}

#[test]
fn a_receipt_speaks_only_of_bundles_of_the_source_it_names() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    let (mut bob, other) = (Ghost::new(2), Ghost::new(60));
    assert_eq!(bob.id, world.nodes[BOB].id, "it speaks with bob's own key");
    let mixed = bob.receipt(other.id, ReceiptKind::Delivered, &[id]);
    world.visit(ALICE, &other);
    world.take(ALICE, &other, &mixed);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Queued, "it is about mail of somebody else");
    assert!(world.holds(ALICE, id));
}

#[test]
fn one_device_of_several_informs_the_source_but_carriers_keep_their_copies() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    // His word is taken as said here.
    let mut bob = Ghost::new(2);
    world.truth.nodes.remove(&bob.id);
    let source = world.nodes[ALICE].id;
    let half = bob.receipt_of(&Receipt { kind: ReceiptKind::Delivered, source, device: 0, devices: 2, ids: vec![id] });
    let carrier = Ghost::new(60);
    for n in [ALICE, CAROL] {
        world.visit(n, &carrier);
        world.take(n, &carrier, &half);
        assert!(world.holds(n, id), "the other device may still lack it");
    }
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn a_second_receipt_with_a_shorter_life_does_not_shorten_the_memory_of_the_first() {
    let mut world = World::of(1);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY.times(20), b"hello");
    world.visit(0, &from);
    let delivered = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    let read = to.receipt(from.id, ReceiptKind::Read, &[message.id]);
    world.take(0, &from, &delivered);
    let old = Hops { age: Millis(read.lifetime.0 - HOUR.0), count: 3 };
    world.take_with(0, &from, &read, old, 1);
    world.pass(HOUR.times(2));
    world.take(0, &from, &message);
    assert!(!world.holds(0, message.id));
}

#[test]
fn with_the_disk_nearly_full_a_receipt_still_makes_room_and_nothing_else_comes_in() {
    let mut world = World::of(1);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    let unheard = from.message(Eid::mail(to.id), DAY, b"unheard of");
    let second = from.message(Eid::mail(to.id), DAY, b"too late");
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.input(0, Input::Space { free_bytes: 0 });
    world.take(0, &from, &second);
    let receipt = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    let unmatched = to.receipt(from.id, ReceiptKind::Delivered, &[unheard.id]);
    world.take(0, &from, &unmatched);
    world.take(0, &from, &receipt);
    let said = world.said_to(&from);
    let why = |id| refusals(&said).iter().find(|(of, _)| *of == id).map(|(_, why)| *why);
    assert_eq!(why(second.id), Some(Refusal::Space));
    assert_eq!(why(unmatched.id), Some(Refusal::Space));
    assert!(!world.holds(0, message.id), "the receipt is heeded");
    assert!(world.nodes[0].agent().durable().beliefs.is_empty(), "nothing new is remembered");
}

#[test]
fn with_the_disk_nearly_full_the_source_still_hears_that_its_message_arrived() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    world.input(ALICE, Input::Space { free_bytes: 0 });
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, id));
}

#[test]
fn a_restored_backup_without_a_clock_survives_its_own_old_receipt() {
    // The same receipt twice: same stamp, same ids. The first came back through a peer.
    let mut world = World::of(1);
    world.nodes[0].wall_offset = -(super::world::WALL as i64);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    let mut before = World::of(1);
    before.nodes[0].wall_offset = -(super::world::WALL as i64);
    before.visit(0, &from);
    before.take(0, &from, &message);
    let held = before.nodes[0].agent().held().next().unwrap();
    let old = before.body(0, held.row);
    world.visit(0, &from);
    world.take(0, &from, &old);
    assert_eq!(refusals(&world.said_to(&from)), [(old.id, Refusal::Known)], "a source takes nothing of its own back");
    world.take(0, &from, &message);
    assert_eq!(world.inbox(0), [message.id]);
}

#[test]
fn mail_of_a_blocked_source_is_turned_away_in_silence() {
    let mut world = World::of(2);
    let alice = world.nodes[ALICE].id;
    world.name(BOB, alice, Standing::Blocked);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    world.meet(ALICE, BOB);
    assert_eq!(world.evidence(ALICE, id), [(EvidenceKind::Queued, None)], "a blocked source hears nothing");
    assert_eq!(world.inbox(BOB), []);
    assert!(world.holds(ALICE, id) && world.nodes[BOB].agent().usage().receipts == 0);
}

#[test]
fn notes_to_oneself_take_nothing_of_the_room_for_strangers() {
    let mut world = World::new(vec![Config { stranger_mail_bytes_max: 8_000, ..Config::default() }]);
    for _ in 0..5 {
        let note = world.send(0, 0).unwrap();
        assert_eq!(world.state(0, note), EvidenceKind::Delivered);
    }
    let mut stranger = Ghost::new(50);
    let message = stranger.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.visit(0, &stranger);
    world.take(0, &stranger, &message);
    assert!(world.nodes[0].letter(&message.id).is_some());
    world.crash(0);
    assert_eq!(world.inbox(0).len(), 6);
}

#[test]
fn strangers_share_one_bounded_place_in_the_inbox_and_friends_do_not() {
    let mut world = World::new(vec![Config { stranger_mail_bytes_max: 12_000, ..Config::default() }]);
    let (mut one, mut two, mut friend) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    world.name(0, friend.id, Standing::Contact);
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &friend);
    let first = one.message(mine.clone(), DAY, b"first");
    let second = two.message(mine.clone(), DAY, b"second");
    let third = two.message(mine.clone(), DAY, b"third");
    let fourth = friend.message(mine, DAY, b"fourth");
    for message in [&first, &second, &third, &fourth] {
        world.take(0, &friend, message);
    }
    assert_eq!(world.inbox(0), [first.id, second.id, fourth.id]);
    assert_eq!(refusals(&world.said_to(&friend)), [(third.id, Refusal::Full)], "a source has its part and no more");
    world.input(0, Input::Discard(second.id));
    world.take(0, &friend, &third);
    assert_eq!(world.inbox(0), [first.id, fourth.id, third.id], "deleting makes room");
    world.take(0, &friend, &second);
    assert_eq!(world.inbox(0).len(), 3, "what was deleted does not come back");
}

#[test]
fn deleting_a_note_to_oneself_leaves_nothing_of_it() {
    let mut world = World::of(1);
    let id = world.send(0, 0).unwrap();
    let [came, wrote] = world.words(0, 0, id);
    assert!(came.is_some() && came == wrote);
    world.input(0, Input::Discard(id));
    assert_eq!(world.inbox(0), []);
    assert!(world.nodes[0].sent_one(&id).is_none());
    assert_eq!(world.words(0, 0, id), [None, None]);
}

#[test]
fn a_life_that_is_over_is_not_cancelled() {
    let mut world = World::of(2);
    let id = world.send_with(ALICE, BOB, HOUR, None).unwrap();
    world.pass(HOUR.times(2));
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
}

#[test]
fn cancelled_means_no_new_copies_and_a_late_receipt_still_upgrades_it() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Cancelled);
    world.meet(ALICE, 3);
    assert!(!world.holds(3, id));
    world.meet(CAROL, ALICE);
    assert_eq!(world.forwards.get(&(CAROL, ALICE)), None, "a carrier does not hand it back");
    assert!(!world.holds(ALICE, id));
    world.meet(CAROL, BOB);
    world.meet(BOB, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    world.input(ALICE, Input::Cancel(id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn carriers_that_took_no_part_still_bring_the_receipt_home() {
    let mut world = World::of(5);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    // The receipt went with the contact; another message's goes round by strangers to the fact.
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    let second = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    world.meet(BOB, 3);
    world.meet(3, 4);
    world.meet(4, ALICE);
    assert_eq!(world.state(ALICE, second), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, second));
}

#[test]
fn a_receipt_that_a_full_carrier_gave_up_is_offered_to_others_before_it_is_brought() {
    let mut world = World::of(1);
    let (mut source, mut to, full, other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52), Ghost::new(53));
    let receipt = to.receipt(source.id, ReceiptKind::Delivered, &[source.message(Eid::mail(to.id), DAY, b"hello").id]);
    world.visit(0, &source);
    world.take(0, &source, &receipt);
    world.visit(0, &full);
    assert_eq!(bundles(&world.said_to(&full)), [receipt.id], "as a rule it goes at once");
    let refused = Frame::Refused { id: receipt.id, why: Refusal::Shunned, retry_after: HOUR };
    world.hear(0, &full, &refused);
    world.leave(0, &full);
    for ghost in [&full, &other] {
        world.visit(0, ghost);
        let said = world.said_to(ghost);
        assert_eq!((bundles(&said), offers(&said)), (vec![], vec![receipt.id]));
    }
    world.hear(0, &other, &Frame::Take { ids: vec![receipt.id] });
    assert_eq!(bundles(&world.said_to(&other)), [receipt.id]);
    world.leave(0, &full);
    world.pass(HOUR.times(2));
    world.visit(0, &full);
    assert_eq!(bundles(&world.said_to(&full)), [receipt.id], "it may have room again");
}

#[test]
fn tombstones_outlive_every_copy_that_an_honest_hop_can_still_have() {
    let mut world = World::of(1);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.pass(HOUR.times(23));
    let receipt = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &from, &receipt);
    world.pass(DAY);
    world.take(0, &from, &message);
    assert!(!world.holds(0, message.id), "the signed lifetime and one hour from its end here");
    world.pass(HOUR.times(2));
    assert!(!world.nodes[0].agent().knows(&message.id), "but not for ever");
}

#[test]
fn a_carrier_remembers_what_a_receipt_ended_as_long_as_a_copy_may_live_and_promises_nothing_for_it() {
    let mut world = World::of(1);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY.times(3), b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    let receipt = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &from, &receipt);
    assert!(!world.holds(0, message.id));
    world.pass(DAY.times(2));
    world.said_to(&from);
    world.take(0, &from, &message);
    let said = world.said_to(&from);
    assert_eq!(refusals(&said), [(message.id, Refusal::Known)]);
    assert_eq!(grants(&said), []);
    assert!(!world.holds(0, message.id));
}

#[test]
fn a_duplicate_of_delivered_mail_makes_the_recipient_show_its_receipt_once_a_contact() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    let said = world.said_to(&from);
    assert_eq!(grants(&said), [], "the receipt is the answer");
    let receipt = bundles(&said);
    assert_eq!(receipt.len(), 1);
    world.leave(0, &from);
    // A stranger who claims to know what this node knows gets no receipt by the summary.
    let carrier = Ghost::new(60);
    world.visit_silently(0, &carrier);
    let said = world.said_to(&carrier);
    let hello = hello_of(&said);
    let same = Hello { count: hello.count, root: hello.root, ..carrier.hello() };
    world.hear(0, &carrier, &Frame::Hello(same));
    assert_eq!(bundles(&world.said_to(&carrier)), []);
    world.take(0, &carrier, &message);
    world.take(0, &carrier, &message);
    let said = world.said_to(&carrier);
    assert_eq!(bundles(&said), receipt, "shown again, and once");
    assert_eq!(refusals(&said), [(message.id, Refusal::Known); 2]);
}

#[test]
fn a_receipt_with_a_record_for_another_source_than_its_destination_is_turned_away() {
    let mut world = World::of(1);
    let (mut from, to, other) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &from);
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

#[test]
fn the_receipt_of_the_longest_life_there_is_finds_carriers_too() {
    let mut world = World::of(3);
    let id = world.send_with(ALICE, BOB, DAY.times(30), None).unwrap();
    world.meet(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    let second = world.send_with(ALICE, BOB, DAY.times(30), None).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, second), EvidenceKind::Delivered);
}

#[test]
fn who_brings_mail_gets_the_receipt_as_its_answer_and_nobody_else_does_whatever_it_says_of_it() {
    let mut world = World::of(1);
    let (mut alice, carol) = (Ghost::new(50), Ghost::new(60));
    world.visit(0, &alice);
    world.visit(0, &carol);
    world.said_to(&carol);
    let mail = alice.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.take(0, &alice, &mail);
    let said = world.said_to(&alice);
    assert!(grants(&said).is_empty(), "the receipt says it all");
    assert_eq!(handed(&said), [(0, true)]);
    let receipt = bundles(&said)[0];
    // Nothing says that it came, and nothing is waited for.
    world.pass(HOUR);
    assert!(world.nodes[0].agent().contacts().all(|contact| contact.in_flight_bytes == 0));
    let said = world.said_to(&carol);
    assert_eq!((offers(&said), bundles(&said)), (vec![], vec![]));
    // It was lost all the same: the summary of the next contact shows it, and then it wants its answer.
    world.leave(0, &alice);
    world.visit(0, &alice);
    let said = world.said_to(&alice);
    assert_eq!((bundles(&said), handed(&said)), (vec![receipt], vec![(0, false)]));
}

#[test]
fn mail_that_a_carrier_brings_is_answered_and_its_receipt_wants_an_answer() {
    let mut world = World::of(1);
    let (mut alice, carol) = (Ghost::new(50), Ghost::new(60));
    world.visit(0, &alice);
    world.visit(0, &carol);
    let mail = alice.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.take(0, &carol, &mail);
    assert_eq!(handed(&world.said_to(&alice)), [(0, false)]);
    assert!(handed(&world.said_to(&carol)).iter().all(|(_, is_answer)| !is_answer));
}

#[test]
fn an_answer_is_taken_without_a_word_and_any_other_receipt_with_one() {
    let mut world = World::of(1);
    let mut bob = Ghost::new(51);
    world.visit(ALICE, &bob);
    let ids: Vec<_> = (0..2).map(|_| world.send_to(ALICE, Eid::mail(bob.id), DAY, None).unwrap()).collect();
    world.said_to(&bob);
    let mine = world.nodes[ALICE].id;
    let answer = bob.receipt(mine, ReceiptKind::Delivered, &ids[..1]);
    world.take_as_answer(ALICE, &bob, &answer);
    assert_eq!(world.state(ALICE, ids[0]), EvidenceKind::Delivered);
    let said = world.said_to(&bob);
    assert!(grants(&said).is_empty() && refusals(&said).is_empty());
    let other = bob.receipt(mine, ReceiptKind::Delivered, &ids[1..]);
    world.take(ALICE, &bob, &other);
    assert_eq!(grants(&world.said_to(&bob)).len(), 1);
    // A carrier has no answer to give, whatever it says: what it hands over frees its own copy.
    let (mut carol, dave) = (Ghost::new(60), Ghost::new(61));
    world.visit(ALICE, &dave);
    world.said_to(&dave);
    let carried = carol.receipt(mine, ReceiptKind::Delivered, &ids);
    world.take_as_answer(ALICE, &dave, &carried);
    assert_eq!(grants(&world.said_to(&dave)).len(), 1);
    // And a message is no answer.
    let mail = carol.message(Eid::mail(mine), DAY, b"hello");
    world.take_as_answer(ALICE, &dave, &mail);
    assert_eq!(grants(&world.said_to(&dave)).len(), 1);
}

#[test]
fn a_power_cut_around_an_answer_costs_the_receipt_until_the_next_contact_and_no_more() {
    for (cut, before) in (0..6).flat_map(|cut| [(cut, true), (cut, false)]) {
        for n in [ALICE, BOB] {
            let mut world = World::of(2);
            world.up(ALICE, BOB);
            world.nodes[n].power_cut = Some((cut, before));
            let sent = world.send(ALICE, BOB);
            world.nodes[n].power_cut = None;
            world.meet(ALICE, BOB);
            world.pass(HOUR);
            world.meet(ALICE, BOB);
            if let Some(id) = sent {
                assert_eq!(
                    world.state(ALICE, id),
                    EvidenceKind::Delivered,
                    "node {n}, commit {cut}, before it: {before}"
                );
                assert_eq!(world.inbox(BOB), [id]);
            }
        }
    }
}

/// Copies that went with bundles, and whether they want no answer.
fn handed(said: &[Said]) -> Vec<(u16, bool)> {
    let transits = said.iter().filter_map(|said| match said {
        Said::Bundle { transit, .. } => Some((transit.copies, transit.is_answer)),
        Said::Frame(_) => None,
    });
    transits.collect()
}

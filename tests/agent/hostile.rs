//! Bad input: refused, nothing kept of it, and the genuine bundle still arrives.

use dak::agent::change::{EVENTS_MAX, EvidenceKind, Standing};
use dak::agent::{Config, Event, Input};
use dak::bundle::{Bundle, Hops, Signer};
use dak::eid::Eid;
use dak::frame::{Delegation, Frame, Grade, Hello, Refusal, Transit, encode_bundle};
use dak::id::BundleId;
use dak::time::{DAY, HOUR, MINUTE, Millis};

use super::world::ghost::{Ghost, bundles, grants, refusals, takes};
use super::{ALICE, BOB, CAROL, World};

#[test]
fn a_dead_copy_from_the_first_that_offered_makes_the_node_ask_the_next() {
    let mut world = World::of(1);
    world.nodes[0].wall_offset = -(super::world::WALL as i64);
    let (mut from, hostile, honest) = (Ghost::new(50), Ghost::new(66), Ghost::new(60));
    let message = from.message(Eid::mail(from.id), DAY, b"hello");
    for ghost in [&hostile, &honest] {
        world.visit(0, ghost);
        world.hear(0, ghost, &Frame::Offer { ids: vec![message.id] });
    }
    world.said_to(&honest);
    world.take_with(0, &hostile, &message, Hops { age: DAY.times(2), count: 1 }, 1);
    assert_eq!(takes(&world.said_to(&honest)), [message.id]);
    world.take(0, &honest, &message);
    assert!(world.holds(0, message.id));
}

#[test]
fn a_delegation_that_its_mailbox_never_signed_ends_the_contact_and_those_behind_it_are_not_looked_at() {
    let mut world = World::of(1);
    let (mut from, to, liar) = (Ghost::new(50), Ghost::new(51), Ghost::new(66));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    for forged_first in [false, true] {
        let mut mailboxes = vec![delegation(&to, &liar)];
        if forged_first {
            mailboxes.insert(0, Delegation { mailbox: Eid::mail(from.id), ..delegation(&to, &liar) });
        }
        world.visit_silently(0, &liar);
        world.hear(0, &liar, &Frame::Hello(Hello { mailboxes, ..liar.hello() }));
        let misbehaved = |event: &Event| matches!(event, Event::Misbehaved { peer, .. } if *peer == liar.id);
        assert_eq!(world.nodes[0].events.iter().any(misbehaved), forged_first);
        assert_eq!(bundles(&world.said_to(&liar)).len(), usize::from(!forged_first));
        world.leave(0, &liar);
    }
}

/// The word of a mailbox that a node serves it.
fn delegation(mailbox: &Ghost, node: &Ghost) -> Delegation {
    let mailbox_eid = Eid::mail(mailbox.id);
    let mut delegation = Delegation { mailbox: mailbox_eid, node: node.id, expires: u64::MAX, signature: [0; 64] };
    delegation.signature = Signer::sign(&mailbox.key, &delegation.signed_bytes());
    delegation
}

#[test]
fn two_that_serve_one_mailbox_get_all_of_a_store_that_is_longer_than_their_queues() {
    const HELD: usize = 5_000;
    let mut world = World::of(1);
    let (mut from, to) = (Ghost::new(50), Ghost::new(51));
    let all: Vec<Bundle> = (0..HELD).map(|_| from.message(Eid::mail(to.id), DAY, b"hello")).collect();
    world.visit(0, &from);
    world.take_in_one_batch(0, from.id, all);
    world.leave(0, &from);
    for device in [Ghost::new(60), Ghost::new(61)] {
        world.visit_silently(0, &device);
        let hello =
            Hello { mailboxes: vec![delegation(&to, &device)], carries: false, pushes: false, ..device.hello() };
        world.hear(0, &device, &Frame::Hello(hello));
        let mut got = std::collections::BTreeSet::new();
        loop {
            world.pass(Millis(1));
            let ids = bundles(&world.said_to(&device));
            if ids.is_empty() {
                break;
            }
            let grants: Vec<_> = ids.iter().map(|id| (id.prefix(), Grade::Copy)).collect();
            got.extend(ids);
            grants
                .chunks(1_024)
                .for_each(|grants| world.hear(0, &device, &Frame::Accepted { grants: grants.to_vec() }));
        }
        assert_eq!(got.len(), HELD);
    }
}

#[test]
fn when_a_peer_leaves_what_it_was_asked_for_is_asked_of_others_in_one_frame() {
    let mut world = World::of(1);
    let (one, two) = (Ghost::new(50), Ghost::new(51));
    let ids: Vec<BundleId> = (0..500u32).map(|n| BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())).collect();
    for ghost in [&one, &two] {
        world.visit(0, ghost);
        world.hear(0, ghost, &Frame::Offer { ids: ids.clone() });
    }
    world.said_to(&two);
    world.leave(0, &one);
    let said = world.said_to(&two);
    assert_eq!(said.len(), 1);
    assert_eq!(takes(&said).len(), 500);
}

#[test]
fn a_bundle_before_the_hello_is_not_taken() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.visit_silently(0, &from);
    world.take(0, &from, &message);
    assert_eq!(world.inbox(0), []);
    let odd = |event: &Event| matches!(event, Event::Misbehaved { peer, .. } if *peer == from.id);
    assert!(world.nodes[0].events.iter().any(odd));
    world.hear(0, &from, &Frame::Hello(from.hello()));
    world.take(0, &from, &message);
    assert_eq!(world.inbox(0), [message.id]);
}

#[test]
fn what_comes_after_the_end_of_a_contact_changes_nothing_and_gets_no_answer() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let known = from.message(Eid::mail(world.nodes[0].id), DAY, b"known");
    let new = from.message(Eid::mail(world.nodes[0].id), DAY, b"new");
    world.visit(0, &from);
    world.take(0, &from, &known);
    world.leave(0, &from);
    world.said_to(&from);
    let before = world.nodes[0].agent().durable();
    world.take(0, &from, &known);
    world.take(0, &from, &new);
    world.hear(0, &from, &Frame::Offer { ids: vec![new.id] });
    world.hear(0, &from, &Frame::Take { ids: vec![known.id] });
    world.hear(0, &from, &Frame::Hello(from.hello()));
    assert!(world.said_to(&from).is_empty());
    assert_eq!(world.nodes[0].agent().durable(), before);
}

#[test]
fn somebody_who_carries_for_nobody_asks_for_nothing_offered_and_wants_no_second_try() {
    let mut world = World::new(vec![Config { carry_bytes_max: 0, ..Config::default() }]);
    let (mut from, mut to) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    let receipt = to.receipt(from.id, dak::receipt::ReceiptKind::Delivered, &[message.id]);
    world.visit(0, &from);
    world.said_to(&from);
    world.hear(0, &from, &Frame::Offer { ids: vec![message.id] });
    world.take(0, &from, &message);
    world.take(0, &from, &receipt);
    let said = world.said_to(&from);
    assert_eq!(takes(&said), []);
    assert_eq!(refusals(&said), [(message.id, Refusal::Unwilling), (receipt.id, Refusal::Unwilling)]);
    assert!(world.nodes[0].agent().durable().beliefs.is_empty());
}

#[test]
fn a_limit_changed_between_the_two_hellos_makes_no_honest_peer_look_bad() {
    for (before, after) in [(0, 1 << 20), (1 << 20, 0)] {
        let direct = |carry| {
            let policy = dak::agent::routing::Policy::Direct;
            Config { policy, carry_bytes_max: carry, ..Config::default() }
        };
        let mut world = World::new(vec![direct(before), Config::default()]);
        // Whoever knows less speaks first.
        for n in if before == 0 { [0, 1, 1] } else { [0, 0, 1] } {
            world.send(n, n).unwrap();
        }
        world.open(0, 1);
        world.input(0, Input::CarryLimit(after));
        world.settle();
        for node in &world.nodes {
            assert!(!node.events.iter().any(|event| matches!(event, Event::Misbehaved { .. })));
        }
    }
}

#[test]
fn a_carrier_that_stays_full_is_asked_less_and_less_often() {
    let mut world = World::of(1);
    let full = Ghost::new(50);
    let id = world.send_to(0, Eid::mail(Ghost::new(51).id), DAY, None).unwrap();
    world.visit(0, &full);
    let mut tries = 0;
    // What it is offered it wants.
    world.hear(0, &full, &Frame::Take { ids: vec![id] });
    for _ in 0..6 * 60 {
        for _ in bundles(&world.said_to(&full)) {
            tries += 1;
            let refused = Frame::Refused { id, why: Refusal::Full, retry_after: MINUTE };
            world.hear(0, &full, &refused);
        }
        world.pass(MINUTE);
    }
    assert!((4..=15).contains(&tries), "{tries} tries in six hours");
}

#[test]
fn blocking_somebody_takes_the_place_of_a_contact_from_what_is_carried_for_them() {
    let mut world = World::of(1);
    let mut friend = Ghost::new(50);
    world.name(0, friend.id, Standing::Contact);
    let message = friend.message(Eid::mail(Ghost::new(51).id), DAY, b"hello");
    world.visit(0, &friend);
    world.take(0, &friend, &message);
    let usage = |world: &World| world.nodes[0].agent().usage().by_class.map(|(count, _)| count);
    assert_eq!(usage(&world), [0, 0, 1, 0]);
    world.name(0, friend.id, Standing::Blocked);
    assert_eq!(usage(&world), [0, 1, 0, 0]);
    world.crash(0);
    assert_eq!(usage(&world), [0, 1, 0, 0]);
}

#[test]
fn nothing_new_is_carried_for_somebody_who_is_blocked() {
    let mut world = World::of(1);
    let mut blocked = Ghost::new(50);
    world.name(0, blocked.id, Standing::Blocked);
    let message = blocked.message(Eid::mail(Ghost::new(51).id), DAY, b"hello");
    world.visit(0, &blocked);
    world.take(0, &blocked, &message);
    assert_eq!(refusals(&world.said_to(&blocked)), [(message.id, Refusal::Unwilling)]);
    assert!(!world.holds(0, message.id));
}

#[test]
fn a_receipt_keeps_the_class_of_what_it_freed_when_its_signer_is_named() {
    let mut world = World::of(1);
    let (mut friend, mut to) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    let message = friend.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &friend);
    world.take(0, &friend, &message);
    let receipt = to.receipt(friend.id, dak::receipt::ReceiptKind::Delivered, &[message.id]);
    world.take(0, &friend, &receipt);
    let usage = |world: &World| world.nodes[0].agent().usage().by_class.map(|(count, _)| count);
    assert_eq!(usage(&world), [0, 0, 1, 0]);
    world.input(0, Input::SetPerson { node: to.id, person: None });
    assert_eq!(usage(&world), [0, 0, 1, 0]);
}

#[test]
fn tampered_truncated_and_forged_bundles_are_refused_and_the_genuine_one_arrives() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    let alice = Ghost::new(1);
    let row = world.nodes[ALICE].agent().row_of(&id).unwrap();
    let genuine = world.body(ALICE, row);
    let hostile = Ghost::new(66);
    world.visit(BOB, &hostile);
    let empty = world.nodes[BOB].agent().durable();
    let transit = Transit { hops: Hops { age: Millis(1), count: 1 }, copies: 1, is_answer: false };
    let frame = encode_bundle(&transit, &genuine);
    let forged = {
        // The same stamp in alice's name, signed by somebody else's key.
        let mut bytes = frame.clone();
        let at = bytes.windows(7).position(|w| w == b"message").unwrap();
        bytes[at..at + 7].copy_from_slice(b"massage");
        bytes
    };
    for n in (0..frame.len()).step_by(3) {
        let mut tampered = frame.clone();
        tampered[n] ^= 0x20;
        // Age and hop count are hints that any hop may change.
        if dak::frame::Incoming::decode(&tampered).is_ok_and(|incoming| match incoming {
            dak::frame::Incoming::Bundle { bytes, .. } => dak::bundle::Bundle::decode(bytes).is_ok(),
            dak::frame::Incoming::Frame(_) | dak::frame::Incoming::Folded { .. } => false,
        }) {
            continue;
        }
        world.arrive(hostile.id, BOB, &tampered);
        world.arrive(hostile.id, BOB, &frame[..n]);
    }
    world.arrive(hostile.id, BOB, &forged);
    world.settle();
    assert_eq!(world.nodes[BOB].agent().durable(), empty, "nothing is stored");
    assert!(world.nodes[BOB].events.is_empty(), "nothing is shown");
    assert!(world.said_to(&hostile).is_empty() || grants(&world.said_to(&hostile)).is_empty());
    world.visit(BOB, &alice);
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
}

#[test]
fn a_replayed_bundle_is_shown_once_whoever_replays_it_and_whenever() {
    let mut world = World::of(1);
    let (mut from, replayer) = (Ghost::new(50), Ghost::new(66));
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.visit(0, &replayer);
    for day in 0..4 {
        world.take_with(0, &replayer, &message, Hops { age: Millis(day), count: day as u8 }, 1);
        world.pass(DAY);
        world.input(0, Input::Discard(message.id));
    }
    let rows = world.nodes[0].events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count();
    assert_eq!(rows, 1);
    assert_eq!(world.inbox(0), []);
}

#[test]
fn a_replay_after_the_tombstone_with_its_age_rewritten_fills_no_second_row() {
    let mut world = World::of(1);
    // Without a clock only the age block speaks of age, and hops write that.
    world.nodes[0].wall_offset = -(super::world::WALL as i64);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), HOUR, b"hello");
    let replay = Bundle::decode(message.bytes()).unwrap().0;
    world.visit(0, &from);
    world.take_in_one_batch(0, from.id, vec![message]);
    world.pass(DAY);
    world.crash(0);
    assert_eq!(world.nodes[0].agent().tombstones(), 0);
    world.visit(0, &from);
    // It was under way to verification when the first one came, so nobody dropped it before.
    world.take_in_one_batch(0, from.id, vec![replay]);
    assert_eq!(world.inbox(0).len(), 1);
}

#[test]
fn an_aged_copy_dies_without_a_tombstone_and_the_genuine_one_is_taken() {
    let mut world = World::of(2);
    // Clocks that say something would know better.
    world.nodes[0].wall_offset = -(super::world::WALL as i64);
    let (mut from, hostile) = (Ghost::new(50), Ghost::new(66));
    let message = from.message(Eid::mail(world.nodes[1].id), DAY, b"hello");
    world.visit(0, &hostile);
    world.take_with(0, &hostile, &message, Hops { age: Millis(DAY.0 - 1_000), count: 1 }, 1);
    assert!(world.holds(0, message.id));
    world.pass(MINUTE);
    assert!(!world.nodes[0].agent().knows(&message.id));
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.meet(0, 1);
    assert_eq!(world.inbox(1), [message.id]);
}

#[test]
fn nobody_gets_custody_credit_for_what_was_not_handed_over() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    let liar = Ghost::new(66);
    world.visit_silently(ALICE, &liar);
    let mut hello = liar.hello();
    hello.carries = false;
    world.hear(ALICE, &liar, &Frame::Hello(hello));
    world.hear(ALICE, &liar, &Frame::Accepted { grants: vec![(id.prefix(), Grade::Custody)] });
    world.hear(ALICE, &liar, &Frame::GaveUp { ids: vec![id] });
    assert_eq!(world.evidence(ALICE, id), [(EvidenceKind::Queued, None)]);
}

#[test]
fn floods_of_custody_signals_and_give_ups_leave_a_bounded_record_that_still_takes_the_receipt() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    for seed in 0..150u8 {
        let carrier = Ghost::new(seed + 100);
        world.visit(ALICE, &carrier);
        world.hear(ALICE, &carrier, &Frame::Take { ids: vec![id] });
        for _ in 0..3 {
            world.hear(ALICE, &carrier, &Frame::Accepted { grants: vec![(id.prefix(), Grade::Custody)] });
            world.hear(ALICE, &carrier, &Frame::GaveUp { ids: vec![id; 50] });
        }
        world.leave(ALICE, &carrier);
    }
    let record = world.evidence(ALICE, id).len();
    assert!(record <= EVENTS_MAX, "{record} events");
    assert!(world.nodes[ALICE].sent_one(&id).unwrap().unlisted.answers > 100, "the others are counted");
    world.meet(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn frames_that_no_honest_peer_sends_are_reported_and_change_nothing() {
    let mut world = World::of(1);
    let id = world.send_to(0, Eid::mail(Ghost::new(51).id), DAY, None).unwrap();
    let before = world.nodes[0].agent().durable();
    let odd = [
        Frame::Hello(Ghost::new(66).hello()),
        Frame::MoreCells { start: 0, count: 32_768 },
        Frame::Cells { buckets: vec![255; 128], up_to: u64::MAX, start: 9, cells: vec![Default::default(); 100] },
        Frame::ShortIds { buckets: Vec::new(), up_to: u64::MAX, ids: vec![1, 1] },
        Frame::Buckets { bits: 0, fingerprints: vec![0] },
        Frame::Want { ids: vec![3, 2, 1] },
    ];
    for frame in odd {
        let hostile = Ghost::new(66);
        let reported = world.nodes[0].events.len();
        world.visit(0, &hostile);
        world.hear(0, &hostile, &frame);
        let new = &world.nodes[0].events[reported..];
        assert!(new.iter().any(|event| matches!(event, Event::Misbehaved { .. })), "{frame:?}");
        world.leave(0, &hostile);
    }
    let quiet = [
        Frame::Accepted { grants: vec![(7, Grade::Custody); 16_384] },
        Frame::GaveUp { ids: vec![BundleId([7; 32]); 16_384] },
        Frame::Refused { id: BundleId([7; 32]), why: Refusal::Full, retry_after: Millis(u64::MAX) },
        Frame::Take { ids: vec![BundleId([7; 32]); 16_384] },
    ];
    let hostile = Ghost::new(66);
    world.visit(0, &hostile);
    quiet.iter().for_each(|frame| world.hear(0, &hostile, frame));
    world.pass(HOUR);
    assert_eq!(world.nodes[0].agent().durable().held, before.held);
    assert!(world.holds(0, id));
}

#[test]
fn floods_of_offers_are_answered_in_bounded_memory_and_honest_offers_still_work() {
    let mut world = World::of(1);
    let (hostile, mut honest) = (Ghost::new(66), Ghost::new(50));
    world.visit(0, &hostile);
    for round in 0..3u32 {
        let id = |n: u32| BundleId(*blake3::hash(&(round * 16_384 + n).to_be_bytes()).as_bytes());
        world.hear(0, &hostile, &Frame::Offer { ids: (0..16_384).map(id).collect() });
    }
    world.visit(0, &honest);
    let message = honest.message(Eid::mail(hostile.id), DAY, b"hello");
    world.said_to(&honest);
    world.hear(0, &honest, &Frame::Offer { ids: vec![message.id] });
    assert_eq!(takes(&world.said_to(&honest)), [message.id]);
}

#[test]
fn an_absurd_hello_costs_nothing() {
    let mut world = World::of(1);
    world.send_to(0, Eid::mail(Ghost::new(51).id), DAY, None).unwrap();
    let hostile = Ghost::new(66);
    world.visit_silently(0, &hostile);
    let mut hello = hostile.hello();
    (hello.count, hello.root, hello.window_bytes, hello.bundle_bytes_max) = (u64::MAX, [9; 16], 0, 0);
    world.hear(0, &hostile, &Frame::Hello(hello));
    assert_eq!(bundles(&world.said_to(&hostile)), [], "a peer without a window gets nothing");
    world.pass(HOUR);
}

#[test]
fn bundles_over_the_limits_are_turned_away_at_the_door() {
    let small = Config { bundle_bytes_max: 2_000, lifetime_max: DAY, ..Config::default() };
    let mut world = World::new(vec![small]);
    let mut from = Ghost::new(50);
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &from);
    world.said_to(&from);
    let large = from.message(mine.clone(), DAY, &[0; 3_000]);
    let long = from.message(mine.clone(), Millis(DAY.0 + 1), b"long");
    let dead = from.message(mine.clone(), Millis(0), b"dead");
    let good = from.message(mine, DAY, &[0; 1_000]);
    for message in [&large, &long, &dead, &good] {
        world.take(0, &from, message);
    }
    let refused = [(large.id, Refusal::TooLarge), (long.id, Refusal::TooLarge), (dead.id, Refusal::Expired)];
    assert_eq!(refusals(&world.said_to(&from)), refused);
    assert_eq!(world.inbox(0), [good.id]);
    let overlong = world.send_with(0, 0, Millis(DAY.0 + 1), None);
    assert_eq!(overlong, None);
    assert_eq!(world.send_with(0, 0, Millis(0), None), None);
}

#[test]
fn asking_about_one_bundle_a_thousand_times_gets_one_answer() {
    let mut world = World::of(1);
    let (mut from, curious) = (Ghost::new(50), Ghost::new(66));
    let message = from.message(Eid::mail(from.id), DAY, b"hello");
    world.visit(0, &curious);
    world.take(0, &curious, &message);
    world.said_to(&curious);
    world.hear(0, &curious, &Frame::Ask { ids: vec![message.id; 16_384] });
    world.hear(0, &curious, &Frame::Ask { ids: vec![BundleId([7; 32]); 16_384] });
    let answers = grants(&world.said_to(&curious));
    assert_eq!((answers.len(), answers[0]), (1, (message.id.prefix(), Grade::Custody)));
}

//! What must not happen a second time, and what must not be said without having happened once.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::{BUNDLE_COST_BYTES, Config, Input};
use dak::bundle::Bundle;
use dak::eid::Eid;
use dak::frame::{Frame, Grade, Hello, Refusal};
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, HOUR, Millis};

use super::world::ghost::{Ghost, Said, bundles, grants, hello_of, receipts, refusals};
use super::{ALICE, BOB, World};

#[test]
fn no_two_contacts_have_one_nonce_restarts_included() {
    let mut world = World::of(1);
    let peer = Ghost::new(50);
    let mut nonces = std::collections::BTreeSet::new();
    for _ in 0..20 {
        world.visit(0, &peer);
        let said = world.said_to(&peer);
        assert!(nonces.insert(hello_of(&said).nonce), "short ids of this contact are those of another");
        world.leave(0, &peer);
        if nonces.len() == 10 {
            world.crash(0);
        }
    }
}

#[test]
fn stamps_under_a_clock_do_not_tell_how_much_was_written_and_keep_their_order() {
    let mut world = World::of(1);
    let away = Eid::mail(Ghost::new(51).id);
    let stamp = |world: &mut World| {
        let id = world.send_to(0, away.clone(), DAY, None).unwrap();
        world.nodes[0].sent_one(&id).unwrap().creation
    };
    let (first, second) = (stamp(&mut world), stamp(&mut world));
    assert_eq!((second.time, second.sequence), (first.time, first.sequence + 1), "in one millisecond");
    world.pass(Millis(1));
    let third = stamp(&mut world);
    assert!(third.time > second.time && third.sequence.abs_diff(second.sequence) > 1_000, "{second:?} {third:?}");
}

#[test]
fn a_source_bears_no_sequence_number_twice_restarts_included() {
    let mut world = World::of(2);
    let mut sequences = std::collections::BTreeSet::new();
    for round in 0..30 {
        let id = world.send(ALICE, BOB).unwrap();
        let creation = world.nodes[ALICE].sent_one(&id).unwrap().creation;
        assert!(sequences.insert(creation.sequence), "{creation:?} in round {round}");
        if round % 3 == 0 {
            world.crash(ALICE);
        }
    }
}

#[test]
fn two_contents_under_one_stamp_are_two_letters() {
    let mut world = World::of(1);
    // The same key, and a backup restored in between.
    let (mut before, mut after) = (Ghost::new(50), Ghost::new(50));
    let to = Eid::mail(world.nodes[0].id);
    let (one, other) = (before.message(to.clone(), DAY, b"one"), after.message(to, DAY, b"other"));
    assert_eq!((one.source, one.creation), (other.source, other.creation));
    assert_ne!(one.id, other.id);
    world.visit(0, &before);
    world.take(0, &before, &one);
    world.take(0, &before, &other);
    assert_eq!(world.inbox(0), [one.id, other.id]);
}

#[test]
fn two_copies_that_share_a_batch_fill_one_row() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    let copies = (0..3).map(|_| Bundle::decode(message.bytes()).unwrap().0).collect();
    world.visit(0, &from);
    world.take_in_one_batch(0, from.id, copies);
    assert_eq!(world.inbox(0), [message.id]);
}

#[test]
fn a_letter_deleted_long_ago_does_not_come_again() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    world.visit(0, &from);
    world.take(0, &from, &message);
    world.input(0, Input::Discard(message.id));
    // Its clock says that no time went by, so that the copy still lives.
    world.nodes[0].wall_offset = -(DAY.times(10).0 as i64);
    world.pass(DAY.times(10));
    assert_eq!(world.nodes[0].agent().tombstones(), 0);
    world.take(0, &from, &message);
    world.crash(0);
    world.visit(0, &from);
    world.take(0, &from, &message);
    assert_eq!(world.inbox(0), []);
}

#[test]
fn a_deleted_letter_makes_room_for_the_next_stranger() {
    let place = 8 * (BUNDLE_COST_BYTES + 1_000);
    let mut world = World::new(vec![Config { stranger_mail_bytes_max: place, ..Config::default() }]);
    let mut from = Ghost::new(50);
    world.visit(0, &from);
    for n in 0..5u8 {
        let message = from.message(Eid::mail(world.nodes[0].id), DAY, &[n]);
        world.take(0, &from, &message);
        assert_eq!(world.inbox(0), [message.id]);
        world.input(0, Input::Discard(message.id));
    }
}

#[test]
fn nobody_is_told_that_something_is_held_which_is_not() {
    let mut world = World::of(1);
    let mut peer = Ghost::new(50);
    let message = peer.message(Eid::mail(Ghost::new(51).id), DAY, b"hello");
    world.visit(0, &peer);
    world.hear(0, &peer, &Frame::Ask { ids: vec![message.id] });
    assert_eq!(grants(&world.said_to(&peer)), []);
    world.take(0, &peer, &message);
    assert_eq!(grants(&world.said_to(&peer)).len(), 1);
    world.input(0, Input::Drop(message.id));
    world.hear(0, &peer, &Frame::Ask { ids: vec![message.id] });
    world.take(0, &peer, &message);
    assert_eq!(grants(&world.said_to(&peer)), [], "given up, and not taken again yet");
}

#[test]
fn what_a_peer_lists_is_not_what_it_accepted() {
    let mut world = World::of(2);
    let peer = Ghost::new(50);
    let id = world.send(ALICE, BOB).unwrap();
    world.visit_silently(ALICE, &peer);
    let hello = hello_of(&world.said_to(&peer));
    // It claims to know all that alice knows.
    let same = Hello { count: hello.count, root: hello.root, ..peer.hello() };
    world.hear(ALICE, &peer, &Frame::Hello(same));
    assert_eq!(world.evidence(ALICE, id), [(EvidenceKind::Queued, None)]);
    let asked = world.said_to(&peer);
    assert!(asked.iter().any(|said| matches!(said, Said::Frame(Frame::Ask { ids }) if *ids == [id])));
}

#[test]
fn a_peer_is_sent_no_more_than_its_window_until_it_accepts() {
    let mut world = World::of(1);
    let (mut source, peer) = (Ghost::new(49), Ghost::new(50));
    let all: Vec<Bundle> = (0..5u8).map(|n| source.message(Eid::mail(peer.id), DAY, &[n; 100])).collect();
    world.visit(0, &source);
    all.iter().for_each(|message| world.take(0, &source, message));
    world.visit_silently(0, &peer);
    world.said_to(&peer);
    let narrow = Hello { window_bytes: all[0].encoded_len() as u32 + 1, ..peer.hello() };
    world.hear(0, &peer, &Frame::Hello(narrow));
    let mut got = bundles(&world.said_to(&peer));
    assert_eq!(got.len(), 2, "the window is open until it is full");
    while got.len() < 5 {
        world.hear(0, &peer, &Frame::Accepted { grants: vec![(got[got.len() - 2].prefix(), Grade::Copy)] });
        let next = bundles(&world.said_to(&peer));
        assert_eq!(next.len(), 1);
        got.extend(next);
    }
}

#[test]
fn an_owner_who_carries_nothing_keeps_what_is_his_own() {
    let mut world = World::of(2);
    let id = world.send(ALICE, BOB).unwrap();
    let mut from = Ghost::new(50);
    let message = from.message(Eid::mail(from.id), DAY, b"hello");
    world.visit(ALICE, &from);
    world.take(ALICE, &from, &message);
    world.input(ALICE, Input::CarryLimit(0));
    assert!(world.holds(ALICE, id) && !world.holds(ALICE, message.id));
}

#[test]
fn a_promise_to_one_friend_does_not_give_way_for_another() {
    let mut world = World::new(vec![Config { carry_bytes_max: 3_000, custody_share: 1_000, ..Config::default() }]);
    let (mut friend, mut other) = (Ghost::new(50), Ghost::new(51));
    [&friend, &other].into_iter().for_each(|ghost| {
        let node = ghost.id;
        world.name(0, node, Standing::Contact);
        world.visit(0, ghost);
    });
    let elsewhere = Eid::mail(Ghost::new(52).id);
    let promised: Vec<Bundle> = (0..2u8).map(|n| friend.message(elsewhere.clone(), HOUR, &[n; 400])).collect();
    promised.iter().for_each(|message| world.take(0, &friend, message));
    assert!(promised.iter().all(|message| world.holds(0, message.id)));
    let late = other.message(elsewhere, DAY, &[9; 400]);
    world.take(0, &other, &late);
    assert!(promised.iter().all(|message| world.holds(0, message.id)) && !world.holds(0, late.id));
}

#[test]
fn a_copy_that_outlived_the_receipt_gets_another_and_no_second_row() {
    for discards in [false, true] {
        let mut world = World::of(1);
        let mut from = Ghost::new(50);
        let message = from.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
        world.visit(0, &from);
        world.take(0, &from, &message);
        if discards {
            world.input(0, Input::Discard(message.id));
        }
        // Downtime is counted too long by a clock that jumped, and the receipt's life ends before the copy's.
        world.nodes[0].wall_offset = -(DAY.times(10).0 as i64);
        world.pass(DAY.times(10));
        assert_eq!(world.nodes[0].agent().held().count(), 0, "the receipt is over");
        world.visit(0, &from);
        world.said_to(&from);
        for time in ["first", "second"] {
            world.take(0, &from, &message);
            let said = world.said_to(&from);
            assert_eq!(refusals(&said), [(message.id, Refusal::Known)]);
            let proofs: Vec<Receipt> = receipts(&said).into_iter().map(|(_, receipt)| receipt).collect();
            assert_eq!(proofs.len(), usize::from(time == "first"), "one receipt, the {time} time");
            assert!(proofs.iter().all(|proof| proof.kind == ReceiptKind::Delivered && proof.ids == [message.id]));
        }
        assert_eq!(world.nodes[0].agent().held().count(), 1);
        assert_eq!(world.inbox(0).len(), usize::from(!discards));
    }
}

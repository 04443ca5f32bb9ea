//! Room: who gets it, at which grade, who makes way, and who hears of it.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Config, Input, cost_bytes};
use dak::bundle::Bundle;
use dak::eid::Eid;
use dak::frame::{Frame, Grade, Refusal};
use dak::id::BundleId;
use dak::receipt::ReceiptKind;
use dak::time::{DAY, HOUR, MINUTE, Millis};

use super::world::ghost::{Ghost, refusals, takes};
use super::{ALICE, BOB, CAROL, World};

/// A message that fills one place.
fn filling(from: &mut Ghost, lifetime: Millis) -> Bundle {
    from.message(Eid::mail(Ghost::new(99).id), lifetime, &[7; 1_000])
}

/// A world of one carrier with so many places, all of them open to strangers.
fn carrier(places: u64) -> World {
    carrier_of(Config::default().policy, places)
}

fn carrier_of(policy: Policy, places: u64) -> World {
    let place = cost_bytes(filling(&mut Ghost::new(1), DAY).encoded_len() as u32) + 3;
    World::new(vec![Config { policy, carry_bytes_max: places * place, strangers_share: 1_000, ..Config::default() }])
}

fn held(world: &World, bundle: &Bundle) -> bool {
    world.holds(0, bundle.id)
}

fn grade(world: &World, bundle: &Bundle) -> Option<Grade> {
    world.nodes[0].agent().held_one(&bundle.id).map(|held| held.grade)
}

#[test]
fn copies_leave_before_custody_custody_only_for_friends_and_ones_own_never() {
    let mut world = carrier(4);
    let (mut stranger, mut friend) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    let own = world.send_to(0, Eid::mail(stranger.id), DAY, None).unwrap();
    world.visit(0, &friend);
    world.visit(0, &stranger);
    let mut of = |days| filling(&mut stranger, DAY.times(days));
    let (first, second, third, fourth) = (of(9), of(9), of(5), of(6));
    let (shorter, longer) = (of(2), of(8));
    for message in [&first, &second, &third, &fourth] {
        world.take(0, &friend, message);
    }
    let grades = [&first, &second, &third, &fourth].map(|message| grade(&world, message).unwrap());
    assert_eq!(grades, [Grade::Custody, Grade::Custody, Grade::Copy, Grade::Copy], "half of the room is promised");
    world.said_to(&friend);
    world.take(0, &friend, &shorter);
    assert_eq!(refusals(&world.said_to(&friend)), [(shorter.id, Refusal::Full)], "it would be useless first");
    world.take(0, &friend, &longer);
    assert!(!held(&world, &third) && held(&world, &longer), "the soonest to be useless makes way");

    let letters: Vec<Bundle> = (0..4).map(|_| filling(&mut friend, DAY)).collect();
    world.take(0, &friend, &letters[0]);
    world.take(0, &friend, &letters[1]);
    assert!(!held(&world, &fourth) && !held(&world, &longer), "copies of strangers make way for friends");
    assert!(held(&world, &first) && held(&world, &second));
    world.said_to(&friend);
    world.take(0, &friend, &letters[2]);
    assert_eq!(refusals(&world.said_to(&friend)), [(letters[2].id, Refusal::Full)], "a friend has half beside them");
    for other in [&mut Ghost::new(52), &mut Ghost::new(53)] {
        world.name(0, other.id, Standing::Contact);
        let letter = filling(other, DAY);
        world.take(0, &friend, &letter);
        assert!(held(&world, &letter));
    }
    assert!(!held(&world, &first) && !held(&world, &second), "for others also what was promised to strangers");
    world.take(0, &friend, &letters[3]);
    assert_eq!(refusals(&world.said_to(&friend)), [(letters[3].id, Refusal::Full)]);
    assert_eq!(world.nodes[0].agent().usage().evicted, [0, 3, 2]);
    assert!(world.holds(0, own));
}

#[test]
fn what_was_evicted_is_not_taken_again_for_a_while_and_the_previous_hop_hears_of_it() {
    let mut world = carrier(2);
    let mut source = Ghost::new(50);
    world.visit(0, &source);
    let (kept, evicted, longer) =
        (filling(&mut source, DAY.times(9)), filling(&mut source, DAY), filling(&mut source, DAY.times(9)));
    for message in [&kept, &evicted, &longer] {
        world.take(0, &source, message);
    }
    assert!(!held(&world, &evicted));
    world.said_to(&source);
    world.take(0, &source, &evicted);
    world.hear(0, &source, &Frame::Offer { ids: vec![evicted.id] });
    let said = world.said_to(&source);
    assert_eq!((refusals(&said), takes(&said)), (vec![(evicted.id, Refusal::Shunned)], vec![]));
    assert!(!world.nodes[0].agent().knows(&evicted.id), "no tombstone: others may still bring it");
    world.leave(0, &source);
    world.crash(0);
    world.visit(0, &source);
    let gave_up = |said: &[_]| {
        said.iter()
            .any(|said| matches!(said, super::world::ghost::Said::Frame(Frame::GaveUp { ids }) if *ids == [evicted.id]))
    };
    assert!(gave_up(&world.said_to(&source)));
    // The contact breaks before the peer heard of it, and all that was said of it is written down when the power goes.
    world.leave(0, &source);
    world.pass(MINUTE);
    world.crash(0);
    world.visit(0, &source);
    assert!(gave_up(&world.said_to(&source)));
    world.hear(0, &source, &Frame::Noted { ids: vec![evicted.id] });
    world.leave(0, &source);
    world.visit(0, &source);
    assert!(!gave_up(&world.said_to(&source)), "what was heard is not told again");
}

#[test]
fn a_source_that_hears_of_an_eviction_keeps_its_copy_and_its_highest_evidence() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.input(CAROL, Input::CarryLimit(100));
    assert!(!world.holds(CAROL, id));
    world.meet(CAROL, ALICE);
    let carol = Some(world.nodes[CAROL].id);
    let evidence = [(EvidenceKind::Queued, None), (EvidenceKind::Custody, carol), (EvidenceKind::GaveUp, carol)];
    assert_eq!(world.evidence(ALICE, id), evidence);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Custody);
    assert!(world.holds(ALICE, id));
    world.meet(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn somebody_who_carries_for_nobody_still_sends_receives_and_hears_receipts() {
    let nothing = Config { carry_bytes_max: 0, ..Config::default() };
    let mut world = World::new(vec![nothing.clone(), nothing, Config::default()]);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    assert!(world.holds(CAROL, id), "others carry for them");
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    // Carol's own mail to a stranger finds no carrier in them.
    let far = world.send_to(CAROL, Eid::mail(Ghost::new(99).id), DAY, None).unwrap();
    world.meet(CAROL, ALICE);
    world.meet(CAROL, BOB);
    assert!(!world.holds(ALICE, far) && !world.holds(BOB, far));
    for n in [ALICE, BOB] {
        assert_eq!(world.nodes[n].agent().usage().bytes, 0);
    }
}

#[test]
fn a_peer_that_filled_the_room_of_strangers_makes_way_for_the_fair_share_of_another() {
    let mut world = carrier(10);
    let (mut hog, mut newcomer) = (Ghost::new(50), Ghost::new(51));
    world.visit(0, &hog);
    world.visit(0, &newcomer);
    let hogged: Vec<Bundle> = (0..12).map(|_| filling(&mut hog, DAY.times(20))).collect();
    hogged.iter().for_each(|message| world.take(0, &hog, message));
    let modest: Vec<Bundle> = (0..8).map(|_| filling(&mut newcomer, DAY)).collect();
    modest.iter().for_each(|message| world.take(0, &newcomer, message));
    let count = |world: &World, bundles: &[Bundle]| bundles.iter().filter(|bundle| held(world, bundle)).count();
    // What the hog was promised stays promised.
    assert_eq!((count(&world, &hogged), count(&world, &modest)), (5, 5));
    let more = filling(&mut hog, DAY.times(20));
    world.take(0, &hog, &more);
    assert!(!held(&world, &more), "a fair share is protected");
}

#[test]
fn a_peer_without_room_of_its_own_left_keeps_nothing_out_that_another_offered() {
    let mut world = carrier(10);
    let (mut hog, mut other, modest) = (Ghost::new(50), Ghost::new(51), Ghost::new(60));
    [&hog, &other, &modest].into_iter().for_each(|ghost| world.visit(0, ghost));
    for _ in 0..10 {
        let message = filling(&mut hog, DAY.times(20));
        world.take(0, &hog, &message);
    }
    let [wanted, more] = [0; 2].map(|_| filling(&mut other, DAY));
    // It offers first and hands over what it is asked for: there is no room for it.
    for ghost in [&hog, &modest] {
        world.hear(0, ghost, &Frame::Offer { ids: vec![wanted.id, more.id] });
    }
    world.said_to(&modest);
    world.take(0, &hog, &wanted);
    assert!(refusals(&world.said_to(&hog)).contains(&(wanted.id, Refusal::Full)));
    assert_eq!(takes(&world.said_to(&modest)), [wanted.id], "who has room left is asked");
    world.take(0, &modest, &wanted);
    assert!(held(&world, &wanted));
    // Once both filled as much, another transfer would be in vain.
    for _ in 0..4 {
        let message = filling(&mut other, DAY);
        world.take(0, &modest, &message);
    }
    let last = filling(&mut other, HOUR);
    for ghost in [&modest, &hog] {
        world.hear(0, ghost, &Frame::Offer { ids: vec![last.id] });
    }
    world.said_to(&hog);
    world.take(0, &modest, &last);
    assert!(refusals(&world.said_to(&modest)).contains(&(last.id, Refusal::Full)));
    assert_eq!(takes(&world.said_to(&hog)), []);
}

#[test]
fn whoever_fills_most_makes_way_down_to_a_fair_share_and_then_the_next() {
    let mut world = carrier(10);
    let place = world.nodes[0].config.carry_bytes_max / 10;
    world.nodes[0].config.custody_share = 0;
    world.crash(0);
    let mut peers: Vec<Ghost> = (50..54).map(Ghost::new).collect();
    for (ghost, count) in peers.iter_mut().zip([4, 3, 3]) {
        world.visit(0, ghost);
        for _ in 0..count {
            let message = filling(ghost, DAY.times(9));
            world.take(0, ghost, &message);
        }
    }
    let newcomer = &mut peers[3];
    world.visit(0, newcomer);
    let large = newcomer.message(Eid::mail(Ghost::new(99).id), HOUR, &vec![1; 1_000 + place as usize * 14 / 10]);
    world.take(0, newcomer, &large);
    assert!(held(&world, &large));
    let from = |n: usize| world.nodes[0].agent().held().filter(|held| held.from == Some(peers[n].id)).count();
    assert_eq!([from(0), from(1) + from(2), from(3)], [2, 5, 1], "a fair share is two and a half places");
}

#[test]
fn many_short_lives_of_modest_peers_do_not_shield_a_peer_that_fills_the_rest() {
    let mut world = carrier(400);
    let mut modest: Vec<Ghost> = (0..4).map(|n| Ghost::new(60 + n)).collect();
    let (mut hog, mut newcomer) = (Ghost::new(50), Ghost::new(51));
    for ghost in modest.iter().chain([&hog, &newcomer]) {
        world.visit(0, ghost);
    }
    let promised: Vec<Bundle> = (0..200).map(|_| filling(&mut hog, DAY.times(20))).collect();
    promised.iter().for_each(|message| world.take(0, &hog, message));
    let mut short = Vec::new();
    for ghost in &mut modest {
        short.extend((0..25).map(|_| (ghost.id, filling(ghost, HOUR))));
    }
    for (from, message) in &short {
        let ghost = modest.iter().find(|ghost| ghost.id == *from).unwrap();
        world.take(0, ghost, message);
    }
    let hogged: Vec<Bundle> = (0..100).map(|_| filling(&mut hog, DAY.times(20))).collect();
    hogged.iter().for_each(|message| world.take(0, &hog, message));
    let new = filling(&mut newcomer, DAY);
    world.take(0, &newcomer, &new);
    assert!(held(&world, &new));
    assert!(short.iter().all(|(_, message)| held(&world, message)), "the modest keep theirs");
}

#[test]
fn a_receipt_that_frees_nothing_never_pushes_a_message_out_and_makes_way_first() {
    let mut world = carrier(2);
    let (mut source, mut to) = (Ghost::new(50), Ghost::new(51));
    let place = filling(&mut source, DAY).encoded_len() as u64;
    world.input(0, Input::CarryLimit(3 * place + 600));
    world.visit(0, &source);
    let receipt = to.receipt(source.id, ReceiptKind::Delivered, &[BundleId([1; 32]); 20]);
    world.take(0, &source, &receipt);
    assert_eq!(grade(&world, &receipt), Some(Grade::Released));
    let messages = [1, 2].map(|days| filling(&mut source, DAY.times(days)));
    messages.iter().for_each(|message| world.take(0, &source, message));
    assert!(!held(&world, &receipt), "the receipt goes first, though it lives longest");
    let again = to.receipt(source.id, ReceiptKind::Delivered, &[BundleId([2; 32]); 20]);
    world.take(0, &source, &again);
    assert!(!held(&world, &again));
    assert!(messages.iter().all(|message| held(&world, message)));
}

#[test]
fn receipts_for_ones_own_messages_leave_the_room_to_what_is_carried_for_others() {
    let mut world = carrier(4);
    let (mut stranger, mut to) = (Ghost::new(50), Ghost::new(51));
    let me = world.nodes[0].id;
    world.visit(0, &stranger);
    for _ in 0..40 {
        let id = world.send_to(0, Eid::mail(to.id), DAY.times(20), None).unwrap();
        let receipt = to.receipt(me, ReceiptKind::Delivered, &[id]);
        world.take(0, &stranger, &receipt);
        assert!(!world.holds(0, id));
    }
    let carried = filling(&mut stranger, DAY.times(9));
    world.take(0, &stranger, &carried);
    assert!(held(&world, &carried));
}

#[test]
fn one_large_bundle_takes_the_place_of_many_small_ones_or_of_none() {
    let mut world = carrier_of(Policy::Epidemic, 700);
    let (mut source, friend) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    world.visit(0, &friend);
    let small: Vec<Bundle> = (0..700).map(|_| filling(&mut source, DAY.times(2))).collect();
    small.iter().for_each(|message| world.take(0, &friend, message));
    let count = |world: &World| small.iter().filter(|bundle| held(world, bundle)).count();
    let before = count(&world);
    let large = |source: &mut Ghost, days| source.message(Eid::mail(Ghost::new(99).id), DAY.times(days), &[1; 500_000]);
    let (useless, useful) = (large(&mut source, 1), large(&mut source, 9));
    world.take(0, &friend, &useless);
    assert_eq!(count(&world), before, "where there is no room in the end, nobody left for it");
    world.take(0, &friend, &useful);
    assert!(held(&world, &useful));
    let left = before - count(&world);
    assert!((200..300).contains(&left), "{left} made way");
    let too_much = source.message(Eid::mail(Ghost::new(99).id), DAY.times(20), &[1; 900_000]);
    world.take(0, &friend, &too_much);
    assert!(!held(&world, &too_much), "what was promised stays");
    assert_eq!(world.nodes[0].agent().usage().by_grade[2].0, 350);
}

#[test]
fn an_owner_who_carries_less_loses_copies_before_promises_and_all_of_it_at_zero() {
    let mut world = carrier(6);
    let (mut stranger, mut friend) = (Ghost::new(50), Ghost::new(51));
    world.name(0, friend.id, Standing::Contact);
    let own = world.send_to(0, Eid::mail(stranger.id), DAY, None).unwrap();
    world.visit(0, &friend);
    let (a, b) = (filling(&mut stranger, DAY), filling(&mut stranger, DAY));
    let letters: Vec<Bundle> = (1..5).map(|days| filling(&mut friend, DAY.times(days))).collect();
    let carrier = Ghost::new(51);
    for message in [&a, &b].into_iter().chain(&letters) {
        world.take(0, &carrier, message);
    }
    assert_eq!(
        letters.iter().map(|l| grade(&world, l).unwrap()).collect::<Vec<_>>(),
        [Grade::Custody, Grade::Custody, Grade::Custody, Grade::Copy]
    );
    let max = world.nodes[0].agent().usage().quota_bytes;
    world.input(0, Input::CarryLimit(max / 6 * 5));
    assert!(!held(&world, &letters[3]), "a copy, though of a friend's");
    assert!(held(&world, &a) && held(&world, &b));
    world.input(0, Input::CarryLimit(max / 6 * 4));
    assert!(!held(&world, &a) || !held(&world, &b));
    assert!(letters[..3].iter().all(|message| held(&world, message)), "strangers go before friends");
    world.input(0, Input::CarryLimit(0));
    assert_eq!(world.nodes[0].agent().usage().bytes, 0);
    assert!(world.holds(0, own));
}

#[test]
fn receipts_that_freed_nothing_share_a_bounded_place_and_ones_own_take_none_of_it() {
    let mut world = World::new(vec![Config { receipts_unmatched_max: 2, ..Config::default() }]);
    let (mut source, mut to) = (Ghost::new(50), Ghost::new(51));
    world.visit(0, &source);
    for _ in 0..3 {
        let letter = source.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
        world.take(0, &source, &letter);
    }
    assert_eq!(world.nodes[0].agent().usage().receipts, 3, "its own, one a batch");
    let receipts: Vec<Bundle> =
        (0..3).map(|n| to.receipt(source.id, ReceiptKind::Delivered, &[BundleId([n; 32])])).collect();
    for receipt in &receipts {
        world.take(0, &source, receipt);
        world.pass(MINUTE);
    }
    let kept: Vec<bool> = receipts.iter().map(|receipt| held(&world, receipt)).collect();
    assert_eq!(kept, [false, true, true], "the soonest to expire makes way");
    assert_eq!(world.nodes[0].agent().usage().receipts, 5);
}

#[test]
fn strangers_cannot_make_a_node_sign_receipts_without_end() {
    let mut world = World::new(vec![Config { receipts_own_max: 16, ..Config::default() }]);
    let (mut stranger, mut blocked, mut friend) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    world.name(0, blocked.id, Standing::Blocked);
    world.name(0, friend.id, Standing::Contact);
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &friend);
    for _ in 0..3 {
        for ghost in [&mut stranger, &mut blocked] {
            let message = ghost.message(mine.clone(), DAY, b"hello");
            world.take(0, &friend, &message);
        }
    }
    let usage = world.nodes[0].agent().usage();
    assert_eq!((usage.receipts, world.inbox(0).len()), (1, 1), "and for the blocked it signs none at all");
    let full = refusals(&world.said_to(&friend)).iter().filter(|(_, why)| *why == Refusal::Full).count();
    assert_eq!(full, 2);
    let letter = friend.message(mine, DAY, b"hello");
    world.take(0, &friend, &letter);
    assert_eq!(world.inbox(0).len(), 2, "a friend's mail is always welcome");
    // Receipts end, and so does the refusing.
    world.pass(DAY.times(9));
    world.visit(0, &stranger);
    let message = stranger.message(Eid::mail(world.nodes[0].id), DAY.times(20), b"hello");
    world.take(0, &stranger, &message);
    assert_eq!(world.inbox(0).len(), 3);
}

#[test]
fn drafts_that_nobody_seals_do_not_keep_a_person_from_writing_for_ever() {
    let mut world = World::of(1);
    let destination = Eid::mail(Ghost::new(50).id);
    let mailbox = Eid::mail(world.nodes[0].id);
    let submit = |token| Input::Submit {
        token,
        mailbox: mailbox.clone(),
        destination: destination.clone(),
        lifetime: DAY,
        priority: Default::default(),
        copies: None,
    };
    let ask = |world: &mut World, token| {
        let (at, mut out) = (world.moment(0), Vec::new());
        world.nodes[0].driver.agent.handle(at, submit(token), &mut out);
        out.iter().any(|output| matches!(output, dak::agent::Output::Seal { .. }))
    };
    assert!((0..1_024).all(|token| ask(&mut world, token)));
    assert!(!ask(&mut world, 1_024), "too many wait");
    world.now += HOUR.0;
    assert!(ask(&mut world, 1_025));
}

#[test]
fn a_node_that_starts_with_a_smaller_limit_keeps_it_from_the_start() {
    let mut world = carrier(4);
    let mut source = Ghost::new(50);
    world.visit(0, &source);
    let all: Vec<Bundle> = (1..5).map(|days| filling(&mut source, DAY.times(days))).collect();
    all.iter().for_each(|message| world.take(0, &source, message));
    world.nodes[0].config.carry_bytes_max /= 2;
    world.crash(0);
    let kept: Vec<bool> = all.iter().map(|message| held(&world, message)).collect();
    assert_eq!(
        kept,
        [true, false, false, true],
        "copies leave, the soonest to be useless first, and what is promised stays"
    );
    assert!(world.nodes[0].agent().next_timeout().is_some_and(|(due, _)| due.0 > 0));
}

//! Who is there gets it alone, and nobody can keep mail from others for long by that.

use dak::agent::change::EvidenceKind;
use dak::agent::routing::Policy;
use dak::agent::{Cause, Config, Input};
use dak::eid::Eid;
use dak::frame::{Frame, Grade, Hello, Refusal, RoutingInfo};
use dak::id::BundleId;
use dak::receipt::ReceiptKind;
use dak::time::{DAY, HOUR, Millis, SECOND};

use super::world::ghost::{Ghost, bundles, offers};
use super::{ALICE, BOB, CAROL, World};

const DAVE: usize = 3;

/// Alice with a recipient and a bystander in contact.
fn room() -> (World, Ghost, Ghost) {
    let mut world = World::of(1);
    let (bob, carol) = (Ghost::new(50), Ghost::new(60));
    world.visit(ALICE, &bob);
    world.visit(ALICE, &carol);
    (world, bob, carol)
}

fn write(world: &mut World, to: &Ghost) -> BundleId {
    world.send_to(ALICE, Eid::mail(to.id), DAY, None).unwrap()
}

fn accept(world: &mut World, by: &Ghost, id: BundleId) {
    world.hear(ALICE, by, &Frame::Accepted { grants: vec![(id.prefix(), Grade::Custody)] });
}

fn refuse(world: &mut World, by: &Ghost, id: BundleId, why: Refusal) {
    world.hear(ALICE, by, &Frame::Refused { id, why, retry_after: Millis(0) });
}

fn offered(world: &mut World, ghost: &Ghost) -> Vec<BundleId> {
    offers(&world.said_to(ghost))
}

#[test]
fn a_message_goes_to_a_recipient_in_contact_and_to_nobody_else() {
    let (mut world, bob, carol) = room();
    let id = write(&mut world, &bob);
    assert_eq!(bundles(&world.said_to(&bob)), [id]);
    accept(&mut world, &bob, id);
    world.pass(HOUR);
    assert_eq!(offered(&mut world, &carol), []);
    assert!(world.holds(ALICE, id), "no receipt came, so it stays where it is");
    // Nor does who comes later get one, also after a restart.
    let dave = Ghost::new(61);
    world.visit(ALICE, &dave);
    assert_eq!(offered(&mut world, &dave), []);
    world.crash(ALICE);
    world.visit(ALICE, &dave);
    assert_eq!(offered(&mut world, &dave), []);
    // The recipient may have lost it, and still gets it.
    world.visit(ALICE, &bob);
    assert_eq!(bundles(&world.said_to(&bob)), [id]);
}

#[test]
fn a_recipient_that_stalls_keeps_mail_from_others_for_three_seconds() {
    let (mut world, bob, carol) = room();
    let id = write(&mut world, &bob);
    world.pass(Millis(2_999));
    assert_eq!(offered(&mut world, &carol), []);
    assert_eq!(world.nodes[ALICE].agent().next_timeout().map(|(_, cause)| cause), Some(Cause::Grace));
    world.pass(Millis(1));
    assert_eq!(offered(&mut world, &carol), [id]);
    // In this contact it is not kept back a second time.
    let dave = Ghost::new(61);
    world.visit(ALICE, &dave);
    assert_eq!(offered(&mut world, &dave), [id]);
}

#[test]
fn a_recipient_that_fills_its_window_and_stalls_keeps_nothing_that_waits_behind_it() {
    let (mut world, bob, carol) = (World::of(1), Ghost::new(50), Ghost::new(60));
    world.visit(ALICE, &carol);
    world.visit_silently(ALICE, &bob);
    world.hear(ALICE, &bob, &Frame::Hello(Hello { window_bytes: 1, ..bob.hello() }));
    let mut ids: Vec<BundleId> = (0..20).map(|_| write(&mut world, &bob)).collect();
    assert_eq!(bundles(&world.said_to(&bob)).len(), 1, "the window is full");
    world.pass(SECOND.times(3));
    let mut told = offered(&mut world, &carol);
    ids.sort();
    told.sort();
    assert_eq!(told, ids);
}

#[test]
fn a_recipient_that_never_greets_keeps_mail_from_nobody() {
    let (mut world, bob, carol) = (World::of(1), Ghost::new(50), Ghost::new(60));
    world.visit(ALICE, &carol);
    world.visit_silently(ALICE, &bob);
    let id = write(&mut world, &bob);
    world.pass(SECOND.times(3));
    assert_eq!(offered(&mut world, &carol), [id]);
}

#[test]
fn what_a_recipient_refuses_goes_to_others_at_once_unless_it_has_it() {
    let (mut world, bob, carol) = room();
    let [full, known] = [0; 2].map(|_| write(&mut world, &bob));
    refuse(&mut world, &bob, full, Refusal::Full);
    refuse(&mut world, &bob, known, Refusal::Known);
    world.pass(HOUR);
    assert_eq!(offered(&mut world, &carol), [full]);
}

#[test]
fn a_recipient_that_leaves_lets_its_mail_go() {
    let (mut world, bob, carol) = room();
    let id = write(&mut world, &bob);
    world.leave(ALICE, &bob);
    assert_eq!(offered(&mut world, &carol), [id]);
}

#[test]
fn a_recipient_that_takes_a_little_all_the_time_keeps_nothing_back_for_longer_than_half_a_minute() {
    let (mut world, bob, carol) = room();
    let ids: Vec<BundleId> = (0..60).map(|_| write(&mut world, &bob)).collect();
    for id in &ids[1..30] {
        world.pass(SECOND);
        accept(&mut world, &bob, *id);
    }
    assert_eq!(offered(&mut world, &carol), [], "it takes what there is");
    for id in &ids[30..40] {
        world.pass(SECOND);
        accept(&mut world, &bob, *id);
    }
    let told = offered(&mut world, &carol);
    assert!(told.contains(&ids[0]) && told.contains(&ids[59]), "{} of 60", told.len());
    assert!(!told.contains(&ids[1]), "what it accepted needs no carrier");
}

#[test]
fn a_body_that_moves_slowly_is_waited_for_and_no_longer_than_half_a_minute() {
    let (mut world, bob, carol) = room();
    let id = write(&mut world, &bob);
    let moves = |world: &mut World, seconds: u64| {
        for _ in 0..seconds {
            world.pass(SECOND);
            world.input(ALICE, Input::Moved { peer: bob.id });
        }
        offered(world, &carol)
    };
    assert_eq!(moves(&mut world, 29), []);
    assert_eq!(moves(&mut world, 2), [id]);
}

#[test]
fn who_asks_for_what_is_a_recipients_alone_gets_it_once_that_is_over() {
    let (mut world, bob, carol) = (World::of(1), Ghost::new(50), Ghost::new(60));
    world.visit(ALICE, &carol);
    let id = write(&mut world, &bob);
    assert_eq!(offered(&mut world, &carol), [id], "nobody knows where the recipient is");
    world.visit(ALICE, &bob);
    world.hear(ALICE, &carol, &Frame::Take { ids: vec![id] });
    assert_eq!(bundles(&world.said_to(&carol)), []);
    world.pass(SECOND.times(3));
    assert_eq!(offered(&mut world, &carol), [id]);
    world.hear(ALICE, &carol, &Frame::Take { ids: vec![id] });
    assert_eq!(bundles(&world.said_to(&carol)), [id]);
}

#[test]
fn a_peer_that_claims_to_meet_the_recipient_all_day_keeps_mail_from_nobody() {
    let (mut world, bob, carol, liar) = (World::of(1), Ghost::new(50), Ghost::new(60), Ghost::new(66));
    world.visit(ALICE, &carol);
    world.visit_silently(ALICE, &liar);
    let routing = RoutingInfo::Meetings(vec![(bob.id, u16::MAX)]);
    world.hear(ALICE, &liar, &Frame::Hello(Hello { routing, ..liar.hello() }));
    let id = write(&mut world, &bob);
    assert_eq!((offered(&mut world, &carol), offered(&mut world, &liar)), (vec![id], vec![id]));
}

#[test]
fn under_another_strategy_everybody_gets_it_whoever_is_there() {
    let mut world = World::new(vec![Config { policy: Policy::Epidemic, ..Config::default() }]);
    let (mut bob, carol) = (Ghost::new(50), Ghost::new(60));
    world.visit(ALICE, &bob);
    world.visit(ALICE, &carol);
    let id = write(&mut world, &bob);
    let receipt = bob.receipt(world.nodes[ALICE].id, ReceiptKind::Delivered, &[id]);
    world.take(ALICE, &bob, &receipt);
    assert_eq!(offered(&mut world, &carol), [id, receipt.id]);
}

#[test]
fn a_receipt_goes_to_its_source_and_to_who_holds_a_copy_and_to_nobody_else() {
    let mut world = World::of(4);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.up(ALICE, BOB);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
    world.up(BOB, DAVE);
    world.up(ALICE, DAVE);
    world.up(ALICE, CAROL);
    assert!(!world.holds(CAROL, id), "it has the receipt");
    world.pass(HOUR);
    let to = |n: usize| (0..4).filter_map(|from| world.forwards.get(&(from, n))).sum::<u64>();
    assert_eq!([to(CAROL), to(DAVE)], [2, 0]);
}

#[test]
fn a_receipt_for_somebody_away_goes_where_his_mail_would() {
    let mut world = World::of(3);
    let id = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, BOB);
    world.crash(ALICE);
    // The source is gone, and what it was told with it.
    let second = world.send(ALICE, BOB).unwrap();
    world.meet(ALICE, CAROL);
    world.meet(CAROL, BOB);
    world.meet(CAROL, ALICE);
    assert_eq!(
        (world.state(ALICE, id), world.state(ALICE, second)),
        (EvidenceKind::Delivered, EvidenceKind::Delivered)
    );
}

#[test]
fn who_offers_what_is_over_gets_the_receipt_for_it_and_no_forged_one() {
    let (mut world, mut bob, carol) = room();
    let (mut mallory, dave) = (Ghost::new(66), Ghost::new(61));
    let id = write(&mut world, &bob);
    let source = world.nodes[ALICE].id;
    world.visit(ALICE, &mallory);
    let forged = mallory.receipt(source, ReceiptKind::Delivered, &[id]);
    world.take(ALICE, &mallory, &forged);
    let receipt = bob.receipt(source, ReceiptKind::Delivered, &[id]);
    world.take(ALICE, &bob, &receipt);
    let again = mallory.receipt(source, ReceiptKind::Read, &[id]);
    world.take(ALICE, &mallory, &again);
    world.visit(ALICE, &dave);
    world.hear(ALICE, &dave, &Frame::Offer { ids: vec![id] });
    assert_eq!(bundles(&world.said_to(&dave)), [receipt.id]);
    assert_eq!((bundles(&world.said_to(&carol)), offered(&mut world, &carol)), (vec![], vec![]));
}

#[test]
fn who_brings_a_message_after_its_receipt_gets_the_receipt() {
    let (mut world, dave) = (World::of(1), Ghost::new(61));
    let (mut from, mut to, relay) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(Eid::mail(to.id), DAY, b"hello");
    let receipt = to.receipt(from.id, ReceiptKind::Delivered, &[message.id]);
    world.visit(0, &from);
    world.visit(0, &relay);
    world.take(0, &relay, &receipt);
    accept(&mut world, &from, receipt.id);
    world.visit(0, &dave);
    assert_eq!(bundles(&world.said_to(&dave)), [], "its source has it");
    world.take(0, &dave, &message);
    assert_eq!(bundles(&world.said_to(&dave)), [receipt.id]);
    assert!(!world.holds(0, message.id));
}

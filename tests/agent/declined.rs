//! A message of which the recipient's driver keeps nothing: nobody signs that it was delivered.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::{Config, Declined, Input, REJECTED_UNWANTED, ReceiptsFor};
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::receipt::ReceiptKind;
use dak::time::{DAY, HOUR};

use super::world::ghost::{Ghost, receipts, refusals};
use super::{ALICE, BOB, CAROL, World};

const UNWANTED: EvidenceKind = EvidenceKind::Rejected { reason: REJECTED_UNWANTED };

#[test]
fn what_is_unwanted_is_rejected_in_the_recipient_s_name_and_carriers_forget_it() {
    let mut world = World::of(3);
    let [by_carrier, direct, other] = [(); 3].map(|()| world.send(ALICE, BOB).unwrap());
    world.declined.extend([(by_carrier, Declined::Unwanted), (direct, Declined::Unwanted)]);
    world.meet(ALICE, CAROL);
    assert!(world.holds(CAROL, by_carrier));
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [other]);
    assert!(!world.holds(CAROL, by_carrier) && !world.holds(CAROL, direct), "carriers need not keep it");
    assert_eq!(world.state(ALICE, direct), EvidenceKind::Custody);
    world.meet(CAROL, ALICE);
    assert_eq!([by_carrier, direct].map(|id| world.state(ALICE, id)), [UNWANTED; 2]);
    assert_eq!(world.state(ALICE, other), EvidenceKind::Delivered);
    assert!(!world.holds(ALICE, by_carrier));
    world.crash(BOB);
    world.meet(ALICE, BOB);
    world.pass(HOUR);
    assert_eq!((world.inbox(BOB), world.state(ALICE, direct)), (vec![other], UNWANTED));
}

#[test]
fn what_finds_no_room_stays_with_who_brought_it_and_comes_when_there_is_some() {
    let mut world = World::of(3);
    let bob = world.nodes[BOB].id;
    world.name(ALICE, bob, Standing::Contact);
    let id = world.send(ALICE, BOB).unwrap();
    world.declined.insert(id, Declined::Room);
    world.up(ALICE, BOB);
    world.settle();
    assert!(world.holds(ALICE, id) && world.inbox(BOB).is_empty());
    assert!(matches!(world.state(ALICE, id), EvidenceKind::Full { .. }), "it is said");
    world.down(ALICE, BOB);
    world.meet(ALICE, CAROL);
    world.declined.clear();
    world.meet(CAROL, BOB);
    assert_eq!(world.inbox(BOB), [id]);
    world.meet(CAROL, ALICE);
    assert_eq!(world.state(ALICE, id), EvidenceKind::Delivered);
}

#[test]
fn a_declined_message_costs_a_stranger_s_receipt_and_of_the_blocked_nothing_is_said() {
    let few = Config { receipts_own_max: 8, ..Config::default() };
    let quiet = Config { receipts: ReceiptsFor::Contacts, ..Config::default() };
    for (config, blocked, signed) in [(few.clone(), false, 1), (few, true, 0), (quiet, false, 0)] {
        let mut world = World::new(vec![config]);
        let (mut stranger, mine) = (Ghost::new(50), Eid::mail(world.nodes[0].id));
        if blocked {
            world.name(0, stranger.id, Standing::Blocked);
        }
        world.visit(0, &stranger);
        for n in 0..40u8 {
            let message = stranger.message(mine.clone(), DAY, &[n]);
            world.declined.insert(message.id, Declined::Unwanted);
            world.take(0, &stranger, &message);
        }
        let said = world.said_to(&stranger);
        let told = receipts(&said);
        let is_rejection = |kind: ReceiptKind| kind == ReceiptKind::Rejected { reason: REJECTED_UNWANTED };
        assert!(told.iter().all(|(_, receipt)| is_rejection(receipt.kind)), "{told:?}");
        assert!(told.len() >= signed && told.len() <= 8 * signed, "{} of 40", told.len());
        assert_eq!(refusals(&said).len(), 40);
        assert!(refusals(&said).iter().all(|(_, why)| *why == Refusal::Known));
        assert!(world.inbox(0).is_empty());
        world.input(0, Input::Timeout);
    }
}

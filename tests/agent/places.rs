//! Places that anybody can fill: who floods one displaces himself, and a fair newcomer still gets in.

use dak::agent::change::Standing;
use dak::agent::{BUNDLE_COST_BYTES, Config, Input, ReceiptsFor};
use dak::bundle::{Bundle, Hops};
use dak::eid::Eid;
use dak::frame::Refusal;
use dak::id::BundleId;
use dak::receipt::{RECEIPT_IDS_MAX, ReceiptKind};
use dak::time::{DAY, HOUR, Millis, SECOND};

use super::World;
use super::world::WALL;
use super::world::ghost::{Ghost, receipts, refusals};

/// A word on a bundle that is not held.
fn receipt_on_nothing(signer: &mut Ghost, to: &Ghost, n: u32) -> Bundle {
    signer.receipt(to.id, ReceiptKind::Delivered, &[id(n)])
}

fn id(n: u32) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

#[test]
fn throwaway_receipts_displace_each_other_and_not_those_of_others() {
    let mut world = World::new(vec![Config { receipts_unmatched_max: 20, ..Config::default() }]);
    let (source, flooder, mut friend) = (Ghost::new(50), Ghost::new(66), Ghost::new(52));
    world.name(0, friend.id, Standing::Contact);
    let mut honest = Vec::new();
    for n in 0..8 {
        let (carrier, mut signer) = (Ghost::nth(n), Ghost::nth(100 + n));
        world.visit(0, &carrier);
        honest.push(receipt_on_nothing(&mut signer, &source, n));
        world.take(0, &carrier, &honest[n as usize]);
    }
    world.visit(0, &flooder);
    honest.push(receipt_on_nothing(&mut friend, &source, 9));
    world.take(0, &flooder, &honest[8]);
    for n in 0..300 {
        let receipt = receipt_on_nothing(&mut Ghost::nth(1_000 + n), &source, 1_000 + n);
        world.take(0, &flooder, &receipt);
    }
    assert_eq!(world.nodes[0].agent().usage().receipts, 20);
    assert!(honest.iter().all(|receipt| world.holds(0, receipt.id)), "also a friend's, whoever hands it over");
    let late = receipt_on_nothing(&mut Ghost::new(53), &source, 7_000);
    world.take(0, &Ghost::nth(3), &late);
    assert!(world.holds(0, late.id), "and a newcomer gets in");
}

#[test]
fn words_on_invented_bundles_displace_each_other_and_not_those_of_others() {
    let mut world = World::of(1);
    let (mut source, mut to, flooder, carrier) = (Ghost::new(50), Ghost::new(51), Ghost::new(66), Ghost::new(60));
    let message = source.message(Eid::mail(to.id), DAY, b"hello");
    world.visit(0, &carrier);
    world.visit(0, &flooder);
    let receipt = to.receipt(source.id, ReceiptKind::Delivered, &[message.id]);
    world.take(0, &carrier, &receipt);
    let invented: Vec<Bundle> = (0..66u32)
        .map(|n| {
            let ids: Vec<BundleId> = (0..RECEIPT_IDS_MAX as u32).map(|k| id(n << 16 | k)).collect();
            Ghost::nth(n).receipt(source.id, ReceiptKind::Delivered, &ids)
        })
        .collect();
    world.take_in_one_batch(0, flooder.id, invented);
    world.take(0, &carrier, &message);
    assert!(!world.holds(0, message.id), "its receipt is still remembered");
}

/// Room for about a hundred short messages of strangers.
fn mailbox() -> World {
    World::new(vec![Config { stranger_mail_bytes_max: 100 * (BUNDLE_COST_BYTES + 500), ..Config::default() }])
}

#[test]
fn one_stranger_fills_a_part_of_the_mailbox_and_the_next_still_delivers() {
    let mut world = mailbox();
    let (mut flooder, mut fair) = (Ghost::new(66), Ghost::new(50));
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &flooder);
    for n in 0..200u32 {
        let message = flooder.message(mine.clone(), DAY, &n.to_be_bytes());
        world.take(0, &flooder, &message);
    }
    let alone = world.inbox(0).len();
    assert!((5..15).contains(&alone), "{alone} of about a hundred places");
    // The same peer with as many names as it likes.
    for n in 0..200 {
        let message = Ghost::nth(n).message(mine.clone(), DAY, b"hello");
        world.take(0, &flooder, &message);
    }
    let together = world.inbox(0).len();
    assert!((15..30).contains(&together), "{together} of about a hundred places");
    let message = fair.message(mine, DAY, b"hello");
    world.visit(0, &fair);
    world.take(0, &fair, &message);
    assert!(world.inbox(0).contains(&message.id));
    assert_eq!(world.inbox(0).len(), together + 1, "and nothing that was delivered makes way");
    world.crash(0);
    world.visit(0, &flooder);
    let more = flooder.message(Eid::mail(world.nodes[0].id), DAY, b"more");
    world.take(0, &flooder, &more);
    assert!(refusals(&world.said_to(&flooder)).contains(&(more.id, Refusal::Full)), "a restart forgets no share");
}

#[test]
fn a_friend_may_hand_over_the_mail_of_many_strangers() {
    let mut world = mailbox();
    let friend = Ghost::new(52);
    world.name(0, friend.id, Standing::Contact);
    world.visit(0, &friend);
    let mine = Eid::mail(world.nodes[0].id);
    for n in 0..80 {
        let message = Ghost::nth(n).message(mine.clone(), DAY, b"hello");
        world.take(0, &friend, &message);
    }
    assert_eq!(world.inbox(0).len(), 80);
}

#[test]
fn one_stranger_causes_a_part_of_the_own_receipts_also_where_its_mail_is_deleted() {
    let mut world = World::new(vec![Config { receipts_own_max: 100, ..Config::default() }]);
    let (mut flooder, mut fair) = (Ghost::new(66), Ghost::new(50));
    let mine = Eid::mail(world.nodes[0].id);
    world.visit(0, &flooder);
    for n in 0..200u32 {
        let one = flooder.message(mine.clone(), DAY, &n.to_be_bytes());
        let other = Ghost::nth(n).message(mine.clone(), DAY, b"hello");
        for message in [one, other] {
            world.take(0, &flooder, &message);
            world.input(0, Input::Discard(message.id));
        }
    }
    let caused = world.nodes[0].agent().usage().receipts;
    assert!((15..30).contains(&caused), "{caused} of a hundred");
    let message = fair.message(mine, DAY, b"hello");
    world.visit(0, &fair);
    world.take(0, &fair, &message);
    assert_eq!(world.inbox(0), [message.id]);
}

#[test]
fn whoever_keeps_receipts_for_contacts_signs_none_for_strangers() {
    let mut world = World::new(vec![Config { receipts: ReceiptsFor::Contacts, ..Config::default() }]);
    let (mut stranger, mut friend) = (Ghost::new(50), Ghost::new(52));
    world.name(0, friend.id, Standing::Contact);
    let mine = Eid::mail(world.nodes[0].id);
    for ghost in [&mut stranger, &mut friend] {
        let message = ghost.message(mine.clone(), DAY, b"hello");
        world.visit(0, ghost);
        world.take(0, ghost, &message);
        assert!(world.inbox(0).contains(&message.id));
    }
    assert_eq!(receipts(&world.said_to(&stranger)).len(), 0);
    assert_eq!(receipts(&world.said_to(&friend)).len(), 1);
}

#[test]
fn a_blocked_source_is_answered_as_if_its_mail_were_known_already() {
    let mut world = World::of(1);
    let (mut blocked, carrier) = (Ghost::new(50), Ghost::new(51));
    world.name(0, blocked.id, Standing::Blocked);
    let message = blocked.message(Eid::mail(world.nodes[0].id), DAY, b"hello");
    for ghost in [&blocked, &carrier, &blocked] {
        world.visit(0, ghost);
        world.said_to(ghost);
        world.take(0, ghost, &message);
        let said = world.said_to(ghost);
        assert_eq!((refusals(&said), receipts(&said).len()), (vec![(message.id, Refusal::Known)], 0));
    }
    assert_eq!((world.inbox(0).len(), world.nodes[0].agent().usage().receipts), (0, 0));
}

/// What is remembered in one table where little is carried.
const MEMORIES: u32 = 4_096;

/// A small carrier whose clock says nothing.
fn small_carrier() -> World {
    let config = Config { carry_bytes_max: 1 << 20, strangers_share: 1_000, ..Config::default() };
    let mut world = World::new(vec![config]);
    world.nodes[0].wall_offset = -(WALL as i64);
    world
}

#[test]
fn what_died_of_its_age_and_left_displaces_its_own_memory_and_not_that_of_others() {
    let mut world = small_carrier();
    let (mut source, mut friend) = (Ghost::new(50), Ghost::new(52));
    let (carrier, flooder) = (Ghost::new(60), Ghost::new(66));
    world.name(0, friend.id, Standing::Contact);
    let elsewhere = Eid::mail(Ghost::new(99).id);
    let [strange, friendly] = [&mut source, &mut friend].map(|from| from.message(elsewhere.clone(), DAY, b"hello"));
    world.visit(0, &carrier);
    world.visit(0, &flooder);
    world.take(0, &carrier, &strange);
    // Whoever hands it over: it is from a friend.
    world.take(0, &flooder, &friendly);
    let carries = world.nodes[0].config.carry_bytes_max;
    world.input(0, Input::CarryLimit(0));
    world.input(0, Input::CarryLimit(carries));
    // Aged by almost all of a long life they die at once, and their memory lasts.
    let long = DAY.times(30);
    for batch in 0..5 {
        let flood = (batch * 1_000..(batch + 1) * 1_000).map(|n| Ghost::nth(n).message(elsewhere.clone(), long, b"x"));
        world.take_aged_in_one_batch(0, flooder.id, flood.collect(), Millis(long.0 - SECOND.0));
        world.pass(SECOND.times(2));
        assert_eq!(world.nodes[0].agent().usage().messages, 0);
    }
    assert_eq!(world.nodes[0].agent().durable().departed.len(), MEMORIES as usize);
    world.pass(HOUR.times(2));
    for message in [strange, friendly] {
        world.take_with(0, &flooder, &message, Hops::default(), 1);
        let held = world.nodes[0].agent().held_one(&message.id).expect("it is taken again");
        assert!(held.expires.0 < DAY.0 + HOUR.0, "and has not its whole life before it");
    }
}

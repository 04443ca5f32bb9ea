//! Power cuts: a rich story is told once whole, then once for every commit of every node with the power cut before it,
//! and once with the power cut after it. No promise is broken.

use dak::agent::change::{EvidenceKind, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Config, Input};
use dak::id::BundleId;
use dak::time::{DAY, HOUR, MINUTE};

use super::{ALICE, BOB, CAROL, World};

/// Has room for three small messages.
const DAVE: usize = 3;
/// Hands bundles to their destinations only.
const ERIN: usize = 4;

fn fresh() -> World {
    let spray = Config { policy: Policy::SprayAndWait, ..Config::default() };
    let small = Config { carry_bytes_max: 3_200, strangers_share: 1_000, ..Config::default() };
    let direct = Config { policy: Policy::Direct, ..Config::default() };
    World::new(vec![Config::default(), Config::default(), spray, small, direct])
}

/// Mail goes round, carriers overflow, links break, people read, block, cancel and delete. Returns what was accepted:
/// from whom, to whom, and whether it was cancelled.
fn tell(world: &mut World) -> Vec<(usize, usize, BundleId, bool)> {
    let mut sent = Vec::new();
    let mut send = |world: &mut World, from, to| {
        let id = world.send_with(from, to, DAY.times(9), None);
        sent.extend(id.map(|id| (from, to, id, false)));
    };
    world.name(BOB, world.nodes[ALICE].id, Standing::Contact);
    send(world, ALICE, BOB);
    send(world, ALICE, DAVE);
    send(world, CAROL, ALICE);
    world.meet(ALICE, CAROL);
    for _ in 0..4 {
        send(world, CAROL, BOB);
    }
    send(world, ERIN, BOB);
    world.meet(CAROL, DAVE);
    world.meet(DAVE, ERIN);
    world.pass(HOUR);

    world.open(ALICE, DAVE);
    world.settle_some(5);
    world.down(ALICE, DAVE);
    world.open(CAROL, BOB);
    world.settle_some(4);
    world.down(CAROL, BOB);
    world.meet(CAROL, BOB);
    let row = world.nodes[BOB].letters().first().map(|letter| letter.id);
    if let Some(id) = row {
        world.input(BOB, Input::Read { id, tell: true });
        world.input(BOB, Input::Discard(id));
    }
    world.meet(BOB, DAVE);
    world.name(BOB, world.nodes[ERIN].id, Standing::Blocked);
    world.meet(ERIN, BOB);

    send(world, ALICE, ERIN);
    world.meet(ALICE, CAROL);
    if let Some((_, _, id, cancelled)) = sent.last_mut() {
        world.input(ALICE, Input::Cancel(*id));
        *cancelled = true;
    }
    world.input(DAVE, Input::CarryLimit(2_000));
    world.pass(MINUTE);
    world.meet(DAVE, ALICE);
    sent
}

/// Everybody meets everybody until nothing is left to say.
fn meet_again(world: &mut World) {
    for _ in 0..3 {
        for a in 0..world.nodes.len() {
            for b in 0..a {
                world.meet(a, b);
            }
        }
        world.pass(MINUTE);
    }
}

fn check(world: &World, sent: &[(usize, usize, BundleId, bool)]) {
    for (from, to, id, cancelled) in sent {
        let state = world.state(*from, *id);
        let arrived = world.truth.is_delivered(world.nodes[*to].id, *id);
        let [came, wrote] = world.words(*from, *to, *id);
        let wrote = wrote.expect("one's own words are kept with what is queued");
        let is_there = world.nodes[*to].letter(id).is_some();
        assert_eq!(came.map(|filed| filed.content), is_there.then_some(wrote.content), "what came is what was written");
        match state {
            EvidenceKind::Delivered | EvidenceKind::Read => assert!(arrived),
            // Bob blocked her, and says nothing.
            _ if (*from, *to) == (ERIN, BOB) => {
                assert!(!arrived && state < EvidenceKind::Rejected { reason: 0 });
                continue;
            }
            EvidenceKind::Cancelled => assert!(*cancelled && !arrived, "where it arrived, its receipt got through"),
            other => panic!("{other:?} after everybody met everybody"),
        }
        if state != EvidenceKind::Cancelled {
            let holders: Vec<usize> = (0..5).filter(|n| world.holds(*n, *id)).collect();
            assert!(holders.is_empty(), "what is settled is held by {holders:?}");
        }
    }
}

#[test]
fn no_promise_is_broken_by_a_power_cut_before_or_after_any_commit() {
    let mut whole = fresh();
    let sent = tell(&mut whole);
    assert_eq!(sent.len(), 9);
    let evicted = whole.nodes[DAVE].agent().usage().evicted.iter().sum::<u64>();
    assert!(evicted > 0, "the story is about evictions too");
    let commits: Vec<u32> = whole.nodes.iter().map(|node| node.commits).collect();
    meet_again(&mut whole);
    check(&whole, &sent);
    std::thread::scope(|scope| {
        for (n, commits) in commits.into_iter().enumerate() {
            assert!(commits > 5, "node {n} takes part");
            scope.spawn(move || {
                for cut in 0..commits {
                    tell_with_cut(n, cut, true);
                    tell_with_cut(n, cut, false);
                }
            });
        }
    });
}

fn tell_with_cut(n: usize, cut: u32, before: bool) {
    let told = std::panic::catch_unwind(|| {
        let mut world = fresh();
        world.nodes[n].power_cut = Some((cut, before));
        let sent = tell(&mut world);
        assert_eq!(world.nodes[n].incarnation, 1, "the power went once");
        meet_again(&mut world);
        check(&world, &sent);
    });
    assert!(told.is_ok(), "the power of node {n} went {} commit {cut}", if before { "before" } else { "after" });
}

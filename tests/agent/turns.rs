//! Peers that lack thousands of bundles hear of them in turns, and nobody waits for all of that.

use std::collections::BTreeMap;

use dak::agent::change::Standing;
use dak::agent::{Cause, Input, Output};
use dak::eid::Eid;
use dak::frame::Frame;
use dak::id::{BundleId, NodeId};
use dak::time::{DAY, HOUR};

use super::World;
use super::world::ghost::Ghost;

/// Bundles that one input may make a node propose to a peer.
const PROPOSED_MAX: usize = 1_024;
const HELD: usize = 3_000;

#[test]
fn whoever_lacks_thousands_hears_of_them_in_turns() {
    let mut world = World::of(1);
    let (mut from, mut friend) = (Ghost::new(50), Ghost::new(53));
    let elsewhere = Eid::mail(Ghost::new(54).id);
    world.visit(0, &from);
    let strangers: Vec<_> = (0..HELD).map(|n| from.message(elsewhere.clone(), DAY, &n.to_be_bytes())).collect();
    world.take_in_one_batch(0, from.id, strangers);
    world.leave(0, &from);
    let friend_id = friend.id;
    world.name(0, friend_id, Standing::Contact);
    let urgent = friend.message(elsewhere, DAY, b"of a friend");
    world.visit(0, &friend);
    world.take(0, &friend, &urgent);
    world.leave(0, &friend);

    let crowd = [Ghost::new(51), Ghost::new(52)];
    let at = world.moment(0);
    let agent = &mut world.nodes[0].driver.agent;
    let mut offered = BTreeMap::<NodeId, Vec<BundleId>>::new();
    let mut turns = Vec::new();
    let mut give = |agent: &mut dak::agent::Agent, input: Input| {
        let mut out = Vec::new();
        agent.handle(at, input, &mut out);
        let mut count = 0;
        for output in out {
            if let Output::Send { to, frame: Frame::Offer { ids } } = output {
                count += ids.len();
                offered.entry(to).or_default().extend(ids);
                turns.push(to);
            }
        }
        assert!(count <= 3 * PROPOSED_MAX, "{count} in one go: two greetings and a turn end in one batch");
    };
    for ghost in &crowd {
        give(agent, Input::ContactUp { peer: ghost.id });
        give(agent, Input::Frame { from: ghost.id, frame: Frame::Hello(ghost.hello()) });
    }
    let mut causes = Vec::new();
    while let Some((_, cause)) = agent.next_timeout().filter(|(due, _)| *due <= at.now) {
        causes.push(cause);
        give(agent, Input::Timeout);
    }
    assert!(causes.len() >= 4 && causes[1..].contains(&Cause::Turn), "{causes:?}");
    for ghost in &crowd {
        let mut ids = offered.remove(&ghost.id).unwrap();
        let early = ids.iter().position(|id| *id == urgent.id).unwrap();
        assert!(early < 2 * PROPOSED_MAX, "a friend's message is number {early}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), HELD + 1, "each once");
    }
    turns.dedup();
    assert!(turns.len() >= 4, "they take turns: {turns:?}");
}

#[test]
fn between_two_turns_a_driver_can_hear_others() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let elsewhere = Eid::mail(Ghost::new(54).id);
    world.visit(0, &from);
    let all: Vec<_> = (0..HELD).map(|n| from.message(elsewhere.clone(), DAY, &n.to_be_bytes())).collect();
    world.take_in_one_batch(0, from.id, all);
    world.leave(0, &from);
    let at = world.moment(0);
    let driver = &mut world.nodes[0].driver;
    for peer in [Ghost::new(51), Ghost::new(52)] {
        driver.take(at, Input::ContactUp { peer: peer.id });
        driver.take(at, Input::Frame { from: peer.id, frame: Frame::Hello(peer.hello()) });
    }
    let offered = |said: &[Output]| {
        let ids = said.iter().filter_map(|output| match output {
            Output::Send { frame: Frame::Offer { ids }, .. } => Some(ids.len()),
            _ => None,
        });
        ids.sum::<usize>()
    };
    assert_eq!(driver.run_due(at), Some(at.now), "a turn is over and more is due");
    assert!(offered(driver.open()) < 2 * HELD);
    let next = driver.run_all_due(at);
    assert!(next.is_none_or(|due| due > at.now), "nothing is due any more: {next:?}");
    assert_eq!(offered(driver.open()), 2 * HELD);
}

#[test]
fn what_leaves_before_its_turn_is_not_offered() {
    let mut world = World::of(1);
    let mut from = Ghost::new(50);
    let elsewhere = Eid::mail(Ghost::new(54).id);
    world.visit(0, &from);
    let all: Vec<_> = (0..HELD).map(|n| from.message(elsewhere.clone(), HOUR, &n.to_be_bytes())).collect();
    let ids: Vec<BundleId> = all.iter().map(|message| message.id).collect();
    world.take_in_one_batch(0, from.id, all);
    world.leave(0, &from);
    let peer = Ghost::new(51);
    let at = world.moment(0);
    let agent = &mut world.nodes[0].driver.agent;
    let mut out = Vec::new();
    agent.handle(at, Input::ContactUp { peer: peer.id }, &mut out);
    agent.handle(at, Input::Frame { from: peer.id, frame: Frame::Hello(peer.hello()) }, &mut out);
    ids.iter().for_each(|id| agent.handle(at, Input::Drop(*id), &mut out));
    out.clear();
    while agent.next_timeout().is_some_and(|(due, _)| due <= at.now) {
        agent.handle(at, Input::Timeout, &mut out);
    }
    let told = out.iter().filter(|output| matches!(output, Output::Send { frame: Frame::Offer { .. }, .. })).count();
    assert!(told <= 1, "only what was proposed before it left");
    assert_eq!(agent.held().count(), 0);
}

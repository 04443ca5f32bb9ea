//! Memories that take longer to fill through contacts than a test should last: filled here from within, to the brim.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use super::change::{Belief, Departure, Durable, EvidenceKind};
use super::ledger::OWED_MAX;
use super::tombstones::TOMBSTONES_MAX;
use super::{Agent, Config, Input, Mailboxes};
use crate::bundle::Signer;
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, Moment, Timestamp};

pub(super) const FLOODER: u32 = 66;
/// How many entries others have in a place before it is flooded.
pub(super) const HONEST: u32 = 200;
/// How much more than fits comes in a flood.
pub(super) const MORE: u32 = 2_000;

fn agent() -> Agent {
    restored(Durable::default())
}

fn restored(durable: Durable) -> Agent {
    let key = Arc::new(SigningKey::from_bytes(&[1; 32]));
    Agent::restore(key.node(), Mailboxes::own(key), Config::default(), [7; 32], durable)
}

pub(super) fn node(n: u32) -> NodeId {
    NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

pub(super) fn id(n: u32) -> BundleId {
    BundleId(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

/// Ids of others, each with its peer: ten peers.
pub(super) fn honest() -> impl Iterator<Item = (NodeId, BundleId)> {
    (0..HONEST).map(|n| (node(1_000 + n % 10), id(n)))
}

/// More ids of one peer than a place holds.
pub(super) fn flood(max: usize) -> impl Iterator<Item = BundleId> {
    (0..max as u32 + MORE).map(|n| id(1_000 + n))
}

#[test]
fn what_one_peer_is_owed_displaces_nothing_that_others_are() {
    let (mut agent, mut out) = (agent(), Vec::new());
    honest().for_each(|(peer, id)| agent.ledger.owe(peer, id, &mut out));
    for id in flood(OWED_MAX) {
        agent.ledger.owe(node(FLOODER), id, &mut out);
        out.clear();
    }
    assert_eq!(agent.ledger.owed().len(), OWED_MAX);
    assert!(honest().all(|debt| agent.ledger.owed().get(&debt).is_some()));
}

/// Where so much is carried, each table of memories has the fewest entries.
const LITTLE_BYTES: u64 = 1 << 20;
const MEMORIES: usize = 4_096;

fn remember_much(agent: &mut Agent) {
    let mut out = Vec::new();
    for n in 0..MEMORIES as u32 + MORE {
        let (until, from, source) = (Timestamp(DAY.0), node(FLOODER), node(n));
        agent.ledger.bury(id(n), until, node(n), &mut out);
        agent.ledger.believe(id(HONEST + n), source, Belief { what: EvidenceKind::Delivered, until, from }, &mut out);
        agent.ledger.owe(node(n), id(n), &mut out);
        out.clear();
    }
}

fn memories(agent: &Agent) -> [usize; 3] {
    [agent.ledger.tombstones().len(), agent.ledger.beliefs().len(), agent.ledger.owed().len()]
}

#[test]
fn where_little_is_carried_little_is_remembered() {
    let mut agent = agent();
    agent.handle(Moment::default(), Input::CarryLimit(LITTLE_BYTES), &mut Vec::new());
    remember_much(&mut agent);
    assert_eq!(memories(&agent), [MEMORIES; 3]);
}

#[test]
fn a_smaller_limit_leaves_fewer_memories_in_bounded_steps() {
    let departure = |n| Departure { accepted_at: Timestamp(0), until: Timestamp(n), from: node(1), source: node(2) };
    let departed = (1..5_000).map(|n| (id(n), departure(n.into()))).collect();
    let (mut agent, mut out) = (restored(Durable { departed, ..Durable::default() }), Vec::new());
    remember_much(&mut agent);
    agent.handle(Moment::default(), Input::CarryLimit(LITTLE_BYTES), &mut out);
    let mut steps = 0;
    while agent.next_timeout().is_some_and(|(due, _)| due == Timestamp(0)) {
        out.clear();
        agent.handle(Moment::default(), Input::Timeout, &mut out);
        assert!(out.len() <= 4 * 1_024, "{} at once", out.len());
        steps += 1;
    }
    assert_eq!((memories(&agent), agent.ledger.departed().len()), ([MEMORIES; 3], MEMORIES));
    assert!(steps > 1);
}

#[test]
fn a_flood_of_tombstones_that_many_bring_displaces_itself_in_proportion() {
    let (mut agent, mut out) = (agent(), Vec::new());
    let first = 10_000;
    for n in 0..TOMBSTONES_MAX as u32 / 10 * 12 {
        agent.ledger.bury(id(n), Timestamp(n.into()), node(n), &mut out);
        out.clear();
    }
    assert_eq!(agent.ledger.tombstones().len(), TOMBSTONES_MAX);
    // A fifth more than fits came: of the first, e^(-1/5) are left, whoever came first or ends first.
    let left = (0..first).filter(|n| agent.ledger.tombstones().contains(&id(*n))).count();
    assert!((8_000..8_400).contains(&left), "{left} of the first {first} are left");
}

#[test]
fn a_flood_of_tombstones_that_one_peer_brings_displaces_its_own() {
    let max = 4 * MEMORIES as u32;
    // Half of them stand since before a restart; the others a hundred peers brought.
    let buried = (0..max / 2).map(|n| (id(n), Timestamp(DAY.0))).collect();
    let (mut agent, mut out) = (restored(Durable { buried, ..Durable::default() }), Vec::new());
    agent.handle(Moment::default(), Input::CarryLimit(4 * LITTLE_BYTES), &mut out);
    let mut bury = |agent: &mut Agent, n, from| {
        agent.ledger.bury(id(n), Timestamp(DAY.0), node(from), &mut out);
        out.clear();
    };
    (max / 2..max).for_each(|n| bury(&mut agent, n, n % 100));
    for n in 0..3 * max {
        bury(&mut agent, 10 * max + n, FLOODER + 1_000);
    }
    assert_eq!(agent.ledger.tombstones().len(), max as usize);
    let left = |ids: std::ops::Range<u32>| ids.filter(|n| agent.ledger.tombstones().contains(&id(*n))).count();
    let (old, new) = (left(0..max / 2), left(max / 2..max));
    assert!(old.min(new) > max as usize / 2 / 10 * 8, "{old} and {new} of {} each", max / 2);
}

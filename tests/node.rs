//! Real nodes over the loopback: real libp2p, real redb, and a carrier that is killed in the middle.

#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::time::{Duration, Instant};

use dak::agent::change::EvidenceKind;
use dak::agent::{Agent, Config};
use dak::bundle::Priority;
use dak::content::{Content, Text, pad};
use dak::eid::Eid;
use dak::id::BundleId;
use dak::keys::Identity;
use dak::mail::order::Span;
use dak::net::NetConfig;
use dak::node::{Node, NodeError, Options};
use dak::store::StoreError;
use dak::store::redb::Direction;
use dak::time::DAY;
use libp2p::Multiaddr;

#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "support/port.rs"]
mod port;

use person::Person;
use port::free_port;

/// How long anything may take; a failure is an invariant broken, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_which_a_part_broke_says_so_and_keeps_nobody_waiting() {
    let place = tempfile::tempdir().unwrap();
    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[]);
    let to = Identity::from_secret(&[2; 32]).node();
    let id = send(&alice, &Eid::mail(to), "kept").await;
    assert!(tokio::time::timeout(Duration::from_millis(100), alice.ended()).await.is_err(), "nothing has ended");
    let broken = alice.look(|_| -> u8 { panic!("as a fault of ours would") }).await;
    assert!(broken.is_err());
    tokio::time::timeout(PATIENCE, alice.ended()).await.expect("whoever runs it hears of it");
    alice.stop().await;
    drop(alice);
    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[]);
    assert_eq!(alice.reader().sent(&id).unwrap().unwrap().state(), EvidenceKind::Queued);
    alice.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ferry_with_1000_bundles_brings_them_all_though_it_is_killed_in_the_middle() {
    let place = tempfile::tempdir().unwrap();
    let mut carol = Person::new("carol");
    carol.up("");
    let bob_identity = Identity::from_secret(&[2; 32]);
    let bob_id = bob_identity.node();

    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[&carol.place()]);
    let mut ids = Vec::new();
    for n in 0..1_000 {
        ids.push(send(&alice, &Eid::mail(bob_id), &format!("letter {n}")).await);
    }
    // Killed as soon as half has been promised: what was promised must be there afterwards.
    until(&alice, |agent| promised(agent) >= 500).await;
    carol.signal(rustix::process::Signal::KILL);
    until(&alice, |agent| agent.contacts().count() == 0).await;
    let promised_before = look(&alice, |agent| {
        agent
            .on_their_way()
            .filter(|outgoing| outgoing.state() >= EvidenceKind::Copy)
            .map(|outgoing| outgoing.id)
            .collect::<Vec<_>>()
    })
    .await;
    carol.up("");
    let held: Vec<String> = carol.rows("carry list").iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    for id in &promised_before {
        assert!(held.contains(&id.full()), "{id} was promised and is gone");
    }
    // The new carol listens somewhere else; alice is told.
    alice.save_address(peer_of(&carol.place()), carol.place().parse().unwrap());
    alice.net().unwrap().dial(peer_of(&carol.place()));
    until(&alice, |agent| promised(agent) == 1_000).await;
    alice.stop().await;
    drop(alice);

    let bob = node(place.path(), "bob", bob_identity, &[&carol.place()]);
    until_letters(&bob, 1_000).await;
    let letters = bob.reader().letters(Span::ALL, Direction::Forwards, 1_000).unwrap();
    let mut arrived: Vec<BundleId> = letters.into_iter().map(|(_, letter)| letter.id).collect();
    arrived.sort();
    ids.sort();
    assert_eq!(arrived, ids, "each once");
    carol.until("carry", |rows| rows[0]["bundles"] == 0);
    bob.stop().await;

    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[&carol.place()]);
    until(&alice, |agent| agent.on_their_way().count() == 0).await;
    let sent = alice.reader().sent_behind(None, 1_001).unwrap();
    assert_eq!(sent.len(), 1_000);
    assert!(sent.iter().all(|(_, outgoing)| outgoing.state() == EvidenceKind::Delivered));
    alice.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_hear_of_a_message_at_once_and_the_receipt_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let bob = node(place.path(), "bob", Identity::from_secret(&[2; 32]), &[]);
    bob.listening().await;
    let at = format!("{}/p2p/{}", bob.nearby().listening()[0], bob.identity().node().peer_id());
    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[&at]);
    let id = send(&alice, &Eid::mail(bob.identity().node()), "hello").await;
    until(&alice, |agent| agent.on_their_way().count() == 0).await;
    assert_eq!(alice.reader().sent(&id).unwrap().unwrap().state(), EvidenceKind::Delivered);
    assert_eq!(bob.reader().letters_len().unwrap(), 1);
    assert_eq!(look(&alice, |agent| agent.held().filter(|held| held.from.is_none()).count()).await, 0);
    alice.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_1000_from_a_stranger_is_carried() {
    let place = tempfile::tempdir().unwrap();
    let carol = node(place.path(), "carol", Identity::from_secret(&[3; 32]), &[]);
    carol.listening().await;
    let at = carol.nearby().listening()[0].clone();
    let alice = node(place.path(), "alice", Identity::from_secret(&[1; 32]), &[&at]);
    let absent = Identity::from_secret(&[9; 32]).node();
    for n in 0..1_000 {
        send(&alice, &Eid::mail(absent), &format!("letter {n}")).await;
    }
    until(&carol, |agent| agent.usage().messages == 1_000).await;
    until(&alice, |agent| promised(agent) == 1_000).await;
    alice.stop().await;
    carol.stop().await;
}

/// No multicast: each has the address of the next one, and none else.
#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_was_stopped_brings_all_its_mail_once_it_is_started_again() {
    const NODES: usize = 10;
    let place = tempfile::tempdir().unwrap();
    let places = free_places(NODES);
    let identity = |n: usize| Identity::from_secret(&[n as u8 + 1; 32]);
    let start = |n: usize| {
        let next = &places[(n + 1) % NODES];
        node_at(&places[n], place.path(), &format!("node{n}"), identity(n), &[next])
    };
    for n in 0..NODES {
        let alone = start(n);
        let across = identity((n + NODES / 2) % NODES).node();
        send(&alone, &Eid::mail(across), "across the ring").await;
        alone.stop().await;
    }
    let mut ring = Vec::new();
    for n in (0..NODES).step_by(2).chain((1..NODES).step_by(2)) {
        ring.push(start(n));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let last = Instant::now();
    for node in &ring {
        until_letters(node, 1).await;
    }
    eprintln!("all there {:?} after the last start", last.elapsed());
    for node in &ring {
        node.stop().await;
    }
}

/// Addresses that nobody listens on.
fn free_places(count: usize) -> Vec<String> {
    (0..count).map(|_| format!("/ip4/127.0.0.1/tcp/{}", free_port())).collect()
}

fn node(place: &Path, name: &str, identity: Identity, peers: &[&str]) -> Node {
    node_at("/ip4/127.0.0.1/tcp/0", place, name, identity, peers)
}

fn node_at(listen: &str, place: &Path, name: &str, identity: Identity, peers: &[&str]) -> Node {
    let listen: Vec<Multiaddr> = vec![listen.parse().unwrap()];
    let peers = peers.iter().map(|peer| peer.parse().unwrap()).collect();
    let net = NetConfig { listen, peers, ..NetConfig::default() };
    let store = place.join(format!("{name}.redb"));
    let options = Options {
        identity,
        store,
        config: Config::default(),
        push_bytes: dak::content::PUSH_BYTES,
        net: Some(net),
        record: None,
    };
    let began = Instant::now();
    loop {
        match Node::start(options.clone()) {
            // Tasks of the node that had it before may still be ending.
            Err(NodeError::Store(StoreError::Locked)) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            started => return started.unwrap(),
        }
    }
}

async fn send(node: &Node, to: &Eid, text: &str) -> BundleId {
    let content = Content::from(Text { body: text.into(), ..Text::default() });
    node.send(to.clone(), pad(&content.encode()), DAY, Priority::Normal, None).await.unwrap()
}

async fn look<T: Send + 'static>(node: &Node, look: impl FnOnce(&Agent) -> T + Send + 'static) -> T {
    node.look(look).await.unwrap()
}

async fn until(node: &Node, right: impl Fn(&Agent) -> bool + Clone + Send + 'static) {
    let start = Instant::now();
    while !look(node, right.clone()).await {
        assert!(
            start.elapsed() < PATIENCE,
            "it never came right: {:?}",
            look(node, |agent| (agent.usage(), promised(agent), agent.contacts().collect::<Vec<_>>())).await
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_letters(node: &Node, many: u64) {
    let start = Instant::now();
    while node.reader().letters_len().unwrap() != many {
        assert!(start.elapsed() < PATIENCE, "{} rows came", node.reader().letters_len().unwrap());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn promised(agent: &Agent) -> usize {
    agent.on_their_way().filter(|outgoing| outgoing.state() >= EvidenceKind::Copy).count()
}

fn peer_of(place: &str) -> dak::id::NodeId {
    let (_, peer) = place.rsplit_once('/').unwrap();
    dak::id::NodeId::from_peer_id(peer).unwrap()
}

//! Faults of our own in a running node: how far each goes.

use std::path::Path;
use std::time::Instant;

use super::*;
use crate::content::{Content, Text, pad};
use crate::net::plant_fault;
use crate::store::writer::Batch;
use crate::time::DAY;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_one_peer_brings_about_ends_its_contact_and_the_mail_of_others_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let [alice, cursed, bob] = [1, 94, 2].map(|secret| Identity::from_secret(&[secret; 32]));
    plant_fault(cursed.node());
    let alice = start(place.path(), "alice", alice, &[]);
    alice.listening().await;
    let at = alice.nearby().listening()[0].clone();
    let cursed = start(place.path(), "cursed", cursed, &[&at]);
    until(|| alice.faults() > 0).await;
    let bob = start(place.path(), "bob", bob, &[&at]);
    let text = pad(&Content::from(Text { body: "hello".into(), ..Text::default() }).encode());
    let to = Eid::mail(alice.identity().node());
    bob.send(to, text, DAY, Priority::Normal, None).await.unwrap();
    while alice.reader().letters_len().unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!alice.ended.is_cancelled());
    for node in [alice, cursed, bob] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_the_store_ends_the_node_and_keeps_nobody_waiting() {
    let place = tempfile::tempdir().unwrap();
    let alice = start(place.path(), "alice", Identity::from_secret(&[1; 32]), &[]);
    let fault = Box::new(|_| panic!("as a fault of ours would"));
    alice.store.commit(Batch { changes: Vec::new(), done: fault }).await;
    tokio::time::timeout(PATIENCE, alice.ended()).await.expect("whoever runs it hears of it");
    let text = pad(&Content::from(Text { body: "hello".into(), ..Text::default() }).encode());
    let to = Eid::mail(Identity::from_secret(&[2; 32]).node());
    let sent = alice.send(to, text, DAY, Priority::Normal, None);
    assert!(tokio::time::timeout(PATIENCE, sent).await.expect("it answers").is_err(), "nothing is taken any more");
    tokio::time::timeout(PATIENCE, alice.stop()).await.expect("it stops");
}

fn start(place: &Path, name: &str, identity: Identity, peers: &[&str]) -> Node {
    let listen: Vec<Multiaddr> = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let peers = peers.iter().map(|peer| peer.parse().unwrap()).collect();
    let net = NetConfig { listen, peers, ..NetConfig::default() };
    let store = place.join(format!("{name}.redb"));
    Node::start(Options {
        identity,
        store,
        config: Config::default(),
        push_bytes: crate::content::PUSH_BYTES,
        net: Some(net),
        record: None,
    })
    .unwrap()
}

async fn until(right: impl Fn() -> bool) {
    let start = Instant::now();
    while !right() {
        assert!(start.elapsed() < PATIENCE, "it never came right");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

//! kill -9 at any moment of a node's life: what it said it has, it has.

use std::time::Duration;

use dak::api::client::Client;
use dak::api::model::{Compose, Request, Response};
use dak::id::NodeId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;

use crate::giver::Giver;
use crate::ledger::{Ledger, Source};
use crate::person::Person;
use crate::{is_full, seed};

/// How much is enough: the run goes on until both are reached.
struct Extent {
    kills: usize,
    acknowledged: usize,
    /// Kills between two looks at everything.
    check_every: usize,
}

const SHORT: Extent = Extent { kills: 16, acknowledged: 500, check_every: 6 };
const FULL: Extent = Extent { kills: 3_000, acknowledged: 100_000, check_every: 100 };
/// Most bundles handed over in one life, and most messages that its owner writes.
const OFFERED_MAX: u32 = 200;
const WRITTEN_MAX: u32 = 6;
/// A life ends this long after it could be used, at most, in microseconds; one that is killed before, after its start.
const LIFE_US_MAX: u32 = 60_000;
const BIRTH_US_MAX: u32 = 30_000;

#[test]
fn nothing_acknowledged_is_lost_to_kills_at_any_moment() {
    let extent = if is_full() { FULL } else { SHORT };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut story = Story::begin();
    let (mut kills, mut looked_at) = (0, 0);
    while kills < extent.kills || story.ledger.acknowledged() < extent.acknowledged {
        runtime.block_on(story.live_and_die());
        kills += 1;
        if kills % extent.check_every == 0 {
            story.up();
            looked_at = story.ledger.check(&story.carol);
            story.carol.signal(Signal::KILL);
            kills += 1;
            println!(
                "{kills} kills, {looked_at} acknowledged and there, {} of them by receipt gone",
                story.ledger.released.len()
            );
        }
        assert!(kills < 20 * extent.kills, "{} were acknowledged", story.ledger.acknowledged());
    }
    story.up();
    looked_at = looked_at.max(story.ledger.check(&story.carol));
    assert_eq!(story.carol.down(), Some(0));
    let sound = story.carol.run("doctor");
    assert_eq!(sound.code, 0, "{} {}", sound.data, sound.talk);
    println!("{kills} kills, {} before the node was ready, {looked_at} bundles acknowledged, 0 lost", story.unborn);
}

/// A node that is killed again and again, and those who hand over to it.
struct Story {
    carol: Person,
    node: NodeId,
    address: String,
    random: ChaCha8Rng,
    ledger: Ledger,
    /// Mail for somebody away, the receipts of whom it is for, and mail for the node's owner.
    for_others: Source,
    recipient: Source,
    for_carol: Source,
    unborn: usize,
}

impl Story {
    fn begin() -> Story {
        let mut carol = Person::new("carol");
        let ready = carol.up(CARRIES_MUCH);
        let node = NodeId::from_peer_id(ready["peer_id"].as_str().unwrap()).unwrap();
        carol.signal(Signal::KILL);
        let mut recipient = Source::new(52, node);
        let for_others = Source::new(51, recipient.node());
        recipient.to = for_others.node();
        Story {
            carol,
            node,
            address: String::new(),
            random: ChaCha8Rng::seed_from_u64(seed()),
            ledger: Ledger::default(),
            for_others,
            recipient,
            for_carol: Source::new(53, node),
            unborn: 0,
        }
    }

    fn up(&mut self) {
        let ready = self.carol.up(CARRIES_MUCH);
        let (listen, peer_id) = (ready["listen"][0].as_str().unwrap(), ready["peer_id"].as_str().unwrap());
        self.address = format!("{listen}/p2p/{peer_id}");
    }

    fn below(&mut self, end: u32) -> u32 {
        self.random.next_u32() % end
    }

    /// One life: it starts, is given what it was not heard to accept and some more, and is killed.
    async fn live_and_die(&mut self) {
        if self.below(8) == 0 {
            return self.die_unborn();
        }
        self.up();
        let Some(mut giver) = Giver::meet([60; 32], &self.address).await else {
            panic!("the node said it was ready and greets nobody");
        };
        assert!(giver.known >= self.ledger.carried.len() as u64, "it knows fewer than it answers for");
        let offered = self.offered();
        let (node, written) = (self.node, self.below(WRITTEN_MAX + 1));
        let life = Duration::from_micros(u64::from(self.below(LIFE_US_MAX)));
        let (ledger, carol) = (&mut self.ledger, &mut self.carol);
        let client = Client::new(carol.home().join("run/dak.sock"));
        let to = self.for_others.to.peer_id();
        let end = async {
            tokio::time::sleep(life).await;
            tokio::task::block_in_place(|| carol.signal(Signal::KILL));
        };
        // Nobody stops listening at the kill: an answer that left before it is a promise.
        let handing = giver.hand_over(&offered, |id, answer| ledger.note(node, id, answer));
        let (_, own, ()) = tokio::join!(handing, write(&client, &to, written), end);
        self.ledger.own.extend(own);
        giver.leave().await;
    }

    /// Killed while it starts.
    fn die_unborn(&mut self) {
        let mut node = self.carol.spawn(&format!("up --listen /ip4/127.0.0.1/tcp/0 --no-mdns {CARRIES_MUCH}"));
        std::thread::sleep(Duration::from_micros(u64::from(self.below(BIRTH_US_MAX))));
        node.signal(Signal::KILL);
        assert_eq!(node.end(), None);
        self.unborn += 1;
    }

    /// What had no answer, some new mail, and at times a receipt that lets some of it go.
    fn offered(&mut self) -> Vec<std::sync::Arc<dak::bundle::Bundle>> {
        let count = u64::from(1 + self.below(OFFERED_MAX));
        let mut fresh = self.for_others.bundles(count);
        fresh.extend(self.for_carol.bundles(count / 16));
        if self.below(16) == 0 {
            let arrived: Vec<_> = self.ledger.carried.iter().copied().step_by(97).take(40).collect();
            if !arrived.is_empty() {
                fresh.push(self.recipient.receipt(self.for_others.node(), arrived));
            }
        }
        self.ledger.offer(&fresh);
        self.ledger.open.values().cloned().collect()
    }
}

const CARRIES_MUCH: &str = "--carry-limit 8G";

/// Writes one message after the other until the node is gone; returns the ids that it gave.
pub async fn write(client: &Client, to: &str, count: u32) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let compose = Compose { to: to.into(), text: format!("note {n}"), ..Compose::default() };
        match client.call(&Request::Send(Box::new(compose))).await {
            Ok(Response::Sent(sent)) => ids.push(sent.id),
            Ok(other) => panic!("the node answers {other:?}"),
            Err(_) => break,
        }
    }
    ids
}

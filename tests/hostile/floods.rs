//! More than any node can take, by one peer and by thousands: the owner and the contacts hardly notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use dak::agent::Config;
use dak::agent::change::EvidenceKind;
use dak::bundle::{Priority, Signer};
use dak::content::{Content, Text, pad};
use dak::eid::Eid;
use dak::id::NodeId;
use dak::keys::Identity;
use dak::net::NetConfig;
use dak::node::{Node, NodeError, Options};
use dak::store::StoreError;
use dak::time::DAY;
use rand_core::Rng;
use tokio::sync::{Mutex, mpsc};

use super::forge::{Genuine, dice, fresh_key};
use super::rogue::{Ears, Rogue, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

/// Who floods, and whom for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crowd {
    One,
    Many,
    /// Many, whose messages are for the node's own mailbox.
    Callers,
}

/// Messages of one identity before it leaves.
const BATCH: usize = 120;
/// Identities there at once; more than the node has places.
const AT_ONCE: usize = 128;
const PAYLOAD_BYTES: usize = 300;
/// What a contact has others carry before the flood comes.
const ENTRUSTED: u64 = 20;

#[test]
fn one_peer_that_floods_harms_nobody() {
    flood("a flood by one peer", Crowd::One);
}

#[test]
fn ten_thousand_identities_that_flood_harm_nobody() {
    flood("a flood by fresh identities", Crowd::Many);
}

#[test]
fn ten_thousand_strangers_who_write_at_once_leave_room_for_a_contact() {
    flood("a flood of mail", Crowd::Callers);
}

fn flood(story: &'static str, crowd: Crowd) {
    run(async {
        let (rate, seconds) = (size(2_000, 10_000), size(4, 120));
        let quota_mib = size(2, 64);
        let mut verdict = Verdict::of(story);
        let target = Target::up(&format!("--carry-limit {quota_mib}M"));
        target.befriend();
        let place = tempfile::tempdir().unwrap();
        let alice = Alice::new();
        target.name("alice", alice.identity.node());
        let absent = Identity::from_secret(&[55; 32]).node();
        let node = alice.up(place.path(), &target);
        let entrusted = Alice::write(&node, absent, ENTRUSTED).await;
        let entrusted = entrusted.into_iter().map(|id| id.full()).collect::<Vec<_>>();
        let is_safe = || {
            let carried = target.carried_messages();
            entrusted.iter().filter(|id| carried.contains(id)).count() as u64 == ENTRUSTED
        };
        wait("the node has what it is entrusted with", is_safe).await;
        node.stop().await;
        drop(node);

        let to = if crowd == Crowd::Callers { Some(target.node) } else { None };
        let batches = batches(rate, Duration::from_secs(seconds), to);
        let watch = target.watch();
        let began = Instant::now();
        let told = Arc::new(Told::default());
        let attack = tokio::spawn(match crowd {
            Crowd::One => Box::pin(one(target.at, batches, Arc::clone(&told))) as std::pin::Pin<Box<_>>,
            _ => Box::pin(many(target.at, batches, Arc::clone(&told)))
                as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
        });
        tokio::time::sleep(Duration::from_secs(seconds) / 4).await;
        let node = alice.up(place.path(), &target);
        let written = size(3, 20);
        for _ in 0..written {
            Alice::write(&node, target.node, 1).await;
            tokio::time::sleep(Duration::from_secs(seconds) / 4 / written as u32).await;
        }
        let arrived = Alice::delivered(&node, PATIENCE).await;
        let after = began.elapsed().as_secs_f64();
        attack.await.expect("the flood goes on to the end");
        let took = began.elapsed().as_secs_f64();
        let seen = watch.end();
        let [sent, away, identities] = told.all();
        verdict.note(format!(
            "{sent} messages in {took:.1} s ({:.0}/s) by {identities} identities; {away} turned away at the door",
            sent as f64 / took
        ));
        let carry = target.carry();
        verdict.note(format!("{} carried, evicted {:?}, refused {}", carry.bundles, carry.evicted, carry.refused));
        verdict.check(
            "a contact's messages arrived",
            arrived == written,
            format!("{arrived} of {written} after {after:.1} s"),
        );
        verdict.measure("while the flood lasted", after < took, format!("{after:.1} of {took:.1} s"));
        verdict.check("what contacts have carried is still there", is_safe(), ENTRUSTED);
        // Strangers' mail has a bound of its own.
        let mail = if crowd == Crowd::Callers { Config::default().stranger_mail_bytes_max } else { 0 };
        let carried = seen.carried_bytes;
        verdict.check("the carrying quota is kept", carried <= quota_mib << 20, carried);
        verdict.behaves(&seen, (quota_mib << 20) + mail);
        node.stop().await;
        verdict.give();
    });
}

async fn wait(what: &str, right: impl Fn() -> bool) {
    let began = Instant::now();
    while !right() {
        assert!(began.elapsed() < PATIENCE, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A contact of the target, honest, in this process.
struct Alice {
    identity: Identity,
}

impl Alice {
    fn new() -> Alice {
        Alice { identity: Identity::from_secret(&[44; 32]) }
    }

    fn up(&self, place: &std::path::Path, target: &Target) -> Node {
        let at = format!("/ip4/{}/tcp/{}/p2p/{}", target.at.ip(), target.at.port(), target.node.peer_id());
        let net = NetConfig { peers: vec![at.parse().unwrap()], ..NetConfig::default() };
        let identity = Identity::from_secret(&[44; 32]);
        let options = Options {
            identity,
            store: place.join("alice.redb"),
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

    async fn write(node: &Node, to: NodeId, count: u64) -> Vec<dak::id::BundleId> {
        let mut ids = Vec::new();
        for n in 0..count {
            let text = pad(&Content::from(Text { body: format!("from alice, {n}"), ..Text::default() }).encode());
            ids.push(node.send(Eid::mail(to), text, DAY, Priority::Normal, None).await.unwrap());
        }
        ids
    }

    /// How many of the messages of the second start are delivered, once all are or patience ends.
    async fn delivered(node: &Node, patience: Duration) -> u64 {
        let began = Instant::now();
        loop {
            let sent = node.reader().sent_behind(None, 1_000).unwrap();
            let absent = Identity::from_secret(&[55; 32]).node();
            let to_target = sent.iter().filter(|(_, sent)| sent.destination.node != absent);
            let states: Vec<EvidenceKind> = to_target.map(|(_, sent)| sent.state()).collect();
            let delivered = states.iter().filter(|state| **state == EvidenceKind::Delivered).count();
            let (delivered, under_way) = (delivered as u64, states.len() - delivered);
            if under_way == 0 || began.elapsed() > patience {
                return delivered;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[derive(Default)]
struct Told {
    sent: AtomicU64,
    turned_away: AtomicU64,
    identities: AtomicU64,
}

impl Told {
    fn all(&self) -> [u64; 3] {
        [&self.sent, &self.turned_away, &self.identities].map(|count| count.load(Ordering::Relaxed))
    }
}

type Batches = mpsc::Receiver<Vec<u8>>;

/// Batches of good bundles by fresh keys, at a rate, made on a thread of their own.
fn batches(rate: u64, span: Duration, to: Option<NodeId>) -> Batches {
    let (made, ready) = sync_channel::<Vec<u8>>(64);
    std::thread::spawn(move || {
        let mut dice = dice(91);
        for n in 0.. {
            let batch = batch(&mut dice, n, to);
            if made.send(batch).is_err() {
                return;
            }
        }
    });
    let (give, take) = mpsc::channel(AT_ONCE);
    std::thread::spawn(move || {
        let began = Instant::now();
        let mut given = 0;
        while began.elapsed() < span {
            let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
            if given + BATCH as u64 > due {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            given += BATCH as u64;
            let Ok(batch) = ready.recv() else { return };
            // Late batches are not made up for: the node takes no more.
            let _ = give.try_send(batch);
        }
    });
    take
}

fn batch(dice: &mut rand_chacha::ChaCha8Rng, n: u64, to: Option<NodeId>) -> Vec<u8> {
    let key = fresh_key(dice);
    let mut payload = [0; PAYLOAD_BYTES];
    let mut batch = Vec::new();
    for sequence in 0..BATCH as u64 {
        dice.fill_bytes(&mut payload);
        let to = to.unwrap_or_else(|| key.node());
        let one = Genuine::noise(&key, to, n * BATCH as u64 + sequence, &payload);
        batch.extend(handing_over(one.bundle.bytes()));
    }
    batch
}

async fn one(at: SocketAddr, mut batches: Batches, told: Arc<Told>) {
    let key = fresh_key(&mut dice(92));
    let mut rogue = None;
    while let Some(batch) = batches.recv().await {
        if rogue.as_ref().is_none_or(Rogue::is_over) {
            rogue = Rogue::meet(&key, at, Ears::Count).await.ok();
            told.identities.fetch_add(1, Ordering::Relaxed);
        }
        let Some(rogue) = &mut rogue else { continue };
        if rogue.say(&batch).await.is_ok() {
            told.sent.fetch_add(BATCH as u64, Ordering::Relaxed);
        }
    }
}

async fn many(at: SocketAddr, batches: Batches, told: Arc<Told>) {
    let batches = Arc::new(Mutex::new(batches));
    let crowd: Vec<_> =
        (0..AT_ONCE).map(|n| tokio::spawn(each(n, at, Arc::clone(&batches), Arc::clone(&told)))).collect();
    for one in crowd {
        one.await.expect("each goes on to the end");
    }
}

async fn each(n: usize, at: SocketAddr, batches: Arc<Mutex<Batches>>, told: Arc<Told>) {
    let mut dice = dice(1_000 + n as u64);
    loop {
        let Some(batch) = batches.lock().await.recv().await else { return };
        told.identities.fetch_add(1, Ordering::Relaxed);
        let ears = if n.is_multiple_of(2) { Ears::Count } else { Ears::Shut };
        let count = if let Ok(mut rogue) = Rogue::meet(&fresh_key(&mut dice), at, ears).await
            && rogue.say(&batch).await.is_ok()
        {
            if n.is_multiple_of(2) {
                rogue.answered(BATCH as u64, Duration::from_secs(2)).await;
            }
            &told.sent
        } else {
            &told.turned_away
        };
        count.fetch_add(BATCH as u64, Ordering::Relaxed);
    }
}

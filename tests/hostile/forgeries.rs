//! Mutated bundles by the million: none is kept, relayed or shown, and the genuine ones among them arrive.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dak::bundle::{Ends, Handed, Kind, Signer, Unverified};
use dak::frame::{Transit, encode_folded};
use dak::id::{BundleId, NodeId};
use rand_chacha::ChaCha8Rng;

use super::forge::{Genuine, below, dice, forge, fresh_key, hops};
use super::rogue::{Ears, Rogue, framed, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::witness::Witness;
use super::{PATIENCE, run, size};

/// Forgers at once.
const FORGERS: u64 = 6;
/// Forgeries between two genuine bundles in the mouth of a forger.
const BATCH: usize = 16;

#[test]
fn of_a_million_mutated_bundles_none_is_kept_and_the_genuine_ones_arrive() {
    run(async {
        let (forgeries, texts) = (size(6_000, 1_000_000), size(20, 200));
        let mut verdict = Verdict::of("mutated bundles");
        let target = Target::up("--carry-limit 16M");
        target.befriend();
        let genuine = Arc::new(genuine(&target, texts));
        let mut dice = dice(7);
        let witness = Witness::meet(&fresh_key(&mut dice), (target.at, target.node)).await;
        let watch = target.watch();
        let began = Instant::now();
        let tally = Arc::new(Tally::default());
        let forgers: Vec<_> = (0..FORGERS)
            .map(|n| tokio::spawn(forger(n, (target.at, target.node), Arc::clone(&genuine), Arc::clone(&tally))))
            .collect();
        let honest = hand_over(&target, &genuine).await;
        // What was sent after a forger was sent away is not looked at, and counts for nothing.
        while target.carry().refused < forgeries {
            assert!(began.elapsed() < PATIENCE * 10, "the node looks at too few: {:?}", target.carry());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tally.is_enough.store(true, Ordering::Relaxed);
        for forger in forgers {
            forger.await.expect("a forger works to the end");
        }
        let took = began.elapsed().as_secs_f64();
        let sent = tally.sent.load(Ordering::Relaxed);
        verdict.note(format!(
            "{sent} forgeries sent by {} identities, {} looked at and refused, {took:.1} s",
            tally.identities.load(Ordering::Relaxed),
            target.carry().refused,
        ));
        verdict.check("the honest peer was answered", honest, honest);
        let expected = |mine: bool| {
            let chosen = genuine.iter().filter(|one| (one.draft.destination.node == target.node) == mine);
            let mut ids: Vec<String> = chosen.map(|one| one.bundle.id.full()).collect();
            ids.sort();
            ids
        };
        target.person.until("inbox", |rows| rows.len() as u64 >= texts);
        verdict.check("shown: the genuine texts alone", target.inbox() == expected(true), target.inbox().len());
        let carried: Vec<String> = target.carried_messages();
        let own: BTreeSet<String> = target.sent().into_iter().collect();
        let carried: Vec<String> = carried.into_iter().filter(|id| !own.contains(id)).collect();
        verdict.check("stored: the genuine ones alone", carried == expected(false), carried.len());
        let (relayed, forged) = witness.relayed();
        verdict.check("relayed: nothing that does not verify", forged == 0, forged);
        let known: BTreeSet<BundleId> = genuine.iter().map(|one| one.bundle.id).collect();
        let is_foreign = |id: &BundleId, bytes: &[u8]| {
            let unverified = Unverified::parse(bytes).expect("it was verified");
            !known.contains(id) && unverified.source() != target.node
        };
        let foreign = relayed.iter().filter(|(id, bytes)| is_foreign(id, bytes)).count();
        verdict.check("relayed: nothing but the genuine and the node's own", foreign == 0, foreign);
        let relayed =
            relayed.values().filter(|bytes| Unverified::parse(bytes).unwrap().kind() == Kind::Message).count();
        verdict.note(format!("{relayed} relayed to the witness"));
        let lies = tally.accepted.load(Ordering::Relaxed);
        verdict.check("no forger was told that a forgery is accepted", lies == 0, lies);
        verdict.behaves(&watch.end(), 16 << 20);
        verdict.give();
    });
}

/// Texts for the target and as many for somebody away.
fn genuine(target: &Target, texts: u64) -> Vec<Genuine> {
    let mut dice = dice(3);
    let absent = fresh_key(&mut dice);
    let keys: Vec<_> = (0..4).map(|_| fresh_key(&mut dice)).collect();
    let text = |n: u64| {
        let to = if n.is_multiple_of(2) { target.node } else { dak::bundle::Signer::node(&absent) };
        Genuine::text(&keys[n as usize % 4], to, n, &format!("genuine {n}"))
    };
    (0..2 * texts).map(text).collect()
}

async fn hand_over(target: &Target, genuine: &[Genuine]) -> bool {
    let mut honest = Rogue::meet(&fresh_key(&mut dice(11)), target.at, Ears::Count).await.expect("an honest peer");
    for one in genuine {
        honest.say(&handing_over(one.bundle.bytes())).await.expect("an honest peer is not cut");
    }
    honest.answered(genuine.len() as u64, PATIENCE).await
}

/// A genuine bundle whose fold has one bit turned over, none of them in the copies that go with it.
fn folded_falsely(one: &Genuine, ends: &Ends, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let transit = Transit { hops: hops(dice), copies: 1, is_answer: false };
    let mut frame = encode_folded(&transit, &one.bundle, ends, Handed::nothing());
    let at = 2 + below(dice, frame.len() - 2);
    frame[at] ^= 1 << below(dice, 8);
    framed(&frame)
}

#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    is_enough: AtomicBool,
    identities: AtomicU64,
    /// Forgeries that the node said it took.
    accepted: AtomicU64,
}

/// Comes under one name after another until enough was refused.
async fn forger(n: u64, (at, target): (SocketAddr, NodeId), genuine: Arc<Vec<Genuine>>, tally: Arc<Tally>) {
    let mut dice = dice(100 + n);
    let known: BTreeSet<u64> = genuine.iter().map(|one| one.bundle.id.prefix()).collect();
    while !tally.is_enough.load(Ordering::Relaxed) {
        let key = fresh_key(&mut dice);
        let ends = Ends { from: key.node(), to: target };
        let Ok(mut rogue) = Rogue::meet(&key, at, Ears::Count).await else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        tally.identities.fetch_add(1, Ordering::Relaxed);
        while !rogue.is_over() && !tally.is_enough.load(Ordering::Relaxed) {
            let honest = &genuine[below(&mut dice, genuine.len())];
            let mut batch = handing_over(&honest.bundle.encode(hops(&mut dice)));
            for n in 0..BATCH {
                batch.extend(match n % 4 {
                    0 => folded_falsely(&genuine[below(&mut dice, genuine.len())], &ends, &mut dice),
                    _ => handing_over(&forge(&genuine, &mut dice)),
                });
            }
            if rogue.say(&batch).await.is_err() {
                break;
            }
            tally.sent.fetch_add(BATCH as u64, Ordering::Relaxed);
        }
        tally.accepted.fetch_add(rogue.heard.beside(&known), Ordering::Relaxed);
    }
}

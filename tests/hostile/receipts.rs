//! Forged receipts by the million: no copy is purged but by its own recipient's word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dak::bundle::{Bundle, Signer};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha8Rng;

use super::forge::{self, Genuine, below, dice, fresh_key};
use super::rogue::{Ears, Rogue, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

/// Liars, who sign well what is not theirs to say, and forgers, who sign badly.
const EACH: u64 = 3;
const BATCH: usize = 16;

/// A message that is carried, and who may end that.
struct Held {
    genuine: Genuine,
    source: SigningKey,
    recipient: SigningKey,
}

#[test]
fn of_a_million_forged_receipts_none_ends_custody() {
    run(async {
        let (lies, messages) = (size(4_000, 1_000_000), size(20, 200));
        let mut verdict = Verdict::of("forged receipts");
        let target = Target::up("--carry-limit 16M");
        target.befriend();
        let held = Arc::new(held(messages));
        let mut honest = Rogue::meet(&fresh_key(&mut dice(21)), target.at, Ears::Count).await.expect("an honest peer");
        for one in held.iter() {
            honest.say(&handing_over(one.genuine.bundle.bytes())).await.unwrap();
        }
        assert!(honest.answered(messages, PATIENCE).await);
        let mut expected: Vec<String> = held.iter().map(|one| one.genuine.bundle.id.full()).collect();
        expected.sort();
        let remaining = || {
            let carried = target.carried_messages();
            carried.into_iter().filter(|id| expected.contains(id)).collect::<Vec<_>>()
        };
        assert_eq!(remaining(), expected);

        let watch = target.watch();
        let (began, sent) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let attackers: Vec<_> = (0..2 * EACH)
            .map(|n| tokio::spawn(attack(n, target.at, Arc::clone(&held), lies, Arc::clone(&sent))))
            .collect();
        let mut answers = 0;
        for attacker in attackers {
            answers += attacker.await.expect("an attacker works to the end");
        }
        let (sent, took) = (sent.load(Ordering::Relaxed), began.elapsed().as_secs_f64());
        let refused = target.carry().refused;
        verdict.note(format!("{sent} sent in {took:.1} s; {answers} answered, {refused} refused unread"));
        verdict.check("every copy is still held", remaining() == expected, remaining().len());
        verdict.behaves(&watch.end(), 16 << 20);

        for (n, one) in held.iter().enumerate() {
            let source = one.source.node();
            let word = forge::receipt(&one.recipient, source, vec![one.genuine.bundle.id], 900_000 + n as u64);
            honest.say(&handing_over(word.bytes())).await.unwrap();
        }
        assert!(honest.answered(2 * messages, PATIENCE).await);
        verdict.check("and the recipients' own words end all of it", remaining().is_empty(), remaining().len());
        verdict.give();
    });
}

fn held(messages: u64) -> Vec<Held> {
    let mut dice = dice(5);
    let keys: Vec<_> = (0..4).map(|_| fresh_key(&mut dice)).collect();
    (0..messages)
        .map(|n| {
            let (source, recipient) = (keys[n as usize % 4].clone(), fresh_key(&mut dice));
            let genuine = Genuine::noise(&source, recipient.node(), n, b"for the recipient alone");
            Held { genuine, source, recipient }
        })
        .collect()
}

/// Sends receipts until there were enough; returns how many were answered for.
async fn attack(n: u64, at: SocketAddr, held: Arc<Vec<Held>>, enough: u64, sent: Arc<AtomicU64>) -> u64 {
    let mut dice = dice(200 + n);
    let (mut answers, mut sequence) = (0, n << 40);
    while sent.load(Ordering::Relaxed) < enough {
        let Ok(mut rogue) = Rogue::meet(&fresh_key(&mut dice), at, Ears::Count).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut ours = 0;
        while !rogue.is_over() && sent.load(Ordering::Relaxed) < enough {
            let mut batch = Vec::new();
            for _ in 0..BATCH {
                sequence += 1;
                let receipt =
                    if n < EACH { lie(&held, &mut dice, sequence) } else { forgery(&held, &mut dice, sequence) };
                batch.extend(handing_over(&receipt));
            }
            if rogue.say(&batch).await.is_err() {
                break;
            }
            ours += BATCH as u64;
            sent.fetch_add(BATCH as u64, Ordering::Relaxed);
        }
        if n < EACH {
            rogue.answered(ours, PATIENCE).await;
        }
        answers += rogue.heard.answers();
    }
    answers
}

/// Signed well, by somebody whose word it is not.
fn lie(held: &[Held], dice: &mut ChaCha8Rng, sequence: u64) -> Vec<u8> {
    let (one, other) = (&held[below(dice, held.len())], &held[below(dice, held.len())]);
    let (id, source) = (one.genuine.bundle.id, one.source.node());
    let receipt = match below(dice, 5) {
        // By nobody it concerns.
        0 => forge::receipt(&fresh_key(dice), source, vec![id], sequence),
        // By the source itself.
        1 => forge::receipt(&one.source, source, vec![id], sequence),
        // By the recipient of something else.
        2 if other.genuine.bundle.id != id => forge::receipt(&other.recipient, source, vec![id], sequence),
        // By the recipient, on a bundle of another source.
        3 if other.source.node() != source => forge::receipt(&one.recipient, other.source.node(), vec![id], sequence),
        // By one for all.
        _ => {
            let ids = held.iter().filter(|held| held.source.node() == source).map(|held| held.genuine.bundle.id);
            forge::receipt(&fresh_key(dice), source, ids.collect(), sequence)
        }
    };
    receipt.bytes().to_vec()
}

/// The recipient's word on the very bundle, but for the signature.
fn forgery(held: &[Held], dice: &mut ChaCha8Rng, sequence: u64) -> Vec<u8> {
    let one = &held[below(dice, held.len())];
    let ids = vec![one.genuine.bundle.id];
    let by = |signer: &SigningKey| forge::receipt(signer, one.source.node(), ids.clone(), sequence);
    let forged = match below(dice, 4) {
        0 => forge::in_another_name(&by(&fresh_key(dice)), one.recipient.node()),
        1 => forge::with_random_signature(by(&one.recipient).bytes().to_vec(), dice),
        2 => forge::by_a_weak_key(&by(&one.recipient), dice),
        _ => forge::with_a_second_scalar(by(&one.recipient).bytes().to_vec()),
    };
    debug_assert!(Bundle::decode(&forged).is_err());
    forged
}

//! Everything that was ever said is said again, to everybody, across restarts: one inbox row, and no status changes.

use std::time::Duration;

use rand_core::Rng;

use dak::bundle::Unverified;
use serde_json::Value;

use super::forge::{below, dice, fresh_key, hops};
use super::person::Person;
use super::rogue::{Ears, Rogue, handing_over};
use super::target::place_of;
use super::verdict::Verdict;
use super::witness::Witness;
use super::{PATIENCE, run, size};

#[test]
fn what_is_replayed_across_restarts_is_shown_once() {
    run(async {
        let (texts, rounds) = (size(5, 50), size(2, 40));
        let mut verdict = Verdict::of("replays");
        let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(Person::new);
        bob.up("");
        carol.up("");
        alice.up(&format!("--peer {}", carol.place()));
        let address = bob.json("me")["address"].as_str().unwrap().to_owned();
        assert_eq!(bob.down(), Some(0));
        assert_eq!(alice.run(&format!("contact add bob {address}")).code, 0);
        let mut dice = dice(31);
        let witness = Witness::meet(&fresh_key(&mut dice), place_of(&carol)).await;
        for n in 0..texts {
            assert_eq!(alice.run(&format!("send bob text-{n}")).code, 0);
        }
        let heard = || async {
            let count = |receipts| {
                let (relayed, _) = witness.relayed();
                relayed.values().filter(|bytes| is_receipt(bytes) == receipts).count() as u64
            };
            (count(false), count(true))
        };
        wait_until("the witness has the messages", || async { heard().await.0 >= texts }).await;
        bob.up(&format!("--peer {}", carol.place()));
        bob.until("inbox", |rows| rows.len() as u64 == texts);
        alice.until("status", |rows| rows.iter().all(|row| row["state"] == "delivered"));
        carol.until("carry", |rows| rows[0]["bundles"] == 0);
        wait_until("the witness has a receipt", || async { heard().await.1 >= 1 }).await;
        let (recorded, _) = witness.relayed();
        drop(witness);
        let recorded: Vec<_> = recorded.into_values().collect();
        let before = (inbox(&bob), statuses(&alice));

        let mut replayed = 0;
        for round in 0..rounds {
            for person in [&mut alice, &mut bob, &mut carol] {
                replayed += replay(person, &recorded, &mut dice).await;
                if round % 3 == 2 {
                    assert_eq!(person.down(), Some(0));
                } else {
                    person.signal(rustix::process::Signal::KILL);
                }
                person.up("");
                replayed += replay(person, &recorded, &mut dice).await;
            }
        }
        verdict.note(format!("{} recorded, {replayed} replayed, {} restarts", recorded.len(), 3 * rounds));
        verdict.check("one inbox row each", inbox(&bob) == before.0 && before.0.len() as u64 == texts, before.0.len());
        verdict.check("no status has changed", statuses(&alice) == before.1, before.1.len());
        let carried = carol.json("carry")["bundles"].clone();
        verdict.check("the carrier takes none of it again", carried == 0, carried);
        verdict.give();
    });
}

/// Hands everything over in some order, once by each of two strangers, and waits for the answers.
async fn replay(person: &Person, recorded: &[Vec<u8>], dice: &mut rand_chacha::ChaCha8Rng) -> u64 {
    let (at, _) = place_of(person);
    let mut sent = 0;
    for _ in 0..2 {
        let mut order: Vec<&Vec<u8>> = recorded.iter().collect();
        for n in (1..order.len()).rev() {
            order.swap(n, below(dice, n + 1));
        }
        let mut rogue = Rogue::meet(&fresh_key(dice), at, Ears::Count).await.expect("a stranger is met");
        for bytes in &order {
            let changed = dice.next_u64().is_multiple_of(2);
            let (bundle, before) = dak::bundle::Bundle::decode(bytes).unwrap();
            let hops = if changed { hops(dice) } else { before };
            rogue.say(&handing_over(&bundle.encode(hops))).await.expect("replays are answered, not punished");
        }
        assert!(rogue.answered(order.len() as u64, PATIENCE).await, "each is answered");
        sent += order.len() as u64;
    }
    sent
}

fn is_receipt(bytes: &[u8]) -> bool {
    Unverified::parse(bytes).unwrap().kind() == dak::bundle::Kind::Receipt
}

fn inbox(person: &Person) -> Vec<Value> {
    let rows = person.rows("inbox");
    rows.iter().map(|row| Value::Array(vec![row["id"].clone(), row["text"].clone()])).collect()
}

fn statuses(person: &Person) -> Vec<Value> {
    let rows = person.rows("status");
    rows.iter().map(|row| Value::Array(vec![row["id"].clone(), row["state"].clone(), row["events"].clone()])).collect()
}

async fn wait_until<F: Future<Output = bool>>(what: &str, right: impl Fn() -> F) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while !right().await {
        assert!(tokio::time::Instant::now() < until, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! An owner of topics who has a subscriber to all of them, and names more than anybody could keep.

use std::time::SystemTime;

use dak::bundle::{Bundle, Creation, Draft, Kind, Priority, Signer};
use dak::content::topic::{Post, Said};
use dak::eid::Eid;
use dak::time::{DAY, DtnTime};
use ed25519_dalek::SigningKey;
use serde_json::Value;

use super::forge::{dice, fresh_key};
use super::rogue::{Ears, Rogue, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

/// Topics of an owner that are kept where a pattern alone means them.
const KEPT: usize = 4_096;
const BATCH: usize = 16;

fn post(owner: &SigningKey, name: &str, sequence: u64) -> Bundle {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let time = DtnTime::from_unix_ms(unix.as_millis() as u64);
    let said = Said::Message { key: None, body: name.to_owned(), leave: None };
    let draft = Draft {
        kind: Kind::Message,
        source: owner.node(),
        destination: Eid::topic(owner.node(), name),
        creation: Creation { time, sequence },
        lifetime: DAY,
        priority: Priority::Normal,
        copies: 1,
    };
    draft.sign(&Post { sequence, said }.encode(), owner).unwrap()
}

/// Topics in which something is kept.
fn kept(target: &Target) -> Vec<Value> {
    let rows = target.person.rows("topic");
    rows.into_iter().filter(|row| row["last_event"].as_u64().is_some_and(|last| last > 0)).collect()
}

#[test]
fn an_owner_who_names_topics_without_end_fills_a_bounded_part_of_who_hears_all_of_them() {
    run(async {
        let mut verdict = Verdict::of("topics without end");
        let mut target = Target::up("");
        let owner = fresh_key(&mut dice(71));
        target.name("owner", owner.node());
        for topic in ["owner/#", "owner/named"] {
            target.person.json(&format!("topic subscribe {topic}"));
        }
        let mut rogue = Rogue::meet(&owner, target.at, Ears::Count).await.expect("it is met");
        let mut posts = vec![post(&owner, "named", 1), post(&owner, "first", 2)];
        posts.extend((0..KEPT as u64 + size(20, 100_000)).map(|n| post(&owner, &format!("n{n}"), 3 + n)));
        let (early, rest) = posts.split_at(2);
        let early: Vec<u8> = early.iter().flat_map(|post| handing_over(post.bytes())).collect();
        rogue.say(&early).await.unwrap();
        rogue.answered(2, PATIENCE).await;
        // A consumer of all gave both up.
        assert_eq!(target.person.run_args(&["sub", "owner/#", "--", "sh", "-c", "exit 65"]).code, 0);
        let failed = |target: &Target| {
            ["named", "first"].map(|name| target.person.rows(&format!("sub owner/{name} --failed")).len())
        };
        assert_eq!(failed(&target), [1, 1]);
        for some in rest.chunks(BATCH) {
            let batch: Vec<u8> = some.iter().flat_map(|post| handing_over(post.bytes())).collect();
            rogue.say(&batch).await.unwrap();
        }
        verdict.check("each is answered", rogue.answered(posts.len() as u64, PATIENCE).await, posts.len());
        let rows = kept(&target);
        // What was subscribed to by its name has a place of its own.
        let is_there = |name: &str| rows.iter().any(|row| row["topic"] == name);
        verdict.check("a bounded number is kept", rows.len() == KEPT + 1, rows.len());
        verdict.check("and what was named", is_there("owner/named"), "");
        verdict.check("and the latest", is_there(&format!("owner/n{}", posts.len() - 3)), "");
        verdict.check("and not the oldest", !is_there("owner/first"), "");
        drop(rogue);
        target.person.down();
        target.person.up("");
        target.person.until("sub owner/first --failed", |rows| rows.is_empty());
        verdict.check("what was given up went with it", failed(&target) == [1, 0], format!("{:?}", failed(&target)));
        let again = kept(&target).len();
        verdict.check("also after a restart", again == rows.len(), again);
        verdict.give();
    });
}

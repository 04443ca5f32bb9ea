//! Members and outsiders who lie about what came to whom in a group: for others, for what was never theirs, and without end.
//! And strangers who ask a node into groups of their own, and have it work there.

use dak::bundle::Signer;
use dak::content::group::{Act, Operation, OperationId, Role};
use dak::content::{Content, GroupWord, Mark};
use dak::eid::Eid;
use dak::id::NodeId;
use dak::time::DtnTime;
use rand_core::Rng;
use serde_json::Value;

use super::forge::{self, Genuine, dice, fresh_key};
use super::rogue::{Ears, Rogue, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

const BATCH: usize = 16;

/// Begins a group and writes to it; returns its key, and the id of what was written.
fn writes_to(target: &Target, group: &str, with: &str) -> (NodeId, String) {
    let begun = target.person.json(&format!("group create {group} --with {with}"));
    let address = begun["address"].as_str().unwrap();
    let ran = target.person.run_args(&["send", group, "the tide is at six", "--json"]);
    let sent: Value = serde_json::from_str(ran.data.lines().next().unwrap()).unwrap();
    (Eid::parse(address).unwrap().node, sent["id"].as_str().unwrap().to_owned())
}

fn mark_of(target: &Target, id: &str) -> Mark {
    let shown = target.person.json(&format!("status {id}"));
    let id = shown["id"].as_str().unwrap().to_owned();
    let byte = |at: usize| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

/// Who is said to have a message.
fn said_to_have(target: &Target, id: &str) -> Vec<String> {
    let shown = target.person.json(&format!("status {id}"));
    let members = shown["members"].as_array().unwrap().clone();
    let has = members.into_iter().filter(|member| member["state"] == "delivered");
    has.map(|member| member["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn who_lies_of_what_came_to_others_changes_no_status_and_costs_a_bounded_part() {
    run(async {
        let mut verdict = Verdict::of("receipts of members");
        let target = Target::up("");
        let mut dice = dice(61);
        let [mallory, bob, outsider] = std::array::from_fn(|_| fresh_key(&mut dice));
        target.name("mallory", mallory.node());
        target.name("bob", bob.node());
        let (crew, in_crew) = writes_to(&target, "crew", "mallory,bob");
        let (other, in_other) = writes_to(&target, "other", "bob");
        let marks = [&in_crew, &in_other].map(|id| mark_of(&target, id));
        target.befriend();
        let watch = target.watch();

        let mut sequence = 0;
        let mut got = |from, group, marks: Vec<Mark>| {
            sequence += 1;
            Genuine::got(from, target.node, sequence, group, marks)
        };
        // Without end, of messages that never were; of what was for others; and for somebody else, by a bad signature.
        let mut lies: Vec<Vec<u8>> = Vec::new();
        for _ in 0..size(600, 60_000) {
            let never = (0..64).map(|_| std::array::from_fn(|_| dice.next_u32() as u8)).collect();
            lies.push(got(&mallory, crew, never).bundle.bytes().to_vec());
        }
        for group in [crew, other] {
            lies.push(got(&mallory, group, vec![marks[1]]).bundle.bytes().to_vec());
            lies.push(got(&outsider, group, marks.to_vec()).bundle.bytes().to_vec());
        }
        let mut rogue = Rogue::meet(&mallory, target.at, Ears::Count).await.expect("it is met");
        for some in lies.chunks(BATCH) {
            let batch: Vec<u8> = some.iter().flat_map(|lie| handing_over(lie)).collect();
            rogue.say(&batch).await.unwrap();
        }
        verdict.check("each is answered", rogue.answered(lies.len() as u64, PATIENCE).await, lies.len());
        let said = [&in_crew, &in_other].map(|id| said_to_have(&target, id));
        verdict.check("nobody is said to have anything", said.iter().all(Vec::is_empty), format!("{said:?}"));
        verdict.check("nothing of it is in the inbox", target.inbox().is_empty(), target.inbox().len());

        // What a member says of itself counts, once.
        let own = got(&mallory, crew, vec![marks[0]]);
        let genuine = [own];
        rogue.say(&handing_over(genuine[0].bundle.bytes())).await.unwrap();
        rogue.answered(lies.len() as u64 + 1, PATIENCE).await;
        target.person.until(&format!("status {in_crew}"), |rows| {
            rows[0]["members"].as_array().unwrap().iter().any(|member| member["state"] == "delivered")
        });
        verdict.check("but of itself", said_to_have(&target, &in_crew) == ["mallory"], "");
        // In the name of another it has no signature that is good; and who sends such a one is sent away.
        for way in 0..forge::WAYS {
            let forged = forge::forge_by(way, &genuine, &mut dice);
            let mut forger = Rogue::meet(&fresh_key(&mut dice), target.at, Ears::Count).await.expect("it is met");
            let _ = forger.say(&handing_over(&forged)).await;
            forger.answered(1, std::time::Duration::from_millis(200)).await;
        }
        let said = [&in_crew, &in_other].map(|id| said_to_have(&target, id));
        verdict.check("and of nobody else", said == [vec!["mallory".to_owned()], vec![]], format!("{said:?}"));
        verdict.behaves(&watch.end(), 16 << 20);
        verdict.give();
    });
}

#[test]
fn a_stranger_who_asks_a_node_into_groups_has_it_answer_nobody_and_keep_nothing() {
    run(async {
        let mut verdict = Verdict::of("groups of strangers");
        let target = Target::up("");
        target.befriend();
        let watch = target.watch();
        let mut dice = dice(62);
        let mallory = fresh_key(&mut dice);
        let puppets: Vec<_> = (0..size(60, 250)).map(|_| fresh_key(&mut dice)).collect();
        let at = DtnTime(836_000_000_000);
        let admit = |who| Act::Admit { who, role: Role::Member, from_start: true };
        let behind = |before: &Operation, act| Operation::sign(before.group, vec![before.id()], at, act, &mallory);
        let mut sequence = 0;
        let mut word = |from, word: GroupWord| {
            sequence += 1;
            let content = Content::Group(Box::new(word));
            handing_over(Genuine::content(from, target.node, sequence, &content).bundle.bytes())
        };
        let mut rogue = Rogue::meet(&mallory, target.at, Ears::Count).await.expect("it is met");
        let mut said = 0;

        // A long log, and each of its members asks for all of it.
        let mut log = vec![Operation::begin("crowd", [1; 16], at, &mallory)];
        let group = log[0].group;
        for who in std::iter::once(target.node).chain(puppets.iter().map(Signer::node)) {
            log.push(behind(log.last().unwrap(), admit(who)));
        }
        while log.len() < 500 {
            log.push(behind(log.last().unwrap(), Act::Rename { name: format!("{:064}", log.len()) }));
        }
        rogue.say(&word(&mallory, GroupWord { operations: log, invites: true, ..GroupWord::of(group) })).await.unwrap();
        target.person.until("group list", |rows| rows.len() == 1);
        let before = target.carry().by_class.own;
        for puppet in &puppets {
            let question = GroupWord { have: vec![OperationId([9; 32])], ..GroupWord::of(group) };
            rogue.say(&word(puppet, question)).await.unwrap();
            said += 1;
        }
        verdict.check("each question is taken", rogue.answered(said + 1, PATIENCE).await, said);
        let own = target.carry().by_class.own;
        // Beside the receipts for what came, and what was said of the invitation.
        let most = before.bytes + said * 4_096;
        verdict.check("and none is answered", own.bytes < most, format!("{} of {most} bytes", own.bytes));

        // In and out again, without end.
        for n in 0..size(80, 2_000) {
            let nonce = std::array::from_fn(|at| (n >> (8 * (at % 8))) as u8);
            let begin = Operation::begin("again", nonce, DtnTime(at.0 + n), &mallory);
            let admit = behind(&begin, admit(target.node));
            let remove = behind(&admit, Act::Remove { who: target.node });
            let of = GroupWord::of(begin.group);
            let invites = GroupWord { operations: vec![begin, admit], invites: true, ..of.clone() };
            for part in [invites, GroupWord { operations: vec![remove], ..of }] {
                rogue.say(&word(&mallory, part)).await.unwrap();
                said += 1;
                rogue.answered(said + 1, PATIENCE).await;
            }
        }
        let kept = target.person.rows("group list").len();
        verdict.check("nothing is kept of groups that one is out of again", kept == 1, kept);
        verdict.behaves(&watch.end(), 16 << 20);
        verdict.give();
    });
}

//! How messages go, and when they are told of: what is usual with a contact, what a message is meant to be, quiet hours.

use serde_json::{Value, json};

use crate::acquaint;
use crate::person::{Person, Running};

fn two() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    (alice, bob)
}

fn says(person: &Person, line: &str) -> String {
    let ran = person.run(line);
    assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
    ran.data
}

#[test]
fn what_is_usual_with_a_contact_counts_where_the_command_says_nothing() {
    let (alice, bob) = two();
    assert_eq!(alice.json("contact list").get("usual"), None);
    let told = says(&alice, "contact set bob --priority urgent --lifetime 3d --read-receipts off");
    assert_eq!(told, "to bob: urgent, within 3d, read receipts off\n");
    assert_eq!(
        says(&alice, "contact set bob --copies 4"),
        "to bob: urgent, within 3d, at most 4 copies, read receipts off\n"
    );
    let usual = json!({"priority": "urgent", "lifetime_ms": 259_200_000, "copies": 4, "read_receipts": false});
    assert_eq!(alice.json("contact list")["usual"], usual);
    alice.json("send bob usual --wait=delivered --timeout 60s");
    alice.json("send bob unusual -p bulk --wait=delivered --timeout 60s");
    let priorities: Vec<Value> = bob.rows("inbox").into_iter().map(|row| row["priority"].clone()).collect();
    assert_eq!(priorities, ["urgent", "bulk"]);
    let draft = alice.json("draft add bob later");
    assert_eq!((&draft["priority"], &draft["lifetime_ms"]), (&json!("urgent"), &json!(259_200_000)));
    assert_eq!(says(&alice, "contact set bob --clear"), "to bob: as to everybody\n");
    assert_eq!(alice.json("contact list").get("usual"), None);
    for (line, code) in
        [("contact set nobody --copies 1", 4), ("contact set bob --copies 0", 2), ("contact set bob -p soon", 2)]
    {
        assert_eq!(alice.run(line).code, code, "{line}");
    }
}

#[test]
fn what_goes_to_a_contact_disappears_where_that_is_usual_and_nothing_else_is_said() {
    let (alice, bob) = two();
    assert_eq!(says(&alice, "contact set bob --expire-after-read 1h"), "to bob: disappearing 1h after they are read\n");
    let told = says(&alice, "send bob usual");
    assert!(told.contains(", disappears 1h after it is read"), "{told}");
    let sent = alice.json("send bob unusual --expire-after-read 2h --wait=delivered --timeout 60s");
    assert_eq!(sent["expire_after_read_ms"], 7_200_000);
    alice.json("send bob lasting --expire-after-read never --wait=delivered --timeout 60s");
    let spans = |rows: &[Value]| rows.iter().map(|row| row["expire_after_read_ms"].clone()).collect::<Vec<_>>();
    bob.until("inbox", |rows| spans(rows) == [json!(3_600_000), json!(7_200_000), Value::Null]);
    assert_eq!(alice.json("contact list")["usual"], json!({"expire_after_read_ms": 3_600_000}));
    assert_eq!(alice.json("draft add bob later")["expire_after_read_ms"], 3_600_000);
    assert_eq!(alice.run("contact set bob --expire-after-read 400d").code, 2);
    assert_eq!(says(&alice, "contact set bob --expire-after-read never"), "to bob: as to everybody\n");
}

#[test]
fn a_contact_that_is_told_hears_that_its_message_was_read_and_nobody_else_does() {
    let (alice, bob) = two();
    let first = alice.json("send bob one --wait=delivered --timeout 60s")["id"].as_str().unwrap().to_owned();
    says(&bob, &format!("read {first}"));
    says(&bob, "contact set alice --read-receipts on");
    let second = alice.json("send bob two --wait=delivered --timeout 60s")["id"].as_str().unwrap().to_owned();
    says(&bob, &format!("read {second}"));
    alice.until(&format!("status {second}"), |rows| rows[0]["state"] == "read");
    assert_eq!(alice.json(&format!("status {first}"))["state"], "delivered");
}

#[test]
fn what_a_message_is_meant_to_be_is_shown_and_found() {
    let (alice, bob) = two();
    let sent = alice.json("send bob pump? --tag question --wait=delivered --timeout 60s");
    alice.json("send bob pump! --tag decision --tag fyi --wait=delivered --timeout 60s");
    let rows = bob.rows("inbox");
    assert_eq!((&rows[0]["tags"], &rows[1]["tags"]), (&json!(["question"]), &json!(["decision", "fyi"])));
    let id = sent["id"].as_str().unwrap();
    assert!(says(&bob, &format!("read {id} --peek")).contains("meant as  question\n"));
    assert!(says(&bob, "inbox").contains("(question) pump?"));
    assert!(says(&bob, "talk alice").contains(", question"));
    for person in [&alice, &bob] {
        let found = person.run_args(&["search", "pump tag:question", "--json"]);
        assert_eq!(found.data.lines().count(), 1, "{}", found.data);
        assert_eq!(person.run_args(&["search", "pump -tag:question", "--json"]).data.lines().count(), 1);
    }
    let wrong = bob.run_args(&["search", "pump tag:joke"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.talk.contains("question, decision, fyi or automatic"), "{}", wrong.talk);
    assert_eq!(alice.run("send bob hi --tag joke").code, 2);
}

#[test]
fn in_quiet_hours_only_what_is_urgent_is_told() {
    let (alice, mut bob) = two();
    let now = jiff::Zoned::now();
    let clock = |hours: i64| now.checked_add(jiff::Span::new().hours(hours)).unwrap().strftime("%H:%M").to_string();
    says(&bob, &format!("config set quiet {}-{}", clock(-2), clock(2)));
    bob.down();
    bob.up(&format!("--peer {}", alice.place()));
    let (mut told, mut all) = (bob.spawn("inbox --follow --json"), bob.spawn("inbox --follow --all --json"));
    // What is there already is listed whatever the hour, so both have begun before the first is silent.
    assert_eq!(said(&mut told, || alice.json("send bob smoke -p urgent")), "smoke");
    assert_eq!(said(&mut all, || Value::Null), "smoke");
    assert_eq!(said(&mut all, || alice.json("send bob goodnight")), "goodnight");
    assert_eq!(said(&mut told, || alice.json("send bob fire -p urgent")), "fire");
    assert_eq!(bob.rows("inbox").len(), 3, "the list has all");
    assert_eq!(bob.run("config set quiet late").code, 2);
}

/// What is told once something is done.
fn said(follower: &mut Running, act: impl Fn() -> Value) -> String {
    act();
    let row: Value = serde_json::from_str(&follower.line()).unwrap();
    row["text"].as_str().unwrap().to_owned()
}

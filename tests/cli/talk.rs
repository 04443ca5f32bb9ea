//! Conversations: both sides in their order, unread counts that agree everywhere, and what marks a message as read.

use rustix::process::Signal;
use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

fn texts(rows: &[Value]) -> Vec<(&str, bool)> {
    rows.iter().map(|row| (row["text"].as_str().unwrap(), row["mine"].as_bool().unwrap())).collect()
}

/// Unread messages as every door counts them.
fn unread(person: &Person, who: &str) -> usize {
    let inbox = person.rows("inbox --unread").len();
    let talk = person.rows("talk");
    let counted: u64 = talk.iter().map(|row| row["unread"].as_u64().unwrap()).sum();
    let shown = person.rows(&format!("talk {who} --unread")).len();
    assert_eq!((inbox as u64, shown as u64), (counted, counted));
    inbox
}

#[test]
fn both_sides_of_a_conversation_are_read_in_their_order_also_after_a_kill() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("send bob one --wait=delivered --timeout 30s");
    bob.json("send alice two --wait=delivered --timeout 30s");
    alice.json("send bob three --subject numbers --wait=delivered --timeout 30s");
    let at_alice = [("one", true), ("two", false), ("three", true)];
    assert_eq!(texts(&alice.rows("talk bob")), at_alice);
    assert_eq!(texts(&bob.rows("talk alice")), at_alice.map(|(text, mine)| (text, !mine)));
    let rows = alice.rows("talk @bob");
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&"delivered".into(), &Value::Null));
    assert_eq!((&rows[1]["from"]["name"], &rows[2]["subject"]), (&"bob".into(), &"numbers".into()));
    assert_eq!(rows[0]["conversation"], rows[1]["from"]["address"]);
    assert_eq!(texts(&alice.rows("talk bob --limit 2")), at_alice[1..]);
    let third = rows[2]["id"].as_str().unwrap();
    assert_eq!(texts(&alice.rows(&format!("talk bob --before {third} --limit 1"))), at_alice[1..2]);
    let first = rows[0]["id"].as_str().unwrap();
    assert_eq!(texts(&alice.rows(&format!("talk bob --after {first}"))), at_alice[1..]);
    assert_eq!(texts(&alice.rows(&format!("talk bob --after {first} --limit 1"))), at_alice[1..2]);
    assert_eq!(texts(&alice.rows(&format!("talk bob --after {third}"))), []);
    let [listed] = &alice.rows("talk")[..] else { panic!("one conversation") };
    assert_eq!(
        (&listed["name"], &listed["last_text"], &listed["last_mine"]),
        (&"bob".into(), &"three".into(), &true.into())
    );

    alice.signal(Signal::KILL);
    assert_eq!(texts(&alice.rows("talk bob")), at_alice, "the closed home says the same");
    alice.up("");
    assert_eq!(texts(&alice.rows("talk bob")), at_alice);
    assert_eq!(alice.run("talk nobody").code, 4);
    assert_eq!(alice.rows("talk bob --limit 0").len(), 0);
}

#[test]
fn a_thread_is_read_however_far_apart_its_answers_are_and_its_first_message_says_how_many_there_are() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let asked = alice.json("send bob when? --wait=delivered --timeout 30s")["id"].as_str().unwrap().to_owned();
    let six = bob.json(&format!("reply {asked} six --wait=delivered --timeout 30s"))["id"].as_str().unwrap().to_owned();
    for n in 0..4 {
        alice.json(&format!("send bob between-{n} --wait=delivered --timeout 30s"));
    }
    alice.json(&format!("reply {six} fine --wait=delivered --timeout 30s"));
    let thread = |alice: &Person, more: &str| alice.rows(&format!("talk bob --thread {asked} {more}"));
    let all = [("when?", true), ("six", false), ("fine", true)];
    assert_eq!(texts(&thread(&alice, "")), all);
    assert_eq!(texts(&thread(&alice, "--limit 2")), all[1..]);
    assert_eq!(texts(&thread(&alice, &format!("--after {asked} --limit 1"))), all[1..2]);
    assert_eq!(texts(&thread(&alice, &format!("--before {six}"))), all[..1]);
    assert_eq!(texts(&alice.rows(&format!("talk bob --thread {six}"))), all, "by any message of it");
    let replies = |person: &Person, who: &str| {
        let rows = person.rows(&format!("talk {who}"));
        let counts: Vec<Value> = rows.iter().map(|row| row["replies"].clone()).collect();
        assert!(counts[1..].iter().all(Value::is_null), "only what begins a thread has answers: {counts:?}");
        counts[0].clone()
    };
    assert_eq!((replies(&alice, "bob"), replies(&bob, "alice")), (2.into(), 2.into()));
    alice.signal(Signal::KILL);
    assert_eq!(replies(&alice, "bob"), 2, "the closed home says the same");
    alice.run(&format!("delete {six}"));
    assert_eq!((replies(&alice, "bob"), texts(&thread(&alice, "")).len()), (1.into(), 2));
    assert_eq!(replies(&bob, "alice"), 2, "who did not delete it has it");
}

#[test]
fn a_message_is_read_when_somebody_saw_it_and_unread_when_they_say_so() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    for text in ["one", "two", "three"] {
        alice.json(&format!("send bob {text} --wait=delivered --timeout 30s"));
    }
    assert_eq!(unread(&bob, "alice"), 3);
    assert!(bob.run("talk alice").data.contains("two"), "a pipe has no eyes");
    assert_eq!(unread(&bob, "alice"), 3);
    let second = bob.rows("talk alice")[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.run(&format!("read {second}")).code, 0);
    assert_eq!(unread(&bob, "alice"), 2);
    assert_eq!(bob.run("talk alice --mark-read").code, 0);
    assert_eq!(unread(&bob, "alice"), 0);
    assert_eq!(bob.run(&format!("unread {}", &second[..8])).code, 0);
    assert_eq!(unread(&bob, "alice"), 1);
    assert_eq!(texts(&bob.rows("talk alice --unread")), [("two", false)]);
    assert_eq!(bob.run(&format!("inbox delete {second}")).code, 0);
    assert_eq!(unread(&bob, "alice"), 0);
    assert_eq!(texts(&bob.rows("talk alice")), [("one", false), ("three", false)]);
}

#[test]
fn what_the_first_screen_showed_is_read_also_where_its_reader_leaves_the_pager_at_once() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    // More than the pager's pipe holds.
    let long = "word ".repeat(4_000);
    for text in ["one", "two", "three", &long, &long, &long, &long, &long, &long] {
        assert_eq!(alice.run_args(&["send", "bob", text, "--wait=delivered", "--timeout", "30s"]).code, 0);
    }
    assert_eq!(unread(&bob, "alice"), 9);
    let shown = bob.on_a_terminal_with("talk alice", &[("DAK_PAGER", "true"), ("LINES", "24")]);
    assert!(shown.contains(" unread that the pager may have shown: dak talk alice --unread --mark-read"), "{shown}");
    assert_eq!(unread(&bob, "alice"), 6);
    // One who reads on to the end says so.
    assert_eq!(bob.run("talk alice --unread --mark-read").code, 0);
    assert_eq!(unread(&bob, "alice"), 0);
}

#[test]
fn a_note_to_oneself_is_a_conversation_of_its_own() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.run_args(&["send", "me", "buy bread"]);
    let rows = alice.rows("talk me");
    assert_eq!(texts(&rows), [("buy bread", true)]);
    assert_eq!(alice.rows("talk")[0]["last_text"], "buy bread");
    assert_eq!(unread(&alice, "me"), 0, "what one wrote oneself is no news");
    for name in ["me", "All", "@bob", "-bob", "a,b"] {
        let address = "12D3KooWQ5Mc9r3UEC1VNmW2LtFQZrDcCGfmjsJje7FJarFbmZHP";
        let ran = alice.run_args(&["contact", "add", "--", name, address]);
        assert_eq!(ran.code, 2, "{name}: {ran:?}");
    }
}

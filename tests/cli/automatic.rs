//! Answers that nobody writes: they come once, say what they are, and end.

use serde_json::Value;

use crate::acquaint;
use crate::hooks::{add, lines_of, send};
use crate::person::Person;

fn texts(person: &Person) -> Vec<String> {
    person.rows("inbox").iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// Once a message that was written last is there, so is whatever was written before it.
fn settle(from: &Person, name: &str, to: &Person) {
    send(from, name, "the last word");
    to.until("inbox", |rows| rows.iter().any(|row| row["text"] == "the last word"));
}

#[test]
fn two_nodes_that_both_answer_by_themselves_end_after_one_answer() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    for person in [&alice, &bob] {
        let got = person.path("got");
        add(person, "answers", "--reply --every 1s", &format!("echo ran >> {got}; echo \"I got $DAK_ID\""));
    }
    let id = send(&alice, "bob", "hello");
    // Hers ran on his answer, and gave none.
    lines_of(&alice, "got", 1);
    alice.until("hook", |rows| rows[0]["running"] == 0);
    let row = alice.rows("inbox").remove(0);
    assert_eq!((&row["tags"][0], &row["in_reply_to"]), (&"automatic".into(), &id.clone().into()), "{row}");
    assert_eq!(row["text"], format!("I got {id}"));
    alice.until_talk("stderr", "no automatic answer");
    // He would answer what a person writes a second later.
    assert_eq!(bob.run("hook remove answers").code, 0);
    settle(&alice, "bob", &bob);
    assert_eq!((texts(&bob), texts(&alice).len()), (vec!["hello".into(), "the last word".into()], 1));
    assert!(alice.talk().contains("it is automatic itself"), "{}", alice.talk());
}

#[test]
fn one_who_is_away_answers_each_contact_once_and_no_longer_than_said() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert_eq!(bob.json("away")["away"], false);
    let set = bob.run_args(&["away", "at sea", "--until", "3d", "--reply", "--json"]).json();
    assert_eq!((&set["text"], &set["reply"], &set["every_ms"]), (&"at sea".into(), &true.into(), &86_400_000.into()));
    // Both are: neither answers the other's answer.
    assert_eq!(alice.run_args(&["away", "at home", "--until", "3d", "--reply"]).code, 0);
    send(&alice, "bob", "one");
    alice.until("inbox", |rows| rows.len() == 1);
    let first: Value = alice.rows("inbox").remove(0);
    assert_eq!((&first["text"], &first["tags"][0]), (&"at sea".into(), &"automatic".into()));
    send(&alice, "bob", "two");
    bob.until_talk("stderr", "its writer got an automatic answer lately");
    // Nothing is said to bulk mail, nor to who has no name here, nor in a group; and it is known after a restart.
    assert_eq!(bob.down(), Some(0));
    bob.up(&format!("--peer {}", alice.place()));
    assert!(bob.run("me").data.contains("at sea") && bob.json("away")["away"] == true);
    send(&alice, "bob", "three");
    bob.until_talk("stderr", "its writer got an automatic answer lately");
    assert_eq!(bob.run("away --end").code, 0);
    assert_eq!((bob.run("away --end").code, bob.run("away").data.as_str()), (4, "not away\n"));
    settle(&alice, "bob", &bob);
    assert_eq!((texts(&alice), texts(&bob).len()), (vec!["at sea".to_owned()], 4));
    for (line, code) in [
        ("away x", 2),
        ("away --reply", 2),
        ("away x --until 2020-01-01", 2),
        ("away x --until 2y", 2),
        ("away x --until 1d --every 0s --reply", 2),
    ] {
        assert_eq!(bob.run(line).code, code, "{line}");
    }
}

#[test]
fn who_says_off_is_back_and_who_names_no_time_is_asked_for_one() {
    let mut alice = Person::new("alice");
    alice.up("");
    for word in ["off", "end", "Back"] {
        let set = alice.run_args(&["away", "at sea", "--until", "3d"]);
        assert!(set.code == 0 && set.talk.contains("dak away --end"), "{}", set.talk);
        let ended = alice.run_args(&["away", word]);
        assert_eq!((ended.code, ended.data.as_str()), (0, "back\n"), "{word}: {}", ended.talk);
        assert_eq!(alice.json("away")["away"], false, "{word}");
    }
    let untimed = alice.run_args(&["away", "at sea"]);
    assert!(untimed.code == 2 && untimed.talk.contains("--until fri"), "{}", untimed.talk);
    // With a time it is what is said.
    assert_eq!(alice.run_args(&["away", "off", "--until", "3d"]).code, 0);
    assert_eq!(alice.json("away")["text"], "off");
}

#[test]
fn a_note_of_ones_absence_that_answers_nobody_is_shown_to_oneself() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert_eq!(bob.run_args(&["away", "at sea", "--until", "3d"]).code, 0);
    assert!(bob.run("me").data.contains("which nobody is told: at sea"), "{}", bob.run("me").data);
    send(&alice, "bob", "one");
    settle(&alice, "bob", &bob);
    settle(&bob, "alice", &alice);
    assert_eq!(texts(&alice), ["the last word"]);
}

#[test]
fn bulk_mail_strangers_and_groups_get_no_automatic_answer() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    let carols = carol.up(&format!("--peer {}", bob.place()));
    let bobs = bob.json("me")["address"].as_str().unwrap().to_owned();
    assert_eq!(carol.run(&format!("contact add bob {bobs}")).code, 0);
    assert_eq!(bob.run_args(&["away", "at sea", "--until", "3d", "--reply"]).code, 0);
    add(&bob, "answers", "--reply --in alice", "echo hooked");
    assert_eq!(alice.run_args(&["send", "bob", "bulk", "-p", "bulk"]).code, 0);
    bob.until_talk("stderr", "it is bulk mail");
    send(&carol, "bob", "who are you");
    bob.until("inbox", |rows| rows.len() == 2);
    assert_eq!(bob.run("group create crew --with alice").code, 0);
    alice.until("group", |rows| !rows.is_empty());
    assert_eq!(alice.run("group join crew").code, 0);
    send(&alice, "crew", "all hands");
    bob.until("talk crew", |rows| rows.iter().any(|row| row["text"] == "all hands"));
    settle(&carol, "bob", &bob);
    let answers =
        |person: &Person| person.rows("inbox").into_iter().filter(|row| row["tags"][0] == "automatic").count();
    assert_eq!((answers(&carol), answers(&alice)), (0, 0), "{:?} {}", texts(&alice), carols["name"]);
    // One that gets what the other did not is answered all the same, by whichever is first, and once.
    send(&alice, "bob", "hello");
    bob.until_talk("stderr", "its writer got an automatic answer lately");
    alice.until("inbox", |rows| rows.iter().any(|row| row["text"] == "at sea" || row["text"] == "hooked"));
    assert_eq!(answers(&alice), 1);
}

#[test]
fn what_a_hook_sends_itself_is_automatic_too_and_loops_of_such_end() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let dak = env!("CARGO_BIN_EXE_dak");
    for person in [&alice, &bob] {
        let got = person.path("got");
        add(person, "talks", "--every 1s", &format!("{dak} reply $DAK_ID byself 2>> {got}.talk; echo $? >> {got}"));
    }
    send(&alice, "bob", "hello");
    assert_eq!(lines_of(&bob, "got", 1), ["0"]);
    assert_eq!(lines_of(&alice, "got", 1), ["5"]);
    let talk = std::fs::read_to_string(alice.path("got.talk")).unwrap();
    assert!(talk.contains("it is automatic itself"), "{talk}");
    assert_eq!((&alice.rows("inbox")[0]["tags"][0], alice.rows("draft").len()), (&"automatic".into(), 0));
    // A person who answers it does so as ever.
    let id = alice.rows("inbox")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("reply {id} thanks")).code, 0);
    bob.until("inbox", |rows| rows.len() == 2);
}

#[test]
fn three_nodes_whose_hooks_pass_on_to_each_other_in_a_ring_end() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    carol.up(&format!("--peer {} --peer {}", alice.place(), bob.place()));
    let address = |person: &Person| person.json("me")["address"].as_str().unwrap().to_owned();
    for (person, name, of) in [(&bob, "carol", &carol), (&carol, "alice", &alice), (&carol, "bob", &bob)] {
        assert_eq!(person.run(&format!("contact add {name} {}", address(of))).code, 0);
    }
    assert_eq!(alice.run(&format!("contact add carol {}", address(&carol))).code, 0);
    let dak = env!("CARGO_BIN_EXE_dak");
    // As it was written, or in other words.
    for (person, line) in [
        (&bob, format!("{dak} forward $DAK_ID carol || exit 65")),
        (&carol, format!("{dak} forward $DAK_ID alice || exit 65")),
        (&alice, format!("{dak} send bob \"again $DAK_ATTEMPT\" || exit 65")),
    ] {
        add(person, "on", "", &line);
    }
    send(&alice, "bob", "round and round");
    alice.until("hook failed", |rows| rows.len() == 1);
    let why = alice.rows("hook failed").remove(0)["why"].as_str().unwrap().to_owned();
    assert!(why.contains("7 automatic ones in a row led to it"), "{why}");
    assert_eq!([&alice, &bob, &carol].map(|person| texts(person).len()), [3; 3], "the first, and eight behind it");
    for person in [&bob, &carol] {
        assert_eq!(person.rows("hook failed").len(), 0);
    }
    // What a person writes goes round again.
    send(&alice, "bob", "once more");
    alice.until("hook failed", |rows| rows.len() == 2);
    assert_eq!([&alice, &bob, &carol].map(|person| texts(person).len()), [6; 3]);
}

#[test]
fn what_is_no_answer_is_sent_to_nobody_and_too_long_a_one_is_given_up() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    add(&bob, "silent", "--reply", "true");
    add(&bob, "fails", "--reply --tries 1", "echo no; exit 1");
    add(&bob, "long", "--reply", "head -c 20000 /dev/zero | tr '\\0' x");
    send(&alice, "bob", "hello");
    bob.until("hook failed", |rows| rows.len() == 2);
    let long = bob.rows("hook failed long").remove(0);
    assert!(long["why"].as_str().unwrap().contains("is no answer") && long["attempt"] == 1, "{long}");
    settle(&bob, "alice", &alice);
    assert_eq!(texts(&alice), ["the last word"]);
}

//! Changes of what was written: they converge on both sides, whatever came first, and say what they did.

use redb::{Database, TableDefinition};
use rustix::process::Signal;
use serde_json::Value;

use crate::person::Person;
use crate::{SOMEBODY, acquaint};

/// Sends a text and waits until it is there; returns its id.
fn say(from: &Person, to: &str, text: &str) -> String {
    let sent = from.json(&format!("send {to} {text} --wait=delivered --timeout 30s"));
    sent["id"].as_str().unwrap().to_owned()
}

fn the_row(person: &Person, who: &str) -> Value {
    let rows = person.rows(&format!("talk {who}"));
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    row.clone()
}

#[test]
fn words_reactions_and_a_task_are_the_same_on_both_sides_and_after_a_kill() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = say(&alice, "bob", "five");
    let short = &id[..10];
    alice.json(&format!("edit {short} six"));
    bob.json(&format!("react {short} 👍"));
    bob.json(&format!("react {short} thanks"));
    bob.json(&format!("react {short} thanks --remove"));
    bob.json(&format!("task add {short} --assign alice --due 2030-03-01T17:00Z"));
    let is_whole = |row: &Value| {
        let reactions = row["reactions"].as_array().unwrap();
        row["text"] == "six"
            && row["edited"] == true
            && row["task"]["due"] == "2030-03-01T17:00:00Z"
            && reactions.len() == 1
            && (&reactions[0]["emoji"], &reactions[0]["who"]["name"]) == (&"👍".into(), &"bob".into())
    };
    alice.until("talk bob", |rows| rows.len() == 1 && is_whole(&rows[0]));
    bob.until("talk alice", |rows| rows.len() == 1 && is_whole(&rows[0]));
    assert_eq!(bob.rows("inbox").len(), 1, "a change is no message of its own");
    assert_eq!(bob.rows("inbox")[0]["text"], "six");
    assert_eq!(bob.json(&format!("read --peek {short}"))["text"], "six");
    assert_eq!(bob.rows("talk")[0]["last_text"], "six");

    let [task] = &alice.rows("task --mine")[..] else { panic!("one task") };
    assert_eq!((&task["id"], &task["state"]), (&Value::from(id.clone()), &"open".into()));
    assert_eq!(bob.rows("task --mine").len(), 0);
    alice.json(&format!("task done {short}"));
    bob.until("task --all", |rows| rows.len() == 1 && rows[0]["state"] == "done");
    assert_eq!(bob.rows("task").len(), 0);

    alice.signal(Signal::KILL);
    let closed = the_row(&alice, "bob");
    alice.up("");
    assert_eq!(the_row(&alice, "bob"), closed);
    assert!(is_whole(&closed), "{closed}");
}

#[test]
fn what_is_withdrawn_is_gone_at_both_ends_and_only_its_author_withdraws_or_edits() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = say(&alice, "bob", "secret");
    let short = &id[..10];
    alice.json(&format!("edit {short} secrets"));
    bob.until("talk alice", |rows| rows[0]["text"] == "secrets");
    for line in [format!("edit {short} mine"), format!("withdraw {short}")] {
        let refused = bob.run(&line);
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(refused.talk.contains("dak delete"), "{refused:?}");
    }
    alice.json(&format!("withdraw {short}"));
    let is_gone = |row: &Value| row["withdrawn"] == true && row["text"] == Value::Null;
    bob.until("talk alice", |rows| rows.len() == 1 && is_gone(&rows[0]));
    assert!(is_gone(&the_row(&alice, "bob")));
    bob.until("inbox", |rows| rows.len() == 1 && rows[0]["text"] == Value::Null);
    let told = bob.rows(&format!("read --history {short}"));
    assert!(told.iter().all(|change| !change["what"].as_str().unwrap().contains("secret")), "{told:?}");
    assert_eq!(alice.run(&format!("edit {short} again")).code, 5);
}

#[test]
fn a_change_of_nothing_or_of_a_change_is_refused_with_what_to_do() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = alice.json("send me note")["id"].as_str().unwrap().to_owned();
    for (line, code) in [
        ("react 123456 👍".to_owned(), 4),
        (format!("react {} two words", &id[..10]), 2),
        (format!("react {} {}", &id[..10], "x".repeat(65)), 2),
        (format!("task due {} yesterday", &id[..10]), 2),
        (format!("task assign {} nobodyknows", &id[..10]), 4),
    ] {
        let args: Vec<&str> = line.splitn(3, ' ').collect();
        let args = if args[0] == "task" { line.split(' ').collect() } else { args };
        assert_eq!(alice.run_args(&args).code, code, "{line}");
    }
    let edit = alice.json(&format!("edit {} better", &id[..10]))["id"].as_str().unwrap().to_owned();
    alice.until("talk me", |rows| rows.len() == 1 && rows[0]["text"] == "better");
    let refused = alice.run(&format!("edit {} worse", &edit[..10]));
    assert_eq!(refused.code, 5);
    assert!(refused.talk.contains(&id[..10]), "it names what can be changed: {refused:?}");
}

#[test]
fn a_deleted_message_takes_its_changes_along_and_stays_where_others_have_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = say(&alice, "bob", "five");
    alice.json(&format!("edit {} six", &id[..10]));
    bob.until("talk alice", |rows| rows[0]["text"] == "six");
    assert_eq!(bob.run(&format!("delete {}", &id[..10])).code, 0);
    assert_eq!((bob.rows("talk").len(), bob.rows("inbox").len(), bob.rows("talk alice").len()), (0, 0, 0));
    assert_eq!(the_row(&alice, "bob")["text"], "six");
}

#[test]
fn a_message_that_ended_is_sent_anew_and_is_one_row() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    bob.down();
    alice.until("peers", |rows| rows.is_empty());
    let first = alice.json("send bob late --lifetime 1s")["id"].as_str().unwrap().to_owned();
    alice.until("status", |rows| rows[0]["state"] == "expired");
    let second = alice.json(&format!("renew {} --lifetime 1h", &first[..10]))["id"].as_str().unwrap().to_owned();
    let row = the_row(&alice, "bob");
    assert_eq!((&row["id"], &row["state"]), (&Value::from(second.clone()), &"queued".into()));
    bob.up("");
    bob.until("inbox", |rows| rows.len() == 1);
    alice.until("talk bob", |rows| rows.len() == 1 && rows[0]["state"] == "delivered");
    assert_eq!(alice.run(&format!("renew {}", &second[..10])).code, 5, "it arrived");
}

#[test]
fn events_are_numbered_without_gaps_and_go_on_behind_a_number_after_a_restart() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut follow = bob.spawn("--json talk --follow --since 0");
    let id = say(&alice, "bob", "one");
    let first: Value = serde_json::from_str(&follow.line()).unwrap();
    assert_eq!((&first["event"], &first["what"], &first["text"]), (&1.into(), &"message".into(), &"one".into()));
    assert_eq!(first["id"], Value::from(id.clone()));
    bob.json(&format!("react {} 👍", &id[..10]));
    let second: Value = serde_json::from_str(&follow.line()).unwrap();
    assert_eq!((&second["event"], &second["what"]), (&2.into(), &"change".into()));
    assert_eq!(second["reactions"][0]["emoji"], "👍");
    bob.signal(Signal::KILL);
    bob.up("");
    let mut again = bob.spawn("--json talk --follow --since 1");
    let mut number = 1;
    say(&alice, "bob", "two");
    loop {
        let row: Value = serde_json::from_str(&again.line()).unwrap();
        number += 1;
        assert_eq!(row["event"], Value::from(number), "{row}");
        if row["text"] == "two" && row["what"] == "message" {
            break;
        }
    }
    assert_eq!(the_rows_numbers(&bob), sorted(the_rows_numbers(&bob)));
    let ran = bob.run("talk --follow --since 99999");
    assert_eq!(ran.code, 9, "{ran:?}");
}

/// A home keeps so many events that a story cannot make them: here the first ones are taken out of its store.
#[test]
fn who_goes_on_behind_an_event_that_is_kept_no_more_is_told_the_oldest_and_how_to_go_on() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    ["one", "two", "three"].iter().for_each(|text| drop(say(&alice, "bob", text)));
    bob.until("inbox", |rows| rows.len() == 3);
    bob.down();
    let store = Database::open(bob.home().join("store.redb")).unwrap();
    let txn = store.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, &[u8]>::new("happened_v1")).unwrap().retain(|event, _| event > 2).unwrap();
    txn.commit().unwrap();
    drop(store);
    bob.up("");
    let ran = bob.run("talk --follow --since 1");
    assert_eq!((ran.code, ran.data.as_str()), (9, ""), "{}", ran.talk);
    assert!(ran.talk.contains("the oldest there is is 3") && ran.talk.contains("--since 2"), "{}", ran.talk);
    let ran = bob.run("--json talk --follow --since 0");
    let error: Value = serde_json::from_str(&ran.talk).unwrap();
    assert_eq!((ran.code, &error["error"]["next"]["event"]), (9, &2.into()), "{error}");
    let mut follow = bob.spawn("--json talk --follow --since 2");
    let row: Value = serde_json::from_str(&follow.line()).unwrap();
    assert_eq!((&row["event"], &row["text"]), (&3.into(), &"three".into()));
}

fn the_rows_numbers(person: &Person) -> Vec<u64> {
    person.rows("talk alice").iter().map(|row| row["event"].as_u64().unwrap()).collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

#[test]
fn what_nobody_has_yet_is_simply_changed_and_keeps_its_name() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    say(&alice, "bob", "before");
    alice.down();
    bob.down();
    let first = alice.json("send bob fvie -p urgent --lifetime 2d")["id"].as_str().unwrap().to_owned();
    let second = alice.json(&format!("edit {} four", &first[..8]))["id"].as_str().unwrap().to_owned();
    let third = alice.json(&format!("edit {first} five"))["id"].as_str().unwrap().to_owned();
    // Whatever it was called is the same message.
    for id in [&first, &second, &third, &first[..9].to_owned()] {
        let status = alice.json(&format!("status {id}"));
        assert_eq!(
            (&status["id"], &status["state"], &status["priority"]),
            (&Value::from(third.clone()), &"queued".into(), &"urgent".into())
        );
        assert_eq!(alice.json(&format!("read {id}"))["text"], "five");
    }
    assert_eq!(alice.rows("status").len(), 2, "one for each message");
    let row = alice.rows("talk bob").pop().unwrap();
    assert_eq!((&row["text"], &row["edited"]), (&"five".into(), &false.into()));
    // What was said of it goes beside it from then on.
    alice.json(&format!("react {first} thanks"));
    alice.json(&format!("edit {first} six"));
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    bob.until("talk alice", |rows| rows.len() == 2 && rows[1]["text"] == "six" && rows[1]["edited"] == true);
    bob.until("talk alice", |rows| rows[1]["reactions"][0]["emoji"] == "thanks");
    alice.until(&format!("status {first}"), |rows| rows[0]["state"] == "delivered");
    let said: Vec<Value> =
        bob.rows(&format!("read {third} --history")).into_iter().map(|row| row["what"].clone()).collect();
    assert!(!said.contains(&"four".into()) && !said.contains(&"fvie".into()), "{said:?}");
}

#[test]
fn what_a_carrier_may_have_is_changed_by_a_change() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    bob.down();
    let mut carol = Person::new("carol");
    carol.up(&format!("--peer {}", alice.place()));
    let id = alice.json("send bob five --wait=custody --timeout 30s")["id"].as_str().unwrap().to_owned();
    carol.down();
    alice.down();
    alice.json(&format!("edit {id} six"));
    assert_eq!(alice.json(&format!("read {id}"))["id"], Value::from(id.clone()), "it is the message that left");
    assert_eq!(alice.rows("talk bob").pop().unwrap()["edited"], true);
}

#[test]
fn what_is_withdrawn_before_it_left_never_leaves() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    say(&alice, "bob", "before");
    bob.down();
    alice.down();
    let id = alice.json("send bob slip")["id"].as_str().unwrap().to_owned();
    alice.json(&format!("withdraw {id}"));
    assert_eq!(alice.rows("talk bob").pop().unwrap()["withdrawn"], true);
    alice.json("send bob after");
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    bob.until("inbox", |rows| rows.iter().any(|row| row["text"] == "after"));
    let texts: Vec<Value> = bob.rows("inbox").into_iter().map(|row| row["text"].clone()).collect();
    assert_eq!(texts, ["before", "after"]);
    assert_eq!(alice.json(&format!("status {id}"))["state"], "cancelled");
}

#[test]
fn a_change_that_gave_way_is_told_of_until_a_terminal_showed_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = say(&alice, "bob", "pump --task");
    alice.down();
    bob.down();
    alice.json(&format!("task due {id} 2030-03-01T17:00Z"));
    bob.json(&format!("task due {id} 2030-03-01T18:00Z"));
    assert!(!alice.run("talk").talk.contains("gave way"), "nothing crossed yet");
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    let crossed = |person: &Person| {
        person.rows(&format!("read {id} --history")).iter().filter(|row| row["gave_way"] == true).count()
    };
    alice.until("talk bob", |_| crossed(&alice) == 1);
    bob.until("talk alice", |_| crossed(&bob) == 1);
    for person in [&alice, &bob] {
        for line in ["talk", "inbox"] {
            let talk = person.run(line).talk;
            let told = talk.lines().filter(|line| line.contains("'s due ")).collect::<Vec<_>>();
            let [told] = told[..] else { panic!("{line}: {talk}") };
            assert!(
                told.contains(" gave way to ") && told.ends_with(&format!("dak read {} --history", &id[..10])),
                "{told}"
            );
        }
        assert_eq!(person.run("talk --json").talk, "");
        let shown = person.on_a_terminal("talk");
        assert!(shown.contains("gave way to"), "{shown}");
        let again = person.on_a_terminal("talk");
        assert!(!again.contains("gave way to"), "{again}");
    }
}

#[test]
fn what_was_sent_anew_is_stopped_withdrawn_and_deleted_with_all_that_it_was_sent_as() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    let send = |text: &str| alice.json(&format!("send {SOMEBODY} {text}"))["id"].as_str().unwrap().to_owned();
    let anew = |id: &str| alice.json(&format!("renew {id}"))["id"].as_str().unwrap().to_owned();
    let is_held = |id: &str| alice.rows("carry list").iter().any(|row| row["id"] == id);
    let (first, second) = (send("secret"), send("other"));
    let renewed = [anew(&first), anew(&first)];
    assert!(!is_held(&first) && !is_held(&renewed[0]) && is_held(&renewed[1]), "the last one goes");
    alice.json(&format!("withdraw {first}"));
    assert!(!renewed.iter().any(|id| is_held(id)), "its words stay here");
    let renewed = anew(&second);
    assert_eq!(alice.rows(&format!("cancel {second}")).len(), 2);
    assert!(!is_held(&renewed));
    assert_eq!(alice.run(&format!("delete {second}")).code, 0);
    for id in [&second, &renewed] {
        assert_eq!(alice.run(&format!("read {id}")).code, 4, "nothing of it is left");
    }
}

#[test]
fn what_left_on_a_stick_is_changed_by_a_change() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.down();
    bob.down();
    let place = alice.path("stick");
    std::fs::create_dir(&place).unwrap();
    let id = alice.json("send bob five")["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("stick export {place}")).code, 0);
    alice.json(&format!("edit {id} six"));
    assert_eq!(alice.run(&format!("stick export {place}")).code, 0);
    assert_eq!(bob.run(&format!("stick import {place}")).code, 0);
    let rows = bob.rows("talk alice");
    assert_eq!((rows.len(), &rows[0]["text"], &rows[0]["edited"]), (1, &"six".into(), &true.into()));
}

#[test]
fn what_was_sent_anew_goes_with_the_words_that_were_put_there_before_it_left() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    say(&alice, "bob", "before");
    alice.down();
    bob.down();
    let first = alice.json("send bob five --task")["id"].as_str().unwrap().to_owned();
    let second = alice.json(&format!("renew {first}"))["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("pin {first}")).code, 0);
    let third = alice.json(&format!("edit {first} six"))["id"].as_str().unwrap().to_owned();
    for id in [&first, &second, &third] {
        assert_eq!(alice.json(&format!("read {id}"))["id"], Value::from(third.clone()), "one message");
    }
    let row = alice.rows("talk bob").pop().unwrap();
    assert_eq!((&row["text"], &row["edited"], &row["pinned"]), (&"six".into(), &false.into(), &true.into()), "{row}");
    let own = alice.rows("carry list").into_iter().filter(|row| row["class"] == "own" && row["kind"] == "message");
    assert_eq!(own.map(|row| row["id"].clone()).collect::<Vec<_>>(), [Value::from(third.clone())]);
    assert_eq!((alice.rows("status").len(), alice.rows("task").len()), (2, 1));
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    bob.until("talk alice", |rows| rows.len() == 2 && rows[1]["text"] == "six" && rows[1]["edited"] == false);
    let told = bob.rows(&format!("read {third} --history"));
    assert!(told.iter().all(|row| row["what"] != "five"), "{told:?}");
    bob.json(&format!("react {third} thanks"));
    alice.until("talk bob", |rows| rows.last().unwrap()["reactions"][0]["emoji"] == "thanks");
}

#[test]
fn a_message_that_was_deleted_stays_deleted_when_it_is_sent_anew_and_its_sender_hears_that_it_came() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.down();
    bob.down();
    let place = alice.path("stick");
    std::fs::create_dir(&place).unwrap();
    let by_hand = |from: &Person, to: &Person| {
        for (person, what) in [(from, "export"), (to, "import")] {
            assert_eq!(person.run(&format!("stick {what} {place}")).code, 0);
        }
    };
    let id = alice.json("send bob five")["id"].as_str().unwrap().to_owned();
    by_hand(&alice, &bob);
    assert_eq!(bob.run(&format!("delete {id}")).code, 0);
    let anew = alice.json(&format!("renew {id}"))["id"].as_str().unwrap().to_owned();
    by_hand(&alice, &bob);
    assert_eq!((bob.rows("inbox --all").len(), bob.rows("talk alice").len()), (0, 0));
    assert_eq!(bob.run("doctor --reindex").code, 0);
    assert_eq!(bob.rows("talk alice").len(), 0);
    by_hand(&bob, &alice);
    assert_eq!(alice.json(&format!("status {anew}"))["state"], "delivered");
}

//! The record leaves in forms that others read, says what it weighs, and is made smaller on demand.

use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

fn two_with_words() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan.bin", &[7; 3_000]);
    alice.json(&format!("send bob one -f {file} --wait=delivered --timeout 30s"));
    bob.json("send alice two --wait=delivered --timeout 30s");
    (alice, bob)
}

#[test]
fn an_export_has_both_sides_with_their_files_and_what_is_known_of_them() {
    let (alice, bob) = two_with_words();
    let rows = bob.rows("export alice");
    assert_eq!(rows.iter().map(|row| row["text"].as_str().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((&rows[0]["signature"], &rows[1]["signature"]), (&"verified on arrival".into(), &"own".into()));
    assert!(rows[1]["events"].as_array().unwrap().iter().any(|event| event["what"] == "delivered"));
    assert!(rows[0]["content"].as_str().unwrap().contains(&"07".repeat(3_000)), "the file is in it");
    bob.json(&format!("react {} 👍", rows[0]["id"].as_str().unwrap()));
    assert_eq!(bob.rows("export --all").len(), 3, "changes are part of the record");

    let markdown = alice.run("export bob --format markdown").data;
    assert!(markdown.starts_with("# bob\n") && markdown.contains("> one\n> [plan.bin (2.9 KiB)]\n"), "{markdown}");
    let path = alice.path("bob.mbox");
    assert_eq!(alice.run(&format!("export bob --format mbox -o {path}")).code, 0);
    let mbox = std::fs::read_to_string(&path).unwrap();
    assert_eq!(mbox.matches("\nMessage-ID: <").count(), 2, "{mbox}");
    assert!(mbox.starts_with("From dak@localhost ") && mbox.contains("filename*=utf-8''plan.bin\n"), "{mbox}");
    assert_eq!(alice.run(&format!("export bob --format mbox -o {path}")).code, 1, "nothing is written over");
    assert_eq!(alice.run("export").code, 2);
    assert_eq!(alice.run("export nobody").code, 4);
}

#[test]
fn space_is_told_and_freed_by_the_command_it_names() {
    let (_alice, bob) = two_with_words();
    let weight = |what: &str| {
        let rows = bob.rows("space");
        rows.iter().filter(|row| row["what"] == what).map(|row| row["bytes"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(weight("files"), 3_000);
    assert!(weight("conversation") > 3_000);
    assert_eq!(bob.json("purge --files-only --dry-run")["files"], 1);
    assert_eq!(weight("files"), 3_000, "it was only asked");
    assert_eq!(bob.json("purge --files-only --larger-than 1M --yes")["files"], 0);
    assert_eq!(bob.json("purge --files-only --yes")["bytes"], 3_000);
    assert_eq!(weight("files"), 0);
    let rows = bob.rows("talk alice");
    assert_eq!((&rows[0]["text"], &rows[0]["files"][0]["name"]), (&"one".into(), &"plan.bin".into()));
    assert_eq!(bob.json("purge --older-than 1d --yes")["messages"], 0);
    for line in ["purge", "purge --larger-than 1k", "purge --from nobody"] {
        assert_ne!(bob.run(line).code, 0, "{line}");
    }
    let purged = bob.json("purge --from alice --yes");
    assert!(purged["messages"].as_u64().unwrap() >= 1, "{purged}");
    assert_eq!(bob.rows("inbox").len(), 0);
}

#[test]
fn a_record_that_keeps_so_long_deletes_by_itself_what_is_older_and_says_so() {
    let (mut alice, bob) = two_with_words();
    assert_eq!(alice.rows("search one").len(), 1);
    assert_eq!(alice.run("config set keep 0s").code, 2);
    let set = alice.run("config set keep 3s");
    assert!(set.code == 0 && set.talk.contains("unread, pinned, snoozed, labelled or a task that is open"), "{set:?}");
    assert_eq!(alice.rows("export --all").len(), 2, "it counts from the next start");
    assert_eq!(alice.rows("talk bob --mark-read").len(), 2);
    alice.down();
    alice.up("");
    let space = alice.rows("space");
    assert_eq!((&space[0]["what"], &space[0]["keep_ms"]), (&"record".into(), &3_000.into()));
    assert!(alice.run("space").data.contains("(deleted after 3s, unless unread, pinned, labelled or an open task)"));
    alice.until("export --all", |rows| rows.is_empty());
    assert_eq!(alice.rows("search one").len(), 0);
    assert_eq!(bob.rows("export --all").len(), 2, "others keep what they have");
    let (row, config) = (bob.rows("space")[0].clone(), bob.rows("config show"));
    assert!(row.get("keep_ms").is_none(), "{row}");
    assert!(config.iter().any(|row| row["key"] == "keep" && row["value"] == ""), "off unless it is set");
}

#[test]
fn what_is_old_and_needed_still_does_not_go_by_itself() {
    let (mut alice, bob) = two_with_words();
    for text in ["pinned", "labelled", "task --task", "nothing"] {
        bob.json(&format!("send alice {text} --wait=delivered --timeout 30s"));
    }
    let id = |text: &str| {
        let rows = alice.rows("inbox --all");
        rows.into_iter().find(|row| row["text"] == text).unwrap()["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(alice.run(&format!("pin {}", id("pinned"))).code, 0);
    assert_eq!(alice.run(&format!("label add later {}", id("labelled"))).code, 0);
    let task = id("task");
    for text in ["pinned", "labelled", "task", "nothing"] {
        alice.json(&format!("read {}", id(text)));
    }
    assert_eq!(alice.run("config set keep 2s").code, 0);
    alice.down();
    alice.up("");
    let left = |rows: &[Value]| rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    alice.until("talk bob", |rows| left(rows) == ["two", "pinned", "labelled", "task"]);
    alice.json(&format!("task done {task}"));
    alice.rows("talk bob --mark-read");
    alice.until("talk bob", |rows| left(rows) == ["pinned", "labelled"]);
}

/// A row of an export without what an import is declared not to bring back: numbers of this home, lateness, how signatures
/// are known, names and places, which are the home's own.
fn as_imported(mut row: Value) -> Value {
    let fields = row.as_object_mut().unwrap();
    for field in ["event", "late", "signature", "imported", "labels", "pinned", "archived", "snoozed_until", "muted"] {
        fields.remove(field);
    }
    strip_names(&mut row);
    row
}

fn strip_names(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A name, or the address where there is none.
            if fields.contains_key("who_address") {
                fields.remove("who");
            }
            if fields.contains_key("address") {
                fields.remove("name");
            }
            fields.values_mut().for_each(strip_names);
        }
        Value::Array(values) => values.iter_mut().for_each(strip_names),
        _ => {}
    }
}

fn exported(person: &Person) -> Vec<Value> {
    person.rows("export --all").into_iter().map(as_imported).collect()
}

/// Two who said things to each other and changed them: threads, edits, reactions, a task, a note and something withdrawn.
fn two_with_a_past() -> (Person, Person) {
    let (alice, bob) = two_with_words();
    let ids: Vec<String> = bob.rows("talk alice").iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    bob.json(&format!("reply {} three -s subject --wait=delivered --timeout 30s", ids[0]));
    bob.json(&format!("react {} 👍", ids[0]));
    alice.json(&format!("edit {} uno", ids[0]));
    alice.json(&format!("task add {} --assign bob --due 2030-03-01T17:00Z", ids[1]));
    let gone = alice.json("send bob secret --wait=delivered --timeout 30s")["id"].as_str().unwrap().to_owned();
    alice.json(&format!("withdraw {gone}"));
    alice.json(&format!("send {} note", alice.json("me")["address"].as_str().unwrap()));
    let is_whole = |rows: &[Value]| {
        rows.len() == 4
            && rows.iter().any(|row| row["text"] == "uno" && row["reactions"].as_array().unwrap().len() == 1)
            && rows.iter().any(|row| row["task"]["due"] == "2030-03-01T17:00:00Z")
            && rows.iter().any(|row| row["withdrawn"] == true)
    };
    for (person, other) in [(&alice, "bob"), (&bob, "alice")] {
        person.until(&format!("talk {other}"), is_whole);
        person.until("status", |rows| rows.iter().all(|row| row["state"] == "delivered"));
    }
    (alice, bob)
}

#[test]
fn an_export_that_is_imported_into_a_new_home_is_the_same_there_and_twice_is_once() {
    let (alice, _bob) = two_with_a_past();
    let file = alice.path("all.jsonl");
    assert_eq!(alice.run(&format!("export --all -o {file}")).code, 0);
    let before = exported(&alice);
    let mut heir = Person::new("heir");
    heir.up("");
    let ran = heir.run(&format!("import {file}"));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert!(ran.data.contains(&format!("{} imported, not verified here", before.len())), "{}", ran.data);
    assert_eq!(exported(&heir), before);
    let rows = heir.rows("export --all");
    assert!(rows.iter().all(|row| row["signature"] == "imported, not verified here" && row["imported"] == true));
    let again = heir.json(&format!("import {file}"));
    assert_eq!((&again["imported"], &again["known"]), (&0.into(), &before.len().into()));
    assert_eq!(exported(&heir), before, "twice is once");
    // Killed and read again, and taken on by a third one without a node.
    heir.signal(rustix::process::Signal::KILL);
    assert_eq!(exported(&heir), before);
    assert_eq!(heir.rows("search uno").len(), 1);
    assert_eq!(heir.rows("carry list").len(), 0, "nothing is sent again");
    let words = heir.run(&format!("read {}", before[0]["id"].as_str().unwrap())).data;
    assert!(words.contains("imported, not verified here"), "{words}");
    let second = heir.path("second.jsonl");
    assert_eq!(heir.run(&format!("export --all -o {second}")).code, 0);
    let mut third = Person::new("third");
    third.up("");
    third.down();
    assert_eq!(third.json(&format!("import {second}"))["imported"], before.len());
    assert_eq!(exported(&third), before);
}

#[test]
fn what_was_purged_comes_back_from_an_export_and_nothing_else_changes() {
    let (alice, bob) = two_with_a_past();
    let file = bob.path("all.jsonl");
    assert_eq!(bob.run(&format!("export --all -o {file}")).code, 0);
    let before = exported(&bob);
    bob.json("purge --from alice --yes");
    assert!(exported(&bob).len() < before.len());
    assert_eq!(bob.run(&format!("import {file}")).code, 0);
    let sorted = |mut rows: Vec<Value>| {
        rows.sort_by_key(|row| row["id"].as_str().unwrap().to_owned());
        rows
    };
    assert_eq!(sorted(exported(&bob)), sorted(before));
    let refused = alice.run(&format!("--json import {file}"));
    assert_eq!(refused.code, 1, "bob's own words are not hers");
    assert_eq!(alice.rows("talk bob").len(), 4);
}

#[test]
fn lines_that_are_no_row_are_named_by_number_and_all_others_are_taken() {
    let (alice, _bob) = two_with_a_past();
    let export = alice.run("--json export --all").data;
    let lines: Vec<&str> = export.lines().collect();
    let first: Value = serde_json::from_str(lines[0]).unwrap();
    let broken = |field: &str, value: Value| {
        let mut row = first.clone();
        row[field] = value;
        row.to_string()
    };
    let hostile = [
        "{".to_owned(),
        "[]".into(),
        "\u{1b}[2J".into(),
        lines[0][..lines[0].len() / 2].to_owned(),
        broken("id", "no id".into()),
        broken("content", "00".repeat(40).into()),
        broken("content", "zz".into()),
        broken("lifetime_ms", u64::MAX.into()),
        broken("from", serde_json::json!({ "name": "x", "address": "dak:nobody" })),
        "x".repeat(17 << 20),
    ];
    let text = [&hostile[..], &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), &["{\"id\":".into()]];
    let file = alice.file("damaged.jsonl", text.concat().join("\n").as_bytes());
    let mut heir = Person::new("heir");
    heir.up("");
    let ran = heir.run(&format!("import {file}"));
    assert_eq!(ran.code, 1, "{}", ran.talk);
    for line in (1..=hostile.len()).chain([hostile.len() + lines.len() + 1]) {
        assert!(ran.talk.contains(&format!("line {line}: ")), "line {line}: {}", ran.talk);
    }
    assert!(ran.talk.contains("11 lines are no row") && !ran.talk.contains('\u{1b}'), "{}", ran.talk);
    assert!(ran.data.contains(&format!("{} imported", lines.len())), "{}", ran.data);
    assert_eq!(exported(&heir), exported(&alice));
    assert_eq!(heir.run("import /nowhere").code, 2);
    assert_eq!(heir.json(&format!("import {}", alice.file("empty", b"")))["imported"], 0);
}

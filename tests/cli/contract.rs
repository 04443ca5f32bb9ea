//! The contract with programs: the fields of every listing, all of them and no others, by name and by what they hold.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::acquaint;
use crate::person::{Person, Running};

/// A field's name, and what it holds. With `?` that may be null, with `~` the field is only there where it says something.
type Field = (&'static str, &'static str);

const TALK: &[Field] = &[
    ("schema", "number"),
    ("event", "number"),
    ("id", "id"),
    ("conversation", "address"),
    ("from", "person"),
    ("mine", "flag"),
    ("kind", "text"),
    ("text", "text?"),
    ("subject", "text?"),
    ("thread", "half?"),
    ("replies", "number~"),
    ("in_reply_to", "hex?"),
    ("answers", "answers?"),
    ("sent_at", "time?"),
    ("sent_offset", "number?"),
    ("received_at", "time?"),
    ("late", "flag"),
    ("edited", "flag"),
    ("withdrawn", "flag"),
    ("disappeared", "flag"),
    ("reactions", "reactions"),
    ("task", "task?"),
    ("files", "files"),
    ("forwarded", "forwarded?"),
    ("remark", "text?"),
    ("introduces", "introduces~"),
    ("priority", "text"),
    ("tags", "texts"),
    ("reply_by", "time?"),
    ("state", "text?"),
    ("read", "flag"),
    ("labels", "texts"),
    ("imported", "flag"),
    ("after_leaving", "flag"),
    ("pinned", "flag"),
    ("archived", "flag"),
    ("snoozed_until", "time?"),
    ("muted", "flag"),
    ("expire_after_read_ms", "number~"),
    ("expires_at", "time~"),
    ("unreadable", "text~"),
];
const SEARCH: &[Field] = &[("score", "number"), ("conversation_name", "text?")];
const HAPPENED: &[Field] = &[("what", "text"), ("at", "time?"), ("by", "id~")];
const GONE: &[Field] = &[("schema", "number"), ("event", "number"), ("id", "hex?")];
const TALKS: &[Field] = &[
    ("schema", "number"),
    ("conversation", "address"),
    ("name", "text?"),
    ("unread", "number"),
    ("waiting", "number"),
    ("last_at", "time?"),
    ("last_text", "text?"),
    ("last_mine", "flag"),
    ("request", "flag"),
    ("nickname", "text~"),
    ("pinned", "flag"),
    ("archived", "flag"),
    ("snoozed_until", "time?"),
    ("muted", "flag"),
    ("muted_until", "time?"),
    ("except_mentions", "flag"),
];
const BOARD: &[Field] = &[
    ("schema", "number"),
    ("id", "id"),
    ("text", "text?"),
    ("state", "text"),
    ("assignee", "person?"),
    ("due", "time?"),
    ("conversation", "address"),
    ("from", "person"),
];
const INBOX: &[Field] = &[
    ("schema", "number"),
    ("id", "id"),
    ("from", "text"),
    ("from_address", "address"),
    ("text", "text?"),
    ("subject", "text?"),
    ("thread", "half?"),
    ("in_reply_to", "hex?"),
    ("priority", "text"),
    ("sent_at", "time?"),
    ("sent_offset", "number?"),
    ("received_at", "time?"),
    ("read", "flag"),
    ("tags", "texts"),
    ("reply_by", "time?"),
    ("attachments", "files"),
    ("forwarded", "forwarded?"),
    ("remark", "text?"),
    ("via", "text?"),
    ("forward_secrecy", "flag"),
    ("clock_differs", "flag"),
    ("unreadable", "text?"),
    ("request", "flag"),
    ("group", "text~"),
    ("nickname", "text~"),
    ("introduces", "introduces~"),
    ("labels", "texts"),
    ("imported", "flag"),
    ("after_leaving", "flag"),
    ("pinned", "flag"),
    ("archived", "flag"),
    ("snoozed_until", "time?"),
    ("muted", "flag"),
    ("kind", "text"),
    ("edited", "flag"),
    ("withdrawn", "flag"),
    ("disappeared", "flag"),
    ("reactions", "reactions"),
    ("task", "task?"),
    ("sets", "sets~"),
    ("expire_after_read_ms", "number~"),
    ("expires_at", "time~"),
];
const STATUS: &[Field] = &[
    ("schema", "number"),
    ("id", "id"),
    ("to", "text"),
    ("to_address", "address"),
    ("state", "text"),
    ("events", "events"),
    ("carriers_unlisted", "number"),
    ("priority", "text"),
    ("created_at", "time?"),
    ("expires_at", "time?"),
    ("expire_after_read_ms", "number~"),
    ("draft", "number~"),
    ("meant_at", "time~"),
    ("held_here", "flag"),
    ("forward_secrecy", "flag"),
    ("text", "text?"),
    ("subject", "text?"),
    ("files", "number"),
    ("forwarded", "flag"),
    ("members", "members~"),
    ("sets", "sets~"),
];
const FILE: &[Field] = &[
    ("schema", "number"),
    ("id", "text"),
    ("name", "text"),
    ("bytes", "number"),
    ("have_bytes", "number"),
    ("safe_bytes", "number"),
    ("direction", "text"),
    ("who", "text?"),
    ("who_address", "address"),
    ("folder", "flag"),
    ("state", "text"),
    ("holders", "texts"),
    ("held", "held"),
    ("too_large_for", "texts"),
    ("group", "text~"),
    ("members", "receivers~"),
];
const SUB: &[Field] = &[
    ("schema", "number"),
    ("event", "number"),
    ("id", "id"),
    ("topic", "text"),
    ("endpoint", "text"),
    ("key", "text?"),
    ("from", "person"),
    ("text", "text"),
    ("sent_at", "time?"),
    ("attempt", "number"),
];
const EXPORTED: &[Field] =
    &[("schema", "number"), ("bundles", "number"), ("bytes", "number"), ("left_out", "number"), ("there", "number")];
const IMPORTED: &[Field] = &[
    ("schema", "number"),
    ("new", "number"),
    ("known", "number"),
    ("refused", "number"),
    ("skipped", "number"),
    ("reasons", "reasons"),
];
const SENT: &[Field] = &[
    ("schema", "number"),
    ("id", "id"),
    ("state", "text"),
    ("to", "text"),
    ("to_address", "address"),
    ("expire_after_read_ms", "number~"),
];

/// What rows hold that are values of fields.
const INNER: &[(&str, &[Field])] = &[
    ("person", &[("name", "text?"), ("address", "address")]),
    ("task", &[("state", "text"), ("assignee", "person?"), ("due", "time?")]),
    ("answers", &[("id", "hex"), ("there", "text"), ("from", "person?"), ("mine", "flag"), ("text", "text?")]),
    ("forwarded", &[("author", "person"), ("id", "half"), ("sent_at", "time?"), ("signed", "flag")]),
    ("introduces", &[("name", "text"), ("address", "address"), ("known_as", "text?")]),
    ("held", &[("name", "text"), ("bytes", "number")]),
    ("receivers", &[("name", "text?"), ("address", "address"), ("safe_bytes", "number"), ("state", "text")]),
    ("reactions", &[("emoji", "text"), ("who", "person")]),
    ("files", &[("schema", "number"), ("name", "text"), ("bytes", "number"), ("id", "text~"), ("state", "text~")]),
    (
        "events",
        &[
            ("at", "time?"),
            ("what", "text"),
            ("who", "text?"),
            ("who_address", "address~"),
            ("reason", "text~"),
            ("retry_at", "time~"),
        ],
    ),
    ("sets", &[("field", "text"), ("what", "text"), ("who", "person~")]),
    ("members", &[("name", "text?"), ("address", "address"), ("state", "text")]),
    ("reasons", &[("file", "text"), ("why", "text")]),
];
const LISTS: [&str; 8] = ["reactions", "files", "events", "sets", "members", "receivers", "reasons", "held"];

/// Panics where a row has a field too many, one too few, or something else in one.
fn check(line: &str, row: &Value, fields: &[Field]) {
    let there: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    let known: BTreeSet<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert!(there.is_subset(&known), "{line}: what nobody was promised: {:?}", there.difference(&known));
    for (name, kind) in fields {
        let Some(value) = row.get(name) else {
            assert!(kind.ends_with('~'), "{line}: {name} is missing in {row}");
            continue;
        };
        let may_be_null = kind.ends_with('?');
        let kind = kind.trim_end_matches(['?', '~']);
        assert!(may_be_null && value.is_null() || holds(line, value, kind), "{line}: {name} is no {kind}: {value}");
    }
}

fn holds(line: &str, value: &Value, kind: &str) -> bool {
    let text = value.as_str().unwrap_or_default();
    let hex = |many: &[usize]| many.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_hexdigit());
    match kind {
        "text" => value.is_string(),
        "number" => value.is_i64() || value.is_u64(),
        "flag" => value.is_boolean(),
        "texts" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        "time" => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
        "address" => text.starts_with("dak:12D3KooW"),
        "id" => hex(&[64]),
        "half" => hex(&[32]),
        "hex" => hex(&[32, 64]),
        inner => {
            let (_, fields) = INNER.iter().find(|(name, _)| *name == inner).expect("every kind is described");
            match LISTS.contains(&inner) {
                true => value.as_array().unwrap().iter().for_each(|row| check(line, row, fields)),
                false => check(line, value, fields),
            }
            true
        }
    }
}

/// Checks all rows of a command, which are some; returns the fields that say something in one of them.
fn checked(person: &Person, line: &str, fields: &[&[Field]]) -> BTreeSet<String> {
    let rows = person.rows(line);
    assert!(!rows.is_empty(), "{line}");
    rows.iter().for_each(|row| check(line, row, &fields.concat()));
    let says = |(_, value): &(&String, &Value)| !value.is_null() && value.as_array().is_none_or(|all| !all.is_empty());
    rows.iter().flat_map(|row| row.as_object().unwrap().iter().filter(says).map(|(name, _)| name.clone())).collect()
}

/// Everything that rows can be about, between two who know each other.
fn two_with_everything() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan.txt", b"at six");
    let sent = |person: &Person, args: &[&str]| {
        let ran = person.run_args(&[args, &["--wait", "--timeout", "60s", "--json"][..]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.talk);
        check("send", &ran.json(), SENT);
        ran.json()["id"].as_str().unwrap().to_owned()
    };
    let told = |person: &Person, line: String| check(&line, &person.json(&line), SENT);
    let first =
        sent(&alice, &["send", "bob", "pump", "-s", "camp", "-f", &file, "--reply-by", "3d", "--tag", "question"]);
    sent(&bob, &["reply", &first, "pump again"]);
    sent(&bob, &["forward", &first, "alice", "see pump"]);
    sent(&alice, &["send", "bob", "pump secret", "--expire-after-read", "1h"]);
    sent(&alice, &["send", "bob", "pump gone", "--reply-by", "3d"]);
    told(&bob, format!("react {first} 👍"));
    told(&bob, format!("task add {first} --assign alice --due 3d"));
    told(&alice, format!("edit {first} pumps-and-valves"));
    assert_eq!(alice.run("contact share bob --with bob").code, 2);
    for (person, who) in [(&alice, "bob"), (&bob, "alice")] {
        let is_whole = |row: &Value| row["edited"] == true && row["task"]["due"].is_string();
        person.until(&format!("talk {who}"), |rows| rows.len() == 5 && is_whole(&rows[0]));
        person.until("status", |rows| rows.iter().all(|row| row["state"] == "delivered"));
        assert_eq!(person.run(&format!("label add plans {first}")).code, 0);
    }
    (alice, bob)
}

#[test]
fn every_listing_has_the_fields_that_programs_were_promised_and_no_others() {
    let (alice, bob) = two_with_everything();
    for (person, who) in [(&alice, "bob"), (&bob, "alice")] {
        let said = checked(person, &format!("talk {who}"), &[TALK]);
        for field in ["subject", "thread", "answers", "reactions", "task", "files", "forwarded", "reply_by", "labels"] {
            assert!(said.contains(field), "{field} was never said: {said:?}");
        }
        let found = checked(person, "search pump*", &[TALK, SEARCH]);
        assert!(found.contains("score"));
        checked(person, "search has:file", &[TALK, SEARCH]);
    }
    checked(&alice, "talk", &[TALKS]);
    checked(&alice, "task --all", &[BOARD]);
    checked(&alice, "task --mine", &[BOARD]);
    let said = checked(&bob, "inbox", &[INBOX]);
    for field in ["subject", "attachments", "reply_by", "tags", "task", "reactions"] {
        assert!(said.contains(field), "{field}: {said:?}");
    }
    checked(&bob, "inbox --due", &[INBOX]);
    let said = checked(&bob, "status", &[STATUS]);
    assert!(said.contains("sets") && said.contains("events"), "{said:?}");
    let id = bob.rows("status")[0]["id"].as_str().unwrap().to_owned();
    checked(&bob, &format!("status {id}"), &[STATUS]);
}

#[test]
fn files_topics_and_sticks_have_the_fields_that_programs_were_promised() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("survey.bin", &[7; 100_000]);
    alice.json(&format!("send bob -f {file}"));
    bob.until("file", |rows| rows.len() == 1 && rows[0]["state"] == "here");
    checked(&alice, "file", &[FILE]);
    checked(&bob, "file", &[FILE]);
    alice.json("topic create sensors/temp");
    alice.json("pub sensors/temp 20.5 --key camp");
    let said = checked(&alice, "sub sensors/temp", &[SUB]);
    assert!(said.contains("key"), "{said:?}");
    bob.down();
    alice.json("send bob by-hand");
    let place = alice.path("stick/");
    check("stick export", &alice.json(&format!("stick export {place}")), EXPORTED);
    std::fs::write(format!("{place}/garbage"), b"GIF89a").unwrap();
    let row = bob.json(&format!("stick import {place}"));
    check("stick import", &row, IMPORTED);
    assert_eq!(row["reasons"].as_array().unwrap().len(), 1, "{row}");
}

/// The next event, whose fields are as promised.
fn next(follow: &mut Running) -> Value {
    let row: Value = serde_json::from_str(&follow.line()).unwrap();
    match row.get("conversation") {
        Some(_) => check("talk --follow", &row, &[TALK, HAPPENED].concat()),
        None => check("talk --follow", &row, &[GONE, HAPPENED].concat()),
    }
    row
}

#[test]
fn events_have_every_kind_and_go_on_without_a_gap_over_restarts() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = alice.json("send bob one --wait=delivered --timeout 60s")["id"].as_str().unwrap().to_owned();
    bob.json("send alice two --wait=delivered --timeout 60s");
    for line in [format!("react {id} 👍"), format!("read {id}"), format!("unread {id}")] {
        assert_eq!(bob.run(&line).code, 0, "{line}");
    }
    bob.until("status", |rows| rows.iter().all(|row| row["state"] == "delivered"));
    assert_eq!(bob.run(&format!("delete {id}")).code, 0);
    let (mut kinds, mut numbers) = (BTreeSet::new(), Vec::new());
    let mut since = 0;
    while !kinds.contains("deleted") {
        let mut follow = bob.spawn(&format!("--json talk --follow --since {since}"));
        // A few of them, then the node and whoever follows it are gone.
        for _ in 0..3 {
            let row = next(&mut follow);
            since = row["event"].as_u64().unwrap();
            numbers.push(since);
            kinds.insert(row["what"].as_str().unwrap().to_owned());
            if row["what"] == "deleted" {
                break;
            }
        }
        bob.signal(rustix::process::Signal::KILL);
        bob.up("");
    }
    assert_eq!(numbers, (1..=since).collect::<Vec<_>>(), "none is missing and none comes twice");
    let all = ["change", "deleted", "message", "read", "state", "unread"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
    let ran = bob.run(&format!("--json talk --follow --since {}", since + 1_000));
    let error: Value = serde_json::from_str(&ran.talk).unwrap();
    assert_eq!((ran.code, &error["exit_code"], &error["error"]["next"]["step"]), (9, &9.into(), &"follow_from".into()));
    assert!(error["error"]["next"]["event"].is_u64(), "{error}");
}

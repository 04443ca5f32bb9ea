//! Search: what was said is found by its words, whatever happened to the index.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::person::Person;
use crate::{PATIENCE, acquaint};

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

fn found(person: &Person, query: &str) -> Vec<Value> {
    let ran = person.run_args(&["search", query, "--json"]);
    assert_eq!(ran.code, 0, "{query}: {}", ran.talk);
    ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a query finds, in no order.
fn finds(person: &Person, query: &str) -> BTreeSet<String> {
    texts(&found(person, query)).into_iter().map(str::to_owned).collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The files of an index that have words.
fn segments(person: &Person) -> BTreeSet<String> {
    let entries = fs::read_dir(person.home().join("search")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".term")).collect()
}

/// Alice and bob, who said these things to each other.
fn talked() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    for text in [PUMP, CHINESE, ARABIC] {
        assert_eq!(alice.run_args(&["send", "bob", text, "--wait", "--timeout", "30s"]).code, 0);
    }
    let file = bob.file("valve.txt", b"turn left");
    for more in [&["-s", "dinner"][..], &["-f", &file]] {
        let line = [&["send", "alice", FRENCH, "--wait", "--timeout", "30s"], more].concat();
        assert_eq!(bob.run_args(&line).code, 0);
    }
    (alice, bob)
}

const PUMP: &str = "The pump at camp three is mended";
const CHINESE: &str = "请修水泵站 before the pump";
const ARABIC: &str = "إلى المضخّة";
const FRENCH: &str = "Crème brûlée beside the Pump";

#[test]
fn words_of_both_sides_are_found_in_any_script_the_best_first_with_the_node_and_without() {
    let (mut alice, mut bob) = talked();
    assert!(!alice.home().join("search").exists(), "nothing is indexed as it is filed");
    for closed in [false, true] {
        if closed {
            alice.signal(Signal::KILL);
            bob.down();
        }
        assert_eq!(finds(&alice, "PUMP"), set(&[PUMP, CHINESE, FRENCH]));
        for (query, text) in [
            ("pump camp", PUMP),
            ("\"camp three\"", PUMP),
            ("mend*", PUMP),
            ("水泵", CHINESE),
            ("站", CHINESE),
            ("الي المضخة", ARABIC),
            ("creme BRULEE", FRENCH),
            ("dinner", FRENCH),
            ("valve", FRENCH),
        ] {
            assert_eq!(finds(&alice, query), set(&[text]), "{query}");
            assert_eq!(finds(&bob, query), set(&[text]), "{query}");
        }
        for query in ["\"three camp\"", "pumps", "泵水", "pump -the", "brul"] {
            assert_eq!(finds(&alice, query), set(&[]), "{query}");
        }
    }
    let rows = found(&alice, "pump");
    let scores: Vec<u64> = rows.iter().map(|row| row["score"].as_u64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| *score > 0), "{scores:?}");
    let talk = alice.rows("talk bob");
    for row in &rows {
        let Some(same) = talk.iter().find(|said| said["id"] == row["id"]) else { panic!("{row} was never said") };
        same.as_object().unwrap().iter().for_each(|(field, value)| assert_eq!(row[field], *value, "{field}"));
    }
    assert_eq!(found(&alice, "pump").len(), 4);
    assert_eq!(alice.rows("search pump --limit 2"), rows[..2]);
    assert_eq!(alice.run("search pump --limit 0").data, "");
}

#[test]
fn filters_narrow_down() {
    let (alice, bob) = talked();
    for (query, texts) in [
        ("pump from:bob", &[FRENCH][..]),
        ("pump from:me", &[PUMP, CHINESE]),
        ("pump to:@bob", &[PUMP, CHINESE]),
        ("pump to:me has:file", &[FRENCH]),
        ("pump -from:bob -camp", &[CHINESE]),
        ("pump in:#bob is:unread", &[FRENCH]),
        ("pump is:read", &[PUMP, CHINESE]),
        ("pump in:me", &[]),
        ("pump after:yesterday before:tomorrow", &[PUMP, CHINESE, FRENCH]),
        ("pump before:yesterday", &[]),
        ("pump after:2020", &[PUMP, CHINESE, FRENCH]),
    ] {
        assert_eq!(finds(&alice, query), set(texts), "{query}");
    }
    let id = found(&alice, "camp")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run_args(&["label", "add", "to do", &id]).code, 0);
    assert_eq!(finds(&alice, "pump label:\"TO do\""), set(&[PUMP]));
    assert_eq!(finds(&alice, "pump -label:\"to do\""), set(&[CHINESE, FRENCH]));
    assert_eq!(alice.run_args(&["search", "pump label:nothing"]).code, 4);
    assert_eq!(found(&alice, "creme has:file").len(), 1);
    assert_eq!(found(&alice, "creme -has:file").len(), 1);
    // Looking for a message is not reading it.
    assert_eq!(alice.rows("inbox --unread").len(), 2);
    assert_eq!(bob.run_args(&["search", "pump from:alice"]).data.lines().count(), 4);
    let nothing = bob.run("search nothing");
    assert_eq!((nothing.code, &*nothing.data, &*nothing.talk), (0, "", "nothing found\n"));
}

#[test]
fn what_is_known_of_messages_finds_them_without_a_word_the_newest_first() {
    let (mut alice, bob) = talked();
    for closed in [false, true] {
        if closed {
            alice.down();
        }
        let found = |query: &str| {
            let rows = found(&alice, query);
            let time = |row: &Value| row["sent_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            let times: Vec<_> = rows.iter().map(time).collect();
            assert!(times.is_sorted_by(|a, b| a >= b), "{query}: {times:?}");
            texts(&rows).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found("from:me"), [ARABIC, CHINESE, PUMP]);
        assert_eq!(found("has:file"), [FRENCH]);
        assert_eq!(found("-has:file"), [FRENCH, ARABIC, CHINESE, PUMP], "of the two alike the one without");
        assert_eq!(found("to:bob -pump"), [ARABIC]);
        assert_eq!(found("is:unread"), [FRENCH, FRENCH]);
        assert_eq!(found("after:yesterday in:bob -from:bob -\"camp three\""), [ARABIC, CHINESE]);
        assert_eq!(found("before:yesterday"), [""; 0]);
        assert_eq!(found("-in:bob"), [""; 0]);
        assert_eq!(alice.rows("search from:me --limit 2").len(), 2);
        // Wanted words of which nothing is left are no words at all.
        assert_eq!(alice.run("search from:nobody").code, 4);
    }
    assert_eq!(finds(&bob, "has:file"), set(&[FRENCH]));
}

#[test]
fn what_is_no_query_says_why() {
    let mut alice = Person::new("alice");
    alice.up("");
    for (query, code) in [
        ("", 2),
        ("- * ?", 2),
        ("-pump", 2),
        ("\"camp three", 2),
        ("pump colour:red", 2),
        ("pump from:", 2),
        ("pump has:wings", 2),
        ("pump after:whenever", 2),
        ("pump from:nobody", 4),
        ("pump in:#nowhere", 4),
        ("\u{1b}[2J\"", 2),
    ] {
        let ran = alice.run_args(&["search", query]);
        assert_eq!((ran.code, &*ran.data, ran.talk.lines().count()), (code, "", 1), "{query}: {}", ran.talk);
        assert!(!ran.talk.contains('\u{1b}'));
    }
    assert_eq!(alice.run("search").code, 2);
    assert_eq!(alice.run("search pump --limit many").code, 2);
}

#[test]
fn what_comes_is_found_and_what_is_deleted_is_not() {
    let (alice, bob) = talked();
    assert_eq!(finds(&alice, "pump").len(), 3);
    let own = found(&alice, "水泵")[0]["id"].as_str().unwrap().to_owned();
    let came = found(&alice, "dinner")[0]["id"].as_str().unwrap().to_owned();
    let before = segments(&alice);
    assert_eq!(alice.run(&format!("inbox delete {came} {own}")).code, 0);
    assert!(before.is_disjoint(&segments(&alice)), "the files that had the words are gone before it answers");
    assert_eq!((finds(&alice, "水泵"), finds(&alice, "dinner")), (set(&[]), set(&[])));
    assert_eq!(found(&alice, "pump").len(), 2);
    alice.json("send bob pump-once-more --wait --timeout 30s");
    assert_eq!(found(&alice, "pump").len(), 3);
    assert_eq!(finds(&bob, "\"pump once more\""), set(&["pump-once-more"]));
}

#[test]
fn a_purge_takes_what_it_deletes_out_of_the_index_before_it_answers() {
    let (alice, _bob) = talked();
    assert_eq!(found(&alice, "pump").len(), 4);
    let before = segments(&alice);
    assert_eq!(alice.run("purge --from bob --yes").code, 0);
    assert!(before.is_disjoint(&segments(&alice)));
    assert_eq!(found(&alice, "pump").len(), 0);
}

#[test]
fn edited_words_are_found_and_withdrawn_ones_are_not_and_leave_the_disk_by_themselves() {
    let (alice, bob) = talked();
    let id = found(&alice, "camp")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(finds(&bob, "camp"), set(&[PUMP]));
    assert_eq!(alice.run_args(&["edit", &id, "The valve at camp three is mended"]).code, 0);
    let edited = set(&["The valve at camp three is mended"]);
    for person in [&alice, &bob] {
        person.until("search \"valve_at\"", |rows| rows.len() == 1);
        assert_eq!((finds(person, "valve -has:file"), finds(person, "camp")), (edited.clone(), edited.clone()));
        assert_eq!(finds(person, "pump camp"), set(&[]));
    }
    let before = [&alice, &bob].map(segments);
    assert_eq!(alice.run(&format!("withdraw {id}")).code, 0);
    assert!(!before[0].is_subset(&segments(&alice)), "the file that had the words is gone before it answers");
    let started = Instant::now();
    while before[1].is_subset(&segments(&bob)) {
        assert!(started.elapsed() < PATIENCE, "nobody searches, and the words are there for ever");
        std::thread::sleep(Duration::from_millis(50));
    }
    for person in [&alice, &bob] {
        assert_eq!((finds(person, "camp"), finds(person, "valve -has:file")), (set(&[]), set(&[])));
    }
}

#[test]
fn an_index_that_is_cut_damaged_or_gone_is_made_anew_by_itself_and_on_demand() {
    let (mut alice, _bob) = talked();
    alice.signal(Signal::KILL);
    let place = alice.home().join("search");
    let wanted = set(&[PUMP, CHINESE, FRENCH]);
    assert_eq!(finds(&alice, "pump"), wanted);
    let mut cut = 0;
    for n in 0.. {
        let mut files: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let Some(file) = files.get(n) else { break };
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(finds(&alice, "pump"), wanted, "{}", file.display());
        cut += 1;
    }
    assert!(cut > 5, "{cut}");
    fs::remove_dir_all(&place).unwrap();
    assert_eq!(finds(&alice, "pump"), wanted);
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "something else").unwrap();
    assert_eq!(finds(&alice, "pump"), wanted);
    alice.up("");
    for _ in 0..2 {
        let told = alice.run("doctor --reindex");
        assert_eq!((told.code, &*told.data), (0, "ok    search: 5 messages are indexed anew\n"), "{}", told.talk);
        assert_eq!(finds(&alice, "pump"), wanted);
    }
}

#[test]
fn a_node_that_is_killed_over_its_index_finds_everything_later() {
    let mut alice = Person::new("alice");
    alice.up("");
    // Enough to be at it for a while.
    for n in 0..8 {
        let text: Vec<String> = (0..12_000).map(|m| format!("{n}w{m}")).collect();
        assert_eq!(alice.run_args(&["send", "me", &text.join(" ")]).code, 0);
    }
    let place = alice.home().join("search");
    for stage in ["", "meta.json", ".fast", ".fast"] {
        let mut search = alice.spawn("search --limit 0 3w11999");
        let started = Instant::now();
        let is_there = || match fs::read_dir(&place) {
            Ok(mut names) => {
                stage.is_empty()
                    || names.any(|name| name.is_ok_and(|name| name.file_name().to_string_lossy().ends_with(stage)))
            }
            Err(_) => false,
        };
        while !is_there() {
            assert!(started.elapsed() < PATIENCE, "{stage}");
            std::thread::sleep(Duration::from_millis(1));
        }
        alice.signal(Signal::KILL);
        search.end();
        alice.up("");
    }
    for n in 0..8 {
        assert_eq!(found(&alice, &format!("{n}w0 {n}w11999")).len(), 1, "{n}");
    }
    assert_eq!(found(&alice, "3w*").len(), 1);
}

#[test]
fn a_backup_has_no_index_and_what_it_brings_back_is_found() {
    let (alice, _bob) = talked();
    assert_eq!(finds(&alice, "creme"), set(&[FRENCH]));
    let (backup, passphrase) = (alice.path("backup"), alice.file("passphrase", b"correct horse\n"));
    assert_eq!(alice.run(&format!("backup {backup} --passphrase-file {passphrase}")).code, 0);
    let heir = Person::new("alice");
    assert_eq!(heir.run(&format!("restore {backup} --passphrase-file {passphrase}")).code, 0);
    assert!(!heir.home().join("search").exists());
    assert_eq!(finds(&heir, "pump"), set(&[PUMP, CHINESE, FRENCH]));
}

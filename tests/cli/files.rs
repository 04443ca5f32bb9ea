//! Files in parts: between two homes, by a carrier, through kills, and what is refused.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

/// Bytes that do not repeat.
pub fn bytes(len: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

pub fn is(state: &'static str) -> impl Fn(&[Value]) -> bool {
    move |rows| rows.iter().any(|row| row["state"] == state)
}

pub fn only_entry(directory: &str) -> Vec<u8> {
    let entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    fs::read(entry).unwrap()
}

/// Bytes of all files below a directory.
pub fn weight(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let weight = |path: &Path| if path.is_dir() { weight(path) } else { path.metadata().map_or(0, |file| file.len()) };
    entries.map(|entry| weight(&entry.unwrap().path())).sum()
}

#[test]
fn a_folder_with_the_key_of_the_home_in_it_goes_to_nobody() {
    let mut alice = Person::new("alice");
    alice.up("");
    let home = alice.home();
    for folder in [home.as_path(), home.parent().unwrap()] {
        let ran = alice.run_args(&["send", "me", "all of it", "-f", folder.to_str().unwrap()]);
        assert!(ran.code == 5 && ran.talk.contains("has the key of this home in it"), "{} {}", ran.code, ran.talk);
    }
    assert!(alice.rows("file").is_empty());
}

#[test]
fn a_large_file_reaches_a_neighbour_whole_and_the_original_may_go() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let survey = bytes(3_000_000);
    let path = alice.file("survey.tar", &survey);
    let small = alice.file("note", b"at six");
    let sent = alice.run_args(&["send", "bob", "the survey", "-f", &path, "-f", &small, "--json"]).json();
    fs::remove_file(&path).unwrap();
    bob.until("file", is("here"));
    let row = &bob.rows("file")[0];
    let id = format!("{}/2", &sent["id"].as_str().unwrap()[..10]);
    let wanted = serde_json::json!({"id": id, "name": "survey.tar", "bytes": 3_000_000, "have_bytes": 3_000_000,
        "safe_bytes": 3_000_000, "direction": "in", "who": "alice"});
    wanted.as_object().unwrap().iter().for_each(|(key, value)| assert_eq!(row[key], *value, "{key}"));
    alice.until("file", is("sent"));
    let row = &alice.rows("file")[0];
    assert_eq!((&row["direction"], &row["who"], &row["safe_bytes"]), (&"out".into(), &"bob".into(), &3_000_000.into()));

    assert_eq!(bob.rows("inbox").len(), 1, "its parts are no messages");
    assert_eq!((alice.rows("status").len(), alice.rows("talk bob").len()), (1, 1));
    let letter = bob.json(&format!("read {}", &id[..10]));
    let files: Vec<_> = letter["attachments"].as_array().unwrap().iter().map(|f| (&f["name"], &f["state"])).collect();
    assert_eq!(files, [(&"note".into(), &"here".into()), (&"survey.tar".into(), &"here".into())]);

    let got = bob.path("got");
    assert_eq!(bob.run(&format!("file save {id} {got}")).code, 0);
    assert!(only_entry(&got) == survey);
    assert_eq!(bob.run(&format!("file save {} {got}", &id[..10])).code, 0, "there is one that came in parts");
    assert_eq!(fs::read_dir(&got).unwrap().count(), 2, "nothing is written over");
    let all = bob.path("all");
    assert_eq!(bob.rows(&format!("file --save-all {all}")).len(), 1);
    assert!(only_entry(&all) == survey);
    let saved = bob.path("saved");
    assert_eq!(bob.run(&format!("read {} --save {saved}", &id[..10])).code, 0);
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 2, "what rides inside, and what came in parts");
    assert_eq!(bob.run("search survey.tar --json").data.lines().count(), 1);

    // A message that is deleted takes its file along, and one that stays keeps it.
    assert!(weight(&bob.home().join("files")) > 3_000_000);
    assert_eq!(bob.run(&format!("delete {}", &id[..10])).code, 0);
    assert_eq!(weight(&bob.home().join("files")), 0);
    assert!(bob.rows("file").is_empty());
    assert_eq!(bob.rows("doctor").iter().filter(|row| row["verdict"] == "bad").count(), 0);
}

#[test]
fn a_file_travels_with_a_carrier_who_is_the_only_link() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    let carols = carol.up("")["peer_id"].as_str().unwrap().to_owned();
    let alices = alice.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    let bobs = bob.up("")["peer_id"].as_str().unwrap().to_owned();
    for (person, name, key) in [(&alice, "bob", &bobs), (&bob, "alice", &alices), (&bob, "carol", &carols)] {
        assert_eq!(person.run(&format!("contact add {name} {key}")).code, 0);
    }
    bob.down();
    alice.until("peers", |peers| !peers.is_empty());
    let photo = bytes(1_500_000);
    let path = alice.file("photo.jpg", &photo);
    alice.run_args(&["send", "bob", "-f", &path]);
    alice.until("file", |rows| rows[0]["safe_bytes"] == 1_500_000);
    let row = &alice.rows("file")[0];
    assert_eq!(row["holders"].as_array().unwrap().len(), 1, "{row}");
    alice.down();
    bob.up(&format!("--peer {}", carol.place()));
    bob.until("file", is("here"));
    let got = bob.path("got");
    bob.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == photo);
    bob.down();
    alice.up(&format!("--peer {}", carol.place()));
    alice.until("file", is("sent"));
    assert_eq!(weight(&carol.home().join("files")), 0, "a carrier keeps bundles, and no file");
}

#[test]
fn a_kill_of_either_end_in_the_middle_costs_no_part_that_was_there() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let survey = bytes(7_500_000);
    let path = alice.file("survey", &survey);
    alice.run_args(&["send", "bob", "-f", &path]);
    bob.until("file", |rows| rows.iter().any(|row| row["have_bytes"].as_u64().unwrap() > 0));
    bob.signal(Signal::KILL);
    let there = bob.rows("file")[0]["have_bytes"].as_u64().unwrap();
    assert!(there > 0);
    alice.signal(Signal::KILL);
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    assert!(bob.rows("file")[0]["have_bytes"].as_u64().unwrap() >= there);
    bob.until("file", is("here"));
    alice.until("file", is("sent"));
    let got = bob.path("got");
    bob.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == survey);
    assert_eq!(bob.rows("inbox").len(), 1);
}

#[test]
fn what_is_too_large_to_come_by_itself_is_offered_and_comes_when_it_is_asked_for() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let film = bytes(9_000_000);
    let path = alice.file("film", &film);
    alice.down();
    let sent = alice.run_args(&["send", "bob", "a film", "-f", &path, "--json"]).json();
    alice.up(&format!("--peer {}", bob.place()));
    bob.until("file", is("offered"));
    let id = &sent["id"].as_str().unwrap()[..10];
    let beyond = bob.run(&format!("file get {id} --range 9M-12M"));
    assert_eq!((beyond.code, beyond.talk.contains("has 9000000 bytes")), (2, true), "{}", beyond.talk);
    let early = bob.run(&format!("file save {id} {}", bob.path("early")));
    assert_eq!((early.code, early.talk.contains("dak file get")), (5, true), "{}", early.talk);
    assert_eq!(bob.json(&format!("file get {id} --range 0-1M"))["state"], "wanted");
    bob.until("file", |rows| rows[0]["have_bytes"].as_u64().unwrap() >= 1 << 20);
    assert!(alice.rows("file")[0]["state"] != "sent");
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
    let got = bob.path("got");
    bob.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == film);
    alice.until("file", is("sent"));

    // What was purged is offered again.
    let purged = bob.json("purge --files-only --larger-than 1M --yes");
    assert_eq!((&purged["files"], &purged["bytes"]), (&1.into(), &9_000_000.into()));
    assert_eq!((bob.rows("file")[0]["state"].as_str(), weight(&bob.home().join("files"))), (Some("offered"), 0));
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
}

#[test]
fn each_person_says_what_comes_by_itself_and_who_sends_hears_of_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let far = bob.run("config set push_limit 65M");
    assert_eq!((far.code, far.talk.contains("ask for what is larger")), (2, true), "{}", far.talk);
    assert_eq!(bob.run("config set push_limit 1M").code, 0);
    bob.down();
    bob.up(&format!("--peer {}", alice.place()));
    let state = |person: &Person, name: &str| {
        let row = person.rows("file").into_iter().find(|row| row["name"] == name);
        row.map(|row| row["state"].as_str().unwrap().to_owned())
    };
    let until = |person: &Person, name: &str, wanted: &str| {
        person.until("file", |rows| rows.iter().any(|row| row["name"] == name && row["state"] == wanted));
    };
    let send = |name: &str, len| {
        let path = alice.file(name, &bytes(len));
        assert_eq!(alice.run_args(&["send", "bob", "-f", &path]).code, 0);
    };
    // She knows of nothing, and what he does not want of it is not acknowledged.
    send("one", 3_000_000);
    until(&bob, "one", "offered");
    until(&alice, "one", "offered");
    assert_eq!(bob.rows("file")[0]["have_bytes"], 0);
    // By now she does; and what is small enough comes.
    let wanted = serde_json::json!("bob");
    alice.until("file", |rows| rows[0]["who"] == wanted);
    send("two", 3_100_000);
    assert_eq!(state(&alice, "two").as_deref(), Some("offered"), "none of it is sent");
    send("three", 900_000);
    until(&bob, "three", "here");
    until(&bob, "two", "offered");
    // He changes his mind: what was offered comes as well.
    bob.down();
    assert_eq!(bob.run("config set push_limit 12M").code, 0);
    bob.up(&format!("--peer {}", alice.place()));
    until(&bob, "one", "here");
    until(&bob, "two", "here");
    send("four", 11_000_000);
    until(&bob, "four", "here");
    for name in ["one", "two", "three", "four"] {
        until(&alice, name, "sent");
    }
    assert_eq!(bob.rows("inbox").len(), 4, "what is said of limits is no message");
}

#[test]
fn an_end_to_a_file_stops_both() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let path = alice.file("film", &bytes(9_000_000));
    for who in [true, false] {
        let sent = alice.run_args(&["send", "bob", "-f", &path, "--json"]).json();
        let id = &sent["id"].as_str().unwrap()[..10];
        bob.until("file", |rows| rows.iter().any(|row| row["id"].as_str().unwrap().starts_with(id)));
        let (one, other) = if who { (&alice, &bob) } else { (&bob, &alice) };
        assert_eq!(one.json(&format!("file cancel {id}"))["state"], "cancelled");
        let is_over = |rows: &[Value]| {
            rows.iter().any(|row| row["id"].as_str().unwrap().starts_with(id) && row["state"] == "cancelled")
        };
        other.until("file", is_over);
    }
    assert_eq!(bob.rows("inbox").len(), 2, "what asks and ends is no message");
}

#[test]
fn a_folder_is_one_file_and_comes_back_as_it_was() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let folder = alice.path("survey");
    fs::create_dir_all(format!("{folder}/maps/north")).unwrap();
    fs::write(format!("{folder}/maps/north/map.bin"), bytes(400_000)).unwrap();
    fs::write(format!("{folder}/readme"), "read me").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", format!("{folder}/link")).unwrap();
    alice.run_args(&["send", "bob", "-f", &folder]);
    bob.until("file", is("here"));
    let got = bob.path("got");
    let saved = bob.json(&format!("file --save-all {got}"));
    assert_eq!(saved["name"], format!("{got}/survey"));
    assert!(fs::read(format!("{got}/survey/maps/north/map.bin")).unwrap() == bytes(400_000));
    assert_eq!(fs::read(format!("{got}/survey/readme")).unwrap(), b"read me");
    assert!(!Path::new(&format!("{got}/survey/link")).exists());
}

#[test]
fn a_file_is_taken_in_once_and_a_backup_has_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let survey = bytes(1_000_000);
    let path = alice.file("survey", &survey);
    alice.run_args(&["send", "bob", "one", "-f", &path]);
    bob.until("file", is("here"));
    let once = weight(&alice.home().join("files"));
    alice.run_args(&["send", "bob", "two", "-f", &path]);
    bob.until("file", |rows| rows.len() == 2 && rows.iter().all(|row| row["state"] == "here"));
    assert_eq!(weight(&alice.home().join("files")), once);
    let space = bob.rows("space");
    let files = space.iter().find(|row| row["what"] == "files").unwrap();
    assert_eq!((&files["count"], &files["bytes"]), (&1.into(), &1_000_000.into()));

    let (backup, words) = (bob.path("backup"), bob.file("words", b"a long passphrase\n"));
    assert_eq!(bob.run(&format!("backup {backup} --passphrase-file {words}")).code, 0);
    bob.down();
    let mut moved = Person::new("moved");
    moved.live_in(&moved.path("other"));
    let ran = moved.run(&format!("restore {backup} --passphrase-file {words}"));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    let got = moved.path("got");
    moved.rows(&format!("file --save-all {got}"));
    assert_eq!(fs::read_dir(&got).unwrap().count(), 2);
    assert!(fs::read(format!("{got}/survey")).unwrap() == survey);
}

#[test]
fn what_is_asked_wrongly_says_what_to_do() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let words = alice.json("send bob hello");
    let id = &words["id"].as_str().unwrap()[..10];
    for (line, code, says) in [
        (format!("file get {id}"), 4, "dak file"),
        (format!("file save {id}/x /tmp"), 2, "ID/2"),
        ("file get 00000000".to_owned(), 4, ""),
        (format!("file get {id} --range 5-2"), 2, "0-1M"),
        ("send bob -f /nowhere/at/all".to_owned(), 1, "cannot read"),
    ] {
        let ran = alice.run(&line);
        assert_eq!((ran.code, ran.talk.contains(says)), (code, true), "{line}: {}", ran.talk);
    }
    let empty = alice.path("empty");
    fs::create_dir(&empty).unwrap();
    let sent = alice.run_args(&["send", "bob", "-f", &empty]);
    assert_eq!(sent.code, 0, "{}", sent.talk);
    bob.until("file", is("here"));
    let own = alice.run(&format!("file get {}", alice.rows("file")[0]["id"].as_str().unwrap()));
    assert_eq!((own.code, own.talk.contains("dak file save")), (5, true), "{}", own.talk);
    assert!(alice.run_args(&["file", "save", "1234", ""]).code != 0);
    assert!(alice.rows("file").len() == 1 && alice.run("file").data.contains("empty/"));
}

#[test]
fn what_is_passed_on_takes_its_file_along() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    let carols = carol.up(&format!("--peer {}", bob.place()));
    assert_eq!(bob.run(&format!("contact add carol {}", carols["address"].as_str().unwrap())).code, 0);
    let bobs = bob.json("me");
    assert_eq!(carol.run(&format!("contact add bob {}", bobs["address"].as_str().unwrap())).code, 0);
    let survey = bytes(700_000);
    let path = alice.file("survey", &survey);
    let sent = alice.run_args(&["send", "bob", "look", "-f", &path, "--json"]).json();
    bob.until("file", is("here"));
    let ran = bob.run(&format!("forward {} carol", &sent["id"].as_str().unwrap()[..10]));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    carol.until("file", is("here"));
    let got = carol.path("got");
    carol.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == survey);
}

#[test]
fn what_is_not_kept_is_not_said_to_be_delivered() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    let bobs = bob.up("");
    alice.up(&format!("--peer {}", bob.place()));
    assert_eq!(alice.run(&format!("contact add bob {}", bobs["address"].as_str().unwrap())).code, 0);
    let survey = bytes(1_200_000);
    let path = alice.file("survey", &survey);
    let sent = alice.run_args(&["send", "bob", "look", "-f", &path, "--json"]).json();
    // Nothing of a stranger's file comes by itself.
    bob.until("file", is("offered"));
    alice.until("file", is("offered"));
    let (row, there) = (&alice.rows("file")[0], &bob.rows("file")[0]);
    assert_eq!((&row["safe_bytes"], &there["have_bytes"]), (&0.into(), &0.into()));
    alice.down();
    alice.up(&format!("--peer {}", bob.place()));
    alice.until("peers", |peers| !peers.is_empty());
    assert_eq!(alice.rows("file")[0]["state"], "offered", "also after a restart");
    bob.json(&format!("file get {}", &sent["id"].as_str().unwrap()[..10]));
    bob.until("file", is("here"));
    alice.until("file", is("sent"));
}

/// Alice knows bob, and carol both; bob asked alice for a film and left, and carol is to carry it.
fn asked_for_over_a_carrier(film: &[u8]) -> [Person; 3] {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    let path = alice.file("film", film);
    let sent = alice.run_args(&["send", "bob", "-f", &path, "--json"]).json();
    bob.until("file", is("offered"));
    let addresses = [&alice, &bob].map(|person| person.json("me")["address"].as_str().unwrap().to_owned());
    alice.down();
    bob.down();
    carol.up("");
    for (name, address) in ["alice", "bob"].iter().zip(&addresses) {
        assert_eq!(carol.run(&format!("contact add {name} {address}")).code, 0);
    }
    bob.up(&format!("--peer {}", carol.place()));
    bob.json(&format!("file get {}", &sent["id"].as_str().unwrap()[..10]));
    // Nothing but the question is there to be carried for alice.
    let is_question = |row: &Value| row["class"] == "contacts" && row["kind"] == "message";
    carol.until("carry list", |rows| rows.iter().any(is_question));
    bob.down();
    alice.up(&format!("--peer {}", carol.place()));
    alice.until("file", |rows| rows[0]["safe_bytes"] == film.len());
    [alice, bob, carol]
}

#[test]
fn a_carrier_takes_a_whole_file_along_and_its_sender_may_leave() {
    let film = bytes(24_000_000);
    let [mut alice, mut bob, carol] = asked_for_over_a_carrier(&film);
    let row = &alice.rows("file")[0];
    assert_eq!(row["held"][0]["bytes"], 24_000_000, "{row}");
    alice.until_says("file", "held 22.8 MiB by");
    let is_light = |rows: &[Value]| rows[0]["by_class"]["own"]["bytes"].as_u64().unwrap() < 18_000_000;
    alice.until("carry", is_light);
    alice.down();
    bob.up(&format!("--peer {}", carol.place()));
    bob.until("file", is("here"));
    let got = bob.path("got");
    bob.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == film);
    bob.down();
    alice.up(&format!("--peer {}", carol.place()));
    alice.until("file", is("sent"));
}

#[test]
fn what_a_carrier_lost_is_asked_for_and_sealed_anew() {
    let film = bytes(24_000_000);
    let [mut alice, mut bob, mut carol] = asked_for_over_a_carrier(&film);
    // Nobody sees carol again, and alice was away meanwhile.
    carol.signal(Signal::KILL);
    alice.signal(Signal::KILL);
    alice.up("");
    bob.up(&format!("--peer {}", alice.place()));
    bob.until("file", is("here"));
    alice.until("file", is("sent"));
    assert_eq!(bob.rows("inbox").len(), 1);
}

#[test]
fn who_has_no_room_for_a_part_is_said() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    bob.down();
    alice.down();
    let carols = carol.up("--carry-limit 100K")["address"].as_str().unwrap().to_owned();
    alice.up(&format!("--peer {}", carol.place()));
    assert_eq!(alice.run(&format!("contact add carol {carols}")).code, 0);
    let path = alice.file("photo", &bytes(600_000));
    alice.run_args(&["send", "bob", "-f", &path]);
    alice.until("file", |rows| rows[0]["too_large_for"] == serde_json::json!(["carol"]));
    assert_eq!(alice.rows("file")[0]["safe_bytes"], 0);
    alice.until_says("file", "too large for carol");
}

#[test]
fn a_watched_directory_gets_each_file_once() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let [one, two, three] = [1, 2, 3].map(|n| alice.file(&format!("film-{n}"), &bytes(300_000 + n)));
    alice.run_args(&["send", "bob", "-f", &one]);
    bob.until("file", is("here"));
    let got = bob.path("got");
    let mut watch = bob.spawn(&format!("file --save-all {got} --watch"));
    assert!(watch.line().contains("film-1"));
    alice.run_args(&["send", "bob", "-f", &two]);
    assert!(watch.line().contains("film-2"));
    watch.signal(Signal::KILL);
    let mut watch = bob.spawn(&format!("file --save-all {got} --watch"));
    alice.run_args(&["send", "bob", "-f", &three]);
    assert!(watch.line().contains("film-3"), "what was saved is not saved again");
    watch.signal(Signal::KILL);
    let mut names: Vec<_> = fs::read_dir(&got).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".dak-saved", "film-1", "film-2", "film-3"]);
}

#[test]
fn what_the_disk_changed_is_said_and_comes_again() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let survey = bytes(700_000);
    let path = alice.file("survey", &survey);
    let sent = alice.run_args(&["send", "bob", "-f", &path, "--json"]).json();
    let id = &sent["id"].as_str().unwrap()[..10];
    bob.until("file", is("here"));
    let of_files = |person: &Person| -> Vec<Value> {
        person
            .run("doctor --json")
            .data
            .lines()
            .map(|row| serde_json::from_str(row).unwrap())
            .filter(|row: &Value| row["check"] == "files")
            .collect()
    };
    assert_eq!(of_files(&bob)[0]["verdict"], "ok");
    let spoil = |person: &Person| {
        let file = fs::read_dir(person.home().join("files")).unwrap().next().unwrap().unwrap().path().join("data");
        let mut lies = fs::read(&file).unwrap();
        lies[300_000] ^= 1;
        fs::write(&file, lies).unwrap();
    };
    spoil(&bob);
    let got = bob.path("got");
    let ran = bob.run(&format!("file save {id} {got}"));
    assert_eq!((ran.code, ran.talk.contains("dak file get")), (1, true), "{}", ran.talk);
    assert_eq!(fs::read_dir(&got).unwrap().count(), 0, "nothing that is wrong is saved");
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
    spoil(&bob);
    assert_eq!(of_files(&bob)[0]["verdict"], "bad");
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
    assert_eq!(bob.run(&format!("file save {id} {got}")).code, 0);
    assert!(only_entry(&got) == survey);

    // What is damaged where it is sent from keeps nothing else from going.
    spoil(&alice);
    bob.json("purge --files-only --larger-than 1K --yes");
    bob.json(&format!("file get {id}"));
    let other = alice.file("other", &bytes(400_000));
    alice.run_args(&["send", "bob", "-f", &other]);
    bob.until("file", |rows| rows.iter().any(|row| row["name"] == "other" && row["state"] == "here"));
    let row = &of_files(&alice)[0];
    assert_eq!((&row["verdict"], row["message"].as_str().unwrap().contains("survey")), (&"warn".into(), true), "{row}");
}

/// Stands before a node wherever it listens, and counts the bytes that go to it.
struct Door {
    port: u16,
    behind: Arc<AtomicU16>,
    bytes: Arc<AtomicU64>,
}

impl Door {
    fn open() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (behind, bytes) = (Arc::new(AtomicU16::new(0)), Arc::new(AtomicU64::new(0)));
        let door = Door { port: listener.local_addr().unwrap().port(), behind: behind.clone(), bytes: bytes.clone() };
        thread::spawn(move || {
            for caller in listener.incoming() {
                let Ok(caller) = caller else { return };
                let Ok(node) = TcpStream::connect(("127.0.0.1", behind.load(Ordering::SeqCst))) else { continue };
                let (there, back) = ((caller.try_clone().unwrap(), node.try_clone().unwrap()), (node, caller));
                let counted = bytes.clone();
                thread::spawn(move || pass(there.0, there.1, &counted));
                thread::spawn(move || pass(back.0, back.1, &AtomicU64::new(0)));
            }
        });
        door
    }

    /// A node listens here now; returns where others find it.
    fn leads_to(&self, person: &Person) -> String {
        let place = person.place();
        let parts: Vec<&str> = place.split('/').collect();
        self.behind.store(parts[4].parse().unwrap(), Ordering::SeqCst);
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.port, parts[6])
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, bytes: &AtomicU64) {
    let mut buffer = [0; 1 << 16];
    while let Ok(many @ 1..) = from.read(&mut buffer) {
        bytes.fetch_add(many as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..many]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn after_a_kill_of_either_end_only_what_was_not_accepted_goes_again() {
    const KILLS: u64 = 4;
    let (mut alice, mut bob, door) = (Person::new("alice"), Person::new("bob"), Door::open());
    let bobs = bob.up("")["peer_id"].as_str().unwrap().to_owned();
    assert_eq!(bob.run("config set push_limit 20M").code, 0);
    bob.down();
    bob.up("");
    let place = door.leads_to(&bob);
    let alices = alice.up(&format!("--peer {place}"))["peer_id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("contact add bob {bobs}")).code, 0);
    assert_eq!(bob.run(&format!("contact add alice {alices}")).code, 0);
    let film = bytes(16_000_000);
    let path = alice.file("film", &film);
    alice.run_args(&["send", "bob", "-f", &path]);
    let seed = u64::from(std::process::id());
    for n in 0..KILLS {
        let pause = (seed.wrapping_mul(2_654_435_761) >> (8 * n)) % 400;
        println!("kill {n} after {pause} ms");
        thread::sleep(Duration::from_millis(pause));
        if n % 2 == 0 {
            bob.signal(Signal::KILL);
            bob.up("");
            door.leads_to(&bob);
        } else {
            alice.signal(Signal::KILL);
            alice.up(&format!("--peer {place}"));
        }
    }
    bob.until("file", is("here"));
    alice.until("file", is("sent"));
    let went = door.bytes.load(Ordering::SeqCst);
    // A contact has a window of 2 MiB and the part that crosses its end; the rest is what frames and receipts take.
    let again_max = KILLS * ((2 << 20) + (300 << 10));
    assert!(went >= 16_000_000, "all went by the door: {went}");
    assert!(went <= 16_000_000 + 16_000_000 / 20 + again_max, "{went} bytes went");
}

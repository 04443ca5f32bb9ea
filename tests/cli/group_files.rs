//! Files in parts that go to a group: by a carrier, through kills, to who asks alone, and not to who was removed.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::Value;

use crate::files::{bytes, is, only_entry, weight};
use crate::groups::{crew, reads};
use crate::person::Person;

/// How far a file is with a member, as its sender says.
fn with_member<'r>(row: &'r Value, name: &str) -> &'r Value {
    row["members"].as_array().unwrap().iter().find(|member| member["name"] == name).unwrap()
}

fn all_have_it(rows: &[Value]) -> bool {
    let has = |member: &Value| member["state"] == "sent" && member["safe_bytes"] == rows[0]["bytes"];
    rows[0]["state"] == "sent" && rows[0]["members"].as_array().unwrap().iter().all(has)
}

fn saves(person: &Person, film: &[u8]) {
    let got = person.path("got");
    person.rows(&format!("file --save-all {got}"));
    assert!(only_entry(&got) == film);
}

#[test]
fn a_file_for_a_group_reaches_its_members_by_a_carrier_and_through_kills() {
    let [mut alice, mut bob, mut carol] = crew();
    let mut dave = Person::new("dave");
    assert_eq!((bob.down(), carol.down(), alice.down()), (Some(0), Some(0), Some(0)));
    dave.up("");
    let daves = dave.place();
    alice.up(&format!("--peer {daves}"));
    let film = bytes(3_000_000);
    let path = alice.file("film", &film);
    let sent = alice.run_args(&["send", "crew", "a film", "-f", &path, "--json"]).json();
    alice.until("file", |rows| !rows[0]["holders"].as_array().unwrap().is_empty());
    alice.signal(Signal::KILL);
    alice.up(&format!("--peer {daves}"));
    alice.until("file", |rows| rows[0]["safe_bytes"] == 3_000_000);
    let row = &alice.rows("file")[0];
    assert_eq!((&row["who"], &row["group"], &row["direction"]), (&"crew".into(), &"crew".into(), &"out".into()));
    assert_eq!(row["members"].as_array().unwrap().len(), 2, "{row}");
    assert_eq!((&with_member(row, "bob")["safe_bytes"], &row["state"]), (&0.into(), &"coming".into()), "{row}");
    alice.down();

    bob.up(&format!("--peer {daves}"));
    bob.until("file", |rows| rows.iter().any(|row| row["have_bytes"].as_u64().unwrap() > 0));
    bob.signal(Signal::KILL);
    bob.up(&format!("--peer {daves}"));
    carol.up(&format!("--peer {daves}"));
    for person in [&bob, &carol] {
        person.until("file", is("here"));
        saves(person, &film);
        let rows = person.rows("talk crew");
        assert_eq!(rows.iter().filter(|row| row["kind"] == "text").count(), 1, "its parts are no messages");
        let row = &person.rows("file")[0];
        assert_eq!((&row["who"], &row["group"]), (&"alice".into(), &"crew".into()));
    }
    alice.up(&format!("--peer {daves}"));
    alice.until("file", all_have_it);
    alice.until_says("file", "bob has it, carol has it");
    let id = sent["id"].as_str().unwrap();
    assert_eq!(alice.run(&format!("file save {} {}", &id[..10], alice.path("own"))).code, 0);
    assert_eq!(weight(&dave.home().join("files")), 0, "a carrier keeps bundles, and no file");
}

#[test]
fn what_a_member_asks_for_goes_to_the_group_once_and_then_to_who_asks_alone() {
    let [alice, bob, carol] = crew();
    let film = bytes(9_000_000);
    let path = alice.file("film", &film);
    let sent = alice.run_args(&["send", "crew", "a film", "-f", &path, "--json"]).json();
    let id = &sent["id"].as_str().unwrap()[..10];
    for person in [&bob, &carol] {
        person.until("file", is("offered"));
    }
    assert_eq!(alice.rows("file")[0]["state"], "offered");
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
    saves(&bob, &film);
    alice.until("file", |rows| with_member(&rows[0], "bob")["state"] == "sent");
    let row = &alice.rows("file")[0];
    assert_eq!((&with_member(row, "carol")["safe_bytes"], &row["state"]), (&0.into(), &"coming".into()), "{row}");
    assert_eq!(carol.rows("file")[0]["have_bytes"], 0, "who does not ask gets nothing");
    carol.json(&format!("file get {id} --range 0-1M"));
    carol.until("file", |rows| rows[0]["have_bytes"].as_u64().unwrap() >= 1 << 20);
    carol.json(&format!("file get {id}"));
    carol.until("file", is("here"));
    saves(&carol, &film);
    alice.until("file", all_have_it);
    bob.json("purge --files-only --larger-than 1M --yes");
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
}

#[test]
fn an_author_who_is_told_of_nothing_is_not_told_how_far_a_file_is() {
    let [alice, bob, mut carol] = crew();
    carol.does("config set receipts contacts");
    carol.down();
    carol.up(&format!("--peer {}", alice.place()));
    carol.does("contact remove alice");
    let film = bytes(3_000_000);
    let path = alice.file("film", &film);
    let sent = alice.run_args(&["send", "crew", "a film", "-f", &path, "--json"]).json();
    carol.until("file", is("here"));
    alice.until("file", |rows| with_member(&rows[0], "bob")["state"] == "sent");
    // Whatever she says to her, comes behind what she would have said of the file.
    carol.json_of(&["send", "crew", "thanks"]);
    reads(&alice, "crew", "thanks");
    let row = &alice.rows("file")[0];
    assert_eq!(with_member(row, "carol")["safe_bytes"], 0, "{row}");
    let id = sent["id"].as_str().unwrap();
    let told = alice.json(&format!("status {id}"));
    let of_carol = told["members"].as_array().unwrap().iter().find(|member| member["name"] == "carol").unwrap();
    assert_ne!(of_carol["state"], "delivered", "{told}");
    assert_eq!(bob.rows("file").len(), 1);
}

#[test]
fn what_the_author_cannot_give_another_member_does() {
    let [mut alice, bob, mut carol] = crew();
    let film = bytes(9_000_000);
    let path = alice.file("film", &film);
    let sent = alice.run_args(&["send", "crew", "-f", &path, "--json"]).json();
    let id = &sent["id"].as_str().unwrap()[..10];
    bob.until("file", is("offered"));
    carol.until("file", is("offered"));
    assert_eq!(carol.down(), Some(0));
    bob.json(&format!("file get {id}"));
    bob.until("file", is("here"));
    alice.until("file", |rows| with_member(&rows[0], "bob")["state"] == "sent");
    assert_eq!(alice.down(), Some(0));
    carol.up(&format!("--peer {}", bob.place()));
    carol.json(&format!("file get {id}"));
    carol.until("file", is("here"));
    saves(&carol, &film);
}

#[test]
fn who_was_removed_gets_no_part_that_leaves_after_that_was_learned() {
    let [alice, mut bob, mut carol] = crew();
    assert_eq!((bob.down(), carol.down()), (Some(0), Some(0)));
    alice.until("peers", |peers| peers.iter().all(|peer| peer["connected"] == false));
    let film = bytes(3_000_000);
    let path = alice.file("film", &film);
    alice.run_args(&["send", "crew", "a film", "-f", &path]);
    let parts = || {
        let of_group = |row: &Value| row["to"] == "crew" && row["bytes"].as_u64().unwrap() > 100_000;
        let held = alice.rows("carry list").into_iter().filter(of_group);
        held.map(|row| row["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<String>>()
    };
    alice.until("carry list", |_| parts().len() == 12);
    let before = parts();
    assert_eq!(alice.run("group remove crew carol").code, 0);
    // They are sealed anew, under a key that she does not get.
    alice.until("carry list", |_| parts().len() == 12 && parts().is_disjoint(&before));
    let place = alice.place();
    carol.up(&format!("--peer {place}"));
    carol.until("group", |rows| rows[0]["standing"] == "out");
    bob.up(&format!("--peer {place}"));
    bob.until("file", is("here"));
    saves(&bob, &film);
    alice.until("file", all_have_it);
    assert_eq!(alice.rows("file")[0]["members"].as_array().unwrap().len(), 1);
    assert!(carol.rows("file").iter().all(|row| row["have_bytes"] == 0));
    assert_eq!(weight(&carol.home().join("files")), 0);
    // She asks in vain.
    for row in carol.rows("file") {
        carol.run(&format!("file get {}", row["id"].as_str().unwrap()));
    }
    let asked = carol.run_args(&["send", "alice", "may I have it?"]);
    assert_eq!(asked.code, 0);
    alice.until("inbox", |rows| rows.iter().any(|row| row["text"] == "may I have it?"));
    bob.until("file", is("here"));
    assert_eq!(weight(&carol.home().join("files")), 0);
}

#[test]
fn an_end_to_a_file_of_a_group_is_heard_by_all_and_of_a_member_s_by_its_author() {
    let [alice, bob, carol] = crew();
    let path = alice.file("film", &bytes(9_000_000));
    let sent = alice.run_args(&["send", "crew", "one", "-f", &path, "--json"]).json();
    let id = &sent["id"].as_str().unwrap()[..10];
    reads(&bob, "crew", "one");
    reads(&carol, "crew", "one");
    assert_eq!(bob.json(&format!("file cancel {id}"))["state"], "cancelled");
    alice.until("file", |rows| with_member(&rows[0], "bob")["state"] == "cancelled");
    assert_eq!(alice.rows("file")[0]["state"], "offered");
    carol.json(&format!("file get {id}"));
    carol.until("file", is("here"));
    alice.until("file", |rows| rows[0]["state"] == "sent");
    alice.until_says("file", "bob wants none, carol has it");
    let other = alice.file("other", &bytes(9_100_000));
    let sent = alice.run_args(&["send", "crew", "two", "-f", &other, "--json"]).json();
    let id = &sent["id"].as_str().unwrap()[..10];
    let of_it = |rows: &[Value], state: &str| {
        rows.iter().any(|row| row["id"].as_str().unwrap().starts_with(id) && row["state"] == state)
    };
    bob.until("file", |rows| of_it(rows, "offered"));
    carol.until("file", |rows| of_it(rows, "offered"));
    assert_eq!(alice.json(&format!("file cancel {id}"))["state"], "cancelled");
    bob.until("file", |rows| of_it(rows, "cancelled"));
    carol.until("file", |rows| of_it(rows, "cancelled"));
}

//! A mailbox without room, as its owner and those who write to it see it.

use crate::acquaint;
use crate::person::Person;

/// Leaves a home that has room for one short message, and not for two.
fn with_little_room(name: &'static str) -> Person {
    let mut person = Person::new(name);
    person.up("");
    assert_eq!(person.run("config set mail_limit 5K").code, 0);
    assert_eq!(person.down(), Some(0));
    person
}

fn is_full(rows: &[serde_json::Value]) -> bool {
    rows[0]["state"] == "full"
}

fn id_of(sent: &serde_json::Value) -> String {
    sent["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_finds_no_room_waits_and_comes_by_itself_once_something_is_deleted() {
    let (mut alice, mut bob) = (Person::new("alice"), with_little_room("bob"));
    acquaint(&mut alice, &mut bob);
    let first = id_of(&alice.json("send bob one --wait=delivered --timeout 30s"));
    let second = id_of(&alice.json("send bob two"));
    alice.until(&format!("status {second}"), is_full);
    let row = alice.json(&format!("status {second}"));
    let event = row["events"].as_array().unwrap().iter().find(|event| event["what"] == "full").unwrap().clone();
    assert_eq!(event["who"], "bob", "{row}");
    assert!(event["retry_at"].as_str().unwrap() > event["at"].as_str().unwrap(), "{row}");
    let life = alice.run(&format!("status {second}")).data;
    assert!(life.contains("to bob: waiting: mailbox full\n") && life.contains("bob's node signed"), "{life}");
    assert!(alice.run("status").data.contains("waiting: mailbox full"));
    let doctor = bob.run("doctor").data;
    assert!(doctor.contains("there is no room for mail from alice") && doctor.contains("mail_limit"), "{doctor}");

    assert_eq!(bob.run(&format!("inbox delete {first}")).code, 0);
    alice.until(&format!("status {second}"), |rows| rows[0]["state"] == "delivered");
    let inbox = bob.rows("inbox");
    assert_eq!((inbox.len(), &inbox[0]["text"]), (1, &"two".into()));
    assert_eq!(bob.run(&format!("inbox delete {second}")).code, 0);
    assert!(!bob.run("doctor").data.contains("no room for mail"));
}

#[test]
fn a_carrier_waits_with_it_and_brings_the_word_and_later_the_mail() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), with_little_room("bob"), Person::new("carol"));
    let carols = carol.up("")["peer_id"].as_str().unwrap().to_owned();
    let alices = alice.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    let bobs = bob.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    // By their keys alone: alice and bob never meet.
    for (person, name, key) in [(&alice, "bob", &bobs), (&bob, "alice", &alices), (&bob, "carol", &carols)] {
        assert_eq!(person.run(&format!("contact add {name} {key}")).code, 0);
    }
    carol.until("peers", |peers| peers.len() == 2);
    let first = id_of(&alice.json("send bob one --wait=delivered --timeout 30s"));
    let second = id_of(&alice.json("send bob two"));
    alice.until(&format!("status {second}"), is_full);
    assert_eq!(alice.down(), Some(0));
    assert_eq!(bob.run("purge --from alice --yes").code, 0);
    bob.until("inbox", |rows| rows.iter().any(|row| row["text"] == "two"));
    alice.up(&format!("--peer {}", carol.place()));
    alice.until(&format!("status {second}"), |rows| rows[0]["state"] == "delivered");
    assert_eq!(alice.json(&format!("status {first}"))["state"], "delivered");
}

//! Recordings of real nodes, played back; and the recordings that came with a bug, one line each.
#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use dak::recording::{Played, play};
use rustix::process::Signal;

#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;

use person::Person;

/// How long anything may take; a failure is an invariant broken, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_carrier_with_a_restored_store_takes_a_stranger_s_letter_and_hands_it_over() {
    same("carrier.recording");
}

/// Plays a recording of `tests/data`.
fn same(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let played = played(&path.display().to_string());
    assert_eq!(
        played.difference, None,
        "{name}: the agent does something else; if that is meant, `dak sim replay tests/data/{name} --renew NEW` and \
         put NEW in its place"
    );
    assert!(played.inputs > 0, "{played:?}");
}

#[test]
fn every_recording_of_a_letter_by_a_carrier_that_is_killed_and_starts_again_plays_as_it_was() {
    let (mut alice, mut carol, mut bob) = (Person::new("alice"), Person::new("carol"), Person::new("bob"));
    let [before, after] = ["before", "after"].map(|name| carol.path(name));
    let (by_alice, by_bob) = (alice.path("alice"), bob.path("bob"));
    let bob_at = bob.up("")["address"].as_str().unwrap().to_owned();
    bob.down();

    carol.up(&format!("--record {before}"));
    alice.up(&format!("--record {by_alice} --peer {}", carol.place()));
    alice.json(&format!("contact add bob {bob_at}"));
    let sent = alice.json("send bob meet-me-at-the-old-bridge");
    let id = sent["id"].as_str().unwrap();
    carol.until("carry list", |rows| rows.iter().any(|row| row["id"] == id));
    // What has left the node is in its recording, however it ends.
    carol.signal(Signal::KILL);
    alice.down();

    carol.up(&format!("--record {after}"));
    bob.up(&format!("--record {by_bob} --peer {}", carol.place()));
    bob.until("inbox", |rows| rows.len() == 1);
    carol.until("carry", |rows| rows[0]["bundles"] == 0);
    carol.down();
    bob.down();

    for (path, who) in [(&before, &carol), (&after, &carol), (&by_alice, &alice), (&by_bob, &bob)] {
        let told = played(path);
        assert_eq!((&told.difference, told.starts), (&None, 1), "{path}");
        assert!(told.inputs >= 5, "{path}: {told:?}");
        assert_eq!(told.node.unwrap().peer_id(), peer(who), "{path}");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
        let text = fs::read(path).unwrap();
        let has = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
        assert!(!has(b"meet-me-at"), "{path} holds what was written");
        assert!(!has(&secret(who)), "{path} holds a key");
        let ran = who.run(&format!("sim replay {path}"));
        assert_eq!((ran.code, ran.data.contains("the same outputs")), (0, true), "{ran:?}");
    }
    // A copy of what carol held when she started again is where the second recording starts from.
    assert!(fs::read(&after).unwrap().windows(4).any(|window| window == b"Held"), "nothing was restored");

    if let Some(place) = std::env::var_os("DAK_KEEP_RECORDING") {
        fs::copy(&after, place).unwrap();
    }
}

#[test]
fn a_recording_is_never_written_over_and_none_is_left_where_no_node_started() {
    let mut alice = Person::new("alice");
    let mine = alice.file("mine", b"my own words");
    let ran = alice.run(&format!("up --no-mdns --listen /ip4/127.0.0.1/tcp/0 --record {mine}"));
    assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{}", ran.talk);
    assert!(ran.talk.contains("mine") && ran.talk.contains("never written over"), "{}", ran.talk);
    assert_eq!(fs::read(&mine).unwrap(), b"my own words");
    let nowhere = alice.path("no/such/file");
    assert_eq!(alice.run(&format!("up --no-mdns --record {nowhere}")).code, 2);

    alice.up("");
    alice.down();
    let other = alice.path("other");
    fs::write(alice.home().join("store.redb"), b"nothing of a store").unwrap();
    let ran = alice.run(&format!("up --no-mdns --listen /ip4/127.0.0.1/tcp/0 --record {other}"));
    assert_eq!(ran.code, 7, "{}", ran.talk);
    assert!(!Path::new(&other).exists());
}

#[test]
fn a_changed_recording_is_told_from_a_cut_one() {
    let mut alice = Person::new("alice");
    let file = alice.path("recording");
    alice.up(&format!("--record {file}"));
    alice.json(&format!("send {} hello", bob()));
    alice.down();
    let whole = fs::read(&file).unwrap();

    let cut = alice.file("cut", &whole[..whole.len() - 5]);
    let ran = alice.run(&format!("sim replay {cut}"));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert!(
        ran.data.contains("the same outputs") && ran.data.contains("as a killed process leaves it"),
        "{}",
        ran.data
    );

    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let changed = alice.file("changed", &changed);
    let ran = alice.run(&format!("sim replay {changed}"));
    assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (2, "", 1), "{}", ran.talk);
    assert!(ran.talk.contains("damaged after input"), "{}", ran.talk);

    let renewed = alice.path("renewed");
    assert_eq!(alice.run(&format!("sim replay {file} --renew {renewed}")).code, 0);
    assert_eq!(fs::read(&renewed).unwrap(), whole, "where nothing differs the file is the same");
    assert_eq!(alice.run(&format!("sim replay {file} --renew {renewed}")).code, 2);
}

fn played(path: &str) -> Played {
    let file = fs::File::open(path).unwrap_or_else(|why| panic!("{path}: {why}"));
    play(BufReader::new(file)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The address of somebody who is never met.
fn bob() -> String {
    let identity = dak::keys::Identity::from_secret(&[2; 32]);
    identity.node().peer_id()
}

fn peer(who: &Person) -> String {
    who.json("me")["peer_id"].as_str().unwrap().to_owned()
}

fn secret(who: &Person) -> Vec<u8> {
    let path = who.home().join("identity.key");
    let identity = dak::keys::Identity::load(&path).unwrap();
    identity.signing_key().as_bytes().to_vec()
}

//! Homes that earlier builds left behind, kept in `tests/data/homes`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::person::Person;

/// Every older home has the same story: one message to bob that was delivered, one to dave that a carrier took custody
/// of, one from bob that was read.
const HOMES: [(&str, &str); 10] = [
    ("first_layouts", FOUR_HELD),
    ("second_layouts", FOUR_HELD),
    ("third_layouts", FOUR_HELD),
    ("sealed_inbox", THREE_HELD),
    ("record_without_index", THREE_HELD),
    ("without_journal", THREE_HELD),
    ("without_happenings", THREE_HELD),
    ("without_seals", THREE_HELD),
    ("with_topics", "9 held, 1 in the inbox, 2 sent"),
    ("with_whole_bodies", THREE_HELD),
];
/// Homes that kept what their owner wrote.
const WITH_WORDS: [&str; 6] = [
    "record_without_index",
    "without_journal",
    "without_happenings",
    "without_seals",
    "with_topics",
    "with_whole_bodies",
];
const FOUR_HELD: &str = "4 held, 1 in the inbox, 2 sent";
const THREE_HELD: &str = "3 held, 1 in the inbox, 2 sent";

#[test]
fn a_home_of_an_earlier_build_opens_and_has_everything() {
    for (kept, has) in HOMES {
        let mut alice = living_in(kept);
        assert_eq!(held(&alice), has, "{kept}");
        has_everything(&alice, kept);
        alice.up("");
        has_everything(&alice, kept);
        assert_eq!(alice.run("send dave again").code, 0, "{kept}");
        assert_eq!(alice.run("down").code, 0, "{kept}");
        assert_eq!(alice.rows("status").len(), 3, "{kept}");
    }
}

#[test]
fn a_home_of_an_earlier_build_is_repaired_without_loss() {
    for (kept, has) in HOMES {
        let alice = living_in(kept);
        let repaired = alice.run("doctor --repair");
        assert_eq!(repaired.code, 0, "{kept}: {repaired:?}");
        assert!(!repaired.data.contains("lost"), "{kept}: {repaired:?}");
        assert_eq!(held(&alice), has, "{kept}");
        has_everything(&alice, kept);
    }
}

#[test]
fn topics_of_an_earlier_build_are_all_there_with_how_far_consumers_have_come() {
    let mut alice = living_in("with_topics");
    alice.up("");
    let topics = alice.rows("topic");
    let of = |name: &str| topics.iter().find(|row| row["topic"] == name).unwrap_or_else(|| panic!("{topics:?}"));
    let (mine, bobs) = (of("sensors/temp"), of("bob/board"));
    assert_eq!((&mine["standing"], &mine["last_event"]), (&"mine".into(), &3.into()));
    assert_eq!((&mine["writers"][0]["name"], &bobs["standing"]), (&"bob".into(), &"subscribed".into()));
    let texts = |line: &str| -> Vec<Value> { alice.rows(line).into_iter().map(|mut row| row["text"].take()).collect() };
    assert_eq!(texts("sub sensors/temp --group late"), ["20.5", "21", "bad"]);
    assert_eq!(texts("sub bob/board --group late"), ["Ferry on Thursday"]);
    assert_eq!(texts("sub bob/board").len() + texts("sub sensors/temp --group display").len(), 0, "read before");
    assert_eq!(texts("sub sensors/temp --group display --failed"), ["bad"]);
    alice.json("pub sensors/temp 22 --key kitchen");
    assert_eq!(texts("sub sensors/temp --group late"), ["22"]);
}

#[test]
fn a_backup_of_an_earlier_build_is_restored() {
    for (of, has) in HOMES.into_iter().filter(|(of, _)| kept(of).join("home.backup").exists()) {
        let alice = Person::new("alice");
        let passphrase = alice.file("passphrase", b"correct horse battery\n");
        let backup = kept(of).join("home.backup");
        let restored = alice.run(&format!("restore {} --passphrase-file {passphrase}", backup.display()));
        assert_eq!(restored.code, 0, "{of}: {restored:?}");
        assert_eq!(held(&alice), has, "{of}");
        has_everything(&alice, of);
    }
}

/// What is shown stays true however long ago the home was left: lives end, words and evidence do not.
fn has_everything(alice: &Person, home: &str) {
    let texts = alice.rows("inbox");
    assert_eq!(texts.len(), 1, "{home}");
    assert_eq!((&texts[0]["from"], &texts[0]["text"]), (&"bob".into(), &"Water at camp 3".into()), "{home}");
    assert_eq!(texts[0]["read"], true, "{home}");
    let letter = &alice.rows(&format!("read --peek {}", texts[0]["id"].as_str().unwrap()))[0];
    assert_eq!(letter["text"], "Water at camp 3", "{home}");
    let sent = alice.rows("status");
    let own = &alice.rows(&format!("read {}", sent[0]["id"].as_str().unwrap()))[0];
    assert_eq!((&own["to"], &own["state"]), (&"bob".into(), &"delivered".into()), "{home}");
    if WITH_WORDS.contains(&home) {
        assert_eq!(own["text"], "Is the pump mended?", "{home}");
    } else {
        assert_eq!(own["text"], Value::Null, "{home}");
        assert!(own["unreadable"].as_str().unwrap().contains("did not keep its words"), "{home}: {own}");
    }
    let to: Vec<_> = sent.iter().map(|row| &row["to"]).collect();
    assert_eq!(to, ["bob", "dave"], "{home}");
    for (row, evidence) in sent.iter().zip(["delivered", "custody"]) {
        let events = row["events"].as_array().unwrap();
        assert!(events.iter().any(|event| event["what"] == evidence), "{home}: {row}");
    }
}

/// How many bundles the doctor counts in the store of a stopped node, which are left as they are.
fn held(alice: &Person) -> String {
    let sound = alice.run("doctor").data;
    let store = sound.lines().find_map(|line| line.strip_prefix("ok    store: ")).unwrap_or(&sound);
    store.split(';').next().unwrap().to_owned()
}

fn living_in(name: &str) -> Person {
    let alice = Person::new("alice");
    let (from, home) = (kept(name), alice.home());
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(from.join("identity.key"), home.join("identity.key")).unwrap();
    fs::set_permissions(home.join("identity.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let mut packed = flate2::read::GzDecoder::new(File::open(from.join("store.redb.gz")).unwrap());
    io::copy(&mut packed, &mut File::create(home.join("store.redb")).unwrap()).unwrap();
    alice
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/homes").join(name)
}

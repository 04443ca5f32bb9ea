//! What goes wrong around a node: damaged files, no network, no room, leftovers. Sentences, exit codes, nothing lost.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use redb::{Database, TableDefinition};
use rustix::process::Signal;

use crate::person::Person;
use crate::port_of_loopback::free_port;
use crate::{SOMEBODY, acquaint};

#[test]
fn a_damaged_store_is_said_with_exit_7_and_repaired_on_demand() {
    let mut alice = Person::new("alice");
    alice.up("");
    let kept = alice.json(&format!("send {SOMEBODY} kept"));
    let hurt = alice.json(&format!("send {SOMEBODY} hurt"));
    let raw = alice.path("raw");
    assert_eq!(alice.run(&format!("carry export {} {raw}", hurt["id"].as_str().unwrap())).code, 0);
    let running = alice.run("doctor --repair");
    assert_eq!((running.code, running.talk.contains("dak down")), (7, true), "{}", running.talk);
    alice.down();

    // The store folds names into a body and keeps the signed payload as it came.
    let bytes = fs::read(raw).unwrap();
    flip(&store(&alice), &bytes[bytes.len() - 40..bytes.len() - 8]);
    let found = alice.run("doctor");
    assert_eq!(found.code, 7, "{} {}", found.data, found.talk);
    assert!(found.data.contains("bad   store") && found.data.contains("dak doctor --repair"), "{}", found.data);

    let mended = alice.run("doctor --repair");
    assert_eq!(mended.code, 0, "{} {}", mended.data, mended.talk);
    let lost = &hurt["id"].as_str().unwrap()[..10];
    assert!(mended.data.contains(lost) && mended.data.contains("store.damaged"), "{}", mended.data);
    let checks = alice.rows("doctor");
    assert!(checks.iter().all(|check| check["verdict"] != "bad"), "{checks:?}");
    let held: Vec<_> = alice.rows("carry list").iter().map(|row| row["id"].clone()).collect();
    assert_eq!(held, [kept["id"].clone()]);
    assert_eq!(alice.rows("status").len(), 2, "what became of messages is told all the same");
    alice.up("");
}

#[test]
fn who_names_what_is_not_there_hears_where_to_look() {
    let (mut alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    let word = alice.file("word", b"some words\n");
    let missing = alice.path("nowhere/backup");
    let place = alice.place();
    let (taken, _) = place.split_once("/p2p/").unwrap();
    for (person, line, code, wanted) in [
        (&alice, "token revoke board".to_owned(), 4, "see `dak token`"),
        (&alice, "web devices --revoke phone".into(), 4, "see `dak web devices`"),
        (
            &alice,
            format!("backup {missing} --passphrase-file {word}"),
            1,
            "its directory is not there; make the directory",
        ),
        (&bob, format!("restore {missing} --passphrase-file {word}"), 1, "the file that the backup was written to"),
        (&bob, format!("restore {word} --passphrase-file {word}"), 8, "the file that the backup was written to"),
        (&bob, format!("up --no-mdns --listen {taken}"), 1, "with `dak up --listen"),
    ] {
        let ran = person.run(&line);
        assert!(ran.code == code && ran.talk.contains(wanted), "{line}: {} {}", ran.code, ran.talk);
    }
}

#[test]
fn a_repair_names_the_messages_whose_words_are_lost() {
    let mut alice = Person::new("alice");
    alice.up("");
    let hurt = alice.json(&format!("send {SOMEBODY} hurtful-words"));
    alice.down();
    flip(&store(&alice), b"hurtful-words");
    let mended = alice.run("doctor --repair");
    assert_eq!(mended.code, 0, "{} {}", mended.data, mended.talk);
    let lost = format!("the words of your message {}", &hurt["id"].as_str().unwrap()[..10]);
    assert!(mended.data.contains(&lost), "{}", mended.data);
}

#[test]
fn a_life_that_ended_while_no_node_ran_is_over_for_whoever_asks_first() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    let sent = alice.json(&format!("send {SOMEBODY} hi --lifetime 1s"));
    std::thread::sleep(std::time::Duration::from_secs(2));
    let first = alice.json(&format!("status {}", sent["id"].as_str().unwrap()));
    assert_eq!(first["state"], "expired", "{first}");
}

#[test]
fn a_store_that_is_no_store_is_said_without_a_backtrace() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.run(&format!("send {SOMEBODY} hi"));
    alice.down();
    let sound = fs::read(store(&alice)).unwrap();
    let mut hollow = sound.clone();
    hollow[4_096..].iter_mut().for_each(|byte| *byte = 0xff);
    for damaged in [b"nothing of a database".repeat(1_000), sound[..sound.len() / 3].to_vec(), hollow] {
        fs::write(store(&alice), damaged).unwrap();
        for line in ["inbox", "up --no-mdns --listen /ip4/127.0.0.1/tcp/0"] {
            let ran = alice.run(line);
            assert_eq!((ran.code, ran.talk.lines().count()), (7, 1), "{line}: {}", ran.talk);
            assert!(ran.talk.contains("dak doctor"), "{}", ran.talk);
        }
        let found = alice.run("doctor");
        assert_eq!((found.code, found.talk.as_str()), (7, ""), "{}", found.data);
        assert!(found.data.contains("ok    identity") && found.data.contains("bad   store"), "{}", found.data);
    }
    let mended = alice.run("doctor --repair");
    assert_eq!(mended.code, 0, "{} {}", mended.data, mended.talk);
    assert_eq!(alice.rows("inbox").len(), 0);
}

#[test]
fn a_store_of_a_newer_format_is_left_alone_with_exit_7() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json(&format!("send {SOMEBODY} kept"));
    alice.down();
    let known = set_format(&store(&alice), 99);
    for line in ["inbox", "doctor", "doctor --repair", "up --no-mdns --listen /ip4/127.0.0.1/tcp/0"] {
        let ran = alice.run(line);
        assert_eq!(ran.code, 7, "{line}: {} {}", ran.data, ran.talk);
        assert!((ran.data + &ran.talk).contains("install a newer dak"), "{line}");
    }
    assert!(!alice.home().join("store.damaged").exists());
    set_format(&store(&alice), known);
    assert_eq!(alice.rows("status").len(), 1);
}

#[test]
fn a_node_is_ready_wherever_it_is_told_to_listen_twice() {
    let free = free_port();
    let mut alice = Person::new("alice");
    let place = format!("/ip4/127.0.0.1/tcp/{free}");
    let ready = alice.up(&format!("--listen {place} --listen {place}"));
    assert!(ready["listen"].as_array().unwrap().contains(&place.into()), "{ready}");
    let (code, _) = alice.signal(Signal::TERM);
    assert_eq!(code, Some(0));
}

#[test]
fn leftovers_of_a_dead_node_are_cleared_away() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.signal(Signal::KILL);
    let home = alice.home();
    for name in ["store.restoring", "store.repaired", "store.damaged", ".dak-x.new", "run/dak.sock.1.new"] {
        fs::write(home.join(name), "half").unwrap();
    }
    fs::write(home.join("store.reserve"), "short").unwrap();
    fs::remove_file(home.join("run/dak.sock")).unwrap();
    fs::write(home.join("run/dak.sock"), "").unwrap();
    alice.up("");
    assert_eq!(alice.run("peers").code, 0);
    assert_eq!(alice.down(), Some(0));
}

#[test]
fn the_log_is_of_dak_and_names_no_payload() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("send bob xyzzy-plugh --wait --timeout 30s");
    let log = alice.talk() + &bob.talk();
    assert!(log.contains("contact"), "{log}");
    for noise in ["libp2p", "xyzzy-plugh", "WARN", "ERROR"] {
        assert!(!log.contains(noise), "{log}");
    }
}

#[test]
fn a_failed_restore_says_what_failed_and_leaves_the_home_free() {
    let mut alice = Person::new("alice");
    alice.up("");
    let (backup, good) = (alice.path("backup"), alice.file("good", b"correct horse\n"));
    let nowhere = alice.run(&format!("backup {}/none/b --passphrase-file {good}", alice.path("")));
    assert!(nowhere.code == 1 && nowhere.talk.contains("none/b"), "{}", nowhere.talk);
    assert_eq!(alice.run(&format!("backup {backup} --passphrase-file {good}")).code, 0);
    let mut bytes = fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = alice.file("changed", &bytes);

    let heir = Person::new("heir");
    let absent = heir.run(&format!("restore {backup}-absent --passphrase-file {good}"));
    assert!(absent.code == 1 && absent.talk.contains("backup-absent"), "{}", absent.talk);
    let refused = heir.run(&format!("restore {changed} --passphrase-file {good}"));
    assert_eq!(refused.code, 8);
    assert!(refused.talk.starts_with("dak: the backup is damaged"), "{}", refused.talk);
    // As if a restore had ended just before its last step.
    fs::write(heir.home().join("config.toml"), "mdns = false\n").unwrap();
    fs::write(heir.home().join("store.redb"), "another store").unwrap();
    let restored = heir.run(&format!("restore {backup} --passphrase-file {good}"));
    assert_eq!(restored.code, 0, "{}", restored.talk);
    assert_eq!(fs::read(heir.home().join("store.replaced")).unwrap(), b"another store");
    assert_eq!(heir.run("inbox").code, 0);
}

#[test]
fn a_life_of_nothing_is_a_slip_of_the_keyboard() {
    let mut alice = Person::new("alice");
    alice.up("");
    let ran = alice.run(&format!("send {SOMEBODY} hi --lifetime 0s"));
    assert_eq!(ran.code, 2, "{}", ran.talk);
    assert!(!ran.talk.contains("longer"), "{}", ran.talk);
}

#[test]
fn blanks_are_no_words_and_a_life_that_none_can_have_is_said_at_once() {
    let mut alice = Person::new("alice");
    alice.up("");
    let sent = alice.json("send me hello")["id"].as_str().unwrap().to_owned();
    let refused = alice.run_args(&["send", "me", " \n\t"]);
    assert_eq!((refused.code, refused.talk.contains("nothing to send")), (2, true), "{}", refused.talk);
    let refused = alice.run_args(&["edit", &sent, " "]);
    assert_eq!((refused.code, refused.talk.contains("dak withdraw")), (2, true), "{}", refused.talk);
    let refused = alice.run("send me later --at tomorrow --lifetime 31d");
    assert_eq!((refused.code, refused.talk.contains("kept as draft 1")), (5, true), "{}", refused.talk);
    let rows = alice.rows("talk me");
    assert_eq!((rows.len(), &rows[0]["text"], &rows[0]["edited"]), (1, &"hello".into(), &false.into()), "{rows:?}");
}

#[test]
fn whoever_cannot_be_told_of_the_id_hears_that_the_message_is_queued() {
    let mut alice = Person::new("alice");
    alice.up("");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = alice.command(&["send", SOMEBODY, "once"]).stdout(full).output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{talk}");
    let rows = alice.rows("status");
    let id = &rows[0]["id"].as_str().unwrap()[..10];
    assert!(talk.contains("but the message is queued") && talk.contains(&format!("dak status {id}")), "{talk}");
}

#[test]
fn a_store_whose_identity_is_lost_is_no_new_persons() {
    let mut alice = Person::new("alice");
    let me = alice.up("");
    alice.down();
    let (key, aside) = (alice.home().join("identity.key"), alice.path("key"));
    fs::rename(&key, &aside).unwrap();
    let ran = alice.run("up --no-mdns --listen /ip4/127.0.0.1/tcp/0");
    assert_eq!((ran.code, ran.talk.contains("dak restore")), (5, true), "{}", ran.talk);
    assert!(!key.exists());
    fs::rename(&aside, &key).unwrap();
    assert_eq!(alice.up("")["peer_id"], me["peer_id"]);
}

#[test]
fn a_backup_made_while_running_brings_back_what_a_damaged_store_lost() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let passphrase = bob.file("passphrase", b"correct horse\n");
    let backup = bob.path("backup");
    for n in 0..3 {
        alice.json(&format!("send bob letter-{n} --wait --timeout 30s"));
        bob.json(&format!("send {SOMEBODY} note-{n}"));
    }
    let ids = |person: &Person, line: &str| -> BTreeSet<String> {
        person.rows(line).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let (letters, sent) = (ids(&bob, "inbox"), ids(&bob, "status"));
    std::thread::scope(|scope| {
        // Mail goes on coming and going meanwhile.
        scope.spawn(|| (0..6).for_each(|n| drop(bob.json(&format!("send alice meanwhile-{n}")))));
        assert_eq!(bob.run(&format!("backup {backup} --passphrase-file {passphrase}")).code, 0);
    });
    bob.down();
    let mut hollow = fs::read(store(&bob)).unwrap();
    hollow[4_096..].iter_mut().for_each(|byte| *byte = 0xff);
    fs::write(store(&bob), hollow).unwrap();
    assert_eq!(bob.run("doctor").code, 7);
    assert_eq!(bob.run("doctor --repair").code, 0);
    assert!(ids(&bob, "inbox").is_empty(), "nothing was left to keep");

    let mut heir = Person::new("bob");
    assert_eq!(heir.run(&format!("restore {backup} --passphrase-file {passphrase}")).code, 0);
    assert_eq!(ids(&heir, "inbox"), letters);
    assert!(ids(&heir, "status").is_superset(&sent));
    assert!(ids(&heir, "carry list").is_superset(&sent), "what was never delivered is still answered for");
    let checks = heir.rows("doctor");
    assert!(checks.iter().all(|check| check["verdict"] != "bad"), "{checks:?}");
    // It goes on as the same node.
    heir.up(&format!("--peer {}", alice.place()));
    alice.json("send bob back-again --wait --timeout 30s");
    assert_eq!(heir.rows("inbox").len(), letters.len() + 1);
}

#[test]
fn what_others_could_read_is_refused_with_the_command_that_closes_it() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    let home = alice.home();
    for (path, open, shut) in [(home.join("identity.key"), 0o644, 0o600), (home, 0o755, 0o700)] {
        fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        let send = format!("send {SOMEBODY} hi");
        for line in ["up --no-mdns --listen /ip4/127.0.0.1/tcp/0", "inbox", &send] {
            let ran = alice.run(line);
            assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (5, "", 1), "{line}: {}", ran.talk);
            assert!(ran.talk.contains(&format!("chmod {shut:o}")), "{line}: {}", ran.talk);
        }
        let found = alice.run("doctor");
        assert!((found.data + &found.talk).contains("chmod"));
        fs::set_permissions(&path, Permissions::from_mode(shut)).unwrap();
        assert_eq!(alice.run("inbox").code, 0);
    }
}

#[test]
fn two_nodes_never_open_one_store() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    bob.up("");
    bob.down();
    fs::remove_file(store(&bob)).unwrap();
    // Another home with another lock, and the same file in it.
    fs::hard_link(store(&alice), store(&bob)).unwrap();
    for line in ["up --no-mdns --listen /ip4/127.0.0.1/tcp/0", "inbox"] {
        let ran = bob.run(line);
        assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (7, "", 1), "{line}: {}", ran.talk);
    }
    alice.json(&format!("send {SOMEBODY} undisturbed"));
    assert_eq!(alice.down(), Some(0));
    assert_eq!(alice.run("doctor").code, 0);
}

fn store(person: &Person) -> PathBuf {
    person.home().join("store.redb")
}

/// Writes another number of a format into a store, and returns the one it had.
fn set_format(path: &PathBuf, format: u64) -> u64 {
    let db = Database::open(path).unwrap();
    let txn = db.begin_write().unwrap();
    let mut table = txn.open_table(TableDefinition::<&str, u64>::new("meta_v1")).unwrap();
    let before = table.insert("format", format).unwrap().expect("a store has a format").value();
    drop(table);
    txn.commit().unwrap();
    before
}

/// Flips a bit wherever the file has `needle`.
fn flip(path: &PathBuf, needle: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let windows = bytes.windows(needle.len()).enumerate();
    let places: Vec<usize> = windows.filter(|(_, at)| *at == needle).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the file does not have what the test wants to damage");
    places.into_iter().for_each(|at| bytes[at] ^= 1);
    fs::write(path, bytes).unwrap();
}

//! Bundles carried by hand: two homes, a folder or a file between them, and no network.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use dak::bundle::{Creation, Draft, Hops, Kind, Priority};
use dak::eid::Eid;
use dak::id::NodeId;
use dak::time::{DtnTime, HOUR};
use ed25519_dalek::SigningKey;
use rustix::process::Signal;
use serde_json::Value;

use crate::SOMEBODY;
use crate::person::{Person, Ran};

/// Makes both homes and lets them know each other by name; no node runs after that.
pub fn introduce(alice: &mut Person, bob: &mut Person) {
    let [me, other] = [&mut *alice, &mut *bob].map(|person| {
        let ready = person.up("");
        person.down();
        ready["address"].as_str().unwrap().to_owned()
    });
    for (person, name, address) in [(&alice, "bob", other), (&bob, "alice", me)] {
        assert_eq!(person.run(&format!("contact add {name} {address}")).code, 0);
    }
}

/// A folder beside the home of one of them.
pub fn folder(person: &Person) -> String {
    let path = person.path("stick");
    fs::create_dir(&path).unwrap();
    path
}

pub fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn counts(row: &Value, fields: [&str; 3]) -> [u64; 3] {
    fields.map(|field| row[field].as_u64().unwrap_or_else(|| panic!("{field} in {row}")))
}

fn exported(row: &Value) -> [u64; 3] {
    counts(row, ["bundles", "left_out", "there"])
}

fn imported(row: &Value) -> [u64; 3] {
    counts(row, ["new", "known", "refused"])
}

fn state(person: &Person, id: &str) -> String {
    person.json(&format!("status {id}"))["state"].as_str().unwrap().to_owned()
}

#[test]
fn two_homes_that_never_meet_write_and_answer_by_stick() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    let stick = folder(&alice);
    let sent = alice.json("send bob hello");
    let id = sent["id"].as_str().unwrap();
    let row = alice.json(&format!("stick export {stick}"));
    assert_eq!(exported(&row), [1, 0, 0]);
    let files = names(&stick);
    assert!(files.len() == 1 && files[0].starts_with(&id[..16]) && files[0].ends_with(".bundle"), "{files:?}");
    assert_eq!(row["bytes"], fs::metadata(format!("{stick}/{}", files[0])).unwrap().len());
    let inspected = alice.json(&format!("bundle inspect {stick}/{}", files[0]));
    assert_eq!((&inspected["verified"], &inspected["id"]), (&true.into(), &id.into()));
    assert_eq!(exported(&alice.json(&format!("stick export {stick}"))), [0, 0, 1]);
    assert_eq!(names(&stick), files);
    let status = alice.json(&format!("status {id}"));
    assert_eq!((&status["state"], status["events"].as_array().unwrap().len()), (&"queued".into(), 1));
    assert_eq!(status["held_here"], true, "what is on a stick is here as well");

    bob.up("");
    assert_eq!(imported(&bob.json(&format!("stick import {stick}"))), [1, 0, 0]);
    assert_eq!(imported(&bob.json(&format!("stick import {stick}"))), [0, 1, 0]);
    let inbox = bob.rows("inbox");
    assert_eq!((inbox.len(), &inbox[0]["text"], &inbox[0]["from"]), (1, &"hello".into(), &"alice".into()));
    let answer = bob.json(&format!("reply {id} thanks"));
    assert_eq!(bob.json(&format!("stick export {stick} --for alice"))["bundles"], 2, "the answer and the receipt");
    assert_eq!(names(&stick).len(), 3);

    assert_eq!(imported(&alice.json(&format!("stick import {stick}"))), [2, 1, 0]);
    assert_eq!(state(&alice, id), "delivered");
    assert_eq!(alice.rows("inbox")[0]["text"], "thanks");
    let read = alice.run(&format!("read {}", answer["id"].as_str().unwrap()));
    assert!(read.data.contains("thanks"), "{}", read.data);
    alice.run(&format!("stick export {stick}"));
    assert!(bob.json(&format!("stick import {stick}"))["new"].as_u64() >= Some(1));
    assert_eq!(state(&bob, answer["id"].as_str().unwrap()), "delivered");
    assert_eq!(bob.rows("inbox").len(), 1);
}

#[test]
fn what_is_wrong_about_a_stick_is_said_and_harms_nothing() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    let stick = folder(&alice);
    let sent = alice.json("send bob hello");
    alice.run(&format!("stick export {stick}"));
    let name = names(&stick).remove(0);
    let genuine = fs::read(format!("{stick}/{name}")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(Path::new(&stick).join(name), bytes).unwrap();
    put("garbage", b"GIF89a and so on");
    put("empty.bundle", b"");
    put("cut.bundle", &genuine[..genuine.len() - 1]);
    let mut forged = genuine.clone();
    let at = forged.len() - 10;
    forged[at] ^= 1;
    put("forged.bundle", &forged);
    put("huge.bundle", &[&[0x9f][..], &vec![0; 4 << 20]].concat());
    put("followed.bundle", &[&genuine[..], b"more"].concat());
    put("\u{1b}[2J\u{202e}.bundle", b"escapes");
    fs::write(Path::new(&stick).join(std::ffi::OsStr::from_bytes(b"\xff\xfe.bundle")), b"no text").unwrap();
    fs::File::create(format!("{stick}/sparse.bundle")).unwrap().set_len(5 << 40).unwrap();
    symlink("/etc/passwd", format!("{stick}/passwd.bundle")).unwrap();
    symlink(".", format!("{stick}/loop")).unwrap();
    symlink("nowhere", format!("{stick}/dangling.bundle")).unwrap();
    assert!(Command::new("mkfifo").arg(format!("{stick}/fifo.bundle")).status().unwrap().success());
    fs::create_dir(format!("{stick}/folder")).unwrap();
    let before = fs::read_dir(&stick).unwrap().count();

    let ran = bob.run(&format!("stick import {stick}"));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    let raw = ran.talk.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!(raw, None, "{:?}", ran.talk);
    for (file, why) in [
        ("garbage", "not a bundle"),
        ("empty", "it is empty"),
        ("cut", "ends too early"),
        ("forged", "signature"),
        ("huge", "larger than 1 MiB"),
        ("followed", "not a bundle"),
        ("sparse", "larger than any"),
        ("passwd", "a link"),
        ("loop", "a link"),
        ("dangling", "a link"),
        ("fifo", "no file"),
    ] {
        let told =
            ran.talk.lines().any(|line| line.starts_with("refused ") && line.contains(file) && line.contains(why));
        assert!(told, "{file}: {why}: {}", ran.talk);
    }
    assert_eq!(bob.rows("inbox").len(), 1, "the genuine one came");
    let row = bob.json(&format!("stick import {stick}"));
    assert_eq!(imported(&row), [0, 2, 13], "the one before what follows it as well");
    assert_eq!((&row["skipped"], row["reasons"].as_array().unwrap().len()), (&1.into(), 13));
    assert_eq!(fs::read_dir(&stick).unwrap().count(), before, "nothing was added, and nothing removed");
    // What says that it is a bundle and does not verify keeps no genuine one out, whatever its name.
    let other = alice.path("other");
    fs::create_dir(&other).unwrap();
    let mut unsigned = genuine.clone();
    // The end of a COSE_Sign1 without its payload, and the head of the signature.
    let head = [0xa0, 0xf6, 0x58, 0x40];
    let at = unsigned.windows(4).position(|bytes| bytes == head).unwrap();
    unsigned[at + head.len()] ^= 1;
    fs::write(format!("{other}/{name}"), &unsigned).unwrap();
    assert_eq!(exported(&alice.json(&format!("stick export {other}"))), [1, 0, 0]);
    assert_eq!(names(&other).len(), 2);
    bob.run(&format!("stick export {stick}"));
    alice.run(&format!("stick import {stick}"));
    assert_eq!(state(&alice, sent["id"].as_str().unwrap()), "delivered");
}

/// Runs a command where a file system of this kind is mounted on a folder, as what `sh` says makes it.
pub fn on_a_mount(person: &Person, line: &str, mount: &str) -> Ran {
    let command = person.command(&line.split_whitespace().collect::<Vec<_>>());
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "--map-root-user", "sh", "-c", &format!("{mount} || exit 77; exec \"$@\""), "sh"]);
    let output = shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    assert_ne!(code, 77, "the test cannot mount: {}", text(output.stderr));
    Ran { code, data: text(output.stdout), talk: text(output.stderr) }
}

#[test]
fn a_stick_that_is_full_or_takes_nothing_says_so_and_all_stays_here() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    let stick = folder(&alice);
    let file = alice.file("plan.txt", &[b'x'; 30_000]);
    (0..6).for_each(|_| drop(alice.json(&format!("send {SOMEBODY} -f {file}"))));
    let export = format!("stick export {stick}");
    let full = on_a_mount(&alice, &export, &format!("mount -t tmpfs -o size=100k stick {stick}"));
    assert_eq!(full.code, 1, "{}", full.data);
    assert!(full.talk.contains("No space") && full.talk.contains("make room"), "{}", full.talk);
    let fixed = on_a_mount(&alice, &export, &format!("mount -t tmpfs -o ro stick {stick}"));
    assert_eq!((fixed.code, fixed.data.as_str()), (1, ""));
    assert!(fixed.talk.contains("Read-only") && fixed.talk.contains("make it writable"), "{}", fixed.talk);
    let json = on_a_mount(&alice, &format!("{export} --json"), &format!("mount -t tmpfs -o ro stick {stick}"));
    assert_eq!(serde_json::from_str::<Value>(&json.talk).unwrap()["error"]["kind"], "failure");
    let gone = alice.run(&format!("stick import {stick}/gone"));
    assert!(gone.code == 1 && gone.talk.contains("cannot read"), "{}", gone.talk);
    assert_eq!(exported(&alice.json(&export)), [6, 0, 0]);
    assert_eq!(alice.json("carry")["bundles"], 6);
}

#[test]
fn what_a_killed_export_leaves_is_whole_and_the_next_one_adds_the_rest() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    let file = alice.file("plan.txt", &[b'x'; 60_000]);
    alice.up("");
    (0..40).for_each(|n| drop(alice.json(&format!("send bob number-{n} -f {file}"))));
    let stick = folder(&alice);
    for wait in [0, 10, 20, 30, 40, 60, 80, 100] {
        let mut export = alice.spawn(&format!("stick export {stick}"));
        thread::sleep(Duration::from_millis(wait));
        export.signal(Signal::KILL);
        export.end();
        for name in names(&stick).iter().filter(|name| !name.starts_with('.')) {
            assert_eq!(alice.json(&format!("bundle inspect {stick}/{name}"))["verified"], true);
        }
    }
    let before = names(&stick).iter().filter(|name| !name.starts_with('.')).count() as u64;
    // One that nobody begins so is nobody's beginning.
    fs::write(format!("{stick}/.4711.bundle"), b"mine").unwrap();
    assert_eq!(exported(&alice.json(&format!("stick export {stick}"))), [40 - before, 0, before]);
    let hidden: Vec<String> = names(&stick).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(hidden, [".4711.bundle"], "what a killed export began goes with the next");
    assert_eq!(imported(&bob.json(&format!("stick import {stick}"))), [40, 0, 0]);
    assert_eq!(bob.rows("inbox").len(), 40);
    // Some copies may have been spent on nothing; the last is always here.
    assert_eq!(alice.json("carry")["bundles"], 40);
}

#[test]
fn a_watched_stick_serves_itself() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    // A node runs at one of them.
    bob.up("");
    let stick = folder(&alice);
    let mut watchers = [alice.spawn(&format!("stick watch {stick}")), bob.spawn(&format!("stick watch {stick}"))];
    let ids: Vec<String> =
        (0..2).map(|n| alice.json(&format!("send bob text-{n}"))["id"].as_str().unwrap().to_owned()).collect();
    bob.until("inbox", |rows| rows.len() == 2);
    for id in &ids {
        alice.until(&format!("status {id}"), |rows| rows[0]["state"] == "delivered");
    }
    // It goes, and another one comes in its place.
    let away = format!("{stick}-away");
    fs::rename(&stick, &away).unwrap();
    fs::create_dir(&stick).unwrap();
    let id = bob.json("send alice back")["id"].as_str().unwrap().to_owned();
    alice.until("inbox", |rows| rows.len() == 1);
    bob.until(&format!("status {id}"), |rows| rows[0]["state"] == "delivered");
    for watcher in &mut watchers {
        watcher.signal(Signal::INT);
        assert_eq!(watcher.end(), Some(130));
    }
    let refused = Person::new("nobody").run(&format!("stick watch {stick}"));
    assert_eq!((refused.code, refused.data.as_str()), (3, ""));
}

#[test]
fn one_file_holds_many_and_goes_through_a_pipe() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    (0..5).for_each(|n| drop(alice.json(&format!("send bob text-{n}"))));
    let file = alice.path("attachment");
    assert_eq!(exported(&alice.json(&format!("stick export {file}"))), [5, 0, 0]);
    let again = alice.run(&format!("stick export {file}"));
    assert_eq!((again.code, again.talk.contains("there already")), (5, true), "{}", again.talk);
    let whole = fs::read(&file).unwrap();
    // A killed export to a file leaves its beginning, until the next one to that file.
    let left = [".other.4711.unfinished", ".other.x.unfinished", ".others.4711.unfinished", ".other.4711"];
    left.iter().for_each(|name| drop(alice.file(name, b"begun")));
    assert_eq!(exported(&alice.json(&format!("stick export {}", alice.path("other")))), [5, 0, 0]);
    assert_eq!(left.map(|name| Path::new(&alice.path(name)).exists()), [false, true, true, true]);
    let cut = alice.file("cut", &whole[..whole.len() - 7]);
    assert_eq!(imported(&bob.json(&format!("stick import {cut}"))), [4, 0, 1]);
    let pipe = |from: Command, mut to: Command| {
        let mut from = { from }.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = to.stdin(from.stdout.take().unwrap()).output().unwrap();
        assert!(from.wait().unwrap().success());
        output
    };
    let output = pipe(alice.command(&["stick", "export", "-"]), bob.command(&["stick", "import", "-", "--json"]));
    assert_eq!(imported(&serde_json::from_slice(&output.stdout).unwrap()), [1, 4, 0]);
    assert_eq!(bob.rows("inbox").len(), 5);
    // In a folder one file of many is read as well.
    let stick = folder(&bob);
    fs::copy(&file, format!("{stick}/attachment")).unwrap();
    assert_eq!(imported(&bob.json(&format!("stick import {stick}"))), [0, 5, 0]);
    assert_eq!(exported(&alice.json(&format!("stick export {stick}"))), [0, 0, 5]);
    let nothing = bob.run(&format!("stick import {}", bob.file("photo", b"GIF89a")));
    assert!(nothing.code == 8 && nothing.talk.contains("not a bundle"), "{}", nothing.talk);
}

#[test]
fn a_limit_takes_what_is_most_urgent_and_the_same_again() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    let file = alice.file("plan.txt", &[b'x'; 20_000]);
    for (to, priority) in [(SOMEBODY, "urgent"), ("bob", "bulk"), ("bob", "urgent"), (SOMEBODY, "normal")] {
        alice.json(&format!("send {to} {priority} -f {file} -p {priority}"));
    }
    let stick = folder(&alice);
    let export = format!("stick export {stick} --for bob --max 50K");
    assert_eq!(exported(&alice.json(&export)), [2, 2, 0]);
    assert_eq!(exported(&alice.json(&export)), [0, 2, 2]);
    assert_eq!(imported(&bob.json(&format!("stick import {stick}"))), [2, 0, 0]);
    assert_eq!(bob.rows("inbox").len(), 2, "what is for him came first");
    let other = alice.path("other");
    fs::create_dir(&other).unwrap();
    assert_eq!(exported(&alice.json(&format!("stick export {other} --max 25K"))), [1, 3, 0]);
    let one = alice.json(&format!("bundle inspect {other}/{}", names(&other)[0]));
    assert!(one.to_string().contains("urgent"), "{one}");
    for (line, code) in [("--for nobody", 4), ("--for me", 5), ("--max much", 2)] {
        let ran = alice.run(&format!("stick export {stick} {line}"));
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{line}: {}", ran.talk);
    }
}

/// A message of an hour by a source without a clock.
fn unclocked(sequence: u64) -> Vec<u8> {
    let key = SigningKey::from_bytes(&[77; 32]);
    let draft = Draft {
        kind: Kind::Message,
        source: NodeId::from_trusted(key.verifying_key().to_bytes()),
        destination: Eid::mail(NodeId::from_peer_id(SOMEBODY).unwrap()),
        creation: Creation { time: DtnTime(0), sequence },
        lifetime: HOUR,
        priority: Priority::Normal,
        copies: 8,
    };
    draft.sign(b"sealed", &key).unwrap().encode(Hops::default())
}

#[test]
fn the_time_on_a_stick_counts_also_where_the_source_had_no_clock() {
    let mut alice = Person::new("alice");
    alice.up("");
    let stick = folder(&alice);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let put = |name: String, n| fs::write(format!("{stick}/{name}"), unclocked(n)).unwrap();
    put(format!("late-{}.bundle", now - 2 * 3_600), 1);
    put(format!("young-{}.bundle", now - 1_800), 2);
    put(format!("tomorrow-{}.bundle", now + 86_400), 3);
    put("unstamped.bundle".into(), 4);
    let row = alice.json(&format!("stick import {stick}"));
    assert_eq!(imported(&row), [3, 0, 1], "{row}");
    let reason = &row["reasons"][0];
    assert!(reason["file"].as_str().unwrap().starts_with("late-"), "{reason}");
    assert!(reason["why"].as_str().unwrap().contains("its life is over"), "{reason}");
    let left: Vec<i64> = alice.rows("carry list").iter().map(|row| minutes_left(row, now)).collect();
    // Half of it was spent on the stick; no stamp lengthens what its source signed.
    assert!(left.iter().all(|minutes| *minutes <= 60), "{left:?}");
    assert_eq!(left.iter().filter(|minutes| **minutes <= 30).count(), 1, "{left:?}");
}

fn minutes_left(row: &Value, now: u64) -> i64 {
    let expires: jiff::Timestamp = row["expires_at"].as_str().unwrap().parse().unwrap();
    (expires.as_second() - now as i64) / 60
}

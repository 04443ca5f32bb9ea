//! Files and folders that are odd: names, loops, thousands, nothing at all, and a disk that is full where one is saved.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::acquaint;
use crate::files::{bytes, is};
use crate::person::Person;
use crate::stick::on_a_mount;

/// The names in a directory, in their order.
fn names(directory: &str) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn whatever_a_file_is_called_it_is_shown_and_saved_without_harm() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let odd = ["ä".repeat(127) + "x", "\u{202e}fdp.exe\n\u{1b}[2Jgone".to_owned(), "-rf .".to_owned()];
    for (n, name) in odd.iter().enumerate() {
        let path = alice.file(name, &bytes(100_000 + n));
        assert_eq!(alice.run_args(&["send", "bob", "-f", &path]).code, 0, "{name:?}");
    }
    bob.until("file", |rows| rows.len() == 3 && rows.iter().all(|row| row["state"] == "here"));
    let rows = bob.rows("file");
    assert!(odd.iter().all(|name| rows.iter().any(|row| row["name"] == **name)), "{rows:?}");
    let shown = [&alice, &bob].map(|person| person.run("file").data).concat();
    assert!(!shown.contains(['\u{202e}', '\u{1b}']) && shown.lines().count() == 8, "{shown}");
    let got = bob.path("got");
    let saved = bob.run(&format!("file --save-all {got}"));
    assert!(saved.code == 0 && !saved.data.contains(['\u{202e}', '\u{1b}']), "{}", saved.data);
    let harmless = |name: &String| !name.contains(char::is_control) && !name.starts_with('-') && name.len() <= 120;
    let names = names(&got);
    assert!(names.len() == 3 && names.iter().all(harmless), "{names:?}");
}

#[test]
fn a_pipe_that_nobody_writes_into_is_waited_for_aloud() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let pipe = alice.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut sending = alice.spawn(&format!("send bob -f {pipe} --json"));
    fs::write(&pipe, "from the other end").unwrap();
    assert!(sending.try_line().is_some());
    let mut sending = alice.spawn(&format!("send bob -f {pipe}"));
    alice.until_talk("stderr", "waiting for what is written into");
    fs::write(&pipe, "from the other end").unwrap();
    assert!(sending.line().starts_with("queued "));
    bob.until("inbox", |rows| rows.len() == 2);
}

#[test]
fn a_folder_with_loops_and_thousands_of_files_and_one_with_nothing_arrive() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let folder = alice.path("many");
    fs::create_dir_all(format!("{folder}/in")).unwrap();
    std::os::unix::fs::symlink("..", format!("{folder}/in/loop")).unwrap();
    std::os::unix::fs::symlink("loop", format!("{folder}/loop")).unwrap();
    (0..10_000).for_each(|n| fs::write(format!("{folder}/in/{n}"), n.to_string()).unwrap());
    let nothing = alice.file("nothing", b"");
    let sent = alice.run_args(&["send", "bob", "-f", &folder, "-f", &nothing, "--json"]);
    assert_eq!(sent.code, 0, "{}", sent.talk);
    let id = sent.json()["id"].as_str().unwrap()[..10].to_owned();
    bob.until("file", is("here"));
    let got = bob.path("got");
    let read = bob.run(&format!("read {id} --save {got}"));
    assert!(read.code == 0 && read.data.contains("nothing (0 B)"), "{}", read.talk);
    assert!(read.talk.contains("nothing has no bytes here: it was empty"), "{}", read.talk);
    assert_eq!(names(&got), ["many"]);
    assert_eq!((names(&format!("{got}/many")), names(&format!("{got}/many/in")).len()), (vec!["in".into()], 10_000));
    assert_eq!(fs::read(format!("{got}/many/in/9999")).unwrap(), b"9999");
}

#[test]
fn a_file_that_changes_or_goes_while_it_is_sent_arrives_as_it_was() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    bob.down();
    let film = bytes(2_000_000);
    let path = alice.file("film", &film);
    let sent = alice.run_args(&["send", "bob", "-f", &path]);
    assert_eq!(sent.code, 0, "{}", sent.talk);
    fs::write(&path, b"something else").unwrap();
    bob.up(&format!("--peer {}", alice.place()));
    fs::remove_file(&path).unwrap();
    bob.until("file", is("here"));
    let got = bob.path("got");
    bob.rows(&format!("file --save-all {got}"));
    assert!(fs::read(format!("{got}/film")).unwrap() == film);
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_saving_is_said_and_nothing_half_stays() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let film = alice.file("film", &bytes(2_000_000));
    let folder = alice.path("maps");
    fs::create_dir(&folder).unwrap();
    (0..40).for_each(|n| fs::write(format!("{folder}/{n}"), bytes(50_000 + n)).unwrap());
    alice.run_args(&["send", "bob", "-f", &film, "-f", &folder]);
    bob.until("file", |rows| rows.len() == 2 && rows.iter().all(|row| row["state"] == "here"));
    bob.down();
    let (disk, left) = (bob.path("disk"), bob.path("left"));
    fs::create_dir(&disk).unwrap();
    for row in bob.rows("file") {
        let save = format!("file save {} {disk} --json", row["id"].as_str().unwrap());
        let and_look = format!("{{ \"$@\"; code=$?; ls -A {disk} >{left}; exit $code; }}");
        let ran = on_a_mount(&bob, &save, &format!("mount -t tmpfs -o size=1m tmpfs {disk} && {and_look}"));
        let error = serde_json::from_str::<Value>(ran.talk.lines().last().unwrap()).unwrap();
        let said = error["error"]["message"].as_str().unwrap();
        assert!(ran.code == 1 && said.contains("the disk is full"), "{} {}", ran.code, ran.talk);
        assert_eq!(fs::read_to_string(&left).unwrap(), "", "half of {} is left", row["name"]);
    }
    let got = bob.path("got");
    assert_eq!(bob.rows(&format!("file --save-all {got}")).len(), 2, "what is here stays here");
    assert!(Path::new(&format!("{got}/maps/39")).exists());
}

//! A stick that is watched and goes in the middle, is full or takes nothing: nothing is lost, and the watch goes on.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::person::Person;
use crate::stick::{folder, introduce, names};
use crate::{PATIENCE, SOMEBODY};

/// How many bundles lie in a folder, as anybody sees it.
fn bundles(folder: &str) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.') && name.ends_with(".bundle")).count()
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Spray copies that a home has left of what it carries.
fn copies(person: &Person) -> u64 {
    person.rows("carry list").iter().map(|row| row["copies"].as_u64().unwrap()).sum()
}

#[test]
fn a_stick_that_goes_in_the_middle_loses_nothing_and_is_finished_when_it_is_back() {
    const MANY: usize = 40;
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    introduce(&mut alice, &mut bob);
    alice.up("");
    let file = alice.file("plan.txt", &[b'x'; 60_000]);
    (0..MANY).for_each(|n| drop(alice.json(&format!("send bob number-{n} -f {file}"))));
    let stick = folder(&alice);
    let mut watcher = alice.spawn(&format!("stick watch {stick} --for bob"));
    alice.keep_talk("watch");
    wait_for("something of it is begun", || fs::read_dir(&stick).is_ok_and(|mut names| names.next().is_some()));
    // Whatever is there goes, and what is still being written with it.
    wait_for("it is gone", || fs::remove_dir_all(&stick).is_ok());
    alice.until_talk("watch", "waiting for");
    assert_eq!(alice.json("carry")["bundles"], MANY, "all of it stays here");
    fs::create_dir(&stick).unwrap();
    wait_for("all of it is there", || bundles(&stick) == MANY);
    watcher.signal(Signal::INT);
    assert_eq!(watcher.end(), Some(130));
    assert_eq!(names(&stick).len(), MANY, "nothing is left half written");

    // It goes as well while it is taken in.
    bob.up("");
    let mut watcher = bob.spawn(&format!("stick watch {stick}"));
    bob.keep_talk("watch");
    let away = format!("{stick}-away");
    bob.until("inbox", |rows| !rows.is_empty());
    fs::rename(&stick, &away).unwrap();
    bob.until_talk("watch", "waiting for");
    fs::rename(&away, &stick).unwrap();
    bob.until("inbox", |rows| rows.len() == MANY);
    watcher.signal(Signal::INT);
    assert_eq!(watcher.end(), Some(130));
}

#[test]
fn a_watched_stick_that_is_full_takes_nothing_or_is_gone_costs_no_copies_and_gets_the_rest_later() {
    let mut alice = Person::new("alice");
    alice.up("");
    let stick = folder(&alice);
    let file = alice.file("plan.txt", &[b'x'; 30_000]);
    let send = || drop(alice.json(&format!("send {SOMEBODY} -f {file}")));
    (0..6).for_each(|_| send());
    let before = copies(&alice);
    let mount = |options: &str| format!("mount -t tmpfs -o {options} stick {stick}");
    let mut watcher = alice.spawn_on_a_mount(&format!("stick watch {stick}"), &mount("size=100k"));
    alice.keep_talk("watch");
    let said = alice.until_talk("watch", "No space");
    assert!(said.contains("make room"), "{said}");
    let there = format!("/proc/{}/root{stick}", watcher.pid());
    assert_eq!((bundles(&there), before - copies(&alice)), (3, 3), "a copy of each that has room");
    watcher.among_its_mounts(&format!("mount -o remount,size=10m {stick}"));
    wait_for("the rest is there", || bundles(&there) == 6);
    assert_eq!(before - copies(&alice), 6);

    watcher.among_its_mounts(&format!("mount -o remount,ro {stick}"));
    send();
    let said = alice.until_talk("watch", "Read-only");
    assert!(said.contains("make it writable"), "{said}");
    let newest = alice.rows("carry list").iter().map(|row| row["copies"].as_u64().unwrap()).max();
    assert_eq!(newest, Some(before / 6), "none of its copies is spent");
    watcher.among_its_mounts(&format!("mount -o remount,rw {stick}"));
    wait_for("it is there", || bundles(&there) == 7);

    // What lies under the mount is no stick.
    watcher.among_its_mounts(&format!("umount -l {stick}"));
    alice.until_talk("watch", "nothing is mounted there");
    send();
    assert!(names(&stick).is_empty(), "{:?}", names(&stick));
    watcher.among_its_mounts(&mount("size=10m"));
    wait_for("all of it is there", || bundles(&there) == 8);
    assert!(names(&stick).is_empty(), "{:?}", names(&stick));
    assert_eq!(alice.json("carry")["bundles"], 8);
    let said = fs::read_to_string(alice.path("watch")).unwrap();
    assert_eq!(said.lines().count(), 4, "what stays wrong is said once: {said}");
    watcher.signal(Signal::INT);
    assert_eq!(watcher.end(), Some(130));
}

#[test]
fn a_stick_that_is_mounted_after_the_watch_began_gets_everything_and_nothing_lies_beneath_it_where_that_is_known() {
    let mut alice = Person::new("alice");
    alice.up("");
    let stick = folder(&alice);
    (0..3).for_each(|_| drop(alice.json(&format!("send {SOMEBODY} hello"))));
    let mount = format!("mount -t tmpfs -o size=10m stick {stick}");

    // The machine's table says that a stick belongs there, so nothing is written before it is there.
    let table = alice.file("fstab", format!("LABEL=dak {stick} vfat noauto,user 0 0\n").as_bytes());
    let line = format!("stick watch {stick}");
    let mut watcher = alice.spawn_on_a_mount(&line, &format!("mount --bind {table} /etc/fstab"));
    alice.keep_talk("watch");
    alice.until_talk("watch", "nothing is mounted there now");
    assert!(names(&stick).is_empty(), "{:?}", names(&stick));
    watcher.among_its_mounts(&mount);
    let there = format!("/proc/{}/root{stick}", watcher.pid());
    wait_for("all of it is there", || bundles(&there) == 3);
    assert!(names(&stick).is_empty(), "{:?}", names(&stick));
    watcher.signal(Signal::INT);
    assert_eq!(watcher.end(), Some(130));

    // Where nothing says so it is a folder like any other, until it is not.
    let mut watcher = alice.spawn_on_a_mount(&line, "true");
    alice.keep_talk("later");
    wait_for("it is written", || bundles(&stick) == 3);
    watcher.among_its_mounts(&mount);
    let said = alice.until_talk("later", "another disk now");
    assert!(said.contains("beneath"), "{said}");
    let there = format!("/proc/{}/root{stick}", watcher.pid());
    wait_for("all of it is there as well", || bundles(&there) == 3);
    watcher.signal(Signal::INT);
    assert_eq!(watcher.end(), Some(130));
}

//! Long bodies: what they take of the file, and that no piece of one is lost or left behind.

use std::path::{Path, PathBuf};

use dak::agent::change::{Change, Row};
use dak::store::Store;
use dak::store::redb::{Depth, Problem, check, repair};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};
use tempfile::TempDir;

use crate::make::{deliver, hold, message, open};

const BODIES: TableDefinition<u64, &[u8]> = TableDefinition::new("bodies_v1");
const RESTS: TableDefinition<u64, &[u8]> = TableDefinition::new("rests_v1");

/// As long as a sealed part of a file, which is a quarter of a megabyte.
const PART_BYTES: usize = (256 << 10) + 200;

fn part(row: u64) -> Vec<u8> {
    (0..PART_BYTES).map(|at| (at as u64 * 31 + row) as u8).collect()
}

/// A store that holds four parts, and a letter as long at row 5.
fn home() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    (1..=4).for_each(|row| store.commit(&[hold(row, &message(row, &part(row)))]).unwrap());
    store.commit(&[deliver(5, &message(5, &part(5)))]).unwrap();
    (dir, path)
}

fn in_tables<T>(path: &Path, look: impl FnOnce(&Database) -> T) -> T {
    look(&Database::open(path).unwrap())
}

fn remove(path: &Path, table: TableDefinition<u64, &[u8]>, row: u64) {
    in_tables(path, |db| {
        let txn = db.begin_write().unwrap();
        assert!(txn.open_table(table).unwrap().remove(row).unwrap().is_some(), "there is something to take away");
        txn.commit().unwrap();
    });
}

fn names(problems: &[Problem], row: u64) -> bool {
    problems.iter().any(|problem| matches!(problem, Problem::Body { row: Row(named), .. } if *named == row))
}

#[test]
fn parts_of_files_take_hardly_more_of_the_file_than_they_are_long() {
    let (_dir, path) = home();
    let (stored, lost) = in_tables(&path, |db| {
        let txn = db.begin_read().unwrap();
        let (bodies, rests) = (txn.open_table(BODIES).unwrap(), txn.open_table(RESTS).unwrap());
        let stats = [bodies.stats().unwrap(), rests.stats().unwrap()];
        let sum = |of: fn(&redb::TableStats) -> u64| stats.iter().map(of).sum::<u64>();
        (sum(redb::TableStats::stored_bytes), sum(redb::TableStats::fragmented_bytes))
    });
    assert!(stored >= 5 * PART_BYTES as u64);
    assert!(lost < stored / 20, "{lost} bytes of pages hold nothing, beside {stored}");
}

#[test]
fn long_bodies_come_back_whole_and_leave_nothing_behind() {
    let (_dir, path) = home();
    assert!(check(&path, Depth::Signatures).unwrap().is_sound());
    let mut store = open(&path);
    for row in 1..=5 {
        let kept = store.body(Row(row)).unwrap();
        assert!(kept.as_deref() == Some(message(row, &part(row)).bytes()), "row {row}");
    }
    store.commit(&[Change::Forget { row: Row(2) }]).unwrap();
    // Something short takes the place of a long one.
    store.commit(&[hold(3, &message(3, b"short"))]).unwrap();
    assert_eq!(store.body(Row(2)).unwrap(), None);
    assert_eq!(store.body(Row(3)).unwrap().as_deref(), Some(message(3, b"short").bytes()));
    drop(store);
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(findings.is_sound(), "{:?}", findings.problems);
    in_tables(&path, |db| {
        let rests = db.begin_read().unwrap().open_table(RESTS).unwrap();
        assert_eq!(rests.len().unwrap(), 3, "of rows 1, 4 and 5");
    });
}

#[test]
fn a_long_body_without_its_rest_is_found_and_alone_lost_to_a_repair() {
    let (_dir, path) = home();
    remove(&path, RESTS, 4);
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(names(&findings.problems, 4), "{:?}", findings.problems);
    assert!(open(&path).body(Row(4)).is_err(), "half of a bundle is none");
    let lost = repair(&path).unwrap();
    assert_eq!((lost.kept_held, lost.kept_letters), (3, 1));
    assert_eq!(lost.held, [message(4, &part(4)).id]);
    assert!(check(&path, Depth::Signatures).unwrap().is_sound());
    let kept = open(&path).body(Row(5)).unwrap();
    assert!(kept.as_deref() == Some(message(5, &part(5)).bytes()));
}

#[test]
fn a_rest_of_nothing_is_found_and_gone_after_a_repair() {
    let (_dir, path) = home();
    remove(&path, BODIES, 1);
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(findings.problems.contains(&Problem::NoFacts(Row(1))), "{:?}", findings.problems);
    repair(&path).unwrap();
    assert!(check(&path, Depth::Signatures).unwrap().is_sound());
}

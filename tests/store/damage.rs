//! Damaged files: found, said, and repaired as far as anything verifies.

use std::path::{Path, PathBuf};

use dak::agent::change::Row;
use dak::store::redb::{Depth, Problem, RedbStore, check, repair};
use dak::store::{Store, StoreError};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::make::{History, QUICK, deliver, hold, message, open};

/// A store of twenty held messages and one letter, each with a payload that is easy to find in the file.
fn home() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    (1..=20).for_each(|row| store.commit(&[hold(row, &message(row, &payload(row)))]).unwrap());
    store.commit(&[deliver(21, &message(21, &payload(21)))]).unwrap();
    (dir, path)
}

fn payload(row: u64) -> Vec<u8> {
    format!("payload of row {row:02}, and then some. ").into_bytes().repeat(30)
}

/// Flips a bit wherever the file has `needle`; dead pages may have it as well.
fn flip(path: &Path, needle: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> =
        bytes.windows(needle.len()).enumerate().filter(|(_, at)| *at == needle).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the file does not have what the test wants to damage");
    places.into_iter().for_each(|at| bytes[at] ^= 1);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_store_is_found_sound() {
    let (_dir, path) = home();
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(findings.is_sound(), "{:?}", findings.problems);
    assert_eq!((findings.bodies, findings.held, findings.letters, findings.format), (21, 20, 1, 1));
    assert!(findings.pages_intact);
}

#[test]
fn a_flipped_bit_in_a_body_is_named_and_only_that_bundle_is_lost() {
    let (_dir, path) = home();
    flip(&path, &payload(7));
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(!findings.pages_intact);
    let named = |problem: &Problem| matches!(problem, Problem::Body { row: Row(7), .. });
    assert!(findings.problems.iter().any(named), "{:?}", findings.problems);

    let lost = repair(&path).unwrap();
    assert_eq!((lost.kept_held, lost.kept_letters), (19, 1));
    assert_eq!(lost.held, [message(7, &payload(7)).id]);
    assert!(lost.damaged.exists());
    let mended = check(&path, Depth::Signatures).unwrap();
    assert!(mended.is_sound(), "{:?}", mended.problems);
    let store = open(&path);
    let durable = store.durable().unwrap();
    assert_eq!((durable.held.len(), durable.letters.len(), durable.next_row), (19, 1, Row(22)));
    assert_eq!(store.body(Row(8)).unwrap().as_deref(), Some(message(8, &payload(8)).bytes()));
}

#[test]
fn facts_without_a_body_and_a_body_without_facts_are_found() {
    let (_dir, path) = home();
    let db = Database::open(&path).unwrap();
    let txn = db.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, &[u8]>::new("bodies_v1")).unwrap().remove(3).unwrap();
    txn.open_table(TableDefinition::<u64, &[u8]>::new("held_v1")).unwrap().remove(5).unwrap();
    txn.commit().unwrap();
    drop(db);
    let findings = check(&path, Depth::Form).unwrap();
    assert_eq!(findings.problems[..2], [Problem::NoFacts(Row(5)), Problem::NoBody(Row(3))]);
    // Whoever took the body away did not count it.
    assert!(matches!(findings.problems[2..], [Problem::BodyBytes { counted, found }] if counted > found));
}

#[test]
fn a_repaired_history_is_the_whole_history_when_nothing_was_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let (mut store, mut history) = (open(&path), History::of(3));
    (0..40).for_each(|_| store.commit(&history.batch()).unwrap());
    let mut expected = store.durable().unwrap();
    drop(store);
    let lost = repair(&path).unwrap();
    assert_eq!((lost.held.len(), lost.letters.len(), lost.nameless_bodies), (0, 0, 0));
    assert_eq!(lost.tables, [""; 0]);
    // The model of the history posts messages whose numbers are above what it counts.
    let found = open(&path).durable().unwrap();
    assert!(found.sequence >= expected.sequence);
    expected.sequence = found.sequence;
    assert_eq!(found, expected);
}

#[test]
fn a_store_that_cannot_be_opened_at_all_is_kept_aside_for_a_new_one() {
    let (_dir, path) = home();
    std::fs::write(&path, b"nothing of a database".repeat(1_000)).unwrap();
    assert!(matches!(check(&path, Depth::Form), Err(StoreError::Damaged(_))));
    let lost = repair(&path).unwrap();
    assert!(lost.everything && lost.damaged.exists());
    assert_eq!(open(&path).durable().unwrap().held.len(), 0);
}

#[test]
fn bits_flipped_anywhere_never_end_the_process_and_repair_always_leaves_a_sound_store() {
    let (dir, path) = home();
    let sound = std::fs::read(&path).unwrap();
    let damaged = dir.path().join("damaged.redb");
    let mut found = 0;
    for round in 0..60usize {
        let mut bytes = sound.clone();
        // Spread over the whole file, each round elsewhere; the header gets its share.
        (0..1 + round % 8).for_each(|n| {
            let at = (round * 7_919 + n * 104_729 + if round % 5 == 0 { 0 } else { 4_096 }) % bytes.len();
            bytes[at] ^= 1 << (round % 8);
        });
        std::fs::write(&damaged, &bytes).unwrap();
        found += u32::from(!check(&damaged, Depth::Signatures).is_ok_and(|findings| findings.is_sound()));
        if let Ok(store) = RedbStore::open(&damaged, QUICK) {
            let _ = store.durable();
            (0..25).for_each(|row| drop(store.body(Row(row))));
        }
        repair(&damaged).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let findings = check(&damaged, Depth::Signatures).unwrap();
        assert!(findings.is_sound(), "round {round}: {:?}", findings.problems);
    }
    // Most of a small file is empty pages, where nobody minds.
    assert!(found >= 10, "only {found} of 60 damages were found");
}

#[test]
fn checking_makes_no_store_where_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    assert!(matches!(check(&path, Depth::Form), Err(StoreError::Io(_))));
    assert!(!path.exists());
}

//! Damaged files: found, said, and repaired as far as anything verifies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dak::agent::change::{Change, Outgoing, Row};
use dak::content::{Filed, KeyUsed};
use dak::id::NodeId;
use dak::store::redb::{Address, Depth, Problem, RedbStore, Side, check, repair};
use dak::store::{Store, StoreError};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::make::{History, QUICK, deliver, hold, message, node, open};

const ADDRESSES: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("addresses_v2");
const OUTGOING: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("outgoing_v2");

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
    assert_eq!((findings.bodies, findings.held, findings.letters), (21, 20, 1));
    assert_ne!(findings.format, 0, "it has a format");
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

/// Writes bytes of nobody's making in the place of a record.
fn spoil<K: redb::Key + 'static>(path: &Path, table: TableDefinition<K, &[u8]>, key: K::SelfType<'_>) {
    let db = Database::open(path).unwrap();
    let txn = db.begin_write().unwrap();
    txn.open_table(table).unwrap().insert(key, &b"rotten"[..]).unwrap();
    txn.commit().unwrap();
}

/// Takes the end of a record away.
fn shorten<K: redb::Key + 'static>(path: &Path, table: TableDefinition<K, &[u8]>, key: K::SelfType<'_>) {
    let db = Database::open(path).unwrap();
    let txn = db.begin_write().unwrap();
    {
        let mut table = txn.open_table(table).unwrap();
        let record = table.remove(&key).unwrap().unwrap().value().to_vec();
        table.insert(&key, &record[..record.len() - 1]).unwrap();
    }
    txn.commit().unwrap();
}

#[test]
fn a_damaged_record_of_the_address_book_hides_and_fails_nothing_else() {
    let (_dir, path) = home();
    let mut store = open(&path);
    let address = |n: u64| Address { text: format!("/ip4/10.0.0.{n}/tcp/4242"), worked_unix_ms: n, entered: false };
    (1..=3).for_each(|n| store.stage(Side::PutAddress { node: node(n), address: address(n.into()) }));
    store.flush().unwrap();
    drop(store);
    [1, 2].into_iter().for_each(|n| spoil(&path, ADDRESSES, node(n).as_bytes()));

    let mut store = open(&path);
    assert_eq!(store.reader().addresses().unwrap(), [(node(3), vec![address(3)])]);
    store.stage(Side::PutAddress { node: node(1), address: address(7) });
    store.stage(Side::ForgetAddress { node: node(2), address: Some("/ip4/10.0.0.9/tcp/1".into()) });
    store.commit(&[hold(30, &message(30, b"taken all the same"))]).unwrap();
    let mut book = store.reader().addresses().unwrap();
    book.sort_by_key(|(_, addresses)| addresses[0].worked_unix_ms);
    assert_eq!(book, [(node(3), vec![address(3)]), (node(1), vec![address(7)])]);
}

#[test]
fn a_damaged_page_of_the_address_book_fails_no_commit_and_no_reading() {
    let (_dir, path) = home();
    let mut store = open(&path);
    let address = Address { text: "/ip4/10.0.0.1/tcp/4242".into(), worked_unix_ms: 1, entered: false };
    // Enough for a table of many pages.
    for n in 0..400u64 {
        let mut key = *node(1).as_bytes();
        key[..8].copy_from_slice(&n.to_le_bytes());
        store.stage(Side::PutAddress { node: NodeId::from_trusted(key), address: address.clone() });
    }
    store.flush().unwrap();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    // Every page that has addresses loses its head, which says how many records it has and where they are.
    let needle = address.text.as_bytes();
    let pages: Vec<usize> = bytes
        .chunks(4_096)
        .enumerate()
        .skip(1)
        .filter(|(_, page)| page.windows(needle.len()).any(|at| at == needle))
        .map(|(n, _)| n)
        .collect();
    assert!(pages.len() > 4, "{pages:?}");
    pages.into_iter().for_each(|page| bytes[page * 4_096..page * 4_096 + 64].fill(0xff));
    std::fs::write(&path, bytes).unwrap();

    let mut store = open(&path);
    assert_eq!(store.reader().addresses().unwrap(), []);
    for row in 30..34 {
        store.stage(Side::PutAddress { node: node(9), address: address.clone() });
        store.commit(&[hold(row, &message(row, b"taken all the same"))]).unwrap();
    }
    assert_eq!(store.durable().unwrap().held.len(), 24);
}

#[test]
fn a_rotten_body_hides_only_itself() {
    let (_dir, path) = home();
    let rotten = [TableDefinition::<u64, &[u8]>::new("bodies_v1")];
    rotten.into_iter().for_each(|table| spoil(&path, table, 7));
    let bodies = open(&path).reader().bodies(&[Row(6), Row(7), Row(8)]).unwrap();
    let sound = |row| Some(message(row, &payload(row)).bytes().to_vec());
    assert_eq!(bodies, [sound(6), None, sound(8)]);
}

#[test]
fn a_damaged_page_of_bodies_hides_only_what_lies_on_it() {
    let (_dir, path) = home();
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = payload(7);
    let page = bytes.windows(needle.len()).position(|at| at == needle).unwrap() / 4_096;
    bytes[page * 4_096..page * 4_096 + 64].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let rows: Vec<Row> = (1..=21).map(Row).collect();
    let bodies = open(&path).reader().bodies(&rows).unwrap();
    assert!(bodies[6].is_none());
    assert!(bodies.iter().flatten().count() >= 15, "{}", bodies.iter().flatten().count());
}

#[test]
fn a_damaged_record_of_the_address_book_is_found_and_only_it_is_lost_to_a_repair() {
    let (_dir, path) = home();
    let mut store = open(&path);
    let address = Address { text: "/ip4/10.0.0.1/tcp/4242".into(), worked_unix_ms: 1, entered: false };
    (1..=2).for_each(|n| store.stage(Side::PutAddress { node: node(n), address: address.clone() }));
    store.flush().unwrap();
    drop(store);
    spoil(&path, ADDRESSES, node(1).as_bytes());
    let findings = check(&path, Depth::Form).unwrap();
    assert_eq!(findings.problems, [Problem::Record("addresses_v2")]);
    assert_eq!(repair(&path).unwrap().tables, ["addresses_v2"]);
    assert!(check(&path, Depth::Form).unwrap().is_sound());
    assert_eq!(open(&path).reader().addresses().unwrap(), [(node(2), vec![address])]);
}

#[test]
fn words_whose_record_is_damaged_are_counted_as_lost_and_do_not_stay_behind() {
    let (_dir, path) = home();
    let (mut store, mut history) = (open(&path), History::of(3));
    let posted = std::iter::repeat_with(|| history.batch()).flatten().find_map(|change| match change {
        Change::Post { outgoing } => Some(outgoing),
        _ => None,
    });
    let outgoing = Outgoing { row: Some(Row(30)), ..posted.unwrap() };
    let filed = Arc::new(Filed { key: KeyUsed::Own, content: b"words".to_vec(), seal: None });
    let id = outgoing.id;
    store.commit(&[Change::Post { outgoing }, Change::File { row: Row(30), filed }]).unwrap();
    drop(store);
    shorten(&path, OUTGOING, &id.0);
    let lost = repair(&path).unwrap();
    assert_eq!((&lost.tables[..], lost.nameless_bodies), (&["outgoing_v2".to_owned()][..], 1));
    let findings = check(&path, Depth::Signatures).unwrap();
    assert!(findings.is_sound(), "{:?}", findings.problems);
}

#[test]
fn a_second_repair_keeps_what_the_first_kept() {
    let (_dir, path) = home();
    std::fs::write(&path, b"the first damage".repeat(1_000)).unwrap();
    let first = repair(&path).unwrap().damaged;
    std::fs::write(&path, b"another damage".repeat(1_000)).unwrap();
    let second = repair(&path).unwrap().damaged;
    assert_ne!(first, second);
    assert!(std::fs::read(&first).unwrap().starts_with(b"the first damage"));
    assert!(std::fs::read(&second).unwrap().starts_with(b"another damage"));
}

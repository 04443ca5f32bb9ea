//! The file itself: who may open it, what it weighs, how it moves.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;

use dak::agent::change::{Change, Person, Row, Standing};
use dak::store::redb::{ADDRESS_NODES_MAX, Address, RedbStore, Side, StoreOptions, import_records};
use dak::store::{Store, StoreError};
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::make::{History, QUICK, hold, kibibyte, message, node, open};

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let _first = open(&path);
    assert_eq!(RedbStore::open(&path, QUICK).err(), Some(StoreError::Locked));
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    drop(open(&path));
    let meta: TableDefinition<&str, u64> = TableDefinition::new("meta_v1");
    let db = Database::open(&path).unwrap();
    let txn = db.begin_write().unwrap();
    txn.open_table(meta).unwrap().insert("format", 99).unwrap();
    txn.commit().unwrap();
    drop(db);

    let refused = RedbStore::open(&path, QUICK).err();
    assert!(matches!(refused, Some(StoreError::Newer { found: 99, .. })), "{refused:?}");
    let db = Database::open(&path).unwrap();
    let format = db.begin_read().unwrap().open_table(meta).unwrap().get("format").unwrap().unwrap().value();
    assert_eq!(format, 99);
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(open(&path));
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path));
    assert_eq!(mode(), 0o600);
}

#[test]
fn something_else_under_the_stores_name_is_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    std::fs::write(&path, "a letter to grandmother".repeat(400)).unwrap();
    let refused = RedbStore::open(&path, QUICK).err();
    assert!(matches!(refused, Some(StoreError::Damaged(_))), "{refused:?}");
}

#[test]
fn a_sealed_kibibyte_costs_at_most_1900_bytes_and_6000_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let changes: Vec<Change> = (1..=5_000).map(|row| hold(row, &kibibyte(row % 64))).collect();
    changes.chunks(256).for_each(|batch| store.commit(batch).unwrap());
    let written = store.traffic().written_bytes() / 5_000;
    drop(store);
    let file = std::fs::metadata(&path).unwrap().len() / 5_000;
    assert!(file <= 1_900, "{file} bytes of file a message");
    assert!(written <= 6_000, "{written} bytes written a message");
}

#[test]
fn freed_space_is_used_again_and_given_back_when_idle() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    let large = message(1, &[7; 60_000]);
    let fill = |rows: Range<u64>| rows.map(|row| hold(row, &large)).collect::<Vec<Change>>();
    let empty = |rows: Range<u64>| rows.map(|row| Change::Forget { row: Row(row) }).collect::<Vec<Change>>();
    let mut row = 1;
    let mut turn_over = |store: &mut RedbStore| {
        for _ in 0..8 {
            store.commit(&fill(row..row + 50)).unwrap();
            store.commit(&empty(row..row + 50)).unwrap();
            row += 50;
        }
        store.file_bytes()
    };
    let first = turn_over(&mut store);
    assert_eq!(turn_over(&mut store), first, "a steady load makes the file grow");

    store.commit(&fill(10_000..10_400)).unwrap();
    assert_eq!(store.compact_if_idle(), Ok(false), "a full store is compacted");
    store.commit(&empty(10_000..10_380)).unwrap();
    let before = store.file_bytes();
    assert_eq!(store.compact_if_idle(), Ok(true));
    assert!(store.file_bytes() < before / 4, "{before} bytes became {}", store.file_bytes());
    assert_eq!(store.body(Row(10_399)).unwrap().as_deref(), Some(large.bytes()));
}

#[test]
fn what_was_compacted_while_much_was_left_is_compacted_again_when_little_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    let large = message(1, &[7; 60_000]);
    let fill = |rows: Range<u64>| rows.map(|row| hold(row, &large)).collect::<Vec<Change>>();
    let empty = |rows: Range<u64>| rows.map(|row| Change::Forget { row: Row(row) }).collect::<Vec<Change>>();
    store.commit(&fill(0..800)).unwrap();
    store.commit(&empty(0..450)).unwrap();
    assert_eq!(store.compact_if_idle(), Ok(true));
    let left = store.allocated_bytes().unwrap();
    store.commit(&fill(800..850)).unwrap();
    store.commit(&empty(450..850)).unwrap();
    assert!(store.allocated_bytes().unwrap() < 2 * left, "the file has not grown much");
    assert_eq!(store.compact_if_idle(), Ok(true));
    assert!(store.allocated_bytes().unwrap() < left / 4, "{left} bytes became {}", store.allocated_bytes().unwrap());
    // There is nothing more to free, however often it is asked.
    assert_eq!(store.compact_if_idle(), Ok(false));
}

#[test]
fn a_reader_on_another_thread_sees_every_commit_that_returned() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    store.commit(&[hold(1, &kibibyte(1)), hold(2, &kibibyte(2))]).unwrap();
    let reader = store.reader();
    let bodies = std::thread::spawn(move || reader.bodies(&[Row(2), Row(9), Row(1)]).unwrap()).join().unwrap();
    assert_eq!(bodies, [Some(kibibyte(2).bytes().to_vec()), None, Some(kibibyte(1).bytes().to_vec())]);
}

#[test]
fn everything_comes_back_from_exported_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    let mut history = History::of(5);
    (0..30).for_each(|_| store.commit(&history.batch()).unwrap());
    let address = Address { text: "/ip4/10.0.0.1/tcp/4242".into(), worked_unix_ms: 1, entered: true };
    store.stage(Side::PutAddress { node: node(1), address });
    store.flush().unwrap();

    let snapshot = store.reader().records().unwrap();
    let expected = store.durable().unwrap();
    store.commit(&[hold(1 << 40, &message(1, b"after the snapshot"))]).unwrap();
    let mut records = Vec::new();
    let mut take = |name: &str, bytes: &[u8]| {
        records.push((name.to_owned(), bytes.to_vec()));
        Ok(())
    };
    snapshot.each(&mut take).unwrap();

    let copy = dir.path().join("copy.redb");
    import_records(&copy, records.iter().cloned().map(Ok)).unwrap();
    let copied = open(&copy);
    assert_eq!(copied.durable().unwrap(), expected);
    assert_eq!(copied.reader().addresses().unwrap(), store.reader().addresses().unwrap());
    for row in (0..=history.rows()).map(Row) {
        assert_eq!(copied.body(row).unwrap(), store.body(row).unwrap());
    }
}

#[test]
fn half_an_import_leaves_no_store_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    store.commit(&[hold(1, &kibibyte(1))]).unwrap();
    let mut records = Vec::new();
    let mut take = |name: &str, bytes: &[u8]| {
        records.push(Ok((name.to_owned(), bytes.to_vec())));
        Ok(())
    };
    store.reader().records().unwrap().each(&mut take).unwrap();
    records.push(Err(StoreError::Io("the backup ends too early".into())));
    let copy = dir.path().join("copy.redb");
    assert_eq!(import_records(&copy, records), Err(StoreError::Io("the backup ends too early".into())));
    assert!(!copy.exists());
}

#[test]
fn records_of_something_else_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let format = || ("format".to_owned(), 1u64.to_le_bytes().to_vec());
    let newer = ("format".to_owned(), 99u64.to_le_bytes().to_vec());
    let odd = [
        vec![],
        vec![("format".to_owned(), vec![1])],
        vec![format(), ("spam_v1/00".to_owned(), vec![])],
        vec![format(), ("held_v1/0".to_owned(), vec![])],
        vec![format(), ("held_v1/00".to_owned(), vec![])],
        vec![format(), ("notes_v1/ff".to_owned(), vec![])],
        vec![format(), ("buried_v1".to_owned() + "/" + &"00".repeat(32), vec![1, 2])],
    ];
    for records in odd {
        let result = import_records(&dir.path().join("copy.redb"), records.clone().into_iter().map(Ok));
        assert!(matches!(result, Err(StoreError::Damaged(_))), "{records:?}: {result:?}");
    }
    let result = import_records(&dir.path().join("copy.redb"), [Ok(newer)]);
    assert!(matches!(result, Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn the_address_book_keeps_what_worked_last() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let address = |n: u64| Address { text: format!("/ip4/10.0.0.{n}/tcp/4242"), worked_unix_ms: n, entered: false };
    (1..=6).for_each(|n| store.stage(Side::PutAddress { node: node(1), address: address(n) }));
    store.stage(Side::PutAddress { node: node(2), address: address(1) });
    store.stage(Side::ForgetAddress { node: node(1), address: Some(address(5).text) });
    store.stage(Side::ForgetAddress { node: node(2), address: None });
    assert_eq!(store.reader().addresses().unwrap(), []);
    store.commit(&[Change::Count { sequence: 1 }]).unwrap();
    drop(store);
    let book = open(&path).reader().addresses().unwrap();
    assert_eq!(book, [(node(1), vec![address(6), address(4), address(3)])]);
}

#[test]
fn the_address_book_is_shared_by_host_and_keeps_contacts_and_what_was_entered() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    let peer = |n: u64| dak::id::NodeId::from_trusted(*blake3::hash(&n.to_le_bytes()).as_bytes());
    let address = |n: u64, text: String, entered: bool| Side::PutAddress {
        node: peer(n),
        address: Address { text, worked_unix_ms: n * u64::from(!entered), entered },
    };
    store.stage(address(1, "/ip4/10.0.0.1/tcp/4242".into(), true));
    store.stage(address(2, "/ip4/10.0.0.1/tcp/4243".into(), false));
    let person = Person { name: "bob".into(), standing: Standing::Contact, verified: false };
    store.commit(&[Change::SetPerson { node: peer(2), person: Some(person) }]).unwrap();
    // Neighbours that answered once, and then one host that answers under thousands of names.
    (10..110).for_each(|n| store.stage(address(n, format!("/ip4/10.0.1.{n}/tcp/4242"), false)));
    (1_000..4_000).for_each(|n| store.stage(address(n, format!("/ip4/10.0.0.1/tcp/{n}"), false)));
    store.flush().unwrap();
    let book: BTreeMap<_, _> = store.reader().addresses().unwrap().into_iter().collect();
    assert_eq!(book.len() as u64, ADDRESS_NODES_MAX);
    assert!((1..=2).chain(10..110).all(|n| book.contains_key(&peer(n))));
    let late = (3_000..4_000).filter(|n| book.contains_key(&peer(*n))).count();
    assert!((100..900).contains(&late), "{late} of the last thousand: chosen by chance");
    // What was entered stays so when it works.
    store.stage(address(1, "/ip4/10.0.0.1/tcp/4242".into(), false));
    store.flush().unwrap();
    let book: BTreeMap<_, _> = store.reader().addresses().unwrap().into_iter().collect();
    assert!(book[&peer(1)][0].entered && book[&peer(1)][0].worked_unix_ms == 1);
}

#[test]
fn default_options_keep_the_cache_small_and_sync() {
    let options = StoreOptions::default();
    assert_eq!((options.cache_bytes, options.sync), (32 << 20, dak::store::redb::DiskSync::Always));
}

#[test]
fn a_store_that_is_ended_is_closed_whoever_may_still_read_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    store.commit(&[hold(1, &message(1, b"kept"))]).unwrap();
    let reader = store.reader();
    store.end();
    assert!(matches!(reader.body(Row(1)), Err(StoreError::Io(_))), "nobody opens it again under the next one");
    assert!(store.commit(&[hold(2, &message(2, b"late"))]).is_err());
    let again = open(&path);
    assert!(again.body(Row(1)).unwrap().is_some());
    assert!(again.body(Row(2)).unwrap().is_none());
}

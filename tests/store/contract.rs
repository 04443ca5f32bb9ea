//! What every store promises, checked on random histories against the model.

use std::path::PathBuf;

use std::sync::Arc;

use dak::agent::change::{Change, Durable, Row};
use dak::content::{Filed, KeyUsed};
use dak::store::Store;
use dak::store::memory::MemoryStore;
use dak::store::redb::RedbStore;
use tempfile::TempDir;

use crate::make::{History, deliver, hold, kibibyte, message, open};

/// A store under test, and how to close it and open it again.
trait Home {
    fn new() -> Self;
    fn store(&mut self) -> &mut dyn Store;
    fn reopen(&mut self);
}

struct InMemory(MemoryStore);

impl Home for InMemory {
    fn new() -> Self {
        InMemory(MemoryStore::default())
    }

    fn store(&mut self) -> &mut dyn Store {
        &mut self.0
    }

    fn reopen(&mut self) {
        self.0 = self.0.clone();
    }
}

struct OnDisk {
    _dir: TempDir,
    path: PathBuf,
    store: Option<RedbStore>,
}

impl Home for OnDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let store = Some(open(&path));
        OnDisk { _dir: dir, path, store }
    }

    fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(open(&self.path));
    }
}

macro_rules! for_every_store {
    ($($fact:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $fact() { super::$fact::<super::InMemory>() })+
        }
        mod redb {
            $(#[test] fn $fact() { super::$fact::<super::OnDisk>() })+
        }
    };
}

for_every_store!(
    a_random_history_reads_back_as_the_model_says,
    a_body_comes_back_to_the_byte_and_goes_with_its_row,
    what_a_message_says_takes_the_place_of_its_sealed_body,
    a_row_is_never_the_next_one_again,
    a_delivered_id_outlives_its_letter,
);

fn a_random_history_reads_back_as_the_model_says<H: Home>() {
    for seed in 0..12 {
        let (mut home, mut history) = (H::new(), History::of(seed));
        let (mut model, mut bodies) = (Durable::default(), MemoryStore::default());
        for step in 0..40 {
            let batch = history.batch();
            batch.iter().for_each(|change| model.apply(change));
            bodies.commit(&batch).unwrap();
            home.store().commit(&batch).unwrap();
            if step % 13 == 12 {
                home.reopen();
            }
            assert_eq!(home.store().durable().unwrap(), model, "seed {seed}, step {step}");
        }
        for row in (0..=history.rows() + 1).map(Row) {
            let (found, expected) = (home.store().body(row).unwrap(), bodies.body(row).unwrap());
            assert_eq!(found, expected, "seed {seed}, row {row:?}");
            let (found, expected) = (home.store().words(row).unwrap(), bodies.words(row).unwrap());
            assert_eq!(found, expected, "seed {seed}, words at row {row:?}");
        }
    }
}

fn a_body_comes_back_to_the_byte_and_goes_with_its_row<H: Home>() {
    let mut home = H::new();
    let (carried, mine) = (kibibyte(1), message(2, b"short"));
    home.store().commit(&[hold(1, &carried), deliver(2, &mine)]).unwrap();
    assert_eq!(home.store().body(Row(1)).unwrap().as_deref(), Some(carried.bytes()));
    assert_eq!(home.store().body(Row(2)).unwrap().as_deref(), Some(mine.bytes()));

    home.store().commit(&[Change::Forget { row: Row(1) }, Change::Discard { row: Row(2) }]).unwrap();
    assert_eq!(home.store().body(Row(1)).unwrap(), None);
    assert_eq!(home.store().body(Row(2)).unwrap(), None);
}

fn what_a_message_says_takes_the_place_of_its_sealed_body<H: Home>() {
    let mut home = H::new();
    let filed = |text: &[u8]| Arc::new(Filed { key: KeyUsed::Identity, content: text.to_vec(), seal: None });
    let (one, other) = (message(1, b"sealed"), message(2, b"sealed too"));
    home.store().commit(&[deliver(1, &one), Change::File { row: Row(1), filed: filed(b"read") }]).unwrap();
    home.store().commit(&[deliver(2, &other)]).unwrap();
    assert_eq!(home.store().body(Row(1)).unwrap(), None);
    assert_eq!(home.store().words(Row(1)).unwrap(), Some((*filed(b"read")).clone()));
    assert_eq!(home.store().body(Row(2)).unwrap().as_deref(), Some(other.bytes()));

    home.store().commit(&[Change::File { row: Row(2), filed: filed(b"read later") }]).unwrap();
    home.reopen();
    assert_eq!(home.store().body(Row(2)).unwrap(), None);
    assert_eq!(home.store().words(Row(2)).unwrap(), Some((*filed(b"read later")).clone()));
    home.store().commit(&[Change::Discard { row: Row(1) }, Change::Discard { row: Row(2) }]).unwrap();
    assert!([1, 2].iter().all(|row| home.store().words(Row(*row)).unwrap().is_none()));
}

fn a_row_is_never_the_next_one_again<H: Home>() {
    let mut home = H::new();
    home.store().commit(&[hold(6, &message(1, b""))]).unwrap();
    home.store().commit(&[Change::Forget { row: Row(6) }]).unwrap();
    home.reopen();
    assert_eq!(home.store().durable().unwrap().next_row, Row(7));
}

fn a_delivered_id_outlives_its_letter<H: Home>() {
    let mut home = H::new();
    home.store().commit(&[deliver(1, &message(1, b""))]).unwrap();
    home.store().commit(&[Change::Discard { row: Row(1) }]).unwrap();
    home.reopen();
    let durable = home.store().durable().unwrap();
    assert_eq!((durable.letters.len(), durable.delivered.len()), (0, 1));
}

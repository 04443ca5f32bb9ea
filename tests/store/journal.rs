//! The journal: what small commits cost, and what becomes of them when the process ends without a word.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dak::agent::change::{Change, Durable, Row};
use dak::store::redb::{Depth, Problem, RedbStore, StoreOptions, check, import_records, repair};
use dak::store::{Store, StoreError};
use tempfile::TempDir;

use crate::make::{History, QUICK, hold, kibibyte, message, open};

/// The files of a process that was killed: what a running store has on the disk.
struct Killed {
    dir: TempDir,
}

impl Killed {
    fn of(path: &Path) -> Killed {
        let dir = tempfile::tempdir().unwrap();
        for end in ["redb", "journal"] {
            fs::copy(path.with_extension(end), dir.path().join("store").with_extension(end)).unwrap();
        }
        Killed { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("store.redb")
    }

    fn journal(&self) -> PathBuf {
        self.path().with_extension("journal")
    }

    /// Flips a bit in a slot of the journal.
    fn flip(&self, slot: usize) {
        let mut bytes = fs::read(self.journal()).unwrap();
        bytes[slot * 4_096 + 40] ^= 1;
        fs::write(self.journal(), bytes).unwrap();
    }
}

/// A running store with rows 1 to 5 in the journal, each in a slot of its own.
fn running(dir: &Path) -> RedbStore {
    let mut store = open(&dir.join("store.redb"));
    (1..=5).for_each(|row| store.commit(&[hold(row, &message(row, b"hello"))]).unwrap());
    store
}

fn rows(store: &RedbStore) -> Vec<u64> {
    store.durable().unwrap().held.keys().map(|row| row.0).collect()
}

#[test]
fn a_small_commit_costs_one_sync_and_no_pages() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(&dir.path().join("store.redb"), StoreOptions::default()).unwrap();
    let (written, syncs) = (store.traffic().written_bytes(), store.traffic().syncs());
    (1..=10).for_each(|row| store.commit(&[hold(row, &message(row, b"hello"))]).unwrap());
    assert_eq!(store.traffic().syncs() - syncs, 10);
    let written = store.traffic().written_bytes() - written;
    assert!(written < 10 * 1_500, "{written} bytes written");
    assert_eq!(rows(&store).len(), 10);
}

#[test]
fn thousands_of_small_commits_cost_few_pages() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(&dir.path().join("store.redb"), QUICK_WITH_ROOM).unwrap();
    let written = store.traffic().written_bytes();
    (1..=2_000).for_each(|row| store.commit(&[hold(row, &message(row, b"hello"))]).unwrap());
    let written = (store.traffic().written_bytes() - written) / 2_000;
    assert!(written < 4_000, "{written} bytes written a commit");
}

const QUICK_WITH_ROOM: StoreOptions = StoreOptions { journal_bytes: 1 << 20, ..QUICK };

#[test]
fn what_only_the_journal_has_is_there_after_a_kill_and_a_second_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let (mut history, mut right) = (History::of(7), Durable::default());
    for number in 0..60 {
        let batch = history.batch();
        batch.iter().for_each(|change| right.apply(change));
        store.commit(&batch).unwrap();
        if number % 7 != 0 {
            continue;
        }
        let killed = Killed::of(&path);
        let reopened = open(&killed.path());
        assert_eq!(reopened.durable().unwrap(), right, "after {number}");
        // The second process had not folded anything either.
        let again = Killed::of(&killed.path());
        assert_eq!(open(&again.path()).durable().unwrap(), right, "after {number}, twice");
    }
}

#[test]
fn a_store_closed_in_peace_is_all_in_one_file() {
    let dir = tempfile::tempdir().unwrap();
    drop(running(dir.path()));
    fs::remove_file(dir.path().join("store.journal")).unwrap();
    assert_eq!(rows(&open(&dir.path().join("store.redb"))), [1, 2, 3, 4, 5]);
}

#[test]
fn entries_of_before_a_fold_count_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = running(dir.path());
    let before = Killed::of(&path);
    store.flush().unwrap();
    store.commit(&[Change::Forget { row: Row(2) }]).unwrap();
    store.flush().unwrap();
    let after = Killed::of(&path);
    fs::copy(before.journal(), after.journal()).unwrap();
    assert_eq!(rows(&open(&after.path())), [1, 3, 4, 5]);
}

#[test]
fn a_journal_of_another_store_counts_for_nothing() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_store, mut another) = (running(dir.path()), open(&other.path().join("store.redb")));
    another.commit(&[hold(9, &message(9, b"mine"))]).unwrap();
    drop(another);
    fs::copy(dir.path().join("store.journal"), other.path().join("store.journal")).unwrap();
    let mut another = open(&other.path().join("store.redb"));
    assert_eq!(rows(&another), [9]);
    another.commit(&[hold(10, &message(10, b"and on"))]).unwrap();
    assert_eq!(rows(&open(&Killed::of(&other.path().join("store.redb")).path())), [9, 10]);
}

#[test]
fn a_restored_store_does_not_take_the_journal_that_it_was_copied_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = running(dir.path());
    let (mut records, copy) = (Vec::new(), dir.path().join("copy.redb"));
    let mut take = |name: &str, bytes: &[u8]| {
        records.push(Ok((name.to_owned(), bytes.to_vec())));
        Ok(())
    };
    store.reader().records().unwrap().each(&mut take).unwrap();
    import_records(&copy, records).unwrap();
    assert_eq!(rows(&open(&copy)), [1, 2, 3, 4, 5]);
    store.commit(&[Change::Forget { row: Row(2) }]).unwrap();
    fs::copy(dir.path().join("store.journal"), dir.path().join("copy.journal")).unwrap();
    assert_eq!(rows(&open(&copy)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_store_that_is_only_looked_at_shows_what_its_journal_has_and_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let _store = running(dir.path());
    let killed = Killed::of(&dir.path().join("store.redb"));
    let files = || [fs::read(killed.path()).unwrap(), fs::read(killed.journal()).unwrap()];
    let before = files();
    let mut looked_at = RedbStore::open_to_read(&killed.path(), QUICK).unwrap();
    assert_eq!(rows(&looked_at), [1, 2, 3, 4, 5]);
    looked_at.commit(&[Change::Forget { row: Row(1) }]).unwrap();
    assert_eq!(rows(&looked_at), [2, 3, 4, 5]);
    drop(looked_at);
    assert!(files() == before);
    assert!(check(&killed.path(), Depth::Form).is_ok_and(|findings| findings.held == 5 && findings.is_sound()));
    assert_eq!(rows(&open(&killed.path())), [1, 2, 3, 4, 5]);
}

#[test]
fn the_last_entry_half_written_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let _store = running(dir.path());
    let killed = Killed::of(&dir.path().join("store.redb"));
    killed.flip(4);
    let mut store = open(&killed.path());
    assert_eq!(rows(&store), [1, 2, 3, 4]);
    store.commit(&[hold(6, &message(6, b"and on"))]).unwrap();
    assert_eq!(rows(&open(&Killed::of(&killed.path()).path())), [1, 2, 3, 4, 6]);
}

#[test]
fn an_entry_lost_before_others_is_called_damage_and_a_repair_keeps_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let _store = running(dir.path());
    let killed = Killed::of(&dir.path().join("store.redb"));
    killed.flip(1);
    let refused = RedbStore::open(&killed.path(), QUICK).err();
    assert!(matches!(refused, Some(StoreError::Damaged(_))), "{refused:?}");
    let found = check(&killed.path(), Depth::Form).unwrap().problems;
    assert!(matches!(found[..], [Problem::Journal(_), ..]), "{found:?}");
    let lost = repair(&killed.path()).unwrap();
    assert_eq!(lost.tables, ["the journal"]);
    assert!(check(&killed.path(), Depth::Signatures).unwrap().is_sound());
    let mut store = open(&killed.path());
    assert_eq!(rows(&store), [1, 3, 4, 5]);
    store.commit(&[hold(6, &message(6, b"and on"))]).unwrap();
    assert_eq!(rows(&open(&Killed::of(&killed.path()).path())), [1, 3, 4, 5, 6]);
}

#[test]
fn a_repair_keeps_what_only_the_journal_has() {
    let dir = tempfile::tempdir().unwrap();
    let _store = running(dir.path());
    let killed = Killed::of(&dir.path().join("store.redb"));
    let lost = repair(&killed.path()).unwrap();
    assert_eq!((lost.kept_held, lost.tables), (5, Vec::new()));
    assert_eq!(rows(&open(&killed.path())), [1, 2, 3, 4, 5]);
}

#[test]
fn large_commits_go_by_the_journal_and_take_along_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = running(dir.path());
    let many: Vec<Change> = (10..110).map(|row| hold(row, &kibibyte(row))).collect();
    store.commit(&many).unwrap();
    fs::remove_file(dir.path().join("store.journal")).unwrap();
    drop(store);
    assert_eq!(rows(&open(&path)).len(), 105);
}

#[test]
fn the_journal_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir.path().join("store.redb")));
    let journal = dir.path().join("store.journal");
    let mode = || fs::metadata(&journal).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&dir.path().join("store.redb")));
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_journal_of_another_size_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let _store = running(dir.path());
    let killed = Killed::of(&dir.path().join("store.redb"));
    let short = StoreOptions { journal_bytes: 8 << 10, ..QUICK };
    let mut store = RedbStore::open(&killed.path(), short).unwrap();
    assert_eq!(rows(&store), [1, 2, 3, 4, 5]);
    store.commit(&[Change::Forget { row: Row(5) }]).unwrap();
    let none = StoreOptions { journal_bytes: 0, ..QUICK };
    assert_eq!(rows(&RedbStore::open(&Killed::of(&killed.path()).path(), none).unwrap()), [1, 2, 3, 4]);
}

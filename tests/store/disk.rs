//! Power cuts, failing writes and full disks.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dak::agent::change::{Change, Row};
use dak::store::redb::{RedbStore, Storage, StoreOptions};
use dak::store::{Store, StoreError};
use redb::StorageBackend;

use crate::make::{History, QUICK, hold, kibibyte, open};

/// Storage in memory whose writes fail when their number has come.
#[derive(Clone, Debug, Default)]
pub struct Ram(Arc<Mutex<RamState>>);

#[derive(Debug, Default)]
struct RamState {
    bytes: Vec<u8>,
    /// How many more writes, resizes and syncs succeed.
    left: Option<u64>,
    /// Only one fails.
    once: bool,
}

impl Ram {
    pub fn fail_after(&self, operations: Option<u64>) {
        let mut state = self.0.lock().unwrap();
        (state.left, state.once) = (operations, false);
    }

    pub fn fail_once_after(&self, operations: u64) {
        let mut state = self.0.lock().unwrap();
        (state.left, state.once) = (Some(operations), true);
    }

    pub fn open(&self) -> Result<RedbStore, StoreError> {
        let ram = self.clone();
        RedbStore::open_with(
            Box::new(move || Ok(Storage { pages: Box::new(ram.clone()), journal: None })),
            QUICK_WITH_SYNCS,
        )
    }

    fn spend(&self) -> std::io::Result<()> {
        let mut state = self.0.lock().unwrap();
        match state.left {
            Some(0) => {
                state.left = (!state.once).then_some(0);
                Err(std::io::ErrorKind::StorageFull.into())
            }
            left => {
                state.left = left.map(|left| left - 1);
                Ok(())
            }
        }
    }
}

/// A sync of memory costs nothing, and may fail like everything else.
const QUICK_WITH_SYNCS: StoreOptions = StoreOptions { sync: dak::store::redb::DiskSync::Always, ..QUICK };

impl StorageBackend for Ram {
    fn len(&self) -> std::io::Result<u64> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        let at = offset as usize;
        let state = self.0.lock().unwrap();
        out.copy_from_slice(state.bytes.get(at..at + out.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.spend()?;
        self.0.lock().unwrap().bytes.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.spend()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.spend()?;
        let at = offset as usize;
        self.0.lock().unwrap().bytes[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}

#[test]
fn whichever_write_fails_for_good_a_batch_is_there_whole_or_not_at_all() {
    let (ram, mut history) = (Ram::default(), History::of(99));
    let mut store = ram.open().unwrap();
    store.commit(&history.batch()).unwrap();
    let mut failures = 0;
    for _ in 0..6 {
        let (batch, before) = (history.batch(), store.durable().unwrap());
        let mut after = before.clone();
        batch.iter().for_each(|change| after.apply(change));
        for operations in 0.. {
            ram.fail_after(Some(operations));
            let result = store.commit(&batch);
            ram.fail_after(None);
            // The store opens itself again before it answers whatever comes next, and so does a new process.
            store.reopen().unwrap();
            let found = store.durable().unwrap();
            if result.is_ok() {
                assert_eq!(found, after);
                break;
            }
            assert_eq!(result, Err(StoreError::Full));
            failures += 1;
            if found == after {
                // Only the last sync was missing.
                break;
            }
            assert_eq!(found, before, "after {operations} operations");
        }
    }
    assert!(failures > 20, "only {failures} operations failed");
}

#[test]
fn whichever_write_fails_once_the_answer_is_the_truth() {
    let (ram, mut history) = (Ram::default(), History::of(98));
    let mut store = ram.open().unwrap();
    let mut failures = 0;
    for operations in 0..80 {
        let (batch, mut after) = (history.batch(), store.durable().unwrap());
        let before = after.clone();
        batch.iter().for_each(|change| after.apply(change));
        ram.fail_once_after(operations % 40);
        let result = store.commit(&batch);
        ram.fail_after(None);
        failures += u32::from(result.is_err());
        let expected = if result.is_ok() { after } else { before };
        assert_eq!(store.durable().unwrap(), expected, "after {operations} operations: {result:?}");
    }
    assert!(failures > 10, "only {failures} commits failed");
}

#[test]
fn an_initialisation_cut_short_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    std::fs::write(&path, [0; 9_000]).unwrap();
    open(&path).commit(&[hold(1, &kibibyte(1))]).unwrap();
    assert_eq!(open(&path).durable().unwrap().held.len(), 1);
}

const CHILD: &str = "DAK_TEST_STORE_CHILD";

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    if let Some(path) = std::env::var_os(CHILD) {
        return commit_until_killed(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut acknowledged = 0;
    for round in 0..8 {
        acknowledged = acknowledged.max(run_and_kill(&path, Duration::from_millis(40 + 37 * round)));
        let store = open(&path);
        let held = store.durable().unwrap().held;
        for row in 1..=acknowledged {
            assert!(held.contains_key(&Row(row)), "row {row} of {acknowledged} is gone after round {round}");
            assert!(store.body(Row(row)).unwrap().is_some(), "the body of row {row} is gone after round {round}");
        }
    }
    assert!(acknowledged > 0, "no child lived long enough to commit");
}

/// Lets a child commit for a while and kills it; returns the last row it acknowledged.
fn run_and_kill(path: &Path, after: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk::what_was_acknowledged_before_a_kill_is_there_after_it", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.find_map(|line| row_in(&line));
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(|line| row_in(&line)).last().or(first).unwrap_or(0)
}

/// A killed child may have printed half a number, which then has no end mark.
fn row_in(line: &str) -> Option<u64> {
    line.strip_prefix("committed ")?.strip_suffix('.')?.parse().ok()
}

fn commit_until_killed(path: &Path) {
    let mut store = RedbStore::open(path, StoreOptions::default()).unwrap();
    let mut row = store.durable().unwrap().next_row.0.max(1);
    let bundle = kibibyte(1);
    loop {
        let batch: Vec<Change> = (row..row + 7).map(|row| hold(row, &bundle)).collect();
        store.commit(&batch).unwrap();
        row += 7;
        println!("committed {}.", row - 1);
        std::io::stdout().flush().unwrap();
    }
}

/// A file system of its own, as small as a test needs it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(size: &str) -> Option<SmallDisk> {
        let dir = tempfile::tempdir().unwrap().keep();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&dir)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(SmallDisk(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a child that another test is just starting may have our files open for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_full_disk_still_deletes_and_then_takes_again_without_opening_anew() {
    let Some(disk) = SmallDisk::mount("6m") else {
        println!("not checked: this machine lets us mount no small file system");
        return;
    };
    let mut store = RedbStore::open(&disk.0.join("store.redb"), StoreOptions::default()).unwrap();
    let reader = store.reader();
    let mut committed = 0;
    let full = loop {
        let batch: Vec<Change> = (committed + 1..=committed + 50).map(|row| hold(row, &kibibyte(row))).collect();
        match store.commit(&batch) {
            Ok(()) => committed += 50,
            Err(error) => break error,
        }
    };
    assert_eq!(full, StoreError::Full);
    assert_eq!(store.durable().unwrap().held.len() as u64, committed);
    assert_eq!(reader.body(Row(committed)).unwrap().as_deref(), Some(kibibyte(committed).bytes()));

    // Somebody else takes the last byte as well.
    let _ = std::fs::write(disk.0.join("other"), vec![1; 6 << 20]);
    assert!(store.free_bytes().unwrap() < 4_096);
    let forget: Vec<Change> = (1..=committed / 2).map(|row| Change::Forget { row: Row(row) }).collect();
    store.commit(&forget).unwrap();
    std::fs::remove_file(disk.0.join("other")).unwrap();

    for row in committed + 1..committed + 200 {
        store.commit(&[hold(row, &kibibyte(row))]).unwrap();
    }
    assert_eq!(reader.body(Row(committed + 1)).unwrap().as_deref(), Some(kibibyte(committed + 1).bytes()));
}

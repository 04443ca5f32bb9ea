//! Disks that fail or are full: the answer is the truth, and the store goes on afterwards.

use std::io::ErrorKind;

use dak::agent::change::{Change, Row};
use dak::store::{Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::cuts::{is_full, seed};
use crate::image::Image;
use crate::inspect::{Known, after, further, inspect};
use crate::make::{History, hold, message};
use crate::recording::{CACHES, Recording, Remains, SUBSETS_MAX, survive};
use crate::sim::{Failures, Fault, Reach, SimDisk};

const KINDS: [ErrorKind; 2] = [ErrorKind::StorageFull, ErrorKind::Other];

/// One commit on a store that others made, and the state before it.
struct Step {
    image: Image,
    known: Known,
    batch: Vec<Change>,
    seed: u64,
}

/// Every `step`th commit of a history of `batches`.
fn steps(batches: usize, step: usize) -> Vec<Step> {
    let (disk, mut history) = (SimDisk::of(Image::default()), History::of(seed()));
    let (mut store, mut known) = (disk.open(CACHES[0]).unwrap(), Known::default());
    let mut steps = Vec::new();
    for number in 0..batches {
        let batch = history.batch();
        let next = after(&known, &batch);
        if number % step == 0 {
            steps.push(Step { image: disk.live(), known, batch: batch.clone(), seed: number as u64 });
        }
        store.commit(&batch).unwrap();
        known = next;
    }
    steps
}

impl Step {
    /// Commits on a disk that fails; none where the fault lies beyond the commit.
    fn run(&self, fault: Fault) -> Option<Result<(), String>> {
        let disk = SimDisk::of(self.image.clone());
        let mut store = disk.open(CACHES[self.seed as usize % 2]).unwrap();
        disk.fail(fault, self.seed << 16 | fault.after);
        let result = store.commit(&self.batch);
        let failures = disk.heal();
        if failures.count == 0 {
            return None;
        }
        let next = after(&self.known, &self.batch);
        let right = match &result {
            Ok(()) => vec![next],
            // A disk that goes on failing does not say either whether the commit is there.
            Err(_) if failures.sync || fault.reach != Reach::Once => vec![self.known.clone(), next],
            Err(_) => vec![self.known.clone()],
        };
        Some(self.judge(&disk, store, &result, &right, fault).map_err(|why| {
            let Fault { after, kind, reach } = fault;
            format!("{why}; commit {} of seed {}, {kind:?} after {after} ({reach:?}): {result:?}", self.seed, seed())
        }))
    }

    fn judge(
        &self,
        disk: &SimDisk,
        mut store: dak::store::redb::RedbStore,
        result: &Result<(), StoreError>,
        right: &[Known],
        fault: Fault,
    ) -> Result<(), String> {
        let said = match (result, fault.kind) {
            (Ok(()), _) | (Err(StoreError::Full), ErrorKind::StorageFull) => true,
            (Err(StoreError::Io(_)), kind) => kind != ErrorKind::StorageFull || fault.reach == Reach::Reads,
            _ => false,
        };
        if !said {
            return Err("the reason is not the disk's".into());
        }
        store.reopen().map_err(|error| format!("it does not open again: {error}"))?;
        let known = inspect(&store, right)?;
        // Whoever looked may have told others, so from here on it is true.
        self.cut_and_inspect(disk, &known).map_err(|why| format!("after a cut behind the failure, {why}"))?;
        let batch = further(&known);
        store.commit(&batch).map_err(|error| format!("it does not go on: {error}"))?;
        let known = inspect(&store, &[after(&known, &batch)])?;
        self.cut_and_inspect(disk, &known).map_err(|why| format!("after a cut behind a further commit, {why}"))
    }

    fn cut_and_inspect(&self, disk: &SimDisk, known: &Known) -> Result<(), String> {
        for subset in 0..3 {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed + subset);
            let image = disk.cut(|image, unsynced| survive(image, unsynced, subset, &mut random));
            let store = SimDisk::of(image).open(CACHES[1]).map_err(|error| format!("it does not open: {error}"))?;
            inspect(&store, std::slice::from_ref(known))?;
        }
        Ok(())
    }
}

fn whichever_fails(reach: Reach) {
    let steps = if is_full() { steps(200, 1) } else { steps(30, 5) };
    let run = |step: &Step| {
        let mut results = Vec::new();
        for kind in KINDS {
            let faults = (0..).map(|after| Fault { after, kind, reach });
            results.extend(faults.map_while(|fault| step.run(fault)));
        }
        results
    };
    let results: Vec<Result<(), String>> = steps.par_iter().flat_map_iter(run).collect();
    let failures: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    println!("faults ({reach:?}): {} cases of seed {}, {} failures", results.len(), seed(), failures.len());
    assert!(results.len() > 20, "only {} operations failed", results.len());
    assert!(failures.is_empty(), "{} of {}: {:#?}", failures.len(), results.len(), &failures[..failures.len().min(5)]);
}

#[test]
fn whichever_operation_fails_once_the_answer_is_the_truth_and_the_store_goes_on() {
    whichever_fails(Reach::Once);
}

#[test]
fn whichever_operation_fails_first_for_good_the_answer_is_the_truth_and_the_store_goes_on_once_it_heals() {
    whichever_fails(Reach::Lasting);
}

#[test]
fn whichever_read_fails_the_answer_is_the_truth_and_the_store_goes_on_once_it_heals() {
    whichever_fails(Reach::Reads);
}

#[test]
fn a_disk_that_fails_while_the_store_opens_costs_nothing_but_that_attempt() {
    let recording = Recording::of(seed(), 40).unwrap();
    let stride = if is_full() { 7 } else { 401 };
    let mut remains: Vec<Remains> = (0..recording.points()).step_by(stride).map(|at| recording.kill(at)).collect();
    remains.push(recording.cut(recording.points() - 1, 0));
    let run = |remains: &Remains| {
        let mut results = Vec::new();
        for (kind, reach) in [(KINDS[0], Reach::Once), (KINDS[1], Reach::Lasting), (KINDS[1], Reach::Reads)] {
            results.extend((0..).map_while(|after| open_failing(remains, Fault { after, kind, reach })));
        }
        results
    };
    let results: Vec<Result<(), String>> = remains.par_iter().flat_map_iter(run).collect();
    let failures: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    println!("faults while opening: {} cases of seed {}, {} failures", results.len(), seed(), failures.len());
    assert!(failures.is_empty(), "{} of {}: {:#?}", failures.len(), results.len(), &failures[..failures.len().min(5)]);
}

/// None where the fault lies beyond the opening.
fn open_failing(remains: &Remains, fault: Fault) -> Option<Result<(), String>> {
    let disk = SimDisk::resumed(remains.durable.clone(), &remains.unsynced);
    disk.fail(fault, fault.after);
    let opened = disk.open(CACHES[0]);
    let Failures { count, .. } = disk.heal();
    if count == 0 {
        return None;
    }
    let judge = || {
        match (&opened, fault.kind) {
            (Ok(_), _) | (Err(StoreError::Full | StoreError::Io(_)), ErrorKind::StorageFull) => {}
            (Err(StoreError::Io(_)), _) => {}
            (Err(error), _) => return Err(format!("the reason is not the disk's: {error:?}")),
        }
        drop(opened);
        let subset = fault.after % SUBSETS_MAX;
        let mut random = ChaCha8Rng::seed_from_u64(fault.after);
        let cut = disk.cut(|image, unsynced| survive(image, unsynced, subset, &mut random));
        for disk in [SimDisk::of(cut), disk.clone()] {
            let store = disk.open(CACHES[1]).map_err(|error| format!("it does not open afterwards: {error}"))?;
            inspect(&store, &remains.right)?;
        }
        Ok(())
    };
    Some(judge().map_err(|why: String| format!("{why}; {fault:?}")))
}

#[test]
fn a_read_that_fails_is_no_loss_and_the_next_one_succeeds() {
    let (disk, bundle) = (SimDisk::of(Image::default()), message(1, b"hello"));
    let mut store = disk.open(0).unwrap();
    store.commit(&[hold(1, &bundle)]).unwrap();
    let reader = store.reader();
    let fault = Fault { after: 0, kind: ErrorKind::Other, reach: Reach::Reads };
    disk.fail(fault, 0);
    assert!(matches!(reader.bundle(Row(1), bundle.id), Err(StoreError::Io(_))));
    assert!(disk.heal().count > 0);
    // Nobody committed meanwhile, which would have opened the file anew.
    assert_eq!(reader.bundle(Row(1), bundle.id).unwrap().unwrap().0, *bundle);
    store.commit(&[Change::Forget { row: Row(1) }]).unwrap();
    assert!(reader.bundle(Row(1), bundle.id).unwrap().is_none());
}

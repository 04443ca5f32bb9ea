//! Damage at rest: found and said, never served as somebody's mail, and repaired as far as anything verifies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dak::agent::change::Row;
use dak::bundle::Bundle;
use dak::store::redb::{Depth, Problem, RedbStore, StoreOptions, check, repair};
use dak::store::{Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::cuts::{is_full, seed};
use crate::image::{Image, Part};
use crate::inspect::{Known, after, further, inspect, named};
use crate::make::{History, QUICK, hold, message};
use crate::sim::{SECTOR, SimDisk};

/// A closed store and what is in it.
fn sound() -> (Image, Known) {
    let (disk, mut history, mut known) = (SimDisk::of(Image::default()), History::of(seed()), Known::default());
    let mut store = disk.open(4 << 20).unwrap();
    for _ in 0..60 {
        let batch = history.batch();
        store.commit(&batch).unwrap();
        known = after(&known, &batch);
    }
    drop(store);
    (disk.live(), known)
}

/// Damages an image as its number says: bits, a sector of zeros, a page written to the wrong place, a lost end.
fn damage(image: &mut Image, number: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed() << 32 | number);
    let image = &mut image[Part::Pages];
    let used = image.used_pages();
    let mut page = || used[random.next_u64() as usize % used.len()];
    let (one, other) = (page(), page());
    match number % 8 {
        0 => {
            let at = one + u64::from(random.next_u32()) % 8 * SECTOR as u64;
            image.write(at, &[0; SECTOR]);
        }
        1 => {
            let mut bytes = [0; 4_096];
            image.read(one, &mut bytes);
            image.write(other, &bytes);
        }
        2 => image.set_len(other + u64::from(random.next_u32()) % 4_096),
        bits => {
            for _ in 0..bits - 2 {
                let at = used[random.next_u64() as usize % used.len()] + u64::from(random.next_u32()) % 4_096;
                image.flip(at, random.next_u32() as u8 % 8);
            }
        }
    }
}

/// What came of one damage.
#[derive(Default)]
struct Outcome {
    /// Somebody who only reads would have met it.
    met: bool,
    found: bool,
    kept: usize,
}

/// A page in the place of another may lead back to itself, and redb's writer follows it until its stack ends: no store
/// can write to that in peace, but reading, checking and repairing must.
fn may_lead_in_a_circle(number: u64) -> bool {
    number % 8 == 1
}

fn judge(image: &Image, known: &Known, path: &Path, writes: bool) -> Result<Outcome, String> {
    let met = meet(image, known, writes)?;
    std::fs::write(path, image[Part::Pages].to_vec()).unwrap();
    let found = !check(path, Depth::Signatures).is_ok_and(|findings| findings.is_sound());
    if met && !found {
        return Err("what readers met, checking did not find".into());
    }
    let kept = mend(known, path)?;
    Ok(Outcome { met, found, kept })
}

/// Uses the store as a node would. Says whether anything was not as it should be.
fn meet(image: &Image, known: &Known, writes: bool) -> Result<bool, String> {
    let mut store = match SimDisk::of(image.clone()).open(64 << 10) {
        Ok(store) => store,
        Err(StoreError::Damaged(_)) => return Ok(true),
        Err(error) => return Err(format!("opening gives the wrong reason: {error:?}")),
    };
    let right = known.durable().unwrap();
    let durable = store.durable();
    let mut met = durable.as_ref() != Ok(&right);
    for row in (0..=right.next_row.0).map(Row) {
        let body = store.body(row);
        met |= body != known.body(row);
        let words = store.words(row);
        met |= words != known.words(row);
        if let Ok(Some(words)) = words
            && known.words(row).unwrap() != Some(words)
        {
            return Err(format!("other words than were filed are shown of row {}", row.0));
        }
        let Ok(Some(bytes)) = body else { continue };
        // Whoever sends or shows a body goes by the id that the facts name.
        let facts = durable.as_ref().unwrap_or(&right);
        let Ok((bundle, _)) = Bundle::from_store(&bytes) else { continue };
        if Some(bundle.id) == named(facts, row) && Bundle::decode(&bytes).is_err() {
            return Err(format!("row {} is served, and its signature does not verify", row.0));
        }
    }
    // A store that is damaged may refuse this; it may not end the process.
    if writes {
        let _ = store.commit(&further(known));
        let _ = store.durable();
    }
    Ok(met)
}

/// Repairs the store. Says how many bundles and letters are left.
fn mend(known: &Known, path: &Path) -> Result<usize, String> {
    repair(path).map_err(|error| format!("it cannot be repaired: {error}"))?;
    let findings = check(path, Depth::Signatures).map_err(|error| format!("what was repaired is not: {error}"))?;
    if !findings.is_sound() {
        return Err(format!("after the repair checking finds {:?}", findings.problems));
    }
    let store = RedbStore::open(path, StoreOptions { cache_bytes: 64 << 10, ..QUICK });
    let mut store = store.map_err(|error| format!("what was repaired does not open: {error}"))?;
    let durable = store.durable().map_err(|error| format!("what was repaired cannot be read: {error}"))?;
    let right = known.durable().unwrap();
    let rows: Vec<Row> = durable.held.keys().chain(durable.letters.keys()).copied().collect();
    for row in &rows {
        let words = store.words(*row).ok().flatten();
        if words.is_some() && words != known.words(*row).unwrap() {
            return Err(format!("the repair put other words at row {}", row.0));
        }
        // Opened words have no signature any more; checksums of body and facts name the row that they are of.
        if named(&durable, *row) != named(&right, *row) {
            return Err(format!("the repair made up what is at row {}", row.0));
        }
        if words.is_some() {
            continue;
        }
        let body =
            store.body(*row).ok().flatten().ok_or_else(|| format!("the repair left no body at row {}", row.0))?;
        let bundle = Bundle::decode(&body).map_err(|error| format!("the repair kept row {}: {error}", row.0))?.0;
        if Some(bundle.id) != named(&right, *row) {
            return Err(format!("the repair put another bundle at row {}", row.0));
        }
    }
    for (id, outgoing) in &durable.outgoing {
        if right.outgoing.get(id).is_none_or(|right| right.row != outgoing.row) {
            return Err(format!("the repair made up the message {id}"));
        }
    }
    for row in durable.outgoing.values().filter_map(|outgoing| outgoing.row) {
        let words = store.words(row).ok().flatten();
        if words.is_some() && words != known.words(row).unwrap() {
            return Err(format!("the repair put other words at row {}", row.0));
        }
    }
    store.commit(&further(known)).map_err(|error| format!("what was repaired takes nothing: {error}"))?;
    Ok(rows.len())
}

#[test]
fn damage_at_rest_is_found_and_never_served_and_repair_keeps_what_verifies() {
    let (image, known) = sound();
    let dir = tempfile::tempdir().unwrap();
    let numbers = match std::env::var("DAK_DISK_DAMAGE") {
        Ok(number) => number.parse().map(|number: u64| number..number + 1).expect("DAK_DISK_DAMAGE is a number"),
        Err(_) => 0..if is_full() { 4_000 } else { 64 },
    };
    let run = |number: u64| {
        let mut image = image.clone();
        damage(&mut image, number);
        let path = dir.path().join(format!("{number}.redb"));
        let outcome = catch_unwind(AssertUnwindSafe(|| judge(&image, &known, &path, !may_lead_in_a_circle(number))));
        for end in ["redb", "damaged", "reserve"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
        outcome.unwrap_or_else(|_| Err("it panicked".into())).map_err(|why| {
            format!(
                "{why}\n  DAK_DISK_SEED={} DAK_DISK_DAMAGE={number} cargo test --test disk damage -- --nocapture",
                seed()
            )
        })
    };
    let outcomes: Vec<Result<Outcome, String>> = numbers.into_par_iter().map(run).collect();
    let right = known.durable().unwrap();
    let (all, right) = (outcomes.len(), right.held.len() + right.letters.len());
    let good: Vec<&Outcome> = outcomes.iter().flatten().collect();
    let (met, found) = (good.iter().filter(|one| one.met).count(), good.iter().filter(|one| one.found).count());
    let kept = good.iter().map(|one| one.kept).sum::<usize>();
    println!(
        "damage: {all} cases of seed {}, {met} met, {found} found, {kept} of {} bundles kept, {} failures",
        seed(),
        right * all,
        all - good.len()
    );
    let failures: Vec<&String> = outcomes.iter().filter_map(|one| one.as_ref().err()).collect();
    assert!(failures.is_empty(), "{} of {all}: {}", failures.len(), failures[0]);
}

/// A store that was killed with much in its journal, and what it was after each commit.
fn killed(story: u64) -> (Image, Vec<Known>) {
    let (disk, mut history, mut states) = (SimDisk::of(Image::default()), History::of(story), vec![Known::default()]);
    let mut store = disk.open(4 << 20).unwrap();
    for _ in 0..60 {
        let batch = history.batch();
        store.commit(&batch).unwrap();
        states.push(after(&states[states.len() - 1], &batch));
    }
    // What is small stands in the journal, behind whatever the story left there.
    for _ in 0..4 {
        let batch = further(&states[states.len() - 1]);
        store.commit(&batch).unwrap();
        states.push(after(&states[states.len() - 1], &batch));
    }
    (disk.live(), states)
}

fn damage_journal(image: &mut Image, number: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed() << 32 | number);
    let journal = &mut image[Part::Journal];
    let slots = journal.used_pages();
    let mut slot = || slots[random.next_u64() as usize % slots.len()];
    let (one, other) = (slot(), slot());
    match number % 4 {
        0 => journal.write(one + u64::from(random.next_u32()) % 8 * SECTOR as u64, &[0; SECTOR]),
        1 => {
            let mut bytes = [0; 4_096];
            journal.read(one, &mut bytes);
            journal.write(other, &bytes);
        }
        2 => journal.set_len(one + u64::from(random.next_u32()) % 4_096),
        _ => journal.flip(one + u64::from(random.next_u32()) % 400, random.next_u32() as u8 % 8),
    }
}

#[test]
fn a_journal_damaged_at_rest_is_found_or_ends_before_the_damage_and_is_never_anything_else() {
    let kills: Vec<_> = (seed()..seed() + 8).map(killed).collect();
    let dir = tempfile::tempdir().unwrap();
    let run = |number: u64| -> Result<bool, String> {
        let (image, states) = &kills[number as usize / 4 % kills.len()];
        let mut image = image.clone();
        damage_journal(&mut image, number);
        let path = dir.path().join(format!("{number}.redb"));
        std::fs::write(&path, image[Part::Pages].to_vec()).unwrap();
        std::fs::write(path.with_extension("journal"), image[Part::Journal].to_vec()).unwrap();
        match SimDisk::of(image).open(64 << 10) {
            Ok(mut store) => {
                let known = inspect(&store, states)?;
                let batch = further(&known);
                store.commit(&batch).map_err(|error| format!("it does not go on: {error}"))?;
                inspect(&store, &[after(&known, &batch)]).map(|_| false)
            }
            Err(StoreError::Damaged(_)) => {
                let found = check(&path, Depth::Form).map_err(|error| error.to_string())?;
                if !matches!(found.problems[..], [Problem::Journal(_), ..]) {
                    return Err(format!("checking finds {:?}", found.problems));
                }
                repair(&path).map_err(|error| format!("it cannot be repaired: {error}"))?;
                let sound = check(&path, Depth::Signatures).map_err(|error| error.to_string())?;
                if !sound.is_sound() {
                    return Err(format!("after the repair checking finds {:?}", sound.problems));
                }
                let store = RedbStore::open(&path, StoreOptions { cache_bytes: 64 << 10, ..QUICK });
                store.map(|_| true).map_err(|error| format!("what was repaired does not open: {error}"))
            }
            Err(error) => Err(format!("opening gives the wrong reason: {error:?}")),
        }
    };
    let numbers = 0..if is_full() { 2_000 } else { 96 };
    let outcomes: Vec<Result<bool, String>> =
        numbers.into_par_iter().map(|number| run(number).map_err(|why| format!("{number}: {why}"))).collect();
    let failures: Vec<&String> = outcomes.iter().filter_map(|one| one.as_ref().err()).collect();
    let found = outcomes.iter().filter(|one| **one == Ok(true)).count();
    println!("journals: {} cases of seed {}, {found} found, {} failures", outcomes.len(), seed(), failures.len());
    assert!(found > 0, "no damage was found");
    assert!(failures.is_empty(), "{} of {}: {}", failures.len(), outcomes.len(), failures[0]);
}

#[test]
fn a_store_that_lost_its_first_sector_is_not_taken_for_a_new_one() {
    let (mut image, known) = sound();
    image[Part::Pages].write(0, &[0; SECTOR]);
    assert!(matches!(SimDisk::of(image.clone()).open(64 << 10), Err(StoreError::Damaged(_))));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    std::fs::write(&path, image[Part::Pages].to_vec()).unwrap();
    assert!(matches!(check(&path, Depth::Signatures), Err(StoreError::Damaged(_))));
    assert_eq!(std::fs::read(&path).unwrap(), image[Part::Pages].to_vec(), "nothing of it was written over");
    assert_eq!(mend(&known, &path), Ok(0));
    assert_eq!(
        std::fs::read(path.with_extension("damaged")).unwrap(),
        image[Part::Pages].to_vec(),
        "and it is kept aside"
    );
}

#[test]
fn a_bit_flipped_in_a_signature_is_never_sent_to_anybody() {
    let (disk, bundle) = (SimDisk::of(Image::default()), message(1, b"hello"));
    let mut store = disk.open(64 << 10).unwrap();
    store.commit(&[hold(1, &bundle)]).unwrap();
    drop(store);
    // The signature ends the integrity block, and the class of service follows it.
    let class = bundle.bytes().windows(6).position(|at| at == [0x85, 0x18, 0xc1, 0x03, 0x00, 0x00]).unwrap();
    let signature = bundle.bytes()[class - 64..class].to_vec();
    let (mut image, bytes) = (disk.live(), disk.live()[Part::Pages].to_vec());
    let places = bytes.windows(64).enumerate().filter(|(_, at)| *at == signature).map(|(at, _)| at as u64);
    places.for_each(|at| image[Part::Pages].flip(at + 40, 3));

    let store = SimDisk::of(image).open(64 << 10).unwrap();
    assert!(matches!(store.body(Row(1)), Err(StoreError::Damaged(_))));
    assert!(matches!(store.reader().bundle(Row(1), bundle.id), Ok(None)));
    assert_eq!(store.reader().check(Depth::Form).unwrap().problem_count, 1);
}

#[test]
fn a_body_in_the_place_of_another_is_never_sent_to_anybody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let (one, other) = (message(1, b"one"), message(2, b"other"));
    let mut store = RedbStore::open(&path, QUICK).unwrap();
    store.commit(&[hold(1, &one), hold(2, &other)]).unwrap();
    drop(store);
    let db = redb::Database::open(&path).unwrap();
    let txn = db.begin_write().unwrap();
    let mut bodies = txn.open_table(redb::TableDefinition::<u64, &[u8]>::new("bodies_v1")).unwrap();
    let body = bodies.remove(1).unwrap().unwrap().value().to_vec();
    bodies.insert(2, &body[..]).unwrap();
    drop(bodies);
    txn.commit().unwrap();
    drop(db);

    let store = RedbStore::open(&path, QUICK).unwrap();
    assert!(store.reader().bundle(Row(2), other.id).unwrap().is_none());
    assert!(store.reader().bundle(Row(2), one.id).unwrap().is_some());
    assert_eq!(store.reader().check(Depth::Form).unwrap().problems[0], Problem::Mismatch(Row(2)));
}

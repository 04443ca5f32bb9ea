//! The format that a store has, and how an older one becomes the present one.

use std::collections::BTreeSet;

use redb::{
    Database, Durability, Key, ReadTransaction, ReadableDatabase, TableDefinition, TableHandle, Value, WriteTransaction,
};

use super::failure::failed;
use super::former;
use super::index;
use super::load::number;
use super::tables::{self, Visit, counter};
use crate::mail::index::INDEX_VERSION;
use crate::store::StoreError;

/// What one step forward does. It runs in the transaction that also writes the new number, so that a power cut leaves
/// either format whole.
pub type Step = fn(&WriteTransaction) -> Result<(), StoreError>;

/// The step at position `n` makes format `n + 2` of format `n + 1`. The first format needs none.
pub const STEPS: &[Step] = &[
    former::to_second,
    former::to_third,
    former::to_fourth,
    former::to_fifth,
    former::to_sixth,
    former::to_seventh,
    former::to_eighth,
    former::to_ninth,
];

/// The format of a store whose steps are these.
pub const fn format_after(steps: &[Step]) -> u64 {
    1 + steps.len() as u64
}

/// The era of the journal beside the store; zero where there never was one.
pub fn era(db: &Database) -> Result<u64, StoreError> {
    let txn = db.begin_read().map_err(failed)?;
    let known = format_after(STEPS);
    match found(&txn)? {
        Some(found) if found > known => Err(StoreError::Newer { found, known }),
        Some(_) => number(&txn, counter::ERA),
        None => Ok(0),
    }
}

/// Makes a name for an era that no other has, from which on no entry counts.
pub fn begin_era(txn: &WriteTransaction) -> Result<u64, StoreError> {
    let era = getrandom::u64().map_err(|error| StoreError::Io(format!("no random number: {error}")))?;
    txn.open_table(tables::META).map_err(failed)?.insert(counter::ERA, era).map_err(failed)?;
    Ok(era)
}

/// Whether anything of the store is of an earlier build.
pub fn is_former(db: &Database) -> Result<bool, StoreError> {
    let txn = db.begin_read().map_err(failed)?;
    let Some(found) = found(&txn)? else { return Ok(false) };
    Ok(found < format_after(STEPS) || number(&txn, counter::INDEX)? != INDEX_VERSION)
}

/// Makes a store of the present format of what `db` holds: nothing, an older format, or the present one.
pub fn settle(db: &Database, steps: &[Step]) -> Result<(), StoreError> {
    let known = format_after(steps);
    let Some(found) = found(&db.begin_read().map_err(failed)?)? else { return create(db, known) };
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for from in found..known {
        let txn = begin(db)?;
        steps[from as usize - 1](&txn)?;
        txn.open_table(tables::META).map_err(failed)?.insert(counter::FORMAT, from + 1).map_err(failed)?;
        txn.commit().map_err(failed)?;
    }
    add_tables(db)?;
    index_anew(db)
}

/// Makes the index of the record anew where it is of another version, or there is none, as in a store that was just copied.
fn index_anew(db: &Database) -> Result<(), StoreError> {
    if number(&db.begin_read().map_err(failed)?, counter::INDEX)? == INDEX_VERSION {
        return Ok(());
    }
    let txn = begin(db)?;
    index::rebuild(&txn)?;
    txn.commit().map_err(failed)
}

/// Adds the tables that a store of an earlier build does not have: it had nothing to keep there.
fn add_tables(db: &Database) -> Result<(), StoreError> {
    let txn = db.begin_read().map_err(failed)?;
    let there = txn.list_tables().map_err(failed)?.map(|table| table.name().to_owned()).collect();
    let mut missing = Missing { there, any: false };
    tables::visit_all(&mut missing)?;
    if !missing.any {
        return Ok(());
    }
    let txn = begin(db)?;
    tables::visit_all(&mut Creating(&txn))?;
    txn.commit().map_err(failed)
}

/// The format of the store; none for a database without any table.
pub fn found(txn: &ReadTransaction) -> Result<Option<u64>, StoreError> {
    let mut names = txn.list_tables().map_err(failed)?.peekable();
    if names.peek().is_none() {
        return Ok(None);
    }
    // This one table keeps its layout for ever, because it says what the others look like.
    if !names.any(|table| table.name() == tables::META.name()) {
        return Err(StoreError::Damaged("the file is a database of something else".into()));
    }
    match number(txn, counter::FORMAT)? {
        0 => Err(StoreError::Damaged("the format number is missing".into())),
        found => Ok(Some(found)),
    }
}

/// Begins a transaction whose commit survives a power cut.
///
/// redb could also save with each commit what it knows of free pages (quick repair), and then open a killed file in 10 ms
/// instead of walking it. Killed and cold, until all facts are read, which a start needs anyway:
///
/// | file | a small commit, with it and without | start, with it | without |
/// |---|---|---|---|
/// | 16 MB | 57, 45 kB | 0.05 to 0.10 s | 0.09 to 0.11 s |
/// | 128 MB | 74, 49 kB | 0.27 to 0.58 s | 0.25 to 0.30 s |
/// | 1 GB | 193, 53 kB | 1.3 to 2.0 s | 2.2 to 2.7 s |
///
/// Kills are rare and commits are not, so it is off.
pub fn begin(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut txn = db.begin_write().map_err(failed)?;
    txn.set_durability(Durability::Immediate).map_err(|error| StoreError::Io(error.to_string()))?;
    txn.set_two_phase_commit(true);
    Ok(txn)
}

fn create(db: &Database, format: u64) -> Result<(), StoreError> {
    let txn = begin(db)?;
    // All of them, so that no reader ever finds one missing.
    tables::visit_all(&mut Creating(&txn))?;
    begin_era(&txn)?;
    txn.open_table(tables::META).map_err(failed)?.insert(counter::FORMAT, format).map_err(failed)?;
    index::set_version(&txn)?;
    txn.commit().map_err(failed)
}

/// Looks for tables that are not there.
struct Missing {
    there: BTreeSet<String>,
    any: bool,
}

impl Visit for Missing {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        self.any |= !self.there.contains(table.name());
        Ok(())
    }
}

struct Creating<'t>(&'t WriteTransaction);

impl Visit for Creating<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        self.0.open_table(table).map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::ReadableTable;
    use redb::backends::InMemoryBackend;

    use super::*;

    const NOTES: TableDefinition<&str, &[u8]> = TableDefinition::new("notes_v1");
    const NOTES_V2: TableDefinition<&str, &str> = TableDefinition::new("notes_v2");

    fn notes_become_text(txn: &WriteTransaction) -> Result<(), StoreError> {
        let old = txn.open_table(NOTES).map_err(failed)?;
        let mut new = txn.open_table(NOTES_V2).map_err(failed)?;
        for entry in old.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            new.insert(key.value(), std::str::from_utf8(value.value()).unwrap()).map_err(failed)?;
        }
        drop((old, new));
        txn.delete_table(NOTES).map_err(failed)?;
        Ok(())
    }

    fn notes_are_shouted(txn: &WriteTransaction) -> Result<(), StoreError> {
        txn.open_table(NOTES_V2).map_err(failed)?.insert("shout", "LOUD").map_err(failed)?;
        Ok(())
    }

    fn breaks(_: &WriteTransaction) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }

    fn first_format() -> Database {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        settle(&db, &[]).unwrap();
        let txn = begin(&db).unwrap();
        txn.open_table(NOTES).unwrap().insert("key", &b"text"[..]).unwrap();
        txn.commit().unwrap();
        db
    }

    fn format_of(db: &Database) -> u64 {
        found(&db.begin_read().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn a_store_of_before_a_table_was_added_opens_and_has_it() {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        settle(&db, &[]).unwrap();
        let txn = begin(&db).unwrap();
        txn.delete_table(tables::DEPARTED).unwrap();
        txn.commit().unwrap();
        settle(&db, &[]).unwrap();
        assert!(db.begin_read().unwrap().open_table(tables::DEPARTED).is_ok());
    }

    #[test]
    fn an_older_format_takes_every_step_to_the_present_one() {
        let db = first_format();
        settle(&db, &[notes_become_text, notes_are_shouted]).unwrap();
        assert_eq!(format_of(&db), 3);
        let notes = db.begin_read().unwrap().open_table(NOTES_V2).unwrap();
        assert_eq!(notes.get("key").unwrap().unwrap().value(), "text");
        assert_eq!(notes.get("shout").unwrap().unwrap().value(), "LOUD");
        assert!(db.begin_read().unwrap().open_table(NOTES).is_err());
    }

    #[test]
    fn a_step_that_fails_leaves_the_format_before_it_and_is_taken_again() {
        let db = first_format();
        assert!(matches!(settle(&db, &[notes_become_text, breaks]), Err(StoreError::Full)));
        assert_eq!(format_of(&db), 2);
        settle(&db, &[breaks, notes_are_shouted]).unwrap();
        assert_eq!(format_of(&db), 3);
    }

    #[test]
    fn a_newer_format_is_refused() {
        let db = first_format();
        settle(&db, &[notes_become_text]).unwrap();
        assert!(matches!(settle(&db, &[]), Err(StoreError::Newer { found: 2, known: 1 })));
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = db.begin_write().unwrap();
        txn.open_table(NOTES_V2).unwrap();
        txn.commit().unwrap();
        assert!(matches!(settle(&db, &[]), Err(StoreError::Damaged(_))));
    }
}

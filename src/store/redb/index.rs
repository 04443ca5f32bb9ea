//! The index of the record as a table; what its entries are is mail's to say.

use std::cell::RefCell;
use std::collections::BTreeMap;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, WriteTransaction};

use super::bodies::whole;
use super::body::{self, Body};
use super::failure::{failed, unreadable};
use super::log::Log;
use super::record;
use super::tables;
use crate::agent::change::{EvidenceKind, Letter, Outgoing, Row};
use crate::id::BundleId;
use crate::mail::ending;
use crate::mail::happening::{Happening, What};
use crate::mail::index;
use crate::mail::kept::{OfMessage, Place, read_moment, read_number, read_of_message, updated};
use crate::mail::meaning::{Meaning, Words};
use crate::mail::shelf::{Shelf, ShelfMut, Take};
use crate::store::StoreError;

type Bytes = &'static [u8];

/// The index as one snapshot has it.
pub struct Reading(ReadOnlyTable<Bytes, Bytes>);

/// The index in a transaction, and what hears of all that is done to it.
pub struct Writing<'a, 't> {
    pub table: &'a mut Table<'t, Bytes, Bytes>,
    pub log: &'a RefCell<Log>,
}

pub fn open(txn: &ReadTransaction) -> Result<Reading, StoreError> {
    txn.open_table(tables::INDEX).map(Reading).map_err(failed)
}

impl Shelf for Reading {
    type Error = StoreError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&self.0, key)
    }

    fn walk(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), StoreError> {
        walk(&self.0, from, to, take)
    }

    fn walk_back(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), StoreError> {
        walk_back(&self.0, from, to, take)
    }
}

impl Shelf for Writing<'_, '_> {
    type Error = StoreError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&*self.table, key)
    }

    fn walk(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), StoreError> {
        walk(&*self.table, from, to, take)
    }

    fn walk_back(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), StoreError> {
        walk_back(&*self.table, from, to, take)
    }
}

impl ShelfMut for Writing<'_, '_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.log.borrow_mut().note(tables::INDEX, &key, Some(&value));
        self.table.insert(key, value).map(drop).map_err(failed)
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.log.borrow_mut().note(tables::INDEX, &key, None);
        self.table.remove(key).map(drop).map_err(failed)
    }
}

fn get(table: &impl ReadableTable<Bytes, Bytes>, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(table.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
}

fn walk(table: &impl ReadableTable<Bytes, Bytes>, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), StoreError> {
    for entry in table.range(from..to).map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        if take(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}

fn walk_back(
    table: &impl ReadableTable<Bytes, Bytes>,
    from: &[u8],
    to: &[u8],
    take: Take<'_>,
) -> Result<(), StoreError> {
    for entry in table.range(from..to).map_err(failed)?.rev() {
        let (key, value) = entry.map_err(failed)?;
        if take(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}

/// Makes the index anew from the record. What cannot be read of that is left out, for a repair to find.
pub fn rebuild(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.delete_table(tables::INDEX).map_err(failed)?;
    let mut table = txn.open_table(tables::INDEX).map_err(failed)?;
    let log = RefCell::default();
    let mut shelf = Writing { table: &mut table, log: &log };
    let delivered = txn.open_table(tables::DELIVERED).map_err(failed)?;
    for entry in delivered.iter().map_err(failed)? {
        let (row, mark) = entry.map_err(failed)?;
        index::remember(&mut shelf, *mark.value(), Row(row.value()))?;
    }
    let numbers = numbers(txn, &mut shelf)?;
    let number = |id: &BundleId| numbers.get(id).copied().unwrap_or(0);
    let kept = txn.open_table(tables::KEPT).map_err(failed)?;
    let event = |row: Row, id: &BundleId, meaning: &Meaning| -> Result<u64, StoreError> {
        if !matches!(meaning, Meaning::App(_)) {
            return Ok(number(id));
        }
        let event = ReadableTable::get(&kept, &updated(row)[..]).map_err(failed)?;
        Ok(event.map_or(0, |event| read_number(event.value())))
    };
    let bodies = txn.open_table(tables::BODIES).map_err(failed)?;
    let rests = txn.open_table(tables::RESTS).map_err(failed)?;
    let mut meaning = |row: Row| -> Result<Meaning, StoreError> {
        let Some(first) = bodies.get(row.0).map_err(failed)? else { return Ok(Meaning::Hidden) };
        let body = body::read(row, &whole(&rests, row.0, first.value())?);
        Ok(if let Some(Body::Filed(filed)) = body { Meaning::of(&filed.content) } else { Meaning::Hidden })
    };
    let letters = txn.open_table(tables::LETTERS).map_err(failed)?;
    for entry in letters.iter().map_err(failed)? {
        let (row, bytes) = entry.map_err(failed)?;
        let Some(letter) = record::read_letter(Row(row.value()), bytes.value()) else { continue };
        let meaning = match meaning(letter.row)? {
            Meaning::Hidden => Meaning::of_sealed(&letter),
            meaning => meaning,
        };
        let emptied = index::deliver(&mut shelf, &letter, &meaning, event(letter.row, &letter.id, &meaning)?)?;
        empty(&mut shelf, &letters, emptied)?;
    }
    let outgoing = txn.open_table(tables::OUTGOING).map_err(failed)?;
    let mut later = Vec::new();
    for entry in outgoing.iter().map_err(failed)? {
        let (id, bytes) = entry.map_err(failed)?;
        let Some(outgoing) = record::read_outgoing(BundleId(*id.value()), bytes.value()) else { continue };
        let meaning = outgoing.row.map_or(Ok(Meaning::Hidden), &mut meaning)?;
        match meaning {
            // It is read where the first is, whatever their ids.
            Meaning::Words(Words { same: Some(_), .. }) => later.push((outgoing.row, outgoing, meaning)),
            meaning => {
                let event = outgoing.row.map_or(Ok(0), |row| event(row, &outgoing.id, &meaning))?;
                drop(index::post(&mut shelf, &outgoing, &meaning, event)?);
            }
        }
    }
    later.sort_by_key(|(row, ..)| *row);
    for (_, outgoing, meaning) in later {
        index::post(&mut shelf, &outgoing, &meaning, number(&outgoing.id))?;
    }
    for entry in kept.iter().map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        match read_of_message(key.value()) {
            Some((row, OfMessage::Place)) => index::pin(&mut shelf, row, Place::read(value.value()).pinned)?,
            Some((row, OfMessage::Shown)) => ending::show(&mut shelf, row, read_moment(value.value()))?,
            Some((row, OfMessage::Gone)) => {
                let forgotten = ending::forget(&mut shelf, row)?;
                empty(&mut shelf, &letters, forgotten.map_or(Vec::new(), |forgotten| forgotten.rows))?;
            }
            _ => {}
        }
    }
    drop((bodies, rests, kept));
    drop((delivered, letters, outgoing, table));
    set_version(txn)
}

/// There is nothing to be read any more at these rows.
fn empty(shelf: &mut Writing<'_, '_>, letters: &Table<'_, u64, Bytes>, rows: Vec<Row>) -> Result<(), StoreError> {
    for row in rows {
        let letter = letters.get(row.0).map_err(failed)?.and_then(|bytes| record::read_letter(row, bytes.value()));
        letter.map_or(Ok(()), |letter| index::empty(shelf, &letter))?;
    }
    Ok(())
}

/// The numbers with which messages came, as far back as they are kept, and those with which lives ended are put there.
fn numbers(txn: &WriteTransaction, shelf: &mut Writing<'_, '_>) -> Result<BTreeMap<BundleId, u64>, StoreError> {
    let happened = txn.open_table(tables::HAPPENED).map_err(failed)?;
    let mut numbers = BTreeMap::new();
    for entry in happened.iter().map_err(failed)? {
        let (number, bytes) = entry.map_err(failed)?;
        let happening = Happening::read(bytes.value());
        if let Some(Happening { id, what: What::State(EvidenceKind::Expired), .. }) = &happening {
            index::end(shelf, number.value(), id)?;
        }
        let came = happening.filter(|happening| matches!(happening.what, What::Came | What::Queued));
        numbers.extend(came.map(|happening| (happening.id, number.value())));
    }
    Ok(numbers)
}

/// Notes of what version the index is.
pub fn set_version(txn: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = txn.open_table(tables::META).map_err(failed)?;
    meta.insert(tables::counter::INDEX, index::INDEX_VERSION).map(drop).map_err(failed)
}

/// The row of the inbox that stands at a row.
pub fn letter_at(table: &impl ReadableTable<u64, Bytes>, row: Row) -> Result<Option<Letter>, StoreError> {
    let Some(bytes) = table.get(row.0).map_err(failed)? else { return Ok(None) };
    record::read_letter(row, bytes.value()).map(Some).ok_or_else(|| unreadable("letters_v1"))
}

/// One's own message of an id.
pub fn outgoing_of(
    table: &impl ReadableTable<&'static [u8; 32], Bytes>,
    id: &BundleId,
) -> Result<Option<Outgoing>, StoreError> {
    let Some(bytes) = table.get(&id.0).map_err(failed)? else { return Ok(None) };
    record::read_outgoing(*id, bytes.value()).map(Some).ok_or_else(|| unreadable("outgoing_v2"))
}

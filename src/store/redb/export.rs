//! Everything in the store as named records of bytes, for a backup and back.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, TableHandle, Value, WriteTransaction};

use super::disk::Traffic;
use super::failure::{failed, guarded, io_failed};
use super::format::{self, STEPS, format_after};
use super::former;
use super::load::number;
use super::shared::{create_as_is, sync_directory};
use super::tables::{self, Visit, counter, visit_all};
use super::{DiskSync, StoreOptions};
use crate::id::{hex, unhex};
use crate::store::StoreError;

/// The first record's name; its bytes are the format's number, little-endian.
const FORMAT: &str = "format";
/// How much is written in one transaction.
const CHUNK_BYTES: usize = 8 << 20;

/// Takes a record: its name and its bytes.
pub type Take<'a> = dyn FnMut(&str, &[u8]) -> Result<(), StoreError> + 'a;

/// One snapshot of the store, however long it takes to read.
pub struct Records {
    txn: ReadTransaction,
}

impl Records {
    pub(super) fn of(txn: ReadTransaction) -> Records {
        Records { txn }
    }

    /// Hands over every record, its name first. An error of `take` ends it.
    pub fn each(&self, take: &mut Take<'_>) -> Result<(), StoreError> {
        guarded(|| {
            take(FORMAT, &number(&self.txn, counter::FORMAT)?.to_le_bytes())?;
            visit_all(&mut Exporting { txn: &self.txn, take })
        })
    }
}

/// Makes a store at `path`, where there is none, from records in the order in which [`Records::each`] gave them.
/// Returns how many there were. A failure leaves nothing behind.
pub fn import_records(
    path: &Path,
    records: impl IntoIterator<Item = Result<(String, Vec<u8>), StoreError>>,
) -> Result<u64, StoreError> {
    if path.exists() {
        return Err(StoreError::Io(format!("{} is there already; move it away first", path.display())));
    }
    let result = guarded(|| import(path, records.into_iter()));
    if result.is_err() {
        let _ = std::fs::remove_file(path);
    }
    result
}

struct Exporting<'a> {
    txn: &'a ReadTransaction,
    take: &'a mut Take<'a>,
}

impl Visit for Exporting<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        // What is derived is made anew.
        if table.name() == tables::INDEX.name() {
            return Ok(());
        }
        for entry in ReadableTable::iter(&self.txn.open_table(table).map_err(failed)?).map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            let key = key.value();
            if table.name() == tables::META.name() && K::as_bytes(&key).as_ref() == counter::INDEX.as_bytes() {
                continue;
            }
            let name = format!("{}/{}", table.name(), hex(K::as_bytes(&key).as_ref()));
            (self.take)(&name, V::as_bytes(&value.value()).as_ref())?;
        }
        Ok(())
    }
}

fn import(
    path: &Path,
    mut records: impl Iterator<Item = Result<(String, Vec<u8>), StoreError>>,
) -> Result<u64, StoreError> {
    let format = match records.next().transpose()? {
        Some((name, bytes)) if name == FORMAT => bytes.try_into().map(u64::from_le_bytes).map_err(|_| odd(FORMAT))?,
        _ => return Err(odd("the first record")),
    };
    let known = format_after(STEPS);
    if format > known {
        return Err(StoreError::Newer { found: format, known });
    }
    let options = StoreOptions { sync: DiskSync::Always, ..StoreOptions::default() };
    let db = create_as_is(path, options, &Arc::new(Traffic::default()))?;
    let mut count = 0;
    let mut chunk = Chunk::default();
    for record in records {
        let (name, value) = record?;
        let (table, key) = name.split_once('/').ok_or_else(|| odd(&name))?;
        let key = unhex(key).ok_or_else(|| odd(&name))?;
        // The format is written last, so that half a store never passes for one. The journal is not the one beside this.
        if table == tables::META.name() && [counter::FORMAT, counter::ERA].iter().any(|own| key == own.as_bytes()) {
            continue;
        }
        if table != chunk.table || chunk.bytes > CHUNK_BYTES {
            chunk.write(&db)?;
            chunk = Chunk { table: table.to_owned(), ..Chunk::default() };
        }
        chunk.bytes += key.len() + value.len();
        chunk.entries.push((key, value));
        count += 1;
    }
    chunk.write(&db)?;
    let txn = format::begin(&db)?;
    format::begin_era(&txn)?;
    txn.open_table(tables::META).map_err(failed)?.insert(counter::FORMAT, format).map_err(failed)?;
    txn.commit().map_err(failed)?;
    format::settle(&db, STEPS)?;
    drop(db);
    sync_directory(path)?;
    Ok(count)
}

/// Records of one table that are written together.
#[derive(Default)]
struct Chunk {
    table: String,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl Chunk {
    fn write(&self, db: &Database) -> Result<(), StoreError> {
        let txn = format::begin(db)?;
        let mut importing = Importing { txn: &txn, chunk: self, known: self.entries.is_empty() };
        visit_all(&mut importing)?;
        former::visit_all(&mut importing)?;
        if !importing.known {
            return Err(odd(&self.table));
        }
        txn.commit().map_err(failed)
    }
}

struct Importing<'a> {
    txn: &'a WriteTransaction,
    chunk: &'a Chunk,
    known: bool,
}

impl Visit for Importing<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let mut open = self.txn.open_table(table).map_err(failed)?;
        if self.chunk.table != table.name() {
            return Ok(());
        }
        self.known = true;
        for (key, value) in &self.chunk.entries {
            if !fits::<K>(key) || !fits::<V>(value) {
                return Err(odd(table.name()));
            }
            open.insert(K::from_bytes(key), V::from_bytes(value)).map_err(failed)?;
        }
        Ok(())
    }
}

/// Whether these bytes can be a value of this type: redb itself would assert it.
fn fits<V: Value>(bytes: &[u8]) -> bool {
    let text = V::type_name() == <&str as Value>::type_name();
    V::fixed_width().is_none_or(|width| width == bytes.len()) && (!text || std::str::from_utf8(bytes).is_ok())
}

fn odd(what: &str) -> StoreError {
    io_failed(&std::io::Error::new(std::io::ErrorKind::InvalidData, format!("{what} is not a record of a store")))
}

//! Reading what can be read of tables with damaged pages.

use redb::{Key, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError, Value};

use super::failure::{failed, guarded};
use crate::store::StoreError;

/// How many rows are tried one by one around damaged pages.
const PROBES_MAX: u64 = 16 << 20;

/// Hands over every entry that can be reached from either end; says why not all could be.
///
/// Damage in one place loses the entries of that place, damage in several also those between.
pub fn each_reachable<K: Key + 'static, V: Value + 'static>(
    txn: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
    mut take: impl FnMut(K::SelfType<'_>, V::SelfType<'_>),
) -> Result<(), StoreError> {
    let forward = guarded(|| {
        let Some(table) = open(txn, table)? else { return Ok(()) };
        ReadableTable::iter(&table).map_err(failed)?.try_for_each(|entry| {
            let (key, value) = entry.map_err(failed)?;
            take(key.value(), value.value());
            Ok(())
        })
    });
    if forward.is_err() {
        let _ = guarded(|| {
            let Some(table) = open(txn, table)? else { return Ok(()) };
            ReadableTable::iter(&table).map_err(failed)?.rev().try_for_each(|entry| {
                let (key, value) = entry.map_err(failed)?;
                take(key.value(), value.value());
                Ok::<_, StoreError>(())
            })
        });
    }
    forward
}

/// Hands over every entry of a table of rows, where needed trying each row below `end` by itself.
pub fn each_row(
    txn: &ReadTransaction,
    table: TableDefinition<'static, u64, &'static [u8]>,
    end: u64,
    mut take: impl FnMut(u64, &[u8]),
) -> Result<(), StoreError> {
    let mut next = 0;
    let forward = guarded(|| {
        let Some(table) = open(txn, table)? else { return Ok(()) };
        ReadableTable::iter(&table).map_err(failed)?.try_for_each(|entry| {
            let (row, value) = entry.map_err(failed)?;
            take(row.value(), value.value());
            next = row.value().saturating_add(1);
            Ok(())
        })
    });
    if forward.is_err() {
        for row in (next..end).take(PROBES_MAX as usize) {
            let _ = guarded(|| {
                let Some(table) = open(txn, table)? else { return Ok(()) };
                if let Some(value) = ReadableTable::get(&table, row).map_err(failed)? {
                    take(row, value.value());
                }
                Ok(())
            });
        }
    }
    forward
}

/// A table; none where the store is of before it was added, and so has nothing in it.
pub fn open<K: Key + 'static, V: Value + 'static>(
    txn: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
    match txn.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

//! What a commit did to the tables, as bytes, and doing it again.
//!
//! Values are absolute, so replaying is the same for every format, and doing it twice changes nothing:
//!
//! ```text
//! table 1 + n | key 2 + n | 0 where it was removed, or 1 and the value 4 + n
//! ```

use std::collections::BTreeMap;

use redb::{Database, Durability, Key, TableDefinition, TableHandle, Value, WriteTransaction};

use super::failure::failed;
use super::format;
use super::former;
use super::tables::{self, Visit};
use crate::store::StoreError;

/// Longest operations that are kept; a longer commit is worth its pages.
const OPERATIONS_BYTES_MAX: usize = 64 << 10;

/// What a commit did to the tables.
#[derive(Default)]
pub struct Log {
    operations: Vec<u8>,
    /// It is not for the journal, and nothing more is kept.
    is_stopped: bool,
}

impl Log {
    /// Adds that this value was put, or taken away.
    pub fn note<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
        key: &K::SelfType<'_>,
        value: Option<&V::SelfType<'_>>,
    ) {
        if self.is_stopped {
            return;
        }
        let name = table.name().as_bytes();
        self.operations.push(name.len() as u8);
        self.operations.extend(name);
        let key = K::as_bytes(key);
        self.operations.extend((key.as_ref().len() as u16).to_le_bytes());
        self.operations.extend(key.as_ref());
        self.operations.push(value.is_some().into());
        if let Some(value) = value {
            let value = V::as_bytes(value);
            self.operations.extend((value.as_ref().len() as u32).to_le_bytes());
            self.operations.extend(value.as_ref());
        }
        self.is_stopped = self.operations.len() > OPERATIONS_BYTES_MAX;
    }

    /// Keeps this commit out of the journal.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub fn operations(&self) -> &[u8] {
        &self.operations
    }
}

/// One value put, or taken away.
struct Operation<'a> {
    table: &'a str,
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

/// Does to the tables what the entries say, in the memory of redb: the journal has it for good.
pub fn replay(db: &Database, entries: &[Vec<u8>]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let senseless = || StoreError::Damaged("an entry of its journal makes no sense".into());
    // What is done to one table does not depend on any other.
    let mut by_table = BTreeMap::<&str, Vec<Operation<'_>>>::new();
    for mut entry in entries.iter().map(Vec::as_slice) {
        while !entry.is_empty() {
            let operation = read_operation(&mut entry).ok_or_else(senseless)?;
            by_table.entry(operation.table).or_default().push(operation);
        }
    }
    let mut txn = format::begin(db)?;
    txn.set_durability(Durability::None).map_err(|error| StoreError::Io(error.to_string()))?;
    let mut replaying = Replaying { txn: &txn, by_table };
    tables::visit_all(&mut replaying)?;
    former::visit_all(&mut replaying)?;
    if !replaying.by_table.is_empty() {
        return Err(senseless());
    }
    txn.commit().map_err(failed)
}

struct Replaying<'a> {
    txn: &'a WriteTransaction,
    by_table: BTreeMap<&'a str, Vec<Operation<'a>>>,
}

impl Visit for Replaying<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let Some(operations) = self.by_table.remove(table.name()) else { return Ok(()) };
        let mut open = self.txn.open_table(table).map_err(failed)?;
        for operation in operations {
            match operation.value {
                Some(value) => drop(open.insert(K::from_bytes(operation.key), V::from_bytes(value)).map_err(failed)?),
                None => drop(open.remove(K::from_bytes(operation.key)).map_err(failed)?),
            }
        }
        Ok(())
    }
}

fn read_operation<'a>(bytes: &mut &'a [u8]) -> Option<Operation<'a>> {
    let [len] = take(bytes)?;
    let table = std::str::from_utf8(take_slice(bytes, len.into())?).ok()?;
    let len = u16::from_le_bytes(take(bytes)?);
    let key = take_slice(bytes, len.into())?;
    let value = match take(bytes)? {
        [0] => None,
        _ => {
            let len = u32::from_le_bytes(take(bytes)?);
            Some(take_slice(bytes, len as usize)?)
        }
    };
    Some(Operation { table, key, value })
}

pub fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

pub fn take_slice<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

//! Reading everything durable but the bodies back from the tables.

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value};

use super::failure::{failed, unreadable};
use super::index;
use super::record;
use super::tables::{self, counter};
use crate::agent::change::{Durable, Held, Row};
use crate::id::{BundleId, NodeId};
use crate::mail;
use crate::store::StoreError;
use crate::time::{DtnTime, Moment, Timestamp};

/// Reads everything but the bodies and the facts of held bundles.
pub fn durable_but_held(txn: &ReadTransaction) -> Result<Durable, StoreError> {
    let mut durable = unfiled_but_held(txn)?;
    each(txn, tables::LETTERS, |row, record| {
        durable.letters.insert(Row(row), record::read_letter(Row(row), record)?);
        Some(())
    })?;
    each(txn, tables::DELIVERED, |_, mark| durable.delivered.insert(*mark).then_some(()).or(Some(())))?;
    each(txn, tables::OUTGOING, |id, record| {
        durable.outgoing.insert(BundleId(*id), record::read_outgoing(BundleId(*id), record)?);
        Some(())
    })?;
    Ok(durable)
}

/// The same without what is filed: see [`Durable::without_filed`].
pub fn unfiled_but_held(txn: &ReadTransaction) -> Result<Durable, StoreError> {
    let mut durable = Durable {
        sequence: number(txn, counter::SEQUENCE)?,
        next_row: Row(number(txn, counter::NEXT_ROW)?),
        clock: Moment { now: Timestamp(number(txn, counter::NOW)?), wall: DtnTime(number(txn, counter::WALL)?) },
        ..Durable::default()
    };
    let index = index::open(txn)?;
    durable.mail_bytes = mail::index::costs(&index)?;
    let outgoing = txn.open_table(tables::OUTGOING).map_err(failed)?;
    for id in mail::index::on_way(&index)? {
        durable.outgoing.extend(index::outgoing_of(&outgoing, &id)?.map(|outgoing| (id, outgoing)));
    }
    each(txn, tables::BURIED, |id, until| {
        durable.buried.insert(BundleId(*id), Timestamp(until));
        Some(())
    })?;
    each(txn, tables::DEPARTED, |id, record| {
        durable.departed.insert(BundleId(*id), record::read_departure(record)?);
        Some(())
    })?;
    each(txn, tables::BELIEFS, |key, record| {
        let (id, signer) = tables::split(key);
        durable.beliefs.insert((BundleId(id), NodeId::from_trusted(signer)), record::read_belief(record)?);
        Some(())
    })?;
    each(txn, tables::PEOPLE, |node, record| {
        durable.people.insert(NodeId::from_trusted(*node), record::read_person(record)?);
        Some(())
    })?;
    each(txn, tables::LEARNED, |node, record| {
        durable.learned.insert(NodeId::from_trusted(*node), record.to_vec());
        Some(())
    })?;
    each(txn, tables::OWED, |key, ()| {
        let (peer, id) = tables::split(key);
        durable.owed.insert((NodeId::from_trusted(peer), BundleId(id)));
        Some(())
    })?;
    Ok(durable)
}

/// Reads the facts of every held bundle, in the order of the rows.
pub fn each_held(txn: &ReadTransaction, mut take: impl FnMut(Held)) -> Result<(), StoreError> {
    each(txn, tables::HELD, |row, record| {
        take(record::read_held(Row(row), record)?);
        Some(())
    })
}

/// One of the counters; zero before it is first written.
pub fn number(txn: &ReadTransaction, key: &str) -> Result<u64, StoreError> {
    let meta = txn.open_table(tables::META).map_err(failed)?;
    Ok(ReadableTable::get(&meta, key).map_err(failed)?.map_or(0, |number| number.value()))
}

/// Hands every record of a table to `take`, which answers none where a record makes no sense.
pub fn each<K: Key + 'static, V: Value + 'static>(
    txn: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
    mut take: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Option<()>,
) -> Result<(), StoreError> {
    use redb::TableHandle;
    for entry in ReadableTable::iter(&txn.open_table(table).map_err(failed)?).map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        take(key.value(), value.value()).ok_or_else(|| unreadable(table.name()))?;
    }
    Ok(())
}

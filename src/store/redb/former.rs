//! Records as earlier builds wrote them, and the step that makes present ones of them.
//!
//! Format 1 had three layouts one after the other under one number. So a record of it is read as what it is: of the
//! present layout or of the one before. The two cannot be taken for each other, for a record is read to its last byte.

use std::collections::BTreeMap;

use redb::{Key, ReadableTable, TableDefinition, WriteTransaction};

use super::failure::failed;
use super::format;
use super::index;
use super::record::{self, Scan};
use super::side::{Address, write_addresses};
use super::tables::{self, Visit};
use crate::agent::change::{Belief, Held, Letter, Outgoing, Row, Unlisted};
use crate::bundle::Hops;
use crate::id::{BundleId, NodeId};
use crate::mail::happening::{HAPPENED_MAX, Happening, What};
use crate::store::StoreError;
use crate::time::{Millis, Timestamp};

type Bytes = &'static [u8];

/// Node → addresses it was reached at, when nobody could enter one.
pub const ADDRESSES: TableDefinition<&'static [u8; 32], Bytes> = TableDefinition::new("addresses_v1");
/// Bundle id → one's own message and its evidence, when its words were not kept.
pub const OUTGOING: TableDefinition<&'static [u8; 32], Bytes> = TableDefinition::new("outgoing_v1");
/// A driver's own key → its own bytes; nothing was ever kept here.
const NOTES: TableDefinition<&str, Bytes> = TableDefinition::new("notes_v1");

/// Visits the tables that earlier formats had and the present one has not.
pub fn visit_all(visit: &mut impl Visit) -> Result<(), StoreError> {
    visit.table(ADDRESSES)?;
    visit.table(OUTGOING)?;
    visit.table(NOTES)
}

/// Makes format 2 of format 1: each table has one layout.
pub fn to_second(txn: &WriteTransaction) -> Result<(), StoreError> {
    rewrite(txn, tables::HELD, tables::HELD, |row, bytes| Some(record::write_held(&read_held(Row(*row), bytes)?)))?;
    rewrite(txn, tables::BELIEFS, tables::BELIEFS, |key, bytes| Some(record::write_belief(&read_belief(key, bytes)?)))?;
    rewrite(txn, ADDRESSES, tables::ADDRESSES, |_, bytes| Some(write_addresses(&read_addresses(bytes)?)))?;
    txn.delete_table(NOTES).map_err(failed)?;
    Ok(())
}

/// Makes format 3 of format 2: what is written here is kept, and what came is opened once. Messages of before are still
/// sealed, and one's own have no words.
pub fn to_third(txn: &WriteTransaction) -> Result<(), StoreError> {
    rewrite(txn, OUTGOING, tables::OUTGOING, |id, bytes| {
        Some(record::write_outgoing(&read_outgoing(BundleId(**id), bytes)?))
    })?;
    let letters = txn.open_table(tables::LETTERS).map_err(failed)?;
    let mut sealed = txn.open_table(tables::SEALED).map_err(failed)?;
    for entry in letters.iter().map_err(failed)? {
        sealed.insert(entry.map_err(failed)?.0.value(), ()).map_err(failed)?;
    }
    Ok(())
}

/// Makes format 4 of format 3: the record has an index, which a build that knows nothing of it must not leave behind.
pub fn to_fourth(txn: &WriteTransaction) -> Result<(), StoreError> {
    index::rebuild(txn)
}

/// Makes format 5 of format 4: there may be a journal beside the store, which earlier builds know nothing of.
pub fn to_fifth(txn: &WriteTransaction) -> Result<(), StoreError> {
    format::begin_era(txn).map(drop)
}

/// Makes format 6 of format 5: what happens to the record is numbered. So far that was in the order of the rows.
pub fn to_sixth(txn: &WriteTransaction) -> Result<(), StoreError> {
    let mut came = BTreeMap::new();
    let letters = txn.open_table(tables::LETTERS).map_err(failed)?;
    for entry in letters.iter().map_err(failed)? {
        let (row, bytes) = entry.map_err(failed)?;
        let letter = record::read_letter(Row(row.value()), bytes.value());
        let of = |letter: Letter| Happening { at: letter.received.wall, id: letter.id, what: What::Came };
        came.extend(letter.map(|letter| (row.value(), of(letter))));
    }
    let outgoing = txn.open_table(tables::OUTGOING).map_err(failed)?;
    for entry in outgoing.iter().map_err(failed)? {
        let (id, bytes) = entry.map_err(failed)?;
        let own = record::read_outgoing(BundleId(*id.value()), bytes.value());
        let of = |own: &Outgoing| Happening { at: own.created.wall, id: own.id, what: What::Queued };
        came.extend(own.and_then(|own| Some((own.row?.0, of(&own)))));
    }
    drop((letters, outgoing));
    let mut happened = txn.open_table(tables::HAPPENED).map_err(failed)?;
    let forgotten = (came.len() as u64).saturating_sub(HAPPENED_MAX);
    for (number, happening) in (1..).zip(came.values()).skip(forgotten as usize) {
        happened.insert(number, &happening.write()[..]).map_err(failed)?;
    }
    let mut meta = txn.open_table(tables::META).map_err(failed)?;
    meta.insert(tables::counter::HAPPENED, came.len() as u64).map_err(failed)?;
    Ok(())
}

/// Makes format 7 of format 6: what is filed from now on says how it was sealed and signed, which earlier builds cannot read.
pub fn to_seventh(_txn: &WriteTransaction) -> Result<(), StoreError> {
    Ok(())
}

/// Makes format 8 of format 7: what is held may say what it is the latest word on, which earlier builds cannot read.
pub fn to_eighth(_txn: &WriteTransaction) -> Result<(), StoreError> {
    Ok(())
}

/// Makes format 9 of format 8: a long body may stand in two tables, of which earlier builds read one.
pub fn to_ninth(_txn: &WriteTransaction) -> Result<(), StoreError> {
    Ok(())
}

/// Writes what `renew` makes of each record of `from` to `to`, and takes `from` away. A record that makes no sense stays
/// as it is, for a repair to find.
fn rewrite<K: Key + 'static>(
    txn: &WriteTransaction,
    from: TableDefinition<'static, K, Bytes>,
    to: TableDefinition<'static, K, Bytes>,
    renew: impl Fn(&K::SelfType<'_>, &[u8]) -> Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let aside = TableDefinition::<K, Bytes>::new("former");
    drop(txn.open_table(from).map_err(failed)?);
    txn.rename_table(from, aside).map_err(failed)?;
    let old = txn.open_table(aside).map_err(failed)?;
    let mut new = txn.open_table(to).map_err(failed)?;
    for entry in old.iter().map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        let (key, value) = (key.value(), value.value());
        let renewed = renew(&key, value);
        new.insert(key, renewed.as_deref().unwrap_or(value)).map_err(failed)?;
    }
    drop((old, new));
    txn.delete_table(aside).map_err(failed)?;
    Ok(())
}

/// A held bundle of either layout. The one before told nothing of clocks, so the age counts as it was told.
pub fn read_held(row: Row, bytes: &[u8]) -> Option<Held> {
    record::read_held(row, bytes).or_else(|| {
        let mut scan = Scan(bytes);
        let (grade, class) = (scan.code()?, scan.code()?);
        let copies = scan.u16()?;
        let (kind, priority, count) = (scan.code()?, scan.code()?, scan.u8()?);
        let size_bytes = scan.u32()?;
        let (lifetime, accepted_at) = (Millis(scan.u64()?), Timestamp(scan.u64()?));
        let hops = Hops { age: Millis(scan.u64()?), count };
        let expires = Timestamp(scan.u64()?);
        let (id, source, destination, from) = (scan.id()?, scan.node()?, scan.eid()?, scan.option()?);
        scan.end()?;
        let dated = false;
        Some(Held {
            row,
            id,
            kind,
            source,
            destination,
            lifetime,
            accepted_at,
            hops,
            expires,
            dated,
            size_bytes,
            class,
            priority,
            grade,
            copies,
            from,
            about: None,
        })
    })
}

/// One's own message of either layout without its words. The first one listed every event, so they are folded as they would be now.
pub fn read_outgoing(id: BundleId, bytes: &[u8]) -> Option<Outgoing> {
    record::read_outgoing_behind(&mut Scan(bytes), id, None, None).or_else(|| {
        let mut scan = Scan(bytes);
        let priority = scan.code()?;
        let size_bytes = scan.u32()?;
        let (creation, created) = (scan.creation()?, scan.moment()?);
        let (lifetime, expires) = (Millis(scan.u64()?), Timestamp(scan.u64()?));
        let destination = scan.eid()?;
        let (evidence, carriers, unlisted) = (Vec::new(), Vec::new(), Unlisted::default());
        let mut outgoing = Outgoing {
            id,
            destination,
            creation,
            created,
            lifetime,
            expires,
            priority,
            size_bytes,
            source: None,
            row: None,
            evidence,
            carriers,
            unlisted,
        };
        while !scan.0.is_empty() {
            outgoing.attest(scan.evidence()?);
        }
        Some(outgoing)
    })
}

/// The word of a receipt of either layout; `key` is the bundle and the signer. The one before did not keep who brought
/// it, so it counts as the signer's own.
pub fn read_belief(key: &[u8; 64], bytes: &[u8]) -> Option<Belief> {
    record::read_belief(bytes).or_else(|| {
        let (_, signer) = tables::split(key);
        let mut scan = Scan(bytes);
        let belief = Belief { what: scan.what()?, until: Timestamp(scan.u64()?), from: NodeId::from_trusted(signer) };
        scan.end()?;
        Some(belief)
    })
}

/// The addresses of one node as format 1 had them first: each when it worked, the length of its text, and the text.
pub fn read_addresses(bytes: &[u8]) -> Option<Vec<Address>> {
    let mut scan = Scan(bytes);
    let mut addresses = Vec::new();
    while !scan.0.is_empty() {
        let (worked_unix_ms, len) = (scan.u64()?, scan.u16()?);
        let text = std::str::from_utf8(scan.take(len.into())?).ok()?.to_owned();
        addresses.push(Address { text, worked_unix_ms, entered: false });
    }
    Some(addresses)
}

//! Reading from any thread while the writer writes.

use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::bodies::whole_in;
use super::body::{self, Body};
use super::check::{Depth, Findings, check_snapshot};
use super::export::Records;
use super::failure::{failed, guarded, unreadable};
use super::load::number;
use super::record::HELD_BYTES;
use super::shared::Shared;
use super::side::{self, Address};
use super::tables::{self, counter};
use crate::agent::change::Row;
use crate::bundle::{Bundle, Hops};
use crate::id::{BundleId, NodeId};
use crate::store::StoreError;

/// Reads one snapshot a call, and never waits for the writer but while it compacts or opens the file anew.
#[derive(Clone)]
pub struct RedbReader {
    shared: Arc<Shared>,
}

impl RedbReader {
    pub(super) fn new(shared: Arc<Shared>) -> RedbReader {
        RedbReader { shared }
    }

    /// Reads from one snapshot.
    pub(super) fn read<T>(&self, read: impl Fn(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.shared.read(read)
    }

    /// The encoded bundle at `row`, with the hops it came with.
    pub fn body(&self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.read(|txn| stored(txn, &bodies(txn)?, row))
    }

    /// The bundle at `row`, if it is whole and the one with this id. An error says that the disk fails for now, which is
    /// no sign that anything is lost.
    pub fn bundle(&self, row: Row, id: BundleId) -> Result<Option<(Bundle, Hops)>, StoreError> {
        let body = match self.body(row) {
            Err(StoreError::Damaged(_)) => None,
            body => body?,
        };
        Ok(body.and_then(|bytes| Bundle::from_stored(bytes).ok()).filter(|(bundle, _)| bundle.id == id))
    }

    /// The encoded bundles at `rows`, in that order, from one snapshot; none for one that is damaged, which hides no
    /// other. The caller bounds how many it asks for.
    pub fn bodies(&self, rows: &[Row]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.shared.read(|txn| {
            let table = bodies(txn)?;
            let body = |row: &Row| match guarded(|| stored(txn, &table, *row)) {
                Err(StoreError::Damaged(_)) => Ok(None),
                body => body,
            };
            rows.iter().map(body).collect()
        })
    }

    /// What stands at these rows, in that order, from one snapshot; none for what is damaged, which hides nothing else.
    pub fn words(&self, rows: &[Row]) -> Result<Vec<Option<Body>>, StoreError> {
        self.shared.read(|txn| {
            let table = bodies(txn)?;
            let words = |row: &Row| match guarded(|| read(txn, &table, *row)) {
                Err(StoreError::Damaged(_)) => Ok(None),
                words => words,
            };
            rows.iter().map(words).collect()
        })
    }

    /// Rows of the inbox whose messages are still sealed, from this one on: at most so many.
    pub fn sealed(&self, from: Row, many: usize) -> Result<Vec<Row>, StoreError> {
        self.shared.read(|txn| {
            let table = txn.open_table(tables::SEALED).map_err(failed)?;
            let rows = ReadableTable::range(&table, from.0..).map_err(failed)?.take(many);
            rows.map(|entry| Ok(Row(entry.map_err(failed)?.0.value()))).collect()
        })
    }

    /// About how many bytes the records take, without what pages leave unused.
    pub fn live_bytes(&self) -> Result<u64, StoreError> {
        self.shared.read(live_bytes)
    }

    /// What the file system has left for the store, in bytes.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        self.shared.free_bytes()
    }

    /// What the store can still take: what the file system has left, and what the file has and does not use.
    pub fn room_bytes(&self) -> Result<u64, StoreError> {
        // Pages with three bodies, or with what is left of them, are an eighth empty.
        let used = self.live_bytes()?.saturating_mul(8) / 7;
        Ok(self.shared.free_bytes()?.saturating_add(self.shared.allocated_bytes()?.saturating_sub(used)))
    }

    /// What the file system gave the file, in bytes.
    pub fn allocated_bytes(&self) -> Result<u64, StoreError> {
        self.shared.allocated_bytes()
    }

    /// How long the file is.
    pub fn file_bytes(&self) -> u64 {
        self.shared.traffic().len_bytes()
    }

    /// The address book: each node's addresses, the one that worked last first.
    pub fn addresses(&self) -> Result<Vec<(NodeId, Vec<Address>)>, StoreError> {
        self.shared.read(side::addresses)
    }

    /// Looks over records and bodies while the node goes on; the file's pages are only checked where they are read.
    pub fn check(&self, depth: Depth) -> Result<Findings, StoreError> {
        let mut findings = Findings { pages_intact: true, file_bytes: self.file_bytes(), ..Findings::default() };
        check_snapshot(&self.shared.snapshot()?, depth, &mut findings)?;
        Ok(findings)
    }

    /// How often the disk was asked to make sure, since the store was opened.
    pub fn syncs(&self) -> u64 {
        self.shared.traffic().syncs()
    }

    /// Bytes written to the file since the store was opened.
    pub fn written_bytes(&self) -> u64 {
        self.shared.traffic().written_bytes()
    }

    /// A snapshot of everything, record by record, while the node goes on.
    pub fn records(&self) -> Result<Records, StoreError> {
        Ok(Records::of(self.shared.snapshot()?))
    }
}

type Bodies = ReadOnlyTable<u64, &'static [u8]>;

fn bodies(txn: &ReadTransaction) -> Result<Bodies, StoreError> {
    txn.open_table(tables::BODIES).map_err(failed)
}

/// The bundle at a row; none where nothing stands there, or what a message says.
fn stored(txn: &ReadTransaction, table: &Bodies, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(match read(txn, table, row)? {
        Some(Body::Bundle(bytes)) => Some(bytes),
        Some(Body::Filed(_)) | None => None,
    })
}

fn read(txn: &ReadTransaction, table: &Bodies, row: Row) -> Result<Option<Body>, StoreError> {
    let Some(first) = ReadableTable::get(table, row.0).map_err(failed)? else { return Ok(None) };
    let stored = whole_in(txn, row.0, first.value())?;
    body::read(row, &stored).map(Some).ok_or_else(|| unreadable("bodies_v1"))
}

/// What a leaf adds to each record: the key, and where the value ends.
const ENTRY_BYTES: u64 = 12;

fn live_bytes(txn: &ReadTransaction) -> Result<u64, StoreError> {
    let bodies = txn.open_table(tables::BODIES).map_err(failed)?.len().map_err(failed)?;
    let rests = txn.open_table(tables::RESTS).map_err(failed)?.len().map_err(failed)?;
    let held = txn.open_table(tables::HELD).map_err(failed)?.len().map_err(failed)?;
    let letters = txn.open_table(tables::LETTERS).map_err(failed)?.len().map_err(failed)?;
    let delivered = txn.open_table(tables::DELIVERED).map_err(failed)?.len().map_err(failed)?;
    let buried = txn.open_table(tables::BURIED).map_err(failed)?.len().map_err(failed)?;
    let departed = txn.open_table(tables::DEPARTED).map_err(failed)?.len().map_err(failed)?;
    let outgoing = txn.open_table(tables::OUTGOING).map_err(failed)?.len().map_err(failed)?;
    let facts = (held + letters + outgoing) * (HELD_BYTES as u64 + ENTRY_BYTES);
    Ok(number(txn, counter::BODY_BYTES)?
        + (bodies + rests) * ENTRY_BYTES
        + facts
        + delivered * 24
        + buried * 40
        + departed * 112)
}

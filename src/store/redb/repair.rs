//! Making a sound store of a damaged one: what verifies is copied, the damaged file is kept aside.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, Key, ReadTransaction, ReadableDatabase, TableDefinition, TableHandle, Value, WriteTransaction};

use super::bodies::{split_at, whole_in};
use super::check::{Depth, Facts, Stored, end_of_rows, read_body};
use super::disk::Traffic;
use super::failure::{close, failed, guarded, io_failed};
use super::format::{self, STEPS};
use super::former;
use super::load::number;
use super::record;
use super::salvage::{each_reachable, each_row};
use super::shared::{create_as_is, open_as_is, salvage_journal, sync_directory};
use super::side::{read_addresses, write_addresses};
use super::tables::{self, counter};
use super::{DiskSync, StoreOptions};
use crate::agent::change::{Outgoing, Row};
use crate::id::BundleId;
use crate::mail::happening::Happening;
use crate::store::StoreError;

/// What [`repair`] could not keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Bundles in custody that were kept.
    pub kept_held: u64,
    /// Letters that were kept.
    pub kept_letters: u64,
    /// Messages of one's own whose words were kept.
    pub kept_words: u64,
    /// Bundles in custody whose facts could be read and whose bodies do not verify.
    pub held: Vec<BundleId>,
    /// Letters whose facts could be read and whose bodies do not verify.
    pub letters: Vec<BundleId>,
    /// Messages of one's own whose words cannot be read.
    pub words: Vec<BundleId>,
    /// Bodies that nothing readable names.
    pub nameless_bodies: u64,
    /// Tables of which a part could not be read.
    pub tables: Vec<String>,
    /// The file could not be opened at all, and the store is a new one.
    pub everything: bool,
    /// Where the damaged file is now.
    pub damaged: PathBuf,
}

/// How far the sequence number jumps where it could not be read: far over what one node sends between two backups.
const SEQUENCE_JUMP: u64 = 1 << 32;
/// How many records are written in one transaction.
const CHUNK_RECORDS: usize = 4_096;

/// Puts a store with everything that verifies in the place of the one at `path`, which nobody else may have open. A
/// power cut leaves the one or the other.
pub fn repair(path: &Path) -> Result<Lost, StoreError> {
    let options = StoreOptions { sync: DiskSync::Always, ..StoreOptions::default() };
    let traffic = Arc::new(Traffic::default());
    let mut lost = Lost::default();
    let fresh_path = path.with_extension("repaired");
    remove_if_there(&fresh_path)?;
    let old = match open_as_is(path, options, &traffic) {
        Ok(old) => {
            if salvage_journal(path, &old).is_err() {
                lost.tables.push("the journal".into());
            }
            Some(old)
        }
        Err(StoreError::Damaged(_)) => None,
        Err(error) => return Err(error),
    };
    let replaced = replace(path, &fresh_path, old.as_ref(), options, &traffic, &mut lost);
    // The old file stays locked until the new one stands in its place.
    close(old);
    replaced.map(|()| lost)
}

fn replace(
    path: &Path,
    fresh_path: &Path,
    old: Option<&Database>,
    options: StoreOptions,
    traffic: &Arc<Traffic>,
    lost: &mut Lost,
) -> Result<(), StoreError> {
    let fresh = create_as_is(fresh_path, options, traffic)?;
    format::settle(&fresh, STEPS)?;
    let snapshot = old.and_then(|old| guarded(|| old.begin_read().map_err(failed)).ok());
    let copied = match &snapshot {
        Some(txn) if guarded(|| format::found(txn)).is_ok_and(|found| found.is_some()) => copy(txn, &fresh, lost),
        _ => {
            lost.everything = true;
            Ok(())
        }
    };
    close(snapshot);
    copied?;
    drop(fresh);
    lost.damaged = keep_aside(path, "damaged").map_err(|error| io_failed(&error))?;
    fs::rename(fresh_path, path).map_err(|error| io_failed(&error))?;
    sync_directory(path)
}

fn copy(txn: &ReadTransaction, fresh: &Database, lost: &mut Lost) -> Result<(), StoreError> {
    let copying = Copying { txn, fresh };
    let mut highest_row = copying.bundles(lost)?;
    let mut highest_sequence = 0;

    let mut renewed = |outgoing: Option<Outgoing>| {
        // Only what was stamped without a clock was counted.
        let counted = outgoing.as_ref().filter(|outgoing| outgoing.creation.time.0 == 0);
        highest_sequence =
            highest_sequence.max(counted.map_or(0, |outgoing| outgoing.creation.sequence.saturating_add(1)));
        outgoing.as_ref().map(record::write_outgoing)
    };
    copying.records(tables::OUTGOING, tables::OUTGOING, lost, |id, bytes| {
        renewed(record::read_outgoing(BundleId(**id), bytes))
    })?;
    copying.records(former::OUTGOING, tables::OUTGOING, lost, |id, bytes| {
        renewed(former::read_outgoing(BundleId(**id), bytes))
    })?;
    copying.table(tables::DELIVERED, lost, |row, _| {
        highest_row = highest_row.max(Row(*row).next().0);
        true
    })?;
    copying.table(tables::BURIED, lost, |_, _| true)?;
    copying.table(tables::DEPARTED, lost, |_, bytes| record::read_departure(bytes).is_some())?;
    copying.records(tables::BELIEFS, tables::BELIEFS, lost, |key, bytes| {
        former::read_belief(key, bytes).as_ref().map(record::write_belief)
    })?;
    copying.table(tables::PEOPLE, lost, |_, bytes| record::read_person(bytes).is_some())?;
    copying.table(tables::HAPPENED, lost, |_, bytes| Happening::read(bytes).is_some())?;
    copying.table(tables::KEPT, lost, |_, _| true)?;
    copying.table(tables::LEARNED, lost, |_, _| true)?;
    copying.table(tables::OWED, lost, |_, ()| true)?;
    copying.table(tables::ADDRESSES, lost, |_, bytes| read_addresses(bytes).is_some())?;
    copying.records(former::ADDRESSES, tables::ADDRESSES, lost, |_, bytes| {
        former::read_addresses(bytes).as_deref().map(write_addresses)
    })?;
    copying.counters(highest_row, highest_sequence)
}

struct Copying<'a> {
    txn: &'a ReadTransaction,
    fresh: &'a Database,
}

impl Copying<'_> {
    /// Copies bodies that verify with the facts that are theirs; returns the row after the highest.
    fn bundles(&self, lost: &mut Lost) -> Result<u64, StoreError> {
        let end = end_of_rows(self.txn);
        let mut facts = BTreeMap::new();
        let mut incomplete = Vec::new();
        for (table, is_held) in [(tables::HELD, true), (tables::LETTERS, false)] {
            let mut all_readable = true;
            let reached = each_row(self.txn, table, end, |row, bytes| {
                let read = match is_held {
                    true => {
                        former::read_held(Row(row), bytes).map(|held| (record::write_held(&held), Facts::Held(held)))
                    }
                    false => record::read_letter(Row(row), bytes).map(|letter| (bytes.to_vec(), Facts::Letter(letter))),
                };
                match read {
                    Some((record, facts_read)) => drop(facts.insert(row, (facts_read, record))),
                    None => all_readable = false,
                }
            });
            if reached.is_err() || !all_readable {
                incomplete.push(table.name().to_owned());
            }
        }
        // A record that cannot be read is missed where it is copied, and its words would stay without a name.
        let _ = each_reachable(self.txn, tables::OUTGOING, |id, bytes| {
            let id = BundleId(*id);
            let row = record::read_outgoing(id, bytes).and_then(|outgoing| outgoing.row);
            row.into_iter().for_each(|row| drop(facts.insert(row.0, (Facts::Sent(id), Vec::new()))));
        });
        let end = end.max(facts.keys().next_back().map_or(0, |row| Row(*row).next().0));

        let mut writer = Chunked::new(self.fresh);
        let mut written = Ok(());
        let mut body_bytes = 0;
        let reached = each_row(self.txn, tables::BODIES, end, |row, first| {
            let Some((named, record)) = facts.get(&row) else { return lost.nameless_bodies += 1 };
            // Without its rest a body does not verify.
            let stored = guarded(|| whole_in(self.txn, row, first)).unwrap_or(Cow::Borrowed(first));
            let body = read_body(Row(row), &stored, Depth::Signatures);
            let is_sealed = matches!((named, &body), (Facts::Letter(_), Ok(Stored::Bundle(_))));
            let is_sound = body.is_ok_and(|body| named.are_of_body(&body));
            if !is_sound || written.is_err() {
                return;
            }
            let (table, kept) = match named {
                Facts::Held(_) => (Some(tables::HELD), &mut lost.kept_held),
                Facts::Letter(_) => (Some(tables::LETTERS), &mut lost.kept_letters),
                Facts::Sent(_) => (None, &mut lost.kept_words),
            };
            *kept += 1;
            body_bytes += stored.len() as u64;
            let (first, rest) = stored.split_at(split_at(stored.len()));
            let mut body = writer.put(tables::BODIES, row, first);
            if !rest.is_empty() && body.is_ok() {
                body = writer.put(tables::RESTS, row, rest);
            }
            written = body.and_then(|()| table.map_or(Ok(()), |table| writer.put(table, row, &record[..])));
            if is_sealed && written.is_ok() {
                written = writer.put(tables::SEALED, row, ());
            }
            facts.remove(&row);
        });
        written?;
        writer.put(tables::META, counter::BODY_BYTES, body_bytes)?;
        writer.finish()?;

        if reached.is_err() {
            incomplete.push(tables::BODIES.name().to_owned());
        }
        lost.tables.extend(incomplete);
        for (named, _) in facts.into_values() {
            match named {
                Facts::Held(held) => lost.held.push(held.id),
                Facts::Letter(letter) => lost.letters.push(letter.id),
                Facts::Sent(id) => lost.words.push(id),
            }
        }
        Ok(end)
    }

    /// Copies the records of `from` to `to` as `renew` writes them anew.
    fn records<K: Key + 'static>(
        &self,
        from: TableDefinition<'static, K, &'static [u8]>,
        to: TableDefinition<'static, K, &'static [u8]>,
        lost: &mut Lost,
        mut renew: impl FnMut(&K::SelfType<'_>, &[u8]) -> Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut writer = Chunked::new(self.fresh);
        let (mut written, mut all_sound) = (Ok(()), true);
        let reached = each_reachable(self.txn, from, |key, bytes| match renew(&key, bytes) {
            Some(record) if written.is_ok() => written = writer.put(to, key, &record[..]),
            Some(_) => {}
            None => all_sound = false,
        });
        written?;
        writer.finish()?;
        if reached.is_err() || !all_sound {
            lost.tables.push(from.name().to_owned());
        }
        Ok(())
    }

    /// Copies the records of a table that `is_sound` accepts.
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'static, K, V>,
        lost: &mut Lost,
        mut is_sound: impl FnMut(&K::SelfType<'_>, &V::SelfType<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let mut writer = Chunked::new(self.fresh);
        let (mut written, mut all_sound) = (Ok(()), true);
        let reached = each_reachable(self.txn, table, |key, value| {
            if !is_sound(&key, &value) {
                all_sound = false;
            } else if written.is_ok() {
                written = writer.put(table, key, value);
            }
        });
        written?;
        writer.finish()?;
        if reached.is_err() || !all_sound {
            lost.tables.push(table.name().to_owned());
        }
        Ok(())
    }

    fn counters(&self, highest_row: u64, highest_sequence: u64) -> Result<(), StoreError> {
        let read = |key| guarded(|| number(self.txn, key));
        let mut writer = Chunked::new(self.fresh);
        writer.put(tables::META, counter::NEXT_ROW, read(counter::NEXT_ROW).unwrap_or(0).max(highest_row))?;
        // A sequence number is never used twice, so where it is not known it jumps.
        let sequence = match read(counter::SEQUENCE) {
            Ok(sequence) => sequence.max(highest_sequence),
            Err(_) => highest_sequence.saturating_add(SEQUENCE_JUMP),
        };
        writer.put(tables::META, counter::SEQUENCE, sequence)?;
        // The index is made anew when the store is opened.
        writer.put(tables::META, counter::INDEX, 0)?;
        for key in [counter::NOW, counter::WALL, counter::COMMITS, counter::HAPPENED] {
            writer.put(tables::META, key, read(key).unwrap_or(0))?;
        }
        writer.finish()
    }
}

/// Writes in transactions of bounded size.
struct Chunked<'a> {
    db: &'a Database,
    txn: Option<WriteTransaction>,
    records: usize,
}

impl<'a> Chunked<'a> {
    fn new(db: &'a Database) -> Chunked<'a> {
        Chunked { db, txn: None, records: 0 }
    }

    fn put<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
        key: K::SelfType<'_>,
        value: V::SelfType<'_>,
    ) -> Result<(), StoreError> {
        if self.records >= CHUNK_RECORDS {
            self.commit()?;
        }
        let txn = match &self.txn {
            Some(txn) => txn,
            None => self.txn.insert(format::begin(self.db)?),
        };
        txn.open_table(table).map_err(failed)?.insert(key, value).map_err(failed)?;
        self.records += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreError> {
        self.commit()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.records = 0;
        self.txn.take().map_or(Ok(()), |txn| txn.commit().map_err(failed))
    }
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io_failed(&error)),
        _ => Ok(()),
    }
}

/// Gives the file a second name that nothing has, so that its place is never empty and what was kept before stays; where
/// the file system has no second names, the only other one. The name ends in `why`, and a number after the first time.
pub fn keep_aside(path: &Path, why: &str) -> io::Result<PathBuf> {
    for n in 1..=ASIDE_MAX {
        let aside = path.with_extension(if n == 1 { why.to_owned() } else { format!("{why}-{n}") });
        match fs::hard_link(path, &aside) {
            Ok(()) => return Ok(aside),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) if aside.symlink_metadata().is_ok() => {}
            Err(_) => return fs::rename(path, &aside).map(|()| aside),
        }
    }
    let message = format!("{ASIDE_MAX} files beside it are kept as {why} already; delete what is not needed");
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

/// Most files of one kind that are kept beside a store.
const ASIDE_MAX: u32 = 1_000;

//! The record of mail, read a few rows at a time: what came, in the order in which it is read, and what was sent.

use std::ops::RangeBounds;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::failure::{failed, unreadable};
use super::index::{self, letter_at, outgoing_of};
use super::reader::RedbReader;
use super::record;
use super::tables;
use crate::agent::change::{Known, Letter, Outgoing, Row};
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::mail::conversation::{self, Conversation, Counts, Spoken};
use crate::mail::index::{Written, costs, row_of, rows_like, sent_behind};
use crate::mail::order::{Position, Span, at_place, place_of};
use crate::store::StoreError;

/// Which end of a stretch is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forwards,
    Backwards,
}

impl RedbReader {
    /// How many rows the inbox has.
    pub fn letters_len(&self) -> Result<u64, StoreError> {
        self.read(|txn| txn.open_table(tables::LETTERS).map_err(failed)?.len().map_err(failed))
    }

    /// What is on record of an id.
    pub fn known(&self, id: &BundleId) -> Result<Known, StoreError> {
        self.read(|txn| {
            let row = row_of(&index::open(txn)?, id)?;
            let letter = row.map(|row| letter_of(txn, row, id)).transpose()?.flatten();
            let outgoing = outgoing_of(&txn.open_table(tables::OUTGOING).map_err(failed)?, id)?;
            Ok(Known { id: *id, delivered: row.is_some(), letter, outgoing })
        })
    }

    /// The row of the inbox of an id, until the person deletes it.
    pub fn letter(&self, id: &BundleId) -> Result<Option<Letter>, StoreError> {
        self.read(|txn| match row_of(&index::open(txn)?, id)? {
            Some(row) => letter_of(txn, row, id),
            None => Ok(None),
        })
    }

    /// Rows of the inbox in the order in which they are read: at most so many of a stretch, from one of its ends.
    pub fn letters(
        &self,
        span: Span,
        direction: Direction,
        many: usize,
    ) -> Result<Vec<(Position, Letter)>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            let table = txn.open_table(tables::LETTERS).map_err(failed)?;
            let here = |row: u64, bytes: &[u8], most: usize| -> Result<Vec<(Position, Letter)>, StoreError> {
                let letter = record::read_letter(Row(row), bytes).ok_or_else(|| unreadable("letters_v1"))?;
                let mut positions = at_place(&index, &letter)?;
                positions.retain(|position| span.contains(position));
                if direction == Direction::Backwards {
                    positions.reverse();
                }
                let mut here = Vec::new();
                // A writer can have many rows stand at one place, and a page has its bound.
                for position in positions.into_iter().take(most) {
                    let letter = match position.row() == letter.row {
                        true => Some(letter.clone()),
                        false => letter_at(&table, position.row())?,
                    };
                    here.extend(letter.map(|letter| (position, letter)));
                }
                Ok(here)
            };
            let mut read = Vec::new();
            let rows = span.rows();
            if rows.is_empty() {
                return Ok(read);
            }
            let mut range = ReadableTable::range(&table, rows).map_err(failed)?;
            // An empty page would say that nothing follows, so rows that are read elsewhere do not count.
            while read.len() < many {
                let entry = if direction == Direction::Forwards { range.next() } else { range.next_back() };
                let Some(entry) = entry else { break };
                let (row, bytes) = entry.map_err(failed)?;
                read.extend(here(row.value(), bytes.value(), many - read.len())?);
            }
            Ok(read)
        })
    }

    /// Ids of rows of the inbox that begin so: at most so many.
    pub fn letters_like(&self, prefix: &IdPrefix, many: usize) -> Result<Vec<BundleId>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::LETTERS).map_err(failed)?;
            let mut ids = Vec::new();
            for row in rows_like(&index::open(txn)?, prefix, LIKE_MAX)? {
                ids.extend(letter_at(&table, row)?.map(|letter| letter.id).filter(|id| prefix.is_of(id)));
                if ids.len() == many {
                    break;
                }
            }
            Ok(ids)
        })
    }

    /// One's own messages in the order in which they were written, those behind `after`: at most so many.
    pub fn sent_behind(&self, after: Option<Written>, many: usize) -> Result<Vec<(Written, Outgoing)>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::OUTGOING).map_err(failed)?;
            let mut sent = Vec::new();
            for written in sent_behind(&index::open(txn)?, after, many)? {
                sent.extend(outgoing_of(&table, &written.id)?.map(|outgoing| (written, outgoing)));
            }
            Ok(sent)
        })
    }

    /// One's own message of an id.
    pub fn sent(&self, id: &BundleId) -> Result<Option<Outgoing>, StoreError> {
        self.read(|txn| outgoing_of(&txn.open_table(tables::OUTGOING).map_err(failed)?, id))
    }

    /// Ids of one's own messages that begin so: at most so many.
    pub fn sent_like(&self, prefix: &IdPrefix, many: usize) -> Result<Vec<BundleId>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::OUTGOING).map_err(failed)?;
            let (first, last) = prefix.range().into_inner();
            let range = ReadableTable::range::<&[u8; 32]>(&table, &first.0..=&last.0).map_err(failed)?;
            range.take(many).map(|entry| Ok(BundleId(*entry.map_err(failed)?.0.value()))).collect()
        })
    }

    /// Whom the mail in the inbox is from, and who handed it over.
    pub fn parties(&self) -> Result<Vec<(NodeId, NodeId)>, StoreError> {
        self.read(|txn| Ok(costs(&index::open(txn)?)?.into_keys().collect()))
    }
}

/// One row of a conversation, with its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Came(Letter),
    Own(Outgoing),
}

impl RedbReader {
    /// All conversations, each with its last row.
    pub fn conversations(&self) -> Result<Vec<(Counts, Option<Entry>)>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            let mut all = Vec::new();
            for counts in conversation::all(&index)? {
                let last = conversation::spoken(&index, &counts.with, Span::ALL, true, 1)?;
                let last = last.first().map(|(_, spoken)| entry(txn, *spoken)).transpose()?.flatten();
                all.push((counts, last));
            }
            Ok(all)
        })
    }

    /// What was said in a stretch of a conversation, from one of its ends: at most so many rows.
    pub fn talk(
        &self,
        with: &Conversation,
        span: Span,
        direction: Direction,
        many: usize,
    ) -> Result<Vec<(Position, Entry)>, StoreError> {
        self.read(|txn| {
            let spoken = conversation::spoken(&index::open(txn)?, with, span, direction == Direction::Backwards, many)?;
            let mut rows = Vec::new();
            for (position, spoken) in spoken {
                rows.extend(entry(txn, spoken)?.map(|entry| (position, entry)));
            }
            Ok(rows)
        })
    }

    /// Where the first unread row of a conversation stands.
    pub fn first_unread(&self, with: &Conversation) -> Result<Option<Position>, StoreError> {
        self.read(|txn| conversation::first_unread(&index::open(txn)?, with))
    }

    /// Where a message stands in its conversation, and which that is.
    pub fn standing(&self, id: &BundleId) -> Result<Option<(Conversation, Position)>, StoreError> {
        let known = self.known(id)?;
        if let Some(letter) = known.letter {
            let place = self.read(|txn| place_of(&index::open(txn)?, &letter))?;
            let position = Position::of(&letter, place.unwrap_or(letter.row));
            return Ok(Some((Conversation::of_letter(&letter), position)));
        }
        Ok(known.outgoing.and_then(|sent| Some((Conversation::of_sent(&sent), Position::of_own(sent.row?)))))
    }
}

fn entry(txn: &ReadTransaction, spoken: Spoken) -> Result<Option<Entry>, StoreError> {
    match spoken {
        Spoken::Came(row) => Ok(letter_at(&txn.open_table(tables::LETTERS).map_err(failed)?, row)?.map(Entry::Came)),
        Spoken::Own(id) => Ok(outgoing_of(&txn.open_table(tables::OUTGOING).map_err(failed)?, &id)?.map(Entry::Own)),
    }
}

/// Most deleted rows that are passed over to find one that begins as typed.
const LIKE_MAX: usize = 65_536;

/// The letter at a row, if it is of this id: the index knows but half of it.
fn letter_of(txn: &ReadTransaction, row: Row, id: &BundleId) -> Result<Option<Letter>, StoreError> {
    let table = txn.open_table(tables::LETTERS).map_err(failed)?;
    Ok(letter_at(&table, row)?.filter(|letter| letter.id == *id))
}

//! The record of mail, read a few rows at a time: what came, in the order in which it is read, and what was sent.

use std::collections::BTreeSet;
use std::ops::{Bound, RangeBounds};

use redb::{AccessGuard, ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::failure::{failed, unreadable};
use super::index::{self, letter_at, outgoing_of};
use super::load::number;
use super::reader::RedbReader;
use super::record;
use super::tables::{self, counter};
use crate::agent::change::{EvidenceKind, Known, Letter, Outgoing, Row};
use crate::content::Mark;
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::mail;
use crate::mail::apps::{Sum, Updates};
use crate::mail::conversation::{self, Conversation, Counts, Said, Spoken};
use crate::mail::groups::rows as groups;
use crate::mail::happening::Happening;
use crate::mail::index::{
    Written, asked, costs, files, is_silent, on_way, parts, row_of, rows_like, sent_before, sent_behind,
};
use crate::mail::kept::{self, KEPT_MAX, OfMessage, Place, TalkPlace};
use crate::mail::order::{Position, Span, at_place, place_of};
use crate::mail::registers::Registers;
use crate::mail::threads;
use crate::mail::topics::rows::TOPIC;
use crate::store::StoreError;
use crate::time::{DtnTime, Millis, Moment, Timestamp};

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

    /// Whether a message whose id begins so was delivered or written here, be it there or deleted.
    pub fn was_here(&self, mark: &Mark) -> Result<bool, StoreError> {
        if self.kept(&kept::deleted_own(mark))?.is_some() {
            return Ok(true);
        }
        let mut any = [0; 32];
        any[..mark.len()].copy_from_slice(mark);
        self.read(|txn| Ok(row_of(&index::open(txn)?, &BundleId(any))?.is_some()))
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
        self.read(|txn| own(txn, sent_behind(&index::open(txn)?, after, many)?))
    }

    /// The same from the end: those before `before`, the last one first.
    pub fn sent_before(&self, before: Option<Written>, many: usize) -> Result<Vec<(Written, Outgoing)>, StoreError> {
        self.read(|txn| own(txn, sent_before(&index::open(txn)?, before, many)?))
    }

    /// Rows whose time is over, for they were to be forgotten once they were read: at most so many.
    pub fn over(&self, at: Moment, many: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|txn| mail::ending::over(&index::open(txn)?, at, many))
    }

    /// How long it is until the next time is over.
    pub fn next_over(&self, at: Moment) -> Result<Option<Millis>, StoreError> {
        self.read(|txn| mail::ending::next(&index::open(txn)?, at))
    }

    /// Whether content of this name was forgotten, for its time was over.
    pub fn is_gone(&self, with: &Conversation, mark: &Mark) -> Result<bool, StoreError> {
        self.read(|txn| mail::ending::is_gone(&index::open(txn)?, with, mark))
    }

    /// Rows of the inbox that wait for an answer, each with the time by which it helps; the soonest first.
    pub fn due(&self) -> Result<Vec<(DtnTime, Row)>, StoreError> {
        self.read(|txn| mail::due::all(&index::open(txn)?))
    }

    /// Messages in the inbox that the person pinned, where they stand, in the order in which they are read: at most so many.
    pub fn pinned(&self, many: usize) -> Result<Vec<(Position, Letter)>, StoreError> {
        let rows = self.read(|txn| mail::index::pinned(&index::open(txn)?, many))?;
        let letters = self.letters_at(&rows)?;
        let mut pinned = self.read(|txn| {
            let index = index::open(txn)?;
            let standing = |letter: &Letter| {
                let place = place_of(&index, letter)?.unwrap_or(letter.row);
                Ok((Position::of(letter, place), letter.clone()))
            };
            letters.iter().map(standing).collect::<Result<Vec<_>, StoreError>>()
        })?;
        pinned.sort_by_key(|(position, _)| *position);
        Ok(pinned)
    }

    /// The rows of the inbox of these numbers that are there.
    pub fn letters_at(&self, rows: &[Row]) -> Result<Vec<Letter>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::LETTERS).map_err(failed)?;
            let letters = rows.iter().map(|row| letter_at(&table, *row));
            letters.filter_map(Result::transpose).collect()
        })
    }

    /// How many of one's own messages nobody is known to have a copy of, and when the first of them ends.
    pub fn waiting(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::OUTGOING).map_err(failed)?;
            let (mut many, mut first) = (0, None);
            let index = index::open(txn)?;
            for id in on_way(&index)? {
                let waits = outgoing_of(&table, &id)?.filter(|sent| sent.state() == EvidenceKind::Queued);
                let Some(sent) = waits else { continue };
                if sent.row.is_some_and(|row| is_silent(&index, row).unwrap_or(false)) {
                    continue;
                }
                many += 1;
                first = Some(first.map_or(sent.expires, |first: Timestamp| first.min(sent.expires)));
            }
            Ok((many, first))
        })
    }

    /// Rows of messages with files that come in parts, behind one of them: at most so many.
    pub fn with_files(&self, after: Option<Row>, many: usize) -> Result<Vec<(Row, Conversation, Mark)>, StoreError> {
        self.read(|txn| files(&index::open(txn)?, after, many))
    }

    /// Requests for parts of files that came and were not answered: at most so many.
    pub fn asked_for(&self, many: usize) -> Result<Vec<Letter>, StoreError> {
        let rows = self.read(|txn| asked(&index::open(txn)?, many))?;
        self.letters_at(&rows)
    }

    /// Parts of files that were sent from here and are not forgotten, behind one of them: at most so many.
    pub fn parts_sent(&self, after: Option<&BundleId>, many: usize) -> Result<Vec<Outgoing>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::OUTGOING).map_err(failed)?;
            let ids = parts(&index::open(txn)?, after, many)?;
            ids.iter().map(|id| outgoing_of(&table, id)).filter_map(Result::transpose).collect()
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

/// What stands in a conversation, where, and the number with which it came into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub position: Position,
    pub entry: Entry,
    pub number: u64,
}

/// A row of a conversation, with its facts.
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
                let last = last.first().map(|(_, said)| entry(txn, said.spoken)).transpose()?.flatten();
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
    ) -> Result<Vec<Line>, StoreError> {
        self.read(|txn| {
            let spoken = conversation::spoken(&index::open(txn)?, with, span, direction == Direction::Backwards, many)?;
            let mut rows = Vec::new();
            for (position, Said { spoken, number }) in spoken {
                rows.extend(entry(txn, spoken)?.map(|entry| Line { position, entry, number }));
            }
            Ok(rows)
        })
    }

    /// What is read in a conversation of what is at a row; none where that is gone, or read nowhere.
    pub fn line(&self, with: &Conversation, row: Row) -> Result<Option<Line>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            let at = match letter_at(&txn.open_table(tables::LETTERS).map_err(failed)?, row)? {
                Some(letter) => Position::of(&letter, place_of(&index, &letter)?.unwrap_or(row)),
                None => Position::of_own(row),
            };
            let only = Span { from: Bound::Included(at), to: Bound::Included(at) };
            let said = conversation::spoken(&index, with, only, false, 1)?.pop();
            let Some((position, Said { spoken, number })) = said else { return Ok(None) };
            Ok(entry(txn, spoken)?.map(|entry| Line { position, entry, number }))
        })
    }

    /// Where what was said in a thread stands, but for its first message: in the order in which it is read.
    pub fn thread(&self, with: &Conversation, mark: &Mark) -> Result<Vec<(Position, Row)>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            let letters = txn.open_table(tables::LETTERS).map_err(failed)?;
            let mut said = Vec::new();
            for row in threads::rows(&index, with, mark)? {
                let position = match letter_at(&letters, row)? {
                    Some(letter) => Position::of(&letter, place_of(&index, &letter)?.unwrap_or(row)),
                    None => Position::of_own(row),
                };
                said.push((position, row));
            }
            said.sort_unstable();
            Ok(said)
        })
    }

    /// How much was said in each of these threads, but for its first message.
    pub fn replies(&self, threads: &[(Conversation, Mark)]) -> Result<Vec<u64>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            threads.iter().map(|(with, mark)| threads::count(&index, with, mark)).collect()
        })
    }

    /// Which of these messages wait to be read.
    pub fn are_unread(&self, letters: &[Letter]) -> Result<Vec<bool>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            letters.iter().map(|letter| conversation::is_unread(&index, letter)).collect()
        })
    }

    /// Where the first unread row of a conversation stands.
    pub fn first_unread(&self, with: &Conversation) -> Result<Option<Position>, StoreError> {
        self.read(|txn| conversation::first_unread(&index::open(txn)?, with))
    }

    /// What is counted of each conversation.
    pub fn counts(&self) -> Result<Vec<Counts>, StoreError> {
        self.read(|txn| conversation::all(&index::open(txn)?))
    }

    /// What is counted of one conversation; none where nothing was said.
    pub fn counts_of(&self, with: &Conversation) -> Result<Option<Counts>, StoreError> {
        self.read(|txn| conversation::of(&index::open(txn)?, with))
    }

    /// The unread messages of a conversation that are read behind a position, each with its own: at most so many.
    pub fn unread(
        &self,
        with: &Conversation,
        after: Option<Position>,
        many: usize,
    ) -> Result<Vec<(Position, Option<Letter>)>, StoreError> {
        self.read(|txn| {
            let letters = txn.open_table(tables::LETTERS).map_err(failed)?;
            let unread = conversation::unread(&index::open(txn)?, with, after, many)?;
            unread.into_iter().map(|position| Ok((position, letter_at(&letters, position.row())?))).collect()
        })
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

impl RedbReader {
    /// What happened behind a number, in order, each with its own: at most so many.
    pub fn happened(&self, behind: u64, many: usize) -> Result<Vec<(u64, Happening)>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::HAPPENED).map_err(failed)?;
            let range = ReadableTable::range(&table, behind.saturating_add(1)..).map_err(failed)?;
            let read = |entry: Result<_, _>| {
                let (number, bytes): (AccessGuard<'_, u64>, AccessGuard<'_, &[u8]>) = entry.map_err(failed)?;
                let happening = Happening::read(bytes.value()).ok_or_else(|| unreadable("happened_v1"))?;
                Ok((number.value(), happening))
            };
            range.take(many).map(read).collect()
        })
    }

    /// The numbers of the first thing that happened and is kept, and of the last one that ever happened; zero where nothing
    /// is kept.
    pub fn happened_span(&self) -> Result<(u64, u64), StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::HAPPENED).map_err(failed)?;
            let first = ReadableTable::first(&table).map_err(failed)?.map_or(0, |(number, _)| number.value());
            Ok((first, number(txn, counter::HAPPENED)?))
        })
    }

    /// One's own messages whose lives ended behind a number; a receipt may have come since.
    pub fn ended(&self, behind: u64) -> Result<BTreeSet<BundleId>, StoreError> {
        self.read(|txn| mail::index::ended(&index::open(txn)?, behind))
    }

    /// The row that a message which came has or had.
    pub fn row_of(&self, id: &BundleId) -> Result<Option<Row>, StoreError> {
        self.read(|txn| row_of(&index::open(txn)?, id))
    }

    /// Who wrote content of this name in a conversation, and the row it is read at.
    pub fn written(&self, with: &Conversation, mark: &Mark) -> Result<Option<(NodeId, Row)>, StoreError> {
        self.read(|txn| mail::index::written(&index::open(txn)?, with, mark))
    }

    /// How changes name the content at a row, whatever it says to be.
    pub fn name_of(
        &self,
        with: &Conversation,
        row: Row,
        id: &BundleId,
        same: Option<Mark>,
    ) -> Result<Mark, StoreError> {
        if same.is_none() {
            return Ok(Letter::mark_of(id));
        }
        self.read(|txn| mail::index::name_of(&index::open(txn)?, with, row, id, same))
    }

    /// What changes say of content that `author` wrote.
    pub fn registers(&self, with: &Conversation, mark: &Mark, author: &NodeId) -> Result<Registers, StoreError> {
        self.read(|txn| mail::index::registers(&index::open(txn)?, with, mark, author))
    }

    /// The message with content of this name, where it is in this conversation.
    pub fn with_content(&self, with: &Conversation, mark: &Mark) -> Result<Option<Entry>, StoreError> {
        self.read(|txn| {
            let index = index::open(txn)?;
            let Some((_, row)) = mail::index::written(&index, with, mark)? else { return Ok(None) };
            entry_at(txn, with, row)
        })
    }

    /// What may be a task, behind one of them: at most so many.
    pub fn tasks(
        &self,
        after: Option<&(Conversation, Mark)>,
        many: usize,
    ) -> Result<Vec<(Conversation, Mark)>, StoreError> {
        self.read(|txn| mail::index::tasks(&index::open(txn)?, after, many))
    }

    /// What may be a shared app, behind one of them: at most so many.
    pub fn apps(
        &self,
        after: Option<&(Conversation, Mark)>,
        many: usize,
    ) -> Result<Vec<(Conversation, Mark)>, StoreError> {
        self.read(|txn| mail::index::apps(&index::open(txn)?, after, many))
    }

    /// How many updates there are of an app, and how many of them are an author's.
    pub fn app_sums(&self, with: &Conversation, mark: &Mark, author: &NodeId) -> Result<(Sum, Sum), StoreError> {
        self.read(|txn| mail::index::app_sums(&index::open(txn)?, with, mark, author))
    }

    /// Whether an app hears an update of this author and id.
    pub fn app_hears(
        &self,
        with: &Conversation,
        target: &Mark,
        author: &NodeId,
        id: &BundleId,
    ) -> Result<bool, StoreError> {
        self.read(|txn| mail::index::app_hears(&index::open(txn)?, with, target, author, id))
    }

    /// The updates of an app.
    pub fn app_updates(&self, with: &Conversation, mark: &Mark) -> Result<Updates, StoreError> {
        self.read(|txn| mail::index::app_updates(&index::open(txn)?, with, mark))
    }

    /// What the person keeps under a key.
    pub fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::KEPT).map_err(failed)?;
            let value = ReadableTable::get(&table, key).map_err(failed)?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    /// Where the person put messages and their conversations, and the labels of the messages: for each in turn.
    pub fn places(&self, messages: &[(Row, Conversation)]) -> Result<Vec<Placed>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::KEPT).map_err(failed)?;
            let placed = |(row, with): &(Row, Conversation)| {
                let talk = ReadableTable::get(&table, &*kept::place_of_conversation(with)).map_err(failed)?;
                let talk = talk.map_or(TalkPlace::default(), |value| TalkPlace::read(value.value()));
                let imported = ReadableTable::get(&table, &*kept::imported(*row)).map_err(failed)?.is_some();
                let after_leaving = ReadableTable::get(&table, &*groups::late(*row)).map_err(failed)?.is_some();
                let mut placed = Placed { talk, imported, after_leaving, ..Placed::default() };
                let start = kept::of_message(*row);
                for entry in ReadableTable::range::<&[u8]>(&table, &*start..).map_err(failed)? {
                    let (key, value) = entry.map_err(failed)?;
                    match kept::read_of_message(key.value()) {
                        Some((found, _)) if found != *row => break,
                        Some((_, OfMessage::Draft | OfMessage::Shown | OfMessage::Gone)) => {}
                        Some((_, OfMessage::Imported)) => placed.imported = true,
                        Some((_, OfMessage::Place)) => placed.place = Place::read(value.value()),
                        Some((_, OfMessage::Label(label))) => placed.labels.push(label),
                        None => break,
                    }
                }
                Ok(placed)
            };
            messages.iter().map(placed).collect()
        })
    }

    /// Whether what is at a row was brought from an earlier home.
    pub fn was_imported(&self, row: Row) -> Result<bool, StoreError> {
        Ok(self.kept(&kept::imported(row))?.is_some() || self.kept(&kept::imported_before(row))?.is_some())
    }

    /// How much the person keeps, of topics nothing: those have bounds of their own.
    pub fn kept_len(&self) -> Result<u64, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::KEPT).map_err(failed)?;
            let all = table.len().map_err(failed)?;
            if all <= KEPT_MAX / 2 {
                return Ok(all);
            }
            // Only where it may matter they are counted.
            Ok(ReadableTable::range::<&[u8]>(&table, ..&[TOPIC][..]).map_err(failed)?.count() as u64)
        })
    }

    /// The row that a message of this id is read at; none of a change, and of what is not here.
    pub fn row_shown(&self, id: &BundleId) -> Result<Option<(Conversation, Row)>, StoreError> {
        let Known { letter, outgoing, .. } = self.known(id)?;
        let came = letter.map(|letter| (Conversation::of_letter(&letter), letter.row));
        let sent = || outgoing.and_then(|sent| Some((Conversation::of_sent(&sent), sent.row?)));
        let Some((with, row)) = came.or_else(sent) else { return Ok(None) };
        self.read(|txn| Ok(mail::index::shown_at(&index::open(txn)?, row)?.map(|row| (with.clone(), row))))
    }

    /// What is read at a row of a conversation; none where it is deleted.
    pub fn entry_at(&self, with: &Conversation, row: Row) -> Result<Option<Entry>, StoreError> {
        self.read(|txn| entry_at(txn, with, row))
    }

    /// What the person keeps under keys that begin so, behind one of them, in their order: at most so many.
    pub fn all_kept(&self, start: &[u8], after: Option<&[u8]>, many: usize) -> Result<Vec<Kept>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(tables::KEPT).map_err(failed)?;
            let from = after.map_or(Bound::Included(start), Bound::Excluded);
            let mut kept = Vec::new();
            for entry in ReadableTable::range::<&[u8]>(&table, (from, Bound::Unbounded)).map_err(failed)?.take(many) {
                let (key, value) = entry.map_err(failed)?;
                if !key.value().starts_with(start) {
                    break;
                }
                kept.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(kept)
        })
    }
}

/// What the person arranged of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    pub place: Place,
    /// In the order of their spelling.
    pub labels: Vec<String>,
    /// Of its conversation.
    pub talk: TalkPlace,
    /// It was brought from an earlier home.
    pub imported: bool,
    /// Its author was out of the group by then.
    pub after_leaving: bool,
}

/// A key of what the person keeps, and its value.
pub type Kept = (Vec<u8>, Vec<u8>);

fn entry(txn: &ReadTransaction, spoken: Spoken) -> Result<Option<Entry>, StoreError> {
    match spoken {
        Spoken::Came(row) => Ok(letter_at(&txn.open_table(tables::LETTERS).map_err(failed)?, row)?.map(Entry::Came)),
        Spoken::Own(id) => Ok(outgoing_of(&txn.open_table(tables::OUTGOING).map_err(failed)?, &id)?.map(Entry::Own)),
    }
}

fn own(txn: &ReadTransaction, written: Vec<Written>) -> Result<Vec<(Written, Outgoing)>, StoreError> {
    let table = txn.open_table(tables::OUTGOING).map_err(failed)?;
    let mut sent = Vec::new();
    for written in written {
        sent.extend(outgoing_of(&table, &written.id)?.map(|outgoing| (written, outgoing)));
    }
    Ok(sent)
}

fn entry_at(txn: &ReadTransaction, with: &Conversation, row: Row) -> Result<Option<Entry>, StoreError> {
    if let Some(letter) = letter_at(&txn.open_table(tables::LETTERS).map_err(failed)?, row)? {
        return Ok(Some(Entry::Came(letter)));
    }
    let at = Position::of_own(row);
    let only = Span { from: Bound::Included(at), to: Bound::Included(at) };
    let said = conversation::spoken(&index::open(txn)?, with, only, false, 1)?;
    Ok(said.first().map(|(_, said)| entry(txn, said.spoken)).transpose()?.flatten())
}

/// Most deleted rows that are passed over to find one that begins as typed.
const LIKE_MAX: usize = 65_536;

/// The letter at a row, if it is of this id: the index knows but half of it.
fn letter_of(txn: &ReadTransaction, row: Row, id: &BundleId) -> Result<Option<Letter>, StoreError> {
    let table = txn.open_table(tables::LETTERS).map_err(failed)?;
    Ok(letter_at(&table, row)?.filter(|letter| letter.id == *id))
}

//! The index of one home, kept up with its record.
//!
//! Nothing is indexed as it is filed. Who searches first has it made from all conversations; from then on it follows what
//! happened to the record, number by number. The index is thrown away where it knows what the record does not, or less
//! than the record still tells, and where it fails.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crate::agent::change::Row;
use crate::content::{Amendment, Content, Outline};
use crate::desk::changes::body_at;
use crate::id::NodeId;
use crate::mail::conversation::Conversation;
use crate::mail::happening::{Happening, What};
use crate::mail::order::Span;
use crate::search::{Document, Fact, Filling, Index, SearchError};
use crate::store::StoreError;
use crate::store::redb::{Body, Direction, Entry, Line, RedbReader};
use crate::time::{DtnTime, SECOND};

/// How much of the record is looked at together, in rows or numbers.
const PAGE: usize = 256;
/// The index says where it stands at the latest after so many numbers that did not concern it.
const LAG_MAX: u64 = 10_000;

/// Finds words in the record of one home.
pub struct Finder {
    /// None where nothing can be written: then the index is in memory.
    place: Option<PathBuf>,
    me: NodeId,
    index: Option<Index>,
    /// Up to where what happened was looked at.
    read_on: u64,
}

/// What keeps a search from its answer.
#[derive(Debug)]
pub enum FinderError {
    Search(SearchError),
    Store(StoreError),
}

/// What a message says, as far as it can be found.
pub struct Said {
    pub texts: Vec<String>,
    has_file: bool,
    tags: u64,
    /// It may be opened later.
    is_sealed: bool,
}

impl Finder {
    pub fn new(place: Option<PathBuf>, me: NodeId) -> Finder {
        Finder { place, me, index: None, read_on: 0 }
    }

    /// The index as the record is now.
    pub fn current(&mut self, record: &RedbReader) -> Result<&Index, FinderError> {
        match self.catch_up(record) {
            Err(FinderError::Search(error)) => {
                tracing::warn!(%error, "it is made anew from the record");
                self.throw_away()?;
                self.catch_up(record)?;
            }
            caught_up => caught_up?,
        }
        Ok(self.index.as_ref().expect("it was opened to catch up"))
    }

    /// Takes what was deleted or withdrawn out of the index, where there is one.
    pub fn forget(&mut self, record: &RedbReader) -> Result<(), FinderError> {
        match self.is_there() {
            true => self.current(record).map(drop),
            false => Ok(()),
        }
    }

    /// Makes the index anew; says how many rows it knows.
    pub fn make_anew(&mut self, record: &RedbReader) -> Result<u64, FinderError> {
        self.throw_away()?;
        Ok(self.current(record)?.rows())
    }

    /// Up to where an index on disk knows the record; none where there is none, or none that is sound.
    pub fn known_at(place: &Path) -> Option<u64> {
        Index::cursor_at(place)
    }

    fn is_there(&self) -> bool {
        self.index.is_some() || self.place.as_ref().is_some_and(|place| place.symlink_metadata().is_ok())
    }

    fn throw_away(&mut self) -> Result<(), SearchError> {
        (self.index, self.read_on) = (None, 0);
        self.place.as_ref().map_or(Ok(()), |place| Index::destroy(place))
    }

    fn catch_up(&mut self, record: &RedbReader) -> Result<(), FinderError> {
        if self.index.is_none() {
            self.index = Some(self.place.as_ref().map_or_else(Index::in_memory, |place| Index::open(place))?);
        }
        let (first, last) = record.happened_span()?;
        let index = self.index.as_mut().expect("it was just opened");
        let Some(known) = index.cursor() else {
            // What happens meanwhile is looked at next time.
            self.read_on = last;
            return fill(index, record, self.me, last);
        };
        let known = known.max(self.read_on);
        // Another store may stand in the place of the one that it knows.
        if known > last || known + 1 < first {
            self.throw_away()?;
            return self.catch_up(record);
        }
        self.read_on = follow(index, record, self.me, known)?;
        Ok(())
    }
}

/// Takes in all that is said in any conversation.
fn fill(index: &mut Index, record: &RedbReader, me: NodeId, cursor: u64) -> Result<(), FinderError> {
    let mut filling = index.fill()?;
    for (counts, _) in record.conversations()? {
        let mut span = Span::ALL;
        loop {
            let page = record.talk(&counts.with, span, Direction::Forwards, PAGE)?;
            let Some(last) = page.last() else { break };
            span.from = Bound::Excluded(last.position);
            for line in &page {
                add(&mut filling, record, me, &counts.with, line, Filling::add)?;
            }
        }
    }
    filling.commit(cursor)?;
    Ok(filling.end()?)
}

/// Takes in what happened behind a number; returns the last one.
fn follow(index: &mut Index, record: &RedbReader, me: NodeId, known: u64) -> Result<u64, FinderError> {
    let (mut read_on, mut touched) = (known, opened_since(index, record)?);
    let (mut is_last, mut has_own_left) = (false, false);
    while touched.is_empty() && !has_own_left && !is_last {
        is_last = next_page(record, &mut read_on, &mut touched, &mut has_own_left)?;
    }
    let is_touched = !touched.is_empty() || has_own_left;
    if !is_touched && !index.is_untidy() && read_on < index.cursor().unwrap_or(0) + LAG_MAX {
        return Ok(read_on);
    }
    let mut filling = index.fill()?;
    loop {
        for (row, with) in std::mem::take(&mut touched) {
            refresh(&mut filling, record, me, row, with)?;
        }
        if is_last {
            break;
        }
        is_last = next_page(record, &mut read_on, &mut touched, &mut has_own_left)?;
    }
    if has_own_left {
        for row in own_that_left(filling.index(), record, me)? {
            filling.remove(row)?;
        }
    }
    filling.commit(read_on)?;
    filling.end()?;
    Ok(read_on)
}

/// Rows that are not what the index knows of them, each with its conversation unless it is gone.
type Touched = BTreeMap<Row, Option<Conversation>>;

/// Looks at the next that happened; says whether that was all.
fn next_page(
    record: &RedbReader,
    read_on: &mut u64,
    touched: &mut Touched,
    has_own_left: &mut bool,
) -> Result<bool, FinderError> {
    let page = record.happened(*read_on, PAGE)?;
    for (number, happening) in &page {
        *read_on = *number;
        *has_own_left |= touch(record, happening, touched)?;
    }
    Ok(page.len() < PAGE)
}

/// Takes note of the row that something happened to; says whether it is one of one's own messages that left, of which the
/// record does not know the row any more.
fn touch(record: &RedbReader, happening: &Happening, touched: &mut Touched) -> Result<bool, StoreError> {
    let Happening { id, what, .. } = happening;
    match what {
        What::Came | What::Queued | What::Changed(_) => {
            let known = record.known(id)?;
            let came = known.letter.map(|letter| (Conversation::of_letter(&letter), letter.row));
            let own = known.outgoing.and_then(|own| Some((Conversation::of_sent(&own), own.row?)));
            // A note to oneself is read where it came.
            let Some((with, row)) = came.or(own) else { return Ok(false) };
            let row = match what {
                What::Changed(target) => record.written(&with, target)?.map(|(_, row)| row),
                _ => Some(row),
            };
            touched.extend(row.map(|row| (row, Some(with))));
        }
        What::Deleted => match record.row_of(id)? {
            Some(row) => drop(touched.insert(row, None)),
            None => return Ok(true),
        },
        What::State(_) | What::Read | What::Unread => {}
    }
    Ok(false)
}

/// Whether words have to leave the index for something that happened.
pub fn takes_words(record: &RedbReader, happening: &Happening) -> Result<bool, StoreError> {
    match happening.what {
        What::Deleted => Ok(true),
        What::Changed(target) => {
            let known = record.known(&happening.id)?;
            let came = known.letter.map(|letter| (Conversation::of_letter(&letter), letter.row));
            let Some((with, row)) =
                came.or(known.outgoing.and_then(|own| Some((Conversation::of_sent(&own), own.row?))))
            else {
                return Ok(false);
            };
            let change = change_at(record, row)?;
            Ok(change.is_some_and(|change| change.withdrawn) || record.is_gone(&with, &target)?)
        }
        _ => Ok(false),
    }
}

/// The rows of one's own words that the index has and the record has not.
fn own_that_left(index: &Index, record: &RedbReader, me: NodeId) -> Result<Vec<u64>, FinderError> {
    let (mut left, mut failed) = (Vec::new(), None);
    index.each(&by(me), |row, group| {
        let line = Conversation::read(group).map_or(Ok(None), |with| record.line(&with, Row(row)));
        match line {
            Ok(None) => left.push(row),
            Ok(Some(_)) => {}
            Err(error) => failed = Some(error),
        }
    })?;
    failed.map_or(Ok(left), |error| Err(error.into()))
}

/// What was sealed when it came, and is not any more.
fn opened_since(index: &Index, record: &RedbReader) -> Result<Touched, FinderError> {
    let mut touched = Touched::new();
    index.each(&Fact::Mark(vec![SEALED]), |row, group| drop(touched.insert(Row(row), Conversation::read(group))))?;
    let mut is_open = Ok(());
    touched.retain(|row, _| match record.sealed(*row, 1) {
        Ok(sealed) => sealed.first() != Some(row),
        Err(error) => {
            is_open = Err(error.into());
            false
        }
    });
    is_open.map(|()| touched)
}

/// Takes in a row as the record has it.
fn refresh(
    filling: &mut Filling<'_>,
    record: &RedbReader,
    me: NodeId,
    row: Row,
    with: Option<Conversation>,
) -> Result<(), FinderError> {
    if let Some(with) = with
        && let Some(line) = record.line(&with, row)?
        && add(filling, record, me, &with, &line, Filling::replace)?
    {
        return Ok(());
    }
    Ok(filling.remove(row.0)?)
}

/// Adds a row, unless it says nothing; says whether it was added.
fn add<'i>(
    filling: &mut Filling<'i>,
    record: &RedbReader,
    me: NodeId,
    with: &Conversation,
    line: &Line,
    add: fn(&mut Filling<'i>, &Document<'_>) -> Result<(), SearchError>,
) -> Result<bool, FinderError> {
    let Some(Described { said, at, marks }) = described(record, me, with, &line.entry)? else { return Ok(false) };
    let texts: Vec<&str> = said.texts.iter().map(String::as_str).collect();
    let row = line.position.row().0;
    add(filling, &Document { row, group: &with.key(), at: at.map(seconds), marks: &marks, texts: &texts })?;
    Ok(true)
}

/// What a row is found by.
pub struct Described {
    pub said: Said,
    /// When it was written.
    pub at: Option<DtnTime>,
    pub marks: Vec<Vec<u8>>,
}

/// What a row is found by; none where it says nothing.
pub fn described(
    record: &RedbReader,
    me: NodeId,
    with: &Conversation,
    entry: &Entry,
) -> Result<Option<Described>, StoreError> {
    let Some(said) = said(record, with, entry)? else { return Ok(None) };
    let (from, to, at) = match entry {
        Entry::Came(letter) => {
            let written = Some(letter.creation.time).filter(|time| time.0 > 0);
            (letter.source, letter.destination.node, written.or(letter.received.trusted_wall()))
        }
        Entry::Own(own) => (me, own.destination.node, own.created.trusted_wall()),
    };
    let mut marks = vec![mark(FROM, from), mark(TO, to)];
    marks.extend(said.has_file.then(|| vec![FILE]));
    marks.extend((0..u64::BITS as u8).filter(|bit| said.tags >> bit & 1 == 1).map(|bit| vec![TAG, bit]));
    marks.extend(said.is_sealed.then(|| vec![SEALED]));
    Ok(Some(Described { said, at, marks }))
}

/// What a row of a conversation says now, whatever it said at first; none where that is nothing.
pub fn said(record: &RedbReader, with: &Conversation, entry: &Entry) -> Result<Option<Said>, StoreError> {
    let (id, row) = match entry {
        Entry::Came(letter) => (letter.id, Some(letter.row)),
        Entry::Own(own) => (own.id, own.row),
    };
    let Some(row) = row else { return Ok(None) };
    let filed = match record.words(&[row])?.pop().flatten() {
        Some(Body::Filed(filed)) => filed,
        Some(Body::Bundle(_)) => {
            return Ok(Some(Said { texts: Vec::new(), has_file: false, tags: 0, is_sealed: true }));
        }
        None => return Ok(None),
    };
    let Ok(Outline { content: Content::Text(text), files }) = Outline::decode(&filed.content, usize::MAX) else {
        return Ok(None);
    };
    let name = record.name_of(with, row, &id, text.same)?;
    let mut body = text.body;
    if let Some((author, _)) = record.written(with, &name)? {
        let registers = record.registers(with, &name, &author)?;
        if registers.is_withdrawn() || text.expire_after_read.is_some() && record.is_gone(with, &name)? {
            return Ok(None);
        }
        if let Some(row) = registers.body() {
            body = body_at(record, row, usize::MAX)?.unwrap_or(body);
        }
    }
    let has_file = !files.is_empty() || !text.enclosed.is_empty();
    let files = files.into_iter().map(|(name, _)| name).chain(text.enclosed.into_iter().map(|file| file.name));
    let texts = text.subject.into_iter().chain([body, text.remark]).chain(files);
    Ok(Some(Said { texts: texts.collect(), has_file, tags: text.tags, is_sealed: false }))
}

fn change_at(record: &RedbReader, row: Row) -> Result<Option<Amendment>, StoreError> {
    let Some(Body::Filed(filed)) = record.words(&[row])?.pop().flatten() else { return Ok(None) };
    match Content::decode(&filed.content) {
        Ok(Content::Change(amendment)) => Ok(Some(amendment)),
        _ => Ok(None),
    }
}

/// What marks begin with.
const FROM: u8 = b'f';
const TO: u8 = b't';
const FILE: u8 = b'a';
const SEALED: u8 = b's';
const TAG: u8 = b'g';

/// Written by a node.
pub fn by(node: NodeId) -> Fact {
    Fact::Mark(mark(FROM, node))
}

/// Written to a node.
pub fn to(node: NodeId) -> Fact {
    Fact::Mark(mark(TO, node))
}

/// With a file.
pub fn with_file() -> Fact {
    Fact::Mark(vec![FILE])
}

/// Meant to be something, by the bit of its tags.
pub fn tagged(bit: u64) -> Fact {
    Fact::Mark(vec![TAG, bit.trailing_zeros() as u8])
}

/// Said in a conversation.
pub fn within(with: &Conversation) -> Fact {
    Fact::Group(with.key())
}

/// A time as the index counts it.
pub fn seconds(time: DtnTime) -> u64 {
    time.0 / SECOND.0
}

fn mark(of: u8, node: NodeId) -> Vec<u8> {
    [&[of], &node.as_bytes()[..]].concat()
}

impl From<SearchError> for FinderError {
    fn from(error: SearchError) -> FinderError {
        FinderError::Search(error)
    }
}

impl From<StoreError> for FinderError {
    fn from(error: StoreError) -> FinderError {
        FinderError::Store(error)
    }
}

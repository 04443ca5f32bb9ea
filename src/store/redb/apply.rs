//! What each change does to the tables, inside one write transaction: the same as `Durable::apply` says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Key, ReadableTable, Table, TableDefinition, Value, WriteTransaction};

use super::bodies::{may_go_on, split_at, whole};
use super::body::{self, Body, fold, write_filed};
use super::failure::failed;
use super::index::Writing;
use super::log::Log;
use super::record;
use super::tables::{self, counter};
use crate::agent::change::{Change, Evidence, EvidenceKind, Letter, Marks, Outgoing, Row};
use crate::bundle::Bundle;
use crate::content::{Content, Filed, Likeness, words_of};
use crate::id::BundleId;
use crate::mail;
use crate::mail::conversation::Conversation;
use crate::mail::happening::{HAPPENED_MAX, Happening, What};
use crate::mail::index::Grave;
use crate::mail::kept::{OfMessage, Place, deleted, deleted_own, read_moment, read_of_message, updated, write_number};
use crate::mail::meaning::Meaning;
use crate::store::StoreError;
use crate::time::DtnTime;

type Bytes = &'static [u8];
type Name = &'static [u8; 32];
type NamePair = &'static [u8; 64];

/// The tables of one transaction, opened as changes ask for them.
pub struct Applying<'t> {
    meta: Lazy<'t, &'static str, u64>,
    bodies: Lazy<'t, u64, Bytes>,
    rests: Lazy<'t, u64, Bytes>,
    held: Lazy<'t, u64, Bytes>,
    letters: Lazy<'t, u64, Bytes>,
    sealed: Lazy<'t, u64, ()>,
    delivered: Lazy<'t, u64, &'static [u8; 16]>,
    buried: Lazy<'t, Name, u64>,
    departed: Lazy<'t, Name, Bytes>,
    beliefs: Lazy<'t, NamePair, Bytes>,
    outgoing: Lazy<'t, Name, Bytes>,
    index: Lazy<'t, Bytes, Bytes>,
    happened: Lazy<'t, u64, Bytes>,
    kept: Lazy<'t, Bytes, Bytes>,
    people: Lazy<'t, Name, Bytes>,
    learned: Lazy<'t, Name, Bytes>,
    owed: Lazy<'t, NamePair, ()>,
    /// What was delivered or queued last, where what it says comes right behind it.
    arriving: Option<Arriving>,
    /// The row after the highest that was written.
    next_row: u64,
    /// The number of what happened last, once something did.
    last_happened: Option<u64>,
    /// What came in this commit, and with which number.
    fresh: BTreeMap<BundleId, u64>,
    /// How much longer or shorter all bodies together became.
    body_bytes: i64,
}

impl<'t> Applying<'t> {
    /// Begins; `log` hears of everything that is put and taken away.
    pub fn new(txn: &'t WriteTransaction, log: &'t RefCell<Log>) -> Applying<'t> {
        Applying {
            meta: Lazy::new(txn, log, tables::META),
            bodies: Lazy::new(txn, log, tables::BODIES),
            rests: Lazy::new(txn, log, tables::RESTS),
            held: Lazy::new(txn, log, tables::HELD),
            letters: Lazy::new(txn, log, tables::LETTERS),
            sealed: Lazy::new(txn, log, tables::SEALED),
            delivered: Lazy::new(txn, log, tables::DELIVERED),
            buried: Lazy::new(txn, log, tables::BURIED),
            departed: Lazy::new(txn, log, tables::DEPARTED),
            beliefs: Lazy::new(txn, log, tables::BELIEFS),
            outgoing: Lazy::new(txn, log, tables::OUTGOING),
            index: Lazy::new(txn, log, tables::INDEX),
            happened: Lazy::new(txn, log, tables::HAPPENED),
            kept: Lazy::new(txn, log, tables::KEPT),
            people: Lazy::new(txn, log, tables::PEOPLE),
            learned: Lazy::new(txn, log, tables::LEARNED),
            owed: Lazy::new(txn, log, tables::OWED),
            arriving: None,
            next_row: 0,
            last_happened: None,
            fresh: BTreeMap::new(),
            body_bytes: 0,
        }
    }

    /// Applies a change; `next` is the one behind it.
    pub fn apply(&mut self, change: &Change, next: Option<&Change>) -> Result<(), StoreError> {
        match change {
            Change::Hold { held, bundle } => {
                self.put_body(held.row, bundle)?;
                self.held.put(held.row.0, &record::write_held(held)[..])
            }
            Change::Regrade { row, grade, copies, class } => {
                self.held.edit(row.0, |record| record::regrade(record, *grade, *copies, *class))
            }
            Change::Prolong { row, age, expires } => {
                self.held.edit(row.0, |record| record::prolong(record, *age, *expires))
            }
            Change::Depart { id, departure } => self.departed.put(&id.0, &record::write_departure(departure)[..]),
            Change::Return { id } => self.departed.remove(&id.0),
            Change::Forget { row } => {
                self.drop_body(*row)?;
                self.held.remove(row.0)
            }
            Change::Bury { id, until } => self.buried.put(&id.0, until.0),
            Change::Unbury { id } => self.buried.remove(&id.0),
            Change::Believe { id, signer, belief } => {
                self.beliefs.put(&tables::pair(&id.0, signer.as_bytes()), &record::write_belief(belief)[..])
            }
            Change::Disbelieve { id, signer } => self.beliefs.remove(&tables::pair(&id.0, signer.as_bytes())),
            Change::Deliver { letter, bundle } => {
                // The sealed body would make way for what it says at once.
                let is_filed = files(next, letter.row);
                self.deliver(letter, (!is_filed).then_some(bundle))?;
                match is_filed {
                    true => self.arriving = Some(Arriving::Letter(letter.clone())),
                    false => self.file_letter(letter, &Meaning::of_sealed(letter))?,
                }
                Ok(())
            }
            Change::Adopt { letter } => {
                self.deliver(letter, None)?;
                match files(next, letter.row) {
                    true => self.arriving = Some(Arriving::Adopted(letter.clone())),
                    false => self.file_letter(letter, &Meaning::Hidden)?,
                }
                Ok(())
            }
            Change::File { row, filed } => {
                self.put_stored(*row, &write_filed(*row, filed))?;
                self.file(*row, &Meaning::of(&filed.content))
            }
            Change::Mark { row, marks } => self.mark(*row, *marks),
            Change::Discard { row } => {
                let letter = self.letter(*row)?;
                if let Some(letter) = &letter {
                    self.bury(letter)?;
                }
                self.drop_body(*row)?;
                self.sealed.remove(row.0)?;
                if let Some(letter) = letter {
                    let is_silent = mail::index::is_silent(&self.index.shelf()?, *row)?;
                    mail::index::discard(&mut self.index.shelf()?, &letter)?;
                    if !is_silent {
                        self.is_deleted(&letter)?;
                    }
                }
                self.kept.remove(&updated(*row)[..])?;
                self.letters.remove(row.0)
            }
            Change::Post { outgoing } => {
                self.next_row = self.next_row.max(outgoing.row.map_or(0, |row| row.next().0));
                self.outgoing.put(&outgoing.id.0, &record::write_outgoing(outgoing)[..])?;
                match outgoing.row.is_some_and(|row| files(next, row)) {
                    true => self.arriving = Some(Arriving::Own(outgoing.clone())),
                    false => self.file_own(outgoing, &Meaning::Hidden)?,
                }
                Ok(())
            }
            Change::Attest { id, evidence } => self.attest(id, evidence),
            Change::Unpost { id } => {
                let record = self.outgoing.bytes(&id.0)?;
                if let Some(outgoing) = record.and_then(|bytes| record::read_outgoing(*id, &bytes)) {
                    let is_silent = self.is_silent(&outgoing)?;
                    if !is_silent {
                        self.kept.put(&deleted_own(&Letter::mark_of(id))[..], &[][..])?;
                    }
                    mail::index::unpost(&mut self.index.shelf()?, &outgoing)?;
                    if let Some(row) = outgoing.row {
                        self.drop_body(row)?;
                        self.kept.remove(&updated(row)[..])?;
                    }
                    if !is_silent {
                        self.happen(DtnTime(0), *id, What::Deleted)?;
                    }
                }
                self.outgoing.remove(&id.0)
            }
            Change::Keep { key, value: Some(value) } => {
                self.kept.put(&key[..], &value[..])?;
                self.keep(key, value)
            }
            Change::Keep { key, value: None } => {
                if let Some((row, OfMessage::Place)) = read_of_message(key) {
                    mail::index::pin(&mut self.index.shelf()?, row, false)?;
                }
                self.kept.remove(&key[..])
            }
            Change::SetPerson { node, person: Some(person) } => {
                self.people.put(node.as_bytes(), &record::write_person(person)[..])
            }
            Change::SetPerson { node, person: None } => self.people.remove(node.as_bytes()),
            Change::Learn { node, record: Some(record) } => self.learned.put(node.as_bytes(), &record[..]),
            Change::Learn { node, record: None } => self.learned.remove(node.as_bytes()),
            Change::Owe { peer, id } => self.owed.put(&tables::pair(peer.as_bytes(), &id.0), ()),
            Change::Settle { peer, id } => self.owed.remove(&tables::pair(peer.as_bytes(), &id.0)),
            Change::Count { sequence } => self.meta.put(counter::SEQUENCE, *sequence),
            Change::Tick { at } => {
                self.meta.put(counter::NOW, at.now.0)?;
                self.meta.put(counter::WALL, at.wall.0)
            }
        }
    }

    /// Writes the counters that follow from what was applied; returns the number of this commit.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        if self.next_row > self.meta.number(counter::NEXT_ROW)? {
            self.meta.put(counter::NEXT_ROW, self.next_row)?;
        }
        if let Some(last) = self.last_happened {
            self.meta.put(counter::HAPPENED, last)?;
        }
        if self.body_bytes != 0 {
            let bytes = self.meta.number(counter::BODY_BYTES)?.saturating_add_signed(self.body_bytes);
            self.meta.put(counter::BODY_BYTES, bytes)?;
        }
        let commit = self.meta.number(counter::COMMITS)? + 1;
        self.meta.put(counter::COMMITS, commit)?;
        Ok(commit)
    }

    fn deliver(&mut self, letter: &Letter, sealed: Option<&Arc<Bundle>>) -> Result<(), StoreError> {
        self.next_row = self.next_row.max(letter.row.next().0);
        if let Some(bundle) = sealed {
            self.put_body(letter.row, bundle)?;
            self.sealed.put(letter.row.0, ())?;
        }
        self.delivered.put(letter.row.0, &Letter::mark_of(&letter.id))?;
        self.letters.put(letter.row.0, &record::write_letter(letter)[..])
    }

    /// What is at a row says this: of a message that just came or was just written, or of one that was sealed so far.
    fn file(&mut self, row: Row, meaning: &Meaning) -> Result<(), StoreError> {
        match self.arriving.take() {
            Some(Arriving::Letter(letter)) if self.is_buried(&letter, meaning)? => return self.pass_over(&letter),
            // What the owner brings back is wanted again.
            Some(Arriving::Letter(letter) | Arriving::Adopted(letter)) => return self.file_letter(&letter, meaning),
            Some(Arriving::Own(outgoing)) => return self.file_own(&outgoing, meaning),
            None => self.sealed.remove(row.0)?,
        }
        let Some(letter) = self.letter(row)? else { return Ok(()) };
        if self.is_buried(&letter, meaning)? {
            mail::index::discard(&mut self.index.shelf()?, &letter)?;
            self.drop_body(row)?;
            return self.letters.remove(row.0);
        }
        let is_news = mail::index::is_sealed(&self.index.shelf()?, row)?;
        let is_told = is_news && !meaning.is_silent() || matches!(meaning, Meaning::App(_));
        let number = match is_told {
            true => self.happen(letter.received.wall, letter.id, what_came(meaning, What::Came))?,
            false => 0,
        };
        self.number_update(row, meaning, number)?;
        let withdrawn = mail::index::open(&mut self.index.shelf()?, &letter, meaning, number)?;
        if let Meaning::Change(amendment) = meaning
            && !is_news
        {
            self.happen(letter.received.wall, letter.id, What::Changed(amendment.target))?;
        }
        self.empty(withdrawn)
    }

    fn file_letter(&mut self, letter: &Letter, meaning: &Meaning) -> Result<(), StoreError> {
        let number = match meaning.is_silent() {
            true => 0,
            false => {
                let again = mail::index::again(&self.index.shelf()?, letter, meaning)?;
                let what = again.map_or(what_came(meaning, What::Came), What::Changed);
                self.happen(letter.received.wall, letter.id, what)?
            }
        };
        self.number_update(letter.row, meaning, number)?;
        let withdrawn = mail::index::deliver(&mut self.index.shelf()?, letter, meaning, number)?;
        self.empty(withdrawn)
    }

    /// What was deleted and came once more leaves at once; only its id stays.
    fn pass_over(&mut self, letter: &Letter) -> Result<(), StoreError> {
        mail::index::remember(&mut self.index.shelf()?, Letter::mark_of(&letter.id), letter.row)?;
        self.drop_body(letter.row)?;
        self.letters.remove(letter.row.0)
    }

    fn file_own(&mut self, outgoing: &Outgoing, meaning: &Meaning) -> Result<(), StoreError> {
        let number = match meaning.is_silent() {
            true => 0,
            false => self.happen(outgoing.created.wall, outgoing.id, what_came(meaning, What::Queued))?,
        };
        outgoing.row.map_or(Ok(()), |row| self.number_update(row, meaning, number))?;
        let withdrawn = mail::index::post(&mut self.index.shelf()?, outgoing, meaning, number)?;
        self.empty(withdrawn)
    }

    /// Remembers the event with which an update of an app came, for the index numbers it so however often it is made anew.
    fn number_update(&mut self, row: Row, meaning: &Meaning, number: u64) -> Result<(), StoreError> {
        match meaning {
            Meaning::App(_) => self.kept.put(&updated(row)[..], &write_number(number)[..]),
            _ => Ok(()),
        }
    }

    /// What is kept of a message may be when it was shown first, or that its time is over.
    fn keep(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let at = read_moment(value);
        match read_of_message(key) {
            Some((row, OfMessage::Place)) => mail::index::pin(&mut self.index.shelf()?, row, Place::read(value).pinned),
            Some((row, OfMessage::Shown)) => mail::ending::show(&mut self.index.shelf()?, row, at),
            Some((row, OfMessage::Gone)) => {
                let Some(forgotten) = mail::ending::forget(&mut self.index.shelf()?, row)? else { return Ok(()) };
                self.happen(at.wall, forgotten.id, What::Changed(forgotten.mark))?;
                // A note to oneself was written here too.
                let own = self.outgoing.bytes(&forgotten.id.0)?;
                let own = own.and_then(|bytes| record::read_outgoing_row(&bytes));
                self.empty(forgotten.rows.into_iter().chain(own).collect())
            }
            _ => Ok(()),
        }
    }

    /// Remembers of a message that is deleted what it says, for it may come again in another bundle.
    fn bury(&mut self, letter: &Letter) -> Result<(), StoreError> {
        let Some(content) = self.content(letter.row)? else { return Ok(()) };
        let Meaning::Words(words) = Meaning::of(&content) else { return Ok(()) };
        let Grave { mark, whole, edits } = mail::index::grave(&self.index.shelf()?, letter, &words)?;
        let (with, likeness) = (Conversation::of_letter(letter), words.likeness);
        let mut all = vec![likeness];
        for row in edits {
            let Some(Ok(Content::Change(change))) = self.content(row)?.map(|content| Content::decode(&content)) else {
                continue;
            };
            all.extend(change.body.map(|body| Likeness { words: words_of(&body), ..likeness }));
        }
        for likeness in all {
            let key = deleted(&with, &letter.source, &mark, (!whole).then_some(&likeness));
            self.kept.put(&key[..], &[][..])?;
        }
        Ok(())
    }

    /// Whether the person deleted what a message says that comes once more.
    fn is_buried(&mut self, letter: &Letter, meaning: &Meaning) -> Result<bool, StoreError> {
        let Meaning::Words(words) = meaning else { return Ok(false) };
        let (with, mark) = (Conversation::of_letter(letter), meaning.mark(&letter.id));
        for likeness in [Some(&words.likeness), None] {
            if self.kept.bytes(&deleted(&with, &letter.source, &mark, likeness)[..])?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is filed at a row.
    fn content(&mut self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(stored) = self.stored(row)? else { return Ok(None) };
        Ok(match body::read(row, &stored) {
            Some(Body::Filed(filed)) => Some(filed.content),
            _ => None,
        })
    }

    /// Forgets the words at these rows.
    fn empty(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        for row in rows {
            if let Some(letter) = self.letter(row)? {
                mail::index::empty(&mut self.index.shelf()?, &letter)?;
            }
            let Some(stored) = self.stored(row)? else { continue };
            let Some(Body::Filed(filed)) = body::read(row, &stored) else { continue };
            if let Some(content) = mail::meaning::emptied(&filed.content) {
                self.put_stored(row, &write_filed(row, &Filed { content, seal: None, ..filed }))?;
            }
        }
        Ok(())
    }

    /// Writes down what happened; returns its number.
    fn happen(&mut self, at: DtnTime, id: BundleId, what: What) -> Result<u64, StoreError> {
        let last = match self.last_happened {
            Some(last) => last,
            None => self.meta.number(counter::HAPPENED)?,
        };
        let number = last + 1;
        self.last_happened = Some(number);
        self.happened.put(number, &Happening { at, id, what }.write()[..])?;
        if matches!(what, What::Came | What::Changed(_)) {
            self.fresh.insert(id, number);
        }
        if let Some(oldest) = number.checked_sub(HAPPENED_MAX) {
            self.happened.remove(oldest)?;
        }
        Ok(number)
    }

    /// What came in this very commit nobody saw: the line that says it came says that it is gone.
    fn is_deleted(&mut self, letter: &Letter) -> Result<(), StoreError> {
        match self.fresh.remove(&letter.id) {
            Some(number) => {
                let gone = Happening { at: letter.received.wall, id: letter.id, what: What::Deleted };
                self.happened.put(number, &gone.write()[..])
            }
            None => self.happen(DtnTime(0), letter.id, What::Deleted).map(drop),
        }
    }

    fn mark(&mut self, row: Row, marks: Marks) -> Result<(), StoreError> {
        if let Some(letter) = self.letter(row)? {
            mail::index::mark(&mut self.index.shelf()?, &letter, marks)?;
            if letter.read != marks.read {
                let what = if marks.read { What::Read } else { What::Unread };
                self.happen(DtnTime(0), letter.id, what)?;
            }
        }
        self.letters.edit(row.0, |record| record[record::LETTER_MARKS].copy_from_slice(&record::marks(marks)))
    }

    fn letter(&mut self, row: Row) -> Result<Option<Letter>, StoreError> {
        Ok(self.letters.bytes(row.0)?.and_then(|bytes| record::read_letter(row, &bytes)))
    }

    fn attest(&mut self, id: &BundleId, evidence: &Evidence) -> Result<(), StoreError> {
        let Some(record) = self.outgoing.bytes(&id.0)? else { return Ok(()) };
        let unreadable = || StoreError::Damaged(format!("the record of the message {id} cannot be read"));
        let mut outgoing = record::read_outgoing(*id, &record).ok_or_else(unreadable)?;
        let (was_settled, state) = (outgoing.is_settled(), outgoing.state());
        outgoing.attest(*evidence);
        if outgoing.is_settled() && !was_settled {
            mail::index::settle(&mut self.index.shelf()?, id)?;
        }
        mail::ending::attest(&mut self.index.shelf()?, &outgoing)?;
        if outgoing.state() != state && !self.is_silent(&outgoing)? {
            let number = self.happen(evidence.at.wall, *id, What::State(outgoing.state()))?;
            if outgoing.state() == EvidenceKind::Expired {
                mail::index::end(&mut self.index.shelf()?, number, id)?;
            }
        }
        self.outgoing.put(&id.0, &record::write_outgoing(&outgoing)[..])
    }

    /// Whether nobody hears what becomes of one's own message: it belongs to a file.
    fn is_silent(&mut self, outgoing: &Outgoing) -> Result<bool, StoreError> {
        let Some(row) = outgoing.row else { return Ok(false) };
        mail::index::is_silent(&self.index.shelf()?, row)
    }

    fn put_body(&mut self, row: Row, bundle: &Bundle) -> Result<(), StoreError> {
        let folded = fold(bundle);
        self.next_row = self.next_row.max(row.next().0);
        self.put_stored(row, &folded)
    }

    fn stored(&mut self, row: Row) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(first) = self.bodies.bytes(row.0)? else { return Ok(None) };
        match may_go_on(first.len()) {
            true => Ok(Some(whole(self.rests.table()?, row.0, &first)?.into_owned())),
            false => Ok(Some(first)),
        }
    }

    fn put_stored(&mut self, row: Row, stored: &[u8]) -> Result<(), StoreError> {
        let (first, rest) = stored.split_at(split_at(stored.len()));
        self.replace_body(row, Some(first), (!rest.is_empty()).then_some(rest))?;
        self.body_bytes += stored.len() as i64;
        Ok(())
    }

    fn drop_body(&mut self, row: Row) -> Result<(), StoreError> {
        self.replace_body(row, None, None)
    }

    fn replace_body(&mut self, row: Row, first: Option<&[u8]>, rest: Option<&[u8]>) -> Result<(), StoreError> {
        let mut before = self.bodies.replace(row.0, first)?;
        if rest.is_some() || may_go_on(before) {
            before += self.rests.replace(row.0, rest)?;
        }
        self.body_bytes -= before as i64;
        Ok(())
    }
}

/// What was just delivered or queued.
enum Arriving {
    Letter(Letter),
    /// The same of an earlier home.
    Adopted(Letter),
    Own(Outgoing),
}

/// Whether the next change says what stands at a row.
fn files(next: Option<&Change>, row: Row) -> bool {
    matches!(next, Some(Change::File { row: filed, .. }) if *filed == row)
}

fn what_came(meaning: &Meaning, words: What) -> What {
    match meaning {
        Meaning::Change(amendment) => What::Changed(amendment.target),
        Meaning::App(update) => What::Changed(update.target),
        _ => words,
    }
}

/// A table that is opened when it is needed first.
struct Lazy<'t, K: Key + 'static, V: Value + 'static> {
    txn: &'t WriteTransaction,
    log: &'t RefCell<Log>,
    definition: TableDefinition<'static, K, V>,
    table: Option<Table<'t, K, V>>,
}

impl<'t, K: Key + 'static, V: Value + 'static> Lazy<'t, K, V> {
    fn new(txn: &'t WriteTransaction, log: &'t RefCell<Log>, definition: TableDefinition<'static, K, V>) -> Self {
        Lazy { txn, log, definition, table: None }
    }

    fn table(&mut self) -> Result<&mut Table<'t, K, V>, StoreError> {
        if self.table.is_none() {
            self.table = Some(self.txn.open_table(self.definition).map_err(failed)?);
        }
        Ok(self.table.as_mut().expect("opened above"))
    }

    fn put(&mut self, key: K::SelfType<'_>, value: V::SelfType<'_>) -> Result<(), StoreError> {
        self.log.borrow_mut().note(self.definition, &key, Some(&value));
        self.table()?.insert(key, value).map_err(failed)?;
        Ok(())
    }

    fn remove(&mut self, key: K::SelfType<'_>) -> Result<(), StoreError> {
        self.log.borrow_mut().note(self.definition, &key, None);
        self.table()?.remove(key).map_err(failed)?;
        Ok(())
    }
}

impl<K: Key + 'static> Lazy<'_, K, Bytes> {
    fn bytes(&mut self, key: K::SelfType<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table()?.get(key).map_err(failed)?.map(|record| record.value().to_vec()))
    }
}

impl<'t> Lazy<'t, Bytes, Bytes> {
    fn shelf(&mut self) -> Result<Writing<'_, 't>, StoreError> {
        let log = self.log;
        Ok(Writing { table: self.table()?, log })
    }
}

impl Lazy<'_, u64, Bytes> {
    /// Puts or removes the record at `row`; returns how long the one before was.
    fn replace(&mut self, row: u64, record: Option<&[u8]>) -> Result<usize, StoreError> {
        self.log.borrow_mut().note(self.definition, &row, record.as_ref());
        let table = self.table()?;
        let before = match record {
            Some(record) => table.insert(row, record),
            None => table.remove(row),
        };
        Ok(before.map_err(failed)?.map_or(0, |before| before.value().len()))
    }

    /// Changes the record at `row`, if there is one.
    fn edit(&mut self, row: u64, change: impl FnOnce(&mut [u8])) -> Result<(), StoreError> {
        let Some(mut record) = self.bytes(row)? else { return Ok(()) };
        change(&mut record);
        self.put(row, &record[..])
    }
}

impl Lazy<'_, &'static str, u64> {
    fn number(&mut self, key: &str) -> Result<u64, StoreError> {
        Ok(self.table()?.get(key).map_err(failed)?.map_or(0, |number| number.value()))
    }
}

//! Which bundles are one content: a message that was sent anew, or changed before it left, comes in several.
//!
//! The first bundle's id names a content; a later one says `same` with that name. It is believed where its author is the
//! content's and all but the words is equal: then it is read where the first is, and other words are an edit of the first's,
//! with both in the history. Whatever else says `same` is a message of its own, with a name of its own, for what is delivered
//! is receipted and must be there to be read. Where a later bundle came first, it has the name until the first one comes,
//! and keeps it unless that is another content.
//!
//! | key | value |
//! |---|---|
//! | `CONTENT`, conversation, mark | author 32, row it is shown at 8, digests of what is beside the words and of these 16 each, flags 1, of one that came before the first its own mark 16, other rows with it 8 each |
//!
//! Once the first of one's own left the record, what goes on in its place is still read at its row.

use super::entries::{APP, CONTENT, FILES, NAMED, TASK, key, number, part};
use super::meaning::{Meaning, Words};
use super::registers::{self, Setting, Version};
use super::shelf::{Shelf, ShelfMut};
use super::unshown::{again_of, rename_unshown};
use super::{apps, due, ending};
use crate::agent::change::{Letter, Outgoing, Row};
use crate::bundle::Creation;
use crate::content::{Likeness, Mark};
use crate::id::{BundleId, NodeId};

/// So many bundles of one content are in its row besides the first. Of later ones, those with words that are there already
/// leave theirs at once, and others are rows of their own.
pub const SAME_MAX: usize = 64;

/// What is there under the name of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub author: NodeId,
    /// Where it is shown.
    pub row: Row,
    pub likeness: Likeness,
    /// What was at that row left the record, and its words with it.
    pub is_empty: bool,
    /// Its row has a later bundle, of this name, for the first is not here.
    claimed_by: Option<Mark>,
    /// The rows of the others.
    others: Vec<Row>,
}

/// A bundle with content that came, or was sent.
pub(super) struct Told {
    pub author: NodeId,
    pub id: BundleId,
    pub row: Row,
    pub creation: Creation,
    pub words: Words,
}

/// What became of it.
pub(super) struct Settled {
    /// The name of its content.
    pub mark: Mark,
    /// The row at which that is shown already.
    pub again: Option<Row>,
    /// Rows whose words are to be forgotten.
    pub forgotten: Vec<Row>,
}

/// Whether something else goes on in the place of what leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Stays,
    Goes,
}

/// What a bundle is to what is there.
enum Fate {
    /// Content of this name that nothing is known of.
    New(Mark),
    /// The content of this name once more.
    Again(Mark, Kept),
    /// The same, with words that are there too, and without room.
    Idle(Mark, Kept),
    /// What has its name so far is another content.
    Ousts(Mark, Kept),
    /// Nothing can name it.
    Nameless(Mark),
}

const EMPTY: u8 = 1;
const CLAIMED: u8 = 2;

impl Kept {
    pub fn find<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark) -> Result<Option<Kept>, S::Error> {
        Ok(shelf.get(&of(with, mark))?.map(|value| Kept::read(&value)))
    }

    /// All rows with it, first where it is shown.
    pub fn rows(&self) -> Vec<Row> {
        [&[self.row], &self.others[..]].concat()
    }

    fn write(&self) -> Vec<u8> {
        let Likeness { words, beside, .. } = self.likeness;
        let flags = if self.is_empty { EMPTY } else { 0 } | if self.claimed_by.is_some() { CLAIMED } else { 0 };
        let claimed_by = self.claimed_by.map_or(Vec::new(), |mark| mark.to_vec());
        let others: Vec<u8> = self.others.iter().flat_map(|row| row.0.to_be_bytes()).collect();
        let row = self.row.0.to_be_bytes();
        key([self.author.as_bytes(), &row, &beside, &words, &[flags], &claimed_by, &others])
    }

    fn read(value: &[u8]) -> Kept {
        let flags = value.get(72).copied().unwrap_or(0);
        let is_claimed = flags & CLAIMED != 0;
        let others = value.get(if is_claimed { 89 } else { 73 }..).unwrap_or_default().chunks_exact(8);
        Kept {
            author: NodeId::from_trusted(part(value, 0)),
            row: Row(number(value, 32)),
            likeness: Likeness { beside: part(value, 40), words: part(value, 56), is_bare: false },
            is_empty: flags & EMPTY != 0,
            claimed_by: is_claimed.then(|| part(value, 73)),
            others: others.map(|row| Row(number(row, 0))).collect(),
        }
    }
}

impl Told {
    pub fn of_letter(letter: &Letter, meaning: &Meaning) -> Told {
        let Letter { source, id, row, creation, .. } = *letter;
        Told { author: source, id, row, creation, words: words_of(meaning) }
    }

    pub fn of_own(outgoing: &Outgoing, author: NodeId, row: Row, meaning: &Meaning) -> Told {
        Told { author, id: outgoing.id, row, creation: outgoing.creation, words: words_of(meaning) }
    }

    fn own(&self) -> Mark {
        Letter::mark_of(&self.id)
    }

    /// The content that it says to be, where that is not named by itself.
    fn claimed<S: Shelf>(&self, shelf: &S, with: &[u8]) -> Result<Option<Mark>, S::Error> {
        let claimed = self.words.same.map(|mark| resolve(shelf, with, &mark)).transpose()?;
        Ok(claimed.filter(|mark| *mark != self.own()))
    }
}

/// What could not be read is like nothing else.
fn words_of(meaning: &Meaning) -> Words {
    if let Meaning::Words(words) = meaning { words.clone() } else { Words::default() }
}

fn of(with: &[u8], mark: &Mark) -> Vec<u8> {
    key([&[CONTENT], with, mark])
}

fn put<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark, kept: &Kept) -> Result<(), S::Error> {
    shelf.put(&of(with, mark), &kept.write())
}

/// The name of the content that is meant by a name, which may be that of a later bundle with it.
pub(super) fn resolve<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark) -> Result<Mark, S::Error> {
    if shelf.get(&of(with, mark))?.is_some() {
        return Ok(*mark);
    }
    Ok(shelf.get(&key([&[NAMED], with, mark]))?.map_or(*mark, |name| part(&name, 0)))
}

/// How content is named that is at a row.
pub(super) fn name_of<S: Shelf>(
    shelf: &S,
    with: &[u8],
    row: Row,
    id: &BundleId,
    same: Option<Mark>,
) -> Result<Mark, S::Error> {
    let own = Letter::mark_of(id);
    let Some(claimed) = same else { return Ok(own) };
    if let Some(mark) = again_of(shelf, row)? {
        return Ok(mark);
    }
    let claimed = resolve(shelf, with, &claimed)?;
    let is_shown = Kept::find(shelf, with, &claimed)?.is_some_and(|kept| kept.row == row);
    Ok(if is_shown { claimed } else { own })
}

/// Whether an author's content was withdrawn, or its time is over.
pub(super) fn is_forgotten<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark, author: &NodeId) -> Result<bool, S::Error> {
    Ok(registers::of(shelf, with, mark, author)?.is_withdrawn() || ending::is_gone_of(shelf, with, mark, author)?)
}

/// The rows whose words are to be forgotten, if content is.
pub(super) fn forgotten<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    mark: &Mark,
    kept: &Kept,
) -> Result<Vec<Row>, S::Error> {
    if !is_forgotten(shelf, with, mark, &kept.author)? {
        return Ok(Vec::new());
    }
    let words = kept.rows();
    for row in &words {
        due::withdraw(shelf, *row)?;
    }
    let bodies = registers::of(shelf, with, mark, &kept.author)?.bodies();
    Ok(words.into_iter().chain(bodies).collect())
}

fn fate<S: Shelf>(shelf: &S, with: &[u8], told: &Told) -> Result<Fate, S::Error> {
    if let Some(claimed) = told.claimed(shelf, with)? {
        match Kept::find(shelf, with, &claimed)? {
            None => return Ok(Fate::New(claimed)),
            Some(kept) if is_of(shelf, with, &claimed, &kept, told)? => {
                let has_room = kept.others.len() < SAME_MAX;
                if has_room {
                    return Ok(Fate::Again(claimed, kept));
                }
                let versions = registers::of(shelf, with, &claimed, &told.author)?;
                let words = versions.shown_with(kept.likeness.words).words();
                if told.words.likeness.is_bare || words.contains(&told.words.likeness.words) {
                    return Ok(Fate::Idle(claimed, kept));
                }
            }
            Some(_) => {}
        }
    }
    let own = told.own();
    match Kept::find(shelf, with, &own)? {
        None => Ok(Fate::New(own)),
        Some(kept) if kept.claimed_by.is_none() => Ok(Fate::Nameless(own)),
        // What is sealed may be anything.
        Some(kept) if is_of(shelf, with, &own, &kept, told)? => Ok(Fate::Again(own, kept)),
        Some(kept) => Ok(Fate::Ousts(own, kept)),
    }
}

/// Whether a bundle has the content that is there of a name.
fn is_of<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark, kept: &Kept, told: &Told) -> Result<bool, S::Error> {
    let Likeness { beside, is_bare, .. } = told.words.likeness;
    if kept.author != told.author {
        return Ok(false);
    }
    // Neither does what was forgotten come back, nor is there anything in what says nothing.
    Ok(is_bare || beside == kept.likeness.beside || is_forgotten(shelf, with, mark, &kept.author)?)
}

/// The name of the content that a bundle has, if that is shown already.
pub(super) fn again<S: Shelf>(shelf: &S, with: &[u8], told: &Told) -> Result<Option<Mark>, S::Error> {
    Ok(match fate(shelf, with, told)? {
        Fate::Again(mark, _) | Fate::Idle(mark, _) => Some(mark),
        Fate::New(_) | Fate::Ousts(..) | Fate::Nameless(_) => None,
    })
}

/// Takes in a bundle with content.
pub(super) fn settle<S: ShelfMut>(shelf: &mut S, with: &[u8], told: &Told) -> Result<Settled, S::Error> {
    let own = told.own();
    let mut renamed = Vec::new();
    let (mark, again, idle) = match fate(shelf, with, told)? {
        Fate::Nameless(mark) => return Ok(Settled { mark, again: None, forgotten: Vec::new() }),
        Fate::New(mark) => {
            begin(shelf, with, &mark, told)?;
            (mark, None, false)
        }
        Fate::Ousts(mark, kept) => {
            oust(shelf, with, &mark, kept)?;
            begin(shelf, with, &mark, told)?;
            (mark, None, false)
        }
        Fate::Again(mark, mut kept) => {
            let shown_at = kept.row;
            kept.others.push(told.row);
            put(shelf, with, &mark, &kept)?;
            if !told.words.likeness.is_bare {
                version(shelf, with, &mark, told)?;
            }
            (mark, Some(shown_at), false)
        }
        Fate::Idle(mark, kept) => (mark, Some(kept.row), true),
    };
    // What others said to be may have its name already.
    if mark != own && Kept::find(shelf, with, &own)?.is_none() {
        shelf.put(&key([&[NAMED], with, &own]), &mark)?;
        renamed = registers::rename(shelf, with, &own, &mark, |_| true)?;
        renamed.extend(apps::rename(shelf, with, &own, &mark)?);
        for row in &renamed {
            rename_unshown(shelf, *row, &mark)?;
        }
        if shelf.get(&key([&[TASK], with, &own]))?.is_some() {
            shelf.remove(&key([&[TASK], with, &own]))?;
            shelf.put(&key([&[TASK], with, &mark]), &[])?;
        }
    }
    let forgotten = match Kept::find(shelf, with, &mark)? {
        _ if idle => vec![told.row],
        // Of the others they are forgotten already.
        Some(_) if again.is_some() && renamed.is_empty() => {
            is_forgotten(shelf, with, &mark, &told.author)?.then_some(told.row).into_iter().collect()
        }
        Some(kept) => forgotten(shelf, with, &mark, &kept)?,
        None => Vec::new(),
    };
    Ok(Settled { mark, again, forgotten })
}

/// Content of a name is there.
fn begin<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark, told: &Told) -> Result<(), S::Error> {
    let claimed_by = Some(told.own()).filter(|own| own != mark);
    let Told { author, row, words: Words { likeness, .. }, .. } = told;
    let (author, row, likeness, others) = (*author, *row, *likeness, Vec::new());
    put(shelf, with, mark, &Kept { author, row, likeness, is_empty: false, claimed_by, others })?;
    if claimed_by.is_some() && !likeness.is_bare { version(shelf, with, mark, told) } else { Ok(()) }
}

fn version<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark, told: &Told) -> Result<(), S::Error> {
    let version = Version { creation: told.creation, words: told.words.likeness.words };
    registers::put_version(shelf, with, mark, told.author, (told.id, told.row), version)
}

/// What has another's name gets its own.
fn oust<S: ShelfMut>(shelf: &mut S, with: &[u8], from: &Mark, kept: Kept) -> Result<(), S::Error> {
    let Some(to) = kept.claimed_by else { return Ok(()) };
    shelf.remove(&key([&[NAMED], with, &to]))?;
    let rows = kept.rows();
    let is_of_it = |setting: &Setting| setting.value.is_version() && rows.contains(&setting.row);
    registers::rename(shelf, with, from, &to, is_of_it)?;
    for id in registers::of(shelf, with, &to, &kept.author)?.versions() {
        let mark = Letter::mark_of(&id);
        if mark != to {
            shelf.put(&key([&[NAMED], with, &mark]), &to)?;
        }
    }
    for row in &kept.others {
        rename_unshown(shelf, *row, &to)?;
    }
    for kind in [TASK, APP] {
        if shelf.get(&key([&[kind], with, from]))?.is_some() {
            shelf.put(&key([&[kind], with, &to]), &[])?;
        }
    }
    let files = key([&[FILES], &kept.row.0.to_be_bytes()]);
    if shelf.get(&files)?.is_some() {
        shelf.put(&files, &key([&to, with]))?;
    }
    put(shelf, with, &to, &Kept { claimed_by: None, ..kept })
}

/// What is known of the content at a row is other than it was; says its name, unless it is that of another content now.
pub(super) fn renew<S: ShelfMut>(shelf: &mut S, with: &[u8], told: &Told) -> Result<Option<Mark>, S::Error> {
    let mark = name_of(shelf, with, told.row, &told.id, told.words.same)?;
    let kept = Kept::find(shelf, with, &mark)?.filter(|kept| kept.row == told.row);
    let claimed = told.claimed(shelf, with)?;
    let Some(kept) = kept.filter(|_| claimed.is_none_or(|claimed| claimed == mark)) else { return Ok(None) };
    put(shelf, with, &mark, &Kept { likeness: told.words.likeness, ..kept })?;
    Ok(Some(mark))
}

/// The name of what is shown at a row, as far as its id tells.
fn shown_as<S: Shelf>(shelf: &S, with: &[u8], id: &BundleId, row: Row) -> Result<Option<(Mark, Kept)>, S::Error> {
    let own = Letter::mark_of(id);
    for mark in [own, resolve(shelf, with, &own)?] {
        let kept = Kept::find(shelf, with, &mark)?.filter(|kept| kept.row == row);
        if let Some(kept) = kept {
            return Ok(Some((mark, kept)));
        }
    }
    Ok(None)
}

/// The row at which content is shown leaves the record.
pub(super) fn leave<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    id: &BundleId,
    row: Row,
    place: Place,
) -> Result<(), S::Error> {
    let files = key([&[FILES], &row.0.to_be_bytes()]);
    let had_files = shelf.get(&files)?;
    shelf.remove(&files)?;
    let Some((mark, kept)) = shown_as(shelf, with, id, row)? else { return Ok(()) };
    forget_version(shelf, with, &mark, id)?;
    match kept.others.last() {
        Some(last) if place == Place::Stays => {
            if let Some(value) = had_files {
                shelf.put(&key([&[FILES], &last.0.to_be_bytes()]), &value)?;
            }
            put(shelf, with, &mark, &Kept { is_empty: true, ..kept })
        }
        _ => end(shelf, with, &mark),
    }
}

/// A row with content that is shown elsewhere leaves the record; returns where that is.
pub(super) fn leave_again<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    mark: &Mark,
    id: &BundleId,
    row: Row,
) -> Result<Option<Row>, S::Error> {
    shelf.remove(&key([&[FILES], &row.0.to_be_bytes()]))?;
    forget_version(shelf, with, mark, id)?;
    let Some(mut kept) = Kept::find(shelf, with, mark)? else { return Ok(None) };
    kept.others.retain(|other| *other != row);
    match kept.is_empty && kept.others.is_empty() {
        true => end(shelf, with, mark)?,
        false => put(shelf, with, mark, &kept)?,
    }
    Ok(Some(kept.row))
}

fn forget_version<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark, id: &BundleId) -> Result<(), S::Error> {
    registers::remove(shelf, with, mark, id)?;
    shelf.remove(&key([&[NAMED], with, &Letter::mark_of(id)]))
}

fn end<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark) -> Result<(), S::Error> {
    shelf.remove(&of(with, mark))?;
    shelf.remove(&key([&[TASK], with, mark]))?;
    shelf.remove(&key([&[APP], with, mark]))?;
    ending::leave_content(shelf, with, mark)
}

#[cfg(test)]
mod tests;

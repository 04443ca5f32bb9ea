//! Where what is in the record is found: derived from it, entry by entry, and to be had again from it at any time.
//!
//! The entries are those of `entries.rs`.

mod lists;
mod sent;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::apps;
use super::conversation::{self, Conversation};
use super::due;
use super::ending;
use super::entries::{APP, ASKED, COST, FILES, ID, ON_WAY, PARTS, TASK, UNSHOWN, behind, key, number, part};
use super::meaning::{Meaning, Words};
use super::order;
use super::registers::{self, Registers};
use super::sameness::{self, Kept, Place, Settled, Told};
use super::shelf::{Shelf, ShelfMut};
use super::threads;
use super::unshown::{Unshown, has_line, hide, is_any};
use crate::agent::change::{Letter, Marks, Outgoing, Row};
use crate::agent::cost_bytes;
use crate::content::{Amendment, Mark};
use crate::id::{BundleId, IdPrefix, NodeId};

pub use self::lists::{apps, asked, files, parts, pin, pinned, tasks};
pub use self::sent::{Written, end, ended, on_way, sent_before, sent_behind};
pub use super::unshown::{is_sealed, is_silent, is_unshown};

/// Grows with every change of what the entries are.
pub const INDEX_VERSION: u64 = 10;

/// A message was delivered that means so, and has this number. Returns the rows whose words are to be forgotten, for they
/// were withdrawn or their time is over.
pub fn deliver<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    meaning: &Meaning,
    number: u64,
) -> Result<Vec<Row>, S::Error> {
    remember(shelf, Letter::mark_of(&letter.id), letter.row)?;
    cost(shelf, letter, |bytes, more| bytes.saturating_add(more))?;
    let with = Conversation::of_letter(letter).key();
    if let Meaning::Change(amendment) = meaning {
        return change(shelf, &with, letter.source, (letter.id, letter.row), amendment);
    }
    if let Meaning::App(update) = meaning {
        if tell_app(shelf, &with, letter.source, (letter.id, letter.row, number), update)? {
            conversation::come_read(shelf, letter, number)?;
        }
        return Ok(Vec::new());
    }
    if meaning.is_silent() {
        if matches!(meaning, Meaning::Ask) {
            shelf.put(&key([&[ASKED], &letter.row.0.to_be_bytes()]), &[])?;
        }
        let why = if matches!(meaning, Meaning::Sealed) { Unshown::Sealed } else { Unshown::Silent };
        hide(shelf, letter.row, why, &Letter::mark_of(&letter.id), &with)?;
        return Ok(Vec::new());
    }
    let Settled { mark, again, forgotten } = sameness::settle(shelf, &with, &Told::of_letter(letter, meaning))?;
    if again.is_some() {
        hide(shelf, letter.row, Unshown::Again, &mark, &with)?;
        ending::come(shelf, letter, &mark, meaning)?;
        return Ok(forgotten);
    }
    order::insert(shelf, letter)?;
    conversation::come(shelf, letter, number)?;
    beside(shelf, &with, &mark, letter.row, meaning)?;
    ask(shelf, letter, &mark, meaning, forgotten)
}

/// What a message is that is to be delivered: a content that is shown already, by the name of that.
pub fn again<S: Shelf>(shelf: &S, letter: &Letter, meaning: &Meaning) -> Result<Option<Mark>, S::Error> {
    let is_content = matches!(meaning, Meaning::Hidden | Meaning::Words(_));
    if !is_content {
        Ok(None)
    } else {
        sameness::again(shelf, &Conversation::of_letter(letter).key(), &Told::of_letter(letter, meaning))
    }
}

/// What was withdrawn before it came asks for nothing.
fn ask<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    mark: &Mark,
    meaning: &Meaning,
    withdrawn: Vec<Row>,
) -> Result<Vec<Row>, S::Error> {
    due::come(shelf, letter, meaning)?;
    if !withdrawn.is_empty() {
        due::withdraw(shelf, letter.row)?;
    }
    ending::come(shelf, letter, mark, meaning)?;
    Ok(withdrawn)
}

/// What was sealed since it came was opened, and means so, and the number is its own where nobody was told of it before; or
/// what is kept of its words is less.
pub fn open<S: ShelfMut>(shelf: &mut S, letter: &Letter, meaning: &Meaning, number: u64) -> Result<Vec<Row>, S::Error> {
    if is_sealed(shelf, letter.row)? {
        shelf.remove(&key([&[UNSHOWN], &letter.row.0.to_be_bytes()]))?;
        cost(shelf, letter, u64::saturating_sub)?;
        return deliver(shelf, letter, meaning, number);
    }
    let with = Conversation::of_letter(letter).key();
    let told = Told::of_letter(letter, meaning);
    if is_unshown(shelf, letter.row)? {
        let mark = sameness::name_of(shelf, &with, letter.row, &letter.id, told.words.same)?;
        return sameness::is_forgotten(shelf, &with, &mark, &letter.source)
            .map(|is_forgotten| if is_forgotten { vec![letter.row] } else { Vec::new() });
    }
    // What turns out to be about something else is read where it stands no more.
    let is_about_another = matches!(meaning, Meaning::App(_));
    if !is_about_another && let Some(mark) = sameness::renew(shelf, &with, &told)? {
        beside(shelf, &with, &mark, letter.row, meaning)?;
        let is_forgotten = sameness::is_forgotten(shelf, &with, &mark, &letter.source)?;
        return ask(shelf, letter, &mark, meaning, if is_forgotten { vec![letter.row] } else { Vec::new() });
    }
    conversation::leave(shelf, letter)?;
    order::remove(shelf, letter)?;
    sameness::leave(shelf, &with, &letter.id, letter.row, Place::Goes)?;
    due::leave(shelf, letter.row)?;
    threads::leave(shelf, letter.row)?;
    ending::leave(shelf, letter.row)?;
    cost(shelf, letter, u64::saturating_sub)?;
    deliver(shelf, letter, meaning, number)
}

/// That what is shown at a row may be a task, has files beside it, and stands in a thread.
fn beside<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark, row: Row, meaning: &Meaning) -> Result<(), S::Error> {
    let Meaning::Words(words) = meaning else { return Ok(()) };
    if words.is_task {
        shelf.put(&key([&[TASK], with, mark]), &[])?;
    }
    if words.has_app {
        shelf.put(&key([&[APP], with, mark]), &[])?;
    }
    if words.has_files {
        shelf.put(&key([&[FILES], &row.0.to_be_bytes()]), &key([mark, with]))?;
    }
    threads::come(shelf, with, row, meaning)
}

/// A change came, or was made here.
fn change<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row): (BundleId, Row),
    amendment: &Amendment,
) -> Result<Vec<Row>, S::Error> {
    let target = sameness::resolve(shelf, with, &amendment.target)?;
    let amendment = &Amendment { target, ..amendment.clone() };
    hide(shelf, row, Unshown::Change, &target, with)?;
    if !registers::put(shelf, with, author, (id, row), amendment)? {
        return Ok(Vec::new());
    }
    if amendment.task.is_some() {
        shelf.put(&key([&[TASK], with, &target]), &[])?;
    }
    match Kept::find(shelf, with, &target)? {
        Some(kept) if kept.author == author => sameness::forgotten(shelf, with, &target, &kept),
        _ => Ok(Vec::new()),
    }
}

/// An update of an app came, or was made here, with the event of this number; says whether the conversation has a line of it.
fn tell_app<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row, event): (BundleId, Row, u64),
    update: &apps::Update,
) -> Result<bool, S::Error> {
    let target = sameness::resolve(shelf, with, &update.target)?;
    let mut update = update.clone();
    update.target = target;
    let is_heard = apps::put(shelf, with, author, (id, row, event), &update)?;
    let has_line = is_heard && update.says_info();
    hide(shelf, row, if has_line { Unshown::Line } else { Unshown::Update }, &target, with)?;
    Ok(has_line)
}

/// Forgets a row that is read nowhere; says whether it was one, and of what is there once more the row it is shown at.
fn unhide<S: ShelfMut>(shelf: &mut S, row: Row, id: &BundleId) -> Result<Option<Option<Row>>, S::Error> {
    let unshown = key([&[UNSHOWN], &row.0.to_be_bytes()]);
    let Some(value) = shelf.get(&unshown)? else { return Ok(None) };
    shelf.remove(&unshown)?;
    let (mark, with) = (part::<16>(&value, 1), value.get(17..).unwrap_or_default());
    if is_any(&value, [Unshown::Silent, Unshown::Sealed]) {
        shelf.remove(&key([&[ASKED], &row.0.to_be_bytes()]))?;
        return Ok(Some(None));
    }
    if value.first() == Some(&(Unshown::Change as u8)) {
        registers::remove(shelf, with, &mark, id)?;
        return Ok(Some(None));
    }
    if is_any(&value, [Unshown::Update, Unshown::Line]) {
        apps::remove(shelf, with, &mark, id)?;
        return Ok(Some(None));
    }
    sameness::leave_again(shelf, with, &mark, id, row).map(Some)
}

/// The row at which it is read what stands at this one: itself, or where it was there first; none of a change.
pub fn shown_at<S: Shelf>(shelf: &S, row: Row) -> Result<Option<Row>, S::Error> {
    let Some(value) = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))? else { return Ok(Some(row)) };
    if value.first() != Some(&(Unshown::Again as u8)) {
        return Ok(None);
    }
    let (mark, with) = (part::<16>(&value, 1), value.get(17..).unwrap_or_default());
    Ok(Kept::find(shelf, with, &mark)?.map(|kept| kept.row))
}

/// Who wrote content, and the row it is shown at.
pub fn written<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<Option<(NodeId, Row)>, S::Error> {
    let with = with.key();
    let mark = sameness::resolve(shelf, &with, mark)?;
    Ok(Kept::find(shelf, &with, &mark)?.map(|kept| (kept.author, kept.row)))
}

/// How content is named that is at a row, whatever it says to be.
pub fn name_of<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    row: Row,
    id: &BundleId,
    same: Option<Mark>,
) -> Result<Mark, S::Error> {
    sameness::name_of(shelf, &with.key(), row, id, same)
}

/// The registers of content that an author wrote; none where the name is of another's content, which any text may claim to
/// be once more: nobody else's reactions are shown beside it.
pub fn registers<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    mark: &Mark,
    author: &NodeId,
) -> Result<Registers, S::Error> {
    let with = with.key();
    let mark = sameness::resolve(shelf, &with, mark)?;
    match Kept::find(shelf, &with, &mark)? {
        Some(kept) if kept.author != *author => Ok(Registers::default()),
        Some(kept) if !kept.is_empty => Ok(registers::of(shelf, &with, &mark, author)?.shown_with(kept.likeness.words)),
        _ => registers::of(shelf, &with, &mark, author),
    }
}

/// What is to be remembered of a row with content that the person deletes, so that it stays deleted when it comes again: its
/// name, whether anything of that name is meant, and the rows of changes that put other words there.
pub fn grave<S: Shelf>(shelf: &S, letter: &Letter, words: &Words) -> Result<Grave, S::Error> {
    let with = Conversation::of_letter(letter).key();
    let mark = sameness::name_of(shelf, &with, letter.row, &letter.id, words.same)?;
    let registers = registers::of(shelf, &with, &mark, &letter.source)?;
    let whole = registers.is_withdrawn() || ending::is_gone_of(shelf, &with, &mark, &letter.source)?;
    Ok(Grave { mark, whole, edits: registers.edits() })
}

/// See [`grave`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grave {
    pub mark: Mark,
    pub whole: bool,
    pub edits: Vec<Row>,
}

/// How many updates there are of an app, and how many of them are an author's.
pub fn app_sums<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    mark: &Mark,
    author: &NodeId,
) -> Result<(apps::Sum, apps::Sum), S::Error> {
    apps::sums(shelf, &with.key(), mark, author)
}

/// Whether an app hears an update of this author and id.
pub fn app_hears<S: Shelf>(
    shelf: &S,
    with: &Conversation,
    target: &Mark,
    author: &NodeId,
    id: &BundleId,
) -> Result<bool, S::Error> {
    let with = with.key();
    let target = sameness::resolve(shelf, &with, target)?;
    apps::hears(shelf, &with, &target, author, id)
}

/// The updates of an app.
pub fn app_updates<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<apps::Updates, S::Error> {
    apps::updates(shelf, &with.key(), mark)
}

/// An id was delivered once; its row may be gone.
pub fn remember<S: ShelfMut>(shelf: &mut S, mark: [u8; 16], row: Row) -> Result<(), S::Error> {
    shelf.put(&key([&[ID], &mark]), &row.0.to_be_bytes())
}

/// The person deleted a row; its id is remembered.
pub fn discard<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    cost(shelf, letter, u64::saturating_sub)?;
    ending::leave(shelf, letter.row)?;
    if has_line(shelf, letter.row)? {
        conversation::leave(shelf, letter)?;
    }
    if unhide(shelf, letter.row, &letter.id)?.is_some() {
        return Ok(());
    }
    sameness::leave(shelf, &Conversation::of_letter(letter).key(), &letter.id, letter.row, Place::Goes)?;
    due::leave(shelf, letter.row)?;
    threads::leave(shelf, letter.row)?;
    conversation::leave(shelf, letter)?;
    order::remove(shelf, letter)
}

fn cost<S: ShelfMut>(shelf: &mut S, letter: &Letter, change: fn(u64, u64) -> u64) -> Result<(), S::Error> {
    let key = key([&[COST], letter.source.as_bytes(), letter.from.as_bytes()]);
    let before = shelf.get(&key)?.map_or(0, |bytes| number(&bytes, 0));
    match change(before, cost_bytes(letter.size_bytes)) {
        0 => shelf.remove(&key),
        bytes => shelf.put(&key, &bytes.to_be_bytes()),
    }
}

/// The words of a row of the inbox were forgotten: there is nothing left to be read.
pub fn empty<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    if is_unshown(shelf, letter.row)? { Ok(()) } else { conversation::mark(shelf, letter, true) }
}

/// A row of the inbox was read, or is unread again.
pub fn mark<S: ShelfMut>(shelf: &mut S, before: &Letter, marks: Marks) -> Result<(), S::Error> {
    let is_same = before.read == marks.read || is_unshown(shelf, before.row)?;
    if is_same { Ok(()) } else { conversation::mark(shelf, before, marks.read) }
}

/// One's own message was queued that means so, and has this number; the rest is as with what is delivered.
pub fn post<S: ShelfMut>(
    shelf: &mut S,
    outgoing: &Outgoing,
    meaning: &Meaning,
    number: u64,
) -> Result<Vec<Row>, S::Error> {
    // What an app says by itself nobody looks for among what they wrote.
    if !meaning.is_silent() && !matches!(meaning, Meaning::App(_)) {
        shelf.put(&Written::of(outgoing).key(), &[])?;
    }
    if !outgoing.is_settled() {
        shelf.put(&key([&[ON_WAY], &outgoing.id.0]), &[])?;
    }
    // A note to oneself is taken in as it comes.
    let Some((with, row)) = conversation::own(outgoing) else { return Ok(Vec::new()) };
    let author = outgoing.source.unwrap_or(NodeId::from_trusted([0; 32]));
    if let Meaning::Change(amendment) = meaning {
        return change(shelf, &with, author, (outgoing.id, row), amendment);
    }
    if let Meaning::App(update) = meaning {
        if tell_app(shelf, &with, author, (outgoing.id, row, number), update)? {
            conversation::say(shelf, outgoing, number)?;
        }
        return Ok(Vec::new());
    }
    if meaning.is_silent() {
        if matches!(meaning, Meaning::Part) {
            shelf.put(&key([&[PARTS], &outgoing.id.0]), &[])?;
        }
        hide(shelf, row, Unshown::Silent, &Letter::mark_of(&outgoing.id), &with)?;
        return Ok(Vec::new());
    }
    let told = Told::of_own(outgoing, author, row, meaning);
    let Settled { mark, again, forgotten } = sameness::settle(shelf, &with, &told)?;
    if let Some(shown_at) = again {
        hide(shelf, row, Unshown::Again, &mark, &with)?;
        conversation::say_again(shelf, outgoing, shown_at, number)?;
        ending::say(shelf, outgoing, (&with, row), &mark, meaning)?;
        return Ok(forgotten);
    }
    conversation::say(shelf, outgoing, number)?;
    due::say(shelf, row, meaning)?;
    ending::say(shelf, outgoing, (&with, row), &mark, meaning)?;
    beside(shelf, &with, &mark, row, meaning)?;
    Ok(forgotten)
}

/// Its fate is known.
pub fn settle<S: ShelfMut>(shelf: &mut S, id: &BundleId) -> Result<(), S::Error> {
    shelf.remove(&key([&[ON_WAY], &id.0]))
}

/// Its record was dropped.
pub fn unpost<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing) -> Result<(), S::Error> {
    shelf.remove(&Written::of(outgoing).key())?;
    shelf.remove(&key([&[PARTS], &outgoing.id.0]))?;
    settle(shelf, &outgoing.id)?;
    let Some((with, row)) = conversation::own(outgoing) else { return Ok(()) };
    ending::leave(shelf, row)?;
    if has_line(shelf, row)? {
        conversation::unsay(shelf, outgoing, row)?;
    }
    match unhide(shelf, row, &outgoing.id)? {
        Some(None) => Ok(()),
        Some(Some(shown_at)) => unsay(shelf, outgoing, shown_at),
        None => {
            sameness::leave(shelf, &with, &outgoing.id, row, Place::Stays)?;
            due::leave(shelf, row)?;
            unsay(shelf, outgoing, row)
        }
    }
}

/// One's own words are deleted; where the same are read on at their row, they stand in their thread as before.
fn unsay<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing, at: Row) -> Result<(), S::Error> {
    conversation::unsay(shelf, outgoing, at)?;
    if conversation::is_said(shelf, outgoing, at)? { Ok(()) } else { threads::leave(shelf, at) }
}

/// The row an id was delivered in.
pub fn row_of<S: Shelf>(shelf: &S, id: &BundleId) -> Result<Option<Row>, S::Error> {
    let row = shelf.get(&key([&[ID], &Letter::mark_of(id)]))?;
    Ok(row.map(|row| Row(number(&row, 0))))
}

/// The rows of delivered ids that may begin so, in the order of the ids: at most so many, some of them deleted.
pub fn rows_like<S: Shelf>(shelf: &S, prefix: &IdPrefix, many: usize) -> Result<Vec<Row>, S::Error> {
    let range = prefix.range();
    let from = key([&[ID], &Letter::mark_of(range.start())]);
    let to = behind(&key([&[ID], &Letter::mark_of(range.end())]));
    let mut rows = Vec::new();
    shelf.walk(&from, &to, &mut |_, row| {
        rows.push(Row(number(row, 0)));
        if rows.len() < many { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(rows)
}

/// Bytes that rows cost, by source and by who handed them over.
pub fn costs<S: Shelf>(shelf: &S) -> Result<BTreeMap<(NodeId, NodeId), u64>, S::Error> {
    let mut costs = BTreeMap::new();
    shelf.walk(&[COST], &[COST + 1], &mut |key, bytes| {
        let (source, from) = (NodeId::from_trusted(part(key, 1)), NodeId::from_trusted(part(key, 33)));
        costs.insert((source, from), number(bytes, 0));
        ControlFlow::Continue(())
    })?;
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Creation;
    use crate::content::{AppUpdate, Reaction};
    use crate::eid::Eid;
    use crate::mail::conversation::Said;
    use crate::mail::order::Span;
    use crate::mail::samples::{letter, node, outgoing};

    #[test]
    fn a_text_that_claims_to_be_another_s_gets_none_of_its_reactions() {
        let [alice, bob] = [1, 2].map(|n| NodeId::from_trusted([n; 32]));
        let (mut shelf, with, mark) = (BTreeMap::new(), Conversation(Eid::mail(bob)), [3; 16]);
        let place = |n: u8| (BundleId([n; 32]), Row(n.into()));
        let (id, row) = place(3);
        let told = Told { author: alice, id, row, creation: Creation::default(), words: Words::default() };
        sameness::settle(&mut shelf, &with.key(), &told).unwrap();
        let reaction = Some(Reaction { text: "yes".into(), on: true });
        let amendment = Amendment { target: mark, reaction, ..Amendment::default() };
        change(&mut shelf, &with.key(), alice, place(4), &amendment).unwrap();
        assert!(!registers(&shelf, &with, &mark, &alice).unwrap().is_empty());
        assert!(registers(&shelf, &with, &mark, &bob).unwrap().is_empty());
    }

    /// A third of what is heard of one author, and a little more, with a line for the conversation.
    fn large(target: Mark) -> Meaning {
        let update = AppUpdate { target, payload: "1".into(), info: Some("moved".into()), ..AppUpdate::default() };
        Meaning::App(apps::Update::of(&update, 3 << 20))
    }

    fn lines(shelf: &BTreeMap<Vec<u8>, Vec<u8>>) -> (Vec<u64>, u64) {
        let with = Conversation(Eid::mail(node(1)));
        let said = conversation::spoken(shelf, &with, Span::ALL, false, 99).unwrap();
        let rows = said.into_iter().map(|(position, Said { .. })| position.row().0).collect();
        (rows, conversation::of(shelf, &with).unwrap().map_or(0, |counts| counts.rows))
    }

    #[test]
    fn an_update_that_is_heard_no_more_has_no_line_either() {
        let mut shelf = BTreeMap::new();
        let with = Conversation(Eid::mail(node(1)));
        for row in [3, 2, 1] {
            deliver(&mut shelf, &letter(row, 1), &large([7; 16]), row).unwrap();
        }
        let heard = |shelf: &_| app_updates(shelf, &with, &[7; 16]).unwrap().all().len() as u64;
        assert_eq!((lines(&shelf), heard(&shelf)), ((vec![1, 2], 2), 2));
        // So it is with one's own.
        for row in [13, 12, 11] {
            post(&mut shelf, &outgoing(row), &large([7; 16]), row).unwrap();
        }
        assert_eq!((lines(&shelf), heard(&shelf)), ((vec![1, 2, 11, 12], 4), 4));
        for row in [3, 2, 1] {
            discard(&mut shelf, &letter(row, 1)).unwrap();
            unpost(&mut shelf, &outgoing(row + 10)).unwrap();
        }
        let left: Vec<u8> = shelf.keys().map(|key| key[0]).collect();
        assert_eq!(left, [ID; 3], "nothing stays of what is deleted but that it was here");
    }
}

//! Messages that are to be forgotten once they were read: when their time begins, when it is over, and what goes then.
//!
//! What came is forgotten so long after it was first shown; one's own so long after it was delivered, and with the end of its
//! life in any case. The store says when something was shown, for that follows from nothing else ([`super::kept`]); the rest
//! follows from the record.
//!
//! | key | value | |
//! |---|---|---|
//! | `ENDING`, row | end: elapsed 8, wall 8, both 0 before it has begun; span 8, id 32, mark 16, conversation | what is there of it |
//! | `ENDS`, 0, elapsed, row | | ends in their order |
//! | `ENDS`, 1, wall, row | | the same by the wall clock, where one was trusted |
//! | `GONE`, conversation, mark | | content that was forgotten |
//!
//! A time is over once either clock says so: a home that was off learns from the wall clock alone how long that was, and of
//! what is to go doubt keeps nothing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::conversation::Conversation;
use super::entries::{ENDING, ENDS, GONE, TASK, key, number, part};
use super::meaning::{Meaning, Words};
use super::sameness::Kept;
use super::shelf::{Shelf, ShelfMut};
use super::{due, registers};
use crate::agent::change::{EvidenceKind, Letter, Outgoing, Row};
use crate::content::Mark;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis, Moment, Timestamp};

const ELAPSED: u8 = 0;
const WALL: u8 = 1;

/// When what was shown at a moment is over.
pub fn end_of_shown(shown: Moment, span: Millis) -> Moment {
    later(shown, span)
}

/// When one's own copy is over.
pub fn end_of_own(outgoing: &Outgoing, span: Millis) -> Moment {
    let life = later(outgoing.created, outgoing.lifetime);
    let life = Moment { now: outgoing.expires, ..life };
    let arrived = |what| matches!(what, EvidenceKind::Delivered | EvidenceKind::Read);
    let delivered = outgoing.evidence.iter().find(|evidence| arrived(evidence.what));
    let Some(end) = delivered.map(|evidence| later(evidence.at, span)) else { return life };
    let wall = match (end.wall.0, life.wall.0) {
        (0, wall) | (wall, 0) => wall,
        (end, life) => end.min(life),
    };
    Moment { now: end.now.min(life.now), wall: DtnTime(wall) }
}

/// Whether an end is over, by either clock.
pub fn is_over(end: Moment, at: Moment) -> bool {
    let by_wall = end.wall.0 != 0 && at.trusted_wall().is_some_and(|wall| end.wall <= wall);
    end.now <= at.now || by_wall
}

fn later(from: Moment, span: Millis) -> Moment {
    let wall = from.trusted_wall().map_or(0, |wall| wall.0.saturating_add(span.0));
    Moment { now: from.now + span, wall: DtnTime(wall) }
}

/// What is known of a row that is to be forgotten.
struct Ending {
    /// None before it has begun.
    end: Option<Moment>,
    span: Millis,
    id: BundleId,
    mark: Mark,
    with: Vec<u8>,
}

impl Ending {
    fn write(&self) -> Vec<u8> {
        let Moment { now, wall } = self.end.unwrap_or_default();
        let numbers = [now.0, wall.0, self.span.0].map(u64::to_be_bytes);
        key([&numbers.concat(), &self.id.0, &self.mark, &self.with])
    }

    fn read(value: &[u8]) -> Ending {
        let end = Moment { now: Timestamp(number(value, 0)), wall: DtnTime(number(value, 8)) };
        Ending {
            end: Some(end).filter(|end| *end != Moment::default()),
            span: Millis(number(value, 16)),
            id: BundleId(part(value, 24)),
            mark: part(value, 56),
            with: value.get(72..).unwrap_or_default().to_vec(),
        }
    }

    fn find<S: Shelf>(shelf: &S, row: Row) -> Result<Option<Ending>, S::Error> {
        Ok(shelf.get(&of_row(row))?.map(|value| Ending::read(&value)))
    }

    /// The keys at which its end stands in order.
    fn places(&self, row: Row) -> Vec<Vec<u8>> {
        let Some(Moment { now, wall }) = self.end else { return Vec::new() };
        let place = |clock: u8, time: u64| key([&[ENDS, clock], &time.to_be_bytes(), &row.0.to_be_bytes()]);
        let by_wall = (wall.0 != 0).then(|| place(WALL, wall.0));
        [place(ELAPSED, now.0)].into_iter().chain(by_wall).collect()
    }
}

fn of_row(row: Row) -> Vec<u8> {
    key([&[ENDING], &row.0.to_be_bytes()])
}

fn put<S: ShelfMut>(shelf: &mut S, row: Row, ending: &Ending) -> Result<(), S::Error> {
    leave(shelf, row)?;
    for place in ending.places(row) {
        shelf.put(&place, &[])?;
    }
    shelf.put(&of_row(row), &ending.write())
}

/// What stood at a row is deleted, or its end is another.
pub(super) fn leave<S: ShelfMut>(shelf: &mut S, row: Row) -> Result<(), S::Error> {
    let Some(ending) = Ending::find(shelf, row)? else { return Ok(()) };
    for place in ending.places(row) {
        shelf.remove(&place)?;
    }
    shelf.remove(&of_row(row))
}

/// A message came that has content of this name, which may be forgotten already, and means so.
pub(super) fn come<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    mark: &Mark,
    meaning: &Meaning,
) -> Result<(), S::Error> {
    let Meaning::Words(Words { after_read: Some(span), .. }) = meaning else { return Ok(()) };
    let (with, mark) = (Conversation::of_letter(letter).key(), *mark);
    if is_gone_of(shelf, &with, &mark, &letter.source)? {
        return Ok(());
    }
    put(shelf, letter.row, &Ending { end: None, span: *span, id: letter.id, mark, with })
}

/// The same of one's own words at a row.
pub(super) fn say<S: ShelfMut>(
    shelf: &mut S,
    outgoing: &Outgoing,
    (with, row): (&[u8], Row),
    mark: &Mark,
    meaning: &Meaning,
) -> Result<(), S::Error> {
    let Meaning::Words(Words { after_read: Some(span), .. }) = meaning else { return Ok(()) };
    let (id, mark, author) = (outgoing.id, *mark, author_of(outgoing));
    if is_gone_of(shelf, with, &mark, &author)? {
        return Ok(());
    }
    let end = Some(end_of_own(outgoing, *span));
    put(shelf, row, &Ending { end, span: *span, id, mark, with: with.to_vec() })
}

/// More is known of what became of one's own message.
pub fn attest<S: ShelfMut>(shelf: &mut S, outgoing: &Outgoing) -> Result<(), S::Error> {
    let Some(row) = outgoing.row else { return Ok(()) };
    let Some(ending) = Ending::find(shelf, row)?.filter(|ending| ending.id == outgoing.id) else { return Ok(()) };
    let end = Some(end_of_own(outgoing, ending.span));
    if end == ending.end { Ok(()) } else { put(shelf, row, &Ending { end, ..ending }) }
}

/// What stands at a row was first shown at a moment.
pub fn show<S: ShelfMut>(shelf: &mut S, row: Row, at: Moment) -> Result<(), S::Error> {
    match Ending::find(shelf, row)?.filter(|ending| ending.end.is_none()) {
        Some(ending) => put(shelf, row, &Ending { end: Some(end_of_shown(at, ending.span)), ..ending }),
        None => Ok(()),
    }
}

/// What is forgotten with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    pub id: BundleId,
    /// How changes name it.
    pub mark: Mark,
    /// Where its words are, and those that were put in their place.
    pub rows: Vec<Row>,
}

/// The time of a row is over; none where nothing there was to be forgotten.
pub fn forget<S: ShelfMut>(shelf: &mut S, row: Row) -> Result<Option<Forgotten>, S::Error> {
    let Some(Ending { id, mark, with, .. }) = Ending::find(shelf, row)? else { return Ok(None) };
    let kept = Kept::find(shelf, &with, &mark)?;
    let nothing_is_here = kept.is_none();
    // A name may be that of another's content.
    let kept = kept.filter(|kept| kept.rows().contains(&row));
    let mut rows = BTreeSet::from([row]);
    if let Some(kept) = &kept {
        rows.extend(kept.rows());
        rows.extend(registers::of(shelf, &with, &mark, &kept.author)?.bodies());
    }
    // The first bundle with it may have been deleted.
    if kept.is_some() || nothing_is_here {
        shelf.put(&key([&[GONE], &with, &mark]), &[])?;
        shelf.remove(&key([&[TASK], &with, &mark]))?;
    }
    for row in &rows {
        due::withdraw(shelf, *row)?;
        leave(shelf, *row)?;
    }
    Ok(Some(Forgotten { id, mark, rows: rows.into_iter().collect() }))
}

/// Whether content was forgotten.
pub fn is_gone<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<bool, S::Error> {
    is_gone_at(shelf, &with.key(), mark)
}

fn is_gone_at<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark) -> Result<bool, S::Error> {
    Ok(shelf.get(&key([&[GONE], with, mark]))?.is_some())
}

/// The same of what this author wrote.
pub(super) fn is_gone_of<S: Shelf>(shelf: &S, with: &[u8], mark: &Mark, author: &NodeId) -> Result<bool, S::Error> {
    if !is_gone_at(shelf, with, mark)? {
        return Ok(false);
    }
    Ok(Kept::find(shelf, with, mark)?.is_some_and(|kept| kept.author == *author))
}

/// Nothing is here of content any more, not even that it was forgotten.
pub(super) fn leave_content<S: ShelfMut>(shelf: &mut S, with: &[u8], mark: &Mark) -> Result<(), S::Error> {
    shelf.remove(&key([&[GONE], with, mark]))
}

/// Rows whose time is over: at most so many.
pub fn over<S: Shelf>(shelf: &S, at: Moment, many: usize) -> Result<Vec<Row>, S::Error> {
    let mut rows = BTreeSet::new();
    let wall = at.trusted_wall().unwrap_or_default();
    for (clock, now) in [(ELAPSED, at.now.0), (WALL, wall.0)] {
        let to = key([&[ENDS, clock], &now.saturating_add(1).to_be_bytes()]);
        shelf.walk(&[ENDS, clock], &to, &mut |key, _| {
            if rows.len() >= many {
                return ControlFlow::Break(());
            }
            rows.insert(Row(number(key, 10)));
            ControlFlow::Continue(())
        })?;
    }
    Ok(rows.into_iter().collect())
}

/// How long it is until the next time is over, by the clock that says so first.
pub fn next<S: Shelf>(shelf: &S, at: Moment) -> Result<Option<Millis>, S::Error> {
    let mut next: Option<Millis> = None;
    let wall = at.trusted_wall().map(|wall| wall.0);
    for (clock, now) in [(ELAPSED, Some(at.now.0)), (WALL, wall)] {
        let Some(now) = now else { continue };
        shelf.walk(&[ENDS, clock], &[ENDS, clock + 1], &mut |key, _| {
            let left = Millis(number(key, 2).saturating_sub(now));
            next = Some(next.map_or(left, |next| next.min(left)));
            ControlFlow::Break(())
        })?;
    }
    Ok(next)
}

fn author_of(outgoing: &Outgoing) -> NodeId {
    outgoing.source.unwrap_or(NodeId::from_trusted([0; 32]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::agent::change::Evidence;
    use crate::content::Amendment;
    use crate::eid::Eid;
    use crate::mail::index;
    use crate::mail::samples::{self, node};
    use crate::time::BUILD_DATE;

    type Index = BTreeMap<Vec<u8>, Vec<u8>>;

    const SPAN: Millis = Millis(10);

    fn at(now: u64) -> Moment {
        Moment { now: Timestamp(now), wall: DtnTime(BUILD_DATE.0 + now) }
    }

    fn letter(row: u64) -> Letter {
        samples::letter(row, 1)
    }

    fn outgoing(row: u64) -> Outgoing {
        Outgoing { created: at(0), lifetime: Millis(100), expires: Timestamp(100), ..samples::outgoing(row) }
    }

    fn goes() -> Meaning {
        Meaning::Words(Words { after_read: Some(SPAN), ..Words::default() })
    }

    fn again(row: u64) -> Meaning {
        Meaning::Words(Words { after_read: Some(SPAN), same: Some([row as u8; 16]), ..Words::default() })
    }

    fn deliver(index: &mut Index, row: u64, meaning: &Meaning) -> Vec<u64> {
        numbers(index::deliver(index, &letter(row), meaning, 0).unwrap())
    }

    fn numbers(rows: Vec<Row>) -> Vec<u64> {
        rows.into_iter().map(|row| row.0).collect()
    }

    fn forgotten(index: &mut Index, row: u64) -> Vec<u64> {
        forget(index, Row(row)).unwrap().map_or(Vec::new(), |forgotten| numbers(forgotten.rows))
    }

    fn rows_over(index: &Index, at: Moment) -> Vec<u64> {
        numbers(over(index, at, 99).unwrap())
    }

    #[test]
    fn what_came_is_over_so_long_after_it_was_first_shown_by_either_clock() {
        let mut index = Index::new();
        deliver(&mut index, 1, &goes());
        assert_eq!((rows_over(&index, at(1_000)), next(&index, at(0)).unwrap()), (vec![], None), "nobody saw it");
        show(&mut index, Row(1), at(20)).unwrap();
        show(&mut index, Row(1), at(25)).unwrap();
        assert_eq!(next(&index, at(20)).unwrap(), Some(SPAN), "shown again it is shown before");
        assert_eq!((rows_over(&index, at(29)), rows_over(&index, at(30))), (vec![], vec![1]));
        let off = Moment { now: Timestamp(21), wall: at(30).wall };
        let set_back = Moment { now: Timestamp(30), wall: DtnTime(0) };
        assert_eq!((rows_over(&index, off), rows_over(&index, set_back)), (vec![1], vec![1]));
    }

    #[test]
    fn the_own_copy_is_over_so_long_after_it_arrived_and_at_the_end_of_its_life_in_any_case() {
        let mut index = Index::new();
        index::post(&mut index, &outgoing(1), &goes(), 0).unwrap();
        assert_eq!((rows_over(&index, at(99)), rows_over(&index, at(100))), (vec![], vec![1]));
        let delivered = |now| {
            let mut outgoing = outgoing(1);
            outgoing.attest(Evidence { at: at(now), what: EvidenceKind::Delivered, who: Some(node(1)) });
            outgoing
        };
        attest(&mut index, &delivered(40)).unwrap();
        assert_eq!((rows_over(&index, at(49)), rows_over(&index, at(50))), (vec![], vec![1]));
        assert_eq!(end_of_own(&delivered(95), SPAN), at(100));
    }

    #[test]
    fn what_is_over_goes_with_its_changes_and_stays_forgotten_when_it_comes_again_or_is_changed() {
        let mut index = Index::new();
        deliver(&mut index, 1, &goes());
        deliver(&mut index, 2, &again(1));
        let edit = |row| Amendment { target: [1; 16], body: Some(row), ..Amendment::default() };
        deliver(&mut index, 3, &Meaning::Change(edit("other words".into())));
        show(&mut index, Row(1), at(0)).unwrap();
        assert_eq!(forgotten(&mut index, 1), [1, 2, 3]);
        assert!(is_gone(&index, &Conversation(Eid::mail(node(1))), &[1; 16]).unwrap());
        assert_eq!((rows_over(&index, at(99)), next(&index, at(0)).unwrap()), (vec![], None));
        assert_eq!(deliver(&mut index, 4, &again(1)), [4], "it is there once more");
        let changed = deliver(&mut index, 5, &Meaning::Change(edit("and others".into())));
        assert!(changed.contains(&5), "{changed:?}");
        assert_eq!(forgotten(&mut index, 1), [0; 0], "once");
    }

    #[test]
    fn a_name_that_is_anothers_takes_nothing_of_theirs_along() {
        let mut index = Index::new();
        deliver(&mut index, 1, &goes());
        let other = Letter { source: node(2), ..letter(2) };
        index::deliver(&mut index, &other, &again(1), 0).unwrap();
        show(&mut index, Row(2), at(0)).unwrap();
        assert_eq!(forgotten(&mut index, 2), [2]);
        show(&mut index, Row(1), at(0)).unwrap();
        assert_eq!(forgotten(&mut index, 1), [1]);
    }

    #[test]
    fn what_was_withdrawn_does_not_come_back_with_what_is_there_once_more() {
        let mut index = Index::new();
        deliver(&mut index, 1, &goes());
        let withdrawn = Amendment { target: [1; 16], withdrawn: true, ..Amendment::default() };
        deliver(&mut index, 2, &Meaning::Change(withdrawn));
        assert_eq!(deliver(&mut index, 3, &again(1)), [3]);
    }

    /// What happens to rows of the inbox, whose number is small.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Deliver,
        Show(u64),
        Forget,
        Discard,
    }

    fn any_act() -> impl Strategy<Value = Act> {
        prop_oneof![Just(Act::Deliver), (0..50u64).prop_map(Act::Show), Just(Act::Forget), Just(Act::Discard)]
    }

    proptest! {
        #[test]
        fn the_order_of_ends_is_that_of_what_was_shown_and_an_index_made_anew_is_the_same(
            acts in prop::collection::vec((1..6u64, any_act()), 0..40),
            now in 0..80u64,
        ) {
            let mut index = Index::new();
            // What is kept: whether it is there, when it was shown, whether it is gone.
            let mut kept: BTreeMap<u64, (Option<u64>, bool)> = BTreeMap::new();
            for (row, act) in acts {
                match (act, kept.contains_key(&row)) {
                    (Act::Deliver, false) => {
                        deliver(&mut index, row, &goes());
                        kept.insert(row, (None, false));
                    }
                    (Act::Show(then), true) => {
                        show(&mut index, Row(row), at(then)).unwrap();
                        let (shown, gone) = kept.get_mut(&row).unwrap();
                        if !*gone {
                            shown.get_or_insert(then);
                        }
                    }
                    (Act::Forget, true) => {
                        let first = !kept[&row].1;
                        prop_assert_eq!(forgotten(&mut index, row), if first { vec![row] } else { vec![] });
                        kept.get_mut(&row).unwrap().1 = true;
                    }
                    (Act::Discard, true) => {
                        index::discard(&mut index, &letter(row)).unwrap();
                        kept.remove(&row);
                    }
                    _ => {}
                }
                let expected: Vec<u64> = kept
                    .iter()
                    .filter(|(_, (shown, gone))| !gone && shown.is_some_and(|shown| shown + SPAN.0 <= now))
                    .map(|(row, _)| *row)
                    .collect();
                prop_assert_eq!(rows_over(&index, at(now)), expected);
            }
            let mut anew = Index::new();
            for row in kept.keys() {
                deliver(&mut anew, *row, &goes());
            }
            for (row, (shown, gone)) in &kept {
                shown.iter().for_each(|shown| show(&mut anew, Row(*row), at(*shown)).unwrap());
                gone.then(|| forgotten(&mut anew, *row));
            }
            let of = |index: &Index| -> Index {
                let ours = |key: &[u8]| [ENDING, ENDS, GONE].contains(&key[0]);
                index.iter().filter(|(key, _)| ours(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
            };
            prop_assert_eq!(of(&index), of(&anew));
        }
    }
}

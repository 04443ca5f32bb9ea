//! Messages that ask for an answer by some time, until one of one's own answers them.
//!
//! An answer names what it answers, which may come later, so both are kept apart and looked at together.

use std::ops::ControlFlow;

use super::entries::{ANSWERED, ANSWERS, DUE, behind, key, number, part};
use super::meaning::{Meaning, Words};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Row};
use crate::content::Mark;
use crate::time::DtnTime;

/// A message came that is shown at its row and means so. A note to oneself may be an answer too.
pub(super) fn come<S: ShelfMut>(shelf: &mut S, letter: &Letter, meaning: &Meaning) -> Result<(), S::Error> {
    let Meaning::Words(Words { reply_by: Some(by), .. }) = meaning else { return answered(shelf, letter, meaning) };
    let mark = Letter::mark_of(&letter.id);
    shelf.put(&key([&[DUE], &letter.row.0.to_be_bytes()]), &key([&by.0.to_be_bytes(), &mark]))?;
    answered(shelf, letter, meaning)
}

fn answered<S: ShelfMut>(shelf: &mut S, letter: &Letter, meaning: &Meaning) -> Result<(), S::Error> {
    let is_note = letter.destination.node == letter.source && !letter.destination.is_group();
    if is_note { say(shelf, letter.row, meaning) } else { Ok(()) }
}

/// One's own words were filed at a row, and mean so.
pub(super) fn say<S: ShelfMut>(shelf: &mut S, row: Row, meaning: &Meaning) -> Result<(), S::Error> {
    let Meaning::Words(Words { answers: Some(mark), .. }) = meaning else { return Ok(()) };
    shelf.put(&key([&[ANSWERED], mark, &row.0.to_be_bytes()]), &[])?;
    shelf.put(&key([&[ANSWERS], &row.0.to_be_bytes()]), mark)
}

/// What stood at a row is deleted.
pub(super) fn leave<S: ShelfMut>(shelf: &mut S, row: Row) -> Result<(), S::Error> {
    withdraw(shelf, row)?;
    let answers = key([&[ANSWERS], &row.0.to_be_bytes()]);
    let Some(mark) = shelf.get(&answers)? else { return Ok(()) };
    shelf.remove(&key([&[ANSWERED], &mark, &row.0.to_be_bytes()]))?;
    shelf.remove(&answers)
}

/// What stands at a row asks for nothing any more.
pub(super) fn withdraw<S: ShelfMut>(shelf: &mut S, row: Row) -> Result<(), S::Error> {
    shelf.remove(&key([&[DUE], &row.0.to_be_bytes()]))
}

/// Rows whose messages wait for an answer, each with the time by which it helps; the soonest first.
pub fn all<S: Shelf>(shelf: &S) -> Result<Vec<(DtnTime, Row)>, S::Error> {
    let mut asked: Vec<(DtnTime, Row, Mark)> = Vec::new();
    shelf.walk(&[DUE], &[DUE + 1], &mut |key, value| {
        asked.push((DtnTime(number(value, 0)), Row(number(key, 1)), part(value, 8)));
        ControlFlow::Continue(())
    })?;
    let mut due = Vec::new();
    for (by, row, mark) in asked {
        let start = key([&[ANSWERED], &mark]);
        let mut is_answered = false;
        shelf.walk(&start, &behind(&start), &mut |_, _| {
            is_answered = true;
            ControlFlow::Break(())
        })?;
        due.extend((!is_answered).then_some((by, row)));
    }
    due.sort_unstable();
    Ok(due)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::agent::change::Outgoing;
    use crate::content::Amendment;
    use crate::mail::index;
    use crate::mail::samples::{letter, outgoing};

    type Index = BTreeMap<Vec<u8>, Vec<u8>>;

    fn asks(by: u64) -> Meaning {
        Meaning::Words(Words { reply_by: Some(DtnTime(by)), ..Words::default() })
    }

    fn answers(row: u64) -> Meaning {
        Meaning::Words(Words { answers: Some([row as u8; 16]), ..Words::default() })
    }

    fn deliver(shelf: &mut Index, letter: &Letter, meaning: &Meaning) {
        index::deliver(shelf, letter, meaning, 0).unwrap();
    }

    fn post(shelf: &mut Index, sent: &Outgoing, meaning: &Meaning) {
        index::post(shelf, sent, meaning, 0).unwrap();
    }

    fn due(shelf: &Index) -> Vec<u64> {
        all(shelf).unwrap().into_iter().map(|(_, row)| row.0).collect()
    }

    #[test]
    fn what_asks_waits_soonest_first_until_it_is_answered_or_goes() {
        let mut shelf = Index::new();
        for (row, by) in [(1, 30), (2, 10), (3, 20)] {
            deliver(&mut shelf, &letter(row, 1), &asks(by));
        }
        deliver(&mut shelf, &letter(4, 1), &answers(2));
        assert_eq!(due(&shelf), [2, 3, 1], "another's answer is none of one's own");
        post(&mut shelf, &outgoing(5), &answers(2));
        assert_eq!(due(&shelf), [3, 1]);
        index::unpost(&mut shelf, &outgoing(5)).unwrap();
        assert_eq!(due(&shelf), [2, 3, 1]);
        index::discard(&mut shelf, &letter(3, 1)).unwrap();
        assert_eq!(due(&shelf), [2, 1]);
        let withdrawn = Amendment { target: [1; 16], withdrawn: true, ..Amendment::default() };
        deliver(&mut shelf, &letter(6, 1), &Meaning::Change(withdrawn));
        assert_eq!(due(&shelf), [2]);
    }

    #[test]
    fn an_answer_counts_also_where_it_was_there_first_and_so_does_a_withdrawal() {
        let mut shelf = Index::new();
        post(&mut shelf, &outgoing(5), &answers(1));
        let withdrawn = Amendment { target: [2; 16], withdrawn: true, ..Amendment::default() };
        deliver(&mut shelf, &letter(6, 1), &Meaning::Change(withdrawn));
        for row in [1, 2, 3] {
            deliver(&mut shelf, &letter(row, 1), &asks(30));
        }
        assert_eq!(due(&shelf), [3]);
    }

    #[test]
    fn a_note_is_answered_by_a_note_and_nothing_stays_of_what_was_deleted() {
        let mut shelf = Index::new();
        let (note, answer) = (letter(1, 9), letter(2, 9));
        deliver(&mut shelf, &note, &asks(30));
        assert_eq!(due(&shelf), [1]);
        deliver(&mut shelf, &answer, &answers(1));
        assert_eq!(due(&shelf), [0; 0]);
        for gone in [&answer, &note] {
            index::discard(&mut shelf, gone).unwrap();
        }
        let left: Vec<u8> = shelf.keys().map(|key| key[0]).collect();
        assert!(!left.iter().any(|start| [DUE, ANSWERED, ANSWERS].contains(start)), "{left:?}");
    }
}

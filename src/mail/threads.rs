//! Threads: what was said in each, by the first half of the id of the message that it began with.
//!
//! | key | value |
//! |---|---|
//! | `THREAD`, conversation, mark of the thread, row | |
//! | `THREADS`, conversation, mark of the thread | how many these are |
//! | `IN_THREAD`, row | mark of the thread, conversation |
//!
//! The first message names no thread and has no entry of its own: it may come last, or never. What was withdrawn stays, as its
//! row does.

use std::ops::ControlFlow;

use super::conversation::Conversation;
use super::entries::{IN_THREAD, THREAD, THREADS, behind, key, number};
use super::meaning::{Meaning, Words};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::Row;
use crate::content::Mark;

/// What means so is read at a row of a conversation.
pub(super) fn come<S: ShelfMut>(shelf: &mut S, with: &[u8], row: Row, meaning: &Meaning) -> Result<(), S::Error> {
    let Meaning::Words(Words { thread: Some(mark), .. }) = meaning else { return Ok(()) };
    leave(shelf, row)?;
    shelf.put(&key([&[THREAD], with, mark, &row.0.to_be_bytes()]), &[])?;
    change_count(shelf, with, mark, |many| many + 1)?;
    shelf.put(&key([&[IN_THREAD], &row.0.to_be_bytes()]), &key([mark, with]))
}

/// Nothing is read at a row any more.
pub(super) fn leave<S: ShelfMut>(shelf: &mut S, row: Row) -> Result<(), S::Error> {
    let place = key([&[IN_THREAD], &row.0.to_be_bytes()]);
    let Some(value) = shelf.get(&place)? else { return Ok(()) };
    let (mark, with) = value.split_at(value.len().min(16));
    shelf.remove(&key([&[THREAD], with, mark, &row.0.to_be_bytes()]))?;
    change_count(shelf, with, mark, |many| many.saturating_sub(1))?;
    shelf.remove(&place)
}

fn change_count<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    mark: &[u8],
    change: impl FnOnce(u64) -> u64,
) -> Result<(), S::Error> {
    let place = key([&[THREADS], with, mark]);
    match change(shelf.get(&place)?.map_or(0, |value| number(&value, 0))) {
        0 => shelf.remove(&place),
        many => shelf.put(&place, &many.to_be_bytes()),
    }
}

/// The rows of a thread but for its first message's, in the order in which they were filed.
pub fn rows<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<Vec<Row>, S::Error> {
    let start = key([&[THREAD], &with.key(), mark]);
    let mut rows = Vec::new();
    shelf.walk(&start, &behind(&start), &mut |key, _| {
        rows.push(Row(number(key, start.len())));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

/// How many they are.
pub fn count<S: Shelf>(shelf: &S, with: &Conversation, mark: &Mark) -> Result<u64, S::Error> {
    Ok(shelf.get(&key([&[THREADS], &with.key(), mark]))?.map_or(0, |value| number(&value, 0)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::agent::change::{Letter, Outgoing};
    use crate::content::Amendment;
    use crate::eid::Eid;
    use crate::mail::index;
    use crate::mail::samples::{letter, node, outgoing};

    type Index = BTreeMap<Vec<u8>, Vec<u8>>;

    fn with() -> Conversation {
        Conversation(Eid::mail(node(1)))
    }

    fn in_thread(of: u8) -> Meaning {
        Meaning::Words(Words { thread: Some([of; 16]), ..Words::default() })
    }

    fn deliver(shelf: &mut Index, letter: &Letter, meaning: &Meaning) {
        index::deliver(shelf, letter, meaning, 0).unwrap();
    }

    fn post(shelf: &mut Index, sent: &Outgoing, meaning: &Meaning) {
        index::post(shelf, sent, meaning, 0).unwrap();
    }

    fn said(shelf: &Index, of: u8) -> Vec<u64> {
        let rows: Vec<u64> = rows(shelf, &with(), &[of; 16]).unwrap().into_iter().map(|row| row.0).collect();
        assert_eq!(count(shelf, &with(), &[of; 16]).unwrap(), rows.len() as u64);
        rows
    }

    #[test]
    fn both_sides_stand_in_a_thread_whether_or_not_its_first_message_is_here() {
        let mut shelf = Index::new();
        deliver(&mut shelf, &letter(2, 1), &in_thread(1));
        post(&mut shelf, &outgoing(3), &in_thread(1));
        deliver(&mut shelf, &letter(4, 1), &in_thread(7));
        deliver(&mut shelf, &letter(5, 2), &in_thread(1));
        assert_eq!(said(&shelf, 1), [2, 3], "another conversation's is another thread");
        deliver(&mut shelf, &letter(1, 1), &Meaning::Words(Words::default()));
        assert_eq!(said(&shelf, 1), [2, 3]);
        assert_eq!(said(&shelf, 7), [4]);
        let withdrawn = Amendment { target: [2; 16], withdrawn: true, ..Amendment::default() };
        deliver(&mut shelf, &letter(6, 1), &Meaning::Change(withdrawn));
        assert_eq!(said(&shelf, 1), [2, 3], "that something was said there stays");
    }

    #[test]
    fn nothing_stays_of_what_was_deleted() {
        let mut shelf = Index::new();
        deliver(&mut shelf, &letter(2, 1), &in_thread(1));
        post(&mut shelf, &outgoing(3), &in_thread(1));
        index::discard(&mut shelf, &letter(2, 1)).unwrap();
        assert_eq!(said(&shelf, 1), [3]);
        index::unpost(&mut shelf, &outgoing(3)).unwrap();
        assert_eq!(said(&shelf, 1), [0; 0]);
        let left: Vec<u8> = shelf.keys().map(|key| key[0]).collect();
        assert!(!left.iter().any(|start| [THREAD, THREADS, IN_THREAD].contains(start)), "{left:?}");
    }

    #[test]
    fn what_was_sealed_stands_there_once_it_was_opened() {
        let mut shelf = Index::new();
        deliver(&mut shelf, &letter(2, 1), &Meaning::Hidden);
        assert_eq!(said(&shelf, 1), [0; 0]);
        index::open(&mut shelf, &letter(2, 1), &in_thread(1), 0).unwrap();
        assert_eq!(said(&shelf, 1), [2]);
    }

    #[test]
    fn what_is_sent_anew_is_said_once_and_stays_as_long_as_it_is_read() {
        let mut shelf = Index::new();
        let again = Meaning::Words(Words { thread: Some([1; 16]), same: Some([3; 16]), ..Words::default() });
        post(&mut shelf, &outgoing(3), &in_thread(1));
        post(&mut shelf, &outgoing(4), &again);
        assert_eq!(said(&shelf, 1), [3]);
        index::unpost(&mut shelf, &outgoing(3)).unwrap();
        assert_eq!(said(&shelf, 1), [3], "the second is read at the place of the first");
        index::unpost(&mut shelf, &outgoing(4)).unwrap();
        assert_eq!(said(&shelf, 1), [0; 0]);
    }
}

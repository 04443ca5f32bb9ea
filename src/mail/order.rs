//! The order in which an inbox is read, defined here and nowhere else.
//!
//! Mail takes different ways and overtakes itself. Of one writer's letters their signed stamps tell which was written
//! first: the creation time, and within a millisecond the sequence number; a writer without a clock stamps no time, and
//! the number alone tells. Nothing tells it of letters by different writers, nor of those a writer stamped with and
//! without a clock, but the order of arrival. So:
//!
//! - a letter stands where it arrived, behind everything that was there, unless a letter that its writer wrote after it
//!   is there already: then it stands before that one, or before the first to arrive of several;
//! - letters that stand at one place are one writer's, in the order of their stamps; equal stamps, which only a writer
//!   that breaks the rules signs, in the order of arrival.
//!
//! A letter that arrives moves no other, and a stamp moves a letter only among its own writer's. Taken over all rows:
//! the place of a letter is the lowest row among those its writer stamped the same or later, and rows are read by
//! (place, stamp, row).

use std::ops::{Bound, ControlFlow, RangeBounds};

use super::conversation::{self, Conversation};
use super::entries::{AWAY, MOVED, STAMP, behind, key, number};
use super::shelf::{Shelf, ShelfMut};
use super::unshown::is_unshown;
use crate::agent::change::{Letter, Row};

/// Where a letter is read among all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    place: Row,
    stamp: Stamp,
}

/// Creation time, sequence number, and the row that tells even equal stamps apart.
type Stamp = (u64, u64, Row);

/// A letter comes; no row is lower than those before it, but nothing here depends on it.
pub fn insert<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    let later = next_later(shelf, letter)?;
    let place = later.map_or(letter.row, |place| place.min(letter.row));
    stand(shelf, letter, stamp(letter), place, &Conversation::of_letter(letter).key())?;
    replace_before(shelf, letter, place)
}

pub fn remove<S: ShelfMut>(shelf: &mut S, letter: &Letter) -> Result<(), S::Error> {
    let Some(place) = place_of(shelf, letter)? else { return Ok(()) };
    shelf.remove(&stamp_key(letter, stamp(letter)))?;
    leave(shelf, stamp(letter), place)?;
    let later = next_later(shelf, letter)?.unwrap_or(Row(u64::MAX));
    replace_before(shelf, letter, later)
}

/// Where a letter is read.
pub fn place_of<S: Shelf>(shelf: &S, letter: &Letter) -> Result<Option<Row>, S::Error> {
    Ok(shelf.get(&stamp_key(letter, stamp(letter)))?.map(|value| Row(number(&value, 0))))
}

/// Where the next one of its writer's stands that is stamped the same or later.
fn next_later<S: Shelf>(shelf: &S, letter: &Letter) -> Result<Option<Row>, S::Error> {
    let mut place = None;
    shelf.walk(&stamp_key(letter, stamp(letter)), &behind(&writer_key(letter)), &mut |_, stands| {
        place = Some(Row(number(stands, 0)));
        ControlFlow::Break(())
    })?;
    Ok(place)
}

/// Gives those their places anew that were written before a letter, now that what follows them stands at `place`.
fn replace_before<S: ShelfMut>(shelf: &mut S, letter: &Letter, mut place: Row) -> Result<(), S::Error> {
    let mut moves: Vec<(Stamp, Row, Row, Vec<u8>)> = Vec::new();
    shelf.walk_back(&writer_key(letter), &stamp_key(letter, stamp(letter)), &mut |key, value| {
        let (stamp, stands) = (read_stamp(key, STAMP_AT), Row(number(value, 0)));
        place = place.min(stamp.2);
        if stands == place {
            return ControlFlow::Break(());
        }
        moves.push((stamp, stands, place, value.get(8..).unwrap_or_default().to_vec()));
        ControlFlow::Continue(())
    })?;
    for (stamp, stood, place, conversation) in moves {
        leave(shelf, stamp, stood)?;
        stand(shelf, letter, stamp, place, &conversation)?;
        let [from, to] = [stood, place].map(|place| Position { place, stamp });
        conversation::move_on(shelf, &conversation, from, to)?;
    }
    Ok(())
}

/// A letter of this one's writer stands at a place from now on.
fn stand<S: ShelfMut>(
    shelf: &mut S,
    letter: &Letter,
    stamp: Stamp,
    place: Row,
    conversation: &[u8],
) -> Result<(), S::Error> {
    shelf.put(&stamp_key(letter, stamp), &key([&place.0.to_be_bytes(), conversation]))?;
    if place == stamp.2 {
        return Ok(());
    }
    shelf.put(&moved_key(place, stamp), &[])?;
    shelf.put(&key([&[AWAY], &stamp.2.0.to_be_bytes()]), &place.0.to_be_bytes())
}

fn leave<S: ShelfMut>(shelf: &mut S, stamp: Stamp, place: Row) -> Result<(), S::Error> {
    if place == stamp.2 {
        return Ok(());
    }
    shelf.remove(&moved_key(place, stamp))?;
    shelf.remove(&key([&[AWAY], &stamp.2.0.to_be_bytes()]))
}

/// A stretch of the inbox.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Bound<Position>,
    pub to: Bound<Position>,
}

impl Span {
    pub const ALL: Span = Span { from: Bound::Unbounded, to: Bound::Unbounded };

    /// The rows among which everything in it arrived or stands.
    pub fn rows(&self) -> std::ops::RangeInclusive<u64> {
        let place = |bound: Bound<Position>| match bound {
            Bound::Included(position) | Bound::Excluded(position) => Some(position.place.0),
            Bound::Unbounded => None,
        };
        place(self.from).unwrap_or(0)..=place(self.to).unwrap_or(u64::MAX)
    }
}

/// What stands at the place of a row, in the order in which it is read: the rows that were moved there, each with its stamp,
/// and the row itself unless it was moved elsewhere.
pub fn at_place<S: Shelf>(shelf: &S, letter: &Letter) -> Result<Vec<Position>, S::Error> {
    let place = letter.row;
    let is_elsewhere = shelf.get(&key([&[AWAY], &place.0.to_be_bytes()]))?.is_some();
    if is_elsewhere || is_unshown(shelf, place)? {
        return Ok(Vec::new());
    }
    let mut positions = Vec::new();
    let start = key([&[MOVED], &place.0.to_be_bytes()]);
    shelf.walk(&start, &behind(&start), &mut |key, _| {
        positions.push(Position { place, stamp: read_stamp(key, 9) });
        ControlFlow::Continue(())
    })?;
    positions.push(Position { place, stamp: stamp(letter) });
    Ok(positions)
}

impl Position {
    /// The row that is read here.
    pub fn row(&self) -> Row {
        self.stamp.2
    }

    /// Whether what arrived at a row is read before it.
    pub fn is_late(&self, row: Row) -> bool {
        self.place < row
    }

    /// Where a letter is read, given its place.
    pub fn of(letter: &Letter, place: Row) -> Position {
        Position { place, stamp: stamp(letter) }
    }

    /// Where one's own words are read: at their filing.
    pub fn of_own(row: Row) -> Position {
        Position { place: row, stamp: (0, 0, row) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        key([&self.place.0.to_be_bytes(), &stamp_bytes(self.stamp)])
    }

    /// Reads it from a key, where it stands at `at`.
    pub(super) fn read(key: &[u8], at: usize) -> Position {
        Position { place: Row(number(key, at)), stamp: read_stamp(key, at + 8) }
    }
}

impl RangeBounds<Position> for Span {
    fn start_bound(&self) -> Bound<&Position> {
        self.from.as_ref()
    }

    fn end_bound(&self) -> Bound<&Position> {
        self.to.as_ref()
    }
}

/// Where the stamp stands in a key of `STAMP`.
const STAMP_AT: usize = 1 + 32 + 1;

fn writer_key(letter: &Letter) -> Vec<u8> {
    key([&[STAMP], letter.source.as_bytes(), &[(letter.creation.time.0 != 0).into()]])
}

fn stamp_key(letter: &Letter, stamp: Stamp) -> Vec<u8> {
    key([&writer_key(letter), &stamp_bytes(stamp)])
}

fn moved_key(place: Row, stamp: Stamp) -> Vec<u8> {
    key([&[MOVED], &place.0.to_be_bytes(), &stamp_bytes(stamp)])
}

fn stamp_bytes((time, sequence, row): Stamp) -> Vec<u8> {
    [time, sequence, row.0].map(u64::to_be_bytes).concat()
}

fn read_stamp(key: &[u8], at: usize) -> Stamp {
    (number(key, at), number(key, at + 8), Row(number(key, at + 16)))
}

fn stamp(letter: &Letter) -> Stamp {
    (letter.creation.time.0, letter.creation.sequence, letter.row)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::bundle::{Creation, Hops, Priority};
    use crate::eid::Eid;
    use crate::id::{BundleId, NodeId};
    use crate::time::{DtnTime, Millis, Moment};

    /// Who wrote it, when, and with which number.
    type Note = (u8, u64, u64);

    fn letter(row: u64, (who, time, sequence): Note) -> Letter {
        let key = ed25519_dalek::SigningKey::from_bytes(&[who + 1; 32]).verifying_key().to_bytes();
        let source = NodeId::from_key(key).unwrap();
        Letter {
            row: Row(row),
            id: BundleId([row as u8; 32]),
            source,
            destination: Eid::mail(source),
            creation: Creation { time: DtnTime(time), sequence },
            lifetime: Millis(1),
            priority: Priority::Normal,
            size_bytes: 1,
            received: Moment::default(),
            from: source,
            hops: Hops::default(),
            read: false,
            told: false,
        }
    }

    /// Reads notes that arrived in the order given.
    fn read(notes: &[Note]) -> Vec<Note> {
        let (order, letters) = arrived(notes);
        rows(&order, &letters).into_iter().map(|row| notes[row.0 as usize]).collect()
    }

    type Order = BTreeMap<Vec<u8>, Vec<u8>>;

    fn between(order: &Order, letters: &BTreeMap<Row, Letter>, span: Span) -> Vec<Position> {
        let (first, last) = span.rows().into_inner();
        let rows = letters.range(Row(first)..=Row(last)).flat_map(|(_, letter)| at_place(order, letter).unwrap());
        rows.filter(|position| span.contains(position)).collect()
    }

    fn rows(order: &Order, letters: &BTreeMap<Row, Letter>) -> Vec<Row> {
        between(order, letters, Span::ALL).iter().map(Position::row).collect()
    }

    fn arrived(notes: &[Note]) -> (Order, BTreeMap<Row, Letter>) {
        let (mut order, mut letters) = (Order::default(), BTreeMap::new());
        for (row, note) in notes.iter().enumerate() {
            let letter = letter(row as u64, *note);
            insert(&mut order, &letter).unwrap();
            letters.insert(letter.row, letter);
        }
        (order, letters)
    }

    /// The definition, word by word, over all rows.
    fn defined(letters: &BTreeMap<Row, Letter>) -> Vec<Row> {
        let writer = |letter: &Letter| (letter.source, letter.creation.time.0 != 0);
        let place = |letter: &Letter| {
            let later =
                letters.values().filter(|other| writer(other) == writer(letter) && stamp(other) >= stamp(letter));
            later.map(|other| other.row).min()
        };
        let mut rows: Vec<_> = letters.values().map(|letter| (place(letter), stamp(letter))).collect();
        rows.sort();
        rows.into_iter().map(|(_, stamp)| stamp.2).collect()
    }

    #[test]
    fn letters_that_overtook_each_other_are_read_as_they_were_written() {
        assert_eq!(read(&[(0, 30, 0), (0, 10, 0), (0, 20, 0)]), [(0, 10, 0), (0, 20, 0), (0, 30, 0)]);
        assert_eq!(read(&[(0, 9, 7), (0, 9, 5), (0, 9, 6)]), [(0, 9, 5), (0, 9, 6), (0, 9, 7)]);
    }

    #[test]
    fn between_writers_counts_the_arrival_whatever_their_clocks_say() {
        let notes = [(1, 99, 0), (0, 50, 0), (1, 1_000, 0), (0, 50, 1)];
        assert_eq!(read(&notes), notes);
        // What arrives late goes before its writer's next one, and moves nobody else's.
        let late = [(0, 50, 1), (1, 7, 7), (0, 60, 0), (0, 50, 0)];
        assert_eq!(read(&late), [(0, 50, 0), (0, 50, 1), (1, 7, 7), (0, 60, 0)]);
    }

    #[test]
    fn without_a_clock_the_number_alone_tells() {
        assert_eq!(read(&[(0, 0, 2), (0, 0, 1), (0, 0, 3)]), [(0, 0, 1), (0, 0, 2), (0, 0, 3)]);
        // A clock that came later says nothing of what was written before it.
        let mixed = [(0, 10, 900), (0, 0, 5), (0, 20, 1), (0, 0, 4)];
        assert_eq!(read(&mixed), [(0, 10, 900), (0, 0, 4), (0, 0, 5), (0, 20, 1)]);
    }

    proptest! {
        #[test]
        fn the_order_kept_is_the_order_defined_also_after_letters_were_deleted(
            notes in prop::collection::vec((0..3u8, 0..4u64, 0..6u64), 0..24),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let (mut order, mut letters) = arrived(&notes);
            prop_assert_eq!(rows(&order, &letters), defined(&letters));
            for index in gone.into_iter().filter(|_| !notes.is_empty()) {
                let row = Row(index.index(notes.len()) as u64);
                if let Some(letter) = letters.remove(&row) {
                    remove(&mut order, &letter).unwrap();
                }
                prop_assert_eq!(rows(&order, &letters), defined(&letters));
            }
            if letters.is_empty() {
                prop_assert!(order.is_empty(), "{order:?}");
            }
        }

        #[test]
        fn reading_goes_on_from_any_position(
            notes in prop::collection::vec((0..3u8, 0..4u64, 0..6u64), 1..24),
            at in any::<prop::sample::Index>(),
        ) {
            let (order, letters) = arrived(&notes);
            let all = between(&order, &letters, Span::ALL);
            prop_assert!(all.is_sorted());
            let at = at.index(all.len());
            let position = all[at];
            let before = between(&order, &letters, Span { to: Bound::Excluded(position), ..Span::ALL });
            let behind = between(&order, &letters, Span { from: Bound::Excluded(position), ..Span::ALL });
            prop_assert_eq!((&before[..], &behind[..]), (&all[..at], &all[at + 1..]));
            let only = Span { from: Bound::Included(position), to: Bound::Included(position) };
            prop_assert_eq!(between(&order, &letters, only).len(), 1);
        }

        #[test]
        fn a_letter_that_arrives_moves_no_other(
            notes in prop::collection::vec((0..3u8, 0..4u64, 0..6u64), 1..24),
        ) {
            let rows = |notes: &[Note]| { let (order, letters) = arrived(notes); rows(&order, &letters) };
            let last = Row(notes.len() as u64 - 1);
            let mut after = rows(&notes);
            after.retain(|row| *row != last);
            prop_assert_eq!(after, rows(&notes[..notes.len() - 1]));
        }
    }
}

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

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};

use crate::agent::change::{Letter, Row};
use crate::id::NodeId;

/// Places of rows; those that stand where they arrived cost one entry each.
#[derive(Debug, Default)]
pub struct Order {
    writers: BTreeMap<(NodeId, HasClock), Written>,
    /// Rows that stand elsewhere than they arrived, by where and when they were written.
    moved: BTreeSet<(Row, Stamp)>,
}

/// Where a letter is read among all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    place: Row,
    stamp: Stamp,
}

/// One writer's letters as they were written, each with the row it stands at.
type Written = BTreeMap<Stamp, Row>;

/// Creation time, sequence number, and the row that tells even equal stamps apart.
type Stamp = (u64, u64, Row);

type HasClock = bool;

impl Order {
    pub fn insert(&mut self, letter: &Letter) {
        let stamp = stamp(letter);
        let written = self.writers.entry(writer(letter)).or_default();
        let later = written.range(stamp..).next().map(|(_, place)| *place);
        let place = later.map_or(letter.row, |place| place.min(letter.row));
        written.insert(stamp, place);
        if place != letter.row {
            self.moved.insert((place, stamp));
        }
        // No row is lower than those before it, but nothing here depends on it.
        self.replace_before(letter, stamp, place);
    }

    pub fn remove(&mut self, letter: &Letter) {
        let stamp = stamp(letter);
        let writer = writer(letter);
        let Some(written) = self.writers.get_mut(&writer) else { return };
        let Some(place) = written.remove(&stamp) else { return };
        self.moved.remove(&(place, stamp));
        match written.range(stamp..).next().map(|(_, place)| *place) {
            Some(later) => self.replace_before(letter, stamp, later),
            None if written.is_empty() => drop(self.writers.remove(&writer)),
            None => self.replace_before(letter, stamp, Row(u64::MAX)),
        }
    }

    /// Gives those their places anew that were written before `stamp`, now that what follows them stands at `place`.
    fn replace_before(&mut self, letter: &Letter, stamp: Stamp, mut place: Row) {
        let Some(written) = self.writers.get_mut(&writer(letter)) else { return };
        for (stamp, stands) in written.range_mut(..stamp).rev() {
            place = place.min(stamp.2);
            if *stands == place {
                return;
            }
            self.moved.remove(&(*stands, *stamp));
            *stands = place;
            if place != stamp.2 {
                self.moved.insert((place, *stamp));
            }
        }
    }

    /// Letters as they are to be read, from one position to another, given all as they arrived. It steps over no letter
    /// that arrived before the first place or behind the last.
    pub fn between<'a>(
        &'a self,
        letters: &'a BTreeMap<Row, Letter>,
        from: Bound<Position>,
        to: Bound<Position>,
    ) -> impl DoubleEndedIterator<Item = (Position, &'a Letter)> + 'a {
        let place = |bound: Bound<Position>| match bound {
            Bound::Included(position) | Bound::Excluded(position) => Some(position.place),
            Bound::Unbounded => None,
        };
        let (first, last) = (place(from).unwrap_or(Row(0)), place(to).unwrap_or(Row(u64::MAX)));
        let places = (first <= last).then(|| letters.range(first..=last)).into_iter().flatten();
        let stay = places.map(|(_, letter)| letter).filter(|letter| self.place(letter) == Some(letter.row));
        let read = stay.flat_map(|letter| {
            let before = self.moved.range((letter.row, MIN)..=(letter.row, MAX));
            let before = before.filter_map(|(place, stamp)| Some((*place, *stamp, letters.get(&stamp.2)?)));
            before.chain([(letter.row, stamp(letter), letter)])
        });
        let positions = read.map(|(place, stamp, letter)| (Position { place, stamp }, letter));
        positions.filter(move |(position, _)| (from, to).contains(position))
    }

    fn place(&self, letter: &Letter) -> Option<Row> {
        self.writers.get(&writer(letter))?.get(&stamp(letter)).copied()
    }
}

const MIN: Stamp = (0, 0, Row(0));
const MAX: Stamp = (u64::MAX, u64::MAX, Row(u64::MAX));

fn writer(letter: &Letter) -> (NodeId, HasClock) {
    (letter.source, letter.creation.time.0 != 0)
}

fn stamp(letter: &Letter) -> Stamp {
    (letter.creation.time.0, letter.creation.sequence, letter.row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bundle::{Creation, Hops, Priority};
    use crate::eid::Eid;
    use crate::id::BundleId;
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
            collected: false,
        }
    }

    /// Reads notes that arrived in the order given.
    fn read(notes: &[Note]) -> Vec<Note> {
        let (order, letters) = arrived(notes);
        rows(&order, &letters).into_iter().map(|row| notes[row.0 as usize]).collect()
    }

    fn rows(order: &Order, letters: &BTreeMap<Row, Letter>) -> Vec<Row> {
        order.between(letters, Bound::Unbounded, Bound::Unbounded).map(|(_, letter)| letter.row).collect()
    }

    fn arrived(notes: &[Note]) -> (Order, BTreeMap<Row, Letter>) {
        let (mut order, mut letters) = (Order::default(), BTreeMap::new());
        for (row, note) in notes.iter().enumerate() {
            let letter = letter(row as u64, *note);
            order.insert(&letter);
            letters.insert(letter.row, letter);
        }
        (order, letters)
    }

    /// The definition, word by word, over all rows.
    fn defined(letters: &BTreeMap<Row, Letter>) -> Vec<Row> {
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
                    order.remove(&letter);
                }
                prop_assert_eq!(rows(&order, &letters), defined(&letters));
                let all = order.between(&letters, Bound::Unbounded, Bound::Unbounded);
                let mut backwards: Vec<Row> = all.rev().map(|(_, letter)| letter.row).collect();
                backwards.reverse();
                prop_assert_eq!(backwards, defined(&letters));
            }
            if letters.is_empty() {
                prop_assert!(order.writers.is_empty() && order.moved.is_empty());
            }
        }

        #[test]
        fn reading_goes_on_from_any_position_in_either_direction(
            notes in prop::collection::vec((0..3u8, 0..4u64, 0..6u64), 1..24),
            at in any::<prop::sample::Index>(),
        ) {
            let (order, letters) = arrived(&notes);
            let all: Vec<_> = order.between(&letters, Bound::Unbounded, Bound::Unbounded).collect();
            prop_assert!(all.is_sorted_by_key(|(position, _)| *position));
            let at = at.index(all.len());
            let position = all[at].0;
            let before: Vec<_> = order.between(&letters, Bound::Unbounded, Bound::Excluded(position)).collect();
            let behind: Vec<_> = order.between(&letters, Bound::Excluded(position), Bound::Unbounded).collect();
            prop_assert_eq!((&before[..], &behind[..]), (&all[..at], &all[at + 1..]));
            prop_assert_eq!(order.between(&letters, Bound::Included(position), Bound::Included(position)).count(), 1);
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

//! Rows that are read nowhere, and why: what stands at them changes something else, is there once more, or is no message.

use super::entries::{UNSHOWN, key, part};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::Row;
use crate::content::Mark;

/// Why a row is read nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unshown {
    /// It changes what its mark names.
    Change,
    /// Its mark names what is shown already.
    Again,
    /// It belongs to a file, or is about the keys of a group.
    Silent,
    /// It has not been opened.
    Sealed,
    /// It tells the app something that its mark names.
    Update,
    /// The same, and its conversation has a line of it, which nobody has to read.
    Line,
}

pub(super) fn hide<S: ShelfMut>(
    shelf: &mut S,
    row: Row,
    why: Unshown,
    mark: &Mark,
    with: &[u8],
) -> Result<(), S::Error> {
    let why = why as u8;
    shelf.put(&key([&[UNSHOWN], &row.0.to_be_bytes()]), &key([&[why], mark, with]))
}

/// The mark of a row that is there once more.
pub(super) fn again_of<S: Shelf>(shelf: &S, row: Row) -> Result<Option<Mark>, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    let again = value.filter(|value| value.first() == Some(&(Unshown::Again as u8)));
    Ok(again.map(|value| part(&value, 1)))
}

/// A row that is read nowhere is of another name from now on.
pub(super) fn rename_unshown<S: ShelfMut>(shelf: &mut S, row: Row, mark: &Mark) -> Result<(), S::Error> {
    let unshown = key([&[UNSHOWN], &row.0.to_be_bytes()]);
    match shelf.get(&unshown)? {
        Some(value) if value.len() > 17 => shelf.put(&unshown, &key([&value[..1], mark, &value[17..]])),
        _ => Ok(()),
    }
}

/// Whether a row is read nowhere: it is a change, or there once more.
pub fn is_unshown<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    Ok(shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?.is_some())
}

/// Whether nobody hears what becomes of what stands at a row: it belongs to a file, to an app or to the keys of a group, or is
/// sealed.
pub fn is_silent<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    Ok(value.is_some_and(|value| is_any(&value, [Unshown::Silent, Unshown::Sealed, Unshown::Update, Unshown::Line])))
}

/// Whether the conversation has a line of what stands at a row and is read nowhere else.
pub(super) fn has_line<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    Ok(value.is_some_and(|value| is_any(&value, [Unshown::Line])))
}

/// Whether what stands at a row was written to a group and has not been opened.
pub fn is_sealed<S: Shelf>(shelf: &S, row: Row) -> Result<bool, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    Ok(value.is_some_and(|value| is_any(&value, [Unshown::Sealed])))
}

pub(super) fn is_any<const N: usize>(value: &[u8], why: [Unshown; N]) -> bool {
    why.iter().any(|why| value.first() == Some(&(*why as u8)))
}

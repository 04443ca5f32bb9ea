//! Rows that are read nowhere, and why: what stands at them changes something else, is there once more, or is no message.

use super::{ASKED, UNSHOWN, key, part};
use crate::agent::change::Row;
use crate::content::Mark;
use crate::id::BundleId;
use crate::mail::sameness::{self, Kept};
use crate::mail::shelf::{Shelf, ShelfMut};
use crate::mail::{apps, registers};

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

/// Forgets a row that is read nowhere; says whether it was one, and of what is there once more the row it is shown at.
pub(super) fn unhide<S: ShelfMut>(shelf: &mut S, row: Row, id: &BundleId) -> Result<Option<Option<Row>>, S::Error> {
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

/// The mark of a row that is there once more.
pub(in crate::mail) fn again_of<S: Shelf>(shelf: &S, row: Row) -> Result<Option<Mark>, S::Error> {
    let value = shelf.get(&key([&[UNSHOWN], &row.0.to_be_bytes()]))?;
    let again = value.filter(|value| value.first() == Some(&(Unshown::Again as u8)));
    Ok(again.map(|value| part(&value, 1)))
}

/// A row that is read nowhere is of another name from now on.
pub(in crate::mail) fn rename_unshown<S: ShelfMut>(shelf: &mut S, row: Row, mark: &Mark) -> Result<(), S::Error> {
    let unshown = key([&[UNSHOWN], &row.0.to_be_bytes()]);
    match shelf.get(&unshown)? {
        Some(value) if value.len() > 17 => shelf.put(&unshown, &key([&value[..1], mark, &value[17..]])),
        _ => Ok(()),
    }
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

fn is_any<const N: usize>(value: &[u8], why: [Unshown; N]) -> bool {
    why.iter().any(|why| value.first() == Some(&(*why as u8)))
}

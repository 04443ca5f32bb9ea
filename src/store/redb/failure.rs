//! What redb's errors, and its panics over damaged pages, mean to a person.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::store::StoreError;

/// Says which of our kinds an error of redb is.
pub fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => io_failed(&error),
        redb::Error::DatabaseAlreadyOpen => StoreError::Locked,
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        error @ (redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::RepairAborted
        | redb::Error::UpgradeRequired(_)) => StoreError::Damaged(error.to_string()),
        error => StoreError::Io(error.to_string()),
    }
}

/// Says which of our kinds an error of the operating system is.
pub fn io_failed(error: &io::Error) -> StoreError {
    match error.kind() {
        _ if is_full(error) => StoreError::Full,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Damaged(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}

/// Whether more room would have helped.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Runs what touches pages; redb asserts what a damaged page breaks, and that is no reason to end the process.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    QUIETLY.call_once(leave_guarded_panics_unsaid);
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.unwrap_or_else(|panic| Err(StoreError::Damaged(said(&*panic))))
}

/// Drops a part of a store that may be damaged: closing writes, and may stumble over what reading did not.
pub fn close(part: impl Sized) {
    let closed = guarded(|| {
        drop(part);
        Ok(())
    });
    if let Err(error) = closed {
        tracing::debug!(%error, "a damaged store did not close in peace");
    }
}

static QUIETLY: Once = Once::new();

thread_local! {
    /// Whether this thread is inside of [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A person is told of the damage in a sentence; a backtrace on the terminal beside it would only frighten.
fn leave_guarded_panics_unsaid() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            others(info);
        }
    }));
}

/// The bytes of `table` do not say what they should.
pub fn unreadable(table: &str) -> StoreError {
    StoreError::Damaged(format!("a record of {table} cannot be read"))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a page makes no sense").to_owned()
}

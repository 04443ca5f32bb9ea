//! What the errors of other modules mean to whoever asked: the kind of each, and what to do next.

use std::io;
use std::path::Path;

use super::error::{ApiError, ErrorKind};
use super::next::NextStep;
use crate::agent::io::NotSent;
use crate::backup::BackupError;
use crate::bundle::BundleError;
use crate::config::ConfigError;
use crate::home::{HomeError, LockError};
use crate::id::KeyError;
use crate::keys::IdentityError;
use crate::store::StoreError;
use crate::ticket::TicketError;

/// Gives every error of a type the kind that `$kind` finds, its own words, and the next step that `$next` finds.
macro_rules! kinds {
    ($($error:ty => $kind:expr $(, then $next:expr)?;)*) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> ApiError {
                let kind: fn(&$error) -> ErrorKind = $kind;
                let failed = ApiError::new(kind(&error), error.to_string());
                $(
                    let next: fn(&$error) -> Option<NextStep> = $next;
                    if let Some(step) = next(&error) {
                        return failed.next(step);
                    }
                )?
                failed
            }
        })*
    };
}

kinds! {
    HomeError => |error| match error {
        HomeError::NoPlace => ErrorKind::Usage,
        HomeError::Loose { .. } | HomeError::Foreign { .. } => ErrorKind::Refused,
        HomeError::NotADirectory { .. } | HomeError::NoModes { .. } => ErrorKind::Failure,
        HomeError::ReadOnly { .. } | HomeError::Io { .. } => ErrorKind::Failure,
    }, then |error| match error {
        HomeError::NoPlace => Some(NextStep::SetHome),
        HomeError::Loose { path, .. } => Some(make_private(path, 0o700)),
        HomeError::Foreign { .. } | HomeError::NotADirectory { .. } | HomeError::NoModes { .. } => {
            Some(NextStep::UseOtherHome)
        },
        HomeError::ReadOnly { .. } => Some(NextStep::UseWritableHome),
        HomeError::Io { .. } => Some(NextStep::UseOtherHome),
    };
    LockError => |error| match error {
        LockError::Held { .. } => ErrorKind::InUse,
        LockError::Io { .. } => ErrorKind::Store,
    }, then |error| match error {
        LockError::Held { .. } => Some(NextStep::StopNode),
        LockError::Io { .. } => None,
    };
    StoreError => |error| match error {
        StoreError::Full | StoreError::Io(_) => ErrorKind::Failure,
        StoreError::Locked => ErrorKind::InUse,
        StoreError::Newer { .. } | StoreError::Damaged(_) => ErrorKind::Store,
    }, then |error| match error {
        StoreError::Full => Some(NextStep::FreeSpace { again: false }),
        StoreError::Locked => Some(NextStep::TryAgain),
        StoreError::Newer { .. } => Some(NextStep::Update),
        StoreError::Damaged(_) => Some(NextStep::CheckHome),
        StoreError::Io(_) => None,
    };
    IdentityError => |error| match error {
        IdentityError::Missing { .. } => ErrorKind::NotRunning,
        IdentityError::Exists { .. } | IdentityError::Loose { .. } | IdentityError::Foreign { .. } => ErrorKind::Refused,
        IdentityError::Malformed { .. } => ErrorKind::Verification,
        IdentityError::Io { .. } | IdentityError::Entropy(_) => ErrorKind::Failure,
    }, then |error| match error {
        IdentityError::Missing { .. } => Some(NextStep::StartOrRestore),
        IdentityError::Loose { path, .. } => Some(make_private(path, 0o600)),
        IdentityError::Foreign { path, .. } => Some(NextStep::TakeOver { path: path.display().to_string() }),
        IdentityError::Malformed { .. } => Some(NextStep::Restore),
        IdentityError::Exists { .. } | IdentityError::Io { .. } | IdentityError::Entropy(_) => None,
    };
    ConfigError => |error| match error {
        ConfigError::Io { .. } => ErrorKind::Failure,
        ConfigError::File { .. }
        | ConfigError::TooLong { .. }
        | ConfigError::NoSuchKey { .. }
        | ConfigError::Value { .. }
        | ConfigError::Environment { .. } => ErrorKind::Usage,
    };
    BackupError => |error| match error {
        BackupError::Exists { .. } => ErrorKind::Refused,
        BackupError::NoPassphrase => ErrorKind::Usage,
        BackupError::Newer(_) => ErrorKind::Store,
        BackupError::NotABackup { .. }
        | BackupError::Costs
        | BackupError::WrongPassphrase
        | BackupError::Truncated
        | BackupError::Damaged { .. }
        | BackupError::Malformed
        | BackupError::TooLong { .. } => ErrorKind::Verification,
        BackupError::Entropy(_) | BackupError::Memory | BackupError::Io(_) => ErrorKind::Failure,
    };
    TicketError => |error| if error.refuses_key() { ErrorKind::Verification } else { ErrorKind::Usage };
    KeyError => |error| match error {
        KeyError::Malformed | KeyError::NotEd25519 => ErrorKind::Usage,
        KeyError::NotCanonical | KeyError::Weak => ErrorKind::Verification,
    };
    NotSent => |error| match error {
        NotSent::Lifetime | NotSent::TooLarge | NotSent::Leave => ErrorKind::Refused,
        NotSent::Busy => ErrorKind::Busy,
        NotSent::Space | NotSent::Clock | NotSent::Mailbox | NotSent::Unknown => ErrorKind::Failure,
    }, then |error| match error {
        NotSent::Space => Some(NextStep::FreeSpace { again: true }),
        NotSent::Lifetime
        | NotSent::TooLarge
        | NotSent::Leave
        | NotSent::Clock
        | NotSent::Mailbox
        | NotSent::Unknown
        | NotSent::Busy => None,
    };
    BundleError => |_| ErrorKind::Verification;
}

impl ApiError {
    /// What the system says of a file or a directory that the request names: a name that nothing can have, that leads nowhere
    /// or where this user may not go is the request's mistake, and everything else the machine's.
    pub fn at_place(what: &str, error: &io::Error) -> ApiError {
        use io::ErrorKind as K;
        let message = format!("{what}: {error}");
        let leads_in_circles = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match error.kind() {
            K::NotFound
            | K::NotADirectory
            | K::IsADirectory
            | K::InvalidFilename
            | K::InvalidInput
            | K::AlreadyExists
            | K::PermissionDenied
            | K::ReadOnlyFilesystem
            | K::FileTooLarge => ApiError::new(ErrorKind::Place, message),
            _ if leads_in_circles => ApiError::new(ErrorKind::Place, message),
            K::StorageFull | K::QuotaExceeded => {
                ApiError::failure(format!("{what}: the disk is full")).advise("make room on it, then try again")
            }
            _ => ApiError::failure(message),
        }
    }
}

fn make_private(path: &Path, mode: u32) -> NextStep {
    NextStep::MakePrivate { path: path.display().to_string(), mode: format!("{mode:o}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_is_usage_and_a_weak_key_is_verification() {
        assert_eq!(ApiError::from(TicketError::Form).kind, ErrorKind::Usage);
        assert_eq!(ApiError::from(TicketError::Key(KeyError::Weak)).kind, ErrorKind::Verification);
    }

    #[test]
    fn what_others_could_read_comes_with_the_mode_that_closes_it() {
        let error = ApiError::from(HomeError::Loose { path: "/h".into(), mode: 0o755 });
        assert_eq!(error.next, Some(NextStep::MakePrivate { path: "/h".into(), mode: "700".into() }));
        let error = ApiError::from(IdentityError::Loose { path: "/h/k".into(), mode: 0o644 });
        assert_eq!(error.next, Some(NextStep::MakePrivate { path: "/h/k".into(), mode: "600".into() }));
    }

    #[test]
    fn a_place_that_cannot_be_is_the_requests_mistake_and_a_broken_disk_is_not() {
        let of = |kind: io::ErrorKind| ApiError::at_place("cannot save", &kind.into()).kind;
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::InvalidFilename, io::ErrorKind::PermissionDenied] {
            assert_eq!(of(kind), ErrorKind::Place, "{kind}");
        }
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            assert_eq!(of(kind), ErrorKind::Failure, "{kind}");
        }
        let circle = io::Error::from_raw_os_error(rustix::io::Errno::LOOP.raw_os_error());
        assert_eq!(ApiError::at_place("cannot save", &circle).kind, ErrorKind::Place);
    }

    #[test]
    fn a_held_lock_and_a_newer_store_are_exit_7() {
        assert_eq!(ApiError::from(LockError::Held { pid: None }).kind.exit_code(), 7);
        assert_eq!(ApiError::from(StoreError::Newer { found: 9, known: 1 }).kind.exit_code(), 7);
    }
}

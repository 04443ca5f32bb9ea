//! What the errors of other modules mean to whoever asked. Their sentences say already what to do.

use super::error::{ApiError, ErrorKind};
use crate::agent::io::NotSent;
use crate::backup::BackupError;
use crate::bundle::BundleError;
use crate::config::ConfigError;
use crate::home::{HomeError, LockError};
use crate::id::KeyError;
use crate::keys::IdentityError;
use crate::store::StoreError;
use crate::ticket::TicketError;

/// Gives every error of a type the kind that `$kind` finds, and its own words.
macro_rules! kinds {
    ($($error:ty => $kind:expr;)*) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> ApiError {
                let kind: fn(&$error) -> ErrorKind = $kind;
                ApiError::new(kind(&error), error.to_string())
            }
        })*
    };
}

kinds! {
    HomeError => |error| match error {
        HomeError::NoPlace => ErrorKind::Usage,
        HomeError::Loose { .. } | HomeError::Foreign { .. } => ErrorKind::Refused,
        HomeError::NotADirectory { .. } | HomeError::ReadOnly { .. } | HomeError::Io { .. } => ErrorKind::Failure,
    };
    LockError => |error| match error {
        LockError::Held { .. } => ErrorKind::InUse,
        LockError::Io { .. } => ErrorKind::Store,
    };
    StoreError => |error| match error {
        StoreError::Full | StoreError::Io(_) => ErrorKind::Failure,
        StoreError::Locked => ErrorKind::InUse,
        StoreError::Newer { .. } | StoreError::Damaged(_) => ErrorKind::Store,
    };
    IdentityError => |error| match error {
        IdentityError::Missing { .. } => ErrorKind::NotRunning,
        IdentityError::Exists { .. } | IdentityError::Loose { .. } | IdentityError::Foreign { .. } => ErrorKind::Refused,
        IdentityError::Malformed { .. } => ErrorKind::Verification,
        IdentityError::Io { .. } | IdentityError::Entropy(_) => ErrorKind::Failure,
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
        NotSent::Lifetime | NotSent::TooLarge => ErrorKind::Refused,
        NotSent::Space | NotSent::Unknown | NotSent::Busy => ErrorKind::Failure,
    };
    BundleError => |_| ErrorKind::Verification;
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
    fn a_held_lock_and_a_newer_store_are_exit_7() {
        assert_eq!(ApiError::from(LockError::Held { pid: None }).kind.exit_code(), 7);
        assert_eq!(ApiError::from(StoreError::Newer { found: 9, known: 1 }).kind.exit_code(), 7);
    }
}

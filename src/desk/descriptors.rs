//! Open files: how many a node may have at once, and how it does with few.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::api::NextStep;
use crate::api::model::{CheckRow, Verdict};
use crate::net::Limits;

/// With as many, the limits of the network are the only ones that a node meets.
const ENOUGH: u64 = 1_024;
/// For the store, listeners, multicast, the clients of the local API and what waits for events.
const OWN: u64 = 40;
/// Connections of each kind that even the smallest node has room for.
const CONNECTIONS_MIN: usize = 2;

/// Takes as many as the system lets this process have, as far as they are of use; returns how many that are.
pub fn take() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(ENOUGH);
    if current.is_some_and(|current| current < wanted) {
        // Refused, it stays what it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    allowed()
}

/// How many this process may have.
pub fn allowed() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Leaves room for the node itself and for its owner's commands: peers could take every file there is.
pub fn fit(limits: Limits, files: u64) -> Limits {
    if files >= ENOUGH {
        return limits;
    }
    // Six shares: strangers, familiars, outbound ones, dials under way, and handshakes, of which there may be twice as many.
    let share = usize::try_from(files.saturating_sub(OWN) / 6).unwrap_or(usize::MAX).max(CONNECTIONS_MIN);
    Limits {
        strangers_max: limits.strangers_max.min(share),
        familiars_max: limits.familiars_max.min(share),
        outbound_max: limits.outbound_max.min(share),
        pending_max: limits.pending_max.min(share),
        ..limits
    }
}

/// What a person should know of it.
pub fn check(files: u64) -> Option<CheckRow> {
    if files >= ENOUGH {
        return None;
    }
    let found = format!("this node may have {files} files open at once, and takes fewer connections for it");
    Some(CheckRow::new("files", Verdict::Warn, found).next(NextStep::RaiseFileLimit { files: ENOUGH }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_never_get_every_file_of_a_small_process() {
        for files in [64, 100, 256, 1_023] {
            let limits = fit(Limits::default(), files);
            let connections =
                limits.strangers_max + limits.familiars_max + limits.outbound_max + limits.pending_max * 2;
            assert!(connections as u64 + OWN <= files, "{connections} of {files}");
            assert!(check(files).unwrap().message.contains(&files.to_string()));
        }
        assert_eq!(fit(Limits::default(), 1_024).strangers_max, Limits::default().strangers_max);
        assert_eq!(check(1_024), None);
    }
}

//! Drafts of one's own messages that wait for their seal. Nothing was promised of them yet, and a restart ends them.

use std::collections::BTreeMap;

use crate::bundle::Draft;
use crate::time::{MINUTE, Millis, Timestamp};

/// Most messages that may wait for their seal at once.
pub const UNSEALED_MAX: usize = 1_024;
/// How long a draft waits where others want its place.
const SEALING_MAX: Millis = Millis(10 * MINUTE.0);

/// Drafts by token, with the time since when each waits.
#[derive(Debug, Default)]
pub struct Drafts {
    unsealed: BTreeMap<u64, (Timestamp, Draft)>,
}

impl Drafts {
    /// Keeps a draft until its payload comes; false when too many wait already. Some never get theirs.
    pub fn await_seal(&mut self, token: u64, draft: Draft, now: Timestamp) -> bool {
        if self.unsealed.len() >= UNSEALED_MAX {
            self.unsealed.retain(|_, (since, _)| now.since(*since) < SEALING_MAX);
        }
        let room = self.unsealed.len() < UNSEALED_MAX;
        if room {
            self.unsealed.insert(token, (now, draft));
        }
        room
    }

    pub fn sealed(&mut self, token: u64) -> Option<Draft> {
        self.unsealed.remove(&token).map(|(_, draft)| draft)
    }
}

//! What peers did wrong: counted, and logged once for each peer and reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::NodeId;
use crate::safe_text::safe_text;

/// Most peers whose reasons are remembered one by one.
const PEERS_MAX: usize = 4_096;
/// Most reasons remembered for one peer.
const REASONS_MAX: usize = 16;

#[derive(Default)]
pub struct Tally {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refused: u64,
    logged: BTreeMap<NodeId, BTreeSet<String>>,
}

impl Tally {
    /// A bundle or frame that was refused before the agent saw it.
    pub fn bad(&self, from: NodeId, why: &str) {
        let mut state = self.state();
        state.refused += 1;
        if !state.logged.contains_key(&from) && state.logged.len() >= PEERS_MAX {
            return;
        }
        let reasons = state.logged.entry(from).or_default();
        if reasons.len() < REASONS_MAX && reasons.insert(why.to_owned()) {
            tracing::warn!(peer = %from.peer_id(), why = %safe_text(why), "refused what a peer sent");
        }
    }

    /// How many bundles and frames were refused since the start.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

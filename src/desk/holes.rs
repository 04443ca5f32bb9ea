//! Asks for what of files that are to come is missing, see [`crate::mail::holes`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::Desk;
use super::files::{LISTED_MAX, all_named};
use crate::api::ApiError;
use crate::content::Root;
use crate::id::NodeId;
use crate::mail::files::Parts;
use crate::mail::holes::Holes;
use crate::node::named::Named;

/// How often it is looked what is missing, while something is.
const LOOK: Duration = Duration::from_secs(5);

impl Desk {
    /// Runs as long as the node does. What it knows of how long nothing came ends with it.
    pub(super) async fn fill_holes(self) {
        let mut waiting = BTreeMap::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.node().ended() => return,
            }
            if !self.node().blobs().is_incomplete() {
                waiting.clear();
            } else if let Err(error) = self.look_for_holes(&mut waiting).await {
                tracing::warn!(%error, "what is missing of files cannot be asked for, for now");
            }
        }
    }

    async fn look_for_holes(&self, waiting: &mut BTreeMap<(NodeId, Root), Holes>) -> Result<(), ApiError> {
        let named = self.record(|record| all_named(record, LISTED_MAX)).await?;
        let (now, near) = self
            .look(|agent, _| {
                let near: Vec<NodeId> = agent.contacts().map(|contact| contact.peer).collect();
                (agent.at().now, near)
            })
            .await?;
        let mut still = BTreeMap::new();
        for named in named {
            let Some(source) = named.from() else { continue };
            let (key, missing) = ((source, named.file.root), self.missing(&named));
            if missing.is_empty() || still.contains_key(&key) {
                continue;
            }
            let have = self.here(&named).len();
            let mut holes = waiting.remove(&key).unwrap_or(Holes::new(have, now));
            if holes.ask(have, now, near.contains(&source)) {
                tracing::debug!(source = %source.peer_id(), "parts of a file are missing, and asked for");
                self.ask_missing(source, &named, missing).await?;
            }
            still.insert(key, holes);
        }
        *waiting = still;
        Ok(())
    }

    /// What is wanted of a file and not here: some of it, as much as one request asks for.
    fn missing(&self, named: &Named) -> Vec<(u32, u32)> {
        let is_to_come = !named.state.stopped && !named.state.gone && self.node().blobs().is_expected(&named.file.root);
        if !is_to_come {
            return Vec::new();
        }
        let parts = named.file.parts();
        let mut here = self.here(named);
        if let Some(wanted) = named.state.wanted.as_ref().filter(|wanted| wanted.of() == parts) {
            for part in (0..parts).filter(|part| !wanted.has(*part)) {
                here.insert(part);
            }
        }
        if here.of() == parts { here.missing(0, parts) } else { Parts::none(parts).missing(0, parts) }
    }
}

//! Asks for what of files that are to come is missing, see [`crate::mail::holes`]; tells authors of files of groups what of
//! them is here; and tells who sends files in parts which come here by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Desk;
use super::files::{LISTED_MAX, all_named, asked_of};
use super::rows::Names;
use crate::agent::Agent;
use crate::api::ApiError;
use crate::content::{FileAsk, PUSH_BYTES, Root};
use crate::eid::Eid;
use crate::id::NodeId;
use crate::mail::files::{FileState, Parts};
use crate::mail::holes::Holes;
use crate::mail::kept;
use crate::node::Stir;
use crate::node::named::Named;
use crate::time::Timestamp;

/// How often it is looked what is missing, while something is.
const LOOK: Duration = Duration::from_secs(5);

/// Other members in contact, where the author of a file of a group is not: they may have it.
fn others_near(named: &Named, near: &[NodeId], joined: &BTreeMap<NodeId, Vec<NodeId>>) -> Vec<NodeId> {
    let members = named.group().and_then(|group| joined.get(&group)).map_or(&[][..], |members| members);
    match named.from() {
        Some(author) if !near.contains(&author) => members.iter().filter(|who| near.contains(who)).copied().collect(),
        _ => Vec::new(),
    }
}

/// What is waited for, of whom and since when.
type Waiting = BTreeMap<(NodeId, Root), Holes>;

impl Desk {
    /// Runs as long as the node does. What it knows of how long nothing came ends with it.
    pub(super) async fn fill_holes(self) {
        let mut waiting = BTreeMap::new();
        loop {
            if let Err(error) = self.look_for_holes(&mut waiting).await {
                tracing::warn!(%error, "what is missing of files cannot be asked for, for now");
            }
            let next = tokio::time::sleep(LOOK);
            tokio::pin!(next);
            loop {
                tokio::select! {
                    () = &mut next, if self.node().blobs().is_incomplete() => break,
                    () = self.node().blobs().news() => {
                        self.stir(Stir::Files);
                        break;
                    }
                    // What is missing is looked for in its own time.
                    () = self.node().blobs().more() => self.stir(Stir::Files),
                    () = self.node().ended() => return,
                }
            }
        }
    }

    async fn look_for_holes(&self, waiting: &mut Waiting) -> Result<(), ApiError> {
        let named = self.record(|record| all_named(record, LISTED_MAX)).await?;
        self.tell_limit(&named).await?;
        self.tell_what_is_here(&named).await?;
        if !self.node().blobs().is_incomplete() {
            waiting.clear();
            return Ok(());
        }
        let (now, near) = self.near().await?;
        let joined = self.groups_joined().await?;
        let mut still = BTreeMap::new();
        for named in named {
            let Some(source) = named.from() else { continue };
            let (key, missing) = ((source, named.file.root), self.missing(&named));
            if missing.is_empty() || still.contains_key(&key) {
                continue;
            }
            let have = self.here(&named).len();
            let mut holes = waiting.remove(&key).unwrap_or(Holes::new(have, now));
            let others = others_near(&named, &near, &joined);
            if holes.ask(have, now, near.contains(&source) || !others.is_empty()) {
                tracing::debug!(source = %source.peer_id(), "parts of a file are missing, and asked for");
                let other = others.get(holes.asked() as usize % others.len().max(1));
                for who in other.into_iter().chain([&source]) {
                    self.ask_missing(*who, &named, missing.clone()).await?;
                }
            }
            still.insert(key, holes);
        }
        *waiting = still;
        Ok(())
    }

    /// What the clock says, and who is in contact.
    async fn near(&self) -> Result<(Timestamp, Vec<NodeId>), ApiError> {
        self.look(|agent, _| (agent.at().now, agent.contacts().map(|contact| contact.peer).collect())).await
    }

    /// Whom a person's own request for a file goes to: its author, and where they are away a member of its group who is in
    /// contact.
    pub(super) async fn whom_to_ask(&self, author: NodeId, named: &Named) -> Result<Vec<NodeId>, ApiError> {
        if named.group().is_none() {
            return Ok(vec![author]);
        }
        let ((_, near), joined) = (self.near().await?, self.groups_joined().await?);
        let other = others_near(named, &near, &joined).first().copied();
        Ok(std::iter::once(author).chain(other).collect())
    }

    /// Tells contacts who offered a file up to which size files come here by themselves, where they know of another.
    async fn tell_limit(&self, named: &[Named]) -> Result<(), ApiError> {
        let limit = self.node().blobs().push_bytes();
        for from in self.node().blobs().take_offerers() {
            let is_from = |named: &&Named| named.group().is_none() && named.from() == Some(from);
            let Some(newest) = named.iter().rev().find(is_from) else { continue };
            let told = self.record(move |record| record.kept(&kept::push_told(&from))).await?;
            if told.map_or(PUSH_BYTES, |told| kept::read_bytes(&told)) != limit {
                self.ask_for(Eid::mail(from), newest, FileAsk { limit: Some(limit), ..FileAsk::default() }).await?;
                self.keep(vec![(kept::push_told(&from), Some(kept::write_bytes(limit)))]).await?;
            }
        }
        Ok(())
    }

    /// Tells the authors of files of groups how much of each is here: some times as it comes, and once it is whole. Whoever is
    /// told of nothing else that came is not told of this.
    async fn tell_what_is_here(&self, named: &[Named]) -> Result<(), ApiError> {
        let me = self.my_node();
        let authors: BTreeSet<NodeId> = named.iter().filter_map(Named::from).collect();
        let told_nothing = move |agent: &Agent, _: &Names<'_>| {
            authors.into_iter().filter(|author| !agent.proves_to(author)).collect::<BTreeSet<_>>()
        };
        let told_nothing = self.look(told_nothing).await?;
        let mut seen = BTreeSet::new();
        for named in named.iter().filter(|named| named.group().is_some() && !named.state.stopped && !named.state.gone) {
            let Some(author) = named.from().filter(|_| seen.insert((named.mark, named.number))) else { continue };
            if told_nothing.contains(&author) {
                continue;
            }
            let here = self.here(named);
            let mine = named.members.iter().find(|(who, _)| *who == me).map(|(_, state)| asked_of(named, state).1);
            let told = mine.unwrap_or_else(|| Parts::none(named.file.parts())).len();
            if here.of() != named.file.parts() || !here.is_to_tell(told) {
                continue;
            }
            let ask = FileAsk { have: here.stretches(), ..FileAsk::default() };
            self.ask_for(Eid::mail(author), named, ask).await?;
            let state = FileState { sent: Some((Parts::none(here.of()), here)), ..FileState::default() };
            let key = kept::file_of_member(&named.mark, named.number, &me);
            self.keep(vec![(key, Some(state.write()))]).await?;
        }
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

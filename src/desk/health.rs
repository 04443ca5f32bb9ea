//! Whether the node does its work: its store takes commits, its disk has room, and its core answers.

use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::Desk;
use crate::agent;
use crate::api::model::{HealthRow, Schema};
use crate::mail::kept;
use crate::units::about_bytes;

/// Who answers later than this does not do its work.
const ANSWER: Duration = Duration::from_secs(5);
/// A commit that fails ends contacts, so a store that failed is not tried more often.
const TRY_AGAIN: Duration = Duration::from_secs(30);

impl Desk {
    /// What keeps the node from its work, for whoever watches over it; nothing where all is well.
    pub(super) async fn health(&self) -> HealthRow {
        let problems = self.problems().await;
        HealthRow {
            schema: Schema,
            ok: problems.is_empty(),
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            uptime_ms: self.inner.started.elapsed().as_millis() as u64,
            api_listen: self.inner.api_listen.get().map(ToString::to_string),
            problems,
        }
    }

    async fn problems(&self) -> Vec<String> {
        let home = self.inner.home.data_directory();
        if self.inner.lock.is_read_only() || is_read_only(home) {
            return vec![format!("{} is on a disk that can only be read", home.display())];
        }
        let mut problems = Vec::new();
        problems.extend(self.is_short_of_room());
        if let Some(error) = self.node().failing()
            && !self.commits_again().await
        {
            problems.push(format!("the store takes no commits: {error}"));
        }
        match tokio::time::timeout(ANSWER, self.node().look(|_| ())).await {
            Ok(Ok(())) => {}
            // It is said already why nothing is committed.
            Ok(Err(_)) if !problems.is_empty() => {}
            Ok(Err(error)) => problems.push(error.to_string()),
            Err(_) => problems.push(format!("the node answers nothing within {} seconds", ANSWER.as_secs())),
        }
        problems
    }

    /// Below this bound the agent takes nothing more for others.
    fn is_short_of_room(&self) -> Option<String> {
        let least = agent::Config::default().free_bytes_min;
        match self.node().reader().room_bytes() {
            Ok(room) if room >= least => None,
            Ok(room) => Some(format!(
                "the disk is full: {} are left, and below {} nothing is carried",
                about_bytes(room),
                about_bytes(least)
            )),
            Err(error) => Some(format!("the store cannot be read: {error}")),
        }
    }

    /// Tries a store that failed, for a node with nothing to do would never find out that it works again.
    async fn commits_again(&self) -> bool {
        {
            let mut tried = self.inner.tried.lock().unwrap_or_else(PoisonError::into_inner);
            if tried.is_some_and(|tried| tried.elapsed() < TRY_AGAIN) {
                return false;
            }
            *tried = Some(Instant::now());
        }
        let commit = self.node().keep(vec![(kept::nothing(), None)]);
        matches!(tokio::time::timeout(ANSWER, commit).await, Ok(Ok(())))
    }
}

fn is_read_only(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY))
}

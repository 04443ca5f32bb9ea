//! Figures over time: a sample whenever one is due, and what they came to.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::Desk;
use crate::api::ApiError;
use crate::api::model::{Schema, StatsRow, When};
use crate::stats::{Dated, Levels, Reading, Stats, Totals};

impl Desk {
    /// Keeps a sample whenever one is due, until the node ends.
    pub(super) async fn keep_stats(self) {
        loop {
            let due = self.stats().due(Reading::now());
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(due.0)) => self.keep_sample().await,
                () = self.node().ended() => return,
            }
        }
    }

    /// Keeps what came together since the last sample.
    pub(super) async fn keep_sample(&self) {
        match self.levels().await {
            Ok(levels) => self.stats().keep(Reading::now(), self.totals(), levels),
            Err(error) => tracing::debug!(%error, "nobody says what a sample is to hold"),
        }
    }

    /// Everything that is kept, and what came since where a node runs.
    pub(super) async fn stats_rows(&self) -> Result<Vec<StatsRow>, ApiError> {
        let so_far = match self.node().net() {
            Some(_) => Some((self.totals(), self.levels().await?)),
            None => None,
        };
        Ok(self.stats().samples(Reading::now(), so_far).iter().map(row).collect())
    }

    /// What counted up since the start.
    pub(super) fn totals(&self) -> Totals {
        let (bytes_in, bytes_out) = self.node().net().map_or((0, 0), |net| (net.received_bytes(), net.sent_bytes()));
        Totals { contacts: self.node().met(), bytes_in, bytes_out }
    }

    async fn levels(&self) -> Result<Levels, ApiError> {
        let usage = self.look(|agent, _| agent.usage()).await?;
        let [.., (own, _)] = usage.by_class;
        let [.., (custody, _)] = usage.by_grade;
        Ok(Levels {
            backlog: (own + custody) as u64,
            held: usage.messages as u64,
            held_bytes: usage.by_class.iter().map(|(_, bytes)| bytes).sum(),
            store_bytes: self.node().reader().file_bytes(),
        })
    }

    fn stats(&self) -> MutexGuard<'_, Stats> {
        self.inner.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(Dated { at, sample }: &Dated) -> StatsRow {
    StatsRow {
        schema: Schema,
        at: at.and_then(When::from_dtn),
        span_secs: sample.span.0.div_ceil(1_000),
        contacts: sample.moved.contacts,
        backlog: sample.levels.backlog,
        bytes_in: sample.moved.bytes_in,
        bytes_out: sample.moved.bytes_out,
        held: sample.levels.held,
        held_bytes: sample.levels.held_bytes,
        store_bytes: sample.levels.store_bytes,
    }
}

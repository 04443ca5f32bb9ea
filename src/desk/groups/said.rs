//! One's own words about keys and receipts, which are read nowhere: their records leave once nothing more is heard of them.

use std::time::{Duration, Instant};

use crate::agent::Input;
use crate::api::ApiError;
use crate::desk::Desk;
use crate::mail::groups::rows::{Key, all_said, read_key};
use crate::store::redb::RedbReader;

/// So many are looked at together, and how often.
const WORDS_LOOKED_AT: usize = 1_024;
const TIDIED: Duration = Duration::from_secs(600);

impl Desk {
    /// Now and then forgets words; returns how long until the next time, where some stay.
    pub(super) async fn tidy_said(&self, tidied: &mut Option<Instant>) -> Result<Option<Duration>, ApiError> {
        let left = tidied.map(|at| TIDIED.saturating_sub(at.elapsed())).filter(|left| !left.is_zero());
        if left.is_some() {
            return Ok(left);
        }
        *tidied = Some(Instant::now());
        Ok(self.forget_said().await?.then_some(TIDIED))
    }

    /// The records of words that are read nowhere leave once nothing more is heard of them. Says whether some stay.
    async fn forget_said(&self) -> Result<bool, ApiError> {
        let (mut after, mut some_stay): (Option<Vec<u8>>, bool) = (None, false);
        loop {
            let from = after.take();
            let settled = move |record: &RedbReader| {
                let page = record.all_kept(&all_said(), from.as_deref(), WORDS_LOOKED_AT)?;
                let last = page.last().map(|(key, _)| key.clone());
                let (many, mut settled) = (page.len(), Vec::new());
                for (key, _) in page {
                    let Some(Key::Said(id)) = read_key(&key) else { continue };
                    if record.sent(&id)?.is_none_or(|outgoing| outgoing.is_settled()) {
                        settled.push((key, id));
                    }
                }
                Ok((last, many, settled))
            };
            let (last, many, settled) = self.record(settled).await?;
            if last.is_none() {
                return Ok(some_stay);
            }
            after = last;
            some_stay |= settled.len() < many;
            for (_, id) in &settled {
                self.node().input(Input::Discard(*id)).await?;
            }
            if !settled.is_empty() {
                self.keep(settled.into_iter().map(|(key, _)| (key, None)).collect()).await?;
            }
        }
    }
}

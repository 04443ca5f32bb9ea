//! What became of one's own messages, each with the first of its words.

use super::Desk;
use super::listing::PAGE_ROWS;
use super::rows;
use crate::agent::Agent;
use crate::agent::change::Outgoing;
use crate::api::model::{StatusRow, When};
use crate::api::{ApiError, Row};
use crate::id::{BundleId, NodeId};
use crate::mail::index::Written;
use crate::mail::kept::{self, WasDraft};

/// So much of its words stands beside what became of a message, in characters.
const WORDS_CHARS_MAX: usize = 256;

/// A listing of one's own messages under way, oldest first.
pub struct StatusPages {
    desk: Desk,
    limit: Option<u32>,
    unsettled: bool,
    /// The recipient as typed, and once that is known, its node.
    to: Option<String>,
    node: Option<NodeId>,
    /// What was listed last, once it is known where the listing begins.
    after: Option<Option<Written>>,
}

impl StatusPages {
    pub fn of(desk: Desk, limit: Option<u32>, unsettled: bool, to: Option<String>) -> StatusPages {
        StatusPages { desk, limit, unsettled, to, node: None, after: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, StatusPages)>, ApiError> {
        let mut after = match self.after {
            Some(after) => after,
            None => match self.beginning().await? {
                Some(after) => after,
                None => return Ok(None),
            },
        };
        loop {
            let page = self.desk.record(move |record| record.sent_behind(after, PAGE_ROWS)).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            after = Some(*last);
            let wanted = page.into_iter().map(|(_, sent)| sent).filter(|sent| self.wants(sent)).collect();
            let rows = self.desk.statuses(wanted).await?;
            if !rows.is_empty() {
                self.after = Some(after);
                return Ok(Some((rows.into_iter().map(Row::Status).collect(), self)));
            }
        }
    }

    fn wants(&self, sent: &Outgoing) -> bool {
        let is_to = self.node.is_none_or(|node| sent.destination.node == node);
        is_to && !(self.unsettled && sent.has_end())
    }

    /// Behind what the listing begins, which may be nothing; none where it has no rows.
    async fn beginning(&mut self) -> Result<Option<Option<Written>>, ApiError> {
        if let Some(who) = &self.to {
            self.node = Some(self.desk.find_node(who).await?);
        }
        let Some(mut left) = self.limit else { return Ok(Some(None)) };
        let mut before = None;
        while left > 0 {
            let page = self.desk.record(move |record| record.sent_before(before, PAGE_ROWS)).await?;
            if page.is_empty() {
                return Ok(Some(None));
            }
            for (written, sent) in page {
                before = Some(written);
                left -= u32::from(self.wants(&sent));
                if left == 0 {
                    break;
                }
            }
        }
        if self.limit == Some(0) {
            return Ok(None);
        }
        let ahead = self.desk.record(move |record| record.sent_before(before, 1)).await?;
        Ok(Some(ahead.first().map(|(written, _)| *written)))
    }
}

impl Desk {
    /// What became of one message: the one row.
    pub(super) async fn status(&self, prefix: &str) -> Result<Vec<StatusRow>, ApiError> {
        let id = self.find_sent(prefix).await?;
        Ok(self.status_of(id).await?.into_iter().collect())
    }

    pub(super) async fn status_of(&self, id: BundleId) -> Result<Option<StatusRow>, ApiError> {
        let Some(outgoing) = self.record(move |record| record.sent(&id)).await? else { return Ok(None) };
        Ok(self.statuses(vec![outgoing]).await?.pop())
    }

    pub(super) async fn cancel(&self, prefix: &str) -> Result<Vec<StatusRow>, ApiError> {
        let id = self.find_sent(prefix).await?;
        let mut rows = Vec::new();
        for id in self.stop(id).await? {
            rows.extend(self.status_of(id).await?);
        }
        Ok(rows)
    }

    /// The caller bounds how many it hands over; of their words only the first are in memory.
    async fn statuses(&self, sent: Vec<Outgoing>) -> Result<Vec<StatusRow>, ApiError> {
        let rows_at: Vec<_> = sent.iter().map(|outgoing| outgoing.row).collect();
        let facts = move |_: &Agent, names: &super::Names<'_>| {
            sent.iter().map(|outgoing| names.status(outgoing)).collect::<Vec<StatusRow>>()
        };
        let mut rows = self.look(facts).await?;
        let reader = self.node().reader().clone();
        let add_words = move || -> Result<Vec<StatusRow>, ApiError> {
            for (row, at) in rows.iter_mut().zip(rows_at) {
                let Some(at) = at else { continue };
                if let Some(body) = reader.words(&[at])?.pop().flatten() {
                    rows::say(row, &body, WORDS_CHARS_MAX);
                }
                if let Some(was) = reader.kept(&kept::draft_of_message(at))?.map(|value| WasDraft::read(&value)) {
                    row.draft = Some(was.number);
                    row.meant_at = was.at.and_then(When::from_dtn);
                }
            }
            Ok(rows)
        };
        let joined = tokio::task::spawn_blocking(add_words).await;
        joined.map_err(|error| ApiError::failure(error.to_string()))?
    }
}

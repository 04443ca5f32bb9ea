//! Whether mail gets away from here: whom the node meets, what waits, and what ended that nobody looked at yet.

use super::Desk;
use super::rows;
use crate::agent::change::EvidenceKind;
use crate::api::ApiError;
use crate::api::Response;
use crate::api::model::{Done, OutlookRow, Schema, When};
use crate::mail::kept;
use crate::store::StoreError;
use crate::store::redb::{Entry, RedbReader};

impl Desk {
    pub(crate) async fn outlook(&self) -> Result<OutlookRow, ApiError> {
        let (met_now, at, met) = self.look(|agent, _| (agent.contacts().count(), agent.at(), agent.last_met())).await?;
        let read = |record: &RedbReader| {
            let (first, last) = record.happened_span()?;
            Ok((record.waiting()?, ended(record, first)?, last, record.addresses()?))
        };
        let ((waiting, first_end), ended, event, book) = self.record(read).await?;
        // A strategy that learns nothing of meetings leaves what the address book knows of those dialed.
        let dialed = book.iter().flat_map(|(_, addresses)| addresses).map(|address| address.worked_unix_ms).max();
        let dialed = dialed.filter(|ms| *ms > 0).and_then(|ms| Some(When(i64::try_from(ms).ok()?)));
        let (due, overdue) = self.due_within_a_day().await?;
        Ok(OutlookRow {
            schema: Schema,
            due: due.len() as u64,
            first_due_at: due.first().and_then(|due| When::from_dtn(*due)),
            overdue: overdue.len() as u64,
            met_now: met_now as u64,
            last_met_at: met.and_then(|met| rows::when(at, met)).max(dialed),
            waiting,
            first_end_at: first_end.and_then(|end| rows::when(at, end)),
            ended,
            event,
        })
    }

    /// The person looked at what became of their messages, up to this event.
    pub(super) async fn looked_at_status(&self, event: u64) -> Result<Response, ApiError> {
        let looked = self.record(looked).await?;
        if event > looked {
            let value = Some(event.to_be_bytes().to_vec());
            self.node().keep(vec![(kept::seen_status(), value)]).await?;
        }
        Ok(Response::Done(Done::default()))
    }
}

fn looked(record: &RedbReader) -> Result<u64, StoreError> {
    let value = record.kept(&kept::seen_status())?;
    Ok(value.and_then(|value| Some(u64::from_be_bytes(value.try_into().ok()?))).unwrap_or(0))
}

/// How many of one's own messages ended without a receipt since the person looked, and are still without one.
fn ended(record: &RedbReader, first: u64) -> Result<u64, StoreError> {
    let mut still = 0;
    for id in record.ended(looked(record)?.max(first.saturating_sub(1)))? {
        // What was sent anew meanwhile has another fate.
        let shown = record.row_shown(&id)?.map(|(with, row)| record.entry_at(&with, row)).transpose()?.flatten();
        let is_last = !matches!(shown, Some(Entry::Own(last)) if last.id != id);
        still += u64::from(is_last && record.sent(&id)?.is_some_and(|sent| sent.state() == EvidenceKind::Expired));
    }
    Ok(still)
}

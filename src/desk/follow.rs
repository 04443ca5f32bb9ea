//! Rows as they come: new mail, and new evidence of one's own.

use futures::stream;
use tokio::sync::broadcast::error::RecvError;

use super::rows::Taken;
use super::{Desk, happened};
use crate::agent::Event;
use crate::api::model::Show;
use crate::api::{ApiError, NextStep, Row, Rows, Topic};
use crate::id::BundleId;

/// Subscribes before it returns.
pub fn rows(desk: Desk, topic: Topic) -> Rows {
    if let Topic::Happened { since, who } = topic {
        return happened::rows(desk, since, who);
    }
    let events = desk.node().follow();
    Box::pin(stream::unfold(Some((desk, events, topic)), |state| async move {
        let (desk, mut events, topic) = state?;
        loop {
            match events.recv().await {
                Ok(event) => match desk.row_of(&topic, &event).await {
                    Ok(Some(row)) => return Some((row, Some((desk, events, topic)))),
                    Ok(None) => {}
                    Err(error) => return Some((Row::Ended(error), None)),
                },
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(missed)) => {
                    let message = format!("{missed} events came faster than they were read");
                    return Some((Row::Ended(ApiError::failure(message).next(NextStep::FollowAgain)), None));
                }
            }
        }
    }))
}

impl Desk {
    async fn row_of(&self, topic: &Topic, event: &Event) -> Result<Option<Row>, ApiError> {
        match (topic, event) {
            (Topic::Inbox { all }, Event::Delivered { id, .. }) => {
                let id = *id;
                let Some(envelope) = self.envelope(id).await? else { return Ok(None) };
                let show = if *all { Show::All } else { Show::Waiting };
                if !self.is_news(&envelope.letter, show).await? {
                    return Ok(None);
                }
                let opened = self.open(vec![envelope], Taken::Texts { chars_max: usize::MAX }).await?.pop();
                Ok(opened.map(|opened| Row::Inbox(opened.row)))
            }
            (Topic::Status { id }, Event::Status { id: about, .. } | Event::Queued { id: about, .. }) => {
                let wanted = |id: &Option<String>| id.as_ref().is_none_or(|prefix| is_named(about, prefix));
                if !wanted(id) {
                    return Ok(None);
                }
                Ok(self.status_of(*about).await?.map(Row::Status))
            }
            _ => Ok(None),
        }
    }
}

fn is_named(id: &BundleId, prefix: &str) -> bool {
    id.full().starts_with(&prefix.trim().to_ascii_lowercase())
}

//! Rows as they come: new mail, and new evidence of one's own.

use std::time::Instant;

use futures::stream;
use tokio::sync::broadcast::error::RecvError;

use super::quiet::{Arrival, Quiet, minute_now};
use super::rows::{Opened, Taken};
use super::{Desk, happened, pairing, topics};
use crate::agent::Event;
use crate::agent::change::Letter;
use crate::api::model::{InboxRow, Show};
use crate::api::{ApiError, NextStep, Row, Rows, Topic};
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::time::Millis;

/// Subscribes before it returns.
pub fn rows(desk: Desk, topic: Topic) -> Rows {
    if let Topic::Happened { since, who, beside } = topic {
        return happened::rows(desk, since, who, beside);
    }
    if let Topic::Sub { topic, group, from, follow, window } = topic {
        return topics::consume::rows(desk, topics::consume::Wish { topic, group, from, follow, window });
    }
    if let Topic::Pair { name, timeout_ms } = topic {
        return pairing::host::rows(desk, name, timeout_ms.map(Millis));
    }
    let events = desk.node().follow();
    // Who wants all wants it at once.
    let quiet = match topic {
        Topic::Inbox { all: false } => desk.quiet(),
        _ => Quiet::default(),
    };
    Box::pin(stream::unfold(Some((desk, events, topic, quiet)), |state| async move {
        let (desk, mut events, topic, mut quiet) = state?;
        loop {
            let row = tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => desk.row_of(&topic, &event, &mut quiet).await,
                    Err(RecvError::Closed) => return None,
                    Err(RecvError::Lagged(missed)) => {
                        let message = format!("{missed} events came faster than they were read");
                        Err(ApiError::failure(message).next(NextStep::FollowAgain))
                    }
                },
                id = kept_back(&mut quiet) => desk.arrived(id, Show::Waiting).await,
            };
            match row {
                Ok(Some(row)) => return Some((row, Some((desk, events, topic, quiet)))),
                Ok(None) => {}
                Err(error) => return Some((Row::Ended(error), None)),
            }
        }
    }))
}

/// The next message that quiet hours kept back, once they are over.
pub async fn kept_back(quiet: &mut Quiet) -> BundleId {
    loop {
        if let Some(id) = quiet.next(minute_now()) {
            return id;
        }
        match quiet.nap(minute_now()) {
            Some(nap) => tokio::time::sleep(nap).await,
            None => std::future::pending().await,
        }
    }
}

impl Desk {
    /// Quiet hours for one who listens from now on.
    pub(super) fn quiet(&self) -> Quiet {
        Quiet::new(self.inner.config.quiet.value)
    }

    /// Whether somebody is to be told now of a message that came.
    pub(super) async fn is_told(&self, letter: &Letter, quiet: &mut Quiet) -> Result<bool, ApiError> {
        let Letter { id, source: writer, priority, .. } = *letter;
        let with = Conversation::of_letter(letter).0.node;
        let is_known = self.look(move |_, names| names.known(&with).is_some()).await?;
        Ok(quiet.tells(&Arrival { id, writer, is_known, priority }, minute_now(), Instant::now()))
    }

    async fn row_of(&self, topic: &Topic, event: &Event, quiet: &mut Quiet) -> Result<Option<Row>, ApiError> {
        match (topic, event) {
            (Topic::Inbox { all }, Event::Delivered { id, .. }) => {
                let id = *id;
                let Some(letter) = self.record(move |record| record.letter(&id)).await? else { return Ok(None) };
                let show = if *all { Show::All } else { Show::Waiting };
                // What nobody is told of takes nothing of what may break into quiet hours.
                let is_for_person = self.is_news(&letter, show).await? || self.has_notice(&letter, show).await?;
                match is_for_person && self.is_told(&letter, quiet).await? {
                    true => self.arrived(id, show).await,
                    false => Ok(None),
                }
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

    /// The row of a message that came and is news.
    async fn arrived(&self, id: BundleId, show: Show) -> Result<Option<Row>, ApiError> {
        let Some(envelope) = self.envelope(id).await? else { return Ok(None) };
        let notice = match self.is_news(&envelope.letter, show).await? {
            true => None,
            false if self.has_notice(&envelope.letter, show).await? => self.notice(&envelope.letter).await?,
            false => return Ok(None),
        };
        let opened = self.open(vec![envelope], Taken::Texts { chars_max: usize::MAX }).await?.pop();
        Ok(opened.map(|Opened { row, .. }| match notice {
            Some(notice) => Row::Inbox(InboxRow { text: Some(notice.text), ..row }),
            None => Row::Inbox(row),
        }))
    }

    /// Whether an app wants this person to be told of an update that came; whoever wants all rows wants those of the inbox.
    async fn has_notice(&self, letter: &Letter, show: Show) -> Result<bool, ApiError> {
        let is_wanted = show != Show::All && self.wanted(std::slice::from_ref(letter), show).await? == [true];
        Ok(is_wanted && self.notice(letter).await?.is_some())
    }
}

fn is_named(id: &BundleId, prefix: &str) -> bool {
    id.full().starts_with(&prefix.trim().to_ascii_lowercase())
}

//! Whether a message is meant for a hook.

use super::{Desk, is_same_label};
use crate::agent::change::Letter;
use crate::api::{ApiError, ErrorKind};
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::mail::hooks::Hook;
use crate::store::redb::RedbReader;

impl Desk {
    /// A message that came, if a hook is to have it: one that stands in the inbox by itself, and no change of another.
    pub(super) async fn meant_for(&self, hook: &Hook, id: &BundleId) -> Result<Option<Letter>, ApiError> {
        let id = *id;
        let read = move |record: &RedbReader| {
            let Some(letter) = record.letter(&id)? else { return Ok(None) };
            let is_row = record.row_shown(&id)?.is_some_and(|(_, row)| row == letter.row);
            Ok(is_row.then_some(letter))
        };
        match self.record(read).await? {
            Some(letter) if self.is_meant(hook, &letter).await? => Ok(Some(letter)),
            _ => Ok(None),
        }
    }

    pub(super) async fn is_meant(&self, hook: &Hook, letter: &Letter) -> Result<bool, ApiError> {
        let (with, row) = (Conversation::of_letter(letter), letter.row);
        if hook.from.is_some_and(|from| from != letter.source)
            || hook.within.as_ref().is_some_and(|within| *within != with)
        {
            return Ok(false);
        }
        if let Some(label) = &hook.label {
            let of = with.clone();
            let placed = self.record(move |record| record.places(&[(row, of)])).await?.pop().unwrap_or_default();
            if !placed.labels.iter().any(|other| is_same_label(label, other)) {
                return Ok(false);
            }
        }
        match &hook.query {
            None => Ok(true),
            Some(query) => match self.query_finds(query, &with, row).await {
                // Whom or what it names is there no more, and so nothing is of them.
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Usage) => Ok(false),
                found => found,
            },
        }
    }
}

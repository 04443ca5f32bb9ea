//! Changes that gave way to others: their authors knew nothing of each other, and one of them counts. Who made the other, or
//! saw it, is told once.

use std::collections::BTreeSet;

use super::Desk;
use crate::api::ApiError;
use crate::api::model::{CrossingRow, Schema};
use crate::content::Mark;
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::mail::happening::{Happening, What};
use crate::mail::kept;
use crate::store::redb::{Entry, RedbReader};

/// How many things that happened are read at once.
const PAGE: usize = 512;
/// So many are told of at once; of the rest the histories of their messages tell.
const TOLD_MAX: usize = 16;

impl Desk {
    /// Changes that gave way since the person was told of such; `told` is that they are now.
    pub(super) async fn crossings(&self, told: bool) -> Result<Vec<CrossingRow>, ApiError> {
        let (first, last) = self.record(RedbReader::happened_span).await?;
        let mark = self.record(|record| record.kept(&kept::told_of_crossings())).await?;
        let told_to = mark.map_or(0, |value| kept::read_number(&value));
        let mut rows = Vec::new();
        let (mut behind, mut seen) = (told_to.max(first.saturating_sub(1)), BTreeSet::new());
        while behind < last && rows.len() < TOLD_MAX {
            let page = self.record(move |record| record.happened(behind, PAGE)).await?;
            let Some((end, _)) = page.last() else { break };
            behind = *end;
            for (_, Happening { id, what, .. }) in page {
                if let What::Changed(target) = what {
                    rows.extend(self.crossed(id, target, &mut seen).await?);
                }
            }
        }
        if told && last > told_to {
            self.keep(vec![(kept::told_of_crossings(), Some(kept::write_number(last)))]).await?;
        }
        rows.truncate(TOLD_MAX);
        Ok(rows)
    }

    /// What gave way to a change, or it to another, unless that was seen.
    async fn crossed(
        &self,
        by: BundleId,
        target: Mark,
        seen: &mut BTreeSet<(Mark, String)>,
    ) -> Result<Vec<CrossingRow>, ApiError> {
        let Some((with, _)) = self.entry(&by).await? else { return Ok(Vec::new()) };
        let Some(id) = self.shown_of(&with, target).await? else { return Ok(Vec::new()) };
        let history = self.history_of(id).await?;
        let (by, mut rows) = (by.full(), Vec::new());
        for stands in history.iter().filter(|row| row.stands) {
            let lost = history.iter().filter(|row| row.field == stands.field && row.gave_way);
            for gave_way in lost.filter(|row| row.id == by || stands.id == by) {
                if seen.insert((target, gave_way.id.clone())) {
                    let (gave_way, stands) = (gave_way.clone(), stands.clone());
                    rows.push(CrossingRow { schema: Schema, id: id.full(), gave_way, stands });
                }
            }
        }
        Ok(rows)
    }

    /// The message that content of this name is shown as.
    async fn shown_of(&self, with: &Conversation, target: Mark) -> Result<Option<BundleId>, ApiError> {
        let of = with.clone();
        let entry = self.record(move |record| record.with_content(&of, &target)).await?;
        Ok(entry.map(|entry| match entry {
            Entry::Came(letter) => letter.id,
            Entry::Own(outgoing) => outgoing.id,
        }))
    }
}

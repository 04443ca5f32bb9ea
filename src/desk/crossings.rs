//! Changes that gave way to others: their authors knew nothing of each other, and one of them counts. Who made the other, or
//! saw it, is told once.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use crate::api::ApiError;
use crate::api::model::{CrossingRow, HistoryRow, Schema};
use crate::content::Mark;
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::mail::happening::{Happening, What};
use crate::mail::kept;
use crate::mail::registers::Registers;
use crate::store::redb::{Entry, RedbReader};

/// How many of the last things that happened are looked through: peers make them happen for little.
const LOOKED_THROUGH_MAX: u64 = 1_024;
/// So many messages that were changed are looked at, the last ones first.
const TARGETS_MAX: usize = 32;
/// So many crossings are told of at once; of the rest the histories of their messages tell.
const TOLD_MAX: usize = 16;

impl Desk {
    /// Changes that gave way since the person was told of such; `told` is that they are now.
    pub(super) async fn crossings(&self, told: bool) -> Result<Vec<CrossingRow>, ApiError> {
        let (first, last) = self.record(RedbReader::happened_span).await?;
        let mark = self.record(|record| record.kept(&kept::told_of_crossings())).await?;
        let told_to = mark.map_or(0, |value| kept::read_number(&value));
        let behind = told_to.max(first.saturating_sub(1)).max(last.saturating_sub(LOOKED_THROUGH_MAX));
        let page = self.record(move |record| record.happened(behind, LOOKED_THROUGH_MAX as usize)).await?;
        // The last change of each target, and all that are new.
        let (mut targets, mut new) = (BTreeMap::new(), BTreeSet::new());
        for (number, Happening { id, what, .. }) in page {
            if let What::Changed(target) = what {
                targets.insert(target, (number, id));
                new.insert(id);
            }
        }
        let mut targets: Vec<(u64, BundleId, Mark)> =
            targets.into_iter().map(|(mark, (n, id))| (n, id, mark)).collect();
        targets.sort_unstable();
        let mut rows = Vec::new();
        for (_, by, target) in targets.into_iter().rev().take(TARGETS_MAX) {
            rows.extend(self.crossed(by, target, &new).await?);
            if rows.len() >= TOLD_MAX {
                break;
            }
        }
        if told && last > told_to {
            self.keep(vec![(kept::told_of_crossings(), Some(kept::write_number(last)))]).await?;
        }
        rows.truncate(TOLD_MAX);
        Ok(rows)
    }

    /// What of a message gave way to somebody else's change, if either is new.
    async fn crossed(
        &self,
        by: BundleId,
        target: Mark,
        new: &BTreeSet<BundleId>,
    ) -> Result<Vec<CrossingRow>, ApiError> {
        let Some((with, _)) = self.entry(&by).await? else { return Ok(Vec::new()) };
        let Some(id) = self.shown_of(&with, target).await? else { return Ok(Vec::new()) };
        let (_, registers) = self.subject_of(id).await?;
        let mut rows = Vec::new();
        for (_, settings) in registers.all() {
            let Some(stands) = settings.last() else { continue };
            // One who changes their mind knows of it.
            let is_told = |id: &BundleId| new.contains(id) || new.contains(&stands.id);
            let lost = Registers::gave_way(settings).into_iter();
            for lost in lost.filter(|lost| lost.author != stands.author && is_told(&lost.id)).take(TOLD_MAX) {
                let gave_way = HistoryRow { gave_way: true, ..self.history_row(lost).await? };
                let stands = HistoryRow { stands: true, ..self.history_row(stands).await? };
                rows.push(CrossingRow { schema: Schema, id: id.full(), gave_way, stands });
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

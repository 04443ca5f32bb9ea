//! Changing one's own words before anybody has them: they go as if they had been written so.
//!
//! The first message is stopped, another with the new words is queued as the same content, and then the first goes from the
//! record; its id leads to the other from then on. A power cut in between leaves one that is stopped, or both, of which the
//! other is the one that goes.

use super::Desk;
use super::changes::Subject;
use super::find::looks_like_an_id;
use crate::agent::change::Outgoing;
use crate::agent::{Agent, Input};
use crate::api::ApiError;
use crate::api::model::{SentRow, Wish};
use crate::content::{Content, pad};
use crate::id::BundleId;
use crate::mail::kept;
use crate::mail::registers::Registers;
use crate::store::redb::{Body, RedbReader};

/// So often a message is changed before it leaves, and is still found by its first id.
const ALIASES_MAX: usize = 256;

impl Desk {
    /// Puts other words in the place of one's own message that nobody can have; none where somebody may, where more than its
    /// words is to be changed, and where something was said of it already.
    pub(super) async fn change_unsent(
        &self,
        id: BundleId,
        wish: &Wish,
        subject: &Subject,
        registers: &Registers,
    ) -> Result<Option<SentRow>, ApiError> {
        let Some(body) = wish.body.as_ref().filter(|_| wish.is_of_words() && registers.is_empty()) else {
            return Ok(None);
        };
        if self.sent_as(id).await?.len() > 1 {
            return Ok(None);
        }
        let outgoing = self.record(move |record| record.sent(&id)).await?;
        let Some(Outgoing { row: Some(row), destination, lifetime, priority, created, .. }) = outgoing else {
            return Ok(None);
        };
        // A stick is no contact, and may be with the recipient by now.
        let by_hand = self.record(|record| record.kept(&kept::left_by_hand())).await?;
        if by_hand.is_some_and(|value| kept::read_number(&value) >= created.now.0) {
            return Ok(None);
        }
        let words = self.record(move |record| record.words(&[row])).await?.pop().flatten();
        let Some(Body::Filed(filed)) = words else { return Ok(None) };
        let Ok(Content::Text(mut text)) = Content::decode(&filed.content) else { return Ok(None) };
        (text.body, text.same) = (body.clone(), Some(subject.mark));
        let stop = move |agent: &Agent| {
            let held = agent.held_one(&id).filter(|_| agent.has_not_left(&id));
            (held.is_some().then_some(Input::Cancel(id)), held.map(|held| held.copies))
        };
        let Some(copies) = self.node().decide(stop).await? else { return Ok(None) };
        let node = destination.node;
        let sent =
            self.node().send(destination, pad(&Content::Text(text).encode()), lifetime, priority, Some(copies)).await?;
        self.keep(vec![(kept::alias(&id), Some(kept::write_ids(&[sent])))]).await?;
        // Only this one: the other is the same content.
        self.node().input(Input::Discard(id)).await?;
        self.forget_place(row).await?;
        self.forget_words().await?;
        self.sent_row(sent, node).await.map(Some)
    }

    /// Notes, before they leave, that copies are handed out where no contact tells of it.
    pub(super) async fn leaves_by_hand(&self) -> Result<(), ApiError> {
        let now = self.look(|agent, _| agent.at().now).await?;
        self.keep(vec![(kept::left_by_hand(), Some(kept::write_number(now.0)))]).await
    }

    /// The message that stands in the place of one whose id begins so; none where there is none.
    pub(super) async fn stands_for(&self, typed: &str) -> Result<Option<BundleId>, ApiError> {
        let typed = typed.trim().to_ascii_lowercase();
        if !looks_like_an_id(&typed) {
            return Ok(None);
        }
        let (mut start, mut found) = (kept::aliases(), None);
        start.extend(crate::id::unhex(&typed[..typed.len() / 2 * 2]).unwrap_or_default());
        for _ in 0..ALIASES_MAX {
            let (of, aliases) = (typed.clone(), kept::aliases().len());
            let alias = move |record: &RedbReader| record.all_kept(&start, None, 2);
            let next = self.record(alias).await?;
            let is_meant = |key: &[u8]| found.is_some() || crate::id::hex(&key[aliases..]).starts_with(&of);
            let mut meant = next.iter().filter(|(key, _)| is_meant(key)).flat_map(|(_, id)| kept::read_ids(id));
            let (Some(id), None) = (meant.next(), meant.next()) else { break };
            found = Some(id);
            start = kept::alias(&id);
        }
        Ok(found)
    }
}

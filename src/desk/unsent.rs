//! Changing one's own words before anybody has them: they go as if they had been written so.
//!
//! The message is stopped, in whatever bundles it was sent so far, another with the new words is queued as the same content,
//! and then the former ones go from the record; their ids lead to the other from then on. A power cut in between leaves them
//! stopped, or all of them, of which the other is the one that goes.

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
        let Some(body) = wish.body.as_ref().filter(|_| wish.is_of_words() && registers.is_unchanged()) else {
            return Ok(None);
        };
        let all = self.sent_as(id).await?;
        let of = all.clone();
        let read = move |record: &RedbReader| of.iter().map(|id| record.sent(id)).collect::<Result<Vec<_>, _>>();
        let Some(all_sent) = self.record(read).await?.into_iter().collect::<Option<Vec<Outgoing>>>() else {
            return Ok(None);
        };
        let created = all_sent.iter().map(|sent| sent.created.now).min().unwrap_or_default();
        let outgoing = all_sent.iter().find(|sent| sent.id == id).cloned();
        let Some(Outgoing { row: Some(row), destination, lifetime, priority, .. }) = outgoing else {
            return Ok(None);
        };
        // A stick is no contact, and may be with the recipient by now.
        let by_hand = self.record(|record| record.kept(&kept::left_by_hand())).await?;
        if by_hand.is_some_and(|value| kept::read_number(&value) >= created.0) {
            return Ok(None);
        }
        let words = self.record(move |record| record.words(&[row])).await?.pop().flatten();
        let Some(Body::Filed(filed)) = words else { return Ok(None) };
        let Ok(Content::Text(mut text)) = Content::decode(&filed.content) else { return Ok(None) };
        (text.body, text.same) = (body.clone(), Some(subject.mark));
        let of = all_sent.clone();
        let stop = move |agent: &Agent| {
            let held = of.iter().filter_map(|sent| agent.held_one(&sent.id)).next();
            let held = held.filter(|_| of.iter().all(|sent| agent.has_not_left(sent)));
            (held.as_ref().map(|held| Input::Cancel(held.id)), held.map(|held| held.copies))
        };
        let Some(copies) = self.node().decide(stop).await? else { return Ok(None) };
        let node = destination.node;
        let plaintext = pad(&Content::Text(text).encode());
        let sent = self.send_content(node, plaintext, lifetime, priority, Some(copies)).await?;
        let alias = |former: &BundleId| (kept::alias(former), Some(kept::write_ids(&[sent])));
        self.keep(all.iter().map(alias).collect()).await?;
        // Only these: the other is the same content.
        for former in all_sent {
            // What was arranged of it is of the other, which is read in its place.
            self.node().input(Input::Cancel(former.id)).await?;
            self.node().input(Input::Discard(former.id)).await?;
        }
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

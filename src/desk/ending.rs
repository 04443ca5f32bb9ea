//! Messages that are to be forgotten once they were read: their time begins as they are first shown, by whatever door, and
//! is durable before the words leave here.

use super::Desk;
use super::rows::{self, Opened, Taken};
use crate::agent::change::{Change, Outgoing, Row};
use crate::api::model::{Changes, InboxRow, LetterRow, When};
use crate::api::{ApiError, NextStep};
use crate::content::{Content, Outline, Text};
use crate::id::BundleId;
use crate::mail::ending::{end_of_own, end_of_shown, is_over};
use crate::mail::kept;
use crate::store::redb::Body;
use crate::time::{DtnTime, Millis, Moment};

/// So many are forgotten in one commit.
const AT_ONCE: usize = 256;

impl Desk {
    /// Notes of what is to be forgotten that it is shown now, unless it was before; of what is over nothing stays in its row.
    ///
    /// Where it is but a glance, what was not shown before stays away.
    pub(super) async fn show(&self, opened: &mut [Opened], is_glance: bool) -> Result<(), ApiError> {
        let is_shown = |opened: &&mut Opened| {
            let Changes { withdrawn, disappeared, .. } = opened.row.changes;
            opened.subject.after_read.is_some() && opened.row.unreadable.is_none() && !withdrawn && !disappeared
        };
        let mut opened: Vec<&mut Opened> = opened.iter_mut().filter(is_shown).collect();
        if opened.is_empty() {
            return Ok(());
        }
        let _turn = self.inner.showing.lock().await;
        let at = self.look(|agent, _| agent.at()).await?;
        let keys: Vec<Row> = opened.iter().map(|opened| opened.at).collect();
        let read = move |record: &crate::store::redb::RedbReader| {
            keys.iter().map(|row| record.kept(&kept::shown(*row))).collect::<Result<Vec<_>, _>>()
        };
        let shown = self.record(read).await?;
        let mut begun = Vec::new();
        for (opened, shown) in opened.iter_mut().zip(shown) {
            let span = opened.subject.after_read.unwrap_or_default();
            if shown.is_none() && (is_glance || self.inner.lock.is_read_only()) {
                let why = match is_glance {
                    true => "it is to be forgotten once it was read, and was not shown so far",
                    false => "it is to be forgotten once it was read, and on this disk nothing can be written down",
                };
                opened.row.unreadable = Some(why.into());
                empty(&mut opened.row);
                opened.files.clear();
                continue;
            }
            let first = shown.as_deref().map_or(at, kept::read_moment);
            let end = end_of_shown(first, span);
            if is_over(end, at) {
                disappear(&mut opened.row);
                opened.files.clear();
                continue;
            }
            opened.row.expires_at = when(at, end);
            if shown.is_none() {
                begun.push(Change::Keep { key: kept::shown(opened.at), value: Some(kept::write_moment(at)) });
            }
        }
        if !begun.is_empty() {
            self.node().change(begun).await?;
            self.inner.appointments.notify_one();
        }
        Ok(())
    }

    /// The same of a message whose words leave here by another door.
    ///
    /// Says whether they may.
    pub(super) async fn show_one(&self, id: BundleId) -> Result<bool, ApiError> {
        let row = match self.envelope(id).await? {
            Some(envelope) => {
                let opened = self.open(vec![envelope], Taken::Texts { chars_max: 1 }).await?.pop();
                opened.map(|opened| opened.row)
            }
            None => self.read_sent(id).await?.map(|own| own.row),
        };
        Ok(row.is_some_and(|row| row.unreadable.is_none() && !row.changes.disappeared))
    }

    /// Says of one's own message when it goes here; of what is over nothing stays.
    pub(super) async fn show_own(
        &self,
        message: &mut LetterRow,
        outgoing: &Outgoing,
        after_read: Option<Millis>,
    ) -> Result<(), ApiError> {
        let (Some(span), false) = (after_read, message.row.changes.disappeared) else { return Ok(()) };
        let at = self.look(|agent, _| agent.at()).await?;
        let end = end_of_own(outgoing, span);
        if is_over(end, at) {
            disappear(&mut message.row);
            message.files.clear();
        } else {
            message.row.expires_at = when(at, end);
        }
        Ok(())
    }

    /// Forgets what is over, in the record and in the index; says how long it is until the next is.
    pub(super) async fn forget_over(&self) -> Result<Option<Millis>, ApiError> {
        if self.inner.lock.is_read_only() {
            return Ok(None);
        }
        let (mut before, mut forgot) = (Vec::new(), false);
        loop {
            let at = self.look(|agent, _| agent.at()).await?;
            let rows = self.record(move |record| record.over(at, AT_ONCE)).await?;
            // What damage left in the order of the ends stays there.
            if rows.is_empty() || rows == before {
                if forgot {
                    self.forget_words().await?;
                }
                return self.record(move |record| record.next_over(at)).await;
            }
            let gone = |row: &Row| Change::Keep { key: kept::gone(*row), value: Some(kept::write_moment(at)) };
            self.node().change(rows.iter().map(gone).collect()).await?;
            (before, forgot) = (rows, true);
        }
    }

    /// The same before something is asked. Where it fails, each row is still looked at before it is shown.
    pub(super) async fn forget_first(&self) {
        if let Err(error) = self.forget_over().await {
            tracing::warn!(%error, "what is to be forgotten is still here");
        }
    }

    /// Refuses to pass on what is to be forgotten.
    pub(super) async fn refuse_to_pass_on(&self, id: BundleId) -> Result<(), ApiError> {
        let known = self.record(move |record| record.known(&id)).await?;
        let row = known.letter.map(|letter| letter.row).or_else(|| known.outgoing?.row);
        let Some(row) = row else { return Ok(()) };
        let Some(Body::Filed(filed)) = self.record(move |record| record.words(&[row])).await?.pop().flatten() else {
            return Ok(());
        };
        match Outline::decode(&filed.content, 0).map(|outline| outline.content) {
            Ok(Content::Text(Text { expire_after_read: Some(_), .. })) => {
                let error = "that message is to be forgotten once it was read, and is not passed on";
                Err(ApiError::refused(error).next(NextStep::AnswerInstead { id: id.full() }))
            }
            _ => Ok(()),
        }
    }
}

/// Leaves in a row only that there was a message.
pub(super) fn disappear(row: &mut InboxRow) {
    empty(row);
    row.changes = Changes { disappeared: true, ..Changes::default() };
    row.expires_at = None;
}

fn empty(row: &mut InboxRow) {
    (row.text, row.subject, row.remark, row.reply_by) = (None, None, None, None);
    (row.forwarded, row.introduces) = (None, None);
    row.attachments.clear();
}

fn when(at: Moment, end: Moment) -> Option<When> {
    let by_wall = Some(end.wall).filter(|wall| *wall != DtnTime(0)).and_then(When::from_dtn);
    by_wall.or_else(|| rows::when(at, end.now))
}

//! What was written and is not sent: drafts, and messages that go later by themselves.
//!
//! A draft that is sent is marked first, then its messages are queued, then it leaves. Whoever finds one marked, after a power
//! cut, looks for what of it is queued already, so that nobody gets it twice.

use std::collections::BTreeMap;

use super::Desk;
use super::find;
use super::mail::marked;
use super::places::wall;
use super::rows;
use crate::api::model::{Compose, DraftRow, NewDraft, Schema, SentRow, Usual, When};
use crate::api::{ApiError, ErrorKind, News, NextStep};
use crate::content::pad;
use crate::id::{BundleId, NodeId};
use crate::mail::kept::{self, DRAFTS_MAX, Draft, RECIPIENTS_MAX, WasDraft};
use crate::node::Stir;
use crate::safe_text::safe_text;
use crate::store::redb::{Body, RedbReader};
use crate::time::{DtnTime, MINUTE, Timestamp};

/// So much of a draft's words stands in a list, in characters.
const WORDS_CHARS_MAX: usize = 256;
/// So many drafts that were sent are remembered by their numbers.
const SENT_MAX: usize = 1_024;
/// So many of one's own last messages are looked through for what a draft became before a power cut.
const LOOKED_THROUGH_MAX: usize = 1_024;

impl Desk {
    /// Keeps a draft. Whom it goes to must be known where it goes by itself.
    pub(super) async fn draft_add(&self, new: NewDraft) -> Result<DraftRow, ApiError> {
        let NewDraft { compose, more, at, refused } = new;
        self.check_composed(&compose)?;
        if compose.once.is_some() {
            return Err(ApiError::usage("a draft has no key: it goes once by itself").advise("leave `once` out"));
        }
        let _turn = self.inner.drafting.lock().await;
        let now = self.look(|agent, _| wall(agent)).await?;
        check_later(at, compose.reply_by, now)?;
        let mut to = Vec::new();
        for who in [vec![compose.to.clone()], more].concat() {
            let address = match self.find_whom(&who).await {
                Ok(node) => rows::address_of(&self.endpoint_of(node)),
                Err(error) if at.is_some() => return Err(error),
                Err(_) => who,
            };
            if !to.contains(&address) {
                to.push(address);
            }
        }
        if to.len() > RECIPIENTS_MAX {
            let message = format!("a draft has at most {RECIPIENTS_MAX} recipients");
            return Err(ApiError::refused(message).advise("write several drafts"));
        }
        // What is usual with several may differ, and a draft goes to all in one way.
        let usual = match to.as_slice() {
            [one] => match find::key_of(one) {
                Some(node) => self.usual(node).await?,
                None => Usual::default(),
            },
            _ => Usual::default(),
        };
        let priority = compose.priority.or(usual.priority).unwrap_or_default();
        let (lifetime, copies) = (compose.lifetime_ms.or(usual.lifetime_ms), compose.copies.or(usual.copies));
        let expire_after_read_ms = compose.expire_after_read_ms.or(usual.expire_after_read_ms);
        let compose = Compose { expire_after_read_ms, ..compose };
        // What was refused goes when a person says so.
        let marks = if refused.is_none() { self.marks(&compose).await? } else { 0 };
        let content = match self.content(compose.clone()).await {
            // What was refused for what it answers is kept all the same.
            Err(_) if refused.is_some() => {
                let bare = Compose { thread: None, in_reply_to: None, task: None, forward: None, ..compose };
                self.content(bare).await?
            }
            content => content?,
        };
        let draft = Draft {
            to,
            at: at.map(When::to_dtn),
            made: now,
            began: None,
            priority,
            lifetime: lifetime.map(crate::time::Millis),
            copies,
            refused: refused.unwrap_or_default(),
            content: marked(content, marks).encode(),
        };
        let numbers = self.draft_numbers().await?;
        if !draft.refused.is_empty() {
            for number in &numbers {
                let other = self.draft_of(*number).await?;
                let is_same = |other: &Draft| Draft { made: now, ..other.clone() } == draft;
                // Whoever tries again in vain has written it once.
                if other.is_some_and(|other| is_same(&other)) {
                    return self.draft_row(*number, &draft, usize::MAX).await;
                }
            }
        }
        if numbers.len() >= DRAFTS_MAX {
            let message = format!("there are {DRAFTS_MAX} drafts, and there is room for no more");
            return Err(ApiError::refused(message).next(NextStep::ListDrafts));
        }
        let next = self.record(|record| record.kept(&kept::next_number())).await?;
        let number = next.map_or(1, |value| kept::read_number(&value)).max(1);
        let keep = vec![
            (kept::draft(number), Some(draft.write())),
            (kept::next_number(), Some(kept::write_number(number + 1))),
        ];
        self.keep(keep).await?;
        self.inner.appointments.notify_one();
        self.draft_row(number, &draft, usize::MAX).await
    }

    /// All drafts, in the order of their numbers.
    pub(super) async fn drafts(&self) -> Result<Vec<DraftRow>, ApiError> {
        let mut rows = Vec::new();
        for number in self.draft_numbers().await? {
            if let Some(draft) = self.draft_of(number).await? {
                rows.push(self.draft_row(number, &draft, WORDS_CHARS_MAX).await?);
            }
        }
        Ok(rows)
    }

    pub(super) async fn draft(&self, number: &str) -> Result<DraftRow, ApiError> {
        let (number, draft) = self.find_draft(number).await?;
        self.draft_row(number, &draft, usize::MAX).await
    }

    /// Sends a draft now, to others than it says where they are named.
    pub(super) async fn draft_send(&self, number: &str, to: Vec<String>) -> Result<Vec<SentRow>, ApiError> {
        let _turn = self.inner.drafting.lock().await;
        let (number, draft) = self.find_draft(number).await?;
        let draft = if to.is_empty() { draft } else { Draft { to, ..draft } };
        self.send_draft(number, draft).await
    }

    pub(super) async fn draft_delete(&self, number: &str) -> Result<(), ApiError> {
        let _turn = self.inner.drafting.lock().await;
        let (number, _) = self.find_draft(number).await?;
        self.keep(vec![(kept::draft(number), None)]).await?;
        self.inner.appointments.notify_one();
        Ok(())
    }

    /// The messages that a draft of this number became; nothing where it became none.
    pub(super) async fn sent_of_draft(&self, number: u64) -> Result<Vec<BundleId>, ApiError> {
        let value = self.record(move |record| record.kept(&kept::sent(number))).await?;
        Ok(value.map_or(Vec::new(), |value| kept::read_ids(&value)))
    }

    async fn find_draft(&self, typed: &str) -> Result<(u64, Draft), ApiError> {
        let number: u64 = typed.trim().parse().map_err(|_| {
            ApiError::usage(format!("{} is no number of a draft", safe_text(typed))).next(NextStep::ListDrafts)
        })?;
        if let Some(draft) = self.draft_of(number).await? {
            return Ok((number, draft));
        }
        let sent = self.sent_of_draft(number).await?;
        Err(match sent.first() {
            Some(id) => {
                ApiError::not_found(format!("draft {number} was sent")).next(NextStep::SeeStatus { id: id.full() })
            }
            None => ApiError::not_found(format!("there is no draft {number}")).next(NextStep::ListDrafts),
        })
    }

    async fn draft_of(&self, number: u64) -> Result<Option<Draft>, ApiError> {
        let value = self.record(move |record| record.kept(&kept::draft(number))).await?;
        Ok(value.and_then(|value| Draft::read(&value)))
    }

    async fn draft_numbers(&self) -> Result<Vec<u64>, ApiError> {
        let mut numbers = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            // One at a time: some have files in them.
            let next = self.record(move |record| record.all_kept(&kept::drafts(), after.as_deref(), 1)).await?;
            let Some((key, _)) = next.into_iter().next() else { return Ok(numbers) };
            numbers.extend(kept::read_draft(&key));
            after = Some(key);
        }
    }

    async fn draft_row(&self, number: u64, draft: &Draft, chars_max: usize) -> Result<DraftRow, ApiError> {
        let mut to = Vec::new();
        for who in &draft.to {
            let called = match find::key_of(who) {
                Some(node) => self.look(move |_, names| names.show(&node)).await?,
                None => who.clone(),
            };
            to.push(called);
        }
        let (text, attachments) = rows::outline(&draft.content, chars_max)?;
        Ok(DraftRow {
            schema: Schema,
            number,
            to,
            at: draft.at.and_then(When::from_dtn),
            made_at: When::from_dtn(draft.made),
            text: text.body,
            subject: text.subject,
            attachments,
            in_reply_to: text.in_reply_to.map(|mark| crate::id::hex(&mark)),
            thread: text.thread.filter(|_| text.in_reply_to.is_none()).map(|mark| crate::id::hex(&mark)),
            priority: draft.priority,
            lifetime_ms: draft.lifetime.map(|lifetime| lifetime.0),
            expire_after_read_ms: text.expire_after_read.map(|after| after.span().0),
            reply_by: text.reply_by.and_then(|time| When::from_dtn(DtnTime(time))),
            refused: Some(draft.refused.clone()).filter(|refused| !refused.is_empty()),
        })
    }

    /// Queues a draft's messages, one for each recipient; whoever calls this has the turn. Where it fails, what is left of the
    /// draft waits for the person.
    async fn send_draft(&self, number: u64, draft: Draft) -> Result<Vec<SentRow>, ApiError> {
        let mut nodes: Vec<NodeId> = Vec::new();
        for who in &draft.to {
            let node = self.find_whom(who).await?;
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        let elapsed = self.look(|agent, _| agent.at().now).await?;
        let since = draft.began;
        let to: Vec<String> = nodes.iter().map(|node| rows::address(*node)).collect();
        // Before the first millisecond of a home's life nothing is sent.
        let began = Some(since.unwrap_or(elapsed).max(Timestamp(1)));
        let marked = Draft { began, to: to.clone(), refused: String::new(), ..draft };
        self.keep(vec![(kept::draft(number), Some(marked.write()))]).await?;
        let mut sent: Vec<(NodeId, BundleId)> = Vec::new();
        let mut failed = None;
        for node in &nodes {
            match self.send_part(&marked, *node, since).await {
                Ok(id) => sent.push((*node, id)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.settle_draft(number, marked, &sent, failed.as_ref()).await?;
        let mut rows = Vec::new();
        for (node, id) in sent {
            rows.push(self.sent_row(id, node).await?);
        }
        failed.map_or(Ok(rows), Err)
    }

    async fn send_part(&self, draft: &Draft, node: NodeId, since: Option<Timestamp>) -> Result<BundleId, ApiError> {
        if let Some(since) = since
            && let Some(id) = self.sent_already(node, draft.content.clone(), since).await?
        {
            return Ok(id);
        }
        let lifetime = draft.lifetime.unwrap_or(super::mail::LIFETIME);
        let plaintext = pad(&draft.content);
        self.send_content(node, plaintext, lifetime, draft.priority, draft.copies).await
    }

    /// A message with this content to this node that was queued at a moment or later.
    async fn sent_already(
        &self,
        node: NodeId,
        content: Vec<u8>,
        since: Timestamp,
    ) -> Result<Option<BundleId>, ApiError> {
        let endpoint = self.endpoint_of(node);
        let find = move |record: &RedbReader| {
            for (_, outgoing) in record.sent_before(None, LOOKED_THROUGH_MAX)? {
                if outgoing.created.now < since || outgoing.destination != endpoint {
                    continue;
                }
                let Some(row) = outgoing.row else { continue };
                let body = record.words(&[row])?.pop().flatten();
                if matches!(body, Some(Body::Filed(filed)) if filed.content == content) {
                    return Ok(Some(outgoing.id));
                }
            }
            Ok(None)
        };
        self.record(find).await
    }

    /// Writes down what became of a draft: its messages remember it, and what was not sent stays.
    async fn settle_draft(
        &self,
        number: u64,
        draft: Draft,
        sent: &[(NodeId, BundleId)],
        failed: Option<&ApiError>,
    ) -> Result<(), ApiError> {
        let mut keep = BTreeMap::new();
        let was = WasDraft { number, at: draft.at };
        let mut ids = self.sent_of_draft(number).await?;
        for (_, id) in sent {
            let id = *id;
            ids.push(id);
            if let Some(row) = self.record(move |record| record.sent(&id)).await?.and_then(|sent| sent.row) {
                keep.insert(kept::draft_of_message(row), Some(was.write()));
            }
        }
        if !ids.is_empty() {
            keep.insert(kept::sent(number), Some(kept::write_ids(&ids)));
            let remembered = self.record(|record| record.all_kept(&kept::all_sent(), None, SENT_MAX)).await?;
            if remembered.len() >= SENT_MAX {
                keep.extend(remembered.into_iter().next().map(|(oldest, _)| (oldest, None)));
            }
        }
        let left = failed.map(|error| {
            let went = |who: &String| sent.iter().any(|(node, _)| rows::address(*node) == *who);
            let to = draft.to.iter().filter(|who| !went(who)).cloned().collect();
            Draft { to, at: None, began: None, refused: error.message.clone(), ..draft }.write()
        });
        keep.insert(kept::draft(number), left);
        self.keep(keep.into_iter().collect()).await?;
        self.stir(Stir::Drafts);
        self.inner.appointments.notify_one();
        Ok(())
    }

    /// Sends what is due; returns when the next one is.
    pub(super) async fn send_due(&self) -> Result<Option<DtnTime>, ApiError> {
        let mut next: Option<DtnTime> = None;
        for number in self.draft_numbers().await? {
            let _turn = self.inner.drafting.lock().await;
            let Some(draft) = self.draft_of(number).await? else { continue };
            let now = self.look(|agent, _| wall(agent)).await?;
            if !draft.is_due(now) {
                next = next.into_iter().chain(draft.at).min();
                continue;
            }
            let at = draft.at;
            match self.send_draft(number, draft.clone()).await {
                Ok(sent) => {
                    let late = at.is_some_and(|at| now.0 > at.0.saturating_add(MINUTE.0));
                    for row in sent {
                        let at = at.and_then(When::from_dtn);
                        let _ = self.inner.told.send(News::Sent { to: row.to, id: row.id, at, late });
                    }
                }
                // The home itself fails, and goes on later.
                Err(error) if matches!(error.kind, ErrorKind::Store) => return Err(error),
                Err(error) => {
                    let refused = error.message.clone();
                    if self.draft_of(number).await?.is_some_and(|left| left.at.is_some()) {
                        let left = Draft { at: None, began: None, refused: refused.clone(), ..draft };
                        self.keep(vec![(kept::draft(number), Some(left.write()))]).await?;
                        self.stir(Stir::Drafts);
                    }
                    let _ = self.inner.told.send(News::NotSent { number, why: refused });
                }
            }
        }
        Ok(next)
    }
}

fn check_later(at: Option<When>, reply_by: Option<When>, now: DtnTime) -> Result<(), ApiError> {
    let Some(at) = at else { return Ok(()) };
    if now.0 == 0 {
        let message = "this machine's clock is wrong, so nothing can be sent at a time";
        return Err(ApiError::refused(message).advise("set the clock"));
    }
    if at.to_dtn() <= now {
        return Err(ApiError::usage("that time is over already").advise("name a time to come"));
    }
    if reply_by.is_some_and(|reply_by| reply_by <= at) {
        let message = "an answer would be too late before the message is sent";
        return Err(ApiError::usage(message).advise("ask for an answer by a later time"));
    }
    Ok(())
}

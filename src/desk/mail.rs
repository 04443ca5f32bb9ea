//! Writing and reading mail.

use super::Desk;
use super::changes::Amended;
use super::find::thread_mark;
use super::rows::{self, Envelope, Opened, Taken};
use crate::agent::Input;
use crate::agent::change::{Change, Letter};
use crate::api::model::{
    Compose, ComposedTask, Done, File, LetterRow, RecipientRow, Schema, SentRow, State, Tag, check_lifetime,
};
use crate::api::{ApiError, NextStep, Response};
use crate::content::{AFTER_READ_MS_MAX, AfterRead, Attachment, Content, NewTask, OFFSET_MINUTES_MAX, Text, pad};
use crate::id::{BundleId, NodeId};
use crate::mail::kept::Once;
use crate::node::InCommit;
use crate::time::{DAY, Millis, SECOND};

/// How long a message is under way where nobody says.
pub(super) const LIFETIME: Millis = Millis(7 * DAY.0);

impl Desk {
    pub(super) async fn send(&self, compose: Compose) -> Result<SentRow, ApiError> {
        match compose.once.clone() {
            Some(named) => self.send_once(named, compose).await,
            None => self.send_with(compose, None).await,
        }
    }

    /// Sends it; `once` says under which key that is remembered, and what was asked.
    pub(super) async fn send_with(
        &self,
        compose: Compose,
        once: Option<(Vec<u8>, [u8; 16])>,
    ) -> Result<SentRow, ApiError> {
        self.check_composed(&compose)?;
        let marks = self.marks(&compose).await?;
        let node = self.find_whom(&compose.to).await?;
        let usual = self.usual(node).await?;
        let lifetime = compose.lifetime_ms.or(usual.lifetime_ms).map_or(LIFETIME, Millis);
        let priority = compose.priority.or(usual.priority).unwrap_or_default();
        let copies = compose.copies.or(usual.copies);
        let expire_after_read_ms = compose.expire_after_read_ms.or(usual.expire_after_read_ms).filter(|span| *span > 0);
        let compose = Compose { expire_after_read_ms, ..compose };
        let content = marked(self.content(compose).await?, marks);
        let plaintext = pad(&content.encode());
        let at = self.look(|agent, _| agent.at().now).await?;
        let beside = once.map(|(key, asked)| -> InCommit {
            let once = Once { to: node, asked, at };
            Box::new(move |id| Change::Keep { key, value: Some(once.write(&id)) })
        });
        let id = self.send_content_beside(node, plaintext, lifetime, priority, copies, beside).await?;
        self.inner.files_changed.notify_one();
        Ok(SentRow { expire_after_read_ms, ..self.sent_row(id, node).await? })
    }

    /// Refuses what cannot be sent as it is, whoever it goes to.
    pub(super) fn check_composed(&self, compose: &Compose) -> Result<(), ApiError> {
        compose.check_size()?;
        // One that is too long is the node's to refuse, once it goes: drafts are kept whatever they ask for.
        check_lifetime(compose.lifetime_ms.filter(|span| *span == 0))?;
        check_after_read(compose.expire_after_read_ms)?;
        if compose.offset_minutes.is_some_and(|minutes| minutes.unsigned_abs() > OFFSET_MINUTES_MAX.unsigned_abs()) {
            return Err(ApiError::usage("no clock is more than 18 hours from UTC").advise("leave the offset out"));
        }
        Ok(())
    }

    /// Whom a message would go to.
    pub(super) async fn recipient(&self, who: &str) -> Result<RecipientRow, ApiError> {
        self.recipient_row(self.find_whom(who).await?).await
    }

    pub(super) async fn recipient_row(&self, node: NodeId) -> Result<RecipientRow, ApiError> {
        let to = self.look(move |_, names| names.show(&node)).await?;
        Ok(RecipientRow { schema: Schema, to, to_address: rows::address(node) })
    }

    pub(super) async fn content(&self, compose: Compose) -> Result<Content, ApiError> {
        let in_reply_to = match &compose.in_reply_to {
            Some(prefix) => Some(self.find_message(prefix).await?),
            None => None,
        };
        let thread = match (&compose.thread, in_reply_to) {
            (Some(thread), _) => Some(thread_mark(thread)?),
            // The first answer starts the thread under the first message's name.
            (None, Some(id)) => Some(self.thread_of(id).await?.unwrap_or(Letter::mark_of(&id))),
            (None, None) => None,
        };
        let task = match compose.task.clone() {
            Some(ComposedTask { assignee, due }) => {
                let assignee = match assignee {
                    Some(who) => Some(self.find_node(&who).await?),
                    None => None,
                };
                Some(NewTask { assignee, due: due.map(|due| due.to_dtn()).filter(|due| due.0 > 0) })
            }
            None => None,
        };
        let expire_after_read = compose.expire_after_read_ms.filter(|span| *span > 0);
        let expire_after_read = expire_after_read.map(|span| AfterRead::Span(Millis(span)));
        let (reply_by, offset) = (compose.reply_by.map(|when| when.to_dtn().0), compose.offset_minutes);
        let tags = Tag::bits(&compose.tags);
        let (paths, uploads) = (compose.paths.clone(), compose.uploads.clone());
        let words = match compose.forward.clone() {
            Some(id) => self.passed_on(&id, compose).await?,
            None => composed(compose),
        };
        // What is passed on may have some already.
        let enclosed = [words.enclosed.clone(), self.enclose(paths).await?, self.brought(uploads)?].concat();
        let in_reply_to = in_reply_to.map(|id| Letter::mark_of(&id));
        Ok(Content::Text(Text {
            thread,
            in_reply_to,
            reply_by,
            offset,
            tags,
            task,
            expire_after_read,
            enclosed,
            ..words
        }))
    }

    /// Opens letters that are shown.
    pub(super) async fn open(&self, envelopes: Vec<Envelope>, taken: Taken) -> Result<Vec<Opened>, ApiError> {
        let mut opened = self.open_unseen(envelopes, taken).await?;
        if taken.chars_max() > 0 {
            self.show(&mut opened, taken == Taken::Glance).await?;
        }
        Ok(opened)
    }

    /// Opens letters away from the agent, for each takes its time; nobody is shown them, and those that were deleted
    /// meanwhile are left out. All are in memory at once: the caller bounds how many it hands over, and how large they are.
    pub(super) async fn open_unseen(&self, envelopes: Vec<Envelope>, taken: Taken) -> Result<Vec<Opened>, ApiError> {
        let desk = self.clone();
        let open = move || -> Result<_, ApiError> {
            let (mut opened, mut amended) = (Vec::with_capacity(envelopes.len()), Vec::new());
            for envelope in envelopes {
                let body = desk.node().reader().words(&[envelope.letter.row])?.pop().flatten();
                if body.is_none() && desk.node().reader().letter(&envelope.letter.id)?.is_none() {
                    continue;
                }
                let one = envelope.open(body, desk.node().keyring(), taken);
                amended.push(Amended::read(desk.node().reader(), &one.subject, taken.chars_max())?);
                opened.push(one);
            }
            Ok((opened, amended))
        };
        let joined = tokio::task::spawn_blocking(open).await;
        let (mut opened, amended) = joined.map_err(|error| ApiError::failure(error.to_string()))??;
        self.amend(opened.iter_mut().map(|opened| &mut opened.row).zip(amended).collect()).await?;
        self.name_answered(&mut opened).await?;
        self.name_authors(opened.iter_mut().map(|opened| &mut opened.row).collect()).await?;
        self.place(&mut opened).await?;
        self.say_files(opened.iter_mut().map(|opened| &mut opened.row));
        Ok(opened)
    }

    /// The letter of an id with the names it is shown with, if it is still there.
    pub(super) async fn envelope(&self, id: BundleId) -> Result<Option<Envelope>, ApiError> {
        let Some(letter) = self.record(move |record| record.letter(&id)).await? else { return Ok(None) };
        Ok(Some(self.look(move |_, names| names.envelope(letter)).await?))
    }

    /// A message that came or was sent from here.
    pub(super) async fn read(&self, prefix: &str, mark: bool, tell: bool) -> Result<LetterRow, ApiError> {
        let id = self.find_message(prefix).await?;
        let gone = || ApiError::not_found("that message was just deleted");
        let Some(envelope) = self.envelope(id).await? else {
            let own = self.read_sent(id).await?.ok_or_else(gone)?;
            let answers = self.answered(own.row.in_reply_to.as_deref()).await?;
            return Ok(LetterRow { answers, ..own });
        };
        let source = envelope.letter.source;
        let Opened { row, files, .. } = self.open(vec![envelope], Taken::Everything).await?.pop().ok_or_else(gone)?;
        // What could not be read was not read.
        if mark && row.unreadable.is_none() {
            let tell = tell || self.tells_read(source).await?;
            self.node().input(Input::Read { id, tell }).await?;
        }
        let files = files.into_iter().map(|Attachment { name, bytes }| File { name, bytes }).collect();
        let answers = self.answered(row.in_reply_to.as_deref()).await?;
        Ok(LetterRow { files, answers, ..LetterRow::of(row) })
    }

    /// Marks messages that came as read or as unread again; of one's own there is nothing to mark.
    pub(super) async fn mark(&self, ids: &[String], read: bool) -> Result<Response, ApiError> {
        for id in ids {
            let id = self.find_letter(id).await?;
            let input = match self.record(move |record| record.letter(&id)).await? {
                Some(letter) if read => Input::Read { id, tell: self.tells_read(letter.source).await? },
                _ => Input::Unread(id),
            };
            self.node().input(input).await?;
        }
        Ok(Response::Done(Done::default()))
    }

    /// A message of one's own; none where it was deleted.
    pub(super) async fn read_sent(&self, id: BundleId) -> Result<Option<LetterRow>, ApiError> {
        let Some(outgoing) = self.record(move |record| record.sent(&id)).await? else { return Ok(None) };
        let own = outgoing.clone();
        let sent = self.look(move |_, names| names.sent(outgoing)).await?;
        let body = match sent.outgoing.row {
            Some(row) => self.node().reader().words(&[row])?.pop().flatten(),
            None => None,
        };
        // Or its words would seem to be lost.
        if body.is_none() && self.record(move |record| record.sent(&id)).await?.is_none() {
            return Ok(None);
        }
        let (mut message, answers, subject) = sent.open(body);
        let amended = Amended::read(self.node().reader(), &subject, usize::MAX)?;
        self.amend(vec![(&mut message.row, amended)]).await?;
        if message.row.changes.withdrawn || message.row.changes.disappeared {
            message.files.clear();
        }
        if own.destination.has_members() {
            let who = super::status::who_has(self.node().reader(), &Letter::mark_of(&id))?;
            if !who.is_empty() && who.iter().all(|member| member.has) {
                message.state = message.state.max(Some(State::Delivered));
            }
        }
        self.show_own(&mut message, &own, subject.after_read).await?;
        if let Some(mark) = answers
            && let Some(id) = self.whole_ids([mark].into()).await?.get(&mark)
        {
            message.row.in_reply_to = Some(id.full());
        }
        self.name_authors(vec![&mut message.row]).await?;
        self.place_own(id, &mut message).await?;
        self.say_files([&mut message.row].into_iter());
        Ok(Some(message))
    }

    /// Deletes a message that came or was sent from here, unless it is still on its way from here.
    pub(super) async fn inbox_delete(&self, prefix: &str) -> Result<Response, ApiError> {
        let id = self.find_message(prefix).await?;
        let has_no_row = self.record(move |record| record.letter(&id)).await?.is_none();
        if has_no_row && self.is_under_way(id).await? {
            let error = ApiError::refused("your message is still on its way, and its record tells what becomes of it");
            return Err(error.next(NextStep::CancelMessage { id: id.full() }));
        }
        self.discard(id).await?;
        self.tidy_files().await?;
        self.forget_words().await?;
        Ok(Response::Done(Done::default()))
    }

    /// Deletes a message, and with it what was arranged of it and what was changed of it: nobody would look at that again.
    pub(super) async fn discard(&self, id: BundleId) -> Result<(), ApiError> {
        let changes = self.changes_of(id).await?;
        let shown = self.record(move |record| record.row_shown(&id)).await?;
        // The one that is shown goes last, and the changes behind it: as it goes, the store remembers what it came to.
        for id in self.sent_as(id).await?.into_iter().rev().chain(changes) {
            let known = self.record(move |record| record.known(&id)).await?;
            self.node().input(Input::Discard(id)).await?;
            if let Some(row) = known.letter.map(|letter| letter.row).or_else(|| known.outgoing?.row) {
                self.forget_place(row).await?;
            }
        }
        if let Some((_, row)) = shown {
            self.forget_place(row).await?;
        }
        Ok(())
    }

    /// Whether one's own message is still on its way from here, as the first bundle of it or another.
    pub(super) async fn is_under_way(&self, id: BundleId) -> Result<bool, ApiError> {
        let all = self.sent_as(id).await?;
        self.look(move |agent, _| all.iter().any(|id| agent.held_one(id).is_some())).await
    }
}

/// Zero is never, also where something else is usual.
pub(super) fn check_after_read(span_ms: Option<u64>) -> Result<(), ApiError> {
    if span_ms.is_some_and(|span| span > 0 && !(SECOND.0..=AFTER_READ_MS_MAX).contains(&span)) {
        let error = "a message disappears between a second and 365 days after it was read";
        return Err(ApiError::usage(error).advise("give it a time such as 1h or 7d, or never"));
    }
    Ok(())
}

/// What the person wrote themselves.
/// With these bits among its tags.
pub(super) fn marked(content: Content, marks: u64) -> Content {
    match content {
        Content::Text(text) => Content::Text(Text { tags: text.tags | marks, ..text }),
        content => content,
    }
}

fn composed(compose: Compose) -> Text {
    let attachments = compose.attachments.into_iter().map(|File { name, bytes }| Attachment { name, bytes });
    Text {
        subject: compose.subject.filter(|subject| !subject.is_empty()),
        body: compose.text,
        attachments: attachments.collect(),
        ..Text::default()
    }
}

//! Writing and reading mail.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::rows::Names;
use crate::agent::change::{Letter, Outgoing};
use crate::agent::{Agent, Input};
use crate::api::model::{Compose, Done, File, InboxRow, LetterRow, Schema, SentRow, State, StatusRow};
use crate::api::{ApiError, Response};
use crate::eid::Eid;
use crate::id::BundleId;
use crate::message::{Attachment, Message, pad};
use crate::time::{DAY, Millis};

/// How long a message is under way where nobody says.
const LIFETIME: Millis = Millis(7 * DAY.0);
/// How many messages are opened between two looks at the agent.
const CHUNK: usize = 1_024;

impl Desk {
    pub(super) async fn send(&self, compose: Compose) -> Result<SentRow, ApiError> {
        compose.check_size()?;
        if compose.lifetime_ms == Some(0) {
            return Err(ApiError::usage("a message needs some time to arrive").next("give it a lifetime such as 3d"));
        }
        let node = self.find_node(&compose.to).await?;
        let lifetime = compose.lifetime_ms.map_or(LIFETIME, Millis);
        let (priority, copies) = (compose.priority, compose.copies);
        let plaintext = pad(&self.message(compose).await?.encode());
        let id = self.node().send(Eid::mail(node), plaintext, lifetime, priority, copies).await?;
        Ok(SentRow { schema: Schema, id: id.full(), state: State::Queued })
    }

    async fn message(&self, compose: Compose) -> Result<Message, ApiError> {
        let in_reply_to = match &compose.in_reply_to {
            Some(prefix) => Some(self.find_letter(prefix).await?),
            None => None,
        };
        let thread = match (&compose.thread, in_reply_to) {
            (Some(thread), _) => Some(thread_mark(thread)?),
            // The first answer starts the thread under the first message's name.
            (None, Some(id)) => Some(self.thread_of(id).await?.unwrap_or(Letter::mark_of(&id))),
            (None, None) => None,
        };
        let attachments =
            compose.attachments.into_iter().map(|File { name, bytes }| Attachment { name, bytes }).collect();
        Ok(Message {
            subject: compose.subject.filter(|subject| !subject.is_empty()),
            body: compose.text,
            thread,
            in_reply_to: in_reply_to.map(|id| Letter::mark_of(&id)),
            attachments,
            reply_by: compose.reply_by.map(|when| when.to_dtn().0),
            ..Message::default()
        })
    }

    async fn thread_of(&self, id: BundleId) -> Result<Option<[u8; 16]>, ApiError> {
        let letter = self.look(move |agent, _| agent.letter(&id).cloned()).await?;
        let Some(letter) = letter else { return Ok(None) };
        Ok(self.open(vec![letter]).await?.pop().and_then(|(_, message)| message.thread))
    }

    pub(super) async fn inbox(&self, unread: bool, limit: Option<u32>) -> Result<Vec<InboxRow>, ApiError> {
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let wanted = move |agent: &Agent, _: &Names| {
            let newest = agent.letters_as_written().rev().filter(|letter| !(unread && letter.read)).take(limit);
            let mut letters: Vec<Letter> = newest.cloned().collect();
            letters.reverse();
            letters
        };
        let letters = self.look(wanted).await?;
        let ids: Vec<BundleId> = letters.iter().filter(|letter| !letter.collected).map(|letter| letter.id).collect();
        let rows = self.open(letters).await?.into_iter().map(|(row, _)| row).collect();
        for id in ids {
            self.node().tell(Input::Collect(id));
        }
        Ok(rows)
    }

    /// Opens messages away from the agent, for each takes its time.
    pub(super) async fn open(&self, letters: Vec<Letter>) -> Result<Vec<(InboxRow, Message)>, ApiError> {
        let mut opened = Vec::with_capacity(letters.len().min(CHUNK));
        for chunk in letters.chunks(CHUNK) {
            let letters = chunk.to_vec();
            let rows: Vec<_> = letters.iter().map(|letter| letter.row).collect();
            let names = self.look(|_, names| names.clone()).await?;
            let desk = self.clone();
            let open = move || -> Result<Vec<(InboxRow, Message)>, ApiError> {
                let bodies = desk.node().reader().bodies(&rows)?;
                let each = letters.iter().zip(&bodies);
                Ok(each.map(|(letter, body)| names.inbox(letter, body.as_deref(), desk.node().identity())).collect())
            };
            let joined = tokio::task::spawn_blocking(open).await;
            opened.extend(joined.map_err(|error| ApiError::failure(error.to_string()))??);
        }
        self.name_answered(&mut opened).await?;
        Ok(opened)
    }

    /// A message carries half the id of what it answers; where that is known here, the row has all of it.
    async fn name_answered(&self, rows: &mut [(InboxRow, Message)]) -> Result<(), ApiError> {
        let marks: BTreeSet<[u8; 16]> = rows.iter().filter_map(|(_, message)| message.in_reply_to).collect();
        if marks.is_empty() {
            return Ok(());
        }
        let find = move |agent: &Agent, _: &Names| {
            let ids = agent.sent().map(|outgoing| outgoing.id).chain(agent.letters().map(|letter| letter.id));
            let known = ids.map(|id| (Letter::mark_of(&id), id)).filter(|(mark, _)| marks.contains(mark));
            known.collect::<BTreeMap<_, _>>()
        };
        let ids = self.look(find).await?;
        for (row, message) in rows {
            if let Some(id) = message.in_reply_to.and_then(|mark| ids.get(&mark)) {
                row.in_reply_to = Some(id.full());
            }
        }
        Ok(())
    }

    pub(super) async fn read(&self, prefix: &str, mark: bool, tell: bool) -> Result<LetterRow, ApiError> {
        let id = self.find_letter(prefix).await?;
        let letter = self.look(move |agent, _| agent.letter(&id).cloned()).await?;
        let letter = letter.ok_or_else(|| ApiError::not_found("that message was just deleted"))?;
        let (row, message) = self.open(vec![letter]).await?.remove(0);
        if mark {
            let tell = (tell || self.inner.config.read_receipts.value) && row.unreadable.is_none();
            self.node().input(Input::Read { id, tell }).await?;
        }
        let files = message.attachments.into_iter().map(|Attachment { name, bytes }| File { name, bytes }).collect();
        Ok(LetterRow { row, files })
    }

    pub(super) async fn inbox_delete(&self, prefix: &str) -> Result<Response, ApiError> {
        let id = self.find_letter(prefix).await?;
        self.node().input(Input::Discard(id)).await?;
        Ok(Response::Done(Done::default()))
    }

    pub(super) async fn status(&self, prefix: Option<String>) -> Result<Vec<StatusRow>, ApiError> {
        let one = match prefix {
            Some(prefix) => Some(self.find_sent(&prefix).await?),
            None => None,
        };
        let rows = move |agent: &Agent, names: &Names| {
            let mut sent: Vec<&Outgoing> = agent.sent().filter(|o| one.is_none_or(|id| o.id == id)).collect();
            sent.sort_by_key(|outgoing| (outgoing.created.now, outgoing.creation.time, outgoing.creation.sequence));
            let row = |o: &Outgoing| names.status(o, agent.at(), agent.held_one(&o.id).is_some());
            sent.into_iter().map(row).collect()
        };
        self.look(rows).await
    }

    pub(super) async fn cancel(&self, prefix: &str) -> Result<Vec<StatusRow>, ApiError> {
        let id = self.find_sent(prefix).await?;
        self.node().input(Input::Cancel(id)).await?;
        self.status(Some(id.full())).await
    }
}

fn thread_mark(text: &str) -> Result<[u8; 16], ApiError> {
    let digits = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.map(byte).collect();
    // Whole ids are taken too: a thread is named by the first half of its first message's id.
    let bytes = bytes.filter(|bytes| bytes.len() == 16 || bytes.len() == 32);
    let mark = bytes.and_then(|bytes| bytes[..16].try_into().ok());
    mark.ok_or_else(|| ApiError::usage("a thread is 32 hexadecimal digits").next("copy it from `dak inbox --json`"))
}

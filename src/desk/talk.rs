//! Conversations: which there are, and what was said in one, both sides.

mod threads;

use std::cmp::Reverse;
use std::ops::Bound;

use super::Desk;
use super::places::{arranged_talk, wall};
use super::rows::{self, Names, Opened, Taken};
use crate::agent::Agent;
use crate::agent::change::Row as Place;
use crate::api::model::{Arranged, Changes, ConversationRow, InboxRow, PersonRow, Schema, TalkRow};
use crate::api::{ApiError, Row};
use crate::eid::Eid;
use crate::mail::conversation::{Conversation, Counts};
use crate::mail::order::{Position, Span};
use crate::store::redb::{Direction, Entry, Line};

/// So much of the last words is shown beside a conversation, in characters.
const GIST_CHARS: usize = 256;
/// So many rows are shown of a conversation of which all is read, to whoever wants to go on where he was.
const LAST_ROWS: u32 = 20;
/// Most rows of one look; each is opened, and all are in memory at once.
const PAGE_ROWS: usize = 64;

/// Conversations that are to be listed, once.
pub struct Talks {
    pub desk: Desk,
    /// Also those that are put away.
    pub all: bool,
}

/// Conversations, the pinned ones first, requests last, and among them the newest first: there are as many as people
/// wrote, which is bounded as their mail is.
pub async fn conversations(talks: Option<Talks>) -> Result<Option<(Vec<Row>, Option<Talks>)>, ApiError> {
    let Some(Talks { desk, all }) = talks else { return Ok(None) };
    let now = desk.look(|agent, _| wall(agent)).await?;
    let mut listed = Vec::new();
    for (counts, last) in desk.record(|record| record.conversations()).await? {
        let arranged = arranged_talk(&desk.talk_place(&counts.with).await?, counts.last, now);
        if all || !(arranged.archived || arranged.snoozed_until.is_some()) {
            let name = desk.name_of(&counts.with).await?;
            listed.push((counts, last, arranged, name));
        }
    }
    listed.sort_by_key(|(counts, _, arranged, name)| (!arranged.pinned, name.is_none(), Reverse(counts.last)));
    let mut found = Vec::with_capacity(listed.len());
    for (counts, last, arranged, name) in listed {
        let waiting = desk.waiting_in(&counts).await?;
        let Counts { with, unread, .. } = counts;
        let last = match last {
            Some(entry) => desk.said(&with, entry, Taken::Texts { chars_max: GIST_CHARS }).await?,
            None => None,
        };
        found.push(Row::Talks(ConversationRow {
            schema: Schema,
            conversation: rows::address_of(&with.0),
            request: name.is_none(),
            nickname: if name.is_none() { desk.node().nearby().nickname(&with.0.node) } else { None },
            name,
            unread,
            waiting,
            arranged,
            last_at: last.as_ref().and_then(|row| row.received_at.or(row.sent_at)),
            last_mine: last.as_ref().is_some_and(|row| row.mine),
            last_text: last.and_then(|row| row.text.or(row.changes.instead_of_words().map(str::to_owned))),
        }));
    }
    Ok(Some((found, None)))
}

/// The part of a conversation that is wanted: see [`crate::api::model::Listing::Talk`].
pub struct Part {
    pub limit: Option<u32>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub thread: Option<String>,
    pub unread: bool,
    pub from_unread: Option<u32>,
    pub glance: bool,
}

/// A conversation that is being read.
pub struct Talking {
    desk: Desk,
    who: String,
    part: Part,
    /// What is left of it, once that is known.
    left: Option<Left>,
}

struct Left {
    with: Conversation,
    span: Span,
    /// So many rows more.
    many: usize,
    /// Of a thread the rows that are left, the next one last.
    of_thread: Option<Vec<Place>>,
}

impl Talking {
    pub fn with(desk: Desk, who: String, part: Part) -> Talking {
        Talking { desk, who, part, left: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, Talking)>, ApiError> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => self.find().await?,
        };
        loop {
            if left.many == 0 {
                return Ok(None);
            }
            let Some(page) = self.page(&mut left).await? else { return Ok(None) };
            let mut rows = Vec::new();
            let page = self.wanted(&left.with, page).await?;
            let taken = if self.part.glance { Taken::Glance } else { Taken::Texts { chars_max: usize::MAX } };
            let mut shown = self.desk.shown(&left.with, page, taken).await?;
            self.desk.count_replies(&left.with, &mut shown).await?;
            for row in shown {
                let answers = self.desk.answered(row.in_reply_to.as_deref()).await?;
                rows.push(Row::Talk(TalkRow { answers, ..row }));
            }
            if !rows.is_empty() {
                self.left = Some(left);
                return Ok(Some((rows, self)));
            }
        }
    }

    /// The next rows of what is left; none where nothing is.
    async fn page(&self, left: &mut Left) -> Result<Option<Vec<Line>>, ApiError> {
        let many = left.many.min(PAGE_ROWS);
        if let Some(rows) = &mut left.of_thread {
            let next = rows.split_off(rows.len().saturating_sub(many));
            left.many -= next.len();
            return if next.is_empty() { Ok(None) } else { self.desk.lines(&left.with, next).await.map(Some) };
        }
        let (with, span) = (left.with.clone(), left.span);
        let page = self.desk.record(move |record| record.talk(&with, span, Direction::Forwards, many)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        left.span.from = Bound::Excluded(last.position);
        left.many -= page.len();
        Ok(Some(page))
    }

    /// Those of the part that is wanted: nobody is shown the others.
    async fn wanted(&self, with: &Conversation, page: Vec<Line>) -> Result<Vec<Line>, ApiError> {
        if !self.part.unread {
            return Ok(page);
        }
        let mut wanted = Vec::new();
        for line in page {
            if self.desk.said_unseen(with, line.entry.clone()).await?.is_some_and(|row| !row.read) {
                wanted.push(line);
            }
        }
        Ok(wanted)
    }

    /// Where the part that is wanted begins and ends.
    async fn find(&mut self) -> Result<Left, ApiError> {
        let with = self.desk.conversation_with(&self.who).await?;
        let mut span = Span::ALL;
        if let Some(before) = &self.part.before {
            span.to = Bound::Excluded(self.desk.position_in(&with, before).await?);
        }
        if let Some(after) = &self.part.after {
            span.from = Bound::Excluded(self.desk.position_in(&with, after).await?);
        }
        let (of, unread) = (with.clone(), self.part.unread);
        let first_unread = match self.part.from_unread.is_some() || unread {
            true => self.desk.record(move |record| record.first_unread(&of)).await?,
            false => None,
        };
        let mut many = usize::MAX;
        if let Some(thread) = &self.part.thread {
            let rows = self.desk.rows_of_thread(&with, thread, span, &self.part, first_unread).await?;
            return Ok(Left { with, span, many, of_thread: Some(rows) });
        }
        match (first_unread, self.part.from_unread, self.part.limit) {
            (Some(first), context, limit) => {
                span.from = self.back(&with, Span { to: Bound::Excluded(first), ..span }, context.unwrap_or(0)).await?;
                many = limit.map_or(usize::MAX, |limit| limit as usize);
            }
            (None, _, _) if unread => many = 0,
            (None, _, limit) if self.part.after.is_some() => many = limit.map_or(usize::MAX, |limit| limit as usize),
            (None, _, Some(limit)) => span.from = self.back(&with, span, limit).await?,
            (None, Some(_), None) => span.from = self.back(&with, span, LAST_ROWS).await?,
            (None, None, None) => {}
        }
        let is_nothing = self.part.limit == Some(0);
        Ok(Left { with, span, many: if is_nothing { 0 } else { many }, of_thread: None })
    }

    /// Where the last so many rows of a stretch begin.
    async fn back(&self, with: &Conversation, span: Span, rows: u32) -> Result<Bound<Position>, ApiError> {
        let (with, many) = (with.clone(), rows as usize);
        let back = self.desk.record(move |record| record.talk(&with, span, Direction::Backwards, many)).await?;
        Ok(match back.last() {
            Some(first) => Bound::Included(first.position),
            // Before the stretch there is nothing; of none, what follows it.
            None => match span.to {
                Bound::Excluded(position) => Bound::Included(position),
                _ => span.from,
            },
        })
    }
}

impl Desk {
    pub(super) async fn name_of(&self, with: &Conversation) -> Result<Option<String>, ApiError> {
        let node = with.0.node;
        self.look(move |_: &Agent, names: &Names<'_>| names.known(&node)).await
    }

    async fn position_in(&self, with: &Conversation, id: &str) -> Result<Position, ApiError> {
        let id = self.find_message(id).await?;
        match self.record(move |record| record.standing(&id)).await? {
            Some((found, position)) if found == *with => Ok(position),
            _ => Err(ApiError::not_found(format!("{} is not in this conversation", &id.full()[..10]))),
        }
    }

    /// Rows of a conversation as people read them, without what was deleted meanwhile.
    pub(super) async fn shown(
        &self,
        with: &Conversation,
        lines: Vec<Line>,
        taken: Taken,
    ) -> Result<Vec<TalkRow>, ApiError> {
        let mut rows = Vec::with_capacity(lines.len());
        for Line { position, entry, number } in lines {
            let late = matches!(&entry, Entry::Came(letter) if position.is_late(letter.row));
            if let Some(row) = self.said(with, entry, taken).await? {
                rows.push(TalkRow { late, event: number, ..row });
            }
        }
        Ok(rows)
    }

    /// A message of a conversation with everything that it says; none where it was deleted meanwhile.
    pub(super) async fn said_in(&self, with: &Conversation, entry: Entry) -> Result<Option<TalkRow>, ApiError> {
        self.said(with, entry, Taken::Texts { chars_max: usize::MAX }).await
    }

    /// The same for what nobody is shown: its words are cut away.
    pub(super) async fn said_unseen(&self, with: &Conversation, entry: Entry) -> Result<Option<TalkRow>, ApiError> {
        self.said(with, entry, Taken::Texts { chars_max: 0 }).await
    }

    async fn said(&self, with: &Conversation, entry: Entry, taken: Taken) -> Result<Option<TalkRow>, ApiError> {
        let conversation = rows::address_of(&with.0);
        match entry {
            Entry::Came(letter) => {
                let (source, destination) = (letter.source, letter.destination.clone());
                let (envelope, from, me) = self
                    .look(move |agent, names| (names.envelope(letter), names.person(&source), agent.node()))
                    .await?;
                let Some(Opened { row, .. }) = self.open(vec![envelope], taken).await?.pop() else { return Ok(None) };
                // A note to oneself is one's own also where it was brought from a home of another name.
                let mine = source == me || destination == Eid::mail(source);
                Ok(Some(talk_row(row, TalkRow { mine, ..TalkRow::of(conversation, from) })))
            }
            Entry::Own(outgoing) => {
                let (id, source) = (outgoing.id, outgoing.source);
                let Some(message) = self.read_sent(id).await? else { return Ok(None) };
                let me = self.look(move |agent, names| names.person(&source.unwrap_or(agent.node()))).await?;
                let state = message.state;
                Ok(Some(talk_row(message.row, TalkRow { mine: true, state, ..TalkRow::of(conversation, me) })))
            }
        }
    }
}

/// Puts what a message says into its row.
fn talk_row(row: InboxRow, head: TalkRow) -> TalkRow {
    TalkRow {
        id: row.id,
        kind: row.kind,
        href: row.href,
        text: row.text,
        subject: row.subject,
        thread: row.thread,
        in_reply_to: row.in_reply_to,
        sent_at: row.sent_at,
        sent_offset: row.sent_offset,
        received_at: row.received_at,
        files: row.attachments,
        forwarded: row.forwarded,
        remark: row.remark,
        priority: row.priority,
        tags: row.tags,
        reply_by: row.reply_by,
        read: row.read,
        unreadable: row.unreadable,
        changes: row.changes,
        introduces: row.introduces,
        arranged: row.arranged,
        expire_after_read_ms: row.expire_after_read_ms,
        expires_at: row.expires_at,
        ..head
    }
}

impl TalkRow {
    /// A row of which only the conversation and the writer are known.
    fn of(conversation: String, from: PersonRow) -> TalkRow {
        TalkRow {
            schema: Schema,
            id: String::new(),
            conversation,
            from,
            mine: false,
            kind: String::new(),
            href: None,
            text: None,
            subject: None,
            thread: None,
            in_reply_to: None,
            answers: None,
            sent_at: None,
            sent_offset: None,
            received_at: None,
            late: false,
            files: Vec::new(),
            forwarded: None,
            remark: None,
            priority: Default::default(),
            tags: Vec::new(),
            reply_by: None,
            state: None,
            read: true,
            unreadable: None,
            event: 0,
            replies: 0,
            changes: Changes::default(),
            introduces: None,
            arranged: Arranged::default(),
            expire_after_read_ms: None,
            expires_at: None,
        }
    }
}

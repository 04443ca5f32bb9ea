//! Changes of what was written: what they make of a row, and making one.

use std::collections::BTreeSet;

use super::Desk;
use super::ending::disappear;
use super::mail::LIFETIME;
use super::rows::{self, Names};
use crate::agent::change::{EvidenceKind, Letter, Row as RecordRow};
use crate::agent::{Agent, Input};
use crate::api::model::{
    BoardRow, Changes, HistoryRow, InboxRow, ReactionRow, Schema, SentRow, State, TaskRow, TaskWord, When, Wish,
};
use crate::api::{ApiError, NextStep, Row};
use crate::bundle::Priority;
use crate::content::{
    AfterRead, Amendment, Content, Mark, NewTask, REACTION_BYTES_MAX, Reaction, TaskState, Text, pad,
};
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::mail::conversation::Conversation;
use crate::mail::registers::{Register, Registers, Setting, Value};
use crate::safe_text::safe_text;
use crate::store::StoreError;
use crate::store::redb::{Body, RedbReader};
use crate::time::Millis;

/// What changes may be about.
#[derive(Clone, Debug)]
pub struct Subject {
    pub id: BundleId,
    /// Where it stands in the record.
    pub at: Option<RecordRow>,
    pub with: Conversation,
    /// The content that it says to be once more.
    pub same: Option<Mark>,
    /// How changes name it, unless it is another content once more.
    pub mark: Mark,
    pub author: NodeId,
    /// What it says of a task by itself.
    pub task: Option<NewTask>,
    /// How long after it was read it is to be forgotten.
    pub after_read: Option<Millis>,
}

/// What content says of itself.
#[derive(Default)]
struct Named {
    same: Option<Mark>,
    task: Option<NewTask>,
    after_read: Option<Millis>,
}

impl Subject {
    /// How changes name it.
    fn name(&self, record: &RedbReader) -> Result<Mark, StoreError> {
        match self.at {
            Some(at) => record.name_of(&self.with, at, &self.id, self.same),
            None => Ok(self.mark),
        }
    }
}

/// What changes and the message itself come to.
#[derive(Default)]
pub struct Amended {
    edited: bool,
    /// The words that stand instead.
    body: Option<String>,
    withdrawn: bool,
    disappeared: bool,
    reactions: Vec<(String, NodeId)>,
    task: Option<(TaskState, NewTask)>,
}

impl Amended {
    /// Reads it; none where there is nothing to say.
    pub fn read(record: &RedbReader, subject: &Subject, chars_max: usize) -> Result<Option<Amended>, StoreError> {
        let Subject { with, at, author, task, after_read, .. } = subject;
        let mark = &subject.name(record)?;
        let registers = record.registers(with, mark, author)?;
        if registers.is_withdrawn() {
            return Ok(Some(Amended { withdrawn: true, ..Amended::default() }));
        }
        if after_read.is_some() && record.is_gone(with, mark)? {
            return Ok(Some(Amended { disappeared: true, ..Amended::default() }));
        }
        if registers.is_empty() && task.is_none() {
            return Ok(None);
        }
        let body = match registers.body() {
            Some(row) if Some(row) != *at => body_at(record, row, chars_max)?,
            _ => None,
        };
        let edited = registers.is_edited();
        let reactions = registers.reactions();
        let reactions = reactions.iter().flat_map(|(text, who)| who.iter().map(|who| ((*text).to_owned(), *who)));
        let (reactions, task) = (reactions.collect(), task_of(&registers, *task));
        Ok(Some(Amended { edited, body, reactions, task, ..Amended::default() }))
    }
}

/// The words of a change of words, or of a version.
pub fn body_at(record: &RedbReader, row: RecordRow, chars_max: usize) -> Result<Option<String>, StoreError> {
    let Some(Body::Filed(filed)) = record.words(&[row])?.pop().flatten() else { return Ok(None) };
    let body = match Content::decode(&filed.content) {
        Ok(Content::Change(Amendment { body: Some(body), .. })) => body,
        Ok(Content::Text(Text { body, .. })) => body,
        _ => return Ok(None),
    };
    Ok(Some(body.chars().take(chars_max).collect()))
}

/// A task as its message and what was changed of it say.
fn task_of(registers: &Registers, task: Option<NewTask>) -> Option<(TaskState, NewTask)> {
    let state = registers.task().or(task.map(|_| TaskState::Open))?;
    let NewTask { assignee, due } = task.unwrap_or_default();
    let assignee = registers.assignee().unwrap_or(assignee);
    let due = registers.due().unwrap_or(due);
    (state != TaskState::None).then_some((state, NewTask { assignee, due }))
}

impl Names<'_> {
    pub fn changes(&self, amended: &Amended) -> Changes {
        let reaction = |(emoji, who): &(String, NodeId)| ReactionRow { emoji: emoji.clone(), who: self.person(who) };
        Changes {
            edited: amended.edited,
            withdrawn: amended.withdrawn,
            disappeared: amended.disappeared,
            reactions: amended.reactions.iter().map(reaction).collect(),
            task: amended.task.map(|(state, NewTask { assignee, due })| TaskRow {
                state: if state == TaskState::Done { TaskWord::Done } else { TaskWord::Open },
                assignee: assignee.as_ref().map(|who| self.person(who)),
                due: due.and_then(When::from_dtn),
            }),
        }
    }
}

impl Desk {
    /// Puts what changes come to into rows.
    pub(super) async fn amend(&self, rows: Vec<(&mut InboxRow, Option<Amended>)>) -> Result<(), ApiError> {
        let (mut rows, mut all) = (rows, Vec::new());
        for (n, (_, amended)) in rows.iter_mut().enumerate() {
            all.extend(amended.take().map(|amended| (n, amended)));
        }
        if all.is_empty() {
            return Ok(());
        }
        let named = move |_: &Agent, names: &Names<'_>| {
            all.into_iter().map(|(n, amended)| (n, names.changes(&amended), amended.body)).collect::<Vec<_>>()
        };
        for (n, changes, body) in self.look(named).await? {
            let row = &mut *rows[n].0;
            if let Some(body) = body.filter(|body| row.text.as_ref() != Some(body)) {
                row.text = Some(body);
                // These are no author's words.
                row.forwarded.iter_mut().for_each(|forwarded| forwarded.signed = false);
            }
            if changes.withdrawn {
                (row.text, row.subject) = (None, None);
                row.attachments.clear();
            }
            // Nobody has to look at what is not there.
            row.read |= changes.withdrawn || changes.disappeared;
            match changes.disappeared {
                true => disappear(row),
                false => row.changes = changes,
            }
        }
        Ok(())
    }

    /// Makes a change as the person wishes it, and sends it to the conversation that what it changes is in.
    pub(super) async fn change_written(&self, wish: Wish) -> Result<SentRow, ApiError> {
        let id = self.find_message(&wish.id).await?;
        let (subject, registers) = self.subject_of(id).await?;
        let me = self.node().identity().node();
        if subject.author != me && (wish.body.is_some() || wish.withdrawn) {
            let what = if wish.withdrawn { "withdraw" } else { "edit" };
            let error = format!("only who wrote a message can {what} it, and this is not yours");
            return Err(ApiError::refused(error).next(NextStep::AnswerInstead { id: id.full() }));
        }
        if registers.is_withdrawn() && !wish.withdrawn {
            return Err(ApiError::refused("that message was withdrawn, and nothing of it can be changed"));
        }
        if self.is_gone(&subject).await? && !wish.withdrawn {
            return Err(ApiError::refused("that message disappeared, and nothing of it can be changed"));
        }
        if let Some(row) = self.change_unsent(id, &wish, &subject, &registers).await? {
            return Ok(row);
        }
        if wish.withdrawn {
            // What has not left need not leave.
            self.stop(id).await?;
        }
        let wish = Wish { id: id.full(), ..wish };
        let amendment = self.amendment(wish, &subject, &registers, me).await?;
        let node = subject.with.0.node;
        let is_withdrawn = amendment.withdrawn;
        let plaintext = pad(&Content::Change(amendment).encode());
        let id = self.send_content(node, plaintext, LIFETIME, Priority::Normal, None).await?;
        if is_withdrawn {
            self.forget_words().await?;
        }
        self.sent_row(id, node).await
    }

    /// A message that was just queued.
    pub(super) async fn sent_row(&self, id: BundleId, node: NodeId) -> Result<SentRow, ApiError> {
        let row = self.recipient_row(node).await?;
        let (schema, id, state, to, to_address) = (Schema, id.full(), State::Queued, row.to, row.to_address);
        Ok(SentRow { schema, id, state, to, to_address, expire_after_read_ms: None })
    }

    async fn amendment(
        &self,
        wish: Wish,
        subject: &Subject,
        registers: &Registers,
        me: NodeId,
    ) -> Result<Amendment, ApiError> {
        let Wish { id, body, withdrawn, reaction, task, assignee, due, clear_due } = wish;
        let assignee = match assignee.as_deref().map(str::trim) {
            None => None,
            Some("" | "nobody") => Some(None),
            Some(who) => Some(Some(self.find_node(who).await?)),
        };
        let is_of_task = task.is_some() || assignee.is_some() || due.is_some() || clear_due;
        if is_of_task && task != Some(TaskWord::Open) && task_of(registers, subject.task).is_none() {
            return Err(ApiError::refused("that message is no task").next(NextStep::MakeTask { id }));
        }
        let task = task.map(|task| match task {
            TaskWord::Open | TaskWord::Again => TaskState::Open,
            TaskWord::Done => TaskState::Done,
            TaskWord::None => TaskState::None,
        });
        let due = if clear_due { Some(None) } else { due.map(|due| Some(due.to_dtn()).filter(|due| due.0 > 0)) };
        let reaction = reaction.map(|wish| checked_reaction(wish.emoji.trim(), wish.on)).transpose()?;
        let mut set: Vec<Register> = Vec::new();
        set.extend(body.is_some().then_some(Register::Body));
        set.extend(withdrawn.then_some(Register::Withdrawn));
        set.extend(task.is_some().then_some(Register::Task));
        set.extend(assignee.is_some().then_some(Register::Assignee));
        set.extend(due.is_some().then_some(Register::Due));
        set.extend(reaction.as_ref().map(|reaction| Register::Reaction(me, reaction.text.clone())));
        if set.is_empty() {
            return Err(ApiError::usage("nothing is to be changed"));
        }
        let prior = registers.heads(&set);
        let extra = Vec::new();
        Ok(Amendment { target: subject.mark, prior, body, withdrawn, reaction, task, assignee, due, extra })
    }

    /// Sends one's own message anew, with the words that stand now: whoever has it already sees it once.
    pub(super) async fn renew(&self, prefix: &str, lifetime_ms: Option<u64>) -> Result<SentRow, ApiError> {
        let id = self.find_sent(prefix).await?;
        let outgoing = self.record(move |record| record.sent(&id)).await?;
        let outgoing = outgoing.ok_or_else(|| ApiError::not_found("that message was just deleted"))?;
        let (subject, registers) = self.subject_of(id).await?;
        if registers.is_withdrawn() {
            return Err(ApiError::refused("that message was withdrawn, and nothing of it is left to be sent"));
        }
        if self.is_gone(&subject).await? {
            return Err(ApiError::refused("that message disappeared, and nothing of it is left to be sent"));
        }
        let body = match outgoing.row {
            Some(row) => self.record(move |record| record.words(&[row])).await?.pop().flatten(),
            None => None,
        };
        let Some(Body::Filed(filed)) = body else {
            return Err(ApiError::not_found("the version of dak that sent it did not keep its words"));
        };
        let mut content = Content::decode(&filed.content).map_err(|error| ApiError::store(error.to_string()))?;
        let is_delivered = matches!(outgoing.state(), EvidenceKind::Delivered | EvidenceKind::Read);
        if is_delivered {
            return Err(ApiError::refused("that message was delivered").next(NextStep::SeeStatus { id: id.full() }));
        }
        if let Content::Text(text) = &mut content {
            text.same = Some(subject.mark);
            if let Some(row) = registers.body() {
                let body = self.record(move |record| body_at(record, row, usize::MAX)).await?;
                text.body = body.unwrap_or_default();
            }
        }
        let lifetime = lifetime_ms.map_or(outgoing.lifetime, Millis);
        let (node, priority) = (outgoing.destination.node, outgoing.priority);
        let sent = self.send_content(node, pad(&content.encode()), lifetime, priority, None).await?;
        for former in self.sent_as(id).await?.into_iter().filter(|former| *former != sent) {
            // The new one has the same words, and goes on in their place.
            self.node().input(Input::Cancel(former)).await?;
        }
        self.sent_row(sent, node).await
    }

    /// Hands out no new copies of one's own message, however often it was sent anew.
    pub(super) async fn stop(&self, id: BundleId) -> Result<Vec<BundleId>, ApiError> {
        let all = self.sent_as(id).await?;
        for id in &all {
            self.node().input(Input::Cancel(*id)).await?;
        }
        Ok(all)
    }

    /// The bundles that have the content of a message, this one first: others where it was sent anew.
    pub(super) async fn sent_as(&self, id: BundleId) -> Result<Vec<BundleId>, ApiError> {
        let Ok((Subject { mark, .. }, registers)) = self.subject_of(id).await else { return Ok(vec![id]) };
        let later: BTreeSet<BundleId> = registers.versions().collect();
        let read = move |record: &RedbReader| {
            let first = IdPrefix::of_mark(&mark);
            let first = [record.letters_like(&first, 1)?, record.sent_like(&first, 1)?].concat();
            let others = later.into_iter().chain(first).filter(|other| *other != id);
            let mut all = vec![id];
            for other in others.collect::<BTreeSet<_>>() {
                let known = record.known(&other)?;
                all.extend((known.letter.is_some() || known.outgoing.is_some()).then_some(other));
            }
            Ok(all)
        };
        self.record(read).await
    }

    /// What a message is about for those who change it, and what was changed of it.
    pub(super) async fn subject_of(&self, id: BundleId) -> Result<(Subject, Registers), ApiError> {
        let me = self.node().identity().node();
        let known = self.record(move |record| record.known(&id)).await?;
        let (with, author, row) = match (&known.letter, &known.outgoing) {
            (Some(letter), _) => (Conversation::of_letter(letter), letter.source, Some(letter.row)),
            (None, Some(outgoing)) => (Conversation::of_sent(outgoing), outgoing.source.unwrap_or(me), outgoing.row),
            (None, None) => return Err(ApiError::not_found("that message was just deleted")),
        };
        let Named { same, task, after_read } = match row {
            Some(row) => self.content_of(id, row).await?,
            None => Named::default(),
        };
        let mark = Letter::mark_of(&id);
        let mut subject = Subject { id, at: row, with, same, mark, author, task, after_read };
        let read = move |record: &RedbReader| {
            subject.mark = subject.name(record)?;
            let registers = record.registers(&subject.with, &subject.mark, &subject.author)?;
            Ok((subject, registers))
        };
        self.record(read).await
    }

    /// Whether a message was forgotten, for its time was over.
    async fn is_gone(&self, subject: &Subject) -> Result<bool, ApiError> {
        let Subject { with, mark, after_read, .. } = subject.clone();
        if after_read.is_none() {
            return Ok(false);
        }
        self.record(move |record| record.is_gone(&with, &mark)).await
    }

    /// What content at a row says of itself.
    async fn content_of(&self, id: BundleId, row: RecordRow) -> Result<Named, ApiError> {
        let body = self.record(move |record| record.words(&[row])).await?.pop().flatten();
        let Some(Body::Filed(filed)) = body else { return Ok(Named::default()) };
        match Content::decode(&filed.content) {
            Ok(Content::Text(text)) => {
                Ok(Named { same: text.same, task: text.task, after_read: text.expire_after_read.map(AfterRead::span) })
            }
            Ok(Content::Change(amendment)) => {
                let what = format!("{} is a change of another message", &id.full()[..10]);
                Err(ApiError::refused(what).next(NextStep::ChangeTarget { id: crate::id::hex(&amendment.target) }))
            }
            _ => Ok(Named::default()),
        }
    }

    /// Every change of a message, register by register, the one that counts last.
    pub(super) async fn history(&self, prefix: &str) -> Result<Vec<HistoryRow>, ApiError> {
        self.history_of(self.find_message(prefix).await?).await
    }

    pub(super) async fn history_of(&self, id: BundleId) -> Result<Vec<HistoryRow>, ApiError> {
        let is_shown = self.show_one(id).await?;
        let (subject, registers) = self.subject_of(id).await?;
        let mut all = Vec::new();
        if is_shown && registers.is_edited() && !registers.is_withdrawn() && !has_version_at(&registers, subject.at) {
            all.extend(self.first_words(id, &subject).await?);
        }
        for (_, settings) in registers.all() {
            let gave_way: BTreeSet<BundleId> = Registers::gave_way(settings).iter().map(|one| one.id).collect();
            let count = settings.len();
            for (n, setting) in settings.iter().enumerate() {
                if setting.value.is_version() && !registers.is_edited() {
                    continue;
                }
                let body = match setting.value {
                    Value::Body | Value::Version(_) if is_shown => {
                        let row = setting.row;
                        self.record(move |record| body_at(record, row, usize::MAX)).await?
                    }
                    _ => None,
                };
                let row = self.history_row(setting).await?;
                let (stands, gave_way) = (n + 1 == count, gave_way.contains(&setting.id));
                all.push(HistoryRow { what: body.unwrap_or(row.what), stands, gave_way, ..row });
            }
        }
        Ok(all)
    }

    /// A change without its words, if it is of words, and without what became of it.
    pub(super) async fn history_row(&self, setting: &Setting) -> Result<HistoryRow, ApiError> {
        let Setting { id, author, value, .. } = setting.clone();
        let at = self.record(move |record| record.known(&id)).await?;
        let at = match (at.letter, at.outgoing) {
            (Some(letter), _) => When::from_dtn(letter.creation.time),
            (None, Some(outgoing)) => rows::when_known(outgoing.created),
            (None, None) => None,
        };
        let (who, what) = self.look(move |_, names| (names.person(&author), what(&value, names))).await?;
        let (stands, gave_way, field) = (false, false, field(setting).into());
        Ok(HistoryRow { schema: Schema, id: id.full(), who, at, field, what, stands, gave_way })
    }

    /// What a message said at first.
    async fn first_words(&self, id: BundleId, subject: &Subject) -> Result<Option<HistoryRow>, ApiError> {
        let known = self.record(move |record| record.known(&id)).await?;
        let (row, at) = match (known.letter, known.outgoing) {
            (Some(letter), _) => (Some(letter.row), When::from_dtn(letter.creation.time)),
            (None, Some(own)) => (own.row, rows::when_known(own.created)),
            (None, None) => (None, None),
        };
        let Some(row) = row else { return Ok(None) };
        let Some(Body::Filed(filed)) = self.record(move |record| record.words(&[row])).await?.pop().flatten() else {
            return Ok(None);
        };
        let Ok(Content::Text(text)) = Content::decode(&filed.content) else { return Ok(None) };
        let author = subject.author;
        let who = self.look(move |_, names| names.person(&author)).await?;
        let (stands, gave_way, field) = (false, false, "text".into());
        Ok(Some(HistoryRow { schema: Schema, id: id.full(), who, at, what: text.body, field, stands, gave_way }))
    }

    /// What was changed of a message, or told in the app beside it, and need not go on any more.
    pub(super) async fn changes_of(&self, id: BundleId) -> Result<BTreeSet<BundleId>, ApiError> {
        let Ok((subject, registers)) = self.subject_of(id).await else { return Ok(BTreeSet::new()) };
        let changes = registers.all().flat_map(|(_, all)| all).filter(|one| !one.value.is_version());
        let all: Vec<BundleId> = changes.map(|one| one.id).collect();
        let updates = self.updates_of(&subject).await?;
        let look = move |agent: &Agent, _: &Names<'_>| {
            let is_over = |id: &BundleId| agent.held_one(id).is_none();
            // Updates that came go whatever becomes of their bundles; one's own that are on their way stay till they arrived.
            all.into_iter().filter(is_over).chain(updates).collect()
        };
        self.look(look).await
    }
}

/// Whether the words at a row are among those that changes and other versions stand beside.
fn has_version_at(registers: &Registers, at: Option<RecordRow>) -> bool {
    let mut all = registers.all().flat_map(|(_, all)| all);
    at.is_some_and(|at| all.any(|one| one.value.is_version() && one.row == at))
}

/// Tasks, a page at a time.
pub struct Tasks {
    pub desk: Desk,
    /// Only what this home's owner is to do.
    pub mine: bool,
    /// Also what is done.
    pub all: bool,
    pub after: Option<(Conversation, Mark)>,
}

/// Most tasks of one look.
const PAGE_ROWS: usize = 64;

impl Tasks {
    pub async fn next(mut self) -> Result<Option<(Vec<Row>, Tasks)>, ApiError> {
        loop {
            let after = self.after.clone();
            let page = self.desk.record(move |record| record.tasks(after.as_ref(), PAGE_ROWS)).await?;
            let Some(last) = page.last().cloned() else { return Ok(None) };
            self.after = Some(last);
            let mut found = Vec::new();
            for (with, mark) in page {
                let of = with.clone();
                let Some(entry) = self.desk.record(move |record| record.with_content(&of, &mark)).await? else {
                    continue;
                };
                // Nobody is shown what is no task, or not theirs.
                let Some(task) = self.desk.said_unseen(&with, entry.clone()).await?.and_then(|row| row.changes.task)
                else {
                    continue;
                };
                let me = rows::address(self.desk.node().identity().node());
                let is_mine = task.assignee.as_ref().is_some_and(|who| who.address == me);
                if (self.all || task.state == TaskWord::Open) && (is_mine || !self.mine) {
                    let Some(row) = self.desk.said_in(&with, entry).await? else { continue };
                    found.push(Row::Tasks(BoardRow {
                        schema: Schema,
                        id: row.id,
                        text: row.text,
                        state: task.state,
                        assignee: task.assignee,
                        due: task.due,
                        conversation: row.conversation,
                        from: row.from,
                    }));
                }
            }
            if !found.is_empty() {
                return Ok(Some((found, self)));
            }
        }
    }
}

fn field(setting: &Setting) -> &'static str {
    match setting.value {
        Value::Body | Value::Version(_) => "text",
        Value::Withdrawn => "withdrawn",
        Value::Task(_) => "task",
        Value::Assignee(_) => "assignee",
        Value::Due(_) => "due",
        Value::Reaction(_) => "reaction",
    }
}

/// What a register is set to, in words.
fn what(value: &Value, names: &Names<'_>) -> String {
    match value {
        Value::Body | Value::Version(_) => String::new(),
        Value::Withdrawn => "withdrawn".into(),
        Value::Task(state) => rows::task_word(*state).into(),
        Value::Assignee(None) => "nobody".into(),
        Value::Assignee(Some(who)) => names.show(who),
        Value::Due(due) => rows::due_words(*due),
        Value::Reaction(reaction) => rows::reaction_words(reaction),
    }
}

fn checked_reaction(text: &str, on: bool) -> Result<Reaction, ApiError> {
    let is_one = !text.is_empty() && text.len() <= REACTION_BYTES_MAX && !text.contains(char::is_whitespace);
    if !is_one || safe_text(text) != text && text.chars().any(char::is_control) {
        let error = format!("a reaction is one emoji or one short word of at most {REACTION_BYTES_MAX} bytes");
        return Err(ApiError::usage(error).advise("give one, such as 👍 or thanks"));
    }
    Ok(Reaction { text: text.to_owned(), on })
}

//! The record as a whole: handing it out, saying what it takes, and making room in it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use futures::future::try_join_all;

use super::Desk;
use super::rows::Names;
use crate::agent::Agent;
use crate::agent::change::{Change, Letter, Outgoing, Row as RecordRow};
use crate::api::model::{KeptRow, Purge, PurgedRow, Schema, SpaceRow, TalkRow, TaskWord, When};
use crate::api::{ApiError, Row};
use crate::content::{Attachment, Content, Filed, KeyUsed, Text, is_group_word};
use crate::id::{BundleId, NodeId, hex};
use crate::mail::conversation::Conversation;
use crate::mail::files::FileState;
use crate::mail::order::{Position, Span};
use crate::mail::registers::Setting;
use crate::store::redb::{Body, Direction, Entry, Line, RedbReader};
use crate::time::{DAY, DtnTime, Millis, Moment};

/// What an export says of the signature of what was imported.
const IMPORTED: &str = "imported, not verified here";
/// Most rows of one look.
const PAGE_ROWS: usize = 64;
/// Messages deleted at once.
const DELETED_AT_ONCE: usize = 64;

/// The record, one conversation after the other, each in its order.
pub struct Record {
    desk: Desk,
    who: Option<String>,
    /// What is left to be read, the next one last, once that is known.
    left: Option<Vec<Conversation>>,
    after: Option<Position>,
}

impl Record {
    pub fn of(desk: Desk, who: Option<String>) -> Record {
        Record { desk, who, left: None, after: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, Record)>, ApiError> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => self.desk.conversations_of(self.who.as_deref()).await?,
        };
        loop {
            let Some(with) = left.last().cloned() else { return Ok(None) };
            let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
            let (of, span) = (with.clone(), Span { from, ..Span::ALL });
            let lines = self.desk.record(move |record| record.talk(&of, span, Direction::Forwards, PAGE_ROWS)).await?;
            let Some(last) = lines.last() else {
                left.pop();
                self.after = None;
                continue;
            };
            self.after = Some(last.position);
            let mut rows = Vec::new();
            for line in lines {
                self.desk.kept_rows(&with, line, &mut rows).await?;
            }
            self.left = Some(left);
            return Ok(Some((rows, self)));
        }
    }
}

impl Desk {
    /// One conversation, or all, the last one first.
    async fn conversations_of(&self, who: Option<&str>) -> Result<Vec<Conversation>, ApiError> {
        if let Some(who) = who {
            return Ok(vec![self.conversation_with(who).await?]);
        }
        let all = self.record(|record| record.conversations()).await?;
        Ok(all.into_iter().rev().map(|(counts, _)| counts.with).collect())
    }

    /// A message with all that is known of it, and behind it the changes of it.
    async fn kept_rows(&self, with: &Conversation, line: Line, rows: &mut Vec<Row>) -> Result<(), ApiError> {
        let id = match &line.entry {
            Entry::Came(letter) => letter.id,
            Entry::Own(outgoing) => outgoing.id,
        };
        let Some(row) = self.kept_row(with, line.entry, line.number).await? else { return Ok(()) };
        let is_gone = row.row.changes.disappeared;
        rows.push(Row::Record(Box::new(row)));
        if is_gone {
            return Ok(());
        }
        let Ok((_, registers)) = self.subject_of(id).await else { return Ok(()) };
        let settings: BTreeMap<RecordRow, Setting> = registers
            .all()
            .flat_map(|(_, settings)| settings.iter().map(|setting| (setting.row, setting.clone())))
            .collect();
        for setting in settings.into_values() {
            if let Some((_, entry)) = self.entry(&setting.id).await? {
                let row = self.kept_row(with, entry, 0).await?;
                rows.extend(row.map(|row| Row::Record(Box::new(row))));
            }
        }
        Ok(())
    }

    /// None of what was deleted meanwhile.
    async fn kept_row(&self, with: &Conversation, entry: Entry, number: u64) -> Result<Option<KeptRow>, ApiError> {
        // Showing it may end it.
        let Some(mut row) = self.said_in(with, entry.clone()).await? else { return Ok(None) };
        let at = row_of(&entry);
        let body = self.words_at(at).await?;
        // Changes are put nowhere, but come with an import too.
        let at_row = at.unwrap_or_default();
        row.arranged.imported = self.record(move |record| record.was_imported(at_row)).await?;
        let facts = Facts::of(&entry);
        let source = facts.source;
        let (to, to_group) = (facts.destination, facts.is_group);
        let (to, me) = self.look(move |agent: &Agent, names: &Names<'_>| (names.person(&to), agent.node())).await?;
        let events = match &entry {
            Entry::Own(outgoing) => {
                let outgoing = outgoing.clone();
                self.look(move |_, names| names.status(&outgoing).events).await?
            }
            Entry::Came(_) => Vec::new(),
        };
        let signature = match (source == Some(me), &body) {
            _ if row.arranged.imported => IMPORTED,
            (true, _) => "own",
            (false, Some(Body::Filed(_))) => "verified on arrival",
            (false, _) => "sealed still",
        };
        let (content, key) = match body {
            Some(Body::Filed(_)) if row.changes.disappeared || row.unreadable.is_some() => (None, None),
            // Keys of groups stay in the home.
            Some(Body::Filed(Filed { content, key, .. })) if is_group_word(&content) => (None, Some(key_word(key))),
            Some(Body::Filed(Filed { content, key, .. })) => (Some(hex(&content)), Some(key_word(key))),
            _ => (None, None),
        };
        Ok(Some(KeptRow {
            row: TalkRow { event: number, ..row },
            to,
            to_group,
            sequence: facts.sequence,
            lifetime_ms: facts.lifetime_ms,
            signature: signature.into(),
            key: key.map(str::to_owned),
            content,
            events,
        }))
    }

    async fn words_at(&self, row: Option<RecordRow>) -> Result<Option<Body>, ApiError> {
        let Some(row) = row else { return Ok(None) };
        Ok(self.record(move |record| record.words(&[row])).await?.pop().flatten())
    }

    /// What takes how much of the disk, and what frees it.
    pub(super) async fn space(&self) -> Result<Vec<SpaceRow>, ApiError> {
        let mut rows = Vec::new();
        let (mut texts, mut files) = (Sum::default(), Sum::default());
        let all = self.record(|record| record.conversations()).await?;
        for (counts, _) in all {
            let mut sum = Sum::default();
            let mut after = None;
            loop {
                let (with, from) = (counts.with.clone(), after.map_or(Bound::Unbounded, Bound::Excluded));
                let span = Span { from, ..Span::ALL };
                let read = move |record: &RedbReader| {
                    let lines = record.talk(&with, span, Direction::Forwards, PAGE_ROWS)?;
                    let rows: Vec<RecordRow> = lines.iter().filter_map(|line| row_of(&line.entry)).collect();
                    Ok((lines, record.words(&rows)?))
                };
                let (lines, bodies) = self.record(read).await?;
                let Some(last) = lines.last() else { break };
                after = Some(last.position);
                for line in lines {
                    // What is still on its way is no record yet.
                    let can_go = match &line.entry {
                        Entry::Own(outgoing) => outgoing.has_end() || !self.is_under_way(outgoing.id).await?,
                        Entry::Came(_) => true,
                    };
                    if let Some(at) = moment_of(&line.entry).trusted_wall().filter(|_| can_go) {
                        sum.oldest = Some(sum.oldest.map_or(at, |oldest| oldest.min(at)));
                    }
                }
                for body in bodies.into_iter().flatten() {
                    let (text_bytes, file_bytes) = weights(&body);
                    sum.add(text_bytes + file_bytes);
                    texts.add(text_bytes);
                    files.count += u64::from(file_bytes > 0);
                    files.bytes += file_bytes;
                }
            }
            texts.oldest = [texts.oldest, sum.oldest].into_iter().flatten().min();
            let node = counts.with.0.node;
            let who = self.look(move |_: &Agent, names: &Names<'_>| names.person(&node)).await?;
            rows.push(SpaceRow {
                schema: Schema,
                what: "conversation".into(),
                with: Some(who),
                count: sum.count,
                bytes: sum.bytes,
                frees: None,
                keep_ms: None,
                oldest_at: sum.oldest.and_then(When::from_dtn),
            });
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        let usage = self.look(|agent: &Agent, _: &Names<'_>| agent.usage()).await?;
        let carried = usage.by_class.iter().map(|(_, bytes)| bytes).sum();
        let reader = self.node().reader();
        let of = |what: &str, count: u64, bytes: u64| SpaceRow {
            schema: Schema,
            what: what.into(),
            with: None,
            count,
            bytes,
            frees: None,
            keep_ms: None,
            oldest_at: None,
        };
        let (many, blob_bytes) = self.node().blobs().usage();
        files.count += many;
        files.bytes += blob_bytes;
        let index = folder_bytes(&self.inner.home.search_path());
        let whole = [
            SpaceRow {
                keep_ms: self.inner.config.keep.value.map(|keep| keep.0),
                oldest_at: texts.oldest.and_then(When::from_dtn),
                ..of("record", texts.count, texts.bytes)
            },
            of("files", files.count, files.bytes),
            of("index", 0, index),
            of("carried", (usage.messages + usage.receipts) as u64, carried),
            of("store", 0, reader.file_bytes()),
        ];
        Ok(whole.into_iter().chain(rows).collect())
    }

    /// Deletes messages, or their files, that are as old, as large or of whom is said.
    pub(super) async fn purge(&self, purge: Purge) -> Result<PurgedRow, ApiError> {
        if purge.older_than.is_none() && purge.from.is_none() && !purge.files_only {
            return Err(
                ApiError::usage("nothing says what is to go").advise("say how old, of whom, or that only files go")
            );
        }
        if purge.larger_than.is_some() && !purge.files_only {
            return Err(ApiError::usage("only files are told apart by their size").advise("say that only files go"));
        }
        self.purge_where(purge, None).await
    }

    /// Deletes what is older than the record keeps anything, if that is set and was not looked at lately; says how long it is
    /// until the next look.
    ///
    /// A clock that is set wrong deletes nothing: so much time must have passed here by the elapsed clock as well. Nor does
    /// anything go that the person still has something to do with.
    pub(super) async fn keep_no_longer(&self) -> Result<Option<Millis>, ApiError> {
        let Some(keep) = self.inner.config.keep.value else { return Ok(None) };
        let at = self.look(|agent: &Agent, _: &Names<'_>| agent.at()).await?;
        let every = Millis(keep.0.min(DAY.0));
        let mut looked = self.inner.looked_through.lock().await;
        if let Some(due) = looked.map(|last| last + every)
            && at.now < due
        {
            return Ok(Some(due.since(at.now)));
        }
        let then = at.trusted_wall().and_then(|wall| When::from_dtn(DtnTime(wall.0.saturating_sub(keep.0))));
        if let Some(then) = then {
            let purge = Purge { older_than: Some(then), ..Purge::default() };
            let PurgedRow { messages, bytes, .. } = self.purge_where(purge, Some((keep, at))).await?;
            if messages > 0 {
                tracing::info!(messages, bytes, "deleted what is older than the record keeps");
            }
        }
        *looked = Some(at.now);
        Ok(Some(every))
    }

    /// Deletes what is meant; where it goes by itself, what is as old by the elapsed clock and needed no more.
    async fn purge_where(&self, purge: Purge, by_itself: Option<(Millis, Moment)>) -> Result<PurgedRow, ApiError> {
        let mut purged = PurgedRow { schema: Schema, messages: 0, files: 0, bytes: 0, dry: purge.dry };
        // What comes meanwhile is not meant: the room that this makes lets in what waited for it.
        let began = self.look(|agent: &Agent, _: &Names<'_>| agent.at().now).await?;
        for with in self.conversations_of(purge.from.as_deref()).await? {
            let mut after = None;
            loop {
                let (of, from) = (with.clone(), after.map_or(Bound::Unbounded, Bound::Excluded));
                let span = Span { from, ..Span::ALL };
                let read = move |record: &RedbReader| {
                    let lines = record.talk(&of, span, Direction::Forwards, PAGE_ROWS)?;
                    let rows: Vec<RecordRow> =
                        lines.iter().map(|line| row_of(&line.entry).unwrap_or_default()).collect();
                    Ok((lines, record.words(&rows)?))
                };
                let (lines, bodies) = self.record(read).await?;
                let Some(last) = lines.last() else { break };
                after = Some(last.position);
                let mut old = Vec::new();
                for (line, body) in lines.into_iter().zip(bodies) {
                    let is_meant = moment_of(&line.entry).now <= began
                        && is_older(&line.entry, purge.older_than)
                        && match by_itself {
                            Some((keep, at)) => {
                                moment_of(&line.entry).now + keep <= at.now && !self.is_needed(&with, &line, at).await?
                            }
                            None => true,
                        };
                    old.extend(is_meant.then_some((line, body)));
                }
                match purge.files_only {
                    true => self.purge_files(old, &purge, &mut purged).await?,
                    false => self.purge_messages(old, &mut purged).await?,
                }
            }
        }
        if !purged.dry && purged.messages > 0 {
            self.tidy_files().await?;
            self.inner.files_changed.notify_one();
            self.forget_words().await?;
        }
        Ok(purged)
    }

    /// Whether the person still has something to do with a message, or wants to find it again: it is unread, pinned, snoozed,
    /// labelled, or a task that is open.
    async fn is_needed(&self, with: &Conversation, line: &Line, at: Moment) -> Result<bool, ApiError> {
        let Some(row) = self.said_unseen(with, line.entry.clone()).await? else {
            // It was deleted meanwhile: nothing is left to go.
            return Ok(true);
        };
        if row.changes.withdrawn || row.changes.disappeared {
            return Ok(false);
        }
        let (of, key) = (with.clone(), line.position.row());
        let placed = self.record(move |record| record.places(&[(key, of)])).await?.pop().unwrap_or_default();
        let is_snoozed = placed.place.snoozed(at.trusted_wall().unwrap_or_default()).is_some();
        let is_open = row.changes.task.is_some_and(|task| task.state == TaskWord::Open);
        Ok(!row.read || is_open || placed.place.pinned || is_snoozed || !placed.labels.is_empty())
    }

    async fn purge_messages(&self, old: Vec<(Line, Option<Body>)>, purged: &mut PurgedRow) -> Result<(), ApiError> {
        let mut ids: Vec<BundleId> = Vec::new();
        for (line, body) in old {
            let id = match line.entry {
                Entry::Came(letter) => letter.id,
                // What is still on its way is no record yet.
                Entry::Own(outgoing) if self.is_under_way(outgoing.id).await? => {
                    continue;
                }
                Entry::Own(outgoing) => outgoing.id,
            };
            let (text_bytes, file_bytes) = body.as_ref().map_or((0, 0), weights);
            purged.messages += 1;
            purged.bytes += text_bytes + file_bytes;
            ids.push(id);
        }
        if purged.dry {
            return Ok(());
        }
        for ids in ids.chunks(DELETED_AT_ONCE) {
            try_join_all(ids.iter().map(|id| self.discard(*id))).await?;
        }
        Ok(())
    }

    async fn purge_files(
        &self,
        old: Vec<(Line, Option<Body>)>,
        purge: &Purge,
        purged: &mut PurgedRow,
    ) -> Result<(), ApiError> {
        let (mut changes, mut beside) = (Vec::new(), Vec::new());
        for (line, body) in old {
            let (Some(row), Some(Body::Filed(filed))) = (row_of(&line.entry), body) else { continue };
            let Ok(Content::Text(text)) = Content::decode(&filed.content) else { continue };
            let least = purge.larger_than.unwrap_or(0);
            beside.extend((!text.enclosed.is_empty()).then(|| line.entry.clone()));
            let goes = |file: &Attachment| !file.bytes.is_empty() && file.bytes.len() as u64 > least;
            if !text.attachments.iter().any(goes) {
                continue;
            }
            let mut attachments = text.attachments.clone();
            for file in attachments.iter_mut().filter(|file| goes(file)) {
                purged.files += 1;
                purged.bytes += file.bytes.len() as u64;
                file.bytes.clear();
            }
            purged.messages += 1;
            let content = Content::Text(Text { attachments, ..text }).encode();
            changes.push(Change::File { row, filed: Arc::new(Filed { content, ..filed }) });
        }
        if !purged.dry && !changes.is_empty() {
            self.node().change(changes).await?;
        }
        for entry in beside {
            self.purge_beside(&entry, purge.larger_than.unwrap_or(0), purged).await?;
        }
        Ok(())
    }

    /// Deletes what is here of files beside a message that came or went in parts.
    async fn purge_beside(&self, entry: &Entry, least: u64, purged: &mut PurgedRow) -> Result<(), ApiError> {
        let id = match entry {
            Entry::Came(letter) => letter.id,
            Entry::Own(outgoing) => outgoing.id,
        };
        let mut is_counted = false;
        for named in self.files_of(id).await? {
            let bytes = self.node().blobs().bytes_of(&named.file.root);
            if named.state.gone || bytes == 0 || bytes <= least {
                continue;
            }
            purged.files += 1;
            purged.bytes += bytes;
            purged.messages += u64::from(!std::mem::replace(&mut is_counted, true));
            if !purged.dry {
                let state = FileState { gone: true, asked: false, ..named.state.clone() };
                self.keep_file(&named, state).await?;
            }
        }
        Ok(())
    }
}

/// What is to be known of a row's bundle.
struct Facts {
    source: Option<NodeId>,
    destination: NodeId,
    is_group: bool,
    sequence: u64,
    lifetime_ms: u64,
}

impl Facts {
    fn of(entry: &Entry) -> Facts {
        match entry {
            Entry::Came(Letter { source, destination, creation, lifetime, .. }) => Facts {
                source: Some(*source),
                destination: destination.node,
                is_group: destination.has_members(),
                sequence: creation.sequence,
                lifetime_ms: lifetime.0,
            },
            Entry::Own(Outgoing { source, destination, creation, lifetime, .. }) => Facts {
                source: *source,
                destination: destination.node,
                is_group: destination.has_members(),
                sequence: creation.sequence,
                lifetime_ms: lifetime.0,
            },
        }
    }
}

#[derive(Default)]
struct Sum {
    count: u64,
    bytes: u64,
    /// Of what can go, when it came or was written.
    oldest: Option<DtnTime>,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

fn row_of(entry: &Entry) -> Option<RecordRow> {
    match entry {
        Entry::Came(letter) => Some(letter.row),
        Entry::Own(outgoing) => outgoing.row,
    }
}

/// Bytes of words and of files.
fn weights(body: &Body) -> (u64, u64) {
    let Body::Filed(filed) = body else { return (0, 0) };
    let files = match Content::decode(&filed.content) {
        Ok(Content::Text(text)) => text.attachments.iter().map(|file| file.bytes.len() as u64).sum(),
        _ => 0,
    };
    ((filed.content.len() as u64).saturating_sub(files), files)
}

/// When it came or was written.
fn moment_of(entry: &Entry) -> Moment {
    match entry {
        Entry::Came(letter) => letter.received,
        Entry::Own(outgoing) => outgoing.created,
    }
}

/// Whether it came or was written before a time; always where none is said.
fn is_older(entry: &Entry, than: Option<When>) -> bool {
    let at = moment_of(entry).trusted_wall();
    than.is_none_or(|than| at.is_some_and(|at: DtnTime| at < than.to_dtn()))
}

fn key_word(key: KeyUsed) -> &'static str {
    match key {
        KeyUsed::Own => "own",
        KeyUsed::Identity => "identity",
        KeyUsed::Prekey(_) => "prekey",
        KeyUsed::Group(_) => "group",
    }
}

fn folder_bytes(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len()).sum()
}

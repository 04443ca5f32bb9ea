//! Where this person puts messages and conversations: archived, pinned, snoozed, muted, under labels. And what waits then.

use std::collections::{BTreeMap, BTreeSet};

use super::find::composed;
use super::rows::{self, Names, Opened, Taken};
use super::{Desk, find};
use crate::agent::Agent;
use crate::agent::change::{Letter, Row};
use crate::api::model::{
    Arranged, ArrangedRow, ArrangedTalk, Arranging, Done, LabelRow, LetterRow, Schema, Show, WaitingRow, When,
};
use crate::api::{ApiError, NextStep, Response};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::mail::conversation::{Conversation, Counts};
use crate::mail::groups::rows as groups;
use crate::mail::kept::{self, KEPT_MAX, LABEL_BYTES_MAX, LABELS_MAX, Mute, Place, TalkPlace, Waits};
use crate::mail::order::Span;
use crate::safe_text::safe_text;
use crate::store::redb::{Direction, Entry, Placed, RedbReader};
use crate::time::DtnTime;

/// Most rows of one look.
const PAGE_ROWS: usize = 256;
/// Most messages that one request gives a label, and most things that one request puts somewhere.
const AT_ONCE_MAX: usize = 1_024;

/// What else is kept of one message has fewer keys.
const OTHERS: usize = 8;

/// A key that the person's things are kept under, and its new value.
type Keep = (Vec<u8>, Option<Vec<u8>>);

/// What somebody wants to put somewhere.
enum Target {
    Talk(Conversation),
    Message { id: BundleId, with: Conversation, row: Row },
}

impl Desk {
    /// Which of these messages are to be listed.
    pub(super) async fn wanted(&self, letters: &[Letter], show: Show) -> Result<Vec<bool>, ApiError> {
        if show == Show::All {
            return Ok(vec![true; letters.len()]);
        }
        let rows: Vec<_> = letters.iter().map(|letter| (letter.row, Conversation::of_letter(letter))).collect();
        let placed = self.record(move |record| record.places(&rows)).await?;
        // Who writes to a group of this person's may do so.
        let sources: Vec<NodeId> = letters.iter().map(|letter| Conversation::of_letter(letter).0.node).collect();
        let look = move |agent: &Agent, names: &Names<'_>| {
            (wall(agent), sources.iter().map(|source| names.known(source).is_some()).collect::<Vec<bool>>())
        };
        let (now, known) = self.look(look).await?;
        let mut wanted = Vec::with_capacity(letters.len());
        for ((letter, Placed { place, talk, .. }), is_known) in letters.iter().zip(&placed).zip(known) {
            let is_shown = match show {
                Show::Known => is_known,
                Show::Requests => !is_known,
                Show::Waiting | Show::All => true,
            };
            wanted.push(match talk.waits(letter.row, place, now) {
                Waits::Yes => is_shown,
                Waits::IfMentioned => is_shown && self.is_mentioned(letter).await?,
                Waits::No => false,
            });
        }
        Ok(wanted)
    }

    /// Whether a message that came is a row of the inbox, and one that is to be listed: a change of another is none, and
    /// neither is what was there before.
    pub(super) async fn is_news(&self, letter: &Letter, show: Show) -> Result<bool, ApiError> {
        let id = letter.id;
        let shown = self.record(move |record| record.row_shown(&id)).await?;
        let is_row = shown.is_some_and(|(_, row)| row == letter.row);
        Ok(is_row && self.wanted(std::slice::from_ref(letter), show).await? == [true])
    }

    /// Whether a message names this person.
    async fn is_mentioned(&self, letter: &Letter) -> Result<bool, ApiError> {
        let letter = letter.clone();
        let envelope = self.look(move |_, names| names.envelope(letter)).await?;
        let opened = self.open_unseen(vec![envelope], Taken::Texts { chars_max: usize::MAX }).await?;
        let name = composed(&self.inner.name);
        let names_me = |text: &Option<String>| text.as_ref().is_some_and(|text| kept::mentions(&composed(text), &name));
        Ok(opened.iter().any(|opened| names_me(&opened.row.text) || names_me(&opened.row.subject)))
    }

    /// How much waits in all conversations.
    pub(super) async fn waiting(&self) -> Result<WaitingRow, ApiError> {
        let mut row = WaitingRow { schema: Schema, unread: 0, requests: 0, muted: 0 };
        for counts in self.record(RedbReader::counts).await? {
            let node = counts.with.0.node;
            match self.look(move |_, names| names.known(&node).is_some()).await? {
                true => row.unread += self.waiting_in(&counts).await?,
                false => row.requests += self.requests_in(&counts.with).await?,
            }
            row.muted += self.muted_in(&counts).await?;
        }
        Ok(row)
    }

    /// How many of the unread messages of a conversation wait.
    pub(super) async fn waiting_in(&self, counts: &Counts) -> Result<u64, ApiError> {
        if counts.unread == 0 {
            return Ok(0);
        }
        let (place, now) = (self.talk_place(&counts.with).await?, self.look(|agent, _| wall(agent)).await?);
        if place.write().is_none() {
            return Ok(counts.unread);
        }
        let is_muted = place.mute(now).is_some_and(|mute| !mute.except_mentions);
        if is_muted || place.snoozed(now).is_some() {
            return Ok(0);
        }
        let (mut count, mut after) = (0, None);
        loop {
            let with = counts.with.clone();
            let page = self.record(move |record| record.unread(&with, after, PAGE_ROWS)).await?;
            let Some((last, _)) = page.last() else { return Ok(count) };
            after = Some(*last);
            let letters: Vec<Letter> = page.into_iter().filter_map(|(_, letter)| letter).collect();
            count += count_true(&self.wanted(&letters, Show::Waiting).await?);
        }
    }

    /// How many of the unread messages of a conversation nobody is told of, for it is muted.
    async fn muted_in(&self, counts: &Counts) -> Result<u64, ApiError> {
        let (place, now) = (self.talk_place(&counts.with).await?, self.look(|agent, _| wall(agent)).await?);
        match place.mute(now) {
            Some(_) if counts.unread > 0 => Ok(counts.unread - self.waiting_in(counts).await?.min(counts.unread)),
            _ => Ok(0),
        }
    }

    async fn requests_in(&self, with: &Conversation) -> Result<u64, ApiError> {
        let (mut count, mut span) = (0, Span::ALL);
        loop {
            let with = with.clone();
            let page = self.record(move |record| record.talk(&with, span, Direction::Forwards, PAGE_ROWS)).await?;
            let Some(last) = page.last() else { return Ok(count) };
            span.from = std::ops::Bound::Excluded(last.position);
            let came = page.into_iter().filter_map(|line| match line.entry {
                Entry::Came(letter) => Some(letter),
                Entry::Own(_) => None,
            });
            count += count_true(&self.wanted(&came.collect::<Vec<_>>(), Show::Requests).await?);
        }
    }

    pub(super) async fn talk_place(&self, with: &Conversation) -> Result<TalkPlace, ApiError> {
        let key = kept::place_of_conversation(with);
        let value = self.record(move |record| record.kept(&key)).await?;
        Ok(value.map_or(TalkPlace::default(), |value| TalkPlace::read(&value)))
    }

    /// Says in rows of messages that came where this person put them, and whether they are requests.
    pub(super) async fn place(&self, opened: &mut [Opened]) -> Result<(), ApiError> {
        let rows: Vec<_> = opened.iter().map(|opened| (opened.at, opened.subject.with.clone())).collect();
        let placed = self.record(move |record| record.places(&rows)).await?;
        let sources: Vec<NodeId> = opened.iter().map(|opened| opened.subject.author).collect();
        let look = move |agent: &Agent, names: &Names<'_>| {
            (wall(agent), sources.iter().map(|source| names.known(source).is_some()).collect::<Vec<bool>>())
        };
        let (now, known) = self.look(look).await?;
        self.name_introduced(opened.iter_mut().map(|opened| &mut opened.row).collect()).await?;
        for ((opened, placed), is_known) in opened.iter_mut().zip(&placed).zip(known) {
            opened.row.arranged = arranged(opened.at, placed, now);
            // Who writes to a group of this person's may do so.
            opened.row.request = !is_known && opened.row.group.is_none();
            opened.row.nickname = if is_known { None } else { self.node().nearby().nickname(&opened.subject.author) };
        }
        Ok(())
    }

    /// The same for one's own.
    pub(super) async fn place_own(&self, id: BundleId, message: &mut LetterRow) -> Result<(), ApiError> {
        let Some((with, row)) = self.record(move |record| record.row_shown(&id)).await? else { return Ok(()) };
        let placed = self.record(move |record| record.places(&[(row, with)])).await?.pop().unwrap_or_default();
        let now = self.look(|agent, _| wall(agent)).await?;
        message.row.arranged = arranged(row, &placed, now);
        self.name_introduced(vec![&mut message.row]).await
    }

    /// Archives what was said with somebody, if anything was.
    pub(super) async fn put_away(&self, node: NodeId) -> Result<(), ApiError> {
        let _turn = self.inner.arranging.lock().await;
        let (with, mut changes) = (Conversation(Eid::mail(node)), BTreeMap::new());
        let of = with.clone();
        if self.record(move |record| record.counts_of(&of)).await?.is_some() {
            self.arrange_talk(with, Arranging::Archive, DtnTime(0), &mut changes).await?;
        }
        self.keep(changes.into_iter().collect()).await
    }

    /// Puts things somewhere, all or none.
    pub(super) async fn arrange(&self, what: Vec<String>, how: Arranging) -> Result<Vec<ArrangedRow>, ApiError> {
        check_count(what.len())?;
        let _turn = self.inner.arranging.lock().await;
        let now = self.look(|agent, _| wall(agent)).await?;
        check_time(how, now)?;
        let (mut changes, mut rows) = (BTreeMap::new(), Vec::new());
        for what in &what {
            let row = match self.target(what).await? {
                Target::Talk(with) => self.arrange_talk(with, how, now, &mut changes).await?,
                Target::Message { id, with, row } => {
                    self.arrange_message(id, with, row, how, now, &mut changes).await?
                }
            };
            rows.push(row);
        }
        self.keep(changes.into_iter().collect()).await?;
        Ok(rows)
    }

    async fn arrange_talk(
        &self,
        with: Conversation,
        how: Arranging,
        now: DtnTime,
        changes: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    ) -> Result<ArrangedRow, ApiError> {
        let mut place = self.talk_place_after(&with, changes).await?;
        let of = with.clone();
        let last = self.record(move |record| record.counts_of(&of)).await?.map(|counts| counts.last);
        match how {
            Arranging::Archive => {
                let nothing = || ApiError::refused("nothing was said there yet, so there is nothing to archive");
                place.archived_to = Some(last.ok_or_else(nothing)?);
            }
            Arranging::Unarchive => place.archived_to = None,
            Arranging::Pin => place.pinned = true,
            Arranging::Unpin => place.pinned = false,
            Arranging::Snooze { until } => place.snoozed_until = Some(until.to_dtn()),
            Arranging::Unsnooze => place.snoozed_until = None,
            Arranging::Mute { until, except_mentions } => {
                place.muted = Some(Mute { until: until.map(When::to_dtn), except_mentions });
            }
            Arranging::Unmute => place.muted = None,
        }
        changes.insert(kept::place_of_conversation(&with), place.write());
        let name = self.name_of(&with).await?;
        let arranged = arranged_talk(&place, last.unwrap_or(Row(0)), now);
        Ok(ArrangedRow { schema: Schema, id: None, conversation: rows::address(with.0.node), name, arranged })
    }

    async fn arrange_message(
        &self,
        id: BundleId,
        with: Conversation,
        row: Row,
        how: Arranging,
        now: DtnTime,
        changes: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    ) -> Result<ArrangedRow, ApiError> {
        let key = kept::place_of_message(row);
        let value = match changes.get(&key) {
            Some(value) => value.clone(),
            None => {
                let key = key.clone();
                self.record(move |record| record.kept(&key)).await?
            }
        };
        let mut place = value.map_or(Place::default(), |value| Place::read(&value));
        let mut talk = self.talk_place_after(&with, changes).await?;
        let with_all = |what: &str| {
            ApiError::refused(format!("{} is {what} with its whole conversation", &id.full()[..10]))
                .advise("name the conversation, by whom it is with")
        };
        match how {
            Arranging::Archive => place.archived = true,
            Arranging::Unarchive if talk.archived_to.is_some_and(|to| row <= to) => return Err(with_all("archived")),
            Arranging::Unarchive => place.archived = false,
            Arranging::Pin => place.pinned = true,
            Arranging::Unpin => place.pinned = false,
            Arranging::Snooze { until } => place.snoozed_until = Some(until.to_dtn()),
            Arranging::Unsnooze if talk.snoozed(now).is_some() => return Err(with_all("snoozed")),
            Arranging::Unsnooze => place.snoozed_until = None,
            Arranging::Mute { .. } | Arranging::Unmute => {
                let message = "a message cannot be muted, only a conversation";
                return Err(ApiError::usage(message).advise("name whom it is with"));
            }
        }
        if (place.archived || place.snoozed_until.is_some()) && !talk.some_apart {
            talk.some_apart = true;
            changes.insert(kept::place_of_conversation(&with), talk.write());
        }
        changes.insert(key, place.write());
        let snoozed_until = place.snoozed(now).and_then(When::from_dtn);
        let arranged =
            ArrangedTalk { pinned: place.pinned, archived: place.archived, snoozed_until, ..ArrangedTalk::default() };
        let (name, conversation) = (self.name_of(&with).await?, rows::address(with.0.node));
        Ok(ArrangedRow { schema: Schema, id: Some(id.full()), conversation, name, arranged })
    }

    /// Where a conversation is put once these changes are made.
    async fn talk_place_after(
        &self,
        with: &Conversation,
        changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    ) -> Result<TalkPlace, ApiError> {
        match changes.get(&kept::place_of_conversation(with)) {
            Some(value) => Ok(value.as_ref().map_or(TalkPlace::default(), |value| TalkPlace::read(value))),
            None => self.talk_place(with).await,
        }
    }

    /// A conversation by whom it is with, or a message by its id. Where a name looks like an id, the name is meant.
    async fn target(&self, what: &str) -> Result<Target, ApiError> {
        let talk = |node| Target::Talk(Conversation(self.endpoint_of(node)));
        if let Some(group) = self.group_named(what) {
            return Ok(talk(group));
        }
        if let Some(node) = self.find_named(what).await? {
            return Ok(talk(node));
        }
        if !find::looks_like_an_id(what) {
            return self.find_whom(what).await.map(talk);
        }
        match self.message(what).await {
            Ok((id, with, row)) => Ok(Target::Message { id, with, row }),
            Err(error) => self.find_whom(what).await.map(talk).map_err(|_| error),
        }
    }

    /// A message that is read somewhere.
    async fn message(&self, prefix: &str) -> Result<(BundleId, Conversation, Row), ApiError> {
        let id = self.find_message(prefix).await?;
        match self.record(move |record| record.row_shown(&id)).await? {
            Some((with, row)) => Ok((id, with, row)),
            None => Err(ApiError::refused(format!("{} is shown nowhere by itself", &id.full()[..10]))
                .advise("name the message that it is a change of")),
        }
    }

    /// Puts a label on messages or takes it off, on all or none.
    pub(super) async fn label(&self, label: &str, ids: &[String], on: bool) -> Result<Response, ApiError> {
        check_count(ids.len())?;
        let label = checked_label(label)?;
        let _turn = self.inner.arranging.lock().await;
        let label = self.spelt(label).await?;
        let mut changes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        let mut fresh = Vec::new();
        for prefix in ids {
            let (id, with, row) = self.message(prefix).await?;
            let of = with.clone();
            let placed = self.record(move |record| record.places(&[(row, of)])).await?.pop().unwrap_or_default();
            if on && !placed.labels.contains(&label) && placed.labels.len() >= LABELS_MAX {
                let message = format!("{} has {LABELS_MAX} labels, and the limit is {LABELS_MAX}", &id.full()[..10]);
                return Err(ApiError::refused(message).advise("take one off first"));
            }
            if !on && !placed.labels.contains(&label) {
                let message = format!("{} has no label {}", &id.full()[..10], safe_text(&label));
                return Err(ApiError::not_found(message).next(NextStep::ListLabels));
            }
            if on && !placed.labels.contains(&label) {
                fresh.push((with.clone(), row));
            }
            changes.insert(kept::label_of_message(row, &label), on.then(Vec::new));
            changes.insert(kept::labelled_message(&label, row), on.then(|| kept::write_conversation(&with)));
        }
        let _hooks = self.turn_of_hooks().await;
        changes.extend(self.labelled_for_hooks(&label, &fresh).await?);
        self.keep(changes.into_iter().collect()).await?;
        self.wake_hooks();
        Ok(Response::Done(Done::default()))
    }

    /// A label as it is spelt where it is there already.
    pub(super) async fn label_as_spelt(&self, text: &str) -> Result<String, ApiError> {
        self.spelt(checked_label(text)?).await
    }

    /// All labels.
    pub(super) async fn labels(&self) -> Result<Vec<LabelRow>, ApiError> {
        let mut rows: Vec<LabelRow> = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.record(move |record| record.all_kept(&kept::labels(), after.as_deref(), PAGE_ROWS)).await?;
            let Some((last, _)) = page.last() else { return Ok(rows) };
            after = Some(last.clone());
            for (label, _) in page.iter().filter_map(|(key, _)| kept::read_labelled(key)) {
                match rows.last_mut().filter(|row| row.label == label) {
                    Some(row) => row.messages += 1,
                    None => rows.push(LabelRow { schema: Schema, label: label.into(), messages: 1 }),
                }
            }
        }
    }

    /// A label that some message has, as it is spelt there.
    pub(super) async fn find_label(&self, text: &str) -> Result<String, ApiError> {
        let label = self.spelt(checked_label(text)?).await?;
        let start = kept::labelled(&label);
        match self.record(move |record| record.all_kept(&start, None, 1)).await?.is_empty() {
            true => Err(nothing_labelled(&label)),
            false => Ok(label),
        }
    }

    /// A label as it is spelt where it is there already, in small or capital letters.
    pub(super) async fn spelt(&self, label: String) -> Result<String, ApiError> {
        let labels = self.labels().await?;
        let exactly = labels.iter().find(|row| row.label == label);
        let folded = || labels.iter().find(|row| row.label.to_lowercase() == label.to_lowercase());
        Ok(exactly.or_else(folded).map_or(label, |row| row.label.clone()))
    }

    /// Forgets what was arranged of a message that was deleted.
    pub(super) async fn forget_place(&self, row: Row) -> Result<(), ApiError> {
        let _turn = self.inner.arranging.lock().await;
        let of_message = move |record: &RedbReader| record.all_kept(&kept::of_message(row), None, LABELS_MAX + OTHERS);
        let mut changes: BTreeSet<Vec<u8>> = BTreeSet::new();
        for (key, _) in self.record(of_message).await? {
            if let Some((_, kept::OfMessage::Label(label))) = kept::read_of_message(&key) {
                changes.insert(kept::labelled_message(&label, row));
            }
            changes.insert(key);
        }
        let imported = kept::imported(row);
        let key = imported.clone();
        if self.record(move |record| record.kept(&key)).await?.is_some() {
            changes.insert(imported);
        }
        let late = groups::late(row);
        let key = late.clone();
        if self.record(move |record| record.kept(&key)).await?.is_some() {
            changes.insert(late);
        }
        self.keep(changes.into_iter().map(|key| (key, None)).collect()).await
    }

    /// Keeps what was arranged, within the bound of all that is kept.
    pub(super) async fn keep(&self, changes: Vec<Keep>) -> Result<(), ApiError> {
        if changes.is_empty() {
            return Ok(());
        }
        let more = changes.iter().filter(|(_, value)| value.is_some()).count() as u64;
        if more > 0 && self.record(RedbReader::kept_len).await? + more > KEPT_MAX {
            let message = format!("{KEPT_MAX} things are arranged here, and there is room for no more");
            return Err(ApiError::refused(message).advise("take labels off that nobody needs, or delete old messages"));
        }
        Ok(self.node().keep(changes).await?)
    }
}

/// The wall clock, or no time at all.
pub(super) fn wall(agent: &Agent) -> DtnTime {
    agent.at().trusted_wall().unwrap_or_default()
}

fn count_true(wanted: &[bool]) -> u64 {
    wanted.iter().filter(|wanted| **wanted).count() as u64
}

fn arranged(row: Row, placed: &Placed, now: DtnTime) -> Arranged {
    let Placed { place, labels, talk, imported, after_leaving } = placed;
    Arranged {
        imported: *imported,
        after_leaving: *after_leaving,
        labels: labels.clone(),
        pinned: place.pinned,
        archived: place.archived || talk.archived_to.is_some_and(|to| row <= to),
        snoozed_until: place.snoozed(now).max(talk.snoozed(now)).and_then(When::from_dtn),
        muted: talk.mute(now).is_some(),
    }
}

/// Where a conversation is put whose last row is this.
pub(super) fn arranged_talk(place: &TalkPlace, last: Row, now: DtnTime) -> ArrangedTalk {
    let mute = place.mute(now);
    ArrangedTalk {
        pinned: place.pinned,
        archived: place.is_archived(last, now),
        snoozed_until: place.snoozed(now).and_then(When::from_dtn),
        muted: mute.is_some(),
        muted_until: mute.and_then(|mute| mute.until).and_then(When::from_dtn),
        except_mentions: mute.is_some_and(|mute| mute.except_mentions),
    }
}

fn check_count(many: usize) -> Result<(), ApiError> {
    match many {
        0 => Err(ApiError::usage("nothing is named")),
        1..=AT_ONCE_MAX => Ok(()),
        _ => Err(ApiError::refused(format!("that is too much at once: {many}, and the limit is {AT_ONCE_MAX}"))
            .advise("do it in parts")),
    }
}

fn check_time(how: Arranging, now: DtnTime) -> Result<(), ApiError> {
    let (Arranging::Snooze { until } | Arranging::Mute { until: Some(until), .. }) = how else { return Ok(()) };
    if now.0 == 0 {
        let message = "this machine's clock is wrong, so nothing can be put away until a time";
        return Err(ApiError::refused(message).advise("set the clock"));
    }
    if until.to_dtn() <= now {
        return Err(ApiError::usage("that time is over already").advise("name a time to come"));
    }
    Ok(())
}

fn checked_label(label: &str) -> Result<String, ApiError> {
    let label = composed(label.trim());
    if kept::is_label(&label) {
        return Ok(label);
    }
    let message = format!(
        "{} is no label: one has 1 to {LABEL_BYTES_MAX} bytes that are seen, no comma, and begins with none of @ # -",
        safe_text(&label)
    );
    Err(ApiError::usage(message).advise("give another one"))
}

fn nothing_labelled(label: &str) -> ApiError {
    let message = format!("no message has the label {}", safe_text(label));
    ApiError::not_found(message).next(NextStep::ListLabels)
}

/// A listing of the messages with a label under way.
pub struct Labelled {
    desk: Desk,
    label: String,
    /// The key that was listed last, once the listing has begun.
    after: Option<Vec<u8>>,
}

impl Labelled {
    pub fn with(desk: Desk, label: String) -> Labelled {
        Labelled { desk, label, after: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<crate::api::Row>, Labelled)>, ApiError> {
        if self.after.is_none() {
            self.label = self.desk.spelt(checked_label(&self.label)?).await?;
        }
        loop {
            let (start, after) = (kept::labelled(&self.label), self.after.clone());
            let page = self.desk.record(move |record| record.all_kept(&start, after.as_deref(), 64)).await?;
            if page.is_empty() && self.after.is_none() {
                return Err(nothing_labelled(&self.label));
            }
            let Some((last, _)) = page.last() else { return Ok(None) };
            self.after = Some(last.clone());
            let mut rows = Vec::new();
            for (key, value) in &page {
                let Some((_, row)) = kept::read_labelled(key) else { continue };
                let Some(with) = kept::read_conversation(value) else { continue };
                let of = with.clone();
                // Of what was deleted meanwhile there is no row.
                let Some(entry) = self.desk.record(move |record| record.entry_at(&of, row)).await? else { continue };
                rows.extend(self.desk.said_in(&with, entry).await?.map(crate::api::Row::Labelled));
            }
            if !rows.is_empty() {
                return Ok(Some((rows, self)));
            }
        }
    }
}

//! What happened to the record, from a number on and without end: nothing is left out and nothing comes twice, whatever
//! restarts between.

use futures::stream;

use super::Desk;
use super::stirs::beside;
use crate::api::model::{Happened, HappenedRow, Schema, TalkRow, When};
use crate::api::{ApiError, ErrorKind, NextStep, Row, Rows};
use crate::content::Mark;
use crate::id::BundleId;
use crate::mail::conversation::Conversation;
use crate::mail::happening::{Happening, What};
use crate::node::{Stir, Stirred};
use crate::store::redb::Entry;

/// How many are read at once.
const PAGE: usize = 64;

/// Follows from behind a number, or from now on.
pub fn rows(desk: Desk, since: Option<u64>, who: Option<String>, beside: bool) -> Rows {
    let stirred = beside.then(|| desk.node().stirs().follow());
    let following = Following { desk, since, who, stirred, with: None, page: Vec::new(), started: false };
    Box::pin(stream::unfold(Some(following), |following| async move {
        match following?.next().await {
            Ok(Some((row, following))) => Some((Row::Happened(row), Some(following))),
            Ok(None) => None,
            Err(error) => Some((Row::Ended(error), None)),
        }
    }))
}

struct Following {
    desk: Desk,
    since: Option<u64>,
    who: Option<String>,
    /// What is beside the record, where that is wanted.
    stirred: Option<Stirred>,
    /// Only what happens there, once it is known where that is.
    with: Option<Conversation>,
    /// What was read and not handed over, the next one last.
    page: Vec<(u64, Happening)>,
    started: bool,
}

impl Following {
    async fn next(mut self) -> Result<Option<(HappenedRow, Following)>, ApiError> {
        let mut commits = self.desk.node().commits();
        if !self.started {
            self.start().await?;
        }
        loop {
            while let Some((number, happening)) = self.page.pop() {
                self.since = Some(number);
                if let Some(row) = self.desk.happened(number, happening, self.with.as_ref()).await? {
                    return Ok(Some((row, self)));
                }
            }
            commits.borrow_and_update();
            let since = self.since.unwrap_or(0);
            self.page = self.desk.record(move |record| record.happened(since, PAGE)).await?;
            // Whoever reads too slowly is told so, as one who comes too late.
            if let Some((first, _)) = self.page.first().filter(|(first, _)| *first > since + 1) {
                return Err(kept_no_more(since, *first));
            }
            self.page.reverse();
            if !self.page.is_empty() {
                continue;
            }
            tokio::select! {
                changed = commits.changed() => if changed.is_err() { return Ok(None) },
                Some(stir) = next_stir(&mut self.stirred) => {
                    let row = HappenedRow::Beside { schema: Schema, beside: beside(stir) };
                    return Ok(Some((row, self)));
                }
                () = self.desk.node().ended() => return Ok(None),
            }
        }
    }

    async fn start(&mut self) -> Result<(), ApiError> {
        self.started = true;
        if let Some(who) = &self.who {
            self.with = Some(self.desk.conversation_with(who).await?);
        }
        let (first, last) = self.desk.record(|record| record.happened_span()).await?;
        // Where nothing is kept, all that happened is not.
        let first = if first == 0 { last + 1 } else { first };
        let since = *self.since.get_or_insert(last);
        if since > last {
            let error = format!("event {since} has not happened yet; the last one is {last}");
            return Err(ApiError::new(ErrorKind::Forgotten, error).next(NextStep::FollowFrom { event: last }));
        }
        if first > since.saturating_add(1) {
            return Err(kept_no_more(since, first));
        }
        Ok(())
    }
}

async fn next_stir(stirred: &mut Option<Stirred>) -> Option<Stir> {
    match stirred {
        Some(stirred) => stirred.next().await,
        None => std::future::pending().await,
    }
}

/// Some of what happened behind a number is not there any more.
fn kept_no_more(since: u64, first: u64) -> ApiError {
    let error = format!("events behind {since} are kept no more; the oldest there is is {first}");
    ApiError::new(ErrorKind::Forgotten, error).next(NextStep::FollowFrom { event: first - 1 })
}

impl Desk {
    /// The row of something that happened; none where it is not in the conversation that is followed.
    async fn happened(
        &self,
        number: u64,
        happening: Happening,
        only: Option<&Conversation>,
    ) -> Result<Option<HappenedRow>, ApiError> {
        let Happening { at, id, what } = happening;
        let found = match what {
            What::Changed(target) => self.changed(&id, &target).await?,
            _ => self.entry(&id).await?,
        };
        let by = matches!(what, What::Changed(_)).then(|| id.full());
        let (word, notice) = match what {
            What::Changed(_) if self.is_update(&id).await? => (Happened::Update, self.notice_now(&id).await?),
            _ => (word(what), None),
        };
        let at = When::from_dtn(at);
        let row = match found {
            Some((with, _)) if only.is_some_and(|only| *only != with) => return Ok(None),
            Some((with, entry)) => self.said_now(&with, entry).await?,
            None => None,
        };
        match row {
            Some(row) => {
                let row = Box::new(TalkRow { event: number, ..row });
                Ok(Some(HappenedRow::Here { what: word, at, by, notice, row }))
            }
            None if only.is_some() => Ok(None),
            None => {
                let id = by.is_none().then(|| id.full());
                Ok(Some(HappenedRow::Gone { schema: Schema, event: number, what: word, at, by, id }))
            }
        }
    }

    async fn said_now(&self, with: &Conversation, entry: Entry) -> Result<Option<TalkRow>, ApiError> {
        let Some(row) = self.said_in(with, entry).await? else { return Ok(None) };
        let mut row = [row];
        self.count_replies(with, &mut row).await?;
        let [row] = row;
        Ok(Some(row))
    }

    pub(super) async fn entry(&self, id: &BundleId) -> Result<Option<(Conversation, Entry)>, ApiError> {
        let id = *id;
        let known = self.record(move |record| record.known(&id)).await?;
        Ok(match (known.letter, known.outgoing) {
            (Some(letter), _) => Some((Conversation::of_letter(&letter), Entry::Came(letter))),
            (None, Some(sent)) => Some((Conversation::of_sent(&sent), Entry::Own(sent))),
            (None, None) => None,
        })
    }

    /// What a change is of, in the conversation that the change is in.
    async fn changed(&self, by: &BundleId, target: &Mark) -> Result<Option<(Conversation, Entry)>, ApiError> {
        let Some((with, _)) = self.entry(by).await? else { return Ok(None) };
        let (of, target) = (with.clone(), *target);
        let entry = self.record(move |record| record.with_content(&of, &target)).await?;
        Ok(entry.map(|entry| (with, entry)))
    }
}

fn word(what: What) -> Happened {
    match what {
        What::Came | What::Queued => Happened::Message,
        What::State(_) => Happened::State,
        What::Changed(_) => Happened::Change,
        What::Read => Happened::Read,
        What::Unread => Happened::Unread,
        What::Deleted => Happened::Deleted,
    }
}

//! Searching: what is meant by a query, and the rows that it finds.

mod finder;

use std::ops::{Bound, RangeBounds};
use std::sync::PoisonError;

use jiff::Zoned;

pub use self::finder::{Finder, FinderError};

use self::finder::{Described, by, described, said, seconds, tagged, takes_words, to, with_file, within};
use super::Desk;
use super::rows::Taken;
use crate::agent::change::Row as RecordRow;
use crate::api::model::{CheckRow, SEARCH_ROWS_MAX, SearchRow, Verdict};
use crate::api::times::parse_since;
use crate::api::{ApiError, NextStep, Row};
use crate::id::NodeId;
use crate::mail::conversation::Conversation;
use crate::mail::kept;
use crate::mail::query::{Filter, Part, Query, QueryError};
use crate::safe_text::safe_text;
use crate::search::{Fact, Hit, Narrowed, Sought};
use crate::store::redb::{Entry, RedbReader};
use crate::units::counted;

/// How many rows are found where nobody says.
const ROWS: u32 = 20;
/// Most rows of one look; each is opened, and all are in memory at once.
const PAGE_ROWS: usize = 64;
/// So much of what happened is looked at together.
const HAPPENED_ROWS: usize = 256;

/// A search under way.
pub struct Searching {
    desk: Desk,
    q: String,
    limit: u32,
    /// What it found and did not tell yet, the best last.
    left: Option<Vec<Hit>>,
}

/// What is looked for, with names and times known.
struct Wish {
    sought: Sought,
    narrowed: Narrowed,
    unread: Option<bool>,
    /// Each that it is to have or not.
    labels: Vec<(bool, String)>,
}

impl Searching {
    pub fn of(desk: Desk, q: String, limit: Option<u32>) -> Searching {
        Searching { desk, q, limit: limit.unwrap_or(ROWS).min(SEARCH_ROWS_MAX), left: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, Searching)>, ApiError> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => {
                let mut found = self.desk.find(&self.q, self.limit as usize).await?;
                found.reverse();
                found
            }
        };
        let mut rows = Vec::new();
        while rows.len() < PAGE_ROWS
            && let Some(hit) = left.pop()
        {
            rows.extend(self.desk.found(hit).await?);
        }
        self.left = Some(left);
        Ok((!rows.is_empty()).then_some((rows, self)))
    }
}

impl Desk {
    /// The best rows of a query, the best first.
    async fn find(&self, q: &str, many: usize) -> Result<Vec<Hit>, ApiError> {
        let wish = self.wish(q).await?;
        self.with_finder(move |finder, record| {
            let index = finder.current(record)?;
            index.find(&wish.sought, &wish.narrowed, many, |hit| wish.is_met(record, hit))
        })
        .await
    }

    /// Takes out of the index what was just deleted or withdrawn, where there is one: its words are in no file any more when
    /// this returns.
    pub(super) async fn forget_words(&self) -> Result<(), ApiError> {
        self.with_finder(Finder::forget).await
    }

    /// Makes the index anew.
    pub(super) async fn reindex(&self) -> Result<Vec<CheckRow>, ApiError> {
        let rows = self.with_finder(Finder::make_anew).await?;
        let are = if rows == 1 { "is" } else { "are" };
        let found = format!("{} {are} indexed anew", counted(rows, "message"));
        Ok(vec![CheckRow::new("search", Verdict::Ok, found)])
    }

    /// Works with the index once all that was said so far is durable, away from whoever else waits for the agent; one
    /// after the other.
    async fn with_finder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Finder, &RedbReader) -> Result<T, FinderError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.look(|_, _| ()).await?;
        let desk = self.clone();
        let work = move || {
            let mut finder = desk.inner.finder.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut finder, desk.node().reader())
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::failure(error.to_string()))?;
        Ok(done?)
    }

    /// The row of a hit as people read it; none where it was deleted meanwhile.
    async fn found(&self, hit: Hit) -> Result<Option<Row>, ApiError> {
        let Some(with) = Conversation::read(&hit.group) else { return Ok(None) };
        let (of, row) = (with.clone(), RecordRow(hit.row));
        let Some(line) = self.record(move |record| record.line(&of, row)).await? else { return Ok(None) };
        let shown = self.shown(&with, vec![line], Taken::Texts { chars_max: usize::MAX }).await?.pop();
        let Some(row) = shown else { return Ok(None) };
        let conversation_name = self.name_of(&with).await?;
        let score = (f64::from(hit.score.max(0.0)) * 1_000.0) as u64;
        Ok(Some(Row::Search(SearchRow { row, conversation_name, score })))
    }

    /// Refuses what is no query.
    pub(super) async fn check_query(&self, q: &str) -> Result<(), ApiError> {
        self.wish(q).await.map(drop)
    }

    /// Whether a query finds what stands at one row, whatever the index knows of it.
    pub(super) async fn query_finds(&self, q: &str, with: &Conversation, row: RecordRow) -> Result<bool, ApiError> {
        let (wish, me, with) = (self.wish(q).await?, self.my_node(), with.clone());
        let found = self.record(move |record| Ok(wish.finds(record, me, &with, row))).await?;
        Ok(found?)
    }

    async fn wish(&self, q: &str) -> Result<Wish, ApiError> {
        let query = Query::parse(q)?;
        let sought = Sought::of(&query.words).ok_or(QueryError::Nothing)?;
        let mut wish = Wish { sought, narrowed: Narrowed::default(), unread: None, labels: Vec::new() };
        for Part { is_wanted, what } in query.filters {
            let fact = match what {
                Filter::From(who) => by(self.find_node(&who).await?),
                Filter::To(who) => to(self.find_whom(&who).await?),
                Filter::In(name) => within(&self.find_conversation(&name).await?),
                Filter::HasFile => with_file(),
                Filter::Tag(bit) => tagged(bit),
                Filter::After(time) => {
                    wish.narrow_time(&time, is_wanted)?;
                    continue;
                }
                Filter::Before(time) => {
                    wish.narrow_time(&time, !is_wanted)?;
                    continue;
                }
                Filter::Unread => {
                    wish.unread = Some(is_wanted);
                    continue;
                }
                Filter::Label(label) => {
                    wish.labels.push((is_wanted, self.find_label(&label).await?));
                    continue;
                }
            };
            let facts = if is_wanted { &mut wish.narrowed.facts } else { &mut wish.narrowed.no_facts };
            facts.push(fact);
        }
        Ok(wish)
    }

    /// The conversation that is called so.
    async fn find_conversation(&self, name: &str) -> Result<Conversation, ApiError> {
        self.conversation_with(name).await
    }
}

/// Takes words out of the index as they are withdrawn and deleted, whoever does that, until the node ends. Of a home in
/// which nobody ever searched nothing is read.
pub async fn forget_as_it_goes(desk: Desk) {
    let (mut commits, place) = (desk.node().commits(), desk.inner.home.search_path());
    let mut read_on = None;
    loop {
        commits.borrow_and_update();
        if let Some(known) = read_on.or_else(|| Finder::known_at(&place)) {
            match desk.forget_from(known).await {
                Ok(last) => read_on = Some(last),
                Err(error) => tracing::warn!(%error, "the index may have what was deleted"),
            }
        }
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return },
            () = desk.node().ended() => return,
        }
    }
}

impl Desk {
    /// Takes out of the index what happened behind a number took from the record; returns the last one.
    async fn forget_from(&self, known: u64) -> Result<u64, ApiError> {
        let takes = move |record: &RedbReader| {
            let (mut last, mut takes) = (known, false);
            loop {
                let page = record.happened(last, HAPPENED_ROWS)?;
                for (number, happening) in &page {
                    last = *number;
                    takes = takes || takes_words(record, happening)?;
                }
                if page.len() < HAPPENED_ROWS {
                    return Ok((last, takes));
                }
            }
        };
        let (last, takes) = self.record(takes).await?;
        if takes {
            self.forget_words().await?;
        }
        Ok(last)
    }
}

impl Wish {
    /// From a time on, or before it.
    fn narrow_time(&mut self, text: &str, is_after: bool) -> Result<(), ApiError> {
        let at = seconds(parse_since(text, &Zoned::now())?.to_dtn());
        let (from, to) = &mut self.narrowed.at;
        match (is_after, &*from, &*to) {
            (true, Bound::Included(other), _) => *from = Bound::Included(at.max(*other)),
            (true, ..) => *from = Bound::Included(at),
            (false, _, Bound::Excluded(other)) => *to = Bound::Excluded(at.min(*other)),
            (false, ..) => *to = Bound::Excluded(at),
        }
        Ok(())
    }

    /// Whether all of it holds for what stands at a row.
    fn finds(&self, record: &RedbReader, me: NodeId, with: &Conversation, row: RecordRow) -> Result<bool, FinderError> {
        let Some(line) = record.line(with, row)? else { return Ok(false) };
        let Some(Described { said, at, marks }) = described(record, me, with, &line.entry)? else { return Ok(false) };
        let Narrowed { facts, no_facts, at: span } = &self.narrowed;
        let has = |fact: &Fact| match fact {
            Fact::Group(group) => *group == with.key(),
            Fact::Mark(mark) => marks.contains(mark),
        };
        let is_ever = matches!(span, (Bound::Unbounded, Bound::Unbounded));
        let is_then = is_ever || at.is_some_and(|at| span.contains(&seconds(at)));
        let texts: Vec<&str> = said.texts.iter().map(String::as_str).collect();
        if !is_then || !facts.iter().all(has) || no_facts.iter().any(has) || !self.sought.is_in(&texts) {
            return Ok(false);
        }
        self.is_met(record, &Hit { row: row.0, group: with.key(), score: 0.0 })
    }

    /// Whether the record says of a hit what the index cannot know.
    fn is_met(&self, record: &RedbReader, hit: &Hit) -> Result<bool, FinderError> {
        if self.unread.is_none() && self.labels.is_empty() && !self.sought.has_phrase() {
            return Ok(true);
        }
        for (is_wanted, label) in &self.labels {
            let key = kept::label_of_message(RecordRow(hit.row), label);
            if record.kept(&key)?.is_some() != *is_wanted {
                return Ok(false);
            }
        }
        let Some(with) = Conversation::read(&hit.group) else { return Ok(false) };
        let Some(line) = record.line(&with, RecordRow(hit.row))? else { return Ok(false) };
        if let Some(is_wanted) = self.unread {
            let is_unread = match &line.entry {
                Entry::Came(letter) => record.are_unread(std::slice::from_ref(letter))? == [true],
                Entry::Own(_) => false,
            };
            if is_unread != is_wanted {
                return Ok(false);
            }
        }
        if !self.sought.has_phrase() {
            return Ok(true);
        }
        let Some(said) = said(record, &with, &line.entry)? else { return Ok(false) };
        Ok(self.sought.is_in(&said.texts.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> ApiError {
        let step = match &error {
            QueryError::Nothing => {
                "name a word, the beginning of one such as pum*, words in quotes, or what is known of it, such as has:file"
            }
            QueryError::OpenQuote => "close it, or leave it out",
            QueryError::NoValue(_) => "write it without a blank, such as from:carol",
            QueryError::UnknownOperator(_) => {
                "use from: to: in: after: before: has: is: label: tag:, or put the words in quotes"
            }
            QueryError::UnknownValue { .. } => "correct it, or put the words in quotes",
            QueryError::TooLong | QueryError::TooMany => "look for less at once",
        };
        ApiError::usage(safe_text(&error.to_string())).advise(step)
    }
}

impl From<FinderError> for ApiError {
    fn from(error: FinderError) -> ApiError {
        match error {
            FinderError::Store(error) => error.into(),
            FinderError::Search(error) => ApiError::failure(error.to_string()).next(NextStep::CheckHome),
        }
    }
}

//! Listings, a few rows at a time: what is on its way to the reader is all that is in memory.
//!
//! Each look at the record or the agent takes the next page of facts, and of an inbox only so many letters are opened at once as a
//! reader takes in a moment. What comes or goes while a listing is read may be in it or not; what stays where it was is
//! in it once.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::ops::Bound;

use futures::{StreamExt, stream};

use super::Desk;
use super::apps::UpdatePages;
use super::changes::Tasks;
use super::due::Due;
use super::keeping::Record;
use super::places::Labelled;
use super::rows::{Envelope, Names, Taken};
use super::search::Searching;
use super::status::StatusPages;
use super::stick::Loading;
use super::talk;
use crate::agent::change::Letter;
use crate::agent::{Agent, Standing};
use crate::api::model::Show;
use crate::api::{ApiError, Listing, Row, Rows};
use crate::mail::order::{Position, Span};
use crate::store::redb::Direction;

/// Most rows of one look.
pub const PAGE_ROWS: usize = 256;
/// Letters opened at once together have about so many bytes at most; one may have more.
const OPEN_BYTES: u64 = 1 << 20;
/// So many pinned messages stand before the others; those that were pinned before them are in their places.
const PINNED_ROWS: usize = 64;

pub fn rows(desk: Desk, listing: Listing) -> Rows {
    match listing {
        Listing::Inbox { unread, limit, text_chars, show } => {
            let chars_max = text_chars.map_or(usize::MAX, |chars| chars as usize);
            let taken = Taken::Texts { chars_max };
            let (span, waiting, pinned) = (None, VecDeque::new(), BTreeSet::new());
            let started = false;
            pages(InboxPages { desk, show, unread, limit, taken, span, waiting, pinned, started }, InboxPages::next)
        }
        Listing::Due { limit, text_chars, show } => {
            let taken = Taken::Texts { chars_max: text_chars.map_or(usize::MAX, |chars| chars as usize) };
            pages(Due::of(desk, limit, taken, show), Due::next)
        }
        Listing::Status { limit, unsettled, to } => {
            pages(StatusPages::of(desk, limit, unsettled, to), StatusPages::next)
        }
        Listing::Carried => pages((desk, None), carried),
        Listing::Stick { whom } => pages(Loading::of(desk, whom), Loading::next),
        Listing::Tasks { mine, all } => pages(Tasks { desk, mine, all, after: None }, Tasks::next),
        Listing::Record { who } => pages(Record::of(desk, who), Record::next),
        Listing::AppUpdates { id, after, json } => {
            pages(UpdatePages { desk, id, after, json, going: None }, UpdatePages::next)
        }
        Listing::Talks { all } => pages(Some(talk::Talks { desk, all }), talk::conversations),
        Listing::Labelled { label } => pages(Labelled::with(desk, label), Labelled::next),
        Listing::Search { q, limit } => pages(Searching::of(desk, q, limit), Searching::next),
        Listing::Talk { who, limit, before, after, thread, unread, from_unread, glance } => {
            let part = talk::Part { limit, before, after, thread, unread, from_unread, glance };
            pages(talk::Talking::with(desk, who, part), talk::Talking::next)
        }
    }
}

/// Rows of one page after another until there is none; an error is the last row.
fn pages<S, F>(state: S, next: fn(S) -> F) -> Rows
where
    S: Send + 'static,
    F: Future<Output = Result<Option<(Vec<Row>, S)>, ApiError>> + Send + 'static,
{
    let pages = stream::try_unfold(state, next);
    Box::pin(pages.flat_map(|page| stream::iter(page.unwrap_or_else(|error| vec![Row::Ended(error)]))))
}

/// A listing of the inbox under way.
struct InboxPages {
    desk: Desk,
    show: Show,
    unread: bool,
    limit: Option<u32>,
    taken: Taken,
    /// What is left to be looked at, once that is known.
    span: Option<Span>,
    /// Letters that were looked at and not opened yet.
    waiting: VecDeque<Envelope>,
    /// Those that stand first, for they are pinned.
    pinned: BTreeSet<Position>,
    started: bool,
}

impl InboxPages {
    async fn next(mut self) -> Result<Option<(Vec<Row>, InboxPages)>, ApiError> {
        if !self.started {
            self.started = true;
            self.waiting = self.pinned_first().await?;
            self.span = self.whole_span().await?;
        }
        while let Some(span) = self.span
            && self.waiting.is_empty()
        {
            self.span = self.look_on(span).await?;
        }
        let mut bytes = 0;
        let mut fits = |envelope: &Envelope| {
            bytes += u64::from(envelope.letter.size_bytes);
            bytes <= OPEN_BYTES
        };
        let many = self.waiting.iter().take_while(|envelope| fits(envelope)).count().max(1);
        let envelopes: Vec<Envelope> = self.waiting.drain(..many.min(self.waiting.len())).collect();
        if envelopes.is_empty() {
            return Ok(None);
        }
        let opened = self.desk.open(envelopes, self.taken).await?;
        Ok(Some((opened.into_iter().map(|opened| Row::Inbox(opened.row)).collect(), self)))
    }

    /// What stands before all else.
    async fn pinned_first(&mut self) -> Result<VecDeque<Envelope>, ApiError> {
        let many = self.limit.map_or(PINNED_ROWS, |limit| PINNED_ROWS.min(limit as usize));
        let pinned = match many {
            0 => Vec::new(),
            _ => self.desk.record(move |record| record.pinned(many)).await?,
        };
        let pinned = self.wanted(pinned).await?;
        self.limit = self.limit.map(|limit| limit - pinned.len() as u32);
        self.pinned = pinned.iter().map(|(position, _)| *position).collect();
        self.named(pinned).await
    }

    async fn named(&self, page: Vec<(Position, Letter)>) -> Result<VecDeque<Envelope>, ApiError> {
        let name = |_: &Agent, names: &Names<'_>| page.into_iter().map(|(_, letter)| names.envelope(letter)).collect();
        self.desk.look(name).await
    }

    /// Takes the next letters out of the record; returns what is left then.
    async fn look_on(&mut self, span: Span) -> Result<Option<Span>, ApiError> {
        let page = self.page(span, Direction::Forwards).await?;
        let left = page.last().map(|(position, _)| Span { from: Bound::Excluded(*position), ..span });
        let page = self.wanted(page).await?;
        self.waiting = self.named(page).await?;
        Ok(left)
    }

    /// Those that are to be listed.
    async fn wanted(&self, page: Vec<(Position, Letter)>) -> Result<Vec<(Position, Letter)>, ApiError> {
        let mut page = page;
        page.retain(|(position, _)| !self.pinned.contains(position));
        if self.unread {
            let letters: Vec<Letter> = page.iter().map(|(_, letter)| letter.clone()).collect();
            let mut unread = self.desk.record(move |record| record.are_unread(&letters)).await?.into_iter();
            page.retain(|_| unread.next() == Some(true));
        }
        let letters: Vec<Letter> = page.iter().map(|(_, letter)| letter.clone()).collect();
        let wanted = self.desk.wanted(&letters, self.show).await?;
        Ok(page.into_iter().zip(wanted).filter_map(|(row, is_wanted)| is_wanted.then_some(row)).collect())
    }

    async fn page(&self, span: Span, direction: Direction) -> Result<Vec<(Position, Letter)>, ApiError> {
        self.desk.record(move |record| record.letters(span, direction, PAGE_ROWS)).await
    }

    /// What is there now, or the last so many of it; none of an empty inbox.
    async fn whole_span(&self) -> Result<Option<Span>, ApiError> {
        let last = self.desk.record(|record| record.letters(Span::ALL, Direction::Backwards, PAGE_ROWS)).await?;
        let Some((last, _)) = last.first() else { return Ok(None) };
        let mut span = Span { to: Bound::Included(*last), ..Span::ALL };
        let Some(limit) = self.limit else { return Ok(Some(span)) };
        let (mut left, mut to) = (limit, span.to);
        while left > 0 {
            let page = self.page(Span { to, ..Span::ALL }, Direction::Backwards).await?;
            let Some((end, _)) = page.last() else {
                return Ok(Some(Span { from: Bound::Unbounded, ..span }));
            };
            to = Bound::Excluded(*end);
            for (position, _) in self.wanted(page).await? {
                span.from = Bound::Included(position);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        Ok((limit > 0).then_some(span))
    }
}

type Carried = (Desk, Option<Standing>);

async fn carried((desk, after): Carried) -> Result<Option<(Vec<Row>, Carried)>, ApiError> {
    let page = move |agent: &Agent, names: &Names<'_>| {
        let held = agent.held_behind(after).take(PAGE_ROWS);
        held.map(|(standing, held)| (standing, names.carried(&held))).collect::<Vec<_>>()
    };
    let page = desk.look(page).await?;
    let Some((last, _)) = page.last() else { return Ok(None) };
    let state = (desk, Some(*last));
    Ok(Some((page.into_iter().map(|(_, row)| Row::Carried(row)).collect(), state)))
}

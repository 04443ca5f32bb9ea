//! What was said in one thread, and how much.

use std::ops::RangeBounds;

use super::{Part, Place};
use crate::agent::change::Letter;
use crate::api::ApiError;
use crate::api::model::TalkRow;
use crate::content::Mark;
use crate::desk::Desk;
use crate::desk::find::thread_mark;
use crate::mail::conversation::Conversation;
use crate::mail::order::{Position, Span};
use crate::store::redb::Line;

impl Desk {
    /// The rows of a thread, its first message's among them where that is in this conversation, as far as they are in the part
    /// that is wanted: the next one to be read last.
    pub(super) async fn rows_of_thread(
        &self,
        with: &Conversation,
        thread: &str,
        span: Span,
        part: &Part,
        first_unread: Option<Position>,
    ) -> Result<Vec<Place>, ApiError> {
        let mark = self.whole_thread(thread).await?;
        let first = self.first_of(with, &mark).await?;
        let of = with.clone();
        let mut said = self.record(move |record| record.thread(&of, &mark)).await?;
        said.extend(first);
        said.sort_unstable();
        said.dedup();
        said.retain(|(position, _)| (span.from, span.to).contains(position));
        let limit = part.limit.map_or(usize::MAX, |limit| limit as usize);
        if let Some(first) = first_unread {
            let read = said.partition_point(|(position, _)| *position < first);
            let context = part.from_unread.map_or(0, |rows| rows as usize);
            said.drain(..read.saturating_sub(context));
        }
        // With something to go on behind they are the first so many, else the last.
        if part.after.is_some() || first_unread.is_some() {
            said.truncate(limit);
        } else {
            said.drain(..said.len().saturating_sub(limit));
        }
        Ok(said.into_iter().rev().map(|(_, row)| row).collect())
    }

    /// What is read at these rows, the last one first.
    pub(super) async fn lines(&self, with: &Conversation, rows: Vec<Place>) -> Result<Vec<Line>, ApiError> {
        let with = with.clone();
        self.record(move |record| {
            let lines = rows.into_iter().rev().map(|row| record.line(&with, row));
            lines.filter_map(Result::transpose).collect()
        })
        .await
    }

    /// Says of each row how many answered it in its thread, where it is the first message of one.
    pub(in crate::desk) async fn count_replies(
        &self,
        with: &Conversation,
        rows: &mut [TalkRow],
    ) -> Result<(), ApiError> {
        let marks = rows.iter().filter(|row| row.thread.is_none());
        let threads: Vec<(Conversation, Mark)> =
            marks.filter_map(|row| thread_mark(&row.id).ok()).map(|mark| (with.clone(), mark)).collect();
        if threads.is_empty() {
            return Ok(());
        }
        let mut counted = self.record(move |record| record.replies(&threads)).await?.into_iter();
        for row in rows.iter_mut().filter(|row| row.thread.is_none() && thread_mark(&row.id).is_ok()) {
            row.replies = counted.next().unwrap_or(0);
        }
        Ok(())
    }

    /// Where the first message of a thread stands, if it is in this conversation.
    async fn first_of(&self, with: &Conversation, mark: &Mark) -> Result<Option<(Position, Place)>, ApiError> {
        let Some(id) = self.whole_ids([*mark].into()).await?.remove(mark) else { return Ok(None) };
        let standing = self.record(move |record| record.standing(&id)).await?;
        Ok(standing.filter(|(found, _)| found == with).map(|(_, position)| (position, position.row())))
    }

    /// A thread by any of its messages, or by its own name.
    async fn whole_thread(&self, thread: &str) -> Result<Mark, ApiError> {
        let named = thread_mark(thread);
        // As many digits as a whole id has are a message's, unless it is not here.
        match (named, self.find_message(thread).await) {
            (Ok(mark), _) if thread.len() == 2 * mark.len() => Ok(mark),
            (_, Ok(id)) => Ok(self.thread_of(id).await?.unwrap_or(Letter::mark_of(&id))),
            (Ok(mark), Err(_)) => Ok(mark),
            (Err(_), Err(error)) => Err(error),
        }
    }
}

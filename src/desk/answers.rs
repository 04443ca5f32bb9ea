//! What a message answers, and the thread they both are in. A message names both by half an id.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::find::thread_mark;
use super::rows::{self, Envelope, Opened, Sent, Taken};
use crate::agent::change::{Letter, Outgoing};
use crate::api::ApiError;
use crate::api::model::{AnswersRow, InboxRow, Parent, PersonRow};
use crate::content::Mark;
use crate::id::{BundleId, IdPrefix, hex};
use crate::store::StoreError;
use crate::store::redb::RedbReader;

/// So much of the words of what is answered stands beside its answer, in characters.
const WORDS_CHARS_MAX: usize = 128;

/// What is here of a message that another one answers.
enum Found {
    Came(Box<Envelope>),
    Own(Box<Sent>),
    Deleted,
    Missing,
}

impl Desk {
    pub(super) async fn thread_of(&self, id: BundleId) -> Result<Option<Mark>, ApiError> {
        let Some(envelope) = self.envelope(id).await? else {
            let own = self.read_sent(id).await?;
            return Ok(own.and_then(|own| thread_mark(&own.row.thread?).ok()));
        };
        let opened = self.open_unseen(vec![envelope], Taken::Texts { chars_max: 0 }).await?.pop();
        Ok(opened.and_then(|opened| opened.thread))
    }

    /// A message carries half the id of what it answers; where that is known here, the row has all of it.
    pub(super) async fn name_answered(&self, opened: &mut [Opened]) -> Result<(), ApiError> {
        let ids = self.whole_ids(opened.iter().filter_map(|opened| opened.answers).collect()).await?;
        for opened in opened {
            if let Some(id) = opened.answers.and_then(|mark| ids.get(&mark)) {
                opened.row.in_reply_to = Some(id.full());
            }
        }
        Ok(())
    }

    /// The ids of which these are the first half, as far as they came or were sent here.
    pub(super) async fn whole_ids(&self, marks: BTreeSet<Mark>) -> Result<BTreeMap<Mark, BundleId>, ApiError> {
        if marks.is_empty() {
            return Ok(BTreeMap::new());
        }
        let find = move |record: &RedbReader| {
            let mut whole = BTreeMap::new();
            for mark in marks {
                whole.extend(whole_id(record, &mark)?.map(|id| (mark, id)));
            }
            Ok(whole)
        };
        self.record(find).await
    }

    /// What stands beside an answer of what it answers, by the id in its row; none where it answers nothing.
    pub(super) async fn answered(&self, in_reply_to: Option<&str>) -> Result<Option<AnswersRow>, ApiError> {
        let Some(mark) = in_reply_to.and_then(|id| thread_mark(id).ok()) else { return Ok(None) };
        let bare = |there| AnswersRow { id: hex(&mark), there, from: None, mine: false, text: None };
        let row = match self.find_answered(mark).await? {
            Found::Missing => return Ok(Some(bare(Parent::Missing))),
            Found::Deleted => return Ok(Some(bare(Parent::Deleted))),
            Found::Came(envelope) => self
                .open(vec![*envelope], Taken::Texts { chars_max: WORDS_CHARS_MAX })
                .await?
                .pop()
                .map(|opened| opened.row),
            Found::Own(sent) => self.read_sent(sent.outgoing.id).await?.map(|own| own.row),
        };
        let Some(InboxRow { id, from, from_address, text, subject, changes, attachments, .. }) = row else {
            return Ok(Some(bare(Parent::Deleted)));
        };
        let me = rows::address(self.node().identity().node());
        let words = text.filter(|text| !text.trim().is_empty()).or(subject);
        let words = words.or_else(|| changes.instead_of_words().map(str::to_owned));
        let words = words.or_else(|| attachments.into_iter().next().map(|file| file.name));
        Ok(Some(AnswersRow {
            id,
            there: Parent::Here,
            mine: from_address == me,
            from: Some(PersonRow { name: Some(from).filter(|name| *name != from_address), address: from_address }),
            text: words.map(|words| words.chars().take(WORDS_CHARS_MAX).collect()),
        }))
    }

    async fn find_answered(&self, mark: Mark) -> Result<Found, ApiError> {
        enum Facts {
            Came(Box<Letter>),
            Own(Box<Outgoing>),
            None { was_here: bool },
        }
        let find = move |record: &RedbReader| {
            let Some(id) = whole_id(record, &mark)? else {
                return Ok(Facts::None { was_here: record.was_here(&mark)? });
            };
            let own = record.sent(&id)?.map(|sent| Facts::Own(Box::new(sent)));
            let facts = own.or(record.letter(&id)?.map(|letter| Facts::Came(Box::new(letter))));
            Ok(facts.unwrap_or(Facts::None { was_here: true }))
        };
        let facts = self.record(find).await?;
        self.look(move |_, names| match facts {
            Facts::Came(letter) => Found::Came(Box::new(names.envelope(*letter))),
            Facts::Own(sent) => Found::Own(Box::new(names.sent(*sent))),
            Facts::None { was_here: true } => Found::Deleted,
            Facts::None { was_here: false } => Found::Missing,
        })
        .await
    }
}

fn whole_id(record: &RedbReader, mark: &Mark) -> Result<Option<BundleId>, StoreError> {
    let prefix = IdPrefix::of_mark(mark);
    match record.sent_like(&prefix, 1)?.pop() {
        Some(id) => Ok(Some(id)),
        None => Ok(record.letters_like(&prefix, 1)?.pop()),
    }
}

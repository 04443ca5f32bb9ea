//! Answers that nobody writes: what may be answered, and what is said while the person is away.

use std::time::Duration;

use super::Desk;
use super::hooks::AWAY;
use super::places::wall;
use super::rows::{self, Names};
use super::topics::consume::wall_now;
use crate::agent::Agent;
use crate::agent::change::Letter;
use crate::api::model::{AwayRow, Because, Compose, Done, NewAway, Schema, Tag, When};
use crate::api::{ApiError, Response};
use crate::brake::Brake;
use crate::bundle::Priority;
use crate::content::{Content, Outline, automatic_after};
use crate::mail::automatic::{self, ANSWER_PERIOD, ANSWERED_MAX, AWAY_BYTES_MAX, Away, Cause, NoAnswer};
use crate::store::redb::{Body, RedbReader};
use crate::time::{DAY, Millis, SECOND};

/// Longest time that somebody is away.
const AWAY_TIME: Millis = Millis(365 * DAY.0);

impl Desk {
    /// Answers a message as nobody writes it; says why not, where it may not be answered so.
    pub(super) async fn answer_by_itself(
        &self,
        letter: &Letter,
        text: String,
        every: Millis,
    ) -> Result<Result<(), NoAnswer>, ApiError> {
        if let Err(why) = self.claim_answer(letter, every).await? {
            return Ok(Err(why));
        }
        let compose = Compose {
            to: rows::address(letter.source),
            text,
            in_reply_to: Some(letter.id.full()),
            tags: vec![Tag::Automatic],
            priority: Some(Priority::Normal),
            ..Compose::default()
        };
        match Box::pin(self.send(compose)).await {
            Ok(_) => Ok(Ok(())),
            Err(error) => {
                // Nobody got anything.
                self.node().keep(vec![(automatic::answered(&letter.source), None)]).await?;
                Err(error)
            }
        }
    }

    /// Notes that somebody gets an automatic answer now, before they do: after a power cut rather none than a second one.
    async fn claim_answer(&self, letter: &Letter, every: Millis) -> Result<Result<(), NoAnswer>, ApiError> {
        let cause = self.cause(letter).await?;
        let _turn = self.inner.answering.lock().await;
        let (source, now) = (letter.source, wall_now());
        let key = automatic::answered(&source);
        let read = move |record: &RedbReader| {
            let last = record.kept(&key)?.and_then(|value| automatic::read_answered(&key, &value));
            let all = match last {
                Some(_) => Vec::new(),
                None => record.all_kept(&automatic::all_answered(), None, ANSWERED_MAX)?,
            };
            Ok((last.map(|(_, at)| at), all))
        };
        let (last, all) = self.record(read).await?;
        if let Err(why) = cause.may_be_answered(last, every, now) {
            return Ok(Err(why));
        }
        let all: Vec<_> = all.iter().filter_map(|(key, value)| automatic::read_answered(key, value)).collect();
        let over = match automatic::makes_way(&all, every, now) {
            Ok(over) => over,
            Err(why) => return Ok(Err(why)),
        };
        let mut kept = vec![(automatic::answered(&source), Some(automatic::write_answered(now)))];
        kept.extend(over.map(|node| (automatic::answered(&node), None)));
        self.keep(kept).await?;
        Ok(Ok(()))
    }

    /// What decides whether a message is answered.
    async fn cause(&self, letter: &Letter) -> Result<Cause, ApiError> {
        let row = letter.row;
        let body = self.record(move |record| Ok(record.words(&[row])?.pop().flatten())).await?;
        let tags = match body {
            Some(Body::Filed(filed)) => match Outline::decode(&filed.content, 0) {
                Ok(Outline { content: Content::Text(text), .. }) => text.tags,
                _ => 0,
            },
            _ => 0,
        };
        let in_group = letter.destination.has_members();
        Ok(Cause { tags, priority: letter.priority, in_group, is_own: letter.source == self.my_node() })
    }

    /// How a message is marked that a program of a hook sends, with nothing where a person does. Where it answers what the
    /// hook works on, that must be answered so.
    pub(super) async fn marks(&self, compose: &Compose) -> Result<u64, ApiError> {
        match &compose.because {
            Some(because) => self.marks_because(compose, because).await,
            None => Ok(0),
        }
    }

    async fn marks_because(&self, compose: &Compose, because: &Because) -> Result<u64, ApiError> {
        let id = self.find_message(&because.id).await?;
        let Some(letter) = self.record(move |record| record.letter(&id)).await? else { return Ok(automatic_after(0)) };
        let to = self.find_whom(&compose.to).await?;
        let answers = crate::mail::conversation::Conversation::of_letter(&letter).0.node == to || letter.source == to;
        if !answers {
            let marks = self.cause(&letter).await?.marks_of_next();
            return marks.map_err(|why| {
                ApiError::refused(format!("nothing is sent by itself because of that message: {why}"))
                    .advise("programs that pass on to each other would never end; pass it on yourself")
            });
        }
        let every = match &because.hook {
            Some(hook) => self.period_of_hook(hook).await?,
            None => None,
        };
        match self.claim_answer(&letter, every.unwrap_or(ANSWER_PERIOD)).await? {
            Ok(()) => Ok(automatic_after(0)),
            Err(why) => Err(ApiError::refused(format!("no automatic answer to that message: {why}"))
                .advise("two nodes that answer each other would never end; answer it yourself")),
        }
    }

    pub(super) async fn away_set(&self, new: NewAway) -> Result<AwayRow, ApiError> {
        let now = self.look(|agent, _| wall(agent)).await?;
        let text = new.text.trim();
        if text.is_empty() {
            return Err(ApiError::usage("there is nothing to say").advise("write where you are, or when you are back"));
        }
        if text.len() > AWAY_BYTES_MAX {
            let error = ApiError::refused(format!("the text is longer than {AWAY_BYTES_MAX} bytes"));
            return Err(error.advise("say less"));
        }
        let until = new.until.to_dtn();
        if now.0 == 0 {
            return Err(ApiError::failure("this machine has no clock that could end it").advise("set its clock"));
        }
        if until <= now {
            return Err(ApiError::usage("that time is over").advise("name a later one"));
        }
        if until.0 - now.0 > AWAY_TIME.0 {
            return Err(ApiError::usage("nobody is away for more than 365 days").advise("name an earlier time"));
        }
        let every = Millis(new.every_ms.unwrap_or(ANSWER_PERIOD.0));
        if every < SECOND {
            return Err(ApiError::usage("automatic answers to one person are a second apart at least"));
        }
        let away = Away { text: text.to_owned(), until, reply: new.reply, every, since: now };
        self.begin_away(away.clone()).await?;
        self.inner.appointments.notify_one();
        Ok(away_row(Some(away)))
    }

    /// What is said while the person is away, as long as that lasts.
    pub(super) async fn away(&self) -> Result<AwayRow, ApiError> {
        Ok(away_row(self.lasting_away().await?))
    }

    pub(super) async fn lasting_away(&self) -> Result<Option<Away>, ApiError> {
        let value = self.record(|record| record.kept(&automatic::away())).await?;
        let now = self.look(|agent, _| wall(agent)).await?;
        Ok(value.and_then(|value| Away::read(&value)).filter(|away| away.lasts(now)))
    }

    pub(super) async fn away_end(&self) -> Result<Response, ApiError> {
        if self.lasting_away().await?.is_none() {
            return Err(ApiError::not_found("nobody is away").advise("say that you are with a text and a time"));
        }
        self.end_away().await?;
        Ok(Response::Done(Done::default()))
    }

    /// Whether one who is away answers a message: of contacts alone, for whoever made a key could ask.
    pub(super) async fn is_answered_away(&self, letter: &Letter) -> Result<Option<Away>, ApiError> {
        let source = letter.source;
        let is_known = move |_: &Agent, names: &Names<'_>| names.known(&source).is_some();
        if letter.source == self.my_node() || letter.destination.has_members() || !self.look(is_known).await? {
            return Ok(None);
        }
        Ok(self.lasting_away().await?.filter(|away| away.reply))
    }

    pub(super) async fn answer_away(&self, letter: &Letter) -> Result<(), ApiError> {
        let Some(away) = self.is_answered_away(letter).await? else { return Ok(()) };
        let answered = self.answer_by_itself(letter, away.text, away.every).await?;
        say_answered(AWAY, letter, answered);
        Ok(())
    }
}

fn away_row(away: Option<Away>) -> AwayRow {
    let Some(Away { text, until, reply, every, since }) = away else {
        return AwayRow {
            schema: Schema,
            away: false,
            text: None,
            since: None,
            until: None,
            reply: false,
            every_ms: None,
        };
    };
    AwayRow {
        schema: Schema,
        away: true,
        text: Some(text),
        since: When::from_dtn(since),
        until: When::from_dtn(until),
        reply,
        every_ms: Some(every.0),
    }
}

/// Says what became of an answer that a program gave, or somebody who is away.
pub(super) fn say_answered(hook: &str, letter: &Letter, answered: Result<(), NoAnswer>) {
    static BRAKES: [Brake; 2] = [Brake::new(Duration::ZERO), Brake::new(Duration::ZERO)];
    let (id, [given, not_given]) = (letter.id.full(), &BRAKES);
    match answered {
        Ok(()) => given.say((), |unsaid| tracing::info!(unsaid, hook, id, "answered")),
        Err(why) => not_given.say((), |unsaid| tracing::info!(unsaid, hook, id, %why, "no automatic answer")),
    }
}

//! Does what the model wishes: asks the node, or the closed home where none runs, and answers with events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::{Stream, StreamExt, stream};
use jiff::Zoned;

use super::model::{Event, Part, Wish};
use super::window::{Kept, PAGE_ROWS};
use super::writing::Slot;
use crate::api::client::{Client, RowStream};
use crate::api::model::{
    Compose, DraftRow, Introduction, Listing, NewDraft, RecipientRow, Request, Response, Row, SentRow, TalkRow, Topic,
    WishedReaction,
};
use crate::api::{ApiError, Engine, ErrorKind, NextStep};
use crate::cli::link::{Link, take, unexpected};
use crate::cli::next_steps::in_commands;
use crate::cli::{inbox, send, times};
use crate::home::Home;

/// How long to wait before a node that is gone is looked for again.
const AWAY: std::time::Duration = std::time::Duration::from_secs(1);
/// So many rows are looked through at the end of a conversation to which something came.
const END_ROWS: u32 = 50;
const FOUND_ROWS: u32 = 100;
/// How many messages are marked with one request.
const MARKED_AT_ONCE: usize = 256;

pub struct Work<'a> {
    engine: &'a dyn Engine,
    home: Home,
    drafts: RefCell<BTreeMap<Slot, Draft>>,
}

/// What is kept in the home of something that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Draft {
    number: u64,
    who: String,
    text: String,
    answers: Option<String>,
}

impl<'a> Work<'a> {
    pub fn new(engine: &'a dyn Engine, home: Home) -> Work<'a> {
        Work { engine, home, drafts: RefCell::default() }
    }

    /// Asks the node, or the home where none runs; a home that was opened for it is closed again, so that a node can have it.
    pub async fn ask(&self, request: Request) -> Result<Response, ApiError> {
        let link = Link::to_home(self.engine, self.home.clone());
        let answer = link.ask(request).await;
        link.close().await;
        answer
    }

    pub async fn list(&self, listing: Listing) -> Result<Vec<Row>, ApiError> {
        let link = Link::to_home(self.engine, self.home.clone());
        let rows = match link.list(listing).await {
            Ok(rows) => collect(rows).await,
            Err(error) => Err(error),
        };
        link.close().await;
        rows
    }

    /// Whom a message would go to.
    pub async fn recipient(&self, who: &str) -> Result<RecipientRow, ApiError> {
        take!(self.ask(Request::Recipient { who: who.to_owned() }).await?, Recipient)
    }

    /// Rows of a conversation.
    pub async fn talk(&self, wanted: Listing) -> Result<Vec<Kept>, ApiError> {
        let rows = self.list(wanted).await?;
        let kept = |row| if let Row::Talk(row) = row { Some(Kept::of(row)) } else { None };
        Ok(rows.into_iter().filter_map(kept).collect())
    }

    pub async fn mark(&self, ids: &[String]) -> Result<(), ApiError> {
        for ids in ids.chunks(MARKED_AT_ONCE) {
            take!(self.ask(Request::Mark { ids: ids.to_vec(), read: true }).await?, Done)?;
        }
        Ok(())
    }

    /// Does what is wished; wishes without a word of their own are answered by nothing.
    pub async fn done(&self, wish: Wish) -> Option<Event> {
        let event = match wish.clone() {
            Wish::List => self.listed().await,
            Wish::Load { who, thread, part } => self.loaded(who, thread, part).await,
            Wish::Recall { slot, who, name } => self.recalled(slot, &who, name).await.map(|found| {
                let DraftRow { text, in_reply_to, .. } = found?;
                Some(Event::Recalled { slot, text, answers: in_reply_to })
            }),
            Wish::Keep { slot, who, text, answers, version } => match self.keep(slot, who, text, answers).await {
                Ok(()) => Ok(Some(Event::Kept { slot, version })),
                Err(error) => Ok(Some(Event::NotKept { slot, why: said(error) })),
            },
            Wish::Send { slot, who, text, answers } => match self.send(slot, who, text, answers).await {
                Ok(_) => Ok(Some(Event::Sent { slot })),
                Err(error) => Ok(Some(Event::NotSent { slot, why: said(error) })),
            },
            Wish::Edit { slot, who, id, text } => match self.edit(slot, who, id, text).await {
                Ok(()) => Ok(Some(Event::Sent { slot })),
                Err(error) => Ok(Some(Event::NotSent { slot, why: said(error) })),
            },
            Wish::SendFile { slot, who, text, answers, path } => {
                match self.send_file(slot, who, text, answers, &path).await {
                    Ok(_) => Ok(Some(Event::Sent { slot })),
                    Err(error) => Ok(Some(Event::NotSent { slot, why: said(error) })),
                }
            }
            Wish::Join { group, joins } => self.join(group, joins).await,
            Wish::Accept { who, name } => self.accepted(who, name).await.map(Some),
            Wish::Block { who } => self.blocked(who).await.map(Some),
            Wish::React { id, emoji, on } => self.react(id, emoji, on).await.map(|()| Some(Event::Changed)),
            Wish::Mark { ids } => self.mark(&ids).await.map(|()| Some(Event::Changed)),
            Wish::Find { query } => self.found(query).await,
            Wish::Members { who } => self.members(who).await,
            Wish::Near => self.near().await,
            Wish::Save { id, directory } => self.saved(id, &directory).await,
            Wish::Get { id } => self.asked_for(id).await,
        };
        event.unwrap_or_else(|error| Some(Event::Failed(said(error))))
    }

    async fn listed(&self) -> Result<Option<Event>, ApiError> {
        let rows = self.list(Listing::Talks { all: false }).await?;
        let talks = rows.into_iter().filter_map(|row| if let Row::Talks(row) = row { Some(row) } else { None });
        let talks = talks.collect();
        let contacts = take!(self.ask(Request::ContactList).await?, Contacts)?;
        let groups = take!(self.ask(Request::Groups).await?, Groups)?;
        Ok(Some(Event::Listed { talks, contacts, groups }))
    }

    async fn loaded(&self, who: String, thread: Option<String>, part: Part) -> Result<Option<Event>, ApiError> {
        let page = |limit, before: Option<String>, after: Option<String>| Listing::Talk {
            who: who.clone(),
            limit: Some(limit),
            before,
            after,
            thread: thread.clone(),
            unread: false,
            from_unread: None,
            glance: false,
        };
        let is_full = |rows: &[Kept], limit: u32| rows.len() >= limit as usize;
        let (rows, older, newer) = match &part {
            Part::Open => {
                let rows = self.talk(page(PAGE_ROWS, None, None)).await?;
                let older = is_full(&rows, PAGE_ROWS);
                (rows, older, false)
            }
            Part::End => {
                let rows = self.talk(page(END_ROWS, None, None)).await?;
                let older = is_full(&rows, END_ROWS);
                (rows, older, false)
            }
            Part::Before(id) => {
                let rows = self.talk(page(PAGE_ROWS, Some(id.clone()), None)).await?;
                let older = is_full(&rows, PAGE_ROWS);
                (rows, older, false)
            }
            Part::After(id) => {
                let rows = self.talk(page(PAGE_ROWS, None, Some(id.clone()))).await?;
                let newer = is_full(&rows, PAGE_ROWS);
                (rows, false, newer)
            }
            Part::Around(row) => {
                let half = PAGE_ROWS / 2;
                let mut rows = self.talk(page(half, Some(row.id.clone()), None)).await?;
                let older = is_full(&rows, half);
                rows.push(Kept::of(TalkRow::clone(row)));
                let behind = self.talk(page(half, None, Some(row.id.clone()))).await?;
                let newer = is_full(&behind, half);
                rows.extend(behind);
                (rows, older, newer)
            }
        };
        Ok(Some(Event::Loaded { who, thread, part, rows, older, newer }))
    }

    /// The last draft to somebody that is nothing but words.
    pub async fn recalled(&self, slot: Slot, who: &str, name: Option<String>) -> Result<Option<DraftRow>, ApiError> {
        let drafts = take!(self.ask(Request::Drafts).await?, Drafts)?;
        let is_plain = |draft: &&DraftRow| {
            let to = draft.to.as_slice();
            let is_to = to.len() == 1 && (to[0] == who || Some(&to[0]) == name.as_ref());
            let is_bare = draft.at.is_none() && draft.subject.is_none() && draft.attachments.is_empty();
            let taken = self.drafts.borrow().values().any(|other| other.number == draft.number);
            is_to && is_bare && draft.reply_by.is_none() && draft.refused.is_none() && !taken
        };
        let Some(number) = drafts.iter().rev().find(is_plain).map(|draft| draft.number) else { return Ok(None) };
        let draft = take!(self.ask(Request::Draft { number: number.to_string() }).await?, Draft)?;
        let (text, answers) = (draft.text.clone(), draft.in_reply_to.clone());
        self.drafts.borrow_mut().insert(slot, Draft { number, who: who.to_owned(), text, answers });
        Ok(Some(draft))
    }

    /// Keeps what is being written as a draft, in the place of what was kept of it; of no words, nothing.
    pub async fn keep(&self, slot: Slot, who: String, text: String, answers: Option<String>) -> Result<(), ApiError> {
        let old = self.drafts.borrow().get(&slot).cloned();
        match text.is_empty() {
            true => drop(self.drafts.borrow_mut().remove(&slot)),
            false => {
                let number = self.add(&who, &text, answers.clone(), Compose::default()).await?;
                self.drafts.borrow_mut().insert(slot, Draft { number, who, text, answers });
            }
        }
        // Only now: after a crash there may be two, and never none.
        if let Some(old) = old {
            self.forget(old.number).await?;
        }
        Ok(())
    }

    async fn add(&self, who: &str, text: &str, answers: Option<String>, files: Compose) -> Result<u64, ApiError> {
        let compose = Compose {
            to: who.to_owned(),
            text: text.to_owned(),
            in_reply_to: answers.clone(),
            offset_minutes: times::offset_minutes(&Zoned::now()),
            ..files
        };
        let new = |compose| NewDraft { compose, more: Vec::new(), at: None, refused: None };
        let kept = match self.ask(Request::DraftAdd(Box::new(new(compose.clone())))).await {
            // What it answers is gone; the words are not.
            Err(error) if error.kind == ErrorKind::NotFound && answers.is_some() => {
                self.ask(Request::DraftAdd(Box::new(new(Compose { in_reply_to: None, ..compose })))).await?
            }
            kept => kept?,
        };
        Ok(take!(kept, Draft)?.number)
    }

    /// Somebody else may have sent or deleted it.
    async fn forget(&self, number: u64) -> Result<(), ApiError> {
        match self.ask(Request::DraftDelete { number: number.to_string() }).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends words once, whatever breaks in between: they become a draft first, and a draft is sent once.
    pub async fn send(
        &self,
        slot: Slot,
        who: String,
        text: String,
        answers: Option<String>,
    ) -> Result<Vec<SentRow>, ApiError> {
        let old = self.drafts.borrow().get(&slot).cloned();
        let is_same = |old: &Draft| old.text == text && old.answers == answers && old.who == who;
        if old.as_ref().is_some_and(is_same)
            && let Some(sent) = self.send_draft(slot).await?
        {
            return Ok(sent);
        }
        self.keep(slot, who, text, answers).await?;
        self.send_draft(slot).await?.ok_or_else(unexpected)
    }

    /// Sends a file with words, as [`Work::send`] does; where that fails the words stay a draft as they were.
    pub async fn send_file(
        &self,
        slot: Slot,
        who: String,
        text: String,
        answers: Option<String>,
        path: &str,
    ) -> Result<Vec<SentRow>, ApiError> {
        let mut files = Compose::default();
        let path = expanded(path);
        send::check_at_rest(&path)?;
        send::put_in(&mut files, &path)?;
        let number = self.add(&who, &text, answers.clone(), files).await?;
        let old = self.drafts.borrow_mut().insert(slot, Draft { number, who, text, answers });
        match self.send_draft(slot).await.and_then(|sent| sent.ok_or_else(unexpected)) {
            Ok(sent) => {
                if let Some(old) = old {
                    self.forget(old.number).await?;
                }
                Ok(sent)
            }
            Err(error) => {
                self.drafts.borrow_mut().remove(&slot);
                old.into_iter().for_each(|old| drop(self.drafts.borrow_mut().insert(slot, old)));
                self.forget(number).await?;
                Err(error)
            }
        }
    }

    async fn join(&self, group: String, joins: bool) -> Result<Option<Event>, ApiError> {
        if !joins {
            take!(self.ask(Request::GroupLeave { group }).await?, Done)?;
            return Ok(Some(Event::Told("turned down".into())));
        }
        let row = take!(self.ask(Request::GroupJoin { group }).await?, Group)?;
        Ok(Some(Event::Told(format!("joined {}: Enter opens it", row.name))))
    }

    /// Makes whoever asks a contact.
    pub async fn accepted(&self, who: String, name: String) -> Result<Event, ApiError> {
        let new = Introduction { name, address: who };
        let contact = take!(self.ask(Request::ContactAdd(new)).await?, Contact)?;
        Ok(Event::Told(format!("added {}", contact.name)))
    }

    pub async fn blocked(&self, who: String) -> Result<Event, ApiError> {
        let contact = take!(self.ask(Request::ContactBlock { who }).await?, Contact)?;
        Ok(Event::Told(format!("blocked {}", contact.name)))
    }

    /// None where the draft is gone unsent: another client of this home goes on with its words.
    async fn send_draft(&self, slot: Slot) -> Result<Option<Vec<SentRow>>, ApiError> {
        let number = self.drafts.borrow().get(&slot).map(|draft| draft.number).ok_or_else(unexpected)?;
        let sent = match self.ask(Request::DraftSend { number: number.to_string(), to: Vec::new() }).await {
            Ok(Response::Sents(rows)) => Some(rows),
            Ok(_) => return Err(unexpected()),
            Err(error) => match self.ask(Request::Draft { number: number.to_string() }).await {
                // It went before the line was cut, or another client sent it.
                Err(gone) if matches!(gone.next, Some(NextStep::SeeStatus { .. })) => Some(Vec::new()),
                Err(gone) if gone.kind == ErrorKind::NotFound => None,
                _ => return Err(error),
            },
        };
        self.drafts.borrow_mut().remove(&slot);
        Ok(sent)
    }

    async fn edit(&self, slot: Slot, who: String, id: String, text: String) -> Result<(), ApiError> {
        let wish = crate::api::model::Wish { id, body: Some(text), ..Default::default() };
        take!(self.ask(Request::Change(wish)).await?, Sent)?;
        self.keep(slot, who, String::new(), None).await
    }

    async fn react(&self, id: String, emoji: String, on: bool) -> Result<(), ApiError> {
        let reaction = Some(WishedReaction { emoji, on });
        take!(self.ask(Request::Change(crate::api::model::Wish { id, reaction, ..Default::default() })).await?, Sent)?;
        Ok(())
    }

    async fn found(&self, q: String) -> Result<Option<Event>, ApiError> {
        let rows = self.list(Listing::Search { q, limit: Some(FOUND_ROWS) }).await?;
        let rows = rows.into_iter().filter_map(|row| if let Row::Search(row) = row { Some(row) } else { None });
        Ok(Some(Event::Found(rows.collect())))
    }

    async fn members(&self, who: String) -> Result<Option<Event>, ApiError> {
        let rows = take!(self.ask(Request::GroupMembers { group: who }).await?, Members)?;
        Ok(Some(Event::Members(rows)))
    }

    async fn near(&self) -> Result<Option<Event>, ApiError> {
        Ok(Some(Event::Near(take!(self.ask(Request::Nearby).await?, Nearby)?)))
    }

    pub async fn saved(&self, id: String, directory: &str) -> Result<Option<Event>, ApiError> {
        let letter = take!(self.ask(Request::Read { id, mark: false, tell: false }).await?, Letter)?;
        let link = Link::to_home(self.engine, self.home.clone());
        let mut words = Vec::new();
        let saved = inbox::save_files(&link, &letter, &expanded(directory), |saved| words.push(saved)).await;
        link.close().await;
        saved?;
        Ok(Some(Event::Told(words.join("; "))))
    }

    pub async fn asked_for(&self, id: String) -> Result<Option<Event>, ApiError> {
        let row = take!(self.ask(Request::FileGet { id, from: None, to: None }).await?, Transfer)?;
        Ok(Some(Event::Told(format!("asked for {}: it comes in parts", row.name))))
    }

    /// What happens, from now on and without end, through every restart of the node.
    pub fn happenings(&self) -> impl Stream<Item = Event> + '_ {
        stream::unfold(Follower::Away { waits: false }, move |follower| async move {
            Some(match follower {
                Follower::Away { waits } => {
                    if waits {
                        tokio::time::sleep(AWAY).await;
                    }
                    match self.follow().await {
                        Ok(rows) => (Event::Connected, Follower::There(rows)),
                        Err(error) => (Event::CutOff(cut_off(error)), Follower::Away { waits: true }),
                    }
                }
                Follower::There(mut rows) => loop {
                    match rows.next().await {
                        Some(Row::Happened(row)) => break (Event::Happened(Box::new(row)), Follower::There(rows)),
                        Some(Row::Ended(error)) => {
                            break (Event::CutOff(cut_off(error)), Follower::Away { waits: true });
                        }
                        Some(_) => {}
                        None => {
                            break (Event::CutOff(cut_off(ApiError::not_running())), Follower::Away { waits: true });
                        }
                    }
                },
            })
        })
    }

    /// Follows from the number at which the node is now: what is listed later has all that happened before.
    async fn follow(&self) -> Result<RowStream, ApiError> {
        let client = Client::new(self.home.socket_path());
        let outlook = take!(client.call(&Request::Outlook).await?, Outlook)?;
        client.follow(Topic::Happened { since: Some(outlook.event), who: None, beside: false }).await
    }
}

enum Follower {
    Away { waits: bool },
    There(RowStream),
}

async fn collect(mut rows: RowStream) -> Result<Vec<Row>, ApiError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next().await {
        match row {
            Row::Ended(why) => return Err(why),
            // Of long texts only the beginning is kept, before the next one comes.
            Row::Search(mut found) => {
                found.row = Kept::of(found.row).row;
                all.push(Row::Search(found));
            }
            row => all.push(row),
        }
    }
    Ok(all)
}

/// An error in the words of commands.
pub fn said(error: ApiError) -> String {
    in_commands(error).to_string()
}

fn cut_off(error: ApiError) -> String {
    match error.kind {
        ErrorKind::NotRunning => "no node runs; nothing is lost, and this goes on when one does: dak up".into(),
        _ => format!("cut off: {}", said(error)),
    }
}

/// A directory as a person types it.
fn expanded(directory: &str) -> PathBuf {
    match (directory.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => PathBuf::from(directory),
    }
}

//! Line by line: for screen readers, and for terminals that cannot move their cursor. What comes is printed below what was
//! there, and a line that is typed is sent.

use std::collections::VecDeque;
use std::io::BufRead;

use futures::StreamExt;
use jiff::Zoned;
use tokio::sync::mpsc::{Receiver, channel};

use super::lines;
use super::model::Event;
use super::window::Kept;
use super::work::{Work, said, said_of};
use super::writing::Slot;
use crate::api::model::{
    ContactRow, Happened, HappenedRow, Listing, MemberRole, Request, Row, SearchRow, Standing, State, TalkRow,
};
use crate::api::{ApiError, Response};
use crate::cli::inbox::words;
use crate::cli::link::take;
use crate::cli::out::{Out, Style};
use crate::cli::signals::Signals;
use crate::cli::who::{called, called_by_itself, called_node, short_id};
use crate::cli::{Outcome, Stop, changes};
use crate::safe_text::{one_line_of_prose, safe_text};

const HELP: &str = "\
a line you type is sent; these are not:
/talk NAME        the conversation with somebody; what you type goes there
/reply N WORDS    answer the message with that number
/react N EMOJI    react to it
/who              with whom you talk, what is unread, and who is near
/members          who is in this group
/search WORDS     search all conversations
/quit             end
//WORDS           send a line that begins with /
";

/// So many rows of a conversation are printed at first, where less is unread.
const FIRST_ROWS: u32 = 20;
/// So many unread rows are printed at once.
const UNREAD_ROWS_MAX: u32 = 100;
/// So many messages can be named by their numbers.
const NUMBERED_MAX: usize = 1_000;
/// Lines that were typed and not worked on.
const LINES_AHEAD: usize = 16;

struct Plain<'a> {
    work: &'a Work<'a>,
    out: &'a Out,
    /// What is printed somebody reads.
    has_reader: bool,
    open: Option<(String, String)>,
    numbered: VecDeque<(u64, TalkRow)>,
    last_number: u64,
    slot: Slot,
    cut_off: bool,
}

pub async fn run(work: &Work<'_>, open: Option<(String, String)>, has_reader: bool, out: &Out) -> Outcome {
    let mut signals = Signals::count()?;
    let numbered = VecDeque::new();
    let mut plain = Plain { work, out, has_reader, open: None, numbered, last_number: 0, slot: 0, cut_off: false };
    let mut happenings = std::pin::pin!(work.happenings());
    // Followed before anything is listed, so that nothing falls between.
    if let Some(event) = happenings.next().await {
        plain.on(event).await?;
    }
    match open {
        Some((who, name)) => plain.talk(who, name).await?,
        None => plain.who().await?,
    }
    let mut typed = typed()?;
    loop {
        tokio::select! {
            line = typed.recv() => match line {
                Some(line) => if plain.line(&line).await? { return Ok(()) },
                None => return Ok(()),
            },
            Some(event) = happenings.next() => plain.on(event).await?,
            () = signals.asked(1) => return Err(Stop::Interrupted),
        }
    }
}

/// Lines on stdin; a line that is no UTF-8 has marks in the place of what is none.
fn typed() -> Result<Receiver<String>, ApiError> {
    let (sender, receiver) = channel(LINES_AHEAD);
    let read = move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while matches!(stdin.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            line.clear();
            if sender.blocking_send(text).is_err() {
                break;
            }
        }
    };
    let started = std::thread::Builder::new().name("lines".into()).spawn(read);
    started.map_err(|error| ApiError::failure(format!("the system gives no threads: {error}")))?;
    Ok(receiver)
}

impl Plain<'_> {
    fn print(&self, text: &str) -> Outcome {
        self.out.data(&format!("{text}\n"))
    }

    /// A line that was typed; whether it ends the conversation.
    async fn line(&mut self, line: &str) -> Result<bool, Stop> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let done = match command {
            "/quit" | "/q" => return Ok(true),
            "/help" | "/?" => self.out.data(HELP),
            "/who" | "/w" => self.who().await,
            "/talk" | "/t" if rest.is_empty() => self.who().await,
            "/talk" | "/t" => match self.work.recipient(rest).await {
                Ok(found) => self.talk(found.to_address, found.to).await,
                Err(error) => Err(error.into()),
            },
            "/reply" | "/r" => self.reply(rest).await,
            "/react" => self.react(rest).await,
            "/members" | "/group" => self.members().await,
            "/search" | "/s" => self.search(rest).await,
            _ if line.trim().is_empty() => Ok(()),
            _ if line.starts_with("//") => self.send(line[1..].to_owned(), None).await,
            _ if line.starts_with('/') => {
                self.print(&format!("{} is not known; /help lists what is", safe_text(command)))
            }
            _ => self.send(line.to_owned(), None).await,
        };
        match done {
            // What went wrong is said, and the next line is read; a reader who is gone is the end.
            Err(Stop::Error(error)) => self.print(&format!("failed: {}", safe_text(&said(error))))?,
            done => done?,
        }
        Ok(false)
    }

    async fn talk(&mut self, who: String, name: String) -> Outcome {
        self.print(&format!("-- {} --", called(&name)))?;
        self.open = Some((who.clone(), name.clone()));
        self.slot += 1;
        let page = |limit, from_unread| Listing::Talk {
            who: who.clone(),
            limit: Some(limit),
            before: None,
            after: None,
            thread: None,
            unread: from_unread,
            from_unread: None,
            glance: false,
        };
        let mut rows = self.work.talk(page(UNREAD_ROWS_MAX, true)).await?;
        if rows.len() < FIRST_ROWS as usize {
            rows = self.work.talk(page(FIRST_ROWS, false)).await?;
        }
        if rows.is_empty() {
            self.print("nothing was said yet")?;
        }
        let (mut unread, mut is_marked) = (Vec::new(), false);
        for kept in &rows {
            if !kept.row.read && !is_marked {
                is_marked = true;
                self.print("-- unread --")?;
            }
            self.message(kept, "")?;
            if !kept.row.read && kept.row.unreadable.is_none() {
                unread.push(kept.row.id.clone());
            }
        }
        if rows.len() == UNREAD_ROWS_MAX as usize {
            self.print("more is unread: /talk again")?;
        }
        if self.has_reader {
            self.work.mark(&unread).await?;
        }
        if let Some(draft) = self.work.recalled(self.slot, &who, Some(name)).await? {
            let words = one_line_of_prose(&words(&draft.text), 1_000);
            self.print(&format!("a draft waits: {words} (dak draft show {})", draft.number))?;
            self.slot += 1;
        }
        Ok(())
    }

    /// Prints a message behind its number.
    fn message(&mut self, kept: &Kept, before: &str) -> Outcome {
        let Kept { row, is_cut } = kept;
        let now = Zoned::now();
        let number = self.number(row);
        let (who, _) = lines::head(row, &now);
        let style = Style { width: None, color: false, now };
        let when = style.when(lines::written(row));
        let (_, facts) = lines::head(row, &style.now);
        let facts = facts.split_once(", ").map(|(_, facts)| format!(", {facts}")).unwrap_or_default();
        let mut text = format!("[{number}] {before}{who}, {when}{facts}:");
        if let Some(parent) = row.in_reply_to.as_deref().map(|id| self.parent(row, id)) {
            text += &format!(" (answers {parent})");
        }
        let body = lines::body(row, *is_cut, &style);
        match &body[..] {
            [one] => text += &format!(" {one}"),
            lines => lines.iter().for_each(|line| text += &format!("\n  {line}")),
        }
        changes::lines(&row.changes, &style).iter().for_each(|line| text += &format!("\n  {line}"));
        self.print(&text)
    }

    /// What a message answers: by its number, where it has one.
    fn parent(&self, row: &TalkRow, id: &str) -> String {
        let numbered =
            self.numbered.iter().rev().find(|(_, other)| other.id.starts_with(id) || id.starts_with(&other.id));
        match (numbered, &row.answers) {
            (Some((number, _)), _) => format!("[{number}]"),
            (None, Some(answers)) => crate::cli::inbox::shown_parent(answers, 200),
            (None, None) => short_id(id),
        }
    }

    fn number(&mut self, row: &TalkRow) -> u64 {
        if let Some((number, known)) = self.numbered.iter_mut().find(|(_, known)| known.id == row.id) {
            *known = row.clone();
            return *number;
        }
        self.last_number += 1;
        self.numbered.push_back((self.last_number, row.clone()));
        if self.numbered.len() > NUMBERED_MAX {
            self.numbered.pop_front();
        }
        self.last_number
    }

    fn numbered(&self, typed: &str) -> Result<TalkRow, ApiError> {
        let number: u64 = typed.trim_matches(['[', ']']).parse().unwrap_or(0);
        let found = self.numbered.iter().find(|(other, _)| *other == number).map(|(_, row)| row.clone());
        let none = || ApiError::usage(format!("no message here has the number {}", safe_text(typed)));
        found.ok_or_else(|| none().advise("the number stands before each message"))
    }

    async fn reply(&mut self, rest: &str) -> Outcome {
        let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let row = self.numbered(number)?;
        if text.trim().is_empty() {
            return Err(ApiError::usage("an answer needs words").advise("type them behind the number").into());
        }
        if self.open.as_ref().is_none_or(|(who, _)| *who != row.conversation) {
            let found = self.work.recipient(&row.conversation).await?;
            self.open = Some((found.to_address, found.to));
        }
        self.send(text.to_owned(), Some(row.id)).await
    }

    async fn react(&mut self, rest: &str) -> Outcome {
        let (number, emoji) = rest.split_once(' ').unwrap_or((rest, ""));
        let row = self.numbered(number)?;
        let reaction = crate::api::model::WishedReaction { emoji: emoji.trim().to_owned(), on: true };
        let wish = crate::api::model::Wish { id: row.id, reaction: Some(reaction), ..Default::default() };
        take!(self.work.ask(Request::Change(wish)).await?, Sent)?;
        Ok(())
    }

    async fn send(&mut self, text: String, answers: Option<String>) -> Outcome {
        let Some((who, name)) = self.open.clone() else {
            return Err(ApiError::usage("nobody is there to write to").advise("say whom with /talk NAME").into());
        };
        self.slot += 1;
        match self.work.send(self.slot, who, text, answers).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let why = safe_text(&said(error));
                self.print(&format!("not sent to {}: {why}; see dak draft", called(&name)))
            }
        }
    }

    async fn who(&mut self) -> Outcome {
        let rows = self.work.list(Listing::Talks { all: false }).await?;
        let mut known = Vec::new();
        for row in rows {
            let Row::Talks(row) = row else { continue };
            let name = called_by_itself(row.name.as_deref().unwrap_or(&row.conversation), row.nickname.as_deref());
            let unread = if row.unread > 0 { format!(", {} unread", row.unread) } else { String::new() };
            let words = one_line_of_prose(&words(row.last_text.as_deref().unwrap_or("(unreadable)")), 200);
            self.print(&format!("{name}{unread}: {words}"))?;
            known.push(row.conversation);
        }
        let contacts = take!(self.work.ask(Request::ContactList).await?, Contacts)?;
        let is_silent = |row: &&ContactRow| {
            row.standing == Standing::Contact && !known.iter().any(|address| address.contains(&row.peer_id))
        };
        for contact in contacts.iter().filter(is_silent) {
            self.print(&format!("{}: nothing was said yet", safe_text(&contact.name)))?;
        }
        // Without a node nobody is near.
        if let Ok(Response::Nearby(rows)) = self.work.ask(Request::Nearby).await {
            let name = |row: &crate::api::model::NearbyRow| {
                called_node(row.name.as_deref(), row.nickname.as_deref(), &row.peer_id)
            };
            let near: Vec<String> = rows.iter().map(name).collect();
            self.print(&format!("near: {}", if near.is_empty() { "nobody".into() } else { near.join(", ") }))?;
        }
        if self.open.is_none() {
            self.print("/talk NAME begins; /help lists the rest")?;
        }
        Ok(())
    }

    async fn members(&mut self) -> Outcome {
        let Some((who, _)) = self.open.clone() else { return self.print("no conversation is open: /talk NAME") };
        let rows = take!(self.work.ask(Request::GroupMembers { group: who }).await?, Members)?;
        for row in rows {
            let name = if row.me { "me".into() } else { called(row.name.as_deref().unwrap_or(&row.address)) };
            let role = match row.role {
                MemberRole::Owner => ", owner",
                MemberRole::Invited => ", invited",
                MemberRole::Member => "",
            };
            self.print(&format!("{name}{role}"))?;
        }
        Ok(())
    }

    async fn search(&mut self, query: &str) -> Outcome {
        let rows = self.work.list(Listing::Search { q: query.to_owned(), limit: Some(FIRST_ROWS) }).await?;
        let mut count = 0;
        for row in rows {
            let Row::Search(SearchRow { row, conversation_name, .. }) = row else { continue };
            count += 1;
            let place = called(conversation_name.as_deref().unwrap_or(&row.conversation));
            self.message(&Kept::of(row), &format!("in {place}: "))?;
        }
        if count == 0 { self.print("nothing is found") } else { Ok(()) }
    }

    /// Something happened.
    async fn on(&mut self, event: Event) -> Outcome {
        match event {
            Event::Happened(row) => match *row {
                HappenedRow::Here { what, row, .. } => self.happened(what, *row).await,
                HappenedRow::Gone { .. } | HappenedRow::Beside { .. } => Ok(()),
            },
            Event::CutOff(why) if !self.cut_off => {
                self.cut_off = true;
                self.print(&safe_text(&why))
            }
            Event::Connected if self.cut_off => {
                self.cut_off = false;
                self.print("the node is there again")?;
                match self.open.clone() {
                    Some((who, name)) => self.catch_up(who, name).await,
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Prints what came while the node was away.
    async fn catch_up(&mut self, who: String, name: String) -> Outcome {
        match self.talk(who, name).await {
            Err(stop @ Stop::Error(_)) => self.print(&format!("failed: {}", safe_text(&said_of(stop)))),
            done => done,
        }
    }

    async fn happened(&mut self, what: Happened, row: TalkRow) -> Outcome {
        let is_open = self.open.as_ref().is_some_and(|(who, _)| *who == row.conversation);
        let known = self.numbered.iter().find(|(_, known)| known.id == row.id).map(|(_, known)| known.state);
        let (is_news, known) = (known != Some(row.state), known.is_some());
        match what {
            Happened::Message if is_open && !known => {
                let (id, unread) = (row.id.clone(), !row.read && row.unreadable.is_none());
                self.message(&Kept::of(row), "")?;
                if unread && self.has_reader {
                    self.work.mark(&[id]).await?;
                }
                Ok(())
            }
            Happened::Message if !row.mine && !is_open => {
                let name = called(row.from.name.as_deref().unwrap_or(&row.from.address));
                self.print(&format!("new from {name} elsewhere: /who lists what is unread"))
            }
            Happened::Change if known && is_open => self.message(&Kept::of(row), "changed: "),
            Happened::State if known && is_news && is_open && row.state >= Some(State::Full) => {
                let number = self.number(&row);
                let state = row.state.map(|state| state.said()).unwrap_or_default();
                self.print(&format!("[{number}] {state}"))
            }
            _ => Ok(()),
        }
    }
}

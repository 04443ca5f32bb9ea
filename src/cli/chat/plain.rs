//! Line by line: for screen readers, and for terminals that cannot move their cursor. What comes is printed below what was
//! there, and a line that is typed is sent. What is typed of one stands below all that comes meanwhile, and is kept as a draft
//! like what is written on a whole screen.

use std::collections::VecDeque;
use std::io::BufRead;

use futures::StreamExt;
use jiff::Zoned;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, sleep_until};

use super::lines;
use super::model::Event;
use super::typing::{self, Chunk, Keys, Line};
use super::window::Kept;
use super::work::{Work, said, said_of};
use super::writing::Slot;
use crate::api::model::{
    ContactRow, DraftRow, Happened, HappenedRow, Listing, MemberRole, Request, Row, SearchRow, Standing, State, TalkRow,
};
use crate::api::{ApiError, Response};
use crate::cli::inbox::words;
use crate::cli::link::take;
use crate::cli::out::{Out, Style};
use crate::cli::signals::{self, Signals};
use crate::cli::talk::APP;
use crate::cli::who::{called, called_by_itself, called_node, short_id};
use crate::cli::{Outcome, Stop, changes};
use crate::safe_text::{one_line_of_prose, safe_text};

mod line;

const HELP: &str = "\
a line you type is sent; these are not:
/talk NAME        the conversation with somebody; what you type goes there
/reply N WORDS    answer the message with that number
/thread N         only the thread that it is in
/edit N WORDS     put other words in its place, where it is yours
/react N EMOJI    react to it, or take that back
/file PATH WORDS  send a file, in quotes where its name has blanks, with words or without
/save N DIRECTORY save the files that came with it, or ask for them
/who              with whom you talk, what is unread, and who is near
/draft            go on with what you wrote here and did not send
/members          who is in this group
/search WORDS     search all conversations
/accept NAME      make who wrote this request a contact, under that name
/block            take nothing more from them
/quit             end
//WORDS           send a line that begins with /
Alt-Enter begins a new line of the same message; what is pasted waits for Enter.
Ctrl-U takes away what you typed, Ctrl-Z goes to the shell. What is not sent is
kept as a draft.
";
/// On a narrower terminal what a command does stands below it.
const HELP_COLUMNS: usize = 80;

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
    /// Where a person types on a terminal.
    keys: Option<Keys>,
    line: Line,
    /// What the line answers, of a draft that somebody goes on with, and the draft that waits for that.
    answers: Option<String>,
    draft: Option<(Slot, DraftRow)>,
    /// Whether the line stands on the terminal as it is, below everything else.
    stands: std::cell::Cell<bool>,
    /// It was stopped by its own key, and has shown the line again since.
    is_woken: bool,
    /// Which state of the line is kept.
    kept: u64,
    keep_at: Option<Instant>,
    is_kept_nowhere: bool,
}

/// Where lines come from.
enum Typed {
    Lines(Receiver<String>),
    Keys(Receiver<Chunk>),
}

/// Something typed: a line from a program, or keys.
enum Next {
    Line(String),
    Keys(Chunk),
    End,
}

impl Typed {
    async fn next(&mut self) -> Next {
        match self {
            Typed::Lines(lines) => lines.recv().await.map_or(Next::End, Next::Line),
            Typed::Keys(keys) => keys.recv().await.map_or(Next::End, Next::Keys),
        }
    }
}

/// `has_reader` says that the output is a terminal, `has_keys` that the input is one as well.
pub async fn run(
    work: &Work<'_>,
    open: Option<(String, String)>,
    has_reader: bool,
    has_keys: bool,
    out: &Out,
) -> Outcome {
    let numbered = VecDeque::new();
    let cannot = |error| ApiError::failure(format!("cannot use the terminal: {error}"));
    let keys = (has_reader && has_keys).then(Keys::take).transpose().map_err(cannot)?;
    let mut plain = Plain {
        work,
        out,
        has_reader,
        open: None,
        numbered,
        last_number: 0,
        slot: 0,
        cut_off: false,
        keys,
        line: Line::default(),
        answers: None,
        draft: None,
        stands: true.into(),
        is_woken: false,
        kept: 0,
        keep_at: None,
        is_kept_nowhere: false,
    };
    let ended = plain.turns(open).await;
    // First the terminal: whatever comes next, the person has it back.
    drop(plain.keys.take());
    plain.end().await;
    ended
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

/// Rows at the end of a conversation, or of one of its threads.
fn page(who: &str, limit: u32, unread: bool, thread: Option<String>) -> Listing {
    Listing::Talk {
        who: who.to_owned(),
        limit: Some(limit),
        before: None,
        after: None,
        thread,
        unread,
        from_unread: None,
        glance: false,
    }
}

impl Plain<'_> {
    async fn turns(&mut self, open: Option<(String, String)>) -> Outcome {
        let mut signals = Signals::count()?;
        let mut wakes = signals::wakes()?;
        let mut happenings = std::pin::pin!(self.work.happenings());
        // Followed before anything is listed, so that nothing falls between.
        if let Some(event) = happenings.next().await {
            self.on(event).await?;
        }
        match open {
            Some((who, name)) => self.talk(who, name).await?,
            None => self.who().await?,
        }
        let cannot = |error| ApiError::failure(format!("the system gives no threads: {error}"));
        let mut typed = match self.keys.is_some() {
            true => Typed::Keys(typing::chunks().map_err(cannot)?),
            false => Typed::Lines(typed()?),
        };
        loop {
            self.show_line()?;
            let keep_at = self.keep_at;
            let keep = async {
                match keep_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                next = typed.next() => match next {
                    Next::Line(line) => if self.line(&line).await? { return Ok(()) },
                    Next::Keys(chunk) => if self.keys(&chunk).await? { return Ok(()) },
                    Next::End => return Ok(()),
                },
                Some(event) = happenings.next() => self.on(event).await?,
                () = keep => self.keep().await?,
                _ = wakes.recv() => {
                    self.keys.as_ref().map_or(Ok(()), Keys::again)?;
                    if !std::mem::take(&mut self.is_woken) {
                        self.stands.set(false);
                    }
                }
                () = signals.asked(1) => return Err(Stop::Interrupted),
            }
        }
    }

    /// A line that was typed; whether it ends the conversation.
    async fn line(&mut self, line: &str) -> Result<bool, Stop> {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let done = match command {
            "/quit" | "/q" => return Ok(true),
            "/help" | "/?" => self.help(),
            "/accept" => self.accept(rest).await,
            "/block" => self.block().await,
            "/who" | "/w" => self.who().await,
            "/talk" | "/t" if rest.is_empty() => self.who().await,
            "/talk" | "/t" => match self.work.recipient(rest).await {
                Ok(found) => self.talk(found.to_address, found.to).await,
                Err(error) => Err(error.into()),
            },
            "/reply" | "/r" => self.reply(rest).await,
            "/react" => self.react(rest).await,
            "/draft" => self.take_up(),
            "/thread" => self.thread(rest).await,
            "/edit" | "/e" => self.edit(rest).await,
            "/file" | "/f" => self.file(rest).await,
            "/save" => self.save(rest).await,
            "/members" | "/group" => self.members().await,
            "/search" | "/s" => self.search(rest).await,
            _ if line.trim().is_empty() => Ok(()),
            _ if line.starts_with("//") => self.send(line[1..].to_owned(), self.answers.clone()).await,
            _ if line.starts_with('/') => {
                self.print(&format!("{} is not known; /help lists what is", safe_text(command)))
            }
            _ => self.send(line.to_owned(), self.answers.clone()).await,
        };
        match done {
            // What went wrong is said, and the next line is read; a reader who is gone is the end.
            Err(Stop::Error(error)) => self.print(&format!("failed: {}", safe_text(&said(error))))?,
            done => done?,
        }
        // What was kept of the line was sent, or was no words.
        if self.line.is_empty() && self.keys.is_some() {
            (self.keep_at, self.kept, self.answers) = (None, self.line.version, None);
            if let Some((who, _)) = self.open.clone() {
                let _ = self.work.keep(self.slot, who, String::new(), None).await;
            }
        }
        Ok(false)
    }

    async fn talk(&mut self, who: String, name: String) -> Outcome {
        self.print(&format!("-- {} --", called(&name)))?;
        self.open = Some((who.clone(), name.clone()));
        if self.line.is_empty() {
            self.slot += 1;
        }
        let mut rows = self.work.talk(page(&who, UNREAD_ROWS_MAX, true, None)).await?;
        if rows.len() < FIRST_ROWS as usize {
            rows = self.work.talk(page(&who, FIRST_ROWS, false, None)).await?;
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
        self.recall(who, name).await
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

    /// Whether an address is one's own, as far as something of one's own was printed.
    fn is_me(&self, address: &str) -> bool {
        self.numbered.iter().any(|(_, row)| row.mine && row.from.address == address)
    }

    async fn react(&mut self, rest: &str) -> Outcome {
        let (number, emoji) = rest.split_once(' ').unwrap_or((rest, ""));
        let row = self.numbered(number)?;
        let emoji = emoji.trim();
        let is_mine = |other: &crate::api::model::ReactionRow| other.emoji == emoji && self.is_me(&other.who.address);
        let on = !row.changes.reactions.iter().any(is_mine);
        let reaction = crate::api::model::WishedReaction { emoji: emoji.to_owned(), on };
        let wish = crate::api::model::Wish { id: row.id, reaction: Some(reaction), ..Default::default() };
        take!(self.work.ask(Request::Change(wish)).await?, Sent)?;
        Ok(())
    }

    async fn send(&mut self, text: String, answers: Option<String>) -> Outcome {
        let Some((who, name)) = self.open.clone() else {
            return Err(ApiError::usage("nobody is there to write to").advise("say whom with /talk NAME").into());
        };
        // In the place of what was kept of it.
        let slot = self.slot;
        self.slot += 1;
        match self.work.send(slot, who, text, answers).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let why = safe_text(&said(error));
                self.print(&format!("not sent to {}: {why}; see dak draft", called(&name)))
            }
        }
    }

    /// Prints the thread of a message.
    async fn thread(&mut self, number: &str) -> Outcome {
        let row = self.numbered(number)?;
        let thread = row.thread.clone().unwrap_or_else(|| row.id.clone());
        let wanted = page(&row.conversation, UNREAD_ROWS_MAX, false, Some(thread));
        let rows = self.work.talk(wanted).await?;
        self.print(&format!("-- a thread of {} --", rows.len()))?;
        rows.iter().try_for_each(|kept| self.message(kept, ""))
    }

    async fn edit(&mut self, rest: &str) -> Outcome {
        let (number, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let row = self.numbered(number)?;
        if !row.mine {
            return Err(ApiError::usage("only what you wrote yourself can be edited")
                .advise("answer it: /reply")
                .into());
        }
        if text.trim().is_empty() {
            return Err(ApiError::usage("an edit needs words").advise("type them behind the number").into());
        }
        let wish = crate::api::model::Wish { id: row.id, body: Some(text.to_owned()), ..Default::default() };
        take!(self.work.ask(Request::Change(wish)).await?, Sent)?;
        Ok(())
    }

    async fn file(&mut self, rest: &str) -> Outcome {
        let Some((who, name)) = self.open.clone() else {
            return Err(ApiError::usage("nobody is there to write to").advise("say whom with /talk NAME").into());
        };
        let (path, text) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some(quoted) => quoted,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        if path.is_empty() {
            return Err(ApiError::usage("no file is named").advise("type its path behind /file").into());
        }
        self.work.send_file(self.slot, who, text.trim().to_owned(), None, path).await?;
        self.slot += 1;
        self.print(&format!("sent to {}", called(&name)))
    }

    async fn save(&mut self, rest: &str) -> Outcome {
        let (number, directory) = rest.split_once(' ').unwrap_or((rest, "."));
        let row = self.numbered(number)?;
        let is_offered = |state: &str| state == "offered";
        let offered = row.files.iter().filter(|file| file.state.as_deref().is_some_and(is_offered));
        let offered: Vec<String> = offered.filter_map(|file| file.id.clone()).collect();
        let mut told = Vec::new();
        match offered.is_empty() {
            true => told.extend(self.work.saved(row.id, directory.trim()).await?),
            false => {
                for id in offered {
                    told.extend(self.work.asked_for(id).await?);
                }
            }
        }
        told.into_iter().try_for_each(|event| if let Event::Told(words) = event { self.print(&words) } else { Ok(()) })
    }

    async fn who(&mut self) -> Outcome {
        let rows = self.work.list(Listing::Talks { all: false }).await?;
        let mut known = Vec::new();
        let rows: Vec<_> =
            rows.into_iter().filter_map(|row| if let Row::Talks(row) = row { Some(row) } else { None }).collect();
        let mut requests = rows.iter().filter(|row| row.request).count();
        for row in rows {
            if row.request && requests > 0 {
                let says = if requests == 1 { "1 request:".into() } else { format!("{requests} requests:") };
                self.print(&format!("{says} /talk opens it, then /accept NAME or /block"))?;
                requests = 0;
            }
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

    fn help(&self) -> Outcome {
        match &self.keys {
            Some(keys) if keys.columns() < HELP_COLUMNS => {
                let below = |line: &str| match line.split_once("  ").filter(|_| line.starts_with('/')) {
                    Some((command, does)) => format!("{command}\n  {}", does.trim_start()),
                    None => line.to_owned(),
                };
                self.print(&HELP.lines().map(below).collect::<Vec<_>>().join("\n"))
            }
            _ => self.data(HELP),
        }
    }

    /// The open conversation, where who wrote has no name here.
    async fn request(&self) -> Result<String, Stop> {
        let rows = self.work.list(Listing::Talks { all: true }).await?;
        let open = self.open.as_ref().map(|(who, _)| who.as_str());
        let is_it =
            |row: &Row| matches!(row, Row::Talks(row) if row.request && Some(row.conversation.as_str()) == open);
        match open.filter(|_| rows.iter().any(is_it)) {
            Some(who) => Ok(who.to_owned()),
            None => Err(ApiError::usage("no request is open").advise("open one of those that /who lists").into()),
        }
    }

    async fn accept(&mut self, name: &str) -> Outcome {
        if name.is_empty() {
            return Err(ApiError::usage("no name is given").advise("type it behind /accept").into());
        }
        let who = self.request().await?;
        let event = self.work.accepted(who.clone(), name.to_owned()).await?;
        self.open = Some((who, name.to_owned()));
        self.told(event)
    }

    async fn block(&mut self) -> Outcome {
        let event = self.work.blocked(self.request().await?).await?;
        self.told(event)
    }

    fn told(&self, event: Event) -> Outcome {
        if let Event::Told(words) = event { self.print(&safe_text(&words)) } else { Ok(()) }
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

    async fn lines_of_apps(&mut self, who: &str) -> Outcome {
        let rows = self.work.talk(page(who, FIRST_ROWS, false, None)).await?;
        let is_known = |row: &TalkRow| self.numbered.iter().any(|(_, known)| known.id == row.id);
        let new: Vec<Kept> = rows.into_iter().filter(|kept| kept.row.kind == APP && !is_known(&kept.row)).collect();
        let ids: Vec<String> = new.iter().filter(|kept| !kept.row.read).map(|kept| kept.row.id.clone()).collect();
        new.iter().try_for_each(|kept| self.message(kept, ""))?;
        if self.has_reader {
            self.work.mark(&ids).await?;
        }
        Ok(())
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
            // What its users told each other may have a line in the conversation.
            Happened::Update if is_open => self.lines_of_apps(&row.conversation).await,
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

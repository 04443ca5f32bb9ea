//! What each line does that somebody typed: a command, or words to be sent.

use super::{FIRST_ROWS, Plain, UNREAD_ROWS_MAX, page};
use crate::api::model::{
    ContactRow, Listing, MemberRole, NearbyRow, ReactionRow, Request, Row, SearchRow, Standing, Wish, WishedReaction,
};
use crate::api::{ApiError, Response};
use crate::cli::chat::model::Event;
use crate::cli::chat::window::Kept;
use crate::cli::chat::work::said;
use crate::cli::inbox::words;
use crate::cli::link::take;
use crate::cli::who::{called, called_by_itself, called_node};
use crate::cli::{Outcome, Stop};
use crate::safe_text::{one_line_of_prose, safe_text};

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

impl Plain<'_> {
    /// A line that was typed; whether it ends the conversation.
    pub(super) async fn line(&mut self, line: &str) -> Result<bool, Stop> {
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
        self.goes_on(done)?;
        // What was kept of the line was sent, or was no words.
        if self.line.is_empty() && self.keys.is_some() {
            (self.keep_at, self.kept, self.answers) = (None, self.line.version, None);
            if let Some((who, _)) = self.open.clone() {
                let _ = self.work.keep(self.slot, who, String::new(), None).await;
            }
        }
        Ok(false)
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
        let is_mine = |other: &ReactionRow| other.emoji == emoji && self.is_me(&other.who.address);
        let on = !row.changes.reactions.iter().any(is_mine);
        let reaction = WishedReaction { emoji: emoji.to_owned(), on };
        let wish = Wish { id: row.id, reaction: Some(reaction), ..Default::default() };
        take!(self.work.ask(Request::Change(wish)).await?, Sent)?;
        Ok(())
    }

    async fn send(&mut self, text: String, answers: Option<String>) -> Outcome {
        let Some((to, name)) = self.open.clone() else {
            return Err(ApiError::usage("nobody is there to write to").advise("say whom with /talk NAME").into());
        };
        // In the place of what was kept of it.
        let slot = self.slot;
        self.slot += 1;
        match self.work.send(slot, to.clone(), text, answers).await {
            // The node tells of it; where none runs nobody does.
            Ok(_) if self.cut_off => match self.work.talk(page(&to, 1, false, None)).await?.last() {
                Some(kept) => self.message(kept, ""),
                None => Ok(()),
            },
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
        let wish = Wish { id: row.id, body: Some(text.to_owned()), ..Default::default() };
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

    pub(super) async fn who(&mut self) -> Outcome {
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
            let name = |row: &NearbyRow| called_node(row.name.as_deref(), row.nickname.as_deref(), &row.peer_id);
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
}

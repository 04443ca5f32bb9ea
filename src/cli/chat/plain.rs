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
use super::work::{Work, said};
use super::writing::Slot;
use crate::api::ApiError;
use crate::api::model::{DraftRow, Happened, HappenedRow, Listing, State, TalkRow};
use crate::cli::out::{Out, Style};
use crate::cli::signals::{self, Signals};
use crate::cli::talk::APP;
use crate::cli::who::{called, short_id};
use crate::cli::{Outcome, Stop, changes};
use crate::safe_text::safe_text;

mod commands;
mod line;

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
        let opened = match open {
            Some((who, name)) => self.talk(who, name).await,
            None => self.who().await,
        };
        // A person is there to read what failed, and can go on; a program hears of it by the end.
        match self.keys {
            Some(_) => self.goes_on(opened)?,
            None => opened?,
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

    /// Says what went wrong, such as a node that ended in the middle, behind which the conversation goes on; a reader who is
    /// gone is its end.
    fn goes_on(&self, done: Outcome) -> Outcome {
        match done {
            Err(Stop::Error(error)) => self.print(&format!("failed: {}", safe_text(&said(error)))),
            done => done,
        }
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

    /// Something happened.
    async fn on(&mut self, event: Event) -> Outcome {
        match event {
            Event::Happened(row) => match *row {
                HappenedRow::Here { what, row, .. } => {
                    let done = self.happened(what, *row).await;
                    self.goes_on(done)
                }
                HappenedRow::Gone { .. } | HappenedRow::Beside { .. } => Ok(()),
            },
            Event::CutOff(why) if !self.cut_off => {
                self.cut_off = true;
                self.print(&safe_text(&why))
            }
            Event::Connected if self.cut_off => {
                self.cut_off = false;
                self.print("the node is there again")?;
                // What came while it was away.
                match self.open.clone() {
                    Some((who, name)) => {
                        let caught_up = self.talk(who, name).await;
                        self.goes_on(caught_up)
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
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

//! Where words go: data to stdout, talk to stderr, colours only where somebody looks.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex};

use jiff::Zoned;

use super::next_steps::in_commands;
use super::{Outcome, times};
use crate::api::ApiError;
use crate::api::model::{Response, When, json_line};
use crate::safe_text::safe_text;

/// How and for whom a command prints.
#[derive(Clone)]
pub struct Out {
    pub json: bool,
    pub style: Style,
    data: Sink,
    talk: Sink,
}

/// Where bytes end up: the process's own streams, or a test.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// What texts are laid out for.
#[derive(Clone, Debug)]
pub struct Style {
    /// Columns of a line; none where no terminal shows it, and then nothing is cut.
    pub width: Option<usize>,
    pub color: bool,
    /// When it is printed, in the person's time zone.
    pub now: Zoned,
}

/// When and where a message was written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub sent_at: Option<When>,
    /// The writer's offset from UTC in minutes.
    pub offset: Option<i16>,
    pub mine: bool,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Dim,
    Bold,
    Good,
    Warn,
    Bad,
}

/// A terminal that does not say how wide it is.
const WIDTH_DEFAULT: usize = 80;
/// Narrower than this nothing can be laid out.
const WIDTH_MIN: usize = 20;

impl Out {
    pub fn of_this_process(json: bool) -> Out {
        let style = Style { width: width(), color: wants_color(), now: Zoned::now() };
        Out::new(json, style, Arc::new(Mutex::new(io::stdout())), Arc::new(Mutex::new(io::stderr())))
    }

    pub fn new(json: bool, style: Style, data: Sink, talk: Sink) -> Out {
        Out { json, style, data, talk }
    }

    /// Writes text as it is. The caller has made it safe.
    pub fn data(&self, text: &str) -> Outcome {
        self.bytes(text.as_bytes())
    }

    pub fn bytes(&self, bytes: &[u8]) -> Outcome {
        let mut sink = self.data.lock().expect("nobody panics while writing");
        sink.write_all(bytes)?;
        Ok(sink.flush()?)
    }

    /// Prints an answer: as its JSON lines, or as `text` lays it out.
    pub fn answer(&self, response: &Response, text: impl FnOnce(&Style) -> String) -> Outcome {
        match self.json {
            true => self.data(&response.json_lines()),
            false => self.data(&text(&self.style)),
        }
    }

    /// Prints one row likewise.
    pub fn row<T: serde::Serialize>(&self, row: &T, text: impl FnOnce(&Style) -> String) -> Outcome {
        match self.json {
            true => self.data(&json_line(row)),
            false => self.data(&text(&self.style)),
        }
    }

    /// Says something that is no data; silent where a program listens.
    pub fn talk(&self, text: &str) {
        if !self.json {
            self.say(&format!("{text}\n"));
        }
    }

    pub fn error(&self, error: ApiError) {
        let error = in_commands(error);
        let line = match self.json {
            true => json_line(&error.report()),
            false => format!("dak: {}\n", safe_text(&error.to_string())),
        };
        self.say(&line);
    }

    /// Writes to stderr; somebody who closed it does not want to hear.
    pub fn say(&self, text: &str) {
        let _ = self.talk.lock().expect("nobody panics while writing").write_all(text.as_bytes());
    }
}

impl Style {
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.color => return text.to_owned(),
            Paint::Plain => return text.to_owned(),
            Paint::Dim => "2",
            Paint::Bold => "1",
            Paint::Good => "32",
            Paint::Warn => "33",
            Paint::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// When something was written, or what time its writer named; beside it the writer's own clock, where that says
    /// something else: `today 18:00 (09:00 theirs)`.
    pub fn when_written(&self, when: When, by: &Written) -> String {
        let here = times::whole(when, &self.now);
        let there = by.offset.and_then(|offset| times::elsewhere(when, by.sent_at, offset, &self.now));
        match there {
            Some(there) => format!("{here} ({there} {})", if by.mine { "where I wrote" } else { "theirs" }),
            None => here,
        }
    }

    /// `today 11:02`; a dash where there was no clock.
    pub fn when(&self, when: Option<When>) -> String {
        when.map_or_else(|| "-".into(), |when| times::short(when, &self.now))
    }
}

/// Colours need a terminal that knows them and a person who wants them (no-color.org).
fn wants_color() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stdout().is_terminal() && !unwanted && !dumb
}

fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    let columns = said.or_else(measured).filter(|columns| *columns > 0).unwrap_or(WIDTH_DEFAULT);
    Some(columns.max(WIDTH_MIN))
}

/// Whether a person sits at stdin.
pub fn stdin_is_person() -> bool {
    io::stdin().is_terminal()
}

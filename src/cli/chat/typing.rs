//! A line that somebody types on a terminal without a screen of its own: taken in key by key, so that it is still known when
//! something else is printed meanwhile, and is shown again below that.

use std::io::{self, Read};
use std::time::Instant;

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc::{Receiver, channel};

use super::bursts::{Before, PASTE_PAUSE};
use super::compose::Compose;
use crate::safe_text::columns;

/// Bytes are taken from the terminal by so many.
const CHUNK_BYTES: usize = 4_096;
/// Chunks that were typed and not worked on.
const CHUNKS_AHEAD: usize = 16;

/// What a key asks for that is more than a letter.
#[derive(Debug, PartialEq, Eq)]
pub enum Deed {
    /// The line is done.
    Enter(String),
    /// Some lines were pasted: nothing was sent yet.
    Pasted(usize),
    /// A message holds no more.
    Full,
    /// What is typed is to be shown once more, below.
    Again,
    Interrupt,
    Suspend,
    End,
}

/// What came from the terminal at once.
#[derive(Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// It came just behind the one before.
    pub follows: bool,
}

/// The line as it stands.
#[derive(Debug, Default)]
pub struct Line {
    pub compose: Compose,
    /// Goes up with every change.
    pub version: u64,
    /// The beginning of a character, and of a key that is no character.
    character: Vec<u8>,
    escape: Escape,
    before: Before,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    /// Up to a letter.
    Long,
    /// One more.
    Short,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.compose.text().is_empty()
    }

    pub fn put(&mut self, text: String) {
        self.compose = Compose::of(text);
        self.version += 1;
    }

    /// What stands on the terminal of it.
    pub fn shown(&self) -> String {
        shown(self.compose.text())
    }

    /// Looks at what came, before it is taken in: of lines that come at once none is sent.
    pub fn begin(&mut self, chunk: &Chunk) {
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let is_more_than_a_line = chunk.bytes.iter().position(ends).is_some_and(|at| at + 1 < chunk.bytes.len());
        self.before = self.before.next(chunk.bytes.len(), chunk.follows, is_more_than_a_line);
    }

    /// Takes bytes in up to a deed; returns what to echo before it, for a terminal of so many columns.
    pub fn take(&mut self, bytes: &mut &[u8], width: usize) -> (String, Option<Deed>) {
        let (mut echo, begun, mut lines) = (String::new(), bytes.len(), 0);
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if let Some(deed) = self.key(byte, width, &mut echo, &mut lines) {
                return (echo, Some(deed));
            }
        }
        let is_paste = self.before.is_paste() && begun > 0 && lines > 0;
        (echo, is_paste.then(|| Deed::Pasted(self.compose.text().lines().count())))
    }

    fn key(&mut self, byte: u8, width: usize, echo: &mut String, lines: &mut usize) -> Option<Deed> {
        match (std::mem::take(&mut self.escape), byte) {
            (Escape::None, _) => {}
            (Escape::Begun, b'[') => {
                self.escape = Escape::Long;
                return None;
            }
            (Escape::Begun, b'O') => {
                self.escape = Escape::Short;
                return None;
            }
            (Escape::Begun, b'\r' | b'\n') => return self.put_in("\n", echo),
            (Escape::Long, 0x20..=0x3f) => {
                self.escape = Escape::Long;
                return None;
            }
            _ => return None,
        }
        match byte {
            0x03 => return Some(Deed::Interrupt),
            0x04 if self.is_empty() => return Some(Deed::End),
            0x08 | 0x7f => return self.shorter(Compose::backspace, width, echo),
            0x0c | 0x12 => return Some(Deed::Again),
            b'\r' | b'\n' if self.before.is_paste() => {
                *lines += 1;
                return self.put_in("\n", echo);
            }
            b'\r' | b'\n' => {
                echo.push('\n');
                self.version += 1;
                return Some(Deed::Enter(std::mem::take(&mut self.compose).text().to_owned()));
            }
            0x15 => return self.shorter(|compose| *compose = Compose::default(), width, echo),
            0x17 => return self.shorter(Compose::rub_out_word, width, echo),
            0x1a => return Some(Deed::Suspend),
            0x1b => self.escape = Escape::Begun,
            b'\t' | 0x20.. => {
                self.character.push(byte);
                return match std::str::from_utf8(&self.character).map(str::to_owned) {
                    Ok(text) => {
                        self.character.clear();
                        self.put_in(&text, echo)
                    }
                    Err(error) if error.error_len().is_none() => None,
                    // What is no text has a mark in its place.
                    Err(_) => {
                        self.character.clear();
                        self.put_in("\u{fffd}", echo)
                    }
                };
            }
            _ => {}
        }
        None
    }

    fn put_in(&mut self, text: &str, echo: &mut String) -> Option<Deed> {
        if !self.compose.insert(text) {
            return Some(Deed::Full);
        }
        self.version += 1;
        echo.push_str(&shown(text));
        None
    }

    /// Takes something away at the end of the line, and from the terminal where the cursor can go back so far.
    fn shorter(&mut self, take: impl Fn(&mut Compose), width: usize, echo: &mut String) -> Option<Deed> {
        let before = self.shown();
        take(&mut self.compose);
        let after = self.shown();
        if before == after {
            return None;
        }
        self.version += 1;
        let last = |text: &str| columns(text.rsplit('\n').next().unwrap_or_default());
        let gone = before.strip_prefix(after.as_str()).filter(|gone| !gone.contains('\n'));
        match gone {
            Some(gone) if last(&before) < width => {
                echo.push_str(&"\u{8} \u{8}".repeat(columns(gone)));
                None
            }
            _ => Some(Deed::Again),
        }
    }
}

/// A text as it is echoed: safe, and in the lines that it has.
fn shown(text: &str) -> String {
    Compose::of(text.to_owned()).lay_out(usize::MAX).lines.join("\n")
}

/// The terminal, which hands over each key and echoes none, for as long as this lives.
pub struct Keys {
    before: Termios,
}

impl Keys {
    pub fn take() -> io::Result<Keys> {
        let keys = Keys { before: tcgetattr(io::stdin())? };
        keys.again()?;
        Ok(keys)
    }

    /// Takes it once more, whatever was done to it.
    pub fn again(&self) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &modes)?)
    }

    fn give_back(&self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }

    /// Gives it to the shell for as long as this process, and those it was started with, are stopped.
    pub fn suspend(&self) -> io::Result<()> {
        self.give_back();
        kill_current_process_group(Signal::TSTP)?;
        self.again()
    }

    pub fn columns(&self) -> usize {
        tcgetwinsize(io::stdout())
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|columns| *columns > 0)
            .unwrap_or(80)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What is typed, as it comes; it ends with the terminal.
pub fn chunks() -> io::Result<Receiver<Chunk>> {
    let (sender, receiver) = channel(CHUNKS_AHEAD);
    let wait = move || {
        let mut stdin = io::stdin().lock();
        let mut bytes = [0; CHUNK_BYTES];
        loop {
            let began = Instant::now();
            match stdin.read(&mut bytes) {
                Ok(many @ 1..) => {
                    let follows = began.elapsed() < PASTE_PAUSE;
                    if sender.blocking_send(Chunk { bytes: bytes[..many].to_vec(), follows }).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(wait)?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe_text::is_unsafe;
    use proptest::prelude::*;

    /// What is echoed and asked for when these bytes come at once.
    fn typed(line: &mut Line, bytes: &[u8]) -> (String, Vec<Deed>) {
        line.begin(&Chunk { bytes: bytes.to_vec(), follows: false });
        let (mut rest, mut all, mut deeds) = (bytes, String::new(), Vec::new());
        while !rest.is_empty() {
            let (echo, deed) = line.take(&mut rest, 80);
            all += &echo;
            deeds.extend(deed);
        }
        (all, deeds)
    }

    #[test]
    fn an_enter_that_is_the_last_piece_of_a_long_paste_sends_nothing() {
        let mut line = Line::default();
        let much = "a line of many\r".repeat(300);
        let is_sent = |(_, deeds): (String, Vec<Deed>)| deeds.iter().any(|deed| matches!(deed, Deed::Enter(_)));
        assert!(!is_sent(typed(&mut line, &much.as_bytes()[..CHUNK_BYTES])));
        assert!(!is_sent(typed(&mut line, b"\r")));
        assert!(is_sent(typed(&mut line, b"\r")), "the next one is somebody's");
    }

    #[test]
    fn letters_come_and_go_as_on_any_terminal() {
        let mut line = Line::default();
        assert_eq!(
            typed(&mut line, "pumä 漢\u{7f}\u{7f}\u{7f}p".as_bytes()).0,
            "pumä 漢\u{8} \u{8}\u{8} \u{8}\u{8} \u{8}\u{8} \u{8}p"
        );
        assert_eq!(line.compose.text(), "pump");
        assert_eq!(typed(&mut line, b" is\x17at camp\x1b[A\x1bOP").0, " is\u{8} \u{8}\u{8} \u{8}at camp");
        assert_eq!(typed(&mut line, b"\r"), ("\n".into(), vec![Deed::Enter("pump at camp".into())]));
        assert_eq!(typed(&mut line, b"x\x1b\ry\x15\x04").1, [Deed::Again, Deed::End]);
        assert_eq!(typed(&mut line, "\u{e4}".as_bytes().split_at(1).0), (String::new(), vec![]));
        assert_eq!(typed(&mut line, b"\xa4"), ("ä".into(), vec![]));
    }

    #[test]
    fn lines_that_are_pasted_wait_for_enter() {
        let mut line = Line::default();
        let lines = "the first of some lines\nand the second one\n";
        assert_eq!(typed(&mut line, lines.as_bytes()), (lines.into(), vec![Deed::Pasted(2)]));
        assert_eq!(typed(&mut line, b"\r").1, [Deed::Enter(lines.into())]);
        let one = "a line of more than thirty-two characters";
        assert_eq!(typed(&mut line, format!("{one}\r").as_bytes()).1, [Deed::Enter(one.into())]);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_nothing_raw_is_echoed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (echo, _) = typed(&mut Line::default(), &bytes);
            let raw = echo.chars().find(|c| is_unsafe(*c) && !matches!(c, '\n' | '\u{8}' | '\u{200c}' | '\u{200d}'));
            prop_assert_eq!(raw, None);
        }
    }
}

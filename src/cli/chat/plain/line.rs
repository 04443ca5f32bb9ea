//! The line that somebody types while other things are printed: shown again below them, and kept as a draft.

use tokio::time::{Instant, timeout};

use super::Plain;
use crate::api::ApiError;
use crate::cli::chat::typing::{Chunk, Deed, Keys};
use crate::cli::chat::work::said;
use crate::cli::inbox::words;
use crate::cli::{Outcome, Stop};
use crate::safe_text::{columns, one_line_of_prose, safe_text};

impl Plain<'_> {
    /// Prints a line of its own, below what is typed of the next one.
    pub(super) fn print(&self, text: &str) -> Outcome {
        self.data(&format!("{}\n", self.fitted(text)))
    }

    /// The same text in lines that a terminal shows whole: it would break them anywhere. What is no terminal gets them as
    /// they are.
    fn fitted(&self, text: &str) -> String {
        match &self.keys {
            Some(keys) => text.split('\n').map(|line| fitted(line, keys.columns())).collect::<Vec<_>>().join("\n"),
            None => text.to_owned(),
        }
    }

    pub(super) fn data(&self, text: &str) -> Outcome {
        if self.stands.replace(false) && !self.line.is_empty() {
            self.out.data("\n")?;
        }
        self.out.data(text)
    }

    /// What is typed of a line stands below what was printed since.
    pub(super) fn show_line(&self) -> Outcome {
        match self.stands.replace(true) {
            true => Ok(()),
            false => self.out.data(&self.line.shown()),
        }
    }

    /// Keys that were pressed; whether they end the conversation.
    pub(super) async fn keys(&mut self, chunk: &Chunk) -> Result<bool, Stop> {
        self.line.begin(chunk);
        let mut rest = chunk.bytes.as_slice();
        while !rest.is_empty() {
            let width = self.keys.as_ref().map_or(80, Keys::columns);
            let (echo, deed) = self.line.take(&mut rest, width);
            self.out.data(&echo)?;
            match deed {
                None => {}
                Some(Deed::Enter(line)) => {
                    if self.line(&line).await? {
                        return Ok(true);
                    }
                    self.show_line()?;
                }
                Some(Deed::Pasted(lines)) => {
                    let many = if lines == 1 { "1 line".into() } else { format!("{lines} lines") };
                    let says = self.fitted(&format!("({many}; Enter sends, Ctrl-U takes away what is typed)"));
                    self.out.data(&format!("\n{says}\n"))?;
                    let text = self.line.compose.text();
                    // The end of it is enough to go on behind.
                    let last = text.rsplit('\n').next().unwrap_or_default().to_owned();
                    self.out.data(&safe_text(&last))?;
                }
                Some(Deed::Full) => self.print("a message holds no more than that; send it as a file: /file PATH")?,
                Some(Deed::Again) => {
                    self.out.data(&format!("\n{}", self.line.shown()))?;
                }
                Some(Deed::Interrupt) => {
                    self.out.data("\n")?;
                    return Err(Stop::Interrupted);
                }
                Some(Deed::Suspend) => {
                    self.out.data("\n")?;
                    self.keep().await?;
                    self.keys.as_ref().map_or(Ok(()), Keys::suspend)?;
                    self.is_woken = true;
                    self.stands.set(false);
                }
                Some(Deed::End) => return Ok(true),
            }
        }
        if self.line.version > self.kept && self.keep_at.is_none() {
            self.keep_at = Some(Instant::now() + crate::cli::chat::UNKEPT);
        }
        Ok(false)
    }

    /// Keeps what is typed of a line as a draft, as far as it is something to send.
    pub(super) async fn keep(&mut self) -> Outcome {
        self.keep_at = None;
        if let Err(error) = self.kept().await
            && !std::mem::replace(&mut self.is_kept_nowhere, true)
        {
            self.print(&format!("what you write is not kept: {}", safe_text(&said(error))))?;
        }
        Ok(())
    }

    async fn kept(&mut self) -> Result<(), ApiError> {
        let Some((who, _)) = self.open.clone().filter(|_| self.line.version > self.kept) else { return Ok(()) };
        let version = self.line.version;
        let (text, answers) = self.meant(self.line.compose.text());
        self.work.keep(self.slot, who, text, answers).await?;
        (self.kept, self.is_kept_nowhere) = (version, false);
        Ok(())
    }

    /// What a line that is not done would send, and what that would answer.
    fn meant(&self, line: &str) -> (String, Option<String>) {
        if line.trim().is_empty() {
            return (String::new(), None);
        }
        let Some(command) = line.strip_prefix('/') else { return (line.to_owned(), self.answers.clone()) };
        let answered = command.strip_prefix("reply ").or_else(|| command.strip_prefix("r ")).map(str::trim_start);
        match answered.and_then(|rest| rest.split_once(' ')) {
            Some((number, words)) => (words.to_owned(), self.numbered(number).ok().map(|row| row.id)),
            None => (command.strip_prefix('/').map(|words| format!("/{words}")).unwrap_or_default(), None),
        }
    }

    /// Keeps what is left, or tells it once more.
    pub(super) async fn end(&mut self) {
        let kept = timeout(crate::cli::chat::ENDING_MAX, self.kept()).await;
        if !matches!(kept, Ok(Ok(()))) && !self.line.is_empty() {
            self.out.talk(&format!("not kept:\n{}", self.line.shown()));
        }
    }

    /// Tells what was written there and not sent.
    pub(super) async fn recall(&mut self, who: String, name: String) -> Outcome {
        self.draft = None;
        if !self.line.is_empty() {
            return Ok(());
        }
        let Some(draft) = self.work.recalled(self.slot, &who, Some(name)).await? else { return Ok(()) };
        let words = one_line_of_prose(&words(&draft.text), 1_000);
        let next = if self.keys.is_some() { "/draft".into() } else { format!("dak draft show {}", draft.number) };
        self.print(&format!("a draft waits: {words} ({next})"))?;
        self.draft = Some((self.slot, draft));
        self.slot += 1;
        Ok(())
    }

    /// Goes on with what was written and not sent.
    pub(super) fn take_up(&mut self) -> Outcome {
        let Some((slot, draft)) = self.draft.take().filter(|_| self.keys.is_some()) else {
            return Err(ApiError::usage("no draft waits here").advise("all of them are listed by `dak draft`").into());
        };
        self.slot = slot;
        self.answers = draft.in_reply_to;
        let text = if draft.text.starts_with('/') { format!("/{}", draft.text) } else { draft.text };
        self.line.put(text);
        self.kept = self.line.version;
        self.stands.set(false);
        Ok(())
    }
}

/// A line broken between its words, its rest behind two blanks more than it has itself. A word that is longer than a line stays
/// whole: an address is copied as it is.
fn fitted(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = " ".repeat(indent + 2);
    let options = textwrap::Options::new(width.max(8))
        .subsequent_indent(&rest)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(line, options).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_addresses_never() {
        let long = "[1] bob, today 16:06: The pump at the upper well leaks again";
        assert_eq!(fitted(long, 40), "[1] bob, today 16:06: The pump at the\n  upper well leaks again");
        assert_eq!(fitted("  indented words that go on", 20), "  indented words\n    that go on");
        let address = "https://example.org/a/very/long/path/that/does/not/fit";
        assert_eq!(fitted(&format!("see {address} there"), 30), format!("see\n  {address}\n  there"));
        assert_eq!(fitted(long, 80), long);
    }
}

//! Long text on a terminal goes through the person's pager, from its first line on; short text is just printed.
//!
//! What fits the first screen was shown. How far somebody reads on in a pager nobody can say: it takes more from its pipe than
//! it shows, and ends in the same way wherever its reader was.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use super::Outcome;
use super::out::Out;

/// What git's users know: quit if it fits, keep colours, leave the screen as it is.
const LESS: &str = "FRX";

/// Text on its way to a person.
pub struct Pager<'a> {
    out: &'a Out,
    /// What fits the screen so far, and how many lines that may be; none where nobody pages.
    held: String,
    lines_max: Option<usize>,
    child: Option<Child>,
    /// The person has seen enough.
    is_left: bool,
}

impl<'a> Pager<'a> {
    pub fn for_person(out: &'a Out) -> Pager<'a> {
        let lines_max = (!out.json && out.style.width.is_some()).then(height).flatten();
        Pager { out, held: String::new(), lines_max, child: None, is_left: false }
    }

    /// Writes text, which the caller has made safe.
    pub fn data(&mut self, text: &str) -> Outcome {
        let Some(lines_max) = self.lines_max else { return self.out.data(text) };
        if self.child.is_some() {
            self.write(text);
            return Ok(());
        }
        self.held += text;
        if self.held.lines().count() < lines_max {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        match start() {
            Some(child) => {
                self.child = Some(child);
                self.write(&held);
                Ok(())
            }
            None => {
                self.lines_max = None;
                self.out.data(&held)
            }
        }
    }

    /// Whether all that was written so far is on the screen.
    pub fn has_shown_all(&self) -> bool {
        self.child.is_none()
    }

    /// Whether the person left the pager before all was written: no more is asked for.
    pub fn is_left(&self) -> bool {
        self.is_left
    }

    fn write(&mut self, text: &str) {
        let stdin = self.child.as_mut().and_then(|child| child.stdin.as_mut());
        self.is_left |= stdin.is_none_or(|stdin| stdin.write_all(text.as_bytes()).is_err());
    }

    /// Prints what is left, or waits until the person has seen enough.
    pub fn end(mut self) -> Outcome {
        self.out.data(&std::mem::take(&mut self.held))?;
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
        Ok(())
    }
}

fn start() -> Option<Child> {
    let named = ["DAK_PAGER", "PAGER"].into_iter().find_map(|name| std::env::var(name).ok());
    let pager = named.unwrap_or_else(|| "less".into());
    if pager.trim().is_empty() || pager.trim() == "cat" {
        return None;
    }
    // A pager is a command line of its owner's, as for git and man.
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {pager}")]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let is_there = Command::new("sh").args(["-c", &format!("command -v {pager} >/dev/null")]).status();
    if is_there.is_ok_and(|status| status.success()) { command.spawn().ok() } else { None }
}

/// Lines of the terminal.
fn height() -> Option<usize> {
    let said = std::env::var("LINES").ok().and_then(|lines| lines.parse().ok());
    let measured = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_row));
    said.or_else(measured).filter(|lines| *lines > 1)
}

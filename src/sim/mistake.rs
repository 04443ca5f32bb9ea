//! What is wrong with a file that a person gave: where it stands, what it is, and what to do about it.

use std::fmt;

use crate::sim::recognise::Kind;
use crate::sim::seconds::Seconds;

/// A mistake in a trace, a workload or a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    pub file: String,
    /// From 1; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    pub mistake: Mistake,
}

/// The mistakes, each a sentence that ends with what to do. Text from files arrives here through [`shown`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    #[error("{found} is no {what}; write {form}")]
    Malformed { what: &'static str, found: String, form: &'static str },
    #[error("the file is cut here: its last line has {found} of {needed} fields; copy it again, or remove that line")]
    Cut { found: usize, needed: usize },
    #[error("a line of more than {max} bytes; this is no text file of the expected form")]
    LongLine { max: usize },
    #[error("{what} is negative ({found}); it must be 0 or more")]
    Negative { what: &'static str, found: String },
    #[error(
        "time runs backwards, from {} s to {} s; sort the file by time",
        Seconds(*.before_us), Seconds(*.at_us)
    )]
    Backwards { before_us: u64, at_us: u64 },
    #[error("node {node} is out of range; with {nodes} nodes the ids go from 0 to {}", nodes.saturating_sub(1))]
    OutOfRange { node: u64, nodes: u32 },
    #[error("node {node} meets itself; remove the line")]
    SelfContact { node: u64 },
    #[error(
        "{found} is what happens to a message; of The ONE's events keep those that have CONN in their second column"
    )]
    MessageEvent { found: String },
    #[error("nodes {a} and {b} go down without being up; add the `up` before it, or remove the line")]
    DownBeforeUp { a: u32, b: u32 },
    #[error("nodes {a} and {b} go up twice, the first time at {} s; add the `down` between, or remove one", Seconds(*.since_us))]
    UpTwice { a: u32, b: u32, since_us: u64 },
    #[error("the contact ends ({end}) before it starts ({start}); swap the two, or remove the line")]
    EndsBeforeStart { start: String, end: String },
    #[error("there is no {what} in it; check that this is the right file")]
    Empty { what: &'static str },
    #[error("the id {id} was used before, in line {line}; give each message its own")]
    SameId { id: String, line: u64 },
    #[error("message {id} goes from node {node} to itself; choose two nodes")]
    SelfAddressed { id: String, node: u32 },
    #[error("message {id} has {size} bytes, more than the {max} of one bundle; make it smaller")]
    TooLarge { id: String, size: u64, max: u64 },
    #[error("message {id} asks for a response of {found}, which is not simulated; remove the last field")]
    Response { id: String, found: String },
    #[error("it cannot be read: {why}")]
    Unreadable { why: String },
    /// A file of another kind than wanted.
    #[error("{0}")]
    Foreign(Kind),
    #[error(
        "{found} is of no known form, which are `time CONN a b up` (one), `t i j` (sociopatterns) and `a b start end` \
         (imote), with spaces, tabs or commas between"
    )]
    Unfamiliar { found: String },
    /// Something about a scenario, as a whole sentence.
    #[error("{0}")]
    Scenario(String),
}

impl InputError {
    pub fn at(file: &str, line: u64, mistake: Mistake) -> InputError {
        InputError { file: file.to_owned(), line: Some(line), mistake }
    }

    pub fn whole(file: &str, mistake: Mistake) -> InputError {
        InputError { file: file.to_owned(), line: None, mistake }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.mistake),
            None => write!(f, "{}: {}", self.file, self.mistake),
        }
    }
}

impl std::error::Error for InputError {}

/// Quotes bytes of a file for a terminal: escaped, and cut after 40 characters.
pub fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let start: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let more = if text.chars().count() > 40 { "…" } else { "" };
    format!("`{start}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_file_line_and_what_to_do() {
        let error = InputError::at("t.txt", 3, Mistake::OutOfRange { node: 9, nodes: 4 });
        assert_eq!(error.to_string(), "t.txt:3: node 9 is out of range; with 4 nodes the ids go from 0 to 3");
    }

    #[test]
    fn text_of_a_file_never_reaches_the_terminal_raw() {
        assert_eq!(shown(b"\x1b[2J"), "`\\u{1b}[2J`");
        assert!(shown(&[b'x'; 100]).len() < 50);
    }
}

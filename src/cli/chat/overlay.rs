//! What is shown over everything for a moment: the keys, what a search found, who is in a group, who is near.

use super::lines::{Line, wrapped};
use crate::api::model::{MemberRole, MemberRow, NearbyRow, SearchRow, TalkRow};
use crate::cli::inbox::words;
use crate::cli::out::Paint;
use crate::cli::talk::talker;
use crate::cli::who::{called, called_node};
use crate::safe_text::{one_line_of_prose, safe_text};

const HELP: &[(&str, &str)] = &[
    ("Tab, Shift-Tab", "from the list to the messages to what you write, and back"),
    ("Enter", "send; in the list, open; in the messages, answer"),
    ("Alt-Enter, Ctrl-J", "a new line"),
    ("Page Up, Page Down", "through the messages, also while you write"),
    ("Esc", "from writing to the messages; ends an answer or an edit"),
    ("Ctrl-K, /", "search"),
    ("r", "answer the chosen message"),
    ("t", "only the thread that it is in; Esc goes back"),
    ("+", "react to it, or take that back"),
    ("e", "edit it, or your last one"),
    ("s", "save its files, or ask for them"),
    ("a, b", "accept a request under a name, or block who asks"),
    ("g", "who is in this group"),
    ("n", "who is near"),
    ("i", "write"),
    ("?, F1", "these keys"),
    ("u, Ctrl-N", "the next conversation with something unread"),
    ("f, Ctrl-F", "send a file, with what you write"),
    ("Ctrl-Z", "to the shell, and back with fg"),
    ("q, Ctrl-C", "quit; what you write is kept as a draft"),
];

#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    pub title: String,
    entries: Vec<Entry>,
    /// Whether one of the entries can be chosen.
    chooses: bool,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    text: String,
    row: Option<(Box<TalkRow>, String)>,
}

/// A message to go to, in the conversation of this name.
pub struct Chosen {
    pub row: Box<TalkRow>,
    pub name: String,
}

impl Overlay {
    pub fn help() -> Overlay {
        let lines = HELP.iter().map(|(key, does)| format!("{key:<18}  {does}"));
        Overlay::of("keys", lines.collect())
    }

    pub fn found(rows: Vec<SearchRow>) -> Overlay {
        let entry = |found: SearchRow| {
            let SearchRow { row, conversation_name, .. } = found;
            let name = called(conversation_name.as_deref().unwrap_or(&row.conversation));
            let text = row.text.as_deref().or(row.subject.as_deref()).unwrap_or("(no words)");
            let text = format!("{name}: {}: {}", talker(&row), words(text));
            Entry { text: one_line_of_prose(&text, 1_000), row: Some((Box::new(row), name)) }
        };
        let entries: Vec<Entry> = rows.into_iter().map(entry).collect();
        match entries.is_empty() {
            true => Overlay::of("found", vec!["nothing".into()]),
            false => Overlay { title: "found: Enter goes there".into(), entries, chooses: true, at: 0 },
        }
    }

    pub fn members(rows: &[MemberRow]) -> Overlay {
        let line = |row: &MemberRow| {
            let name = if row.me { "me".into() } else { called(row.name.as_deref().unwrap_or(&row.address)) };
            match row.role {
                MemberRole::Owner => format!("{name}, owner"),
                MemberRole::Invited => format!("{name}, invited"),
                MemberRole::Member => name,
            }
        };
        Overlay::of("who is in this group", rows.iter().map(line).collect())
    }

    pub fn near(rows: &[NearbyRow]) -> Overlay {
        let line = |row: &NearbyRow| {
            let who = called_node(row.name.as_deref(), row.nickname.as_deref(), &row.peer_id);
            let met = if row.connected { "  met" } else { "" };
            format!("{who}{met}  {}", safe_text(&row.address))
        };
        let lines: Vec<String> = rows.iter().map(line).collect();
        Overlay::of("who is near", if lines.is_empty() { vec!["nobody".into()] } else { lines })
    }

    fn of(title: &str, lines: Vec<String>) -> Overlay {
        let entries = lines.into_iter().map(|text| Entry { text, row: None }).collect();
        Overlay { title: title.into(), entries, chooses: false, at: 0 }
    }

    pub fn up(&mut self, many: usize) {
        self.at = self.at.saturating_sub(many);
    }

    pub fn down(&mut self, many: usize) {
        self.at = (self.at + many).min(self.entries.len().saturating_sub(1));
    }

    pub fn chosen(&self) -> Option<Chosen> {
        let (row, name) = self.entries.get(self.at)?.row.clone()?;
        Some(Chosen { row, name })
    }

    /// The lines to show of it, with the chosen one among them.
    pub fn lines(&self, columns: usize, height: usize) -> Vec<(bool, Line)> {
        let mut lines = Vec::new();
        // One that is chosen takes one line, so that many are seen.
        let from = if self.chooses { (self.at + 1).saturating_sub(height) } else { self.at };
        for (n, entry) in self.entries.iter().enumerate().skip(from) {
            let is_chosen = self.chooses && n == self.at;
            match self.chooses {
                true => lines.push((is_chosen, vec![(Paint::Plain, one_line_of_prose(&entry.text, columns))])),
                false => {
                    lines.extend(wrapped(&entry.text, columns, 0).into_iter().map(|l| (false, vec![(Paint::Plain, l)])))
                }
            }
            if lines.len() >= height {
                break;
            }
        }
        lines.truncate(height);
        lines
    }
}

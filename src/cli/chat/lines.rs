//! A message as lines of a screen: safe to show, wrapped by their width, each piece with what its colour means.

use jiff::Zoned;
use jiff::civil::Date;

use crate::api::model::{TalkRow, When};
use crate::bundle::Priority;
use crate::cli::changes;
use crate::cli::inbox::shown_parent;
use crate::cli::out::{Paint, Style};
use crate::cli::talk::{APP, parts, talker};
use crate::cli::who::short_id;
use crate::safe_text::{one_line, safe_text};

/// Pieces of one line of the screen, which are safe to show.
pub type Line = Vec<(Paint, String)>;

const INDENT: &str = "  ";
/// Texts wrap here also on a wider terminal: long lines are hard to read.
const TEXT_COLUMNS_MAX: usize = 100;

/// What stands above a message, beside what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Above {
    /// The day of it is another than that of the one before.
    pub day: Option<Date>,
    /// It is the first one that was unread when the conversation was opened.
    pub unread: bool,
}

/// When a message was written, or came where that is not known.
pub fn written(row: &TalkRow) -> Option<When> {
    row.sent_at.or(row.received_at)
}

pub fn day(row: &TalkRow, now: &Zoned) -> Option<Date> {
    written(row).map(|when| when.timestamp().to_zoned(now.time_zone().clone()).date())
}

/// All lines of a message; `is_cut` says that more was written than is kept here.
pub fn of(row: &TalkRow, is_cut: bool, above: Above, width: usize, now: &Zoned) -> Vec<Line> {
    let width = width.max(8);
    let style = Style { width: Some(width), color: false, now: now.clone() };
    let mut lines = Vec::new();
    lines.extend(above.day.map(|day| rule(&day_name(day, now), width, Paint::Dim)));
    lines.extend(above.unread.then(|| rule("unread", width, Paint::Good)));
    let (who, rest) = head(row, now);
    let mut head = wrapped(&format!("{who}{rest}"), width, 0);
    lines.append(&mut head_painted(&mut head, who.len()));
    let columns = width.min(TEXT_COLUMNS_MAX);
    if let Some(answers) = &row.answers {
        let parent = shown_parent(answers, columns.saturating_sub(INDENT.len() + 2));
        lines.push(vec![(Paint::Dim, format!("{INDENT}> {parent}"))]);
    } else if let Some(id) = &row.in_reply_to {
        lines.push(vec![(Paint::Dim, format!("{INDENT}> {}", short_id(id)))]);
    }
    for line in body(row, is_cut, &style) {
        lines.extend(wrapped(&line, columns, INDENT.len()).into_iter().map(|line| vec![(Paint::Plain, line)]));
    }
    if row.replies > 0 {
        let answers = if row.replies == 1 { "answer" } else { "answers" };
        lines.push(vec![(Paint::Dim, format!("{INDENT}[{} {answers}]", row.replies))]);
    }
    for line in changes::lines(&row.changes, &style) {
        lines.extend(wrapped(&line, columns, INDENT.len()).into_iter().map(|line| vec![(Paint::Warn, line)]));
    }
    lines
}

/// Who wrote it, and behind that when and what became of it.
pub fn head(row: &TalkRow, now: &Zoned) -> (String, String) {
    let zoned = |when: When| when.timestamp().to_zoned(now.time_zone().clone());
    let clock = written(row).map_or_else(|| "-".into(), |when| zoned(when).strftime("%H:%M").to_string());
    let style = Style { width: None, color: false, now: now.clone() };
    let mut rest = format!("  {clock}");
    if row.late {
        rest += &format!(", late, arrived {}", style.when(row.received_at));
    }
    rest += if row.kind == APP { ", in an app" } else { "" };
    rest += if row.priority == Priority::Urgent { ", urgent" } else { "" };
    row.tags.iter().for_each(|tag| rest += &format!(", {}", tag.word()));
    rest += if row.changes.edited { ", edited" } else { "" };
    rest += &row.state.map(|state| format!(", {}", state.said())).unwrap_or_default();
    rest += &row.reply_by.map(|by| format!(", reply by {}", style.when(Some(by)))).unwrap_or_default();
    rest += &row.expires_at.map(|at| format!(", disappears {}", style.when(Some(at)))).unwrap_or_default();
    rest += if row.arranged.imported { ", imported" } else { "" };
    rest += if row.arranged.pinned { ", pinned" } else { "" };
    rest += &row.arranged.labels.iter().map(|label| format!(" [{}]", safe_text(label))).collect::<String>();
    (talker(row), rest)
}

/// What it says, line by line, with what came along.
pub fn body(row: &TalkRow, is_cut: bool, style: &Style) -> Vec<String> {
    let parts = parts(row, is_cut, style);
    parts.lines().map(|line| line.replace('\t', "    ")).collect()
}

/// The head's first line has the name in bold, where it fits there.
fn head_painted(head: &mut Vec<String>, who: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(head.len());
    for (n, line) in head.drain(..).enumerate() {
        match n == 0 && who <= line.len() && line.is_char_boundary(who) {
            true => lines.push(vec![(Paint::Bold, line[..who].to_owned()), (Paint::Dim, line[who..].to_owned())]),
            false if n == 0 => lines.push(vec![(Paint::Bold, line)]),
            false => lines.push(vec![(Paint::Dim, line)]),
        }
    }
    lines
}

/// A text wrapped at words by its width, each line behind so many blanks.
pub fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    if text.is_empty() {
        return vec![String::new()];
    }
    let blanks = " ".repeat(indent);
    let lines = textwrap::wrap(text, width.saturating_sub(indent).max(4));
    lines.into_iter().map(|line| format!("{blanks}{line}")).collect()
}

/// A word in the middle of a line.
fn rule(word: &str, width: usize, paint: Paint) -> Line {
    let word = one_line(word, width.saturating_sub(8));
    vec![(paint, format!("--- {word} ---"))]
}

fn day_name(day: Date, now: &Zoned) -> String {
    let today = now.date();
    match day {
        _ if day == today => "today".into(),
        _ if today.yesterday().ok() == Some(day) => "yesterday".into(),
        _ if day.year() == today.year() => day.strftime("%a %-d %b").to_string(),
        _ => day.strftime("%a %-d %b %Y").to_string(),
    }
}

/// What a line says, without its colours.
#[cfg(test)]
pub fn plain(line: &Line) -> String {
    line.iter().map(|(_, text)| text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::{FileRow, State};
    use crate::api::samples::{answered, said};
    use crate::safe_text::is_unsafe;
    use proptest::prelude::*;

    fn now() -> Zoned {
        "2026-03-01T12:00[UTC]".parse().unwrap()
    }

    fn shown(row: &TalkRow, width: usize) -> Vec<String> {
        of(row, false, Above::default(), width, &now()).iter().map(plain).collect()
    }

    #[test]
    fn a_message_says_whose_it_is_what_became_of_it_and_what_it_answers() {
        let row = TalkRow { mine: true, state: Some(State::Delivered), answers: Some(answered()), ..said("yes") };
        assert_eq!(shown(&row, 60), ["me  11:02, delivered", "  > bob: come at six?", "  yes"]);
        let late = TalkRow { late: true, ..said("no") };
        assert_eq!(shown(&late, 60), ["bob  11:02, late, arrived today 12:30", "  no"]);
    }

    #[test]
    fn days_and_the_first_unread_one_stand_above() {
        let above = Above { day: day(&said(""), &now()), unread: true };
        let lines: Vec<String> = of(&said("yes"), true, above, 40, &now()).iter().map(plain).collect();
        let wanted = ["--- today ---", "--- unread ---", "bob  11:02", "  yes", "  (it goes on: dak read 3f2a91c0de)"];
        assert_eq!(lines, wanted);
    }

    proptest! {
        #[test]
        fn nothing_that_a_peer_wrote_acts_or_is_wider_than_its_place(
            text in "(\\PC|\\p{C}|[\n\t <>]){0,80}",
            name in "(\\PC|\\p{C}){0,40}",
            width in 8..90usize,
        ) {
            let row = TalkRow {
                subject: Some(name.clone()),
                files: vec![FileRow::of(name.clone(), 3)],
                from: crate::api::model::PersonRow { name: Some(name), address: String::new() },
                ..said(&text)
            };
            for line in shown(&row, width) {
                prop_assert!(unicode_width::UnicodeWidthStr::width(&*line) <= width, "{line:?}");
                prop_assert!(!line.chars().any(|c| is_unsafe(c) && c != '\u{200c}' && c != '\u{200d}'), "{line:?}");
            }
        }
    }
}

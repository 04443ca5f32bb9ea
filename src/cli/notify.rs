//! `dak notify`: a bell or a notification on the desktop for what comes, as long as it runs.
//!
//! It follows the inbox as the node tells it, so quiet hours, muted conversations and urgent mail are the node's matter. What
//! somebody wrote reaches neither a terminal nor a notification server as it is: the first would obey it, the second read
//! markup in it.

use std::io::IsTerminal;

use futures::StreamExt;

use super::args::Notify;
use super::link::Link;
use super::out::{Out, Paint};
use super::who::called;
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::api::model::{InboxRow, Row, Topic};
use crate::bundle::Priority;
use crate::command::{self, Became, Job};
use crate::safe_text::one_line_of_prose;
use crate::time::{Millis, SECOND};
use crate::units::counted;

/// So many messages that come together are told one by one; more are told as a number.
const ONE_BY_ONE_MAX: usize = 3;
/// Messages taken together.
const TOGETHER_MAX: usize = 256;
/// So much of a text is shown, in columns.
const COLUMNS_MAX: usize = 120;
/// What shows notifications on the desktop, as freedesktop.org and its many desktops have it.
const NOTIFIER: &str = "notify-send";
/// A notification server that does not answer is not waited for any longer.
const NOTIFIER_TIME: Millis = Millis(10 * SECOND.0);

/// What is told at once.
struct Note {
    head: String,
    body: String,
    is_urgent: bool,
}

pub async fn notify(link: &Link<'_>, args: &Notify, out: &Out) -> Outcome {
    if args.desktop {
        // A line that nobody hears is found out now, and not with the first message.
        let known = command::run(&notifier(&["--version".to_owned()]), b"").await;
        if known.is_err() {
            let error = ApiError::failure(format!("there is no {NOTIFIER} here to show notifications"));
            return Err(error.advise("install libnotify's tools, or take --bell alone").into());
        }
    }
    let rows = link.follow(Topic::Inbox { all: false }).await?;
    out.talk(match args.bell || args.desktop {
        true => "listening until Ctrl-C",
        false => "listening until Ctrl-C, with a line for each message; --bell and --desktop are louder",
    });
    let mut has_failed = false;
    let mut together = rows.ready_chunks(TOGETHER_MAX);
    while let Some(rows) = together.next().await {
        let mut ended = None;
        let mut came = Vec::new();
        for row in rows {
            match row {
                Row::Inbox(row) => came.push(row),
                Row::Ended(error) => ended = Some(error),
                _ => return Err(super::link::unexpected().into()),
            }
        }
        if args.bell && !came.is_empty() {
            ring(out);
        }
        for row in &came {
            out.row(row, |style| {
                let note = note(row, args.private);
                let body = if note.body.is_empty() { String::new() } else { format!(": {}", note.body) };
                format!("{}{body}\n", style.paint(Paint::Bold, &note.head))
            })?;
        }
        if args.desktop {
            for note in notes(&came, args.private) {
                if let Err(why) = show(&note).await
                    && !std::mem::replace(&mut has_failed, true)
                {
                    out.talk(&format!("the desktop shows nothing: {why}"));
                }
            }
        }
        if let Some(error) = ended {
            return Err(Stop::Error(error));
        }
    }
    Ok(())
}

/// Of many that come together their number is told.
fn notes(came: &[InboxRow], is_private: bool) -> Vec<Note> {
    if came.len() <= ONE_BY_ONE_MAX {
        return came.iter().map(|row| note(row, is_private)).collect();
    }
    let is_urgent = came.iter().any(|row| row.priority == Priority::Urgent);
    let head = counted(came.len() as u64, "new message");
    vec![Note { head, body: "dak inbox".into(), is_urgent }]
}

fn note(row: &InboxRow, is_private: bool) -> Note {
    let is_urgent = row.priority == Priority::Urgent;
    let urgent = if is_urgent { "urgent, " } else { "" };
    let from = called(row.nickname.as_deref().unwrap_or(&row.from));
    let place = row.group.as_deref().map(|group| format!(" in {}", called(group))).unwrap_or_default();
    if is_private {
        return Note { head: format!("{urgent}a message"), body: String::new(), is_urgent };
    }
    let asks = if row.request { "asks to be heard: " } else { "" };
    let words = row.subject.as_deref().or(row.text.as_deref()).unwrap_or("(it cannot be read here)");
    let words = one_line_of_prose(&words.split_whitespace().collect::<Vec<_>>().join(" "), COLUMNS_MAX);
    Note { head: format!("{urgent}{from}{place}"), body: format!("{asks}{words}"), is_urgent }
}

/// The bell of the terminal, whatever stdout is: a program that reads JSON has a terminal for its talk all the same.
fn ring(out: &Out) {
    if std::io::stderr().is_terminal() || !out.json {
        out.say("\u{7}");
    }
}

/// Shows a note on the desktop.
async fn show(note: &Note) -> Result<(), String> {
    let urgency = if note.is_urgent { "critical" } else { "normal" };
    let args = ["--app-name=dak", &format!("--urgency={urgency}"), "--", &note.head, &plain_markup(&note.body)];
    let args = args.map(str::to_owned);
    match command::run(&notifier(&args), b"").await {
        Ok(ran) if ran.became == Became::Done => Ok(()),
        Ok(ran) => Err(ran.why.unwrap_or_default()),
        Err(error) => Err(format!("cannot run {NOTIFIER}: {error}")),
    }
}

fn notifier(args: &[String]) -> Job<'_> {
    Job { program: NOTIFIER, args, time_max: Some(NOTIFIER_TIME), apart: None }
}

/// Servers read tags in a body.
fn plain_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn a_note_has_nothing_raw_and_in_private_nothing_at_all() {
        let row = InboxRow { priority: Priority::Urgent, ..samples::inbox("come\nat \u{1b}[31msix <b>&") };
        let note = note(&row, false);
        assert_eq!((&*note.head, &*note.body), ("urgent, bob", "come at \\u{1b}[31msix <b>&"));
        assert_eq!(plain_markup(&note.body), "come at \\u{1b}[31msix &lt;b&gt;&amp;");
        let private = super::note(&row, true);
        assert_eq!((&*private.head, &*private.body), ("urgent, a message", ""));
        let group = InboxRow { group: Some("crew".into()), subject: Some("ride".into()), ..samples::inbox("x") };
        let note = super::note(&group, false);
        assert_eq!((&*note.head, &*note.body), ("bob in crew", "ride"));
    }

    #[test]
    fn many_that_come_together_are_a_number() {
        let came = vec![samples::inbox("hi"); 4];
        assert_eq!(notes(&came[..3], false).len(), 3);
        let notes = notes(&came, false);
        assert_eq!((notes.len(), &*notes[0].head), (1, "4 new messages"));
    }
}

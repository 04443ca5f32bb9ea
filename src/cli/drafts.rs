//! `dak draft`: what was written and is not sent, and what goes later by itself.

use super::Outcome;
use super::args::{DraftWhat, Drafts};
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::table::{Cell, Table, cell, painted, prose};
use super::who::{called, short_id};
use super::{inbox, send};
use crate::api::ApiError;
use crate::api::model::{Compose, Done, DraftRow, NewDraft, Request, Response, SentRow, When, priority_name};
use crate::bundle::Priority;
use crate::safe_text::{one_line_of_prose, safe_prose, safe_text};
use crate::time::Millis;

pub async fn draft(link: &Link<'_>, args: &Drafts, out: &Out) -> Outcome {
    match &args.what {
        None | Some(DraftWhat::List) => list(link, out).await,
        Some(DraftWhat::Add(args)) => send::draft(link, args, out).await,
        Some(DraftWhat::Show { number }) => {
            let row = take!(link.ask(Request::Draft { number: number.clone() }).await?, Draft)?;
            out.row(&row, |style| whole(&row, style))
        }
        Some(DraftWhat::Send { number, to }) => {
            let request = Request::DraftSend { number: number.clone(), to: to.clone() };
            let rows = take!(link.ask(request).await?, Sents)?;
            if !link.is_up().await {
                out.talk("no node running: the message leaves after the next `dak up`");
            }
            let told = |row: &SentRow| format!("queued {} for {}\n", short_id(&row.id), called(&row.to));
            out.answer(&Response::Sents(rows.clone()), |_| rows.iter().map(told).collect())
        }
        Some(DraftWhat::Delete { numbers }) => {
            for number in numbers {
                delete(link, number).await?;
                out.row(&Done::default(), |_| format!("deleted draft {}\n", safe_text(number)))?;
            }
            Ok(())
        }
    }
}

pub async fn delete(link: &Link<'_>, number: &str) -> Result<(), ApiError> {
    take!(link.ask(Request::DraftDelete { number: number.to_owned() }).await?, Done)?;
    Ok(())
}

/// Keeps what was written for these recipients.
pub async fn keep(
    link: &Link<'_>,
    compose: Compose,
    to: &[String],
    at: Option<When>,
    refused: Option<String>,
) -> Result<DraftRow, ApiError> {
    let (first, more) = to.split_first().ok_or_else(|| ApiError::usage("it goes to nobody"))?;
    let compose = Compose { to: first.clone(), ..compose };
    let new = NewDraft { compose, more: more.to_vec(), at, refused };
    take!(link.ask(Request::DraftAdd(Box::new(new))).await?, Draft)
}

/// What was kept: `draft 3 for bob`.
pub fn told(row: &DraftRow, style: &Style) -> String {
    let when = row.at.map(|at| format!(", goes {}", style.when(Some(at)))).unwrap_or_default();
    format!("draft {} for {}{when}\n", row.number, recipients(row))
}

async fn list(link: &Link<'_>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Drafts).await?, Drafts)?;
    if rows.is_empty() {
        out.talk("no drafts; keep one with `dak draft add WHO TEXT`");
    }
    out.answer(&Response::Drafts(rows.clone()), |style| table(&rows, style))
}

fn table(rows: &[DraftRow], style: &Style) -> String {
    let mut table = Table::new(&["", "TO", "GOES", "TEXT"]);
    rows.iter().for_each(|row| table.row(cells(row, style)));
    table.render(style)
}

fn cells(row: &DraftRow, style: &Style) -> Vec<Cell> {
    let goes = match (row.at, &row.refused) {
        (Some(at), _) if at.timestamp() < style.now.timestamp() => painted(Paint::Warn, "when a node runs"),
        (Some(at), _) => cell(style.when(Some(at))),
        (None, Some(_)) => painted(Paint::Bad, "refused"),
        (None, None) => painted(Paint::Dim, "when you say"),
    };
    let words = inbox::gist(None, row.subject.as_deref(), &row.text, row.attachments.len() as u64);
    vec![cell(row.number.to_string()), cell(recipients(row)), goes, prose(words)]
}

fn recipients(row: &DraftRow) -> String {
    row.to.iter().map(|to| called(to)).collect::<Vec<_>>().join(", ")
}

/// A whole draft with its head.
fn whole(row: &DraftRow, style: &Style) -> String {
    let mut head = vec![("draft", row.number.to_string()), ("to", recipients(row))];
    head.extend(row.subject.as_deref().map(|subject| ("subject", one_line_of_prose(subject, usize::MAX))));
    head.push(("written", style.when(row.made_at)));
    head.push((
        "goes",
        match row.at {
            Some(at) if at.timestamp() < style.now.timestamp() => {
                format!("as soon as a node runs, meant for {}", style.when(Some(at)))
            }
            Some(at) => style.when(Some(at)),
            None => format!("when you say `dak draft send {}`", row.number),
        },
    ));
    head.extend(row.refused.as_deref().map(|why| ("refused", safe_text(why))));
    if row.priority != Priority::Normal {
        head.push(("priority", priority_name(row.priority).into()));
    }
    head.extend(row.lifetime_ms.map(|span| ("lifetime", Millis(span).to_string())));
    head.extend(row.expire_after_read_ms.map(|span| ("forgotten", format!("{} after it was read", Millis(span)))));
    head.extend(row.reply_by.map(|by| ("reply by", style.when(Some(by)))));
    head.extend(row.in_reply_to.as_deref().map(|id| ("answers", short_id(id))));
    head.extend(row.attachments.iter().map(|file| ("file", inbox::shown_file(file))));
    let head: String = head
        .iter()
        .map(|(label, value)| format!("{} {value}\n", style.paint(Paint::Dim, &format!("{label:<9}"))))
        .collect();
    format!("{head}\n{}\n", safe_prose(row.text.trim_end_matches('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn drafts_say_when_they_go_and_to_whom() {
        let over = DraftRow {
            number: 4,
            at: samples::at(9, 0),
            to: vec!["bob".into(), "c\u{1b}[2J".into()],
            ..samples::draft()
        };
        let mine = DraftRow { number: 12, at: None, subject: Some("tonight".into()), ..samples::draft() };
        let refused = DraftRow { number: 13, refused: Some("there is no contact bbo".into()), ..mine.clone() };
        let wanted = "\
\x20   TO               GOES              TEXT
3   bob              today 18:00       come at six
4   bob, c\\u{1b}[2J  when a node runs  come at six
12  bob              when you say      tonight: come at six
13  bob              refused           tonight: come at six
";
        assert_eq!(table(&[samples::draft(), over, mine, refused], &style()), wanted);
    }

    #[test]
    fn a_whole_draft_is_shown_with_why_it_was_refused() {
        let row = DraftRow { at: None, refused: Some("there is no contact b\u{1b}bo".into()), ..samples::draft() };
        let wanted = "\
draft     3
to        bob
written   today 11:00
goes      when you say `dak draft send 3`
refused   there is no contact b\\u{1b}bo

come at six
";
        assert_eq!(whole(&row, &style()), wanted);
    }
}

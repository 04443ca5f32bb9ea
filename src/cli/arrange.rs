//! `dak label`, and where conversations and messages are put: archived, pinned, snoozed, muted. Nobody else hears of it.

use super::args::{Label, LabelWhat, Mute, Snooze, Things, Whom};
use super::link::{Link, take};
use super::out::{Out, Style};
use super::table::{Cell, Table, cell, prose};
use super::times::{parse_start, parse_time};
use super::who::{called, short_id};
use super::{Outcome, listing};
use crate::api::model::{ArrangedRow, Arranging, Done, LabelRow, Listing, Request, Response, Row};
use crate::safe_text::safe_text;

pub async fn things(link: &Link<'_>, args: &Things, how: Arranging, out: &Out) -> Outcome {
    arrange(link, &args.what, how, out).await
}

pub async fn snooze(link: &Link<'_>, args: &Snooze, out: &Out) -> Outcome {
    let until = parse_start(&args.until.join(" "), &out.style.now)?;
    arrange(link, std::slice::from_ref(&args.what), Arranging::Snooze { until }, out).await
}

pub async fn mute(link: &Link<'_>, args: &Mute, out: &Out) -> Outcome {
    let until = args.until.as_deref().map(|until| parse_time(until, &out.style.now)).transpose()?;
    let how = Arranging::Mute { until, except_mentions: args.except_mentions };
    arrange(link, std::slice::from_ref(&args.who), how, out).await
}

pub async fn unmute(link: &Link<'_>, args: &Whom, out: &Out) -> Outcome {
    arrange(link, std::slice::from_ref(&args.who), Arranging::Unmute, out).await
}

async fn arrange(link: &Link<'_>, what: &[String], how: Arranging, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Arrange { what: what.to_vec(), how }).await?, Arranged)?;
    out.answer(&Response::Arranged(rows.clone()), |style| rows.iter().map(|row| told(row, how, style)).collect())
}

/// What was done to one thing: `snoozed bob until tomorrow 09:00`.
fn told(row: &ArrangedRow, how: Arranging, style: &Style) -> String {
    let what = match &row.id {
        Some(id) => short_id(id),
        None => format!("the conversation with {}", called(row.name.as_deref().unwrap_or(&row.conversation))),
    };
    let when = |time| style.when(Some(time));
    match how {
        Arranging::Archive => format!("archived {what}\n"),
        Arranging::Unarchive => format!("no longer archived: {what}\n"),
        Arranging::Pin => format!("pinned {what}\n"),
        Arranging::Unpin => format!("no longer pinned: {what}\n"),
        Arranging::Snooze { until } => format!("snoozed {what} until {}\n", when(until)),
        Arranging::Unsnooze => format!("no longer snoozed: {what}\n"),
        Arranging::Mute { until, except_mentions } => {
            let until = until.map(|until| format!(" until {}", when(until))).unwrap_or_default();
            let except = if except_mentions { ", but for what names you" } else { "" };
            format!("muted {what}{until}{except}\n")
        }
        Arranging::Unmute => format!("no longer muted: {what}\n"),
    }
}

pub async fn label(link: &Link<'_>, args: &Label, out: &Out) -> Outcome {
    match &args.what {
        None | Some(LabelWhat::List { label: None }) => labels(link, out).await,
        Some(LabelWhat::List { label: Some(label) }) => labelled(link, label, out).await,
        Some(LabelWhat::Add { label, ids }) => put(link, label, ids, true, out).await,
        Some(LabelWhat::Remove { label, ids }) => put(link, label, ids, false, out).await,
    }
}

async fn put(link: &Link<'_>, label: &str, ids: &[String], on: bool, out: &Out) -> Outcome {
    let request = Request::Label { label: label.to_owned(), ids: ids.to_vec(), on };
    take!(link.ask(request).await?, Done)?;
    out.row(&Done::default(), |_| {
        let ids: Vec<String> = ids.iter().map(|id| short_id(id)).collect();
        let (label, ids) = (safe_text(label), ids.join(", "));
        if on { format!("labelled {label}: {ids}\n") } else { format!("no longer labelled {label}: {ids}\n") }
    })
}

async fn labels(link: &Link<'_>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Labels).await?, Labels)?;
    if rows.is_empty() {
        out.talk("no labels yet; put one on a message with `dak label add LABEL ID`");
    }
    out.answer(&Response::Labels(rows.clone()), |style| table(&rows, style))
}

fn table(rows: &[LabelRow], style: &Style) -> String {
    let mut table = Table::new(&["MESSAGES", "LABEL"]);
    rows.iter().for_each(|row| table.row(vec![cell(row.messages.to_string()), cell(&row.label)]));
    table.render(style)
}

async fn labelled(link: &Link<'_>, label: &str, out: &Out) -> Outcome {
    let rows = link.list(Listing::Labelled { label: label.to_owned() }).await?;
    listing::print(rows, out, &["ID", "FROM", "WHEN", "TEXT"], cells, |_| {}).await
}

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Labelled(row) = row else { return None };
    let from = if row.mine { "me".into() } else { called(row.from.name.as_deref().unwrap_or(&row.from.address)) };
    let words = [row.subject.as_ref().map(|subject| format!("{subject}:")), row.text.clone()];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = if row.unreadable.is_some() { "(unreadable)".into() } else { words };
    let when = style.when(row.received_at.or(row.sent_at));
    Some(vec![cell(short_id(&row.id)), cell(from), cell(when), prose(words)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn what_was_done_is_said_with_its_end() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let until = samples::at(18, 0).unwrap();
        let talk = samples::arranged();
        let message = ArrangedRow { id: Some(samples::ID.into()), ..talk.clone() };
        let told = |row: &ArrangedRow, how| told(row, how, &style);
        assert_eq!(told(&talk, Arranging::Archive), "archived the conversation with bob\n");
        assert_eq!(told(&message, Arranging::Snooze { until }), "snoozed 3f2a91c0de until today 18:00\n");
        let mute = Arranging::Mute { until: Some(until), except_mentions: true };
        let wanted = "muted the conversation with bob until today 18:00, but for what names you\n";
        assert_eq!(told(&talk, mute), wanted);
        let nameless = ArrangedRow { name: None, ..talk };
        assert!(told(&nameless, Arranging::Pin).starts_with("pinned the conversation with dak:"), "no such key");
    }

    #[test]
    fn what_has_a_label_is_listed_with_its_writer() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let cells = cells(&Row::Labelled(samples::said("come\nat six")), &style).unwrap();
        let mut table = Table::new(&["ID", "FROM", "WHEN", "TEXT"]);
        table.row(cells);
        assert!(table.render(&style).ends_with("3f2a91c0de  bob   today 12:30  come at six\n"));
    }
}

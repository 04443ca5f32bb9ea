//! `dak edit`, `react`, `withdraw`, `delete` and `task`: changes of what was written, and how they are shown.

use super::Outcome;
use super::args::{Edit, Id, React, Renew, Task, TaskList, TaskWhat};
use super::link::{Link, take};
use super::listing;
use super::out::{Out, Paint, Style};
use super::send::stdin_text;
use super::table::{Cell, cell, painted, prose};
use super::times::parse_time;
use super::who::{called, short_id};
use crate::api::model::{
    BoardRow, Changes, CrossingRow, Done, HistoryRow, Listing, PersonRow, Request, Row, SetRow, TaskRow, TaskWord,
    Wish, WishedReaction,
};
use crate::api::{ApiError, NextStep, Response};
use crate::safe_text::{one_line_of_prose, safe_text};

pub async fn edit(link: &Link<'_>, args: &Edit, out: &Out) -> Outcome {
    let body = match &*args.text {
        "-" => stdin_text().await?,
        text => text.to_owned(),
    };
    if body.trim().is_empty() {
        let step = NextStep::WithdrawMessage { id: args.id.clone() };
        return Err(ApiError::usage("an edit needs words").next(step).into());
    }
    let wish = Wish { id: args.id.clone(), body: Some(body), ..Wish::default() };
    change(link, wish, out, "edited").await
}

pub async fn withdraw(link: &Link<'_>, args: &Id, out: &Out) -> Outcome {
    let wish = Wish { id: args.id.clone(), withdrawn: true, ..Wish::default() };
    change(link, wish, out, "withdrawn here:").await
}

pub async fn renew(link: &Link<'_>, args: &Renew, out: &Out) -> Outcome {
    let request = Request::Renew { id: args.id.clone(), lifetime_ms: args.lifetime.map(|span| span.0) };
    let sent = take!(link.ask(request).await?, Sent)?;
    out.row(&sent, |_| format!("sent anew to {} as {}\n", called(&sent.to), short_id(&sent.id)))
}

pub async fn react(link: &Link<'_>, args: &React, out: &Out) -> Outcome {
    let reaction = Some(WishedReaction { emoji: args.emoji.clone(), on: !args.remove });
    let wish = Wish { id: args.id.clone(), reaction, ..Wish::default() };
    change(link, wish, out, if args.remove { "taken back from" } else { "reacted to" }).await
}

pub async fn delete(link: &Link<'_>, ids: &[String], out: &Out) -> Outcome {
    for id in ids {
        take!(link.ask(Request::InboxDelete { id: id.clone() }).await?, Done)?;
        out.row(&Done::default(), |_| format!("deleted {}\n", safe_text(id)))?;
    }
    Ok(())
}

pub async fn task(link: &Link<'_>, args: &Task, out: &Out) -> Outcome {
    let of = |id: &String| Wish { id: id.clone(), ..Wish::default() };
    let (wish, said) = match &args.what {
        None => return tasks(link, &args.list, out).await,
        Some(TaskWhat::List(list)) => return tasks(link, list, out).await,
        Some(TaskWhat::Add { id, assign, due }) => {
            let due = due.as_deref().map(|due| parse_time(due, &out.style.now)).transpose()?;
            (Wish { task: Some(TaskWord::Open), assignee: assign.clone(), due, ..of(id) }, "a task:")
        }
        Some(TaskWhat::Done { id }) => (Wish { task: Some(TaskWord::Done), ..of(id) }, "done:"),
        Some(TaskWhat::Open { id }) => (Wish { task: Some(TaskWord::Again), ..of(id) }, "open again:"),
        Some(TaskWhat::Remove { id }) => (Wish { task: Some(TaskWord::None), ..of(id) }, "no task any more:"),
        Some(TaskWhat::Assign { id, who }) => {
            let assignee = Some(if who == "nobody" { String::new() } else { who.clone() });
            (Wish { assignee, ..of(id) }, "assigned:")
        }
        Some(TaskWhat::Due { id, time }) => match time.join(" ") {
            never if never == "never" => (Wish { clear_due: true, ..of(id) }, "due at no time:"),
            time => (Wish { due: Some(parse_time(&time, &out.style.now)?), ..of(id) }, "due changed:"),
        },
    };
    change(link, wish, out, said).await
}

async fn change(link: &Link<'_>, wish: Wish, out: &Out, said: &str) -> Outcome {
    let id = wish.id.clone();
    let sent = take!(link.ask(Request::Change(wish)).await?, Sent)?;
    out.row(&sent, |_| format!("{said} {}, goes to {} as {}\n", safe_text(&id), called(&sent.to), short_id(&sent.id)))
}

async fn tasks(link: &Link<'_>, args: &TaskList, out: &Out) -> Outcome {
    let rows = link.list(Listing::Tasks { mine: args.mine, all: args.all }).await?;
    let mut count = 0u64;
    listing::print(rows, out, &HEADS, cells, |_| count += 1).await?;
    if count == 0 {
        let what = match (args.mine, args.all) {
            (false, false) => "no open tasks; `dak task --all` has what is done",
            (true, false) => "nothing to do for me; `dak task` has what others are to do",
            (_, true) => "no tasks",
        };
        out.talk(&format!("{what}; `dak task add ID` makes a message one, `dak send WHO TEXT --task` writes one"));
    }
    Ok(())
}

const HEADS: [&str; 5] = ["", "ID", "DUE", "WHO", "TASK"];

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Tasks(BoardRow { id, text, state, assignee, due, .. }) = row else { return None };
    let mark = if *state == TaskWord::Done { painted(Paint::Good, "x") } else { cell("") };
    let words = text.as_deref().unwrap_or("(withdrawn)").split_whitespace().collect::<Vec<_>>().join(" ");
    let who = assignee.as_ref().map(person).unwrap_or_default();
    let due = due.map(|due| style.when(Some(due))).unwrap_or_default();
    Some(vec![mark, cell(short_id(id)), cell(due), cell(who), prose(words)])
}

/// Every change of a message, one a line.
pub async fn history(link: &Link<'_>, id: &str, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::History { id: id.to_owned() }).await?, History)?;
    if rows.is_empty() {
        out.talk("nothing of it was changed");
    }
    for row in rows {
        out.row(&row, |style| {
            let HistoryRow { who, at, field, stands, gave_way, .. } = &row;
            let fate = match (stands, gave_way) {
                (true, _) => "stands",
                (false, true) => "gave way: its author had not seen what stands",
                (false, false) => "changed since",
            };
            format!("{}, {}: {field} {} ({fate})\n", style.when(*at), person(who), value(&row, style))
        })?;
    }
    Ok(())
}

/// Tells once of changes that gave way to others, whoever reads text. A failure is nothing: what was asked for was printed.
pub async fn tell_crossings(link: &Link<'_>, out: &Out) {
    if out.json {
        return;
    }
    // What goes into a pipe nobody has seen.
    let told = out.style.width.is_some();
    if let Ok(Response::Crossings(rows)) = link.ask(Request::Crossings { told }).await {
        rows.iter().for_each(|row| out.talk(&crossing(row, &out.style)));
    }
}

/// `bob's due today 17:00 gave way to carol's today 18:00: dak read 3f2a91c0de --history`.
fn crossing(row: &CrossingRow, style: &Style) -> String {
    let CrossingRow { id, gave_way, stands, .. } = row;
    let [lost, won] = [gave_way, stands].map(|row| (whose(row), value(row, style)));
    format!(
        "{} {} {} gave way to {} {}: dak read {} --history",
        lost.0,
        gave_way.field,
        lost.1,
        won.0,
        won.1,
        short_id(id)
    )
}

fn whose(row: &HistoryRow) -> String {
    format!("{}'s", person(&row.who))
}

/// What a change sets, in a line: `done, for bob, due Fri 4 Dec 17:00`. None where there is no change.
pub fn set_words(sets: &[SetRow], style: &Style) -> Option<String> {
    let words = |SetRow { field, what, who }: &SetRow| match (&**field, who) {
        ("text", _) => format!("now says: {what}"),
        ("assignee", Some(who)) => format!("for {}", person(who)),
        ("assignee", None) => "for nobody".into(),
        ("due", _) => match what.parse::<jiff::Timestamp>() {
            Ok(due) => format!("due {}", style.when(Some(due.into()))),
            Err(_) => format!("due {what}"),
        },
        _ => what.clone(),
    };
    let words: Vec<String> = sets.iter().map(words).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What a change sets, in a line.
fn value(row: &HistoryRow, style: &Style) -> String {
    let due = row.what.parse::<jiff::Timestamp>().ok().filter(|_| row.field == "due");
    due.map_or_else(|| one_line_of_prose(&row.what, usize::MAX), |due| style.when(Some(due.into())))
}

fn person(who: &PersonRow) -> String {
    called(who.name.as_deref().unwrap_or(&who.address))
}

/// What was changed of a message, in lines below it.
pub fn lines(changes: &Changes, style: &Style) -> Vec<String> {
    let Changes { edited: _, withdrawn: _, disappeared: _, reactions, task } = changes;
    let mut lines = Vec::new();
    if let Some(TaskRow { state, assignee, due }) = task {
        let word = if *state == TaskWord::Done { "task, done" } else { "task" };
        let who = assignee.as_ref().map(|who| format!(" for {}", person(who))).unwrap_or_default();
        let due = due.map(|due| format!(", due {}", style.when(Some(due)))).unwrap_or_default();
        lines.push(format!("[{word}{who}{due}]"));
    }
    if !reactions.is_empty() {
        let mut said: Vec<(String, Vec<String>)> = Vec::new();
        for reaction in reactions {
            let emoji = safe_text(&reaction.emoji);
            match said.iter_mut().find(|(text, _)| *text == emoji) {
                Some((_, who)) => who.push(person(&reaction.who)),
                None => said.push((emoji, vec![person(&reaction.who)])),
            }
        }
        let said: Vec<String> = said.iter().map(|(emoji, who)| format!("{emoji} {}", who.join(", "))).collect();
        lines.push(said.join("   "));
    }
    lines
}

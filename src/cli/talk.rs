//! `dak talk` and `dak unread`: conversations, both sides.

use futures::StreamExt;

use super::args::{Ids, Talk};
use super::inbox::{AFTER_LEAVING, Parts, shown_parent, shown_source, words};
use super::link::{Link, take};
use super::listing;
use super::out::{Out, Paint, Style, Written};
use super::outlook::{self, nobody_comes};
use super::pager::Pager;
use super::table::{Cell, cell, painted, prose};
use super::who::{called, called_by_itself, introduction, short_id, words_beside};
use super::{Outcome, Stop, changes};
use crate::api::model::{
    ArrangedTalk, ConversationRow, Done, Happened, HappenedRow, Listing, Request, Row, State, TalkRow, Topic, json_line,
};
use crate::bundle::Priority;
use crate::safe_text::{safe_prose, safe_text};

/// How many rows stand before the first unread one.
const CONTEXT_ROWS: u32 = 3;
/// How many messages are marked with one request.
const MARKED_AT_ONCE: usize = 256;
/// Texts wrap here also on a wider terminal: long lines are hard to read.
const TEXT_COLUMNS_MAX: usize = 100;
const INDENT: &str = "  ";
/// What rows are that an app has a line of.
pub const APP: &str = "app";

pub async fn talk(link: &Link<'_>, args: &Talk, out: &Out) -> Outcome {
    if args.follow {
        return follow(link, args, out).await;
    }
    let Some(who) = &args.who else { return list(link, args.all, out).await };
    let is_terminal = !out.json && out.style.width.is_some();
    let is_part = args.limit.is_some() || args.before.is_some() || args.after.is_some();
    let goes_on = is_terminal && !is_part;
    let mut rows = link
        .list(Listing::Talk {
            who: who.clone(),
            limit: args.limit,
            before: args.before.clone(),
            after: args.after.clone(),
            thread: args.thread.clone(),
            unread: args.unread,
            from_unread: goes_on.then_some(CONTEXT_ROWS),
            glance: false,
        })
        .await?;
    let (mut count, mut unread, mut pager) = (0u64, Vec::new(), Pager::for_person(out));
    let mut unseen = 0u64;
    let mut is_waiting = false;
    while !pager.is_left()
        && let Some(row) = rows.next().await
    {
        let row = match row {
            Row::Talk(row) => row,
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => continue,
        };
        count += 1;
        if !out.json && !row.read && unread.is_empty() {
            pager.data(&format!("{}\n", out.style.paint(Paint::Good, "-- unread --")))?;
        }
        pager.data(&if out.json { json_line(&row) } else { said(&row, &out.style) })?;
        is_waiting |= row.state == Some(State::Queued);
        if !row.read && row.unreadable.is_none() {
            match pager.has_shown_all() || args.mark_read {
                true => unread.push(row.id),
                false => unseen += 1,
            }
        }
    }
    pager.end()?;
    if unseen > 0 {
        let who = safe_text(who);
        let stay = if unseen == 1 { "stays" } else { "stay" };
        out.talk(&format!("{unseen} {stay} unread that the pager may have shown: dak talk {who} --unread --mark-read"));
    }
    if count == 0 && args.limit != Some(0) {
        out.talk(if args.unread { "nothing unread" } else { "nothing was said yet" });
    }
    if is_waiting {
        tell_whether_nobody_comes(link, out).await;
    }
    changes::tell_crossings(link, out).await;
    // What a program reads nobody has seen, unless it says so.
    if !is_terminal && !args.mark_read {
        return Ok(());
    }
    for ids in unread.chunks(MARKED_AT_ONCE) {
        take!(link.ask(Request::Mark { ids: ids.to_vec(), read: true }).await?, Done)?;
    }
    Ok(())
}

/// Goes on with what happens, each with its number.
async fn follow(link: &Link<'_>, args: &Talk, out: &Out) -> Outcome {
    let mut rows = link.follow(Topic::Happened { since: args.since, who: args.who.clone(), beside: false }).await?;
    while let Some(row) = rows.next().await {
        let row = match row {
            Row::Happened(row) => row,
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => continue,
        };
        match out.json {
            true => out.data(&json_line(&row))?,
            false => out.data(&happened(&row, &out.style))?,
        }
        if let HappenedRow::Here { what: Happened::Message, row, .. } = &row
            && args.mark_read
            && !row.read
        {
            take!(link.ask(Request::Mark { ids: vec![row.id.clone()], read: true }).await?, Done)?;
        }
    }
    Ok(())
}

/// Something that happened, for a person: messages whole, changes in a line; what was read or deleted needs no words.
fn happened(row: &HappenedRow, style: &Style) -> String {
    match row {
        HappenedRow::Here { what: Happened::Message, row, .. } => said(row, style),
        HappenedRow::Here { what: Happened::Change, row, .. } => {
            format!("{}  is changed:\n{}", short_id(&row.id), said(row, style))
        }
        HappenedRow::Here { what: Happened::Update, row, notice, .. } => {
            let told = notice.as_ref().map(|notice| format!(": {}", safe_text(&notice.text))).unwrap_or_default();
            format!("{}  its app was told something{told}\n", short_id(&row.id))
        }
        HappenedRow::Here { what: Happened::State, row, .. } => {
            let state = row.state.map(|state| state.said()).unwrap_or_default();
            format!("{}  {state}\n", short_id(&row.id))
        }
        HappenedRow::Here { .. } | HappenedRow::Gone { .. } | HappenedRow::Beside { .. } => String::new(),
    }
}

async fn tell_whether_nobody_comes(link: &Link<'_>, out: &Out) {
    let outlook = outlook::ask(link, out).await;
    outlook.and_then(|row| nobody_comes(&row, &out.style)).into_iter().for_each(|line| out.talk(&line));
}

async fn list(link: &Link<'_>, all: bool, out: &Out) -> Outcome {
    let rows = link.list(Listing::Talks { all }).await?;
    let mut count = 0u64;
    listing::print(rows, out, &HEADS, cells, |_| count += 1).await?;
    match count {
        0 if all => out.talk("nothing was said yet"),
        0 => out.talk("nothing to show; `dak talk --all` has also what is archived or snoozed"),
        _ => {}
    }
    tell_whether_nobody_comes(link, out).await;
    changes::tell_crossings(link, out).await;
    Ok(())
}

pub async fn unread(link: &Link<'_>, args: &Ids, out: &Out) -> Outcome {
    take!(link.ask(Request::Mark { ids: args.ids.clone(), read: false }).await?, Done)?;
    out.row(&Done::default(), |_| {
        let ids: Vec<String> = args.ids.iter().map(|id| safe_text(id)).collect();
        format!("unread again: {}\n", ids.join(", "))
    })
}

const HEADS: [&str; 4] = ["UNREAD", "WITH", "WHEN", "LAST WORDS"];

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Talks(row) = row else { return None };
    let ConversationRow { conversation, name, unread, waiting, last_at, last_text, last_mine, .. } = row;
    let (count, paint) = match (unread, waiting) {
        (0, _) => (cell(""), Paint::Plain),
        (many, 0) => (painted(Paint::Dim, many.to_string()), Paint::Plain),
        (many, _) => (painted(Paint::Good, many.to_string()), Paint::Bold),
    };
    let words = words(last_text.as_deref().unwrap_or("(unreadable)"));
    let words = if *last_mine { format!("me: {words}") } else { words };
    let words = [marks(&row.arranged, row.request, style), words].concat();
    let with = called_by_itself(name.as_deref().unwrap_or(conversation), row.nickname.as_deref());
    Some(vec![count, painted(paint, with), cell(style.when(*last_at)), prose(words)])
}

/// How a conversation was put, before its words: `(pinned, muted) `.
fn marks(arranged: &ArrangedTalk, request: bool, style: &Style) -> String {
    let ArrangedTalk { pinned, archived, snoozed_until, muted, muted_until, except_mentions: _ } = arranged;
    let mut marks: Vec<String> = Vec::new();
    marks.extend(request.then(|| "request".into()));
    marks.extend(pinned.then(|| "pinned".into()));
    marks.extend(archived.then(|| "archived".into()));
    marks.extend(snoozed_until.map(|until| format!("snoozed until {}", style.when(Some(until)))));
    let until = muted_until.map(|until| format!(" until {}", style.when(Some(until)))).unwrap_or_default();
    marks.extend(muted.then(|| format!("muted{until}")));
    if marks.is_empty() { String::new() } else { format!("({}) ", marks.join(", ")) }
}

/// Who said it.
pub fn talker(row: &TalkRow) -> String {
    if row.mine { "me".into() } else { called(row.from.name.as_deref().unwrap_or(&row.from.address)) }
}

/// One row: who and when, what became of one's own, and the whole text.
fn said(row: &TalkRow, style: &Style) -> String {
    let mut head = format!(
        "{}  {}, {}",
        short_id(&row.id),
        style.paint(Paint::Bold, &talker(row)),
        style.when(row.sent_at.or(row.received_at))
    );
    if row.late {
        head += &format!(", late, arrived {}", style.when(row.received_at));
    }
    head += if row.kind == APP { ", in an app" } else { "" };
    if row.priority == Priority::Urgent {
        head += ", urgent";
    }
    row.tags.iter().for_each(|tag| head += &format!(", {}", tag.word()));
    head += if row.changes.edited { ", edited" } else { "" };
    head += &row.state.map(|state| format!(", {}", state.said())).unwrap_or_default();
    let written = Written { sent_at: row.sent_at, offset: row.sent_offset, mine: row.mine };
    head += &row.reply_by.map(|by| format!(", reply by {}", style.when_written(by, &written))).unwrap_or_default();
    head += &row.expires_at.map(|at| format!(", disappears {}", style.when(Some(at)))).unwrap_or_default();
    head += if row.arranged.imported { ", imported" } else { "" };
    head += &if row.arranged.after_leaving { format!(", {AFTER_LEAVING}") } else { String::new() };
    head += if row.arranged.pinned { ", pinned" } else { "" };
    head += &row.arranged.labels.iter().map(|label| format!(" [{}]", safe_text(label))).collect::<String>();
    if let Some(answers) = &row.answers {
        let label = format!("{INDENT}{}", if row.kind == APP { "of " } else { "answers " });
        let room = style.width.map_or(usize::MAX, |width| width.min(TEXT_COLUMNS_MAX).saturating_sub(label.len()));
        head += &format!("\n{}", style.paint(Paint::Dim, &format!("{label}{}", shown_parent(answers, room))));
    }
    let parts = parts(row, false, style);
    let lines: Vec<String> = parts.lines().chain(changes::lines(&row.changes, style)).collect();
    format!("{head}\n{}", wrapped(&lines, style.width))
}

/// What it says and what came along, where the text may be the beginning of a longer one.
pub fn parts<'a>(row: &'a TalkRow, is_cut: bool, style: &Style) -> Parts<'a> {
    let says = (!row.mine).then_some(row.from.name.as_ref().unwrap_or(&row.from.address).as_str());
    let body = match (&row.text, &row.unreadable) {
        (Some(text), _) => {
            let goes_on = format!("\n(it goes on: dak read {})", short_id(&row.id));
            let text = safe_prose(words_beside(row.introduces.as_ref(), text).trim_end());
            text + if is_cut { &goes_on } else { "" }
        }
        (None, None) if let Some(instead) = row.changes.instead_of_words() => instead.into(),
        (None, why) => format!("(unreadable: {})", safe_text(why.as_deref().unwrap_or("nothing is known of it"))),
    };
    Parts {
        introduces: row.introduces.as_ref().map(|introduced| introduction(introduced, &row.id)),
        remark: row.remark.as_deref(),
        source: row.forwarded.as_ref().map(|from| shown_source(from, says, style)),
        subject: row.subject.as_deref(),
        body,
        files: &row.files,
    }
}

/// Lines indented, and on a terminal wrapped at words by their width.
fn wrapped(lines: &[String], width: Option<usize>) -> String {
    let columns = width.map(|width| width.min(TEXT_COLUMNS_MAX));
    let mut text = String::new();
    for line in lines {
        let parts = match columns {
            Some(columns) => textwrap::wrap(line, columns.saturating_sub(INDENT.len()).max(8)),
            None => vec![line.into()],
        };
        for part in parts {
            text += if part.is_empty() { "" } else { INDENT };
            text += &part;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::{AnswersRow, FileRow, Parent};
    use crate::api::samples::{answered, at, conversation, forwarded, said as said_row};
    use crate::cli::table::Table;

    fn style(width: usize) -> Style {
        Style { width: Some(width), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn a_text_wraps_at_words_by_its_width() {
        let shown = said(&said_row("the pump at camp three is mended, 水泵修好了 and runs\n\nsince noon"), &style(30));
        let wanted = "3f2a91c0de  bob, today 11:02\n  the pump at camp three is\n  mended, 水泵修好了 and runs\n\n  since noon\n";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn a_row_says_whose_it_is_what_became_of_it_and_that_it_came_late() {
        let own = TalkRow { mine: true, state: Some(State::Delivered), ..said_row("yes") };
        assert_eq!(said(&own, &style(80)), "3f2a91c0de  me, today 11:02, delivered\n  yes\n");
        let late = TalkRow { late: true, ..said_row("no") };
        assert_eq!(said(&late, &style(80)), "3f2a91c0de  bob, today 11:02, late, arrived today 12:30\n  no\n");
    }

    #[test]
    fn what_is_forwarded_stands_below_what_is_said_of_it() {
        let row = TalkRow { forwarded: Some(forwarded()), remark: Some("see this".into()), ..said_row("come at six") };
        let head = "3f2a91c0de  bob, today 11:02\n  see this\n";
        let wanted = format!("{head}  forwarded: written by carol, today 09:30, as bob says\n  come at six\n");
        assert_eq!(said(&row, &style(80)), wanted);
    }

    #[test]
    fn an_answer_shows_the_first_words_of_what_it_answers_or_why_it_cannot() {
        let answer = |answers| said(&TalkRow { answers: Some(answers), ..said_row("yes") }, &style(40));
        let words = "come at six\nor not at all, and bring \u{1b}[2J wine";
        let here = AnswersRow { text: Some(words.into()), ..answered() };
        let wanted = "3f2a91c0de  bob, today 11:02\n  answers bob: come at six or not at al…\n  yes\n";
        assert_eq!(answer(here.clone()), wanted);
        assert!(answer(AnswersRow { mine: true, ..here.clone() }).contains("  answers me: come at six or"));
        assert!(answer(AnswersRow { text: None, ..here }).contains("  answers bob: (unreadable)\n"));
        for (there, says) in [(Parent::Missing, "has not come"), (Parent::Deleted, "was deleted here")] {
            let gone = AnswersRow { there, from: None, text: None, ..answered() };
            assert!(answer(gone).contains(&format!("  answers a message that {says}\n")));
        }
    }

    #[test]
    fn a_time_to_answer_by_is_shown_by_both_clocks_where_they_differ() {
        let asked = |mine, sent_offset| TalkRow { mine, sent_offset, reply_by: at(18, 0), ..said_row("when?") };
        let head = |row: &TalkRow| said(row, &style(80)).lines().next().unwrap().to_owned();
        assert_eq!(
            head(&asked(false, Some(-540))),
            "3f2a91c0de  bob, today 11:02, reply by today 18:00 (09:00 theirs)"
        );
        let own = "3f2a91c0de  me, today 11:02, reply by today 18:00 (Mon 02:00 where I wrote)";
        assert_eq!(head(&asked(true, Some(480))), own);
        for same in [None, Some(0)] {
            assert!(head(&asked(false, same)).ends_with("reply by today 18:00"));
        }
    }

    #[test]
    fn nothing_that_a_peer_wrote_acts_on_the_terminal() {
        let file = FileRow::of("a\u{202e}b".into(), 3);
        let row = TalkRow { subject: Some("\u{1b}[2J".into()), files: vec![file], ..said_row("\u{7}\u{1b}]0;x") };
        let shown = said(&row, &style(80));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && !shown.contains('\u{7}'), "{shown:?}");
    }

    #[test]
    fn the_list_of_conversations_says_what_is_unread_and_whose_the_last_words_are() {
        let talk = |unread, last_mine| {
            let last_text = Some("come at\nsix".into());
            Row::Talks(ConversationRow { unread, last_mine, last_text, ..conversation() })
        };
        let mut table = Table::new(&HEADS);
        [talk(2, false), talk(0, true)].iter().for_each(|row| table.row(cells(row, &style(80)).unwrap()));
        let wanted = "\
UNREAD  WITH  WHEN         LAST WORDS
2       bob   today 11:02  come at six
        bob   today 11:02  me: come at six
";
        assert_eq!(table.render(&style(80)), wanted);
    }
}

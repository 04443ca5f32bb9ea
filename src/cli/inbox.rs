//! `dak inbox` and `dak read`.

use std::collections::BTreeSet;

use futures::StreamExt;

pub use self::saving::save_files;
use super::args::{Inbox, InboxList, InboxWhat, Read};
use super::changes;
use super::link::{Link, take};
use super::listing;
use super::next_steps;
use super::out::{Out, Paint, Style, Written};
use super::outlook::{self, due_soon, ended_unseen};
use super::table::{Cell, cell, painted, prose};
use super::talk::APP;
use super::who::{called, called_by_itself, introduction, short_id, words_beside};
use super::{Outcome, Stop, times};
use crate::api::model::{
    AnswersRow, Arranged, FileRow, ForwardedRow, InboxRow, LetterRow, Listing, Parent, Request, Row, Show, Topic,
    json_line,
};
use crate::bundle::Priority;
use crate::safe_text::{one_line_of_prose, safe_prose, safe_text};
use crate::units::{about_bytes, counted};

mod saving;

/// So much of a text is asked for where one line of it is shown.
const GIST_CHARS_MAX: u32 = 1_024;
/// What stands before the facts of a message's head.
const HEAD_COLUMNS: usize = 10;
/// So many requests are shown below an inbox.
const REQUESTS_SHOWN: u32 = 3;

pub async fn inbox(link: &Link<'_>, args: &Inbox, out: &Out) -> Outcome {
    match &args.what {
        None => list(link, &args.list, out).await,
        Some(InboxWhat::List(args)) => list(link, args, out).await,
        Some(InboxWhat::Delete { ids }) => changes::delete(link, ids, out).await,
    }
}

async fn list(link: &Link<'_>, args: &InboxList, out: &Out) -> Outcome {
    if args.count {
        let waiting = take!(link.ask(Request::Waiting).await?, Waiting)?;
        return out.row(&waiting, |_| format!("{}\n", waiting.unread));
    }
    if args.due {
        return due(link, args, out).await;
    }
    // Subscribed before listed: what arrives in between is in both, and shown once.
    let news = if args.follow { Some(link.follow(Topic::Inbox { all: args.all }).await?) } else { None };
    let mut shown = BTreeSet::new();
    // A program tells requests by their mark, a person by where they stand.
    let show = match (args.all, out.json) {
        (true, _) => Show::All,
        (false, true) => Show::Waiting,
        (false, false) => Show::Known,
    };
    let mut count = print(link, args, show, out, &mut shown).await?;
    let mut muted = 0;
    if show == Show::Known && args.limit != Some(0) {
        let waiting = take!(link.ask(Request::Waiting).await?, Waiting)?;
        let requests = waiting.requests;
        muted = waiting.muted;
        if requests > 0 {
            let blank = if count > 0 { "\n" } else { "" };
            out.data(&format!("{blank}{} from strangers: dak requests\n", counted(requests, "request")))?;
            // A flood of them leaves a terminal to what waits.
            let limit = if out.style.width.is_some() { Some(REQUESTS_SHOWN) } else { args.limit };
            count += print(link, &InboxList { limit, ..args.clone() }, Show::Requests, out, &mut shown).await?;
        }
    }
    if count == 0 && !args.follow && args.limit != Some(0) {
        out.talk(match (args.unread, args.all) {
            (true, _) => "nothing unread",
            (_, true) => "the inbox is empty",
            _ => "the inbox is empty; what is archived, snoozed or muted is in `dak inbox --all`",
        });
    }
    if muted > 0 {
        let s = if muted == 1 { "" } else { "s" };
        out.talk(&format!("{muted} unread message{s} in muted conversations: dak inbox --all"));
    }
    if let Some(row) = outlook::ask(link, out).await {
        let lines = due_soon(&row, &out.style).into_iter().chain(ended_unseen(&row));
        lines.for_each(|line| out.talk(&line));
    }
    changes::tell_crossings(link, out).await;
    let Some(mut news) = news else { return Ok(()) };
    while let Some(row) = news.next().await {
        match row {
            // What an app calls somebody for is no mail.
            Row::Inbox(row) if row.kind == APP || shown.contains(&row.id) => {}
            Row::Inbox(row) => match out.json {
                true => out.data(&json_line(&row))?,
                false => out.data(&arrival(&row, &out.style))?,
            },
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => {}
        }
    }
    Ok(())
}

/// Prints rows of the inbox; returns how many.
async fn print(
    link: &Link<'_>,
    args: &InboxList,
    show: Show,
    out: &Out,
    shown: &mut BTreeSet<String>,
) -> Result<u64, Stop> {
    // What is piped is whole.
    let text_chars = (!out.json && out.style.width.is_some()).then_some(GIST_CHARS_MAX);
    let rows = link.list(Listing::Inbox { unread: args.unread, limit: args.limit, text_chars, show }).await?;
    let mut count = 0;
    listing::print(rows, out, &HEADS, cells, |row| {
        count += 1;
        // Only who follows may be told of a row again.
        if let (Row::Inbox(row), true) = (row, args.follow) {
            shown.insert(row.id);
        }
    })
    .await?;
    Ok(count)
}

/// What asks for an answer by some time.
async fn due(link: &Link<'_>, args: &InboxList, out: &Out) -> Outcome {
    let text_chars = (!out.json && out.style.width.is_some()).then_some(GIST_CHARS_MAX);
    let show = if args.all { Show::All } else { Show::Waiting };
    let rows = link.list(Listing::Due { limit: args.limit, text_chars, show }).await?;
    let mut count = 0u64;
    listing::print(rows, out, &DUE_HEADS, due_cells, |_| count += 1).await?;
    if count == 0 && args.limit != Some(0) {
        out.talk("nothing is due: nobody waits for an answer by some time");
    }
    Ok(())
}

/// Mail of those who have no name here.
pub async fn requests(link: &Link<'_>, out: &Out) -> Outcome {
    match print(link, &InboxList::default(), Show::Requests, out, &mut BTreeSet::new()).await? {
        0 => out.talk("no requests: all mail that waits is from people with a name here"),
        _ => out.talk("take one in with `dak contact add NAME ID`, or say no with `dak contact block ID`"),
    }
    Ok(())
}

pub async fn read(link: &Link<'_>, args: &Read, out: &Out) -> Outcome {
    if args.history {
        return changes::history(link, &args.id, out).await;
    }
    let request = Request::Read { id: args.id.clone(), mark: !args.peek, tell: args.tell };
    let letter = *take!(link.ask(request).await?, Letter)?;
    out.row(&letter, |style| text(&letter, style))?;
    if let Some(directory) = &args.save {
        save_files(link, &letter, directory, |words| out.talk(&words)).await?;
    }
    Ok(())
}

const HEADS: [&str; 5] = ["", "ID", "FROM", "WHEN", "TEXT"];

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Inbox(row) = row else { return None };
    let mark = if row.read { cell("") } else { painted(Paint::Good, "*") };
    let paint = if row.read { Paint::Plain } else { Paint::Bold };
    let when = style.when(row.received_at);
    Some(vec![mark, cell(short_id(&row.id)), painted(paint, from(row)), cell(when), prose(in_a_line(row, style))])
}

const DUE_HEADS: [&str; 5] = ["", "ID", "FROM", "ANSWER BY", "TEXT"];

fn due_cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Due(row) = row else { return None };
    let reply_by = row.reply_by?;
    let by = times::short(reply_by, &style.now);
    let (mark, by) = match reply_by.timestamp() <= style.now.timestamp() {
        true => (painted(Paint::Bad, "!"), painted(Paint::Bad, format!("{by}, overdue"))),
        false => (cell(""), cell(by)),
    };
    Some(vec![mark, cell(short_id(&row.id)), cell(from(row)), by, prose(in_a_line(row, style))])
}

/// Who wrote it; one who has no name here by its short id, and what it calls itself.
fn from(row: &InboxRow) -> String {
    let who = called_by_itself(&row.from, row.nickname.as_deref());
    match &row.group {
        Some(group) => format!("{who} in {}", called(group)),
        None => who,
    }
}

/// A message in a line: how it was put, urgency, a date to doubt, subject, text, attachments.
fn in_a_line(row: &InboxRow, style: &Style) -> String {
    let urgent = (row.priority == Priority::Urgent).then(|| "!".into());
    let dated = dated(row, style).map(|dated| format!("({dated})"));
    let forwarded = row.forwarded.as_ref().map(|forwarded| format!("fwd {}:", author(forwarded)));
    let remark = row.remark.as_deref().map(words);
    let introduces = row.introduces.as_ref().map(|introduced| introduction(introduced, &row.id));
    let tags = row.tags.iter().map(|tag| format!("({})", tag.word()));
    let goes = row.expires_at.map(|at| format!("(disappears {})", style.when(Some(at))));
    let facts = [urgent, dated, goes, introduces, remark, forwarded].into_iter().flatten();
    let before: Vec<String> = marks(&row.arranged, style).into_iter().chain(tags).chain(facts).collect();
    let before = Some(before.join(" ")).filter(|before| !before.is_empty());
    let text = unreadable(row).unwrap_or_else(|| said(row, style));
    gist(before, row.subject.as_deref(), &text, row.attachments.len() as u64)
}

/// The words of a message beside what else it brings, or of a change.
fn said(row: &InboxRow, style: &Style) -> String {
    let words = || words_beside(row.introduces.as_ref(), row.text.as_deref().unwrap_or_default()).to_owned();
    changes::set_words(&row.sets, style).unwrap_or_else(words)
}

/// Subject, text and number of files in a line, behind what else there is to say.
pub fn gist(before: Option<String>, subject: Option<&str>, text: &str, files: u64) -> String {
    let subject = subject.map(|subject| format!("{subject}:"));
    let words = words(text);
    let files = (files > 0).then(|| format!("[{}]", counted(files, "file")));
    let parts = [before, subject, Some(words), files].into_iter().flatten();
    parts.filter(|part| !part.is_empty()).collect::<Vec<String>>().join(" ")
}

/// A text without its lines.
pub fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Of what came from somebody who was out of the group by then.
pub const AFTER_LEAVING: &str = "came after they were out; written before by their own clock";

/// How a message was put: labels as `[plans]`, the rest as `(pinned)`.
fn marks(arranged: &Arranged, style: &Style) -> Vec<String> {
    let Arranged { labels, imported, after_leaving, pinned, archived, snoozed_until, muted } = arranged;
    let mut marks: Vec<String> = labels.iter().map(|label| format!("[{label}]")).collect();
    marks.extend(imported.then(|| "(imported)".into()));
    marks.extend(after_leaving.then(|| format!("({AFTER_LEAVING})")));
    marks.extend(pinned.then(|| "(pinned)".into()));
    marks.extend(archived.then(|| "(archived)".into()));
    marks.extend(snoozed_until.map(|until| format!("(snoozed until {})", style.when(Some(until)))));
    marks.extend(muted.then(|| "(muted)".into()));
    marks
}

/// The time that a message bears, where it does not agree with when it came.
fn dated(row: &InboxRow, style: &Style) -> Option<String> {
    row.clock_differs.then(|| format!("dated {}", style.when(row.sent_at)))
}

/// A new message, while following: a line for who and when, then the whole text, and what came with it.
fn arrival(row: &InboxRow, style: &Style) -> String {
    let from = style.paint(Paint::Bold, &from(row));
    let dated = dated(row, style).map(|dated| format!(" ({dated})")).unwrap_or_default();
    let head = format!("{}  {from}, {}{dated}", short_id(&row.id), style.when(row.received_at));
    let source = row.forwarded.as_ref().map(|forwarded| shown_source(forwarded, Some(&row.from), style));
    let whole = || safe_prose(said(row, style).trim_end());
    let parts = Parts {
        introduces: row.introduces.as_ref().map(|introduced| introduction(introduced, &row.id)),
        remark: row.remark.as_deref(),
        source,
        subject: row.subject.as_deref(),
        body: unreadable(row).unwrap_or_else(whole),
        files: &row.attachments,
    };
    let indented = parts.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") });
    format!("{head}\n{}", indented.collect::<String>())
}

/// What stands below the head of a message that is shown whole.
pub struct Parts<'r> {
    /// Safe to print, as `source` and `body` are.
    pub introduces: Option<String>,
    pub remark: Option<&'r str>,
    pub source: Option<String>,
    pub subject: Option<&'r str>,
    pub body: String,
    pub files: &'r [FileRow],
}

impl Parts<'_> {
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let remark = self.remark.map(|remark| safe_prose(remark.trim_end())).unwrap_or_default();
        let remark: Vec<String> = remark.lines().map(str::to_owned).collect();
        let source = self.source.as_ref().map(|source| format!("forwarded: {source}"));
        let files = self.files.iter().map(|file| format!("[{}]", shown_file(file)));
        let (introduces, subject) = (self.introduces.clone(), self.subject.map(shown_subject));
        let above = introduces.into_iter().chain(remark).chain(source).chain(subject);
        above.chain(self.body.lines().map(str::to_owned)).chain(files)
    }
}

/// Whose message is answered and how it begins, or why that is not known, in so many columns.
pub fn shown_parent(answers: &AnswersRow, columns: usize) -> String {
    match (answers.there, &answers.from) {
        (Parent::Missing, _) => "a message that has not come".into(),
        (Parent::Deleted, _) => "a message that was deleted here".into(),
        (Parent::Here, from) => {
            let who = from.as_ref().filter(|_| !answers.mine).map(|from| from.name.as_ref().unwrap_or(&from.address));
            let who = who.map_or_else(|| "me".into(), |who| called(who));
            let words = words(answers.text.as_deref().unwrap_or("(unreadable)"));
            one_line_of_prose(&format!("{who}: {words}"), columns)
        }
    }
}

fn shown_subject(subject: &str) -> String {
    one_line_of_prose(subject, usize::MAX)
}

pub fn shown_file(file: &FileRow) -> String {
    let state = file.state.as_deref().filter(|state| *state != "here");
    let state = state.map(|state| format!(", {}", safe_text(state))).unwrap_or_default();
    format!("{} ({}{state})", safe_text(&file.name), about_bytes(file.bytes))
}

/// Why there is nothing to read, in the place of what there is.
fn unreadable(row: &InboxRow) -> Option<String> {
    match (&row.text, &row.unreadable) {
        (Some(_), _) => None,
        (None, Some(why)) => {
            let step =
                row.next.as_ref().and_then(next_steps::words).map(|step| format!("; {step}")).unwrap_or_default();
            Some(format!("(unreadable: {}{})", safe_text(why), safe_text(&step)))
        }
        (None, None) => Some(row.changes.instead_of_words().unwrap_or("(unreadable)").into()),
    }
}

/// A whole message with its head.
fn text(letter: &LetterRow, style: &Style) -> String {
    let row = &letter.row;
    let mut head = vec![("from", from(row))];
    head.extend(letter.to.as_deref().map(|to| ("to", called(to))));
    if let Some(subject) = &row.subject {
        head.push(("subject", shown_subject(subject)));
    }
    head.extend(row.introduces.as_ref().map(|introduced| ("", introduction(introduced, &row.id))));
    let written = Written { sent_at: row.sent_at, offset: row.sent_offset, mine: letter.to.is_some() };
    let doubt = if row.clock_differs { " (the sender's clock differs)" } else { "" };
    head.push((
        "sent",
        row.sent_at.map_or_else(
            || "at an unknown time: the sender had no clock".into(),
            |when| format!("{}{doubt}", style.when_written(when, &written)),
        ),
    ));
    let via = match row.via.as_deref().filter(|via| *via != row.from) {
        Some(via) => format!(", from the hands of {}", called(via)),
        None => String::new(),
    };
    match letter.state {
        Some(state) => head.push(("state", state.said().into())),
        None => head.push(("received", format!("{}{via}", style.when(row.received_at)))),
    }
    if row.priority != Priority::Normal {
        head.push(("priority", crate::api::model::priority_name(row.priority).into()));
    }
    if !row.tags.is_empty() {
        head.push(("meant as", row.tags.iter().map(|tag| tag.word()).collect::<Vec<_>>().join(", ")));
    }
    if let Some(reply_by) = row.reply_by {
        head.push(("reply by", style.when_written(reply_by, &written)));
    }
    if let Some(expires_at) = row.expires_at {
        head.push(("forgotten", style.when(Some(expires_at))));
    }
    if let Some(answers) = &letter.answers {
        let id = if answers.there == Parent::Here { format!(" ({})", short_id(&answers.id)) } else { String::new() };
        let room = style.width.map_or(usize::MAX, |width| width.saturating_sub(HEAD_COLUMNS + id.len()));
        let label = if row.sets.is_empty() { "answers" } else { "changes" };
        head.push((label, format!("{}{id}", shown_parent(answers, room))));
    }
    if let Some(forwarded) = &row.forwarded {
        let mine = letter.to.is_some();
        head.push(("forwarded", shown_source(forwarded, (!mine).then_some(&*row.from), style)));
    }
    for file in &row.attachments {
        head.push(("file", shown_file(file)));
    }
    if row.changes.edited {
        head.push(("edited", format!("see `dak read {} --history`", short_id(&row.id))));
    }
    head.push(("id", short_id(&row.id)));
    let secrecy = if row.forward_secrecy { "sealed, with forward secrecy" } else { "sealed, no forward secrecy" };
    let secrecy = if row.arranged.imported { "imported, not verified here" } else { secrecy };
    head.push(("secrecy", secrecy.into()));
    let head: String = head
        .iter()
        .map(|(label, value)| format!("{} {value}\n", style.paint(Paint::Dim, &format!("{label:<9}"))))
        .collect();
    let whole = || safe_prose(said(row, style).trim_end_matches('\n'));
    let body = unreadable(row).unwrap_or_else(whole);
    let remark = row.remark.as_deref().map(|remark| {
        let rule = style.paint(Paint::Dim, "-- forwarded --");
        format!("{}\n\n{rule}\n", safe_prose(remark.trim_end_matches('\n')))
    });
    let remark = remark.unwrap_or_default();
    let below: String = changes::lines(&row.changes, style).iter().map(|line| format!("\n{line}")).collect();
    format!("{head}\n{remark}{body}\n{below}{}", if below.is_empty() { "" } else { "\n" })
}

fn author(forwarded: &ForwardedRow) -> String {
    called(forwarded.author.name.as_ref().unwrap_or(&forwarded.author.address))
}

/// Who wrote what is forwarded and when, and whose word that is, unless it is one's own.
pub fn shown_source(forwarded: &ForwardedRow, says: Option<&str>, style: &Style) -> String {
    let when = forwarded.sent_at.map(|when| format!(", {}", times::whole(when, &style.now))).unwrap_or_default();
    let says = match says {
        _ if forwarded.signed => ", signed".into(),
        Some(who) => format!(", as {} says", called(who)),
        None => String::new(),
    };
    format!("written by {}{when}{says}", author(forwarded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::FileRow;
    use crate::api::samples::{answered, at, forwarded, inbox};
    use crate::cli::table::Table;

    fn style(width: usize) -> Style {
        Style { width: Some(width), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    fn table(rows: &[InboxRow], style: &Style) -> String {
        let mut table = Table::new(&HEADS);
        rows.iter().for_each(|row| table.row(cells(&Row::Inbox(row.clone()), style).unwrap()));
        table.render(style)
    }

    #[test]
    fn the_list_fits_eighty_columns() {
        let long = InboxRow { read: true, ..inbox("line one\nline two, which goes on and on until it does not fit") };
        let urgent = InboxRow { priority: Priority::Urgent, subject: Some("tonight".into()), ..inbox("come at six") };
        let wanted = concat!(
            "   ID          FROM  WHEN         TEXT\n",
            "   3f2a91c0de  bob   today 12:30  line one line two, which goes on and on until…\n",
            "*  3f2a91c0de  bob   today 12:30  ! tonight: come at six\n",
        );
        let shown = table(&[long, urgent], &style(80));
        assert_eq!(shown, wanted);
        assert!(shown.lines().all(|line| crate::safe_text::columns(line) <= 80));
    }

    #[test]
    fn a_whole_message_shows_who_when_and_how() {
        let file = FileRow::of("a\u{202e}gpj.exe".into(), 2_048);
        let row = InboxRow {
            subject: Some("tonight".into()),
            reply_by: at(18, 0),
            sent_offset: Some(330),
            attachments: vec![file],
            ..inbox("come at six\n\u{1b}[2J\tbring wine\n")
        };
        let wanted = "\
from      bob
subject   tonight
sent      today 11:02 (16:32 theirs)
received  today 12:30, from the hands of carol
reply by  today 18:00 (23:30 theirs)
file      a\\u{202e}gpj.exe (2.0 KiB)
id        3f2a91c0de
secrecy   sealed, no forward secrecy

come at six
\\u{1b}[2J\tbring wine
";
        assert_eq!(text(&LetterRow::of(row), &style(80)), wanted);
    }

    #[test]
    fn what_is_due_says_by_when_and_marks_what_is_overdue() {
        let due = |hour| InboxRow { reply_by: at(hour, 0), ..inbox("come at six, or tell me when you can come") };
        let mut table = Table::new(&DUE_HEADS);
        [due(-13), due(18)].into_iter().for_each(|row| table.row(due_cells(&Row::Due(row), &style(80)).unwrap()));
        let wanted = concat!(
            "   ID          FROM  ANSWER BY                 TEXT\n",
            "!  3f2a91c0de  bob   yesterday 11:00, overdue  come at six, or tell me when you…\n",
            "   3f2a91c0de  bob   today 18:00               come at six, or tell me when you…\n",
        );
        assert_eq!(table.render(&style(80)), wanted);
    }

    #[test]
    fn what_is_forwarded_is_never_more_than_what_its_sender_says() {
        let remark = Some("see \u{1b}[2Jthis\n".into());
        let row = InboxRow { forwarded: Some(forwarded()), remark, subject: Some("tonight".into()), ..inbox("come") };
        let shown = text(&LetterRow::of(row.clone()), &style(80));
        assert!(shown.contains("forwarded written by carol, today 09:30, as bob says\n"), "{shown}");
        assert!(shown.ends_with("\n\nsee \\u{1b}[2Jthis\n\n-- forwarded --\ncome\n"), "{shown}");
        let own = LetterRow { to: Some("dave".into()), ..LetterRow::of(row.clone()) };
        assert!(text(&own, &style(80)).contains("forwarded written by carol, today 09:30\n"));
        assert!(
            table(std::slice::from_ref(&row), &style(80)).ends_with("see \\u{1b}[2Jthis fwd carol: tonight: come\n")
        );
        let followed =
            "  see \\u{1b}[2Jthis\n  forwarded: written by carol, today 09:30, as bob says\n  tonight\n  come\n";
        assert!(arrival(&row, &style(80)).ends_with(followed));
        let bare = InboxRow { remark: None, ..row };
        assert!(text(&LetterRow::of(bare), &style(80)).ends_with("secrecy   sealed, no forward secrecy\n\ncome\n"));
    }

    #[test]
    fn an_answer_shows_what_it_answers_in_one_line() {
        let answers = AnswersRow { text: Some("long ".repeat(40)), ..answered() };
        let letter = LetterRow { answers: Some(answers), ..LetterRow::of(inbox("yes")) };
        let shown = text(&letter, &style(80));
        let line = shown.lines().find(|line| line.starts_with("answers")).unwrap();
        assert!(line.starts_with("answers   bob: long long") && line.ends_with("… (3f2a91c0de)"), "{shown}");
        assert_eq!(crate::safe_text::columns(line), 80);
    }

    #[test]
    fn what_is_followed_shows_all_of_a_message_and_what_came_with_it() {
        let file = FileRow::of("a\u{202e}gpj.exe".into(), 2_048);
        let row =
            InboxRow { subject: Some("tonight".into()), attachments: vec![file.clone()], ..inbox("one\n\ntwo\n") };
        let wanted = "3f2a91c0de  bob, today 12:30\n  tonight\n  one\n\n  two\n  [a\\u{202e}gpj.exe (2.0 KiB)]\n";
        assert_eq!(arrival(&row, &style(80)), wanted);
        let bare = InboxRow { attachments: vec![file], ..inbox("") };
        assert_eq!(arrival(&bare, &style(80)), "3f2a91c0de  bob, today 12:30\n  [a\\u{202e}gpj.exe (2.0 KiB)]\n");
    }

    #[test]
    fn a_message_without_words_is_what_came_with_it() {
        let file = FileRow::of("plan".into(), 2_048);
        let row = InboxRow { attachments: vec![file], ..inbox("") };
        assert!(table(&[row], &style(80)).ends_with("today 12:30  [1 file]\n"));
    }

    #[test]
    fn a_date_that_cannot_be_is_named_beside_when_the_message_came() {
        let row = InboxRow { clock_differs: true, ..inbox("come at six") };
        let said = "today 12:30  (dated today 11:02) come at six\n";
        assert!(
            table(std::slice::from_ref(&row), &style(80)).ends_with(said),
            "{}",
            table(std::slice::from_ref(&row), &style(80))
        );
        let followed = arrival(&row, &style(80));
        assert!(followed.starts_with("3f2a91c0de  bob, today 12:30 (dated today 11:02)\n"), "{followed}");
        assert!(!table(&[inbox("come at six")], &style(80)).contains("dated"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let row =
            InboxRow { text: None, unreadable: Some("a newer kind of envelope".into()), sent_at: None, ..inbox("") };
        let shown = text(&LetterRow::of(row.clone()), &style(80));
        assert!(shown.ends_with("(unreadable: a newer kind of envelope)\n") && shown.contains("had no clock"));
        assert!(table(&[row], &style(80)).contains("(unreadable: a newer kind"));
    }
}

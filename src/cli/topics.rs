//! `dak topic`, `dak pub` and `dak sub`.

use std::io::BufRead;
use std::sync::mpsc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;

use super::Outcome;
use super::args::{Pub, Sub, Topic as TopicArgs, TopicWhat};
use super::link::{Link, take};
use super::out::{Out, Paint, Style, stdin_is_person};
use super::table::{Table, cell, painted, prose};
use super::who::{called, shell_word};
use crate::api::client::RowStream;
use crate::api::model::{
    FailedRow, Outcome as Became, PUBLISHED_AT_ONCE_MAX, Publication, PublishedRow, Request, Response, Row,
    SettledEvent, TermsWanted, Topic, TopicEventRow, TopicRow, TopicStanding, TopicTermsRow, json_line,
};
use crate::api::{ApiError, ErrorKind};
use crate::command::{self, Job};
use crate::content::topic::BODY_BYTES_MAX;
use crate::safe_text::{safe_prose, safe_text};
use crate::time::Millis;
use crate::units::{counted, exact_bytes, exact_span};

/// Events on the way to one who prints them.
const PRINTED_AT_ONCE: u32 = 256;
/// How long what was printed waits for more before it is settled.
const SETTLED_WITHIN: Duration = Duration::from_millis(5);
/// Texts of one request together, in bytes.
const BATCH_BYTES_MAX: usize = 1 << 20;

pub async fn topic(link: &Link<'_>, args: &TopicArgs, out: &Out) -> Outcome {
    match args.what.as_ref().unwrap_or(&TopicWhat::List) {
        TopicWhat::List => {
            let rows = take!(link.ask(Request::Topics).await?, Topics)?;
            if rows.is_empty() {
                out.talk("no topics; make one with `dak topic create NAME`");
            }
            out.answer(&Response::Topics(rows.clone()), |style| table(&rows, style))
        }
        TopicWhat::Create { name, writers } => {
            let split =
                |list: &String| list.split(',').map(str::trim).filter(|who| !who.is_empty()).map(Into::into).collect();
            let create = Request::TopicCreate { topic: name.clone(), writers: writers.as_ref().map(split) };
            let row = take!(link.ask(create).await?, Topic)?;
            out.row(&row, |_| {
                let writers: Vec<String> =
                    row.writers.iter().map(|who| called(who.name.as_ref().unwrap_or(&who.address))).collect();
                let who =
                    if writers.is_empty() { "you alone".into() } else { format!("you and {}", writers.join(", ")) };
                format!("topic {}, written by {who}\n", safe_text(&row.topic))
            })
        }
        TopicWhat::Subscribe { topic } => {
            let row = take!(link.ask(Request::TopicSubscribe { topic: topic.clone() }).await?, Subscribed)?;
            say_where_nothing_comes(link, out).await?;
            out.row(&row, |_| format!("subscribed to {}\n", safe_text(&row.topic)))
        }
        TopicWhat::Unsubscribe { topic } => {
            let done = take!(link.ask(Request::TopicUnsubscribe { topic: topic.clone() }).await?, Done)?;
            out.row(&done, |_| "unsubscribed\n".into())
        }
        TopicWhat::Set { topic, keep, bytes, usual } => {
            let terms = TermsWanted { keep_ms: keep.map(|keep| keep.0), keep_bytes: *bytes, usual: *usual };
            let row = take!(link.ask(Request::TopicSet { topic: topic.clone(), terms }).await?, TopicTerms)?;
            out.row(&row, |_| shown_terms(&row))
        }
        TopicWhat::Delete { topic } => {
            let row = take!(link.ask(Request::TopicDelete { topic: topic.clone() }).await?, TopicEnded)?;
            out.row(&row, |style| match row.carried_until {
                None => format!("{} is no more\n", safe_text(&row.topic)),
                until => format!(
                    "{} is no more; what others carry of it stays with them until {} at the latest\n",
                    safe_text(&row.topic),
                    style.when(until)
                ),
            })
        }
    }
}

fn shown_terms(row: &TopicTermsRow) -> String {
    let TopicTermsRow { topic, keep_ms, keep_bytes, .. } = row;
    let long = keep_ms.map_or("to the end of its life".into(), |keep| format!("for {}", exact_span(Millis(keep))));
    let much = keep_bytes.map_or("as far as there is room".into(), |bytes| format!("at most {}", exact_bytes(bytes)));
    format!("{} stays here {long}, {much}\n", safe_text(topic))
}

fn table(rows: &[TopicRow], style: &Style) -> String {
    let mut table = Table::new(&["TOPIC", "", "EVENTS", "HELD", "WRITTEN BY"]);
    for row in rows {
        let standing = match row.standing {
            TopicStanding::Mine => painted(Paint::Good, "mine"),
            TopicStanding::Subscribed => cell("subscribed"),
            TopicStanding::Around => painted(Paint::Dim, "around"),
        };
        let who = |person: &crate::api::model::PersonRow| called(person.name.as_ref().unwrap_or(&person.address));
        let writers: Vec<String> = std::iter::once(&row.owner).chain(&row.writers).map(who).collect();
        let name = shown_topic(&row.topic);
        let counts = [row.last_event, row.carried].map(|count| cell(count.to_string()));
        let [events, held] = counts;
        table.row(vec![cell(name), standing, events, held, cell(writers.join(", "))]);
    }
    table.render(style)
}

/// A topic with its owner's short id where that has no name.
fn shown_topic(topic: &str) -> String {
    match topic.split_once('/') {
        Some((owner, name)) if owner.starts_with("dak:") => format!("{}/{}", called(owner), safe_text(name)),
        _ => safe_text(topic),
    }
}

pub async fn publish(link: &Link<'_>, args: &Pub, out: &Out) -> Outcome {
    let one = args.text.as_ref().filter(|text| *text != "-");
    if let Some(text) = one {
        let message = Publication { key: args.key.clone(), text: text.clone() };
        let rows = request(link, args, vec![message]).await?;
        return print_published(&rows, out);
    }
    if stdin_is_person() && args.text.is_none() {
        return Err(ApiError::usage("there is nothing to publish")
            .advise("give a text, or - to read a message a line")
            .into());
    }
    let (lines, mut batches) = lines_of_stdin();
    let mut published = 0;
    while let Some(batch) = batches.recv().await {
        let batch = batch?.into_iter().map(|text| Publication { key: args.key.clone(), text }).collect();
        let rows = request(link, args, batch).await?;
        published += rows.len() as u64;
        if out.json {
            print_published(&rows, out)?;
        }
    }
    drop(lines);
    out.talk(&format!("published {} in {}", counted(published, "message"), safe_text(&args.topic)));
    Ok(())
}

async fn request(link: &Link<'_>, args: &Pub, messages: Vec<Publication>) -> Result<Vec<PublishedRow>, ApiError> {
    let lifetime_ms = args.lifetime.map(|lifetime| lifetime.0);
    let asked = Request::Publish { topic: args.topic.clone(), messages, lifetime_ms };
    take!(link.ask(asked).await?, Published)
}

fn print_published(rows: &[PublishedRow], out: &Out) -> Outcome {
    out.answer(&Response::Published(rows.to_vec()), |_| {
        rows.iter()
            .map(|row| format!("published {} in {}\n", super::who::short_id(&row.id), safe_text(&row.topic)))
            .collect()
    })
}

type Batches = tokio::sync::mpsc::Receiver<Result<Vec<String>, ApiError>>;

/// Lines of stdin, as many together as are there: what comes one by one is published one by one.
fn lines_of_stdin() -> (std::thread::JoinHandle<()>, Batches) {
    let (line_in, line_out) = mpsc::sync_channel(4 * PUBLISHED_AT_ONCE_MAX);
    let (batch_in, batch_out) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let line = read_line(&mut stdin);
            let is_last = !matches!(line, Ok(Some(_)));
            if line_in.send(line).is_err() || is_last {
                return;
            }
        }
    });
    let gather = std::thread::spawn(move || {
        let mut next = line_out.recv().ok();
        while let Some(line) = next.take() {
            let (mut batch, mut bytes, mut line, mut end) = (Vec::new(), 0, Some(line), None);
            loop {
                match line.take() {
                    Some(Ok(Some(text))) => {
                        bytes += text.len();
                        batch.push(text);
                    }
                    Some(Ok(None)) => end = Some(None),
                    Some(Err(error)) => end = Some(Some(error)),
                    None => {}
                }
                if end.is_some() || batch.len() >= PUBLISHED_AT_ONCE_MAX || bytes >= BATCH_BYTES_MAX / 2 {
                    break;
                }
                match line_out.try_recv() {
                    Ok(another) => line = Some(another),
                    Err(_) => break,
                }
            }
            if !batch.is_empty() && batch_in.blocking_send(Ok(batch)).is_err() {
                return;
            }
            match end {
                Some(None) => return,
                Some(Some(error)) => return drop(batch_in.blocking_send(Err(error))),
                None => next = line_out.recv().ok(),
            }
        }
    });
    (gather, batch_out)
}

/// A line without its end; none at the end of all.
fn read_line(from: &mut impl BufRead) -> Result<Option<String>, ApiError> {
    let mut bytes = Vec::new();
    let most = BODY_BYTES_MAX as u64 + 3;
    std::io::Read::take(&mut *from, most)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| ApiError::failure(format!("cannot read stdin: {error}")))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    if bytes.len() > BODY_BYTES_MAX {
        return Err(ApiError::refused(format!(
            "a line has more than {BODY_BYTES_MAX} bytes, which is the most that a message has"
        ))
        .advise("shorten it, or send it as a file to those who need it with `dak send WHO -f FILE`"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| ApiError::usage("a line is no text in UTF-8"))
}

/// What others publish lies where mail for others lies.
async fn say_where_nothing_comes(link: &Link<'_>, out: &Out) -> Outcome {
    let carry = take!(link.ask(Request::Carry).await?, Carry)?;
    if carry.quota_bytes == 0 {
        out.talk(
            "nothing that others publish comes to this node, for it carries for nobody: `dak carry limit 64M` lets it",
        );
    }
    Ok(())
}

pub async fn sub(link: &Link<'_>, args: &Sub, out: &Out) -> Outcome {
    if args.failed {
        let asked = Request::TopicFailed { topic: args.topic.clone(), group: args.group.clone() };
        let rows = take!(link.ask(asked).await?, Failed)?;
        if rows.is_empty() {
            out.talk("nothing was given up");
        }
        return out.answer(&Response::Failed(rows.clone()), |style| failed_table(&rows, style));
    }
    if let Some(event) = &args.retry {
        let (topic, group) = (args.topic.clone(), args.group.clone());
        let done = take!(link.ask(Request::TopicRetry { topic, group, event: event.clone() }).await?, Done)?;
        return out.row(&done, |_| "handed out again\n".into());
    }
    if args.follow {
        say_where_nothing_comes(link, out).await?;
    }
    let window = if args.cmd.is_empty() { PRINTED_AT_ONCE } else { 1 };
    let wish = Topic::Sub {
        topic: args.topic.clone(),
        group: args.group.clone(),
        from: args.from.clone(),
        follow: args.follow,
        window: Some(window),
    };
    let rows = link.follow(wish).await?;
    match args.cmd.is_empty() {
        true => print_all(link, args, rows, out).await,
        false => work_on_all(link, args, rows, out).await,
    }
}

/// Prints events as they come; what was printed is done. It is settled half a window at a time: each settling is a commit, and
/// frees as much of the window, so few at a time would stay few.
async fn print_all(link: &Link<'_>, args: &Sub, mut rows: RowStream, out: &Out) -> Outcome {
    let mut done = Vec::new();
    loop {
        let next = match done.is_empty() {
            true => Ok(rows.next().await),
            false => timeout(SETTLED_WITHIN, rows.next()).await,
        };
        let ended = match next {
            Ok(Some(Row::Sub(event))) => {
                out.row(&event, |style| shown(&event, style))?;
                done.push(settled(&event, Became::Done, None, args.tries));
                if done.len() < PRINTED_AT_ONCE as usize / 2 {
                    continue;
                }
                None
            }
            Ok(Some(Row::Ended(error))) => Some(Err(error.into())),
            Ok(Some(_)) => return Err(super::link::unexpected().into()),
            Ok(None) => Some(Ok(())),
            Err(_) => None,
        };
        settle(link, args, std::mem::take(&mut done)).await?;
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// Has the command work on each event.
async fn work_on_all(link: &Link<'_>, args: &Sub, mut rows: RowStream, out: &Out) -> Outcome {
    while let Some(row) = rows.next().await {
        let event = match row {
            Row::Sub(event) => event,
            Row::Ended(error) => return Err(error.into()),
            _ => return Err(super::link::unexpected().into()),
        };
        let (became, why) = work(args, &event).await?;
        if let Some(why) = &why {
            let then = match became {
                Became::GiveUp => "given up",
                _ if event.attempt >= args.tries => "given up",
                _ => "it goes again",
            };
            out.talk(&format!("event {}: {why}; {then}", event.event));
        }
        settle(link, args, vec![settled(&event, became, why, args.tries)]).await?;
    }
    Ok(())
}

/// What becomes of an event with the command, and why.
async fn work(args: &Sub, event: &TopicEventRow) -> Result<(Became, Option<String>), ApiError> {
    let (program, words) = args.cmd.split_first().expect("there is a command");
    let job = Job { program, args: words, time_max: args.timeout, apart: None };
    let ran = command::run(&job, json_line(event).as_bytes()).await.map_err(|error| {
        let message = format!("cannot run {}: {error}", safe_text(program));
        ApiError::new(ErrorKind::Usage, message).advise("name a program that is there; the event waits for it")
    })?;
    let became = match ran.became {
        command::Became::Done => Became::Done,
        command::Became::Again => Became::Again,
        command::Became::GiveUp => Became::GiveUp,
    };
    Ok((became, ran.why))
}

fn settled(event: &TopicEventRow, outcome: Became, why: Option<String>, tries: u32) -> SettledEvent {
    SettledEvent { endpoint: event.endpoint.clone(), event: event.event, outcome, why, tries: Some(tries) }
}

async fn settle(link: &Link<'_>, args: &Sub, events: Vec<SettledEvent>) -> Result<(), ApiError> {
    if events.is_empty() {
        return Ok(());
    }
    let group = args.group.clone().unwrap_or_else(|| "main".into());
    take!(link.ask(Request::TopicSettle { group, events }).await?, Done).map(drop)
}

/// One event for a person: `12  bob  today 11:02  door: open`.
fn shown(event: &TopicEventRow, style: &Style) -> String {
    let who = called(event.from.name.as_ref().unwrap_or(&event.from.address));
    let key = event.key.as_ref().map(|key| format!("{}: ", safe_text(key))).unwrap_or_default();
    let head = format!("{}  {who}  {}", event.event, style.when(event.sent_at));
    format!("{}  {key}{}\n", style.paint(Paint::Dim, &head), safe_prose(event.text.trim_end()))
}

fn failed_table(rows: &[FailedRow], style: &Style) -> String {
    let mut table = Table::new(&["EVENT", "FROM", "GIVEN UP", "TRIES", "WHY", "TEXT"]);
    for FailedRow { event, failed_at, why } in rows {
        let who = called(event.from.name.as_ref().unwrap_or(&event.from.address));
        let tries = cell(event.attempt.to_string());
        let (number, when) = (cell(event.event.to_string()), cell(style.when(*failed_at)));
        table.row(vec![number, cell(who), when, tries, cell(safe_text(why)), prose(&event.text)]);
    }
    let mut text = table.render(style);
    if let Some(first) = rows.first() {
        let topic = shell_word(&shown_topic(&first.event.topic));
        text += &format!("\nHand one out again: dak sub {topic} --retry {}\n", first.event.event);
    }
    text
}

//! `dak send` and `dak reply`: from words and files to a message that this node answers for.

use std::future::Future;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;

use super::args::{Goal, Reply, Send, Writing};
use super::interrupts::ENDING_MAX;
use super::link::{Link, take};
use super::out::{Out, stdin_is_person};
use super::signals::Signals;
use super::status::is_out;
use super::who::{called, short_id};
use super::{Outcome, Stop, times};
use crate::api::client::RowStream;
use crate::api::model::{COMPOSED_BYTES_MAX, Compose, EventKind, File, Request, Row, SentRow, State, StatusRow, Topic};
use crate::api::{ApiError, ErrorKind};

/// How long an interrupted command waits for the id of what it may have queued by then: less than it has to end in.
const ID_PATIENCE: Duration = ENDING_MAX.saturating_sub(Duration::from_millis(250));

pub async fn send(link: &Link<'_>, args: &Send, out: &Out) -> Outcome {
    let mut signals = Signals::count_interrupts()?;
    let mut compose = unless_asked(&mut signals, composed(&args.writing, out)).await?;
    compose.to = args.who.clone();
    compose.subject = args.subject.clone();
    let to = called(&compose.to);
    post(link, compose, &to, &args.writing, signals, out).await
}

/// Answers whoever wrote, in the same conversation.
pub async fn reply(link: &Link<'_>, args: &Reply, out: &Out) -> Outcome {
    let mut signals = Signals::count_interrupts()?;
    let request = Request::Read { id: args.id.clone(), mark: false, tell: false };
    let letter = take!(unless_asked(&mut signals, link.ask(request)).await?, Letter)?;
    let mut compose = unless_asked(&mut signals, composed(&args.writing, out)).await?;
    let to = called(&letter.row.from);
    compose.to = letter.row.from_address;
    compose.thread = letter.row.thread.or_else(|| Some(letter.row.id.clone()));
    compose.in_reply_to = Some(letter.row.id);
    post(link, compose, &to, &args.writing, signals, out).await
}

/// Does what may be left undone when this process is asked to stop.
async fn unless_asked<T>(signals: &mut Signals, work: impl Future<Output = Result<T, ApiError>>) -> Result<T, Stop> {
    tokio::select! {
        done = work => Ok(done?),
        () = signals.asked(1) => Err(Stop::Interrupted),
    }
}

/// Sends, and waits where that was asked for; `to` is what to call the recipient. Whatever interrupts it, the id of what
/// was queued is printed.
async fn post(
    link: &Link<'_>,
    compose: Compose,
    to: &str,
    writing: &Writing,
    mut signals: Signals,
    out: &Out,
) -> Outcome {
    compose.check_size()?;
    if writing.wait.is_some() {
        // Asked before anything is queued, so that trying again does not send twice.
        unless_asked(&mut signals, link.require_node()).await?;
    }
    let answer = tokio::select! {
        answer = link.ask(Request::Send(compose)) => answer?,
        () = given_up(signals.clone()) => return Err(Stop::Interrupted),
    };
    let mut sent = take!(answer, Sent)?;
    let Some(goal) = writing.wait else {
        if !link.is_up().await {
            out.talk("no node running: the message leaves after the next `dak up`");
        }
        return out.row(&sent, |_| queued(&sent, to));
    };
    let timeout = writing.timeout.map(|span| Duration::from_millis(span.0));
    let waited = wait(link, &sent.id, goal, timeout, signals).await;
    sent.state = waited.state;
    out.row(&sent, |_| match &waited.end {
        End::Reached => format!("{} {} for {to}\n", sent.state.word(), short_id(&sent.id)),
        _ => queued(&sent, to),
    })?;
    match waited.end {
        End::Reached => Ok(()),
        End::Failed(error) => Err(Stop::Error(error)),
        End::Interrupted => Err(Stop::Interrupted),
    }
}

/// Returns a while after the first signal, or at the second: an answer that is on its way tells an id worth having.
async fn given_up(mut signals: Signals) {
    signals.asked(1).await;
    tokio::select! {
        () = signals.asked(2) => {}
        () = tokio::time::sleep(ID_PATIENCE) => {}
    }
}

fn queued(sent: &SentRow, to: &str) -> String {
    format!("queued {} for {to}\n", short_id(&sent.id))
}

/// How waiting ended, and the highest evidence seen by then.
struct Waited {
    state: State,
    end: End,
}

enum End {
    Reached,
    Failed(ApiError),
    Interrupted,
}

/// Waits for evidence. Whatever ends the waiting, the message is queued and stays so.
async fn wait(link: &Link<'_>, id: &str, goal: Goal, timeout: Option<Duration>, mut signals: Signals) -> Waited {
    let mut state = State::Queued;
    let watching = async {
        let news = link.follow(Topic::Status { id: Some(id.into()) }).await?;
        let now = take!(link.ask(Request::Status { id: id.into() }).await?, Statuses)?;
        watch(now, news, goal, &mut state).await
    };
    let deadline = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        ended = watching => match ended {
            Ok(()) => End::Reached,
            Err(error) => End::Failed(error),
        },
        () = deadline => End::Failed(still_in_flight(id, "the time is up")),
        () = signals.asked(1) => End::Interrupted,
    };
    Waited { state, end }
}

async fn watch(now: Vec<StatusRow>, mut news: RowStream, goal: Goal, state: &mut State) -> Result<(), ApiError> {
    let mut id = String::new();
    let mut rows = now;
    loop {
        for row in rows {
            *state = row.state;
            if reached(&row, goal) {
                return Ok(());
            }
            if let Some(error) = settled(&row) {
                return Err(error);
            }
            id = row.id;
        }
        rows = match news.next().await {
            Some(Row::Status(row)) => vec![row],
            Some(Row::Ended(why)) => return Err(still_in_flight(&id, &why.message)),
            Some(_) => Vec::new(),
            None => return Err(still_in_flight(&id, "the node stopped")),
        };
    }
}

fn reached(row: &StatusRow, goal: Goal) -> bool {
    let delivered = row.state >= State::Delivered;
    match goal {
        Goal::Delivered => delivered,
        // A promise once given was reached, whatever came after it.
        Goal::Custody => delivered || row.events.iter().any(|event| event.what == EventKind::Custody),
    }
}

/// What makes waiting any longer vain.
fn settled(row: &StatusRow) -> Option<ApiError> {
    let id = short_id(&row.id);
    match row.state {
        State::Rejected => Some(ApiError::refused(format!("{id} was rejected by its recipient"))),
        State::Expired => Some(ApiError::failure(format!("{id} expired: no receipt; it may still have arrived"))),
        State::Cancelled if !is_out(row) => Some(ApiError::failure(format!("{id} was cancelled before it left"))),
        State::Cancelled => Some(ApiError::failure(format!("{id} was cancelled; copies already out may still arrive"))),
        _ => None,
    }
}

fn still_in_flight(id: &str, why: &str) -> ApiError {
    let id = short_id(id);
    ApiError::new(ErrorKind::InFlight, format!("{why}; the message is still in flight"))
        .advise(format!("see what becomes of it with `dak status {id}`"))
}

/// Everything but whom it is for.
async fn composed(writing: &Writing, out: &Out) -> Result<Compose, ApiError> {
    let text = match writing.text.as_deref() {
        Some("-") => stdin_text().await?,
        Some(text) => text.to_owned(),
        None if !writing.files.is_empty() => String::new(),
        None if stdin_is_person() => {
            out.talk("write the message, and end it with Ctrl-D on a line of its own");
            stdin_text().await?
        }
        None => stdin_text().await?,
    };
    if text.is_empty() && writing.files.is_empty() {
        return Err(ApiError::usage("there is nothing to send")
            .advise("give a text, or - to read it from stdin, or a file with -f"));
    }
    let now = &out.style.now;
    let reply_by = writing.reply_by.as_deref().map(|text| times::parse_time(text, now)).transpose()?;
    // A day's name means one day here and may mean another to its writer.
    if let Some(reply_by) = reply_by {
        out.talk(&format!("an answer is asked for by {}", times::whole(reply_by, now)));
    }
    Ok(Compose {
        text,
        attachments: writing.files.iter().map(|path| attached(path)).collect::<Result<_, _>>()?,
        priority: writing.priority,
        lifetime_ms: writing.lifetime.map(|span| span.0),
        reply_by,
        offset_minutes: times::offset_minutes(now),
        copies: writing.copies,
        ..Compose::default()
    })
}

async fn stdin_text() -> Result<String, ApiError> {
    let read = tokio::task::spawn_blocking(|| read_bounded(std::io::stdin().lock(), "the text")).await;
    let bytes = read.map_err(|error| ApiError::failure(error.to_string()))??;
    let text = String::from_utf8(bytes)
        .map_err(|_| ApiError::usage("the text on stdin is not UTF-8").advise("attach it as a file with -f"))?;
    Ok(said(&text).to_owned())
}

/// The text without what shells and editors put around it: the mark of its encoding, and the end of its last line.
fn said(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

fn attached(path: &Path) -> Result<File, ApiError> {
    let shown = path.display();
    let cannot = |error| ApiError::failure(format!("cannot read {shown}: {error}")).advise("check the file's name");
    let name = path.file_name().ok_or_else(|| ApiError::usage(format!("{shown} is no file")))?;
    let file = std::fs::File::open(path).map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_dir() {
        return Err(ApiError::usage(format!("{shown} is a directory")).advise("pack it into one file first"));
    }
    Ok(File { name: name.to_string_lossy().into_owned(), bytes: read_bounded(file, &shown.to_string())? })
}

/// Reads no more than a message can hold.
fn read_bounded(source: impl Read, what: &str) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let read = source.take(COMPOSED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| ApiError::failure(format!("cannot read {what}: {error}")))?;
    if bytes.len() > COMPOSED_BYTES_MAX {
        return Err(ApiError::refused(format!("{what} is too long: a message holds {COMPOSED_BYTES_MAX} bytes"))
            .advise("shorten it or send it in parts"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples::{at, event, status};

    async fn ends(goal: Goal, known: Vec<StatusRow>, news: Vec<Row>) -> (Result<(), u8>, State) {
        let mut state = State::Queued;
        let ended = watch(known, Box::pin(futures::stream::iter(news)), goal, &mut state).await;
        (ended.map_err(|error| error.kind.exit_code()), state)
    }

    fn row(whats: &[EventKind]) -> StatusRow {
        status(whats.iter().map(|what| event(*what, at(11, 0), Some("carol"))).collect())
    }

    #[tokio::test]
    async fn waiting_ends_with_the_evidence_it_waits_for() {
        use EventKind as E;
        let news = vec![Row::Status(row(&[E::Queued, E::Custody])), Row::Status(row(&[E::Custody, E::Delivered]))];
        let queued = vec![row(&[E::Queued])];
        assert_eq!(ends(Goal::Custody, queued.clone(), news.clone()).await, (Ok(()), State::Custody));
        assert_eq!(ends(Goal::Delivered, queued.clone(), news).await, (Ok(()), State::Delivered));
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Read])], Vec::new()).await, (Ok(()), State::Read));
    }

    #[tokio::test]
    async fn waiting_ends_where_it_is_vain_and_says_why() {
        use EventKind as E;
        let rejected = vec![Row::Status(row(&[E::Rejected]))];
        assert_eq!(ends(Goal::Delivered, Vec::new(), rejected).await, (Err(5), State::Rejected));
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Expired])], Vec::new()).await, (Err(1), State::Expired));
        let stopped = vec![Row::Ended(ApiError::not_running())];
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Copy])], stopped).await, (Err(6), State::Copy));
    }

    #[test]
    fn what_editors_put_around_a_text_is_no_text() {
        for (typed, wanted) in [
            ("hi\n", "hi"),
            ("hi\r\n", "hi"),
            ("\u{feff}hi", "hi"),
            ("\u{feff}one\r\ntwo\r\n", "one\r\ntwo"),
            ("hi\n\n", "hi\n"),
            ("\u{feff}\r\n", ""),
            (" hi\r", " hi\r"),
        ] {
            assert_eq!(said(typed), wanted, "{typed:?}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_without_reading_it_all() {
        let endless = std::io::repeat(b'x');
        let error = read_bounded(endless, "it").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("921600"), "{error}");
    }
}

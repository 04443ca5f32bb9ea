//! `dak send`, `dak reply` and `dak forward`: from words and files to a message that this node answers for.

use std::future::Future;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;

use self::waiting::{End, wait};
use super::args::{Forward, Reply, Send, Sending, Writing};
use super::interrupts::ENDING_MAX;
use super::link::{Link, take};
use super::out::{Out, stdin_is_person};
use super::signals::Signals;
use super::who::{called, short_id};
use super::{Outcome, Stop, drafts, times};
use crate::api::model::{
    Because, COMPOSED_BYTES_MAX, Compose, ComposedTask, DraftRow, File, Request, SentRow, check_lifetime,
};
use crate::api::{ApiError, ErrorKind};
use crate::safe_text::safe_text;
use crate::time::Millis;

mod waiting;

/// How long an interrupted command waits for the id of what it may have queued by then: less than it has to end in.
const ID_PATIENCE: Duration = ENDING_MAX.saturating_sub(Duration::from_millis(250));

pub async fn send(link: &Link<'_>, args: &Send, out: &Out) -> Outcome {
    let mut signals = Signals::count_interrupts()?;
    let (names, text) = whom(&args.to, args.who.as_deref(), args.writing.text.as_deref())?;
    let to = match unless_asked(&mut signals, recipients(link, &names)).await {
        Err(Stop::Error(error)) => {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            // Nobody should have to write for a recipient whom there is not.
            let is_written = text.is_some_and(|text| text != "-") || !stdin_is_person();
            return Err(match is_written {
                true => match composed(&args.writing, text, out).await {
                    Ok(compose) | Err(Unsent { compose: Some(compose), .. }) => {
                        kept(link, *compose, &names, error).await.into()
                    }
                    Err(_) => error.into(),
                },
                false => error.into(),
            });
        }
        to => to?,
    };
    let to_whom: Vec<String> = to.iter().map(|recipient| recipient.who.clone()).collect();
    let compose = written(link, &args.writing, text, &to_whom, Some(&mut signals), out).await?;
    post(link, compose, &to, &args.writing.sending, signals, out).await
}

/// Keeps what is written, as `send` would send it.
pub async fn draft(link: &Link<'_>, args: &Send, out: &Out) -> Outcome {
    let (names, text) = whom(&args.to, args.who.as_deref(), args.writing.text.as_deref())?;
    if args.writing.sending.wait.is_some() {
        return Err(ApiError::usage("a draft goes nowhere, so there is nothing to wait for").into());
    }
    let to: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let compose = written(link, &args.writing, text, &to, None, out).await?;
    later(link, compose, to, &args.writing.sending, out).await
}

/// Keeps a message until it is to go.
async fn later(link: &Link<'_>, compose: Compose, to: Vec<String>, sending: &Sending, out: &Out) -> Outcome {
    if let Err(error) = compose.check_size() {
        return Err(kept(link, without_files(compose), &to, error).await.into());
    }
    let at = match sending.at.as_deref().map(|at| times::parse_start(at, &out.style.now)).transpose() {
        Err(error) => return Err(kept(link, compose, &to, error).await.into()),
        Ok(at) => at,
    };
    // What goes at a time goes unseen: what nobody will take is said now.
    if let Err(error) = check_lifetime(compose.lifetime_ms.filter(|_| at.is_some())) {
        return Err(kept(link, compose, &to, error).await.into());
    }
    let row = drafts::keep(link, compose, &to, at, None).await?;
    if at.is_some() && !link.is_up().await {
        out.talk("no node running: it goes when one runs, and its time has come");
    }
    out.row(&row, |style| drafts::told(&row, style))
}

/// The error of what was refused, whose text is kept as a draft.
async fn kept(link: &Link<'_>, compose: Compose, to: &[String], error: ApiError) -> ApiError {
    let is_nothing = compose.text.is_empty() && compose.attachments.is_empty() && compose.paths.is_empty();
    // What a program says by itself nobody would look for among drafts.
    if is_nothing || compose.because.is_some() || matches!(error.kind, ErrorKind::InUse | ErrorKind::Busy) {
        return error;
    }
    // With a lifetime that none can have it could never go.
    let lifetime_ms = compose.lifetime_ms.filter(|_| check_lifetime(compose.lifetime_ms).is_ok());
    let compose = Compose { lifetime_ms, ..compose };
    match drafts::keep(link, compose, to, None, Some(error.message.clone())).await {
        Ok(DraftRow { number, .. }) => {
            let what = format!("the text is kept as draft {number}, to be sent with `dak draft send {number}`");
            ApiError { message: format!("{}, and {what}", error.message), ..error }
        }
        // It says why it was refused, and nothing more can be done.
        Err(_) => error,
    }
}

fn without_files(compose: Compose) -> Compose {
    Compose { attachments: Vec::new(), paths: Vec::new(), ..compose }
}

/// What is to be sent as it was written; where that cannot be, what there is of it is kept as a draft.
async fn written(
    link: &Link<'_>,
    writing: &Writing,
    text: Option<&str>,
    to: &[String],
    signals: Option<&mut Signals>,
    out: &Out,
) -> Result<Compose, Stop> {
    let composing = composed(writing, text, out);
    let composed = match signals {
        Some(signals) => tokio::select! {
            composed = composing => composed,
            () = signals.asked(1) => return Err(Stop::Interrupted),
        },
        None => composing.await,
    };
    match composed {
        Ok(compose) => Ok(*compose),
        Err(Unsent { error, compose: Some(compose) }) => Err(kept(link, *compose, to, error).await.into()),
        Err(Unsent { error, compose: None }) => Err(error.into()),
    }
}

/// Answers a message, in its conversation and its thread.
pub async fn reply(link: &Link<'_>, args: &Reply, out: &Out) -> Outcome {
    let mut signals = Signals::count_interrupts()?;
    let request = Request::Read { id: args.id.clone(), mark: false, tell: false };
    let letter = take!(unless_asked(&mut signals, link.ask(request)).await?, Letter)?;
    // Of one's own message the answer goes where that went.
    let to = match (letter.to, letter.to_address) {
        (Some(to), Some(who)) => Recipient { called: called(&to), who },
        // What was written to a group is answered there.
        _ => match letter.row.group {
            Some(group) => Recipient { called: called(&group), who: group },
            None => Recipient { called: called(&letter.row.from), who: letter.row.from_address },
        },
    };
    let (text, to_whom) = (args.writing.text.as_deref(), [to.who.clone()]);
    let mut compose = written(link, &args.writing, text, &to_whom, Some(&mut signals), out).await?;
    compose.thread = letter.row.thread.or_else(|| Some(letter.row.id.clone()));
    compose.in_reply_to = Some(letter.row.id);
    post(link, compose, &[to], &args.writing.sending, signals, out).await
}

/// Passes a message on, and says of it what there is to say.
pub async fn forward(link: &Link<'_>, args: &Forward, out: &Out) -> Outcome {
    let mut signals = Signals::count_interrupts()?;
    let (names, remark) = whom(&args.to, args.who.as_deref(), args.text.as_deref())?;
    let to = unless_asked(&mut signals, recipients(link, &names)).await?;
    let text = match remark {
        Some("-") => unless_asked(&mut signals, stdin_text()).await?,
        remark => remark.unwrap_or_default().to_owned(),
    };
    let compose = Compose { text, forward: Some(args.id.clone()), ..under_way(&args.sending, out)? };
    post(link, compose, &to, &args.sending, signals, out).await
}

/// Whom a message goes to, and what to call them.
struct Recipient {
    called: String,
    who: String,
}

impl Recipient {
    /// By the name as it is known here, however it was typed; an address by what that tells.
    fn shown(&self, sent: &SentRow) -> String {
        let is_name = !sent.to.is_empty() && sent.to != sent.to_address;
        if is_name { called(&sent.to) } else { self.called.clone() }
    }
}

/// The recipients as they were typed, and the text: where `--to` names them, the first word is the text.
fn whom<'a>(
    to: &'a [String],
    who: Option<&'a str>,
    text: Option<&'a str>,
) -> Result<(Vec<&'a str>, Option<&'a str>), ApiError> {
    match (who, text) {
        (Some(_), Some(_)) if !to.is_empty() => {
            Err(ApiError::usage("--to says whom it goes to, and beside it there are two texts")
                .advise("quote a text of several words: --to WHO \"TEXT\""))
        }
        (text, None) if !to.is_empty() => {
            let lists = to.iter().map(|who| listed(who)).collect::<Result<Vec<_>, _>>()?;
            Ok((lists.concat(), text))
        }
        (who, text) => Ok((listed(who.unwrap_or_default())?, text)),
    }
}

/// The names in a list.
fn listed(who: &str) -> Result<Vec<&str>, ApiError> {
    // An address has commas of its own.
    let is_address = |name: &str| ["dak:", "12D3KooW"].iter().any(|start| name.starts_with(start));
    if !who.contains(',') || is_address(who) {
        return Ok(vec![who]);
    }
    let names: Vec<&str> = who.split(',').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Err(ApiError::usage(format!("{who:?} has a comma without a name behind or before it"))
            .advise("list names without spaces, as in bob,carol"));
    }
    if names.iter().any(|name| is_address(name)) {
        return Err(ApiError::usage("a list has names only").advise("give each address with a --to of its own"));
    }
    Ok(names)
}

/// Several are all found before anything goes to one of them; whoever is named twice is one.
async fn recipients(link: &Link<'_>, names: &[&str]) -> Result<Vec<Recipient>, ApiError> {
    if let [who] = names {
        return Ok(vec![Recipient { called: called(who), who: (*who).to_owned() }]);
    }
    let mut found: Vec<Recipient> = Vec::new();
    for name in names {
        let row = take!(link.ask(Request::Recipient { who: (*name).to_owned() }).await?, Recipient)?;
        if !found.iter().any(|recipient| recipient.who == row.to_address) {
            found.push(Recipient { called: called(&row.to), who: row.to_address });
        }
    }
    Ok(found)
}

/// Does what may be left undone when this process is asked to stop.
async fn unless_asked<T>(signals: &mut Signals, work: impl Future<Output = Result<T, ApiError>>) -> Result<T, Stop> {
    tokio::select! {
        done = work => Ok(done?),
        () = signals.asked(1) => Err(Stop::Interrupted),
    }
}

/// Sends to each, and waits where that was asked for. Whatever interrupts it, the ids of what was queued are printed.
async fn post(
    link: &Link<'_>,
    compose: Compose,
    to: &[Recipient],
    sending: &Sending,
    mut signals: Signals,
    out: &Out,
) -> Outcome {
    let to_whom = || to.iter().map(|recipient| recipient.who.clone()).collect::<Vec<_>>();
    if let Err(error) = compose.check_size() {
        return Err(kept(link, without_files(compose), &to_whom(), error).await.into());
    }
    if sending.at.is_some() {
        let to = to_whom();
        return later(link, compose, to, sending, out).await;
    }
    if sending.wait.is_some() {
        // Asked before anything is queued, so that trying again does not send twice.
        match unless_asked(&mut signals, link.require_node()).await {
            Err(Stop::Error(error)) => return Err(kept(link, compose, &to_whom(), error).await.into()),
            node => node?,
        }
    }
    if to.len() > 1 {
        let many = to.len();
        out.talk(&format!("{many} messages, one to each: nobody sees the others; a group is one talk for all"));
    }
    let mut sent = Vec::new();
    let queued = queue(link, compose, to, &signals, &mut sent).await;
    let Some(goal) = sending.wait.filter(|_| queued.is_ok()) else {
        if !sent.is_empty() && !link.is_up().await {
            out.talk("no node running: the message leaves after the next `dak up`");
        }
        for (sent, to) in &sent {
            out.row(sent, |_| told(sent, to)).map_err(|stop| untold(stop, sent))?;
        }
        return queued;
    };
    let timeout = sending.timeout.map(|span| Duration::from_millis(span.0));
    let ends = join_all(sent.iter().map(|(sent, _)| wait(link, &sent.id, goal, timeout, signals.clone()))).await;
    let mut failed = Vec::new();
    let mut is_interrupted = false;
    for ((mut sent, to), waited) in sent.into_iter().zip(ends) {
        sent.state = waited.state;
        out.row(&sent, |_| match &waited.end {
            End::Reached => format!("{} {} for {}\n", sent.state.word(), short_id(&sent.id), to.shown(&sent)),
            _ => told(&sent, to),
        })
        .map_err(|stop| untold(stop, &sent))?;
        match waited.end {
            End::Reached => {}
            End::Failed(error) => failed.push(error),
            End::Interrupted => is_interrupted = true,
        }
    }
    if is_interrupted { Err(Stop::Interrupted) } else { all_reached(failed, out) }
}

/// Queues a message for each recipient, and keeps what was queued also where one fails.
async fn queue<'t>(
    link: &Link<'_>,
    compose: Compose,
    to: &'t [Recipient],
    signals: &Signals,
    sent: &mut Vec<(SentRow, &'t Recipient)>,
) -> Outcome {
    for (n, recipient) in to.iter().enumerate() {
        let request = Request::Send(Box::new(Compose { to: recipient.who.clone(), ..compose.clone() }));
        let answer = tokio::select! {
            answer = link.ask(request) => answer,
            () = given_up(signals.clone()) => return Err(Stop::Interrupted),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let left: Vec<String> = to[n..].iter().map(|recipient| recipient.who.clone()).collect();
                return Err(kept(link, compose, &left, error).await.into());
            }
        };
        sent.push((take!(answer, Sent)?, recipient));
    }
    Ok(())
}

/// Of several that waiting did not reach each has its sentence, and one still in flight its exit code.
fn all_reached(mut failed: Vec<ApiError>, out: &Out) -> Outcome {
    if failed.len() < 2 {
        return failed.pop().map_or(Ok(()), |error| Err(error.into()));
    }
    let in_flight = failed.iter().find(|error| error.kind == ErrorKind::InFlight);
    let code = in_flight.unwrap_or(&failed[0]).kind.exit_code();
    failed.into_iter().for_each(|error| out.error(error));
    Err(Stop::Code(code))
}

/// Returns a while after the first signal, or at the second: an answer that is on its way tells an id worth having.
async fn given_up(mut signals: Signals) {
    signals.asked(1).await;
    tokio::select! {
        () = signals.asked(2) => {}
        () = tokio::time::sleep(ID_PATIENCE) => {}
    }
}

fn told(sent: &SentRow, to: &Recipient) -> String {
    let goes = sent.expire_after_read_ms.map(|span| format!(", disappears {} after it is read", Millis(span)));
    format!("queued {} for {}{}\n", short_id(&sent.id), to.shown(sent), goes.unwrap_or_default())
}

/// Of what was queued nobody may think that it was not, or it is sent twice.
fn untold(stop: Stop, sent: &SentRow) -> Stop {
    let Stop::Error(error) = stop else { return stop };
    let message = format!("{}, but the message is queued", error.message);
    ApiError { message, ..error }.advise(format!("see `dak status {}`", short_id(&sent.id))).into()
}

/// What cannot be sent as it was written, and what there is of it.
struct Unsent {
    error: ApiError,
    compose: Option<Box<Compose>>,
}

impl From<ApiError> for Unsent {
    fn from(error: ApiError) -> Unsent {
        Unsent { error, compose: None }
    }
}

/// Everything but whom it is for.
async fn composed(writing: &Writing, text: Option<&str>, out: &Out) -> Result<Box<Compose>, Unsent> {
    let text = match text {
        Some("-") => stdin_text().await?,
        Some(text) => text.to_owned(),
        None if !writing.files.is_empty() => String::new(),
        None if stdin_is_person() => {
            out.talk("write the message, and end it with Ctrl-D on a line of its own");
            stdin_text().await?
        }
        None => stdin_text().await?,
    };
    if text.trim().is_empty() && writing.files.is_empty() {
        let error = ApiError::usage("there is nothing to send");
        return Err(error.advise("give a text, or - to read it from stdin, or a file with -f").into());
    }
    let mut wrong = None;
    let mut or_nothing = |failed: ApiError| {
        if wrong.is_none() {
            wrong = Some(failed)
        }
    };
    let due = writing.due.as_deref().map(|text| times::parse_time(text, &out.style.now)).transpose();
    let due = due.unwrap_or_else(|error| {
        or_nothing(error);
        None
    });
    let mut files = Compose::default();
    for path in &writing.files {
        if waits_for_a_writer(path) {
            out.talk(&format!(
                "waiting for what is written into {}; Ctrl-C ends it",
                safe_text(&path.display().to_string())
            ));
        }
        put_in(&mut files, path).unwrap_or_else(&mut or_nothing);
    }
    let Compose { attachments, paths, .. } = files;
    let under_way = under_way(&writing.sending, out).unwrap_or_else(|error| {
        or_nothing(error);
        Compose::default()
    });
    let task = writing.task.then(|| ComposedTask { assignee: writing.assign.clone(), due });
    let (subject, tags) = (writing.subject.clone(), writing.tags.clone());
    let compose = Box::new(Compose { text, subject, tags, task, attachments, paths, ..under_way });
    match wrong {
        None => Ok(compose),
        Some(error) => Err(Unsent { error, compose: Some(compose) }),
    }
}

/// Only how it goes.
fn under_way(sending: &Sending, out: &Out) -> Result<Compose, ApiError> {
    let now = &out.style.now;
    let reply_by = sending.reply_by.as_deref().map(|text| times::parse_time(text, now)).transpose()?;
    // A day's name means one day here and may mean another to its writer.
    if let Some(reply_by) = reply_by {
        out.talk(&format!("an answer is asked for by {}", times::whole(reply_by, now)));
    }
    if let Some(span) = sending.expire_after_read.filter(|span| span.0 > 0) {
        out.talk(&format!(
            "it disappears there {span} after it is read, and here {span} after it arrives; its reader may copy it before, \
             backups keep it, and a disk may keep what it freed"
        ));
    }
    Ok(Compose {
        priority: sending.priority,
        lifetime_ms: sending.lifetime.map(|span| span.0),
        expire_after_read_ms: sending.expire_after_read.map(|span| span.0),
        reply_by,
        offset_minutes: times::offset_minutes(now),
        copies: sending.copies,
        because: because(),
        ..Compose::default()
    })
}

/// What a hook works on whose program runs this: what it sends, nobody wrote.
fn because() -> Option<Because> {
    let hook = std::env::var("DAK_HOOK").ok().filter(|hook| !hook.is_empty());
    let id = std::env::var("DAK_ID").ok().filter(|id| !id.is_empty());
    hook.and_then(|hook| Some(Because { id: id?, hook: Some(hook) }))
}

pub async fn stdin_text() -> Result<String, ApiError> {
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

/// Files up to this size ride inside a message, in bytes.
const INSIDE_BYTES_MAX: u64 = 64 << 10;

/// Whether a file goes in parts: a folder, or one that is too large to ride inside. What is no file is read as it comes.
fn is_large(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_dir() || file.is_file() && file.len() > INSIDE_BYTES_MAX)
}

/// Whether to open it may take until somebody opens its other end: a pipe that has a name. One that a shell made for
/// this command has none, and its writer is there.
fn waits_for_a_writer(path: &Path) -> bool {
    let is_pipe = |found: std::fs::Metadata| found.file_type().is_fifo();
    std::fs::metadata(path).is_ok_and(is_pipe) && path.canonicalize().is_ok()
}

/// Refuses what may have to be waited for: no key is answered meanwhile.
pub fn check_at_rest(path: &Path) -> Result<(), ApiError> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            let error = ApiError::usage(format!("{} is neither a file nor a folder", path.display()));
            Err(error.advise("write what comes out of it into a file, and send that"))
        }
        _ => Ok(()),
    }
}

/// Puts a file into a message, or where it is larger than fits its path.
pub fn put_in(compose: &mut Compose, path: &Path) -> Result<(), ApiError> {
    match is_large(path) {
        true => compose.paths.push(whole_path(path)?),
        false => compose.attachments.push(attached(path)?),
    }
    Ok(())
}

/// The path as a node finds it that runs elsewhere.
fn whole_path(path: &Path) -> Result<String, ApiError> {
    let whole = path.canonicalize().map_err(|error| unreadable(&path.display().to_string(), &error))?;
    let text = whole.into_os_string().into_string();
    text.map_err(|path| ApiError::usage(format!("{path:?} is no text")).advise("give it a name that is text"))
}

fn attached(path: &Path) -> Result<File, ApiError> {
    let shown = path.display();
    let cannot = |error| unreadable(&shown.to_string(), &error);
    let name = path.file_name().ok_or_else(|| ApiError::usage(format!("{shown} is no file")))?;
    let file = std::fs::File::open(path).map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_dir() {
        return Err(ApiError::usage(format!("{shown} is a directory")).advise("pack it into one file first"));
    }
    Ok(File { name: name.to_string_lossy().into_owned(), bytes: read_bounded(file, &shown.to_string())? })
}

fn unreadable(shown: &str, error: &std::io::Error) -> ApiError {
    let next = match error.kind() {
        std::io::ErrorKind::NotFound => "check the file's name",
        _ => "see that you may read it",
    };
    ApiError::failure(format!("cannot read {shown}: {error}")).advise(next)
}

/// Reads no more than a message can hold.
fn read_bounded(source: impl Read, what: &str) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let read = source.take(COMPOSED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| ApiError::failure(format!("cannot read {what}: {error}")))?;
    if bytes.len() > COMPOSED_BYTES_MAX {
        return Err(ApiError::refused(format!("{what} is too long: a message holds {COMPOSED_BYTES_MAX} bytes"))
            .advise("put it into a file, which may be of any size, and send that with -f"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! `dak export`, `purge` and `space`: the record leaves, shrinks, and says what it weighs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use jiff::tz::TimeZone;

use super::args::{Export, ExportFormat, PurgeArgs};
use super::link::{Link, take};
use super::out::{Out, Style};
use super::table::{Table, cell, prose};
use super::who::{called, shell_word};
use super::{Outcome, Stop, changes, says_yes, times};
use crate::api::ApiError;
use crate::api::model::{KeptRow, Listing, PersonRow, Purge, PurgedRow, Request, Row, SpaceRow, When};
use crate::content::{Attachment, Content, Text};
use crate::safe_text::{safe_prose, safe_text};
use crate::time::Millis;
use crate::units::{about_bytes, counted, exact_span};

/// Characters of base64 in a line of mail (RFC 2045 section 6.8).
const BASE64_COLUMNS: usize = 76;

pub async fn export(link: &Link<'_>, args: &Export, out: &Out) -> Outcome {
    if args.who.is_none() && !args.all {
        return Err(ApiError::usage("nothing says which conversation").advise("name somebody, or give --all").into());
    }
    let mut rows = link.list(Listing::Record { who: args.who.clone() }).await?;
    let mut file = match &args.output {
        Some(path) => Some(private_file(path).map_err(|error| {
            let place = path.display();
            let next = match error.kind() {
                io::ErrorKind::AlreadyExists => "name a file that is not there yet",
                _ => "name a file in a directory that is there and can be written",
            };
            ApiError::failure(format!("cannot make {place}: {error}")).advise(next)
        })?),
        None => None,
    };
    let (mut count, mut heading) = (0u64, None);
    while let Some(row) = rows.next().await {
        let row = match row {
            Row::Record(row) => row,
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => continue,
        };
        let text = match args.format {
            ExportFormat::Jsonl => Row::Record(row.clone()).json_line(),
            ExportFormat::Markdown => markdown(&row, &mut heading, &out.style),
            ExportFormat::Mbox => mail(&row),
        };
        count += u64::from(!text.is_empty());
        match &mut file {
            Some(file) => file
                .write_all(text.as_bytes())
                .map_err(|error| ApiError::failure(format!("cannot write the export: {error}")))?,
            None => out.data(&text)?,
        }
    }
    if let Some(file) = file {
        file.sync_all().map_err(|error| ApiError::failure(format!("cannot write the export: {error}")))?;
    }
    out.talk(&format!("{count} written"));
    Ok(())
}

/// A new file for its owner's eyes.
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A message below the heading of its conversation; changes are in the message that they changed.
fn markdown(row: &KeptRow, heading: &mut Option<String>, style: &Style) -> String {
    if row.row.kind == "change" {
        return String::new();
    }
    let mut text = String::new();
    if heading.as_ref() != Some(&row.row.conversation) {
        let with = if row.row.mine { &row.to } else { &row.row.from };
        text += &format!("# {}\n\n", person(with));
        *heading = Some(row.row.conversation.clone());
    }
    let when = row.row.sent_at.or(row.row.received_at);
    let state = row.row.state.map(|state| format!(", {}", state.said())).unwrap_or_default();
    let edited = if row.row.changes.edited { ", edited" } else { "" };
    text += &format!("**{}**, {}{edited}{state}  \n", person(&row.row.from), style.when(when));
    text += &row.row.subject.as_deref().map(|subject| format!("*{}*  \n", safe_text(subject))).unwrap_or_default();
    text += &body(row).lines().map(|line| format!("> {line}\n")).collect::<String>();
    for file in &row.row.files {
        text += &format!("> [{} ({})]\n", safe_text(&file.name), about_bytes(file.bytes));
    }
    for line in changes::lines(&row.row.changes, style) {
        text += &format!("> {line}\n");
    }
    text + "\n"
}

fn body(row: &KeptRow) -> String {
    match (&row.row.text, &row.row.unreadable) {
        (Some(text), _) => safe_prose(text),
        (None, _) if let Some(instead) = row.row.changes.instead_of_words() => instead.into(),
        (None, why) => format!("(unreadable: {})", safe_text(why.as_deref().unwrap_or("nothing is known of it"))),
    }
}

fn person(who: &PersonRow) -> String {
    called(who.name.as_deref().unwrap_or(&who.address))
}

/// A message as mail programs read it: RFC 5322 and 2045 in the mbox of RFC 4155. Changes are in what they changed.
fn mail(row: &KeptRow) -> String {
    if row.row.kind == "change" {
        return String::new();
    }
    let at = row.row.sent_at.or(row.row.received_at).unwrap_or(When(0)).timestamp().to_zoned(TimeZone::UTC);
    let mut head = format!("From dak@localhost {}\n", at.strftime("%a %b %e %H:%M:%S %Y"));
    let mut field = |name: &str, value: &str| head += &format!("{name}: {value}\n");
    field("From", &mailbox(&row.row.from));
    field("To", &mailbox(&row.to));
    field("Date", &at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    let first_words = || body(row).chars().take(60).collect::<String>();
    field("Subject", &encoded(&row.row.subject.clone().unwrap_or_else(first_words)));
    field("Message-ID", &format!("<{}@dak.invalid>", short_mark(&row.row.id)));
    if let Some(parent) = &row.row.in_reply_to {
        field("In-Reply-To", &format!("<{}@dak.invalid>", short_mark(parent)));
    }
    if let Some(thread) = &row.row.thread {
        field("References", &format!("<{}@dak.invalid>", short_mark(thread)));
    }
    field("X-Dak-Signature", &row.signature);
    if let Some(state) = row.row.state {
        field("X-Dak-State", state.word());
    }
    field("MIME-Version", "1.0");
    let attachments = attachments(row);
    let text = format!(
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{}",
        base64(body(row).as_bytes())
    );
    if attachments.is_empty() {
        return format!("{head}{text}\n");
    }
    let boundary = format!("dak-{}", short_mark(&row.row.id));
    let mut parts = format!("{head}Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}\n{text}");
    for Attachment { name, bytes } in attachments {
        parts += &format!(
            "--{boundary}\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename*=utf-8''{}\n\n{}",
            percent(&name),
            base64(&bytes)
        );
    }
    format!("{parts}--{boundary}--\n\n")
}

/// Names are this person's own, and no address of the internet's.
fn mailbox(who: &PersonRow) -> String {
    format!(
        "{} <{}@dak.invalid>",
        encoded(&person(who)),
        who.address.trim_start_matches("dak:").split('?').next().unwrap_or("unknown")
    )
}

/// A word of a header as RFC 2047 has it, where it is not plain ASCII.
fn encoded(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') && !text.is_empty();
    if is_plain {
        return text.to_owned();
    }
    // A word has at most 75 characters; 45 bytes make 60 of base64.
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\n ")
}

fn base64(bytes: &[u8]) -> String {
    let whole = STANDARD.encode(bytes);
    let lines = whole.as_bytes().chunks(BASE64_COLUMNS).map(|line| std::str::from_utf8(line).unwrap_or_default());
    lines.map(|line| format!("{line}\n")).collect()
}

/// A value of RFC 8187.
fn percent(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The half of an id by which messages name each other.
fn short_mark(id: &str) -> String {
    safe_text(&id.chars().take(32).collect::<String>())
}

fn attachments(row: &KeptRow) -> Vec<Attachment> {
    let content = row.content.as_deref().and_then(crate::id::unhex);
    match content.and_then(|content| Content::decode(&content).ok()) {
        Some(Content::Text(Text { attachments, .. })) if row.row.changes.instead_of_words().is_none() => attachments,
        _ => Vec::new(),
    }
}

pub async fn purge(link: &Link<'_>, args: &PurgeArgs, out: &Out) -> Outcome {
    let older_than = args.older_than.as_deref().map(|text| times::parse_since(text, &out.style.now)).transpose()?;
    if older_than.is_some_and(|then| then.timestamp() > out.style.now.timestamp()) {
        let error = ApiError::usage("--older-than is a time to come, and all that is here is older");
        return Err(error.advise("name a time that is over, such as 90d or 31.12.2025").into());
    }
    let (from, files_only, larger_than) = (args.from.clone(), args.files_only, args.larger_than);
    let mut purge = Purge { older_than, from, files_only, larger_than, dry: true };
    let would = take!(link.ask(Request::Purge(purge.clone())).await?, Purged)?;
    if args.dry_run || would.messages == 0 {
        return out.row(&would, |_| match would.messages {
            0 => "nothing to delete\n".into(),
            _ => format!("would go: {}\n", taken(&would)),
        });
    }
    if !args.yes && !says_yes(format!("{} go for good. Go on? [y/N] ", taken(&would))).await? {
        return Err(ApiError::refused("nothing was deleted").advise("answer y, or give --yes").into());
    }
    purge.dry = false;
    let purged = take!(link.ask(Request::Purge(purge)).await?, Purged)?;
    out.row(&purged, |_| format!("gone: {}\n", taken(&purged)))
}

fn taken(purged: &PurgedRow) -> String {
    let PurgedRow { messages, files, bytes, .. } = purged;
    let (messages, size) = (counted(*messages, "message"), about_bytes(*bytes));
    match files {
        0 => format!("{messages}, {size}"),
        files => format!("{} of {messages}, {size}", counted(*files, "file")),
    }
}

/// Ages that are proposed to be purged, the oldest first.
const AGES: [&str; 4] = ["1y", "90d", "30d", "7d"];

/// The command that frees some of what this is about; none where nothing would go.
async fn frees(link: &Link<'_>, row: &SpaceRow, style: &Style) -> Result<Option<String>, ApiError> {
    let is_older = |age: &&&str| {
        let then = times::parse_since(age, &style.now).ok();
        row.oldest_at.zip(then).is_some_and(|(oldest, then)| oldest.timestamp() < then.timestamp())
    };
    Ok(match (&*row.what, &row.with) {
        ("conversation", Some(with)) if row.oldest_at.is_some() => {
            Some(format!("dak purge --from {}", shell_word(with.name.as_deref().unwrap_or(&with.address))))
        }
        ("record", _) => AGES.iter().find(is_older).map(|age| format!("dak purge --older-than {age}")),
        ("files", _) if row.bytes > 0 => {
            let large = Purge { files_only: true, larger_than: Some(1 << 20), dry: true, ..Purge::default() };
            let any = Purge { larger_than: None, ..large.clone() };
            if take!(link.ask(Request::Purge(large)).await?, Purged)?.messages > 0 {
                Some("dak purge --files-only --larger-than 1M".into())
            } else {
                let would = take!(link.ask(Request::Purge(any)).await?, Purged)?;
                (would.messages > 0).then(|| "dak purge --files-only".into())
            }
        }
        ("carried", _) => {
            let carry = take!(link.ask(Request::Carry).await?, Carry)?;
            (carry.bytes > 0).then(|| "dak carry limit SIZE".into())
        }
        _ => None,
    })
}

pub async fn space(link: &Link<'_>, out: &Out) -> Outcome {
    let mut rows = take!(link.ask(Request::Space).await?, Space)?;
    for row in &mut rows {
        row.frees = frees(link, row, &out.style).await?;
    }
    if out.json {
        rows.iter().try_for_each(|row| out.row(row, |_| String::new()))?;
        return Ok(());
    }
    let mut table = Table::new(&["BYTES", "WHAT", "HOW TO FREE SOME"]);
    for SpaceRow { what, with, count, bytes, frees, keep_ms, .. } in &rows {
        let but = "unless unread, pinned, labelled or an open task";
        let kept =
            keep_ms.map(|keep| format!(" (deleted after {}, {but})", exact_span(Millis(keep)))).unwrap_or_default();
        let what = match (with, count) {
            (Some(with), count) => format!("with {}, {}", person(with), counted(*count, "message")),
            (None, 0) => format!("{what}{kept}"),
            (None, count) => format!("{what}, {count}{kept}"),
        };
        table.row(vec![cell(about_bytes(*bytes)), cell(what), prose(frees.clone().unwrap_or_default())]);
    }
    out.data(&table.render(&out.style))?;
    Ok(())
}

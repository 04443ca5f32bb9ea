//! `dak import`: what an export wrote, line by line, however much it is.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use super::args::Import;
use super::link::{Link, take};
use super::out::Out;
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::api::model::{IMPORTS_MAX, Imported, ImportedRow, Imports, KeptRow, RefusedLine, Request};
use crate::safe_text::safe_text;
use crate::units::counted;

/// Longest line that is read: a message of the largest size, in an export of any version.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Content in hexadecimal digits of one request, unless one message has more.
const ASKED_BYTES: usize = 1 << 20;
/// So many refused lines are named one by one.
const REFUSED_SHOWN: usize = 20;

type Lines = Box<dyn BufRead + Send>;

pub async fn import(link: &Link<'_>, args: &Import, out: &Out) -> Outcome {
    let mut lines = Some((open(args)?, 0u64));
    let (mut whole, mut many, mut left) = (ImportedRow::default(), 0u64, None);
    while let Some((reader, line)) = lines.take() {
        let held: Option<Imported> = left.take();
        let read = tokio::task::spawn_blocking(move || read(reader, line, held)).await;
        let batch = read.map_err(|error| ApiError::failure(error.to_string()))??;
        (lines, left) = (batch.lines, batch.left);
        many += batch.refused.len() as u64;
        refuse(&mut whole, batch.refused, out);
        if batch.rows.is_empty() {
            continue;
        }
        let row = take!(link.ask(Request::Import(Imports { rows: batch.rows })).await?, Imported)?;
        whole.imported += row.imported;
        whole.known += row.known;
        whole.without_words += row.without_words;
        many += row.refused.len() as u64;
        refuse(&mut whole, row.refused, out);
    }
    out.row(&whole, |_| told(&whole))?;
    match many {
        0 => Ok(()),
        many => {
            let are = if many == 1 { "is" } else { "are" };
            let lines = counted(many, "line");
            let error = ApiError::failure(format!("{lines} {are} no row of an export; all others are in"));
            Err(Stop::Error(error.advise("mend them and import the file again: what is here stays as it is")))
        }
    }
}

fn told(row: &ImportedRow) -> String {
    let mut parts = vec![format!("{} imported, not verified here", row.imported)];
    parts.extend((row.known > 0).then(|| format!("{} known already", row.known)));
    parts.extend((row.without_words > 0).then(|| format!("{} without words in the export", row.without_words)));
    parts.join(", ") + "\n"
}

/// Names refused lines as they come, as far as anybody reads them.
fn refuse(whole: &mut ImportedRow, refused: Vec<RefusedLine>, out: &Out) {
    for refused in refused.into_iter().take(REFUSED_SHOWN - whole.refused.len().min(REFUSED_SHOWN)) {
        if !out.json {
            out.talk(&format!("line {}: {}", refused.line, safe_text(&refused.why)));
        }
        whole.refused.push(refused);
    }
}

fn open(args: &Import) -> Result<Lines, ApiError> {
    if args.file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(&args.file).map_err(|error| {
        let place = args.file.display();
        ApiError::usage(format!("cannot read {place}: {error}")).advise("name what `dak export -o FILE` wrote")
    })?;
    if file.metadata().is_ok_and(|opened| opened.is_dir()) {
        let error = ApiError::usage(format!("{} is a directory", args.file.display()));
        return Err(error.advise("name what `dak export -o FILE` wrote"));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// What is asked at once.
#[derive(Default)]
struct Batch {
    rows: Vec<Imported>,
    refused: Vec<RefusedLine>,
    /// One that did not fit.
    left: Option<Imported>,
    /// What is still to be read, and the number of the last line; none at the end.
    lines: Option<(Lines, u64)>,
}

fn read(mut lines: Lines, mut line: u64, held: Option<Imported>) -> Result<Batch, ApiError> {
    let mut batch = Batch::default();
    let mut bytes = 0;
    let mut fits = |row: &Imported| {
        bytes += row.content.as_ref().map_or(0, String::len) + 64 * row.events.len();
        bytes <= ASKED_BYTES
    };
    if let Some(held) = held {
        fits(&held);
        batch.rows.push(held);
    }
    while batch.rows.len() < IMPORTS_MAX && batch.refused.len() < IMPORTS_MAX {
        let mut text = Vec::new();
        let at = line;
        let failed = |error| ApiError::failure(format!("cannot read on behind line {at}: {error}"));
        let many = lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text).map_err(failed)?;
        if many == 0 {
            return Ok(batch);
        }
        line += 1;
        let is_whole = text.ends_with(b"\n") || (many as u64) < LINE_BYTES_MAX;
        if !is_whole {
            lines.skip_until(b'\n').map_err(failed)?;
        }
        let row = if is_whole { parsed(line, &text) } else { Err("it is too long".into()) };
        match row {
            Ok(None) => {}
            Ok(Some(row)) if fits(&row) || batch.rows.is_empty() => batch.rows.push(row),
            Ok(Some(row)) => {
                batch.left = Some(row);
                break;
            }
            Err(why) => batch.refused.push(RefusedLine { line, why }),
        }
    }
    batch.lines = Some((lines, line));
    Ok(batch)
}

/// A row of an export; none of an empty line.
fn parsed(line: u64, text: &[u8]) -> Result<Option<Imported>, String> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let KeptRow { row, to, to_group, sequence, lifetime_ms, signature: _, key, content, events } =
        serde_json::from_slice(text).map_err(|error| error.to_string())?;
    Ok(Some(Imported {
        line,
        id: row.id,
        from: row.from.address,
        to: to.address,
        to_group,
        mine: row.mine,
        read: row.read,
        sent_at: row.sent_at,
        received_at: row.received_at,
        expires_at: row.expires_at,
        sequence,
        lifetime_ms,
        priority: row.priority,
        key,
        content,
        events,
    }))
}

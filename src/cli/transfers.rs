//! `dak file`: files that come and go in parts.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::args::{FileArgs, FileWhat};
use super::link::{Link, take};
use super::out::{Out, Paint};
use super::table::{Cell, Table, cell, painted, prose};
use super::who::called;
use super::{Outcome, Stop};
use crate::api::model::{FileRow, HeldRow, MemberTransferRow, Request, TransferRow, TransferState};
use crate::api::{ApiError, ErrorKind};
use crate::safe_text::safe_text;
use crate::units::about_bytes;

/// How often it is looked how far files are.
const LOOK: Duration = Duration::from_millis(500);

pub async fn file(link: &Link<'_>, args: &FileArgs, out: &Out) -> Outcome {
    match &args.what {
        None if args.watch => watch(link, args.save_all.as_deref(), out).await,
        None => match &args.save_all {
            Some(directory) => save_all(link, directory, out).await,
            None => list(link, out).await,
        },
        Some(FileWhat::List) => list(link, out).await,
        Some(FileWhat::Get { id, range }) => {
            let (from, to) = range.unzip();
            let row = take!(link.ask(Request::FileGet { id: id.clone(), from, to }).await?, Transfer)?;
            if !link.is_up().await {
                out.talk("no node running: the request leaves after the next `dak up`");
            }
            out.row(&row, |_| told(&row))
        }
        Some(FileWhat::Save { id, directory }) => saved(save(link, id, directory).await?, out),
        Some(FileWhat::Cancel { id }) => {
            let row = take!(link.ask(Request::FileCancel { id: id.clone() }).await?, Transfer)?;
            out.row(&row, |_| told(&row))
        }
    }
}

async fn list(link: &Link<'_>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Files).await?, Files)?;
    if rows.is_empty() {
        out.talk("no file came or went in parts; `dak send WHO -f FILE` sends one");
    }
    print(&rows, out)
}

/// Tells of every file how far it is, and again whenever that changed; saves what came whole where there is a directory for it.
async fn watch(link: &Link<'_>, directory: Option<&Path>, out: &Out) -> Outcome {
    link.require_node().await?;
    let mut known = BTreeMap::new();
    loop {
        let rows = take!(link.ask(Request::Files).await?, Files)?;
        match directory {
            Some(directory) => drop(save_new(link, &rows, directory, out).await?),
            None => {
                let is_news = |row: &TransferRow| known.get(&row.id) != Some(row);
                let news: Vec<TransferRow> = rows.iter().filter(|row| is_news(row)).cloned().collect();
                match out.json {
                    true => print(&news, out)?,
                    false => news.iter().try_for_each(|row| out.row(row, |_| told(row)))?,
                }
            }
        }
        known = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        tokio::time::sleep(LOOK).await;
    }
}

/// Which files were saved in a watched directory; it is beside them, so that each is saved there once.
const SAVED: &str = ".dak-saved";

/// Saves what came whole and was not saved in this directory before; returns how many files that were.
async fn save_new(link: &Link<'_>, rows: &[TransferRow], directory: &Path, out: &Out) -> Result<usize, Stop> {
    let cannot = |error| ApiError::failure(format!("cannot write in {}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(cannot)?;
    let list = directory.join(SAVED);
    let before = std::fs::read_to_string(&list).unwrap_or_default();
    let is_new = |row: &&TransferRow| is_to_save(row) && !before.lines().any(|id| id == row.id);
    let mut count = 0;
    for row in rows.iter().filter(is_new) {
        let file = match save(link, &row.id, directory).await {
            Err(error) if error.kind == ErrorKind::Verification => Err(error),
            file => Ok(file?),
        };
        // Noted before it is said: who read that it was saved never gets it twice.
        let mut list = std::fs::OpenOptions::new().append(true).create(true).open(&list).map_err(cannot)?;
        writeln!(list, "{}", row.id).map_err(cannot)?;
        match file {
            Ok(file) => saved(file, out)?,
            // Whoever made it badly keeps nothing else from being saved.
            Err(error) => out.talk(&safe_text(&format!("{}: {error}", row.id))),
        }
        count += 1;
    }
    Ok(count)
}

fn is_to_save(row: &TransferRow) -> bool {
    row.state == TransferState::Here && row.direction == "in"
}

fn print(rows: &[TransferRow], out: &Out) -> Outcome {
    if out.json {
        return rows.iter().try_for_each(|row| out.row(row, |_| String::new()));
    }
    let mut table = Table::new(&["ID", "", "WHO", "SIZE", "HERE", "SAFE", "STATE", "NAME"]);
    rows.iter().for_each(|row| table.row(cells(row)));
    if !rows.is_empty() {
        out.data(&table.render(&out.style))?;
    }
    // Who has what of it has no place in a line of a table.
    let is_away =
        |row: &&TransferRow| !row.holders.is_empty() || !row.too_large_for.is_empty() || !row.members.is_empty();
    rows.iter().filter(is_away).for_each(|row| out.talk(told(row).trim_end()));
    Ok(())
}

fn cells(row: &TransferRow) -> Vec<Cell> {
    let paint = match row.state {
        TransferState::Here | TransferState::Sent => Paint::Good,
        TransferState::Cancelled => Paint::Dim,
        _ => Paint::Plain,
    };
    let way = if row.direction == "out" { "to" } else { "from" };
    let share = |bytes: u64| format!("{} %", u128::from(bytes) * 100 / u128::from(row.bytes.max(1)));
    vec![
        cell(row.id.clone()),
        cell(way),
        cell(who(row)),
        cell(about_bytes(row.bytes)),
        cell(share(row.have_bytes)),
        cell(share(row.safe_bytes)),
        painted(paint, row.state.word()),
        prose(shown_name(row)),
    ]
}

fn who(row: &TransferRow) -> String {
    called(row.who.as_ref().unwrap_or(&row.who_address))
}

fn shown_name(row: &TransferRow) -> String {
    if row.folder { format!("{}/", row.name) } else { row.name.clone() }
}

/// A file in a line.
fn told(row: &TransferRow) -> String {
    let way = if row.direction == "out" { "to" } else { "from" };
    let (name, state) = (safe_text(&shown_name(row)), row.state.word());
    let held: Vec<String> =
        row.held.iter().map(|HeldRow { name, bytes }| format!("{} by {}", about_bytes(*bytes), called(name))).collect();
    let mut held = if held.is_empty() { String::new() } else { format!(", held {}", held.join(" and ")) };
    if !row.too_large_for.is_empty() {
        let names: Vec<String> = row.too_large_for.iter().map(|name| called(name)).collect();
        held.push_str(&format!(", too large for {}", names.join(" and ")));
    }
    if !row.members.is_empty() {
        let has = |member: &MemberTransferRow| {
            let who = called(member.name.as_ref().unwrap_or(&member.address));
            match member.state {
                TransferState::Sent => format!("{who} has it"),
                TransferState::Cancelled => format!("{who} wants none"),
                _ => format!("{who} has {}", about_bytes(member.safe_bytes)),
            }
        };
        held.push_str(&format!(", {}", row.members.iter().map(has).collect::<Vec<_>>().join(", ")));
    }
    let (done, all) = (about_bytes(row.safe_bytes), about_bytes(row.bytes));
    format!("{} {state} {way} {}: {name}, {done} of {all}{held}\n", row.id, who(row))
}

/// Saves a file in a directory of this machine.
pub async fn save(link: &Link<'_>, id: &str, directory: &Path) -> Result<FileRow, ApiError> {
    let cannot = |error| ApiError::failure(format!("cannot find {}: {error}", directory.display()));
    let whole = std::path::absolute(directory).map_err(cannot)?.into_os_string().into_string();
    let directory = whole.map_err(|path| ApiError::usage(format!("{path:?} is no text")))?;
    take!(link.ask(Request::FileSave { id: id.to_owned(), directory }).await?, Saved)
}

fn saved(row: FileRow, out: &Out) -> Outcome {
    out.row(&row, |_| format!("saved {}\n", safe_text(&row.name)))
}

async fn save_all(link: &Link<'_>, directory: &Path, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Files).await?, Files)?;
    let here = rows.iter().filter(|row| is_to_save(row));
    let (mut count, mut bad) = (0, None);
    for row in here {
        count += 1;
        match save(link, &row.id, directory).await {
            Ok(file) => saved(file, out)?,
            // Whoever made it badly keeps nothing else from being saved.
            Err(error) if error.kind == ErrorKind::Verification => {
                out.talk(&safe_text(&format!("{}: {error}", row.id)));
                bad = Some(error.kind);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if count == 0 {
        out.talk("nothing to save: no file is here whole");
    }
    bad.map_or(Ok(()), |kind| Err(Stop::Code(kind.exit_code())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;
    use crate::cli::out::Style;
    use crate::safe_text::columns;

    #[test]
    fn a_file_fits_a_terminal_and_its_name_is_harmless() {
        let row = samples::transfer();
        assert_eq!(
            told(&row),
            "3f2a91c0de/1 coming from bob: sur\\u{1b}[2Jvey.tar, 1.0 MiB of 3.0 MiB, held 512.0 KiB by carol, too large for dave, erin has 768.0 KiB\n"
        );
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let mut table = Table::new(&["ID", "", "WHO", "SIZE", "HERE", "SAFE", "STATE", "NAME"]);
        table.row(cells(&TransferRow { bytes: u64::MAX, name: "n".repeat(200), ..row }));
        let text = table.render(&style);
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    }
}

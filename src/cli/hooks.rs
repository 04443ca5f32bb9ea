//! `dak hook`: programs that work on what comes.

use std::path::{Path, PathBuf};

use super::args::{HookAdd, HookWhat, Hooks};
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::search;
use super::table::{Table, cell, painted, prose};
use super::who::{called, shell_word, short_id};
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::api::model::{HookFailedRow, HookRow, HookTestedRow, NewHook, Outcome as Became, Request, Response};
use crate::safe_text::{safe_block, safe_text};
use crate::time::Millis;
use crate::units::exact_span;

pub async fn hook(link: &Link<'_>, args: &Hooks, out: &Out) -> Outcome {
    match args.what.as_ref().unwrap_or(&HookWhat::List) {
        HookWhat::List => {
            let rows = take!(link.ask(Request::Hooks).await?, Hooks)?;
            if rows.is_empty() {
                out.talk("no hooks; make one with `dak hook add NAME -- CMD`");
            }
            out.answer(&Response::Hooks(rows.clone()), |style| table(&rows, style))
        }
        HookWhat::Add(add) => {
            let new = wanted(add, out)?;
            let row = take!(link.ask(Request::HookAdd(new)).await?, Hook)?;
            let runs = link.is_up().await;
            out.row(&row, |_| told(&row))?;
            if !runs {
                out.talk("it runs while the node does: dak up");
            }
            Ok(())
        }
        HookWhat::Remove { name } => {
            let done = take!(link.ask(Request::HookRemove { name: name.clone() }).await?, Done)?;
            out.row(&done, |_| format!("hook {} is no more\n", safe_text(name)))
        }
        HookWhat::Test { name, id } => {
            let asked = Request::HookTest { name: name.clone(), id: id.clone() };
            let row = take!(link.ask(asked).await?, HookTested)?;
            out.row(&row, |style| tested(&row, style))?;
            match row.outcome {
                Became::Done => Ok(()),
                _ => Err(Stop::Code(1)),
            }
        }
        HookWhat::Failed { name } => {
            let rows = take!(link.ask(Request::HookFailed { name: name.clone() }).await?, HookFailed)?;
            if rows.is_empty() {
                out.talk("nothing was given up");
            }
            out.answer(&Response::HookFailed(rows.clone()), |style| failed(&rows, style))
        }
        HookWhat::Retry { id, hook } => {
            let asked = Request::HookRetry { id: id.clone(), name: hook.clone() };
            let done = take!(link.ask(asked).await?, Done)?;
            out.row(&done, |_| "it is worked on again\n".into())
        }
    }
}

/// A hook as it was typed, its program by its whole path: the node may have another PATH, and is in another directory.
fn wanted(add: &HookAdd, out: &Out) -> Result<NewHook, ApiError> {
    let mut cmd = add.cmd.clone();
    if !add.shell {
        cmd[0] = whole_path(&cmd[0])?;
    }
    let query = add.query.as_deref().map(|query| search::parse(query, &out.style.now)).transpose()?;
    Ok(NewHook {
        name: add.name.clone(),
        cmd,
        shell: add.shell,
        from: add.from.clone(),
        within: add.within.clone(),
        label: add.label.clone(),
        query: query.map(|query| query.to_string()),
        reply: add.reply,
        every_ms: add.every.map(|every| every.0),
        timeout_ms: add.timeout.map(|most| most.0),
        tries: Some(add.tries),
        at_once: Some(add.at_once),
    })
}

fn whole_path(program: &str) -> Result<String, ApiError> {
    let no_program = |why: &str| {
        let error = ApiError::usage(format!("cannot run {}: {why}", safe_text(program)));
        error.advise("name a program that is there and may be run, or a line for the shell with --shell")
    };
    let path = match program.contains('/') {
        true => std::path::absolute(program).map_err(|error| no_program(&error.to_string()))?,
        false => {
            let places = std::env::var_os("PATH").unwrap_or_default();
            let found = std::env::split_paths(&places).map(|place| place.join(program)).find(|path| can_run(path));
            let found = found.ok_or_else(|| no_program("there is no such program in PATH"))?;
            std::path::absolute(found).map_err(|error| no_program(&error.to_string()))?
        }
    };
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(no_program("there is no such file")),
        Err(error) => return Err(no_program(&error.to_string())),
    }
    if !can_run(&path) {
        return Err(no_program("it is no program"));
    }
    text(path).ok_or_else(|| no_program("its path is no text in UTF-8"))
}

fn can_run(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

fn text(path: PathBuf) -> Option<String> {
    path.into_os_string().into_string().ok()
}

/// The command as it could be typed.
fn line(row: &HookRow) -> String {
    match row.shell {
        true => safe_text(&row.cmd.join(" ")),
        false => row.cmd.iter().map(|word| shell_word(&safe_text(word))).collect::<Vec<_>>().join(" "),
    }
}

/// Which messages it gets, in words.
fn meant(row: &HookRow) -> String {
    let label = row.label.as_ref().map(|label| format!("labelled {}", safe_text(label)));
    let parts = [
        row.from.as_ref().map(|who| format!("from {}", called(who))),
        row.within.as_ref().map(|with| format!("in {}", called(with))),
        label,
        row.query.as_ref().map(|query| format!("that say {}", safe_text(query))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "all messages".into() } else { format!("messages {}", parts.join(", ")) }
}

fn told(row: &HookRow) -> String {
    let answers = match row.reply {
        true => format!(", and answers, nobody twice in {}", exact_span(Millis(row.every_ms))),
        false => String::new(),
    };
    format!("hook {} works on {}{answers}: {}\n", safe_text(&row.name), meant(row), line(row))
}

fn table(rows: &[HookRow], style: &Style) -> String {
    let mut table = Table::new(&["HOOK", "GETS", "NOW", "AGAIN", "GIVEN UP", "COMMAND"]);
    for row in rows {
        let failed = if row.failed > 0 { Paint::Bad } else { Paint::Plain };
        table.row(vec![
            cell(&row.name),
            cell(meant(row)),
            cell(row.running.to_string()),
            cell(row.waiting.to_string()),
            painted(failed, row.failed.to_string()),
            cell(line(row)),
        ]);
    }
    let mut text = table.render(style);
    if rows.iter().any(|row| row.failed > 0) {
        text += "\nWhat was given up, and why: dak hook failed\n";
    }
    text
}

fn failed(rows: &[HookFailedRow], style: &Style) -> String {
    let mut table = Table::new(&["ID", "HOOK", "FROM", "GIVEN UP", "TRIES", "WHY", "TEXT"]);
    for row in rows {
        let from = row.from.as_deref().map_or("-".into(), called);
        let (id, when) = (cell(short_id(&row.id)), cell(style.when(row.failed_at)));
        let (tries, why) = (cell(row.attempt.to_string()), cell(safe_text(&row.why)));
        table.row(vec![id, cell(&row.hook), cell(from), when, tries, why, prose(row.text.as_deref().unwrap_or(""))]);
    }
    let mut text = table.render(style);
    if let Some(first) = rows.first() {
        text += &format!("\nHave one worked on again: dak hook retry {}\n", short_id(&first.id));
    }
    text
}

fn tested(row: &HookTestedRow, style: &Style) -> String {
    let mut text = String::new();
    for (stream, printed) in [("stdout", &row.stdout), ("stderr", &row.stderr)] {
        if !printed.trim().is_empty() {
            text += &format!("{}\n", style.paint(Paint::Dim, stream));
            text += &format!("{}\n", safe_block(printed.trim_end_matches('\n')));
        }
    }
    let of = row.id.as_ref().map_or("a message that nobody wrote".into(), |id| short_id(id));
    let became = match row.outcome {
        Became::Done => style.paint(Paint::Good, "done"),
        Became::Again => style.paint(Paint::Warn, "it failed, and would go again"),
        Became::GiveUp => style.paint(Paint::Bad, "it would be given up"),
    };
    let why = row.why.as_ref().map(|why| format!(": {}", safe_text(why))).unwrap_or_default();
    text += &format!("{of}, {}: {became}{why}\n", exact_span(Millis(row.took_ms)));
    if !row.matches {
        text += "it is not meant for this hook, which would not get it\n";
    }
    text
}

//! `dak doctor`, `dak config` and `dak version`.

use std::path::Path;

use super::args::{Config, ConfigWhat, Doctor};
use super::link::{Link, nothing_set_up, take};
use super::next_steps::check_in_commands;
use super::out::{Out, Paint, Style};
use super::table::{Table, cell, painted};
use super::{Outcome, Stop, find_home};
use crate::api::client::Client;
use crate::api::model::{CheckRow, ConfigRow, Done, Request, Response, Verdict, VersionRow};
use crate::api::{ApiError, Engine, ErrorKind};
use crate::config;
use crate::safe_text::safe_text;

/// Exits 7 where the store is bad, and 1 where something else is.
pub async fn doctor(engine: &dyn Engine, link: &Link<'_>, args: &Doctor, out: &Out) -> Outcome {
    let checks = match args.repair {
        true if !link.home().is_set_up() => return Err(nothing_set_up().into()),
        true => engine.mend(link.home())?,
        false if args.reindex => take!(link.ask(Request::Reindex).await?, Doctor)?,
        false => checks(engine, link).await?,
    };
    let checks: Vec<CheckRow> = checks.into_iter().map(check_in_commands).collect();
    out.answer(&Response::Doctor(checks.clone()), |style| checks.iter().map(|check| line(check, style)).collect())?;
    let bad = |check: &&CheckRow| check.verdict == Verdict::Bad;
    let kind = |check: &CheckRow| if check.check == "store" { ErrorKind::Store } else { ErrorKind::Failure };
    match checks.iter().filter(bad).map(kind).max() {
        Some(kind) => Err(Stop::Code(kind.exit_code())),
        None => Ok(()),
    }
}

/// Asks the node or the home; one that does not open is looked at from outside.
async fn checks(engine: &dyn Engine, link: &Link<'_>) -> Result<Vec<CheckRow>, ApiError> {
    let error = match link.ask(Request::Doctor).await {
        Ok(answer) => return take!(answer, Doctor),
        Err(error) => error,
    };
    if !link.home().is_set_up() || link.is_up().await {
        return Err(error);
    }
    let mut rows = engine.examine(link.home()).map_err(|_| error.clone())?;
    if rows.iter().all(|row| row.verdict != Verdict::Bad) {
        rows.push(CheckRow::failed("home", Verdict::Bad, error));
    }
    Ok(rows)
}

pub async fn config(link: &Link<'_>, args: &Config, out: &Out) -> Outcome {
    let origin = match &args.what {
        None => false,
        Some(ConfigWhat::Show { origin }) => *origin,
        Some(ConfigWhat::Get { key }) => return get(link, key, out).await,
        Some(ConfigWhat::Set { key, value }) => return set(link, key, value, out).await,
    };
    let rows = take!(link.ask(Request::Config).await?, Config)?;
    out.answer(&Response::Config(rows.clone()), |style| settings(&rows, origin, style))?;
    tell_of_waiting(link, &rows, out);
    Ok(())
}

/// Says what the file has since for the settings that the node was started with.
fn tell_of_waiting(link: &Link<'_>, rows: &[ConfigRow], out: &Out) {
    let Ok(file) = config::Config::load(&link.home().config_path(), |_| None, config::Flags::default()) else { return };
    let file = file.rows();
    let origins = [config::Origin::Default, config::Origin::File].map(|origin| origin.to_string());
    let is_of_file = |row: &&ConfigRow| origins.contains(&row.origin);
    for row in rows.iter().filter(is_of_file) {
        if let Some(now) = file.iter().find(|now| now.key == row.key && now.value != row.value) {
            let (key, value) = (safe_text(&row.key), safe_text(&now.value));
            out.talk(&format!("config.toml has {key} = {value}, which counts after `dak down` and `dak up`"));
        }
    }
}

/// The value alone, so that a script can have it.
async fn get(link: &Link<'_>, key: &str, out: &Out) -> Outcome {
    let key = config::known(key).map_err(ApiError::from)?;
    let rows = take!(link.ask(Request::Config).await?, Config)?;
    let row = rows.into_iter().find(|row| row.key == key);
    let row = row.ok_or_else(|| ApiError::not_found(format!("the running node knows no setting {key}")))?;
    out.row(&row, |_| format!("{}\n", safe_text(&row.value)))?;
    tell_of_waiting(link, &[row], out);
    Ok(())
}

/// Nobody has to be asked: the file is the person's own.
async fn set(link: &Link<'_>, key: &str, value: &str, out: &Out) -> Outcome {
    if !link.home().is_set_up() {
        return Err(nothing_set_up().into());
    }
    let line = config::set(&link.home().config_path(), key, value).map_err(ApiError::from)?;
    out.row(&Done::default(), |_| format!("{}\n", safe_text(&line)))?;
    if key == "keep" && !value.trim().is_empty() {
        out.talk(
            "what is older is deleted here by itself, and cannot be brought back; what is unread, pinned, snoozed, labelled \
             or a task that is open stays",
        );
    }
    if let Some(variable) = overriding(link, key) {
        out.talk(&format!("the variable {variable} of the environment is set, and counts before it"));
    }
    if link.is_up().await {
        out.talk("the running node goes on as it was; restart it with `dak down` and `dak up`");
    }
    Ok(())
}

/// The variable of the environment that counts before a setting.
fn overriding(link: &Link<'_>, key: &str) -> Option<&'static str> {
    let path = link.home().config_path();
    let config = config::Config::load(&path, |name| std::env::var(name).ok(), config::Flags::default()).ok()?;
    config.rows().iter().find(|row| row.key == key).and_then(|row| match row.origin {
        config::Origin::Environment(variable) => Some(variable),
        _ => None,
    })
}

/// Tells this binary's version, and aloud where the running node has another.
pub async fn version(home: Option<&Path>, out: &Out) -> Outcome {
    let mine = VersionRow::of_this_build();
    if let Ok(home) = find_home(home)
        && let Ok(Response::Version(node)) = Client::new(home.socket_path()).call(&Request::Version).await
        && node.version != mine.version
    {
        let version = safe_text(&node.version);
        out.talk(&format!("the running node is dak {version}; restart it with `dak down` and `dak up`"));
    }
    out.answer(&Response::Version(mine.clone()), |_| format!("dak {}\n", mine.version))
}

fn line(check: &CheckRow, style: &Style) -> String {
    let verdict = match check.verdict {
        Verdict::Ok => style.paint(Paint::Good, "ok  "),
        Verdict::Warn => style.paint(Paint::Warn, "warn"),
        Verdict::Bad => style.paint(Paint::Bad, "bad "),
    };
    let next = check.next_step.as_deref().map(|step| format!("\n      {}", safe_text(step))).unwrap_or_default();
    format!("{verdict}  {}: {}{next}\n", safe_text(&check.check), safe_text(&check.message))
}

/// Lines that a configuration file may hold, or a table of where they come from.
fn settings(rows: &[ConfigRow], origin: bool, style: &Style) -> String {
    if !origin {
        return rows.iter().map(|row| format!("{} = {}\n", safe_text(&row.key), safe_text(&row.value))).collect();
    }
    let mut table = Table::new(&["KEY", "VALUE", "FROM"]);
    for row in rows {
        table.row(vec![cell(&row.key), cell(&row.value), painted(Paint::Dim, &row.origin)]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::Schema;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn a_check_says_what_is_wrong_and_what_to_do() {
        let check = CheckRow::new("clock", Verdict::Warn, "it jumped \u{1b}[2J").advise("set it");
        assert_eq!(line(&check, &style()), "warn  clock: it jumped \\u{1b}[2J\n      set it\n");
    }

    #[test]
    fn settings_are_shown_with_and_without_their_origin() {
        let row = ConfigRow { schema: Schema, key: "name".into(), value: "\"alice\"".into(), origin: "flag".into() };
        assert_eq!(settings(std::slice::from_ref(&row), false, &style()), "name = \"alice\"\n");
        assert_eq!(settings(&[row], true, &style()), "KEY   VALUE    FROM\nname  \"alice\"  flag\n");
    }
}

//! `dak doctor`, `dak config` and `dak version`.

use std::path::Path;

use super::args::{Config, ConfigWhat};
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::table::{Table, cell, painted};
use super::{Outcome, Stop, find_home};
use crate::api::client::Client;
use crate::api::model::{CheckRow, ConfigRow, Request, Response, Verdict, VersionRow};
use crate::safe_text::safe_text;

/// Exits 1 where something is bad.
pub async fn doctor(link: &Link<'_>, out: &Out) -> Outcome {
    let checks = take!(link.ask(Request::Doctor).await?, Doctor)?;
    out.answer(&Response::Doctor(checks.clone()), |style| checks.iter().map(|check| line(check, style)).collect())?;
    match checks.iter().any(|check| check.verdict == Verdict::Bad) {
        true => Err(Stop::Code(1)),
        false => Ok(()),
    }
}

pub async fn config(link: &Link<'_>, args: &Config, out: &Out) -> Outcome {
    let ConfigWhat::Show { origin } = args.what;
    let rows = take!(link.ask(Request::Config).await?, Config)?;
    out.answer(&Response::Config(rows.clone()), |style| settings(&rows, origin, style))
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
        Style { width: 80, color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn a_check_says_what_is_wrong_and_what_to_do() {
        let check = CheckRow {
            schema: Schema,
            check: "clock".into(),
            verdict: Verdict::Warn,
            message: "it jumped \u{1b}[2J".into(),
            next_step: Some("set it".into()),
        };
        assert_eq!(line(&check, &style()), "warn  clock: it jumped \\u{1b}[2J\n      set it\n");
    }

    #[test]
    fn settings_are_shown_with_and_without_their_origin() {
        let row = ConfigRow { schema: Schema, key: "name".into(), value: "\"alice\"".into(), origin: "flag".into() };
        assert_eq!(settings(std::slice::from_ref(&row), false, &style()), "name = \"alice\"\n");
        assert_eq!(settings(&[row], true, &style()), "KEY   VALUE    FROM\nname  \"alice\"  flag\n");
    }
}

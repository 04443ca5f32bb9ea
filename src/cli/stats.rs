//! `dak stats`: figures over time, drawn small.

use jiff::Zoned;

use super::Outcome;
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use crate::api::Response;
use crate::api::model::{Request, StatsRow};
use crate::units::{about_bytes, counted};

pub async fn stats(link: &Link<'_>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Stats).await?, Stats)?;
    out.answer(&Response::Stats(rows.clone()), |style| text(&rows, style))?;
    if rows.is_empty() {
        out.talk("there are no figures yet: they come while the node runs");
    }
    Ok(())
}

/// A span of time that is drawn, a column for each part of it.
struct Window {
    name: &'static str,
    ms: i64,
    columns: usize,
}

const WINDOWS: [Window; 2] = [
    Window { name: "the last day, half an hour a column", ms: 86_400_000, columns: 48 },
    Window { name: "the last thirty days, twelve hours a column", ms: 30 * 86_400_000, columns: 60 },
];
/// What stands before the columns.
const LABEL_WIDTH: usize = 10;
/// What stands behind them at most.
const SUM_WIDTH: usize = 10;
const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A figure: its label, how it is read, whether it is summed up over time, and how its sum or its last value is said.
type Figure = (&'static str, fn(&StatsRow) -> u64, bool, fn(u64) -> String);

const FIGURES: [Figure; 6] = [
    ("contacts", |row| row.contacts, true, plain),
    ("in", |row| row.bytes_in, true, about_bytes),
    ("out", |row| row.bytes_out, true, about_bytes),
    ("waiting", |row| row.backlog, false, plain),
    ("held", |row| row.held_bytes, false, about_bytes),
    ("store", |row| row.store_bytes, false, about_bytes),
];

fn plain(number: u64) -> String {
    number.to_string()
}

fn text(rows: &[StatsRow], style: &Style) -> String {
    let Some(last) = rows.last() else { return String::new() };
    let aged = aged(rows, &style.now);
    let mut text = String::new();
    for window in WINDOWS {
        text += &format!("{}\n", style.paint(Paint::Dim, window.name));
        let room = style.width.unwrap_or(usize::MAX).saturating_sub(LABEL_WIDTH + SUM_WIDTH + 2);
        let columns = window.columns.min(room.max(1));
        for (label, value, is_sum, say) in FIGURES {
            let values = columns_of(&aged, &window, columns, value, is_sum);
            let sum = match is_sum {
                true => values.iter().flatten().sum(),
                false => value(last),
            };
            let drawn: String = drawn(&values);
            text += &format!("{label:<LABEL_WIDTH$}{drawn}  {:>SUM_WIDTH$}\n", say(sum));
        }
        text.push('\n');
    }
    let held = format!("{} held, {} waiting for recipients", counted(last.held, "message"), last.backlog);
    text + &format!("{held}\nWhat moved is summed up, the rest is as it is now. Where nothing is drawn no node ran.\n")
}

/// Each row with its age in milliseconds: by its time, or without a clock by the spans of those behind it.
fn aged<'a>(rows: &'a [StatsRow], now: &Zoned) -> Vec<(i64, &'a StatsRow)> {
    let mut behind = 0;
    let mut aged: Vec<(i64, &StatsRow)> = Vec::new();
    for row in rows.iter().rev() {
        let age = row.at.map_or(behind, |at| now.timestamp().as_millisecond() - at.0);
        aged.push((age.max(0), row));
        behind += i64::try_from(row.span_secs * 1_000).unwrap_or(i64::MAX / 2_000);
    }
    aged
}

/// What each column comes to, the oldest first; nothing where no node ran.
fn columns_of(
    aged: &[(i64, &StatsRow)],
    window: &Window,
    columns: usize,
    value: fn(&StatsRow) -> u64,
    is_sum: bool,
) -> Vec<Option<u64>> {
    let mut values: Vec<Option<u64>> = vec![None; columns];
    for (age, row) in aged.iter().filter(|(age, _)| *age < window.ms) {
        let from_right = (i128::from(*age) * columns as i128 / i128::from(window.ms)) as usize;
        let column = &mut values[columns - 1 - from_right.min(columns - 1)];
        let (before, this) = (column.unwrap_or(0), value(row));
        *column = Some(if is_sum { before.saturating_add(this) } else { before.max(this) });
    }
    values
}

/// A mark for each column, the highest for the largest; what is more than nothing is more than the lowest.
fn drawn(values: &[Option<u64>]) -> String {
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    let steps = MARKS.len() as u128 - 1;
    let mark = |value: &Option<u64>| match value {
        None => ' ',
        Some(0) => MARKS[0],
        Some(value) => MARKS[(u128::from(*value) * steps).div_ceil(u128::from(most)) as usize],
    };
    values.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::{Schema, When};
    use crate::api::samples;
    use crate::safe_text::columns;

    fn style(width: Option<usize>) -> Style {
        Style { width, color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    fn row(minutes_ago: i64, contacts: u64) -> StatsRow {
        let at = samples::at(12, 0).map(|now| When(now.0 - minutes_ago * 60_000));
        StatsRow { at, contacts, ..samples::stats() }
    }

    #[test]
    fn what_moved_is_summed_up_and_what_is_held_is_as_it_is_now() {
        let shown = text(&[row(1_000, 3), row(40, 1), row(35, 1), row(3, 4), row(0, 0)], &style(Some(80)));
        let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        let columns = format!("{}▇{}▅█", " ".repeat(14), " ".repeat(31));
        assert_eq!(line("contacts"), format!("contacts  {columns}           9"));
        assert!(line("store").ends_with("   1.0 MiB"), "{shown}");
        assert!(shown.contains("5 messages held, 3 waiting"), "{shown}");
    }

    #[test]
    fn it_fits_terminals_of_any_width() {
        let rows: Vec<StatsRow> = (0..900).rev().map(|n| row(n * 50, n as u64)).collect();
        for width in [20, 40, 80, 200] {
            let shown = text(&rows, &style(Some(width)));
            let widest = shown.lines().filter(|line| line.contains('█')).map(columns).max().unwrap();
            assert!(widest <= width.max(23), "{width}: {widest}\n{shown}");
        }
    }

    #[test]
    fn without_a_clock_the_spans_say_when() {
        let rows: Vec<StatsRow> = (0..4)
            .map(|n| StatsRow { schema: Schema, at: None, span_secs: 3_600, contacts: n, ..samples::stats() })
            .collect();
        let shown = text(&rows, &style(None));
        assert!(shown.contains("▁ ▄ ▆ █"), "{shown}");
    }
}

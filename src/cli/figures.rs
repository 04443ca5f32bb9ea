//! `dak bench`: a table, or a line of JSON for each figure.

use super::args::Bench;
use super::out::Out;
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::bench::{Extent, FULL, Row, SHORT, USUAL, run, run_lan};

pub async fn bench(args: &Bench, out: &Out) -> Outcome {
    let mut stop = None;
    out.talk(&format!("{:<26} {:>12} {:<12} {:>10} {:>7}  limit is", "figure", "value", "unit", "limit", "ratio"));
    let report = |row| {
        if stop.is_none() {
            stop = out.row(&row, |_| line(&row)).err();
        }
    };
    let measured = match args.lan {
        Some(nodes) => run_lan(nodes, report).await,
        None => run(extent(args), report).await,
    };
    match (stop, measured) {
        (Some(stop), _) => Err(stop),
        (None, Ok(())) => Ok(()),
        (None, Err(failure)) => Err(Stop::Error(ApiError::failure(format!("the measurement ended early: {failure}")))),
    }
}

fn extent(args: &Bench) -> Extent {
    match args {
        Bench { full: true, .. } => FULL,
        Bench { short: true, .. } => SHORT,
        _ => USUAL,
    }
}

fn line(row: &Row) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), short);
    format!(
        "{:<26} {:>12} {:<12} {:>10} {:>7}  {}\n",
        row.name,
        short(row.value),
        row.unit,
        number(row.limit),
        number(row.ratio),
        row.limit_is
    )
}

/// About three digits.
fn short(value: f64) -> String {
    match value {
        value if value.abs() >= 1_000.0 => format!("{value:.0}"),
        value if value.abs() >= 10.0 => format!("{value:.1}"),
        value if value.abs() >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.4}"),
    }
}

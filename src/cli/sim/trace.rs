//! `dak sim trace`.

use std::path::Path;

use super::files::read;
use super::place::write_whole;
use super::{Outcome, Stop, TraceCommand, print};
use crate::sim::Trace;
use crate::sim::trace::{Format, Quantiles, ROWS_MAX, Stats, import, write_events, write_sociopatterns};

pub fn trace(command: &TraceCommand, json: bool) -> Outcome {
    match command {
        TraceCommand::Convert { file, from, to, out } => {
            let trace = load(file, from.as_deref(), None)?;
            let text = match form(to)? {
                Format::TheOne => write_events(trace.events()),
                Format::SocioPatterns => write_sociopatterns(&trace).ok_or_else(|| {
                    let name = file.display();
                    Stop::Refused(format!(
                        "{name}: that would be more than {ROWS_MAX} rows, one for each 20 s of each contact; write --to one"
                    ))
                })?,
                Format::Imote => return refuse("a trace can be read as imote but not written; write --to one".into()),
            };
            match out {
                Some(path) => write_whole(path, &text),
                None => print(text),
            }
        }
        TraceCommand::Stat { file, from } => {
            let stats = Stats::of(&load(file, from.as_deref(), None)?);
            print(if json { stats_json(&stats) } else { format!("{stats}\n") })
        }
        TraceCommand::Check { file, from, nodes } => {
            let trace = load(file, from.as_deref(), *nodes)?;
            let (name, contacts) = (file.display().to_string(), trace.contacts.len());
            match json {
                true => print(format_args!(
                    "{}\n",
                    serde_json::json!({
                        "schema": 1, "file": name, "nodes": trace.nodes, "contacts": contacts, "sound": true,
                    })
                )),
                false => print(format_args!("{name}: {} nodes, {contacts} contacts, sound\n", trace.nodes)),
            }
        }
    }
}

/// Reads a trace of a form that is named or guessed.
pub fn load(path: &Path, form_name: Option<&str>, nodes: Option<u32>) -> Result<Trace, Stop> {
    let bytes = read(path)?;
    let name = path.display().to_string();
    let format = match form_name {
        Some(name) => form(name)?,
        None => guessed(&name, &bytes)?,
    };
    match format {
        Format::TheOne => Ok(Trace::parse(&name, &bytes[..], nodes)?),
        format => Ok(import(&name, &bytes[..], format)?),
    }
}

/// A file without a line is left to its reader, which says so.
fn guessed(name: &str, bytes: &[u8]) -> Result<Format, Stop> {
    let Some((line, found)) = Format::first_line(bytes) else { return Ok(Format::TheOne) };
    Format::guess(bytes).ok_or_else(|| {
        Stop::Refused(format!(
            "{name}:{line}: {found} is of no known form, which are `time CONN a b up` (one), `t i j` (sociopatterns) and \
             `a b start end` (imote), with spaces or tabs between; name the form with --from to hear what is wrong"
        ))
    })
}

fn form(name: &str) -> Result<Format, Stop> {
    let said = || Stop::Refused(format!("there is no form `{name}`; write one, sociopatterns or imote"));
    Format::named(name).ok_or_else(said)
}

fn refuse(said: String) -> Outcome {
    Err(Stop::Refused(said))
}

fn stats_json(stats: &Stats) -> String {
    let seconds = |us: u64| us as f64 / 1e6;
    let spread = |q: &Quantiles| {
        serde_json::json!({
            "count": q.count, "min": seconds(q.min), "median": seconds(q.median), "mean": seconds(q.mean),
            "p90": seconds(q.p90), "max": seconds(q.max),
        })
    };
    let value = serde_json::json!({
        "schema": 1, "nodes": stats.nodes, "lonely": stats.lonely, "contacts": stats.contacts, "pairs": stats.pairs,
        "duration": seconds(stats.duration_us), "contact": spread(&stats.contact),
        "inter_contact": spread(&stats.inter_contact),
    });
    format!("{value}\n")
}

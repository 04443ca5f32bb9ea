//! `dak sim trace`.

use std::io::{self, Write};
use std::path::Path;

use super::files::read;
use super::place::write_whole;
use super::{Outcome, Stop, TraceCommand, print};
use crate::sim::recognise::Kind;
use crate::sim::seconds::Seconds;
use crate::sim::trace::{
    Format, Imported, Leniency, Quantiles, ROWS_MAX, Renumbered, Stats, import, write_events, write_sociopatterns,
};
use crate::sim::{InputError, Mistake, Trace};

pub fn trace(command: &TraceCommand, json: bool) -> Outcome {
    match command {
        TraceCommand::Convert { file, from, to, sort, out } => {
            let leniency = Leniency { any_order: *sort, drops_self_contacts: true };
            let imported = read_as(file, from.as_deref(), None, leniency)?;
            let text = match form(to)? {
                Format::TheOne => write_events(imported.trace.events()),
                Format::SocioPatterns => write_sociopatterns(&imported.trace).ok_or_else(|| {
                    let name = file.display();
                    Stop::Refused(format!(
                        "{name}: that would be more than {ROWS_MAX} rows, one for each 20 s of each contact; write --to one"
                    ))
                })?,
                Format::Imote => return refuse("a trace can be read as imote but not written; write --to one".into()),
            };
            match out {
                Some(path) => write_whole(path, &text)?,
                None => print(text)?,
            }
            tell(&if json { told_json(&imported) } else { told(&imported) });
            Ok(())
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
    Ok(read_as(path, form_name, nodes, Leniency::default())?.trace)
}

fn read_as(path: &Path, form_name: Option<&str>, nodes: Option<u32>, leniency: Leniency) -> Result<Imported, Stop> {
    let bytes = read(path)?;
    let name = path.display().to_string();
    let format = match form_name {
        Some(name) => form(name)?,
        None => guessed(&name, &bytes)?,
    };
    match (format, nodes) {
        (Format::TheOne, Some(nodes)) => {
            let trace = Trace::parse(&name, &bytes[..], Some(nodes))?;
            Ok(Imported { trace, renumbered: None, self_contacts: 0 })
        }
        _ => Ok(import(&name, &bytes[..], format, leniency)?),
    }
}

/// A file without a line is left to its reader, which says so.
fn guessed(name: &str, bytes: &[u8]) -> Result<Format, Stop> {
    let Some((line, found)) = Format::first_line(bytes) else { return Ok(Format::TheOne) };
    Format::guess(bytes).ok_or_else(|| {
        let error = InputError::at(name, line, Mistake::Unfamiliar { found });
        Kind::explain(bytes, error, |kind| matches!(kind, Kind::Contacts(_))).into()
    })
}

/// Columns of a line that lists nodes.
const COLUMNS: usize = 100;

/// How to find in the file what was written, and what was left out of it.
fn told(imported: &Imported) -> String {
    let mut text = String::new();
    if let Some(Renumbered { ids, zero_us }) = &imported.renumbered {
        let zero = if *zero_us < 0 { "-" } else { "" }.to_owned() + &Seconds(zero_us.unsigned_abs()).to_string();
        text += &format!("time 0 is {zero} s of the file; its {} ids are numbered anew:\n", ids.len());
        let mut line = String::new();
        for (node, id) in ids.iter().enumerate() {
            let pair = format!("  {node}={id}");
            if line.len() + pair.len() > COLUMNS {
                text += &format!("{line}\n");
                line.clear();
            }
            line += &pair;
        }
        text += &format!("{line}\n");
    }
    if imported.self_contacts > 0 {
        text += &format!("left out: {} lines in which a node meets itself\n", imported.self_contacts);
    }
    text
}

fn told_json(imported: &Imported) -> String {
    let renumbered = imported.renumbered.as_ref();
    let value = serde_json::json!({
        "schema": 1, "nodes": imported.trace.nodes, "contacts": imported.trace.contacts.len(),
        "ids": renumbered.map(|renumbered| &renumbered.ids),
        "zero": renumbered.map(|renumbered| renumbered.zero_us as f64 / 1e6),
        "self_contacts_left_out": imported.self_contacts,
    });
    format!("{value}\n")
}

/// Says something beside the result.
fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
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

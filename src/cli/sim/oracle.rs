//! `dak sim oracle`.

use super::files::read;
use super::{OracleArgs, Outcome, Stop, print, trace};
use crate::sim::oracle::{Arrival, solve, write_tsv};
use crate::sim::recognise::Kind;
use crate::sim::scenario::parse_duration_us;
use crate::sim::workload::{self, Message};

pub fn oracle(args: &OracleArgs, json: bool) -> Outcome {
    let lifetime_us = match &args.lifetime {
        Some(text) => Some(parse_duration_us(text).ok_or_else(|| {
            Stop::Refused(format!("--lifetime {text}: that is no duration; write 300min, 5h or 90s"))
        })?),
        None => None,
    };
    let trace = trace::load(&args.trace, None, args.nodes)?;
    let name = args.workload.display().to_string();
    let bytes = read(&args.workload)?;
    let messages = workload::parse(&name, &bytes[..], args.nodes)
        .map_err(|error| Kind::explain(&bytes, error, |kind| kind == Kind::Messages))?;
    // Whoever meets nobody has no line in a trace, and may write all the same.
    let named = messages.iter().map(|message| message.from.max(message.to) + 1).max().unwrap_or(0);
    let arrivals = solve(trace.nodes.max(named), trace.events(), &messages, lifetime_us);
    print(match json {
        true => messages.iter().zip(&arrivals).map(|(message, arrival)| line(message, arrival)).collect(),
        false => write_tsv(&messages, &arrivals),
    })
}

fn line(message: &Message, arrival: &Arrival) -> String {
    let seconds = |at_us: u64| at_us as f64 / 1e6;
    let value = serde_json::json!({
        "schema": 1, "id": message.id, "create": seconds(message.create_us), "src": message.from, "dst": message.to,
        "size": message.size, "earliest_arrival": arrival.earliest_us.map(seconds),
        "direct_arrival": arrival.direct_us.map(seconds),
    });
    format!("{value}\n")
}

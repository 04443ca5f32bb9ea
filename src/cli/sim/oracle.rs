//! `dak sim oracle`.

use super::files::read;
use super::{OracleArgs, Outcome, Stop, print, trace};
use crate::sim::oracle::{solve, write_tsv};
use crate::sim::scenario::parse_duration_us;
use crate::sim::workload;

pub fn oracle(args: &OracleArgs) -> Outcome {
    let lifetime_us = match &args.lifetime {
        Some(text) => Some(parse_duration_us(text).ok_or_else(|| {
            Stop::Refused(format!("--lifetime {text}: that is no duration; write 300min, 5h or 90s"))
        })?),
        None => None,
    };
    let trace = trace::load(&args.trace, None, args.nodes)?;
    let name = args.workload.display().to_string();
    let messages = workload::parse(&name, &read(&args.workload)?[..], args.nodes)?;
    // Whoever meets nobody has no line in a trace, and may write all the same.
    let named = messages.iter().map(|message| message.from.max(message.to) + 1).max().unwrap_or(0);
    let arrivals = solve(trace.nodes.max(named), trace.events(), &messages, lifetime_us);
    print(write_tsv(&messages, &arrivals))
}

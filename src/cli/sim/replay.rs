//! `dak sim replay`.

use std::fs::File;
use std::io::BufReader;

use super::{Outcome, ReplayArgs, Stop, print};
use crate::recording::play;
use crate::safe_text::safe_text;
use crate::sim::seconds::Seconds;

/// Outputs printed where they are not those recorded.
const OUTPUTS_MAX: usize = 20;

pub fn replay(args: &ReplayArgs, json: bool) -> Outcome {
    let shown = args.file.display();
    let file = File::open(&args.file)
        .map_err(|why| Stop::Refused(format!("{shown} cannot be read: {why}; check the path")))?;
    let played = play(BufReader::new(file)).map_err(|why| Stop::Refused(format!("{shown}: {why}")))?;
    if json {
        let difference = played.difference.as_ref();
        let value = serde_json::json!({
            "schema": 1, "node": played.node.peer_id(), "inputs": played.inputs, "cut": played.is_cut,
            "same": difference.is_none(), "differs_at": difference.map(|difference| difference.input),
        });
        print(format_args!("{value}\n"))?;
    }
    let Some(difference) = played.difference else {
        if json {
            return Ok(());
        }
        let cut = if played.is_cut { "; the last one is cut and was left out" } else { "" };
        return print(format_args!("{} inputs of node {}, the same outputs{cut}\n", played.inputs, played.node));
    };
    if !json {
        let at = Seconds(difference.at.now.0.saturating_mul(1_000));
        print(format_args!(
            "input {} at {at} s, {}: other outputs than recorded\n",
            difference.input, difference.what
        ))?;
        for output in difference.outputs.iter().take(OUTPUTS_MAX) {
            print(format_args!("  {}\n", safe_text(output)))?;
        }
    }
    Err(Stop::Failed(format!("{shown}: the agent does something else since input {}", difference.input)))
}

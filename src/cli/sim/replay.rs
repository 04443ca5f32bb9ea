//! `dak sim replay`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::path::Path;

use super::{Outcome, ReplayArgs, Stop, print};
use crate::home::{private_temporary, publish};
use crate::recording::{Difference, Played, play, renew};
use crate::safe_text::safe_text;
use crate::sim::seconds::Seconds;

/// Outputs printed where they are not those recorded.
const OUTPUTS_MAX: usize = 20;

pub fn replay(args: &ReplayArgs, json: bool) -> Outcome {
    let shown = args.file.display();
    let file = File::open(&args.file)
        .map_err(|why| Stop::Refused(format!("{shown} cannot be read: {why}; check the path")))?;
    let file = BufReader::new(file);
    let refused = |why| Stop::Refused(format!("{shown}: {why}"));
    let played = match &args.renew {
        None => play(file).map_err(refused)?,
        Some(new) => renewed(file, new, &shown.to_string())?,
    };
    print(if json { line(&played) } else { text(&played) })?;
    match &played.difference {
        Some(difference) if args.renew.is_none() || played.is_panic => {
            let what = if played.is_panic { "the agent panics at" } else { "the agent does something else since" };
            Err(Stop::Failed(format!("{shown}: {what} input {}", difference.input)))
        }
        _ => Ok(()),
    }
}

/// Plays into a new file, which is there whole or not at all.
fn renewed(file: BufReader<File>, new: &Path, shown: &str) -> Result<Played, Stop> {
    let cannot = |why: std::io::Error| {
        let name = new.display();
        Stop::Refused(match why.kind() {
            std::io::ErrorKind::AlreadyExists => format!("{name} is there already; name a file that is not"),
            _ => format!("{name} cannot be written to: {why}; name another place with --renew"),
        })
    };
    if new.symlink_metadata().is_ok() {
        return Err(cannot(std::io::ErrorKind::AlreadyExists.into()));
    }
    // Without a name until it is whole, so that an interrupted process leaves nothing.
    let mut made = tempfile::tempfile().map_err(cannot)?;
    let played = renew(file, BufWriter::new(&mut made)).map_err(|why| Stop::Refused(format!("{shown}: {why}")))?;
    if !played.is_panic {
        let mut temporary = private_temporary(new).map_err(cannot)?;
        made.rewind().and_then(|()| std::io::copy(&mut made, &mut temporary)).map_err(cannot)?;
        publish(temporary, new).map_err(cannot)?;
    }
    Ok(played)
}

fn line(played: &Played) -> String {
    let difference = played.difference.as_ref();
    let value = serde_json::json!({
        "schema": 1, "node": played.node.map(|node| node.peer_id()), "inputs": played.inputs, "starts": played.starts,
        "cut": played.is_cut, "open": played.is_open, "same": difference.is_none(),
        "differs_at": difference.map(|difference| difference.input), "panic": played.is_panic,
    });
    format!("{value}\n")
}

fn text(played: &Played) -> String {
    let mut text = match (&played.difference, played.node) {
        (Some(difference), _) => told(difference),
        (None, Some(node)) => format!("{} inputs of node {node}, the same outputs\n", played.inputs),
        (None, None) => "nothing is recorded yet\n".to_owned(),
    };
    if played.starts > 1 {
        text += &format!("commits failed {} times, and the agent went on from its store\n", played.starts - 1);
    }
    if played.is_cut {
        text += "the file ends inside a record, as a killed process leaves it; that record was left out\n";
    }
    if played.is_open && !played.is_panic {
        text += "the node ended while its agent was at the last input; what came of it then is not known\n";
    }
    text
}

fn told(difference: &Difference) -> String {
    let at = Seconds(difference.at.now.0.saturating_mul(1_000));
    let (input, what) = (difference.input, &difference.what);
    let mut text = format!("input {input} at {at} s, {what}: other outputs than recorded\n");
    for output in difference.outputs.iter().take(OUTPUTS_MAX) {
        text += &format!("  {}\n", safe_text(output));
    }
    if difference.outputs.len() > OUTPUTS_MAX {
        text += &format!("  and {} more\n", difference.outputs.len() - OUTPUTS_MAX);
    }
    text
}

//! Scenarios and traces from the disk, and what a run leaves there.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::string::FromUtf8Error;

use flate2::read::MultiGzDecoder;

use super::Stop;
use crate::sim::recognise::Kind;
use crate::sim::report::{Report, messages_csv, page, summary_json};
use crate::sim::scenario::{Loaded, Scenario};
use crate::sim::{InputError, Mistake};

/// Most bytes of a packed file, unpacked: it is held in memory as a whole.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// A scenario with its files, and its text.
pub struct Found {
    pub loaded: Loaded,
    pub text: String,
}

/// Reads a scenario with some settings changed.
pub fn load(path: &Path, settings: &[(String, String)], seed: Option<u64>) -> Result<Found, Stop> {
    let name = path.display().to_string();
    let text = String::from_utf8(read(path)?).map_err(|error| not_text(&name, &error))?;
    let seed = seed.map(|seed| seed.to_string());
    let mut overrides: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    overrides.extend(seed.iter().map(|seed| ("seed", seed.as_str())));
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let scenario = Scenario::parse(&name, &text, &overrides)
        .map_err(|error| Kind::explain(text.as_bytes(), error, |kind| kind == Kind::Scenario))?;
    let loaded = scenario.load(&mut |file| plain(&folder.join(file)))?;
    Ok(Found { loaded, text })
}

fn not_text(name: &str, error: &FromUtf8Error) -> InputError {
    let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = sound.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let said = "it is not UTF-8 text; check that this is the right file".to_owned();
    let error_there = InputError::at(name, line, Mistake::Scenario(said));
    Kind::explain(error.as_bytes(), error_there, |kind| kind == Kind::Scenario)
}

pub fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    plain(path).map_err(|why| Stop::Refused(format!("{} cannot be read: {why}; check the path", path.display())))
}

/// What a file holds, unpacked where it is packed by gzip, and without the mark that some editors put before a text.
fn plain(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = fs::read(path)?;
    if bytes.starts_with(b"\x1f\x8b") {
        bytes = unpacked(&bytes)?;
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let unpack = MultiGzDecoder::new(packed).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut bytes);
    unpack.map_err(|why| io::Error::other(format!("it is packed by gzip, and damaged: {why}")))?;
    match bytes.len() as u64 <= UNPACKED_BYTES_MAX {
        true => Ok(bytes),
        false => Err(io::Error::other(format!("unpacked, it has more than {} GiB", UNPACKED_BYTES_MAX >> 30))),
    }
}

/// Reads `key=value`.
pub fn setting(text: &str) -> Result<(String, String), Stop> {
    let parts = text.split_once('=').filter(|(key, _)| !key.trim().is_empty());
    let (key, value) = parts.ok_or_else(|| {
        Stop::Refused(format!("--set {text}: that is no setting; write KEY=VALUE, as routing.strategy=direct"))
    })?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// Refuses a directory with the results of something else. The very same run may be made again: it writes the same.
pub fn keep_other(out: &Path, run: &Loaded) -> Result<(), Stop> {
    let refused = |holds: String| {
        let name = out.display();
        Stop::Refused(format!("{name} holds {holds}; name another place with --out, or give --force to replace that"))
    };
    if out.join("sweep.csv").is_file() {
        return Err(refused("a sweep".into()));
    }
    let Ok(bytes) = fs::read(out.join("summary.json")) else { return Ok(()) };
    let summary: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_same = summary["scenario_hash"].as_str() == Some(&run.hash)
        && summary["seed"].as_u64() == Some(run.scenario.seed)
        && summary["commit"].as_str() == Some(commit());
    match is_same {
        true => Ok(()),
        false => Err(refused(match (summary["scenario"].as_str(), summary["seed"].as_u64()) {
            (Some(scenario), Some(seed)) => format!("another run ({scenario}, seed {seed})"),
            _ => "another run".into(),
        })),
    }
}

/// The files of one run; `summary.json` comes last and says that the rest is there.
pub fn of_run(report: &Report, timing: String) -> Vec<(&'static str, String)> {
    vec![
        ("messages.csv", messages_csv(&report.messages)),
        ("report.html", page(report)),
        ("timing.json", timing),
        ("summary.json", summary_json(report)),
    ]
}

/// The code that runs: its commit where the build knew it, else its version.
pub fn commit() -> &'static str {
    option_env!("DAK_COMMIT").unwrap_or(env!("CARGO_PKG_VERSION"))
}

/// The names of the figures in the order in which a summary writes them.
pub fn figure_names(summary: &serde_json::Value, text: &str) -> Vec<String> {
    let is_figure = |(name, value): &(&String, &serde_json::Value)| !value.is_string() && *name != "seed";
    let named = summary.as_object().into_iter().flatten().filter(is_figure).map(|(name, _)| name.clone());
    let mut names: Vec<String> = named.collect();
    names.sort_by_key(|name| text.find(&format!("\"{name}\":")));
    names
}

//! Scenarios and traces from the disk, and what a run leaves there.

use std::fs;
use std::path::Path;

use super::Stop;
use crate::sim::report::{Report, messages_csv, page, summary_json};
use crate::sim::scenario::{Loaded, Scenario};

/// A scenario with its files, and its text.
pub struct Found {
    pub loaded: Loaded,
    pub text: String,
}

/// Reads a scenario with some settings changed.
pub fn load(path: &Path, settings: &[(String, String)], seed: Option<u64>) -> Result<Found, Stop> {
    let text = String::from_utf8(read(path)?).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = sound.iter().filter(|byte| **byte == b'\n').count() + 1;
        let name = path.display();
        Stop::Refused(format!("{name}:{line}: it is not UTF-8 text; check that this is the right file"))
    })?;
    let name = path.display().to_string();
    let seed = seed.map(|seed| seed.to_string());
    let mut overrides: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    overrides.extend(seed.iter().map(|seed| ("seed", seed.as_str())));
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let loaded = Scenario::parse(&name, &text, &overrides)?.load(&mut |file| fs::read(folder.join(file)))?;
    Ok(Found { loaded, text })
}

pub fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    fs::read(path).map_err(|why| Stop::Refused(format!("{} cannot be read: {why}; check the path", path.display())))
}

/// Reads `key=value`.
pub fn setting(text: &str) -> Result<(String, String), Stop> {
    let parts = text.split_once('=').filter(|(key, _)| !key.trim().is_empty());
    let (key, value) = parts.ok_or_else(|| {
        Stop::Refused(format!("--set {text}: that is no setting; write KEY=VALUE, as routing.strategy=direct"))
    })?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
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

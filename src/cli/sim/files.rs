//! Scenarios and traces from the disk, results to it: whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Held while results are written, so that nothing half-written is left where the process is interrupted.
static WRITING: Mutex<()> = Mutex::new(());

fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for what is being written, and lets nothing more be: the process ends.
pub fn put_away() {
    std::mem::forget(writing());
}

/// Writes a file whole or not at all.
pub fn write_whole(path: &Path, text: &str) -> Result<(), Stop> {
    let _writing = writing();
    let draft = draft_of(path);
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, path));
    written.map_err(|why| {
        let _ = fs::remove_file(&draft);
        Stop::Refused(format!("{} cannot be written ({why}); name another place", path.display()))
    })
}

/// A directory for results, checked before the work begins.
pub struct Place {
    path: PathBuf,
}

impl Place {
    /// Makes sure that `path` can be written to, and leaves nothing there.
    pub fn check(path: &Path) -> Result<Place, Stop> {
        let refuse = |what: String| Err(Stop::Refused(what));
        if path.exists() && !path.is_dir() {
            return refuse(format!("{} is no directory; name another place with --out", path.display()));
        }
        let draft = draft_of(path);
        let missing: Vec<&Path> = parent(path).ancestors().take_while(|place| is_missing(place)).collect();
        let made = fs::create_dir_all(&draft);
        let _ = fs::remove_dir(&draft);
        missing.into_iter().for_each(|place| drop(fs::remove_dir(place)));
        match made {
            Ok(()) => Ok(Place { path: path.to_owned() }),
            Err(why) => refuse(cannot(path, &why)),
        }
    }

    /// Puts these files there: all of them in a new directory, or each whole in one that exists, the last one last.
    pub fn write(&self, files: &[(&str, String)]) -> Result<(), Stop> {
        let _writing = writing();
        self.try_write(files).map_err(|why| {
            let _ = fs::remove_dir_all(draft_of(&self.path));
            Stop::Refused(cannot(&self.path, &why))
        })
    }

    fn try_write(&self, files: &[(&str, String)]) -> io::Result<()> {
        let draft = draft_of(&self.path);
        fs::create_dir_all(&draft)?;
        for (name, text) in files {
            fs::write(draft.join(name), text)?;
        }
        if self.path.is_dir() {
            if let Some((name, _)) = files.iter().find(|(name, _)| self.path.join(name).is_dir()) {
                return Err(io::Error::other(format!("{name} is a directory there")));
            }
            // Without the last one, what is there is not taken for whole.
            if let Some((last, _)) = files.last()
                && self.path.join(last).is_file()
            {
                fs::remove_file(self.path.join(last))?;
            }
            for (name, _) in files {
                fs::rename(draft.join(name), self.path.join(name))?;
            }
            return fs::remove_dir(&draft);
        }
        fs::rename(&draft, &self.path)
    }
}

/// Beside the place itself, so that it can be renamed; hidden, so that nobody takes it for a result.
fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    parent(path).join(format!(".{name}.tmp-{}", std::process::id()))
}

fn is_missing(place: &Path) -> bool {
    !place.as_os_str().is_empty() && place.symlink_metadata().is_err()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cannot(path: &Path, why: &io::Error) -> String {
    format!("{} cannot be written to ({why}); nothing was left there; name another place with --out", path.display())
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

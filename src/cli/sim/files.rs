//! Scenarios and traces from the disk, results to it: whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    let text = String::from_utf8(read(path)?).map_err(|_| {
        Stop::Refused(format!("{}: it is not UTF-8 text; check that this is the right file", path.display()))
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
        let place = Place { path: path.to_owned() };
        let draft = place.draft();
        match fs::create_dir_all(parent(path)).and_then(|()| fs::create_dir_all(&draft)) {
            Ok(()) => drop(fs::remove_dir(&draft)),
            Err(why) => return refuse(cannot(path, &why)),
        }
        Ok(place)
    }

    /// Puts these files there: all of them in a new directory, or each whole in one that exists, the last one last.
    pub fn write(&self, files: &[(&str, String)]) -> Result<(), Stop> {
        self.try_write(files).map_err(|why| {
            let _ = fs::remove_dir_all(self.draft());
            Stop::Refused(cannot(&self.path, &why))
        })
    }

    fn try_write(&self, files: &[(&str, String)]) -> io::Result<()> {
        let draft = self.draft();
        fs::create_dir_all(&draft)?;
        for (name, text) in files {
            fs::write(draft.join(name), text)?;
        }
        if self.path.is_dir() {
            for (name, _) in files {
                fs::rename(draft.join(name), self.path.join(name))?;
            }
            return fs::remove_dir(&draft);
        }
        fs::rename(&draft, &self.path)
    }

    /// Beside the place itself, so that it can be renamed.
    fn draft(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parent(&self.path).join(format!(".{name}.tmp-{}", std::process::id()))
    }
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

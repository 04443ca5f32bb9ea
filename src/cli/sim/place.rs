//! Where results go: whole or not at all, whatever ends the process.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::Stop;

/// A directory for results, checked before the work begins.
pub struct Place {
    path: PathBuf,
}

/// Held while results are written, so that nothing half-written is left where the process is interrupted.
static WRITING: Mutex<()> = Mutex::new(());

/// Waits for what is being written, and lets nothing more be: the process ends.
pub fn put_away() {
    std::mem::forget(writing());
}

/// How often a draft is begun anew where its folder is taken away in between.
const DRAFTS_MAX: usize = 100;

impl Place {
    /// Makes sure that `path` can be written to, and leaves nothing there.
    pub fn check(path: &Path) -> Result<Place, Stop> {
        if path.exists() && !path.is_dir() {
            let said = format!("{} is no directory; name another place with --out", path.display());
            return Err(Stop::Refused(said));
        }
        let place = Place { path: path.to_owned() };
        let missing = place.missing();
        let made = place.draft().map(drop);
        remove_empty(&missing);
        made.map_err(|why| place.cannot(&why))?;
        Ok(place)
    }

    /// Puts these files there: all of them in a new directory, or each whole in one that exists, the last one last.
    pub fn write(&self, files: &[(&str, String)]) -> Result<(), Stop> {
        let _writing = writing();
        let missing = self.missing();
        self.try_write(files).map_err(|why| {
            remove_empty(&missing);
            self.cannot(&why)
        })
    }

    fn try_write(&self, files: &[(&str, String)]) -> io::Result<()> {
        let draft = self.draft()?;
        for (name, text) in files {
            fs::write(draft.path().join(name), text)?;
        }
        // Another process may make the same run, and be first.
        if !self.path.is_dir() && fs::rename(draft.path(), &self.path).is_ok() {
            let _ = draft.keep();
            return Ok(());
        }
        if let Some((name, _)) = files.iter().find(|(name, _)| self.path.join(name).is_dir()) {
            return Err(io::Error::other(format!("{name} is a directory there")));
        }
        // Without the last one, what is there is not taken for whole.
        if let Some((last, _)) = files.last()
            && self.path.join(last).is_file()
        {
            fs::remove_file(self.path.join(last))?;
        }
        files.iter().try_for_each(|(name, _)| fs::rename(draft.path().join(name), self.path.join(name)))
    }

    /// A directory that can be moved to where it belongs: inside of one that exists, which may be all that this user or
    /// this file system has, or beside a new one. Hidden, so that nobody takes it for a result, and gone when dropped.
    fn draft(&self) -> io::Result<TempDir> {
        let folder = if self.path.is_dir() { &self.path } else { parent(&self.path) };
        let draft = || {
            fs::create_dir_all(folder)?;
            tempfile::Builder::new().prefix(".dak-").permissions(Permissions::from_mode(0o777)).tempdir_in(folder)
        };
        // Another run that checks its place beside this one takes away the folder that it made, as long as it is empty.
        let is_gone = |why: &io::Error| matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists);
        (1..DRAFTS_MAX).map(|_| draft()).find(|made| !made.as_ref().is_err_and(is_gone)).unwrap_or_else(draft)
    }

    /// Directories above that are to be made, the deepest first.
    fn missing(&self) -> Vec<PathBuf> {
        let is_missing = |place: &&Path| !place.as_os_str().is_empty() && place.symlink_metadata().is_err();
        parent(&self.path).ancestors().take_while(is_missing).map(Path::to_owned).collect()
    }

    fn cannot(&self, why: &io::Error) -> Stop {
        let name = self.path.display();
        Stop::Refused(format!(
            "{name} cannot be written to ({why}); nothing was left there; name another place with --out"
        ))
    }
}

/// Writes a file whole or not at all. Where the name stands for another file, that one is written; a pipe or a device
/// takes it as it comes.
pub fn write_whole(path: &Path, text: &str) -> Result<(), Stop> {
    let meant = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let written = match fs::metadata(&meant) {
        // Whoever reads it may come late or never, and an interrupt does not wait for that.
        Ok(found) if !found.is_file() && !found.is_dir() => fs::write(&meant, text),
        _ => replace(&meant, text),
    };
    written.map_err(|why| Stop::Refused(format!("{} cannot be written ({why}); name another place", path.display())))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let _writing = writing();
    let readable = Permissions::from_mode(0o666);
    let draft = tempfile::Builder::new().prefix(".dak-").permissions(readable).tempfile_in(parent(path))?;
    fs::write(draft.path(), text)?;
    draft.persist(path).map(drop).map_err(|failed| failed.error)
}

fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove_empty(places: &[PathBuf]) {
    places.iter().for_each(|place| drop(fs::remove_dir(place)));
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn runs_that_begin_and_end_at_once_do_not_take_the_directory_from_under_each_other() {
        let desk = TempDir::new().unwrap();
        for round in 0..200 {
            let runs = desk.path().join(round.to_string()).join("runs");
            thread::scope(|scope| {
                for run in 0..4 {
                    let path = runs.join(run.to_string());
                    scope.spawn(move || {
                        let place = Place::check(&path).unwrap();
                        place.write(&[("summary.json", "{}".to_owned())]).unwrap();
                    });
                }
            });
            let made = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path().join("summary.json"));
            assert_eq!(made.filter(|summary| summary.is_file()).count(), 4);
        }
    }
}

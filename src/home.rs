//! Where a node keeps its things: the platform's directories, or everything under one directory (`--home`).
//!
//! | what | default (XDG) | under `--home DIR` |
//! |---|---|---|
//! | `config.toml` | `~/.config/dak` | `DIR` |
//! | `identity.key`, `store.redb`, `store.journal`, `search`, `stats`, `node.lock` | `~/.local/share/dak` | `DIR` |
//! | `dak.sock` | `$XDG_RUNTIME_DIR/dak` | `DIR/run` |
//!
//! The lock says where its node listens, so that commands of a session with another environment find it all the same.
//!
//! Directories are made for their owner alone (0700). One that exists and lets others in is refused, because the
//! store in it holds what people wrote; only an empty one is closed without a question, since `mkdir` made it for us
//! a moment ago. Nothing is ever looked for in the current directory.

mod files;
mod kept;
mod lock;
mod run;

use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

pub use files::create_private_file;
pub(crate) use files::{is_own, private_temporary, publish};
pub use kept::{KeptError, KeptFile};
pub use lock::{HomeLock, LockError};

use files::{Openness, check_directory, make_directory};

/// The places of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    config: PathBuf,
    data: PathBuf,
    run: PathBuf,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("cannot tell where your files belong, because HOME is not set")]
    NoPlace,
    #[error("other users can get into {path:?} (mode {mode:o})")]
    Loose { path: PathBuf, mode: u32 },
    #[error("{path:?} belongs to another user (number {owner})")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{path:?} is not a directory")]
    NotADirectory { path: PathBuf },
    #[error("the disk of {path:?} keeps no permissions, so others could read the key there")]
    NoModes { path: PathBuf },
    #[error("{path:?} is on a disk that can only be read")]
    ReadOnly { path: PathBuf },
    #[error("cannot use the directory {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl Home {
    /// Finds the places, making what is missing; `dir` is what `--home` names.
    pub fn open_or_create(dir: Option<&Path>) -> Result<Home, HomeError> {
        if let Some(dir) = dir {
            make_directory(dir, Openness::Closed)?;
        }
        let home = Home::locate(dir)?;
        make_directory(&home.data, Openness::Closed)?;
        // A configuration is no secret, and tools that manage such files leave it readable.
        make_directory(&home.config, if home.config == home.data { Openness::Closed } else { Openness::Readable })?;
        make_directory(&home.run, Openness::Closed)?;
        Ok(home)
    }

    /// Finds the places without making anything; those that exist must be this user's alone.
    pub fn find(dir: Option<&Path>) -> Result<Home, HomeError> {
        let home = Home::locate(dir)?;
        for place in [&home.data, &home.run] {
            if place.symlink_metadata().is_ok() {
                check_directory(place, Openness::Closed)?;
            }
        }
        Ok(home)
    }

    /// Says whether a node was ever set up here.
    pub fn is_set_up(&self) -> bool {
        self.identity_path().exists()
    }

    pub fn identity_path(&self) -> PathBuf {
        self.data.join("identity.key")
    }

    pub fn store_path(&self) -> PathBuf {
        self.data.join("store.redb")
    }

    pub fn lock_path(&self) -> PathBuf {
        self.data.join("node.lock")
    }

    pub fn config_path(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// What programs show to reach the API.
    pub fn tokens_path(&self) -> PathBuf {
        self.data.join("tokens.toml")
    }

    /// What browsers have to do with it: see [`crate::web`].
    pub fn web_path(&self) -> PathBuf {
        self.data.join("web.toml")
    }

    /// The directory of the index of words: derived from the store, and made when somebody first searches.
    pub fn search_path(&self) -> PathBuf {
        self.data.join("search")
    }

    /// Figures over time, which no backup has.
    pub fn stats_path(&self) -> PathBuf {
        self.data.join("stats")
    }

    /// The local API's socket: where the node that holds this home says that it listens, else where one started in this
    /// session would. Sessions differ (`ssh`, `su`, `cron`, a service), and so does what they call the runtime directory.
    pub fn socket_path(&self) -> PathBuf {
        let told = lock::told_socket(&self.lock_path()).filter(|socket| socket.symlink_metadata().is_ok());
        told.unwrap_or_else(|| self.run.join(run::SOCKET_NAME))
    }

    /// Where a node of this session may listen, the best place first; each path is short enough for every platform's
    /// address of a socket.
    pub fn socket_places(&self) -> Vec<PathBuf> {
        let places = run::places(&self.run, &self.data, &run::user_directory());
        places.into_iter().map(|place| place.join(run::SOCKET_NAME)).collect()
    }

    /// The directory of identity and store.
    pub fn data_directory(&self) -> &Path {
        &self.data
    }

    /// The directory that holds all of it, where one does.
    pub fn alone(&self) -> Option<&Path> {
        (self.config == self.data).then_some(&*self.data)
    }

    /// Takes the lock that keeps two nodes from one store; it lasts as long as the returned value, or the process.
    pub fn lock(&self) -> Result<HomeLock, LockError> {
        HomeLock::take(&self.lock_path())
    }

    fn locate(dir: Option<&Path>) -> Result<Home, HomeError> {
        match dir {
            Some(dir) => Home::under(dir, &run::user_directory()),
            None => Home::of_platform(),
        }
    }

    fn under(dir: &Path, user_run: &Path) -> Result<Home, HomeError> {
        // One spelling for one directory, or two commands would look for the socket in two places.
        let dir = dir.canonicalize().or_else(|_| std::path::absolute(dir));
        let dir = dir.map_err(|source| HomeError::Io { path: PathBuf::new(), source })?;
        let run = run::directory(dir.join("run"), &dir, user_run);
        Ok(Home { config: dir.clone(), data: dir, run })
    }

    fn of_platform() -> Result<Home, HomeError> {
        let places = ProjectDirs::from("", "", "dak").ok_or(HomeError::NoPlace)?;
        let data = places.data_dir().to_owned();
        let user_run = run::user_directory();
        let run = match run::is_shared(&user_run) {
            true => data.join("run"),
            false => user_run.join("dak"),
        };
        Ok(Home { config: places.config_dir().to_owned(), run: run::directory(run, &data, &user_run), data })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_home_is_closed_to_others_and_everything_is_under_it() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let home = Home::open_or_create(Some(&dir)).unwrap();
        assert_eq!((mode(&dir), mode(&dir.join("run"))), (0o700, 0o700));
        let dir = dir.canonicalize().unwrap();
        for path in [home.identity_path(), home.store_path(), home.config_path(), home.lock_path()] {
            assert_eq!(path.parent(), Some(dir.as_path()));
        }
        assert_eq!(home.socket_path(), dir.join("run/dak.sock"));
        assert!(!home.is_set_up());
        assert_eq!(Home::find(Some(&dir)).unwrap(), home);
    }

    #[test]
    fn finding_a_home_makes_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("never");
        Home::find(Some(&dir)).unwrap();
        assert!(!dir.exists());
    }

    #[test]
    fn an_empty_directory_is_closed_and_an_open_full_one_refused() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("home");
        std::fs::create_dir(&dir).unwrap();
        set_mode(&dir, 0o755);
        Home::open_or_create(Some(&dir)).unwrap();
        assert_eq!(mode(&dir), 0o700);

        for loose in [0o750, 0o705, 0o701, 0o770] {
            set_mode(&dir, loose);
            let error = Home::open_or_create(Some(&dir)).unwrap_err();
            assert!(matches!(error, HomeError::Loose { mode, .. } if mode == loose), "{error}");
            assert!(Home::find(Some(&dir)).is_err());
        }
    }

    #[test]
    fn a_file_in_the_place_of_a_home_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(Home::open_or_create(Some(&file)), Err(HomeError::NotADirectory { .. })));
    }

    #[test]
    fn two_spellings_of_a_home_share_one_socket() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join(format!("home-{}", "x".repeat(90)));
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        std::fs::create_dir(&dir).unwrap();
        let home = Home::open_or_create(Some(&dir)).unwrap();
        assert_eq!(Home::find(Some(&link)).unwrap().socket_path(), home.socket_path());
        std::fs::remove_dir(home.socket_path().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_long_path_moves_the_socket_where_it_can_be_bound() {
        let parent = tempfile::tempdir().unwrap();
        let user_run = parent.path().join("user");
        let dir = parent.path().join("x".repeat(120));
        let other = parent.path().join("y".repeat(120));
        let socket = |dir: &Path| Home::under(dir, &user_run).unwrap().socket_path();
        assert!(socket(&dir).starts_with(&user_run), "{:?}", socket(&dir));
        assert!(socket(&dir).as_os_str().len() <= run::SOCKET_PATH_BYTES_MAX);
        assert_ne!(socket(&dir), socket(&other));
        let endless = parent.path().join("z".repeat(120));
        assert!(Home::under(&dir, &endless).unwrap().socket_path().starts_with("/tmp"));
    }

    #[test]
    fn only_one_node_holds_a_home() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open_or_create(Some(&parent.path().join("h"))).unwrap();
        let lock = home.lock().unwrap();
        let held = home.lock().unwrap_err();
        assert!(matches!(held, LockError::Held { pid: Some(pid) } if pid == std::process::id()), "{held}");
        assert!(held.to_string().contains("another node runs on this home"), "{held}");
        drop(lock);
        home.lock().unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_killed_node_does_not_lock() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open_or_create(Some(&parent.path().join("h"))).unwrap();
        std::fs::write(home.lock_path(), "99999999999999 left over after a power cut\n\0").unwrap();
        let _lock = home.lock().unwrap();
        assert_eq!(std::fs::read_to_string(home.lock_path()).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn the_lock_says_where_its_node_listens_while_the_socket_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open_or_create(Some(&parent.path().join("h"))).unwrap();
        let lock = home.lock().unwrap();
        let (usual, elsewhere) = (home.socket_path(), parent.path().join("another session's socket"));
        lock.tell_socket(&elsewhere);
        assert_eq!(home.socket_path(), usual);
        std::fs::write(&elsewhere, "").unwrap();
        assert_eq!(home.socket_path(), elsewhere);
        assert!(matches!(home.lock().unwrap_err(), LockError::Held { pid: Some(pid) } if pid == std::process::id()));
        drop(lock);
        // Whoever takes it next does not listen there.
        let _lock = home.lock().unwrap();
        assert_eq!(home.socket_path(), usual);
    }
}

//! The unix socket between commands and a node: made so that only its owner can reach it.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::error::{ApiError, ErrorKind};
use super::next::NextStep;

/// Longest path that fits a socket address on every system we know (macOS has 104 bytes with the final zero).
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// The file of a listening socket; goes away with this value, unless somebody else has put another in its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

/// Listens at `path`, mode 0600 in a directory of mode 0700 that is made where it is missing.
///
/// Call it only while holding the store's lock: then a socket nobody listens on is a dead node's, and is replaced.
pub async fn bind(path: &Path) -> Result<(UnixListener, SocketFile), ApiError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_private(directory)?;
    refuse_a_live_one(path).await?;
    // A new name first and then a rename: nobody can connect before the mode is right, and no instant has no socket.
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let _ = std::fs::remove_file(&fresh);
    let listener = with_short_path(&fresh, UnixListener::bind).map_err(|error| cannot(path, &error))?;
    let finish = || -> io::Result<SocketFile> {
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
        let meta = std::fs::symlink_metadata(&fresh)?;
        std::fs::rename(&fresh, path)?;
        Ok(SocketFile { path: path.to_owned(), identity: (meta.dev(), meta.ino()) })
    };
    let file = finish().map_err(|error| {
        let _ = std::fs::remove_file(&fresh);
        cannot(path, &error)
    })?;
    Ok((listener, file))
}

/// Connects to the node that listens at `path`.
pub async fn connect(path: &Path) -> Result<UnixStream, ApiError> {
    let stream = match with_short_path(path, std::os::unix::net::UnixStream::connect) {
        Ok(stream) => stream,
        Err(error) => return Err(no_node(path, &error)),
    };
    let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
    let stream = stream.map_err(|error| cannot(path, &error))?;
    // A socket that was swept from a directory of everybody's may have been put there again by somebody else.
    let owner = stream.peer_cred().map_err(|error| cannot(path, &error))?.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() && !rustix::process::geteuid().is_root() {
        return Err(belongs_to_another(path));
    }
    Ok(stream)
}

fn belongs_to_another(path: &Path) -> ApiError {
    ApiError::refused(format!("the node's socket {} belongs to somebody else", path.display()))
        .next(NextStep::AskAsOwner)
}

fn no_node(path: &Path, error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => {
            ApiError::not_running()
        }
        io::ErrorKind::PermissionDenied => belongs_to_another(path),
        _ => ApiError::failure(format!("the node's socket {} does not answer: {error}", path.display())),
    }
}

/// The directory must be ours alone: whoever can write there can put his own socket in place of ours.
fn make_private(directory: &Path) -> Result<(), ApiError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| cannot(directory, &error))?;
    let meta = std::fs::metadata(directory).map_err(|error| cannot(directory, &error))?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        let message = format!("the directory {} belongs to another user", directory.display());
        return Err(ApiError::refused(message).next(NextStep::UseOtherHome));
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| cannot(directory, &error))?;
    }
    Ok(())
}

async fn refuse_a_live_one(path: &Path) -> Result<(), ApiError> {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if meta.is_file() && meta.len() == 0 {
        // In our own directory, and nothing is lost with it; the new socket takes its place.
        return Ok(());
    }
    if !meta.file_type().is_socket() {
        let message = format!("{} is in the way and is no socket", path.display());
        return Err(ApiError::failure(message).advise("move it away"));
    }
    match connect(path).await {
        Ok(_) => {
            Err(ApiError::new(ErrorKind::Store, "a node is running on this home already").next(NextStep::StopNode))
        }
        Err(_) => Ok(()),
    }
}

fn cannot(path: &Path, error: &io::Error) -> ApiError {
    ApiError::failure(format!("cannot make the node's socket at {}: {error}", path.display()))
        .next(NextStep::UseWritableHome)
}

/// Runs `act` on a path short enough for a socket address: a long one is reached through its open directory.
fn with_short_path<T>(path: &Path, act: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX || !cfg!(target_os = "linux") {
        return act(path.to_owned());
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return act(path.to_owned()) };
    let open = std::fs::File::open(directory)?;
    let through = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open)));
    act(through.join(name))
}

/// Listens at the first of these paths that can be made; where another node answers, nowhere.
pub async fn bind_first(paths: &[PathBuf]) -> Result<(UnixListener, SocketFile), ApiError> {
    let mut refusal = ApiError::failure("there is no place for the node's socket");
    for path in paths {
        match bind(path).await {
            Err(error) if error.kind != ErrorKind::Store => refusal = error,
            bound => return bound,
        }
    }
    Err(refusal)
}

impl SocketFile {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the socket is still where it was made. Directories of this kind are swept, and go with a session.
    pub fn is_there(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.identity)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_there() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn the_socket_is_0600_in_a_0700_directory_and_goes_with_its_node() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run").join("dak.sock");
        let (_listener, file) = bind(&path).await.unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(connect(&path).await.is_ok());
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_loose_directory_is_tightened() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let _kept = bind(&dir.path().join("dak.sock")).await.unwrap();
        assert_eq!(mode(dir.path()), 0o700);
    }

    #[tokio::test]
    async fn a_second_node_is_refused_and_a_dead_ones_socket_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dak.sock");
        let (listener, file) = bind(&path).await.unwrap();
        let refusal = bind(&path).await.unwrap_err();
        assert_eq!(refusal.kind, ErrorKind::Store);
        // Killed: the listener is gone, its file is not.
        drop(listener);
        assert_eq!(connect(&path).await.unwrap_err(), ApiError::not_running());
        let (_second, _kept) = bind(&path).await.unwrap();
        drop(file);
        assert!(path.exists(), "the first node's end must not remove the second node's socket");
        assert!(connect(&path).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_in_the_way_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dak.sock");
        std::fs::write(&path, "precious").unwrap();
        assert!(bind(&path).await.unwrap_err().message.contains("no socket"));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_missing_socket_says_to_start_the_node() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(connect(&dir.path().join("no/dak.sock")).await.unwrap_err(), ApiError::not_running());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_home_deep_down_works_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d".repeat(120)).join("dak.sock");
        let (_listener, _file) = bind(&path).await.unwrap();
        assert!(connect(&path).await.is_ok());
    }
}

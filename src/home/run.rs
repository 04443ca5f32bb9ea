//! Where the local API's socket goes: a short path in a directory for one user alone.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::files::{Openness, check_directory};
use crate::id::hex;

pub(super) const SOCKET_NAME: &str = "dak.sock";

/// Longest path of a socket: macOS has room for 103 bytes and the closing zero, Linux for 107.
pub(super) const SOCKET_PATH_BYTES_MAX: usize = 103;

/// What is left when a user has no runtime directory; names in it must be checked for their owner.
const SHARED: &str = "/tmp";

/// The user's runtime directory: `$XDG_RUNTIME_DIR`, or where it usually is (a job of `cron` lacks the variable and
/// must find the same socket), or `/tmp`.
pub(super) fn user_directory() -> PathBuf {
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", geteuid().as_raw()));
    let mut own = named.into_iter().chain([usual]);
    own.find(|dir| dir.is_absolute() && check_directory(dir, Openness::Closed).is_ok()).unwrap_or_else(|| SHARED.into())
}

pub(super) fn is_shared(user_run: &Path) -> bool {
    user_run == Path::new(SHARED)
}

/// Directories of which the socket goes to the first that takes it: by what this session says of the user's runtime
/// directory, then beside the data, then where everybody may write.
pub(super) fn places(first: &Path, data: &Path, user_run: &Path) -> Vec<PathBuf> {
    let mut places = vec![first.to_owned()];
    for place in [data.join("run"), user_run.join(name(data)), Path::new(SHARED).join(name(data))] {
        if fits(&place) && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The wanted directory where a socket in it has a short enough path, else one named by a hash of the home.
pub(super) fn directory(wanted: PathBuf, home: &Path, user_run: &Path) -> PathBuf {
    let name = name(home);
    let places = [wanted, user_run.join(&name), Path::new(SHARED).join(&name)];
    let last = places[2].clone();
    places.into_iter().find(|place| fits(place)).unwrap_or(last)
}

/// The name of a home's own directory among those of others.
fn name(home: &Path) -> String {
    let hash = blake3::derive_key("dak 2026 run directory v1", home.as_os_str().as_bytes());
    format!("dak-{}-{}", geteuid().as_raw(), hex(&hash[..8]))
}

fn fits(directory: &Path) -> bool {
    directory.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

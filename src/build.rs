//! Tells the program which commit it is built from, so that reports can say it. Outside a checkout they say the version.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

/// The files that a program is made of.
const WHAT_COUNTS: [&str; 3] = ["src", "Cargo.toml", "Cargo.lock"];

fn main() {
    WHAT_COUNTS.iter().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    for file in ["HEAD", "logs/HEAD"] {
        // One that is not there would be looked for, and found changed, at every build.
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo:rustc-env=DAK_COMMIT={commit}{}", modified().unwrap_or_default());
    }
}

/// What marks a build of sources that nobody committed: other edits, another mark, or a report would name a commit that
/// never made it, and a sweep would take results of before an edit for those after it.
fn modified() -> Option<String> {
    let edits = git(&[&["diff", "HEAD", "--"], &WHAT_COUNTS[..]].concat()).filter(|edits| !edits.is_empty())?;
    let mut hasher = DefaultHasher::new();
    edits.hash(&mut hasher);
    Some(format!("-modified-{:08x}", hasher.finish() as u32))
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

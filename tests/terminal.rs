//! Whatever a peer, a file or a person wrote: nothing that a terminal would obey comes out of the program.
//!
//! 2,000 payloads of escape sequences, controls, marks that hide text and marks that turn it around go through texts,
//! subjects, names, file names, bundles, configurations, scenarios, traces, arguments, errors and the log. The ordinary
//! run takes each through some of the arguments; `DAK_TERMINAL=full` through all of them.
#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

#[path = "terminal/files.rs"]
mod files;
#[path = "terminal/mail.rs"]
mod mail;
#[path = "terminal/payloads.rs"]
mod payloads;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "terminal/words.rs"]
mod words;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use payloads::raw_in;

/// How long anything may take; a failure is an invariant broken, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
const SEED: u64 = 1;

fn is_full() -> bool {
    std::env::var("DAK_TERMINAL").is_ok_and(|extent| extent == "full")
}

/// Runs the program on a home, with a terminal wide enough to show everything. Its output must be harmless, whatever it
/// says, and no panic.
fn dak<S: AsRef<OsStr>>(home: &Path, args: &[S], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dak"));
    let ours = |name: &OsStr| name.to_string_lossy().starts_with("DAK_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.env("COLUMNS", "9999").env("DAK_HOME", home).envs(environment.iter().copied()).args(args);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let line: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned()).collect();
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        assert_eq!(raw_in(bytes), None, "on {stream} of {line:?} with {environment:?}");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code != 101), "{line:?}: {said}");
    assert!(!said.contains("panicked"), "{line:?}: {said}");
    output
}

/// The objects that a command printed, one a line.
fn rows(output: &Output) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

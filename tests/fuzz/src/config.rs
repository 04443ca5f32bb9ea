//! `config.toml` and the variables of the environment.

use std::path::PathBuf;

use dak::config::{Config, Flags};

const VARIABLES: [&str; 16] = [
    "DAK_KEEP",
    "DAK_NAME",
    "DAK_LISTEN",
    "DAK_PEERS",
    "DAK_MDNS",
    "DAK_CARRY_LIMIT",
    "DAK_MAIL_LIMIT",
    "DAK_STRANGERS_MAIL_LIMIT",
    "DAK_PUSH_LIMIT",
    "DAK_READ_RECEIPTS",
    "DAK_RECEIPTS",
    "DAK_STRATEGY",
    "DAK_QUIET",
    "DAK_LOG",
    "DAK_API_LISTEN",
    "DAK_WEB_PORT",
];

/// A file, and after a zero byte the value of one variable, which its first byte names.
pub fn config(data: &[u8]) {
    thread_local!(static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a place for a file"));
    let (file, variable) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let path: PathBuf = PLACE.with(|place| place.path().join("config.toml"));
    std::fs::write(&path, file).expect("room for a small file");
    let set = variable.split_first().and_then(|(which, value)| {
        let name = VARIABLES[usize::from(*which) % VARIABLES.len()];
        Some((name, std::str::from_utf8(value).ok()?))
    });
    let look = |name: &str| set.filter(|(set, _)| *set == name).map(|(_, value)| value.to_owned());
    match Config::load(&path, look, Flags::default()) {
        Ok(config) => assert_eq!(config.rows().len(), VARIABLES.len()),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
    }
}

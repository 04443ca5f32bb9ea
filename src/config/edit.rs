//! `dak config set`: one setting changed in the file, and everything else left as the person wrote it.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use toml_edit::{Array, DocumentMut, Table, Value};

use super::values::{
    parse_api_listen, parse_carry_limit, parse_keep, parse_list, parse_log, parse_name, parse_port, parse_push_limit,
    parse_receipts, parse_strategy, parse_switch,
};
use super::{ConfigError, file, parse_quiet};
use crate::home::private_temporary;

/// What can be set, in the order of the file.
pub const KEYS: [&str; 16] = [
    "name",
    "listen",
    "peers",
    "mdns",
    "carry_limit",
    "mail_limit",
    "strangers_mail_limit",
    "push_limit",
    "read_receipts",
    "receipts",
    "strategy",
    "quiet",
    "keep",
    "log",
    "api.listen",
    "web.port",
];

/// Keeps `value` under `key`, and returns the line that says so.
pub fn set(path: &Path, key: &str, value: &str, bytes_max: u64) -> Result<String, ConfigError> {
    let key = super::known(key)?;
    let refused = |why| ConfigError::Value { key: key.to_owned(), value: value.to_owned(), why };
    let value = parsed(key, value).map_err(refused)?;
    let line = format!("{key} = {value}");
    let before = match file::text_of(path, bytes_max)? {
        text if text.is_empty() => file::commented(None),
        text => text,
    };
    // What cannot be read as it is would not be read afterwards either; the error says which line it is.
    file::parse(path, &before)?;
    let after = changed(&before, key, value, &line);
    file::parse(path, &after)?;
    replace(path, &after).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
    Ok(line)
}

/// A value as the file writes it, by the rules of the environment's variables.
fn parsed(key: &str, value: &str) -> Result<Value, String> {
    match key {
        "name" => parse_name(value).map(Value::from),
        "listen" | "peers" if value.trim().is_empty() => Ok(Value::Array(Array::new())),
        "listen" | "peers" => {
            Ok(parse_list(value)?.into_iter().map(|address| address.to_string()).collect::<Array>().into())
        }
        "carry_limit" | "mail_limit" | "strangers_mail_limit" => {
            parse_carry_limit(value).map(|_| Value::from(value.trim()))
        }
        "push_limit" => parse_push_limit(value).map(|_| Value::from(value.trim())),
        "receipts" => parse_receipts(value).map(Value::from),
        "strategy" => parse_strategy(value).map(Value::from),
        "quiet" => parse_quiet(value).map(|_| Value::from(value.trim())),
        "keep" => parse_keep(value).map(|_| Value::from(value.trim())),
        "log" => parse_log(value).map(Value::from),
        "api.listen" => parse_api_listen(value).map(|_| Value::from(value.trim())),
        "web.port" => parse_port(value).map(|port| Value::from(i64::from(port.unwrap_or(0)))),
        _ => parse_switch(value).map(Value::from),
    }
}

/// Puts the value in the place of the one that is there, or of the comment that shows its default, or at the end.
fn changed(text: &str, key: &str, value: Value, line: &str) -> String {
    let Ok(mut document) = text.parse::<DocumentMut>() else { return text.to_owned() };
    // The file knows a limit by two names.
    let names = [key.to_owned(), if key.ends_with("_limit") { format!("{key}_bytes") } else { key.to_owned() }];
    let spelled = names.iter().find(|name| found(&mut document, name).is_some());
    if let Some(there) = spelled.and_then(|name| found(&mut document, name)) {
        let surroundings = there.decor().clone();
        *there = value.decorated("", "");
        *there.decor_mut() = surroundings;
        return document.to_string();
    }
    let commented = |candidate: &&str| {
        candidate.trim_start().strip_prefix('#').is_some_and(|rest| {
            rest.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    };
    let uncommented = text.split_inclusive('\n').find(commented).map(|comment| {
        let begin = comment.as_ptr() as usize - text.as_ptr() as usize;
        [&text[..begin], line, "\n", &text[begin + comment.len()..]].concat()
    });
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let appended = format!("{text}{gap}{line}\n");
    // Behind the head of a table a line means something else.
    let says_it =
        |text: &String| text.parse::<DocumentMut>().is_ok_and(|mut document| found(&mut document, key).is_some());
    if let Some(text) = uncommented.into_iter().chain([appended]).find(says_it) {
        return text;
    }
    insert(&mut document, key, value);
    document.to_string()
}

/// The value under a key such as `name` or `api.listen`, however the file spells it.
fn found<'d>(document: &'d mut DocumentMut, key: &str) -> Option<&'d mut Value> {
    let mut item = document.as_item_mut();
    for name in key.split('.') {
        item = item.get_mut(name)?;
    }
    item.as_value_mut()
}

fn insert(document: &mut DocumentMut, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(document.insert(key, value.into())),
        Some((table, name)) => {
            let table = document.entry(table).or_insert_with(|| {
                let mut fresh = Table::new();
                fresh.set_dotted(true);
                fresh.into()
            });
            if let Some(table) = table.as_table_like_mut() {
                table.insert(name, value.into());
            }
        }
    }
}

/// Whole or not at all, and as readable for others as it was.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A file that is kept elsewhere and linked here stays there.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut fresh = private_temporary(&path)?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(found) = path.metadata() {
        fresh.as_file().set_permissions(Permissions::from_mode(found.mode() & 0o777))?;
    }
    fresh.as_file().sync_all()?;
    fresh.persist(&path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags};

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (place, path)
    }

    fn set(path: &Path, key: &str, value: &str) -> Result<String, ConfigError> {
        super::set(path, key, value, 64 << 10)
    }

    #[test]
    fn a_setting_is_changed_in_its_place_and_all_else_stays() {
        let before =
            "# mine\nname = \"al\" # for short\nlisten = [\n  \"/ip4/1.2.3.4/tcp/1\", # work\n]\n\n# mdns = true\n";
        let (_place, path) = file(before);
        set(&path, "name", "alice").unwrap();
        set(&path, "listen", "/ip4/0.0.0.0/tcp/7,/ip6/::/tcp/7").unwrap();
        set(&path, "mdns", "off").unwrap();
        set(&path, "carry_limit", "64M").unwrap();
        let wanted = "# mine\nname = \"alice\" # for short\nlisten = [\"/ip4/0.0.0.0/tcp/7\", \"/ip6/::/tcp/7\"]\n\n\
                      mdns = false\ncarry_limit = \"64M\"\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), wanted);
        let config = Config::load(&path, |_| None, Flags::default()).unwrap();
        assert_eq!(
            (config.listen.value.len(), config.mdns.value, config.carry_limit_bytes.value),
            (2, false, 64 << 20)
        );
    }

    #[test]
    fn every_setting_of_a_first_run_can_be_set_and_none_is_there_twice() {
        let (_place, path) = file("");
        let values = [
            "bob",
            "/ip4/1.2.3.4/tcp/5",
            "",
            "false",
            "0",
            "1G",
            "8M",
            "64M",
            "true",
            "contacts",
            "direct",
            "22:00-07:00",
            "90d",
            "dak=debug",
            "127.0.0.1:7070",
            "7071",
        ];
        for (key, value) in KEYS.into_iter().zip(values) {
            set(&path, key, value).unwrap();
            set(&path, key, value).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let lines =
                text.lines().filter(|line| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} =")));
            assert_eq!(lines.count(), 1, "{text}");
        }
    }

    #[test]
    fn a_setting_of_a_table_is_found_and_put_where_the_file_has_the_table() {
        let set_in = |before: &str, key: &str, value: &str| {
            let (_place, path) = file(before);
            set(&path, key, value).unwrap();
            std::fs::read_to_string(&path).unwrap()
        };
        let (key, value) = ("api.listen", "[::1]:7");
        assert_eq!(set_in("mdns = true\n", key, value), "mdns = true\napi.listen = \"[::1]:7\"\n");
        let table = set_in("[api]\n# here\nlisten = \"127.0.0.1:6\" # mine\n", key, value);
        assert_eq!(table, "[api]\n# here\nlisten = \"[::1]:7\" # mine\n");
        assert_eq!(set_in("[api]\n# mdns = true\n", key, value), "[api]\nlisten = \"[::1]:7\"\n# mdns = true\n");
        assert_eq!(set_in("api = {}\n", key, value), "api = { listen = \"[::1]:7\" }\n");
        // Behind the head of the table it would be another setting.
        let before_the_head = set_in("log = \"info\"\n[api]\n# mdns = true\n", "mdns", "off");
        assert_eq!(before_the_head, "log = \"info\"\nmdns = false\n[api]\n# mdns = true\n");
    }

    #[test]
    fn a_name_that_is_none_is_told_what_it_may_have_been_meant_for() {
        let (_place, path) = file("");
        let why = |key| set(&path, key, "x").unwrap_err().to_string();
        assert_eq!(why("api.lisen"), "there is no setting \"api.lisen\": did you mean api.listen?");
        assert!(why("colour").ends_with(&format!("there are {}", KEYS.join(", "))));
    }

    #[test]
    fn whatever_is_shown_can_be_set() {
        let config = Config::load(Path::new("/nonexistent"), |_| None, Flags::default()).unwrap();
        assert_eq!(config.rows().iter().map(|row| row.key).collect::<Vec<_>>(), KEYS);
    }

    #[test]
    fn what_would_not_be_read_is_refused_and_nothing_is_written() {
        let (_place, path) = file("name = \"al\"\n");
        for (key, value) in [
            ("nmae", "x"),
            ("listen", "here"),
            ("mdns", "maybe"),
            ("carry_limit", "-1"),
            ("quiet", "late"),
            ("name", ""),
            ("api.listen", "0.0.0.0:7070"),
            ("api.listen", "localhost:7070"),
            ("web.port", "65536"),
        ] {
            set(&path, key, value).unwrap_err();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "name = \"al\"\n");
        }
        std::fs::write(&path, "name = 7\n").unwrap();
        assert!(matches!(set(&path, "mdns", "true"), Err(ConfigError::File { line: 1, .. })));
    }
}

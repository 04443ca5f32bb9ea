//! `config.toml`: reading it strictly, and the one that a first run writes.

use std::fs::File as FsFile;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;

use libp2p::Multiaddr;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::values::{
    parse_address, parse_api_listen, parse_carry_limit, parse_keep, parse_log, parse_name, parse_port,
    parse_push_limit, parse_receipts, parse_strategy,
};
use super::{
    CARRY_LIMIT_BYTES, ConfigError, MAIL_LIMIT_BYTES, PORT, QuietHours, RECEIPTS, STRANGERS_MAIL_LIMIT_BYTES,
    STRATEGIES, parse_quiet,
};
use crate::content::{PUSH_BYTES, PUSH_BYTES_MAX};
use crate::time::Millis;
use crate::units::exact_bytes;

/// What the file sets.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    #[serde(deserialize_with = "name")]
    pub name: Option<String>,
    #[serde(deserialize_with = "addresses")]
    pub listen: Option<Vec<Multiaddr>>,
    #[serde(deserialize_with = "addresses")]
    pub peers: Option<Vec<Multiaddr>>,
    pub mdns: Option<bool>,
    #[serde(alias = "carry_limit_bytes", deserialize_with = "carry_limit")]
    pub carry_limit: Option<u64>,
    #[serde(alias = "mail_limit_bytes", deserialize_with = "carry_limit")]
    pub mail_limit: Option<u64>,
    #[serde(alias = "strangers_mail_limit_bytes", deserialize_with = "carry_limit")]
    pub strangers_mail_limit: Option<u64>,
    #[serde(alias = "push_limit_bytes", deserialize_with = "push_limit")]
    pub push_limit: Option<u64>,
    pub read_receipts: Option<bool>,
    #[serde(deserialize_with = "receipts")]
    pub receipts: Option<String>,
    #[serde(deserialize_with = "strategy")]
    pub strategy: Option<String>,
    #[serde(deserialize_with = "quiet")]
    pub quiet: Option<Option<QuietHours>>,
    #[serde(deserialize_with = "keep")]
    pub keep: Option<Option<Millis>>,
    #[serde(deserialize_with = "log")]
    pub log: Option<String>,
    pub api: Api,
    pub web: Web,
}

/// Its settings about the API.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Api {
    #[serde(deserialize_with = "api_listen")]
    pub listen: Option<Option<SocketAddr>>,
}

/// Its settings about the page for browsers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Web {
    #[serde(deserialize_with = "port")]
    pub port: Option<Option<u16>>,
}

/// Reads the file; one that is missing sets nothing.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<File, ConfigError> {
    parse(path, &text_of(path, bytes_max)?)
}

/// The file as it is; one that is missing is empty.
pub(super) fn text_of(path: &Path, bytes_max: u64) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Io { path: path.to_owned(), source };
    let mut text = String::new();
    match FsFile::open(path) {
        Ok(file) => file.take(bytes_max + 1).read_to_string(&mut text).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(text),
        Err(error) => return Err(failed(error)),
    };
    if text.len() as u64 > bytes_max {
        return Err(ConfigError::TooLong { path: path.to_owned() });
    }
    Ok(text)
}

/// Reads what a file says.
pub(super) fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        let why = match error.message() {
            // A later version may have more of them; what it says there is not this version's to skip.
            unknown if unknown.starts_with("unknown field") => {
                let version = env!("CARGO_PKG_VERSION");
                format!(
                    "{unknown}; it is mistyped, or a newer dak than this {version} wrote it: mend the line, or update"
                )
            }
            why => why.to_owned(),
        };
        ConfigError::File { path: path.to_owned(), line, why }
    })
}

/// The file of a first run: every default as a comment, the name set where the person gave one.
pub(super) fn commented(name: Option<&str>) -> String {
    let name = match name {
        Some(name) => format!("name = {}", toml::Value::from(name)),
        None => "# name = \"alice\"".to_owned(),
    };
    let carry_limit = exact_bytes(CARRY_LIMIT_BYTES);
    let (mail_limit, strangers_mail_limit) = (exact_bytes(MAIL_LIMIT_BYTES), exact_bytes(STRANGERS_MAIL_LIMIT_BYTES));
    let (push_limit, push_limit_max) = (exact_bytes(PUSH_BYTES), exact_bytes(PUSH_BYTES_MAX));
    let strategies = STRATEGIES.join(", ");
    format!(
        r#"# What this dak node does. Remove the # from a line to set it; the values shown are the defaults.
# The command line counts before the environment (DAK_NAME, DAK_LISTEN, ...), that before this file.
# Every node can list the values in force with their origins.

# What the node calls itself in the address that others add, and to the nodes it meets. Without it: the host's name in
# the address, and nothing to the nodes it meets.
{name}

# Where other nodes reach this one. The port is fixed, so that a firewall can let it through. On a machine without IPv6
# the second is left out.
# listen = ["/ip4/0.0.0.0/tcp/{PORT}", "/ip6/::/tcp/{PORT}"]

# Nodes to dial at every start, for networks without multicast, such as "/ip4/192.168.1.5/tcp/{PORT}".
# peers = []

# Whether to look for nodes on the local network by multicast DNS.
# mdns = true

# Room for other people's bundles, such as "64M" or "2G"; "0" carries for nobody. Your own messages are not counted.
# carry_limit = "{carry_limit}"

# Room for the mail of your contacts, all together; nobody takes more than a part of it. Mail that finds no room waits with
# whoever brought it, its writer is told, and it comes by itself once you made room.
# mail_limit = "{mail_limit}"

# The same for the mail of everybody else.
# strangers_mail_limit = "{strangers_mail_limit}"

# The largest file that comes in parts from a contact by itself, at most "{push_limit_max}"; what is larger is offered, and comes
# when you ask for it. "0" lets none come. Contacts who send you such files are told.
# push_limit = "{push_limit}"

# Whether senders are told that you have read their messages.
# read_receipts = false

# Who is told that a message arrived: everyone, or contacts alone. Whom you blocked is never told anything.
# receipts = "{receipts}"

# How copies are given to other carriers: {strategies}.
# strategy = "{default}"

# When nobody is told of mail, such as "22:00-07:00" by this machine's clock; of what came then you are told afterwards.
# What is urgent is told at once, of each contact a few times a day. "" is never.
# quiet = ""

# How long the record keeps what was said, such as "90d": while a node runs, what came or was written longer ago is deleted
# here by itself, as if you had purged it, unless it is unread, pinned, snoozed, labelled or a task that is open. Others keep
# what they have, and backups do. "" keeps everything.
# keep = ""

# What goes to the log: error, warn, info, debug, trace, or directives such as "dak=debug,libp2p=warn".
# log = "info"

# Where other programs of this machine reach the API, such as "127.0.0.1:7070", each with a token of its own; "" is nowhere.
# This person's own programs reach it at the socket in any case.
# api.listen = ""

# The port of the page that browsers of this machine open. 0 is one that is free; the home keeps it, so that bookmarks hold.
# web.port = 0
"#,
        receipts = RECEIPTS[0],
        default = STRATEGIES[0]
    )
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, parse_name)
}

fn receipts<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, parse_receipts)
}

fn strategy<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, parse_strategy)
}

fn quiet<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<QuietHours>>, D::Error> {
    text(from, parse_quiet)
}

fn keep<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Millis>>, D::Error> {
    text(from, parse_keep)
}

fn api_listen<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<SocketAddr>>, D::Error> {
    text(from, parse_api_listen)
}

fn port<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<u16>>, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::Integer(port) => port.to_string(),
        toml::Value::String(text) => text,
        _ => return Err(D::Error::custom("a port is a number")),
    };
    parse_port(&text).map(Some).map_err(D::Error::custom)
}

fn log<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, parse_log)
}

fn text<'de, D, T>(from: D, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
{
    parse(&String::deserialize(from)?).map(Some).map_err(D::Error::custom)
}

fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Multiaddr>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let addresses = texts.iter().map(|text| parse_address(text)).collect::<Result<_, _>>();
    addresses.map(Some).map_err(D::Error::custom)
}

/// A size with its unit as text, or a bare number of bytes.
fn carry_limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    size(from, parse_carry_limit)
}

fn push_limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    size(from, parse_push_limit)
}

fn size<'de, D: Deserializer<'de>>(
    from: D,
    parse: impl Fn(&str) -> Result<u64, String>,
) -> Result<Option<u64>, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::Integer(bytes) if bytes < 0 => return Err(D::Error::custom("a size is not negative")),
        toml::Value::Integer(bytes) => bytes.to_string(),
        toml::Value::String(text) => text,
        _ => return Err(D::Error::custom("a size is a number of bytes, or text such as \"256M\"")),
    };
    parse(&text).map(Some).map_err(D::Error::custom)
}

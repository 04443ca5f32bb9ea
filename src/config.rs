//! What a person may set, and where each value came from.
//!
//! A value on the command line counts before one in the environment, that before one in `config.toml`, that before
//! the default. Lists are taken whole from one place, never mixed. Every value keeps its [`Origin`], so that
//! `dak config show --origin` can answer why a node does what it does. The secret key is never in here.

mod edit;
mod file;
mod quiet;
mod values;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use libp2p::Multiaddr;

use crate::content::PUSH_BYTES;
use crate::home::create_private_file;
use crate::near::nearest;
use crate::time::Millis;
use crate::units::{exact_bytes, exact_span};

pub use quiet::{QuietHours, parse_quiet};
pub use values::{
    RECEIPTS, STRATEGIES, parse_address, parse_api_listen, parse_carry_limit, parse_keep, parse_log, parse_name,
    parse_port, parse_push_limit, parse_receipts, parse_strategy,
};

use values::{join, parse_list, parse_switch};

/// The port that firewalls can be opened for; not registered for anything else.
pub const PORT: u16 = 33_556;

/// Carried for others by default.
pub const CARRY_LIMIT_BYTES: u64 = 256 << 20;

/// Room for the mail of contacts by default.
pub const MAIL_LIMIT_BYTES: u64 = 16 << 30;
/// Room for the mail of everybody else by default.
pub const STRANGERS_MAIL_LIMIT_BYTES: u64 = 64 << 20;

/// Everything a node lets a person choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the node calls itself in its address; `None` takes the host's name.
    pub name: Setting<Option<String>>,
    /// Where to listen.
    pub listen: Setting<Vec<Multiaddr>>,
    /// Nodes to dial at every start, for networks without multicast.
    pub peers: Setting<Vec<Multiaddr>>,
    /// Whether to look for nodes on the local network.
    pub mdns: Setting<bool>,
    /// Room for the bundles of others; 0 carries for nobody.
    pub carry_limit_bytes: Setting<u64>,
    /// Room for the mail of contacts, all together.
    pub mail_limit_bytes: Setting<u64>,
    /// Room for the mail of everybody else.
    pub strangers_mail_limit_bytes: Setting<u64>,
    /// The largest file that comes in parts without being asked for, at most [`crate::content::PUSH_BYTES_MAX`].
    pub push_limit_bytes: Setting<u64>,
    /// Whether to tell senders that their messages were read.
    pub read_receipts: Setting<bool>,
    /// Which senders are told that their messages arrived: one of [`RECEIPTS`].
    pub receipts: Setting<String>,
    /// How copies are given away: one of [`STRATEGIES`].
    pub strategy: Setting<String>,
    /// When nobody is told of mail that is not urgent, by the clock on the wall; none for never.
    pub quiet: Setting<Option<QuietHours>>,
    /// How long the record keeps what was said; none for ever.
    pub keep: Setting<Option<Millis>>,
    /// What goes to the log: a level, or directives such as `dak=debug,libp2p=warn`.
    pub log: Setting<String>,
    /// Where other programs reach the API beside its socket: a port of this machine alone; none for nowhere.
    pub api_listen: Setting<Option<SocketAddr>>,
    /// The port of the page for browsers; none for one that is free, which the home keeps.
    pub web_port: Setting<Option<u16>>,
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// `config.toml`.
    File,
    /// A variable of the environment, by its name.
    Environment(&'static str),
    CommandLine,
}

/// What the command line set; `None` says nothing. Clap parses with the `parse_…` functions of this module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub name: Option<String>,
    pub listen: Option<Vec<Multiaddr>>,
    pub peers: Option<Vec<Multiaddr>>,
    pub mdns: Option<bool>,
    pub carry_limit_bytes: Option<u64>,
    pub read_receipts: Option<bool>,
    pub strategy: Option<String>,
    pub log: Option<String>,
    /// Where to record this one run; no configuration says that of every run.
    pub record: Option<PathBuf>,
}

/// One line of `dak config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: &'static str,
    pub value: String,
    pub origin: Origin,
}

/// Why the configuration cannot be used (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path:?}, line {line}: {why}")]
    File { path: PathBuf, line: usize, why: String },
    #[error("{path:?} is larger than {FILE_BYTES_MAX} bytes: it is not a configuration")]
    TooLong { path: PathBuf },
    #[error("there is no setting {key:?}: {}", meant(key))]
    NoSuchKey { key: String },
    #[error("{key} cannot be {value:?}: {why}")]
    Value { key: String, value: String, why: String },
    #[error("the environment variable {variable} is refused: {why}")]
    Environment { variable: &'static str, why: String },
    #[error("cannot use the configuration {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// Longest configuration read.
const FILE_BYTES_MAX: u64 = 64 << 10;

impl Config {
    /// Puts together the effective values; a missing file means defaults.
    ///
    /// `variable` looks up the environment, usually `|name| std::env::var(name).ok()`.
    pub fn load(path: &Path, variable: impl Fn(&str) -> Option<String>, flags: Flags) -> Result<Config, ConfigError> {
        let file = file::read(path, FILE_BYTES_MAX)?;
        let env = Environment(&variable);
        Ok(Config {
            name: pick(flags.name.map(Some), env.parse("DAK_NAME", parse_name)?.map_some(), file.name.map(Some), None),
            listen: pick(flags.listen, env.parse("DAK_LISTEN", parse_list)?, file.listen, default_listen()),
            peers: pick(flags.peers, env.parse("DAK_PEERS", parse_list)?, file.peers, Vec::new()),
            mdns: pick(flags.mdns, env.parse("DAK_MDNS", parse_switch)?, file.mdns, true),
            carry_limit_bytes: pick(
                flags.carry_limit_bytes,
                env.parse("DAK_CARRY_LIMIT", parse_carry_limit)?,
                file.carry_limit,
                CARRY_LIMIT_BYTES,
            ),
            mail_limit_bytes: pick(
                None,
                env.parse("DAK_MAIL_LIMIT", parse_carry_limit)?,
                file.mail_limit,
                MAIL_LIMIT_BYTES,
            ),
            strangers_mail_limit_bytes: pick(
                None,
                env.parse("DAK_STRANGERS_MAIL_LIMIT", parse_carry_limit)?,
                file.strangers_mail_limit,
                STRANGERS_MAIL_LIMIT_BYTES,
            ),
            push_limit_bytes: pick(None, env.parse("DAK_PUSH_LIMIT", parse_push_limit)?, file.push_limit, PUSH_BYTES),
            read_receipts: pick(
                flags.read_receipts,
                env.parse("DAK_READ_RECEIPTS", parse_switch)?,
                file.read_receipts,
                false,
            ),
            receipts: pick(None, env.parse("DAK_RECEIPTS", parse_receipts)?, file.receipts, RECEIPTS[0].to_owned()),
            strategy: pick(
                flags.strategy,
                env.parse("DAK_STRATEGY", parse_strategy)?,
                file.strategy,
                STRATEGIES[0].to_owned(),
            ),
            quiet: pick(None, env.parse("DAK_QUIET", parse_quiet)?, file.quiet, None),
            keep: pick(None, env.parse("DAK_KEEP", parse_keep)?, file.keep, None),
            log: pick(flags.log, env.parse("DAK_LOG", parse_log)?, file.log, "info".to_owned()),
            api_listen: pick(None, env.parse("DAK_API_LISTEN", parse_api_listen)?, file.api.listen, None),
            web_port: pick(None, env.parse("DAK_WEB_PORT", parse_port)?, file.web.port, None),
        })
    }

    /// Every value as text, in the order of the file.
    pub fn rows(&self) -> Vec<Row> {
        let name = self.name.value.clone().unwrap_or_default();
        vec![
            self.name.row("name", name),
            self.listen.row("listen", join(&self.listen.value)),
            self.peers.row("peers", join(&self.peers.value)),
            self.mdns.row("mdns", self.mdns.value.to_string()),
            self.carry_limit_bytes.row("carry_limit", exact_bytes(self.carry_limit_bytes.value)),
            self.mail_limit_bytes.row("mail_limit", exact_bytes(self.mail_limit_bytes.value)),
            self.strangers_mail_limit_bytes
                .row("strangers_mail_limit", exact_bytes(self.strangers_mail_limit_bytes.value)),
            self.push_limit_bytes.row("push_limit", exact_bytes(self.push_limit_bytes.value)),
            self.read_receipts.row("read_receipts", self.read_receipts.value.to_string()),
            self.receipts.row("receipts", self.receipts.value.clone()),
            self.strategy.row("strategy", self.strategy.value.clone()),
            self.quiet.row("quiet", self.quiet.value.map_or(String::new(), |hours| hours.to_string())),
            self.keep.row("keep", self.keep.value.map_or(String::new(), exact_span)),
            self.log.row("log", self.log.value.clone()),
            self.api_listen.row("api.listen", self.api_listen.value.map_or(String::new(), |at| at.to_string())),
            self.web_port.row("web.port", self.web_port.value.unwrap_or(0).to_string()),
        ]
    }
}

/// Writes the commented configuration of a first run; an existing one stays as it is. Says whether it wrote.
pub fn write_first(path: &Path, name: Option<&str>) -> Result<bool, ConfigError> {
    match create_private_file(path, file::commented(name).as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(ConfigError::Io { path: path.to_owned(), source }),
    }
}

/// Keeps `value`, as a person types it, under `key` of the configuration; comments and the other settings stay as they
/// are. Returns the line that says it now.
pub fn set(path: &Path, key: &str, value: &str) -> Result<String, ConfigError> {
    edit::set(path, key, value, FILE_BYTES_MAX)
}

/// The setting of that name, as it is spelled.
pub fn known(key: &str) -> Result<&'static str, ConfigError> {
    let found = edit::KEYS.into_iter().find(|known| *known == key);
    found.ok_or_else(|| ConfigError::NoSuchKey { key: key.to_owned() })
}

/// Which setting a name that is none may have been meant for.
fn meant(key: &str) -> String {
    match nearest(key, &edit::KEYS) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", edit::KEYS.join(", ")),
    }
}

/// Every address of this machine, of both families.
fn default_listen() -> Vec<Multiaddr> {
    let everywhere = |any: &str| format!("{any}/tcp/{PORT}").parse().expect("the default is a multiaddress");
    ["/ip4/0.0.0.0", "/ip6/::"].map(everywhere).to_vec()
}

impl<T> Setting<T> {
    fn row(&self, key: &'static str, value: String) -> Row {
        Row { key, value, origin: self.origin }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File => f.write_str("config.toml"),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

/// Looks variables up and says which one a bad value stood in.
struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

/// A value out of the environment, with the variable's name.
struct Found<T>(&'static str, Option<T>);

impl Environment<'_> {
    fn parse<T>(
        &self,
        variable: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Found<T>, ConfigError> {
        // A variable set to nothing is the shell's way of not setting one.
        match (self.0)(variable).filter(|text| !text.is_empty()) {
            None => Ok(Found(variable, None)),
            Some(text) => match parse(&text) {
                Ok(value) => Ok(Found(variable, Some(value))),
                Err(why) => Err(ConfigError::Environment { variable, why }),
            },
        }
    }
}

impl<T> Found<T> {
    fn map_some(self) -> Found<Option<T>> {
        Found(self.0, self.1.map(Some))
    }
}

fn pick<T>(flag: Option<T>, found: Found<T>, file: Option<T>, default: T) -> Setting<T> {
    let Found(variable, env) = found;
    let places = [(flag, Origin::CommandLine), (env, Origin::Environment(variable)), (file, Origin::File)];
    let set = places.into_iter().find_map(|(value, origin)| value.map(|value| Setting { value, origin }));
    set.unwrap_or(Setting { value: default, origin: Origin::Default })
}

#[cfg(test)]
mod tests;

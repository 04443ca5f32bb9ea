//! The node itself, and what its home keeps.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint, value_parser};
use libp2p::Multiaddr;

use crate::bench::LAN_NODES_MAX;
use crate::config;
use crate::units;

#[derive(Args, Debug)]
pub struct Bench {
    /// Also measure with a million bundles; takes a few minutes and 3 GB of disk
    #[arg(long, conflicts_with = "lan")]
    pub full: bool,
    /// Measure little of each, to see that it works: the figures mean nothing
    #[arg(long, conflicts_with_all = ["lan", "full"])]
    pub short: bool,
    /// Measure only what a text costs so many nodes together that are all in contact, beside two alone
    #[arg(long, value_name = "NODES", value_parser = value_parser!(u8).range(2..=i64::from(LAN_NODES_MAX)))]
    pub lan: Option<u8>,
}

#[derive(Args, Debug)]
pub struct Up {
    /// What to call myself, in my address and to nodes I meet; unless said, the host's name, and nothing to nodes
    #[arg(long, value_parser = config::parse_name)]
    pub name: Option<String>,
    /// Listen here, such as /ip4/0.0.0.0/tcp/0; may be repeated
    #[arg(long, value_name = "MULTIADDR", value_parser = config::parse_address)]
    pub listen: Vec<Multiaddr>,
    /// Meet this node, for networks without multicast; may be repeated
    #[arg(long, value_name = "MULTIADDR", value_parser = config::parse_address)]
    pub peer: Vec<Multiaddr>,
    /// Do not look for others on the local network
    #[arg(long)]
    pub no_mdns: bool,
    /// Carry at most this much for others, such as 256M; 0 carries for nobody
    #[arg(long, value_name = "SIZE", value_parser = config::parse_carry_limit)]
    pub carry_limit: Option<u64>,
    /// How copies are given away: default, direct, epidemic, spray-and-wait or prophet
    #[arg(long, value_name = "NAME", value_parser = config::parse_strategy)]
    pub strategy: Option<String>,
    /// What goes to the log: a level, or directives such as dak=debug,libp2p=warn
    #[arg(long, value_name = "FILTER", value_parser = config::parse_log)]
    pub log: Option<String>,
    /// Record everything the agent gets into this new file, for `dak sim replay`: who, with whom and when, topics as they are
    /// published and messages as they are sealed, but no key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Carry {
    #[command(subcommand)]
    pub what: Option<CarryWhat>,
}

#[derive(Debug, Subcommand)]
pub enum CarryWhat {
    /// List what is held, in the order in which it would be evicted
    List,
    /// Change how much is carried for others, such as 512M; 0 carries for nobody
    Limit {
        #[arg(value_name = "SIZE", value_parser = units::parse_bytes)]
        bytes: u64,
        /// Evict what is over the new limit without being asked
        #[arg(long, short)]
        yes: bool,
    },
    /// Stop carrying a bundle of somebody else's
    Drop { id: String },
    /// Write the raw bytes of a held bundle; - writes to stdout
    Export {
        id: String,
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct Doctor {
    /// Repair a damaged store, with the node down: keep what verifies, and say what is lost
    #[arg(long)]
    pub repair: bool,
    /// Make the index of words anew, which search does by itself where it is damaged
    #[arg(long, conflicts_with = "repair")]
    pub reindex: bool,
}

/// What `backup` and `restore` share.
#[derive(Args, Debug)]
pub struct Vault {
    /// The backup: one file, encrypted, which is never written over
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Read the passphrase from the first line of this file instead of asking
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Bundle {
    #[command(subcommand)]
    pub what: BundleWhat,
}

#[derive(Debug, Subcommand)]
pub enum BundleWhat {
    /// Print a bundle block by block, and whether it verifies
    Inspect {
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct Config {
    #[command(subcommand)]
    pub what: Option<ConfigWhat>,
}

#[derive(Debug, Subcommand)]
pub enum ConfigWhat {
    /// Print every setting as it is in force
    #[command(visible_alias = "list")]
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Print one setting as it is in force
    Get {
        /// Such as listen, peers or mdns; `dak config list` has them all
        key: String,
    },
    /// Keep a setting in config.toml; it counts from the next `dak up`
    Set {
        /// Such as listen, peers or mdns; `dak config list` has them all
        key: String,
        /// Of several addresses, with commas between
        value: String,
    },
}

#[derive(Args, Debug)]
pub struct Token {
    #[command(subcommand)]
    pub what: Option<TokenWhat>,
}

#[derive(Debug, Subcommand)]
pub enum TokenWhat {
    /// Make a token for a program, and print it: it is told only this once
    Add {
        /// What the program is called here
        name: String,
        /// The program may ask, and change nothing
        #[arg(long)]
        read_only: bool,
        /// The program may publish and subscribe in these topics, and do nothing else
        #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
        topics: Option<Vec<String>>,
    },
    /// List tokens, and what each lets its program do
    List,
    /// Let nobody in any more who shows the token of this name
    Revoke { name: String },
}

#[derive(Args, Debug)]
pub struct Demo {
    /// Keep the homes and logs of the three nodes
    #[arg(long)]
    pub keep: bool,
}

#[derive(Args, Debug)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

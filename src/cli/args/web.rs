//! The page for browsers.

use clap::{Args, Subcommand};

pub const WEB_HELP: &str = "\
The link lets one browser of this machine in, once, within five minutes; from then on that browser reads and writes as you, \
until it is revoked. Chrome, Edge and Firefox find the page at its own name, which ends in .localhost; a bookmark of it holds, \
for the port stays (or is what `dak config set web.port PORT` says). The node opens the page at the first link, and at every \
start for as long as a browser is let in. Of a node on another machine: forward its port, `ssh -L PORT:127.0.0.1:PORT`.

With --lan a device in this network that scans the picture and says the code becomes your phone: it reads and writes as you. It \
is given a certificate first, which counts for the node's name in your network and for nothing else; compare its fingerprint. \
The page is there, over TLS, until --lan --off. Android finds such names since version 12.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Web {
    /// Print the link, and open no browser
    #[arg(long)]
    pub print: bool,

    /// Make a phone in the local network mine: show a picture for it to scan
    #[arg(long, conflicts_with = "print")]
    pub lan: bool,

    /// Close the page to phones in the local network
    #[arg(long, requires = "lan")]
    pub off: bool,

    #[command(subcommand)]
    pub what: Option<WebWhat>,
}

#[derive(Debug, Subcommand)]
pub enum WebWhat {
    /// List the browsers that were let in, or let one in no more
    Devices {
        /// Let this one in no more, and end what it follows
        #[arg(long, value_name = "NAME")]
        revoke: Option<String>,
    },
}

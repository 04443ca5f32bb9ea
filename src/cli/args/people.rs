//! Oneself, and those one knows.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::writing::priority;
use crate::bundle::Priority;
use crate::time::Millis;
use crate::units;

#[derive(Args, Debug)]
pub struct Me {
    /// Show the address as a QR code
    #[arg(long)]
    pub qr: bool,
}

#[derive(Args, Debug)]
pub struct Contact {
    #[command(subcommand)]
    pub what: Option<ContactWhat>,
}

#[derive(Debug, Subcommand)]
pub enum ContactWhat {
    /// Name somebody by the address that `dak me` shows there, or a node near by as `dak nearby` prints it
    Add {
        /// What to call them here; nobody else sees it
        name: String,
        /// An address (dak:...), a peer id, the short id or quoted name of a node near by, or the id of a message: whom that
        /// introduces is meant, or else who wrote it. Where it is left out, NAME is what a node near by calls itself
        address: Option<String>,
    },
    /// List everybody named
    List,
    /// Compare safety words with somebody, by voice or face to face
    Verify {
        who: String,
        /// The words were compared and are the same
        #[arg(long, conflicts_with = "no")]
        yes: bool,
        /// They are not: take the mark away
        #[arg(long)]
        no: bool,
    },
    /// Give somebody another name
    Rename { who: String, name: String },
    /// Take nothing more from somebody, who may be named by a message of theirs
    Block {
        #[arg(value_name = "WHO|ID")]
        who: String,
    },
    /// Take messages from somebody again
    Unblock { who: String },
    /// Forget somebody
    Remove { who: String },
    /// Say how messages to somebody go where the command does not
    Set {
        who: String,
        /// What goes first
        #[arg(long, short, hide_possible_values = true, value_name = "urgent|normal|bulk", value_parser = priority())]
        priority: Option<Priority>,
        /// How long they may be under way, such as 3d
        #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
        lifetime: Option<Millis>,
        /// How many copies may be made, where the strategy counts them
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=crate::bundle::COPIES_MAX as i64))]
        copies: Option<u16>,
        /// Whether they are told that I read what they wrote
        #[arg(long, value_name = "on|off", hide_possible_values = true, value_parser = switch())]
        read_receipts: Option<bool>,
        /// How long after they are read they disappear, such as 1d, or never; `send --expire-after-read` says otherwise for one
        #[arg(long, value_name = "SPAN", value_parser = units::parse_span_or_never)]
        expire_after_read: Option<Millis>,
        /// Forget what was said so far
        #[arg(long)]
        clear: bool,
    },
    /// Introduce a contact to another one, who can add them with one command
    Share {
        who: String,
        /// To whom
        #[arg(long, value_name = "WHO")]
        with: String,
        /// A word about them
        text: Option<String>,
    },
}

pub const PAIR_HELP: &str = "\
Without a code one is shown, such as 7-copper-lantern, with a QR code for it, until somebody types it elsewhere, for 10 \
minutes at most, or --timeout. `dak pair CODE` there finds this node near by or at --peer, and each has the other as a contact, \
verified: the code proves that nobody sits between, as comparing safety words does. It serves once. Of 65,536 codes with \
a number three may be tried, and each wrong one is told here. A third person comes in by another `dak pair`, or by \
`dak contact share`.

Exit codes beside the usual: 4 nobody who can be met shows that code, 5 a pairing goes on already or they are blocked, \
6 nobody came in time, 8 the code was wrong, or three wrong ones were tried.";

#[derive(Args, Debug)]
pub struct Pair {
    /// What the other machine shows: the code, or the text of its QR code in quotes; nothing shows a new one here
    pub code: Vec<String>,
    /// What to call the other here; what it calls itself, with a number where that is taken
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where the other listens, where multicast does not find it; may be repeated
    #[arg(long, value_name = "MULTIADDR", requires = "code")]
    pub peer: Vec<String>,
    /// Show the code no longer than this, such as 60s; 10m unless said, and at most
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span, conflicts_with = "code")]
    pub timeout: Option<Millis>,
    /// End the pairing that goes on here
    #[arg(long, conflicts_with_all = ["code", "name", "timeout"])]
    pub cancel: bool,
}

#[derive(Args, Debug)]
pub struct Whom {
    /// A contact's name, or an address
    pub who: String,
}

pub(super) fn switch() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|word| word == "on")
}

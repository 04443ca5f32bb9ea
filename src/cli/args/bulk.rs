//! Files, topics and sticks.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::time::Millis;
use crate::units;

pub(super) const FILE_HELP: &str = "\
Small files of contacts come by themselves, larger ones when they are asked for. An ID is that of the message, and \
behind a slash which of its files it is, where there are several. Nothing that is saved is written over.";

pub(super) const SUB_HELP: &str = "\
Whoever names no group is of the group main. A group goes on where it was; several consumers share what comes, and what \
one had that died goes to another. CMD gets the event on its stdin, as a JSON object on a line. Exit 0: done; 65: given \
up; anything else, a signal, or too much time: again, later each time, given up after --tries.

bob/sensors/temp is a topic of the contact bob; + stands for any level and # at the end for all that follow, in quotes.";

#[derive(Args, Debug)]
pub struct Topic {
    #[command(subcommand)]
    pub what: Option<TopicWhat>,
}

#[derive(Debug, Subcommand)]
pub enum TopicWhat {
    /// List topics of mine, subscribed to, and around
    List,
    /// Make a topic, or say anew who may write in it
    Create {
        /// Levels of a-z, 0-9, _ and -, with / between them, such as sensors/temp
        name: String,
        /// Who may write beside me: contacts' names, with commas between them; an empty text for nobody
        #[arg(long, value_name = "WHO,WHO")]
        writers: Option<String>,
    },
    /// Hear what is published in a topic of somebody, such as bob/sensors/temp or 'bob/#'
    Subscribe {
        /// OWNER/TOPIC, or a pattern of OWNER's: + is any one level, # all that follow
        topic: String,
    },
    /// No longer; what was kept of it goes
    Unsubscribe {
        /// As `dak topic` lists it, or the pattern that was subscribed to
        topic: String,
    },
    /// How long and how much of a topic stays at this home, read or only carried; without an option, what holds now
    Set {
        /// A topic, or a pattern such as 'bob/#'
        topic: String,
        /// So long after something was published it leaves, such as 1d; 0s keeps nothing
        #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
        keep: Option<Millis>,
        /// Of each topic at most so much, such as 1M; the oldest leaves
        #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes)]
        bytes: Option<u64>,
        /// As usual again: to the end of each message's life, as far as there is room
        #[arg(long)]
        usual: bool,
    },
    /// End a topic of mine: nothing of it stays here, and nobody may write in it any more
    Delete { topic: String },
}

#[derive(Args, Debug)]
pub struct Group {
    #[command(subcommand)]
    pub what: Option<GroupWhat>,
}

#[derive(Debug, Subcommand)]
pub enum GroupWhat {
    /// List groups of mine, and those I am asked to join
    List,
    /// Begin a group
    Create {
        /// What it is called, for all of its members
        name: String,
        /// Whom to invite: contacts' names, with commas between them
        #[arg(long, value_name = "WHO,WHO")]
        with: Option<String>,
    },
    /// Ask others to join a group that I own; they read what is written from then on
    Invite {
        group: String,
        /// Contacts by name, or addresses
        #[arg(required = true, value_name = "WHO")]
        who: Vec<String>,
        /// They may read what was written before as well, as far as its keys are kept
        #[arg(long)]
        from_start: bool,
    },
    /// Join a group that I am asked to join
    Join { group: String },
    /// Leave a group, or turn an invitation down
    Leave { group: String },
    /// Remove a member: they read nothing that is written once the others have learned of it
    Remove { group: String, who: String },
    /// Give a group that I own another name, for all of its members
    Rename {
        /// What it is called here now
        group: String,
        /// What it is to be called
        name: String,
    },
    /// Make a member an owner as well, who may invite, remove and rename
    Owner {
        group: String,
        who: String,
        /// No longer
        #[arg(long)]
        not: bool,
    },
    /// Tell who is in a group
    Members { group: String },
}

#[derive(Args, Debug)]
pub struct Pub {
    /// A topic of mine, or of somebody who lists me as a writer, such as bob/sensors/temp
    pub topic: String,
    /// What to publish; - reads a message a line from stdin
    pub text: Option<String>,
    /// What it is the latest word on: who has not read the one before with this key reads this one alone
    #[arg(long)]
    pub key: Option<String>,
    /// How long it is under way and kept, such as 3d; a week unless said
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub lifetime: Option<Millis>,
}

#[derive(Args, Debug)]
pub struct Sub {
    /// A topic, such as sensors/temp, bob/sensors/temp or 'bob/sensors/+'
    pub topic: String,
    /// Where the group goes on: start, last, or behind the event of this number
    #[arg(long, value_name = "start|last|EVENT")]
    pub from: Option<String>,
    /// The consumers that share what comes
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Wait for more
    #[arg(long, short, visible_alias = "watch")]
    pub follow: bool,
    /// How often CMD is tried on one event
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub tries: u32,
    /// How long CMD may take for one event, such as 30s
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub timeout: Option<Millis>,
    /// List what the group gave up
    #[arg(long, conflicts_with_all = ["from", "follow", "cmd"])]
    pub failed: bool,
    /// Hand out again what was given up: an event's number or id
    #[arg(long, value_name = "EVENT", conflicts_with_all = ["from", "follow", "failed", "cmd"])]
    pub retry: Option<String>,
    /// Run this for each event, without a shell
    #[arg(last = true, value_name = "CMD")]
    pub cmd: Vec<String>,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct FileArgs {
    #[command(subcommand)]
    pub what: Option<FileWhat>,
    /// Go on telling how far they are
    #[arg(long, visible_alias = "follow")]
    pub watch: bool,
    /// Save all that came whole in this directory; with --watch also what comes from now on, each once
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub save_all: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum FileWhat {
    /// List them
    List,
    /// Ask for a file, or for what is missing of it
    Get {
        id: String,
        /// Only from one of its bytes to another, such as 0-1M
        #[arg(long, value_name = "FROM-TO", value_parser = parse_range)]
        range: Option<(u64, u64)>,
    },
    /// Save a file that is here under a harmless name, and over nothing
    Save {
        id: String,
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
    /// End the coming or going of a file, on both sides
    Cancel { id: String },
}

fn parse_range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text:?} is no stretch: write two of its bytes, as in 0-1M");
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let place = |text: &str| if text == "0" { Ok(0) } else { units::parse_bytes(text) };
    let (from, to) = (place(from).map_err(|_| wrong())?, place(to).map_err(|_| wrong())?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

#[derive(Args, Debug)]
#[command(after_help = "\
A folder gets a file for each bundle, which `dak bundle inspect` explains. One file, or -, holds many, as a CBOR \
sequence. Nothing there is ever removed or replaced, but what an export that was torn out left unfinished; and what is \
exported stays here until its receipt comes, by whatever way.")]
pub struct Stick {
    #[command(subcommand)]
    pub what: StickWhat,
}

#[derive(Debug, Subcommand)]
pub enum StickWhat {
    /// Write to a folder, or to one new file, what others could carry or are waiting for
    Export {
        /// A folder; or a file that is not there yet; - writes to stdout. A name that ends in / is made a folder
        #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
        place: PathBuf,
        #[command(flatten)]
        load: Load,
    },
    /// Take in what lies in a folder, or in one file
    Import {
        /// A folder, or a file; - reads stdin
        #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
        place: PathBuf,
    },
    /// Do both with a folder, whenever it is there, until Ctrl-C
    Watch {
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        #[command(flatten)]
        load: Load,
    },
}

#[derive(Args, Clone, Debug)]
pub struct Load {
    /// Who gets it: what is for them goes first
    #[arg(long = "for", value_name = "WHO")]
    pub whom: Option<String>,
    /// At most so much lies there for them together, the most urgent first
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, default_value = "64M")]
    pub max: u64,
}

//! Programs that work on what comes.

use clap::{Args, Subcommand};

use crate::time::Millis;
use crate::units;

pub(super) const HOOK_HELP: &str = "\
CMD gets each message that comes and is meant for it, as `dak inbox --json` prints it, on its stdin, and no shell between. \
Exit 0: done; 65: given up; anything else, a signal, too much time or output: again, later each time, given up after \
--tries. It runs while the node does, with no terminal, in the home's directory; what is under way when the node ends goes \
again, under the same id. What it prints is in the node's log.

Its environment is the node's PATH, HOME, USER, LANG, TZ, TMPDIR and the like, and beside them DAK_HOOK, its name; DAK_ID, \
the message; DAK_EVENT and DAK_ATTEMPT; and DAK_HOME, where the home has one directory. With all that it started it is \
killed once its time is over. What it sends with dak is automatic too, and refused where it would answer what may not be \
answered so; what goes to others is refused once eight automatic ones led to it.";

#[derive(Args, Debug)]
pub struct Hooks {
    #[command(subcommand)]
    pub what: Option<HookWhat>,
}

#[derive(Debug, Subcommand)]
pub enum HookWhat {
    /// List hooks, and how they do
    List,
    /// Have a program work on each message that comes from now on
    Add(Box<HookAdd>),
    /// End a hook, with what it is working on
    Remove { name: String },
    /// Run a hook now, on a message or the last one that is meant for it, and show what it prints
    Test {
        name: String,
        /// The message, by the first digits of its id
        id: Option<String>,
    },
    /// List messages that hooks gave up
    Failed {
        /// Only of this one
        name: Option<String>,
    },
    /// Have a message that was given up worked on again
    Retry {
        /// The message, by the first digits of its id
        id: String,
        /// Only by this one, where several gave it up
        #[arg(long, value_name = "NAME")]
        hook: Option<String>,
    },
}

#[derive(Args, Debug)]
pub struct HookAdd {
    /// What to call it: letters, digits, - and _
    pub name: String,
    /// Only messages of this one
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// Only what is said there: with a contact, or in a group
    #[arg(long = "in", value_name = "CONV")]
    pub within: Option<String>,
    /// Only messages with this label; when they get it later, then
    #[arg(long, value_name = "L")]
    pub label: Option<String>,
    /// Only what `dak search QUERY` would find
    #[arg(long = "match", value_name = "QUERY", allow_hyphen_values = true)]
    pub query: Option<String>,
    /// Send back what it prints, as an automatic answer: none to automatic or bulk mail, to groups, or too soon after another
    #[arg(long)]
    pub reply: bool,
    /// How long nobody gets a second automatic answer; 1d unless said
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub every: Option<Millis>,
    /// How long it may take for one message; 60s unless said, 1h at most
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub timeout: Option<Millis>,
    /// How often one message is tried
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub tries: u32,
    /// Work on so many messages at once, in no order; else on one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    pub at_once: u32,
    /// CMD is a line for /bin/sh; nothing that anybody wrote is ever part of it
    #[arg(long)]
    pub shell: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub cmd: Vec<String>,
}

pub(super) const AWAY_HELP: &str = "\
With --reply contacts who write get TEXT as an automatic answer: none to automatic or bulk mail, to groups, to people with no \
name here, or to one person twice within --every. Without, it is a note to oneself, which `dak me` and `dak up` show.";

#[derive(Args, Debug)]
pub struct AwayArgs {
    /// What is said; without it, whether I am away
    pub text: Option<String>,
    /// When I am back: fri 17:00, 3d, 31.12.2026; a day lasts to its end
    #[arg(long, value_name = "TIME", requires = "text")]
    pub until: Option<String>,
    /// Answer contacts who write with it
    #[arg(long, requires = "text")]
    pub reply: bool,
    /// How long nobody gets a second automatic answer; 1d unless said
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span, requires = "reply")]
    pub every: Option<Millis>,
    /// I am back
    #[arg(long, conflicts_with_all = ["text", "until", "reply", "every"])]
    pub end: bool,
}

pub(super) const NOTIFY_HELP: &str = "\
It runs beside the node until Ctrl-C. Quiet hours (dak config set quiet 22:00-07:00) keep it silent, but for urgent mail of \
contacts, and tell of the rest when they are over; so do archived, snoozed and muted conversations. --desktop needs \
notify-send, which most desktops have. How much is unread, for a prompt: dak inbox --count";

#[derive(Args, Debug)]
pub struct Notify {
    /// Show a notification on the desktop
    #[arg(long)]
    pub desktop: bool,
    /// Ring the terminal's bell
    #[arg(long)]
    pub bell: bool,
    /// Say neither who writes nor what
    #[arg(long)]
    pub private: bool,
}

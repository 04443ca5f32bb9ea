//! The grammar of the command line, and what its words mean.

mod apps;
mod bulk;
mod hooks;
mod keeping;
mod order;
mod people;
mod reading;
mod service;
mod web;
mod writing;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

use self::apps::APP_HELP;
pub use self::apps::{AppArgs, AppWhat};
use self::bulk::{FILE_HELP, SUB_HELP};
pub use self::bulk::{FileArgs, FileWhat, Group, GroupWhat, Load, Pub, Stick, StickWhat, Sub, Topic, TopicWhat};
use self::hooks::{AWAY_HELP, HOOK_HELP, NOTIFY_HELP};
pub use self::hooks::{AwayArgs, HookAdd, HookWhat, Hooks, Notify};
pub use self::keeping::{
    Bench, Bundle, BundleWhat, Carry, CarryWhat, Completions, Config, ConfigWhat, Demo, Doctor, Token, TokenWhat, Up,
    Vault,
};
use self::order::IMPORT_HELP;
pub use self::order::{
    Export, ExportFormat, Import, Label, LabelWhat, Mute, PurgeArgs, Snooze, Task, TaskList, TaskWhat, Things,
};
use self::people::PAIR_HELP;
pub use self::people::{Contact, ContactWhat, Me, Pair, Whom};
use self::reading::CHAT_HELP;
pub use self::reading::{Chat, Inbox, InboxList, InboxWhat, Read, Search, Status, Talk};
use self::service::SERVICE_HELP;
pub use self::service::{ScopeArgs, Service, ServiceWhat};
use self::web::WEB_HELP;
pub use self::web::{Web, WebWhat};
use self::writing::{CANCEL_HELP, DELETE_HELP, EDIT_HELP, SEND_HELP, WITHDRAW_HELP};
pub use self::writing::{DraftWhat, Drafts, Edit, Forward, Goal, React, Renew, Reply, Send, Sending, Writing};

const TOKEN_HELP: &str = "\
A program asks http://127.0.0.1:PORT/v1/... once `dak config set api.listen 127.0.0.1:PORT` opened that port, and shows its \
token as `Authorization: Bearer TOKEN`. /v1/openapi.json describes all that can be asked. Tokens count at once, and end at \
once when they are revoked.";

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failure, 2 usage, 3 node not running, 4 no such contact or message, 5 refused, 6 still in flight \
when --wait ended, 7 store locked, damaged or of a newer format, 8 verification failed, 9 kept no more, 130 interrupted.

An ID may be shortened to its first digits, 4 or more, as long as it is the only one. WHO is a contact's name, an \
address (dak:...), a peer id, or its end as listings print it; me is oneself.

TIME is a span from now (2h, in 3 days), a clock (18:00, 5pm, the next one), a day (today, tomorrow, friday, 31.12.2026, \
2026-12-31), or both (fri 17:00). ISO 8601 with an offset is one too. A weekday is the next one, never today. A day \
without a clock lasts to its end where something is due, and begins with it where something is sent or comes back. \
SPAN is a number with a unit: 60s, 90m, 12h, 3d, 2w, 1y.";

/// Messages that reach people who are away: signed, sealed, and carried by others until they meet.
#[derive(Debug, Parser)]
#[command(name = "dak", version, after_help = AFTER_HELP, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Keep everything in this directory instead of the platform's (or in that of DAK_HOME)
    #[arg(long, global = true, value_name = "DIR", env = "DAK_HOME", hide_env = true, value_hint = ValueHint::DirPath, display_order = 1_000)]
    pub home: Option<PathBuf>,

    /// Print JSON, one object a line
    #[arg(long, global = true, display_order = 1_000)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the node; the first time, make its identity and store
    Up(Up),
    /// Stop the node
    Down,
    /// Show my name, address and safety words
    Me(Me),
    /// Add, list, verify, rename, block and remove people
    Contact(Contact),
    /// Become contacts by a short code: one side shows it, the other types it
    #[command(after_help = PAIR_HELP)]
    Pair(Pair),
    /// List the nodes that could be met now
    Nearby,
    /// Send a message; it leaves when somebody is met
    #[command(after_help = SEND_HELP)]
    Send(Send),
    /// List messages, or delete them
    Inbox(Inbox),
    /// Show conversations, both sides, or list them
    Talk(Talk),
    /// Read and write in the terminal, with the keyboard alone
    #[command(after_help = CHAT_HELP)]
    Chat(Chat),
    /// Find messages by their words, in all conversations
    Search(Search),
    /// Mark messages unread again
    Unread(Ids),
    /// Keep what is written and not sent, or goes later
    Draft(Drafts),
    /// List messages of people who have no name here
    Requests,
    /// Put labels on messages; nobody else sees them
    Label(Label),
    /// Put conversations or messages out of sight; a conversation is back with what comes next
    Archive(Things),
    /// Take conversations or messages out of the archive
    Unarchive(Things),
    /// Put conversations or messages to the top
    Pin(Things),
    /// Leave conversations or messages where they stand, pinned no longer
    Unpin(Things),
    /// Put a conversation or a message out of sight until a time
    Snooze(Snooze),
    /// Bring back now what was snoozed
    Unsnooze(Things),
    /// Hear no more of a conversation, and read it when you want
    Mute(Mute),
    /// Hear of a muted conversation again
    Unmute(Whom),
    /// Show a message that came, or one of my own
    Read(Read),
    /// Put other words in the place of what I wrote, for everybody who has it
    #[command(after_help = EDIT_HELP)]
    Edit(Edit),
    /// Ask everybody who has a message of mine to forget it
    #[command(after_help = WITHDRAW_HELP)]
    Withdraw(Id),
    /// Delete messages here; others keep what they have
    #[command(after_help = DELETE_HELP)]
    Delete(Ids),
    /// React to a message with an emoji or a word
    React(React),
    /// List tasks; make messages tasks, give them to somebody, close them
    Task(Task),
    /// Answer a message
    Reply(Reply),
    /// Pass a message on, with its files
    Forward(Forward),
    /// Files that come or go in parts: list them, ask for them, save them
    #[command(after_help = FILE_HELP)]
    File(FileArgs),
    /// Shared apps: list them, send one, and tell or read what is said in one
    #[command(after_help = APP_HELP)]
    App(AppArgs),
    /// Tell what became of my messages, and how that is known
    Status(Status),
    /// Send my message anew that did not arrive; who has it sees it once
    Renew(Renew),
    /// Hand out no new copies of a message
    #[command(after_help = CANCEL_HELP)]
    Cancel(Id),
    /// Write out what was said, for other programs and for keeping
    Export(Export),
    /// Take in what `dak export` wrote, in jsonl: conversations of an earlier home
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// Delete old messages, or large files, here
    Purge(PurgeArgs),
    /// Show what takes how much of the disk, and what frees it
    Space,
    /// Begin groups, join them, and tell who is in them
    #[command(
        after_help = "Write with `dak send NAME TEXT` and read with `dak talk NAME`, as with anybody. Owners invite, remove and rename. Who is removed reads nothing that is written once its writer has learned of it."
    )]
    Group(Group),
    /// Make topics, subscribe to those of others, and list them
    Topic(Topic),
    /// Publish in a topic: for everybody, signed, and sealed for nobody
    Pub(Pub),
    /// Get what is published in a topic, each event once, or have a command work on each
    #[command(after_help = SUB_HELP)]
    Sub(Sub),
    /// Tell of what comes, as it comes: with a bell, or on the desktop
    #[command(after_help = NOTIFY_HELP)]
    Notify(Notify),
    /// Say that I am away, and have contacts who write told so
    #[command(after_help = AWAY_HELP)]
    Away(AwayArgs),
    /// Have programs of mine work on what comes, also with nobody at the terminal
    #[command(after_help = HOOK_HELP)]
    Hook(Hooks),
    /// List the nodes met now
    Peers,
    /// Show what was met, moved and held in the last day and the last thirty
    Stats,
    /// Show what is carried for others, and how much may be
    Carry(Carry),
    /// Carry bundles by hand: on a stick, in an attachment, over any wire that takes a file
    Stick(Stick),
    /// Have systemd run the node, for me or for the machine
    #[command(after_help = SERVICE_HELP)]
    Service(Service),
    /// Check this home, and say what to do
    Doctor(Doctor),
    /// Write everything that makes this home into one encrypted file
    Backup(Vault),
    /// Make a home from a backup
    Restore(Vault),
    /// Look at bundles in files
    Bundle(Bundle),
    /// Show the configuration, or keep a setting
    Config(Config),
    /// Open my messages in a browser of this machine
    #[command(after_help = WEB_HELP)]
    Web(Web),
    /// Let programs reach this node over loopback, each with a token of its own
    #[command(after_help = TOKEN_HELP)]
    Token(Token),
    /// Run three nodes on this machine and see a message carried
    Demo(Demo),
    /// Measure this machine, and this node on it
    Bench(Bench),
    /// Simulate networks of nodes: the same agent, in virtual time
    #[command(subcommand)]
    Sim(super::sim::SimCommand),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man {
        #[arg(value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
    /// Print the version
    Version,
}

#[derive(Args, Debug)]
pub struct Ids {
    /// Messages, by the first digits of their ids
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Id {
    /// The message, by the first digits of its id
    pub id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_grammar_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn home_and_json_may_stand_anywhere() {
        for line in
            ["dak --home /h --json carry list", "dak carry --home /h list --json", "dak carry list --json --home /h"]
        {
            let cli = parse(line).unwrap();
            assert_eq!((cli.home, cli.json), (Some("/h".into()), true), "{line}");
        }
    }

    #[test]
    fn waiting_means_delivery_unless_said_otherwise() {
        let wait = |line| match parse(line).unwrap().command {
            Command::Send(send) => (send.writing.sending.wait, send.writing.text),
            _ => unreachable!(),
        };
        assert_eq!(wait("dak send bob hi"), (None, Some("hi".into())));
        assert_eq!(wait("dak send bob --wait hi"), (Some(Goal::Delivered), Some("hi".into())));
        assert_eq!(wait("dak send bob hi --wait=custody --timeout 60s"), (Some(Goal::Custody), Some("hi".into())));
        assert!(parse("dak send bob hi --timeout 60s").is_err(), "nothing waits");
    }

    #[test]
    fn whom_it_goes_to_stands_first_or_behind_to() {
        let send = |line| match parse(line).map(|cli| cli.command) {
            Ok(Command::Send(send)) => (send.who, send.to, send.writing.text),
            other => panic!("{other:?}"),
        };
        assert_eq!(send("dak send bob hi"), (Some("bob".into()), vec![], Some("hi".into())));
        let to = vec!["bob".to_owned(), "dak:x".to_owned()];
        assert_eq!(send("dak send --to bob --to dak:x hi"), (Some("hi".into()), to.clone(), None));
        assert_eq!(send("dak send hi --to bob --to dak:x"), (Some("hi".into()), to, None));
        assert!(parse("dak send -f x").is_err(), "to nobody");
    }

    #[test]
    fn a_listing_needs_no_subcommand() {
        let Command::Inbox(inbox) = parse("dak inbox --unread --limit 3").unwrap().command else { unreachable!() };
        assert!(inbox.what.is_none() && inbox.list.unread && inbox.list.limit == Some(3));
        let Command::Carry(carry) = parse("dak carry").unwrap().command else { unreachable!() };
        assert!(carry.what.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for line in [
            "dak",
            "dak fly",
            "dak send",
            "dak forward 3f2a",
            "dak forward 3f2a bob -f x",
            "dak send bob hi -p asap",
            "dak send bob hi --lifetime 3",
            "dak send bob hi --wait=read",
            "dak send bob hi --copies 0",
            "dak up --carry-limit lots",
            "dak inbox delete",
            "dak contact verify bob --yes --no",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}

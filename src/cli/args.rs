//! The grammar of the command line, and what its words mean.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};

use crate::api::model::{SEARCH_ROWS_MAX, Tag, parse_priority};
use libp2p::Multiaddr;

use crate::bench::LAN_NODES_MAX;
use crate::bundle::Priority;
use crate::config;
use crate::time::Millis;
use crate::units;

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failure, 2 usage, 3 node not running, 4 no such contact
or message, 5 refused, 6 still in flight when --wait ended, 7 store locked,
damaged or of a newer format, 8 verification failed, 9 kept no more, 130
interrupted.

An id may be shortened to its first digits, 4 or more, as long as it is the
only one. WHO is a contact's name, an address (dak:...), a peer id, or its end
as listings print it.

TIME is a span from now (2h, 3d), a clock (18:00, the next one), ISO 8601 with
an offset, or a day (today, tomorrow, friday, 2026-03-01), which lasts to its
end unless a clock stands behind it (fri 17:00). A weekday is the next one,
never today.";

const IMPORT_HELP: &str = "\
Messages, answers, edits, reactions and tasks come back as they were read there; what is here already stays as
it is, so a file can be imported twice. One's own words are one's own and are never sent again; what was still on
its way ends here without a receipt. Signatures are not in an export, so all of it says that it was imported and
not verified here. Lines that are no row of an export are named by their numbers, and the others are taken.
People, labels and places are in a backup (`dak backup`), not in an export.";

const SEND_HELP: &str = "\
With --expire-after-read the time begins as the words are first shown there, by whatever command or program.
Then words and files leave the record, the index and the exports, and what stays is that there was something.
The copy here goes so long after the message arrived, and with the end of its lifetime in any case. Carriers never
see any of it. But its reader may copy it before, an older or changed dak may ignore the wish, backups made
meanwhile keep it, and a disk may keep for a while what a file freed.";

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
    /// List the nodes that could be met now
    Nearby,
    /// Send a message; it leaves when somebody is met
    #[command(after_help = SEND_HELP)]
    Send(Send),
    /// List messages, or delete them
    Inbox(Inbox),
    /// Show conversations, both sides, or list them
    Talk(Talk),
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
    /// Take them back
    Unarchive(Things),
    /// Put conversations or messages to the top
    Pin(Things),
    /// No longer
    Unpin(Things),
    /// Put a conversation or a message out of sight until a time
    Snooze(Snooze),
    /// Take them back now
    Unsnooze(Things),
    /// Hear no more of a conversation, and read it when you want
    Mute(Mute),
    /// Hear of it again
    Unmute(Whom),
    /// Show a message that came, or one of my own
    Read(Read),
    /// Put other words in the place of what I wrote, for everybody who has it
    #[command(
        after_help = "What nobody can have yet is simply changed. What has left cannot be called back: others see the new\nwords once the change reaches them, and `dak read ID --history` keeps the old ones. `dak withdraw ID` asks others to forget a message,\n`dak delete ID` deletes it here only, `dak cancel ID` stops copies that have not left."
    )]
    Edit(Edit),
    /// Ask everybody who has a message of mine to forget it
    #[command(
        after_help = "An honest dak forgets the words as soon as this reaches it; nothing makes a person or a changed program\nforget. `dak edit ID TEXT` puts other words there, `dak delete ID` deletes a message here only, and\n`dak cancel ID` stops copies that have not left."
    )]
    Withdraw(Id),
    /// Delete messages here; others keep what they have
    #[command(
        after_help = "`dak withdraw ID` asks others to forget what I wrote, `dak edit ID TEXT` puts other words there, and\n`dak cancel ID` stops copies that have not left."
    )]
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
    #[command(
        after_help = "Small files of contacts come by themselves, larger ones when they are asked for. An ID\nis that of the message, and behind a slash which of its files it is, where there are\nseveral. Nothing that is saved is written over."
    )]
    File(FileArgs),
    /// Tell what became of my messages, and how that is known
    Status(Status),
    /// Send my message anew that did not arrive; who has it sees it once
    Renew(Renew),
    /// Hand out no new copies of a message
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
    /// Make topics, subscribe to those of others, and list them
    Topic(Topic),
    /// Publish in a topic: for everybody, signed, and sealed for nobody
    Pub(Pub),
    /// Get what is published in a topic, each event once, or have a command work on each
    #[command(
        after_help = "Whoever names no group is of the group main. A group goes on where it was; several consumers share what comes, and\nwhat one had that died goes to another. CMD gets the event on its stdin, as a JSON object on a line. Exit 0: done;\n65: given up; anything else, a signal, or too much time: again, later each time, given up after --tries.\n\nbob/sensors/temp is a topic of the contact bob; + stands for any level and # at the end for all that follow, in quotes."
    )]
    Sub(Sub),
    /// List the nodes met now
    Peers,
    /// Show what is carried for others, and how much may be
    Carry(Carry),
    /// Carry bundles by hand: on a stick, in an attachment, over any wire that takes a file
    Stick(Stick),
    /// Check this home, and say what to do
    Doctor(Doctor),
    /// Write everything that makes this home into one encrypted file
    Backup(Vault),
    /// Make a home from a backup
    Restore(Vault),
    /// Look at bundles in files
    Bundle(Bundle),
    /// Show the configuration
    Config(Config),
    /// Run three nodes on this machine and see a message carried
    Demo(Demo),
    /// Measure this machine, and this node on it
    Bench(Bench),
    /// Simulate networks of nodes: the same agent, in virtual time
    #[command(subcommand)]
    Sim(super::sim::SimCommand),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the version
    Version,
}

#[derive(Args, Debug)]
pub struct Bench {
    /// Also measure with a million bundles; takes a few minutes and 3 GB of disk
    #[arg(long, conflicts_with = "lan")]
    pub full: bool,
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
    /// Record everything the agent gets into this new file, for `dak sim replay`: who, what and when, but no key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

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

#[derive(Args, Debug)]
pub struct Send {
    /// A contact's name, an address or a peer id; or several names, as bob,carol: to each a message of its own
    #[arg(required_unless_present = "to")]
    pub who: Option<String>,
    #[command(flatten)]
    pub writing: Writing,
    /// Whom it goes to, in the place of WHO; may be repeated
    #[arg(long, value_name = "WHO")]
    pub to: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Edit {
    /// The message, by the first digits of its id
    pub id: String,
    /// What it says from now on; - reads it from stdin
    pub text: String,
}

#[derive(Args, Debug)]
pub struct Renew {
    /// The message, by the first digits of its id
    pub id: String,
    /// How long it may be under way, such as 3d; as long as before, unless said
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub lifetime: Option<Millis>,
}

#[derive(Args, Debug)]
pub struct React {
    /// The message, by the first digits of its id
    pub id: String,
    /// An emoji, or a short word such as thanks
    pub emoji: String,
    /// Take it back
    #[arg(long)]
    pub remove: bool,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Task {
    #[command(subcommand)]
    pub what: Option<TaskWhat>,
    #[command(flatten)]
    pub list: TaskList,
}

#[derive(Args, Clone, Debug, Default)]
pub struct TaskList {
    /// Only what I am to do
    #[arg(long)]
    pub mine: bool,
    /// Also what is done
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub enum TaskWhat {
    /// List tasks
    List(TaskList),
    /// Make a message a task
    Add {
        id: String,
        /// Give it to somebody; me is possible
        #[arg(long, value_name = "WHO")]
        assign: Option<String>,
        /// When it is due, such as fri 17:00
        #[arg(long, value_name = "TIME")]
        due: Option<String>,
    },
    /// Say that it is done
    Done { id: String },
    /// Say that it is not done after all
    Open { id: String },
    /// Give it to somebody; me and nobody are possible
    Assign { id: String, who: String },
    /// Say when it is due, such as fri 17:00, or never
    Due { id: String, time: String },
    /// Say that it is no task
    Remove { id: String },
}

#[derive(Args, Debug)]
pub struct Reply {
    /// The message to answer
    pub id: String,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Args, Debug)]
pub struct Forward {
    /// The message to pass on
    pub id: String,
    /// A contact's name, an address or a peer id; or several names, as bob,carol: to each a message of its own
    #[arg(required_unless_present = "to")]
    pub who: Option<String>,
    /// What to say of it; - reads it from stdin
    pub text: Option<String>,
    #[command(flatten)]
    pub sending: Sending,
    /// Whom it goes to, in the place of WHO; may be repeated
    #[arg(long, value_name = "WHO")]
    pub to: Vec<String>,
}

/// What `send` and `reply` share.
#[derive(Args, Debug)]
pub struct Writing {
    /// What to say; - reads it from stdin
    pub text: Option<String>,
    /// What it is about
    #[arg(long, short)]
    pub subject: Option<String>,
    /// What it is meant to be; may be repeated
    #[arg(long = "tag", value_name = "question|decision|fyi", hide_possible_values = true, value_parser = tag())]
    pub tags: Vec<Tag>,
    /// It is something to do
    #[arg(long)]
    pub task: bool,
    /// Who is to do it; me is possible
    #[arg(long, value_name = "WHO", requires = "task")]
    pub assign: Option<String>,
    /// When it is due, such as fri 17:00
    #[arg(long, value_name = "TIME", requires = "task")]
    pub due: Option<String>,
    /// Attach a file, or a folder; may be repeated. What is larger than 64 KiB goes in parts
    #[arg(long = "file", short = 'f', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub sending: Sending,
}

/// How a message goes.
#[derive(Args, Debug)]
pub struct Sending {
    /// What goes first; normal, unless `dak contact set` says otherwise
    #[arg(long, short, hide_possible_values = true, value_name = "urgent|normal|bulk", value_parser = priority())]
    pub priority: Option<Priority>,
    /// How long it may be under way, such as 3d; a week, unless `dak contact set` says otherwise
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub lifetime: Option<Millis>,
    /// Let it disappear so long after it was read, such as 1h, and here so long after it arrived; no dak can make its reader
    /// forget
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub expire_after_read: Option<Millis>,
    /// When an answer would come too late: 2h, 18:00, fri 17:00, 2026-03-01; a day without a clock lasts to its end
    #[arg(long, value_name = "TIME")]
    pub reply_by: Option<String>,
    /// Let this many copies be made, where the strategy counts them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=crate::bundle::COPIES_MAX as i64))]
    pub copies: Option<u16>,
    /// Keep it until this time, and let the running node send it then: 18:00, tomorrow 9:00, fri 17:00
    #[arg(long, value_name = "TIME", conflicts_with = "wait")]
    pub at: Option<String>,
    /// Wait until somebody has it in custody, or until it is delivered
    #[arg(long, value_name = "custody|delivered", hide_possible_values = true, num_args = 0..=1, require_equals = true, default_missing_value = "delivered")]
    pub wait: Option<Goal>,
    /// Wait no longer than this, such as 60s
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span, requires = "wait")]
    pub timeout: Option<Millis>,
}

/// What `--wait` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    Custody,
    Delivered,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Inbox {
    #[command(subcommand)]
    pub what: Option<InboxWhat>,
    #[command(flatten)]
    pub list: InboxList,
}

#[derive(Debug, Subcommand)]
pub enum InboxWhat {
    /// List messages, each sender's as they were written
    List(InboxList),
    /// Delete messages here, also my own once they are no longer on their way
    Delete {
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

#[derive(Args, Clone, Debug, Default)]
pub struct InboxList {
    /// Also what is archived, snoozed or muted
    #[arg(long)]
    pub all: bool,
    /// Only what was not read yet
    #[arg(long)]
    pub unread: bool,
    /// Only how many unread messages wait
    #[arg(long, conflicts_with_all = ["all", "unread", "follow", "limit"])]
    pub count: bool,
    /// Only what asks for an answer by some time and has none from here, the soonest first
    #[arg(long, conflicts_with_all = ["unread", "count", "follow"])]
    pub due: bool,
    /// Go on with new messages as they come
    #[arg(long, visible_alias = "watch")]
    pub follow: bool,
    /// Only the newest so many, or of --due the soonest; 0 shows none
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

#[derive(Args, Debug)]
pub struct Read {
    /// The message, by the first digits of its id
    pub id: String,
    /// Tell the sender that it was read
    #[arg(long)]
    pub tell: bool,
    /// Leave it marked as unread
    #[arg(long, conflicts_with = "tell")]
    pub peek: bool,
    /// Show every change of it, and what gave way
    #[arg(long, conflicts_with_all = ["tell", "peek", "save"])]
    pub history: bool,
    /// Save the attachments in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub save: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Status {
    /// One message; all, unless said
    pub id: Option<String>,
    /// Only the newest so many; 0 shows none
    #[arg(long, value_name = "N", conflicts_with = "id")]
    pub limit: Option<u32>,
    /// Only what is on its way, or ended without a receipt
    #[arg(long, conflicts_with = "id")]
    pub unsettled: bool,
    /// Only what went to this one
    #[arg(long, value_name = "WHO", conflicts_with = "id")]
    pub to: Option<String>,
    /// Go on with news as they come
    #[arg(long, visible_alias = "watch")]
    pub follow: bool,
}

#[derive(Args, Debug)]
pub struct Talk {
    /// With whom; without it, conversations are listed
    pub who: Option<String>,
    /// Also list those that are archived or snoozed
    #[arg(long, conflicts_with = "who")]
    pub all: bool,
    /// Only the last N messages
    #[arg(long, value_name = "N", requires = "who")]
    pub limit: Option<u32>,
    /// Only what stands before this message
    #[arg(long, value_name = "ID", requires = "who")]
    pub before: Option<String>,
    /// Only this thread, by any of its messages
    #[arg(long, value_name = "ID", requires = "who")]
    pub thread: Option<String>,
    /// Only what is unread
    #[arg(long, requires = "who")]
    pub unread: bool,
    /// Go on with what comes and what changes
    #[arg(long, visible_alias = "watch", conflicts_with_all = ["limit", "before", "thread", "unread"])]
    pub follow: bool,
    /// Begin behind this event, which earlier output numbered
    #[arg(long, value_name = "EVENT", requires = "follow")]
    pub since: Option<u64>,
    /// Mark what is printed as read, as on a terminal it is
    #[arg(long)]
    pub mark_read: bool,
}

const SEARCH_HELP: &str = "\
A message is found where all of this is so:
  pump              it says the word, whatever its accents and capitals
  pum*              it says a word that begins so
  '\"camp three\"'    it says these words one after the other
  from: to: in:     who wrote it, to whom, in which conversation
  after: before:    when: 2026-11-01, 2026-11, yesterday, friday, or 7d ago
  has:file is:unread is:read label:NAME tag:question
  '-valve'          a minus before any of these: not that

Quote a query for the shell: dak search 'pump -valve \"camp three\" from:carol'";

#[derive(Args, Debug)]
#[command(after_help = SEARCH_HELP)]
pub struct Search {
    /// What to look for
    #[arg(allow_hyphen_values = true)]
    pub query: String,
    #[arg(hide = true)]
    pub more: Vec<String>,
    /// Show at most so many, the best first
    #[arg(long, value_name = "N", default_value = "20", value_parser = value_parser!(u32).range(..=i64::from(SEARCH_ROWS_MAX)))]
    pub limit: u32,
}

#[derive(Args, Debug)]
pub struct Ids {
    /// Messages, by the first digits of their ids
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
}

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
    Subscribe { topic: String },
    /// No longer; what was kept of it goes
    Unsubscribe { topic: String },
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
    #[arg(long, short)]
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
    #[arg(long)]
    pub watch: bool,
    /// Save all that came whole in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "watch")]
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
pub struct Drafts {
    #[command(subcommand)]
    pub what: Option<DraftWhat>,
}

#[derive(Debug, Subcommand)]
pub enum DraftWhat {
    /// List them
    List,
    /// Write a message and keep it
    Add(Box<Send>),
    /// Show one with all its words
    Show {
        #[arg(value_name = "N")]
        number: String,
    },
    /// Send one now
    Send {
        #[arg(value_name = "N")]
        number: String,
        /// To others than it says; may be repeated
        #[arg(long, value_name = "WHO")]
        to: Vec<String>,
    },
    /// Delete drafts; what was to go later does not
    Delete {
        #[arg(required = true, value_name = "N")]
        numbers: Vec<String>,
    },
}

/// What can be put somewhere.
#[derive(Args, Debug)]
pub struct Things {
    /// Whom a conversation is with, or messages, by the first digits of their ids
    #[arg(required = true, value_name = "WHO|ID")]
    pub what: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Snooze {
    /// Whom a conversation is with, or a message, by the first digits of its id
    #[arg(value_name = "WHO|ID")]
    pub what: String,
    /// Until when: 2h, 18:00, tomorrow 9:00, fri 17:00, 2026-03-01
    #[arg(value_name = "TIME")]
    pub until: String,
}

#[derive(Args, Debug)]
pub struct Mute {
    /// Whom it is with
    pub who: String,
    /// Only until then
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Hear of messages that name me, as @NAME
    #[arg(long)]
    pub except_mentions: bool,
}

#[derive(Args, Debug)]
pub struct Whom {
    /// A contact's name, or an address
    pub who: String,
}

#[derive(Args, Debug)]
pub struct Label {
    #[command(subcommand)]
    pub what: Option<LabelWhat>,
}

#[derive(Debug, Subcommand)]
pub enum LabelWhat {
    /// Put a label on messages
    Add {
        label: String,
        /// Messages, by the first digits of their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Take a label off messages
    Remove {
        label: String,
        /// Messages, by the first digits of their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// List labels, or the messages with one
    List { label: Option<String> },
}

#[derive(Args, Debug)]
pub struct Id {
    /// The message, by the first digits of its id
    pub id: String,
}

#[derive(Args, Debug)]
pub struct Export {
    /// The conversation with whom
    #[arg(conflicts_with = "all")]
    pub who: Option<String>,
    /// All conversations
    #[arg(long)]
    pub all: bool,
    /// jsonl has everything and can be read by programs; markdown is for people; mbox for mail programs
    #[arg(long, default_value = "jsonl", value_name = "jsonl|markdown|mbox", hide_possible_values = true)]
    pub format: ExportFormat,
    /// Write into this new file instead of to stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Markdown,
    Mbox,
}

#[derive(Args, Debug)]
pub struct Import {
    /// What `dak export --format jsonl` wrote; - reads it from stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Only what is here goes: others keep what they have, disks and backups may too. What is still on its way stays."
)]
pub struct PurgeArgs {
    /// What came or was written longer ago than this, such as 1y or 90d
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub older_than: Option<Millis>,
    /// Only the conversation with somebody
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// Only attachments; their names stay
    #[arg(long)]
    pub files_only: bool,
    /// Only attachments larger than this, such as 1M
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, requires = "files_only")]
    pub larger_than: Option<u64>,
    /// Say what would go, and leave it
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
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
#[command(
    after_help = "A folder gets a file for each bundle, which `dak bundle inspect` explains. One file,\nor -, holds many, as a CBOR sequence. Nothing there is ever removed or replaced,\nand what is exported stays here until its receipt comes, by whatever way."
)]
pub struct Stick {
    #[command(subcommand)]
    pub what: StickWhat,
}

#[derive(Debug, Subcommand)]
pub enum StickWhat {
    /// Write to a folder, or to one new file, what others could carry or are waiting for
    Export {
        /// A folder; or a file that is not there yet; - writes to stdout
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
    pub what: ConfigWhat,
}

#[derive(Debug, Subcommand)]
pub enum ConfigWhat {
    /// Print every setting as it is in force
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Keep a setting in config.toml; it counts from the next `dak up`
    Set {
        /// Such as listen, peers or mdns; `dak config show` has them all
        key: String,
        /// Of several addresses, with commas between
        value: String,
    },
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

fn tag() -> impl TypedValueParser<Value = Tag> {
    let words = PossibleValuesParser::new(Tag::ALL.map(Tag::word));
    words.map(|word| Tag::ALL.into_iter().find(|tag| tag.word() == word).expect("the possible values are the tags"))
}

fn switch() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|word| word == "on")
}

fn priority() -> impl TypedValueParser<Value = Priority> {
    let words = PossibleValuesParser::new(["urgent", "normal", "bulk"]);
    words.map(|word| parse_priority(&word).expect("the possible values are the priorities"))
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

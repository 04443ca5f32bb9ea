//! Order in the record: tasks, labels, what is put aside, and what leaves.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use crate::units;

pub(super) const IMPORT_HELP: &str = "\
Messages, answers, edits, reactions and tasks come back as they were read there; what is here already stays as it is, so \
a file can be imported twice. One's own words are one's own and are never sent again; what was still on its way ends \
here without a receipt. Signatures are not in an export, so all of it says that it was imported and not verified here. \
Lines that are no row of an export are named by their numbers, and the others are taken. People, labels and places are \
in a backup (`dak backup`), not in an export.";

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
        /// The message, by the first digits of its id
        id: String,
        /// Give it to somebody; me is possible
        #[arg(long, value_name = "WHO")]
        assign: Option<String>,
        /// When it is due, such as fri 17:00
        #[arg(long, value_name = "TIME")]
        due: Option<String>,
    },
    /// Say that it is done
    Done {
        /// The task, by the first digits of its id
        id: String,
    },
    /// Say that it is not done after all
    Open {
        /// The task, by the first digits of its id
        id: String,
    },
    /// Give it to somebody; me and nobody are possible
    Assign {
        /// The task, by the first digits of its id
        id: String,
        /// A contact's name; me, or nobody
        who: String,
    },
    /// Say when it is due, such as fri 17:00, or never
    Due {
        /// The task, by the first digits of its id
        id: String,
        /// 3d, tomorrow 17:00, friday, 31.12.2026; or never
        #[arg(required = true, value_name = "TIME")]
        time: Vec<String>,
    },
    /// Say that it is no task
    Remove {
        /// The task, by the first digits of its id
        id: String,
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
    /// Until when: 2h, 18:00, tomorrow 9:00, fri 17:00, 31.12.2026; of a day without a clock, its beginning
    #[arg(required = true, value_name = "TIME")]
    pub until: Vec<String>,
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
    /// What came or was written longer ago than this, such as 1y or 90d, or before a day, such as 31.12.2026
    #[arg(long, value_name = "SPAN|DATE")]
    pub older_than: Option<String>,
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

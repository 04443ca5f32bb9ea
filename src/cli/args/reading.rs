//! Reading what came and what was written, and finding it again.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint, value_parser};

use crate::api::model::SEARCH_ROWS_MAX;

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
    /// Only what stands behind this message; with --limit, the first N
    #[arg(long, value_name = "ID", requires = "who", conflicts_with_all = ["before", "unread"])]
    pub after: Option<String>,
    /// Only this thread, by any of its messages
    #[arg(long, value_name = "ID", requires = "who")]
    pub thread: Option<String>,
    /// Only what is unread
    #[arg(long, requires = "who")]
    pub unread: bool,
    /// Go on with what comes and what changes
    #[arg(long, visible_alias = "watch", conflicts_with_all = ["limit", "before", "after", "thread", "unread"])]
    pub follow: bool,
    /// Begin behind this event, which earlier output numbered
    #[arg(long, value_name = "EVENT", requires = "follow")]
    pub since: Option<u64>,
    /// Mark what is printed as read, as on a terminal it is
    #[arg(long)]
    pub mark_read: bool,
}

pub(super) const CHAT_HELP: &str = "\
Enter sends, Alt-Enter or Ctrl-J begins a new line, Tab turns from the list to the messages to what you write, ? or F1 \
shows all keys, Ctrl-C quits, Ctrl-Z goes to the shell. Lines that are pasted wait for Enter. What you write is kept as a \
draft, second by second. What was on the screen counts as read.

With --plain it prints new messages as lines and sends the lines that you type: for screen readers and for terminals that \
cannot move their cursor. What comes stands above the line that you type. /help lists what else it takes.";

#[derive(Args, Debug)]
pub struct Chat {
    /// With whom to begin
    pub who: Option<String>,
    /// Lines in, lines out: no cursor is moved, and there are no colours
    #[arg(long)]
    pub plain: bool,
}

pub(super) const SEARCH_HELP: &str = "\
A message is found where all of this is so:
  pump              it says the word, whatever its accents and capitals
  pum*              it says a word that begins so
  '\"camp three\"'    it says these words one after the other
  from: to: in:     who wrote it, to whom, in which conversation
  after: before:    when: 2026-11-01, 31.12.2026, 2026-11, friday, or 7d ago
  has:file  is:unread  is:read  label:NAME  tag:question
  '-valve'          a minus before any of these: not that

The best match stands first; without words, as in from:bob, the newest does.
Quote a query for the shell: dak search 'pump -valve \"camp three\" from:carol'";

#[derive(Args, Debug)]
#[command(after_help = SEARCH_HELP)]
pub struct Search {
    /// What to look for
    #[arg(allow_hyphen_values = true)]
    pub query: String,
    #[arg(hide = true)]
    pub more: Vec<String>,
    /// Show at most so many
    #[arg(long, value_name = "N", default_value = "20", value_parser = value_parser!(u32).range(..=i64::from(SEARCH_ROWS_MAX)))]
    pub limit: u32,
}

//! Writing: messages, answers, drafts, and changes of what was written.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use crate::api::model::{Tag, parse_priority};
use crate::bundle::Priority;
use crate::time::Millis;
use crate::units;

pub(super) const SEND_HELP: &str = "\
With --expire-after-read the time begins as the words are first shown there, by whatever command or program. Then words \
and files leave the record, the index and the exports, and what stays is that there was something. The copy here goes so \
long after the message arrived, and with the end of its lifetime in any case. Carriers never see any of it. But its \
reader may copy it before, an older or changed dak may ignore the wish, backups made meanwhile keep it, and a disk may \
keep for a while what a file freed.

TIME and SPAN are explained by `dak --help`.";

pub(super) const EDIT_HELP: &str = "\
What nobody can have yet is simply changed. What has left cannot be called back: others see the new words once the \
change reaches them, and `dak read ID --history` keeps the old ones.

`dak withdraw ID` asks others to forget a message, `dak delete ID` deletes it here only, `dak cancel ID` stops copies \
that have not left.";

pub(super) const WITHDRAW_HELP: &str = "\
An honest dak forgets the words as soon as this reaches it; nothing makes a person or a changed program forget.

`dak edit ID TEXT` puts other words there, `dak delete ID` deletes a message here only, `dak cancel ID` stops copies \
that have not left.";

pub(super) const DELETE_HELP: &str = "\
`dak withdraw ID` asks others to forget what I wrote, `dak edit ID TEXT` puts other words there, `dak cancel ID` stops \
copies that have not left.";

pub(super) const CANCEL_HELP: &str = "\
Copies that left before may still arrive. The number of a draft takes back what was to go later.

`dak withdraw ID` asks whoever has a message to forget it, `dak edit ID TEXT` puts other words there, `dak delete ID` \
deletes it here only.";

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
    #[arg(long = "tag", value_name = "question|decision|fyi|automatic", hide_possible_values = true, value_parser = tag())]
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
    /// forget; never where `dak contact set` says a time
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span_or_never)]
    pub expire_after_read: Option<Millis>,
    /// When an answer would come too late: 2h, 18:00, fri 17:00, 31.12.2026; a day without a clock lasts to its end
    #[arg(long, value_name = "TIME")]
    pub reply_by: Option<String>,
    /// Let this many copies be made, where the strategy counts them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=crate::bundle::COPIES_MAX as i64))]
    pub copies: Option<u16>,
    /// Keep it until this time, and let the running node send it then: 18:00, tomorrow 9:00, fri 17:00; of a day without a
    /// clock, its beginning
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

pub(super) fn tag() -> impl TypedValueParser<Value = Tag> {
    let words = PossibleValuesParser::new(Tag::ALL.map(Tag::word));
    words.map(|word| Tag::ALL.into_iter().find(|tag| tag.word() == word).expect("the possible values are the tags"))
}

pub(super) fn priority() -> impl TypedValueParser<Value = Priority> {
    let words = PossibleValuesParser::new(["urgent", "normal", "bulk"]);
    words.map(|word| parse_priority(&word).expect("the possible values are the priorities"))
}

//! Shared apps.

use clap::{Args, Subcommand};

pub(super) const APP_HELP: &str = "\
An app is a file whose name ends in .xdc, as webxdc.org defines it: whoever sends one begins it for all in the \
conversation, as with `dak send WHO -f board.xdc`. Its users tell each other what they do in it by updates, which are \
replayed in one order everywhere, however late they come.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AppArgs {
    #[command(subcommand)]
    pub what: Option<AppWhat>,
    /// Show what is said in one: the message that has it, by the first digits of its id
    pub id: Option<String>,
    /// Only what came behind this serial
    #[arg(long, value_name = "SERIAL", requires = "id", default_value_t = 0)]
    pub after: u64,
}

#[derive(Debug, Subcommand)]
pub enum AppWhat {
    /// List them
    List {
        /// Only those of the conversation with this one
        who: Option<String>,
    },
    /// Begin one that comes with dak, for all in a conversation
    Send {
        who: String,
        #[arg(value_name = "checklist|poll|text")]
        app: String,
    },
    /// Tell something in one: a JSON value that the app understands, - reads it from stdin
    Update {
        /// The message that has the app
        id: String,
        #[arg(value_name = "JSON")]
        payload: String,
        /// A line for the conversation
        #[arg(long)]
        info: Option<String>,
        /// What is being edited
        #[arg(long)]
        document: Option<String>,
        /// What stands beside the app's icon
        #[arg(long)]
        summary: Option<String>,
    },
}

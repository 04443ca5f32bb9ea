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
        /// Which of its pages the app opens from that line
        #[arg(long, value_name = "PAGE")]
        href: Option<String>,
        /// Whom of its users the app wants to be told, by their addresses within it, and what; * is everybody
        #[arg(long, value_name = "ADDRESS=TEXT", value_parser = whom)]
        notify: Vec<(String, String)>,
    },
}

fn whom(told: &str) -> Result<(String, String), &'static str> {
    let (who, text) = told.split_once('=').unwrap_or((told, ""));
    if who.is_empty() { Err("it begins with an address, or *") } else { Ok((who.to_owned(), text.to_owned())) }
}

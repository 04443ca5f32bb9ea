//! The command line: parse, run, exit code.
//!
//! Raw flags become meaning once, in [`args`]. Every command asks through a [`link::Link`], which is the running node
//! or, where that makes sense, the closed home itself. What comes back is printed either as the JSON lines of the
//! contract or as text; text never carries what somebody wrote without [`crate::safe_text`]. stdout is data, stderr is
//! talk.

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::api::model::Arranging;
use crate::api::{ApiError, Engine};
use crate::home::Home;
use crate::safe_text::{safe_block, safe_text};

mod apps;
pub mod args;
mod arrange;
mod away;
mod carry;
mod changes;
mod chat;
mod contacts;
mod demo;
mod drafts;
mod export;
mod figures;
mod files;
mod groups;
mod hooks;
mod import;
mod inbox;
mod interrupts;
mod link;
mod listing;
mod manual;
mod me;
mod network;
mod next_steps;
mod notify;
mod out;
mod outlook;
mod pager;
mod pair;
mod qr;
mod quoting;
mod search;
mod send;
mod service;
mod signals;
pub mod sim;
mod state;
mod stats;
mod status;
mod stick;
mod table;
mod talk;
#[cfg(test)]
mod tests;
mod times;
mod tokens;
mod topics;
mod transfers;
mod up;
mod web;
mod who;

use args::{Cli, Command};
use link::Link;
use out::Out;
use quoting::with_advice;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub enum Stop {
    /// It failed; the person is told.
    Error(ApiError),
    /// It did what it could and said so; the exit code tells the rest.
    Code(u8),
    /// Whoever read our output has left; nobody to tell.
    Hangup,
    /// Ctrl-C.
    Interrupted,
}

pub type Outcome = Result<(), Stop>;

/// The exit code after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Runs the command of this process's arguments.
pub fn main(engine: &dyn Engine) -> ExitCode {
    keep_own_files_open();
    ExitCode::from(run(engine, std::env::args_os()))
}

/// A umask that takes from the owner would lock a person out of what was just made for that person.
fn keep_own_files_open() {
    let owners = rustix::fs::Mode::RWXU;
    let before = rustix::process::umask(owners);
    rustix::process::umask(before.difference(owners));
}

/// Runs one command line and returns its exit code.
pub fn run(engine: &dyn Engine, line: impl IntoIterator<Item = OsString>) -> u8 {
    run_with(engine, line, Out::of_this_process)
}

fn run_with(engine: &dyn Engine, line: impl IntoIterator<Item = OsString>, out: impl Fn(bool) -> Out) -> u8 {
    let line: Vec<OsString> = line.into_iter().collect();
    let cli = match Cli::try_parse_from(&line) {
        Ok(cli) => cli,
        Err(error) => return explain(error, &line, &out(asks_for_json(&line))),
    };
    let out = out(cli.json);
    let runtime = match runtime(&cli.command) {
        Ok(runtime) => runtime,
        Err(error) => {
            return finish(&out, Err(ApiError::failure(format!("the system gives no threads: {error}")).into()));
        }
    };
    let busy = interrupts::end_what_blocks(&cli.command);
    let outcome = runtime.block_on(unless_interrupted(&cli.command, dispatch(engine, &cli, &out)));
    // A thread may still wait for a line on stdin; nobody needs it any more.
    runtime.shutdown_background();
    let code = finish(&out, outcome);
    busy.end();
    code
}

fn runtime(command: &Command) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Up(_) | Command::Bench(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

/// Whether a line that makes no sense asks for JSON all the same; what stands behind -- is another program's, or a text.
fn asks_for_json(line: &[OsString]) -> bool {
    line.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// Help goes to stdout, since it was asked for; what was mistyped to stderr, quoted in the form it has in a safe text.
fn explain(error: clap::Error, line: &[OsString], out: &Out) -> u8 {
    // Colours are escape sequences too, so what was typed is escaped before clap paints around it.
    let harmless: Vec<String> = line.iter().map(|word| safe_text(&word.to_string_lossy())).collect();
    let again = Cli::try_parse_from(&harmless).err().filter(|again| again.kind() == error.kind());
    let again = again.map(|error| with_advice(error, &harmless));
    if out.json && error.use_stderr() {
        out.error(quoting::as_an_error(again.as_ref().unwrap_or(&error)));
        return error.exit_code() as u8;
    }
    let text = match again {
        Some(again) if out.style.color => again.render().ansi().to_string(),
        Some(again) => again.render().to_string(),
        None => safe_block(&error.render().to_string()),
    };
    match error.use_stderr() {
        true => out.say(&text),
        false => drop(out.data(&text)),
    }
    error.exit_code() as u8
}

/// Ctrl-C ends a command at any point; `up`, `demo` and `chat` have things to put away first, those that send an id to tell,
/// and listen themselves.
async fn unless_interrupted(command: &Command, work: impl Future<Output = Outcome>) -> Outcome {
    use Command as C;
    if matches!(command, C::Up(_) | C::Demo(_) | C::Send(_) | C::Reply(_) | C::Forward(_) | C::Chat(_)) {
        return work.await;
    }
    tokio::select! {
        outcome = work => outcome,
        Ok(()) = tokio::signal::ctrl_c() => {
            if matches!(command, Command::Sim(_)) {
                sim::put_away();
            }
            Err(Stop::Interrupted)
        }
    }
}

async fn dispatch(engine: &dyn Engine, cli: &Cli, out: &Out) -> Outcome {
    let home = cli.home.as_deref();
    let link = || Link::to(engine, home);
    match &cli.command {
        Command::Up(args) => up::up(engine, home, args, out).await,
        Command::Down => up::down(&link()?, out).await,
        Command::Me(args) => me::me(&link()?, args, out).await,
        Command::Contact(args) => contacts::contact(&link()?, args, out).await,
        Command::Pair(args) => pair::pair(&link()?, args, out).await,
        Command::Nearby => network::nearby(&link()?, out).await,
        Command::Peers => network::peers(&link()?, out).await,
        Command::Send(args) => send::send(&link()?, args, out).await,
        Command::Reply(args) => send::reply(&link()?, args, out).await,
        Command::Forward(args) => send::forward(&link()?, args, out).await,
        Command::Inbox(args) => inbox::inbox(&link()?, args, out).await,
        Command::Read(args) => inbox::read(&link()?, args, out).await,
        Command::Talk(args) => talk::talk(&link()?, args, out).await,
        Command::Chat(args) => chat::chat(engine, home, args, out).await,
        Command::Search(args) => search::search(&link()?, args, out).await,
        Command::Unread(args) => talk::unread(&link()?, args, out).await,
        Command::Edit(args) => changes::edit(&link()?, args, out).await,
        Command::Withdraw(args) => changes::withdraw(&link()?, args, out).await,
        Command::Delete(args) => changes::delete(&link()?, &args.ids, out).await,
        Command::Renew(args) => changes::renew(&link()?, args, out).await,
        Command::React(args) => changes::react(&link()?, args, out).await,
        Command::Task(args) => changes::task(&link()?, args, out).await,
        Command::Draft(args) => drafts::draft(&link()?, args, out).await,
        Command::Requests => inbox::requests(&link()?, out).await,
        Command::Label(args) => arrange::label(&link()?, args, out).await,
        Command::Archive(args) => arrange::things(&link()?, args, Arranging::Archive, out).await,
        Command::Unarchive(args) => arrange::things(&link()?, args, Arranging::Unarchive, out).await,
        Command::Pin(args) => arrange::things(&link()?, args, Arranging::Pin, out).await,
        Command::Unpin(args) => arrange::things(&link()?, args, Arranging::Unpin, out).await,
        Command::Snooze(args) => arrange::snooze(&link()?, args, out).await,
        Command::Unsnooze(args) => arrange::things(&link()?, args, Arranging::Unsnooze, out).await,
        Command::Mute(args) => arrange::mute(&link()?, args, out).await,
        Command::Unmute(args) => arrange::unmute(&link()?, args, out).await,
        Command::App(args) => apps::app(&link()?, args, out).await,
        Command::File(args) => transfers::file(&link()?, args, out).await,
        Command::Status(args) => status::status(&link()?, args, out).await,
        Command::Cancel(args) => status::cancel(&link()?, args, out).await,
        Command::Export(args) => export::export(&link()?, args, out).await,
        Command::Import(args) => import::import(&link()?, args, out).await,
        Command::Purge(args) => export::purge(&link()?, args, out).await,
        Command::Space => export::space(&link()?, out).await,
        Command::Group(args) => groups::group(&link()?, args, out).await,
        Command::Topic(args) => topics::topic(&link()?, args, out).await,
        Command::Pub(args) => topics::publish(&link()?, args, out).await,
        Command::Sub(args) => topics::sub(&link()?, args, out).await,
        Command::Away(args) => away::away(&link()?, args, out).await,
        Command::Notify(args) => notify::notify(&link()?, args, out).await,
        Command::Hook(args) => hooks::hook(&link()?, args, out).await,
        Command::Stats => stats::stats(&link()?, out).await,
        Command::Carry(args) => carry::carry(&link()?, args, out).await,
        Command::Stick(args) => stick::stick(engine, home, args, out).await,
        Command::Service(args) => service::service(engine, home, args, out).await,
        Command::Doctor(args) => state::doctor(engine, &link()?, args, out).await,
        Command::Config(args) => state::config(&link()?, args, out).await,
        Command::Web(args) => web::web(&link()?, args, out).await,
        Command::Token(args) => tokens::token(&link()?, args, out).await,
        Command::Version => state::version(home, out).await,
        Command::Backup(args) => files::backup(&link()?, args, out).await,
        Command::Restore(args) => files::restore(engine, home, args, out).await,
        Command::Bundle(args) => files::bundle(args, out),
        Command::Demo(args) => demo::demo(args, out).await,
        Command::Bench(args) => figures::bench(args, out).await,
        Command::Sim(command) => simulate(command, cli.json).await,
        Command::Man { directory } => manual::write(directory, out),
        Command::Completions(args) => completions(args, out),
    }
}

/// Runs beside the loop that waits for Ctrl-C: a simulation computes for a while and waits for nothing.
async fn simulate(command: &sim::SimCommand, json: bool) -> Outcome {
    let command = command.clone();
    let code = tokio::task::spawn_blocking(move || sim::run(&command, json)).await;
    match code {
        Ok(0) => Ok(()),
        Ok(code) => Err(Stop::Code(code)),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn completions(args: &args::Completions, out: &Out) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut <Cli as clap::CommandFactory>::command(), "dak", &mut script);
    out.data(&String::from_utf8_lossy(&script))
}

/// Tells the person what went wrong and returns the exit code.
fn finish(out: &Out, outcome: Outcome) -> u8 {
    match outcome {
        Ok(()) | Err(Stop::Hangup) => 0,
        Err(Stop::Code(code)) => code,
        Err(Stop::Interrupted) => INTERRUPTED,
        Err(Stop::Error(error)) => {
            let code = error.kind.exit_code();
            out.error(error);
            code
        }
    }
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Stop {
        Stop::Error(error)
    }
}

/// Writing to stdout failed.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Hangup,
            _ => ApiError::failure(format!("cannot write the output: {error}")).into(),
        }
    }
}

fn find_home(dir: Option<&Path>) -> Result<Home, ApiError> {
    Ok(Home::find(dir)?)
}

/// Reads a line from the person, told what to type on stderr. Empty where there is nobody.
fn ask_person(prompt: &str) -> io::Result<String> {
    write!(io::stderr(), "{prompt}")?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Asks the person at the terminal; no answer is no.
async fn says_yes(question: String) -> Result<bool, ApiError> {
    let answer = tokio::task::spawn_blocking(move || ask_person(&question)).await;
    let answer = answer.map_err(|error| ApiError::failure(error.to_string()))?;
    let answer = answer.map_err(|error| ApiError::failure(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

//! `dak sim`: simulated runs, traces, exact answers, sweeps and comparisons.
//!
//! Nothing here needs a node or a home. A mistake in a file a person gave, and a place that cannot be written to, end with
//! exit code 2 and a sentence that says where and what to do; results go to stdout, talk to stderr.

mod bench;
mod compare;
mod differences;
mod example;
mod files;
mod fuzz;
mod gauge;
mod next_steps;
mod oracle;
mod place;
mod replay;
mod run;
mod sweep;
mod trace;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::api::{ApiError, ErrorKind};
use crate::safe_text::{safe_json, safe_text};
use crate::sim::fuzz::Actor;
use crate::sim::{InputError, NODES_MAX};

#[derive(Clone, Debug, Subcommand)]
pub enum SimCommand {
    /// Run a scenario and report what came of it
    Run(RunArgs),
    /// Print a commented scenario that runs as it is
    Example,
    /// Convert, describe and check contact traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Print the earliest possible arrival of each message
    Oracle(OracleArgs),
    /// Run every combination of some settings for some seeds
    Sweep(SweepArgs),
    /// Compare two runs or sweeps, figure by figure
    Compare(CompareArgs),
    /// Look for a seed whose faults break a promise
    Fuzz(FuzzArgs),
    /// Measure the simulator on this machine
    Bench(BenchArgs),
    /// Play a recording back and check that it gives the same outputs
    Replay(ReplayArgs),
}

#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What to run; `dak sim example` prints one
    #[arg(value_name = "SCENARIO.toml", value_hint = ValueHint::FilePath)]
    scenario: PathBuf,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write summary.json, timing.json, messages.csv and report.html here
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Put the results where those of another run are
    #[arg(long, requires = "out")]
    force: bool,
    /// Change a setting, as routing.strategy=direct
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Threads for a large world, which comes out the same for any number; absent: one a core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TraceCommand {
    /// Write a trace of any known form as The ONE's connection events
    ///
    /// Spaces, tabs, commas or semicolons may stand between the columns, a heading above them; gzip is unpacked. How ids
    /// and times were changed, and what was left out, goes to stderr.
    Convert {
        /// The trace
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// one, sociopatterns or imote; absent: by its first line
        #[arg(long, value_name = "FORM")]
        from: Option<String>,
        /// one or sociopatterns
        #[arg(long, value_name = "FORM", default_value = "one")]
        to: String,
        /// Take lines in any order of time
        #[arg(long)]
        sort: bool,
        /// Write to this file instead of stdout
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Describe a trace: nodes, contacts, how long they last and how often they come
    Stat {
        /// The trace
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// one, sociopatterns or imote; absent: by its first line
        #[arg(long, value_name = "FORM")]
        from: Option<String>,
    },
    /// Read a trace and say what is wrong with it, if anything
    Check {
        /// The trace
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// one, sociopatterns or imote; absent: by its first line
        #[arg(long, value_name = "FORM")]
        from: Option<String>,
        /// How many nodes there are; ids go from 0 to one less
        #[arg(long, value_name = "N", value_parser = nodes())]
        nodes: Option<u32>,
    },
}

#[derive(Args, Clone, Debug)]
pub struct OracleArgs {
    /// Contacts, of any form that `dak sim trace` knows
    #[arg(value_hint = ValueHint::FilePath)]
    trace: PathBuf,
    /// Messages, as lines `time C id from to size`
    #[arg(value_hint = ValueHint::FilePath)]
    workload: PathBuf,
    /// Leave out what arrives later than this after its creation, as 300min
    #[arg(long, value_name = "DURATION")]
    lifetime: Option<String>,
    /// How many nodes there are; ids go from 0 to one less
    #[arg(long, value_name = "N", value_parser = nodes())]
    nodes: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub struct SweepArgs {
    /// What to run many times
    #[arg(value_name = "SCENARIO.toml", value_hint = ValueHint::FilePath)]
    scenario: PathBuf,
    /// Try each of these strategies, as direct,epidemic,default
    #[arg(long, value_name = "NAMES")]
    strategy: Option<String>,
    /// Try each value of a setting, as bundle.lifetime=100min,300min; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUES")]
    settings: Vec<String>,
    /// Seeds, as 1-10 or 1,2,5; absent: the scenario's
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// Where the runs go; those that are there already are not made again
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Take only the I-th of N parts of the runs, as 2/5
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Print one command a run instead of running, for whatever runs commands
    #[arg(long)]
    list: bool,
    /// Runs at the same time; absent: one a core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// A directory of a run or a sweep
    #[arg(value_hint = ValueHint::DirPath)]
    a: PathBuf,
    /// Another one
    #[arg(value_hint = ValueHint::DirPath)]
    b: PathBuf,
    /// Take A as what it should be: print what B changes, and fail if it changes anything
    #[arg(long)]
    baseline: bool,
}

#[derive(Args, Clone, Debug)]
pub struct FuzzArgs {
    /// How many seeds to try
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "FIRST", default_value_t = 1)]
    seed: u64,
    /// Seeds at the same time; absent: one a core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Hostile nodes of this kind in every world, and of no other: liars, stallers, capturers or poisoners
    #[arg(long, value_name = "KIND", value_parser = actor)]
    actor: Vec<Actor>,
}

fn actor(name: &str) -> Result<Actor, String> {
    let found = Actor::ALL.into_iter().find(|actor| actor.to_string() == name);
    found.ok_or_else(|| format!("there are {}", Actor::ALL.map(|actor| actor.to_string()).join(", ")))
}

#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// A folder of real traces, NAME.txt with workloads/NAME.txt
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    traces: Option<PathBuf>,
    /// Also see how far ten thousand nodes get, for so many simulated hours
    #[arg(long, value_name = "HOURS")]
    large: Option<u64>,
}

#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// What `dak up --record` wrote
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Write a recording of the same inputs with the outputs of today, once the difference is meant
    #[arg(long, value_name = "NEW", value_hint = ValueHint::FilePath)]
    renew: Option<PathBuf>,
}

/// Why a command ends without its result.
#[derive(Debug)]
enum Stop {
    /// Bad input, or a place that cannot be written to.
    Refused(String),
    /// It ran, and the answer is no.
    Failed(String),
    /// Whoever read our output has left.
    Hangup,
}

type Outcome = Result<(), Stop>;

/// Makes an end of whatever runs, for a process that was interrupted: nothing half-written, no bar on the terminal.
pub fn put_away() {
    place::put_away();
    gauge::put_away();
}

/// Runs one command and returns its exit code.
pub fn run(command: &SimCommand, json: bool) -> u8 {
    let outcome = match command {
        SimCommand::Run(args) => run::run(args, json),
        SimCommand::Example => example::example(),
        SimCommand::Trace(command) => trace::trace(command, json),
        SimCommand::Oracle(args) => oracle::oracle(args, json),
        SimCommand::Sweep(args) => sweep::sweep(args, json),
        SimCommand::Compare(args) => compare::compare(args, json),
        SimCommand::Fuzz(args) => fuzz::fuzz(args, json),
        SimCommand::Bench(args) => bench::bench(args, json),
        SimCommand::Replay(args) => replay::replay(args, json),
    };
    let (code, said) = match outcome {
        Ok(()) | Err(Stop::Hangup) => return 0,
        Err(Stop::Refused(said)) => (2, said),
        Err(Stop::Failed(said)) => (1, said),
    };
    let line = match json {
        true => {
            let kind = if code == 2 { ErrorKind::Usage } else { ErrorKind::Failure };
            let report = ApiError::new(kind, said).report();
            safe_json(&serde_json::to_string(&report).expect("an error is text and numbers"))
        }
        false => format!("dak: {}", safe_text(&said)),
    };
    let _ = writeln!(io::stderr(), "{line}");
    code
}

/// As many nodes as a scenario may have.
fn nodes() -> impl clap::builder::TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(2..=NODES_MAX.into())
}

/// Starting more threads than this takes longer than what they would do.
const JOBS_MAX: usize = 1_024;

/// So many threads; absent: one a core.
fn threads(jobs: Option<usize>) -> Result<rayon::ThreadPool, Stop> {
    if let Some(jobs) = jobs.filter(|jobs| *jobs > JOBS_MAX) {
        return Err(Stop::Refused(format!("--jobs {jobs}: write at most {JOBS_MAX}, or leave it out for one a core")));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build();
    pool.map_err(|why| Stop::Failed(format!("the system gives no threads: {why}")))
}

/// Writes a result to stdout, be it JSON or text; names of files and of runs come from anywhere.
fn print(text: impl fmt::Display) -> Outcome {
    let mut stdout = io::stdout().lock();
    stdout.write_all(safe_json(&text.to_string()).as_bytes()).and_then(|()| stdout.flush())?;
    Ok(())
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Stop {
        Stop::Refused(next_steps::in_commands(&error))
    }
}

/// Writing to stdout failed.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Hangup,
            _ => Stop::Failed(format!("the output cannot be written: {error}")),
        }
    }
}

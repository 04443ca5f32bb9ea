//! The simulator: the same agent in virtual time, fed by contacts, a workload and a scenario.
//!
//! What is here answers four questions before any agent runs, and one after:
//!
//! - *Who meets whom, and when?* [`trace`] reads contacts from files, [`generate`] makes them from a seed. Either way
//!   they are a stream of [`trace::ContactEvent`] in one order: time, down before up, then the pair.
//! - *Who writes to whom?* [`workload`], from a file or from a rate.
//! - *What is being tried?* [`scenario`], a TOML file in which every key is checked.
//! - *What is the best any strategy could do?* [`oracle`], exactly.
//! - *What came of it?* [`report`], from plain numbers to text, JSON, CSV and one page of HTML.
//!
//! Times are whole microseconds from the start of the run. Nothing here reads a clock, a disk or entropy: files come in
//! as bytes or as a [`std::io::BufRead`], and every random number comes from a [`random::Stream`] that is named.

pub mod bench;
mod catalog;
pub mod compare;
pub mod fuzz;
pub mod generate;
pub mod link;
pub mod mistake;
mod numbers;
pub mod oracle;
pub mod random;
pub mod recognise;
pub mod report;
pub mod run;
pub mod scenario;
pub mod seconds;
pub mod sweep;
pub mod trace;
pub mod workload;
pub mod world;

pub use mistake::{InputError, Mistake};
pub use scenario::Scenario;
pub use trace::{Change, Contact, ContactEvent, Trace};
pub use workload::Message;

/// A commented scenario that runs as it is: `dak sim example` prints it.
pub const EXAMPLE: &str = include_str!("sim/example.toml");
/// Most nodes of one run; a larger id in a file is taken for a mistake.
pub const NODES_MAX: u32 = 1_000_000;
/// Latest time in a file: 10^10 seconds, which leaves room for Unix times and for sums.
pub const TIME_US_MAX: u64 = 10_000_000_000_000_000;

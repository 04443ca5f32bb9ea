//! Small runs from text, and random ones from a seed.

use std::io;

use dak::sim::random::Stream;
use dak::sim::scenario::{Loaded, Scenario};
use dak::sim::trace::{Contact, Trace, write_events};
use dak::sim::world::{Outcome, Threads, World};
use dak::sim::{Message, workload};

/// A scenario over a trace and a workload given as text; `rest` is the scenario after them.
pub fn load(trace: &str, messages: &str, rest: &str) -> Loaded {
    let text = format!("[contacts]\ntrace = \"t\"\n[workload]\nfile = \"w\"\n{rest}");
    let mut read = |path: &str| match path {
        "t" => Ok(trace.as_bytes().to_vec()),
        "w" => Ok(messages.as_bytes().to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    Scenario::parse("test.toml", &text, &[]).and_then(|scenario| scenario.load(&mut read)).expect("a good scenario")
}

pub fn ideal(strategy: &str) -> String {
    format!("[link]\nmodel = \"ideal\"\n[routing]\nstrategy = \"{strategy}\"\n")
}

pub fn run(loaded: &Loaded) -> Outcome {
    World::new(loaded, Threads::One).finish()
}

/// Shapes of random runs.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub nodes: u32,
    pub contacts: u64,
    pub messages: u64,
    /// The run's length, and the grid that all its times lie on, in milliseconds.
    pub span_ms: u64,
    pub grid_ms: u64,
    pub longest_ms: u64,
}

/// Contacts and messages as text, drawn from a seed. A coarse grid makes many events of one instant, contacts of no
/// gap and messages written as contacts change.
pub fn draw(shape: Shape, seed: u64) -> (String, String) {
    let mut draw = Stream::new(seed, "test", 0);
    let grid_us = shape.grid_ms * 1_000;
    let mut time = |below_ms: u64| draw.below(below_ms / shape.grid_ms + 1) * grid_us;
    let spans: Vec<(u64, u64)> = (0..shape.contacts)
        .map(|_| {
            let up_us = time(shape.span_ms);
            (up_us, up_us + grid_us + time(shape.longest_ms))
        })
        .collect();
    let creations: Vec<u64> = (0..shape.messages).map(|_| time(shape.span_ms)).collect();
    let mut pair = || {
        let a = draw.below(u64::from(shape.nodes)) as u32;
        let b = draw.below(u64::from(shape.nodes) - 1) as u32;
        (a, if b >= a { b + 1 } else { b })
    };
    let mut contacts: Vec<Contact> = Vec::new();
    for (up_us, down_us) in spans {
        let (a, b) = pair();
        let contact = Contact { up_us, a: a.min(b), b: a.max(b), down_us };
        let overlaps = |other: &Contact| {
            (other.a, other.b) == (contact.a, contact.b)
                && other.up_us < contact.down_us
                && contact.up_us < other.down_us
        };
        if !contacts.iter().any(overlaps) {
            contacts.push(contact);
        }
    }
    let mut messages: Vec<Message> = creations
        .into_iter()
        .zip(0..)
        .map(|(create_us, number): (u64, u32)| {
            let (from, to) = pair();
            Message { id: format!("M{number}"), create_us, from, to, size: 1_000, ..Message::default() }
        })
        .collect();
    messages.sort_by_key(|message| message.create_us);
    let trace = Trace::of(shape.nodes, contacts);
    (write_events(trace.events()), workload::write(&messages))
}

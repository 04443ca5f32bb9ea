//! One run from a loaded scenario to its report.

use crate::sim::oracle::flow::{self, Pipe, Whole};
use crate::sim::oracle::{self, Arrival, Travel};
use crate::sim::report::{Head, Report, Summary};
use crate::sim::scenario::{Link, Loaded, Rated};
use crate::sim::workload::Message;
use crate::sim::world::{Threads, World};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub events: u64,
    pub now_us: u64,
    pub end_us: u64,
}

/// Runs a scenario and reports. `text` is the scenario as written, `commit` the code that runs it; both only go into the
/// report's head.
pub fn run(loaded: &Loaded, text: &str, commit: &str, threads: Threads, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut world = World::new(loaded, threads);
    while world.advance() {
        progress(Progress { events: world.events(), now_us: world.now_us(), end_us: world.end_us() });
    }
    let outcome = world.finish();
    let mut tally = outcome.tally;
    let arrivals = ceiling(loaded);
    for (row, arrival) in tally.rows.iter_mut().zip(arrivals) {
        (row.earliest_us, row.direct_us) = (arrival.earliest_us, arrival.direct_us);
    }
    let head = Head {
        contacts: outcome.contacts,
        events: tally.events,
        event_hash: outcome.event_hash,
        ..Head::of(loaded, text, commit)
    };
    let summary = Summary::of(&tally.counters, &tally.rows, &tally.occupancy, &tally.load, loaded.duration_us);
    Report {
        head,
        summary,
        messages: tally.rows,
        occupancy: tally.occupancy,
        load: tally.load,
        contacts: tally.contacts,
        moves: tally.moves,
        sweep: None,
    }
}

/// The earliest possible arrival of every message of a run, in order.
pub fn ceiling(loaded: &Loaded) -> Vec<Arrival> {
    let travel = match loaded.scenario.link {
        Link::Ideal | Link::Rate(_) => Travel::AtOnce,
        Link::Stick(_) => Travel::Carried,
    };
    let solve = |messages: &[Message], lifetime_us: Option<u64>| {
        oracle::solve_for(travel, loaded.nodes, loaded.events(), messages, lifetime_us)
    };
    let mut arrivals = solve(&loaded.messages, loaded.scenario.bundle.lifetime_us);
    let is_file = |message: &Message| message.channel.is_file();
    if !loaded.messages.iter().any(is_file) {
        return arrivals;
    }
    // A part whose life is over goes again, so a file has as much time as there is.
    for (arrival, (message, late)) in arrivals
        .iter_mut()
        .zip(loaded.messages.iter().zip(solve(&loaded.messages, None)))
        .filter(|(_, (m, _))| is_file(m))
    {
        *arrival = late;
        let Link::Rate(Rated { bytes_per_second, setup_us, .. }) = loaded.scenario.link else { continue };
        let Message { from, to, size: bytes, create_us, .. } = *message;
        let store_bytes = loaded.scenario.store.quota_bytes;
        let (pipe, file) = (Pipe { bytes_per_second, setup_us, store_bytes }, Whole { from, to, bytes, create_us });
        arrival.earliest_us = flow::earliest_us(loaded.nodes, loaded.events(), pipe, file);
    }
    arrivals
}

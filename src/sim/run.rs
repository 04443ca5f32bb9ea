//! One run from a loaded scenario to its report.

use crate::sim::oracle;
use crate::sim::report::{Head, Report, Summary};
use crate::sim::scenario::Loaded;
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
    let lifetime_us = loaded.scenario.bundle.lifetime_us;
    let arrivals = oracle::solve(loaded.nodes, loaded.events(), &loaded.messages, lifetime_us);
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

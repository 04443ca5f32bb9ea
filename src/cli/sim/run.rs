//! `dak sim run`.

use super::files::{self, setting};
use super::gauge::{Bar, Gauge};
use super::place::Place;
use super::{Outcome, RunArgs, print, threads};
use crate::sim::report::{self, Report, summary_json};
use crate::sim::run::run as simulate;
use crate::sim::world::Threads;

pub fn run(args: &RunArgs, json: bool) -> Outcome {
    let settings = args.settings.iter().map(|text| setting(text)).collect::<Result<Vec<_>, _>>()?;
    let place = args.out.as_deref().map(Place::check).transpose()?;
    let gauge = Gauge::start(Threads::Pool);
    let found = files::load(&args.scenario, &settings, args.seed)?;
    if let Some(out) = args.out.as_deref().filter(|_| !args.force) {
        files::keep_other(out, &found.loaded)?;
    }
    let bar = Bar::new(json);
    let mut progress = |progress| bar.at(progress);
    let run = || simulate(&found.loaded, &found.text, files::commit(), Threads::Pool, &mut progress);
    let report = threads(args.jobs)?.install(run);
    bar.clear();
    if let Some(place) = &place {
        let cost = gauge.read();
        place.write(&files::of_run(&report, cost.json(report.head.events)))?;
    }
    print(if json { line(&report) } else { report::text(&report) })
}

/// The summary as one line.
fn line(report: &Report) -> String {
    let summary = summary_json(report);
    let lines: Vec<&str> = summary.lines().map(str::trim).collect();
    format!("{}\n", lines.concat().replacen('{', "{\"schema\": 1,", 1))
}

//! `dak sim bench`.

use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;

use super::gauge::{Bar, Cost, Gauge, signature_cost};
use super::{BenchArgs, Outcome, Stop, print};
use crate::sim::bench::{
    Case, STRATEGIES, THE_ONE_HT09_SECONDS, TRACES_SECONDS, generated, multitude, traced, walkers,
};
use crate::sim::report::Report;
use crate::sim::run::run as simulate;
use crate::sim::scenario::Scenario;
use crate::sim::world::Threads;

const TRACES: [&str; 3] = ["ht09", "hospital-lyon", "primaryschool"];

struct Measured {
    case: Case,
    cost: Cost,
    threads: Threads,
    report: Report,
}

pub fn bench(args: &BenchArgs, json: bool) -> Outcome {
    if !json {
        print(format_args!(
            "{:<30} {:>9} {:>11} {:>10} {:>9}  {}\n",
            "run", "CPU s", "events", "events/s", "delivered", "goal"
        ))?;
    }
    let names: &[&str] = if args.traces.is_some() { &TRACES } else { &[] };
    let mut cases: Vec<Case> =
        names.iter().flat_map(|name| STRATEGIES.map(|strategy| traced(name, strategy))).collect();
    if cases.is_empty() {
        cases = STRATEGIES.map(generated).to_vec();
    }
    let folder = args.traces.as_deref().unwrap_or(Path::new(""));
    let whole = std::time::Instant::now();
    let measured: Vec<Measured> =
        cases.into_par_iter().map(|case| measure(case, folder, Threads::One, true)).collect::<Result<_, _>>()?;
    let wall = whole.elapsed().as_secs_f64();
    measured.iter().try_for_each(|one| row(one, json))?;
    let cpu: f64 = measured.iter().map(|one| one.cost.cpu.as_secs_f64()).sum();
    let at_once = rayon::current_num_threads();
    total("these together", cpu, wall, at_once, args.traces.is_some().then_some(TRACES_SECONDS), json)?;
    if let Some(ht09) = measured.iter().find(|one| one.case.name == "ht09, epidemic") {
        the_one(ht09, json)?;
    }
    row(&measure(walkers(), folder, Threads::Pool, json)?, json)?;
    if let Some(hours) = args.large {
        row(&measure(multitude(hours), folder, Threads::Pool, json)?, json)?;
    }
    Ok(())
}

fn measure(case: Case, folder: &Path, threads: Threads, quiet: bool) -> Result<Measured, Stop> {
    let mut read = |path: &str| -> io::Result<Vec<u8>> { fs::read(folder.join(path)) };
    let gauge = Gauge::start(threads);
    let loaded = Scenario::parse(&case.name, &case.scenario, &[])?.load(&mut read)?;
    let bar = Bar::new(quiet);
    let report = simulate(&loaded, &case.scenario, super::files::commit(), threads, &mut |progress| bar.at(progress));
    bar.clear();
    Ok(Measured { cost: gauge.read(), threads, case, report })
}

fn row(measured: &Measured, json: bool) -> Outcome {
    let Measured { case, cost, threads, report } = measured;
    let threads = match threads {
        Threads::One => 1,
        Threads::Pool => rayon::current_num_threads(),
    };
    let wall = cost.wall.as_secs_f64();
    let (cpu, events) = (cost.cpu.as_secs_f64(), report.head.events);
    let (rate, summary) = (cost.events_per_second(events), &report.summary);
    let bundles = report.occupancy.iter().map(|sample| sample.bundles).max().unwrap_or(0);
    if json {
        let value = serde_json::json!({
            "schema": 1, "run": case.name, "cpu_seconds": cpu, "wall_seconds": wall, "threads": threads,
            "events": events, "events_per_second": rate,
            "contacts": report.head.contacts, "delivered": summary.delivered, "peak_memory_bytes": cost.peak_bytes,
            "bundles_held_max": bundles, "nodes": report.head.nodes, "goal_seconds": case.goal_seconds,
        });
        return print(format_args!("{value}\n"));
    }
    let goal = case.goal_seconds.map_or(String::new(), |goal| format!("{goal} s by the clock"));
    print(format_args!("{:<30} {cpu:>9.2} {events:>11} {rate:>10} {:>9}  {goal}\n", case.name, summary.delivered))?;
    match cost.peak_bytes {
        Some(peak) if report.head.nodes >= 1_000 => print(format_args!(
            "{:<30} {wall:.1} s by the clock on {threads} threads; {} contacts\n\
            {:<30} {} MB at most: {} bytes a node, {} a bundle held (at most {bundles} at once)\n",
            "",
            report.head.contacts,
            "",
            peak / 1_000_000,
            peak / u64::from(report.head.nodes),
            peak / bundles.max(1),
        )),
        _ => Ok(()),
    }
}

fn total(name: &str, cpu: f64, wall: f64, at_once: usize, goal: Option<u64>, json: bool) -> Outcome {
    if json {
        let value = serde_json::json!({
            "schema": 1, "run": name, "cpu_seconds": cpu, "wall_seconds": wall, "threads": at_once, "goal_seconds": goal,
        });
        return print(format_args!("{value}\n"));
    }
    let goal = goal.map_or(String::new(), |goal| format!(", {goal} s were promised on two cores"));
    print(format_args!("{name:<30} {cpu:>9.2} CPU s, {wall:.2} s by the clock on {at_once} threads{goal}\n"))
}

/// The ONE makes no signatures, so what ours take is reckoned apart: one for each message, receipt and node's key.
fn the_one(ht09: &Measured, json: bool) -> Outcome {
    let cpu = ht09.cost.cpu.as_secs_f64();
    let summary = &ht09.report.summary;
    let signatures = summary.created + summary.receipts_created + u64::from(ht09.report.head.nodes);
    let signing = signature_cost().as_secs_f64() * signatures as f64;
    let times = |seconds: f64| THE_ONE_HT09_SECONDS as f64 / seconds.max(1e-6);
    let (all, apart) = (times(cpu), times(cpu - signing));
    if json {
        let value = serde_json::json!({
            "schema": 1, "run": "The ONE against this, ht09, epidemic", "times": all,
            "signatures": signatures, "signature_seconds": signing, "times_without_signatures": apart,
        });
        return print(format_args!("{value}\n"));
    }
    print(format_args!(
        "{:<30} {all:>9.0} times the CPU; {apart:.0} times without the {signatures} signatures, which take {signing:.2} s\n",
        "The ONE, ht09, epidemic"
    ))
}

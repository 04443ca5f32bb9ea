//! `dak sim sweep`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::files::{self, figure_names};
use super::gauge::{Bar, Gauge};
use super::place::Place;
use super::{Outcome, Stop, SweepArgs, print, threads};
use crate::sim::report::{Report, page};
use crate::sim::run::run as simulate;
use crate::sim::scenario::{Bundles, Scenario, Store};
use crate::sim::sweep::{Axis, Made, Planned, Shard, csv, parse_seeds, plan, run_name, summed_up};
use crate::sim::world::Threads;

/// A run with the place of its results.
struct Named {
    planned: Planned,
    name: String,
    path: PathBuf,
    store: Store,
    bundle: Bundles,
}

pub fn sweep(args: &SweepArgs, json: bool) -> Outcome {
    let axes = axes(args)?;
    let twice = axes.iter().enumerate().find(|(place, axis)| axes[..*place].iter().any(|other| other.key == axis.key));
    if let Some((_, axis)) = twice {
        let key = &axis.key;
        return Err(Stop::Refused(format!("{key} is swept twice; name it once, with all its values as {key}=A,B,C")));
    }
    let shard = match &args.shard {
        Some(text) => Shard::parse(text)
            .ok_or_else(|| Stop::Refused(format!("--shard {text}: write I/N with I from 1 to N, as 2/5")))?,
        None => Shard::WHOLE,
    };
    let seeds = match &args.seeds {
        Some(text) => parse_seeds(text)
            .ok_or_else(|| Stop::Refused(format!("--seeds {text}: write numbers and ranges, as 1-10 or 1,2,5")))?,
        None => vec![files::load(&args.scenario, &[], None)?.loaded.scenario.seed],
    };
    let planned = plan(&axes, &seeds).ok_or_else(|| Stop::Refused("that is more than a million runs".into()))?;
    let pool = threads(args.jobs)?;
    let named: Vec<Vec<Named>> = pool.install(|| {
        planned.par_chunks(seeds.len()).map(|planned| named(args, planned)).collect::<Result<Vec<_>, _>>()
    })?;
    let named: Vec<Named> = named.into_iter().flatten().collect();
    if args.list {
        let lines =
            named.iter().enumerate().filter(|(place, _)| shard.takes(*place)).map(|(_, run)| command(args, run));
        return print(lines.collect::<String>());
    }
    Place::check(&args.out)?;
    if args.out.join("summary.json").is_file() {
        let name = args.out.display();
        return Err(Stop::Refused(format!("{name} holds a single run; name another place for the sweep with --out")));
    }
    let mine: Vec<&Named> =
        named.iter().enumerate().filter(|(place, _)| shard.takes(*place)).map(|(_, run)| run).collect();
    pool.install(|| make(args, &mine, json))?;
    let done = pool.install(|| {
        // Another shard may end at the same time, and whoever writes last should have seen all.
        loop {
            let reported = report(args, &axes, &named)?;
            if reported == named.iter().filter(|run| is_done(&run.path)).count() {
                return Ok::<usize, Stop>(reported);
            }
        }
    })?;
    let summary = match json {
        true => format!("{}\n", serde_json::json!({ "schema": 1, "runs": named.len(), "done": done })),
        false => format!("{done} of {} runs are in {}\n", named.len(), args.out.display()),
    };
    print(summary)
}

fn axes(args: &SweepArgs) -> Result<Vec<Axis>, Stop> {
    let strategies = args.strategy.iter().map(|names| format!("routing.strategy={names}"));
    let texts = strategies.chain(args.settings.iter().cloned());
    texts
        .map(|text| {
            let said = || format!("--set {text}: write KEY=VALUE,VALUE, as bundle.lifetime=100min,300min");
            match Axis::parse(&text).ok_or_else(|| Stop::Refused(said()))? {
                axis if axis.key == "seed" => {
                    Err(Stop::Refused(format!("--set {text}: seeds have their own option, as --seeds 1-10")))
                }
                axis => Ok(axis),
            }
        })
        .collect()
}

/// Names the runs of one combination: their seeds are all that they differ in.
fn named(args: &SweepArgs, planned: &[Planned]) -> Result<Vec<Named>, Stop> {
    let Some(first) = planned.first() else { return Ok(Vec::new()) };
    let found = files::load(&args.scenario, &first.settings, Some(first.seed))?;
    let named = |planned: &Planned| {
        let name = run_name(&found.loaded.hash, planned.seed, files::commit());
        let path = args.out.join("runs").join(&name);
        let Scenario { store, bundle, .. } = &found.loaded.scenario;
        Named { planned: planned.clone(), name, path, store: *store, bundle: *bundle }
    };
    Ok(planned.iter().map(named).collect())
}

/// The command that makes one run by itself, as this one was called.
fn command(args: &SweepArgs, run: &Named) -> String {
    let settings =
        run.planned.settings.iter().map(|(key, value)| format!(" --set {}", quoted(&format!("{key}={value}"))));
    format!(
        "{} sim run {} --seed {}{} --out {}\n",
        quoted(&std::env::args().next().unwrap_or_else(|| "dak".to_owned())),
        quoted(&args.scenario.display().to_string()),
        run.planned.seed,
        settings.collect::<String>(),
        quoted(&run.path.display().to_string())
    )
}

/// Quotes for a shell where that is needed.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-=%:,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// A run's summary is written last.
fn is_done(path: &Path) -> bool {
    path.join("summary.json").is_file()
}

/// Makes the runs that are not there yet.
fn make(args: &SweepArgs, runs: &[&Named], json: bool) -> Outcome {
    let mut missing: Vec<&Named> = runs.iter().copied().filter(|run| !is_done(&run.path)).collect();
    missing.sort_by(|one, other| one.name.cmp(&other.name));
    missing.dedup_by(|one, other| one.name == other.name);
    let (made, of) = (AtomicUsize::new(0), missing.len());
    let bar = Bar::new(json);
    missing.par_iter().try_for_each(|run| {
        make_one(args, run)?;
        bar.count(made.fetch_add(1, Ordering::Relaxed) + 1, of);
        Ok::<(), Stop>(())
    })?;
    bar.clear();
    Ok(())
}

fn make_one(args: &SweepArgs, run: &Named) -> Result<Report, Stop> {
    let gauge = Gauge::start(Threads::One);
    let found = files::load(&args.scenario, &run.planned.settings, Some(run.planned.seed))?;
    let report = simulate(&found.loaded, &found.text, files::commit(), Threads::One, &mut |_| {});
    let place = Place::check(&run.path)?;
    place.write(&files::of_run(&report, gauge.read().json(report.head.events)))?;
    Ok(report)
}

/// One table of all runs that are there, and once they all are, one page of the whole; returns how many are there.
fn report(args: &SweepArgs, axes: &[Axis], runs: &[Named]) -> Result<usize, Stop> {
    let mut rows: Vec<Made> = Vec::new();
    let mut order = Vec::new();
    for run in runs.iter().filter(|run| is_done(&run.path)) {
        let text = String::from_utf8_lossy(&files::read(&run.path.join("summary.json"))?).into_owned();
        let summary: serde_json::Value = serde_json::from_str(&text).map_err(|why| {
            Stop::Refused(format!("{}/summary.json: {why}; remove that run, and it is made again", run.path.display()))
        })?;
        if rows.is_empty() {
            order = figure_names(&summary, &text);
        }
        rows.push(made(run, &summary));
    }
    let place = Place::check(&args.out)?;
    let mut files = vec![("sweep.csv", csv(axes, &order, &rows))];
    if let Some(first) = runs.first().filter(|_| rows.len() == runs.len()) {
        let found = files::load(&args.scenario, &first.planned.settings, Some(first.planned.seed))?;
        let report = simulate(&found.loaded, &found.text, files::commit(), Threads::Pool, &mut |_| {});
        files.push(("report.html", page(&Report { sweep: Some(summed_up(axes, &rows)), ..report })));
    }
    place.write(&files)?;
    Ok(rows.len())
}

fn made(run: &Named, summary: &serde_json::Value) -> Made {
    let figures = summary.as_object().into_iter().flatten().filter(|(_, value)| value.is_number());
    Made {
        name: run.name.clone(),
        planned: run.planned.clone(),
        strategy: summary["strategy"].as_str().unwrap_or_default().to_owned(),
        lifetime_us: run.bundle.lifetime_us,
        quota_bytes: run.store.quota_bytes,
        figures: figures.map(|(name, value)| (name.clone(), value.to_string())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_change_is_quoted() {
        assert_eq!(quoted("runs/a-1.toml"), "runs/a-1.toml");
        assert_eq!(quoted("it's [1, 2]"), "'it'\\''s [1, 2]'");
    }
}

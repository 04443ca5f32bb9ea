//! `dak sim sweep`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::files::{self, figure_names};
use super::gauge::{Bar, Gauge};
use super::place::Place;
use super::{Outcome, Stop, SweepArgs, print, threads};
use crate::sim::compare::Interval;
use crate::sim::report::{Curves, Decimal, Report, Sweep, SweepLine, Swept, Table, csv_field, page};
use crate::sim::run::run as simulate;
use crate::sim::scenario::{Bundles, Scenario, Store};
use crate::sim::sweep::{Axis, Planned, Shard, parse_seeds, plan, run_name};
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

/// A run that is there, and its figures.
type Made<'a> = (&'a Named, serde_json::Value);

/// One table of all runs that are there, and once they all are, one page of the whole; returns how many are there.
fn report(args: &SweepArgs, axes: &[Axis], runs: &[Named]) -> Result<usize, Stop> {
    let mut rows: Vec<Made> = Vec::new();
    let mut order = Vec::new();
    for run in runs.iter().filter(|run| is_done(&run.path)) {
        let text = String::from_utf8_lossy(&files::read(&run.path.join("summary.json"))?).into_owned();
        let summary = serde_json::from_str(&text).map_err(|why| {
            Stop::Refused(format!("{}/summary.json: {why}; remove that run, and it is made again", run.path.display()))
        })?;
        if rows.is_empty() {
            order = figure_names(&summary, &text);
        }
        rows.push((run, summary));
    }
    let place = Place::check(&args.out)?;
    let mut files = vec![("sweep.csv", table(axes, &order, &rows))];
    if let Some(first) = runs.first().filter(|_| rows.len() == runs.len()) {
        let found = files::load(&args.scenario, &first.planned.settings, Some(first.planned.seed))?;
        let report = simulate(&found.loaded, &found.text, files::commit(), Threads::Pool, &mut |_| {});
        let note =
            format!("{} runs. Averages, and how far the true ones may lie from them with 95 % confidence.", rows.len());
        let sweep = Sweep { note, curves: curves(axes, &rows), table: combinations(axes, &rows) };
        files.push(("report.html", page(&Report { sweep: Some(sweep), ..report })));
    }
    place.write(&files)?;
    Ok(rows.len())
}

/// One line a run: its name, its seed, its settings, its figures.
fn table(axes: &[Axis], figures: &[String], rows: &[Made]) -> String {
    let keys = axes.iter().map(|axis| axis.key.as_str()).chain(figures.iter().map(|name| name.as_str()));
    let mut text = format!("run,seed,{}\n", keys.collect::<Vec<_>>().join(","));
    for (run, summary) in rows {
        let settings = run.planned.settings.iter().map(|(_, value)| csv_field(value));
        let values = figures.iter().map(|name| match &summary[name.as_str()] {
            serde_json::Value::Null => String::new(),
            value => value.to_string(),
        });
        let cells: Vec<String> = settings.chain(values).collect();
        text.push_str(&format!("{},{},{}\n", run.name, run.planned.seed, cells.join(",")));
    }
    text
}

/// One row a combination, in the order of the plan.
fn combinations(axes: &[Axis], rows: &[Made]) -> Table {
    let figures = ["runs", "delivered", "possible", "median delay", "overhead", "dropped"].map(str::to_owned);
    let names = axes.iter().map(|axis| axis.key.clone()).chain(figures).collect();
    let same = |(one, _): &Made, (next, _): &Made| one.planned.settings == next.planned.settings;
    let row = |runs: &[Made]| {
        let mean = |figure: &str, times: f64, unit: &str| {
            let values = runs.iter().filter_map(|(_, summary)| Some(summary[figure].as_f64()? * times));
            Interval::of(&values.collect::<Vec<_>>()).map_or("–".to_owned(), |interval| with_unit(interval, unit))
        };
        let settings = runs[0].0.planned.settings.iter().map(|(_, value)| value.clone());
        let figures = [
            runs.len().to_string(),
            mean("delivery_prob", 100.0, "%"),
            mean("ceiling_prob", 100.0, "%"),
            mean("latency_med", 1.0 / 60.0, "min"),
            mean("overhead_ratio", 1.0, ""),
            mean("dropped", 1.0, ""),
        ];
        settings.chain(figures).collect()
    };
    Table { names, rows: rows.chunk_by(same).map(row).collect() }
}

fn with_unit(interval: Interval, unit: &str) -> String {
    let mean = format!("{:.1} {unit}", interval.mean);
    match interval.half_width {
        Some(half_width) => format!("{} ± {half_width:.1}", mean.trim_end()),
        None => mean.trim_end().to_owned(),
    }
}

/// Delivery against lifetime and against quota, where either takes several values: one line a strategy, and the ceiling.
fn curves(axes: &[Axis], rows: &[Made]) -> Vec<Curves> {
    let swept = [("bundle.lifetime", Swept::Lifetime), ("store.quota_bytes", Swept::Quota)];
    let several = |key: &str| axes.iter().any(|axis| axis.key == key && axis.values.len() > 1);
    let curves = swept.into_iter().filter(|(key, _)| several(key));
    curves.map(|(_, what)| Curves { what, lines: lines(what, rows) }).collect()
}

fn lines(what: Swept, rows: &[Made]) -> Vec<SweepLine> {
    let mut points: BTreeMap<(String, u64), Vec<f64>> = BTreeMap::new();
    for (run, summary) in rows {
        let at = match what {
            Swept::Lifetime => run.bundle.lifetime_us,
            Swept::Quota => run.store.quota_bytes,
        };
        let Some(at) = at else { continue };
        let strategy = summary["strategy"].as_str().unwrap_or_default().to_owned();
        for (name, figure) in [(strategy, "delivery_prob"), ("ceiling".to_owned(), "ceiling_prob")] {
            points.entry((name, at)).or_default().extend(summary[figure].as_f64());
        }
    }
    let mut lines: Vec<SweepLine> = Vec::new();
    for ((name, at), values) in points.into_iter().filter(|(_, values)| !values.is_empty()) {
        let mean = (values.iter().sum::<f64>() / values.len() as f64 * 1e6) as i128;
        let Some(share) = Decimal::ratio(mean, 1_000_000) else { continue };
        match lines.last_mut().filter(|line| line.name == name) {
            Some(line) => line.points.push((at, share)),
            None => lines.push(SweepLine { name, points: vec![(at, share)] }),
        }
    }
    lines
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

//! `dak sim compare`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;

use super::differences::{Difference, Origin, differences, incomparable};
use super::files::{figure_names, read};
use super::{CompareArgs, Outcome, Stop, print};
use crate::sim::compare::{Interval, paired};

/// What is compared: runs of one scenario and strategy under the same settings.
#[derive(Default)]
struct Group {
    /// Scenario and strategy, for people.
    name: String,
    /// What it has in common with the other strategies under the same settings.
    world: String,
    origin: Origin,
    figures: BTreeMap<String, Vec<(u64, f64)>>,
    /// The hash over all events of each seed's run.
    events: BTreeMap<u64, String>,
}

pub fn compare(args: &CompareArgs, json: bool) -> Outcome {
    let (a, b) = (Runs::find(&args.a)?, Runs::find(&args.b)?);
    let pairs = a.pair(&b)?;
    let mut text = String::new();
    let mut changed = false;
    let is_same_place = fs::canonicalize(&args.a).is_ok_and(|a| fs::canonicalize(&args.b).is_ok_and(|b| a == b));
    if is_same_place && !args.baseline && !json {
        text.push_str("A and B are one directory, so nothing can differ\n");
    }
    for (name, (one, other)) in &pairs {
        let lines = figures(&a.figures, one, other, args.baseline);
        let strays = if args.baseline { strays(one, other) } else { Vec::new() };
        changed |= !lines.is_empty() || !strays.is_empty();
        strays.iter().for_each(|stray| text.push_str(&stray.shown(name, json)));
        let differ = differences(&one.origin, &other.origin);
        if json {
            if !differ.is_empty() && !lines.is_empty() {
                text.push_str(&differences_json(name, &differ));
            }
            lines.iter().for_each(|line| text.push_str(&line.json(name)));
        } else if !lines.is_empty() {
            writeln!(text, "{name}: {} and {} runs", seeds(one), seeds(other)).expect("a string takes all");
            for Difference { what, a, b } in &differ {
                writeln!(text, "  differs: {what}: {a} in A, {b} in B").expect("a string takes all");
            }
            if one.origin.seeds.is_disjoint(&other.origin.seeds) {
                text.push_str("  no seed is in both, so nothing can be said of the same seeds\n");
            }
            writeln!(text, "  {:<22} {:>24} {:>24} {:>24}", "", "A", "B", "B - A, same seeds")
                .expect("a string takes all");
            lines.iter().for_each(|line| text.push_str(&line.text()));
        }
    }
    if args.baseline {
        let is_paired = |group: &Group| pairs.values().any(|(a, b)| ptr::eq(*a, group) || ptr::eq(*b, group));
        for (runs, what) in [(&a, ONLY_IN_A), (&b, ONLY_IN_B)] {
            for (name, _) in runs.groups.iter().filter(|(_, group)| !is_paired(group)) {
                changed = true;
                text.push_str(&Stray { seed: None, what }.shown(name, json));
            }
        }
    }
    if text.contains(MARK) && !json {
        writeln!(text, "{MARK} differs with 95 % confidence; ± is over the seeds").expect("a string takes all");
    }
    if args.baseline && !changed && !json {
        text.push_str("nothing changed\n");
    }
    print(text)?;
    match args.baseline && changed {
        true => Err(Stop::Failed("B differs from the baseline; accept it by putting B in the place of A".into())),
        false => Ok(()),
    }
}

/// The runs under a directory.
struct Runs {
    groups: BTreeMap<String, Group>,
    /// In the order of `summary.json`.
    figures: Vec<String>,
    /// Where the run of each group and seed is.
    files: BTreeMap<(String, u64), PathBuf>,
}

impl Runs {
    fn find(path: &Path) -> Result<Runs, Stop> {
        let mut runs = Runs { groups: BTreeMap::new(), figures: Vec::new(), files: BTreeMap::new() };
        let mut summaries = Vec::new();
        for folder in [path.to_owned(), path.join("runs")] {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            // What is hidden was being written when its process was killed.
            let is_result = |entry: &fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
            let below = entries.filter(is_result).map(|entry| entry.path());
            summaries.extend(
                below.chain([folder.clone()]).map(|run| run.join("summary.json")).filter(|file| file.is_file()),
            );
        }
        summaries.sort();
        summaries.dedup();
        for file in &summaries {
            runs.add(file)?;
        }
        // In one order, or a sum of the same numbers differs in its last digit.
        let figures = runs.groups.values_mut().flat_map(|group| group.figures.values_mut());
        figures.for_each(|values| values.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))));
        match runs.groups.is_empty() {
            true => Err(Stop::Refused(format!(
                "{} has no summary.json; name a directory that `dak sim run --out` or `dak sim sweep` wrote",
                path.display()
            ))),
            false => Ok(runs),
        }
    }

    fn add(&mut self, file: &Path) -> Result<(), Stop> {
        let bad = |why: String| Stop::Refused(format!("{}: {why}; make that run again", file.display()));
        let bytes = read(file)?;
        let summary: serde_json::Value = serde_json::from_slice(&bytes).map_err(|why| bad(why.to_string()))?;
        if self.figures.is_empty() {
            self.figures = figure_names(&summary, &String::from_utf8_lossy(&bytes));
        }
        let summary = summary.as_object().ok_or_else(|| bad("it is no summary".into()))?;
        let text = |key: &str| summary.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        if text("scenario_hash").is_empty() {
            return Err(bad("it is no summary of a run".into()));
        }
        let seed = summary.get("seed").and_then(|seed| seed.as_u64()).ok_or_else(|| bad("it names no seed".into()))?;
        let scenario = Path::new(&text("scenario")).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hash: String = text("scenario_hash").chars().take(8).collect();
        let name = format!("{scenario} {}", text("strategy"));
        let key = format!("{name} {hash}");
        if let Some(other) = self.files.insert((key.clone(), seed), file.to_owned()) {
            let (one, other) = (other.parent().unwrap_or(&other), file.parent().unwrap_or(file));
            return Err(Stop::Refused(format!(
                "{} and {} are the same run, perhaps of two versions of the program; as two they would count double, so \
                 remove one",
                one.display(),
                other.display()
            )));
        }
        let group = self.groups.entry(key).or_default();
        (group.name, group.world) = (name, text("world_hash"));
        group.origin.set(&text("settings"));
        group.origin.commits.insert(text("commit"));
        group.origin.seeds.insert(seed);
        group.origin.scenario = scenario;
        group.events.insert(seed, text("event_hash"));
        for (name, value) in summary.iter().filter(|(name, _)| *name != "seed") {
            let Some(value) = value.as_f64() else { continue };
            if !self.figures.contains(name) {
                self.figures.push(name.clone());
            }
            group.figures.entry(name.clone()).or_default().push((seed, value));
        }
        Ok(())
    }

    /// Groups of the same scenario and settings; where there are none, those that differ in their strategy alone; else,
    /// with one on each side, those two.
    fn pair<'a>(&'a self, other: &'a Runs) -> Result<BTreeMap<String, (&'a Group, &'a Group)>, Stop> {
        let same = self.groups.iter().filter_map(|(name, one)| Some((name.clone(), (one, other.groups.get(name)?))));
        let same: BTreeMap<_, _> = same.collect();
        if !same.is_empty() {
            return Ok(same);
        }
        let of_a_world: BTreeMap<_, _> = self.groups.values().filter_map(|one| self.rival(one, other)).collect();
        if !of_a_world.is_empty() {
            return Ok(of_a_world);
        }
        match (self.groups.iter().next(), other.groups.iter().next()) {
            (Some((one, a)), Some((two, b))) if self.groups.len() == 1 && other.groups.len() == 1 => {
                if let Some(why) = incomparable(&a.origin, &b.origin, &differences(&a.origin, &b.origin)) {
                    let said =
                        format!("{why}; their figures say nothing of each other, so compare runs of one scenario");
                    return Err(Stop::Refused(said));
                }
                Ok(BTreeMap::from([(format!("{one}, {two}"), (a, b))]))
            }
            _ => Err(Stop::Refused(
                "the two have no scenario and settings in common; compare single runs instead".into(),
            )),
        }
    }

    /// The only group there of the same world, where this one is the only one here.
    fn rival<'a>(&self, one: &'a Group, other: &'a Runs) -> Option<(String, (&'a Group, &'a Group))> {
        let here = self.groups.values().filter(|group| group.world == one.world).count();
        let there: Vec<&Group> = other.groups.values().filter(|group| group.world == one.world).collect();
        let [rival] = there[..] else { return None };
        let world: String = one.world.chars().take(8).collect();
        (here == 1 && !world.is_empty()).then(|| (format!("{}, {} {world}", one.name, rival.name), (one, rival)))
    }
}

fn seeds(group: &Group) -> usize {
    group.events.len()
}

/// A run that has no equal on the other side.
struct Stray {
    /// None: all of the group.
    seed: Option<u64>,
    what: &'static str,
}

const ONLY_IN_A: &str = "only in A";
const ONLY_IN_B: &str = "only in B";

/// Runs of a pair that are on one side only, or went another way.
fn strays(one: &Group, other: &Group) -> Vec<Stray> {
    let seeds: BTreeSet<u64> = one.events.keys().chain(other.events.keys()).copied().collect();
    let what = |seed: &u64| match (one.events.get(seed), other.events.get(seed)) {
        (Some(_), None) => Some(ONLY_IN_A),
        (None, Some(_)) => Some(ONLY_IN_B),
        (a, b) => (a != b).then_some("other events"),
    };
    seeds.iter().filter_map(|seed| Some(Stray { seed: Some(*seed), what: what(seed)? })).collect()
}

impl Stray {
    fn shown(&self, group: &str, json: bool) -> String {
        match (json, self.seed) {
            (true, seed) => {
                format!("{}\n", serde_json::json!({ "schema": 1, "group": group, "seed": seed, "stray": self.what }))
            }
            (false, Some(seed)) => format!("{group}, seed {seed}: {}\n", self.what),
            (false, None) => format!("{group}: {}\n", self.what),
        }
    }
}

fn differences_json(group: &str, differ: &[Difference]) -> String {
    let pairs: serde_json::Map<String, serde_json::Value> =
        differ.iter().map(|found| (found.what.clone(), serde_json::json!([found.a, found.b]))).collect();
    format!("{}\n", serde_json::json!({ "schema": 1, "group": group, "differs": pairs }))
}

/// Stands behind a difference that is none of chance.
const MARK: &str = "*";

struct Line<'a> {
    name: &'a str,
    a: Interval,
    b: Interval,
    difference: Option<Interval>,
}

fn figures<'a>(names: &'a [String], one: &Group, other: &Group, only_changed: bool) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for name in names {
        let (Some(a), Some(b)) = (one.figures.get(name), other.figures.get(name)) else { continue };
        let values = |group: &[(u64, f64)]| group.iter().map(|(_, value)| *value).collect::<Vec<_>>();
        let (Some(mean_a), Some(mean_b)) = (Interval::of(&values(a)), Interval::of(&values(b))) else { continue };
        let difference = paired(a, b);
        let is_same = difference.is_some_and(|d| d.mean == 0.0 && d.half_width.unwrap_or(0.0) == 0.0);
        if !(only_changed && is_same) {
            lines.push(Line { name, a: mean_a, b: mean_b, difference });
        }
    }
    lines
}

impl Line<'_> {
    fn text(&self) -> String {
        let difference = self.difference.map_or(String::new(), |difference| {
            let mark = if difference.excludes_zero() == Some(true) { MARK } else { " " };
            format!("{} {mark}", shown(difference))
        });
        format!("  {:<22} {:>24} {:>24} {:>26}\n", self.name, shown(self.a), shown(self.b), difference)
    }

    fn json(&self, group: &str) -> String {
        let interval = |i: Interval| serde_json::json!({ "mean": i.mean, "half_width": i.half_width, "runs": i.count });
        let value = serde_json::json!({
            "schema": 1, "group": group, "figure": self.name, "a": interval(self.a), "b": interval(self.b),
            "difference": self.difference.map(interval),
        });
        format!("{value}\n")
    }
}

fn shown(interval: Interval) -> String {
    let digits = if interval.mean.abs() >= 1_000.0 { 0 } else { 4 };
    match interval.half_width {
        Some(0.0) if interval.mean.fract() == 0.0 => format!("{} ± 0", interval.mean),
        Some(half_width) => format!("{:.digits$} ± {half_width:.digits$}", interval.mean),
        None => format!("{:.digits$}", interval.mean),
    }
}

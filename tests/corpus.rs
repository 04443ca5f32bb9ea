//! The small worlds in `simulations/` still come out as their baselines say: a change to routing is a changed line.
//!
//! After a change that is meant, `DAK_ACCEPT=1 cargo test --test corpus` writes the new baselines; they are part of the
//! commit that changes them.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use dak::sim::report::{self, Report};
use dak::sim::run::run;
use dak::sim::scenario::Scenario;
use dak::sim::world::Threads;

#[test]
fn every_small_world_comes_out_as_its_baseline_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let accepts = std::env::var_os("DAK_ACCEPT").is_some();
    let scenarios = scenarios(&folder);
    assert!(scenarios.len() >= 12, "the corpus has {} scenarios", scenarios.len());
    let changes: Vec<String> =
        scenarios.par_iter().filter_map(|scenario| changes(&folder, scenario, accepts)).collect();
    assert!(changes.is_empty(), "{}\nIf that is meant: DAK_ACCEPT=1 cargo test --test corpus", changes.join("\n"));
}

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the corpus is a folder of the project");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    found.sort();
    found
}

/// The lines that differ, or none; with `accepts`, the baseline is written instead.
fn changes(folder: &Path, scenario: &Path, accepts: bool) -> Option<String> {
    let name = scenario.file_stem().expect("a scenario has a name").to_string_lossy().into_owned();
    let baseline = folder.join("baselines").join(format!("{name}.txt"));
    let found = figures(folder, scenario);
    if accepts {
        fs::create_dir_all(baseline.parent().expect("it lies in a folder")).unwrap();
        fs::write(&baseline, found).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&baseline).unwrap_or_default();
    if expected == found {
        return None;
    }
    let mut text = format!("{name} has changed:");
    let was = |line: &&str| !found.lines().any(|other| other == *line);
    let is = |line: &&str| !expected.lines().any(|other| other == *line);
    expected.lines().filter(was).for_each(|line| text.push_str(&format!("\n- {line}")));
    found.lines().filter(is).for_each(|line| text.push_str(&format!("\n+ {line}")));
    Some(text)
}

/// Of what reaches the members of a group each in a message of their own, so much reaches them at least in one bundle for all,
/// in ten-thousandths.
const GROUP_SHARE_MIN: u64 = 9_500;

/// The report as text without the line that names the commit; of what is for groups, also how much of it arrives beside what
/// would if each member were written to apart, at the same times.
fn figures(folder: &Path, scenario: &Path) -> String {
    let text = fs::read_to_string(scenario).unwrap();
    let report = reported(folder, scenario, &text, &[]);
    let lines = report::text(&report);
    let mut figures: String =
        lines.lines().filter(|line| !line.starts_with("# seed")).map(|line| format!("{line}\n")).collect();
    if report.summary.groups.is_some() {
        let apart = ["workload", "files"].map(|section| (format!("{section}.group_copies"), "each"));
        let is_of_groups = |(key, _): &&(String, &str)| text.contains(&format!("[{}]", key.split('.').next().unwrap()));
        let apart: Vec<(&str, &str)> = apart.iter().filter(is_of_groups).map(|(key, value)| (&**key, *value)).collect();
        let apart = reported(folder, scenario, &text, &apart).summary;
        let share = 10_000 * report.summary.delivered / apart.delivered;
        assert!(share >= GROUP_SHARE_MIN, "{}: {share} ten-thousandths", scenario.display());
        figures.push_str(&format!("delivered_apart: {}\n", apart.delivered));
        figures.push_str(&format!("group_share: {}.{:04}\n", share / 10_000, share % 10_000));
    }
    figures
}

fn reported(folder: &Path, scenario: &Path, text: &str, set: &[(&str, &str)]) -> Report {
    let name = scenario.file_name().expect("a scenario has a name").to_string_lossy();
    let mut read = |path: &str| fs::read(folder.join(path));
    let loaded = Scenario::parse(&name, text, set).and_then(|scenario| scenario.load(&mut read));
    run(&loaded.unwrap_or_else(|why| panic!("{why}")), text, "", Threads::Pool, &mut |_| {})
}

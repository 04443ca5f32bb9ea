//! The small worlds in `simulations/` still come out as their baselines say: a change to routing is a changed line.
//!
//! After a change that is meant, `DAK_ACCEPT=1 cargo test --test corpus` writes the new baselines; they are part of the
//! commit that changes them.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use dak::sim::report;
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

/// The report as text without the line that names the commit.
fn figures(folder: &Path, scenario: &Path) -> String {
    let text = fs::read_to_string(scenario).unwrap();
    let name = scenario.file_name().expect("a scenario has a name").to_string_lossy();
    let mut read = |path: &str| fs::read(folder.join(path));
    let loaded = Scenario::parse(&name, &text, &[]).and_then(|scenario| scenario.load(&mut read));
    let report = run(&loaded.unwrap_or_else(|why| panic!("{why}")), &text, "", Threads::Pool, &mut |_| {});
    let lines = report::text(&report);
    lines.lines().filter(|line| !line.starts_with("# seed")).map(|line| format!("{line}\n")).collect()
}

//! What two groups of runs differ in besides their figures: seeds, settings, commits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What a group of runs was made from.
#[derive(Default)]
pub struct Origin {
    /// The scenario's file name.
    pub scenario: String,
    /// In the units of the normal form; one that is given several times with all its values. Empty where the summary has
    /// none.
    pub settings: BTreeMap<String, String>,
    pub commits: BTreeSet<String>,
    pub seeds: BTreeSet<u64>,
}

/// Settings that make the contacts.
const CONTACTS: &[&str] = &["contacts", "walk.", "meet.", "plan."];

impl Origin {
    /// Takes the settings of a summary: `key value`, with `; ` between.
    pub fn set(&mut self, settings: &str) {
        self.settings.clear();
        for (key, value) in settings.split("; ").filter_map(|setting| setting.split_once(' ')) {
            let values = self.settings.entry(key.to_owned()).or_default();
            let comma = if values.is_empty() { "" } else { ", " };
            write!(values, "{comma}{value}").expect("writing to a string cannot fail");
        }
    }
}

/// One thing in which two groups differ.
pub struct Difference {
    pub what: String,
    pub a: String,
    pub b: String,
}

/// All of them: seeds first, then settings by name, then the code.
pub fn differences(a: &Origin, b: &Origin) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |what: &str, a: String, b: String| {
        if a != b {
            found.push(Difference { what: what.to_owned(), a, b });
        }
    };
    add("seeds", spans(&a.seeds), spans(&b.seeds));
    let keys: BTreeSet<&String> = a.settings.keys().chain(b.settings.keys()).collect();
    for key in keys {
        let value = |origin: &Origin| origin.settings.get(key).cloned().unwrap_or_else(|| "not set".into());
        add(key, value(a), value(b));
    }
    let commits = |origin: &Origin| origin.commits.iter().cloned().collect::<Vec<_>>().join(", ");
    add("commit", commits(a), commits(b));
    found
}

/// Why figures of the two, which have no scenario in common, say nothing of each other; none where they may.
pub fn incomparable(a: &Origin, b: &Origin, differences: &[Difference]) -> Option<String> {
    if a.settings.is_empty() || b.settings.is_empty() {
        return None;
    }
    let is_setting = |found: &&Difference| !matches!(found.what.as_str(), "seeds" | "commit");
    let settings: Vec<&str> = differences.iter().filter(is_setting).map(|found| found.what.as_str()).collect();
    if settings.is_empty() {
        return Some(format!(
            "{} and {} have equal settings, but the traces or messages that they name differ",
            a.scenario, b.scenario
        ));
    }
    let of_contacts = settings.iter().find(|key| CONTACTS.iter().any(|start| key.starts_with(start)));
    let key = of_contacts.filter(|_| a.scenario != b.scenario)?;
    Some(format!("{} and {} are different worlds (they differ in {key}, among others)", a.scenario, b.scenario))
}

/// Numbers with their runs drawn together, as `1-3, 7`.
fn spans(numbers: &BTreeSet<u64>) -> String {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let shown =
        spans.iter().map(|(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(scenario: &str, settings: &str, seeds: &[u64]) -> Origin {
        let seeds = seeds.iter().copied().collect();
        let mut origin = Origin { scenario: scenario.into(), seeds, ..Origin::default() };
        origin.set(settings);
        origin
    }

    #[test]
    fn seeds_and_settings_that_differ_are_named() {
        let a =
            origin("s.toml", "contacts trace; store.quota_bytes 5; faults.crash 1 2; faults.crash 3 4", &[1, 2, 3, 7]);
        let b = origin("s.toml", "contacts trace; store.quota_bytes 6; bundle.lifetime_us 9", &[1, 2]);
        let found: Vec<String> = differences(&a, &b).iter().map(|d| format!("{}: {} | {}", d.what, d.a, d.b)).collect();
        let expected = [
            "seeds: 1-3, 7 | 1-2",
            "bundle.lifetime_us: not set | 9",
            "faults.crash: 1 2, 3 4 | not set",
            "store.quota_bytes: 5 | 6",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn figures_of_different_worlds_say_nothing_of_each_other() {
        let why = |a: &Origin, b: &Origin| incomparable(a, b, &differences(a, b));
        let walk = |name, range| origin(name, &format!("contacts walk; walk.range_mm {range}"), &[1]);
        assert!(why(&walk("a.toml", 1), &walk("b.toml", 2)).is_some());
        assert!(why(&walk("a.toml", 1), &walk("a.toml", 2)).is_none(), "one scenario, edited");
        let trace = |name, quota| origin(name, &format!("contacts trace; store.quota_bytes {quota}"), &[1]);
        assert!(why(&trace("a.toml", 1), &trace("b.toml", 2)).is_none());
        assert!(why(&trace("a.toml", 1), &trace("b.toml", 1)).is_some(), "then their files differ");
        assert!(why(&origin("a.toml", "", &[]), &trace("b.toml", 1)).is_none(), "nothing is known");
    }
}

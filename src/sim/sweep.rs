//! Many runs of one scenario: every combination of some settings, for each of some seeds.
//!
//! A plan is a list of runs in a fixed order. A run is named by the hash of what it depends on, so that a sweep goes on
//! where it stopped, several machines can share one, and the same run asked for twice is made once.

mod made;

use std::collections::BTreeSet;

pub use made::{Made, csv, summed_up};

/// A setting and the values it takes, as `routing.strategy` and `epidemic`, `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub key: String,
    pub values: Vec<String>,
}

/// One run of a sweep: what it changes about the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub settings: Vec<(String, String)>,
    pub seed: u64,
}

/// The part of a plan that one of several machines takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    pub of: usize,
}

/// Most runs of one sweep.
pub const RUNS_MAX: usize = 1_000_000;

impl Axis {
    /// Reads `key=value,value`, each value once; commas inside brackets and quotes part nothing.
    pub fn parse(text: &str) -> Option<Axis> {
        let (key, values) = text.split_once('=')?;
        let mut known = BTreeSet::new();
        let is_new = |value: &String| !value.is_empty() && known.insert(value.clone());
        let values: Vec<String> = parted(values).into_iter().filter(is_new).collect();
        let key = key.trim().to_owned();
        (!key.is_empty() && !values.is_empty()).then_some(Axis { key, values })
    }
}

fn parted(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0usize, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a part").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Reads `1,2,5` or `1-10` or both mixed; each counts once, where it stands first.
pub fn parse_seeds(text: &str) -> Option<Vec<u64>> {
    let (mut seeds, mut known) = (Vec::new(), BTreeSet::new());
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || last - first >= RUNS_MAX as u64 {
            return None;
        }
        seeds.extend((first..=last).filter(|seed| known.insert(*seed)));
        if seeds.len() > RUNS_MAX {
            return None;
        }
    }
    (!seeds.is_empty()).then_some(seeds)
}

/// Every combination, the last axis changing fastest and the seeds inside; none where they are too many.
pub fn plan(axes: &[Axis], seeds: &[u64]) -> Option<Vec<Planned>> {
    let count = axes.iter().try_fold(seeds.len(), |count, axis| count.checked_mul(axis.values.len()))?;
    if count > RUNS_MAX {
        return None;
    }
    let mut combinations: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for axis in axes {
        let with = |settings: &Vec<(String, String)>, value: &String| {
            settings.iter().cloned().chain([(axis.key.clone(), value.clone())]).collect()
        };
        combinations = combinations
            .iter()
            .flat_map(|settings| axis.values.iter().map(|value| with(settings, value)).collect::<Vec<_>>())
            .collect();
    }
    let seeded = |settings: &Vec<(String, String)>| {
        seeds.iter().map(|seed| Planned { settings: settings.clone(), seed: *seed }).collect::<Vec<_>>()
    };
    Some(combinations.iter().flat_map(seeded).collect())
}

/// The name of a run: 16 hexadecimal digits over the scenario with its settings, the seed and the code.
pub fn run_name(scenario_hash: &str, seed: u64, commit: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dak 2026 simulation run v1");
    hasher.update(scenario_hash.as_bytes()).update(&seed.to_le_bytes()).update(commit.as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

impl Shard {
    /// Everything.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// Reads `2/5`.
    pub fn parse(text: &str) -> Option<Shard> {
        let (number, of) = text.split_once('/')?;
        let (number, of) = (number.trim().parse().ok()?, of.trim().parse().ok()?);
        (1..=of).contains(&number).then_some(Shard { number, of })
    }

    /// Whether the run at this place in the plan is for this shard.
    pub fn takes(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_every_combination_once() {
        let axes =
            ["routing.strategy=direct,epidemic", "workload.size=[1, 2],5"].map(|text| Axis::parse(text).unwrap());
        assert_eq!(axes[1].values, ["[1, 2]", "5"]);
        let plan = plan(&axes, &parse_seeds("1-3,9").unwrap()).unwrap();
        assert_eq!(plan.len(), 16);
        assert_eq!(plan[4].settings[1], ("workload.size".into(), "5".into()));
        assert_eq!((plan[4].seed, plan[7].seed), (1, 9));
        let distinct: BTreeSet<(&[(String, String)], u64)> =
            plan.iter().map(|run| (&run.settings[..], run.seed)).collect();
        assert_eq!(distinct.len(), plan.len());
    }

    #[test]
    fn what_is_named_twice_counts_once() {
        assert_eq!(parse_seeds("5,1-3,2,5").unwrap(), [5, 1, 2, 3]);
        assert_eq!(Axis::parse("routing.strategy=direct,epidemic,direct").unwrap().values, ["direct", "epidemic"]);
    }

    #[test]
    fn shards_part_a_plan() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| Shard::parse(text).unwrap()).collect();
        for place in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(place)).count(), 1);
        }
        assert!(["0/3", "4/3", "x", "1/0"].iter().all(|text| Shard::parse(text).is_none()));
    }

    #[test]
    fn what_is_no_axis_and_no_seed_is_refused() {
        assert!(["", "a", "=1", "a="].iter().all(|text| Axis::parse(text).is_none()));
        assert!(["", "x", "3-1", "1,,2", "0-99999999999"].iter().all(|text| parse_seeds(text).is_none()));
    }

    #[test]
    fn a_name_changes_with_each_thing_it_depends_on() {
        let name = run_name("h", 1, "c");
        assert_eq!(name.len(), 16);
        assert!(
            [run_name("g", 1, "c"), run_name("h", 2, "c"), run_name("h", 1, "d")].iter().all(|other| *other != name)
        );
    }
}

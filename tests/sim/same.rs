//! The same scenario and seed give the same run, whatever runs beside it.

use rayon::prelude::*;

use dak::sim::report::{messages_csv, page, summary_json, text};
use dak::sim::run::run as report;
use dak::sim::scenario::Scenario;
use dak::sim::world::Threads;
use dak::sim::{EXAMPLE, InputError};

/// Large enough that its nodes are spread over shares that run side by side.
const WALKERS: &str = "nodes = 130\n[contacts]\ngenerator = \"random-waypoint\"\nwidth = \"700m\"\n\
    height = \"700m\"\nrange = \"30m\"\nspeed_min = 0.5\nspeed_max = 1.5\n[workload]\nrate = \"2/min\"\nsize = 1_000\n\
    [link]\nmodel = \"ideal\"\n[routing]\nstrategy = \"epidemic\"\n[faults]\ncrash_rate = \"1/h\"\n";

/// Everything that a run of an hour leaves, in one.
fn everything(scenario: &str, threads: Threads, seed: u64) -> Result<(String, String), InputError> {
    let seed = seed.to_string();
    let overrides = [("seed", seed.as_str()), ("duration", "1h"), ("workload.end", "30min")];
    let loaded =
        Scenario::parse("scenario.toml", scenario, &overrides)?.load(&mut |_| unreachable!("it names no file"))?;
    let report = report(&loaded, scenario, "the same code", threads, &mut |_| {});
    let all = [text(&report), summary_json(&report), messages_csv(&report.messages), page(&report)].concat();
    Ok((report.head.event_hash, all))
}

#[test]
fn a_run_is_its_scenario_and_its_seed_for_any_number_of_threads() {
    let rated = WALKERS.replace("\"ideal\"", "\"rate\"\nbytes_per_second = 5_000\nsetup_ms = 200\nloss = \"1%\"");
    for scenario in [EXAMPLE, WALKERS, &rated] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let run = |seed| everything(scenario, Threads::Pool, seed).unwrap();
            pool.install(|| (1..4u64).into_par_iter().map(run).collect::<Vec<_>>())
        };
        let (alone, beside) = (with(1), with(2));
        assert_eq!(alone, beside);
        assert_eq!(alone[0], everything(scenario, Threads::One, 1).unwrap());
        for (n, one) in alone.iter().enumerate() {
            assert!(alone[n + 1..].iter().all(|other| other.0 != one.0), "seeds really differ");
        }
    }
}

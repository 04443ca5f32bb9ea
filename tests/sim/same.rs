//! The same scenario and seed give the same run, whatever runs beside it.

use rayon::prelude::*;

use dak::sim::report::{messages_csv, page, summary_json, text};
use dak::sim::run::run as report;
use dak::sim::scenario::Scenario;
use dak::sim::{EXAMPLE, InputError};

/// Everything that a run leaves, in one.
fn everything(seed: u64) -> Result<(String, String), InputError> {
    let seed = seed.to_string();
    let overrides = [("seed", seed.as_str()), ("duration", "2h"), ("workload.end", "1h")];
    let loaded =
        Scenario::parse("example.toml", EXAMPLE, &overrides)?.load(&mut |_| unreachable!("it names no file"))?;
    let report = report(&loaded, EXAMPLE, "the same code", &mut |_| {});
    let all = [text(&report), summary_json(&report), messages_csv(&report.messages), page(&report)].concat();
    Ok((report.head.event_hash, all))
}

#[test]
fn a_run_is_its_scenario_and_its_seed_for_any_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (1..5u64).into_par_iter().map(|seed| everything(seed).unwrap()).collect::<Vec<_>>())
    };
    let (alone, beside) = (with(1), with(2));
    assert_eq!(alone, beside);
    for (n, one) in alone.iter().enumerate() {
        assert!(alone[n + 1..].iter().all(|other| other.0 != one.0), "seeds really differ");
    }
}

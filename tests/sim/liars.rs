//! Nodes that promise everything, against the same nodes saying nothing.

use rayon::prelude::*;

use dak::sim::scenario::Scenario;

use crate::common::run;

const LIARS: &str = include_str!("../../simulations/liars.toml");

#[test]
fn a_fifth_of_all_nodes_lying_costs_no_more_than_five_points_over_their_silence() {
    let seeds: Vec<u64> = (1..=4).collect();
    let both: Vec<[usize; 3]> = seeds.par_iter().map(|seed| pair(*seed)).collect();
    let sum = |at: usize| both.iter().map(|figures| figures[at]).sum::<usize>();
    let [created, lying, silent] = [0, 1, 2].map(sum);
    assert!(silent * 10 > created * 7, "{silent} of {created}: there is something to lose");
    assert!(lying * 20 + created >= silent * 20, "of {created}, {lying} and {silent} with the liars silent: {both:?}");
}

/// Messages, those delivered among liars, and those delivered with the liars silent.
fn pair(seed: u64) -> [usize; 3] {
    let listed = LIARS.lines().find_map(|line| line.strip_prefix("liars = ")).expect("the scenario has liars");
    let [lying, silent] = [[listed, "[]"], ["[]", listed]].map(|[liars, silent]| {
        let seed = seed.to_string();
        let settings = [("seed", &*seed), ("faults.liars", liars), ("faults.silent", silent)];
        let scenario = Scenario::parse("liars.toml", LIARS, &settings).expect("a good scenario");
        let loaded = scenario.load(&mut |path| panic!("{path} is not named there")).expect("a good scenario");
        run(&loaded).tally.rows
    });
    let delivered =
        |rows: &[dak::sim::report::MessageRow]| rows.iter().filter(|row| row.delivered_us.is_some()).count();
    [lying.len(), delivered(&lying), delivered(&silent)]
}

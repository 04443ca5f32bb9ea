//! What to measure the simulator by: scenarios of known size.

/// A run to be timed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    /// The scenario; files it names are the caller's to find.
    pub scenario: String,
    /// Seconds by the clock that it should take on a machine of 2 cores, where that was promised.
    pub goal_seconds: Option<u64>,
}

/// The strategies that every trace is tried with.
pub const STRATEGIES: [&str; 5] = ["direct", "epidemic", "spray-and-wait", "prophet", "default"];
/// What The ONE took for ht09 with its epidemic router, in CPU seconds.
pub const THE_ONE_HT09_SECONDS: u64 = 9;
/// What the five strategies on three traces of 113, 75 and 242 people may take together, on two cores.
pub const TRACES_SECONDS: u64 = 15;

/// A real trace `NAME.txt` with its messages `workloads/NAME.txt`, tight: 5 MB stores, 250 kB/s, 300 min.
pub fn traced(name: &str, strategy: &str) -> Case {
    let scenario = format!(
        "[contacts]\ntrace = \"{name}.txt\"\n[workload]\nfile = \"workloads/{name}.txt\"\n{}[routing]\nstrategy = \"{strategy}\"\n",
        "[link]\nmodel = \"rate\"\nbytes_per_second = 250_000\n[store]\nquota_bytes = 5_000_000\n[bundle]\nlifetime = \"300min\"\n"
    );
    Case { name: format!("{name}, {strategy}"), scenario, goal_seconds: None }
}

/// The same shape without anybody's data: 200 nodes of 8 communities that meet by chance for two days.
pub fn generated(strategy: &str) -> Case {
    let scenario = format!(
        "nodes = 200\nduration = \"48h\"\n\
        [contacts]\ngenerator = \"random-contacts\"\nrate = \"8/h\"\nrate_across = \"1/h\"\ncommunities = 8\nlength = [\"20s\", \"10min\"]\n\
        [workload]\nrate = \"500/24h\"\nend = \"24h\"\nsize = [\"100kB\", \"500kB\"]\n\
        [link]\nmodel = \"rate\"\nbytes_per_second = 250_000\n[store]\nquota_bytes = 5_000_000\n[bundle]\nlifetime = \"300min\"\n\
        [routing]\nstrategy = \"{strategy}\"\n"
    );
    Case { name: format!("200 nodes, {strategy}"), scenario, goal_seconds: None }
}

/// A thousand walkers for a day, a message a minute to everybody who will take it.
pub fn walkers() -> Case {
    Case {
        name: "1,000 walkers, 24 h".into(),
        scenario: walking(1_000, 3_160, 24, "1/min", None),
        goal_seconds: Some(60),
    }
}

/// Ten thousand walkers at the same density, lifetimes of 6 h: 50 million contacts in 7 days of 24 h.
pub fn multitude(hours: u64) -> Case {
    let scenario = walking(10_000, 9_993, hours, "1/min", Some("6h"));
    Case { name: format!("10,000 walkers, {hours} h"), scenario, goal_seconds: None }
}

fn walking(nodes: u32, side_m: u64, hours: u64, rate: &str, lifetime: Option<&str>) -> String {
    let bundle = lifetime.map_or(String::new(), |lifetime| format!("[bundle]\nlifetime = \"{lifetime}\"\n"));
    format!(
        "nodes = {nodes}\nduration = \"{hours}h\"\n\
        [contacts]\ngenerator = \"random-waypoint\"\nwidth = \"{side_m}m\"\nheight = \"{side_m}m\"\nrange = \"30m\"\n\
        speed_min = 0.5\nspeed_max = 1.5\n\
        [workload]\nrate = \"{rate}\"\nsize = 1_000\n[link]\nmodel = \"ideal\"\n[routing]\nstrategy = \"epidemic\"\n{bundle}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Scenario;

    #[test]
    fn every_case_is_a_good_scenario() {
        let cases = STRATEGIES.iter().flat_map(|strategy| [traced("ht09", strategy), generated(strategy)]);
        for case in cases.chain([walkers(), multitude(2)]) {
            Scenario::parse(&case.name, &case.scenario, &[]).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}

//! Groups in simulated runs: each member gets what is for its group as early as any message between the two could come, and in
//! the corpus about as surely as a message of its own.

use std::fs;
use std::path::PathBuf;

use dak::sim::oracle;
use dak::sim::report::Counters;
use dak::sim::run::ceiling;
use dak::sim::scenario::{Loaded, Scenario};
use dak::sim::workload::Channel;
use dak::sim::world::Tally;

use crate::common::run;

/// People who move, and three groups of them, one with a member that nobody meets often.
const TOWN: &str = "nodes = 24\nduration = \"3h\"\n[contacts]\ngenerator = \"random-contacts\"\nrate = \"6/h\"\n\
    length = [\"20s\", \"5min\"]\n[workload]\nrate = \"20/h\"\nsize = [\"1kB\", \"5kB\"]\n\
    groups = [[0, 3, 7, 9, 20], [1, 2], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]]\n[link]\nmodel = \"ideal\"\n[routing]\n\
    strategy = \"epidemic\"\n[bundle]\nlifetime = \"1h\"\n";

fn town(faults: &str) -> Loaded {
    let text = format!("{TOWN}{faults}");
    Scenario::parse("town.toml", &text, &[]).and_then(|scenario| scenario.load(&mut |_| unreachable!())).unwrap()
}

#[test]
fn over_instant_links_each_member_has_it_at_its_earliest_possible_arrival() {
    for seed in 0..4 {
        let loaded = town("").with_seed(seed);
        let lifetime_us = loaded.scenario.bundle.lifetime_us;
        let arrivals = oracle::solve(loaded.nodes, loaded.events(), &loaded.messages, lifetime_us);
        let tally = run(&loaded).tally;
        let found: Vec<_> = tally.rows.iter().map(|row| row.delivered_us).collect();
        assert_eq!(found, arrivals.iter().map(|arrival| arrival.earliest_us).collect::<Vec<_>>(), "seed {seed}");
        assert!(found.iter().flatten().count() > 100);
        assert_eq!((tally.counters.status_untrue, tally.misbehaved), (0, 0));
        assert_eq!(tally.counters.receipts_created, 0, "nobody signs for a whole group");
    }
}

/// Files for the groups of the town, in place of what is written to them.
fn files_in_town(seed: u64, link: &str) -> Loaded {
    let text = TOWN
        .replace(
            "[workload]\nrate = \"20/h\"\nsize = [\"1kB\", \"5kB\"]",
            "[files]\nrate = \"6/h\"\nsize = [\"1B\", \"1500kB\"]",
        )
        // What lives as long as the run never goes again.
        .replace("[bundle]\nlifetime = \"1h\"\n", "")
        .replace("[link]\nmodel = \"ideal\"\n", link);
    let scenario = Scenario::parse("town.toml", &text, &[]).unwrap();
    scenario.load(&mut |_| unreachable!()).unwrap().with_seed(seed)
}

#[test]
fn a_file_for_a_group_is_whole_at_each_member_no_sooner_than_it_could_be_and_over_instant_links_then() {
    for seed in 0..3 {
        let loaded = files_in_town(seed, "[link]\nmodel = \"ideal\"\n");
        let tally = run(&loaded).tally;
        let found: Vec<_> = tally.rows.iter().map(|row| row.delivered_us).collect();
        assert_eq!(
            found,
            ceiling(&loaded).iter().map(|arrival| arrival.earliest_us).collect::<Vec<_>>(),
            "seed {seed}"
        );
        assert!(found.iter().flatten().count() > 30, "{found:?}");
        assert!(tally.rows.iter().all(|row| matches!(row.channel, Channel::GroupFile(_))));
        assert_eq!((tally.counters.status_untrue, tally.misbehaved), (0, 0));
    }
    let rated = "[link]\nmodel = \"rate\"\nbytes_per_second = 40_000\nsetup_ms = 500\n";
    let loaded = files_in_town(7, rated);
    let tally = run(&loaded).tally;
    for (row, arrival) in tally.rows.iter().zip(ceiling(&loaded)) {
        let Some(at_us) = row.delivered_us else { continue };
        assert!(arrival.earliest_us.is_some_and(|earliest_us| earliest_us <= at_us), "{row:?}, {arrival:?}");
    }
    assert!(tally.rows.iter().filter(|row| row.delivered_us.is_some()).count() > 10);
}

/// Three members in reach of each other; a part lives for ten minutes, and the run lasts three hours.
#[test]
fn no_part_goes_again_that_every_member_said_to_have() {
    let text = "nodes = 3\nduration = \"3h\"\n[contacts]\ngenerator = \"contact-plan\"\nplan = [{ among = [0, 1, 2], start = \"0s\", \
        duration = \"3h\" }]\n[files]\nrate = \"1/h\"\nend = \"30min\"\nsize = \"5MB\"\ngroups = [[0, 1, 2]]\n[link]\nmodel = \"rate\"\n\
        bytes_per_second = 1_000_000\n[routing]\nstrategy = \"default\"\n[bundle]\nlifetime = \"10min\"\n";
    let loaded = Scenario::parse("three.toml", text, &[]).unwrap().load(&mut |_| unreachable!()).unwrap();
    let tally = run(&loaded).tally;
    assert!(tally.rows.len() == 2 && tally.rows.iter().all(|row| row.delivered_us.is_some()), "{:?}", tally.rows);
    assert_eq!(tally.counters.parts_delivered, 2 * 20, "twenty parts, once to each of the two others");
}

#[test]
fn who_crashes_and_starts_again_still_serves_its_groups() {
    let faults = "[faults]\ncrash_rate = \"2/h\"\ncrash_down = [\"1min\", \"10min\"]\n";
    let delivered = |copies: &str| {
        let (text, copies) = (format!("{TOWN}{faults}"), [("workload.group_copies", copies)]);
        let scenario = Scenario::parse("town.toml", &text, &copies).unwrap();
        let tally = run(&scenario.load(&mut |_| unreachable!()).unwrap()).tally;
        assert!(tally.counters.crashes > 20);
        tally.rows.iter().filter(|row| row.delivered_us.is_some()).count()
    };
    let (once, each) = (delivered("one"), delivered("each"));
    assert!(each > 100 && once * 100 >= each * 95, "{once} in one bundle, {each} in one for each");
}

#[test]
fn a_crew_across_partitions_gets_what_is_for_its_group_as_surely_as_mail_of_its_own_and_for_a_part_of_the_bytes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("simulations/crew.toml");
    let text = fs::read_to_string(path).unwrap();
    let figures = |copies: &str, seed: u64| {
        let scenario = Scenario::parse("crew.toml", &text, &[("workload.group_copies", copies)]).unwrap();
        let loaded = scenario.load(&mut |_| unreachable!()).unwrap().with_seed(seed);
        let tally = run(&loaded).tally;
        let delivered = tally.rows.iter().filter(|row| row.delivered_us.is_some()).count() as u64;
        (delivered, tally.rows.len(), tally.counters.bytes_bundles)
    };
    let (mut once, mut each, mut bytes) = (0, 0, (0, 0));
    for seed in 1..=3 {
        let (group, apart) = (figures("one", seed), figures("each", seed));
        assert_eq!(group.1, apart.1, "at the same times between the same people");
        (once, each) = (once + group.0, each + apart.0);
        bytes = (bytes.0 + group.2, bytes.1 + apart.2);
    }
    assert!(once * 100 >= each * 95, "{once} in one bundle, {each} in one for each");
    assert!(bytes.0 * 2 < bytes.1, "{bytes:?}");
}

/// People in one group, of whom some write short texts: all in reach of each other, or in four quarters between which two
/// cars go.
#[derive(Clone, Copy, Debug)]
enum Place {
    InReach,
    Parted,
    /// They meet now and then, two at a time.
    Meeting,
}

const QUARTERS: &str = "generator = \"community\"\nwidth = \"2km\"\nheight = \"2km\"\nrange = \"30m\"\nspeed_min = 0.4\n\
     speed_max = 1.2\npause = [\"0s\", \"5min\"]\ncommunities = 4\nhome = \"100%\"\n[[contacts.routes]]\nnodes = 2\n\
     speed = \"25km/h\"\npause = \"4min\"\nstops = [[500, 500], [1500, 500], [1500, 1500], [500, 1500]]\n";

/// `per_hour` messages of all writers together, for so many hours; then come three for what is under way.
fn crowd(place: Place, members: u32, writers: u32, per_hour: u32, hours: u32) -> Loaded {
    let all = (0..members).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let contacts = match place {
        Place::InReach => {
            format!("generator = \"contact-plan\"\nplan = [{{ among = [{all}], start = \"0s\", duration = \"9d\" }}]\n")
        }
        Place::Parted => QUARTERS.to_owned(),
        Place::Meeting => "generator = \"random-contacts\"\nrate = \"4/h\"\nlength = [\"20s\", \"10min\"]\n".to_owned(),
    };
    // Whoever is not to write does not.
    let rate = u64::from(per_hour) * u64::from(members) / u64::from(writers);
    let text = format!(
        "nodes = {}\nduration = \"{}h\"\n[contacts]\n{contacts}[workload]\nrate = \"{rate}/h\"\narrivals = \"poisson\"\n\
         size = [\"700B\", \"1kB\"]\ngroups = [[{all}]]\nend = \"{hours}h\"\n[link]\nmodel = \"rate\"\n\
         bytes_per_second = 100_000\nsetup_ms = 1000\n[routing]\nstrategy = \"default\"\n[bundle]\nlifetime = \"1d\"\n",
        members + 4,
        hours + 3,
    );
    let mut loaded = Scenario::parse("crowd.toml", &text, &[])
        .and_then(|scenario| scenario.load(&mut |_| unreachable!()))
        .unwrap_or_else(|why| panic!("{why}"));
    loaded.messages.retain(|message| message.from < writers);
    loaded
}

/// Runs it; returns bytes of messages and of receipts, and how many of those that came the author heard of.
fn priced(name: &str, loaded: &Loaded) -> (u64, u64, f64) {
    let Tally { counters, rows, misbehaved, .. } = run(loaded).tally;
    let came = rows.iter().filter(|row| row.delivered_us.is_some()).count() as u64;
    let Counters { bytes_group_messages, bytes_group_receipts, group_receipts_created, .. } = counters;
    let heard = counters.group_receipts_returned as f64 / came as f64;
    eprintln!(
        "{name}: {} written, {came} of {} came, {bytes_group_messages} bytes; {group_receipts_created} receipts, \
         {bytes_group_receipts} bytes, say so of {:.3} of them",
        loaded.messages.iter().filter(|message| message.further == 0).count(),
        rows.len(),
        heard
    );
    assert_eq!((counters.status_untrue, misbehaved, counters.receipts_created), (0, 0, 0), "{name}");
    (bytes_group_messages, bytes_group_receipts, heard)
}

#[test]
fn what_fifty_members_say_to_have_costs_no_more_bytes_than_what_they_got() {
    for (place, of_place, heard_min) in [(Place::InReach, "in reach", 0.99), (Place::Parted, "parted", 0.25)] {
        for (writers, per_hour) in [(1, 2), (1, 20), (10, 20)] {
            let name = format!("{of_place}, {writers} write {per_hour} an hour");
            let (messages, receipts, heard) = priced(&name, &crowd(place, 50, writers, per_hour, 1));
            assert!(receipts <= messages, "{name}: {receipts} bytes for {messages}");
            assert!(heard >= heard_min, "{name}: {heard}");
        }
    }
}

#[test]
fn a_group_of_as_many_as_there_may_be_is_told_of_at_that_price_too() {
    let (messages, receipts, heard) = priced("256 who meet", &crowd(Place::Meeting, 256, 2, 4, 2));
    assert!(receipts <= messages && heard > 0.1, "{receipts} bytes for {messages}, {heard}");
}

//! What goes into a simulation: traces and their oracle, generators, scenarios.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use dak::sim::generate::{Generator, Meet};
use dak::sim::oracle::{self, Arrival, Ceiling};
use dak::sim::random::Stream;
use dak::sim::scenario::{Contacts, Loaded};
use dak::sim::trace::{ContactEvent, Format, Leniency, Trace, import, write_events, write_sociopatterns};
use dak::sim::workload::{self, Message, Rate};
use dak::sim::{Contact, InputError, Scenario};

#[test]
fn the_oracle_gives_the_published_answers_for_real_traces() {
    let Some(folder) = shared_traces() else { return };
    for name in ["ht09", "hospital-lyon", "primaryschool"] {
        let read = |path: String| std::fs::read(folder.join(&path)).unwrap_or_else(|why| panic!("{path}: {why}"));
        let trace = Trace::parse(name, &read(format!("{name}.txt"))[..], None).unwrap();
        let messages = workload::parse(name, &read(format!("workloads/{name}.txt"))[..], Some(trace.nodes)).unwrap();
        let arrivals = oracle::solve(trace.nodes, trace.events(), &messages, None);
        let expected = String::from_utf8(read(format!("oracle/{name}.tsv"))).unwrap();
        assert_eq!(oracle::write_tsv(&messages, &arrivals), expected, "{name}");

        let sums: serde_json::Value = serde_json::from_slice(&read(format!("oracle/{name}.json"))).unwrap();
        let lifetime_us = Some(300 * 60 * 1_000_000);
        let capped = Ceiling::of(&messages, &arrivals, lifetime_us);
        let ratio = |key: &str| (sums[key].as_f64().unwrap() * messages.len() as f64).round() as u64;
        assert_eq!(capped.earliest.count, ratio("ttl300_epidemic_ratio"), "{name}");
        assert_eq!(capped.direct.count, ratio("ttl300_direct_ratio"), "{name}");
        let with_lifetime = oracle::solve(trace.nodes, trace.events(), &messages, lifetime_us);
        assert_eq!(Ceiling::of(&messages, &with_lifetime, None), capped, "{name}");
    }
}

#[test]
fn real_traces_survive_being_written_and_read_again() {
    let Some(folder) = shared_traces() else { return };
    for name in ["ht09", "hospital-lyon", "primaryschool"] {
        let bytes = std::fs::read(folder.join(format!("{name}.txt"))).unwrap();
        let trace = Trace::parse(name, &bytes[..], None).unwrap();
        assert_eq!(write_events(trace.events()).as_bytes(), &bytes[..], "{name}");
        let rows = write_sociopatterns(&trace).unwrap();
        let again = import(name, rows.as_bytes(), Format::SocioPatterns, Leniency::default()).unwrap();
        assert_eq!(again.trace, trace, "{name}");
    }
}

#[test]
fn the_oracle_agrees_with_a_search_for_each_message_on_random_traces() {
    let mut found = 0;
    for seed in 0..60 {
        let (trace, messages) = random_case(seed);
        let lifetime_us = (seed % 3 == 0).then_some(40_000);
        let solved = oracle::solve(trace.nodes, trace.events(), &messages, lifetime_us);
        for (message, solved) in messages.iter().zip(solved) {
            let searched = search(&trace, message, lifetime_us);
            assert_eq!(solved, searched, "seed {seed}, {message:?}, {:?}", trace.contacts);
            found += usize::from(searched.earliest_us.is_some());
        }
    }
    assert!(found > 1_000, "the traces are too thin to say anything: {found} arrivals");
}

#[test]
fn every_scenario_of_the_corpus_is_a_world_worth_trying() {
    let scenarios = corpus();
    assert!(scenarios.len() >= 12, "{}", scenarios.len());
    let readme = std::fs::read_to_string(simulations().join("README.md")).unwrap();
    for path in scenarios {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(readme.contains(&format!("| `{name}` |")), "{name} has no line in the README");
        let run = load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        let contacts = run.events().count() / 2;
        let arrivals = oracle::solve(run.nodes, run.events(), &run.messages, Some(run.lifetime_us()));
        let ceiling = Ceiling::of(&run.messages, &arrivals, None);
        let (could, of) = (ceiling.earliest.count, ceiling.messages);
        let _ =
            writeln!(std::io::stdout(), "{name}: {} nodes, {contacts} contacts, ceiling {could} of {of}", run.nodes);
        assert!((5..60_000).contains(&contacts), "{name}: {contacts} contacts");
        assert!((15..1_000).contains(&of) && could * 5 >= of, "{name}: {could} of {of} could arrive");
    }
}

#[test]
fn a_scenario_makes_the_same_world_each_time_and_another_with_another_seed() {
    for path in corpus() {
        let (first, again) = (load(&path, &[]).unwrap(), load(&path, &[]).unwrap());
        assert!(first.events().eq(again.events()) && first.messages == again.messages, "{}", path.display());
        assert_eq!((&first.hash, first.fault_plan()), (&again.hash, again.fault_plan()), "{}", path.display());
        let is_generated = matches!(first.scenario.contacts, Contacts::Generator(_));
        let other = load(&path, &[("seed", "77")]).unwrap();
        assert_eq!(first.hash, other.hash, "{}", path.display());
        assert_eq!(first.messages != other.messages, is_generated, "{}", path.display());
        assert!(first.with_seed(77).events().eq(other.events()), "{}", path.display());
        assert_eq!(first.with_seed(77).messages, other.messages, "{}", path.display());
    }
}

#[test]
fn a_generators_contacts_are_in_order_and_end_with_the_run() {
    for path in corpus() {
        let run = load(&path, &[]).unwrap();
        let events: Vec<ContactEvent> = run.events().collect();
        assert!(events.is_sorted(), "{}", path.display());
        let trace = Trace::collect(run.nodes, events.iter().copied());
        assert_eq!(trace.contacts.len() * 2, events.len(), "every contact ends, in {}", path.display());
        assert!(trace.end_us <= run.duration_us && trace.contacts.iter().all(|c| c.up_us < c.down_us && c.a < c.b));
        assert!(trace.contacts.iter().all(|contact| contact.b < run.nodes), "{}", path.display());
        // What is written as a file and read again is the same run.
        let text = write_events(trace.events());
        assert_eq!(Trace::parse("again", text.as_bytes(), Some(run.nodes)).unwrap(), trace, "{}", path.display());
    }
}

#[test]
fn meetings_by_chance_happen_at_their_rate() {
    let hour_us = 3_600_000_000;
    let rate = Rate { count: 4, per_us: hour_us };
    let across = Rate { count: 1, per_us: hour_us };
    let meet = Meet { nodes: 40, rate, rate_across: Some(across), communities: 4, length_us: (1_000_000, 9_000_000) };
    let trace = Trace::collect(40, Generator::Meet(meet).events(1, 100 * hour_us));
    let inside = trace.contacts.iter().filter(|contact| contact.a % 4 == contact.b % 4).count();
    let across = trace.contacts.len() - inside;
    // 40 nodes, 4 an hour each, two nodes a meeting, 100 hours.
    assert!(inside.abs_diff(8_000) < 300, "{inside}");
    assert!(across.abs_diff(2_000) < 150, "{across}");
}

#[test]
fn a_hostile_scenario_is_refused_in_words_and_never_more() {
    let base = std::fs::read_to_string(simulations().join("village-bus.toml")).unwrap();
    let mut draw = Stream::new(1, "scenario mutations", 0);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut bytes = base.clone().into_bytes();
        for _ in 0..draw.between(1, 4) {
            let place = draw.below(bytes.len() as u64) as usize;
            bytes[place] = b"0123456789-.\"[]{}=# \nazmk%/"[draw.below(27) as usize];
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if let Err(error) = Scenario::parse("s.toml", &text, &[]) {
            refused += 1;
            let said = error.to_string();
            assert!(said.starts_with("s.toml") && said.len() < 900, "{said}");
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn a_hostile_trace_is_refused_in_words_and_never_more() {
    let base = b"0 CONN 0 1 up\n5.5 CONN 1 2 up\n7 CONN 0 1 down\n9 CONN 1 2 down\n20 CONN 0 2 up\n21 CONN 0 2 down\n";
    let mut draw = Stream::new(2, "trace mutations", 0);
    for format in [Format::TheOne, Format::SocioPatterns, Format::Imote] {
        for _ in 0..4_000 {
            let mut bytes = base.to_vec();
            for _ in 0..draw.between(1, 5) {
                let place = draw.below(bytes.len() as u64) as usize;
                bytes[place] = draw.below(256) as u8;
            }
            bytes.truncate(draw.between(1, bytes.len() as u64) as usize);
            for leniency in [Leniency::default(), Leniency { any_order: true, drops_self_contacts: true }] {
                if let Err(error) = import("t", &bytes[..], format, leniency) {
                    assert!(error.to_string().len() < 300, "{error}");
                }
            }
        }
    }
}

fn simulations() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("simulations")
}

/// Every scenario, in order of names.
fn corpus() -> Vec<PathBuf> {
    let files = std::fs::read_dir(simulations()).unwrap().map(|entry| entry.unwrap().path());
    let mut scenarios: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    scenarios.sort();
    scenarios
}

fn load(path: &Path, overrides: &[(&str, &str)]) -> Result<Loaded, InputError> {
    let folder = path.parent().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    Scenario::parse(name, &text, overrides)?.load(&mut |file| std::fs::read(folder.join(file)))
}

/// Earliest arrival by relaxing one node after another, soonest first, over all contacts: slow and plain.
fn search(trace: &Trace, message: &Message, lifetime_us: Option<u64>) -> Arrival {
    let mut open = BTreeMap::from([((message.create_us, message.from), ())]);
    let mut known: BTreeMap<u32, u64> = BTreeMap::new();
    while let Some(((at_us, node), ())) = open.pop_first() {
        if known.contains_key(&node) {
            continue;
        }
        known.insert(node, at_us);
        for contact in &trace.contacts {
            let peer = if contact.a == node { contact.b } else { contact.a };
            if (contact.a == node || contact.b == node) && contact.down_us > at_us {
                open.insert((at_us.max(contact.up_us), peer), ());
            }
        }
    }
    let (a, b) = (message.from.min(message.to), message.from.max(message.to));
    let meets = trace.contacts.iter().filter(|c| (c.a, c.b) == (a, b) && c.down_us > message.create_us);
    let direct_us = meets.map(|contact| contact.up_us.max(message.create_us)).min();
    let in_time = |at_us: &u64| lifetime_us.is_none_or(|lifetime| at_us - message.create_us <= lifetime);
    Arrival { earliest_us: known.get(&message.to).copied().filter(in_time), direct_us: direct_us.filter(in_time) }
}

/// A few nodes, short times and many ties.
fn random_case(seed: u64) -> (Trace, Vec<Message>) {
    let mut draw = Stream::new(seed, "oracle test", 0);
    let nodes = draw.between(2, 12) as u32;
    let mut contacts = Vec::new();
    for a in 0..nodes {
        for b in a + 1..nodes {
            let mut at_us = draw.below(60) * 1_000;
            while at_us < 100_000 && draw.below(5) > 0 {
                let down_us = at_us + draw.between(1, 12) * 1_000;
                contacts.push(Contact { up_us: at_us, a, b, down_us });
                at_us = down_us + draw.below(60) * 1_000;
            }
        }
    }
    let mut messages: Vec<Message> = Vec::new();
    let count = draw.between(1, 150);
    for number in 0..count {
        let from = draw.below(nodes.into()) as u32;
        let to = (from + draw.between(1, u64::from(nodes) - 1) as u32) % nodes;
        let create_us = draw.below(110) * 1_000;
        messages.push(Message { id: format!("M{number}"), create_us, from, to, size: 1, ..Message::default() });
    }
    messages.sort_by_key(|message| message.create_us);
    (Trace::of(nodes, contacts), messages)
}

/// The folder of real traces, which lies beside the project or where `DAK_SHARED_TRACES` says.
fn shared_traces() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    let folder = std::env::var_os("DAK_SHARED_TRACES").map_or(beside, PathBuf::from);
    let is_there = folder.join("oracle").is_dir();
    if !is_there {
        // Not `eprintln!`, which the test harness keeps to itself where a test passes.
        let _ = writeln!(std::io::stderr(), "NOT CHECKED: no real traces in {} (DAK_SHARED_TRACES)", folder.display());
    }
    is_there.then_some(folder)
}

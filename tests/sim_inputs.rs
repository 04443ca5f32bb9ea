//! What goes into a simulation: traces and their oracle, generators, scenarios.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use dak::sim::Contact;
use dak::sim::oracle::{self, Arrival, Ceiling};
use dak::sim::random::Stream;
use dak::sim::trace::{Format, Trace, import, write_events, write_sociopatterns};
use dak::sim::workload::{self, Message};

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
        let rows = write_sociopatterns(&trace);
        assert_eq!(import(name, rows.as_bytes(), Format::SocioPatterns).unwrap(), trace, "{name}");
    }
}

#[test]
fn the_oracle_agrees_with_a_search_for_each_message_on_random_traces() {
    let mut found = 0;
    for seed in 0..60 {
        let (trace, messages) = random_case(seed);
        let lifetime_us = (seed % 3 == 0).then_some(40);
        let solved = oracle::solve(trace.nodes, trace.events(), &messages, lifetime_us);
        for (message, solved) in messages.iter().zip(solved) {
            let searched = search(&trace, message, lifetime_us);
            assert_eq!(solved, searched, "seed {seed}, {message:?}, {:?}", trace.contacts);
            found += usize::from(searched.earliest_us.is_some());
        }
    }
    assert!(found > 1_000, "the traces are too thin to say anything: {found} arrivals");
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
            let mut at_us = draw.below(60);
            while at_us < 100 && draw.below(5) > 0 {
                let down_us = at_us + draw.between(1, 12);
                contacts.push(Contact { up_us: at_us, a, b, down_us });
                at_us = down_us + draw.below(60);
            }
        }
    }
    let mut messages: Vec<Message> = Vec::new();
    let count = draw.between(1, 150);
    for number in 0..count {
        let from = draw.below(nodes.into()) as u32;
        let to = (from + draw.between(1, u64::from(nodes) - 1) as u32) % nodes;
        let create_us = draw.below(110);
        messages.push(Message { id: format!("M{number}"), create_us, from, to, size: 1, priority: Default::default() });
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

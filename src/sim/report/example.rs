//! A report for the tests of this module: walkers, and copies that go over when two meet.

use crate::sim::generate::{Generator, Walk};
use crate::sim::oracle;
use crate::sim::random::Stream;
use crate::sim::report::{Counters, Head, MessageRow, Move, Moves, NodeLoad, Occupancy, Report, Summary, Thinned};
use crate::sim::trace::{Change, Trace};
use crate::sim::workload::{Arrivals, Pairs, Rate, Workload};

const NODES: u32 = 40;
const HOUR_US: u64 = 3_600_000_000;

pub(crate) fn report() -> Report {
    let duration_us = 4 * HOUR_US;
    let walk = Walk {
        nodes: NODES,
        width_mm: 900_000,
        height_mm: 900_000,
        range_mm: 30_000,
        speed_mm_s: (500, 1_500),
        pause_us: (0, 300_000_000),
        homes: Some(crate::sim::generate::Homes::on((1, 1), 4, 850_000, None)),
        routes: Vec::new(),
    };
    let trace = Trace::collect(NODES, Generator::Walk(walk).events(3, duration_us));
    let workload = Workload {
        rate: Rate { count: 30, per_us: HOUR_US },
        arrivals: Arrivals::Poisson,
        size: (10_000, 200_000),
        priorities: [0, 1, 0],
        pairs: Pairs::Any { from: Vec::new(), to: Vec::new() },
        start_us: 0,
        end_us: Some(3 * HOUR_US),
    };
    let messages = workload.generate(NODES, duration_us, 3);
    let lifetime_us = 2 * HOUR_US;
    let arrivals = oracle::solve(NODES, trace.events(), &messages, Some(lifetime_us));
    let mut rows: Vec<MessageRow> =
        messages.iter().zip(&arrivals).map(|(message, arrival)| MessageRow::of(message, arrival)).collect();
    let mut run = Run {
        counters: Counters::default(),
        load: vec![NodeLoad::default(); NODES as usize],
        moves: Moves::new(20_000),
    };
    let occupancy = run.carry(&trace, &mut rows, lifetime_us);
    let mut contacts = Thinned::new(20_000);
    trace.contacts.iter().for_each(|contact| contacts.push(*contact));
    let summary = Summary::of(&run.counters, &rows, &occupancy, &run.load, duration_us);
    Report {
        head: Head {
            title: Some("Four villages, one afternoon".into()),
            scenario: "villages.toml".into(),
            scenario_text: "# Four villages\n[contacts]\ngenerator = \"community\"\n".into(),
            strategy: "epidemic".into(),
            link: "ideal".into(),
            seed: 3,
            commit: "0123456789abcdef".into(),
            settings: "nodes 24; contacts walk".into(),
            scenario_hash: "5f".repeat(32),
            world_hash: "3a".repeat(32),
            nodes: NODES,
            contacts: trace.contacts.len() as u64,
            duration_us,
            lifetime_us: Some(lifetime_us),
            quota_bytes: Some(5_000_000),
            events: 123_456,
            event_hash: "a7".repeat(32),
        },
        summary,
        messages: rows,
        occupancy,
        load: run.load,
        contacts,
        moves: run.moves,
        sweep: None,
    }
}

struct Run {
    counters: Counters,
    load: Vec<NodeLoad>,
    moves: Moves,
}

impl Run {
    /// Copies go over with a chance at every meeting, until a message is too old.
    fn carry(&mut self, trace: &Trace, rows: &mut [MessageRow], lifetime_us: u64) -> Vec<Occupancy> {
        let mut draw = Stream::new(1, "example", 0);
        let mut hops: Vec<Vec<Option<u32>>> = vec![vec![None; rows.len()]; NODES as usize];
        let mut occupancy = Vec::new();
        for event in trace.events() {
            if event.change == Change::Down {
                continue;
            }
            let now_us = event.at_us;
            for (number, row) in (0..).zip(rows.iter_mut()) {
                let is_alive = row.create_us <= now_us && now_us - row.create_us <= lifetime_us;
                hops[row.from as usize][number].get_or_insert(0);
                for (from, to) in [(event.a, event.b), (event.b, event.a)] {
                    let (has, had) = (hops[from as usize][number], hops[to as usize][number]);
                    let Some(count) = has.filter(|_| is_alive && had.is_none() && draw.chance(600_000)) else {
                        continue;
                    };
                    hops[to as usize][number] = Some(count + 1);
                    self.moves.push(Move { at_us: now_us, message: number as u32, from, to });
                    self.counters.relayed += 1;
                    self.counters.bytes_bundles += row.size;
                    self.load[from as usize].sent_bytes += row.size;
                    self.load[to as usize].received_bytes += row.size;
                    self.load[to as usize].peak_bytes += row.size / 4;
                    if to == row.to {
                        row.delivered_us = Some(now_us);
                        row.hops = Some(count + 1);
                    }
                }
            }
            self.counters.bytes_control += 900;
            let held = |node: &Vec<Option<u32>>| -> u64 {
                let alive = |row: &MessageRow| row.create_us <= now_us && now_us - row.create_us <= lifetime_us;
                rows.iter().zip(node).filter(|(row, has)| has.is_some() && alive(row)).map(|(row, _)| row.size).sum()
            };
            let held: Vec<u64> = hops.iter().map(held).collect();
            let bytes_max = held.iter().max().copied().unwrap_or(0);
            occupancy.push(Occupancy { at_us: now_us, bytes: held.iter().sum(), bytes_max, bundles: 0 });
        }
        self.counters.bytes_receipts = self.counters.bytes_bundles / 60;
        occupancy
    }
}

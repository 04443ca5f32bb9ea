//! A world of agents in virtual time: contacts come and go, messages are written, frames travel, timers ring.
//!
//! It drives each agent as a node does, through its public methods only. A batch of changes is committed as soon as it
//! is made; the agent itself stands for its store, and a node that crashes starts again from
//! [`Agent::durable`](crate::agent::Agent::durable).
//!
//! Contacts are known before the run, so time is cut into windows, short enough that most nodes of a large world have to
//! do with few others in one. What has nothing to do with each other goes to different [`share`]s, which run side by
//! side; where a window ends and who is in which share follow from the scenario alone, never from the threads there are.

mod common;
mod conduct;
mod count;
mod files;
mod log;
mod node;
mod parting;
mod peers;
mod roster;
mod script;
mod settings;
mod share;
mod shelf;
mod tally;
mod timers;

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use rayon::prelude::*;

use crate::agent::change::EvidenceKind;
use crate::sim::report::NodeLoad;
use crate::sim::scenario::{FaultPlan, Loaded, Source};

use self::common::Common;
use self::node::Node;
use self::parting::{NOBODY, Parting};
use self::roster::Roster;
use self::script::{Cue, Script};
pub use self::settings::agent_config;
use self::share::Share;
pub use self::tally::Tally;
use self::timers::NEVER;

/// How many threads a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The caller's own.
    One,
    /// Those of the pool that the caller is in.
    Pool,
}

/// A run under way.
pub struct World<'a> {
    common: Arc<Common<'a>>,
    threads: Threads,
    now_us: u64,
    end_us: u64,
    is_over: bool,
    script: Script<'a>,
    /// What happens in the next window, and its last instant.
    cues: Vec<Cue>,
    last_us: u64,
    ups_max: usize,

    /// By number; none where a share has it, or where nothing ever happened to it.
    nodes: Vec<Option<Box<Node>>>,
    faults: FaultPlan,
    /// When something is due at each that the script does not say.
    wakes_us: Vec<u64>,
    parting: Parting,
    share_of: Vec<u32>,
    shares: Vec<Share<'a>>,
    tally: Tally,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub tally: Tally,
    /// Over every step of the run.
    pub event_hash: String,
    pub contacts: u64,
}

/// A world of fewer nodes is not worth the parting.
const PARTED_NODES_MIN: u32 = 128;
/// So many nodes a share: few of them have much to do at the same time, and their agents fit a cache.
const SHARE_NODES: u32 = 16;
/// Most shares of a world: several for each core of any machine of today.
const SHARES_MAX: u32 = 64;
/// One contact for so many nodes may begin in a window. Long windows keep an agent in the cache for longer; with more
/// contacts than one for two nodes, those that lasted included, most of a world would be one group.
const NODES_PER_UP: u32 = 3;

impl<'a> World<'a> {
    pub fn new(loaded: &'a Loaded, threads: Threads) -> World<'a> {
        World::of_shares(loaded, threads, shares(loaded.nodes))
    }

    fn of_shares(loaded: &'a Loaded, threads: Threads, shares: usize) -> World<'a> {
        let faults = loaded.fault_plan();
        let roster = Roster::new(&acting(loaded, &faults, shares), loaded.scenario.seed);
        let common = Arc::new(Common::new(loaded, agent_config(loaded), roster));
        let last_message_us = loaded.messages.last().map_or(0, |message| message.create_us);
        let end_us = loaded.duration_us.max(last_message_us);
        let mut world = World {
            threads,
            now_us: 0,
            is_over: false,
            end_us,
            script: Script::new(loaded, &faults),
            cues: Vec::new(),
            last_us: 0,
            ups_max: (loaded.nodes / NODES_PER_UP).max(1) as usize,
            nodes: (0..loaded.nodes).map(|_| None).collect(),
            faults,
            wakes_us: vec![NEVER; loaded.nodes as usize],
            parting: Parting::new(loaded.nodes, shares),
            share_of: vec![NOBODY; loaded.nodes as usize],
            shares: (0..shares).map(|_| Share::new(Arc::clone(&common))).collect(),
            tally: Tally::new(loaded, end_us),
            common,
        };
        if let [all] = &mut world.shares[..] {
            world.share_of.fill(0);
            for node in 0..loaded.nodes {
                all.enter(node, Box::new(Node::new(node, &world.common, &world.faults)));
            }
        }
        world.last_us = world.script.read(0, world.ups_max, &mut world.cues);
        world
    }

    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    pub fn end_us(&self) -> u64 {
        self.end_us
    }

    /// Steps so far.
    pub fn events(&self) -> u64 {
        self.tally.events
    }

    /// Lets a window pass; false once the run is over.
    pub fn advance(&mut self) -> bool {
        if self.is_over {
            return false;
        }
        self.hand_out();
        let (last_us, next_us) = (self.last_us, self.tally.sample_after(self.last_us).min(self.end_us));
        let World { threads, script, cues, ups_max, shares, .. } = self;
        cues.clear();
        let mut read = || script.read(next_us, *ups_max, cues);
        let next_last_us = match (threads, &mut shares[..]) {
            (Threads::One, shares) | (_, shares @ [_]) => {
                shares.iter_mut().for_each(|share| share.run(last_us));
                read()
            }
            (Threads::Pool, shares) => {
                let run = || shares.par_iter_mut().with_max_len(1).for_each(|share| share.run(last_us));
                rayon::join(run, read).1
            }
        };
        self.take_back();
        (self.now_us, self.last_us, self.is_over) = (last_us, next_last_us, last_us >= self.end_us);
        true
    }

    /// Ends the run and gives what was counted.
    pub fn finish(mut self) -> Outcome {
        while self.advance() {}
        self.gather();
        self.check_statuses();
        let load = self.nodes.iter().map(|node| node.as_ref().map_or(NodeLoad::default(), |node| node.load)).collect();
        self.tally.close(self.shares.iter().map(|share| &share.count), load);
        Outcome { event_hash: self.event_hash(), contacts: self.tally.contacts.seen(), tally: self.tally }
    }

    /// Gives nodes and cues of a window to the shares. Where there is only one, the nodes stay in it.
    fn hand_out(&mut self) {
        let World { parting, cues, nodes, wakes_us, share_of, shares, common, faults, .. } = self;
        if shares.len() > 1 {
            parting.part(cues, self.last_us, wakes_us, share_of);
            for (node, share) in (0..).zip(&*share_of).filter(|(_, share)| **share != NOBODY) {
                let state = nodes[node as usize].take();
                let state = state.unwrap_or_else(|| Box::new(Node::new(node, common, faults)));
                shares[*share as usize].enter(node, state);
            }
        }
        for cue in cues {
            shares[share_of[cue.what.node() as usize] as usize].expect(*cue);
        }
    }

    fn take_back(&mut self) {
        if self.shares.len() > 1 {
            self.gather();
        }
        let World { shares, nodes, tally, .. } = self;
        tally.add(shares.iter_mut().map(|share| &mut share.count));
        if tally.next_sample_us() == self.last_us {
            let here = nodes.iter().flatten().map(|node| &**node);
            let nodes = here.chain(shares.iter().flat_map(Share::nodes));
            tally.sample(shares.iter().map(|share| &share.count), nodes);
        }
    }

    /// All nodes come back from the shares.
    fn gather(&mut self) {
        let World { shares, nodes, wakes_us, .. } = self;
        for share in shares {
            share.leave(|node, state, wake_us| {
                nodes[node as usize] = Some(state);
                wakes_us[node as usize] = wake_us;
            });
        }
    }

    /// Compares what sources say of their messages with what really happened.
    fn check_statuses(&mut self) {
        let common = &*self.common;
        let Common { roster, catalog, .. } = common;
        let Tally { rows, counters, .. } = &mut self.tally;
        let state = |node: u32| self.nodes[node as usize].as_ref();
        let had = |bundle: u32, node: u32| state(node).is_some_and(|node| node.had.contains(bundle as usize));
        let authors = self.nodes.iter().flatten();
        let all = authors.flat_map(|node| node.driver.step.record.sent().map(move |outgoing| (node, outgoing)));
        for (author, outgoing) in all {
            let Some(entry) = catalog.find(&outgoing.id) else { continue };
            let (Some(message), Some(bundle)) = (entry.message, common.bundle_number(&entry)) else { continue };
            let is_delivered = match entry.part {
                None => rows[message as usize].delivered_us.is_some(),
                Some(part) => state(common.message(message).to).is_some_and(|node| node.files.has(message, part)),
            };
            let is_true = outgoing.events().iter().all(|evidence| match (evidence.what, evidence.who) {
                (EvidenceKind::Delivered | EvidenceKind::Read, _) => is_delivered,
                // Mailboxes here have all the room they want.
                (EvidenceKind::Full { .. }, _) => false,
                (EvidenceKind::Custody | EvidenceKind::Copy, Some(who)) => had(bundle, roster.number(&who)),
                _ => true,
            });
            for member in author.owing.members_with(&outgoing.id) {
                let row = common.wanted_by(message, roster.number(member));
                let has_it = row.is_some_and(|row| rows[row as usize].delivered_us.is_some());
                counters.status_checked += 1;
                counters.status_untrue += u64::from(!has_it);
            }
            counters.status_checked += 1;
            counters.status_untrue += u64::from(!is_true);
            counters.receipts_returned += u64::from(outgoing.state() >= EvidenceKind::Delivered);
        }
    }

    /// 64 hexadecimal digits over all steps of all shares.
    fn event_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for share in &self.shares {
            hasher.update(share.log.hash().as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The nodes to which something may happen: where the contacts are known and the nodes many, those that have one, write,
/// are written to or crash.
fn acting(loaded: &Loaded, faults: &FaultPlan, shares: usize) -> FixedBitSet {
    let mut acting = FixedBitSet::with_capacity(loaded.nodes as usize);
    let (Source::Trace(trace), true) = (&loaded.source, shares > 1) else {
        acting.insert_range(..);
        return acting;
    };
    let met = trace.contacts.iter().flat_map(|contact| [contact.a, contact.b]);
    let written = loaded.messages.iter().flat_map(|message| [message.from, message.to]);
    let crashed = faults.crashes.iter().map(|crash| crash.node);
    let published = loaded.topics.iter().flat_map(|topic| topic.writers.iter().chain(&topic.subscribers)).copied();
    acting.extend(met.chain(written).chain(crashed).chain(published).map(|node| node as usize));
    acting
}

/// How many shares a world has: by its size alone, or the same run would differ from machine to machine.
fn shares(nodes: u32) -> usize {
    if nodes < PARTED_NODES_MIN { 1 } else { (nodes / SHARE_NODES).min(SHARES_MAX) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Scenario;
    use crate::sim::report::Summary;

    /// People in four communities, who fill their stores, go off and on, and drop what they should carry.
    const TOWN: &str = "nodes = 120\nduration = \"3h\"\n[contacts]\ngenerator = \"random-contacts\"\nrate = \"3/h\"\n\
        rate_across = \"3/10h\"\ncommunities = 4\nlength = [\"20s\", \"10min\"]\n[workload]\nrate = \"2/min\"\n\
        size = [\"1kB\", \"50kB\"]\n[link]\nmodel = \"ideal\"\n[routing]\nstrategy = \"epidemic\"\n[store]\n\
        quota_bytes = 500_000\n[bundle]\nlifetime = \"1h\"\n[faults]\ncrash_rate = \"1/h\"\n\
        crash_down = [\"1min\", \"20min\"]\ngrey_holes = \"5%\"\n";

    fn outcome(loaded: &Loaded, shares: usize) -> Outcome {
        World::of_shares(loaded, Threads::Pool, shares).finish()
    }

    #[test]
    fn a_message_long_after_the_last_contact_costs_no_more_looks_at_the_stores() {
        let text = "[contacts]\ntrace = \"t\"\n[workload]\nfile = \"w\"\n[link]\nmodel = \"ideal\"\n[routing]\n\
            strategy = \"epidemic\"\n";
        let mut read = |path: &str| match path {
            "t" => Ok(b"0 CONN 0 1 up\n1 CONN 0 1 down\n".to_vec()),
            _ => Ok(b"100000 C M1 0 1 10\n".to_vec()),
        };
        let loaded = Scenario::parse("far.toml", text, &[]).unwrap().load(&mut read).unwrap();
        let samples = World::new(&loaded, Threads::One).finish().tally.occupancy.len() as u64;
        assert!((100..=tally::SAMPLES + 1).contains(&samples), "{samples}");
    }

    #[test]
    fn nobody_can_tell_into_how_many_shares_a_world_is_cut() {
        let lossy = "model = \"rate\"\nbytes_per_second = 20_000\nloss = \"5%\"\nsetup_ms = 700\n";
        let radio = format!("{lossy}sharing = \"host\"\nduplex = \"half\"");
        for link in ["model = \"ideal\"", &radio, &format!("{lossy}sharing = \"link\"\nduplex = \"full\"")] {
            check(&TOWN.replace("model = \"ideal\"", link));
        }
    }

    fn check(town: &str) {
        let loaded = Scenario::parse("town.toml", town, &[]).unwrap().load(&mut |_| unreachable!()).unwrap();
        let whole = outcome(&loaded, 1);
        let Tally { counters, rows, occupancy, load, .. } = &whole.tally;
        let summary = Summary::of(counters, rows, occupancy, load, loaded.duration_us);
        assert!(
            counters.crashes > 50 && counters.dropped > counters.expired + 100 && summary.delivered > 30,
            "{summary:?}"
        );
        for shares in [2, 7, 16] {
            let parted = outcome(&loaded, shares).tally;
            let Tally { counters, rows, occupancy, load, .. } = &parted;
            assert_eq!(Summary::of(counters, rows, occupancy, load, loaded.duration_us), summary, "{shares} shares");
            assert_eq!((rows, occupancy, load), (&whole.tally.rows, &whole.tally.occupancy, &whole.tally.load));
            assert_eq!(parted.contacts.kept(), whole.tally.contacts.kept());
            let sorted = |tally: &Tally| {
                let mut moves = tally.moves.kept().to_vec();
                moves.sort_unstable();
                moves
            };
            assert_eq!(sorted(&parted), sorted(&whole.tally));
        }
    }
}

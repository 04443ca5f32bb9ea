//! One simulated node: an agent and what its driver keeps for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::agent::change::Durable;
use crate::agent::{Agent, Mailboxes};
use crate::bundle::Signer;
use crate::content::topic::Filter;
use crate::driver::{Driver, Plain};
use crate::eid::Service;
use crate::sim::link::Moved;
use crate::sim::report::NodeLoad;
use crate::sim::scenario::FaultPlan;
use crate::sim::world::common::Common;
use crate::sim::world::conduct::Driven;
use crate::sim::world::files::Files;
use crate::sim::world::peers::Peers;
use crate::sim::world::roster::agent_seed;
use crate::sim::world::share::{Owing, Stick};
use crate::sim::world::shelf::Shelf;
use crate::sim::world::timers::NEVER;
use crate::time::{DtnTime, Moment, Timestamp};

pub struct Node {
    pub driver: Driver<Plain>,
    pub shelf: Shelf,
    pub peers: Peers,
    /// Its end of its links, and when its agent wants to be called, between one share and the next.
    pub radio: Moved,
    pub alarm_us: u64,
    pub is_on: bool,
    /// Messages that the person wrote while the node was off.
    pub unsent: Vec<u32>,
    pub load: NodeLoad,
    pub held_bytes: u64,
    /// One bit for each bundle that is to be: whether this node ever had it.
    pub had: FixedBitSet,
    pub files: Files,
    /// What it owes the authors of what came to its groups.
    pub owing: Owing,
    /// By peer: the files that are on their way there.
    pub sticks: BTreeMap<u32, Stick>,
    number: u32,
    incarnation: u32,
    clock_offset_ms: i64,
    pub driven: Driven,
}

/// What true wall clocks show when a run starts: 2026-11-01, in milliseconds since the DTN epoch.
const WALL_START: u64 = 846_892_800_000;

impl Node {
    pub fn new(number: u32, common: &Common, faults: &FaultPlan) -> Node {
        let driven = Driven::new(faults.conduct[number as usize], common.loaded.scenario.seed, number);
        let mut agent = start(number, 0, common, &driven, Durable::default());
        let mut out = Vec::new();
        let at = Moment { now: Timestamp(0), wall: DtnTime(WALL_START) };
        common.memberships(number).for_each(|input| agent.handle(at, input, &mut out));
        assert!(out.is_empty(), "nothing is held yet that would count with a group");
        Node {
            driver: Driver::new(agent, Plain::default()),
            shelf: Shelf::default(),
            peers: Peers::default(),
            radio: Moved::default(),
            alarm_us: NEVER,
            is_on: driven.is_on(),
            unsent: Vec::new(),
            load: NodeLoad::default(),
            held_bytes: 0,
            had: FixedBitSet::new(),
            files: Files::default(),
            owing: Owing::default(),
            sticks: BTreeMap::new(),
            number,
            incarnation: 0,
            clock_offset_ms: faults.clock_offset_ms[number as usize],
            driven,
        }
    }

    /// When something is due here, between one share and the next: an alarm, the start of a contact, an arrival.
    pub fn wake_us(&self) -> u64 {
        let set_up_us = self.peers.set_up().map(|(_, at_us)| at_us);
        set_up_us.chain(self.radio.due_us()).fold(self.alarm_us, u64::min)
    }

    pub fn have(&mut self, bundle: u32) {
        self.had.grow_and_insert(bundle as usize);
    }

    pub fn moment(&self, now_us: u64) -> Moment {
        let now_ms = now_us / 1_000;
        let wall = WALL_START.saturating_add(now_ms).saturating_add_signed(self.clock_offset_ms);
        Moment { now: Timestamp(now_ms), wall: DtnTime(wall) }
    }

    /// Starts again from what is durable; every batch was committed as it came.
    pub fn restart(&mut self, common: &Common) {
        self.incarnation += 1;
        let durable = self.driver.agent.durable();
        self.owing.restart(|group| common.members_of(group));
        self.driver.start_again(start(self.number, self.incarnation, common, &self.driven, durable));
        self.is_on = true;
    }
}

fn start(number: u32, incarnation: u32, common: &Common, driven: &Driven, durable: Durable) -> Agent {
    let signer: Arc<dyn Signer> = common.roster.key(number);
    let seed = agent_seed(common.loaded.scenario.seed, number, incarnation);
    let config = driven.config(&common.config);
    let mut mailboxes = Mailboxes::own(signer);
    for topic in common.subscribed(number) {
        let Service::Topic(name) = &topic.service else { continue };
        mailboxes = mailboxes.subscribed(topic.node, Filter::parse(name).expect("a name means itself"));
    }
    mailboxes = common.joined(number).fold(mailboxes, |mailboxes, group| mailboxes.joined(group.clone()));
    Agent::restore(common.roster.name(number), mailboxes, config, seed, durable)
}

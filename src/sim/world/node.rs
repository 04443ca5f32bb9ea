//! One simulated node: an agent and what its driver keeps for it.

use std::sync::Arc;

use crate::agent::Mailboxes;
use crate::agent::change::Durable;
use crate::agent::{Agent, Config};
use crate::bundle::Signer;
use crate::sim::random::Stream;
use crate::sim::scenario::Conduct;
use crate::sim::world::roster::{Roster, agent_seed};
use crate::sim::world::shelf::Shelf;
use crate::time::{DtnTime, Moment, Timestamp};

pub struct Node {
    pub agent: Agent,
    pub shelf: Shelf,
    pub is_on: bool,
    /// Messages that the person wrote while the node was off.
    pub unsent: Vec<u32>,
    number: u32,
    incarnation: u32,
    clock_offset_ms: i64,
    conduct: Conduct,
    whims: Stream,
}

/// What true wall clocks show when a run starts: 2026-11-01, in milliseconds since the DTN epoch.
const WALL_START: u64 = 846_892_800_000;

impl Node {
    pub fn new(
        number: u32,
        roster: &Roster,
        config: Config,
        seed: u64,
        conduct: Conduct,
        clock_offset_ms: i64,
    ) -> Node {
        Node {
            agent: start(number, 0, roster, config, seed, Durable::default()),
            shelf: Shelf::default(),
            is_on: true,
            unsent: Vec::new(),
            number,
            incarnation: 0,
            clock_offset_ms,
            conduct,
            whims: Stream::new(seed, "grey hole", number),
        }
    }

    pub fn moment(&self, now_us: u64) -> Moment {
        let now_ms = now_us / 1_000;
        let wall = WALL_START.saturating_add(now_ms).saturating_add_signed(self.clock_offset_ms);
        Moment { now: Timestamp(now_ms), wall: DtnTime(wall) }
    }

    /// Whether this node really forwards what its agent asks it to.
    pub fn forwards(&mut self) -> bool {
        match self.conduct {
            Conduct::Honest => true,
            Conduct::BlackHole => false,
            Conduct::GreyHole { drop_per_million } => !self.whims.chance(drop_per_million),
        }
    }

    /// Starts again from what is durable; every batch was committed as it came.
    pub fn restart(&mut self, roster: &Roster, config: Config, seed: u64) {
        self.incarnation += 1;
        self.agent = start(self.number, self.incarnation, roster, config, seed, self.agent.durable());
        self.is_on = true;
    }
}

fn start(number: u32, incarnation: u32, roster: &Roster, config: Config, seed: u64, durable: Durable) -> Agent {
    let signer: Arc<dyn Signer> = roster.key(number);
    let seed = agent_seed(seed, number, incarnation);
    Agent::restore(roster.name(number), Mailboxes::own(signer), config, seed, durable)
}

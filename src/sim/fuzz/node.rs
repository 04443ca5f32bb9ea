//! One node of a fuzzed world: an agent, its disk, its clocks, and what its driver has not done yet.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::agent::change::{Change, Durable, Known};
use crate::agent::{Agent, Config, Input, Mailboxes, Output};
use crate::bundle::Signer;
use crate::content::topic::Filter;
use crate::driver::{self, Driver, Step, Weight};
use crate::id::{BundleId, NodeId};
use crate::mail::record::Record;
use crate::store::memory::MemoryStore;
use crate::time::{DtnTime, Millis, Moment, Timestamp};

use super::crew::Shelf;
use super::witness::Witness;

/// What true wall clocks show when a world begins: 2026-11-01, in milliseconds since the DTN epoch.
pub const WALL_START: u64 = 846_892_800_000;

pub struct Node {
    pub id: NodeId,
    pub key: Arc<Witness>,
    pub config: Config,
    pub driver: Driver<Notes>,
    pub disk: MemoryStore,
    pub is_on: bool,
    /// When a node that is off is switched on again.
    pub on_at: u64,
    pub incarnation: u32,
    /// Batches that wait for the store.
    pub ahead: VecDeque<Vec<Said>>,
    pub fault: Option<Fault>,
    /// Who is in the group, as far as it heard; none where it does not serve it.
    pub crew: Option<Vec<NodeId>>,
    pub shelf: Shelf,
    pub next_token: u64,
    /// Topics that it is told again after each start that it serves.
    pub serves: Vec<(NodeId, Filter)>,
    /// Milliseconds that the wall clock is off by.
    pub wall_offset: i64,
    /// By how much downtime was counted too long, in all.
    pub overcounted: Millis,
    /// Where elapsed time stood when this incarnation began, and what the world's clock said.
    start: Timestamp,
    started: u64,
    seed: u64,
}

/// One output of what came of one input.
#[derive(Clone, Debug)]
pub struct Said {
    pub taken: Arc<Taken>,
    index: usize,
}

impl Said {
    pub fn output(&self) -> &Output {
        &self.taken.outputs[self.index]
    }
}

impl driver::Said for Said {
    fn weight(&self) -> Weight {
        match self.output().weight() {
            // A command is answered, and so is durable.
            Weight::Lazy if self.taken.by_owner => Weight::Prompt,
            weight => weight,
        }
    }

    fn change(&self) -> Option<&Change> {
        self.output().change()
    }
}

/// Keeps with each output what the agent was like before its input, and all that came of that.
#[derive(Default)]
pub struct Notes {
    next: Taken,
    /// What is durable of mail.
    pub record: Record,
}

impl Step for Notes {
    type Said = Said;

    fn recall(&mut self, id: &BundleId) -> Option<Known> {
        Some(self.record.known(id))
    }

    fn give(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        let usage = agent.usage();
        let of_owner = matches!(
            input,
            Input::Cancel(_) | Input::Drop(_) | Input::CarryLimit(_) | Input::Discard(_) | Input::Forsake(_)
        );
        self.next = Taken {
            by_owner: of_owner || usage.bytes > usage.quota_bytes,
            limit_bytes: usage.quota_bytes,
            has_named: matches!(input, Input::SetPerson { .. }),
            at,
            outputs: Vec::new(),
        };
        agent.handle(at, input, out);
    }

    fn add(&mut self, outputs: Vec<Output>, open: &mut Vec<Said>) {
        let mut taken = Taken { outputs, ..std::mem::take(&mut self.next) };
        taken.has_named |= open.iter().any(|said| said.taken.has_named);
        let taken = Arc::new(taken);
        open.extend((0..taken.outputs.len()).map(|index| Said { taken: Arc::clone(&taken), index }));
    }
}

/// What came of one input.
#[derive(Debug, Default)]
pub struct Taken {
    /// Whether the owner ended custody with it, or wants less carried than there is.
    pub by_owner: bool,
    /// What the owner lets others take, as it stood then.
    pub limit_bytes: u64,
    /// Whether the owner named or blocked somebody since the batch began.
    pub has_named: bool,
    pub at: Moment,
    pub outputs: Vec<Output>,
}

/// What goes wrong at a commit to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Commits before it.
    pub after: u32,
    pub what: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The power goes, and the batch is lost whole.
    CutBefore,
    /// The power goes once the batch is durable, before any of its acts.
    CutAfter,
    /// The disk refuses.
    Fails,
}

impl Node {
    pub fn new(id: NodeId, key: Arc<Witness>, config: Config, seed: u64) -> Node {
        let disk = MemoryStore::default();
        Node {
            id,
            driver: Driver::new(agent(&key, &config, &disk, seed, 0, &[]), Notes::default()),
            key,
            config,
            disk,
            is_on: true,
            on_at: 0,
            incarnation: 0,
            ahead: VecDeque::new(),
            fault: None,
            crew: None,
            shelf: Shelf::default(),
            next_token: 1,
            serves: Vec::new(),
            wall_offset: 0,
            overcounted: Millis(0),
            start: Timestamp(0),
            started: 0,
            seed,
        }
    }

    pub fn wall(&self, now_ms: u64) -> DtnTime {
        DtnTime((WALL_START + now_ms).saturating_add_signed(self.wall_offset))
    }

    pub fn moment(&self, now_ms: u64) -> Moment {
        Moment { now: self.start + Millis(now_ms - self.started), wall: self.wall(now_ms) }
    }

    /// When the world's clock shows what this node's elapsed time will be then.
    pub fn world_ms(&self, due: Timestamp) -> u64 {
        self.started + due.since(self.start).0
    }

    /// Drops all but what is durable, and builds the agent from it; the clock goes on.
    pub fn restore(&mut self) {
        self.incarnation += 1;
        self.ahead.clear();
        let agent = agent(&self.key, &self.config, &self.disk, self.seed, self.incarnation, &self.serves);
        self.driver.start_again(agent);
    }

    /// The power is gone.
    pub fn switch_off(&mut self, on_at: u64) {
        self.restore();
        (self.is_on, self.on_at, self.fault) = (false, on_at, None);
    }

    /// Goes on from what is durable, as a real node's clock does.
    pub fn switch_on(&mut self, now_ms: u64) {
        let last = self.disk.model().clock;
        let (before, resumed) = (self.moment(now_ms).now, last.resumed(self.wall(now_ms)));
        self.overcounted = self.overcounted.saturating_add(resumed.since(before));
        (self.start, self.started, self.is_on) = (resumed, now_ms, true);
    }

    /// What is durable, and what is to be with the next commit.
    pub fn believed(&self) -> Durable {
        self.driver.believed(self.disk.model().clone())
    }

    /// Whether nothing waits for the store but what may.
    pub fn is_settled(&self) -> bool {
        self.driver.open().is_empty() && self.ahead.is_empty()
    }
}

fn agent(
    key: &Arc<Witness>,
    config: &Config,
    disk: &MemoryStore,
    seed: u64,
    incarnation: u32,
    serves: &[(NodeId, Filter)],
) -> Agent {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(key.node().as_bytes()).update(&incarnation.to_le_bytes());
    let signer: Arc<dyn Signer> = Arc::clone(key) as Arc<dyn Signer>;
    let durable = disk.model().clone();
    let mailboxes = serves
        .iter()
        .fold(Mailboxes::own(signer), |mailboxes, (owner, filter)| mailboxes.subscribed(*owner, filter.clone()));
    Agent::restore(key.node(), mailboxes, config.clone(), hasher.finalize().into(), durable)
}

//! A small world under faults: nodes, links that come and go, frames under way, and one clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::agent::{Agent, Input};
use crate::bundle::Signer;
use crate::id::{BundleId, NodeId};
use crate::mail::record::Record;
use crate::sim::random::Stream;
use crate::time::Millis;

use super::actors::Actor;
use super::air::Air;
use super::heard::Heard;
use super::node::Node;
use super::offers::Waits;
use super::plan::Plan;
use super::sticks::OnStick;
use super::truth::Truth;
use super::witness::{Signed, Witness};
use super::{Checked, Counts, Promise, must};

pub struct World {
    pub plan: Plan,
    pub counts: Counts,
    pub(super) dice: Stream,
    /// For the group that there may be, and parts of files.
    pub(super) crew_dice: Stream,
    pub(super) got_dice: Stream,
    pub(super) now: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) numbers: BTreeMap<NodeId, usize>,
    /// Each with the number of its meeting.
    pub(super) links: BTreeMap<(usize, usize), u64>,
    meetings: u64,
    /// Nodes of different groups do not hear each other.
    pub(super) groups: Vec<u8>,
    pub(super) air: Air,
    pub(super) errands: VecDeque<Errand>,
    /// What was written to files and may be read, once, twice or never.
    pub(super) sticks: VecDeque<Vec<OnStick>>,
    pub(super) truth: Truth,
    pub(super) heard: Heard,
    /// What is said of offers, where it is watched.
    pub(super) waits: Option<Waits>,
    /// What each bundle counts.
    pub(super) weights: BTreeMap<BundleId, u32>,
    /// Whether faults still happen.
    pub(super) is_stormy: bool,
    step: u64,
    hasher: blake3::Hasher,
    trail: Option<VecDeque<String>>,
}

/// What acts lead to; done once the acts of the batch are over.
pub enum Errand {
    /// Only for the incarnation that asked for it.
    Input(usize, u32, Input),
    Part(usize, usize),
    /// They part, and meet again.
    Renew(usize, usize),
}

/// Events kept for a report.
const TRAIL_MAX: usize = 60;
/// Most timers that ring while one span of time passes.
const RINGS_MAX: u32 = 20_000;

impl World {
    pub fn new(seed: u64, actors: Option<&[Actor]>, tells: bool) -> World {
        let plan = Plan::new(seed, actors);
        let signed = Signed::default();
        let node = |n: usize| {
            let secret = *blake3::hash(&[n as u8 + 1; 8]).as_bytes();
            let key = Arc::new(Witness::new(secret, &signed));
            Node::new(key.node(), key, plan.configs[n].clone(), seed)
        };
        let nodes: Vec<Node> = (0..plan.nodes).map(node).collect();
        let numbers: BTreeMap<NodeId, usize> = nodes.iter().enumerate().map(|(n, node)| (node.id, n)).collect();
        let honest = (0..plan.nodes).map(|n| !plan.is_hostile(n)).collect();
        World {
            counts: Counts::default(),
            dice: Stream::new(seed, "fuzz dice", 0),
            crew_dice: Stream::new(seed, "fuzz crew", 1),
            got_dice: Stream::new(seed, "fuzz crew", 2),
            now: 0,
            links: BTreeMap::new(),
            meetings: 0,
            groups: vec![0; plan.nodes],
            air: Air::default(),
            errands: VecDeque::new(),
            sticks: VecDeque::new(),
            truth: Truth::new(honest, numbers.clone(), signed, plan.crew.clone()),
            heard: Heard::new(seed),
            waits: None,
            weights: BTreeMap::new(),
            is_stormy: true,
            step: 0,
            hasher: blake3::Hasher::new(),
            trail: tells.then(VecDeque::new),
            nodes,
            numbers,
            plan,
        }
    }

    /// Lets everything happen; ends at the first promise that is broken.
    pub fn run(&mut self) -> Checked {
        self.found_group()?;
        while self.step < self.plan.steps {
            self.step += 1;
            self.change_group()?;
            self.take_step()?;
        }
        self.calm()
    }

    pub fn steps_taken(&self) -> u64 {
        self.step
    }

    pub fn trail(&self) -> Vec<String> {
        self.trail.iter().flatten().cloned().collect()
    }

    /// A hash over everything that arrived, and over what is durable now.
    pub fn hash(&self) -> String {
        let mut hasher = self.hasher.clone();
        for node in &self.nodes {
            let mut bytes = Vec::new();
            ciborium::into_writer(node.disk.model(), &mut bytes).expect("writing to memory cannot fail");
            hasher.update(&bytes);
        }
        hasher.finalize().to_hex().to_string()
    }

    pub(super) fn note(&mut self, n: usize, bytes: &[u8]) {
        self.hasher.update(&self.now.to_le_bytes()).update(&[n as u8]).update(bytes);
    }

    /// Writes down what happens, where somebody will read it.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let (step, now) = (self.step, self.now);
        if let Some(trail) = &mut self.trail {
            if trail.len() == TRAIL_MAX {
                trail.pop_front();
            }
            trail.push_back(format!("step {step}, {}: {}", Millis(now), what()));
        }
    }

    /// How a node is called in a report.
    pub(super) fn name(&self, n: usize) -> String {
        format!("{}{n}", if self.plan.is_hostile(n) { "hostile " } else { "n" })
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        self.links.contains_key(&(a.min(b), a.max(b)))
    }

    pub(super) fn peers(&self, n: usize) -> Vec<usize> {
        (0..self.nodes.len()).filter(|m| *m != n && self.is_linked(n, *m)).collect()
    }

    /// Two nodes begin to hear each other, if they are on and in reach.
    pub(super) fn open(&mut self, a: usize, b: usize) -> Checked {
        let in_reach = a != b && self.groups[a] == self.groups[b] && self.nodes[a].is_on && self.nodes[b].is_on;
        let pair = (a.min(b), a.max(b));
        if !in_reach || self.links.contains_key(&pair) {
            return Ok(());
        }
        self.meetings += 1;
        let meeting = self.meetings;
        self.links.insert(pair, meeting);
        self.tell(|| format!("{a} and {b} meet"));
        for (n, peer) in [(a, b), (b, a)] {
            // The first one's power may go meanwhile, or the contact be begun anew.
            if self.links.get(&pair) == Some(&meeting) {
                let peer = self.nodes[peer].id;
                self.input(n, Input::ContactUp { peer })?;
            }
        }
        Ok(())
    }

    pub(super) fn part(&mut self, a: usize, b: usize) -> Checked {
        if self.links.remove(&(a.min(b), a.max(b))).is_none() {
            return Ok(());
        }
        self.tell(|| format!("{a} and {b} part"));
        self.air.clear(a, b);
        for (n, peer) in [(a, b), (b, a)] {
            let peer = self.nodes[peer].id;
            self.take(n, Input::ContactDown { peer })?;
        }
        Ok(())
    }

    /// Lets time pass; timers ring in their order, and who is off comes back.
    pub(super) fn pass(&mut self, span: Millis) -> Checked {
        self.flush_all()?;
        let end = self.now + span.0;
        for rings in 0.. {
            must(rings < RINGS_MAX, Promise::NoPanic, || format!("timers ring without end at {}", Millis(self.now)))?;
            match self.next_due() {
                Some((due, n)) if due <= end => {
                    self.now = due;
                    if self.nodes[n].is_on {
                        self.input(n, Input::Timeout)?;
                        self.flush_all()?;
                    } else {
                        self.switch_on(n)?;
                    }
                }
                _ => break,
            }
        }
        self.now = end;
        Ok(())
    }

    /// Whose timer rings next, or who is switched on next, and when.
    fn next_due(&self) -> Option<(u64, usize)> {
        let due = |node: &Node| match node.is_on {
            true => node.driver.due().map(|due| node.world_ms(due)),
            false => Some(node.on_at),
        };
        let dues = self.nodes.iter().enumerate().filter_map(|(n, node)| due(node).map(|due| (due.max(self.now), n)));
        dues.min()
    }

    pub(super) fn agent(&self, n: usize) -> &Agent {
        &self.nodes[n].driver.agent
    }

    /// What is durable of a node's mail.
    pub(super) fn record(&self, n: usize) -> &Record {
        &self.nodes[n].driver.step.record
    }
}

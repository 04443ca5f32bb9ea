//! A world of agents in virtual time: contacts come and go, messages are written, frames travel, timers ring.
//!
//! It drives each agent as a node does, through its public methods only. At one instant everything happens in one
//! order: contacts end, others begin, messages are written, what is under way arrives, and only then timers ring. So a
//! chain of contacts that opens at an instant is whole before the first frame crosses it, and a life ends after
//! everything else of its last instant.
//!
//! A batch of changes is committed as soon as it is made; the agent itself stands for its store, and a node that
//! crashes starts again from [`Agent::durable`](crate::agent::Agent::durable).

mod act;
mod catalog;
mod log;
mod node;
mod reach;
mod roster;
mod settings;
mod shelf;
mod tally;
mod timers;

use std::collections::BTreeSet;
use std::iter::Peekable;

use crate::agent::io::{Input, Output};
use crate::agent::{Config, change::What};
use crate::eid::Eid;
use crate::id::BundleId;
use crate::sim::link::{Fate, Links, Parcel, Transfer};
use crate::sim::scenario::Loaded;
use crate::sim::trace::{Change, Contact, ContactEvent, Events};
use crate::time::Millis;

use self::catalog::Catalog;
use self::log::{EventLog, Step};
use self::node::Node;
use self::reach::{Reach, Talk};
use self::roster::Roster;
pub use self::settings::agent_config;
pub use self::tally::Tally;
use self::timers::Timers;

/// A run under way.
pub struct World<'a> {
    loaded: &'a Loaded,
    config: Config,
    now_us: u64,
    end_us: u64,

    contacts: Peekable<Events<'a>>,
    /// Contacts that talk once they are set up: when, and which pair.
    setups: BTreeSet<(u64, u32, u32)>,
    /// Which message is written next.
    written: usize,
    /// When nodes go off and on again, in order: time, on, node.
    power: Vec<(u64, bool, u32)>,
    powered: usize,
    links: Links,
    timers: Timers,

    roster: Roster,
    nodes: Vec<Node>,
    reach: Reach,
    catalog: Catalog,
    tally: Tally,
    log: EventLog,
    outputs: Vec<Output>,
    /// The message that was signed just now.
    queued: Option<(BundleId, u32)>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub tally: Tally,
    /// Over every step of the run.
    pub event_hash: String,
    pub contacts: u64,
}

/// What happens first at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Down,
    Crash,
    Up,
    Restart,
    SetUp,
    Create,
    Frame,
    Timer,
}

impl<'a> World<'a> {
    pub fn new(loaded: &'a Loaded) -> World<'a> {
        let seed = loaded.scenario.seed;
        let (config, faults) = (agent_config(loaded), loaded.fault_plan());
        let roster = Roster::new(loaded.nodes, seed);
        let node = |number: u32| {
            let (conduct, offset) = (faults.conduct[number as usize], faults.clock_offset_ms[number as usize]);
            Node::new(number, &roster, config.clone(), seed, conduct, offset)
        };
        let nodes = (0..loaded.nodes).map(node).collect();
        let ends =
            |crash: &crate::sim::scenario::Crash| [(crash.at_us, false, crash.node), (crash.up_us, true, crash.node)];
        let mut power: Vec<(u64, bool, u32)> = faults.crashes.iter().flat_map(ends).collect();
        power.sort_unstable();
        let last_message_us = loaded.messages.last().map_or(0, |message| message.create_us);
        World {
            loaded,
            config,
            now_us: 0,
            end_us: loaded.duration_us.max(last_message_us),
            contacts: loaded.events().peekable(),
            setups: BTreeSet::new(),
            written: 0,
            power,
            powered: 0,
            links: Links::new(&loaded.scenario.link, loaded.nodes, seed),
            timers: Timers::new(loaded.nodes),
            roster,
            nodes,
            reach: Reach::new(loaded.nodes),
            catalog: Catalog::default(),
            tally: Tally::new(loaded),
            log: EventLog::default(),
            outputs: Vec::new(),
            queued: None,
        }
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

    /// Takes up to `steps` steps; false once the run is over.
    pub fn advance(&mut self, steps: u64) -> bool {
        (0..steps).all(|_| self.step())
    }

    /// Ends the run and gives what was counted.
    pub fn finish(mut self) -> Outcome {
        while self.step() {}
        self.tally.sample_until(self.end_us.saturating_add(1));
        self.check_statuses();
        Outcome { event_hash: self.log.hash(), contacts: self.tally.contacts.seen(), tally: self.tally }
    }

    fn step(&mut self) -> bool {
        let Some((at_us, class)) = self.next_due().filter(|(at_us, _)| *at_us <= self.end_us) else { return false };
        self.tally.sample_until(at_us);
        self.now_us = at_us;
        self.tally.events += 1;
        match class {
            Class::Down | Class::Up => self.contact(),
            Class::Crash | Class::Restart => self.switch(),
            Class::SetUp => self.set_up(),
            Class::Create => self.write(),
            Class::Frame => self.move_on(),
            Class::Timer => self.ring(),
        }
        true
    }

    fn next_due(&mut self) -> Option<(u64, Class)> {
        let contact = self.contacts.peek().map(|event| match event.change {
            Change::Down => (event.at_us, Class::Down),
            Change::Up => (event.at_us, Class::Up),
        });
        let power = self
            .power
            .get(self.powered)
            .map(|(at_us, on, _)| (*at_us, if *on { Class::Restart } else { Class::Crash }));
        let setup = self.setups.first().map(|(at_us, ..)| (*at_us, Class::SetUp));
        let message = self.loaded.messages.get(self.written).map(|message| (message.create_us, Class::Create));
        let frame = self.links.next_due_us(self.now_us).map(|at_us| (at_us, Class::Frame));
        let timer = self.timers.next_us().map(|at_us| (at_us, Class::Timer));
        [contact, power, setup, message, frame, timer].into_iter().flatten().min()
    }

    fn contact(&mut self) {
        let Some(ContactEvent { change, a, b, .. }) = self.contacts.next() else { return };
        match change {
            Change::Up => {
                self.log.add(self.now_us, Step::Up, a, b, 0);
                self.reach.begin(a, b, self.now_us);
                self.approach(a, b);
            }
            Change::Down => {
                self.log.add(self.now_us, Step::Down, a, b, 0);
                let Some((talk, up_us)) = self.reach.end(a, b) else { return };
                self.part(a, b, talk);
                self.tally.contacts.push(Contact { up_us, a, b, down_us: self.now_us });
            }
        }
    }

    /// Two nodes in reach start to talk, after the time that takes, if both are on.
    fn approach(&mut self, a: u32, b: u32) {
        if !self.nodes[a as usize].is_on || !self.nodes[b as usize].is_on {
            return;
        }
        match self.links.setup_us() {
            0 => self.talk(a, b),
            setup_us => {
                let at_us = self.now_us.saturating_add(setup_us);
                self.setups.insert((at_us, a, b));
                self.reach.set(a, b, Talk::From(at_us));
            }
        }
    }

    fn set_up(&mut self) {
        let Some((_, a, b)) = self.setups.pop_first() else { return };
        self.talk(a, b);
    }

    fn talk(&mut self, a: u32, b: u32) {
        self.reach.set(a, b, Talk::Talks);
        self.links.open(a, b);
        for (node, peer) in [(a, b), (b, a)] {
            let peer = self.roster.name(peer);
            self.input(node, Input::ContactUp { peer });
        }
    }

    /// They stop talking, if they did.
    fn part(&mut self, a: u32, b: u32, talk: Talk) {
        match talk {
            Talk::Not => {}
            Talk::From(at_us) => drop(self.setups.remove(&(at_us, a.min(b), a.max(b)))),
            Talk::Talks => {
                for transfer in self.links.close(a, b).moving {
                    self.lose(&transfer);
                }
                for (node, peer) in [(a, b), (b, a)] {
                    let peer = self.roster.name(peer);
                    self.input(node, Input::ContactDown { peer });
                }
            }
        }
    }

    fn lose(&mut self, transfer: &Transfer) {
        if let Parcel::Bundle { bundle, .. } = transfer.parcel {
            self.log.add(self.now_us, Step::Cut, transfer.from, transfer.to, bundle.into());
            self.tally.cut(self.catalog.entry(bundle));
        }
    }

    /// A node goes off, or on again.
    fn switch(&mut self) {
        let (_, on, node) = self.power[self.powered];
        self.powered += 1;
        if on {
            self.log.add(self.now_us, Step::Restart, node, 0, 0);
            self.nodes[node as usize].restart(&self.roster, self.config.clone(), self.loaded.scenario.seed);
            self.input(node, Input::Timeout);
            for (peer, _) in self.reach.peers(node) {
                self.approach(node.min(peer), node.max(peer));
            }
            for message in std::mem::take(&mut self.nodes[node as usize].unsent) {
                self.submit(message);
            }
        } else {
            self.log.add(self.now_us, Step::Crash, node, 0, 0);
            self.tally.counters.crashes += 1;
            self.nodes[node as usize].is_on = false;
            for (peer, talk) in self.reach.peers(node) {
                self.reach.set(node, peer, Talk::Not);
                self.part(node, peer, talk);
            }
        }
    }

    /// A person writes a message; a node that is off takes it when it is on again.
    fn write(&mut self) {
        let message = self.written as u32;
        self.written += 1;
        let from = self.loaded.messages[message as usize].from;
        self.log.add(self.now_us, Step::Create, from, message, 0);
        match &mut self.nodes[from as usize] {
            node if node.is_on => self.submit(message),
            node => node.unsent.push(message),
        }
    }

    fn submit(&mut self, message: u32) {
        let written = &self.loaded.messages[message as usize];
        let input = Input::Submit {
            token: message.into(),
            destination: Eid::mail(self.roster.name(written.to)),
            lifetime: Millis(self.loaded.lifetime_us().div_ceil(1_000)),
            priority: written.priority,
            copies: None,
        };
        self.input(written.from, input);
    }

    fn move_on(&mut self) {
        let World { links, tally, catalog, .. } = self;
        let mut tell = |fate, transfer: &Transfer| match transfer.parcel {
            Parcel::Bundle { bundle, .. } if fate == Fate::Begun => tally.began(catalog.entry(bundle)),
            Parcel::Bundle { bundle, .. } => tally.cut(catalog.entry(bundle)),
            Parcel::Frame(_) => {}
        };
        if let Some(transfer) = links.arrived(self.now_us, &mut tell) {
            self.arrive(transfer);
        }
    }

    fn ring(&mut self) {
        let Some(node) = self.timers.ring() else { return };
        if !self.nodes[node as usize].is_on {
            return;
        }
        let due = self.nodes[node as usize].agent.next_timeout();
        match due.map(|(at, _)| at.0.saturating_mul(1_000)) {
            Some(due_us) if due_us <= self.now_us => {
                self.log.add(self.now_us, Step::Timer, node, 0, 0);
                self.input(node, Input::Timeout);
            }
            Some(due_us) => self.timers.set(node, due_us),
            None => {}
        }
    }

    /// Compares what sources say of their messages with what really happened.
    fn check_statuses(&mut self) {
        for node in &self.nodes {
            for outgoing in node.agent.sent() {
                let Some(message) = self.catalog.number(&outgoing.id).and_then(|n| self.catalog.entry(n).message)
                else {
                    continue;
                };
                let is_delivered = self.tally.rows[message as usize].delivered_us.is_some();
                let is_true = outgoing.evidence.iter().all(|evidence| match (evidence.what, evidence.who) {
                    (What::Delivered | What::Read, _) => is_delivered,
                    (What::Custody | What::Copy, Some(who)) => self.tally.had(message, self.roster.number(&who)),
                    _ => true,
                });
                self.tally.counters.status_checked += 1;
                self.tally.counters.status_untrue += u64::from(!is_true);
                self.tally.counters.receipts_returned += u64::from(outgoing.state() >= What::Delivered);
            }
        }
    }
}

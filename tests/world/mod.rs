//! A small world in memory: a few agents with stores, links that go up and down, and a clock that only the story moves.
//!
//! Everything said goes through the codec as bytes. After every commit the store must hold what the agent believes.

#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dak::agent::change::{Change, What};
use dak::agent::{Agent, Config, Event, Input, Mailboxes, Output};
use dak::bundle::{Bundle, Priority, Signer, Unverified};
use dak::eid::Eid;
use dak::frame::{Frame, Incoming, Transit, encode_bundle};
use dak::id::{BundleId, NodeId};
use dak::store::Store;
use dak::store::memory::MemoryStore;
use dak::time::{DAY, DtnTime, Millis, Moment, Timestamp};
use ed25519_dalek::SigningKey;

/// 2026-11-01 in milliseconds since the DTN epoch.
pub const WALL: u64 = 846_892_800_000;

pub struct Node<S: Store = MemoryStore> {
    pub key: Arc<SigningKey>,
    pub id: NodeId,
    pub agent: Agent,
    pub store: S,
    pub config: Config,
    /// Milliseconds that this node's wall clock is off by.
    pub wall_offset: i64,
    pub incarnation: u8,
    pub events: Vec<Event>,
    pub notified: Vec<BundleId>,
    /// Commits still to come before the power goes, when it is to go; and whether before or after that commit.
    pub power_cut: Option<(u32, bool)>,
    pub down: bool,
    next_token: u64,
}

pub struct World<S: Store = MemoryStore> {
    pub nodes: Vec<Node<S>>,
    pub now: u64,
    pub links: BTreeSet<(usize, usize)>,
    wire: VecDeque<(usize, usize, Vec<u8>)>,
    /// Bundles handed over, per pair of nodes.
    pub forwards: BTreeMap<(usize, usize), u64>,
    pub log: blake3::Hasher,
}

impl World<MemoryStore> {
    pub fn new(configs: Vec<Config>) -> World {
        let stores = configs.iter().map(|_| MemoryStore::default()).collect();
        World::with_stores(configs, stores)
    }

    pub fn of(n: usize) -> World {
        World::new(vec![Config::default(); n])
    }
}

impl<S: Store> World<S> {
    pub fn with_stores(configs: Vec<Config>, stores: Vec<S>) -> World<S> {
        let nodes = configs.into_iter().zip(stores).enumerate().map(|(n, (config, store))| {
            let key = Arc::new(SigningKey::from_bytes(&[n as u8 + 1; 32]));
            let agent = restore(&key, &config, &store, 0);
            Node {
                id: key.node(),
                key,
                agent,
                store,
                config,
                wall_offset: 0,
                incarnation: 0,
                events: Vec::new(),
                notified: Vec::new(),
                power_cut: None,
                down: false,
                next_token: 1,
            }
        });
        World {
            nodes: nodes.collect(),
            now: 0,
            links: BTreeSet::new(),
            wire: VecDeque::new(),
            forwards: BTreeMap::new(),
            log: blake3::Hasher::new(),
        }
    }

    pub fn moment(&self, n: usize) -> Moment {
        let wall = (WALL + self.now).saturating_add_signed(self.nodes[n].wall_offset);
        Moment { now: Timestamp(self.now), wall: DtnTime(wall) }
    }

    /// Gives one input to one agent and does what comes out, batch by batch, until nothing is due now.
    pub fn input(&mut self, n: usize, input: Input) {
        if self.nodes[n].down {
            return;
        }
        let at = self.moment(n);
        let mut out = Vec::new();
        self.nodes[n].agent.handle(at, input, &mut out);
        while self.nodes[n].agent.next_timeout().is_some_and(|(due, _)| due <= at.now) {
            let before = out.len();
            self.nodes[n].agent.handle(at, Input::Timeout, &mut out);
            assert!(out.len() > before || self.nodes[n].agent.next_timeout().is_none_or(|(due, _)| due > at.now));
        }
        self.perform(n, out);
    }

    fn perform(&mut self, n: usize, out: Vec<Output>) {
        let changes: Vec<Change> = out
            .iter()
            .filter_map(|o| if let Output::Commit(change) = o { Some(change.clone()) } else { None })
            .collect();
        self.log.update(format!("{n} {out:?}\n").as_bytes());
        let node = &mut self.nodes[n];
        if !changes.is_empty() {
            match &mut node.power_cut {
                Some((0, before)) => {
                    if !*before {
                        node.store.commit(&changes).unwrap();
                    }
                    node.power_cut = None;
                    return self.crash(n);
                }
                Some((left, _)) => *left -= 1,
                None => {}
            }
            node.store.commit(&changes).unwrap();
            assert_eq!(node.store.durable().unwrap(), node.agent.durable(), "the store holds what the agent believes");
        }
        for output in out {
            self.act(n, output);
            if self.nodes[n].down {
                return;
            }
        }
    }

    fn act(&mut self, n: usize, output: Output) {
        match output {
            Output::Commit(_) | Output::Dial(_) => {}
            Output::Seal { token, draft } => {
                let payload: Arc<[u8]> = format!("message {token} of node {n}").into_bytes().into();
                let size_bytes = draft.sign(&payload, &*self.nodes[n].key).unwrap().encoded_len() as u32;
                self.input(n, Input::Sealed { token, payload, size_bytes });
            }
            Output::Send { to, frame } => self.wire.push_back((n, self.index(to), frame.encode())),
            Output::Forward { to, transit, row, .. } => {
                let body = self.nodes[n].store.body(row).unwrap().expect("what is forwarded is stored");
                let (bundle, _) = Bundle::from_store(&body).unwrap();
                let to = self.index(to);
                *self.forwards.entry((n, to)).or_default() += 1;
                self.wire.push_back((n, to, encode_bundle(&transit, &bundle)));
            }
            Output::Notify(id) => self.nodes[n].notified.push(id),
            Output::Report(event) => self.nodes[n].events.push(event),
        }
    }

    pub fn index(&self, id: NodeId) -> usize {
        self.nodes.iter().position(|node| node.id == id).expect("a node of this world")
    }

    /// Moves what is on the wire until it is empty.
    pub fn settle(&mut self) {
        let mut steps = 0;
        while let Some((from, to, bytes)) = self.wire.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the exchange ends");
            if self.is_linked(from, to) && !self.nodes[from].down && !self.nodes[to].down {
                self.arrive(from, to, &bytes);
            }
        }
    }

    /// What a driver does with bytes from a peer.
    pub fn arrive(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let from = self.nodes[from].id;
        let input = match Incoming::decode(bytes) {
            Ok(Incoming::Frame(frame)) => Input::Frame { from, frame },
            Ok(Incoming::Bundle { copies, moved, bytes }) => {
                let Ok(unverified) = Unverified::parse(bytes) else { return };
                let transit = Transit { hops: unverified.hops(), copies, moved };
                if self.nodes[to].agent.knows(&unverified.id()) {
                    Input::Duplicate { from, transit, id: unverified.id() }
                } else {
                    let Ok((bundle, _)) = unverified.verify() else { return };
                    Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes: bytes.len() as u32 }
                }
            }
            Err(_) => return,
        };
        self.input(to, input);
    }

    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        self.links.contains(&(a.min(b), a.max(b)))
    }

    pub fn up(&mut self, a: usize, b: usize) {
        if self.links.insert((a.min(b), a.max(b))) {
            let (id_a, id_b) = (self.nodes[a].id, self.nodes[b].id);
            self.input(a, Input::ContactUp { peer: id_b });
            self.input(b, Input::ContactUp { peer: id_a });
        }
        self.settle();
    }

    pub fn down(&mut self, a: usize, b: usize) {
        if self.links.remove(&(a.min(b), a.max(b))) {
            let (id_a, id_b) = (self.nodes[a].id, self.nodes[b].id);
            self.input(a, Input::ContactDown { peer: id_b });
            self.input(b, Input::ContactDown { peer: id_a });
        }
    }

    /// A contact from beginning to end.
    pub fn meet(&mut self, a: usize, b: usize) {
        self.up(a, b);
        self.down(a, b);
    }

    /// Lets time pass; timers fire in order.
    pub fn pass(&mut self, span: Millis) {
        let end = self.now + span.0;
        loop {
            let dues = self.nodes.iter().enumerate().filter(|(_, node)| !node.down);
            let next =
                dues.filter_map(|(n, node)| node.agent.next_timeout().map(|(due, _)| (due.0.max(self.now), n))).min();
            match next {
                Some((due, n)) if due <= end => {
                    self.now = due;
                    self.input(n, Input::Timeout);
                    self.settle();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// Loses everything but the store, and starts again from it.
    pub fn crash(&mut self, n: usize) {
        let peers: Vec<usize> = (0..self.nodes.len()).filter(|m| self.is_linked(n, *m)).collect();
        self.wire.retain(|(from, to, _)| *from != n && *to != n);
        let node = &mut self.nodes[n];
        node.incarnation += 1;
        node.agent = restore(&node.key, &node.config, &node.store, node.incarnation);
        for m in peers {
            self.links.remove(&(n.min(m), n.max(m)));
            let id = self.nodes[n].id;
            self.input(m, Input::ContactDown { peer: id });
        }
        self.input(n, Input::Timeout);
    }

    pub fn send(&mut self, from: usize, to: usize) -> Option<BundleId> {
        self.send_with(from, to, DAY, None)
    }

    pub fn send_with(&mut self, from: usize, to: usize, lifetime: Millis, copies: Option<u16>) -> Option<BundleId> {
        let token = self.nodes[from].next_token;
        self.nodes[from].next_token += 1;
        let destination = Eid::mail(self.nodes[to].id);
        self.input(from, Input::Submit { token, destination, lifetime, priority: Priority::Normal, copies });
        let queued = |event: &Event| match event {
            Event::Queued { token: t, id } if *t == token => Some(*id),
            _ => None,
        };
        let id = self.nodes[from].events.iter().find_map(queued);
        self.settle();
        id
    }

    pub fn state(&self, n: usize, id: BundleId) -> What {
        self.nodes[n].agent.sent_one(&id).expect("a message of this node").state()
    }

    pub fn inbox(&self, n: usize) -> Vec<BundleId> {
        self.nodes[n].agent.letters().map(|letter| letter.id).collect()
    }

    pub fn holds(&self, n: usize, id: BundleId) -> bool {
        self.nodes[n].agent.held_one(&id).is_some()
    }
}

impl<S: Store> World<S> {
    /// Says a frame to a node as if a peer had said it.
    pub fn say(&mut self, from: usize, to: usize, frame: Frame) {
        self.arrive(from, to, &frame.encode());
        self.settle();
    }
}

fn restore<S: Store>(key: &Arc<SigningKey>, config: &Config, store: &S, incarnation: u8) -> Agent {
    let seed = *blake3::Hasher::new().update(key.node().as_bytes()).update(&[incarnation]).finalize().as_bytes();
    let signer: Arc<dyn Signer> = key.clone();
    Agent::restore(key.node(), Mailboxes::own(signer), config.clone(), seed, store.durable().unwrap())
}

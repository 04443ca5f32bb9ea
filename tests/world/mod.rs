//! A small world in memory: a few agents with stores, links that go up and down, and a clock that only the story moves.
//!
//! Everything said goes through the codec as bytes. After every commit the store must hold what the agent believes.

#![allow(dead_code)]

pub mod ghost;
pub mod truth;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dak::agent::change::{Change, Durable, EvidenceKind, Known, Letter, Outgoing, Person, Row, Standing};
use dak::agent::{Agent, Config, Declined, Event, Input, Mailboxes, Output, STICK};
use dak::bundle::{Bundle, Ends, Handed, Hops, Kind, Priority, Signer, Unverified};
use dak::content::{Content, Filed, KeyUsed, Text, pad};
use dak::driver::{Driver, Said, Step};
use dak::eid::Eid;
use dak::frame::{Frame, Incoming, Transit, encode_folded, is_answer, unfolded};
use dak::id::{BundleId, NodeId};
use dak::mail::record::Record;
use dak::mail::{Opened, Opening};
use dak::store::Store;
use dak::store::memory::MemoryStore;
use dak::time::{DAY, DtnTime, Millis, Moment, Timestamp};
use ed25519_dalek::SigningKey;

/// 2026-11-01 in milliseconds since the DTN epoch.
pub const WALL: u64 = 846_892_800_000;

/// A store that a new node starts with.
pub trait Fresh: Store {
    fn fresh() -> Self;
}

impl Fresh for MemoryStore {
    fn fresh() -> MemoryStore {
        MemoryStore::default()
    }
}

pub struct Node<S: Store = MemoryStore> {
    pub key: Arc<SigningKey>,
    pub id: NodeId,
    /// Mailboxes that it serves beside that of its own key, and groups that it joined.
    pub others: Vec<Arc<SigningKey>>,
    pub groups: Vec<Eid>,
    pub driver: Driver<Watch>,
    pub store: S,
    pub config: Config,
    /// Milliseconds that this node's wall clock is off by.
    pub wall_offset: i64,
    pub incarnation: u8,
    pub events: Vec<Event>,
    pub notified: Vec<BundleId>,
    pub heard: Vec<BundleId>,
    /// With whom it began a contact anew.
    pub renewed: Vec<NodeId>,
    /// Commits still to come before the power goes, when it is to go; and whether before or after that commit.
    pub power_cut: Option<(u32, bool)>,
    pub down: bool,
    /// Commits so far.
    pub commits: u32,
    next_token: u64,
}

pub struct World<S: Store = MemoryStore> {
    pub nodes: Vec<Node<S>>,
    pub now: u64,
    pub links: BTreeSet<(usize, usize)>,
    wire: VecDeque<(usize, usize, Vec<u8>)>,
    /// Bundles handed over, per pair of nodes.
    pub forwards: BTreeMap<(usize, usize), u64>,
    /// Whom each node wished to dial.
    pub dialled: Vec<Vec<NodeId>>,
    pub truth: truth::Truth,
    /// Of which messages the driver of their recipient keeps nothing.
    pub declined: BTreeMap<BundleId, Declined>,
    /// What was said to peers that are no nodes of this world.
    said: Vec<(NodeId, bool, Vec<u8>)>,
    pub log: blake3::Hasher,
}

impl<S: Fresh> World<S> {
    pub fn new(configs: Vec<Config>) -> World<S> {
        let stores = configs.iter().map(|_| S::fresh()).collect();
        World::with_stores(configs, stores)
    }

    pub fn of(n: usize) -> World<S> {
        World::new(vec![Config::default(); n])
    }
}

/// Sees to it that time which is due leads somewhere, and lets mail follow the agent. Here a payload is its own plaintext.
#[derive(Default)]
pub struct Watch {
    opening: Opening,
    /// What is durable of mail.
    record: Record,
}

impl Step for Watch {
    type Said = Output;

    fn recall(&mut self, id: &BundleId) -> Option<Known> {
        Some(self.record.known(id))
    }

    fn give(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        let is_timeout = input == Input::Timeout;
        match &input {
            Input::Sealed { payload, .. } => self.opening.written(plaintext(payload)),
            Input::Bundle { bundle, .. } if bundle.kind == Kind::Message => {
                let plaintext = plaintext(bundle.payload());
                self.opening.came(bundle.id, Opened::new(KeyUsed::Identity, plaintext));
            }
            _ => {}
        }
        let from = out.len();
        agent.handle(at, input, out);
        self.opening.follow(out, from);
        let is_idle = out.is_empty() && agent.next_timeout().is_some_and(|(due, _)| due <= at.now);
        assert!(!is_timeout || !is_idle, "what is due gets done");
    }

    fn add(&mut self, out: Vec<Output>, open: &mut Vec<Output>) {
        open.extend(out);
    }
}

fn plaintext(payload: &[u8]) -> Vec<u8> {
    let body = String::from_utf8_lossy(payload).into_owned();
    pad(&Content::from(Text { body, ..Text::default() }).encode())
}

impl<S: Store> Node<S> {
    pub fn agent(&self) -> &Agent {
        &self.driver.agent
    }

    /// All that is durable or will be with the next commit, the record of mail included.
    pub fn believed(&self) -> Durable {
        self.driver.believed(self.store.durable().unwrap())
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.believed().letters.into_values().collect()
    }

    pub fn letter(&self, id: &BundleId) -> Option<Letter> {
        self.letters().into_iter().find(|letter| letter.id == *id)
    }

    pub fn sent(&self) -> Vec<Outgoing> {
        self.believed().outgoing.into_values().collect()
    }

    pub fn sent_one(&self, id: &BundleId) -> Option<Outgoing> {
        self.believed().outgoing.remove(id)
    }

    fn mailboxes(&self) -> Mailboxes {
        let own = Mailboxes::own(self.key.clone());
        let served = self.others.iter().fold(own, |served, key| served.and(key.clone()));
        self.groups.iter().cloned().fold(served, Mailboxes::joined)
    }

    /// The key of a mailbox that it serves.
    fn key_of(&self, mailbox: &NodeId) -> &SigningKey {
        self.others.iter().chain([&self.key]).find(|key| key.node() == *mailbox).expect("a mailbox served here")
    }
}

impl<S: Store> World<S> {
    pub fn with_stores(configs: Vec<Config>, stores: Vec<S>) -> World<S> {
        let nodes = configs.into_iter().zip(stores).enumerate().map(|(n, (config, store))| {
            let key = Arc::new(SigningKey::from_bytes(&[n as u8 + 1; 32]));
            let agent = restore(&key, Mailboxes::own(key.clone()), &config, &store, 0);
            Node {
                id: key.node(),
                key,
                others: Vec::new(),
                groups: Vec::new(),
                driver: Driver::new(agent, Watch { record: Record::of(&store.durable().unwrap()), ..Watch::default() }),
                store,
                config,
                wall_offset: 0,
                incarnation: 0,
                events: Vec::new(),
                notified: Vec::new(),
                heard: Vec::new(),
                renewed: Vec::new(),
                power_cut: None,
                down: false,
                commits: 0,
                next_token: 1,
            }
        });
        let nodes: Vec<Node<S>> = nodes.collect();
        let mut truth = truth::Truth::default();
        truth.nodes.extend(nodes.iter().map(|node| node.id));
        World {
            now: 0,
            links: BTreeSet::new(),
            wire: VecDeque::new(),
            forwards: BTreeMap::new(),
            dialled: vec![Vec::new(); nodes.len()],
            truth,
            declined: BTreeMap::new(),
            said: Vec::new(),
            log: blake3::Hasher::new(),
            nodes,
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
        let usage = self.nodes[n].agent().usage();
        let by_owner = truth::is_of_owner(&input) || usage.bytes > usage.quota_bytes;
        if let Input::CarryLimit(bytes) = input {
            // What an owner sets is still set after a restart.
            self.nodes[n].config.carry_bytes_max = bytes;
        }
        let driver = &mut self.nodes[n].driver;
        driver.take(at, input);
        driver.run_all_due(at);
        self.perform(n, by_owner);
    }

    /// Somebody looks at a node, and so all that is seen is durable.
    pub fn look(&mut self, n: usize) {
        self.perform(n, true);
    }

    /// Bundles that come so fast that they share a batch.
    pub fn take_in_one_batch(&mut self, n: usize, from: NodeId, bundles: Vec<Bundle>) {
        self.take_aged_in_one_batch(n, from, bundles, Millis(0));
    }

    pub fn take_aged_in_one_batch(&mut self, n: usize, from: NodeId, bundles: Vec<Bundle>, age: Millis) {
        let hops = Hops { age, count: 1 };
        let (at, transit) = (self.moment(n), Transit { copies: 8, hops, is_answer: false });
        let driver = &mut self.nodes[n].driver;
        for bundle in bundles {
            let size_bytes = bundle.encoded_len() as u32;
            driver.take(at, Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes });
        }
        driver.run_all_due(at);
        self.perform(n, false);
        self.settle();
    }

    /// Commits and then acts, as a driver must; checks the promises in between.
    fn perform(&mut self, n: usize, by_owner: bool) {
        let now = Timestamp(self.now);
        let node = &mut self.nodes[n];
        self.log.update(format!("{n} {:?}\n", node.driver.open()).as_bytes());
        // What an owner is answered is durable, and so is what waited before it.
        let (waited, batch) = match by_owner {
            true => (node.driver.held_back(), node.driver.flush()),
            false => (0, node.driver.close(now)),
        };
        node.driver.step.opening.end_batch();
        let changes: Vec<Change> = batch.iter().filter_map(Said::change).cloned().collect();
        if !changes.is_empty() {
            node.commits += 1;
            let mut commit = |node: &mut Node<S>| {
                node.store.commit(&changes).unwrap();
                changes.iter().for_each(|change| node.driver.step.record.apply(change));
                node.driver.committed(node.driver.handed_out());
                self.truth.committed(node.id, now, false, &batch[..waited]);
                self.truth.committed(node.id, now, by_owner, &batch[waited..]);
            };
            match &mut node.power_cut {
                Some((0, before)) => {
                    if !*before {
                        commit(node);
                    }
                    node.power_cut = None;
                    return self.crash(n);
                }
                Some((left, _)) => *left -= 1,
                None => {}
            }
            commit(node);
        }
        let durable = node.store.durable().unwrap();
        let shown = durable.outgoing.clone();
        let believed = node.driver.believed(durable);
        let sent = believed.outgoing.clone();
        let kept = believed.without_filed();
        assert_eq!(kept, node.agent().durable(), "the store and what waits for it are what the agent believes");
        self.truth.check(self.nodes[n].agent(), &sent, &shown, now);
        let node = &self.nodes[n];
        let incarnation = node.incarnation;
        for output in batch {
            self.act(n, output);
            // An act may have led to a power cut: who would have performed the others is no more.
            if self.nodes[n].down || self.nodes[n].incarnation != incarnation {
                return;
            }
        }
    }

    fn act(&mut self, n: usize, output: Output) {
        match output {
            Output::Commit(_) | Output::File(_) => {}
            Output::Heard(bundle) => self.nodes[n].heard.push(bundle.id),
            Output::Again(rows) => {
                let incarnation = self.nodes[n].incarnation;
                for (row, id) in rows {
                    let Some(body) = self.nodes[n].store.body(row).unwrap() else { continue };
                    let (bundle, hops) = Bundle::from_store(&body).unwrap();
                    assert_eq!(bundle.id, id);
                    let (transit, size_bytes) = (Transit { hops, copies: 0, is_answer: false }, bundle.encoded_len());
                    let (bundle, size_bytes) = (Arc::new(bundle), size_bytes as u32);
                    self.input(n, Input::Bundle { from: STICK, transit, bundle, size_bytes });
                }
                if self.nodes[n].incarnation == incarnation {
                    self.input(n, Input::HandedIn);
                }
            }
            Output::Dial(node) => self.dialled[n].push(node),
            Output::Renew(peer) => {
                self.nodes[n].renewed.push(peer);
                // A ghost is there as long as its story says.
                if let Some(peer) = self.find(peer).filter(|peer| self.is_linked(n, *peer)) {
                    self.down(n, peer);
                    self.open(n, peer);
                }
            }
            Output::Seal { token, draft } => {
                let payload: Arc<[u8]> = format!("message {token} of node {n}").into_bytes().into();
                let size_bytes =
                    draft.sign(&payload, self.nodes[n].key_of(&draft.source)).unwrap().encoded_len() as u32;
                self.input(n, Input::Sealed { token, payload, size_bytes });
            }
            Output::Send { to, frame } => self.put(n, to, frame.encode().expect("what an agent says fits a frame")),
            Output::Forward { to, transit, row, .. } => {
                let body = self.nodes[n].store.body(row).unwrap().expect("what is forwarded is stored");
                let (bundle, _) = Bundle::from_store(&body).unwrap();
                if let Some(to) = self.find(to) {
                    *self.forwards.entry((n, to)).or_default() += 1;
                }
                let ends = Ends { from: self.nodes[n].id, to };
                self.put(n, to, encode_folded(&transit, &bundle, &ends, Handed::nothing()));
            }
            Output::Notify(id) => self.nodes[n].notified.push(id),
            Output::Report(event) => self.nodes[n].events.push(event),
        }
    }

    fn put(&mut self, from: usize, to: NodeId, bytes: Vec<u8>) {
        match self.find(to) {
            Some(to) => self.wire.push_back((from, to, bytes)),
            None => {
                let ends = Ends { from: self.nodes[from].id, to };
                let whole = unfolded(&bytes, &ends, Handed::nothing()).into_owned();
                self.said.push((to, is_answer(&bytes), whole));
            }
        }
    }

    fn find(&self, id: NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Moves what is on the wire until it is empty.
    pub fn settle(&mut self) {
        let mut steps = 0;
        while let Some((from, to, bytes)) = self.wire.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the exchange ends");
            if self.is_linked(from, to) && !self.nodes[from].down && !self.nodes[to].down {
                self.arrive(self.nodes[from].id, to, &bytes);
            }
        }
    }

    /// Moves at most so many frames.
    pub fn settle_some(&mut self, frames: usize) {
        for _ in 0..frames {
            let Some((from, to, bytes)) = self.wire.pop_front() else { return };
            if self.is_linked(from, to) && !self.nodes[from].down && !self.nodes[to].down {
                self.arrive(self.nodes[from].id, to, &bytes);
            }
        }
    }

    /// What a driver does with bytes from a peer.
    pub fn arrive(&mut self, from: NodeId, to: usize, bytes: &[u8]) {
        let is_answer = is_answer(bytes);
        let bytes = unfolded(bytes, &Ends { from, to: self.nodes[to].id }, Handed::nothing());
        let input = match Incoming::decode(&bytes) {
            Ok(Incoming::Frame(frame)) => Input::Frame { from, frame },
            Ok(Incoming::Bundle { copies, bytes }) => {
                let Ok(unverified) = Unverified::parse(bytes) else { return };
                let transit = Transit { hops: unverified.hops(), copies, is_answer };
                if self.nodes[to].agent().turns_away(&unverified.id()) {
                    Input::Duplicate { from, transit, id: unverified.id() }
                } else {
                    let Ok((bundle, _)) = unverified.verify() else { return };
                    let is_for_it = bundle.destination == Eid::mail(self.nodes[to].id);
                    let (why, size_bytes) = (self.declined.get(&bundle.id), bytes.len() as u32);
                    let bundle = Arc::new(bundle);
                    match why.filter(|_| is_for_it) {
                        Some(why) => {
                            self.truth.declined.insert((self.nodes[to].id, bundle.id));
                            Input::Decline { from, transit, bundle, size_bytes, why: *why }
                        }
                        None => Input::Bundle { from, transit, bundle, size_bytes },
                    }
                }
            }
            Ok(Incoming::Folded { .. }) | Err(_) => return,
        };
        self.input(to, input);
    }

    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        self.links.contains(&(a.min(b), a.max(b)))
    }

    pub fn up(&mut self, a: usize, b: usize) {
        self.open(a, b);
        self.settle();
    }

    /// Brings a link up; what the two say stays on the wire.
    pub fn open(&mut self, a: usize, b: usize) {
        if self.links.insert((a.min(b), a.max(b))) {
            let (id_a, id_b) = (self.nodes[a].id, self.nodes[b].id);
            self.input(a, Input::ContactUp { peer: id_b });
            // Unless the first one's power went meanwhile.
            if self.is_linked(a, b) {
                self.input(b, Input::ContactUp { peer: id_a });
            }
        }
    }

    pub fn down(&mut self, a: usize, b: usize) {
        if self.links.remove(&(a.min(b), a.max(b))) {
            self.wire.retain(|(from, to, _)| (*from, *to) != (a, b) && (*from, *to) != (b, a));
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

    /// What a node puts on a stick, for somebody or for anybody: all that would go, the first first.
    pub fn export(&mut self, n: usize, whom: Option<usize>) -> Vec<(Bundle, Hops)> {
        let whom = whom.map(|whom| self.nodes[whom].id);
        let (mut willing, _) = self.nodes[n].agent().willing(whom, None, usize::MAX);
        willing.sort_unstable();
        let ids: Vec<BundleId> = willing.iter().map(|willing| willing.id).collect();
        let leaving = self.nodes[n].agent().leaving(whom, &ids);
        assert_eq!(leaving.iter().map(|leaving| leaving.id).collect::<Vec<_>>(), ids, "what would go goes");
        let incarnation = self.nodes[n].incarnation;
        self.input(n, Input::LeaveOnFiles(ids));
        // Nothing is written before it is durable that it left.
        if self.nodes[n].down || self.nodes[n].incarnation != incarnation {
            return Vec::new();
        }
        let stored = |leaving: &dak::agent::Leaving| self.nodes[n].store.body(leaving.row).unwrap();
        let bundle = |bytes: Vec<u8>| Bundle::from_store(&bytes).unwrap().0;
        leaving.iter().filter_map(|leaving| Some((bundle(stored(leaving)?), leaving.hops))).collect()
    }

    /// A node takes in what is on a stick.
    pub fn import(&mut self, n: usize, files: &[(Bundle, Hops)]) {
        for (bundle, hops) in files {
            let (from, transit, id) = (STICK, Transit { hops: *hops, copies: 1, is_answer: false }, bundle.id);
            let input = match self.nodes[n].agent().turns_away(&id) {
                true => Input::Duplicate { from, transit, id },
                false => {
                    let (bundle, _) = Bundle::decode(&bundle.encode(*hops)).unwrap();
                    let size_bytes = bundle.encoded_len() as u32;
                    Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes }
                }
            };
            self.input(n, input);
        }
        self.settle();
    }

    /// Lets time pass; timers fire in order.
    pub fn pass(&mut self, span: Millis) {
        let end = self.now + span.0;
        loop {
            let nodes = self.nodes.iter().enumerate().filter(|(_, node)| !node.down);
            let next = nodes.filter_map(|(n, node)| node.driver.due().map(|due| (due.0.max(self.now), n))).min();
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
        let agent = restore(&node.key, node.mailboxes(), &node.config, &node.store, node.incarnation);
        node.driver.start_again(agent);
        let durable = node.store.durable().unwrap().without_filed();
        assert_eq!(durable, node.agent().durable(), "an agent starts with all that is durable");
        for m in peers {
            self.links.remove(&(n.min(m), n.max(m)));
            let id = self.nodes[n].id;
            self.input(m, Input::ContactDown { peer: id });
        }
        self.input(n, Input::Timeout);
    }

    /// What the recipient reads of a message, and what its writer does: each as the store has it, if it came and was sent
    /// here.
    pub fn words(&self, from: usize, to: usize, id: BundleId) -> [Option<Filed>; 2] {
        let letter = self.nodes[to].letter(&id).map(|letter| letter.row);
        let sent = self.nodes[from].sent_one(&id).and_then(|outgoing| outgoing.row);
        let read = |n: usize, row: Option<Row>| row.and_then(|row| self.nodes[n].store.words(row).unwrap());
        [read(to, letter), read(from, sent)]
    }

    pub fn send(&mut self, from: usize, to: usize) -> Option<BundleId> {
        self.send_with(from, to, DAY, None)
    }

    pub fn send_with(&mut self, from: usize, to: usize, lifetime: Millis, copies: Option<u16>) -> Option<BundleId> {
        self.send_to(from, Eid::mail(self.nodes[to].id), lifetime, copies)
    }

    pub fn send_to(
        &mut self,
        from: usize,
        destination: Eid,
        lifetime: Millis,
        copies: Option<u16>,
    ) -> Option<BundleId> {
        self.send_as(from, Eid::mail(self.nodes[from].id), destination, lifetime, copies)
    }

    /// Writes in the name of a mailbox.
    pub fn send_as(
        &mut self,
        from: usize,
        mailbox: Eid,
        destination: Eid,
        lifetime: Millis,
        copies: Option<u16>,
    ) -> Option<BundleId> {
        let token = self.nodes[from].next_token;
        self.nodes[from].next_token += 1;
        let priority = Priority::Normal;
        self.input(from, Input::Submit { token, mailbox, destination, lifetime, priority, copies });
        let queued = |event: &Event| match event {
            Event::Queued { token: t, id } if *t == token => Some(*id),
            _ => None,
        };
        let id = self.nodes[from].events.iter().find_map(queued);
        self.settle();
        id
    }

    /// The person at `n` names or blocks somebody.
    pub fn name(&mut self, n: usize, node: NodeId, standing: Standing) {
        let person = Person { name: "somebody".into(), standing, verified: false };
        self.input(n, Input::SetPerson { node, person: Some(person) });
        self.settle();
    }

    /// Everything known of the fate of a message of node `n`: what, and who says so.
    pub fn evidence(&self, n: usize, id: BundleId) -> Vec<(EvidenceKind, Option<NodeId>)> {
        let outgoing = self.nodes[n].sent_one(&id).expect("a message of this node");
        outgoing.events().iter().map(|evidence| (evidence.what, evidence.who)).collect()
    }

    pub fn state(&self, n: usize, id: BundleId) -> EvidenceKind {
        self.nodes[n].sent_one(&id).expect("a message of this node").state()
    }

    pub fn inbox(&self, n: usize) -> Vec<BundleId> {
        self.nodes[n].letters().iter().map(|letter| letter.id).collect()
    }

    /// The bundle stored at a row.
    pub fn body(&self, n: usize, row: Row) -> Bundle {
        let bytes = self.nodes[n].store.body(row).unwrap().expect("a row with a body");
        Bundle::from_store(&bytes).unwrap().0
    }

    pub fn holds(&self, n: usize, id: BundleId) -> bool {
        self.nodes[n].agent().held_one(&id).is_some()
    }
}

impl<S: Store> World<S> {
    /// Says a frame to a node as if a peer had said it.
    pub fn say(&mut self, from: usize, to: usize, frame: Frame) {
        self.arrive(self.nodes[from].id, to, &frame.encode().unwrap());
        self.settle();
    }
}

fn restore<S: Store>(key: &SigningKey, mailboxes: Mailboxes, config: &Config, store: &S, incarnation: u8) -> Agent {
    let seed = *blake3::Hasher::new().update(key.node().as_bytes()).update(&[incarnation]).finalize().as_bytes();
    Agent::restore(key.node(), mailboxes, config.clone(), seed, store.durable().unwrap())
}

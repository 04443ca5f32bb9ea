//! A share of a world: nodes that meet nobody outside it for a window of time, and all that happens among them.
//!
//! At one instant everything happens in one order: contacts end, others begin, messages are written, what is under way
//! arrives, and only then timers ring. So a chain of contacts that opens at an instant is whole before the first frame
//! crosses it, and a life ends after everything else of its last instant.

mod act;
mod here;
mod receipts;
mod stick;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

pub use self::receipts::Owing;
pub use self::stick::Stick;
use super::common::{Common, parts};
use super::count::Count;
use super::log::{EventLog, Step};
use super::node::Node;
use super::peers::Talk;
use super::script::{Cue, EvidenceKind};
use super::timers::Timers;
use crate::agent::io::Input;
use crate::content::topic::{Post, Said};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::sim::catalog::Entry;
use crate::sim::link::{Fate, Links, Parcel, Transfer};
use crate::sim::trace::Contact;
use crate::sim::workload::{Channel, Message};

/// What an envelope for a mailbox adds to what is padded in it (`seal.rs`).
const ENVELOPE_BYTES: usize = 56;

pub struct Share<'a> {
    common: Arc<Common<'a>>,
    now_us: u64,
    /// What is settled to happen in this window, in order.
    cues: VecDeque<Cue>,
    /// Contacts that talk once they are set up: when, and which pair.
    setups: BTreeSet<(u64, u32, u32)>,
    links: Links,
    timers: Timers,
    /// By number up to the largest that was ever here; none where a node is not.
    nodes: Vec<Option<Box<Node>>>,
    present: Vec<u32>,

    /// What was counted since the run began.
    pub count: Count,
    pub log: EventLog,
    /// What was signed just now, as the token of it says.
    queued: Option<(BundleId, u64)>,
    /// What the input under way is about: the bundle that arrives, or the last that was asked for.
    recent: Option<Arc<Entry>>,
    /// By whom the files came that are read just now.
    bearer: Option<u32>,
    /// Over how many links what arrives came.
    hops: u32,
    /// Who may send more of a file.
    senders: BTreeSet<u32>,
    /// Receipts in the place of which the one goes that was queued just now.
    to_drop: Vec<BundleId>,
    /// With whom the node that has an input begins to talk anew.
    to_renew: Vec<u32>,
    /// What the node does next for which something comes out just now.
    next: Vec<Input>,
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

impl<'a> Share<'a> {
    pub fn new(common: Arc<Common<'a>>) -> Share<'a> {
        let loaded = common.loaded;
        Share {
            common,
            now_us: 0,
            cues: VecDeque::new(),
            setups: BTreeSet::new(),
            links: Links::new(&loaded.scenario.link, loaded.scenario.seed),
            timers: Timers::default(),
            nodes: Vec::new(),
            present: Vec::new(),
            count: Count::default(),
            log: EventLog::default(),
            queued: None,
            recent: None,
            bearer: None,
            hops: 0,
            senders: BTreeSet::new(),
            to_drop: Vec::new(),
            to_renew: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Takes a node in.
    pub fn enter(&mut self, node: u32, mut state: Box<Node>) {
        self.links.enter(node, std::mem::take(&mut state.radio));
        let setups = state.peers.set_up().map(|(peer, at_us)| (at_us, node.min(peer), node.max(peer)));
        self.setups.extend(setups);
        self.timers.set(node, state.alarm_us);
        let least = node as usize + 1;
        if self.nodes.len() < least {
            self.nodes.resize_with(least, || None);
        }
        self.nodes[node as usize] = Some(state);
        self.present.push(node);
    }

    /// Adds what happens to nodes of this share, in its order.
    pub fn expect(&mut self, cue: Cue) {
        self.cues.push_back(cue);
    }

    /// Lets everything happen up to an instant.
    pub fn run(&mut self, last_us: u64) {
        while self.step(last_us) {}
    }

    /// Gives every node back, with the time when something is due there.
    pub fn leave(&mut self, mut take: impl FnMut(u32, Box<Node>, u64)) {
        for node in self.present.drain(..) {
            let mut state = self.nodes[node as usize].take().expect("who is present has a state");
            state.radio = self.links.leave(node);
            state.alarm_us = self.timers.take(node);
            let wake_us = state.wake_us();
            take(node, state, wake_us);
        }
        self.links.clear();
        self.setups.clear();
        self.timers.clear();
    }

    /// The nodes that are here, by number.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten().map(|node| &**node)
    }

    fn node(&mut self, node: u32) -> &mut Node {
        self.counted(node).0
    }

    /// A node, and where it is counted what happens to it.
    fn counted(&mut self, node: u32) -> (&mut Node, &mut Count) {
        let state = self.nodes[node as usize].as_mut();
        (state.expect("what happens to a node happens in its share"), &mut self.count)
    }

    fn step(&mut self, last_us: u64) -> bool {
        let Some((at_us, class)) = self.next_due().filter(|(at_us, _)| *at_us <= last_us) else { return false };
        self.now_us = at_us;
        self.count.events += 1;
        match class {
            Class::Down | Class::Crash | Class::Up | Class::Restart | Class::Create => self.follow(),
            Class::SetUp => self.set_up(),
            Class::Frame => self.move_on(),
            Class::Timer => self.ring(),
        }
        self.send_parts();
        true
    }

    fn next_due(&mut self) -> Option<(u64, Class)> {
        let cue = self.cues.front().map(|cue| (cue.at_us, class_of(cue.what)));
        let setup = self.setups.first().map(|(at_us, ..)| (*at_us, Class::SetUp));
        let frame = self.links.next_due_us(self.now_us).map(|at_us| (at_us, Class::Frame));
        let timer = self.timers.next_us().map(|at_us| (at_us, Class::Timer));
        [cue, setup, frame, timer].into_iter().flatten().min()
    }

    fn follow(&mut self) {
        let Some(Cue { what, .. }) = self.cues.pop_front() else { return };
        match what {
            EvidenceKind::Down { a, b } => self.end(a, b),
            EvidenceKind::Up { a, b } => self.begin(a, b),
            EvidenceKind::Crash { node } => self.crash(node),
            EvidenceKind::Restart { node } => self.restart(node),
            EvidenceKind::Create { from, message } => self.write(from, message),
        }
    }

    fn begin(&mut self, a: u32, b: u32) {
        let now_us = self.now_us;
        self.log.add(now_us, Step::Up, a, b, 0);
        self.node(a).peers.begin(b, now_us);
        self.node(b).peers.begin(a, now_us);
        match self.links.are_carried() {
            Some(bytes_max) => self.set_out(a, b, bytes_max),
            None => self.approach(a, b),
        }
    }

    fn end(&mut self, a: u32, b: u32) {
        self.log.add(self.now_us, Step::Down, a, b, 0);
        self.node(b).peers.end(a);
        let Some((talk, up_us)) = self.node(a).peers.end(b) else { return };
        self.part(a, b, talk);
        self.come_to(a, b);
        self.count.contacts.push(Contact { up_us, a, b, down_us: self.now_us });
    }

    /// Two nodes in reach start to talk, after the time that takes, if both are on.
    fn approach(&mut self, a: u32, b: u32) {
        if !self.node(a).is_on || !self.node(b).is_on {
            return;
        }
        match self.links.setup_us() {
            0 => self.talk(a, b),
            setup_us => {
                let at_us = self.now_us.saturating_add(setup_us);
                self.setups.insert((at_us, a, b));
                self.set_talk(a, b, Talk::From(at_us));
            }
        }
    }

    fn set_talk(&mut self, a: u32, b: u32, talk: Talk) {
        self.node(a).peers.set(b, talk);
        self.node(b).peers.set(a, talk);
    }

    fn set_up(&mut self) {
        let Some((_, a, b)) = self.setups.pop_first() else { return };
        self.talk(a, b);
    }

    fn talk(&mut self, a: u32, b: u32) {
        self.set_talk(a, b, Talk::Talks);
        self.links.open(a, b);
        for (node, peer) in [(a, b), (b, a)] {
            let peer = self.common.roster.name(peer);
            self.input(node, Input::ContactUp { peer });
        }
    }

    /// Two in reach who talk end that and start anew.
    fn renew(&mut self, one: u32, other: u32) {
        if self.node(one).peers.talks(other) {
            let (a, b) = (one.min(other), one.max(other));
            self.set_talk(a, b, Talk::Not);
            self.part(a, b, Talk::Talks);
            self.approach(a, b);
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
                    let peer = self.common.roster.name(peer);
                    self.input(node, Input::ContactDown { peer });
                }
            }
        }
    }

    fn lose(&mut self, transfer: &Transfer) {
        if let Parcel::Bundle { bundle, .. } = &transfer.parcel {
            self.log.add(self.now_us, Step::Cut, transfer.from, transfer.to, bundle.bundle.id.prefix());
            self.count.cut(bundle);
        }
    }

    fn crash(&mut self, node: u32) {
        self.log.add(self.now_us, Step::Crash, node, 0, 0);
        self.count.counters.crashes += 1;
        self.node(node).is_on = false;
        for (peer, talk) in self.node(node).peers.all() {
            self.set_talk(node, peer, Talk::Not);
            self.part(node, peer, talk);
        }
    }

    fn restart(&mut self, node: u32) {
        self.log.add(self.now_us, Step::Restart, node, 0, 0);
        let common = Arc::clone(&self.common);
        self.node(node).restart(&common);
        common.memberships(node).for_each(|input| self.input(node, input));
        self.input(node, Input::Timeout);
        self.set_alarm(node);
        if self.links.are_carried().is_none() {
            for (peer, _) in self.node(node).peers.all() {
                self.approach(node.min(peer), node.max(peer));
            }
        }
        for message in std::mem::take(&mut self.node(node).unsent) {
            self.submit(message);
        }
        self.senders.insert(node);
    }

    /// A person writes a message; a node that is off takes it when it is on again.
    fn write(&mut self, from: u32, message: u32) {
        // What is one bundle for several is written once.
        if self.common.message(message).further > 0 {
            return;
        }
        self.log.add(self.now_us, Step::Create, from, message, 0);
        match self.node(from) {
            node if node.is_on => self.submit(message),
            node => node.unsent.push(message),
        }
    }

    fn submit(&mut self, number: u32) {
        let common = Arc::clone(&self.common);
        let message = common.message(number);
        let input = match message.channel {
            Channel::Mail | Channel::Group(_) => self.mail(message, number, 0),
            Channel::Topic(topic) => self.post(message, number, topic),
            Channel::File | Channel::GroupFile(_) => {
                self.node(message.from).files.begin(number, parts(message));
                self.senders.insert(message.from);
                return;
            }
        };
        self.input(message.from, input);
    }

    /// Mail, or a part of a file; to one or to a group.
    fn mail(&self, message: &Message, number: u32, part: u32) -> Input {
        let Common { roster, .. } = &*self.common;
        let destination = match message.channel {
            Channel::Group(group) | Channel::GroupFile(group) => self.common.group(group).clone(),
            _ => Eid::mail(roster.name(message.to)),
        };
        Input::Submit {
            token: token(number, part),
            mailbox: Eid::mail(roster.name(message.from)),
            destination,
            lifetime: self.common.lifetime(),
            priority: message.priority,
            copies: None,
        }
    }

    fn post(&mut self, message: &Message, number: u32, topic: u32) -> Input {
        let common = Arc::clone(&self.common);
        let (name, leave) = common.topic(topic, message.from);
        let now_us = self.now_us;
        let sequence = self.node(message.from).moment(now_us).wall.0;
        let body = "x".repeat(message.size as usize);
        let post = Post { sequence, said: Said::Message { key: None, body, leave } };
        let (topic, lifetime) = (name.clone(), common.lifetime());
        Input::Publish { token: token(number, 0), topic, lifetime, payload: post.encode().into() }
    }

    /// Whoever sends files sends of them what may leave now.
    fn send_parts(&mut self) {
        while let Some(node) = self.senders.pop_first() {
            while let Some(id) = self.node(node).files.hand_on() {
                self.input(node, Input::HandOn(id));
            }
            while self.node(node).is_on
                && let Some((file, part)) = self.node(node).files.due()
            {
                let input = self.mail(self.common.message(file), file, part);
                self.input(node, input);
            }
        }
    }

    fn move_on(&mut self) {
        let Share { links, count, .. } = self;
        let mut tell = |fate, transfer: &Transfer| match &transfer.parcel {
            Parcel::Bundle { bundle, .. } if fate == Fate::Begun => count.began(bundle),
            Parcel::Bundle { bundle, .. } => count.cut(bundle),
            Parcel::Frame(_) => {}
        };
        if let Some(transfer) = links.arrived(self.now_us, &mut tell) {
            self.arrive(transfer);
        }
    }

    /// A transfer that is under way to a destination prolongs the time that it has a bundle to itself.
    fn tell_what_moves(&mut self, node: u32) {
        let now_us = self.now_us;
        let at = self.node(node).moment(now_us);
        let awaited: Vec<NodeId> = self.node(node).driver.agent.awaited(at.now).collect();
        for peer in awaited {
            if self.links.moves(node, self.common.roster.number(&peer)) {
                self.node(node).driver.take(at, Input::Moved { peer });
            }
        }
    }

    fn ring(&mut self) {
        let Some(node) = self.timers.ring() else { return };
        if !self.node(node).is_on {
            return;
        }
        let now_us = self.now_us;
        if self.node(node).owing.next_timeout().is_some_and(|due| due.0.saturating_mul(1_000) <= now_us) {
            self.send_receipts(node);
        }
        self.set_alarm(node);
        let due = self.node(node).driver.due();
        match due.map(|at| at.0.saturating_mul(1_000)) {
            Some(due_us) if due_us <= self.now_us => {
                self.log.add(self.now_us, Step::Timer, node, 0, 0);
                self.tell_what_moves(node);
                self.input(node, Input::Timeout);
            }
            Some(due_us) => self.timers.set(node, due_us),
            None => {}
        }
    }
}

/// What an agent tells of a message with: its number, and which part of it.
fn token(number: u32, part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(number)
}

/// The message of a token, and the part.
fn of_token(token: u64) -> (u32, u32) {
    (token as u32, (token >> 32) as u32)
}

fn class_of(what: EvidenceKind) -> Class {
    match what {
        EvidenceKind::Down { .. } => Class::Down,
        EvidenceKind::Crash { .. } => Class::Crash,
        EvidenceKind::Up { .. } => Class::Up,
        EvidenceKind::Restart { .. } => Class::Restart,
        EvidenceKind::Create { .. } => Class::Create,
    }
}

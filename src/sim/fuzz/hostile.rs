//! Hostile nodes: each has an agent that does its best to look honest, and a will of its own that bends what the agent
//! says, swallows what it is given, and now and then says something outrageous. All of them share what they hear.

use std::collections::BTreeSet;

use crate::bundle::{Bundle, HOP_LIMIT, Hops, Kind, Unverified};
use crate::frame::{Frame, Grade, Hello, Incoming, PROTOCOL_VERSION, RoutingInfo, Transit, encode_bundle};
use crate::id::{BundleId, NodeId};
use crate::sim::random::Stream;
use crate::time::{DAY, Millis};

use super::Checked;
use super::actors::Poison;
use super::world::World;

/// What all hostile nodes know.
pub struct Coven {
    pub dice: Stream,
    /// Bundles that any of them saw, as bytes.
    pub bundles: Vec<Vec<u8>>,
    /// Ids that any of them heard of.
    pub ids: Vec<BundleId>,
    /// Other frames that any of them heard.
    pub frames: Vec<Vec<u8>>,
    pub sequence: u64,
    pub poison: Poison,
}

/// Most bundles, ids and frames remembered; a new one takes the place of any.
const MEMORY_MAX: usize = 96;

impl Coven {
    pub fn new(seed: u64) -> Coven {
        let dice = Stream::new(seed, "fuzz hostile", 0);
        Coven { dice, bundles: Vec::new(), ids: Vec::new(), frames: Vec::new(), sequence: 0, poison: Poison::default() }
    }

    /// One of the ids heard of, or one of nothing.
    pub fn any_id(&mut self) -> BundleId {
        match self.ids.is_empty() || self.dice.chance(100_000) {
            true => BundleId(*blake3::hash(&self.dice.draw().to_le_bytes()).as_bytes()),
            false => self.ids[self.dice.below(self.ids.len() as u64) as usize],
        }
    }

    pub fn any_ids(&mut self) -> Vec<BundleId> {
        let count = self.dice.between(1, 12);
        (0..count).map(|_| self.any_id()).collect()
    }

    /// Messages of one source that any of them saw.
    pub fn ids_of(&self, source: NodeId) -> Vec<BundleId> {
        let parsed = self.bundles.iter().filter_map(|bytes| Unverified::parse(bytes).ok());
        let of_source = parsed.filter(|bundle| bundle.source() == source && bundle.kind() == Kind::Message);
        BTreeSet::from_iter(of_source.map(|bundle| bundle.id())).into_iter().collect()
    }

    pub fn any_bundle(&mut self) -> Option<Vec<u8>> {
        pick(&mut self.dice, &self.bundles).cloned()
    }

    pub fn any_frame(&mut self) -> Option<Vec<u8>> {
        pick(&mut self.dice, &self.frames).cloned()
    }

    /// What travels beside a bundle, with a preference for the corners.
    pub fn any_transit(&mut self) -> Transit {
        let age = [0, 1, DAY.0, u64::MAX, self.dice.below(9 * DAY.0)][self.dice.below(5) as usize];
        let count = [0, 1, HOP_LIMIT - 1, HOP_LIMIT, self.dice.below(256) as u8][self.dice.below(5) as usize];
        let copies = [0, 1, 1_024, self.dice.below(1_025) as u16][self.dice.below(4) as usize];
        Transit { hops: Hops { age: Millis(age), count }, copies }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Coven { dice, bundles, ids, frames, .. } = self;
        match Incoming::decode(bytes) {
            Ok(Incoming::Bundle { bytes, .. }) => {
                if let Ok(unverified) = Unverified::parse(bytes) {
                    keep(dice, ids, unverified.id());
                }
                keep(dice, bundles, bytes.to_vec());
            }
            Ok(Incoming::Frame(frame)) => {
                let heard = match &frame {
                    Frame::Offer { ids }
                    | Frame::Take { ids }
                    | Frame::Ask { ids }
                    | Frame::GaveUp { ids }
                    | Frame::Noted { ids } => ids,
                    Frame::Accepted { grants } => &grants.iter().map(|(id, _)| *id).collect(),
                    _ => &Vec::new(),
                };
                heard.iter().for_each(|id| keep(dice, ids, *id));
                keep(dice, frames, bytes.to_vec());
            }
            Err(_) => {}
        }
    }
}

fn pick<'a, T>(dice: &mut Stream, all: &'a [T]) -> Option<&'a T> {
    (!all.is_empty()).then(|| &all[dice.below(all.len() as u64) as usize])
}

fn keep<T>(dice: &mut Stream, all: &mut Vec<T>, new: T) {
    match all.len() < MEMORY_MAX {
        true => all.push(new),
        false => all[dice.below(MEMORY_MAX as u64) as usize] = new,
    }
}

/// How a hostile node is minded; fixed for a whole world, for a node that changes its mind is only a noisier one.
#[derive(Clone, Copy, Debug)]
struct Mind {
    /// Swallows this part of the bundles that it is handed, per million.
    swallows: u32,
    /// Says that it took custody of what it swallowed.
    boasts: bool,
    /// Bends what its agent says, per million.
    bends: u32,
}

fn mind(n: usize, seed: u64) -> Mind {
    let dice = &mut Stream::new(seed, "fuzz mind", n as u32);
    Mind {
        swallows: [0, 300_000, 1_000_000][dice.below(3) as usize],
        boasts: dice.chance(700_000),
        bends: dice.below(500_000) as u32,
    }
}

impl World {
    /// Whether a hostile node keeps what arrived from its own agent.
    pub(super) fn swallows(&mut self, from: usize, to: usize, bytes: &[u8]) -> bool {
        self.coven.hear(bytes);
        let mind = mind(to, self.plan.seed);
        let bytes = match Incoming::decode(bytes) {
            Ok(Incoming::Bundle { bytes, .. }) => bytes,
            Ok(Incoming::Frame(frame)) => return self.poisons(to, from, &frame),
            Err(_) => return false,
        };
        if !self.coven.dice.chance(mind.swallows) {
            return false;
        }
        if let (true, Ok(unverified)) = (mind.boasts, Unverified::parse(bytes)) {
            let grants = vec![(unverified.id(), Grade::Custody)];
            self.say(to, from, &Frame::Accepted { grants });
        }
        true
    }

    /// What the agent of a hostile node would say.
    pub(super) fn twist_frame(&mut self, n: usize, peer: usize, frame: Frame) -> Checked {
        if self.keeps_back(n, peer, &frame) {
            return Ok(());
        }
        let frame = match frame {
            Frame::Hello(hello) => Frame::Hello(self.act_in_hello(n, peer, hello)),
            frame => frame,
        };
        let bends = mind(n, self.plan.seed).bends;
        let frame = match frame {
            _ if !self.coven.dice.chance(bends) => frame,
            Frame::Hello(hello) => Frame::Hello(self.bend_hello(hello)),
            Frame::Accepted { grants } => {
                let grants = grants.into_iter().map(|(id, _)| (id, Grade::Custody)).collect();
                Frame::Accepted { grants }
            }
            Frame::Offer { .. } => Frame::Offer { ids: self.coven.any_ids() },
            Frame::Lives { lives } => {
                let any = |(id, _)| (id, self.coven.any_transit().hops.age);
                Frame::Lives { lives: lives.into_iter().map(any).collect() }
            }
            // Everything else is kept back.
            _ => return Ok(()),
        };
        self.tell(|| format!("{n} (hostile) says to {peer}: {frame:?}"));
        self.say(n, peer, &frame);
        Ok(())
    }

    /// A Hello of somebody who carries, pushes and knows nothing.
    pub(super) fn hello_of(&mut self, n: usize) -> Hello {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: 1 << 20,
            window_bytes: 1 << 20,
            carries: true,
            pushes: true,
            mailboxes: Vec::new(),
            routing: RoutingInfo::Meetings(vec![(self.nodes[n].id, u16::MAX)]),
            nonce: [self.coven.dice.draw() as u8; 16],
            count: 0,
            root: [0; 16],
        };
        self.bend_hello(hello)
    }

    fn bend_hello(&mut self, hello: Hello) -> Hello {
        let dice = &mut self.coven.dice;
        let mut bent = hello.clone();
        for _ in 0..dice.between(1, 3) {
            match dice.below(7) {
                0 => bent.root = *b"not what is held",
                1 => bent.count = [0, 1, 1_000, u64::MAX][dice.below(4) as usize],
                2 => bent.carries = !bent.carries,
                3 => bent.pushes = !bent.pushes,
                4 => bent.window_bytes = [0, 1, u32::MAX][dice.below(3) as usize],
                5 => bent.bundle_bytes_max = [0, 1, u32::MAX][dice.below(3) as usize],
                _ => bent.nonce = [0; 16],
            }
        }
        bent
    }

    /// What the agent of a hostile node would hand over.
    pub(super) fn twist_bundle(&mut self, n: usize, peer: usize, transit: Transit, bundle: &Bundle) -> Checked {
        let mind = mind(n, self.plan.seed);
        if self.hands_nothing_over() || self.coven.dice.chance(mind.swallows) {
            return Ok(());
        }
        let transit = match self.coven.dice.chance(mind.bends) {
            true => self.coven.any_transit(),
            false => self.lie_about(transit, bundle),
        };
        self.tell(|| format!("{n} (hostile) hands {} to {peer}: {transit:?}", bundle.id));
        self.put(n, peer, encode_bundle(&transit, bundle));
        Ok(())
    }
}

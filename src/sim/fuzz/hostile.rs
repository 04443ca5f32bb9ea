//! Hostile nodes: each has an agent that does its best to look honest, and a will of its own that bends what the agent
//! says, swallows what it is given, and now and then says something outrageous. All of them share what they hear.

use crate::bundle::{Bundle, Unverified};
use crate::frame::{Frame, Grade, Hello, Incoming, PROTOCOL_VERSION, RoutingInfo, Transit, encode_bundle};
use crate::sim::random::Stream;

use super::Checked;
use super::world::World;

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
        self.heard.hear(bytes);
        let mind = mind(to, self.plan.seed);
        let bytes = match Incoming::decode(bytes) {
            Ok(Incoming::Bundle { bytes, .. }) => bytes,
            Ok(Incoming::Frame(frame)) => return self.poisons(to, from, &frame),
            Ok(Incoming::Folded { .. }) | Err(_) => return false,
        };
        if !self.heard.dice.chance(mind.swallows) {
            return false;
        }
        if let (true, Ok(unverified)) = (mind.boasts, Unverified::parse(bytes)) {
            let grants = vec![(unverified.id().prefix(), Grade::Custody)];
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
            _ if !self.heard.dice.chance(bends) => frame,
            Frame::Hello(hello) => Frame::Hello(self.bend_hello(hello)),
            Frame::Accepted { grants } => {
                let grants = grants.into_iter().map(|(id, _)| (id, Grade::Custody)).collect();
                Frame::Accepted { grants }
            }
            Frame::Offer { .. } => Frame::Offer { ids: self.heard.any_ids() },
            Frame::Lives { lives } => {
                let any = |(id, _)| (id, self.heard.any_transit().hops.age);
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
            nonce: [self.heard.dice.draw() as u8; 16],
            count: 0,
            root: [0; 16],
            interests: Vec::new(),
        };
        self.bend_hello(hello)
    }

    fn bend_hello(&mut self, hello: Hello) -> Hello {
        let dice = &mut self.heard.dice;
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
        if self.hands_nothing_over() || self.heard.dice.chance(mind.swallows) {
            return Ok(());
        }
        let transit = match self.heard.dice.chance(mind.bends) {
            true => self.heard.any_transit(),
            false => self.lie_about(transit, bundle),
        };
        self.tell(|| format!("{n} (hostile) hands {} to {peer}: {transit:?}", bundle.id));
        self.put(n, peer, encode_bundle(&transit, bundle));
        Ok(())
    }
}

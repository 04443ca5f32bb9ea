//! What hostile nodes with a purpose do and say.

use crate::agent::summary::{Claim, Reconciliation, Step};
use crate::bundle::{Bundle, Creation, Draft, HOP_LIMIT, Hops, Kind, Priority};
use crate::eid::Eid;
use crate::frame::{Frame, Hello, ROUTING_ENTRIES_MAX, RoutingInfo, Transit, encode_bundle};
use crate::id::NodeId;
use crate::receipt::{Receipt, ReceiptKind};
use crate::time::{DAY, Millis};

use super::Checked;
use super::actors::{Actor, Poison, invented};
use super::witness::Witness;
use super::world::World;

/// Bundles that a capturer hands over at once.
const BURST_MAX: u64 = 12;

impl World {
    fn acts(&self, actor: Actor) -> bool {
        self.plan.actors.contains(&actor)
    }

    /// A hostile node follows its purpose.
    pub(super) fn act_out(&mut self, n: usize) -> Checked {
        let peers = self.peers(n);
        let actors = self.plan.actors.clone();
        if peers.is_empty() || actors.is_empty() {
            return Ok(());
        }
        self.counts.deeds += 1;
        let dice = &mut self.heard.dice;
        let peer = peers[dice.below(peers.len() as u64) as usize];
        let actor = actors[dice.below(actors.len() as u64) as usize];
        self.tell(|| format!("{n} (hostile), one of the {actor}, turns to {peer}"));
        match actor {
            Actor::Liar => self.replay_at_the_end(n, peer),
            Actor::Staller => self.offer_all(n),
            Actor::Capturer => (0..self.heard.dice.between(1, BURST_MAX)).for_each(|_| self.throw_away(n, peer)),
            // A poisoner waits for the next Hello.
            Actor::Poisoner => {}
        }
        Ok(())
    }

    /// Offers everything that was ever heard of to every peer.
    pub(super) fn offer_all(&mut self, n: usize) {
        let ids = self.heard.ids.clone();
        self.peers(n).into_iter().for_each(|peer| self.say(n, peer, &Frame::Offer { ids: ids.clone() }));
    }

    /// A genuine bundle with a hop count or an age that lets it go no further.
    fn replay_at_the_end(&mut self, n: usize, peer: usize) {
        let Some(bytes) = self.heard.any_bundle() else { return };
        let Ok((bundle, _)) = Bundle::from_store(&bytes) else { return };
        let transit = self.at_the_end(&bundle);
        self.put(n, peer, encode_bundle(&transit, &bundle));
    }

    fn at_the_end(&mut self, bundle: &Bundle) -> Transit {
        let dice = &mut self.heard.dice;
        let hops = match dice.below(2) {
            0 => Hops { age: Millis(0), count: HOP_LIMIT - dice.below(3) as u8 },
            _ => Hops { age: bundle.lifetime.saturating_sub(Millis(dice.below(3_000))), count: 1 },
        };
        Transit { hops, copies: 1, is_answer: false }
    }

    /// What a liar says beside a bundle that it really hands over.
    pub(super) fn lie_about(&mut self, transit: Transit, bundle: &Bundle) -> Transit {
        match self.acts(Actor::Liar) && self.heard.dice.chance(500_000) {
            true => self.at_the_end(bundle),
            false => transit,
        }
    }

    pub(super) fn hands_nothing_over(&self) -> bool {
        self.acts(Actor::Staller)
    }

    /// A bundle under a name that nobody heard before and nobody will hear again.
    fn throw_away(&mut self, n: usize, peer: usize) {
        let key = Witness::new(invented(&mut self.heard.dice).0, &self.truth.signed);
        let dice = &mut self.heard.dice;
        let kind = [Kind::Receipt, Kind::Message][dice.below(2) as usize];
        let honest = self.nodes[dice.below((self.plan.nodes - self.plan.hostile) as u64) as usize].id;
        let lifetime = [DAY, DAY.times(9), DAY.times(30)][dice.below(3) as usize];
        let wall = self.nodes[n].wall(self.now);
        self.heard.sequence += 1;
        let creation = Creation { time: wall, sequence: self.heard.sequence };
        let destination = if kind == Kind::Receipt { Eid::admin(honest) } else { Eid::mail(honest) };
        let source = crate::bundle::Signer::node(&key);
        let draft = Draft { kind, source, destination, creation, lifetime, priority: Priority::Urgent, copies: 16 };
        let payload = match kind {
            Kind::Message => b"mail of a stranger".to_vec(),
            Kind::Receipt => {
                let ids = (0..4).map(|_| invented(&mut self.heard.dice)).collect();
                Receipt { kind: ReceiptKind::Delivered, source: honest, device: 0, devices: 1, ids }.encode()
            }
        };
        let bundle = draft.sign(&payload, &key).expect("a small bundle of a hostile node is well-formed");
        self.truth.signed_by_hostile(&bundle, self.now);
        self.put(n, peer, encode_bundle(&Transit { copies: 16, ..Transit::default() }, &bundle));
    }

    /// What actors make of a Hello.
    pub(super) fn act_in_hello(&mut self, n: usize, peer: usize, hello: Hello) -> Hello {
        let hello = if self.acts(Actor::Liar) { self.boast(peer, hello) } else { hello };
        if self.acts(Actor::Poisoner) { self.claim_one_fewer(n, peer, hello) } else { hello }
    }

    fn boast(&mut self, peer: usize, mut hello: Hello) -> Hello {
        let dice = &mut self.heard.dice;
        let made_up = [0, 50, ROUTING_ENTRIES_MAX][dice.below(3) as usize];
        let made_up = (0..made_up).map(|_| NodeId::from_trusted(invented(dice).0)).collect::<Vec<_>>();
        let real = self.nodes.iter().enumerate().filter(|(m, _)| *m != peer).map(|(_, node)| node.id);
        let mut told: Vec<(NodeId, u16)> = real.chain(made_up).map(|node| (node, u16::MAX)).collect();
        told.sort_unstable();
        told.truncate(ROUTING_ENTRIES_MAX);
        hello.routing = match hello.routing {
            RoutingInfo::Predictabilities(_) => RoutingInfo::Predictabilities(told),
            _ => RoutingInfo::Meetings(told),
        };
        hello
    }

    fn claim_one_fewer(&mut self, n: usize, peer: usize, hello: Hello) -> Hello {
        self.heard.poison.prepare(&mut self.heard.dice);
        let held = self.nodes[peer].disk.model().held.len() as u64;
        let hello = Hello { count: held.saturating_sub(1).max(1), root: *b"not what is held", ..hello };
        self.heard.poison.told.remove(&(n, peer));
        self.heard.poison.claims.insert((n, peer), Claim::of(&hello));
        hello
    }

    /// Whether a poisoner answers a frame of `peer` itself, in place of its agent.
    pub(super) fn poisons(&mut self, n: usize, peer: usize, frame: &Frame) -> bool {
        let Poison { ids, index, claims, told } = &mut self.heard.poison;
        let full = |slot: u32| ids[slot as usize];
        let (step, is_answered): (Step, bool) = match frame {
            Frame::Hello(hello) => {
                let Some(claim) = claims.remove(&(n, peer)) else { return false };
                let (reconciliation, step) = Reconciliation::begin(&claim, &Claim::of(hello), index, &full);
                told.insert((n, peer), reconciliation);
                (step, false)
            }
            frame if is_of_summary(frame) => {
                let Some(reconciliation) = told.get_mut(&(n, peer)) else { return false };
                (reconciliation.handle(frame, index, &full), true)
            }
            _ => return false,
        };
        step.send.iter().for_each(|frame| self.say(n, peer, frame));
        is_answered
    }

    /// Whether a poisoner keeps back what its agent says.
    pub(super) fn keeps_back(&self, n: usize, peer: usize, frame: &Frame) -> bool {
        let Poison { claims, told, .. } = &self.heard.poison;
        is_of_summary(frame) && (told.contains_key(&(n, peer)) || claims.contains_key(&(n, peer)))
    }
}

fn is_of_summary(frame: &Frame) -> bool {
    use Frame::{Buckets, Cells, MoreCells, ShortIds, Want};
    matches!(frame, Buckets { .. } | Cells { .. } | MoreCells { .. } | ShortIds { .. } | Want { .. })
}

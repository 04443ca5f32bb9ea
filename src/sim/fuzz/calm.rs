//! The faults stop: clocks are right, disks have room, nobody is hostile, and everybody meets everybody. What is owed
//! then must arrive within a few meetings; and long after, nothing is left of any of it but the rows.

use std::collections::BTreeMap;

use crate::agent::Input;
use crate::agent::change::{Class, EvidenceKind, Held};
use crate::bundle::Kind;
use crate::frame::{Frame, Hello, RoutingInfo, Transit};
use crate::id::{BundleId, NodeId};
use crate::receipt::ReceiptKind;
use crate::time::{DAY, HOUR, MINUTE, Millis};

use super::crew::group;
use super::node::WALL_START;
use super::truth::is_over_by_clock;
use super::world::World;
use super::{Checked, Promise, must};

/// Rounds in which everybody meets everybody until what is owed must have arrived.
const ROUNDS_MAX: u64 = 30;
/// Time between them.
const PAUSE: Millis = Millis(2 * MINUTE.0);
/// A life that ends within the rounds may end undelivered.
pub(super) const LIFE_LEFT_MIN: Millis = Millis(2 * HOUR.0);
/// Longer than anything is remembered.
const LONG_AFTER: Millis = Millis(80 * DAY.0);

/// A message that must arrive.
#[derive(Clone, Copy)]
struct Owed {
    /// Its source, or a carrier that accepted it.
    holder: usize,
    to: usize,
    id: BundleId,
    is_own: bool,
}

impl World {
    pub(super) fn calm(&mut self) -> Checked {
        self.tell(|| "the faults stop".into());
        self.is_stormy = false;
        self.flush_all()?;
        for n in 0..self.nodes.len() {
            let node = &mut self.nodes[n];
            (node.fault, node.wall_offset, self.groups[n]) = (None, 0, 0);
            if !node.is_on {
                self.switch_on(n)?;
            }
            self.input(n, Input::Space { free_bytes: u64::MAX })?;
            self.calm_group(n)?;
        }
        for (a, b) in self.links.clone().into_keys() {
            self.part(a, b)?;
        }
        self.flush_all()?;
        let there = self.who_is_there();
        self.wait_for_offers(&there)?;
        let owed = self.owed(&there);
        let (posts, gots) = (self.owed_posts(&there), self.owed_gots(&there));
        self.counts.owed += (owed.len() + posts.len() + gots.len()) as u64;
        for round in 0..ROUNDS_MAX {
            self.meet_all(&there)?;
            let is_heard = posts.iter().all(|post| self.check_heard(*post).is_ok())
                && gots.iter().all(|got| self.check_got(*got).is_ok());
            if round > 0 && is_heard && owed.iter().all(|owed| self.check_arrived(*owed).is_ok()) {
                break;
            }
        }
        for owed in owed {
            self.check_arrived(owed)?;
        }
        posts.into_iter().try_for_each(|post| self.check_heard(post))?;
        gots.into_iter().try_for_each(|got| self.check_got(got))?;
        self.forget(&there)?;
        self.replay_all(&there)
    }

    /// All honest nodes; in some worlds one of them is gone for good, and whatever carriers took from it must do.
    fn who_is_there(&mut self) -> Vec<usize> {
        let honest = self.plan.nodes - self.plan.hostile;
        let gone = self.dice.chance(500_000).then(|| self.dice.below(honest as u64) as usize);
        if let Some(gone) = gone {
            self.tell(|| format!("{gone} is gone for good"));
        }
        (0..honest).filter(|n| Some(*n) != gone).collect()
    }

    /// What is held for somebody who is there, with life left.
    fn owed(&self, there: &[usize]) -> Vec<Owed> {
        let soon = self.now + LIFE_LEFT_MIN.0;
        // Who held it before counts its life from then on, by a clock that may have counted time that they were off too long.
        let departed: BTreeMap<usize, _> = there.iter().map(|n| (*n, self.agent(*n).durable().departed)).collect();
        let ended = |to: usize, held: &Held| {
            let before = departed[&to].get(&held.id);
            before.is_some_and(|before| self.nodes[to].world_ms(before.accepted_at + held.lifetime) <= soon)
        };
        let mut owed = Vec::new();
        for holder in there.iter().copied() {
            let agent = self.agent(holder);
            for held in agent
                .held()
                .filter(|held| held.kind == Kind::Message && !held.destination.is_topic() && !held.destination.is_got())
            {
                // Of what is for a group nobody signs for all members, and each of them is owed it.
                let is_own = held.class == Class::Own && held.destination != group();
                let Some((creation, created_ms)) = self.truth.creation(held.id) else { continue };
                let is_writer = |to: usize| self.nodes[to].id == held.source && held.destination == group();
                let all =
                    there.iter().copied().filter(|to| self.truth.is_for(*to, &held.destination) && !is_writer(*to));
                for to in all {
                    let lives = created_ms.saturating_add(held.lifetime.0) > soon
                        && self.nodes[holder].world_ms(held.expires) > soon
                        && !is_over_by_clock(creation, held.lifetime, self.nodes[to].wall(soon))
                        && !ended(to, &held);
                    // Who is blocked hears nothing.
                    let is_heard = !self.truth.blocked.contains(&(to, held.source));
                    if lives && is_heard && (!is_own || self.record(holder).known(&held.id).outgoing.is_some()) {
                        owed.push(Owed { holder, to, id: held.id, is_own });
                    }
                }
            }
        }
        owed
    }

    fn meet_all(&mut self, there: &[usize]) -> Checked {
        for (i, a) in there.iter().enumerate() {
            for b in &there[..i] {
                self.open(*a, *b)?;
                self.run_errands()?;
                self.settle()?;
                self.part(*a, *b)?;
                self.flush_all()?;
            }
        }
        // Who reads his mail has room for more.
        for n in there {
            let ids: Vec<BundleId> = self.record(*n).letters().map(|letter| letter.id).collect();
            ids.into_iter().try_for_each(|id| self.input(*n, Input::Discard(id)))?;
        }
        self.pass(PAUSE)
    }

    fn check_arrived(&self, Owed { holder, to, id, is_own }: Owed) -> Checked {
        let arrived = self.truth.rows.contains(&(to, id));
        // Of a part that nobody wants nothing is kept; its source may hear so, or only that it is known.
        if self.truth.unwanted.contains(&(to, id)) && !arrived {
            return Ok(());
        }
        let is_rejected = |kind| matches!(kind, ReceiptKind::Rejected { .. });
        let rejected = self.truth.states(self.nodes[to].id, id, is_rejected);
        let state = self.record(holder).known(&id).outgoing.map(|outgoing| outgoing.state()).filter(|_| is_own);
        let is_so = match state {
            Some(EvidenceKind::Delivered | EvidenceKind::Read) => arrived,
            Some(EvidenceKind::Rejected { .. }) => rejected && !arrived,
            Some(_) => false,
            // What a carrier had to give up since, it owes no more.
            None => arrived || rejected || self.truth.gave_up.contains(&(holder, id)),
        };
        must(is_so, Promise::EverythingArrives, || {
            let row = if arrived { "there is a row" } else { "no row" };
            format!(
                "{id}, held by {holder} for {to}, is {state:?} after everybody met everybody; {row} at its destination"
            )
        })
    }

    /// Every life and every memory ends.
    fn forget(&mut self, there: &[usize]) -> Checked {
        self.pass(LONG_AFTER)?;
        for n in there {
            let agent = self.agent(*n);
            let (held, buried, due) = (agent.held().count(), agent.tombstones(), agent.next_timeout());
            must(held == 0 && buried == 0 && due.is_none(), Promise::NothingIsLeft, || {
                format!("{n} still holds {held}, remembers {buried} and waits for {due:?}")
            })?;
        }
        Ok(())
    }

    /// Long after every tombstone is gone, somebody hands over once more whatever was ever signed, as if it were new, to
    /// nodes whose clocks say nothing.
    fn replay_all(&mut self, there: &[usize]) -> Checked {
        let ghost = NodeId::from_trusted(*blake3::hash(b"somebody else").as_bytes());
        let hello = self.hello_of(there[0]);
        let hello = Hello { carries: true, routing: RoutingInfo::None, nonce: [9; 16], ..hello };
        for n in there.iter().copied() {
            self.nodes[n].wall_offset = -(WALL_START as i64);
            let ids: Vec<BundleId> = self.record(n).letters().map(|letter| letter.id).collect();
            ids.into_iter().try_for_each(|id| self.input(n, Input::Discard(id)))?;
            self.input(n, Input::ContactUp { peer: ghost })?;
            self.input(n, Input::Frame { from: ghost, frame: Frame::Hello(hello.clone()) })?;
            for bundle in self.truth.mail_for(n) {
                let transit = Transit { copies: 1, ..Transit::default() };
                let (size_bytes, from) = (bundle.encoded_len() as u32, ghost);
                self.input(n, Input::Bundle { from, transit, bundle, size_bytes })?;
            }
        }
        self.flush_all()
    }
}
